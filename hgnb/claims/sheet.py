"""The ledger as a terminal shows it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from hgnb.claims.result import Result
from hgnb.claims.rules import FAILS, HOLDS, NEEDS, UNDECIDED

STYLES = {HOLDS: "green", FAILS: "red", UNDECIDED: "yellow", NEEDS: "dim"}


@dataclass(frozen=True)
class Sheet:
    """A result, what would make it more complete, and the file it was kept in, if it was."""

    result: Result
    remedies: Sequence[str] = ()
    kept: Path | None = None

    def __rich_console__(self, console, options):
        record = self.result.record
        seeds = ", ".join(map(str, self.result.seeds)) or "none"
        yield f"[bold]Claims[/bold]: profile {record.profile} on {escape(record.data)}, trained seeds: {seeds}"
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
        if self.kept:
            yield f"Kept in results/{self.kept.name}."


def summary(result: Result) -> str:
    """'12 hold, 3 fail, 5 are undecided, 14 need data, runs or a profile.'"""
    counts = Counter(row["verdict"] for row in result.rows)
    words = {HOLDS: "hold", FAILS: "fail", UNDECIDED: "undecided", NEEDS: "need other data, runs or another profile"}
    return f"{', '.join(f'{counts[v]} {words[v]}' for v in words)}."
