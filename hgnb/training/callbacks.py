"""What goes on while a run trains: its clock, its randomness, its progress, the first loss that is no number; and what
it leaves: checkpoints, the best weights, the table of epochs, what each validation found, the loss of each step.
"""

import io
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from hgnb.data.dataset import Batch
from hgnb.errors import InputError
from hgnb.training.card import weights
from hgnb.training.forks import forced
from hgnb.training.job import Job
from hgnb.training.modules import DropRule, Tracked
from hgnb.training.parallel import total
from hgnb.training.runs import checkpoint, link_aside, packed, write_aside

LOOK = 16  # steps between two looks at the losses: a GPU need not wait for a number in each


class Clock(L.Callback):
    """Seconds of each epoch, validation included; first among the hooks of an epoch's end."""

    def on_train_epoch_start(self, trainer: L.Trainer, module: Tracked) -> None:
        self.start = time.perf_counter()

    def on_validation_end(self, trainer: L.Trainer, module: Tracked) -> None:
        module.row["seconds"] = round(time.perf_counter() - self.start, 3)


class Draws(L.Callback):
    """torch's generator starts anew in each epoch, so that a resumed run draws the same dropout."""

    def __init__(self, seed: int):
        self.seed = seed

    def on_train_epoch_start(self, trainer: L.Trainer, module: Tracked) -> None:
        torch.manual_seed((self.seed << 32) + trainer.current_epoch * trainer.world_size + trainer.global_rank)


class Watch(L.Callback):
    """Stops a run whose loss became NaN or infinite, and says where: step, learning rate, persons.

    The last complete epoch stays on disk.
    """

    def __init__(self, title: str, person_ids: np.ndarray):
        self.title, self.person_ids = title, person_ids
        self.seen: deque = deque()

    def on_train_batch_end(self, trainer: L.Trainer, module: Tracked, outputs, batch, _: int) -> None:
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        index = batch.index if isinstance(batch, Batch) else batch[1]
        self.seen.append((trainer.global_step, rate, outputs["loss"].detach(), index))
        if len(self.seen) >= LOOK:
            self._look(trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, module: Tracked) -> None:
        self._look(trainer)

    def _look(self, trainer: L.Trainer) -> None:
        for step, rate, loss, index in self.seen:
            if not torch.isfinite(loss):
                raise InputError(
                    f"The loss of {self.title} became {float(loss)} in step {step} (epoch {trainer.current_epoch + 1}) "
                    f"at a learning rate of {rate:g}, on the persons {', '.join(self._whom(index))}: lower the rate, "
                    "or look at these."
                )
        self.seen.clear()

    def _whom(self, index: Tensor) -> list[str]:
        return [str(self.person_ids[i]) for i in index.tolist()]


class Bar(L.Callback):
    """A line on the terminal: epoch, loss, validation PCK and the time left."""

    def __init__(self, title: str):
        words = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
        self.bar = Progress(*words, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        self.title, self.score, self.loss = title, "", ""

    def on_train_start(self, trainer: L.Trainer, module: Tracked) -> None:
        steps = trainer.num_training_batches
        done = trainer.current_epoch * steps
        self.task = self.bar.add_task(self.title, total=trainer.max_epochs * steps, completed=done)
        self.bar.start()

    def on_train_batch_end(self, trainer: L.Trainer, module: Tracked, outputs, batch, index: int) -> None:
        if index % LOOK == 0:
            self.loss = f", loss {float(outputs['loss']):.3g}"
        epoch = f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"
        self.bar.update(self.task, advance=1, description=f"{self.title}: {epoch}{self.loss}{self.score}")

    def on_train_epoch_end(self, trainer: L.Trainer, module: Tracked) -> None:
        if "val_pck" in module.row:
            self.score = f", PCK {module.row['val_pck']:.3f}"

    def on_train_end(self, trainer: L.Trainer, module: Tracked) -> None:
        self.bar.stop()

    def on_exception(self, trainer: L.Trainer, module: Tracked, exception: BaseException) -> None:
        self.bar.stop()


class AtomicCheckpoints(TorchCheckpointIO):
    """Lightning saves through the temporary folder and a move, which is no rename across file systems."""

    def save_checkpoint(self, checkpoint, path, storage_options=None) -> None:
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_aside(Path(path), content.getvalue())

    def load_checkpoint(self, path, map_location=None, weights_only=True):
        return checkpoint(Path(path), map_location)


def improved(rows: Sequence[Mapping[str, float]], columns: Sequence[str]) -> list[str]:
    """Columns of the table of epochs whose best epoch is the last: the first highest PCK, the first lowest loss."""
    values = {column: [row[column] for row in rows] for column in columns}
    return [c for c, v in values.items() if v.index(max(v) if c.endswith("pck") else min(v)) == len(rows) - 1]


class Recorder(Checkpoint):
    """After each epoch: the best weights, a checkpoint to resume from, and all that was measured up to here.

    What was measured lies in the checkpoint as well, so that a resumed run goes on with exactly its complete epochs.
    A Checkpoint, because Lightning calls those after the module has closed its epoch.
    """

    def __init__(self, folder: Path, job: Job):
        self.folder, self.best_by, self.card, self.forced = folder, job.best_by, job.card, forced(job)
        self.rows: list[dict[str, float]] = []
        self.persons: list[dict[str, Tensor]] = []  # of each epoch's validation, as in Tracked
        self.steps: list[Tensor] = []  # of each epoch, (S,) float32: the loss of every step, over all processes
        self._losses: list[Tensor] = []

    def on_fit_start(self, trainer: L.Trainer, module: Tracked) -> None:
        if self.rows and trainer.is_global_zero:
            self._write(module)  # a kill may have come between a checkpoint and what is written after it

    def on_train_epoch_start(self, trainer: L.Trainer, module: Tracked) -> None:
        self._losses.clear()

    def on_train_batch_end(self, trainer: L.Trainer, module: Tracked, outputs, batch, _: int) -> None:
        self._losses.append(outputs["loss"].detach())  # on the device: no step waits for a number

    def on_train_epoch_end(self, trainer: L.Trainer, module: Tracked) -> None:
        self.rows.append({"epoch": trainer.current_epoch + 1, **module.row})
        self.persons.append(module.persons)
        self.steps.append((total(torch.stack(self._losses).float()) / trainer.world_size).cpu())
        if trainer.is_global_zero:
            for column in improved(self.rows, self.best_by):
                write_aside(self.folder / f"best-{column}.safetensors", weights(module.network, self.card))
        trainer.save_checkpoint(self.folder / "last.ckpt")  # every process takes part
        if trainer.is_global_zero:
            self._write(module)
        if trainer.logger is not None:
            trainer.logger.log_metrics(module.row, step=len(self.rows))

    def drop(self, module: Tracked) -> dict[str, Any] | None:
        """The epoch, from 1, of the checkpoint "drop", and whether it was taken without a drop of the rate."""
        dropped = getattr(module, "rule", DropRule()).dropped
        if dropped is not None and dropped >= 0:
            return {"epoch": dropped + 1, "forced": False}
        if dropped is None and 0 < self.forced <= len(self.rows):
            return {"epoch": self.forced, "forced": True}
        return None

    def _write(self, module: Tracked) -> None:
        """Gives the last checkpoint the names it deserves, which are links and cost no space, and writes the tables."""
        names = [f"best-{column}" for column in improved(self.rows, self.best_by)]
        if (self.drop(module) or {}).get("epoch") == len(self.rows):
            names.append("drop")
        for name in names:
            link_aside(self.folder / "last.ckpt", self.folder / f"{name}.ckpt")
        columns = {name: torch.stack([each[name] for each in self.persons]).numpy() for name in self.persons[0]}
        write_aside(self.folder / "validation.npz", packed(columns))
        write_aside(self.folder / "steps.npz", packed({"loss": torch.cat(self.steps).numpy()}))
        write_aside(self.folder / "metrics.csv", pd.DataFrame(self.rows).to_csv(index=False).encode())

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "persons": self.persons, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows, self.persons, self.steps = state["rows"], state["persons"], state["steps"]
