"""What goes on while a run trains: its clock, its randomness, its progress, and the first loss that is no number."""

import time
from collections import deque

import lightning as L
import numpy as np
import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from hgnb.data.dataset import Batch
from hgnb.errors import InputError
from hgnb.training.modules import Tracked

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
        index = batch.index if isinstance(batch, Batch) else None  # latents don't say whose they are
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
                    f"at a learning rate of {rate:g}{self._whom(index)}: lower the rate, or look at these persons."
                )
        self.seen.clear()

    def _whom(self, index: torch.Tensor | None) -> str:
        return "" if index is None else ", on the persons " + ", ".join(str(self.person_ids[i]) for i in index.tolist())


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
