"""What a folder of annotated persons holds: what was repaired, what is dropped, and what looks suspicious. 01_dataset.

Repairs are the door's (hgnb.data.intake); preparation leaves out each person that a fault concerns; what is suspicious
is read as it stands, since only a person can know. Greys, palettes, CMYK and transparency are no damage, since they
become RGB; neither is a picture that its EXIF orientation turns to the size it is listed with.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hgnb.data import coco
from hgnb.data.coco import Split
from hgnb.data.images import DamagedImage, decode, in_threads
from hgnb.data.intake import Choices, Fault
from hgnb.data.intake.pictures import MISSING
from hgnb.errors import InputError

SHOWN = 50  # faults of a kind that are printed one by one
OUTSIDE = 0.5  # a person looks wrong with more than this share of the labelled keypoints outside the box
AROUND = 0.1  # of the box's longer side, by which keypoints may leave it: COCO's do
FEW = 0.02  # up to this share of persons may look so: annotators err
EXCHANGED, FACING = 0.7, 20  # left and right look exchanged where this share of so many facing persons have them so


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
    repaired: Counter[str] = field(default_factory=Counter)  # what was repaired, in words
    pairs: tuple[tuple[str, str], ...] = ()  # names of a left keypoint and its right one


@dataclass(frozen=True)
class Report:
    """A folder's splits, the faults in them in the order in which they were found, and what looks suspicious."""

    folder: str
    splits: list[SplitReport]
    faults: list[Fault]
    suspicious: list[Fault] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is lost to damage."""
        return not self.faults

    def __rich_console__(self, console, options):
        yield from _tables(self)


def check(folder: Path, progress: bool = False, choices: Choices | None = None) -> Report:
    """Reads both splits of a folder and decodes every image; InputError where there is no such folder."""
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.")
    reports, faults, read, digests = [], [], [], []
    for name in ("train", "val"):
        try:
            split = coco.read(folder, name, choices, survey=True)
        except InputError as error:
            reason = str(error).replace(f"{folder}{os.sep}", "").replace(str(folder), folder.name)
            faults.append(Fault(name, "annotation file", None, reason))
            continue
        report, found, digest = _split_report(split, progress)
        reports.append(report)
        faults += found
        read.append(split)
        digests.append(digest)
    suspicious = suspicions(read)
    if len(read) == 2:
        faults += _refusal("both", "categories", lambda: coco.same_keypoints(*read))
        suspicious = [s for s in suspicious if s.kind != LEAK] + _leak(len(digests[0].keys() & digests[1].keys()))
    return Report(folder.resolve().name, reports, faults, suspicious)


LEAK = "picture in both splits"


def suspicions(splits: list[Split]) -> list[Fault]:
    """What looks wrong though it can be read: for each kind a sentence, with how many it concerns."""
    found = [Fault(s.name, kind, None, reason) for s in splits for kind, reason in s.odd.items() if kind != MISSING]
    for split in splits:
        found += [Fault(split.name, kind, None, reason) for kind, reason in _implausible(split)]
    if splits:
        found += [Fault("both", kind, None, reason) for kind, reason in _unpaired(splits[0])]
    if len(splits) == 2:
        by_name = [{i.file.name.lower(): i.file for i in split.images.values()} for split in splits]
        found += _leak(sum(_same(by_name[0][n], by_name[1][n]) for n in by_name[0].keys() & by_name[1].keys()))
    return found


def _leak(number: int) -> list[Fault]:
    reason = f"{number:,} pictures are in training and in validation: what is measured there isn't about new pictures."
    return [Fault("both", LEAK, None, reason)] if number else []


def _same(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_size == other.stat().st_size and _digest(one) == _digest(other)
    except OSError:
        return False


def _digest(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "blake2b").digest()


def _unpaired(split: Split) -> Iterable[tuple[str, str]]:
    schema = split.schema
    paired = {k for pair in schema.pairs for k in pair}
    alone = [n for k, n in enumerate(schema.names) if schema.sides[k] != "centre" and k not in paired]
    if alone:
        yield "sides unpaired", f"{', '.join(alone[:6])} {'have' if len(alone) > 1 else 'has'} no other side."
    if not schema.pairs and len(schema) > 1:
        yield (
            "sides unknown",
            f"No left and right are known by their names ({', '.join(schema.names[:6])}): mirror images exchange "
            "nothing; tell them by 'hgnb data check DIR --pairs LEFT=RIGHT,… --write CLEAN' and use CLEAN.",
        )


def _implausible(split: Split) -> Iterable[tuple[str, str]]:
    if not split.persons:
        return
    persons, total = split.persons, len(split.persons)
    points = np.stack([p.keypoints for p in persons])
    boxes = np.stack([p.box for p in persons])
    xy, labelled = points[..., :2], points[..., 2] > 0
    count = np.maximum(labelled.sum(1), 1)
    room = 1 + AROUND * boxes[:, 2:].max(1)[:, None, None]
    outside = ((xy < boxes[:, None, :2] - room) | (xy > boxes[:, None, :2] + boxes[:, None, 2:] + room)).any(2)
    far = int(((outside & labelled).sum(1) > OUTSIDE * count).sum())
    if far > FEW * total:
        yield "keypoints outside their box", f"Most keypoints of {far:,} of {total:,} persons lie outside their box."
    extent = np.where(labelled[..., None], xy, -np.inf).max(1) - np.where(labelled[..., None], xy, np.inf).min(1)
    heaps = int(((count > 2) & (extent < 2).all(1)).sum())
    if heaps > FEW * total:
        yield "keypoints at one place", f"All keypoints of {heaps:,} of {total:,} persons lie within two pixels."
    if not (points[..., 2] == 2).any():
        yield "no visible keypoint", "No keypoint has v = 2: if 1 means labelled here, --visible-only counts nothing."
    said = Counter((p.image_id, p.keypoints.tobytes()) for p in persons)
    if again := total - len(said):
        yield "persons listed twice", f"{again:,} persons have exactly the keypoints of another on the same picture."
    if (n := _exchanged(split, xy, labelled)) is not None:
        yield (
            "left and right",
            f"{n[0]:,} of {n[1]:,} persons whose nose is seen have their left shoulder on the left of the picture: "
            "sides are the person's own, not the viewer's.",
        )


def _exchanged(split: Split, xy: np.ndarray, labelled: np.ndarray) -> tuple[int, int] | None:
    """Persons who face the camera with left and right exchanged, and how many face it, where most are."""
    at = split.schema.index("nose", "left_shoulder", "right_shoulder")
    if len(at) < 3:
        return None
    nose, left, right = at
    visible = np.array([p.keypoints[nose, 2] == 2 for p in split.persons])
    facing = visible & labelled[:, left] & labelled[:, right]
    wrong = facing & (xy[:, left, 0] < xy[:, right, 0])
    return (
        (int(wrong.sum()), int(facing.sum()))
        if facing.sum() >= FACING and wrong.sum() > EXCHANGED * facing.sum()
        else None
    )


def clean(folder: Path, to: Path, choices: Choices | None = None) -> str:
    """Writes what can be used of a folder as a clean one in COCO layout; a sentence on what is there now."""
    splits = [_decodable(coco.read(folder, name, choices, survey=True)) for name in ("train", "val")]
    coco.write(splits, to, upright=choices is not None and choices.exif == "follow")
    persons, images = (sum(len(getattr(split, what)) for split in splits) for what in ("persons", "images"))
    return f"'{to}' holds {persons:,} persons on {images:,} pictures, in COCO layout."


def _decodable(split: Split) -> Split:
    """Without the pictures that can't be decoded, and their persons."""
    _, _, broken, _ = _decode_all(split, progress=False)
    lost = {fault.id for fault in broken}
    images = {number: image for number, image in split.images.items() if number not in lost}
    return replace(split, images=images, persons=[p for p in split.persons if p.image_id not in lost])


def summary(repaired: Counter, dropped: Counter, suspicious: Iterable[str]) -> str:
    """One line of the three counts, as training, evaluation and chapter 01 print it."""

    def listed(counts: Counter) -> str:
        return "; ".join(f"{number:,} {words}" for words, number in counts.most_common(4)) + (
            "; …" if len(counts) > 4 else ""
        )

    odd = list(dict.fromkeys(suspicious))
    return (
        f"repaired {listed(repaired) if repaired else 'nothing'} | dropped "
        f"{f'{dropped.total():,} persons ({listed(dropped)})' if dropped else 'nobody'} | suspicious "
        f"{'; '.join(odd) if odd else 'nothing'}"
    )


def _refusal(split: str, kind: str, attempt) -> list[Fault]:
    """The fault that `attempt` raises as an InputError, if it does."""
    try:
        attempt()
    except InputError as error:
        return [Fault(split, kind, None, str(error))]
    return []


def _split_report(split: Split, progress: bool) -> tuple[SplitReport, list[Fault], dict[bytes, int]]:
    """What a split holds, its faults, and the digests of its pictures' files."""
    modes, turned, broken, digests = _decode_all(split, progress)
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
        repaired=split.repaired,
        pairs=tuple((split.schema.names[a], split.schema.names[b]) for a, b in split.schema.pairs),
    )
    nobody = [] if persons else [Fault(split.name, "no person", None, "No person with keypoints is left.")]
    missing = [Fault(split.name, MISSING, None, split.odd[MISSING])] if MISSING in split.odd else []
    return report, [*missing, *split.faults, *broken, *nobody], digests


def _decode_all(split: Split, progress: bool) -> tuple[Counter[str], int, list[Fault], dict[bytes, int]]:
    """Colour modes, how many pictures EXIF turns, which can't be decoded, and the files' digests."""

    def attempt(image: coco.ListedImage) -> tuple[str, bool, bytes] | DamagedImage:
        try:
            picture = decode(image.file, image.size)
        except DamagedImage as damage:
            return damage
        return picture.mode, picture.turned, _digest(image.file)

    modes: Counter[str] = Counter()
    turned, faults, digests = 0, [], {}
    results = in_threads(attempt, split.images.values())
    for number, result in zip(split.images, _tracked(results, len(split.images), split.name, progress), strict=True):
        if isinstance(result, DamagedImage):
            faults.append(Fault(split.name, result.kind, number, str(result)))
        else:
            modes[result[0]] += 1
            turned += result[1]
            digests[result[2]] = number
    return modes, turned, faults, digests


def _tracked(results: Iterable, total: int, name: str, progress: bool) -> Iterable:
    """The same results, with a bar on the terminal that goes when it is full."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(results, name, total, console=console, transient=True, disable=not (progress and console.is_terminal))


def _tables(report: Report) -> Iterable:
    from rich.markup import escape
    from rich.table import Table

    def table(title: str, *columns: str, right: Iterable[str] = ()) -> Table:
        made = Table(title=escape(title), title_justify="left", box=None, pad_edge=False, show_header=any(columns))
        for column in columns:
            made.add_column(escape(column), justify="right" if column in right else "left")
        return made

    names = [split.name for split in report.splits]
    held = table(report.folder, "", *names, right=names)
    for name, values in _lines(report.splits):
        held.add_row(*map(escape, (name, *values)))
    yield held if names else escape(report.folder)
    pairs = report.splits[0].pairs if names else ()
    if names:
        yield escape(f"\nleft and right: {', '.join(f'{a}={b}' for a, b in pairs) or 'no pairs known'}")
    repaired = sum((split.repaired for split in report.splits), Counter())
    if not (repaired or report.faults or report.suspicious):
        yield "\nNo damage found."
        return
    if repaired:
        made = table("\nRepaired", "", *names, right=names)
        for words, _ in repaired.most_common():
            made.add_row(*map(escape, (words, *(f"{split.repaired[words]:,}" for split in report.splits))))
        yield made
    if report.faults:
        made = table(
            f"\nDropped: {sum(f.id is not None or f.kind != MISSING for f in report.faults):,} faults",
            "split",
            "kind",
            "id",
            "reason",
            right=("id",),
        )
        for kind, number in Counter(fault.kind for fault in report.faults).items():
            for fault in [f for f in report.faults if f.kind == kind][:SHOWN]:
                known = "" if fault.id is None else str(fault.id)
                made.add_row(*map(escape, (fault.split, kind, known, fault.reason)))
            if number > SHOWN:
                made.add_row("", escape(kind), "", f"and {number - SHOWN:,} more.")
        yield made
    if report.suspicious:
        made = table("\nSuspicious", "split", "kind", "reason")
        for fault in report.suspicious:
            made.add_row(*map(escape, (fault.split, fault.kind, fault.reason)))
        yield made


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
