"""Square crops around one person, and the file that holds those of a split. Thesis 4.2.2; explained in 01_dataset.

The box's longer side, centred on the outermost labelled keypoints, a tenth larger; where the image can't hold
it, as much as fits while square; moved inside where it sticks out (ambiguity 8).
"""

import hashlib
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from PIL import Image

from hgnb.data.coco import Person, by_image
from hgnb.data.images import DamagedImage, decode, in_threads
from hgnb.errors import unknown

RULES = ("shift", "vertical")


@dataclass(frozen=True, slots=True)
class CropTransform:
    """A square of whole pixels of an image, `side` wide from (x, y), resized to `size` pixels.

    Points are (..., 2) as (x, y) with pixel centres at integers, so both ways shift by half a pixel.

    >>> CropTransform(x=10, y=20, side=100, size=50).to_crop(np.array([60.0, 70.0]))
    array([24.75, 24.75])
    """

    x: int
    y: int
    side: int
    size: int

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the image -> pixels of the crop."""
        return (points - (self.x, self.y) + 0.5) * (self.size / self.side) - 0.5

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the crop -> pixels of the image."""
        return (points + 0.5) * (self.side / self.size) - 0.5 + (self.x, self.y)

    def apply(self, image: Image.Image) -> np.ndarray:
        """The crop, (size, size, 3) uint8."""
        box = (self.x, self.y, self.x + self.side, self.y + self.side)
        return np.asarray(image.resize((self.size, self.size), Image.Resampling.BILINEAR, box=box))


def square(person: Person, *, size: int, margin: float, rule: str) -> CropTransform:
    """The square of a person, around the labelled keypoints; see `square_around`."""
    labelled = person.keypoints[person.keypoints[:, 2] > 0, :2]
    ends, longer = (labelled.min(0), labelled.max(0)), max(person.box[2:])
    return square_around(*ends, longer, person.image_size, size=size, margin=margin, rule=rule)


def square_of_box(box: np.ndarray, image_size: tuple[int, int], *, size: int, margin: float, rule: str):
    """The CropTransform of a box (x, y, w, h) whose keypoints nobody knows: the same square, centred on the box.

    >>> square_of_box((10, 20, 40, 80), (640, 480), size=64, margin=0.1, rule="shift").side
    88
    """
    low = np.asarray(box[:2], dtype=np.float64)
    high = low + np.asarray(box[2:], dtype=np.float64) - 1  # centre of the last pixel that the box covers
    return square_around(low, high, max(box[2:]), image_size, size=size, margin=margin, rule=rule)


def square_around(
    low: np.ndarray,
    high: np.ndarray,
    longer: float,
    image_size: tuple[int, int],
    *,
    size: int,
    margin: float,
    rule: str,
) -> CropTransform:
    """The square for points from `low` to `high`, (2,) each in pixels of the image, and a box whose longer side is
    `longer` pixels.

    `rule` "shift" moves the square inside the image both ways; "vertical" is the thesis's literal rule: it
    moves only up or down and shrinks until the person, kept centred in x, fits sideways. Labelled keypoints whose
    extent fits into the side are all inside: whole pixels are not rounded past the outermost of them.
    """
    if rule not in RULES:
        raise unknown("crop rule", rule, RULES)
    size_of_image = np.array(image_size)
    centre = (low + high) / 2
    limit = size_of_image.min()
    if rule == "vertical":
        width = image_size[0]
        cx = float(np.clip(centre[0] + 0.5, 0.5, width - 0.5))
        limit = min(limit, 2 * cx, 2 * (width - cx))
    side = max(1, round(min(longer * (1 + margin), limit)))
    corner = np.round(centre + 0.5 - side / 2)
    first, last = (np.clip(np.floor(p + 0.5), 0, size_of_image - 1) for p in (low, high))  # outermost pixels
    fits = last - first < side
    corner = np.where(fits, np.clip(corner, last - side + 1, first), corner)
    x, y = np.clip(corner, 0, size_of_image - side).astype(int)
    return CropTransform(int(x), int(y), side, size)


def keypoints_in(person: Person, crop: CropTransform) -> np.ndarray:
    """(K, 3) float32: the person's keypoints in pixels of the crop; one outside of it gets v = 0."""
    points = crop.to_crop(person.keypoints[:, :2])
    pixels = np.floor(person.keypoints[:, :2] + 0.5) - (crop.x, crop.y)
    inside = ((pixels >= 0) & (pixels < crop.side)).all(1)
    visibility = np.where(inside, person.keypoints[:, 2], 0)
    return np.where(visibility[:, None] > 0, np.column_stack([points, visibility]), 0).astype(np.float32)


DIGEST = 16  # bytes: accidents are what a digest must tell apart


class Written(NamedTuple):
    """What writing N crops told."""

    digests: np.ndarray  # (N, DIGEST) uint8: BLAKE2b of each crop
    total: np.ndarray  # (3,) int64: the sum of red, green and blue over all pixels
    damaged: dict[str, list[int]]  # persons whose image couldn't be used, by kind of fault
    reasons: dict[str, str]  # of the first such image, by kind of fault


def write(file: BinaryIO, persons: list[Person], squares: list[CropTransform], side: int) -> Written:
    """Every person's crop into its row, images side by side on threads.

    Rows are written to their place in the file, not through a memory map, whose pages would count as memory; by one
    thread at a time, since Windows has no write that leaves the file's position alone. Each is hashed where it is
    made, while other threads run, so that nothing has to be read again. What threads do is to let go of the
    interpreter's lock for most of the time: squares are made before.
    """
    start, length = _header(file, len(persons), side), side * side * 3
    row, turn = {p.id: i for i, p in enumerate(persons)}, threading.Lock()
    digests = np.zeros((len(persons), DIGEST), np.uint8)

    def cut(group: list[Person]) -> np.ndarray:
        image, total = decode(group[0].file, group[0].image_size).rgb, np.zeros(3, np.int64)
        for person in group:
            i = row[person.id]
            crop = squares[i].apply(image)
            with turn:
                file.seek(start + i * length)
                file.write(cast(bytes, crop))
            digests[i] = np.frombuffer(digest(crop), np.uint8)
            total += crop.sum(0, dtype=np.uint32).sum(0, dtype=np.int64)  # ten times as fast as over both axes at once
        return total

    total, damaged, reasons = np.zeros(3, np.int64), defaultdict[str, list[int]](list), dict[str, str]()
    groups = list(by_image(persons).values())
    for group, made in zip(groups, in_threads(cut, groups), strict=True):
        if isinstance(made, DamagedImage):
            damaged[made.kind] += [p.id for p in group]
            reasons.setdefault(made.kind, str(made))
        else:
            total += made
    return Written(digests, total, dict(damaged), reasons)


def digest(crop: np.ndarray) -> bytes:
    """BLAKE2b of one crop."""
    return hashlib.blake2b(cast(bytes, np.ascontiguousarray(crop)), digest_size=DIGEST).digest()


def _header(file: BinaryIO, rows: int, side: int) -> int:
    """Begins an .npy file of `rows` crops; where the first begins. NumPy leaves room for any number of rows."""
    file.seek(0)
    fields = {"descr": "|u1", "fortran_order": False, "shape": (rows, side, side, 3)}
    np.lib.format.write_array_header_1_0(file, fields)
    file.flush()
    return file.tell()


def keep(file: BinaryIO, rows: list[int], side: int) -> None:
    """Moves the given rows together, where some between them were never written."""
    start, length = _header(file, len(rows), side), side * side * 3
    for place, row in enumerate(rows):
        if place < row:
            file.seek(start + row * length)
            crop = file.read(length)
            file.seek(start + place * length)
            file.write(crop)
    file.truncate(start + len(rows) * length)
