"""K-means, silhouettes and what they are worth, against scikit-learn, by hand and on planted clusters."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.metrics import adjusted_rand_score, silhouette_samples, silhouette_score
from test_explain import clouds

from hgnb.analysis import clusters, components, distances
from hgnb.analysis.clusters import cluster_everyone
from hgnb.training.runs import Run


def cigar(n=300, d=20, seed=0):
    """A single Gaussian cloud with a steep spectrum, away from the origin."""
    return (np.random.default_rng(seed).normal(size=(n, d)) * np.arange(1, d + 1) ** -0.8 + 50).astype(np.float32)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """So that a few persons make several blocks, the last of them short."""
    monkeypatch.setattr(distances, "BLOCK", 32)


# Distances


def test_distances_far_from_the_origin():
    points = cigar(100)
    plain = np.linalg.norm(points[:, None].astype(float) - points, axis=2)
    assert np.allclose(distances.distances(points), plain, atol=1e-5)


def test_silhouettes_equal_scikit_learns():
    points, own = clouds()
    labels = np.random.default_rng(1).integers(0, 4, len(own))
    labels[0] = 9  # alone in its cluster, and five numbers below it unused
    apart = distances.distances(points)
    for given in (own, labels):
        assert np.allclose(distances.silhouettes(apart, given), silhouette_samples(points, given), atol=1e-5)
    both = distances.mean_silhouettes(apart, [own, np.zeros(len(own), int), labels])
    assert np.allclose(both, [silhouette_score(points, own), -1, silhouette_score(points, labels)], atol=1e-5)


def test_weighted_silhouettes_are_those_of_repeated_points():
    """Counting persons twice is repeating them, but for a person's copies, which are no neighbours of it."""
    points, own = clouds((12, 9))
    weights = np.random.default_rng(0).integers(0, 3, len(own)).astype(np.float32)
    apart = distances.distances(points)
    (got,) = distances.mean_silhouettes(apart, [own], [weights])
    total = 0.0
    for i in range(len(own)):
        near = [np.sum((weights * apart[i])[own == c]) for c in (0, 1)]
        size = [weights[own == c].sum() for c in (0, 1)]
        a, b = near[own[i]] / (size[own[i]] - weights[i]), near[1 - own[i]] / size[1 - own[i]]
        total += weights[i] * (b - a) / max(a, b)
    assert got == pytest.approx(total / weights.sum(), abs=1e-6)
    assert distances.mean_silhouettes(apart, [own], [(own == 0).astype(np.float32)])[0] == -1


def test_nearest_points_by_hand():
    index, apart = components.nearest(distances.distances(np.array([[0.0], [1.0], [5.0]])), 2)
    assert index.tolist() == [[0, 1], [1, 0], [2, 1]] and apart.tolist() == [[0, 1], [0, 1], [0, 4]]


@pytest.mark.parametrize("n", [20, 31, 90])
def test_trust_equals_scikit_learns(n):
    points = cigar(n)
    plane = np.random.default_rng(1).normal(size=(n, 2))
    apart = distances.distances(points)
    for given in (plane, points[:, :2]):
        count = min(15, (n - 1) // 2)
        assert components.trust(apart, given) == pytest.approx(trustworthiness(points, given, n_neighbors=count))
    assert np.isnan(components.trust(apart[:2, :2], plane[:2]))


# K-means


@pytest.mark.parametrize("columns", [600, 7])
def test_lloyd_equals_scikit_learns(columns, monkeypatch):
    monkeypatch.setattr(distances, "COLUMNS", columns)
    points = cigar()
    apart = distances.distances(points)
    chosen = [distances.plus_plus(apart, k, np.random.default_rng(k)) for k in (2, 3, 5, 8)]
    found = distances.lloyd(points, [points[c] for c in chosen])
    for start, labels in zip(chosen, found, strict=True):
        theirs = KMeans(len(start), init=points[start], n_init=1).fit(points)
        assert (labels == theirs.labels_).mean() > 0.99  # a point between two may fall to either by rounding
        assert len(set(start)) == len(start)


def test_weights_count_as_repetitions():
    points, _ = clouds((12, 9, 5), d=4, apart=3)
    weights = np.random.default_rng(0).integers(0, 4, len(points))
    start = points[[0, 13, 24]]
    (found,) = distances.lloyd(points, [start], [weights])
    theirs = KMeans(3, init=start, n_init=1).fit(points, sample_weight=weights)
    assert (found == theirs.labels_).all()


def test_a_centroid_without_points_finds_some():
    points = np.array([[0.0], [1], [10], [11]], np.float32)
    (found,) = distances.lloyd(points, [np.array([[0.5], [0.4], [500]])])
    assert (len(set(found)) == 3 and found[0] != found[2] == found[3]) or len(set(found[2:])) == 2


def test_starts_are_drawn_apart():
    """In three tight clouds k-means++ starts once in each, whatever the seed."""
    points, own = clouds((30, 30, 30), d=5, apart=100)
    apart = distances.distances(points)
    for seed in range(20):
        assert set(own[distances.plus_plus(apart, 3, np.random.default_rng(seed))]) == {0, 1, 2}
    assert len(distances.plus_plus(np.zeros((4, 4)), 3, np.random.default_rng(0))) == 3


def test_points_go_to_the_nearest_centroid():
    points = cigar(70)
    centres = distances.centroids(points, np.arange(70) % 3)
    assert np.allclose(centres[1], points[1::3].mean(0))
    plain = np.linalg.norm(points[:, None] - centres, axis=2).argmin(1)
    assert (distances.assigned(points, centres) == plain).all()
    assert distances.assigned(points[:0], centres).shape == (0,)


def test_the_restart_with_the_best_silhouette_counts():
    points, _ = clouds((30, 20, 10, 8), apart=5)
    sweep = clusters.sweep(points, (4,), 6, seed=3)
    scores = [silhouette_score(points, labels) for labels in sweep.tried[0]]
    assert np.allclose(scores, sweep.silhouettes[0], atol=1e-5)
    assert silhouette_score(points, sweep.of(4)) == pytest.approx(max(scores)) == pytest.approx(sweep.best[0])


# What clusters are worth


def judged(points, images=None, ks=(2, 3, 4), draws=5, resampled=40):
    apart = distances.distances(points)
    sweep = clusters.sweep(points, ks, 4, 0, apart)
    images = np.arange(len(points)) if images is None else images
    variance = components.principal(points).variance
    return clusters.stability(points, apart, sweep, variance, images, draws=draws, resampled=resampled, seed=0)


def test_three_clouds_are_three_clusters():
    points, _ = clouds((60, 50, 40), apart=9)
    found = judged(points)
    assert found.sweep.winner == 3 and found.share == 1 and found.above and found.holds
    assert found.halves[1] == 1 and found.restarts[1] == pytest.approx(1)
    low, high = found.band
    assert (low < high).all() and (found.gaussian.mean(0) > low).all() and high[1] < found.sweep.best[1] - 0.2


def test_one_cloud_is_not_two_clusters():
    """A cigar cut in two scores best at K = 2, in nearly every resample: only the Gaussian tells."""
    found = [judged(cigar(seed=seed), draws=8) for seed in range(1, 9)]
    assert all(f.sweep.winner == 2 and f.share > 0.9 for f in found)
    assert sum(f.above for f in found) <= 1 and sum(f.holds for f in found) <= 1
    low, high = found[0].band
    assert low[0] < found[0].sweep.best[0] < high[0]


def test_the_gaussian_has_the_covariance():
    variance = np.array([9.0, 4.0, 0.25])
    drawn = clusters.normal(variance, 40_000, np.random.default_rng(0))
    assert np.allclose(np.cov(drawn.T), np.diag(variance), atol=0.15)


def test_what_depends_on_an_image_does_not_last():
    """Thirty persons of one photograph are a third cloud: it goes when that photograph isn't drawn."""
    points, own = clouds((60, 60, 30), apart=9)
    images = np.where(own == 2, 1000, np.arange(150))
    assert 0.4 < judged(points, images, draws=0).share < 0.9
    assert judged(points, draws=0).share == 1


def test_halves_disagree_about_noise():
    points = np.random.default_rng(0).normal(size=(120, 30)).astype(np.float32)
    assert (judged(points, draws=0, resampled=0).halves < 0.5).all()


@pytest.mark.parametrize("n", [0, 1, 3, 5])
def test_few_persons_are_judged_as_far_as_possible(n):
    found = judged(cigar(n), ks=(2, 3, 10), resampled=3)
    assert found.halves.shape == found.wins.shape == (len(found.sweep.clusters),)
    assert np.isnan(found.share) == (found.sweep.winner is None)
    assert found.holds in (True, False, None)


def test_agreement_is_the_mean_rand_index():
    labels = np.random.default_rng(0).integers(0, 3, (3, 50))
    pairs = [adjusted_rand_score(labels[i], labels[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert clusters.agreement(labels) == pytest.approx(np.mean(pairs))
    assert np.isnan(clusters.agreement(labels[:1]))


def test_everyone_falls_into_the_samples_clusters(tmp_path):
    points, own = clouds((1500, 900), d=8, apart=9)
    np.save(tmp_path / "points.npy", points)
    mapped = np.load(tmp_path / "points.npy", mmap_mode="r")
    sample = np.arange(0, 2400, 3)
    found = cluster_everyone(mapped, sample, own[sample], seed=0)
    assert found.on_sample == found.on_all == 1 == adjusted_rand_score(own, found.labels)
    for alone in (
        cluster_everyone(mapped, sample, np.zeros(800, int), 0),
        cluster_everyone(mapped[:0], sample[:0], own[:0], 0),
    ):
        assert not alone.labels.any() and np.isnan(alone.on_all)


# Components


@pytest.mark.parametrize("n", [333, 25])
def test_the_streamed_components_equal_scikit_learns(n):
    """Of many persons and of few, whose last direction is rounding noise."""
    points = cigar(n, 60)
    parts, theirs = components.principal(points), PCA(svd_solver="full").fit(points.astype(np.float64))
    few = slice(min(n - 1, 60))
    assert len(parts) == few.stop and np.allclose(parts.ratio, theirs.explained_variance_ratio_[few], atol=1e-12)
    assert np.allclose(parts.variance, theirs.explained_variance_[few]) and np.allclose(parts.mean, theirs.mean_)
    assert np.allclose(parts.axes, theirs.components_[few], atol=1e-7)  # their signs, too
    assert np.allclose(parts.scores(5), theirs.transform(points)[:, :5], atol=1e-6)


# UMAP


def test_umap_keeps_clouds_apart():
    points, own = clouds((40, 40), apart=12)
    plane = components.umap(points, distances.distances(points), seed=0)
    assert plane.trust > 0.7
    assert silhouette_score(plane.plane, own) > 0.5
    for n in (0, 2, 5):
        assert components.umap(points[:n], distances.distances(points[:n]), seed=0).plane.shape == (n, 2)


def test_a_plane_is_kept_with_its_run(tmp_path, monkeypatch):
    points, _ = clouds((20, 20))
    run, apart = Run(tmp_path), distances.distances(points)
    first = components.umap(points, apart, 0, run)
    (file,) = (tmp_path / "latents").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(components, "_laid_out", lambda *_: pytest.fail("laid out again"))
        again = components.umap(points, apart, 0, run)
    assert (again.plane == first.plane).all() and again.trust == first.trust
    file.write_bytes(file.read_bytes()[:100])  # damaged: made again
    assert components.umap(points, apart, 0, run).plane.shape == (40, 2) and len(file.read_bytes()) > 400
    components.umap(points + 1, apart, 0, run)
    assert len(list((tmp_path / "latents").iterdir())) == 2  # other latents, another plane
