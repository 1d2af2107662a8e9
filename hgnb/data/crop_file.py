"""The .npy file that holds the crops of a split, written row by row while images are decoded on threads. Thesis 4.2.2;
explained in 01_dataset.
"""

import os
import zlib
from collections import defaultdict
from typing import BinaryIO, NamedTuple

import numpy as np

from hgnb.data import coco
from hgnb.data.config import DataConfig
from hgnb.data.crops import keypoints_in, square
from hgnb.data.images import DamagedImage, decode, in_threads


class Rows(NamedTuple):
    """What is known of N persons once they are cropped."""

    keypoints: np.ndarray  # (N, K, 3) float32
    squares: np.ndarray  # (N, 3) int: x, y, side
    checks: np.ndarray  # (N, 2) uint32: CRC-32 and Adler-32 of the crop


def write(file: BinaryIO, persons: list[coco.Person], config: DataConfig):
    """Every person's crop into its row, images side by side on threads; the other rows, the sum of RGB, who had no
    image.

    Crops are written to their place in the file, not through a memory map, whose pages would count as memory. Each
    is checked where it is made, while other threads run, so that nothing has to be read again.
    """
    start, length = _header(file, len(persons), config.side), config.side**2 * 3
    row = {p.id: i for i, p in enumerate(persons)}
    joints = len(persons[0].keypoints) if persons else 0
    shapes = ((len(persons), joints, 3), np.float32), ((len(persons), 3), int), ((len(persons), 2), np.uint32)
    rows = Rows(*(np.zeros(*shape) for shape in shapes))

    def cut(group: list[coco.Person]) -> tuple[np.ndarray, str]:
        total = np.zeros(3, np.int64)
        try:
            image = decode(group[0].file, group[0].image_size).rgb
        except DamagedImage as damage:
            return total, damage.kind
        for person in group:
            i = row[person.id]
            place = square(person, size=config.side, margin=config.margin, rule=config.rule)
            crop = place.apply(image)
            if os.pwrite(file.fileno(), crop, start + i * length) < length:
                raise OSError(f"There is no space left to write {file.name}.")
            rows.keypoints[i] = keypoints_in(person, place)
            rows.squares[i] = place.x, place.y, place.side
            rows.checks[i] = zlib.crc32(crop), zlib.adler32(crop)
            total += crop.sum(0, dtype=np.uint32).sum(0, dtype=np.int64)  # ten times as fast as over both axes at once
        return total, ""

    total, damaged = np.zeros(3, np.int64), defaultdict(list)
    groups = list(coco.by_image(persons).values())
    for group, (part, kind) in zip(groups, in_threads(cut, groups), strict=True):
        total += part
        if kind:
            damaged[kind] += [p.id for p in group]
    return rows, total, dict(damaged)


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
            os.pwrite(file.fileno(), os.pread(file.fileno(), length, start + row * length), start + place * length)
    file.truncate(start + len(rows) * length)
