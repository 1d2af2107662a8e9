"""Separation measured with intervals from resampled images. Thesis 6 and 8; explained in 03_interpretation.

What is chosen on one half of the images is judged on the other.
"""

import numpy as np
from scipy.stats import t as student

from hgnb.intervals import Interval, resamples


def auc(scores: np.ndarray, positive: np.ndarray, images: np.ndarray, *, draws: int = 400, seed: int = 0) -> Interval:
    """Chance that a positive's score exceeds a negative's, ties counting half; interval by image.

    scores and positive (N,), persons where either is NaN left out; all NaN unless both classes are there.
    """
    known = np.isfinite(scores) & np.isfinite(positive)
    yes = positive[known] > 0
    if not yes.any() or yes.all():
        return Interval(np.nan, np.nan, np.nan)
    names, image = np.unique(images[known], return_inverse=True)
    levels, level = np.unique(scores[known], return_inverse=True)

    def ranked(weights: np.ndarray) -> float:
        won, lost = (np.bincount(level, weights * w, len(levels)) for w in (yes, ~yes))
        below = np.cumsum(lost) - lost / 2
        pairs = won.sum() * lost.sum()
        return float((won * below).sum() / pairs) if pairs else np.nan

    rng = np.random.default_rng(seed)
    drawn = [ranked(c[image]) for block in resamples(rng, len(names), draws) for c in block]
    return Interval(ranked(np.ones(len(yes))), *np.nanpercentile(drawn, (2.5, 97.5)))


def correlations(
    scores: np.ndarray, values: np.ndarray, images: np.ndarray, *, draws: int = 1000, seed: int = 0
) -> list[Interval]:
    """Pearson's r of each column of scores (N, n) with values (N,), with intervals by image.

    Persons whose value is NaN are left out; all NaN where the values don't vary.
    """
    known = np.isfinite(values)
    x, y = scores[known] - scores[known].mean(0) if known.any() else scores[known], values[known]
    if len(y) < 3 or np.ptp(y) == 0:
        return [Interval(np.nan, np.nan, np.nan)] * scores.shape[1]
    y = y - y.mean()  # centred once, so that the sums below lose no digits
    names, image = np.unique(images[known], return_inverse=True)
    sums = np.zeros((len(names), 3, x.shape[1] + 1))  # x, x², x y of each image; in the last column 1, y, y²
    np.add.at(sums[..., :-1], image, np.stack([x, x**2, x * y[:, None]], axis=1))
    np.add.at(sums[..., -1], image, np.stack([np.ones(len(y)), y, y**2], axis=1))

    def r(drawn: np.ndarray) -> np.ndarray:
        """(b, 3, n + 1) sums -> (b, n)."""
        (x, xx, xy), (n, y, yy) = drawn[..., :-1].swapaxes(0, 1), drawn[..., -1:].swapaxes(0, 1)
        return (n * xy - x * y) / np.sqrt((n * xx - x**2) * (n * yy - y**2))

    flat, rng = sums.reshape(len(names), -1), np.random.default_rng(seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = r(sums.sum(0)[None])[0]
        drawn = [r((c @ flat).reshape(-1, *sums.shape[1:])) for c in resamples(rng, len(names), draws)]
    low, high = np.nanpercentile(np.concatenate(drawn), (2.5, 97.5), axis=0)
    return [Interval(float(v), float(a), float(b)) for v, a, b in zip(value, low, high, strict=True)]


def together(scores: np.ndarray, values: np.ndarray, images: np.ndarray) -> np.ndarray:
    """(n,) two-sided p-values of 'no column of scores (N, n) goes with values (N,)'; NaN where they don't vary.

    With s the sum over an image's persons of the product of both, centred, sum(s) / sqrt(sum(s²)) is nearly Student's
    t with one degree of freedom less than images: persons of one photograph may resemble each other, and neither their
    spread nor that of the photographs needs be equal (White, 1980). Of ranks and a class it tests an AUC against 0.5.
    """
    known = np.isfinite(values)
    y = values[known] - values[known].mean() if known.any() else values[known]
    names, image = np.unique(images[known], return_inverse=True)
    if len(names) < 3 or not y.any():
        return np.full(scores.shape[1], np.nan)
    s = np.zeros((len(names), scores.shape[1]))
    np.add.at(s, image, (scores[known] - scores[known].mean(0)) * y[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2 * student.sf(np.abs(s.sum(0)) / np.sqrt((s**2).sum(0)), len(names) - 1)


def halves(images: np.ndarray, seed: int) -> np.ndarray:
    """(N,) bool: a random half of the images' persons; what is chosen on one half is judged on the other."""
    names, image = np.unique(images, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    return order[image] < len(names) / 2


def judged_auc(score: np.ndarray, classes: np.ndarray, images: np.ndarray, seed: int) -> Interval:
    """AUC of a score whose sign is chosen on one half of the images and judged on the other."""
    first = halves(images, seed)
    chosen = auc(score[first], classes[first], images[first]).value
    sign = -1 if chosen < 0.5 else 1  # NaN keeps the sign; the judgement is then NaN or says so itself
    if not np.isfinite(chosen):
        return Interval(np.nan, np.nan, np.nan)
    return auc(sign * score[~first], classes[~first], images[~first], seed=seed)
