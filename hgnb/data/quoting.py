"""Values out of files that others wrote: as numbers, or as a sentence may quote them. Explained in 01_dataset."""

import contextlib
import math
from typing import Any, TypeGuard

import numpy as np


def plain(value: object, most: int = 40) -> str:
    """At most so many letters of a value, on one line, with nothing that a terminal obeys."""
    try:
        text = value if isinstance(value, str) else str(value)
    except (RecursionError, ValueError):  # lists in lists without end, a number of thousands of digits
        text = f"of type {type(value).__name__}"
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def is_id(value: object) -> TypeGuard[int]:
    """Whether a value can be an id: a whole number that an array can hold."""
    return type(value) is int and abs(value) < 2**63


def whole(value: Any) -> int | None:
    """The whole number that a value means, be it 12, 12.0 or "12"; None where it means none."""
    if isinstance(value, str) and len(value) < 20:
        with contextlib.suppress(ValueError):
            value = float(value) if "." in value else int(value)
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    return value if is_id(value) else None


def numbers(values: object) -> np.ndarray | None:
    """A list of numbers as float64, or what is that already; None for something else. Text isn't a number."""
    if isinstance(values, np.ndarray):
        return values
    if not isinstance(values, list) or not all(isinstance(v, int | float) for v in values):
        return None
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        return None


def numbers_within(values: object) -> np.ndarray | None:
    """As `numbers`, but of lists in lists, of numbers written as text, and with NaN for what is absent."""
    flat: list[float] = []
    waiting = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list) and len(flat) + len(waiting) + len(value) < 10_000:
            waiting.extend(reversed(value))
        elif value is None:
            flat.append(math.nan)
        elif isinstance(value, str | int | float):
            try:
                flat.append(float(value))
            except (ValueError, OverflowError):
                return None
        else:
            return None
    return np.array(flat) if isinstance(values, list) else None


def named(value: Any) -> int | str | None:
    """An id as a report lists it."""
    return value if value is None or is_id(value) else plain(value)
