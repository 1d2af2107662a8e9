"""PCK by hand and against a plain loop."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hgnb.metrics import PckConfig, found, pck, pck_by_keypoint, pck_by_person, peaks

THESIS = PckConfig()


def test_peaks_of_a_five_by_five_map():
    maps = torch.zeros(1, 2, 5, 5)
    maps[0, 0, 1, 3] = 2.0  # row 1, column 3
    maps[0, 1, [0, 4], [4, 0]] = 1.0  # a tie: the first index wins
    points, values = peaks(maps)
    assert points.tolist() == [[[3, 1], [4, 0]]] and values.tolist() == [[2.0, 1.0]]


def test_the_radius_is_strict():
    # 64 pixels: c = 6.4, r = 0.5, so within 3.2 pixels; 40 pixels: within 2, and exactly 2 is out.
    true = torch.zeros(3, 2)
    predicted = torch.tensor([[3, 1], [2, 2], [3, 2]])
    assert found(predicted, true, size=64, config=THESIS).tolist() == [True, True, False]
    assert found(torch.tensor([[2, 0], [1, 1]]), true[:2], size=40, config=THESIS).tolist() == [False, True]


def test_only_annotated_keypoints_count():
    hits = torch.tensor([[True, False, True], [True, True, True]])
    visibility = torch.tensor([[2, 1, 0], [0, 2, 0]])
    assert pck(hits, visibility) == pytest.approx(2 / 3)
    assert pck_by_person(hits, visibility).tolist() == [0.5, 1.0]
    by_keypoint = pck_by_keypoint(hits, visibility)
    assert by_keypoint[:2].tolist() == [1.0, 0.5] and by_keypoint[2].isnan()


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 8), st.sampled_from([5, 16, 32, 64]))
def test_equals_a_plain_loop(seed, persons, joints, size):
    rng = np.random.default_rng(seed)
    truth, guess = rng.random((2, persons, joints, size, size)).astype(np.float32)
    visibility = rng.integers(0, 3, (persons, joints))
    visibility[0, 0] = 2
    right = counted = 0
    for b, k in np.ndindex(persons, joints):
        if visibility[b, k]:
            (ty, tx), (gy, gx) = (np.unravel_index(m[b, k].argmax(), (size, size)) for m in (truth, guess))
            counted += 1
            right += np.hypot(tx - gx, ty - gy) / (size / 10) < 0.5
    true, predicted = (peaks(torch.from_numpy(m))[0] for m in (truth, guess))
    hits = found(predicted, true, size=size, config=THESIS)
    assert float(pck(hits, torch.from_numpy(visibility))) == pytest.approx(right / counted)
