"""Finished and unfinished trainings on disk: nothing is lost, nothing is trained twice.

`data/runs/<readable id>-<hash>/` holds `manifest.json`, `metrics.csv`, `last.ckpt` and the weights of the best
epochs, and `latents/` once they were asked for. Every file is written aside and renamed, so that a kill leaves the
last complete epoch.
"""

import errno
import hashlib
import io
import json
import os
import platform
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import pandas as pd
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from safetensors.torch import load_file

from hgnb.errors import InputError, unknown
from hgnb.home import home
from hgnb.training.card import Card, weights
from hgnb.training.hardware import device_name
from hgnb.training.modules import Tracked

PACKAGES = ("torch", "lightning", "numpy")


@dataclass(frozen=True)
class Recipe:
    """Everything that changes a run's result: its numbers, data, seed and code; never where or when it ran."""

    title: str  # readable part of the id: what, profile, data
    config: dict[str, Any]  # JSON-able
    seed: int
    edition: dict[str, Any] = field(default_factory=dict)  # profile and data as they were asked for; not in the hash

    def by(self, processes: int) -> "Recipe":
        """The recipe when it is trained by several processes, whose batches add up."""
        return self if processes == 1 else replace(self, config={**self.config, "processes": processes})

    @property
    def id(self) -> str:
        """Readable, and unique by hash."""
        key = json.dumps([self.config, self.seed], sort_keys=True).encode()
        return f"{self.title}-s{self.seed}-{hashlib.sha256(key).hexdigest()[:10]}"


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
        return json.loads((self.folder / "manifest.json").read_text())

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """One row an epoch, counted from 1: train_loss, val_loss, val_pck, learning_rate, seconds."""
        return pd.read_csv(self.folder / "metrics.csv")

    def best_epoch(self, column: str = "val_pck") -> int:
        """The epoch, from 1, with the highest PCK or the lowest loss."""
        values = self.metrics.set_index("epoch")[column]
        return int(values.idxmax() if column.endswith("pck") else values.idxmin())

    def checkpoint(self, name: str) -> dict[str, Any]:
        """A checkpoint with the optimiser's state: "last", "best-<column>", or "drop" where the rate dropped."""
        file = self.folder / f"{name}.ckpt"
        if not file.exists():
            there = sorted(f.stem for f in self.folder.glob("*.ckpt"))
            raise unknown("checkpoint", name, there, self.id)
        return torch.load(file, map_location="cpu", weights_only=True)

    def file(self, best: str = "val_pck") -> Path:
        """The network's weights at the epoch that was best by `best`, as they lie on disk."""
        return self.folder / f"best-{best}.safetensors"

    def weights(self, best: str = "val_pck") -> dict[str, torch.Tensor]:
        """The same weights, read."""
        return load_file(self.file(best))


def runs_folder() -> Path:
    """Where all runs lie."""
    return home() / "data" / "runs"


def write_aside(path: Path, content: bytes) -> None:
    """Writes under another name and renames: never half a file, also after a crash; InputError on a full disk."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with full_disk_told(path, len(content), "the training goes on from its last complete epoch"):
            with open(aside, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def full_disk_told(path: Path, size: int, then: str):
    """A disk without room for the `size` bytes of `path` is an InputError that says what happens `then`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise InputError(
            f"There is no space left for {path.name} ({size / 1e6:.0f} MB): make some and call again, {then}."
        ) from error


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


class AtomicCheckpoints(TorchCheckpointIO):
    """Lightning saves through the temporary folder and a move, which is no rename across file systems."""

    def save_checkpoint(self, checkpoint, path, storage_options=None) -> None:
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_aside(Path(path), content.getvalue())

    def load_checkpoint(self, path, map_location=None, weights_only=True):
        return torch.load(path, map_location=map_location, weights_only=True)


class Recorder(Checkpoint):
    """After each epoch: the best weights, a checkpoint to resume from, and the table of epochs.

    A Checkpoint, because Lightning calls those after the module has closed its epoch.
    """

    def __init__(self, folder: Path, best_by: tuple[str, ...], card: Card | None):
        self.folder, self.best_by, self.card = folder, best_by, card
        self.rows: list[dict[str, float]] = []

    def on_train_start(self, trainer: L.Trainer, module: Tracked) -> None:
        if self.rows and trainer.is_global_zero:
            self._name(module)  # a kill may have come between a checkpoint and its names

    def on_train_epoch_end(self, trainer: L.Trainer, module: Tracked) -> None:
        self.rows.append({"epoch": trainer.current_epoch + 1, **module.row})
        if trainer.is_global_zero:
            for column in self._best():
                write_aside(self.folder / f"best-{column}.safetensors", weights(module.network, self.card))
        trainer.save_checkpoint(self.folder / "last.ckpt")  # every process takes part
        if trainer.is_global_zero:
            self._name(module)
            write_aside(self.folder / "metrics.csv", pd.DataFrame(self.rows).to_csv(index=False).encode())
        if trainer.logger is not None:
            trainer.logger.log_metrics(module.row, step=len(self.rows))

    def _best(self) -> list[str]:
        """Columns whose best epoch is the last."""
        values = {column: [row[column] for row in self.rows] for column in self.best_by}
        return [c for c, v in values.items() if v.index(max(v) if c.endswith("pck") else min(v)) == len(self.rows) - 1]

    def _name(self, module: Tracked) -> None:
        """Gives the last checkpoint the names it deserves; a name is a link, so it costs no space of its own."""
        names = [f"best-{column}" for column in self._best()]
        rule = getattr(module, "rule", None)
        if rule is not None and rule.dropped == len(self.rows) - 1:
            names.append("drop")
        for name in names:
            link_aside(self.folder / "last.ckpt", self.folder / f"{name}.ckpt")

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows = state["rows"]


def environment(trainer: L.Trainer) -> dict[str, Any]:
    """What a manifest says of where a run was made."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=home(), capture_output=True, text=True, check=False)
    return {
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "versions": {p: version(p) for p in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "device": device_name(),
        "processes": trainer.world_size,
        "threads": torch.get_num_threads(),
        "precision": trainer.precision,
    }
