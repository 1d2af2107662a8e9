"""A number of an experiment never stands alone: it carries its unit and the place it comes from."""

from dataclasses import field
from typing import Any


def quantity(default: Any, unit: str, source: str) -> Any:
    """A dataclass field whose metadata name the unit and the source of its value."""
    return field(default=default, metadata={"unit": unit, "source": source})
