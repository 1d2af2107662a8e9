"""A measured number with its 95 % interval, over images, seeds or both. The claims' rules read nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit  # Student's t and its quantiles: scipy.stats' own are a hundred times slower

from hgnb.intervals import Interval

LEVEL = 0.975  # quantile of a two-sided 95 % interval


@dataclass(frozen=True)
class Estimate:
    """A value and the bounds of its 95 % interval; NaN where nothing can be measured.

    `freedom`: degrees of freedom of Student's t behind the interval, infinite where images alone were resampled.
    `seeds`: over how many trainings it is a mean.
    """

    value: float
    low: float
    high: float
    freedom: float = np.inf
    seeds: int = 1

    @classmethod
    def of(cls, interval: Interval) -> "Estimate":
        """From an interval over resampled images."""
        return cls(interval.value, interval.low, interval.high)

    @classmethod
    def exact(cls, value: float) -> "Estimate":
        """A number without sampling error: a count, an epoch."""
        return cls(float(value), float(value), float(value))

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return bool(np.isfinite(self.value))

    def tail(self, limit: float) -> float:
        """One-sided p of 'the true value is at most `limit`'.

        The side of the interval that faces the limit gives the scale and Student's t the shape, so that p < 0.025
        exactly where the 95 % interval lies above the limit. A value without an interval is a fact: 0 or 1.
        """
        gap = self.value - limit
        width = self.value - self.low if gap > 0 else self.high - self.value
        if width <= 0:
            return float(gap <= 0)
        return float(stdtr(self.freedom, -stdtrit(self.freedom, LEVEL) * gap / width))

    def less(self, limit: float) -> float:
        """One-sided p of 'the true value is at least `limit`'."""
        return Estimate(-self.value, -self.high, -self.low, self.freedom).tail(-limit)

    def text(self, digits: int = 3, scale: float = 1) -> str:
        """'0.433 (0.420 to 0.446)'; a fact without brackets; a dash for NaN."""
        if self.known and self.low == self.high:
            return f"{scale * self.value:,.{digits}f}".replace("-", "−")
        return Interval(self.value, self.low, self.high).text(digits, scale)


UNKNOWN = Estimate(np.nan, np.nan, np.nan)


def pooled(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of the same quantity over several seeds.

    Two errors add up: seeds differ (variance of their mean, n - 1 degrees of freedom), and all were measured on the
    same photographs (the mean of their own variances, since that error is shared).
    """
    if len(estimates) == 1:
        return estimates[0]
    values = np.array([e.value for e in estimates])
    if not np.isfinite(values).all():
        return UNKNOWN
    n, value = len(values), float(values.mean())
    spreads = np.array([spread(e.low, e.high) for e in estimates])
    images = float(np.where(np.isfinite(spreads), spreads, 0).mean())  # photographs that all agree add no error
    return combined(value, values.var(ddof=1) / n, n - 1, images, n)


def spread(low: float, high: float) -> float:
    """The variance behind a 95 % interval over images."""
    return ((high - low) / (2 * stdtrit(np.inf, LEVEL))) ** 2


def combined(value: float, drawn: float, freedom: int, images: float, seeds: int = 1) -> Estimate:
    """An estimate with two independent errors: a variance `drawn` that was itself estimated, with `freedom` degrees
    of freedom, and one over images; degrees of freedom of the sum after Welch and Satterthwaite."""
    total = float(drawn + images)
    if total == 0:
        return Estimate(value, value, value, seeds=seeds)
    degrees = float(total**2 / (drawn**2 / freedom)) if drawn > 0 else np.inf
    half = float(stdtrit(degrees, LEVEL) * np.sqrt(total))
    return Estimate(value, value - half, value + half, degrees, seeds)
