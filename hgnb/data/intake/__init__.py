"""The door for data of others: whatever exporters write becomes the one form that the rest of the house knows.

`layouts` finds annotation files and pictures, `yolo` reads text labels, `categories` the names of keypoints, `pictures`
and `annotations` the entries of an annotation file. What is redundant or can be repaired is repaired and counted in
words, what can't is a `Fault`; behind this door nothing is lenient. Here is what they share: faults, choices, and how a
value is read that may be anything. Explained in 01_dataset.
"""

import contextlib
import math
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from hgnb.errors import InputError, unknown

EXIF = ("evidence", "follow", "ignore")


class Fault(NamedTuple):
    """What is wrong with one record of a split: the kind, the record's id and the reason, a sentence."""

    split: str
    kind: str
    id: int | str | None  # as it is listed, `plain` where that is no id; None where there is none
    reason: str


Verdict = tuple[str, str] | None  # kind and reason of a fault; None where there is none


@dataclass(frozen=True)
class Choices:
    """What a person says about a dataset that its files leave open."""

    pairs: tuple[tuple[str, str], ...] = ()  # names of a left keypoint and of its right one
    category: str = ""  # whose keypoints are meant, where several categories have different ones
    exif: str = "evidence"  # follow orientations where annotations show that the annotator did; or always, or never

    @classmethod
    def parsed(cls, pairs: str = "", category: str = "", exif: str = "evidence") -> "Choices":
        """From a command's words; InputError where they can't be understood."""
        listed = [tuple(name.strip() for name in pair.split("=")) for pair in pairs.split(",") if pair.strip()]
        if odd := [pair for pair in listed if len(pair) != 2 or not all(pair)]:
            raise InputError(f"'{'='.join(odd[0])}' is no pair: write --pairs LEFT=RIGHT,LEFT=RIGHT.")
        if exif not in EXIF:
            raise unknown("way to treat orientations", exif, EXIF, "--exif")
        return cls(tuple((left, right) for left, right in listed), category, exif)


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
    try:
        return np.array(values, dtype=np.float64).ravel() if isinstance(values, list | np.ndarray) else None
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None


def named(value: Any) -> int | str | None:
    """An id as a report lists it."""
    return value if value is None or is_id(value) else plain(value)
