"""Two ways on from the epoch at which the rate drops: with the drop and without. Thesis 5.2; claim C3.

A slope after the drop says little, since the rule drops the rate when PCK has just been low. So both ways start from
the same weights and optimiser, see the persons in the same order, and differ in the rate alone.

Where the rule hasn't dropped the rate by the epoch of the thesis's drop, that epoch's checkpoint is kept instead, so
that every seed can be forked; if it drops later, its own takes the place. The manifest's `drop` says which it is.
"""

from dataclasses import fields
from typing import TYPE_CHECKING

from hgnb.training.configs import FurtherTrainingConfig

if TYPE_CHECKING:  # names are looked up without torch
    from hgnb.training.job import Job
    from hgnb.training.runs import Run

EPOCHS = 3
NAMES = ("fork-dropped", "fork-kept")
SHARE = 21 / 50  # of a training's epochs: where the thesis's rate drops; 5.2, figure 12


def forced(job: "Job") -> int:
    """The epoch, from 1, whose checkpoint is kept for forks if the rule hasn't dropped the rate yet; 0 for none.

    Trainings that drop no rate, go on from another, or are too short have none.
    """
    drops = getattr(job.module.config, "schedule", "") == "drop"
    return round(SHARE * job.epochs) if drops and job.start is None else 0


def fork(experiment, name: str) -> "Run | None":
    """One of the two forks of an Experiment's hourglass; None if it keeps no checkpoint for them (see `forced`)."""
    run, training = experiment.hourglass(), experiment.profile.training
    if not (run.folder / "drop.ckpt").exists():
        return None
    numbers = {f.name: getattr(training, f.name) for f in fields(training)}
    numbers |= {
        "epochs": EPOCHS,
        "rate": training.rate / (training.drop_factor if name == "fork-dropped" else 1),
        "warmup": 0,
        "drop_after": EPOCHS + 1,  # neither drops again
    }
    config = FurtherTrainingConfig(**numbers, keep_optimiser=True)
    return experiment.further(name, run, config, checkpoint="drop")
