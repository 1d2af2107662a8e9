"""Measured values with intervals from resampled images. Thesis 6 and 8; explained in 03_interpretation.

Images are resampled and not persons, since the persons of a photograph are not independent. What is chosen on
one half of the images is judged on the other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A measured value and the bounds of its 95 % bootstrap interval; all NaN where nothing can be measured."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return self.text()

    def text(self, digits: int = 2, scale: float = 1) -> str:
        """'0.43 (0.40 to 0.46)', or a dash."""
        if not np.isfinite(self.value):
            return "–"
        value, low, high = (f"{scale * v:.{digits}f}".replace("-", "−") for v in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


def bootstrap(
    columns: np.ndarray, images: np.ndarray, statistic: Callable, *, draws: int = 1000, seed: int = 0
) -> Interval:
    """A statistic of sums over persons, with an interval from resampled images.

    columns: (N, c) numbers of each person; images: (N,) the photograph each comes from; statistic: takes the
    c sums, scalars or arrays, and returns one.
    """
    names, image = np.unique(images, return_inverse=True)
    sums = np.zeros((len(names), columns.shape[1]))
    np.add.at(sums, image, columns)
    rng, drawn = np.random.default_rng(seed), []
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(*sums.sum(0)))
        if not np.isfinite(value):
            return Interval(np.nan, np.nan, np.nan)
        for counts in resamples(rng, len(names), draws):
            drawn.append(statistic(*(counts @ sums).T))
    return Interval(value, *np.nanpercentile(np.concatenate(drawn), (2.5, 97.5)))


def resamples(rng: np.random.Generator, images: int, draws: int, block: int = 100):
    """Blocks (block, images) that say how often each image was drawn."""
    for start in range(0, draws, block):
        yield rng.multinomial(images, np.full(images, 1 / images), size=min(block, draws - start))


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
