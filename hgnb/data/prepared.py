"""Crops and keypoints of a dataset, made once and kept. Thesis 4.2; explained in 01_dataset.

A prepared dataset is a folder: for each split `<split>.npy` with the crops, (N, side, side, 3) uint8, opened
as a memory map, and `<split>.npz` with keypoints, crop squares and ids; `manifest.json` holds the rest. Its
name carries a hash of what changes its content, so that it is found again and never stale.
"""

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from hgnb.data import coco, credits, crops, splits
from hgnb.data.check import summary, suspicions
from hgnb.data.crops import CropTransform, keypoints_in, square
from hgnb.data.intake import layouts
from hgnb.data.schema import KeypointSchema
from hgnb.data.splits import DataConfig
from hgnb.errors import InputError
from hgnb.identity import identity

ROOTS = (  # what a prepared dataset's content is made of
    "hgnb.data.coco.load_both",
    "hgnb.data.splits.divide",
    "hgnb.data.splits.load",
    "hgnb.data.prepared._write_split",
)
SPLITS = ("train", "val", "test")
GREY = 128  # in place of a crop that mustn't be shown
READ_AGAIN = 1 << 30  # bytes of crops that are read and compared each time, in a second or so; of more only the size is


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
    withheld: np.ndarray | None = None  # (N,) bool: whose photograph's licence forbids to show a crop; None: nobody's

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

    def picture(self, i: int) -> np.ndarray:
        """(side, side, 3) uint8: the i-th crop to be drawn, plain grey where it mustn't be."""
        hidden = self.withheld is not None and self.withheld[i]
        return np.full_like(self.crops[i], GREY) if hidden else np.asarray(self.crops[i])

    def clearest(self) -> int:
        """Position of the person with the most labelled keypoints, of those that may be shown if there are any."""
        shown = 0 if self.withheld is None else ~self.withheld
        return int((self.labelled + (self.keypoints.shape[1] + 1) * shown).argmax())

    def transform(self, i: int) -> CropTransform:
        """The i-th person's crop."""
        x, y, side = self.squares[i].tolist()
        return CropTransform(x, y, side, self.crops.shape[1])

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
        return KeypointSchema.of(self.manifest["keypoints"], self.manifest["skeleton"])

    @property
    def mean_rgb(self) -> np.ndarray:
        """(3,) float32 in 0..1: the mean over all pixels of the training crops."""
        return np.asarray(self.manifest["mean_rgb"], dtype=np.float32)

    @property
    def checksum(self) -> str:
        """Of the content, in hex; two preparations with equal crops and keypoints share it.

        For each split in turn SHA-256 takes in the BLAKE2b digest of every crop, then the bytes of the keypoints.
        """
        return self.manifest["checksum"]

    @property
    def summary(self) -> str:
        """One line of what was repaired, dropped and looks suspicious, over all splits; see `hgnb.data.check`."""

        repaired, dropped = (
            sum(map(Counter, self.manifest[what].values()), Counter[str]()) for what in ("repaired", "dropped")
        )
        return summary(repaired, dropped, (kind for _, kind, _ in self.manifest["suspicious"]))

    def split(self, name: str) -> PreparedSplit:
        """One of 'train', 'val', 'test'."""
        arrays = np.load(self.folder / f"{name}.npz")
        return PreparedSplit(name, np.load(self.folder / f"{name}.npy", mmap_mode="r"), **arrays)


def prepare(source: Path, config: DataConfig, cache: Path) -> Prepared:
    """The prepared dataset of a COCO-layout folder, made if `cache` doesn't hold it yet, or holds it damaged.

    Who is in which split is kept beside the cache, in `splits`, and outlives it.
    """
    drawn = splits.place(cache.parent / "splits", source, config)
    both = None
    if not drawn.exists():
        both = coco.load_both(source)
        splits.save(drawn, *both, config)
    folder = cache / f"{source.resolve().name}-{config.side}px-{_key(source, config, drawn)[:10]}"
    manifest = _whole(folder, config.side)
    if manifest is None:
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(both or coco.load_both(source), source.resolve().name, drawn, config, partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
        manifest = opened((folder / "manifest.json").read_bytes())
    return Prepared(folder, manifest)


def _whole(folder: Path, side: int) -> dict | None:
    """The manifest of what was prepared, where all of it is as it was written; else None, and it is made again.

    The archives carry checksums of their own; of crops there may be too many to read them all.
    """
    try:
        manifest = opened((folder / "manifest.json").read_bytes())
        made = [Prepared(folder, manifest).split(name) for name in SPLITS]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if any(s.crops.shape != (manifest["persons"][s.name], side, side, 3) or s.crops.dtype != np.uint8 for s in made):
        return None
    if sum(split.crops.nbytes for split in made) <= READ_AGAIN:
        digest = hashlib.sha256()
        for split in made:
            digest.update(b"".join(map(crops.digest, split.crops)))
            digest.update(split.keypoints.tobytes())
        if digest.hexdigest() != manifest["checksum"]:
            return None
    return manifest


def _key(source: Path, config: DataConfig, drawn: Path) -> str:
    """A hash of what changes a prepared dataset: settings, code, splits (and with them annotations), images."""
    key = hashlib.sha256(json.dumps([asdict(config), identity(ROOTS), drawn.name]).encode())
    key.update(drawn.read_bytes())
    for split in ("train", "val"):
        for line in sorted(_listing(layouts.source(source, split).pictures)):
            key.update(line.encode(errors="surrogateescape"))
    return key.hexdigest()


def _listing(folder: Path, within: str = "") -> Iterator[str]:
    """Name, size and time of every file below `folder`; one look at the disk for each, since COCO has 120,000."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _listing(Path(entry.path), f"{within}{entry.name}/")
                continue
            try:
                seen = entry.stat()
            except OSError:  # a link to nowhere
                seen = entry.stat(follow_symlinks=False)
            yield f"{within}{entry.name} {seen.st_size} {seen.st_mtime_ns}"


def _write(both: tuple[coco.Split, coco.Split], source: str, drawn: Path, config: DataConfig, folder: Path) -> None:
    """Crops every person of every split into `folder`, and writes the manifest last.

    A person that is damaged, or whose image is, is left out and counted: splits are drawn before images are
    opened, so that an image that breaks moves nobody to another split.
    """
    train, val = both
    dropped = {s.name: {kind: list(ids) for kind, ids in s.dropped.items()} for s in (train, val)}
    manifest: dict[str, Any] = {
        "source": source,
        "splits": drawn.name,
        "config": asdict(config),
        "keypoints": train.schema.names,
        "skeleton": train.schema.skeleton,
        "counts": {s.name: s.counts for s in (train, val)},
        "steps": {s.name: s.steps for s in (train, val)},
        "repaired": {s.name: dict(s.repaired) for s in (train, val)},
        "suspicious": [(s.split, s.kind, s.reason) for s in suspicions([train, val])],
        "persons": {},
        "images": {},
        "left_crop": {},
    }
    digest = hashlib.sha256()
    for name, persons in splits.load(drawn, train, val).items():
        for kind, ids in _write_split(name, persons, config, folder, digest, manifest).items():
            dropped[(val if name == "val" else train).name].setdefault(kind, []).extend(ids)
    manifest["dropped"] = {s: {kind: len(ids) for kind, ids in kinds.items()} for s, kinds in dropped.items()}
    manifest["dropped_ids"] = dropped  # of annotations, by the annotation file's split and the kind of fault
    manifest["checksum"] = digest.hexdigest()
    (folder / "manifest.json").write_text(sealed(manifest))


def _empty(name: str, made: crops.Written, config: DataConfig) -> InputError:
    """The error of a split without persons, with what dropped most of them."""
    if made.damaged:
        kind, ids = max(made.damaged.items(), key=lambda item: len(item[1]))
        why = f"{len(ids):,} are dropped for '{kind}': {made.reasons[kind]}"
    else:
        why = (
            "training, validation and test each need a photograph of somebody with at least "
            f"{config.min_labelled} labelled keypoints: give more data, or a lower data.min_labelled."
        )
    return InputError(f"The {name} split has no person left: {why}")


def _write_split(
    name: str, persons: list[coco.Person], config: DataConfig, folder: Path, digest, manifest: dict
) -> dict[str, list[int]]:
    """One split's crops and keypoints, which `digest` takes in, and how many there are, for the manifest.

    Returns the persons whose image couldn't be used, by kind of fault.
    """
    squares = [square(p, size=config.side, margin=config.margin, rule=config.rule) for p in persons]
    with (folder / f"{name}.npy").open("w+b") as file:
        made = crops.write(file, persons, squares, config.side)
        gone = {number for ids in made.damaged.values() for number in ids}
        rows = [i for i, p in enumerate(persons) if p.id not in gone]
        if not rows:
            raise _empty(name, made, config)
        crops.keep(file, rows, config.side)
    persons, squares = [persons[i] for i in rows], [squares[i] for i in rows]
    keypoints = np.stack([keypoints_in(p, s) for p, s in zip(persons, squares, strict=True)])
    digest.update(made.digests[rows].tobytes())
    digest.update(keypoints.tobytes())
    arrays = {
        "keypoints": keypoints,
        "squares": np.array([(s.x, s.y, s.side) for s in squares]),
        "person_ids": np.array([p.id for p in persons]),
        "image_ids": np.array([p.image_id for p in persons]),
        "posture": np.array([p.posture for p in persons]),
        "motion": np.array([p.motion for p in persons]),
        "withheld": np.array([credits.withheld(p.licence) for p in persons]),
    }
    cast(Any, np.savez)(folder / f"{name}.npz", **arrays)
    manifest["persons"][name], manifest["images"][name] = len(persons), len({p.image_id for p in persons})
    manifest["left_crop"][name] = sum(p.labelled for p in persons) - int((keypoints[..., 2] > 0).sum())
    if name == "train":
        manifest["mean_rgb"] = (made.total / (len(persons) * config.side**2 * 255)).tolist()
    return made.damaged


KEY = "seal"


def sealed(content: dict[str, Any]) -> str:
    """The content as JSON, with its seal behind it."""
    held = json.loads(json.dumps(content))  # as a reader will see it
    return json.dumps({**held, KEY: _seal(held)}, indent=1)


def opened(text: str | bytes) -> dict[str, Any]:
    """The content of a sealed text, without the seal; ValueError where it is none, or not as it was sealed."""
    held = json.loads(text)
    if not isinstance(held, dict) or held.pop(KEY, None) != _seal(held):
        raise ValueError("it was changed or damaged since it was written")
    return held


def _seal(held: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()[:16]
