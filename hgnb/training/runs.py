"""Finished and unfinished trainings on disk: nothing is lost, nothing is trained twice.

`data/runs/<readable id>-<hash>/` holds `manifest.json`, `metrics.csv`, `validation.npz`, `steps.npz`, `last.ckpt` and
the weights of the best epochs, and `latents/` once they were asked for. Every file is written aside and renamed, so
that a kill leaves the last complete epoch.
"""

import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from filelock import FileLock, Timeout
from rich.table import Table

from hgnb.errors import InputError, unknown
from hgnb.home import home, write_whole

Network = TypeVar("Network", bound=torch.nn.Module)
write_aside = partial(write_whole, then="the training goes on from its last complete epoch")
HASH = re.compile(r"[0-9a-f]{32,}")


@dataclass(frozen=True)
class Recipe:
    """Everything that changes a run's result: its numbers, data, seed and code; never where or when it ran."""

    title: str  # readable part of the id: what, profile, data
    config: dict[str, Any]  # JSON-able
    seed: int
    edition: dict[str, Any] = field(default_factory=dict)  # profile and data as they were asked for; not in the hash

    @property
    def id(self) -> str:
        """Readable, and unique by hash."""
        key = json.dumps([self.config, self.seed], sort_keys=True).encode()
        return f"{self.title}-s{self.seed}-{hashlib.sha256(key).hexdigest()[:10]}"


@dataclass(frozen=True)
class Validation:
    """Each epoch's validation by person, in the order of the split; `val_loss` and `val_pck` are computed from it."""

    loss: np.ndarray  # (E, N) float32: mean squared error over a person's heatmaps, or latents
    hits: np.ndarray | None = None  # (E, N, K) bool: labelled keypoints found, as PCK counts; none of an autoencoder


@dataclass(frozen=True)
class Run:
    """A finished training."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Config, seed, commit, versions, device, data checksum and times."""
        with damage_told(self.folder / "manifest.json") as file:
            return dict(json.loads(file.read_text()))

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """One row an epoch, counted from 1: train_loss, val_loss, val_pck, learning_rate, seconds."""
        with damage_told(self.folder / "metrics.csv") as file:
            return pd.read_csv(file)

    @cached_property
    def validation(self) -> "Validation":
        """What the validation of each epoch found of each person."""
        with damage_told(self.folder / "validation.npz") as file, np.load(file) as held:
            return Validation(**held)

    @cached_property
    def steps(self) -> np.ndarray:
        """(S,) float32: the training loss of every step, over all persons of its batch."""
        with damage_told(self.folder / "steps.npz") as file, np.load(file) as held:
            return np.asarray(held["loss"])

    def best_epoch(self, column: str = "val_pck") -> int:
        """The epoch, from 1, with the highest PCK or the lowest loss."""
        values = self.metrics.set_index("epoch")[column]
        return int(values.idxmax() if column.endswith("pck") else values.idxmin())

    def checkpoint(self, name: str) -> dict[str, Any]:
        """A checkpoint with the optimiser's state: "last", "best-<column>", or "drop" (hgnb.training.loop.forced)."""
        file = self.folder / f"{name}.ckpt"
        if not file.exists():
            there = sorted(f.stem for f in self.folder.glob("*.ckpt"))
            raise unknown("checkpoint", name, there, self.id)
        return checkpoint(file, "cpu")

    def file(self, best: str = "val_pck") -> Path:
        """The network's weights at the epoch that was best by `best`, as they lie on disk."""
        return self.folder / f"best-{best}.safetensors"

    def weights(self, best: str = "val_pck") -> dict[str, torch.Tensor]:
        """The same weights, read."""
        from hgnb.training.catalogue import tensors

        with damage_told(self.file(best)) as file:
            return tensors(file)

    def fill(self, network: Network, best: str = "val_pck") -> Network:
        """Puts the same weights into a network, and returns it; InputError where they are of another one."""
        return filled(network, self.weights(best), f"data/runs/{self.id}/{self.file(best).name}")


def filled(network: Network, weights: dict[str, torch.Tensor], where: str) -> Network:
    """A network with weights that came from `where`; InputError that names it where they are of another network."""
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:  # of torch, a line for each key
        raise InputError(
            f"{where} holds the weights of another network than its run's manifest describes, so code that has changed "
            "since trained it: delete that folder to train it again."
        ) from error
    return network


def runs_folder() -> Path:
    """Where all runs lie."""
    return home() / "data" / "runs"


@contextmanager
def damage_told(file: Path):
    """A file of a run that can't be read within the block is an InputError that names it."""
    try:
        yield file
    except (MemoryError, InputError):
        raise
    except Exception as error:  # pandas, torch, zipfile and JSON each have their own
        raise InputError(
            f"data/runs/{file.parent.name}/{file.name} is damaged or missing: delete that folder to train it again."
        ) from error


def checkpoint(file: Path, device=None) -> dict[str, Any]:
    """A checkpoint as it was written; InputError where it isn't any more."""
    with damage_told(file), zipfile.ZipFile(file) as parts:
        if parts.testzip():  # torch doesn't look at the checksums that it wrote
            raise zipfile.BadZipFile
        return torch.load(file, map_location=device, weights_only=True)


def packed(arrays: dict[str, Any]) -> bytes:
    """An .npz file: arrays by name, compressed, each with a checksum that reading verifies."""
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    return held.getvalue()


def link_aside(source: Path, path: Path) -> None:
    """Makes `path` another name of `source`, or a copy where the file system knows no links; all or nothing."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        os.link(source, aside)
        os.replace(aside, path)
    except OSError:
        write_aside(path, source.read_bytes())
    finally:
        aside.unlink(missing_ok=True)  # renaming a file to another name of itself leaves both


def overview() -> Table:
    """One row a run, the latest last: state, epochs, best validation PCK or loss, minutes, and what sets it apart from
    runs of the same name and seed."""
    table = Table("run", "state", "epochs", "best on validation", "minutes", "differs in", show_edge=False)
    table.columns[0].overflow = "fold"  # an id that is cut can't be copied
    folders = sorted(runs_folder().glob("*/recipe.json"), key=lambda file: file.stat().st_mtime)
    recipes = {file.parent: json.loads(file.read_text()) for file in folders}
    for folder, recipe in recipes.items():
        alike = [other["config"] for there, other in recipes.items() if _title(there) == _title(folder)]
        table.add_row(*_row(folder, recipe), apart(recipe["config"], alike))
    return table


def apart(config: dict[str, Any], others: Sequence[dict[str, Any]]) -> str:
    """The numbers of a run in which not all of `others` are like it, as 'training.rate 0.001, data 3f2a91c0'."""
    flat, rest = _flat(config), [_flat(other) for other in others]
    keys = [key for key in flat if any(other.get(key) != flat[key] for other in rest)]
    return ", ".join(f"{key} {str(flat[key])[:8] if HASH.fullmatch(str(flat[key])) else flat[key]}" for key in keys)


def _flat(held: Any, key: str = "") -> dict[str, Any]:
    """{"training": {"rate": 1}} -> {"training.rate": 1}."""
    if not isinstance(held, dict):
        return {key: held}
    return {k: v for name, part in held.items() for k, v in _flat(part, f"{key}.{name}" if key else name).items()}


def _title(folder: Path) -> str:
    return folder.name.rpartition("-")[0]  # without the hash


def _row(folder: Path, recipe: dict[str, Any]) -> tuple[str, ...]:
    epochs, finished = recipe["config"]["training"]["epochs"], (folder / "manifest.json").exists()
    state = "finished" if finished else "running" if _locked(folder) else "unfinished: train it again to go on"
    if not (folder / "metrics.csv").exists():
        return folder.name, state, f"0 of {epochs}", "", ""
    metrics = pd.read_csv(folder / "metrics.csv")
    best = f"PCK {metrics.val_pck.max():.3f}" if "val_pck" in metrics else f"loss {metrics.val_loss.min():.3g}"
    return folder.name, state, f"{len(metrics)} of {epochs}", best, f"{metrics.seconds.sum() / 60:.1f}"


def _locked(folder: Path) -> bool:
    try:
        with FileLock(folder / ".lock", timeout=0):
            return False
    except Timeout:
        return True
