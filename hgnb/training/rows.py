"""A file with a row for each person, written batch by batch and checked batch by batch: a kill costs one batch.

It is an .npy file of float32, opened as a memory map; behind the rows stands one number a batch, its CRC-32 and a
mark that it was written. While batches are missing the file has another name.
"""

import os
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np

from hgnb.training.runs import full_disk_told

WRITTEN = 1 << 32  # beside a checksum of 32 bits; the number of a batch that was never written is 0


class Rows:
    """(count, width) float32 at `path`, in batches of `batch` rows."""

    def __init__(self, path: Path, count: int, width: int, batch: int):
        self.path, self.count, self.width, self.batch = path, count, width, batch
        self.partial = path.with_name(f".{path.name}.partial")
        head = BytesIO()
        fields = {"descr": "<f4", "fortran_order": False, "shape": (count, width)}
        np.lib.format.write_array_header_1_0(head, fields)
        self.head = head.getvalue()
        self.sums = len(self.head) + 4 * count * width  # where the checksums begin
        self.size = self.sums + 8 * len(range(0, count, batch))

    def missing(self) -> list[slice]:
        """The batches that aren't there yet or are damaged; a finished file that has some becomes unfinished."""
        if self.path.exists():
            damaged = self._damaged(self.path)
            if damaged:
                os.replace(self.path, self.partial)
            return damaged
        return self._damaged(self.partial) if self.partial.exists() else list(self._batches())

    def write(self, rows: slice, values: np.ndarray) -> None:
        """One batch, and then its checksum; InputError on a full disk."""
        content = np.ascontiguousarray(values, dtype="<f4").tobytes()
        number = (zlib.crc32(content) | WRITTEN).to_bytes(8, "little")
        # Not through a memory map: its pages would count as memory, and a full disk would be a crash.
        with (
            full_disk_told(self.path, self.size, "it goes on where it stopped"),
            open(self.partial, "r+b" if self.partial.exists() else "w+b") as file,
        ):
            if os.fstat(file.fileno()).st_size != self.size:
                file.truncate(self.size)
            for place, part in (0, self.head), (self._place(rows), content), (self._sum(rows), number):
                file.seek(place)
                file.write(part)

    def finish(self) -> None:
        """Gives the file its name, once every batch is there."""
        if self.partial.exists():
            with open(self.partial, "r+b") as file:
                os.fsync(file.fileno())
            os.replace(self.partial, self.path)

    def open(self) -> np.ndarray:
        """(count, width) memory map; what is written to it stays in memory, since torch wants a writable array."""
        shape = (self.count, self.width)
        return np.memmap(self.path, dtype="<f4", mode="c", offset=len(self.head), shape=shape)

    def _batches(self) -> Iterator[slice]:
        for start in range(0, self.count, self.batch):
            yield slice(start, min(start + self.batch, self.count))

    def _place(self, rows: slice) -> int:
        return len(self.head) + 4 * self.width * rows.start

    def _sum(self, rows: slice) -> int:
        return self.sums + rows.start // self.batch * 8

    def _damaged(self, path: Path) -> list[slice]:
        """Batches whose rows don't have the sum that stands behind them."""
        wrong = []
        with open(path, "rb") as file:
            for rows in self._batches():
                length = 4 * self.width * (rows.stop - rows.start)
                file.seek(self._place(rows))
                content = file.read(length)
                file.seek(self._sum(rows))
                number = file.read(8)
                if len(content) < length or int.from_bytes(number, "little") != zlib.crc32(content) | WRITTEN:
                    wrong.append(rows)
        return wrong
