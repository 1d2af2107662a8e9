"""A network's passes over a split: predictions and latents in batches, with skips switched and latents replaced where
asked; decodings of the same heatmaps; latents kept on disk; and what one gets without a network. Chapters 02, 03, 07.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import cast

import numpy as np
import torch
from filelock import FileLock
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader

from hgnb.data.dataset import Batch, Persons, loader
from hgnb.data.heatmaps import HeatmapConfig, cells, heatmaps
from hgnb.data.prepared import Prepared, PreparedSplit
from hgnb.data.schema import KeypointSchema, exchanged
from hgnb.home import full_disk_told, sha256
from hgnb.identity import identity
from hgnb.metrics import PckConfig, found, pck, peaks
from hgnb.metrics.decoding import decoded
from hgnb.model.hourglass import Skips, StackedHourglass, fold
from hgnb.stats import Estimate, pck_difference
from hgnb.stats import pck as pooled_pck
from hgnb.training.runs import Run


@dataclass(frozen=True)
class Predictions:
    """What a network says of N persons; points (N, K, 2) as (x, y) in pixels of a `size` map."""

    points: Tensor
    peaks: Tensor  # (N, K): the maxima of the heatmaps
    true: Tensor  # (N, K, 2)
    visibility: Tensor  # (N, K)
    size: int

    def hits(self, config: PckConfig) -> Tensor:
        """(N, K) bool: found, as PCK counts; where v = 0 it means nothing."""
        return found(self.points, self.true, size=self.size, config=config)


class Reader:
    """A trained network, as a folded copy in evaluation mode, and the mean colour that its crops lose."""

    def __init__(self, network: StackedHourglass, mean_rgb: np.ndarray | Tensor, batch: int = 64):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = fold(network).to(self.device, memory_format=torch.channels_last)
        self.mean_rgb = torch.as_tensor(mean_rgb, device=self.device)
        self.batch = batch

    def maps(self, batch: Batch, *, skips: Skips = True, edit: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """(B, K, size, size): the last heatmaps of persons on the reader's device; training validates by them too."""
        return self.network(batch.images(self.mean_rgb), skips=skips, edit=edit)

    @torch.inference_mode()
    def predict(
        self, split: Persons, *, skips: Skips = True, edit: Callable[[Tensor], Tensor] | None = None
    ) -> Predictions:
        """Argmax of every heatmap of every person; `skips` and `edit` as in StackedHourglass.predictions."""
        side = split.crops.shape[1]
        size = side // self.network.config.stride
        parts: list[tuple[Tensor, ...]] = []
        for batch in loader(split, self.batch):
            batch = batch.to(self.device)
            points, values = peaks(self.maps(batch, skips=skips, edit=edit))
            parts.append((points, values, cells(batch.points, side, size), batch.visibility))
        points, values, true, visibility = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
        return Predictions(points, values, true, visibility, size)

    @torch.inference_mode()
    def heatmaps(self, split: Persons, *, skips: Skips = True) -> np.ndarray:
        """(N, K, size, size) float32; for a few persons to be drawn."""
        maps = [self.maps(batch.to(self.device), skips=skips) for batch in loader(split, self.batch)]
        return torch.cat(maps).cpu().numpy()

    @torch.inference_mode()
    def latents(self, split: Persons, stack: int = 0) -> np.ndarray:
        """(N, C, s, s) float32: the third bottleneck residual of each person, in the hourglass at place `stack`."""
        images = (b.to(self.device).images(self.mean_rgb) for b in loader(split, self.batch))
        parts = [self.network.latents(x, stack) for x in images]
        return torch.cat(parts).float().cpu().numpy()

    @torch.inference_mode()
    def codes(self, latents: np.ndarray) -> np.ndarray:
        """(N, C, s, s) -> (N, code): what the autoencoder in the bottleneck makes of latents."""
        autoencoder = self.network.hourglasses[0].autoencoder
        if autoencoder is None:
            raise ValueError("this hourglass has no autoencoder in its bottleneck")
        parts = torch.from_numpy(latents).split(1024)
        return torch.cat([autoencoder.encode(p.to(self.device)).cpu() for p in parts]).numpy()


def loaded(split: PreparedSplit, batch: int, seed: int | None = None, rank: int = 0, size: int = 1) -> DataLoader:
    """As hgnb.data.dataset.loader, of `size` processes the one called `rank` with its share of every batch."""
    persons = cast(Persons, split)  # `Persons` speaks of arrays that may be replaced, a loader only reads them
    return loader(persons, batch, seed, rank, size)


def read(reader: Reader, split: PreparedSplit) -> Iterator[Batch]:
    """All persons in order, on the reader's device."""
    for batch in loaded(split, reader.batch):
        yield batch.to(reader.device)


MIRRORED = " + mirror"  # behind the name of a decoding of the mean with the mirror image


@dataclass(frozen=True)
class Decodings:
    """Where several decodings of one network put the keypoints of N persons. Ours; explained in 07_beyond.

    The thesis counts distances between whole pixels of the map: the truth is the pixel that holds the keypoint. A point
    between pixels gains nothing by that rule. So here both are points of the crop: pixel (i, j) of a map has its centre
    at s (j + 1/2) - 1/2 and s (i + 1/2) - 1/2 for a map s times smaller, and the truth is where the label is.
    """

    offsets: dict[str, np.ndarray]  # (N, K, 2): predicted less true, pixels of the crop
    visibility: np.ndarray  # (N, K)
    images: np.ndarray  # (N,)
    normaliser: float  # pixels of the crop

    @property
    def counted(self) -> np.ndarray:
        """(N, K) bool."""
        return self.visibility > 0

    def hits(self, name: str, radius: float) -> np.ndarray:
        """(N, K) bool: nearer than `radius` normalisers, strictly, as PCK counts."""
        return np.linalg.norm(self.offsets[name], axis=-1) < radius * self.normaliser

    def pck(self, name: str, radius: float) -> Estimate:
        return pooled_pck(self.hits(name, radius), self.counted, self.images)

    def gain(self, name: str, radius: float, over: str = "argmax") -> Estimate:
        """PCK less that of another decoding, paired by image."""
        return pck_difference(self.hits(name, radius), self.hits(over, radius), self.counted, self.images)

    def curve(self, name: str, radii: np.ndarray) -> np.ndarray:
        """(R,) PCK at each radius."""
        near = np.sort(np.linalg.norm(self.offsets[name], axis=-1)[self.counted])
        return np.searchsorted(near, radii * self.normaliser) / max(len(near), 1)

    def drift(self, name: str, within: float) -> np.ndarray:
        """(2,) median of predicted less true in x and y, of the keypoints within a radius: where all lean to."""
        there = self.counted & self.hits(name, within)
        return np.median(self.offsets[name][there], axis=0) if there.any() else np.full(2, np.nan)


@torch.inference_mode()
def compared(reader: Reader, split: PreparedSplit, schema: KeypointSchema, pck: PckConfig) -> Decodings:
    """Every decoding of a split's heatmaps, and of their mean with those of the mirrored crops (Newell et al., 4.1)."""
    stride, side = reader.network.config.stride, split.crops.shape[1]
    order = torch.as_tensor(exchanged(schema), device=reader.device)
    parts: dict[str, list[Tensor]] = {}
    for batch in read(reader, split):
        images = batch.images(reader.mean_rgb)
        maps = reader.network(images)
        both = (maps + reader.network(images.flip(-1))[:, order].flip(-1)) / 2
        for words, made in (("", decoded(maps)), (MIRRORED, decoded(both))):
            for name, points in made.items():
                parts.setdefault(name + words, []).append((points.cpu() + 0.5) * stride - 0.5)
    true = torch.from_numpy(np.array(split.keypoints[..., :2]))
    offsets = {name: (torch.cat(points) - true).numpy() for name, points in parts.items()}
    return Decodings(offsets, split.visibility, split.image_ids, pck.normaliser * side)


def silent_loss(
    persons: PreparedSplit, side: int, size: int, config: HeatmapConfig, least_visibility: int = 1
) -> float:
    """Mean squared error of all-zero heatmaps; crops of `side` and maps of `size` pixels.

    `least_visibility`: the v that a keypoint needs to be a target.
    """
    total = 0.0
    for batch in loaded(persons, 256):
        v = batch.visibility * (batch.visibility >= least_visibility)
        maps = heatmaps(batch.points, v, side=side, size=size, config=config)
        total += float(maps.double().square().mean((1, 2, 3)).sum())
    return total / len(persons.keypoints)


@dataclass(frozen=True)
class Baselines:
    """Scores of two predictors that never look at the image, on `val`: the lines that a training has to cross."""

    zero_loss: float  # MSE of predicting nothing
    mean_map_loss: float  # MSE of each joint's mean heatmap over the training persons
    mean_pose_pck: float  # PCK of each joint's mean position over the training persons


def baselines(
    train: Persons, val: Persons, *, side: int, stride: int, maps: HeatmapConfig, config: PckConfig
) -> Baselines:
    """Both predictors are fitted on `train` (labelled joints only) and scored on `val`."""
    size = side // stride

    def targets(persons: Persons):
        for batch in loader(persons, 256):
            yield batch, heatmaps(batch.points, batch.visibility, side=side, size=size, config=maps)

    mean_map = sum(t.double().sum(0) for _, t in targets(train)) / len(train.keypoints)
    zero = error = 0.0
    for _, target in targets(val):
        target = target.double()
        zero += float(target.square().sum())
        error += float((target - mean_map).square().sum())
    elements = len(val.keypoints) * mean_map.numel()
    hits = torch.from_numpy(mean_pose_hits(train, val, side, stride, config))
    return Baselines(zero / elements, error / elements, float(pck(hits, torch.from_numpy(val.keypoints[..., 2]))))


def mean_pose_hits(train: Persons, persons: Persons, side: int, stride: int, config: PckConfig) -> np.ndarray:
    """(N, K) bool: keypoints of `persons` that each joint's mean position over the labelled of `train` finds."""
    size = side // stride
    keypoints = torch.from_numpy(train.keypoints).double()
    labelled = (keypoints[..., 2:] > 0).double()
    mean_pose = (keypoints[..., :2] * labelled).sum(0) / labelled.sum(0).clamp(min=1)  # (K, 2)
    true = cells(torch.from_numpy(persons.keypoints[..., :2]), side, size)
    guess = cells(mean_pose.expand(len(true), -1, -1), side, size)
    return found(guess, true, size=size, config=config).numpy()


WRITTEN = 1 << 32  # beside a checksum of 32 bits; the number of a batch that was never written is 0


class Rows:
    """A row of `width` float32 for each of `count` persons at `path`, written and checked in batches of `batch`: a kill
    costs one batch.

    It is an .npy file, opened as a memory map; behind the rows stands one number a batch, its CRC-32 and a mark that it
    was written. While batches are missing the file has another name.
    """

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


BATCH = 64  # persons encoded, written and checked together
LATENT_ROOTS = (  # what makes them
    "hgnb.training.passes.Reader",
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
    persons. It is `<run>/latents/<split>-<best by>-<persons>-<made of>.npy`, a memory map: the 124,040 persons of the
    thesis are 2 GB that need not fit into memory. The two hashes name the persons and all that their latents follow
    from (weights, crops and code), so that a file is never stale; a newer one of the same persons takes an older one's
    place.
    """
    whole = prepared.split(split)
    made_of = hashlib.sha256(
        json.dumps([sha256(run.file(best)), prepared.checksum, identity(LATENT_ROOTS), BATCH]).encode()
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
