"""The .npy file that holds the crops of a split, written row by row while images are decoded on threads. Thesis 4.2.2;
explained in 01_dataset.
"""

import hashlib
import threading
from collections import defaultdict
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from hgnb.data import coco
from hgnb.data.crops import CropTransform
from hgnb.data.images import DamagedImage, decode, in_threads

DIGEST = 16  # bytes: accidents are what a digest must tell apart


class Written(NamedTuple):
    """What writing N crops told."""

    digests: np.ndarray  # (N, DIGEST) uint8: BLAKE2b of each crop
    total: np.ndarray  # (3,) int64: the sum of red, green and blue over all pixels
    damaged: dict[str, list[int]]  # persons whose image couldn't be used, by kind of fault
    reasons: dict[str, str]  # of the first such image, by kind of fault


def write(file: BinaryIO, persons: list[coco.Person], squares: list[CropTransform], side: int) -> Written:
    """Every person's crop into its row, images side by side on threads.

    Rows are written to their place in the file, not through a memory map, whose pages would count as memory; by one
    thread at a time, since Windows has no write that leaves the file's position alone. Each is hashed where it is
    made, while other threads run, so that nothing has to be read again. What threads do is to let go of the
    interpreter's lock for most of the time: squares are made before.
    """
    start, length = _header(file, len(persons), side), side * side * 3
    row, turn = {p.id: i for i, p in enumerate(persons)}, threading.Lock()
    digests = np.zeros((len(persons), DIGEST), np.uint8)

    def cut(group: list[coco.Person]) -> tuple[np.ndarray, DamagedImage | None]:
        total = np.zeros(3, np.int64)
        try:
            image = decode(group[0].file, group[0].image_size).rgb
        except DamagedImage as damage:
            return total, damage
        for person in group:
            i = row[person.id]
            crop = squares[i].apply(image)
            with turn:
                file.seek(start + i * length)
                file.write(cast(bytes, crop))
            digests[i] = np.frombuffer(digest(crop), np.uint8)
            total += crop.sum(0, dtype=np.uint32).sum(0, dtype=np.int64)  # ten times as fast as over both axes at once
        return total, None

    damaged: dict[str, list[int]]
    reasons: dict[str, str]
    total, damaged, reasons = np.zeros(3, np.int64), defaultdict(list), {}
    groups = list(coco.by_image(persons).values())
    for group, (part, damage) in zip(groups, in_threads(cut, groups), strict=True):
        total += part
        if damage:
            damaged[damage.kind] += [p.id for p in group]
            reasons.setdefault(damage.kind, str(damage))
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
