"""What a claim is, what judging it brings, and what must be so before it is judged.

Limits stand here or in a claim's own module, each with its reason, and were written before the runs that they judge.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hgnb.analysis.posture import POSED
from hgnb.claims.evidence import Lacking, Seeds
from hgnb.stats import Estimate, Test
from hgnb.stats.decisions import FAILS, HOLDS, UNDECIDED

NEEDS = "needs"
VERDICTS = (HOLDS, FAILS, UNDECIDED, NEEDS)
FAMILIES = ("training", "skips", "components", "clusters", "improvement", "lighter")  # Holm's, one by one
SEEDS = 5  # trainings that a claim about networks needs
PCK_WIDENING = 0.02  # a level agrees with the source's within the interval, widened by this much PCK
RELATIVE_WIDENING = 0.10  # or by this share of the source's value
ONE, BOTH = ("hourglass",), ("hourglass", "modified")  # trainings that most claims need
Judge = Callable[["Numbers"], "Finding"]

Numbers = Mapping[str, Any]  # what a rule reads: Estimates over all seeds, and plain facts
Gate = Callable[[Any], str]  # takes what the claim is gathered from; says why it is shut, '' if it is open


@dataclass(frozen=True)
class Finding:
    """What the evidence for a claim comes to, before its family's correction."""

    estimate: Estimate  # the number that decides, or the first of several
    measured: str  # all of it in words
    decision: Test | str  # a test, or a verdict that needs none
    reason: str = ""

    @property
    def asked(self) -> dict[str, float]:
        """What the claim asks of the estimate: {"above": 0.8}, or both sides; nothing where no test decides."""
        asks = self.decision.asks if isinstance(self.decision, Test) else ()
        return {side: limit for estimate, side, limit in asks if estimate is self.estimate}


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


class Subject(list[Claim]):
    """The claims of one family about one subject, in which each is entered above the function that decides it."""

    def __init__(self, family: str):
        super().__init__()
        self.family = family

    def claim(
        self, id: str, sentence: str, source: str, value: str, shown: tuple[str, ...],
        gather: Callable[[Any], Numbers], *, trainings: tuple[str, ...] = ONE, gates: tuple[Gate, ...] | None = None,
        number: bool = False,
    ) -> Callable[[Judge], Judge]:  # fmt: skip
        """Unless it is a level or has gates of its own a claim is judged on a network that knows something."""
        own = (() if number else (competent,)) if gates is None else gates

        def enter(judge: Judge) -> Judge:
            self.append(Claim(id, sentence, source, value, shown, self.family, trainings, gather, judge, own, number))
            return judge

        return enter


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


def always(flags: Sequence[bool]) -> Test:
    """A part that is a fact of each seed's run: true of all, of none, or undecided."""
    return Test(0.0 if all(flags) else 1.0, 1.0 if any(flags) else 0.0)


# Gates: fixed before looking; a shut one says what opens it

KNOWS, TIMES_FLOOR = 0.25, 2  # test PCK of a network that knows something, and how often the mean pose's
FULL = 1000  # fully labelled persons that claims about posture and motion need,
SEEN = 200  # or well labelled ones on photographs whose posture was seen by eye
SETTLED, STILL = 0.8, 0.01  # a plateau: after this share of the epochs nothing improves by more than this, relatively


def knows(pck: float, floor: float) -> bool:
    """Whether a network knows something, by its test PCK and the mean pose's."""
    return pck >= KNOWS and pck >= TIMES_FLOOR * floor


def competent(seeds: Seeds) -> str:
    """A claim about what a network knows is judged on one that knows something."""
    pck, floor = seeds.pck("hourglass").value, seeds.floor()
    if knows(pck, floor):
        return ""
    return (
        f"a network that knows something: test PCK {pck:.3f} is below {KNOWS} or twice the mean pose's {floor:.3f}; "
        "a profile with more epochs, persons or channels trains one"
    )


def long_enough(epochs: int, training: str = "hourglass") -> Gate:
    """A claim about the course of a training is judged on one that is as long as the claim's, or that has come to its
    end: in every seed the lowest validation loss of the last fifth of its epochs is less than 1 % below that of the
    others."""

    def shut(seeds: Seeds) -> str:
        losses = seeds.column(training, "epochs/val_loss")  # (S, E)
        made = losses.shape[1]
        start = round(SETTLED * made)
        settled = 0 < start < made and (losses[:, start:].min(1) > (1 - STILL) * losses[:, :start].min(1)).all()
        if made >= epochs or settled:
            return ""
        return f"a training of {epochs} epochs or one that has come to its end: `{training}` has {made} and still gains"

    return shut


def well_labelled(seeds: Seeds) -> str:
    """Enough posed persons with every keypoint labelled, or enough whose posture was seen by eye."""
    full = int(seeds.labelled(POSED).all(1).sum())
    seen = int((seeds.people.posed.names != "").sum())
    if full >= FULL or seen >= SEEN:
        return ""
    return f"{FULL:,} fully labelled persons, or {SEEN} whose postures were seen by eye; here {full:,} and {seen:,}"


def named_postures(seeds: Seeds) -> str:
    """Sitting and moving are what a person was labelled with, not cuts of scores."""
    return "" if seeds.people.posed.known else "persons whose posture and motion were labelled, by eye or as drawn"


def control(better: str, worse: str, why: str) -> Gate:
    """A comparison is judged where one whose answer is known comes out on the same runs."""

    def shut(seeds: Seeds) -> str:
        both = seeds.with_(better, worse)
        if not both.count:
            return f"its control: `{better}` and `{worse}` of the same seeds, `make claims SEEDS=5`"
        gain = both.gain(better, worse)
        if gain.tail(0) < 0.025:
            return ""
        return f"a control that comes out: {why}, but `{better}` less `{worse}` is {gain.text()}"

    return shut
