"""The entries of `annotations`: judged, repaired where they can be, and judged again. Lin et al. (2014); 01_dataset.

pycocotools takes NaN, v = 7, ids listed twice and short keypoints as they come, so each record is judged before it
gets to see them. A sound record costs its judgement alone; of another the first fault found is looked up in REPAIRS,
whose functions change the record and say in words what they did, or '' where nothing can be done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hgnb.data.intake import Notes, Verdict, is_id, numbers, numbers_within, plain, whole
from hgnb.data.intake.categories import Categories
from hgnb.data.intake.pictures import Listed

BOX_SLACK = 1.0  # pixels that a box may leave its image by: boxes are rounded, and drawn around pixels
LEAST_SHARE = 0.1  # of a picture's shorter side: the least side of a box that is made from keypoints
ROOM = 0.1  # of their extent that such a box leaves on each side: COCO's boxes hold the body, not its joints alone
TWICE = "listed twice"  # the kind of a record that says again what one before it said
CROWD_FLAGS = (0, 1)  # and so False and True
Size = tuple[float, float]  # width, height in pixels; infinite where it isn't known


@dataclass
class Records:
    """Judges and repairs the entries of a file's `annotations`, each once and in order."""

    images: Listed
    categories: Categories
    notes: Notes
    listed: list  # all records; those that were read are None
    seen: dict[int, int] = field(default_factory=dict)  # a hash of what each id stood for
    clipped: int = 0  # boxes that reached out of their picture
    corners: int = 0  # those of them that fit as two corners
    _last: int = 0

    def __post_init__(self) -> None:
        self.sizes = self.images.sizes

    def sound(self, record: object) -> Verdict:
        """None where a record is sound or was made so; else kind and reason of what is wrong with it."""
        fault, tried = self._fault(record), set()
        while fault and fault[0] not in tried:
            tried.add(fault[0])
            repair = REPAIRS.get(fault[0])
            words = repair(record, self) if repair and isinstance(record, dict) else ""
            if not words:
                return fault
            self.notes.repaired[words] += 1
            fault = self._fault(record)
        if isinstance(record, dict) and is_id(record.get("id")):
            self.seen.setdefault(record["id"], _content(record))
        return fault

    def _fault(self, record: object) -> Verdict:
        """Kind and reason of what is wrong with a record."""
        if not isinstance(record, dict):
            return "annotation record", "An annotation is no record of fields."
        number, image, category = record.get("id"), record.get("image_id"), record.get("category_id")
        if not is_id(number):
            return "annotation id", "An annotation's id is no whole number."
        if not is_id(image) or image not in self.sizes:
            return "unknown image", f"It names the image {plain(image)}, which isn't listed."
        of_persons = type(category) is int and category == self.categories.id
        if not of_persons and (not isinstance(category, str | int | float) or category not in self.categories.known):
            return "unknown category", f"It names the category {plain(category)}, which isn't listed."
        if record.get("iscrowd", 0) not in CROWD_FLAGS:
            return "crowd flag", f"iscrowd is {plain(record['iscrowd'])}, not 0 or 1."
        fault = self._of_keypoints(record, self.sizes[image], of_persons)
        fault = fault or _of_box(record, self.sizes[image])
        if fault is None and number in self.seen:
            if self.seen[number] == _content(record):
                return TWICE, "The annotation was listed before."
            return "duplicate annotation id", "The annotation id was listed before."
        return fault

    def _of_keypoints(self, record: dict, size: Size, of_persons: bool) -> Verdict:
        listed, claimed, schema = record.get("keypoints", ()), record.get("num_keypoints"), self.categories.schema
        if (listed is None or (isinstance(listed, list | tuple) and not listed)) and not claimed:
            return None
        values = numbers(listed)
        if values is None or values.ndim != 1:
            return "keypoint numbers", "Its keypoints aren't a list of numbers."
        if not of_persons:
            return ("keypoint category", "Its category names no keypoints.") if values.any() or claimed else None
        if values.size != 3 * len(schema):
            return "keypoint length", f"It has {values.size} keypoint numbers, not 3 x {len(schema)}."
        points, flags = values.reshape(-1, 3)[:, :2], values[2::3]
        labelled = flags > 0
        for k in np.flatnonzero((flags != 0) & (flags != 1) & (flags != 2)):
            return "visibility flag", f"Its {schema.names[k]} has v = {flags[k]:g}, not 0, 1 or 2."
        inside = ((points >= 0) & (points <= size)).all(1)
        for k in np.flatnonzero(labelled & ~inside):
            x, y = points[k]
            where = f"outside the image {_by(size)}" if np.isfinite(points[k]).all() else "which is no place"
            return "keypoint place", f"Its {schema.names[k]} lies at ({x:g}, {y:g}), {where}."
        if (labelled & ~points.any(1)).any():
            return "keypoint at (0, 0)", "A labelled keypoint lies at (0, 0)."
        count = int(labelled.sum())
        if "num_keypoints" in record and claimed != count:
            return "keypoint count", f"num_keypoints is {plain(claimed)}, but {count} are labelled."
        return None

    def fresh(self) -> int:
        """An id that no record has."""
        if not self._last:
            ids = (r["id"] for r in self.listed if isinstance(r, dict) and is_id(r.get("id")))
            self._last = max(*self.seen, *ids, 0, 0)
        self._last += 1
        return self._last


def _of_box(record: dict, size: Size) -> Verdict:
    if not record.get("iscrowd") and not flagged(record):
        return None  # nobody reads it
    values = numbers(record.get("bbox"))
    if values is None or values.shape != (4,) or not np.isfinite(values).all():
        return "box", f"Its box {plain(record.get('bbox'))} isn't four numbers."
    x, y, w, h = values.tolist()
    if w <= 0 or h <= 0:
        return "box", f"Its box is {w:g} x {h:g} pixels."
    if x < -BOX_SLACK or y < -BOX_SLACK or x + w > size[0] + BOX_SLACK or y + h > size[1] + BOX_SLACK:
        return "box", f"Its box reaches from ({x:g}, {y:g}) to ({x + w:g}, {y + h:g}), outside the image {_by(size)}."
    return None


def flagged(record: dict) -> bool:
    """Whether a record has a keypoint with v other than 0."""
    keypoints = record.get("keypoints")
    if isinstance(keypoints, np.ndarray):
        return bool(keypoints[2::3].any())
    return isinstance(keypoints, list) and any(keypoints[2::3])


def _content(record: dict) -> int:
    """Equal for records that say the same of the same picture."""
    keypoints = record.get("keypoints")
    said = keypoints.tobytes() if isinstance(keypoints, np.ndarray) else plain(keypoints)
    return hash((plain(record.get("image_id")), said, plain(record.get("bbox"), 200)))


def _by(size: Size) -> str:
    return f"of {size[0]:g} x {size[1]:g} pixels" if np.isfinite(size).all() else ""


def _own_id(record: dict, records: Records) -> str:
    number = whole(record.get("id"))
    record["id"] = number if number is not None and number not in records.seen else records.fresh()
    return "annotation ids that are no whole numbers, numbered"


def _another_id(record: dict, records: Records) -> str:
    record["id"] = records.fresh()
    return "annotation ids that occur twice, numbered anew"


def _image(record: dict, records: Records) -> str:
    value = record.get("image_id")
    if not isinstance(value, str | int | float):
        return ""
    number = records.images.meant(value)
    if number is None:
        return ""
    record["image_id"] = number
    return "image ids of annotations that are no whole numbers, matched"


def _category(record: dict, records: Records) -> str:
    value, categories = record.get("category_id"), records.categories
    known = isinstance(value, str | int | float)
    if (known and value in categories.accepted) or (value is None and categories.only):
        record["category_id"] = categories.id
        return "annotations' categories matched to the one that is read"
    return ""


def _other_category(record: dict, records: Records) -> str:
    """Keypoints of a category that isn't read, or of the one that is, listed under one of its other ids."""
    if words := _category(record, records):
        return words
    if record.get("category_id") in records.categories.others:
        record["keypoints"], record["num_keypoints"] = [], 0
        return "annotations of a category with other keypoints, left aside"
    return ""


def _crowd(record: dict, records: Records) -> str:
    value = record["iscrowd"]
    flag = {"false": 0, "true": 1, "": 0, "none": 0, "null": 0}.get(str(value).strip().lower(), whole(value))
    if flag not in CROWD_FLAGS:
        return ""
    record["iscrowd"] = flag
    return "crowd flags that are no numbers, read as such"


def _numbers(record: dict, records: Records) -> str:
    values = numbers_within(record.get("keypoints"))
    if values is None:
        return ""
    record["keypoints"] = values
    return "keypoints written as text or in lists of lists, read as numbers"


def _without_flags(record: dict, records: Records) -> str:
    """(K, 2): what isn't at (0, 0), and is somewhere, is labelled."""
    values = record["keypoints"] = np.asarray(record["keypoints"], np.float64)
    if values.size != 2 * len(records.categories.schema):
        return ""
    points = values.reshape(-1, 2)
    there = np.isfinite(points).all(1) & (points > 0).any(1)
    _set(record, points, np.where(there, 2, 0))
    return "keypoints without visibility, taken as visible"


def _flags(record: dict, records: Records) -> str:
    points, flags = _points(record)
    odd = ~np.isin(flags, (0, 1, 2))
    if (odd & (flags > 0) & (flags < 1)).any():
        scores = (flags >= 0) & (flags <= 1)
        _set(record, points, np.where(scores & (flags > 0), 2, 0))
        return "visibility given as a score, taken as labelled above 0"
    _set(record, points, np.where(odd, 0, flags))
    below = (flags[odd] < 0).all()
    return f"visibility {'below 0' if below else 'that is none of 0, 1, 2'}, taken as unlabelled"


def _places(record: dict, records: Records) -> str:
    """One outside its picture is unlabelled; a person of whom nothing would be left is a fault."""
    points, flags = _points(record)
    inside = ((points >= 0) & (points <= records.sizes[record["image_id"]])).all(1)
    if not (inside & (flags > 0)).any():
        return ""
    _set(record, points, np.where(inside, flags, 0))
    return "persons with keypoints outside their picture, these taken as unlabelled"


def _corner(record: dict, records: Records) -> str:
    points, flags = _points(record)
    _set(record, points, np.where(points.any(1), flags, 0))
    return "persons with labelled keypoints at (0, 0), these taken as unlabelled"


def _count(record: dict, records: Records) -> str:
    points, flags = _points(record)
    placed = (points > 0).all(1)
    if not flags.any() and placed.any() and whole(record["num_keypoints"]) == placed.sum():
        _set(record, points, np.where(placed, 2, 0))
        return "keypoints that num_keypoints counts though v = 0 for all, taken as visible"
    del record["num_keypoints"]
    return "num_keypoints counted again"


def _points(record: dict) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(record["keypoints"], np.float64).reshape(-1, 3)
    return values[:, :2], values[:, 2]


def _set(record: dict, points: np.ndarray, flags: np.ndarray) -> None:
    record["keypoints"] = np.column_stack([np.where(flags[:, None] > 0, points, 0), flags]).ravel()
    record.pop("num_keypoints", None)  # it counted what there was before


def _box(record: dict, records: Records) -> str:
    """The part of a box that is inside its picture; where there is none, one around the keypoints."""
    size, values = np.array(records.sizes[record["image_id"]]), numbers_within(record.get("bbox"))
    if values is not None and values.shape == (4,) and np.isfinite(values).all() and (values[2:] > 0).all():
        low, high = np.clip(values[:2], 0, size), np.clip(values[:2] + values[2:], 0, size)
        if (high - low >= 1).all():
            record["bbox"] = [*low.tolist(), *(high - low).tolist()]
            records.clipped += 1
            records.corners += bool((values[2:] > values[:2]).all() and (values[2:] <= size + BOX_SLACK).all())
            return "boxes that reach out of their picture, clipped"
    if not flagged(record):
        return ""
    points, flags = _points(record)
    record["bbox"] = around(points[flags > 0], size)
    return "boxes that are absent or empty, drawn around the keypoints"


def around(points: np.ndarray, size: np.ndarray) -> list[float]:
    """The box (x, y, w, h) around labelled keypoints (n, 2), inside a picture of `size`."""
    low, high = points.min(0), points.max(0)
    least = LEAST_SHARE * size.min() if np.isfinite(size).all() else 1.0
    half = np.maximum((high - low) * (0.5 + ROOM), least / 2)
    centre = (low + high) / 2
    low, high = np.clip(centre - half, 0, size), np.clip(centre + half, 0, size)
    return [*low.tolist(), *(high - low).tolist()]


Repair = Callable[[dict, Records], str]
REPAIRS: dict[str, Repair] = {
    "annotation id": _own_id,
    "duplicate annotation id": _another_id,
    "unknown image": _image,
    "unknown category": _category,
    "keypoint category": _other_category,
    "crowd flag": _crowd,
    "keypoint numbers": _numbers,
    "keypoint length": _without_flags,
    "visibility flag": _flags,
    "keypoint place": _places,
    "keypoint at (0, 0)": _corner,
    "keypoint count": _count,
    "box": _box,
}
