"""One estimator for networks of several seeds that are judged on the same photographs: shares, differences, ratios.

Seeds and photographs are crossed random factors (Owen, 2007; Cornfield & Tukey, 1956). With A, B and E the variances
of the mean that the spread of seeds, of photographs, and of what remains of both would give alone, the mean over
other seeds *and* other photographs has variance A + B - E: what remains is in A and in B, so it is taken off once.
A and B are jackknife variances (a seed, or a photograph with all its persons, left out), degrees of freedom are
Satterthwaite's (1946).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hgnb.stats.estimate import CROSSED, PHOTOGRAPHS, UNKNOWN, Estimate

Statistic = Callable[..., np.ndarray]  # of c sums, numbers or arrays of one shape, and smooth in them


@dataclass(frozen=True)
class Influence:
    """How much a number owes to each seed and each photograph."""

    value: float
    seeds: np.ndarray  # (S,) numbers whose mean is the value, nearly: one a seed
    cells: np.ndarray  # (S, n) what photograph i adds to seed s's number; sums to 0 over photographs, nearly
    photographs: np.ndarray  # (n,) the value less that without the photograph

    def estimate(self, dealt: float = 0.0) -> Estimate:
        """The number with its interval: over seeds and photographs, or over photographs alone if one seed is there."""
        s, n = self.cells.shape
        if n < 2:
            return Estimate.of(self.value, np.nan, 0, CROSSED if s > 1 else PHOTOGRAPHS, s, n, dealt)
        b = (n - 1) / n * np.sum((self.photographs - self.photographs.mean()) ** 2)
        if s == 1:
            return Estimate.of(self.value, b, n - 1, PHOTOGRAPHS, 1, n, dealt)
        a = self.seeds.var(ddof=1) / s
        rest = self.cells - self.cells.mean(0)
        e = n / (n - 1) * np.sum((rest - rest.mean(1, keepdims=True)) ** 2) / (s * (s - 1))
        variance, freedom = added(a, b, e, s, n)
        return Estimate.of(self.value, variance, freedom, CROSSED, s, n, dealt)


def added(a: float, b: float, e: float, seeds: int, photographs: int) -> tuple[float, float]:
    """Variance A + B - E with its degrees of freedom; no less than A or B alone, since chance can make E too large.

    So where neither seeds nor photographs differ the interval is too wide rather than too narrow.
    """
    variance = max(a, b, a + b - e)
    parts = a**2 / (seeds - 1) + b**2 / (photographs - 1) + e**2 / ((seeds - 1) * (photographs - 1))
    return variance, max(1.0, variance**2 / parts) if parts else 0.0


def crossed(columns: np.ndarray, images: np.ndarray, statistic: Statistic, *, each: bool = False) -> Estimate:
    """A smooth function of sums over persons, with an interval over seeds and photographs.

    columns: (S, N, c) numbers of each person in each seed, or (N, c) of one; what doesn't depend on the seed is
    repeated. images: (N,) the photograph that each person comes from. statistic: takes the c sums and returns one
    number, and arrays of sums likewise. The sums are those of all seeds together, so that a ratio is one of means;
    with `each` it is the mean of each seed's own number, for sums that mean something else in every seed.

    >>> columns, images = np.array([[1, 2], [2, 2], [0, 2], [1, 2]]), np.arange(4)  # found, of; four photographs
    >>> crossed(columns, images, lambda found, of: found / of).value
    0.5
    """
    columns = np.asarray(columns, dtype=float)
    if not len(images):
        return UNKNOWN
    sums = by_photograph(columns if columns.ndim == 3 else columns[None], images)
    sums = sums[:, sums.any((0, 2))]  # a photograph of whom nothing counts is none
    if not sums.shape[1]:
        return UNKNOWN
    with np.errstate(divide="ignore", invalid="ignore"):
        return (_each if each else _together)(sums, statistic).estimate()


def _together(sums: np.ndarray, statistic: Statistic) -> Influence:
    """Sums (S, n, c) of all seeds in one."""
    count, whole = len(sums), sums.sum((0, 1))

    def of(parts: np.ndarray) -> np.ndarray:
        return statistic(*np.moveaxis(parts, -1, 0))

    value = float(of(whole))
    cells = count * (value - of(whole - sums))
    if count == 1:
        return Influence(value, np.array([value]), cells, cells[0])
    seeds = count * value - (count - 1) * of(whole - sums.sum(1))
    return Influence(value, seeds, cells, value - of(whole - sums.sum(0)))


def _each(sums: np.ndarray, statistic: Statistic) -> Influence:
    """Sums (S, n, c) of each seed alone."""
    whole = sums.sum(1, keepdims=True)
    seeds = statistic(*np.moveaxis(whole[:, 0], -1, 0))
    cells = seeds[:, None] - statistic(*np.moveaxis(whole - sums, -1, 0))
    return Influence(float(seeds.mean()), seeds, cells, cells.mean(0))


def by_photograph(columns: np.ndarray, images: np.ndarray) -> np.ndarray:
    """(S, N, c) numbers of persons -> (S, n, c) sums over the persons of each photograph."""
    _, image = np.unique(images, return_inverse=True)
    order = np.argsort(image, kind="stable")
    starts = np.flatnonzero(np.diff(image[order], prepend=-1))
    return np.add.reduceat(columns[:, order], starts, axis=1)


def pck(hits: np.ndarray, counted: np.ndarray, images: np.ndarray) -> Estimate:
    """Share of the counted keypoints that are hits. hits: (S, N, K) bool of S seeds' networks, or (N, K) of one;
    counted: (N, K) bool; images: (N,)."""
    return crossed(_sums(counted, hits, counted), images, lambda found, of: found / of)


def pck_difference(first: np.ndarray, second: np.ndarray, counted: np.ndarray, images: np.ndarray) -> Estimate:
    """The same of the first hits less that of the second, (S, N, K) or (N, K) each: pairs share a seed and persons."""
    return crossed(_sums(counted, first, second, counted), images, lambda a, b, of: (a - b) / of)


def floored_ratio(
    first: np.ndarray, second: np.ndarray, floor: np.ndarray, counted: np.ndarray, images: np.ndarray
) -> Estimate:
    """Share of the first hits by that of the second, both above a floor: (first - floor) / (second - floor). floor:
    (N, K) hits of a guess that sees no photograph, as each joint's mean position, on the same persons."""
    return crossed(_sums(counted, first, second, floor), images, lambda a, b, low: (a - low) / (b - low))


def _sums(counted: np.ndarray, *hits: np.ndarray) -> np.ndarray:
    """(S, N, c) counted hits of each person; what is the same in every seed, (N, K), is repeated."""
    return np.stack(np.broadcast_arrays(*((h & counted).sum(-1, dtype=float) for h in hits)), axis=-1)


def correlation(scores: np.ndarray, values: np.ndarray, images: np.ndarray) -> Estimate:
    """Pearson's r of scores (S, N), or (N,), with values (N,): the mean over seeds. Persons whose value is NaN are
    left out; UNKNOWN where the values don't vary."""
    known = np.isfinite(values)
    if known.sum() < 3 or np.ptp(values[known]) == 0:
        return UNKNOWN
    return crossed(moments(scores[..., known], values[known]), images[known], pearson, each=True)


def moments(scores: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(S, N, 6) what `pearson` reads, of scores (S, N) or (N,) and values (N,), both centred: the sums below lose no
    digits then."""
    x, y = scores - scores.mean(-1, keepdims=True), values - values.mean()
    x, y = np.broadcast_arrays(np.atleast_2d(x), y)
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)


def pearson(n, x, y, xx, yy, xy):
    """Pearson's r from sums."""
    return (n * xy - x * y) / np.sqrt((n * xx - x**2) * (n * yy - y**2))


def resamples(rng: np.random.Generator, images: int, draws: int, block: int = 100) -> Iterator[np.ndarray]:
    """Blocks (block, images) that say how often each image was drawn: for what no function of sums tells, a median
    or which of several wins."""
    for start in range(0, draws, block):
        yield rng.multinomial(images, np.full(images, 1 / images), size=min(block, draws - start))
