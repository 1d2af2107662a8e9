"""A measured number with its 95 % interval and how it came about, and the simplest ways to one: Student's and Welch's.

Everything that quotes or judges a measured number reads an `Estimate`.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from scipy.special import gammaln, stdtr, stdtrit  # scipy.stats' own Student's t is a hundred times slower

LEVEL = 0.975  # quantile of a two-sided 95 % interval
POWER = 0.8  # of what is called decidable
EXACT, PHOTOGRAPHS, SEEDS, CROSSED, TURNS = "exact", "photographs", "seeds", "seeds and photographs", "turns"


@dataclass(frozen=True)
class Estimate:
    """A value and the bounds of its 95 % interval.

    All three are NaN where nothing can be measured; the bounds are infinite where a value tells no spread, as that of
    a single seed or of photographs that all agree: such a value is shown and decides nothing. Only a count (`exact`)
    is certain without an interval.

    >>> Estimate.exact(3)
    Estimate(value=3.0, low=3.0, high=3.0, ...)
    """

    value: float
    low: float
    high: float
    over: str = PHOTOGRAPHS  # what was drawn at random: one of the names above
    freedom: float = np.inf  # degrees of freedom of Student's t behind the interval
    seeds: int = 1  # networks
    photographs: int = 0  # that the persons come from; 0 where there are none
    dealt: float = 0.0  # standard error of the value by how photographs were dealt into folds

    @classmethod
    def exact(cls, value: float) -> "Estimate":
        """A number without sampling error: a count, an epoch."""
        return cls(float(value), float(value), float(value), EXACT)

    @classmethod
    def of(
        cls, value: float, variance: float, freedom: float, over: str, seeds: int = 1, photographs: int = 0,
        dealt: float = 0.0,
    ) -> "Estimate":  # fmt: skip
        """From a variance with its degrees of freedom; without bounds where that is zero or unknown."""
        if not np.isfinite(value):
            return UNKNOWN
        certain = np.isfinite(variance) and variance > 0 and freedom >= 1
        half = float(stdtrit(freedom, LEVEL) * np.sqrt(variance)) if certain else np.inf
        value = float(value)
        return cls(value, value - half, value + half, over, float(freedom), seeds, photographs, float(dealt))

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return bool(np.isfinite(self.value))

    @property
    def bounded(self) -> bool:
        """Whether it can decide anything: a count, or an interval of some width."""
        return self.known and (self.over == EXACT or (self.low < self.high and np.isfinite(self.high - self.low)))

    @property
    def error(self) -> float:
        """Its standard error; 0 of a count, infinite without bounds."""
        if self.over == EXACT:
            return 0.0
        return float((self.high - self.low) / 2 / stdtrit(self.freedom, LEVEL)) if self.bounded else np.inf

    def less(self, by: float) -> "Estimate":
        """The same number counted from `by`, which has no error."""
        return replace(self, value=self.value - by, low=self.low - by, high=self.high - by)

    def negated(self) -> "Estimate":
        """The same number with the other sign."""
        return replace(self, value=-self.value, low=-self.high, high=-self.low)

    def tail(self, limit: float) -> float:
        """One-sided p of 'the true value is at most `limit`'; 1 where nothing can be decided.

        The side of the interval that faces the limit gives the scale and Student's t the shape, so that p < 0.025
        exactly where the 95 % interval lies above the limit. A number that depends on how photographs were dealt is
        taken at two of its standard errors on the worse side, so that another dealing would hardly decide otherwise.
        """
        if self.over == EXACT:
            return float(self.value <= limit)
        if not self.bounded:
            return 1.0
        gap = self.value - limit
        width = self.value - self.low if gap > 0 else self.high - self.value
        gap -= 2 * self.dealt
        return float(stdtr(self.freedom, -stdtrit(self.freedom, LEVEL) * gap / width))

    def head(self, limit: float) -> float:
        """One-sided p of 'the true value is at least `limit`'."""
        return self.negated().tail(-limit)

    def decidable(self, alpha: float) -> float:
        """Smallest distance from a limit that a two-sided test at `alpha` finds with 80 % power: below it, 'undecided'
        says little. Of noncentral t (scipy.stats.nct), with the standard error freed of its bias for few degrees of
        freedom; infinite without bounds."""
        if self.over == EXACT:
            return 0.0
        if not self.bounded:
            return np.inf
        freedom = min(self.freedom, 1e6)  # infinity is NaN to nct
        wanted = float(stdtrit(freedom, 1 - alpha / 2))
        low, high = 0.0, 2 * wanted + 10
        for _ in range(40):  # bisection: nct has no inverse in its noncentrality
            middle = (low + high) / 2
            low, high = (middle, high) if stats.nct.sf(wanted, freedom, middle) < POWER else (low, middle)
        biased = np.sqrt(2 / freedom) * np.exp(gammaln((freedom + 1) / 2) - gammaln(freedom / 2))
        return float(high * self.error / biased + 2 * self.dealt)

    def text(self, digits: int = 3, scale: float = 1) -> str:
        """'0.433 (0.420 to 0.446)'; a count, or a value that tells no spread, without brackets; a dash for NaN."""
        if not self.known:
            return "–"
        numbers = (f"{scale * v:,.{digits}f}".replace("-", "−") for v in (self.value, self.low, self.high))
        value, low, high = numbers
        return f"{value} ({low} to {high})" if self.bounded and self.low < self.high else value

    def __str__(self) -> str:
        return self.text(2)


UNKNOWN = Estimate(np.nan, np.nan, np.nan)


def among(made: Estimate, seeds: int) -> str:
    """Its text with three digits, and in how many of a record's seeds where the others lack one of its networks."""
    return f"{made.text(3)} in {made.seeds} of {seeds} seeds" if made.known and made.seeds < seeds else made.text(3)


def student(values: np.ndarray, over: str = SEEDS) -> Estimate:
    """Mean of (S,) numbers with Student's interval; without bounds for a single one, UNKNOWN where any is missing."""
    values = np.asarray(values, dtype=float)
    n = len(values)
    if not n or not np.isfinite(values).all():
        return UNKNOWN
    variance = values.var(ddof=1) / n if n > 1 else np.nan
    return Estimate.of(values.mean(), variance, n - 1, over, n if over == SEEDS else 1)


def welch(first: np.ndarray, second: np.ndarray) -> Estimate:
    """Difference of the means of two samples (n,) and (m,) that were not taken in pairs; Welch's interval."""
    if min(len(first), len(second)) < 2:
        return Estimate.of(np.mean(first) - np.mean(second), np.nan, 0, TURNS)
    a, b = np.var(first, ddof=1) / len(first), np.var(second, ddof=1) / len(second)
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1)) if a + b > 0 else 0
    return Estimate.of(np.mean(first) - np.mean(second), a + b, freedom, TURNS)
