"""What the parts of a build tell the person who waits: one JSON line an event, read while the build runs.

Snakemake starts each stage, chapter and rendering as its own process; their sentences would drown in its log.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "HGNB_JOURNAL"  # environment variable that holds the journal's path
MARKS = {"start": "[dim]…[/dim]", "done": "[green]✓[/green]", "failed": "[red]✗[/red]", "note": "[yellow]![/yellow]"}


def tell(kind: str, what: str, text: str = "") -> None:
    """Add an event (`start`, `done`, `failed`, `error` or `note`) to the journal, if a build reads one."""
    if path := os.environ.get(VARIABLE):
        with open(path, "a", encoding="utf8") as file:  # one short write a line: appends don't mix
            file.write(json.dumps({"kind": kind, "what": what, "text": text}) + "\n")


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell that `what` starts, and once it is done how long it took, or why it failed.

    One that is ended from outside has nothing to say, whatever signal it got.
    """
    start = time.monotonic()
    tell("start", what)
    try:
        yield
    except SystemExit:  # Lightning's answer to SIGTERM
        raise
    except BaseException as error:
        tell("failed", what, str(error) or type(error).__name__)
        raise
    tell("done", what, f"{time.monotonic() - start:.0f} s")


def read(path: Path, offset: int = 0) -> tuple[list[dict], int]:
    """Events after `offset` bytes of the journal, and the offset to go on from; half a line waits.

    On a network disk two nodes that write at once can spoil each other's line: such a line is passed over.
    """
    if not path.is_file():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        whole, newline, _ = file.read().rpartition(b"\n")
    events = [event for line in whole.splitlines() if (event := _event(line))]
    return events, offset + len(whole) + len(newline)


def _event(line: bytes) -> dict | None:
    try:
        return json.loads(line)
    except ValueError:
        return None
