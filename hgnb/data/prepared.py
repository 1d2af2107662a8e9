"""Crops and keypoints of a dataset, made once and kept. Thesis 4.2; explained in 01_dataset.

A prepared dataset is a folder: for each split `<split>.npy` with the crops, (N, side, side, 3) uint8, opened
as a memory map, and `<split>.npz` with keypoints, crop squares and ids; `manifest.json` holds the rest. Its
name carries a hash of what changes its content, so that it is found again and never stale.
"""

import hashlib
import json
import os
import shutil
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from hgnb.data import coco
from hgnb.data.crops import CropTransform, keypoints_in, square
from hgnb.data.images import DamagedImage, decode, in_threads
from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError
from hgnb.quantity import quantity
from hgnb.sources import fingerprint

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class DataConfig:
    """Which persons are kept and how they are cropped; the defaults are the thesis's."""

    side: int = quantity(256, "pixels", "4.2.2")
    margin: float = quantity(0.10, "of the box's longer side, in all", "4.2.2; ambiguity 8")
    rule: str = quantity("shift", "'shift' or 'vertical'", "4.2.2; ambiguity 8")
    min_labelled: int = quantity(1, "keypoints with v > 0", "ambiguity 3")
    train_persons: int = quantity(0, "persons, first by id, before the test set is taken; 0: all", "4.2.1")
    val_persons: int = quantity(0, "persons, first by id; 0: all", "4.2.1")
    test_share: float = quantity(1 / 3, "of the training persons at most", "ours: small sets keep a training set")
    split_seed: int = quantity(0, "seed of the test set's images", "4.2.1 (unnamed)")


@dataclass(frozen=True)
class PreparedSplit:
    """N persons of a split, in order of id."""

    name: str
    crops: np.ndarray  # (N, side, side, 3) uint8, memory-mapped
    keypoints: np.ndarray  # (N, K, 3) float32: x, y in pixels of the crop, v in {0, 1, 2}
    squares: np.ndarray  # (N, 3) int: x, y, side of the crop in the image
    person_ids: np.ndarray  # (N,)
    image_ids: np.ndarray  # (N,)
    posture: np.ndarray  # (N,) str, empty where unknown
    motion: np.ndarray  # (N,) str, empty where unknown

    def __len__(self) -> int:
        return len(self.person_ids)

    @property
    def visibility(self) -> np.ndarray:
        """(N, K) in {0, 1, 2}."""
        return self.keypoints[..., 2]

    @property
    def labelled(self) -> np.ndarray:
        """(N,) annotated keypoints of each person."""
        return (self.visibility > 0).sum(1)

    @property
    def fully_labelled(self) -> np.ndarray:
        """Indices of the persons whose every keypoint is annotated and inside the crop."""
        return np.flatnonzero(self.labelled == self.keypoints.shape[1])

    def transform(self, i: int) -> CropTransform:
        """The i-th person's crop."""
        return CropTransform(*self.squares[i].tolist(), self.crops.shape[1])

    def take(self, indices: np.ndarray) -> "PreparedSplit":
        """The persons at `indices`; their crops are read into memory."""
        arrays = {k: v[indices] for k, v in vars(self).items() if isinstance(v, np.ndarray)}
        return replace(self, **arrays)


@dataclass(frozen=True)
class Prepared:
    """A dataset ready for training: its schema, mean colour and splits."""

    folder: Path
    manifest: dict

    @property
    def schema(self) -> KeypointSchema:
        names, skeleton = self.manifest["keypoints"], self.manifest["skeleton"]
        return KeypointSchema(tuple(names), tuple((a, b) for a, b in skeleton))

    @property
    def mean_rgb(self) -> np.ndarray:
        """(3,) float32 in 0..1: the mean over all pixels of the training crops."""
        return np.asarray(self.manifest["mean_rgb"], dtype=np.float32)

    @property
    def checksum(self) -> str:
        """Of the content; two preparations with equal crops and keypoints share it."""
        return self.manifest["checksum"]

    def split(self, name: str) -> PreparedSplit:
        """One of 'train', 'val', 'test'."""
        arrays = np.load(self.folder / f"{name}.npz")
        return PreparedSplit(name, np.load(self.folder / f"{name}.npy", mmap_mode="r"), **arrays)


def prepare(source: Path, config: DataConfig, cache: Path) -> Prepared:
    """The prepared dataset of a COCO-layout folder, made if `cache` doesn't hold it yet."""
    files = [coco.annotation_file(source, split) for split in ("train", "val")]
    key = hashlib.sha256(json.dumps([asdict(config), fingerprint(["hgnb.data.prepared"])]).encode())
    for file in files:
        with file.open("rb") as content:
            key.update(hashlib.file_digest(content, "sha256").digest())
        for image in sorted(coco.image_folder(file).rglob("*")):
            stat = image.stat() if image.exists() else image.lstat()
            key.update(f"{image.name} {stat.st_size} {stat.st_mtime_ns}".encode())
    folder = cache / f"{source.resolve().name}-{config.side}px-{key.hexdigest()[:10]}"
    if not (folder / "manifest.json").exists():
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(source, config, partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    return Prepared(folder, json.loads((folder / "manifest.json").read_text()))


def divide(train: coco.Split, val: coco.Split, config: DataConfig) -> dict[str, list[coco.Person]]:
    """Persons by split: the test set is whole images of the training set, about as many persons as validation."""
    kept = [p for p in train.persons if p.labelled >= config.min_labelled][: config.train_persons or None]
    held = [p for p in val.persons if p.labelled >= config.min_labelled][: config.val_persons or None]
    wanted = min(len(held), int(len(kept) * config.test_share))
    images = coco.by_image(kept)
    order = np.random.default_rng(config.split_seed).permutation(list(images))
    before = np.cumsum([0] + [len(images[i]) for i in order[:-1]])  # persons in the images drawn so far
    chosen = set(order[before < wanted].tolist())
    return {
        "train": [p for p in kept if p.image_id not in chosen],
        "val": held,
        "test": [p for p in kept if p.image_id in chosen],
    }


def _write(source: Path, config: DataConfig, folder: Path) -> None:
    """Crops every person of every split into `folder`, and writes the manifest last.

    A person that is damaged, or whose image is, is left out and counted: splits are drawn before images are
    opened, so that an image that breaks moves nobody to another split.
    """
    train, val = coco.load_both(source)
    dropped = {s.name: {kind: list(ids) for kind, ids in s.dropped.items()} for s in (train, val)}
    manifest = {
        "source": source.resolve().name,
        "config": asdict(config),
        "keypoints": train.schema.names,
        "skeleton": train.schema.skeleton,
        "counts": {s.name: s.counts for s in (train, val)},
        "persons": {},
        "images": {},
        "left_crop": {},
    }
    digest = hashlib.sha256()
    for name, persons in divide(train, val, config).items():
        made = _write_split(name, persons, config, folder, digest)
        manifest["persons"][name] = len(made.persons)
        manifest["images"][name] = len({p.image_id for p in made.persons})
        manifest["left_crop"][name] = made.lost
        if name == "train":
            manifest["mean_rgb"] = made.mean_rgb
        for kind, ids in made.damaged.items():
            dropped[(val if name == "val" else train).name].setdefault(kind, []).extend(ids)
    manifest["dropped"] = {s: {kind: len(ids) for kind, ids in kinds.items()} for s, kinds in dropped.items()}
    manifest["dropped_ids"] = dropped  # of annotations, by the annotation file's split and the kind of fault
    manifest["checksum"] = digest.hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


class _Made(NamedTuple):
    persons: list[coco.Person]  # those that were cropped
    mean_rgb: list[float]  # 0..1, over all pixels of the crops
    lost: int  # labelled keypoints outside their crop
    damaged: dict[str, list[int]]  # persons whose image couldn't be used, by kind of fault


def _write_split(name: str, persons: list[coco.Person], config: DataConfig, folder: Path, digest) -> _Made:
    """One split's crops and keypoints; `digest` takes in both."""
    squares = [square(p, size=config.side, margin=config.margin, rule=config.rule) for p in persons]
    with (folder / f"{name}.npy").open("w+b") as file:
        total, damaged = _write_crops(file, persons, squares, config.side)
        gone = {number for ids in damaged.values() for number in ids}
        rows = [i for i, p in enumerate(persons) if p.id not in gone]
        persons, squares = [persons[i] for i in rows], [squares[i] for i in rows]
        if not persons:
            raise InputError(f"The {name} split has no person left: give more data, or a lower min_labelled.")
        _keep(file, rows, config.side)
        file.seek(_header(file, len(rows), config.side))
        while block := file.read(1 << 24):  # by blocks: memory stays flat at COCO's size
            digest.update(block)
    keypoints = np.stack([keypoints_in(p, s) for p, s in zip(persons, squares, strict=True)])
    digest.update(keypoints.tobytes())
    arrays = {
        "keypoints": keypoints,
        "squares": np.array([(s.x, s.y, s.side) for s in squares]),
        "person_ids": np.array([p.id for p in persons]),
        "image_ids": np.array([p.image_id for p in persons]),
        "posture": np.array([p.posture for p in persons]),
        "motion": np.array([p.motion for p in persons]),
    }
    np.savez(folder / f"{name}.npz", **arrays)
    mean = total / (len(persons) * config.side**2 * 255)
    lost = sum(p.labelled for p in persons) - int((keypoints[..., 2] > 0).sum())
    return _Made(persons, mean.tolist(), lost, damaged)


def _write_crops(file: BinaryIO, persons: list, squares: list[CropTransform], side: int):
    """Every person's crop into its row, images side by side on threads; the sum of RGB, and who had no image.

    Rows are written to their place in the file, not through a memory map, whose pages would count as memory.
    """
    start, length = _header(file, len(persons), side), side * side * 3
    row = {p.id: i for i, p in enumerate(persons)}

    def cut(group: list[coco.Person]) -> tuple[np.ndarray, str]:
        total = np.zeros(3, np.int64)
        try:
            image = decode(group[0].file, group[0].image_size).rgb
        except DamagedImage as damage:
            return total, damage.kind
        for person in group:
            i = row[person.id]
            crop = squares[i].apply(image)
            if os.pwrite(file.fileno(), crop.tobytes(), start + i * length) < length:
                raise OSError(f"There is no space left to write {file.name}.")
            total += crop.sum(0, dtype=np.uint32).sum(0, dtype=np.int64)  # ten times as fast as over both axes at once
        return total, ""

    total, damaged = np.zeros(3, np.int64), defaultdict(list)
    groups = list(coco.by_image(persons).values())
    for group, (part, kind) in zip(groups, in_threads(cut, groups), strict=True):
        total += part
        if kind:
            damaged[kind] += [p.id for p in group]
    return total, dict(damaged)


def _header(file: BinaryIO, rows: int, side: int) -> int:
    """Begins an .npy file of `rows` crops; where the first begins. NumPy leaves room for any number of rows."""
    file.seek(0)
    fields = {"descr": "|u1", "fortran_order": False, "shape": (rows, side, side, 3)}
    np.lib.format.write_array_header_1_0(file, fields)
    file.flush()
    return file.tell()


def _keep(file: BinaryIO, rows: list[int], side: int) -> None:
    """Moves the given rows together, where some between them were never written."""
    start, length = _header(file, len(rows), side), side * side * 3
    for place, row in enumerate(rows):
        if place < row:
            os.pwrite(file.fileno(), os.pread(file.fileno(), length, start + row * length), start + place * length)
    file.truncate(start + len(rows) * length)
