"""The ledger of claims on the page: this build's verdicts, and beside them recorded ones. 05_discussion, 07_beyond."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from figures.page import Note, Table, cited, listed
from hgnb import records
from hgnb.claims.claim import FAILS, HOLDS, NEEDS, UNDECIDED
from hgnb.claims.collect import judged
from hgnb.claims.ledger import CLAIMS, Result, summary

VERDICT = "Verdict"  # the column of this build's own
BECAUSE = {HOLDS: "Holds:", FAILS: "Fails:", UNDECIDED: "Undecided:", NEEDS: "Needs"}  # what leads to a reason
LEVEL = "C6"  # what its hourglass reaches: verdicts about one that finds hardly anything say little
NONE = "No longer run is recorded in `results/`; `make claims SEEDS=5` makes one."
NOTHING = {"measured": "–", "verdict": ""}  # of a claim that a ledger doesn't know


@dataclass(frozen=True)
class Column:
    """A recorded ledger as a column of a table."""

    title: str
    result: Result
    changed: str = ""  # what makes it stale; '' if nothing does

    @classmethod
    def of(cls, result: Result, title: str = "") -> "Column":
        """Called by its profile and data unless a title is given."""
        record = result.record
        return cls(title or f"{record.profile} on {record.data}", result, "; ".join(result.stale))

    def row(self, name: str) -> dict[str, Any]:
        """What it says of a claim."""
        return next((row for row in self.result.rows if row["id"] == name), NOTHING)

    def verdict(self, name: str) -> str:
        """The bare verdict; '' for a claim that it doesn't know."""
        return self.row(name)["verdict"]

    def cell(self, name: str) -> str:
        """'fails; what was measured', marked where it is stale; a dash for a claim that it doesn't know."""
        row = self.row(name)
        told = "; ".join(words for words in (row["verdict"], row["measured"]) if words != "–")
        return f"*stale:* {told}" if told and self.changed else told or "–"

    @property
    def came(self) -> str:
        """When, on which seeds and device it was made, and whether it still counts."""
        made = f"{self.title}: {self.result.record.date[:10]}, {_seeds(self.result.seeds)}, on {self.result.device}"
        level = f"test PCK of the hourglass {self.row(LEVEL)['measured']}"
        counts = f"**Stale**: {self.changed}." if self.changed else "Made by today's code, profile and data."
        return f"{made}; {level}. Its {len(self.result.rows)} claims: {summary(self.result)} {counts}"


def recorded(profile: str, data: str) -> list[Column]:
    """The ledgers that a page about a profile and data shows beside its own, judged from their records: one of each
    dataset, its own first; not that of the better model, which has a page of its own."""
    plain = [record for record in records.fitting("chain", profile, data) if not record.better]
    return [Column.of(judged(record)) for record in records.each_dataset(plain)]


def table(live: Result, recorded: Sequence[Column] = ()) -> Table:
    """tbl-claims: a row for each claim, with the figures and tables behind it, and a column for each record."""
    titles, record, rows = [column.title for column in recorded], live.record, []
    for row in live.rows:
        cells = (column.cell(row["id"]) for column in recorded)
        rows.append((_claim(row), _source(row), _here(row), row["verdict"], *cells, _shown(row)))
    caption = (
        f"The sources' claims and what became of them with the profile `{record.profile}` on `{record.data}`, "
        f"{_seeds(live.seeds)}; intervals are 95 %, over photographs and, where there are several seeds, over these "
        f"at once. {summary(live)}{' Recorded beside it: ' + listed(titles) + '.' if titles else ''}"
    )
    columns = ["Claim", "Source says", "Measured here", VERDICT, *titles, "Shown in"]
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-claims", filters=(VERDICT, *titles))


def beside(columns: Sequence[Column], name: str, ids: Collection[str] = ()) -> Table | Note:
    """A table called `name` of the claims `ids`, or of all, as each of several recorded ledgers judges them."""
    if not columns:
        return Note(NONE)
    known = {row["id"]: row for column in reversed(columns) for row in column.result.rows}
    wanted = [known[claim.id] for claim in CLAIMS if claim.id in known and (not ids or claim.id in ids)]
    rows = [(_claim(row), _source(row), *(c.cell(row["id"]) for c in columns), _shown(row)) for row in wanted]
    apart = [row["id"] for row in wanted if len({c.verdict(row["id"]) for c in columns} - {NEEDS, ""}) > 1]
    told = f"Verdicts part on {listed(apart)}." if apart else "No two verdicts part." if len(columns) > 1 else ""
    titles = [column.title for column in columns]
    came = " ".join([told, *(column.came[:1].upper() + column.came[1:] for column in columns)]).strip()
    heads = ["Claim", "Source says", *titles, "Shown in"]
    caption = f"The sources' claims under {listed(titles)}. {came}"
    return Table(pd.DataFrame(rows, columns=heads), caption, name, filters=tuple(titles))


def rules() -> Note:
    """The rule of every claim, as its judging function states it, folded away."""
    lines = "\n".join(f"- **{claim.id}** {claim.rule}" for claim in CLAIMS)
    return Note(f"::::{{dropdown}} How each claim is decided\n{lines}\n::::")


def _claim(row: dict[str, Any]) -> str:
    return f"**{row['id']}** {row['sentence']}"


def _source(row: dict[str, Any]) -> str:
    return f"{row['value']} ({cited(row['source'])})"


def _shown(row: dict[str, Any]) -> str:
    return ", ".join(f"{{numref}}`{label}`" for label in row["shown"]) or "–"


def _here(row: dict[str, Any]) -> str:
    """What was measured, and why that is no verdict where it is none."""
    why = f"*{BECAUSE[row['verdict']]} {row['reason']}.*" if row["reason"] else ""
    return ". ".join(words for words in (row["measured"], why) if words not in ("–", ""))


def _seeds(seeds: Sequence[int]) -> str:
    if not seeds:
        return "no trained seed"
    return f"seed{'s' if len(seeds) > 1 else ''} {listed([str(seed) for seed in seeds])}"
