"""Misplaced persons: cuts that others chose, the misplaced against the well placed, and both moved; by plain loops."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_explain import SIDE
from test_interventions import PCK, Planted, world

from figures.clustering import misplaced_told
from hgnb.analysis import interventions, misplaced
from hgnb.analysis.clusters import clustering
from hgnb.analysis.misplaced import Misplaced, compared
from hgnb.claims import on_clusters


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


def test_a_pages_rate_is_the_ledgers():
    """Of one network: the same dealings, the same number; on noise half, since no cut judges who chose it."""
    rng = np.random.default_rng(0)
    labels, key, images = rng.integers(0, 2, 200), rng.random(200), np.arange(200) // 2
    page = misplaced.misplaced(labels, key, images).rate
    ledger = on_clusters.rate(key, labels[None].astype(float), images)
    assert (page.value, page.low) == pytest.approx((ledger.value, ledger.low)) and abs(page.value - 0.5) < 0.07


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


def test_what_would_be_won_is_that_of_a_plain_loop():
    rng = np.random.default_rng(2)
    labelled = rng.integers(0, 9, 300)
    found, flags = rng.integers(0, labelled + 1), rng.random(300) < 0.2
    won, persons_ = 0.0, 0
    for i in range(300):
        peers = [j for j in range(300) if labelled[j] == labelled[i] and not flags[j]]
        if flags[i] and labelled[i] and peers:
            won += np.mean([found[j] for j in peers]) - found[i]
            persons_ += 1
    made = interventions.raised(wrong(flags, images=np.arange(300) // 2), found, labelled)
    assert made.gain.value == pytest.approx(won / labelled.sum())
    assert (made.persons, made.judged) == (persons_, int((labelled > 0).sum()))
    assert made.gain.low < made.gain.value < made.gain.high


def test_nobody_misplaced_has_nothing_to_gain():
    made = interventions.raised(wrong(np.zeros(5, bool)), np.ones(5, int), np.ones(5, int) * 3)
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
