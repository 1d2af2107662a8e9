"""`fit`: a finished run loads, an unfinished one resumes, a missing one trains. Explained in 02_experiment."""

import importlib.util
import json
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import lightning as L
import torch
from filelock import FileLock
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from hgnb.training.card import Card
from hgnb.training.hardware import keep_freed_memory, precision, threads
from hgnb.training.modules import Tracked
from hgnb.training.parallel import Team, synchronised, team
from hgnb.training.runs import AtomicCheckpoints, Recipe, Recorder, Run, environment, runs_folder, write_aside
from hgnb.training.start import Begin, Start, weights
from hgnb.training.watch import Bar, Clock, Draws, Watch

_FINISHED_ONLY: ContextVar[bool] = ContextVar("finished_only", default=False)


class Untrained(Exception):
    """A run that isn't finished was asked for where nothing may be trained; its id."""


@contextmanager
def finished_only():
    """Within the block `fit` trains nothing: it gives finished runs and raises Untrained for others."""
    token = _FINISHED_ONLY.set(True)
    try:
        yield
    finally:
        _FINISHED_ONLY.reset(token)


@dataclass(frozen=True)
class Job:
    """What a recipe trains."""

    module: Tracked
    train: DataLoader
    val: DataLoader
    epochs: int
    best_by: tuple[str, ...]  # columns of the metrics whose best epoch keeps its weights
    person_ids: Sequence[int]  # of the training persons, for messages
    card: Card | None = None  # kept with the weights
    start: Start | None = None  # the checkpoint it goes on from


def fit(recipe: Recipe, prepare: Callable[[Team], Job], progress: bool = False) -> Run:
    """The run of a recipe. `prepare` builds the job, and is called only if there is something to train."""
    with team() as those:
        recipe = recipe.by(those.size)
        folder = runs_folder() / recipe.id
        if _FINISHED_ONLY.get() and not (folder / "manifest.json").exists():
            raise Untrained(recipe.id)
        folder.mkdir(parents=True, exist_ok=True)
        # Two chapters may ask for the same run at once; of a team, one process asks for all.
        with FileLock(folder / ".lock") if those.leads else nullcontext():
            if those.agreed(not (folder / "manifest.json").exists()):
                _train(recipe, prepare, folder, those, progress)
            those.agreed(None)  # nobody reads the run before it is written
    return Run(folder)


def _train(recipe: Recipe, prepare: Callable[[Team], Job], folder: Path, those: Team, progress: bool) -> None:
    """Trains, or goes on from the last complete epoch, and writes the manifest last."""
    keep_freed_memory()
    last = folder / "last.ckpt"
    asked = {"edition": recipe.edition, "config": recipe.config, "seed": recipe.seed}
    if those.leads:
        write_aside(folder / "recipe.json", json.dumps(asked, indent=1).encode())
    with seeded(recipe.seed), quiet(), threads(recipe.config["training"]["threads"]):
        job = prepare(those)
        if job.start is not None:
            weights(job.start, job.module.network)
        if those.size > 1:
            synchronised(job.module.network)
        recorder = Recorder(folder, job.best_by, job.card)
        watchers = [Clock(), Draws(recipe.seed), Watch(recipe.id, job.person_ids), recorder]
        resumed = those.agreed(last.exists())
        if job.start is not None and not resumed:
            watchers.append(Begin(job.start))
        if progress and those.leads:
            watchers.append(Bar(recipe.title))
        kind = precision(recipe.config["training"].get("precision", "native"))
        trainer = L.Trainer(
            max_epochs=job.epochs, accelerator="auto", precision=kind, **those.strategy(),
            plugins=[AtomicCheckpoints()], callbacks=watchers, logger=_logger(folder), use_distributed_sampler=False,
            enable_model_summary=False, enable_progress_bar=False, num_sanity_val_steps=0,
        )  # fmt: skip
        started = time.time()
        module = job.module.to(memory_format=torch.channels_last)
        trainer.fit(module, job.train, job.val, ckpt_path=last if resumed else None)
    if trainer.interrupted:
        raise KeyboardInterrupt
    if those.leads:
        manifest = {
            "id": recipe.id,
            **asked,
            **environment(trainer),
            "parameters": sum(p.numel() for p in job.module.network.parameters()),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            "seconds": sum(row["seconds"] for row in recorder.rows),
        }
        write_aside(folder / "manifest.json", json.dumps(manifest, indent=1).encode())


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
