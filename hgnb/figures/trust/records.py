"""Records of what was tried, by the name of the program in benchmarks/ that made them."""

import json

from hgnb.figures.plate import Note
from hgnb.home import home


def found(name: str) -> dict | None:
    """The record that benchmarks/`name`.py made; None where it made none."""
    file = home() / "benchmarks" / "results" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf8")) if file.is_file() else None


def missing(name: str) -> Note:
    """In place of a table."""
    return Note(f"This has not been tried yet: `python benchmarks/{name}.py` does it and records what comes of it.")


def machine(record: dict) -> str:
    """Where and on what code a record was made, in a sentence."""
    told = record["machine"]
    return f"Recorded on {told['cores']} cores of {told['cpu']}, at commit {told['commit'][:7]}."


def total(record: dict, count: str) -> int:
    """The sum of a count over the rooms of a record."""
    return sum(told[count] for told in record["rooms"].values())
