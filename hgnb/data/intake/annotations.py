"""The entries of `annotations`: judged field by field, and repaired where they can be. Lin et al. (2014); 01_dataset.

pycocotools takes NaN, v = 7, ids listed twice and short keypoints as they come, so each record goes through here first.
What a field means is written into the record and counted in words; what means nothing is a fault of the record.
"""

import itertools
from collections import Counter

import numpy as np

from hgnb.data.intake import Verdict, is_id, numbers, numbers_within, plain, whole
from hgnb.data.intake.categories import Categories
from hgnb.data.intake.pictures import Listed

BOX_SLACK = 1.0  # pixels that a box may leave its image by: boxes are rounded, and drawn around pixels
LEAST_SHARE = 0.1  # of a picture's shorter side: the least side of a box that is made from keypoints
ROOM = 0.1  # of their extent that such a box leaves on each side: COCO's boxes hold the body, not its joints alone
TWICE = "listed twice"  # the kind of a record that says again what one before it said
CROWD_FLAGS = (0, 1)  # and so False and True
CROWD_WORDS = {"false": 0, "true": 1, "": 0, "none": 0, "null": 0}


class Records:
    """Judges and repairs the entries of a file's `annotations`, each once and in order."""

    def __init__(self, images: Listed, categories: Categories, repaired: Counter[str], listed: list):
        self.images, self.categories, self.repaired = images, categories, repaired
        self.sizes = images.sizes
        ids = (record["id"] for record in listed if isinstance(record, dict) and is_id(record.get("id")))
        self.free = itertools.count(max(ids, default=0) + 1)  # ids that no record has
        self.seen: dict[int, int] = {}  # a hash of what each id stood for
        self.clipped = 0  # boxes that reached out of their picture
        self.corners = 0  # those of them that fit as two corners

    def sound(self, record: object) -> Verdict:
        """None where a record is sound or was made so; else kind and reason of what is wrong with it."""
        if not isinstance(record, dict):
            return "annotation record", "An annotation is no record of fields."
        fields = (self._id, self._image, self._category, self._crowd, self._keypoints, self._box, self._again)
        fault = next((fault for field in fields if (fault := field(record))), None)
        self.seen.setdefault(record["id"], _content(record))
        return fault

    def _repaired(self, words: str) -> None:
        self.repaired[words] += 1

    def _id(self, record: dict) -> Verdict:
        if not is_id(record.get("id")):
            self._repaired("annotation ids that are no whole numbers, numbered")
            number = whole(record.get("id"))
            record["id"] = next(self.free) if number is None or number in self.seen else number
        return None

    def _image(self, record: dict) -> Verdict:
        image = record.get("image_id")
        if is_id(image) and image in self.sizes:
            return None
        number = self.images.meant(image)
        if number is None:
            return "unknown image", f"It names the image {plain(image)}, which isn't listed."
        self._repaired("image ids of annotations that are no whole numbers, matched")
        record["image_id"] = number
        return None

    def _category(self, record: dict) -> Verdict:
        category = record.get("category_id")
        if category is None and self.categories.only:
            self._matched(record)
        elif not isinstance(category, str | int | float) or category not in self.categories.known:
            return "unknown category", f"It names the category {plain(category)}, which isn't listed."
        return None

    def _matched(self, record: dict) -> None:
        self._repaired("annotations' categories matched to the one that is read")
        record["category_id"] = self.categories.id

    def _crowd(self, record: dict) -> Verdict:
        value = record.get("iscrowd", 0)
        if value in CROWD_FLAGS:
            return None
        flag = CROWD_WORDS.get(str(value).strip().lower(), whole(value))
        if flag not in CROWD_FLAGS:
            return "crowd flag", f"iscrowd is {plain(value)}, not 0 or 1."
        self._repaired("crowd flags that are no numbers, read as such")
        record["iscrowd"] = flag
        return None

    def _keypoints(self, record: dict) -> Verdict:
        listed, claimed = record.get("keypoints", ()), record.get("num_keypoints")
        if (listed is None or (isinstance(listed, list | tuple) and not listed)) and not claimed:
            return None
        values = numbers(listed)
        if values is None:
            if (values := numbers_within(listed)) is None:
                return "keypoint numbers", "Its keypoints aren't a list of numbers."
            self._repaired("keypoints written as text or in lists of lists, read as numbers")
            record["keypoints"] = values
        category, categories = record["category_id"], self.categories
        if type(category) is not int or category != categories.id:
            if not values.any() and not claimed:
                return None
            if category in categories.others:
                self._repaired("annotations of a category with other keypoints, left aside")
                record["keypoints"], record["num_keypoints"] = [], 0
                return None
            if category not in categories.accepted:
                return "keypoint category", "Its category names no keypoints."
            self._matched(record)
        if values.size not in (2 * len(categories.schema), 3 * len(categories.schema)):
            return "keypoint length", f"It has {values.size} keypoint numbers, not 3 x {len(categories.schema)}."
        return self._places(record, *self._visibility(record, values))

    def _visibility(self, record: dict, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (K, 2) and flags (K,) in {0, 1, 2}, of 2 K or 3 K numbers."""
        if values.size == 2 * len(self.categories.schema):
            points = values.reshape(-1, 2)
            there = np.isfinite(points).all(1) & (points > 0).any(1)
            words = "keypoints without visibility, taken as visible"
            return points, self._set(record, points, np.where(there, 2, 0), words)
        points, flags = values.reshape(-1, 3)[:, :2], values[2::3]
        odd = (flags != 0) & (flags != 1) & (flags != 2)
        if (odd & (flags > 0) & (flags < 1)).any():
            words = "visibility given as a score, taken as labelled above 0"
            flags = self._set(record, points, np.where((flags > 0) & (flags <= 1), 2, 0), words)
        elif odd.any():
            below = "below 0" if (flags[odd] < 0).all() else "that is none of 0, 1, 2"
            flags = self._set(record, points, np.where(odd, 0, flags), f"visibility {below}, taken as unlabelled")
        count, placed = whole(record.get("num_keypoints")), (points > 0).all(1)
        if not flags.any() and count and count == placed.sum():
            words = "keypoints that num_keypoints counts though v = 0 for all, taken as visible"
            flags = self._set(record, points, np.where(placed, 2, 0), words)
        return points, flags

    def _places(self, record: dict, points: np.ndarray, flags: np.ndarray) -> Verdict:
        """Labelled keypoints lie in the picture, and not all in its corner, and are as many as is said."""
        schema, size = self.categories.schema, self.sizes[record["image_id"]]
        inside = ((points >= 0) & (points <= size)).all(1)
        if ((flags > 0) & ~inside).any():
            if not (inside & (flags > 0)).any():
                k = np.flatnonzero((flags > 0) & ~inside)[0]
                where = f"outside the image {_by(size)}" if np.isfinite(points[k]).all() else "which is no place"
                return "keypoint place", f"Its {schema.names[k]} lies at ({points[k][0]:g}, {points[k][1]:g}), {where}."
            words = "persons with keypoints outside their picture, these taken as unlabelled"
            flags = self._set(record, points, np.where(inside, flags, 0), words)
        if ((flags > 0) & ~points.any(1)).any():
            words = "persons with labelled keypoints at (0, 0), these taken as unlabelled"
            flags = self._set(record, points, np.where(points.any(1), flags, 0), words)
        if "num_keypoints" in record and record["num_keypoints"] != (flags > 0).sum():
            self._repaired("num_keypoints counted again")
            del record["num_keypoints"]
        return None

    def _set(self, record: dict, points: np.ndarray, flags: np.ndarray, words: str) -> np.ndarray:
        """Gives the record's keypoints other flags, (K,), and returns them."""
        self._repaired(words)
        record["keypoints"] = np.column_stack([np.where(flags[:, None] > 0, points, 0), flags]).ravel()
        record.pop("num_keypoints", None)  # it counted what there was before
        return flags

    def _box(self, record: dict) -> Verdict:
        """The part of a box that is inside its picture; where there is none, one around the keypoints."""
        if not record.get("iscrowd") and not flagged(record):
            return None  # nobody reads it
        size, given = np.array(self.sizes[record["image_id"]]), record.get("bbox")
        values = numbers_within(given)
        if values is not None and values.shape == (4,) and np.isfinite(values).all() and (values[2:] > 0).all():
            low, high = values[:2], values[:2] + values[2:]
            fits = (low >= -BOX_SLACK).all() and (high <= size + BOX_SLACK).all()
            if fits and numbers(given) is not None:
                return None
            low, high = np.clip(low, 0, size), np.clip(high, 0, size)
            if (high - low >= 1).all():
                self._repaired("boxes that reach out of their picture, clipped")
                record["bbox"] = [*low.tolist(), *(high - low).tolist()]
                self.clipped += 1
                self.corners += bool((values[2:] > values[:2]).all() and (values[2:] <= size + BOX_SLACK).all())
                return None
        if not flagged(record):
            return "box", f"Its box {plain(given)} isn't x, y, width, height within the image {_by(tuple(size))}."
        self._repaired("boxes that are absent or empty, drawn around the keypoints")
        points = np.asarray(record["keypoints"], np.float64).reshape(-1, 3)
        record["bbox"] = around(points[points[:, 2] > 0, :2], size)
        return None

    def _again(self, record: dict) -> Verdict:
        if record["id"] in self.seen:
            if self.seen[record["id"]] == _content(record):
                return TWICE, "The annotation was listed before."
            self._repaired("annotation ids that occur twice, numbered anew")
            record["id"] = next(self.free)
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


def _by(size: tuple[float, float]) -> str:
    return f"of {size[0]:g} x {size[1]:g} pixels" if np.isfinite(size).all() else ""


def around(points: np.ndarray, size: np.ndarray) -> list[float]:
    """The box (x, y, w, h) around labelled keypoints (n, 2), inside a picture of `size`."""
    low, high = points.min(0), points.max(0)
    least = LEAST_SHARE * size.min() if np.isfinite(size).all() else 1.0
    half = np.maximum((high - low) * (0.5 + ROOM), least / 2)
    centre = (low + high) / 2
    low, high = np.clip(centre - half, 0, size), np.clip(centre + half, 0, size)
    return [*low.tolist(), *(high - low).tolist()]
