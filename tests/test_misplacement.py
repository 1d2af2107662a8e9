"""Misplaced persons against others at equal labelled count, on planted differences and against a plain loop."""

from types import SimpleNamespace

import numpy as np
import pytest

from figures.clustering import misplaced_told
from hgnb.analysis.misplaced import Misplaced, compared, rate_difference


def wrong(flags, judged=None, images=None):
    flags = np.asarray(flags, bool)
    judged = np.ones(len(flags), bool) if judged is None else np.asarray(judged, bool)
    return Misplaced(flags, judged, (0.0, 0.0), np.arange(len(flags)) if images is None else np.asarray(images))


def test_the_difference_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    labelled = rng.integers(0, 18, 200)
    found, flags, judged = rng.integers(0, labelled + 1), rng.random(200) < 0.3, rng.random(200) < 0.9
    flags &= judged
    gaps, weights = [], []
    for n in range(1, 18):
        here = [i for i in range(200) if labelled[i] == n and judged[i]]
        bad, good = ([found[i] / n for i in here if flags[i] == side] for side in (True, False))
        if bad and good:
            gaps.append(np.mean(bad) - np.mean(good))
            weights.append(len(bad))
    made = compared(wrong(flags, judged), found, labelled)
    assert made.difference.value == pytest.approx(np.average(gaps, weights=weights))
    assert made.misplaced == sum(weights) and made.difference.low < made.difference.value < made.difference.high
    assert made.misplaced + made.alone == (flags & (labelled > 0)).sum()


def test_a_planted_difference_comes_back():
    rng = np.random.default_rng(2)
    labelled, flags = rng.integers(5, 18, 2000), rng.random(2000) < 0.3
    found = rng.binomial(labelled, np.where(flags, 0.4, 0.6))
    made = compared(wrong(flags, images=np.arange(2000) // 2), found, labelled)
    assert made.difference.low < -0.2 < made.difference.high and made.difference.high < -0.15
    sample, full = (SimpleNamespace(misplaced=wrong(which)) for which in (flags, ~flags))
    words = " ".join(misplaced_told(group, found, labelled, "them") for group in (sample, full))
    assert "they are predicted worse" in words and "they are predicted better" in words
    assert "nan" not in words


@pytest.mark.parametrize("flags", [[], [True, True], [False, False], [True, False]])
def test_nobody_to_compare_with(flags):
    """None, misplaced ones only, none misplaced, and two with different counts."""
    n = len(flags)
    made = compared(wrong(flags), np.ones(n), np.arange(n) + 1)
    assert np.isnan(made.difference.value) and made.misplaced == 0 and made.alone == sum(flags)
    group = SimpleNamespace(misplaced=wrong(flags, judged=np.zeros(n)))
    words = misplaced_told(group, np.ones(n), np.arange(n) + 1, "them")
    assert "nan" not in words and "no misplaced person" in words


def test_rates_of_different_persons():
    few, many = wrong([True, False, False, False]), wrong([True, True, False], images=[7, 8, 9])
    made = rate_difference(few, many)
    assert made.value == pytest.approx(1 / 4 - 2 / 3) and made.low < made.value < made.high
    assert rate_difference(few, few).value == 0
