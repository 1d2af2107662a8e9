"""Redundancy by channels, and misplaced persons moved: planted structure, plain loops."""

import numpy as np
import pytest
import torch
from test_explain import persons, scattered
from test_interventions import PCK

from hgnb.analysis import components, interventions, truncation
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
