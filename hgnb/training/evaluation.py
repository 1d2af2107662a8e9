"""How well a run finds keypoints: the thesis's PCK beside the standard measures. 02_experiment; `hgnb evaluate`."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from rich.table import Table
from torch import Tensor

from hgnb.data import coco
from hgnb.data.crops import CropTransform
from hgnb.data.prepared import SPLITS, Prepared, PreparedSplit, prepare
from hgnb.data.schema import KeypointSchema
from hgnb.data.splits import DataConfig
from hgnb.errors import InputError, unknown
from hgnb.home import home, located
from hgnb.metrics import PckConfig, distances
from hgnb.metrics.keypoints_found import (
    Share,
    among,
    by_group,
    by_joint,
    by_visibility,
    curve,
    mean_over_persons,
    share,
)
from hgnb.metrics.oks import STATS, area, average_precision, oks, sigmas
from hgnb.metrics.pckh import head_lengths, head_segment, within_heads
from hgnb.stats import Estimate
from hgnb.stats import pck as pooled_pck
from hgnb.training.catalogue import Weights, opened
from hgnb.training.passes import Predictions, Reader, mean_pose_hits

RADII = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0)  # normalisers; 0.5 is the thesis's
ALL = "all"
EXACT = "exact"  # field of a record whose area can be relied on


@dataclass(frozen=True)
class Selection:
    """Which labelled keypoints count."""

    visible_only: bool
    asked: str  # as it was written: 'all', groups or names of joints
    joints: tuple[int, ...]

    @classmethod
    def of(cls, schema: KeypointSchema, joints: str, visible_only: bool) -> "Selection":
        """From 'all', or groups and joints with commas between; an unknown one is an InputError."""
        known = {ALL: range(len(schema)), **schema.groups, **{n: [k] for k, n in enumerate(schema.names)}}
        chosen: set[int] = set()
        for name in (part.strip() for part in joints.split(",")):
            if name not in known:
                raise unknown("joint or group", name, known)
            chosen.update(int(k) for k in known[name])
        return cls(visible_only, joints, tuple(sorted(chosen)))

    def mask(self, visibility: Tensor) -> Tensor:
        """(N, K) bool: the keypoints that count."""
        labelled = among(visibility, (2,) if self.visible_only else (1, 2))
        return labelled & torch.isin(torch.arange(visibility.shape[1]), torch.tensor(self.joints))

    def text(self) -> str:
        """How a heading calls them."""
        which = "visible keypoints (v = 2)" if self.visible_only else "labelled keypoints (v = 1 and 2)"
        return which if self.asked == ALL else f"{which} of {self.asked}"


@dataclass(frozen=True)
class Evaluation:
    """Every measure of one run on one split. A share that counts nothing has no value; `notes` say why."""

    weights: str
    data: str
    split: str
    selection: Selection
    config: PckConfig
    persons: int
    images: int
    pck: Share
    interval: Estimate  # of pck; 95 %, over photographs
    by_visibility: dict[str, Share]
    by_group: dict[str, Share]
    by_joint: dict[str, Share]
    by_person: tuple[float | None, int]  # mean of the persons' own shares, and over how many
    over_radii: dict[float, Share]
    pckh: Share
    heads: int  # persons with a labelled head segment
    oks: tuple[float | None, int]  # mean over persons, and over how many
    precision: dict[str, float | None]  # COCOeval's AP and AR
    notes: tuple[str, ...]

    def facts(self) -> dict:
        """JSON-able; null where there is nothing to count."""

        def plain(value: Share) -> dict:
            return {"value": value.value, "found": value.found, "counted": value.counted}

        parts = {k: getattr(self, k) for k in ("by_visibility", "by_group", "by_joint")}
        bounds = [b if np.isfinite(b) else None for b in (self.interval.low, self.interval.high)]
        return {
            "weights": self.weights, "data": self.data, "split": self.split,
            "persons": self.persons, "images": self.images,
            "counted": {"visible_only": self.selection.visible_only, "joints": self.selection.asked},
            "pck": {**plain(self.pck), "low": bounds[0], "high": bounds[1], **asdict(self.config)},
            **{f"pck_{k}": {name: plain(s) for name, s in part.items()} for k, part in parts.items()},
            "pck_by_person": dict(zip(("mean", "persons"), self.by_person, strict=True)),
            "pck_over_radii": {str(r): s.value for r, s in self.over_radii.items()},
            "pckh": {**plain(self.pckh), "radius": 0.5, "persons": self.heads},
            "oks": {**dict(zip(("mean", "persons"), self.oks, strict=True)), **self.precision},
            "notes": list(self.notes),
        }  # fmt: skip

    def __rich_console__(self, console, options):
        yield from sheet(self)


def evaluate(
    weights: Weights, split: str = "test", *, data: str | None = None, visible_only: bool = False, joints: str = ALL
) -> Evaluation:
    """Predicts a split and measures; `visible_only` and `joints` choose what PCK and PCKh count.

    `data`: a folder in COCO layout in place of the run's own data; persons are cropped as the weights' card says, and
    keypoints matched by name: those that only one of the two knows count nowhere. OKS counts every labelled joint
    whatever is chosen, as COCO defines it.

    >>> evaluate(weights("hourglass-tiny"), "test", joints="head").pck  # doctest: +SKIP
    Estimate(value=0.68, low=0.64, high=0.72, ...)
    """
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    config = PckConfig(**weights.run.manifest["config"]["pck"]) if weights.run is not None else PckConfig()
    notes: list[str] = []
    if data is not None:
        folder = located(data)
        prepared, name = as_trained(weights, folder), folder.name
    elif weights.run is None:
        raise InputError(f"{weights.name} is a file without a run, and so without data: name a folder with --data.")
    else:
        experiment = opened(weights.run)
        folder, prepared, name = experiment.folder, experiment.prepared(), experiment.data_name
        notes = experiment.remarks()[:1]
    ours, theirs = _common(weights, prepared.schema, name)
    schema, persons = weights.card.schema.only(ours), prepared.split(split)
    selection = Selection.of(schema, joints, visible_only)
    made = Reader(weights.network, np.asarray(weights.card.mean_rgb, np.float32)).predict(persons)
    made = replace(
        made, points=made.points[:, ours], peaks=made.peaks[:, ours], true=made.true[:, theirs],
        visibility=made.visibility[:, theirs],
    )  # fmt: skip
    records = [_only(record, theirs) for record in annotations(folder, persons)]
    persons = replace(persons, keypoints=persons.keypoints[:, theirs])
    done = measure(made, persons, schema, config, selection, records, weights.name, name)
    train = prepared.split("train")
    train = replace(train, keypoints=train.keypoints[:, theirs])
    notes = [*_hopeless(done, train, persons, weights.network.config.stride), *notes]
    left = len(weights.card.keypoints) + len(prepared.schema) - 2 * len(ours)
    if left:
        notes += [
            f"Keypoints are matched by name: {len(ours)} are measured, {left} that only one of the two has are not."
        ]
    return replace(done, notes=(*done.notes, *notes))


def as_trained(weights: Weights, folder: Path) -> Prepared:
    """A folder's persons, cropped as those were that the weights were trained on."""
    card, cache = weights.card, home() / "data" / "prepared"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / ".lock"):
        return prepare(folder, DataConfig(side=card.side, margin=card.margin, rule=card.rule), cache)


def _common(weights: Weights, schema: KeypointSchema, data: str) -> tuple[list[int], list[int]]:
    """Where the keypoints that both know stand among the network's and among the data's."""
    ours = [i for i, name in enumerate(weights.card.keypoints) if name in schema.names]
    if not ours:
        raise InputError(
            f"'{data}' has no keypoint by a name that {weights.name} knows, such as '{weights.card.keypoints[0]}': "
            "it can't be evaluated there."
        )
    return ours, [schema.names.index(weights.card.keypoints[i]) for i in ours]


def _only(record: dict, positions: list[int]) -> dict:
    """An annotation with the keypoints at these positions, in this order."""
    triples = np.asarray(record["keypoints"]).reshape(-1, 3)[positions]
    return {**record, "keypoints": triples.flatten().tolist()}


def _hopeless(done: Evaluation, train: PreparedSplit, persons: PreparedSplit, stride: int) -> list[str]:
    """A sentence where a network finds no more than who never looks at a picture."""
    mean = mean_pose_hits(train, persons, persons.crops.shape[1], stride, done.config)
    counted = done.selection.mask(torch.from_numpy(persons.visibility))
    least = share(torch.from_numpy(mean), counted).value
    if done.pck.value is None or least is None or done.pck.value > least:
        return []
    return [f"No better than chance: each joint's mean position over the training persons finds {least:.3f}."]


def measure(
    made: Predictions, persons: PreparedSplit, schema: KeypointSchema, config: PckConfig, selection: Selection,
    records: list[dict], weights: str, data: str,
) -> Evaluation:  # fmt: skip
    """All measures of predictions; `records` are the persons' annotations, in their order."""
    gaps = distances(made.points, made.true, size=made.size, config=config)
    hits, counted = gaps < config.radius, selection.mask(made.visibility)
    heads = _heads(made, persons, schema)
    likeness, precision, said = _oks(made, persons, schema, records)
    notes = [said]
    if heads is None:
        notes.append(f"The keypoints measured on {data} have no head segment (neck to head_top), so there is no PCKh.")
    elif not heads[1].any():
        notes.append("No person of this split has neck and head_top labelled, so there is no PCKh.")
    near, owners = heads or (torch.zeros_like(hits), torch.zeros(len(hits), dtype=torch.bool))
    return Evaluation(
        weights, data, persons.name, selection, config, len(persons), len(np.unique(persons.image_ids)),
        share(hits, counted),
        pooled_pck(hits.numpy(), counted.numpy(), persons.image_ids),
        by_visibility(hits, made.visibility * counted),
        by_group(hits, counted, schema.groups),
        by_joint(hits, counted, schema.names),
        mean_over_persons(hits, counted),
        dict(zip(RADII, curve(gaps, counted, torch.tensor(RADII, dtype=torch.float64)), strict=True)),
        share(near, counted & owners[:, None]),
        int(owners.sum()),
        likeness, precision, tuple(note for note in notes if note),
    )  # fmt: skip


def in_image(cells: Tensor, split: PreparedSplit, size: int) -> np.ndarray:
    """(N, K, 2): centres of the heatmap's cells, or other points of a `size` map, in pixels of the photographs."""
    squares = (CropTransform(x, y, side, size) for x, y, side in split.squares.tolist())
    return np.stack([s.to_image(p) for s, p in zip(squares, cells.double().numpy(), strict=True)])


def annotations(folder: Path, split: PreparedSplit) -> list[dict]:
    """The records of exactly these persons, in their order, as COCO's measures take them.

    `exact` says whether a record's area can be relied on, which OKS needs.
    """
    persons = {p.id: p for p in coco.load(folder, "val" if split.name == "val" else "train").persons}
    return [_record(persons[i]) for i in split.person_ids.tolist()]


def _record(person: coco.Person) -> dict:
    fields = {"id": person.id, "image_id": person.image_id, "area": person.area, EXACT: person.exact}
    return fields | {"bbox": person.box.tolist(), "keypoints": person.keypoints.ravel().tolist()}


def _heads(made: Predictions, persons: PreparedSplit, schema: KeypointSchema) -> tuple[Tensor, Tensor] | None:
    """(N, K) joints within half a head and (N,) whose head is labelled; None where the schema has no such segment."""
    segment = head_segment(schema.names)
    if segment is None:
        return None
    true = in_image(torch.from_numpy(persons.keypoints[..., :2]), persons, persons.crops.shape[1])
    true, guess = torch.from_numpy(true), torch.from_numpy(in_image(made.points, persons, made.size))
    lengths = head_lengths(true, made.visibility, segment)
    return within_heads(guess, true, lengths), lengths > 0


def _oks(made: Predictions, persons: PreparedSplit, schema: KeypointSchema, records: list[dict]):
    """Mean OKS over persons, COCOeval's numbers, and what to say of sigmas borrowed or missing, persons left out."""
    known = sigmas(schema.names)
    if not known.joints:
        return (None, 0), dict.fromkeys(STATS), "No joint here has a sigma, so there is no OKS."
    exact = np.array([record.get(EXACT, True) for record in records])
    if not exact.any():
        return (None, 0), dict.fromkeys(STATS), "The areas of these persons were guessed, so there is no OKS."
    said = [known.text()]
    if not exact.all():
        said.append(f"OKS leaves out {(~exact).sum():,} persons, on photographs where areas or crowds were guessed.")
        records = [record for record, kept in zip(records, exact, strict=True) if kept]
    points, joints = in_image(made.points, persons, made.size)[exact], list(known.joints)
    true = torch.tensor([r["keypoints"] for r in records], dtype=torch.float64).reshape(len(records), -1, 3)
    guess, true, sigma = (
        torch.from_numpy(points)[:, joints],
        true[:, joints],
        torch.tensor(known.values, dtype=torch.float64),
    )
    areas = torch.tensor([area(r) for r in records], dtype=torch.float64)
    likeness = oks(guess, true[..., :2], true[..., 2], areas, sigma)
    likeness = likeness[likeness.isfinite()]
    scores = made.peaks.double().mean(1).numpy()[exact]
    found = average_precision(records, points, scores, known)
    mean = float(likeness.mean()) if len(likeness) else None
    return (mean, len(likeness)), found.values, " ".join(filter(None, said))


def sheet(evaluation) -> Iterator:
    """The tables of an Evaluation and the sentences that belong to them."""
    e = evaluation
    yield f"[bold]{e.weights}[/bold]: {e.split} split of {e.data}, {e.persons:,} persons in {e.images:,} images"
    interval = e.interval.text(3) if e.pck.counted else "–"
    yield f"PCK {interval} over {e.pck.counted:,} {e.selection.text()}; 95 % interval over photographs"
    reach = e.config.normaliser * e.config.radius
    title = f"PCK: nearer than {reach:g} of the map's side"
    table = Table("keypoints", "PCK", "counted", title_justify="left", title=title)
    for part in (e.by_visibility, e.by_group, e.by_joint):
        for name, value in part.items():
            table.add_row(name.replace("_", " "), value.text(), f"{value.counted:,}")
        table.add_section()
    mean, persons = e.by_person
    table.add_row("mean over persons", "–" if mean is None else f"{mean:.3f}", f"{persons:,} persons")
    yield table
    radii = Table(*(f"{r:g}" for r in e.over_radii), title="PCK by radius, in normalisers", title_justify="left")
    radii.add_row(*(value.text() for value in e.over_radii.values()))
    yield radii
    yield _standard(e)
    if e.pck.counted == 0 or any(not s.counted for d in (e.by_visibility, e.by_group, e.by_joint) for s in d.values()):
        yield "A dash: no such keypoint is counted."
    yield from e.notes


def _standard(e) -> Table:
    """PCKh and OKS; where the data have nothing for a measure its row is missing and a note says why."""
    table = Table("standard measure", "value", "over", title_justify="left")
    if e.heads:
        table.add_row("PCKh@0.5", *[e.pckh.text(), f"{e.pckh.counted:,} keypoints of {e.heads:,} persons with a head"])
    if e.oks[1]:
        table.add_row("mean OKS", f"{e.oks[0]:.3f}", f"{e.oks[1]:,} persons")
    for name in ("AP", "AP50", "AP75", "AR"):
        if e.precision[name] is not None:
            table.add_row(f"OKS {name}", f"{e.precision[name]:.3f}", "boxes given")
    return table
