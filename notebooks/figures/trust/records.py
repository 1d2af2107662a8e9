"""Records of what was tried, by the name of the program in benchmarks/ that made them."""

import json
from collections.abc import Callable
from functools import wraps

from figures.page import Note, Table
from hgnb.home import home


def found(name: str) -> dict | None:
    """The record that benchmarks/`name`.py made; None where it made none."""
    file = home() / "benchmarks" / "results" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf8")) if file.is_file() else None


def shown(name: str) -> Callable[[Callable[[dict], Table]], Callable[[], Table | Note]]:
    """Gives a table the record it shows; where there is none, a sentence takes the table's place."""

    def of(table: Callable[[dict], Table]) -> Callable[[], Table | Note]:
        @wraps(table)
        def told() -> Table | Note:
            record = found(name)
            return table(record) if record else missing(name)

        return told

    return of


def missing(name: str) -> Note:
    """In place of a table."""
    return Note(f"This has not been tried yet: `python benchmarks/{name}.py` does it and records what comes of it.")


def machine(record: dict) -> str:
    """Where and on what code a record was made, in a sentence."""
    told = record["machine"]
    return f"Recorded on {told['cores']} cores of {told['cpu']}, at commit {commit(record)}."


def commit(record: dict) -> str:
    """The code that a record was made on, as git abbreviates it."""
    return record["machine"]["commit"][:7]


def total(record: dict, count: str) -> int:
    """The sum of a count over the rooms of a record."""
    return sum(told[count] for told in record["rooms"].values())
