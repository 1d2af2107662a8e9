"""Sub-pixel decoding: Gaussians whose centres are known, hand-made maps, borders."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hgnb.metrics import peaks
from hgnb.metrics.decoding import decoded, patches


def bump(x: float, y: float, sigma: float, size: int = 24) -> torch.Tensor:
    """(1, 1, size, size): a Gaussian's value at every pixel centre."""
    at = torch.arange(size, dtype=torch.float64)
    column, row = (torch.exp(-0.5 * ((at - c) / sigma) ** 2) for c in (x, y))
    return (row[:, None] * column).float()[None, None]


@given(st.floats(6, 17), st.floats(6, 17), st.floats(0.8, 2), st.floats(1e-3, 10))
def test_a_gaussians_centre_is_found_between_the_pixels(x, y, sigma, scale):
    found = {name: p[0, 0].double().numpy() for name, p in decoded(scale * bump(x, y, sigma)).items()}
    errors = {name: np.hypot(*(p - (x, y))) for name, p in found.items()}
    assert errors["argmax"] <= math.sqrt(0.5) + 1e-6
    assert errors["dark"] < 0.02, "a parabola's top is one step away"
    # a quarter at most remains of each half pixel, since the shift always has the right sign
    assert (np.abs(found["quarter"] - (x, y)) <= 0.25 + 1e-5).all()
    assert (np.abs(found["soft"] - (x, y)) <= np.abs(found["argmax"] - (x, y)) + 1e-6).all()


def test_a_quarter_by_hand():
    maps = torch.zeros(1, 2, 5, 5)
    maps[0, 0, 2, 1:4] = torch.tensor([0.2, 1.0, 0.5])  # higher on the right, equal above and below
    maps[0, 1, 0, 0] = 1.0
    maps[0, 1, 0, 1] = 0.5  # in the corner neither axis has two neighbours
    found = decoded(maps)
    assert found["argmax"].tolist() == [[[2.0, 2.0], [0.0, 0.0]]]
    assert found["quarter"].tolist() == [[[2.25, 2.0], [0.0, 0.0]]]
    assert found["soft"][0, 0].tolist() == pytest.approx([2 + 0.3 / 1.7, 2.0])
    assert found["soft"][0, 1].tolist() == pytest.approx([0.5 / 1.5, 0.0])
    assert found["dark"][0, 1].tolist() == [0.0, 0.0]


def test_the_smoothing_is_a_gaussian_filters():
    """Against scipy's filter and the same parabola by hand, at a peak near the border's mirror image."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(1)
    for x, y in ((5.3, 6.8), (1.2, 12.6), (14.4, 1.3)):
        maps = bump(x, y, 0.8, 16).double().numpy()[0, 0] + 0.02 * rng.random((16, 16))
        log = np.log(gaussian_filter(maps, 1.0, mode="reflect", truncate=3.0))
        row, column = np.unravel_index(maps.argmax(), maps.shape)
        g = [(log[row, column + 1] - log[row, column - 1]) / 2, (log[row + 1, column] - log[row - 1, column]) / 2]
        xx = log[row, column + 1] - 2 * log[row, column] + log[row, column - 1]
        yy = log[row + 1, column] - 2 * log[row, column] + log[row - 1, column]
        corners = [log[row + i, column + j] * i * j for i in (-1, 1) for j in (-1, 1)]
        step = -np.linalg.solve([[xx, sum(corners) / 4], [sum(corners) / 4, yy]], g)
        assert np.abs(step).max() <= 1
        found = decoded(torch.from_numpy(maps)[None, None].float())["dark"][0, 0].double().numpy()
        assert found == pytest.approx(np.array([column, row]) + step, abs=1e-4)


@pytest.mark.parametrize("maps", [torch.zeros(1, 1, 8, 8), -torch.ones(1, 1, 8, 8), torch.full((1, 1, 3, 3), 0.5)])
def test_a_flat_map_stays_where_its_argmax_is(maps):
    for name in ("argmax", "quarter", "dark"):
        assert decoded(maps)[name].tolist() == [[[0.0, 0.0]]]
    assert decoded(maps)["soft"].isfinite().all()


@given(st.integers(0, 2**31 - 1))
def test_mirrored_maps_give_mirrored_points(seed):
    maps = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(seed))
    found, seen = decoded(maps), decoded(maps.flip(-1))
    for name, points in found.items():
        assert points.shape == (2, 3, 2) and points.dtype == torch.float32
        assert torch.allclose(torch.stack([6 - seen[name][..., 0], seen[name][..., 1]], -1), points, atol=1e-3), name
        assert (points - peaks(maps)[0]).abs().max() <= 2


def test_patches_know_what_lies_outside():
    maps = torch.arange(16.0).reshape(1, 1, 4, 4)
    values, inside = patches(maps, torch.tensor([[[0, 3]]]), 1)
    assert values[0, 0].tolist() == [[8, 8, 9], [12, 12, 13], [12, 12, 13]]
    assert inside[0, 0].tolist() == [[False, True, True], [False, True, True], [False, False, False]]
