"""What can be wrong with a record of a COCO annotation file. Lin et al. (2014); explained in 01_dataset.

pycocotools takes NaN, v = 7, ids listed twice and short keypoints as they come, so each record is judged before
it gets to see them. A record has at most one fault, the first found.
"""

import contextlib
import os
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import numpy as np

from hgnb.data.quoting import plain
from hgnb.data.schema import KeypointSchema

MISSING = "missing image"
BOX_SLACK = 1.0  # pixels that a box may leave its image by: boxes are rounded, and drawn around pixels
Verdict = tuple[str, str] | None  # kind and reason of a fault; None where there is none
Size = tuple[float, float]  # width, height in pixels; infinite where it isn't known


class Fault(NamedTuple):
    """What is wrong with one record of a split: the kind, the record's id and the reason, a sentence."""

    split: str
    kind: str
    id: int | str | None  # as it is listed, `plain` where that is no id; None where there is none
    reason: str


def is_id(value: object) -> bool:
    """Whether a value can be an id: a whole number that an array can hold."""
    return type(value) is int and abs(value) < 2**63


def image_fault(record: object, root: Path, present: Container[str]) -> Verdict:
    """Kind and reason of what is wrong with an entry of `images`, without opening its file."""
    if not isinstance(record, dict) or not is_id(record.get("id")):
        return "image record", "An image's id is no whole number."
    size: tuple[Any, Any]
    name, size = record.get("file_name"), (record.get("width"), record.get("height"))
    if not isinstance(name, str) or not name:
        return "file name", "It has no file name."
    parts = PureWindowsPath(name)  # knows both kinds of slash
    if parts.drive or parts.root or ".." in parts.parts:
        return "file name", f"The file name '{plain(name)}' leaves the folder '{root.name}'."
    if name not in present and not os.path.isfile(root / name):  # Path.is_file raises for a name that is too long
        return MISSING, f"The image '{root.name}/{plain(name)}' is missing."
    if not all(is_id(n) and n > 0 for n in size):
        return "image size", f"Width and height are listed as {plain(size[0])} and {plain(size[1])}."
    return None


@dataclass(frozen=True)
class Annotations:
    """Judges the entries of a file's `annotations`, each once and in order: an id that comes again is a fault."""

    sizes: dict[int, Size]  # of the listed images, by id
    categories: set[int]  # the listed ones
    category: int  # the one that has keypoints
    schema: KeypointSchema
    seen: set[int] = field(default_factory=set)

    def fault(self, record: object) -> Verdict:
        """Kind and reason of what is wrong with the next record."""
        if not isinstance(record, dict) or not is_id(record.get("id")):
            return "annotation record", "An annotation's id is no whole number."
        if record["id"] in self.seen:
            return "duplicate annotation id", "The annotation id was listed before; the first one counts."
        self.seen.add(record["id"])
        image, category = record.get("image_id"), record.get("category_id")
        if not is_id(image) or image not in self.sizes:
            return "unknown image", f"It names the image {plain(image)}, which isn't listed."
        if not is_id(category) or category not in self.categories:
            return "unknown category", f"It names the category {plain(category)}, which isn't listed."
        size = self.sizes[image]
        return _of_box(record.get("bbox"), size) or _of_keypoints(record, size, self.category, self.schema)


def _of_box(box: object, size: Size) -> Verdict:
    values = numbers(box)
    if values is None or values.shape != (4,) or not np.isfinite(values).all():
        return "box", f"Its box {plain(box)} isn't four numbers."
    x, y, w, h = values
    if w <= 0 or h <= 0:
        return "box", f"Its box is {w:g} x {h:g} pixels."
    if x < -BOX_SLACK or y < -BOX_SLACK or x + w > size[0] + BOX_SLACK or y + h > size[1] + BOX_SLACK:
        return "box", f"Its box reaches from ({x:g}, {y:g}) to ({x + w:g}, {y + h:g}), outside the image {_by(size)}."
    return None


def _of_keypoints(record: dict, size: Size, category: int, schema: KeypointSchema) -> Verdict:
    listed, claimed = record.get("keypoints", []), record.get("num_keypoints")
    if (listed is None or (isinstance(listed, list) and not listed)) and not claimed:
        return None
    values = numbers(listed)
    if values is None or values.ndim != 1:
        return "keypoint numbers", "Its keypoints aren't a list of numbers."
    if record["category_id"] != category:
        return ("unknown category", "Its category names no keypoints.") if values.any() or claimed else None
    if values.size != 3 * len(schema):
        return "keypoint length", f"It has {values.size} keypoint numbers, not 3 x {len(schema)}."
    points, flags = values.reshape(-1, 3)[:, :2], values[2::3]
    for k in np.flatnonzero(~np.isin(flags, (0, 1, 2))):
        return "visibility flag", f"Its {schema.names[k]} has v = {flags[k]:g}, not 0, 1 or 2."
    for k in np.flatnonzero((flags > 0) & ~((points >= 0) & (points <= size)).all(1)):
        x, y = points[k]
        where = f"outside the image {_by(size)}" if np.isfinite(points[k]).all() else "which is no place"
        return "keypoint place", f"Its {schema.names[k]} lies at ({x:g}, {y:g}), {where}."
    labelled = int((flags > 0).sum())
    if "num_keypoints" in record and claimed != labelled:
        return "keypoint count", f"num_keypoints is {plain(claimed)}, but {labelled} are labelled."
    return None


def numbers(values: object) -> np.ndarray | None:
    """A list of numbers as float64, or what is that already; None for something else. Text isn't a number."""
    if isinstance(values, np.ndarray):
        return values
    if not isinstance(values, list) or not all(isinstance(v, int | float) for v in values):
        return None
    with contextlib.suppress(OverflowError):
        return np.array(values, dtype=np.float64)
    return None


def named(value: Any) -> int | str | None:
    """An id as a report lists it."""
    return value if value is None or is_id(value) else plain(value)


def _by(size: Size) -> str:
    return f"of {size[0]:g} x {size[1]:g} pixels" if np.isfinite(size).all() else ""
