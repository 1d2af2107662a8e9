"""What Lightning, records and checkpoints add to the training of `tiny`: an epoch by `fit`, and by a loop of ten lines.

python benchmarks/overhead.py; both take the same persons, network and optimiser, validation included, in turns.
The result goes to benchmarks/results/overhead.json. The bar is 10 % of a step.
"""

import json
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from book import ROOT, machine
from hgnb.data.dataset import loader
from hgnb.training.experiment import Experiment
from hgnb.training.hardware import keep_freed_memory, threads
from hgnb.training.modules import PoseModule

TURNS, PERSONS, BAR = 5, 480, 0.10


def opened(turn: int) -> Experiment:
    """One epoch of `tiny` on some of its persons; every turn is a run of its own."""
    experiment = Experiment.open("tiny", "embedded", turn)
    p = experiment.profile
    data = replace(p.data, train_persons=PERSONS, val_persons=64)
    return replace(experiment, profile=replace(p, data=data, training=replace(p.training, epochs=1)))


def by_fit(turn: int) -> float:
    experiment = opened(turn)
    experiment.prepared()
    start = time.perf_counter()
    experiment.hourglass()
    return time.perf_counter() - start


def by_loop(turn: int) -> float:
    experiment = opened(turn)
    p, data = experiment.profile, experiment.prepared()
    start = time.perf_counter()
    keep_freed_memory()
    with threads(p.training.threads):
        torch.manual_seed(turn)
        module = PoseModule(
            experiment.model(), p.training, p.heatmaps, p.pck, mean_rgb=data.mean_rgb, side=p.data.side
        ).to(memory_format=torch.channels_last)
        optimiser = module.configure_optimizers()
        module.train()
        for batch in loader(data.split("train"), p.training.batch, turn):
            optimiser.zero_grad()
            outputs, truth = module.network.predictions(batch.images(module.mean_rgb)), module.targets(batch)
            sum(F.mse_loss(maps, truth) for maps in outputs).backward()
            optimiser.step()
        module.eval()
        with torch.no_grad():
            for batch in loader(data.split("val"), 64):
                module.validation_step(batch, 0)
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HGNB_HOME"] = folder
        (Path(folder) / "profiles").symlink_to(ROOT / "profiles")
        turns = [(by_loop(turn), by_fit(turn)) for turn in range(TURNS + 1)][1:]
    ratio = statistics.median(fit / loop for loop, fit in turns) - 1
    loop, fit = (statistics.median(column) for column in zip(*turns, strict=True))
    result = {
        "persons": PERSONS, "loop_s": round(loop, 2), "fit_s": round(fit, 2), "overhead": round(ratio, 3), "bar": BAR,
        "machine": machine(),
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    (ROOT / "benchmarks" / "results" / "overhead.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
