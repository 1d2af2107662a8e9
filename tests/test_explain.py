"""The rooms of `hgnb.analysis` on planted structure: what was put in must come out."""

import csv
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from hgnb.analysis import clusters, components, interventions, misplaced, posture, skips
from hgnb.analysis.skips import Latents, read
from hgnb.claims import on_clusters
from hgnb.data.drawn.body import draw_pose, skeleton, turn
from hgnb.data.drawn.scene import View
from hgnb.data.drawn.synthetic import KEYPOINTS
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig

COCO = KeypointSchema(tuple(KEYPOINTS), ((5, 6), (11, 12), (5, 11), (11, 13), (13, 15)))
ROOT = Path(__file__).resolve().parents[1]
SIDE, SIZE = 64, 16  # pixels of a crop and of a heatmap


def persons(keypoints, images=None, posture="", motion=""):
    """A split of persons with black crops."""
    n = len(keypoints)
    return PreparedSplit(
        "train",
        np.zeros((n, SIDE, SIDE, 3), np.uint8),
        np.asarray(keypoints, np.float32),
        np.tile([0, 0, SIDE], (n, 1)),
        np.arange(n),
        np.arange(n) if images is None else np.asarray(images),
        np.full(n, posture),
        np.full(n, motion),
    )


def scattered(n=24, keypoints=17, seed=0):
    """Keypoints at random places, all visible."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.uniform(2, SIDE - 2, (n, keypoints, 2)), np.full((n, keypoints, 1), 2.0)], 2)


class Hourglass:
    """Says where the keypoints are through its branch or through its latents, as told."""

    def __init__(self, truth, through):
        self.truth, self.through, self.skips = truth, through, [None, None]

    def encode(self, images):
        return self.truth, [self.truth, self.truth]

    def decode(self, latents, branches, on):
        on = [on, on] if isinstance(on, bool) else on
        from_skips = branches[0] * on[0]
        return {"skips": from_skips, "latents": latents}[self.through]


def reader(split, through):
    """A reader whose network finds every keypoint, through its skips or through its latents."""
    x, y = (split.keypoints[..., i].astype(int) * SIZE // SIDE for i in (0, 1))
    truth = torch.zeros(len(split), split.keypoints.shape[1], SIZE, SIZE)
    for person in range(len(split)):
        truth[person, range(x.shape[1]), y[person], x[person]] = 1
    network = SimpleNamespace(
        hourglasses=[Hourglass(truth, through)], heads=[lambda x: (None, x)], stem=lambda images: images
    )
    return SimpleNamespace(network=network, device=torch.device("cpu"), mean_rgb=torch.zeros(3), batch=64)


# Skip-connections

NOBODY = Latents(np.zeros(0, int), np.zeros((0, 1)))


def test_skips_that_carry_everything():
    split = persons(scattered())
    study = skips.study(reader(split, "skips"), split, COCO, PckConfig(), keep=[3, 5])
    on, off = study.pooled(study.on), study.pooled(study.off)
    assert on.value == 1 and off.value < 0.2  # an empty map's first pixel is a corner
    assert study.drop.value > 0.8 and not study.drop.bounded, "everybody loses all: no spread, no interval"
    assert study.survival(*skips.BIG).value < 0.2
    finest, coarse = study.levels
    assert finest.value == pytest.approx(study.drop.value) and coarse.value == 0
    assert study.latents.of(np.array([5])).shape == (1, 17 * SIZE * SIZE)


def test_skips_that_carry_nothing():
    split = persons(scattered())
    study = skips.study(reader(split, "latents"), split, COCO, PckConfig())
    assert study.drop.value == 0 and not study.drop.bounded
    assert study.survival(*skips.SMALL).value == 1
    assert study.compare(skips.SMALL, skips.BIG).value == 0
    assert len(study.latents.positions) == 0


def test_one_pass_equals_the_reader():
    """`read` decodes once-encoded persons to the same hits and latents as the network run anew."""
    from hgnb.model.hourglass import HourglassConfig, StackedHourglass
    from hgnb.training.passes import Reader

    torch.manual_seed(0)
    config = HourglassConfig(depth=2, channels=8, inner=4, stem=4)
    real = Reader(StackedHourglass(config), np.zeros(3, np.float32))
    split = persons(scattered(6))
    split.crops[:] = np.random.default_rng(0).integers(0, 255, split.crops.shape)
    got = read(real, split, PckConfig(), (True, False, [False, True]), keep=range(6))
    for hits, switch in zip(got.hits, (True, False, [False, True]), strict=True):
        assert (hits == real.predict(split, skips=switch).hits(PckConfig()).numpy()).all()
    assert np.allclose(got.latents.values, real.latents(split).reshape(6, -1))


def test_a_reader_says_what_its_network_says_and_leaves_it():
    from hgnb.model.hourglass import HourglassConfig, StackedHourglass
    from hgnb.training.passes import Reader

    torch.manual_seed(0)
    network = StackedHourglass(HourglassConfig(depth=2, channels=8, inner=4, stem=4))
    network(torch.randn(4, 3, 64, 64))  # running statistics that aren't their start
    before = {name: value.clone() for name, value in network.state_dict().items()}
    split = persons(scattered(6))
    split.crops[:] = np.random.default_rng(0).integers(0, 255, split.crops.shape)
    reader = Reader(network, np.zeros(3, np.float32), batch=4)
    assert network.training and all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    images = torch.from_numpy(split.crops).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        maps, latents = network.eval()(images, skips=[True, False]), network.latents(images)
    # Folding rounds otherwise.
    assert np.allclose(reader.heatmaps(split, skips=[True, False]), maps, atol=1e-5 * float(maps.abs().max()))
    assert np.allclose(reader.latents(split), latents, rtol=1e-4, atol=1e-4)


def test_survival_counts_only_what_was_found_with_skips():
    """Person 0 keeps one of its two shoulders, person 1 was never found, person 2 has too few labels."""
    visibility = np.full((3, 17), 2.0)
    visibility[2, 9:] = 0
    on, off = np.zeros((3, 17), bool), np.zeros((3, 17), bool)
    on[0, 5:7] = on[2, 5:7] = True
    off[0, 5] = off[1, 5] = off[2, 5:7] = True
    study = skips.SkipStudy(on, off, visibility, np.arange(3), COCO, (), np.arange(3), NOBODY)
    assert study.survival("left_shoulder", "right_shoulder").value == 0.5
    assert study.counted("left_shoulder", "right_shoulder") == 2
    assert np.isnan(study.survival("nose").value) and study.survival("nose").text() == "–"


def test_examples_prefer_the_perfect_then_the_best():
    visibility = np.full((4, 17), 2.0)
    on = np.zeros((4, 17), bool)
    on[1], on[3, :16], on[0, :2] = True, True, True
    study = skips.SkipStudy(on, on, visibility, np.arange(4), COCO, (), np.arange(4), NOBODY)
    shown = skips.examples(study, 3, seed=1)
    assert shown.positions.tolist() == [1, 3, 0] and (shown.perfect, shown.available) == (1, 1)


# Components


def planted(n=120, d=40, deviations=(5.0, 3.0, 1.5), noise=0.05, seed=0):
    """Latents from three known factors along known directions."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(d, d)))[0][: len(deviations)]
    factors = rng.normal(size=(n, len(deviations))) * deviations
    return (10 + factors @ axes + noise * rng.normal(size=(n, d))).astype(np.float32), factors, axes


def test_two_persons_have_one_component():
    parts = components.principal(planted(2)[0])
    space = interventions.Space.of(parts, torch.device("cpu"))  # torch takes no negative stride
    assert space.axes.shape == (1, 40) and float(space.axes.norm()) == pytest.approx(1)


def test_a_walk_goes_along_its_factor():
    latents, factors, _ = planted(300)
    parts = components.principal(latents)
    (walk,) = components.walks(parts, np.arange(300) + 1000, (1,), (-2.0, 0.0, 2.0))
    met = factors[walk.persons - 1000, 0]
    assert walk.different == 3 and abs(met[1]) < 3
    assert np.sign(met[0]) == -np.sign(met[2]) and np.abs(met[[0, 2]]).min() > 5
    ends = parts.walk(1, np.array([-1.0, 1.0]))
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(2 * np.sqrt(parts.variance[0]))


def test_the_nearest_person_is_the_nearest():
    latents, _, _ = planted(50)
    parts = components.principal(latents)
    points = latents[[4, 9]] + 1e-3
    assert parts.nearest(points).tolist() == [4, 9]


@pytest.mark.parametrize("latents", [np.zeros((0, 5)), np.ones((1, 5)), np.ones((7, 5))])
def test_no_component_where_nothing_varies(latents):
    parts = components.principal(latents)
    assert len(parts) == 0 and parts.needed(0.95) == 0 and parts.scores(2).shape == (len(latents), 0)
    assert components.walks(parts, np.arange(len(latents)), (1, 2), (0.0, 1.0)) == []


@pytest.mark.parametrize(("full", "expected"), [(30, 17), (3, 12), (0, 12)])
def test_the_most_complete_persons(full, expected):
    """30 fully labelled persons are enough; with 3 or none, those with 12 labelled come in."""
    keypoints = scattered(60)
    keypoints[full:, 12:] = 0
    keypoints[50:, 3:] = 0
    found = components.complete(persons(keypoints))
    assert (found.threshold, found.fully, found.all_full) == (expected, full, expected == 17)
    assert len(found.positions) == (30 if full == 30 else 50)


# Clusters


def clouds(sizes=(40, 25), d=30, apart=8.0, seed=0):
    rng = np.random.default_rng(seed)
    own = np.repeat(np.arange(len(sizes)), sizes)
    return (rng.normal(size=(len(own), d)) + apart * np.eye(d)[own]).astype(np.float32), own


def test_planted_clusters_come_back():
    points, own = clouds((30, 25, 20))
    sweep = clusters.sweep(points, (2, 3, 4), 4, seed=0)
    assert sweep.winner == 3 and sweep.silhouettes.shape == (3, 4)
    key = np.array([3.0, 9.0, 6.0])[own]
    group = clusters.clustering(points, sweep.of(3), key, np.arange(75))
    assert (group.labels == np.array([2, 0, 1])[own]).all()  # cluster 0 has the highest key
    assert group.sizes.tolist() == [25, 20, 30] and group.mean(key).tolist() == [9, 6, 3]
    for c, members in enumerate(group.nearest(5)):
        assert len(members) == 5 and (group.labels[members] == c).all()
    lowest = clusters.clustering(points, sweep.of(3), key, np.arange(75), sign=-1)
    assert lowest.mean(key).tolist() == [3, 6, 9]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_more_clusters_than_persons(n):
    points = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    sweep = clusters.sweep(points, (2, 3, 10), 2, seed=0)
    assert sweep.clusters == tuple(k for k in (2, 3) if k < n) and 10 in sweep.left_out
    group = clusters.clustering(points, sweep.of(2), np.zeros(n), np.arange(n))
    assert len(group.labels) == n and not group.misplaced.judged.any()


def test_equal_persons_form_no_clusters():
    sweep = clusters.sweep(np.ones((6, 4), np.float32), (2, 3), 2, seed=0)
    assert sweep.winner is None and (sweep.of(2) == 0).all()


def test_the_best_cut_by_hand():
    top = np.array([True, True, True, False, False])
    assert misplaced.best_cut(np.array([5.0, 6, 2, 1, 2]), top) in (3.5, 1.5)
    assert misplaced.best_cut(np.array([5.0, 6, 7, 1, 2]), top) == 3.5
    assert np.isnan(misplaced.best_cut(np.full(5, 3.0), top))
    assert np.isnan(misplaced.best_cut(np.arange(5.0), np.ones(5, bool)))


def test_misplaced_persons_are_counted():
    """200 persons, 17 labelled in cluster 0 and 3 in cluster 1, but for five exceptions each."""
    labels = np.repeat([0, 1], 100)
    key = np.where(labels == 0, 17.0, 3.0)
    key[:5], key[100:105] = 3, 17
    wrong = misplaced.misplaced(labels, key, np.arange(200))
    assert np.flatnonzero(wrong.flags).tolist() == [*range(5), *range(100, 105)]
    assert wrong.rate.value == 0.05 and wrong.cuts == (10, 10) and wrong.judged.all()
    same = misplaced.misplaced(labels, np.full(200, 17.0), np.arange(200))
    assert not same.judged.any() and np.isnan(same.rate.value)
    assert misplaced.rate_difference(wrong, wrong).value == 0


def test_a_pages_rate_is_the_ledgers():
    """Of one network: the same dealings, the same number; on noise half, since no cut judges who chose it."""
    rng = np.random.default_rng(0)
    labels, key, images = rng.integers(0, 2, 200), rng.random(200), np.arange(200) // 2
    page = misplaced.misplaced(labels, key, images).rate
    ledger = on_clusters.rate(key, labels[None].astype(float), images)
    assert (page.value, page.low) == pytest.approx((ledger.value, ledger.low)) and abs(page.value - 0.5) < 0.07


# Posture


def drawn(name, count, rng):
    """COCO keypoints of drawn people in a posture, turned at random, all joints labelled."""
    for _ in range(count):
        body = skeleton(draw_pose(name, rng), 1.7)
        yaw = rng.uniform(-180, 180)
        view = View(turn("x", 8) @ turn("y", yaw), 25.0, 32.0, 55.0, 200.0)
        yield np.column_stack([view.project(body.keypoints())[:, :2], np.full(17, 2.0)])


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    names = ("standing", "walking", "running", "sitting", "reaching", "jumping")
    return {name: np.stack(list(drawn(name, 60, rng))) for name in names}


def area(scores, positive, negative):
    """AUC of scores by posture name."""
    chosen = np.concatenate([scores[n] for n in (*positive, *negative)])
    classes = np.repeat([1, 0], [sum(len(scores[n]) for n in names) for names in (positive, negative)])
    return roc_auc_score(classes, chosen)


def test_sitting_is_told_from_standing(people):
    scores = {n: posture.sitting_score(k, COCO) for n, k in people.items()}
    assert area(scores, ["sitting"], ["standing", "walking", "reaching"]) > 0.97
    assert (scores["sitting"] > posture.SITTING_ABOVE).mean() > 0.95
    assert (scores["standing"] > posture.SITTING_ABOVE).mean() < 0.02


def test_moving_is_told_from_stationary(people):
    scores = {n: posture.motion_score(k, COCO) for n, k in people.items()}
    assert area(scores, ["walking", "running", "jumping"], ["standing", "sitting", "reaching"]) > 0.85
    assert (scores["running"] > posture.MOVING_ABOVE).mean() > 0.7
    assert (scores["standing"] > posture.MOVING_ABOVE).mean() < 0.1


def test_scores_on_fourteen_keypoints(people):
    """A schema in another order and without a face gives the same scores."""
    names = [f"{s}_{j}" for j in ("ankle", "knee", "hip", "wrist", "shoulder") for s in ("right", "left")]
    other = KeypointSchema((*names, "neck"))
    picked = people["sitting"][:, [*COCO.index(*names), 0]]
    for score in (posture.sitting_score, posture.motion_score):
        assert np.allclose(score(picked, other), score(people["sitting"], COCO), equal_nan=True)


def test_a_missing_joint_is_no_score(people):
    keypoints = people["standing"][:3].copy()
    keypoints[0, COCO.index("left_ankle", "right_ankle")] = 0
    keypoints[1, COCO.index("left_hip")] = 0
    assert np.isnan(posture.sitting_score(keypoints, COCO)).tolist() == [True, False, False]
    assert np.isnan(posture.motion_score(keypoints, COCO)).tolist() == [True, True, False]
    assert np.isnan(posture.sitting_score(keypoints, KeypointSchema(("nose",) * 17))).all()


def test_classes_are_the_datas_or_the_scores(people):
    keypoints = np.concatenate([people["sitting"], people["standing"]])
    own = posture.postures(persons(keypoints, posture="sitting", motion="stationary"), COCO)
    assert own.known and (own.sitting == 1).all() and (own.moving == 0).all()
    computed = posture.postures(persons(keypoints), COCO)
    assert not computed.known and np.nanmean(computed.sitting[60:]) < 0.1
    assert len(computed.of(np.arange(5)).sitting) == 5


def test_labels_by_eye_agree_as_their_page_says():
    """300 persons, seen twice; what the page says of the agreement is counted here."""
    with (ROOT / "data/labels/coco-val2017.csv").open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["person"] for row in rows}) == len(rows) == 300
    told = (ROOT / "data/README.md").read_text(encoding="utf8")
    for what in ("posture", "motion"):
        first, second = ([row[f"{what}_{look}"] for row in rows] for look in (1, 2))
        share, kappa = np.mean(np.equal(first, second)), cohen_kappa_score(first, second)
        assert re.search(rf"{what} of {100 * share:.1f} % \(.*?{kappa:.2f}\)", told)
    seen = posture.by_eye(ROOT / "data/labels")
    agreed = [row for row in rows if row["posture_1"] == row["posture_2"] != ""]
    assert sum(of != "" for of, _ in seen.values()) == len(agreed)
