"""The sweep of chapter 07: each change of `hgnb.training.changes` trained, measured once on the test persons, recorded.

Radii are in the thesis's unit, a tenth of the side; at r = 0.5 a curve over `RADII` is its PCK. Where cells of the
heatmap are compared (`curve`) truths are cells too, as the thesis has them; where the ways to decode a heatmap are
(`decodings`), truths are the annotated points.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hgnb.data.config import EMBEDDED
from hgnb.home import home
from hgnb.metrics import distances
from hgnb.metrics.shares import Share, by_visibility, curve
from hgnb.training.decodings import compared
from hgnb.training.evaluation import Selection, annotations, by_image, measure
from hgnb.training.experiment import TRAINING_ROOTS, Experiment
from hgnb.training.runs import Run, runs_folder, write_aside
from hgnb.training.silent import silent_loss
from hgnb.training.staleness import staleness, stamped, titled

RADII = tuple(round(0.05 * n, 2) for n in range(1, 41))  # 0.05 to 2 tenths of the side


@dataclass(frozen=True)
class Outcome:
    """A finished training under one change, on the persons that it wasn't trained on."""

    change: str
    seed: int
    run: str  # its id
    parameters: int
    epochs: int
    best_epoch: int
    seconds: float  # of training
    val_loss: tuple[float, ...]  # by epoch
    val_pck: tuple[float, ...]
    silent: float  # the loss on the validation persons of a network that says nothing
    curve: tuple[float, ...]  # PCK on the test persons over RADII
    pck: dict[str, Share]  # on the test persons: 'all', 'v = 1', 'v = 2'
    by_image: tuple[int, ...]  # keypoints found in each test image, in the order of `Record.counted`
    oks_ap: float | None  # None where the data's joints have no sigmas
    decodings: dict[str, tuple[float, ...]]  # PCK over RADII by the way a heatmap is decoded

    @classmethod
    def read(cls, held: dict) -> "Outcome":
        """From JSON."""
        lists = {name: tuple(held[name]) for name in ("val_loss", "val_pck", "curve", "by_image")}
        shares = {name: Share(**s) for name, s in held["pck"].items()}
        return cls(**{**held, **lists, "pck": shares, "decodings": {n: tuple(c) for n, c in held["decodings"].items()}})


@dataclass(frozen=True)
class Record:
    """One file of results/: changes trained on the same persons, and where."""

    manifest: dict[str, Any]
    counted: tuple[int, ...]  # labelled keypoints in each test image
    outcomes: tuple[Outcome, ...]

    def of(self, change: str) -> list[Outcome]:
        """The trainings under a change, by seed."""
        return sorted((o for o in self.outcomes if o.change == change), key=lambda o: o.seed)

    @property
    def seeds(self) -> list[int]:
        return sorted({o.seed for o in self.outcomes})

    @property
    def title(self) -> str:
        """As of `titled`."""
        return titled(self.manifest, len(self.seeds))

    def stale(self, live: Experiment) -> tuple[str, ...]:
        """Why these numbers aren't those of today's code, profile and data; as recorded.Recorded.stale."""
        return staleness(self.manifest, live, TRAINING_ROOTS)


def opened(profile: str, data: str, seed: int, change: str, progress: bool = False) -> Experiment:
    """The experiment whose hourglass is trained under a change."""
    return Experiment.open(profile, data, seed, progress, change)


def measured(experiment: Experiment) -> Outcome:
    """The change of `opened`, trained if it isn't yet, on the test persons."""
    run, split, p = experiment.hourglass(), experiment.prepared().split("test"), experiment.profile
    reader, schema = experiment.reader(run), experiment.prepared().schema
    made = reader.predict(split)
    gaps = distances(made.points, made.true, size=made.size, config=p.pck)
    hits, labelled = gaps < p.pck.radius, made.visibility > 0
    table = run.metrics
    every = Selection.of(schema, "all", False)
    scored = measure(made, split, schema, p.pck, every, annotations(experiment.folder, split), run.id, "")
    size, least = p.data.side // p.model.stride, p.training.least_visibility
    silent = silent_loss(experiment.prepared().split("val"), p.data.side, size, p.heatmaps, least)
    ways = compared(reader, split, schema, p.pck)
    return Outcome(
        experiment.variant, experiment.seed, run.id, run.manifest["parameters"], len(table), run.best_epoch(),
        round(run.manifest["seconds"], 1), tuple(round(float(v), 10) for v in table.val_loss), _curve(table.val_pck),
        float(f"{silent:.6g}"), over_radii(gaps, labelled), by_visibility(hits, made.visibility),
        by_image((hits & labelled).sum(1), split),
        scored.precision["AP"], {name: _curve(ways.curve(name, np.array(RADII))) for name in ways.offsets},
    )  # fmt: skip


def over_radii(gaps: Tensor, counted: Tensor) -> tuple[float, ...]:
    """PCK over RADII; gaps (N, K) in tenths of the side."""
    shares = curve(gaps, counted, torch.tensor(RADII, dtype=torch.float64))
    return _curve([share.value or 0.0 for share in shares])


def record(profile: str, data: str, stamps: Sequence[Path]) -> Path:
    """Gathers what finished trainings left into results/."""
    outcomes = [Outcome.read(json.loads(p.read_text(encoding="utf8"))["outcome"]) for p in stamps]
    return save(gathered(profile, data, outcomes), results_file(profile, Experiment.open(profile, data).data_name))


def gathered(profile: str, data: str, outcomes: Iterable[Outcome]) -> Record:
    """A record of trainings that are there."""
    outcomes = tuple(outcomes)
    plain = Experiment.open(profile, data)
    split = plain.prepared().split("test")
    counted = by_image(torch.as_tensor(split.visibility > 0).sum(1), split)
    manifest = {
        **stamped(plain, Run(runs_folder() / outcomes[0].run), TRAINING_ROOTS),
        "persons": plain.prepared().manifest["persons"],
        "beyond": asdict(plain.profile.beyond),
        "hours": round(sum(o.seconds for o in outcomes) / 3600, 2),
    }
    return Record(manifest, counted, outcomes)


def results_file(profile: str, data_name: str) -> Path:
    """Where the sweep of a profile on some data is kept."""
    return home() / "results" / f"beyond-{profile}-{data_name}.json"


def results_files() -> list[Path]:
    """All that were kept."""
    return sorted((home() / "results").glob("beyond-*.json"))


def found(profile: str, data_name: str) -> Record | None:
    """The recorded sweep of a profile and data, or the next best: `small` on these data, then on the embedded."""
    wanted = ((profile, data_name), ("small", data_name), ("small", EMBEDDED))
    files = (results_file(p, d) for p, d in wanted)
    return next((load(file) for file in files if file.is_file()), None)


def save(made: Record, file: Path) -> Path:
    """Writes the file whole or not at all, one training a line."""
    rows = ",\n  ".join(json.dumps(asdict(outcome)) for outcome in made.outcomes)
    head = f'"manifest": {json.dumps(made.manifest)},\n "counted": {json.dumps(made.counted)}'
    file.parent.mkdir(parents=True, exist_ok=True)
    write_aside(file, f'{{\n {head},\n "outcomes": [\n  {rows}\n ]\n}}\n'.encode())
    return file


def load(file: Path) -> Record:
    """A record that `save` wrote."""
    held = json.loads(file.read_text(encoding="utf8"))
    return Record(held["manifest"], tuple(held["counted"]), tuple(Outcome.read(o) for o in held["outcomes"]))


def _curve(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
