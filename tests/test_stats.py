"""Estimates over seeds and photographs, against plain loops, scipy and statsmodels; what they decide."""

import time

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from hgnb import stats
from hgnb.stats.estimate import CROSSED, PHOTOGRAPHS, SEEDS, TURNS

RNG = np.random.default_rng(0)


def share(found, of):
    return found / of


def persons(seeds=5, photographs=40, keypoints=6, rng=RNG):
    """Hits (S, N, K), counted (N, K) and photographs (N,) of one to three persons each."""
    images = np.repeat(np.arange(photographs) + 100, rng.integers(1, 4, photographs))
    hard = rng.normal(size=photographs)[images - 100]
    hits = rng.random((seeds, len(images), keypoints)) < 1 / (1 + np.exp(hard + rng.normal(size=(seeds, 1))))[..., None]
    return hits, rng.random((len(images), keypoints)) < 0.8, images


# One seed


def test_one_network_is_a_jackknife_over_photographs():
    (hits, *_), counted, images = persons(1)
    got, left_out = stats.pck(hits, counted, images), []
    for photograph in np.unique(images):
        rest = images != photograph
        left_out.append((hits & counted)[rest].sum() / counted[rest].sum())
    n = len(left_out)
    error = np.sqrt((n - 1) / n * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    half = scipy_stats.t.ppf(0.975, n - 1) * error
    assert got.value == (hits & counted).sum() / counted.sum()
    assert (got.low, got.high) == pytest.approx((got.value - half, got.value + half))
    assert got.error == pytest.approx(error)
    assert (got.over, got.seeds, got.photographs, got.freedom) == (PHOTOGRAPHS, 1, n, n - 1)


# Seeds and photographs


def squares(table):
    """Mean squares of seeds, photographs and the rest, of (S, n) numbers, in plain loops."""
    s, n = table.shape
    a = n * sum((row.mean() - table.mean()) ** 2 for row in table) / (s - 1)
    b = s * sum((table[:, i].mean() - table.mean()) ** 2 for i in range(n)) / (n - 1)
    rest = sum(
        (table[j, i] - table[j].mean() - table[:, i].mean() + table.mean()) ** 2 for j in range(s) for i in range(n)
    )
    return a, b, rest / ((s - 1) * (n - 1))


@pytest.mark.parametrize(("by_seed", "by_photograph"), [(0.3, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_variance_and_freedom_are_those_of_crossed_factors(by_seed, by_photograph):
    rng = np.random.default_rng(3)
    table = by_seed * rng.normal(size=(6, 1)) + by_photograph * rng.normal(size=30) + rng.normal(size=(6, 30))
    got = stats.crossed(np.stack([table, np.ones_like(table)], -1), np.arange(30), share)
    a, b, e = (part / 180 for part in squares(table))
    variance = max(a, b, a + b - e)
    freedom = variance**2 / (a**2 / 5 + b**2 / 29 + e**2 / (5 * 29))
    assert got.value == pytest.approx(table.mean())
    assert (got.error**2, got.freedom) == pytest.approx(
        (variance, freedom), rel=0.01
    )  # a cell left out weighs 1 in 180
    assert (got.over, got.seeds, got.photographs) == (CROSSED, 6, 30)


def test_seeds_that_agree_leave_the_photographs_error_once():
    """Not five times smaller, and not added to itself."""
    hits, counted, images = persons(1)
    one, five = stats.pck(hits[0], counted, images), stats.pck(np.repeat(hits, 5, 0), counted, images)
    assert five.error == pytest.approx(one.error) and five.value == one.value


def test_what_all_seeds_share_is_repeated():
    hits, counted, images = persons()
    floor = hits[0]
    got = stats.floored_ratio(hits[1:3], hits[3:], floor, counted, images)
    a, b, low = (
        np.mean([(h & counted).sum() / counted.sum() for h in part]) for part in (hits[1:3], hits[3:], [floor])
    )
    assert got.value == pytest.approx((a - low) / (b - low)) and got.seeds == 2
    assert stats.floored_ratio(
        hits[1:3], hits[3:], np.zeros(counted.shape, bool), counted, images
    ).value == pytest.approx(a / b)
    assert stats.pck_difference(hits[1:3], hits[3:], counted, images).value == pytest.approx(a - b)


def test_a_ratio_is_left_out_photograph_by_photograph():
    hits, counted, images = persons(4, 25)
    off = hits & (np.random.default_rng(1).random(hits.shape) < 0.4)
    got = stats.floored_ratio(off, hits, np.zeros(counted.shape, bool), counted, images)

    def ratio(seeds, rows):
        return (off & counted)[seeds][:, rows].sum() / (hits & counted)[seeds][:, rows].sum()

    all_seeds, names = list(range(4)), np.unique(images)
    everybody = np.ones(len(images), bool)
    whole = ratio(all_seeds, everybody)
    a = np.array([4 * whole - 3 * ratio([s for s in all_seeds if s != out], everybody) for out in all_seeds])
    b = np.array([ratio(all_seeds, images != name) for name in names])
    expected = max(a.var(ddof=1) / 4, 24 / 25 * np.sum((b - b.mean()) ** 2))
    both = a.var(ddof=1) / 4 + 24 / 25 * np.sum((b - b.mean()) ** 2)
    assert got.value == pytest.approx(whole)
    assert expected <= got.error**2 <= both


@pytest.mark.parametrize("shape", ["normal", "skewed", "heavy-tailed"])
def test_intervals_hold_the_truth(shape):
    """A small part of benchmarks/coverage.py."""
    rng, held, n = np.random.default_rng(1), 0, 60
    for _ in range(400):
        photo = {
            "normal": lambda: rng.normal(size=n), "skewed": lambda: rng.exponential(size=n) - 1,
            "heavy-tailed": lambda: rng.standard_t(3, n),
        }[shape]()  # fmt: skip
        table = 0.2 * rng.normal(size=(5, 1)) + photo + rng.normal(size=(5, n))
        got = stats.crossed(np.stack([table, np.ones_like(table)], -1), np.arange(n), share)
        held += got.low <= 0 <= got.high
    assert 0.92 <= held / 400 <= 0.98


def test_many_persons_take_little_time():
    hits, counted, images = persons(8, 2500, 17)
    assert stats.pck(hits, counted, images).bounded
    began = time.process_time()
    stats.pck_difference(hits, hits[::-1], counted, images)
    assert time.process_time() - began < 1


# No certainty from a point


def test_a_point_decides_nothing():
    everybody = np.ones((20, 3), bool)
    got = stats.pck(everybody, everybody, np.arange(20))
    assert (got.value, got.low, got.high) == (1, -np.inf, np.inf) and not got.bounded
    assert got.tail(0.5) == got.head(0.5) == 1 and got.decidable(0.05) == np.inf
    assert stats.verdicts([stats.above(got, 0.5)]) == ["undecided"] and got.text(2) == "1.00"
    lone = stats.pck(everybody[:1], everybody[:1], np.arange(1))
    assert not lone.bounded and lone.value == 1
    drawn_alike = stats.Estimate(0.5, 0.5, 0.5)
    assert not drawn_alike.bounded and drawn_alike.tail(0) == 1


def test_a_count_is_certain():
    count = stats.Estimate.exact(7017)
    assert count.tail(7000) == 0 and count.tail(7017) == 1 and count.head(7018) == 0


def test_nothing_gives_nothing():
    nobody = stats.pck(np.zeros((0, 3), bool), np.zeros((0, 3), bool), np.zeros(0))
    uncounted = stats.pck(np.ones((5, 3), bool), np.zeros((5, 3), bool), np.arange(5))
    for estimate in (nobody, uncounted, stats.UNKNOWN, stats.student([]), stats.student([0.1, np.nan])):
        assert not estimate.known and not estimate.bounded and str(estimate) == "–" and estimate.tail(0) == 1


def test_too_few_of_a_class_decide_nothing():
    score, image = np.arange(100.0), np.arange(100)
    assert stats.auc(score, image >= 70, image).value == 1
    few = stats.auc(score + 40 * RNG.normal(size=100), image >= 71, image)
    assert few.known and not few.bounded
    enough = stats.auc(score + 40 * RNG.normal(size=100), image >= 70, image)
    assert enough.bounded


# Student and Welch


def test_seeds_speak_together_as_students_interval():
    values = np.array([0.03, 0.05, 0.02, 0.06, 0.04])
    got, theirs = stats.student(values), scipy_stats.ttest_1samp(values, 0)
    assert (got.low, got.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert 2 * got.tail(0) == pytest.approx(theirs.pvalue) and (got.over, got.seeds) == (SEEDS, 5)
    assert stats.student(values[:1]).low == -np.inf and not stats.student(values[:1]).bounded


def test_unpaired_turns_are_welchs():
    a, b = RNG.normal(size=7), RNG.normal(0.5, 2, size=5)
    got, theirs = stats.welch(a, b), scipy_stats.ttest_ind(a, b, equal_var=False)
    assert (got.low, got.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert got.freedom == pytest.approx(theirs.df) and got.over == TURNS
    assert not stats.welch(a[:1], b).bounded and not stats.welch(np.ones(3), np.ones(3)).bounded


# Separation


def test_auc_counts_pairs():
    rng = np.random.default_rng(2)
    scores, yes = rng.integers(0, 9, (3, 80)).astype(float), rng.random(80) < 0.5
    pairs = [np.mean([(x > y) + (x == y) / 2 for x in row[yes] for y in row[~yes]]) for row in scores]
    assert stats.auc(scores, yes, np.arange(80)).value == pytest.approx(np.mean(pairs))
    row = scores[0]
    mannwhitney = scipy_stats.mannwhitneyu(row[yes], row[~yes]).statistic / (yes.sum() * (~yes).sum())
    assert stats.auc(row, np.where(yes, 1.0, 0.0), np.arange(80)).value == pytest.approx(mannwhitney)


def test_the_error_of_an_auc_is_delongs():
    rng = np.random.default_rng(3)
    yes, scores = rng.random(400) < 0.4, rng.normal(size=400)
    scores[yes] += 1
    below = np.array([np.mean(scores[~yes] < x) for x in scores[yes]])
    above = np.array([np.mean(scores[yes] > x) for x in scores[~yes]])
    delong = below.var(ddof=1) / yes.sum() + above.var(ddof=1) / (~yes).sum()
    assert stats.auc(scores, yes, np.arange(400)).error == pytest.approx(np.sqrt(delong), rel=0.01)


def test_twins_tell_no_more_than_one():
    """Each person twice in the photograph: as sure as of one, not as of two."""
    rng = np.random.default_rng(4)
    yes, scores = rng.random(300) < 0.4, rng.normal(size=300)
    one = stats.auc(scores, yes, np.arange(300))
    two = stats.auc(np.tile(scores, 2), np.tile(yes, 2), np.tile(np.arange(300), 2))
    assert two.value == pytest.approx(one.value) and two.error == pytest.approx(one.error, rel=0.01)


def test_unknown_persons_are_left_out():
    scores, classes = np.arange(100.0), np.array([1.0, 0.0, np.nan, 1.0, 0.0] * 20)
    known = np.isfinite(classes)
    got = stats.auc(scores, classes, np.arange(100))
    assert got == stats.auc(scores[known], classes[known], np.arange(100)[known])
    assert not stats.auc(scores, np.ones(100), np.arange(100)).known


def test_correlation_is_pearsons_mean_over_seeds():
    rng = np.random.default_rng(5)
    values, images = rng.normal(size=90), np.arange(90) // 2
    scores = values + 100 * rng.normal(size=(4, 1)) + rng.normal(size=(4, 90)) * rng.uniform(0.5, 2, (4, 1))
    got = stats.correlation(scores, values, images)
    assert got.value == pytest.approx(np.mean([scipy_stats.pearsonr(row, values).statistic for row in scores]))
    one = stats.correlation(scores[0], values, images)
    left = [scipy_stats.pearsonr(scores[0][images != i], values[images != i]).statistic for i in range(45)]
    assert one.error == pytest.approx(np.sqrt(44 / 45 * np.sum((left - np.mean(left)) ** 2)))
    assert not stats.correlation(scores, np.ones(90), images).known


def test_folds_keep_a_photographs_persons_together():
    images = np.repeat(np.arange(52), 3)
    dealt = list(stats.folds(images, seed=1, dealings=3))
    assert len(dealt) == 3 and (dealt[0] != dealt[1]).any()
    for fold in dealt:
        of = fold.reshape(52, 3)
        assert (of == of[:, :1]).all() and set(np.bincount(of[:, 0])) == {10, 11}
    assert (next(stats.folds(images, seed=1)) == dealt[0]).all(), "the same seed deals the same"


def test_signs_are_chosen_on_other_photographs():
    rng = np.random.default_rng(6)
    yes, images = rng.random(400) < 0.5, np.arange(400)
    scores = yes + rng.normal(size=(5, 400))
    plain = stats.auc(scores, yes, images)
    turned = stats.cross_fitted_auc(scores * np.array([[1], [-1], [1], [-1], [-1]]), yes, images)
    assert turned.value == pytest.approx(plain.value, abs=0.01) and turned.error == pytest.approx(plain.error, rel=0.15)
    assert turned.dealt < 0.002 and turned.seeds == 5
    number = yes + 0.5 * rng.normal(size=400)
    r = stats.cross_fitted_correlation(-scores, number, images)
    assert r.value == pytest.approx(stats.correlation(scores, number, images).value, abs=0.01)


def test_a_blind_score_gains_nothing_from_its_sign():
    """Choosing the sign on the persons it judges would show 0.5 and more, every time."""
    rng = np.random.default_rng(7)
    yes, images = np.arange(80) % 2 > 0, np.arange(80)
    blind = rng.normal(size=(60, 80))
    each = [stats.cross_fitted_auc(score, yes, images, dealings=4) for score in blind]
    naive = [abs(stats.auc(score, yes, images).value - 0.5) for score in blind]
    assert np.mean(naive) > 0.04 and abs(np.mean([e.value for e in each]) - 0.5) < 0.02
    assert np.mean([e.dealt for e in each]) > 0.005, "here the value depends on the dealing, and says so"


def test_what_hangs_on_the_dealing_is_not_decided():
    steady = stats.Estimate.of(0.8, 0.03**2, 50, CROSSED, 5, 51)
    shaky = stats.Estimate.of(0.8, 0.03**2, 50, CROSSED, 5, 51, dealt=0.03)
    assert stats.verdicts([stats.above(steady, 0.7)]) == ["holds"]
    assert stats.verdicts([stats.above(shaky, 0.7)]) == ["undecided"]


# Decisions


def test_p_agrees_with_the_interval():
    """0.025 on one side exactly where the bound of the interval is the limit, for either distribution."""
    for freedom in (np.inf, 4.0):
        estimate = stats.Estimate(0.5, 0.4, 0.7, freedom=freedom)
        assert estimate.tail(0.4) == pytest.approx(0.025) and estimate.head(0.7) == pytest.approx(0.025)
        assert estimate.tail(0.5) == pytest.approx(0.5) and estimate.tail(0.9) > 0.99


def test_holm_against_statsmodels():
    rng = np.random.default_rng(8)
    for _ in range(50):
        p = rng.uniform(0, 0.1, rng.integers(1, 9))
        assert stats.holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_a_family_keeps_its_size():
    """Tests that couldn't be made count as tests that found nothing."""
    p = np.array([0.004, 0.02, np.nan, 0.03])
    assert stats.holm(p, 9)[[0, 1, 3]] == pytest.approx(multipletests([*p[[0, 1, 3]], *[1] * 6], method="holm")[1][:3])
    assert np.isnan(stats.holm(p, 9)[2])
    clear = stats.above(stats.Estimate(0.1, 0.02, 0.18))
    assert stats.verdicts([clear], 2) == ["holds"] and stats.verdicts([clear], 6) == ["undecided"]


def test_equivalence_against_statsmodels():
    a, b = RNG.normal(0.45, 0.02, 8), RNG.normal(0.45, 0.02, 8)
    ours = stats.within(stats.student(a - b), 0.02)
    assert ours.holds == pytest.approx(ttost_paired(a, b, -0.02, 0.02)[0])
    sure, wide = stats.Estimate(0.0, -0.01, 0.01), stats.Estimate(0.0, -0.03, 0.03)
    assert stats.verdicts([stats.within(sure, 0.02), stats.within(wide, 0.02)]) == ["holds", "undecided"]
    assert stats.verdicts([stats.within(stats.Estimate(0.05, 0.04, 0.06), 0.02)]) == ["fails"]


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 6])
def test_the_smallest_decidable_effect_against_statsmodels(alpha):
    values = RNG.normal(0.1, 1, 9)
    effect = TTestPower().solve_power(nobs=9, alpha=alpha, power=0.8, alternative="two-sided")
    unbiased = values.std(ddof=1) / 0.96931  # c4 of nine values
    assert stats.student(values).decidable(alpha) == pytest.approx(effect * unbiased, rel=1e-3)


def test_a_claim_of_parts():
    clear, open_, against = (stats.Estimate(v, v - 0.1, v + 0.1) for v in (0.5, 0.05, -0.5))
    assert stats.verdicts([stats.every(stats.above(clear), stats.above(clear))]) == ["holds"]
    mixed = stats.every(stats.above(clear), stats.above(open_))
    assert stats.verdicts([mixed]) == ["undecided"]
    assert mixed.decidable(0.05) == open_.decidable(0.05), "what stands in the way is told"
    assert stats.verdicts([stats.every(stats.above(clear), stats.below(clear))]) == ["fails"]
    assert stats.verdicts([stats.every(stats.above(against), stats.above(clear))]) == ["fails"]


def test_text_of_numbers():
    assert stats.Estimate(0.4331, 0.42, 0.446).text() == "0.433 (0.420 to 0.446)"
    assert str(stats.Estimate(-0.05, -0.1, 0.0).negated()) == "0.05 (0.00 to 0.10)".replace("0.00", "−0.00")
    assert stats.Estimate(0.7, 0.6, 0.8).less(0.5).text(1) == "0.2 (0.1 to 0.3)"
    few = stats.Estimate(0.4, 0.3, 0.5, seeds=2)
    assert stats.among(few, 8) == "0.400 (0.300 to 0.500) in 2 of 8 seeds" and stats.among(few, 2) == few.text()
    assert stats.among(stats.UNKNOWN, 8) == "–"


def test_a_class_on_one_photograph_of_a_fold_says_nothing_there():
    """Two clusters of which one is a handful of persons: no value without numbers, and no warning."""
    rng = np.random.default_rng(0)
    images = np.arange(200)
    few = np.where(images < 7, 1.0, 0.0)
    found = stats.cross_fitted_auc(rng.standard_normal((2, 200)), few, images)
    assert not found.known or np.isfinite(found.value)
