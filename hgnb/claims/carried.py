"""How far a verdict carries: one claim in the ledgers of other sizes, and under other readings of the sources.

Both are records of the profile `drawn` with something changed, which `make scale` and `make readings` make. What is
decided here, and how, was written before any of them was recorded; that a reading has to reach a claim's networks was
added when some had been seen. Shown in 08_how_far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from scipy.stats import linregress

from hgnb import records
from hgnb.claims.claim import FAILS, HOLDS, NEEDS, UNDECIDED, VERDICTS
from hgnb.claims.collect import STUDY, kept
from hgnb.claims.ledger import BY_ID, CLAIMS, Result
from hgnb.data.splits import EMBEDDED
from hgnb.stats import UNKNOWN, Estimate, Test, every, holm, verdicts
from hgnb.stats.decisions import ALPHA
from hgnb.stats.estimate import TURNS
from hgnb.training import profiles
from hgnb.training.networks import CHANGES, get

PROFILE = "drawn"  # whose verdicts are followed
JUDGED = 5  # sizes at which a claim has to be judged before anything is said of all
CARRIES, TURNED = "carries", "turns"
SAID = {HOLDS: CARRIES, FAILS: TURNED, UNDECIDED: UNDECIDED}
# sections of a profile that no hourglass is trained by
AFTERWARDS = {"autoencoder", "autoencoder_training", "modified"}

Row = Mapping[str, Any]  # of a ledger


def profile_of(change: str) -> str:
    """The name of the profile under a change of it; '' changes nothing."""
    return f"{PROFILE}+{change}" if change else PROFILE


def ledgers(study: str) -> dict[str, Result]:
    """The ledgers that are recorded of a study of `hgnb.training.networks.CHANGES`, by what was changed; that of the
    profile itself goes first, as ''. Empty where nothing was changed yet."""
    found = {}
    for change in ("", *CHANGES[study]):
        if record := records.find(STUDY, profile_of(change), EMBEDDED):
            found[change] = kept(record)
    return found if len(found) > 1 and "" in found else {}


@cache
def size(change: str) -> float:
    """How large a training is beside the profile's own, as a power of two: width squared, as multiply-adds go, times
    persons.

    >>> size("wider+fewer")
    0.0
    """
    own, other = (profiles.load(profile_of(name)) for name in ("", change))
    wide, many = other.model.channels / own.model.channels, other.data.train_persons / own.data.train_persons
    return float(2 * np.log2(wide) + np.log2(many))


def reaches(change: str, claim: str) -> bool:
    """Whether a change is one for a network that a claim is about; a reading of the autoencoder leaves the hourglass as
    it was, so that what it shows of it is nothing but a repetition.

    >>> reaches("noise-e", "C7"), reaches("noise-e", "C27"), reaches("post-activation", "C7")
    (False, True, True)
    """
    sections = {section for name in change.split("+") if name for section in get(name).numbers}
    about = [get(name) for name in BY_ID[claim].trainings]
    later = any(not (one.varies or one.group == "fork" or one.name == "hourglass") for one in about)
    return not change or later or not sections <= AFTERWARDS


@dataclass(frozen=True)
class Carried:
    """One decided claim, wherever it was asked again."""

    id: str
    rows: Mapping[str, Row]  # by what was changed, the profile's own as ''
    verdict: str = NEEDS  # 'carries', 'turns', 'undecided', or 'needs'
    p_trend: float = np.nan  # two-sided, corrected

    @property
    def own(self) -> str:
        """What the profile itself decides: holds or fails."""
        return self.rows[""]["verdict"]

    @property
    def judged(self) -> dict[str, Row]:
        """The rows whose gates were open."""
        return {change: row for change, row in self.rows.items() if row["sides"]}

    @property
    def stands(self) -> int:
        """In how many of them, by itself, the verdict is the same."""
        return sum(row["verdict"] == self.own for row in self.judged.values())

    @property
    def contrary(self) -> list[str]:
        """What decides the other way, each by itself."""
        return [change for change, row in self.judged.items() if row["verdict"] not in (self.own, UNDECIDED)]

    @property
    def test(self) -> Test:
        """The verdict is that of every place where the claim was judged: the largest p counts, an intersection-union
        test (Berger, 1982); against it speaks the strongest contrary one, times their number."""
        tests = [Test(*(row["sides"] if self.own == HOLDS else row["sides"][::-1])) for row in self.judged.values()]
        return every(*tests)

    @property
    def trend(self) -> Estimate:
        """How much the number that decides changes with each doubling of the size, by least squares over the sizes."""
        at, numbers = zip(
            *((size(change), row["estimate"]["value"]) for change, row in self.judged.items()), strict=True
        )
        if len(at) < JUDGED or np.ptp(at) == 0:
            return UNKNOWN
        line = linregress(at, numbers)
        return Estimate.of(line.slope, line.stderr**2, len(at) - 2, TURNS)


def carried(found: Mapping[str, Result], *, trends: bool = False) -> list[Carried]:
    """Every claim that the profile itself decides by a test, with what becomes of its verdict elsewhere, corrected for
    their number after Holm; `trends`: over sizes, corrected likewise as a family of their own."""
    if not found:
        return []
    unasked = {"verdict": NEEDS, "sides": None, "estimate": None}
    by_id = {
        change: {row["id"]: row if reaches(change, row["id"]) else row | unasked for row in result.rows}
        for change, result in found.items()
    }
    decided = [c.id for c in CLAIMS if by_id[""][c.id]["verdict"] in (HOLDS, FAILS) and by_id[""][c.id]["sides"]]
    asked = [Carried(name, {change: rows[name] for change, rows in by_id.items()}) for name in decided]
    enough = [one for one in asked if len(one.judged) >= JUDGED]
    told = dict(zip((one.id for one in enough), verdicts([one.test for one in enough], len(asked)), strict=True))
    slopes = np.array([2 * min(one.trend.tail(0), one.trend.head(0)) if trends else np.nan for one in enough])
    p = dict(zip((one.id for one in enough), holm(slopes, len(asked)), strict=True))
    return [replace(one, verdict=SAID.get(told.get(one.id, ""), NEEDS), p_trend=p.get(one.id, np.nan)) for one in asked]


@cache
def over_sizes() -> dict[str, str]:
    """What becomes of each claim over all recorded sizes, by its id; of those alone that the profile itself decides."""
    return {one.id: one.verdict for one in carried(ledgers("scale"))}


def trended(one: Carried) -> str:
    """What its trend says: 'rises', 'falls', or 'no clear trend'; a dash where too few sizes are judged."""
    if len(one.judged) < JUDGED:
        return "–"
    if not one.p_trend <= ALPHA:
        return "no clear trend"
    return "rises" if one.trend.value > 0 else "falls"


@dataclass(frozen=True)
class Reading:
    """What one other reading of the sources does to the verdicts."""

    change: str
    rows: Sequence[tuple[Row, Row]]  # of each claim about a network that it changes: the profile's own, this reading's
    repeated: Sequence[tuple[Row, Row]] = ()  # of each claim about networks that it leaves as they were, trained again

    @property
    def title(self) -> str:
        return get(self.change).title

    @property
    def changed(self) -> list[str]:
        """'C7 holds, not fails': verdicts that it turns."""
        pairs = [(own, other) for own, other in self.rows if {own["verdict"], other["verdict"]} == {HOLDS, FAILS}]
        return [f"{own['id']} {other['verdict']}, not {own['verdict']}" for own, other in pairs]

    @property
    def asked(self) -> int:
        """How many verdicts that the profile itself decides it is asked about."""
        return self.count((HOLDS, FAILS), VERDICTS)

    def count(self, before: Sequence[str], after: Sequence[str]) -> int:
        """Claims with one of these verdicts before that have one of those after."""
        return sum(own["verdict"] in before and other["verdict"] in after for own, other in self.rows)

    @property
    def farthest(self) -> tuple[str, float]:
        """The decided claim whose number it moves most, and by how much, as `_farthest` has it."""
        return _farthest(self.rows)

    @property
    def repetition(self) -> tuple[str, float]:
        """The same of a mere repetition."""
        return _farthest(self.repeated)


def _farthest(rows: Sequence[tuple[Row, Row]]) -> tuple[str, float]:
    """Of claims that the profile decides, and the other ledger judges, the one whose number moves most, and by how many
    standard errors of the difference, as if both were independent: too few, since they share test persons."""
    moves = {}
    for own, other in rows:
        if own["verdict"] in (HOLDS, FAILS) and own["sides"] and other["sides"]:
            pair = [_estimate(row) for row in (own, other)]
            error = float(np.hypot(pair[0].error, pair[1].error))
            if np.isfinite(error) and error > 0:
                moves[own["id"]] = (pair[1].value - pair[0].value) / error
    return max(moves.items(), key=lambda move: abs(move[1])) if moves else ("", np.nan)


def _estimate(row: Row) -> Estimate:
    """A ledger's number again; without bounds where it had none."""
    held = {name: np.nan if value is None else value for name, value in row["estimate"].items()}
    freedom = np.inf if row["estimate"]["freedom"] is None else held["freedom"]
    return Estimate(**held | {"freedom": freedom})


def readings(found: Mapping[str, Result]) -> list[Reading]:
    """Each other reading that is recorded."""
    own = {row["id"]: row for row in found[""].rows} if found else {}
    made = []
    for change in filter(None, found):
        sides: dict[bool, list[tuple[Row, Row]]] = {True: [], False: []}
        for row in found[change].rows:
            if BY_ID[row["id"]].trainings:
                sides[reaches(change, row["id"])].append((own[row["id"]], row))
        made.append(Reading(change, sides[True], sides[False]))
    return made
