"""What a chapter is about to train, and for about how long; said in its first cells, before anybody waits."""

import json
import time
from dataclasses import asdict, replace
from math import ceil
from typing import Any

import numpy as np
import torch

from figures.watching import spoken
from hgnb.model.hourglass import Autoencoder, StackedHourglass
from hgnb.training.experiment import Experiment
from hgnb.training.fit import Untrained, finished_only
from hgnb.training.hardware import device_name, threads
from hgnb.training.profiles import AutoencoderTrainingConfig, TrainingConfig
from hgnb.training.runs import Run, runs_folder

TITLES = {"modified": "modified hourglass", "few": "hourglass on a few persons"}
TRIED = 4  # persons of the step that is timed; a step's time grows with its persons


def ahead(experiment: Experiment, *names: str) -> str:
    """A sentence on the trainings that a chapter asks for, by the names of Experiment's methods: which are done and how
    long they took, which are to come and about how long they will take on this machine.

    As finished runs of the same network in batches of the same size took here; where there are none, as a step of noise
    takes that is tried. Trains nothing, and leaves chance where it was.
    """
    done, missing, tried = [], [], False
    for name in names:
        title = TITLES.get(name, name)
        try:
            with finished_only():
                run = getattr(experiment, name)()
            done.append(f"{title} ({spoken(run.manifest['seconds'])})")
        except Untrained:
            step = _like(experiment, name)
            tried |= step is None
            missing.append((title, _steps(experiment, name) * (_tried(experiment, name) if step is None else step)))
    said = [f"Trained already: {', '.join(done)}."] if done else []
    if missing:
        whole = f"; {spoken(sum(s for _, s in missing))} in all" if len(missing) > 1 else ""
        basis = "a step that was tried just now" if tried else "finished runs of this machine"
        each = ", ".join(f"{title} (about {spoken(seconds)})" for title, seconds in missing)
        said.append(f"To be trained first, once: {each}{whole}, going by {basis}.")
    return " ".join(said)


def _asked(experiment: Experiment, name: str) -> TrainingConfig | AutoencoderTrainingConfig:
    """The numbers of a training."""
    p = experiment.profile
    if name == "few":
        return replace(p.modified, epochs=p.analysis.few_epochs)
    if name == "autoencoder":
        return p.autoencoder_training
    return p.training if name == "hourglass" else p.modified


def _steps(experiment: Experiment, name: str) -> int:
    asked, persons = _asked(experiment, name), len(experiment.prepared().split("train"))
    return asked.epochs * ceil(
        (min(experiment.profile.analysis.few, persons) if name == "few" else persons) / asked.batch
    )


def _kind(title: str, model: dict[str, Any], side: int, training: dict[str, Any]) -> tuple:
    """What a step's time hangs on."""
    numbers = (training.get(name) for name in ("batch", "threads", "precision"))
    return title.startswith("autoencoder"), {**model, "keypoints": 0}, side, *numbers


def _like(experiment: Experiment, name: str) -> float | None:
    """Seconds of a step in finished runs of the kind here, their median; None where there are none."""
    model = json.loads(json.dumps(asdict(experiment.model())))  # lists for tuples, as a manifest has them
    kind, found = _kind(name, model, experiment.profile.data.side, asdict(_asked(experiment, name))), []
    for file in runs_folder().glob("*/manifest.json"):
        run = Run(file.parent)
        held, config = run.manifest, run.manifest["config"]
        own = _kind(run.id, config["model"], config["side"], config["training"])
        if own == kind and held["device"] == device_name() and len(run.steps):
            found.append(held["seconds"] / len(run.steps))
    return float(np.median(found)) if found else None


def _tried(experiment: Experiment, name: str) -> float:
    """Seconds of a step of noise: the second, since the first also finds memory."""
    asked, model, side = _asked(experiment, name), experiment.model(), experiment.profile.data.side
    latent = name == "autoencoder"
    persons = asked.batch if latent else min(asked.batch, TRIED)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.random.fork_rng(), threads(asked.threads):
        shape = model.latent_shape(side)
        network = Autoencoder(shape, experiment.profile.autoencoder) if latent else StackedHourglass(model)
        network.to(device)
        batch = torch.rand(persons, *(shape if latent else (3, side, side)), device=device)
        for _ in range(2):
            start = time.perf_counter()
            maps = [network(batch)] if latent else network.predictions(batch)
            sum(m.square().mean() for m in maps).backward()
            if device == "cuda":
                torch.cuda.synchronize()
    return (time.perf_counter() - start) * asked.batch / persons
