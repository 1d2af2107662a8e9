"""The training loop around Lightning: a job is trained, or gone on with, until its run is finished."""

import importlib.util
import json
import logging
import platform
import subprocess
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import TensorBoardLogger

from hgnb.data.dataset import EpochSampler
from hgnb.errors import InputError
from hgnb.home import home
from hgnb.identity import answered
from hgnb.model.hourglass import HourglassConfig
from hgnb.training.begin import Begin, weights
from hgnb.training.callbacks import AtomicCheckpoints, Bar, Clock, Draws, Recorder, Watch
from hgnb.training.hardware import Convolution, Precision, device_name, keep_freed_memory, precision, threads
from hgnb.training.job import Job
from hgnb.training.parallel import Team, synchronised
from hgnb.training.runs import Recipe, write_aside

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
        watchers = [Clock(), Draws(recipe.seed), Watch(recipe.id, job.person_ids), recorder]
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
