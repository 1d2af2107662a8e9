"""A profile as a table: every number with its unit and where it comes from, read from its dataclass."""

from dataclasses import fields, is_dataclass
from typing import Any

from rich.table import Table


def sheet(title: str, profile: Any) -> Table:
    """One row a field of `profile`; nested dataclasses as `training.rate`."""
    table = Table("number", "value", "unit", "source", title=title, title_justify="left")
    for row in rows(profile):
        table.add_row(*row)
    return table


def rows(thing: Any, prefix: str = "") -> list[tuple[str, str, str, str]]:
    """(name, value, unit, source) of every field; unit and source are the field's metadata."""
    found = []
    for field in fields(thing):
        value, name = getattr(thing, field.name), f"{prefix}{field.name}"
        if is_dataclass(value):
            found += rows(value, f"{name}.")
        else:
            found.append((name, str(value), field.metadata.get("unit", ""), field.metadata.get("source", "")))
    return found
