"""`fit`: a finished run loads, an unfinished one resumes, a missing one trains. Explained in 02_experiment."""

import ctypes
import json
import logging
import platform
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lightning as L
import torch
from filelock import FileLock
from torch.utils.data import DataLoader

from hgnb.training.card import Card
from hgnb.training.modules import Tracked
from hgnb.training.runs import AtomicCheckpoints, Recipe, Recorder, Run, environment, runs_folder, write_aside


@dataclass(frozen=True)
class Job:
    """What a recipe trains."""

    module: Tracked
    train: DataLoader
    val: DataLoader
    epochs: int
    best_by: tuple[str, ...]  # columns of the metrics whose best epoch keeps its weights
    card: Card | None = None  # kept with the weights


def fit(recipe: Recipe, prepare: Callable[[], Job], progress: bool = False) -> Run:
    """The run of a recipe. `prepare` builds the job, and is called only if there is something to train."""
    folder = runs_folder() / recipe.id
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # two chapters may ask for the same run at once
        if not (folder / "manifest.json").exists():
            _train(recipe, prepare, folder, progress)
    return Run(folder)


def _train(recipe: Recipe, prepare: Callable[[], Job], folder: Path, progress: bool) -> None:
    """Trains, or goes on from the last complete epoch, and writes the manifest last."""
    keep_freed_memory()
    last = folder / "last.ckpt"
    with seeded(recipe.seed), quiet(), threads(recipe.config["training"]["threads"]):
        job = prepare()
        recorder = Recorder(folder, job.best_by, job.card)
        module = job.module.to(memory_format=torch.channels_last)
        trainer = L.Trainer(
            max_epochs=job.epochs, accelerator="auto", devices=1, precision=precision(),
            plugins=[AtomicCheckpoints()], callbacks=[Clock(), recorder],
            logger=False, enable_model_summary=False, enable_progress_bar=progress,
            num_sanity_val_steps=0,
        )  # fmt: skip
        started = time.time()
        trainer.fit(module, job.train, job.val, ckpt_path=last if last.exists() else None)
    if trainer.interrupted:
        raise KeyboardInterrupt
    manifest = {
        "id": recipe.id,
        "config": recipe.config,
        "seed": recipe.seed,
        **environment(trainer),
        "parameters": sum(p.numel() for p in job.module.network.parameters()),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": sum(row["seconds"] for row in recorder.rows),
    }
    write_aside(folder / "manifest.json", json.dumps(manifest, indent=1).encode())


class Clock(L.Callback):
    """Seconds of each epoch, validation included; first among the hooks of an epoch's end."""

    def on_train_epoch_start(self, trainer: L.Trainer, module: Tracked) -> None:
        self.start = time.perf_counter()

    def on_validation_end(self, trainer: L.Trainer, module: Tracked) -> None:
        module.row["seconds"] = round(time.perf_counter() - self.start, 3)


def precision() -> str:
    """Lightning's name of the precision that this hardware computes natively: bf16 where it can, else fp32."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    # Without avx512_bf16 or AMX a bf16 convolution is emulated, four times slower than fp32.
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if native else "32-true"


def keep_freed_memory() -> None:
    """Tells glibc not to hand big blocks back to the system: each step would fault the same pages in again.

    A training step on a CPU is a quarter faster for it. Elsewhere than on Linux with glibc it does nothing.
    """
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        m_trim_threshold, m_mmap_threshold = -1, -3  # malloc.h
        libc.mallopt(m_mmap_threshold, 1 << 30)
        libc.mallopt(m_trim_threshold, (1 << 31) - 1)


@contextmanager
def seeded(seed: int):
    """torch's generator starts from `seed` within the block and is put back behind it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@contextmanager
def threads(count: int):
    """torch computes with `count` threads within the block; 0 leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    yield
    torch.set_num_threads(before)


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
