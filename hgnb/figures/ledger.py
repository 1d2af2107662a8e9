"""The ledger of claims on the page: this build's verdicts, and beside them the recorded ones. 05_discussion."""

from typing import Any

import pandas as pd

from hgnb.explain.claims.catalogue import CLAIMS
from hgnb.explain.claims.record import Result
from hgnb.explain.claims.rules import FAILS, HOLDS, NEEDS, UNDECIDED
from hgnb.explain.claims.sheet import summary
from hgnb.figures.plate import Note, Table
from hgnb.figures.words import listed

VERDICT = "verdict"  # the column that a reader can filter by
BECAUSE = {HOLDS: "Holds:", FAILS: "Fails:", UNDECIDED: "Undecided:", NEEDS: "Needs"}  # what leads to a reason


def table(live: Result, recorded: Result | None, changed: str) -> Table:
    """tbl-claims: a row for each claim, with the figures and tables behind it.

    recorded: the result in results/, if there is one; changed: what makes it stale, '' if nothing does.
    """
    earlier = {row["id"]: row for row in recorded.rows} if recorded else {}
    rows = []
    for row in live.rows:
        cells = [
            f"**{row['id']}** {row['sentence']}",
            f"{row['value']} ({row['source']})",
            _here(row),
            row["verdict"],
            ", ".join(f"{{numref}}`{label}`" for label in row["shown"]) or "–",
        ]
        if recorded:
            cells.insert(4, _recorded(earlier.get(row["id"]), changed))
        rows.append(cells)
    columns = ["claim", "source says", "measured here", VERDICT, "shown in"]
    if recorded:
        columns.insert(4, "recorded")
    manifest = live.manifest
    caption = (
        f"The sources' claims and what became of them with the profile `{manifest.profile}` on `{manifest.data}`, "
        f"{_seeds(manifest.seeds)}; intervals are 95 %, images resampled, and where several seeds were trained over "
        f"these, too. {summary(live)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-claims", filters=(VERDICT,))


def record(recorded: Result | None, changed: str) -> Note:
    """Says of the recorded result when it was made, from what, and whether it still counts."""
    if recorded is None:
        return Note(
            "No longer run of this profile and data is recorded in `results/`; `make claims SEEDS=5` makes one."
        )
    manifest = recorded.manifest
    came = f"The recorded verdicts are of {manifest.date}, {_seeds(manifest.seeds)}, on {manifest.device}. "
    if changed:
        return Note(
            f"{came}They are **stale**: {changed} have changed since, so they say nothing about this book's state. "
            "`make claims SEEDS=5` makes them anew."
        )
    return Note(f"{came}Code and data are the same as here. {summary(recorded)}")


def _here(row: dict[str, Any]) -> str:
    """What was measured, and why that is no verdict where it is none."""
    measured = [] if row["measured"] == "–" else [row["measured"]]
    why = [f"*{BECAUSE[row['verdict']]} {row['reason']}.*"] if row["reason"] else []
    return ". ".join(measured + why)


def _recorded(row: dict[str, Any] | None, changed: str) -> str:
    if row is None:
        return "–"
    told = f"{row['verdict']}; {row['measured']}" if row["measured"] != "–" else row["verdict"]
    return f"*stale:* {told}" if changed else told


def _seeds(seeds: list[int]) -> str:
    if not seeds:
        return "no trained seed"
    return f"seed{'s' if len(seeds) > 1 else ''} {listed([str(s) for s in seeds])}"


def rules() -> Note:
    """The rule of every claim, as its judging function states it, folded away."""
    lines = "\n".join(f"- **{claim.id}** {claim.rule}" for claim in CLAIMS)
    return Note(f"::::{{dropdown}} How each claim is decided\n{lines}\n::::")
