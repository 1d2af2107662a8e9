"""What a claim is, and what judging it brings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hgnb.claims.rules import FAILS, HOLDS
from hgnb.stats import Estimate, Test

Numbers = Mapping[str, Any]  # what a rule reads: Estimates over all seeds, and plain facts
Gate = Callable[[Any], str]  # takes what the claim is gathered from; says why it is shut, '' if it is open


@dataclass(frozen=True)
class Scene:
    """Under what the evidence was gathered."""

    profile: str
    data: str  # as pages call them
    levels: bool  # whether numbers may be held against the source's: profile `paper` on the whole of COCO


@dataclass(frozen=True)
class Finding:
    """What the evidence for a claim comes to, before its family's correction."""

    estimate: Estimate  # the number that decides, or the first of several
    measured: str  # all of it in words
    decision: Test | str  # a test, or a verdict that needs none
    reason: str = ""


class Lacking(Exception):
    """The evidence has no value where a rule needs one; the message says what is missing and what makes it."""


@dataclass(frozen=True)
class Claim:
    """A sentence of the sources, the evidence it needs and the rule that decides it.

    `gather` turns the columns of all seeds into a few numbers, `judge` these into a finding: its docstring is the rule
    with its reasons. `gates` were fixed before looking: where one is shut the claim isn't judged. `number`: a level,
    judged only under `paper` on COCO and in no family.
    """

    id: str
    sentence: str
    source: str  # where it is claimed
    value: str  # what the source gives
    shown: tuple[str, ...]  # labels of the figures and tables behind it
    family: str
    trainings: tuple[str, ...]  # that every seed needs; none where networks don't matter
    gather: Callable[[Any], Numbers]
    judge: Callable[[Numbers], Finding]
    gates: tuple[Gate, ...] = ()
    number: bool = False

    @property
    def rule(self) -> str:
        """How it is decided, on one line."""
        return " ".join((self.judge.__doc__ or "").split())


def known(numbers: Numbers, name: str, lacking: str = "") -> Estimate:
    """The estimate called `name`; Lacking where it has no value."""
    estimate = numbers[name]
    if not estimate.known:
        raise Lacking(lacking or "other data: these lack what this measures")
    return estimate


def level(estimate: Estimate, measured: str, agrees: bool) -> Finding:
    """A number beside the source's: it holds where it agrees, else it fails; without an interval it says nothing."""
    if not estimate.bounded:
        raise Lacking("an interval: these numbers tell no spread")
    return Finding(estimate, measured, HOLDS if agrees else FAILS)
