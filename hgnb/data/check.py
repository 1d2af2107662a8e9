"""What a folder in COCO layout holds, and what in it is damaged. Lin et al. (2014); explained in 01_dataset.

Nothing is repaired: preparation leaves out each person that a fault of kind "damage" concerns. Greys, palettes,
CMYK and transparency are no damage, since they become RGB; neither is a picture that its EXIF orientation turns
to the size it is listed with.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hgnb.data import coco
from hgnb.data.coco import Split
from hgnb.data.faults import Fault
from hgnb.data.images import DamagedImage, decode, in_threads
from hgnb.errors import InputError

SHOWN = 50  # faults of a kind that are printed one by one


@dataclass(frozen=True)
class SplitReport:
    """One split in numbers; persons are those that can be used as far as the annotations tell."""

    name: str
    counts: dict[str, int]
    steps: dict[str, dict[str, int]]  # images and annotations after each step of the selection (claim C1)
    dropped: Counter  # persons left out for damage, by kind of fault
    visibility: dict[int, int]  # keypoints by v
    sizes: Counter  # images by (width, height), as listed
    boxes: tuple[float, ...]  # least, quartiles and greatest of the boxes' longer sides, pixels
    licences: Counter  # images by the name of their licence
    modes: Counter = field(default_factory=Counter)  # decoded images by colour mode
    turned: int = 0  # images that their EXIF orientation turns to the listed size


@dataclass(frozen=True)
class Report:
    """A folder's splits and the faults in them, in the order in which they were found."""

    folder: str
    splits: list[SplitReport]
    faults: list[Fault]

    @property
    def sound(self) -> bool:
        """Whether there is no damage at all."""
        return not self.faults

    def __rich_console__(self, console, options):
        yield from _tables(self)


def check(folder: Path, progress: bool = False) -> Report:
    """Reads both splits of a folder and decodes every image; InputError where there is no such folder."""
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.")
    reports, faults, read = [], [], []
    for name in ("train", "val"):
        try:
            split = coco.read(folder, name)
        except InputError as error:
            reason = str(error).replace(f"{folder}/", "").replace(str(folder), folder.name)
            faults.append(Fault(name, "annotation file", None, reason))
            continue
        report, found = _split_report(split, progress)
        reports.append(report)
        faults += found
        read.append(split)
    if len(read) == 2:
        faults += _refusal("both", "categories", lambda: coco.same_keypoints(*read))
    return Report(folder.resolve().name, reports, faults)


def _refusal(split: str, kind: str, attempt) -> list[Fault]:
    """The fault that `attempt` raises as an InputError, if it does."""
    try:
        attempt()
    except InputError as error:
        return [Fault(split, kind, None, str(error))]
    return []


def _split_report(split: Split, progress: bool) -> tuple[SplitReport, list[Fault]]:
    modes, turned, broken = _decode_all(split, progress)
    kinds = {fault.id: fault.kind for fault in broken}
    dropped = Counter({kind: len(ids) for kind, ids in split.dropped.items()})
    dropped.update(kinds[p.image_id] for p in split.persons if p.image_id in kinds)
    persons = [p for p in split.persons if p.image_id not in kinds]
    flags = np.concatenate([p.keypoints[:, 2] for p in persons]) if persons else np.empty(0)
    longer = [p.box[2:].max() for p in persons]
    counts = split.counts | {"persons": len(persons), "images with persons": len({p.image_id for p in persons})}
    report = SplitReport(
        name=split.name,
        counts=counts,
        steps=split.steps,
        dropped=dropped,
        visibility={v: int((flags == v).sum()) for v in (2, 1, 0)},
        sizes=Counter(image.size for image in split.images.values()),
        boxes=tuple(np.quantile(longer, (0, 0.25, 0.5, 0.75, 1)).round(1).tolist()) if longer else (),
        licences=Counter(image.licence for image in split.images.values()),
        modes=modes,
        turned=turned,
    )
    nobody = [] if persons else [Fault(split.name, "no person", None, "No person with keypoints is left.")]
    return report, [*split.faults, *broken, *nobody]


def _decode_all(split: Split, progress: bool) -> tuple[Counter[str], int, list[Fault]]:
    """Colour modes, how many pictures EXIF turns, and which can't be decoded."""

    def attempt(image: coco.ListedImage) -> tuple[str, bool] | DamagedImage:
        try:
            picture = decode(image.file, image.size)
        except DamagedImage as damage:
            return damage
        return picture.mode, picture.turned

    modes: Counter[str] = Counter()
    turned, faults = 0, []
    results = in_threads(attempt, split.images.values())
    for number, result in zip(split.images, _tracked(results, len(split.images), split.name, progress), strict=True):
        if isinstance(result, DamagedImage):
            faults.append(Fault(split.name, result.kind, number, str(result)))
        else:
            modes[result[0]] += 1
            turned += result[1]
    return modes, turned, faults


def _tracked(results: Iterable, total: int, name: str, progress: bool) -> Iterable:
    """The same results, with a bar on the terminal that goes when it is full."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(results, name, total, console=console, transient=True, disable=not (progress and console.is_terminal))


def _tables(report: Report) -> Iterable:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(report.folder), title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for split in report.splits:
        table.add_column(escape(split.name), justify="right")
    for name, values in _lines(report.splits):
        table.add_row(escape(name), *map(escape, values))
    yield table
    if report.sound:
        yield "\nNo damage found."
        return
    kinds = Counter(fault.kind for fault in report.faults)
    listed = Table(title=f"{len(report.faults):,} faults", title_justify="left", box=None, pad_edge=False)
    for column in ("split", "kind", "id", "reason"):
        listed.add_column(column, justify="right" if column == "id" else "left")
    for kind, number in kinds.items():
        for fault in [f for f in report.faults if f.kind == kind][:SHOWN]:
            known = "" if fault.id is None else str(fault.id)
            listed.add_row(*map(escape, (fault.split, kind, known, fault.reason)))
        if number > SHOWN:
            listed.add_row("", escape(kind), "", f"and {number - SHOWN:,} more.")
    yield ""
    yield listed


def _lines(splits: list[SplitReport]) -> Iterable[tuple[str, list[str]]]:
    """The report's rows: a name and a value for each split."""

    def row(name: str, value) -> tuple[str, list[str]]:
        return name, [str(value(split)) for split in splits]

    def counted(title: str, of, label=str, most: int | None = None) -> Iterable[tuple[str, list[str]]]:
        total = sum((Counter(of(split)) for split in splits), Counter())
        if total:
            yield title, [""] * len(splits)
        for key, _ in total.most_common(most):
            yield row(f"  {label(key)}", lambda split, key=key: f"{of(split).get(key, 0):,}")

    for key in splits[0].counts if splits else ():
        yield row(key, lambda split, key=key: f"{split.counts[key]:,}")
    yield from counted("persons dropped for damage", lambda split: split.dropped)
    if splits:
        yield "persons annotated (on images)", [""] * len(splits)
    for step in splits[0].steps if splits else ():
        yield row(
            f"  {step}",
            lambda split, step=step: f"{split.steps[step]['annotations']:,} ({split.steps[step]['images']:,})",
        )
    if splits:
        yield "keypoints", [""] * len(splits)
    for v in (2, 1, 0):
        yield row(f"  v = {v}", lambda split, v=v: f"{split.visibility[v]:,}")
    yield from counted("image sizes, most frequent", lambda split: split.sizes, lambda s: f"{s[0]} x {s[1]}", 3)
    yield row("  width, least to greatest", lambda split: _range(width for width, _ in split.sizes))
    yield row("  height, least to greatest", lambda split: _range(height for _, height in split.sizes))
    yield row("box's longer side, px: least", lambda split: _box(split, 0))
    yield row("  quartiles", lambda split: " ".join(_box(split, i) for i in (1, 2, 3)))
    yield row("  greatest", lambda split: _box(split, 4))
    yield from counted("colour modes", lambda split: split.modes)
    if any(split.turned for split in splits):
        yield row("turned by EXIF", lambda split: split.turned)
    yield from counted("licences of images", lambda split: split.licences)


def _range(values: Iterable[int]) -> str:
    values = list(values)
    return f"{min(values)} to {max(values)}" if values else ""


def _box(split: SplitReport, at: int) -> str:
    return f"{split.boxes[at]:.0f}" if split.boxes else ""
