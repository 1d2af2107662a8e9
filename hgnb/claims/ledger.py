"""The ledger: all claims judged on every seed's columns, each family corrected by itself; its file, and the terminal's.

Shown in 05_discussion.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from hgnb import records
from hgnb.claims import on_clusters, on_components, on_improvement, on_lighter, on_skips, on_training
from hgnb.claims.claim import FAILS, FAMILIES, HOLDS, NEEDS, SEEDS, UNDECIDED, Claim, Finding
from hgnb.claims.evidence import Lacking, Seeds
from hgnb.claims.on_lighter import Recorded
from hgnb.home import write_whole
from hgnb.records import Record
from hgnb.stats import Estimate, Test, verdicts
from hgnb.stats.decisions import ALPHA
from hgnb.training.recorded import stale

SUBJECTS = (on_training, on_skips, on_components, on_clusters, on_improvement, on_lighter)
CLAIMS: tuple[Claim, ...] = tuple(  # C1 to C36, L1 to L15
    sorted((claim for of in SUBJECTS for claim in of.CLAIMS), key=lambda claim: (claim.id[0], int(claim.id[1:])))
)
BY_ID = {claim.id: claim for claim in CLAIMS}
SIZES = Counter(claim.family for claim in CLAIMS if not claim.number)  # fixed, whatever can be decided
LEVELS = "`paper` on the whole of COCO"  # a level is judged nowhere else
CHAIN = ("hourglass", "autoencoder", "modified")
TRAIN, MAKE = "hgnb train", f"make claims SEEDS={SEEDS}"
DIGITS = 10  # of a ledger's numbers
STYLES = {HOLDS: "green", FAILS: "red", UNDECIDED: "yellow", NEEDS: "dim"}


@dataclass(frozen=True)
class Row:
    """One claim's line: what was measured here, the verdict and why."""

    claim: Claim
    finding: Finding | None  # None where nothing could be measured
    seeds: int = 0
    verdict: str = ""  # holds, fails, undecided or needs; '' as long as its family isn't corrected
    reason: str = ""
    decidable: float | None = None  # smallest distance from the limit that is decided with 80 % power, in the family

    @property
    def id(self) -> str:
        return self.claim.id

    @property
    def measured(self) -> str:
        """With its interval."""
        return self.finding.measured if self.finding else "–"

    @property
    def estimate(self) -> Estimate | None:
        return self.finding.estimate if self.finding else None

    @property
    def p(self) -> float | None:
        """Two-sided and uncorrected, where a test decides."""
        return self.test.p if self.test else None

    @property
    def test(self) -> Test | None:
        """What decides, where its gates are open."""
        test = self.finding.decision if self.finding and self.verdict != NEEDS else None
        return test if isinstance(test, Test) else None

    def facts(self) -> dict:
        """JSON-able: null for what is unknown."""
        claim, names = self.claim, ("value", "low", "high", "over", "freedom", "seeds", "photographs")
        estimate = self.estimate and {name: getattr(self.estimate, name) for name in names}
        return packed({
            "id": claim.id, "sentence": claim.sentence, "source": claim.source, "value": claim.value,
            "measured": self.measured, "estimate": estimate, "asked": self.finding.asked if self.finding else {},
            "seeds": self.seeds, "verdict": self.verdict, "reason": self.reason, "p": self.p,
            "sides": self.test and (self.test.holds, self.test.fails), "decidable": self.decidable,
            "family": claim.family, "rule": claim.rule, "shown": claim.shown,
        })  # fmt: skip


def judge(seeds: Seeds, sweep: Recorded, levels: bool, claims: Sequence[Claim] = CLAIMS) -> list[Row]:
    """A row for every claim, from what is recorded of the chain and of chapter 06. `levels`: whether numbers may be
    held against the source's, as under profile `paper` on the whole of COCO."""
    return decided([_considered(claim, seeds, sweep, levels) for claim in claims])


def judge_lighter(sweep: Recorded) -> list[Row]:
    """The rows of chapter 06's claims alone."""
    return decided(considered(claim, sweep, sweep.count) for claim in CLAIMS if claim.family == "lighter")


def _considered(claim: Claim, seeds: Seeds, sweep: Recorded, levels: bool) -> Row:
    if claim.family == "lighter":
        return considered(claim, sweep, sweep.count)
    there = seeds.with_(*claim.trainings)
    if not claim.trainings:
        return considered(claim, there, 0)
    if not there.count:
        return Row(claim, None, 0, NEEDS, wanted(seeds, claim.trainings))
    shut = ""
    if claim.number and not levels:
        shut = LEVELS
    elif there.count < SEEDS:
        shut = f"{SEEDS} seeds, {there.count} {'is' if there.count == 1 else 'are'} there: `make claims SEEDS={SEEDS}`"
    return considered(claim, there, there.count, shut)


def wanted(seeds: Seeds, trainings: Sequence[str]) -> str:
    """Which trainings a claim waits for, and what makes them; profile and data are those of the ledger."""
    there = {name for one in seeds.all for name in one.trainings}
    missing = [name for name in trainings if name not in there] or list(trainings)
    for one in seeds.all:
        if name := next((name for name in missing if name in one.seed.failed), ""):
            return f"other runs: of seed {one.number} `{name}` failed: {one.seed.failed[name]}"
    names = ", ".join(f"`{name}`" for name in missing)
    command = f"{TRAIN} {missing[-1]}" if set(missing) <= set(CHAIN) else MAKE
    return f"the {'trainings' if len(missing) > 1 else 'training'} {names}: {command}"


def considered(claim: Claim, source: Seeds | Recorded, count: int, shut: str = "") -> Row:
    """What a claim's evidence comes to, without a verdict where a test decides. A gate that is shut leaves what was
    measured to be shown."""
    try:
        shut = shut or next((why for gate in claim.gates if (why := gate(source))), "")
        found = claim.judge(claim.gather(source))
    except Lacking as lacking:
        return Row(claim, None, count, NEEDS, shut or str(lacking))
    if shut:
        return Row(claim, found, count, NEEDS, shut)
    return Row(claim, found, count, "" if isinstance(found.decision, Test) else found.decision, found.reason)


def decided(rows: Iterable[Row]) -> list[Row]:
    """The rows with their verdicts; each family is corrected after Holm for as many tests as it has by definition."""
    rows = list(rows)
    for family in FAMILIES:
        at = [i for i, row in enumerate(rows) if row.claim.family == family and not row.verdict]
        tests = [rows[i].finding.decision for i in at]  # type: ignore[union-attr]
        for i, test, verdict in zip(at, tests, verdicts(tests, SIZES[family]), strict=True):  # type: ignore[arg-type]
            decidable = test.decidable(ALPHA / SIZES[family])  # type: ignore[union-attr]
            reason = _undecided(test.p, decidable) if verdict == UNDECIDED else ""  # type: ignore[union-attr]
            rows[i] = replace(rows[i], verdict=verdict, reason=reason, decidable=decidable)
    return rows


def _undecided(p: float, decidable: float) -> str:
    """What stands in the way, and what these data would have decided."""
    if math.isnan(decidable):
        return "a part of it is so in some seeds and not in others"
    why = "an interval crosses its limit" if p > ALPHA else "not beside the other claims of its family (Holm)"
    if not decidable < float("inf"):
        return f"{why}; a number without an interval decides nothing"
    return f"{why}; a distance of {decidable:.3g} from it would have been decided with 80 % power"


@dataclass(frozen=True)
class Result:
    """The rows of a ledger, JSON-able, and the record that was judged; a terminal shows it with what is to be done."""

    rows: list[dict[str, Any]]
    record: Record
    remedies: Sequence[str] = ()  # what would make it more complete
    kept: Path | None = None  # the file it was kept in, if it was

    @property
    def seeds(self) -> list[int]:
        """Those of which anything was trained."""
        return [seed.number for seed in self.record.seeds if seed.trainings]

    @cached_property
    def stale(self) -> tuple[str, ...]:
        """Why the record isn't one of today's code and profile."""
        return stale(self.record)

    def facts(self) -> dict:
        """JSON-able: equal for equal evidence, whenever it was judged; for readers without this program."""
        of = self.record
        about = {"profile": of.profile, "data": of.data, "seeds": self.seeds, "evidence": f"results/{of.name}"}
        return {"about": about | {"date": of.date}, "claims": self.rows}

    @property
    def text(self) -> str:
        """The ledger's file."""
        return json.dumps(self.facts(), indent=1, allow_nan=False) + "\n"

    @property
    def place(self) -> Path:
        """Where it is kept, beside the record that it was judged from."""
        return records.folder() / f"claims-{self.record.profile}-{self.record.data}.json"

    def keep(self) -> "Result":
        """Writes it there."""
        write_whole(self.place, self.text.encode())
        return replace(self, kept=self.place)

    def __rich_console__(self, console, options):
        seeds, about = ", ".join(map(str, self.seeds)) or "none", self.record
        yield f"[bold]Claims[/bold]: profile {about.profile} on {escape(about.data)}, trained seeds: {seeds}"
        table = Table("claim", "", "source", "here", "verdict", show_lines=True)
        for row in self.rows:
            told = f"[{STYLES[row['verdict']]}]{row['verdict']}[/]"
            reason = escape(f": {row['reason'].replace('`', '')}" if row["reason"] else "")
            cells = (escape(row[name]) for name in ("id", "sentence", "value", "measured"))
            table.add_row(*cells, told + reason)
        yield table
        yield summary(self)
        if self.remedies:
            yield "What is missing is made by:\n" + "\n".join(f"  {escape(command)}" for command in self.remedies)
        if self.kept:
            yield f"Kept in results/{self.kept.name}."


def summary(result: Result) -> str:
    """'12 hold, 3 fail, 5 are undecided, 14 need data, runs or a profile.'"""
    counts = Counter(row["verdict"] for row in result.rows)
    words = {HOLDS: "hold", FAILS: "fail", UNDECIDED: "undecided", NEEDS: "need other data, runs or another profile"}
    return f"{', '.join(f'{counts[v]} {words[v]}' for v in words)}."


def packed(thing: Any) -> Any:
    """As JSON takes it: null for what no JSON number is, and as many digits as any processor gives alike."""
    if isinstance(thing, dict):
        return {key: packed(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [packed(item) for item in thing]
    if hasattr(thing, "item"):  # NumPy's numbers
        thing = thing.item()
    if isinstance(thing, float):
        return float(f"{thing:.{DIGITS}g}") if math.isfinite(thing) else None
    return thing
