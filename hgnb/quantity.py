"""A number of an experiment never stands alone: it carries its unit and the place it comes from."""

from dataclasses import Field, field, fields
from typing import Any


def quantity(default: Any, unit: str, source: str) -> Any:
    """A dataclass field whose metadata name the unit and the source of its value."""
    return field(default=default, metadata={"unit": unit, "source": source})


def described(config: Any) -> list[tuple[Field, Any]]:
    """The fields of a config that carry a unit and a source, each with its value."""
    return [(f, getattr(config, f.name)) for f in fields(config) if "unit" in f.metadata]
