"""The sweep over lighter hourglasses: each training memoised, measured once, and kept as small JSON. Chapter 06.

A training is measured on the test persons, at the epoch that was best on the validation persons.
"""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hgnb.data.heatmaps import cells
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import found, peaks
from hgnb.metrics.pckh import head_lengths, head_segment, joint_groups, within_heads
from hgnb.metrics.shares import Share, by_group, share
from hgnb.training import batches, networks
from hgnb.training.evaluation import by_image
from hgnb.training.experiment import Experiment
from hgnb.training.inference import Reader
from hgnb.training.runs import Run, runs_folder

KEPT = ("python", "versions", "system", "device", "threads", "precision")  # of a run's manifest


@dataclass(frozen=True)
class Outcome:
    """A finished training on the test persons. Joints count where a group of `joint_groups` has them."""

    case: str
    seed: int
    run: str  # its id
    parameters: int
    epochs: int
    best_epoch: int
    seconds: float
    mean: Share
    groups: dict[str, Share]
    by_image: tuple[int, ...]  # keypoints found in each image, in the order of `People.counted`
    by_stack: tuple[float, ...]  # the mean of the heatmaps behind each hourglass
    points: tuple  # (samples, K, 2) as (x, y), pixels of the crop

    @classmethod
    def read(cls, held: dict) -> "Outcome":
        """From JSON."""
        groups = {name: Share(**s) for name, s in held["groups"].items()}
        lists = {name: tuple(held[name]) for name in ("by_image", "by_stack", "points")}
        return cls(**{**held, "mean": Share(**held["mean"]), "groups": groups, **lists})


@dataclass(frozen=True)
class People:
    """The test persons of a sweep: what was counted, and the few on whom all networks are shown."""

    measure: str  # 'PCKh@0.5', or 'PCK' where the data have no head segment
    persons: int
    counted: tuple[int, ...]  # keypoints counted in each image
    names: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...]
    samples: np.ndarray  # (n, K, 3): x, y in pixels of the crop, v
    crops: np.ndarray | None  # (n, side, side, 3) uint8; None where the photographs aren't ours to show

    @property
    def schema(self) -> KeypointSchema:
        return KeypointSchema(self.names, self.skeleton)


@dataclass(frozen=True)
class Sweep:
    """Trainings that were made on the same persons, and where."""

    manifest: dict[str, Any]
    people: People
    outcomes: tuple[Outcome, ...]

    def of(self, case: str) -> list[Outcome]:
        """The trainings of a case, by seed."""
        return sorted((o for o in self.outcomes if o.case == case), key=lambda o: o.seed)

    @property
    def seeds(self) -> list[int]:
        return sorted({o.seed for o in self.outcomes})


def opened(profile: str, data: str, seed: int, case: str, progress: bool = False) -> Experiment:
    """The experiment whose hourglass is a case of the sweep."""
    networks.get(case)
    return Experiment.open(profile, data, seed, progress, case)


def measured(experiment: Experiment) -> Outcome:
    """The case of `opened`, trained if it isn't yet, on the test persons."""
    run, split = experiment.hourglass(), experiment.prepared().split("test")
    behind = predicted(experiment.reader(run), split)
    hits, counted, _ = judged(experiment, split, behind)
    names = experiment.prepared().schema.names
    shown = sampled(split, experiment.profile.lighter.samples)
    return Outcome(
        experiment.variant, experiment.seed, run.id, run.manifest["parameters"], len(run.metrics), run.best_epoch(),
        round(run.manifest["seconds"], 1), share(hits[-1], counted), by_group(hits[-1], counted, joint_groups(names)),
        by_image((hits[-1] & counted).sum(1), split), tuple(round(share(h, counted).value or 0.0, 4) for h in hits),
        tuple(np.round(behind[-1][shown].numpy(), 1).tolist()),
    )  # fmt: skip


def people(experiment: Experiment) -> People:
    """The test persons that a sweep is measured on."""
    split, schema = experiment.prepared().split("test"), experiment.prepared().schema
    _, counted, measure = judged(experiment, split, torch.zeros(1, len(split), len(schema), 2))
    shown = sampled(split, experiment.profile.lighter.samples)
    return People(
        measure, len(split), by_image(counted.sum(1), split), schema.names, schema.skeleton,
        np.array(split.keypoints[shown]), np.stack([split.picture(i) for i in shown]),
    )  # fmt: skip


@torch.inference_mode()
def predicted(reader: Reader, split: PreparedSplit) -> Tensor:
    """(S, N, K, 2) as (x, y), pixels of the crop: the peaks behind each of the S hourglasses."""
    parts, scale = [], reader.network.config.stride
    for batch in batches.read(reader, split):
        maps = reader.network.predictions(batch.images(reader.mean_rgb))
        parts.append(torch.stack([peaks(m)[0] for m in maps]).cpu())
    return (torch.cat(parts, 1) + 0.5) * scale - 0.5  # centres of the cells


def judged(experiment: Experiment, split: PreparedSplit, behind: Tensor) -> tuple[list[Tensor], Tensor, str]:
    """Hits (N, K) behind each hourglass, what counts (N, K), and the measure's name.

    PCKh@0.5 where the data have a head segment, persons without a labelled one left out; else the thesis's PCK.
    """
    names, keypoints = experiment.prepared().schema.names, torch.from_numpy(np.array(split.keypoints))
    true, visibility = keypoints[..., :2], keypoints[..., 2]
    grouped = torch.zeros(len(names), dtype=torch.bool)
    grouped[[k for joints in joint_groups(names).values() for k in joints]] = True
    counted, segment = (visibility > 0) & grouped, head_segment(names)
    if segment is not None:
        lengths = head_lengths(true, visibility, segment)
        if (lengths > 0).any():
            return [within_heads(p, true, lengths) for p in behind], counted & (lengths > 0)[:, None], "PCKh@0.5"
    side = split.crops.shape[1]
    size = side // experiment.profile.model.stride
    rule = {"size": size, "config": experiment.profile.pck}
    truth = cells(true, side, size)
    return [found(cells(p, side, size), truth, **rule) for p in behind], counted, "PCK"


def sampled(split: PreparedSplit, count: int) -> np.ndarray:
    """Positions of the persons shown: among those with most labelled keypoints, by lot, the same for every sweep."""
    lot = np.random.default_rng(0).permutation(len(split))
    enough = split.labelled[lot] >= np.quantile(split.labelled, 0.75)
    return np.concatenate([lot[enough], lot[~enough]])[:count]


def live(profile: str, data: str, seed: int) -> Sweep:
    """Every case of the profile, trained here and now, with one seed."""
    wanted = networks.STUDIES["lighter"].units(Experiment.open(profile, data, seed).profile.lighter.cases)
    return gathered(profile, data, [measured(opened(profile, data, seed, case.name)) for case in wanted])


def gathered(profile: str, data: str, outcomes: Iterable[Outcome]) -> Sweep:
    """A sweep of trainings that are there."""
    outcomes = tuple(outcomes)
    first = opened(profile, data, outcomes[0].seed, outcomes[0].case)
    manifest = Run(runs_folder() / outcomes[0].run).manifest
    facts = {
        "profile": profile, "data": first.data_name, "checksum": first.prepared().checksum,
        "persons": first.prepared().manifest["persons"], "lighter": asdict(first.profile.lighter),
        "training": asdict(Experiment.open(profile, data).profile.lighter_training),
        "code": manifest["config"]["code"],  # a fingerprint of what trained them
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "hours": round(sum(o.seconds for o in outcomes) / 3600, 2),
    }  # fmt: skip
    return Sweep({**facts, **{name: manifest[name] for name in KEPT}}, people(first), outcomes)
