"""The rooms of `hgnb.analysis` on planted structure: what was put in must come out."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hgnb.analysis import clusters, components, skips
from hgnb.analysis.skips import read
from hgnb.data.drawn.annotate import COCO17
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig
from hgnb.model.hourglass import HourglassConfig, StackedHourglass
from hgnb.training.passes import Reader

COCO = KeypointSchema(COCO17.names, ((5, 6), (11, 12), (5, 11), (11, 13), (13, 15)))
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


def noisy(count=6, batch=64, **shape):
    """A reader of a small hourglass as it is born, and persons on noise."""
    torch.manual_seed(0)
    network = StackedHourglass(HourglassConfig(**{"depth": 2, "channels": 8, "inner": 4, "stem": 4} | shape))
    split = persons(scattered(count))
    split.crops[:] = np.random.default_rng(0).integers(0, 255, split.crops.shape)
    return Reader(network, np.zeros(3, np.float32), batch), split


# Skip-connections


def test_skips_that_carry_everything():
    split = persons(scattered())
    study = skips.study(reader(split, "skips"), split, COCO, PckConfig())
    on, off = study.pooled(study.on), study.pooled(study.off)
    assert on.value == 1 and off.value < 0.2  # an empty map's first pixel is a corner
    assert study.drop.value > 0.8 and not study.drop.bounded, "everybody loses all: no spread, no interval"
    assert study.survival(*skips.BIG).value < 0.2
    finest, coarse = study.levels
    assert finest.value == pytest.approx(study.drop.value) and coarse.value == 0


def test_skips_that_carry_nothing():
    split = persons(scattered())
    study = skips.study(reader(split, "latents"), split, COCO, PckConfig())
    assert study.drop.value == 0 and not study.drop.bounded
    assert study.survival(*skips.SMALL).value == 1
    assert study.compare(skips.SMALL, skips.BIG).value == 0


def test_one_pass_equals_the_reader():
    """`read` decodes once-encoded persons to the same hits and latents as the network run anew."""
    real, split = noisy()
    got = read(real, split, PckConfig(), (True, False, [False, True]), keep=range(6))
    for hits, switch in zip(got.hits, (True, False, [False, True]), strict=True):
        assert (hits == real.predict(split, skips=switch).hits(PckConfig()).numpy()).all()
    assert np.allclose(got.latents.values, real.latents(split).reshape(6, -1))


def test_survival_counts_only_what_was_found_with_skips():
    """Person 0 keeps one of its two shoulders, person 1 was never found, person 2 has too few labels."""
    visibility = np.full((3, 17), 2.0)
    visibility[2, 9:] = 0
    on, off = np.zeros((3, 17), bool), np.zeros((3, 17), bool)
    on[0, 5:7] = on[2, 5:7] = True
    off[0, 5] = off[1, 5] = off[2, 5:7] = True
    study = skips.SkipStudy(on, off, visibility, np.arange(3), COCO, (), np.arange(3))
    assert study.survival("left_shoulder", "right_shoulder").value == 0.5
    assert study.counted("left_shoulder", "right_shoulder") == 2
    assert np.isnan(study.survival("nose").value) and study.survival("nose").text() == "–"


def test_examples_prefer_the_perfect_then_the_best():
    visibility = np.full((4, 17), 2.0)
    on = np.zeros((4, 17), bool)
    on[1], on[3, :16], on[0, :2] = True, True, True
    study = skips.SkipStudy(on, on, visibility, np.arange(4), COCO, (), np.arange(4))
    shown = skips.examples(study, 3, seed=1)
    assert shown.positions.tolist() == [1, 3, 0] and (shown.perfect, shown.available) == (1, 1)


# Components


def planted(n=120, d=40, deviations=(5.0, 3.0, 1.5), noise=0.05, seed=0):
    """Latents from three known factors along known directions."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(d, d)))[0][: len(deviations)]
    factors = rng.normal(size=(n, len(deviations))) * deviations
    return (10 + factors @ axes + noise * rng.normal(size=(n, d))).astype(np.float32), factors, axes


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
