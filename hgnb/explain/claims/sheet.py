"""The ledger as a terminal shows it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from hgnb.explain.claims.record import Result, place
from hgnb.explain.claims.rules import FAILS, HOLDS, NEEDS, UNDECIDED

STYLES = {HOLDS: "green", FAILS: "red", UNDECIDED: "yellow", NEEDS: "dim"}


@dataclass(frozen=True)
class Sheet:
    """A result, what would make it more complete, and whether it was kept."""

    result: Result
    remedies: Sequence[str]
    kept: bool

    def __rich_console__(self, console, options):
        manifest = self.result.manifest
        seeds = ", ".join(map(str, manifest.seeds)) or "none"
        yield f"[bold]Claims[/bold]: profile {manifest.profile} on {escape(manifest.data)}, trained seeds: {seeds}"
        table = Table("claim", "", "source", "here", "verdict", show_lines=True)
        for row in self.result.rows:
            told = f"[{STYLES[row['verdict']]}]{row['verdict']}[/]"
            reason = escape(f": {row['reason'].replace('`', '')}" if row["reason"] else "")
            cells = (escape(row[name]) for name in ("id", "sentence", "value", "measured"))
            table.add_row(*cells, told + reason)
        yield table
        yield summary(self.result)
        if self.remedies:
            yield "What is missing is made by:\n" + "\n".join(f"  {escape(command)}" for command in self.remedies)
        name = f"results/{place(manifest.profile, manifest.data).name}"
        if manifest.seeds:
            yield f"Kept in {name}." if self.kept else f"{name} rests on more seeds and stays as it is."


def summary(result: Result) -> str:
    """'12 hold, 3 fail, 5 are undecided, 14 need data, runs or a profile.'"""
    counts = Counter(row["verdict"] for row in result.rows)
    words = {HOLDS: "hold", FAILS: "fail", UNDECIDED: "undecided", NEEDS: "need other data, runs or another profile"}
    return f"{', '.join(f'{counts[v]} {words[v]}' for v in words)}."
