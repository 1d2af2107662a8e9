"""The door for data of others: whatever exporters write becomes the one form that the rest of the house knows.

`layouts` finds annotation files and pictures, `yolo` reads text labels, `categories` the names of keypoints, `images`
and `records` the entries of an annotation file. What is redundant or can be repaired is repaired and counted, what
can't is a `Fault`; behind this door nothing is lenient. Explained in 01_dataset.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

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


@dataclass
class Notes:
    """What the door did: how often each thing was repaired, in words."""

    repaired: Counter[str] = field(default_factory=Counter)
