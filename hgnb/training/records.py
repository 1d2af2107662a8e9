"""What a training leaves in its run while it goes on: checkpoints, the best weights, the table of epochs."""

import io
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import pandas as pd
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from hgnb.home import home
from hgnb.training.card import Card, weights
from hgnb.training.hardware import device_name
from hgnb.training.modules import Tracked
from hgnb.training.runs import checkpoint, link_aside, write_aside

PACKAGES = ("torch", "lightning", "numpy")


class AtomicCheckpoints(TorchCheckpointIO):
    """Lightning saves through the temporary folder and a move, which is no rename across file systems."""

    def save_checkpoint(self, checkpoint, path, storage_options=None) -> None:
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_aside(Path(path), content.getvalue())

    def load_checkpoint(self, path, map_location=None, weights_only=True):
        return checkpoint(Path(path), map_location)


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
