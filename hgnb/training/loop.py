"""The training loop around Lightning: a job is trained, or gone on with, until its run is finished.

What goes on meanwhile: its randomness, its progress, the first loss that is no number; and what it leaves: checkpoints,
the best weights, the table of epochs, what each validation found, the loss of each step.
"""

import importlib.util
import io
import json
import logging
import platform
import subprocess
import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from hgnb.data.dataset import Batch, EpochSampler
from hgnb.errors import InputError
from hgnb.home import home
from hgnb.identity import answered
from hgnb.model.hourglass import HourglassConfig
from hgnb.training.catalogue import written
from hgnb.training.fit import Job, Start
from hgnb.training.hardware import Convolution, Precision, device_name, keep_freed_memory, precision, threads
from hgnb.training.modules import DropRule, PoseModule, Tracked
from hgnb.training.parallel import Team, synchronised, total
from hgnb.training.runs import Recipe, checkpoint, filled, link_aside, packed, write_aside

PACKAGES = ("torch", "lightning", "numpy")
TRAINER = {"use_distributed_sampler": False, "num_sanity_val_steps": 0}  # batches are dealt by our own


def train(recipe: Recipe, prepare: Callable[[Team], Job], folder: Path, those: Team, progress: bool) -> None:
    """Trains, or goes on from the last complete epoch, and writes the manifest last."""
    keep_freed_memory()
    last = folder / "last.ckpt"
    asked = {"edition": recipe.edition, "config": recipe.config, "seed": recipe.seed}
    if those.leads:
        write_aside(folder / "recipe.json", json.dumps(asked, indent=1).encode())
    with seeded(recipe.seed), quiet(), threads(recipe.config["training"]["threads"]):
        job = prepare(Team())
        shared(job, those)
        answered(job.module.modules(), recipe.config)
        if job.start is not None:
            weights(job.start, job.module.network)
        if those.size > 1:
            synchronised(job.module.network)
        recorder = Recorder(folder, job)
        watchers = [Draws(recipe.seed), Watch(recipe.id, job.person_ids), recorder]
        resumed = those.agreed(last.exists())
        if job.start is not None and not resumed:
            watchers.append(Begin(job.start))
        if progress and those.leads:
            watchers.append(Bar(recipe.title))
        kind = _precision(recipe.config, those)
        trainer = L.Trainer(
            max_epochs=job.epochs, accelerator="cuda" if torch.cuda.is_available() else "cpu",
            precision=kind.lightning, **those.strategy(),
            plugins=[AtomicCheckpoints()], callbacks=watchers, logger=_logger(folder), **TRAINER,
            enable_model_summary=False, enable_progress_bar=False,
        )  # fmt: skip
        started = time.time()
        module = job.module.to(memory_format=torch.channels_last)
        trainer.fit(module, job.train, job.val, ckpt_path=last if resumed else None)
        made = environment(trainer)  # here, where as many threads compute as the training was given
    if trainer.interrupted:
        raise KeyboardInterrupt
    if those.leads:
        manifest = {
            "id": recipe.id,
            **asked,
            **made,
            "precision_why": kind.why,
            "parameters": sum(p.numel() for p in job.module.network.parameters()),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            "seconds": sum(row["seconds"] for row in recorder.rows),
        }
        if drop := recorder.drop(job.module):
            manifest["drop"] = drop
        write_aside(folder / "manifest.json", json.dumps(manifest, indent=1).encode())


def shared(job: Job, those: Team) -> None:
    """Deals each batch of a job, which is made as for one process, to all: what is trained is the same."""
    for batches in (job.train.sampler, job.val.sampler):
        if those.size > 1 and isinstance(batches, EpochSampler):
            batches.rank, batches.size = those.rank, those.size


def _precision(config: dict[str, Any], those: Team) -> Precision:
    """Of a recipe's steps; where the machine chooses, by a convolution at the size of the heatmaps."""
    training = config["training"]
    asked = training.get("precision", "fp32")  # an autoencoder's maps are too small to gain anything
    if those.size > 1 and not torch.cuda.is_available():  # batch norm over processes of a CPU knows fp32 alone
        if asked == "bf16":
            raise InputError("Several processes of a CPU train in fp32: set training.precision to 'native' or 'fp32'.")
        return Precision("fp32", "several processes of a CPU")
    if asked != "native":
        return precision(asked)
    size = config["side"] // HourglassConfig().stride
    return precision(asked, Convolution(training["batch"], config["model"]["inner"], size))


def environment(trainer: L.Trainer) -> dict[str, Any]:
    """What a manifest says of where a run was made."""
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "versions": {p: version(p) for p in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "device": device_name(),
        "processes": trainer.world_size,
        "threads": torch.get_num_threads(),
        "precision": trainer.precision,
    }


def _commit() -> str:
    """Of the checkout; '' where there is none, or no git."""
    try:
        told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=home(), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return told.stdout.strip()


def _logger(folder: Path) -> TensorBoardLogger | bool:
    """Curves for TensorBoard beside the table of epochs, where it is installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return False
    return TensorBoardLogger(folder, name=None, version="tensorboard")


@contextmanager
def seeded(seed: int):
    """torch's generator starts from `seed` within the block and is put back behind it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@contextmanager
def quiet():
    """Lightning's advice about workers, loggers and its own products stays off the page."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        yield
    logger.setLevel(level)


class Begin(L.Callback):
    """Puts the state of a checkpoint in place before the first step; a resumed run has its own already.

    Ambiguity 13: the thesis trains its modified hourglass on from epoch 47 and doesn't say whether the optimiser's
    averages, the learning rate and the rule that drops it begin anew. Each is a choice here.
    """

    def __init__(self, start: Start):
        self.start = start

    def on_train_start(self, trainer: L.Trainer, module: PoseModule) -> None:
        held = self.start.run.checkpoint(self.start.checkpoint)
        (optimiser,) = trainer.optimizers
        (kept,) = held["optimizer_states"]
        if self.start.optimiser:  # its states are keyed by the parameters' positions, in any order
            _carry(optimiser, module, {held["parameters"][i]: state for i, state in kept["state"].items()})
        if self.start.rate:
            optimiser.param_groups[0]["lr"] = kept["param_groups"][0]["lr"]
        if self.start.rule:
            module.rule = DropRule(**held["rate_rule"]).carried(held["epoch"] + 1)


def weights(start: Start, network: torch.nn.Module) -> None:
    """Loads a checkpoint's weights; only what was inserted since, an autoencoder, may lack there."""
    held = start.run.checkpoint(start.checkpoint)["state_dict"]
    held = {name.removeprefix("network."): value for name, value in held.items()}
    inserted = {name: value for name, value in network.state_dict().items() if ".autoencoder." in name}
    filled(network, inserted | held, f"data/runs/{start.run.id}/{start.checkpoint}.ckpt")


def _carry(optimiser: torch.optim.Optimizer, module: PoseModule, states: dict[str, dict]) -> None:
    """Gives every parameter the averages that the one of its name had."""
    for name, parameter in module.network.named_parameters():
        if name in states:
            device = parameter.device
            state = states[name].items()
            optimiser.state[parameter] = {k: v.to(device) if k != "step" else v for k, v in state}


DROP_AT = 21 / 50  # of a training's epochs: where the thesis's rate drops; 5.2, figure 12
LOOK = 16  # steps between two looks at the losses: a GPU need not wait for a number in each


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
                whom = ", ".join(str(self.person_ids[i]) for i in index.tolist())
                raise InputError(
                    f"The loss of {self.title} became {float(loss)} in step {step} (epoch {trainer.current_epoch + 1}) "
                    f"at a learning rate of {rate:g}, on the persons {whom}: lower the rate, "
                    "or look at these."
                )
        self.seen.clear()


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


def forced(job: Job) -> int:
    """The epoch, from 1, whose checkpoint is kept for forks if the rule hasn't dropped the rate yet; 0 for none.

    Trainings that drop no rate, go on from another, or are too short have none.
    """
    drops = getattr(job.module.config, "schedule", "") == "drop"
    return round(DROP_AT * job.epochs) if drops and job.start is None else 0


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
        self._began = time.perf_counter()

    def on_train_batch_end(self, trainer: L.Trainer, module: Tracked, outputs, batch, _: int) -> None:
        self._losses.append(outputs["loss"].detach())  # on the device: no step waits for a number

    def on_validation_end(self, trainer: L.Trainer, module: Tracked) -> None:
        module.row["seconds"] = round(time.perf_counter() - self._began, 3)

    def on_train_epoch_end(self, trainer: L.Trainer, module: Tracked) -> None:
        self.rows.append({"epoch": trainer.current_epoch + 1, **module.row})
        self.persons.append(module.persons)
        self.steps.append((total(torch.stack(self._losses).float()) / trainer.world_size).cpu())
        if trainer.is_global_zero:
            for column in improved(self.rows, self.best_by):
                write_aside(self.folder / f"best-{column}.safetensors", written(module.network, self.card))
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
