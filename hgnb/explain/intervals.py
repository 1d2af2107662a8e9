"""Separation measured with intervals from resampled images. Thesis 6 and 8; explained in 03_interpretation.

What is chosen on one half of the images is judged on the other.
"""

import numpy as np

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
