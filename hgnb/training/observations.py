"""What the trainings of chapters 06 and 07 showed on the test persons: columns for their record, and what these say.

Distances are kept in steps of `STEP` up to two units, so that shares over radii, by visibility, joint or image can be
computed later. Radii are in the thesis's unit, a tenth of the side, between cells of the heatmap as the thesis has
them, or in heads; where the ways to decode a heatmap are compared, between points. At r = 0.5 a curve over `RADII` is
PCK, or PCKh.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hgnb import records
from hgnb.data.heatmaps import cells
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.data.splits import EMBEDDED
from hgnb.metrics import distances
from hgnb.metrics.keypoints_found import VISIBILITY, Share, share
from hgnb.metrics.pckh import head_lengths, head_segment, joint_groups
from hgnb.records import Columns, Record, Seed
from hgnb.training import networks, passes, profiles, recorded
from hgnb.training.evaluation import Selection, annotations, measure
from hgnb.training.experiment import Experiment
from hgnb.training.networks import BEST, GENTLE, NEWELL, THESIS
from hgnb.training.passes import Reader, compared, silent_loss
from hgnb.training.runs import Run

STEP, STEPS = 0.05, 40
RADII = tuple(round(STEP * n, 2) for n in range(1, STEPS + 1))  # 0.05 to 2
AT = RADII.index(0.5)
# whose ways to decode chapter 07 compares
DECODED = {THESIS, GENTLE, NEWELL, BEST} | {one.name for one in networks.BEYOND if one.group == "together"}


def shared(study: str, experiment: Experiment) -> dict[str, Any]:
    """As hgnb.training.recorded.shared: the profile's own numbers, the checksum of the persons that `experiment`, one
    training of the study, is trained on."""
    plain = profiles.load(experiment.profile.name)
    return recorded.shared(experiment, study) | {"numbers": recorded.numbers(plain, experiment.data_name, study)}


def persons(experiment: Experiment) -> dict[str, np.ndarray]:
    """The test persons: `visibility` (N, K), `images` (N,), `headed` (N,) with a labelled head; and the few on whom
    networks are shown, `samples` (n, K, 3) in pixels of the crop, with their `crops` where the pictures are drawn."""
    split, schema = experiment.prepared().split("test"), experiment.prepared().schema
    shown = sampled(split, experiment.profile.lighter.samples)
    columns = {
        "visibility": np.asarray(split.visibility).astype(np.uint8),
        "images": np.asarray(split.image_ids),
        "headed": (heads(split, schema) > 0).numpy(),
        "names": np.array(schema.names),
        "skeleton": np.array(schema.skeleton, dtype=np.int64).reshape(-1, 2),
        "samples": np.round(np.array(split.keypoints[shown]), 1).astype(np.float32),
        "counts": np.array([experiment.prepared().manifest["persons"][s] for s in ("train", "val", "test")]),
    }
    # other people's photographs stay where they are
    return columns | ({"crops": np.array(split.crops[shown])} if experiment.data == EMBEDDED else {})


def columns(experiment: Experiment, run: Run) -> dict[str, np.ndarray]:
    """What the training that `experiment` is opened for showed at its best epoch by validation PCK.

    `gaps` (N, K) uint8: distance of prediction to truth, as the number of RADII that it isn't below. `heads`: the same
    in heads, the number of RADII that it is above; where persons have any. `earlier` (S - 1, N, K) uint8: behind each
    hourglass before the last, in whichever the chapter counts. `decoded/<name>` (N, K): between points. `points`
    (n, K, 2): of the persons shown. `epochs/<column>` (E,); `steps/train_loss` (T,).
    """
    split, schema, p = experiment.prepared().split("test"), experiment.prepared().schema, experiment.profile
    reader = experiment.reader(run)
    behind, lengths = predicted(reader, split), heads(split, schema)
    true, side = torch.from_numpy(np.array(split.keypoints[..., :2])), p.data.side
    size = side // p.model.stride
    truth = cells(true, side, size)
    gaps = [coded(distances(cells(one, side, size), truth, size=size, config=p.pck)) for one in behind]
    made = {"gaps": gaps[-1], **_course(run)}
    counted = gaps
    if (lengths > 0).any():
        counted = [_in_heads(one, true, lengths) for one in behind]
        made["heads"] = counted[-1]
    if len(behind) > 1:
        made["earlier"] = np.stack(counted[:-1])
    shown = sampled(split, p.lighter.samples)
    made["points"] = np.round(behind[-1][shown].numpy(), 1)
    if experiment.variant in DECODED:
        ways = compared(reader, split, schema, p.pck)
        for name, offsets in ways.offsets.items():
            apart = torch.from_numpy(np.linalg.norm(offsets, axis=-1)) / ways.normaliser
            made[f"decoded/{name}"] = coded(apart)
    return made


def facts(experiment: Experiment, run: Run) -> dict[str, Any]:
    """As hgnb.training.recorded.facts, with AP by OKS on the test persons (None where joints have no sigmas) and the
    loss on the validation persons of a network that says nothing."""
    split, schema, p = experiment.prepared().split("test"), experiment.prepared().schema, experiment.profile
    every, annotated = Selection.of(schema, "all", False), annotations(experiment.folder, split)
    scored = measure(experiment.reader(run).predict(split), split, schema, p.pck, every, annotated, run.id, "")
    size, least = p.data.side // p.model.stride, p.training.least_visibility
    silent = silent_loss(experiment.prepared().split("val"), p.data.side, size, p.heatmaps, least)
    return recorded.facts(run) | {"oks_ap": scored.precision["AP"], "silent": float(f"{silent:.6g}")}


def is_recorded(about: Mapping[str, Any], seed: int, name: str, run: Run) -> bool:
    """Whether this very run is in its record already."""
    held = records.find(about["study"], about["profile"], about["data"])
    there = next((one.trainings for one in held.seeds if one.number == seed), {}) if held else {}
    return name in there and there[name]["run"] == run.id


def coded(gaps: Tensor) -> np.ndarray:
    """(N, K) distances -> uint8, the number of RADII that each isn't below."""
    radii = torch.tensor(RADII, dtype=torch.float64).to(gaps)
    return (gaps[..., None] >= radii).sum(-1).numpy().astype(np.uint8)


def _in_heads(points: Tensor, true: Tensor, lengths: Tensor) -> np.ndarray:
    """(N, K) uint8, the number of RADII heads that each is beyond; as `within_heads`, a radius itself still counts."""
    apart = torch.linalg.vector_norm(points.double() - true.double(), dim=-1)
    radii = torch.tensor(RADII, dtype=torch.float64) * lengths[:, None, None]
    return (apart[..., None] > radii).sum(-1).numpy().astype(np.uint8)


def _course(run: Run) -> dict[str, np.ndarray]:
    wanted = ("train_loss", "val_loss", "val_pck")
    epochs = {f"epochs/{name}": run.metrics[name].to_numpy(float) for name in wanted}
    return epochs | {"steps/train_loss": run.steps.astype(np.float32)}


def heads(split: PreparedSplit, schema: KeypointSchema) -> Tensor:
    """(N,) lengths of the persons' heads in pixels of the crop; 0 where there is none."""
    segment = head_segment(schema.names)
    keypoints = torch.from_numpy(np.array(split.keypoints))
    if segment is None:
        return torch.zeros(len(split), dtype=torch.float64)
    return head_lengths(keypoints[..., :2], keypoints[..., 2], segment)


@torch.inference_mode()
def predicted(reader: Reader, split: PreparedSplit) -> Tensor:
    """(S, N, K, 2) as (x, y), pixels of the crop: the peaks behind each of the S hourglasses."""
    from hgnb.metrics import peaks

    parts, scale = [], reader.network.config.stride
    for batch in passes.read(reader, split):
        maps = reader.network.predictions(batch.images(reader.mean_rgb))
        parts.append(torch.stack([peaks(m)[0] for m in maps]).cpu())
    return (torch.cat(parts, 1) + 0.5) * scale - 0.5  # centres of the cells


def sampled(split: PreparedSplit, count: int) -> np.ndarray:
    """Positions of the persons shown: among those with most labelled keypoints, by lot, the same for every training."""
    lot = np.random.default_rng(0).permutation(len(split))
    enough = split.labelled[lot] >= np.quantile(split.labelled, 0.75)
    return np.concatenate([lot[enough], lot[~enough]])[:count]


@dataclass(frozen=True)
class People:
    """The test persons of a record: what is counted on them, and the few on whom all networks are shown."""

    columns: Columns

    @cached_property
    def schema(self) -> KeypointSchema:
        return KeypointSchema.of(self.columns["names"].tolist(), self.columns["skeleton"].tolist())

    @property
    def measure(self) -> str:
        """Of chapter 06: 'PCKh@0.5', or 'PCK' where the data have no head segment."""
        return "PCKh@0.5" if self.headed else "PCK"

    @property
    def headed(self) -> bool:
        return bool(self.columns["headed"].any())

    @property
    def visibility(self) -> np.ndarray:
        """(N, K)."""
        return self.columns["visibility"]

    @property
    def samples(self) -> np.ndarray:
        """(n, K, 3): x, y in pixels of the crop, v."""
        return self.columns["samples"]

    @property
    def crops(self) -> np.ndarray | None:
        """(n, side, side, 3) uint8; None where the photographs aren't ours to show."""
        return self.columns.get("crops")

    @property
    def counts(self) -> dict[str, int]:
        """Persons of 'train', 'val' and 'test'."""
        return dict(zip(("train", "val", "test"), self.columns["counts"].tolist(), strict=True))

    @cached_property
    def grouped(self) -> np.ndarray:
        """(N, K) bool, what chapter 06 counts: labelled, in a group of `joint_groups`, of a person with a head where
        heads are the measure."""
        inside = np.zeros(len(self.schema), bool)
        inside[[k for joints in joint_groups(self.schema.names).values() for k in joints]] = True
        some = (self.visibility > 0) & inside
        return some & self.columns["headed"][:, None] if self.headed else some

    @cached_property
    def counted(self) -> np.ndarray:
        """(images,) keypoints that chapter 06 counts in each image, in the order of the images' ids."""
        return self.by_image(self.grouped)

    def by_image(self, marked: np.ndarray) -> np.ndarray:
        """(N, K) bool -> (images,) how many in each image."""
        images = np.unique(self.columns["images"], return_inverse=True)[1]
        return np.bincount(images, marked.sum(1)).astype(int)


@dataclass(frozen=True)
class Outcome:
    """A finished training on the test persons."""

    name: str
    seed: int
    facts: Mapping[str, Any]
    columns: Columns
    people: People

    @property
    def seconds(self) -> float:
        """Of training."""
        return self.facts["seconds"]

    @property
    def silent(self) -> float:
        """The loss on the validation persons of a network that says nothing."""
        return self.facts["silent"]

    @property
    def val_loss(self) -> np.ndarray:
        """(E,) by epoch."""
        return self.columns["epochs/val_loss"]

    @property
    def val_pck(self) -> np.ndarray:
        """(E,) by epoch."""
        return self.columns["epochs/val_pck"]

    @property
    def points(self) -> np.ndarray:
        """(n, K, 2) as (x, y), pixels of the crop, of the persons shown."""
        return self.columns["points"]

    # PCK, chapter 07's measure

    @cached_property
    def curve(self) -> np.ndarray:
        """(R,) PCK over RADII."""
        return over_radii(self.columns["gaps"], self.people.visibility > 0)

    @cached_property
    def pck(self) -> dict[str, Share]:
        """'all', 'v = 1' and 'v = 2'."""
        hits = self.columns["gaps"] <= AT
        return {name: share(hits, np.isin(self.people.visibility, v)) for name, v in VISIBILITY.items()}

    @cached_property
    def decodings(self) -> dict[str, np.ndarray]:
        """(R,) PCK over RADII by the way that heatmaps are decoded; empty where that isn't compared."""
        start, labelled = "decoded/", self.people.visibility > 0
        held = {n.removeprefix(start): c for n, c in self.columns.items() if n.startswith(start)}
        return {name: over_radii(held[name], labelled) for name in _ordered(held)}

    # chapter 06's measure

    @property
    def hits(self) -> np.ndarray:
        """(N, K) bool."""
        return self.columns["heads" if self.people.headed else "gaps"] <= AT

    @cached_property
    def mean(self) -> Share:
        return share(self.hits, self.people.grouped)

    @cached_property
    def groups(self) -> dict[str, Share]:
        """By group of joints."""
        joints = joint_groups(self.people.schema.names)
        return {name: share(self.hits[:, k], self.people.grouped[:, k]) for name, k in joints.items()}

    @cached_property
    def by_image(self) -> np.ndarray:
        """(images,) keypoints found in each image, in the order of `People.counted`."""
        return self.people.by_image(self.hits & self.people.grouped)

    @cached_property
    def by_stack(self) -> tuple[float, ...]:
        """The mean of the heatmaps behind each hourglass."""
        earlier = [share(one <= AT, self.people.grouped) for one in self.columns.get("earlier", ())]
        return tuple(one.value or 0.0 for one in (*earlier, self.mean))


@dataclass(frozen=True)
class Outcomes:
    """The trainings of a record."""

    record: Record

    @cached_property
    def people(self) -> People:
        return People(self.record.persons)

    @cached_property
    def all(self) -> list[Outcome]:
        return [
            Outcome(name, seed.number, told, seed.of(name), self.people)
            for seed in self.record.seeds
            for name, told in seed.trainings.items()
        ]

    @cached_property
    def names(self) -> list[str]:
        """Trainings that any seed has, in the order of their study."""
        there = set(self.record.trainings)
        return [one.name for one in networks.study(self.record.study).trainings if one.name in there]

    def of(self, name: str) -> list[Outcome]:
        """The seeds of a training."""
        return [outcome for outcome in self.all if outcome.name == name]

    @property
    def seeds(self) -> list[int]:
        return [seed.number for seed in self.record.seeds]

    def section(self, name: str) -> dict[str, Any]:
        """A section of the profile's numbers."""
        return self.record.about["numbers"][name]


def found(study: str, profile: str, data: str) -> Outcomes | None:
    """The record that a page about a profile and data shows; None where there is none."""
    return next((Outcomes(record) for record in records.fitting(study, profile, data)), None)


def live(study: str, profile: str, data: str, seed: int) -> Outcomes:
    """Every training of a study that a profile asks for, trained here and now, with one seed; nothing is recorded."""
    plain = Experiment.open(profile, data, seed)
    wanted = networks.study(study).units(getattr(plain.profile, study).cases)
    varied = [plain.varied(one.name) for one in wanted]
    runs = {one.variant: one.hourglass() for one in varied}
    held = {f"{e.variant}/{k}": c for e in varied for k, c in columns(e, runs[e.variant]).items()}
    about = {"seed": seed, "trainings": {e.variant: facts(e, runs[e.variant]) for e in varied}}
    return Outcomes(Record(shared(study, varied[0]), (Seed(seed, about, held),), persons(varied[0])))


def over_radii(codes: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """(N, K) uint8 as `coded` makes them -> (R,) the share below each radius."""
    near = np.bincount(codes[counted], minlength=STEPS + 1)
    return np.cumsum(near)[:STEPS] / max(int(counted.sum()), 1)


def _ordered(names: Sequence[str] | Mapping[str, Any]) -> list[str]:
    """Plain decodings before those with the mirror image, the highest pixel first."""
    order = ("argmax", "quarter", "dark", "soft")
    return sorted(names, key=lambda n: ("+" in n, order.index(n.split()[0]) if n.split()[0] in order else len(order)))
