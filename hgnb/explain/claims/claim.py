"""What a claim is, and what judging it brings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hgnb.explain.claims.estimate import Estimate, pooled
from hgnb.explain.claims.rules import FAILS, HOLDS, Test

Record = Mapping[str, Any]  # the evidence for one claim from one seed: Estimates and plain numbers


@dataclass(frozen=True)
class Scene:
    """Under what the evidence was gathered."""

    profile: str
    data: str  # as pages call them
    levels: bool  # whether numbers may be held against the source's: profile `paper` on the whole of COCO


@dataclass(frozen=True)
class Finding:
    """What the evidence for a claim comes to, before the ledger's correction."""

    estimate: Estimate  # the number that decides, or the first of several
    measured: str  # all of it in words
    decision: Test | str  # a test, or a verdict that needs none
    reason: str = ""


class Lacking(Exception):
    """The evidence has no value where a rule needs one; the message says what of the data is missing."""


Judge = Callable[[Sequence[Record]], Finding]


@dataclass(frozen=True)
class Claim:
    """A sentence of the sources and the rule that decides it.

    `number`: a level, judged only under `paper` on COCO. `method`: a claim about a way of training, which one pair
    of trainings can't decide; `made_by` is the command that trains more. `judge` reads one record of evidence a seed,
    the asked one first; its docstring is the rule with its reasons.
    """

    id: str
    sentence: str
    source: str  # where it is claimed
    value: str  # what the source gives
    shown: tuple[str, ...]  # labels of the figures and tables behind it
    judge: Judge
    number: bool = False
    method: bool = False
    made_by: str = "make claims"

    @property
    def rule(self) -> str:
        """How it is decided, on one line."""
        return " ".join((self.judge.__doc__ or "").split())


def mean(records: Sequence[Record], key: str, lacking: str = "") -> Estimate:
    """The estimate called `key`, over all seeds; Lacking where there is no value."""
    estimate = pooled([record[key] for record in records])
    if not estimate.known:
        raise Lacking(lacking or "the data lack what this measures")
    return estimate


def first(records: Sequence[Record], key: str, lacking: str = "") -> Estimate:
    """The estimate called `key` of the seed that was asked for."""
    return mean(records[:1], key, lacking)


def level(estimate: Estimate, measured: str, agrees: bool) -> Finding:
    """A number beside the source's: it holds where it agrees, else it fails."""
    return Finding(estimate, measured, HOLDS if agrees else FAILS)
