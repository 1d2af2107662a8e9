"""How claims are decided: tests against limits, claims of several parts, Holm's correction. SPEC of the ledger.

A test has two one-sided p: that of the claim failing (small: it holds) and that of it holding (small: it fails).
Between them lies 'undecided'. Limits stand here or in a claim's own module, each with its reason, and were written
before the runs that they judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hgnb.explain.claims.estimate import Estimate
from hgnb.intervals import holm

HOLDS, FAILS, UNDECIDED, NEEDS = VERDICTS = ("holds", "fails", "undecided", "needs")
ALPHA = 0.05  # over the whole ledger
SEEDS = 5  # paired trainings that a claim about a method needs
PCK_WIDENING = 0.02  # a level agrees with the source's within the interval, widened by this much PCK
RELATIVE_WIDENING = 0.10  # or by this share of the source's value


@dataclass(frozen=True)
class Test:
    """How far the evidence speaks for a claim and against it."""

    __test__ = False  # pytest would take it for a case of its own

    holds: float  # p under the assumption that the claim is false
    fails: float  # p under the assumption that it is true

    @property
    def p(self) -> float:
        """Two-sided: either outcome was possible."""
        return min(1.0, 2 * min(self.holds, self.fails))

    @property
    def leaning(self) -> str:
        """The verdict if the evidence is enough for one."""
        return HOLDS if self.holds < self.fails else FAILS


def above(estimate: Estimate, limit: float = 0.0) -> Test:
    """The claim says that the true value exceeds the limit."""
    return Test(estimate.tail(limit), estimate.less(limit))


def below(estimate: Estimate, limit: float = 0.0) -> Test:
    """The claim says that the true value stays under the limit."""
    return Test(estimate.less(limit), estimate.tail(limit))


def within(estimate: Estimate, limit: float) -> Test:
    """The claim says that the true value lies less than `limit` from zero: a test of absence, two one-sided ones."""
    return every(below(estimate, limit), above(estimate, -limit))


def fact(true: bool) -> Test:
    """A part of a claim that no sampling error touches."""
    return Test(0.0, 1.0) if true else Test(1.0, 0.0)


def share(part: float, wanted: float) -> Test:
    """The claim says that something happens in at least `wanted` of the resamples; undecided down to 1 - wanted."""
    if part >= wanted:
        return fact(True)
    return fact(False) if part <= 1 - wanted else Test(1.0, 1.0)


def every(*tests: Test) -> Test:
    """A claim of several parts holds if each does, so its weakest part counts; it fails if any does, and with so
    many chances to fail the strongest part's p is multiplied by their number."""
    return Test(max(t.holds for t in tests), min(1.0, len(tests) * min(t.fails for t in tests)))


def near(source: float, estimate: Estimate, widening: float) -> bool:
    """Whether a source's number lies in our interval, widened."""
    return estimate.low - widening <= source <= estimate.high + widening


def verdicts(tests: Sequence[Test], alpha: float = ALPHA) -> list[str]:
    """What becomes of a family of tests, corrected together after Holm: each leans one way or stays undecided."""
    corrected = holm(np.array([test.p for test in tests]))
    return [test.leaning if p <= alpha else UNDECIDED for test, p in zip(tests, corrected, strict=True)]
