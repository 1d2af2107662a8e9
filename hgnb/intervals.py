"""Measured values with intervals from resampled images; used wherever a share or a difference is reported.

Images are resampled and not persons, since the persons of a photograph are not independent.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import t


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


def pooled_pck(hits: np.ndarray, counted: np.ndarray, images: np.ndarray) -> Interval:
    """Share of the counted keypoints that are hits; hits and counted (N, K) bool, images (N,)."""
    columns = np.column_stack([(hits & counted).sum(1), counted.sum(1)])
    return bootstrap(columns, images, lambda found, of: found / of)


def pck_difference(first: np.ndarray, second: np.ndarray, counted: np.ndarray, images: np.ndarray) -> Interval:
    """The same of the first hits less that of the second, both (N, K) of the same persons: paired by image."""
    columns = np.column_stack([(first & counted).sum(1), (second & counted).sum(1), counted.sum(1)])
    return bootstrap(columns, images, lambda a, b, of: (a - b) / of)


def resamples(rng: np.random.Generator, images: int, draws: int, block: int = 100):
    """Blocks (block, images) that say how often each image was drawn."""
    for start in range(0, draws, block):
        yield rng.multinomial(images, np.full(images, 1 / images), size=min(block, draws - start))


def holm(p: np.ndarray) -> np.ndarray:
    """p-values of any shape, corrected for their number by Holm's step-down rule (1979).

    The chance that any true null hypothesis among them falls below 0.05 is at most 0.05, whatever ties the tests
    together. A test that couldn't be made is NaN, stays NaN and doesn't count.
    """
    p = np.asarray(p, dtype=float)
    flat = p.ravel()
    made = np.flatnonzero(np.isfinite(flat))
    order = made[np.argsort(flat[made], kind="stable")]
    corrected = np.full(flat.shape, np.nan)
    # the smallest times their number, the next times one less, …; none below its predecessor
    corrected[order] = np.minimum(np.maximum.accumulate(flat[order] * np.arange(len(order), 0, -1)), 1)
    return corrected.reshape(p.shape)


def over_seeds(values: np.ndarray) -> Interval:
    """Mean of (S,) numbers with Student's 95 % interval; without bounds for a single one, which tells no spread."""
    n = len(values)
    if not n or not np.isfinite(values).all():
        return Interval(np.nan, np.nan, np.nan)
    mean = float(values.mean())
    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / math.sqrt(n)) if n > 1 else math.inf
    return Interval(mean, mean - half, mean + half)
