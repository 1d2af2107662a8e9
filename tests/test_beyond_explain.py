"""Redundancy by channels, and misplaced persons moved: planted structure, plain loops."""

import numpy as np
import pytest
import torch
from test_explain import SIDE, persons, scattered
from test_interventions import PCK, Planted, world

from hgnb.analysis import components, interventions, truncation
from hgnb.analysis.clusters import clustering
from hgnb.analysis.misplaced import Misplaced
from hgnb.model.hourglass import HourglassConfig, StackedHourglass
from hgnb.training.passes import Reader


@pytest.fixture(scope="module")
def real():
    """A small hourglass as it is born, and twelve persons on noise."""
    torch.manual_seed(0)
    network = StackedHourglass(HourglassConfig(depth=2, channels=8, inner=4, stem=8))
    split = persons(scattered(12))
    split.crops[:] = np.random.default_rng(0).integers(0, 255, split.crops.shape)
    return Reader(network, np.zeros(3, np.float32), batch=5), split


def test_three_planted_channels_are_enough():
    rng = np.random.default_rng(0)
    maps = np.einsum("npk,kc->ncp", rng.normal(size=(20, 36, 3)), rng.normal(size=(3, 10))) + 5
    flat = maps.reshape(20, -1).astype(np.float32)
    parts = components.principal(truncation.points(flat, 10, seed=0))
    assert parts.needed(1 - 1e-6) == 3 and parts.latents.shape == (20 * 36, 10)
    x = torch.from_numpy(flat)
    assert torch.allclose(truncation.keep(parts, 3, x.device)(x), x, atol=1e-3)
    assert not torch.allclose(truncation.keep(parts, 2, x.device)(x), x, atol=1e-1)
    none = truncation.keep(parts, 0, x.device)(x).reshape(20, 10, 36)
    assert torch.allclose(none, torch.from_numpy(parts.mean).float()[:, None].expand_as(none))


def test_kept_components_by_a_plain_loop():
    rng = np.random.default_rng(1)
    flat = rng.normal(size=(4, 5 * 9)).astype(np.float32)
    parts = components.principal(rng.normal(size=(60, 5)))
    made = truncation.keep(parts, 2, torch.device("cpu"))(torch.from_numpy(flat)).numpy().reshape(4, 5, 9)
    for person in range(4):
        for pixel in range(9):
            x = flat.reshape(4, 5, 9)[person, :, pixel] - parts.mean
            want = parts.mean + sum((x @ w) * w for w in parts.axes[:2])
            assert made[person, :, pixel] == pytest.approx(want, abs=1e-5)


def test_sampled_points_are_pixels_of_their_person():
    flat = np.arange(3 * 2 * 100, dtype=np.float32).reshape(3, 200)
    found = truncation.points(flat, 2, seed=4, pixels=7).reshape(3, 7, 2)
    for person in range(3):
        assert (found[person, :, 1] - found[person, :, 0] == 100).all(), "both channels of one pixel"
        assert len(set(found[person, :, 0])) == 7 and (found[person, :, 0] // 200 == person).all()


def test_every_part_with_everything_kept_is_the_network(real):
    reader, split = real
    parts = list(truncation.study(reader, split, split, PCK))
    names = ["encoder.0", "bottleneck", "skips.0", "skips.1", "decoder.0"]
    assert [p.name for p in parts] == names
    assert [p.title for p in parts][:3] == ["encoder, level 1", "bottleneck", "skip, level 1"]
    for part in parts:
        assert part.kept.counts == [0, 1, 2, 4, 8]
        assert (part.kept.hits[8] == part.kept.whole).mean() > 0.98, "but for rounding, nothing is replaced"
        layer = interventions.layer_of(reader.network.hourglasses[0], part.name)
        assert not layer._forward_hooks, "the network is left as it was"
    assert truncation.numbers(64, 4) == [0, 1, 4, 16, 64] and truncation.numbers(5) == [0, 1, 2, 4, 5]


def wrong(flags, images=None):
    n = len(flags)
    images = np.arange(n) if images is None else images
    return Misplaced(np.asarray(flags), np.ones(n, bool), (0.0, 0.0), images)


def test_the_bound_is_that_of_a_plain_loop():
    rng = np.random.default_rng(2)
    labelled = rng.integers(0, 9, 300)
    found, flags = rng.integers(0, labelled + 1), rng.random(300) < 0.2
    won, persons_ = 0.0, 0
    for i in range(300):
        peers = [j for j in range(300) if labelled[j] == labelled[i] and not flags[j]]
        if flags[i] and labelled[i] and peers:
            won += np.mean([found[j] for j in peers]) - found[i]
            persons_ += 1
    made = interventions.bound(wrong(flags, np.arange(300) // 2), found, labelled)
    assert made.gain.value == pytest.approx(won / labelled.sum())
    assert (made.persons, made.judged) == (persons_, int((labelled > 0).sum()))
    assert made.gain.low < made.gain.value < made.gain.high


def test_nobody_misplaced_has_nothing_to_gain():
    made = interventions.bound(wrong(np.zeros(5, bool)), np.ones(5, int), np.ones(5, int) * 3)
    assert not np.isfinite(made.gain.value) and made.persons == 0


def test_a_move_to_the_other_centroid_finds_what_was_planted():
    """Latents at -4 or +4 put the first keypoint there; for the misplaced the truth is on the other side."""
    split, reader, _ = world((1.0,), n=80)
    hourglass: Planted = reader.network.hourglasses[0]
    rng = np.random.default_rng(3)
    right, misplaced = np.arange(80) % 2 == 0, np.arange(80) % 8 < 2
    side = np.where(right ^ misplaced, 4.0, -4.0)  # where the latents are; the truth is where `right` says
    latents = (side[:, None] * hourglass.axes.numpy() + 0.01 * rng.normal(size=(80, 40))).astype(np.float32)
    hourglass.latents = torch.from_numpy(latents)
    size = SIDE // 4
    split.keypoints[:, 0, 0] = (size // 2 + np.where(right, 4, -4) + 0.5) * 4
    group = clustering(latents, (side < 0).astype(int), right.astype(float), split.image_ids)
    assert (group.misplaced.flags == misplaced).all()
    made = {(m.who, m.where, m.step): m.gain.value for m in interventions.moves(reader, split, group, PCK)}
    assert made["misplaced", interventions.ACROSS, 1.0] == pytest.approx(1 / 17)
    assert made["well placed", interventions.ACROSS, 1.0] == pytest.approx(-1 / 17)
    assert abs(made["misplaced", interventions.ASTRAY, 1.0]) < 0.4 / 17
    assert len(made) == 8


def test_some_are_drawn_among_those_flagged():
    flags = np.array([True, False, True, True])
    assert interventions.some(flags, 9, 0).tolist() == [0, 2, 3]
    assert set(interventions.some(flags, 2, 0)) < {0, 2, 3}
