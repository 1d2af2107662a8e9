"""The latents of a split's persons, in a file of the run that made them. Thesis 6.3; explained in 03_interpretation.

`<run>/latents/<split>-<best by>-<persons>-<made of>.npy`, a memory map: the 124,040 persons of the thesis are 2 GB
that need not fit into memory. The two hashes name the persons and all that their latents follow from (weights, crops
and code), so that a file is never stale; a newer one of the same persons takes an older one's place.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from rich.progress import track

from hgnb.data.prepared import Prepared, PreparedSplit
from hgnb.identity import identity
from hgnb.training.inference import Reader
from hgnb.training.rows import Rows
from hgnb.training.runs import Run

BATCH = 64  # persons encoded, written and checked together
ROOTS = (  # what makes them
    "hgnb.training.inference.Reader.latents",
    "hgnb.model.hourglass.StackedHourglass",
    "hgnb.model.config.HourglassConfig",
)


@dataclass(frozen=True)
class Latents:
    """The flattened latents of some persons of a split."""

    positions: np.ndarray  # (N,) in the split, ascending
    values: np.ndarray  # (N, D) float32, may be a memory map

    def of(self, positions: np.ndarray) -> np.ndarray:
        """(n, D) in memory, of persons that were kept; ValueError for others."""
        rows = np.searchsorted(self.positions, positions)
        if not np.array_equal(self.positions[rows[rows < len(self.positions)]], positions):
            raise ValueError("the latents of some of these persons weren't kept")
        return np.array(self.values[rows])


def kept(
    run: Run, prepared: Prepared, split: str, persons: np.ndarray | None, width: int, reader: Callable[[], Reader],
    best: str = "val_pck", progress: bool = False,
) -> Latents:  # fmt: skip
    """The latents of a split's persons at the ascending positions `persons`, or of all for None.

    What isn't on disk yet is encoded: `reader` is called only then. A file of the whole split serves any of its
    persons.
    """
    whole = prepared.split(split)
    made_of = hashlib.sha256(
        json.dumps([_digest(run.file(best)), prepared.checksum, identity(ROOTS), BATCH]).encode()
    ).hexdigest()[:10]
    everyone = np.arange(len(whole))
    wanted = everyone if persons is None else np.asarray(persons, dtype=int)
    folder = run.folder / "latents"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / ".lock"):
        rows = Rows(_path(folder, whole, everyone, best, made_of), len(whole), width, BATCH)
        held = everyone
        if not rows.path.exists() and len(wanted) < len(whole):
            rows = Rows(_path(folder, whole, wanted, best, made_of), len(wanted), width, BATCH)
            held = wanted
        if not len(held):
            return Latents(held, np.zeros((0, width), np.float32))
        _fill(rows, whole, held, reader, progress)
        _forget_older(rows.path)
        return Latents(held, rows.open())


def _fill(rows: Rows, split: PreparedSplit, persons: np.ndarray, reader: Callable[[], Reader], progress: bool) -> None:
    """Encodes the batches that are missing."""
    missing, title = rows.missing(), f"latents of {len(persons):,} {split.name} persons"
    if missing:
        # A new network and a loader draw from torch's generator: nothing a caller draws may depend on this file.
        with torch.random.fork_rng(devices=[]):
            network = reader()
            for batch in track(missing, title, disable=not progress):
                values = network.latents(split.take(persons[batch]))
                rows.write(batch, values.reshape(len(values), -1))
    rows.finish()


def _path(folder: Path, split: PreparedSplit, persons: np.ndarray, best: str, made_of: str) -> Path:
    who = hashlib.sha256(np.ascontiguousarray(split.person_ids[persons], dtype="<i8").tobytes()).hexdigest()[:8]
    return folder / f"{split.name}-{best}-{who}-{made_of}.npy"


def _forget_older(path: Path) -> None:
    """Removes the files of the same persons that other weights, crops or code made."""
    same = path.name.rsplit("-", 1)[0]
    for other in [*path.parent.glob(f"{same}-*.npy"), *path.parent.glob(f".{same}-*.partial")]:
        if other != path:
            other.unlink(missing_ok=True)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
