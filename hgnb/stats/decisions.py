"""What estimates decide: tests against limits, equivalence, claims of several parts, Holm's correction in families.

A test has two one-sided p: that of the claim failing (small: it holds) and that of it holding (small: it fails).
Between them lies 'undecided', and beside it the smallest effect that these data would have decided.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hgnb.stats.estimate import Estimate

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"
ALPHA = 0.05  # over a whole family


@dataclass(frozen=True)
class Test:
    """How far the evidence speaks for a claim and against it."""

    __test__ = False  # pytest would take it for a case of its own

    holds: float  # p under the assumption that the claim is false
    fails: float  # p under the assumption that it is true
    # the distance from the limit that a two-sided test at a level decides with 80 % power, of the part in the way
    decidable: Callable[[float], float] = lambda alpha: np.nan
    asks: tuple[tuple[Estimate, str, float], ...] = ()  # of each part: (0.62 ± 0.1, "above", 0.8)

    @property
    def p(self) -> float:
        """Two-sided: either outcome was possible."""
        return min(1.0, 2 * min(self.holds, self.fails))

    @property
    def verdict(self) -> str:
        """If the evidence is enough for one."""
        return HOLDS if self.holds < self.fails else FAILS


def above(estimate: Estimate, limit: float = 0.0) -> Test:
    """The claim says that the true value exceeds the limit."""
    return Test(estimate.tail(limit), estimate.head(limit), estimate.decidable, ((estimate, "above", limit),))


def below(estimate: Estimate, limit: float = 0.0) -> Test:
    """The claim says that the true value stays under the limit."""
    return Test(estimate.head(limit), estimate.tail(limit), estimate.decidable, ((estimate, "below", limit),))


def within(estimate: Estimate, margin: float) -> Test:
    """The claim says that the true value lies less than `margin` from zero: a test of equivalence, two one-sided ones
    (Schuirmann, 1987)."""
    return every(below(estimate, margin), above(estimate, -margin))


def every(*tests: Test) -> Test:
    """A claim of several parts holds if each does, so its weakest part counts; it fails if any does, and with so
    many chances to fail the strongest part's p is multiplied by their number."""
    weakest = max(tests, key=lambda test: test.holds)
    fails = min(1.0, len(tests) * min(test.fails for test in tests))
    return Test(weakest.holds, fails, weakest.decidable, tuple(ask for test in tests for ask in test.asks))


def near(source: float, estimate: Estimate, widening: float) -> bool:
    """Whether a source's number lies in our interval, widened."""
    return estimate.low - widening <= source <= estimate.high + widening


def holm(p: np.ndarray, size: int | None = None) -> np.ndarray:
    """p-values of any shape, corrected for their number by Holm's step-down rule (1979).

    The chance that any true null hypothesis among them falls below 0.05 is at most 0.05, whatever ties the tests
    together. A test that couldn't be made is NaN and stays NaN; it counts where `size` says how many tests the family
    has, so that a verdict doesn't hang on what else could be decided.
    """
    p = np.asarray(p, dtype=float)
    flat = p.ravel()
    made = np.flatnonzero(np.isfinite(flat))
    order, size = made[np.argsort(flat[made], kind="stable")], len(made) if size is None else size
    corrected = np.full(flat.shape, np.nan)
    # the smallest times their number, the next times one less, …; none below its predecessor
    corrected[order] = np.minimum(np.maximum.accumulate(flat[order] * np.arange(size, size - len(order), -1)), 1)
    return corrected.reshape(p.shape)


def verdicts(tests: Sequence[Test], size: int | None = None) -> list[str]:
    """What becomes of a family of `size` tests, of which these could be made, corrected together after Holm."""
    corrected = holm(np.array([test.p for test in tests]), size)
    return [test.verdict if p <= ALPHA else UNDECIDED for test, p in zip(tests, corrected, strict=True)]
