"""All arms of one seed on the same persons: PCK with intervals, and paired differences. Explained in 04_improvement."""

import numpy as np

from hgnb.data.prepared import PreparedSplit
from hgnb.intervals import Interval, pck_difference, pooled_pck
from hgnb.training.networks import ARMS, Arm
from hgnb.training.runs import Run

SPLITS = ("val", "test")
# Differences that claims ask for, first less second.
PAIRS = (
    ("modified", "hourglass"),  # C19 to C21: the gain
    ("control-longer", "hourglass"),
    ("control-random", "hourglass"),
    ("control-projection", "hourglass"),
    ("modified", "control-longer"),  # C27
    ("modified", "control-random"),
    ("modified", "control-projection"),
    ("hourglass", "hourglass-best-loss"),  # C28
    ("control-longer", "longer-best-loss"),
    ("modified", "modified-best-loss"),
)


def compare(experiment) -> dict:
    """Numbers of every arm of an Experiment on validation and test, JSON-able; trains what isn't there yet.

    A further training is judged at its epoch with the best validation PCK, as the thesis's.
    """
    runs = {name: experiment.arm(arm) for name, arm in ARMS.items()}
    data = {name: experiment.prepared().split(name) for name in SPLITS}
    hits = {name: _hits(experiment, ARMS[name], run, data) for name, run in runs.items()}
    counts = {name: (split.visibility > 0, split.image_ids) for name, split in data.items()}
    return {
        "checksum": experiment.prepared().checksum,
        "persons": {name: len(split) for name, split in data.items()},
        "images": {name: len(np.unique(split.image_ids)) for name, split in data.items()},
        "arms": {
            name: {**_told(ARMS[name], run), **{s: _plain(pooled_pck(hits[name][s], *counts[s])) for s in SPLITS}}
            for name, run in runs.items()
        },
        "differences": [
            {"first": a, "second": b, **{s: _plain(pck_difference(hits[a][s], hits[b][s], *counts[s])) for s in SPLITS}}
            for a, b in PAIRS
        ],
        "autoencoder": _autoencoder(experiment.autoencoder()),
    }


def _hits(experiment, arm: Arm, run: Run, data: dict[str, PreparedSplit]) -> dict[str, np.ndarray]:
    """(N, K) bool for each split."""
    reader = experiment.reader(run, "val_pck" if arm.further else arm.best)
    return {name: reader.predict(split).hits(experiment.profile.pck).numpy() for name, split in data.items()}


def _told(arm: Arm, run: Run) -> dict:
    """What a run was and how it went, epoch by epoch."""
    table = run.metrics
    judged = "val_pck" if arm.further else arm.best
    return {
        "run": run.id,
        "parameters": run.manifest["parameters"],
        "seconds": round(run.manifest["seconds"], 1),
        "epoch": run.best_epoch(judged),
        **{c: [float(f"{v:.6g}") for v in table[c]] for c in ("train_loss", "val_loss", "val_pck")},
    }


def _autoencoder(run: Run) -> dict:
    table = run.metrics
    return {"run": run.id, "val_loss": float(table.val_loss.min()), "epochs": len(table)}


def _plain(interval: Interval) -> list[float | None]:
    """Value and bounds; null where there is nothing to count."""
    values = (interval.value, interval.low, interval.high)
    return [round(float(v), 5) if np.isfinite(v) else None for v in values]
