"""What a folder of annotated persons holds: what was repaired, what is dropped, and what looks suspicious. 01_dataset.

Repairs are the door's (hgnb.data.intake); preparation leaves out each person that a fault concerns; what is suspicious
is read as it stands, since only a person can know. Greys, palettes, CMYK and transparency are no damage, since they
become RGB; neither is a picture that its EXIF orientation turns to the size it is listed with.
"""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hgnb.data import coco
from hgnb.data.coco import Split
from hgnb.data.images import DamagedImage, decode, in_threads
from hgnb.data.intake import Choices, Fault
from hgnb.data.intake.pictures import MISSING
from hgnb.errors import InputError
from hgnb.home import sha256

LEAK = "picture in both splits"
SHOWN = 50  # faults of a kind that are printed one by one
OUTSIDE = 0.5  # a person looks wrong with more than this share of the labelled keypoints outside the box
AROUND = 0.1  # of the box's longer side, by which keypoints may leave it: COCO's do
FEW = 0.02  # up to this share of persons may look so: annotators err
EXCHANGED, FACING = 0.7, 20  # left and right look exchanged where this share of so many facing persons have them so


@dataclass(frozen=True)
class Report:
    """A folder's splits without persons whose picture can't be decoded, faults in order, and what looks suspicious."""

    folder: str
    splits: list[Split]
    faults: list[Fault]
    suspicious: list[Fault]

    @property
    def sound(self) -> bool:
        """Whether nothing is lost to damage."""
        return not self.faults

    def __rich_console__(self, console, options):
        from rich.markup import escape
        from rich.table import Table

        def table(title: str, columns: tuple, rows: Iterable[tuple], right: Iterable[str] = ()) -> Table:
            made = Table(title=escape(title), title_justify="left", box=None, pad_edge=False)
            for column in columns:
                made.add_column(escape(column), justify="right" if column in right else "left")
            for row in rows:
                made.add_row(*map(escape, row))
            return made

        splits = self.splits
        names = [split.name for split in splits]
        if splits:
            yield table(self.folder, ("", *names), _rows(splits), names)
            called = splits[0].schema.names
            pairs = ", ".join(f"{called[a]}={called[b]}" for a, b in splits[0].schema.pairs)
            yield escape(f"\nleft and right: {pairs or 'no pairs known'}")
        else:
            yield escape(self.folder)
        repaired = sum((split.repaired for split in splits), Counter[str]())
        if not (repaired or self.faults or self.suspicious):
            yield "\nNo damage found."
        if repaired:
            most = [words for words, _ in repaired.most_common()]
            counts = [(words, *(f"{split.repaired[words]:,}" for split in splits)) for words in most]
            yield table("\nRepaired", ("", *names), counts, names)
        if self.faults:
            number = sum(f.id is not None or f.kind != MISSING for f in self.faults)
            columns = ("split", "kind", "id", "reason")
            yield table(f"\nDropped: {number:,} faults", columns, _shown(self.faults), ("id",))
        if self.suspicious:
            rows = ((f.split, f.kind, f.reason) for f in self.suspicious)
            yield table("\nSuspicious", ("split", "kind", "reason"), rows)


def check(folder: Path, progress: bool = False, choices: Choices | None = None) -> Report:
    """Reads both splits of a folder and decodes every image; InputError where there is no such folder."""
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.")
    splits: list[Split] = []
    faults: list[Fault] = []
    for name in ("train", "val"):
        try:
            splits.append(_decoded(coco.read(folder, name, choices, survey=True), progress))
            faults += splits[-1].faults
        except InputError as error:
            reason = str(error).replace(f"{folder}{os.sep}", "").replace(str(folder), folder.name)
            faults.append(Fault(name, "annotation file", None, reason))
    if len(splits) == 2:
        try:
            coco.same_keypoints(*splits)
        except InputError as error:
            faults.append(Fault("both", "categories", None, str(error)))
    return Report(folder.resolve().name, splits, faults, suspicions(splits))


def clean(report: Report, to: Path, upright: bool = False) -> str:
    """Writes what can be used of a folder as a clean one in COCO layout; a sentence on what is there now.

    InputError where a split can't be read. `upright`: as in `coco.write`.
    """
    if unread := [fault.reason for fault in report.faults if fault.kind == "annotation file"]:
        raise InputError(unread[0])
    coco.write(report.splits, to, upright)
    persons, images = (sum(len(getattr(split, what)) for split in report.splits) for what in ("persons", "images"))
    return f"'{to}' holds {persons:,} persons on {images:,} pictures, in COCO layout."


def _decoded(split: Split, progress: bool) -> Split:
    """The split with every picture decoded, with a bar on the terminal if asked for; what fails joins the faults."""
    from rich.console import Console
    from rich.progress import track

    def looked(image: coco.ListedImage) -> tuple[str, bool, str]:
        picture = decode(image.file, image.size)
        return picture.mode, picture.turned, sha256(image.file)

    console = Console(stderr=True)
    made = track(
        in_threads(looked, split.images.values()), split.name, len(split.images), console=console, transient=True,
        disable=not (progress and console.is_terminal),
    )  # fmt: skip
    results = dict(zip(split.images, made, strict=True))
    broken = {n: Fault(split.name, r.kind, n, str(r)) for n, r in results.items() if isinstance(r, DamagedImage)}
    whole = [result for result in results.values() if not isinstance(result, DamagedImage)]
    dropped = {kind: list(ids) for kind, ids in split.dropped.items()}
    persons = []
    for person in split.persons:
        if fault := broken.get(person.image_id):
            dropped.setdefault(fault.kind, []).append(person.id)
        else:
            persons.append(person)
    missing = [Fault(split.name, MISSING, None, split.odd[MISSING])] if MISSING in split.odd else []
    nobody = [] if persons else [Fault(split.name, "no person", None, "No person with keypoints is left.")]
    return replace(
        split,
        images={number: image for number, image in split.images.items() if number not in broken},
        persons=persons,
        counts=split.counts | {"persons": len(persons), "images with persons": len({p.image_id for p in persons})},
        dropped=dropped,
        faults=[*missing, *split.faults, *broken.values(), *nobody],
        modes=Counter(mode for mode, _, _ in whole),
        turned=sum(turned for _, turned, _ in whole),
        digests=frozenset(digest for _, _, digest in whole),
    )


def suspicions(splits: list[Split]) -> list[Fault]:
    """What looks wrong though it can be read: for each kind a sentence, with how many it concerns."""
    found = [Fault(s.name, kind, None, reason) for s in splits for kind, reason in s.odd.items() if kind != MISSING]
    for split in splits:
        found += [Fault(split.name, kind, None, reason) for kind, reason in _implausible(split)]
    if splits:
        found += [Fault("both", kind, None, reason) for kind, reason in _unpaired(splits[0])]
    if len(splits) == 2 and (leak := _in_both(*splits)):
        reason = (
            f"{leak:,} pictures are in training and in validation: what is measured there isn't about new pictures."
        )
        found.append(Fault("both", LEAK, None, reason))
    return found


def _in_both(one: Split, other: Split) -> int:
    """How many pictures: by their content where it was read, else of those with the same name."""
    if one.digests:
        return len(one.digests & other.digests)
    files = {image.file.name.lower(): image.file for image in other.images.values()}
    return sum(_same(i.file, files[n]) for i in one.images.values() if (n := i.file.name.lower()) in files)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_size == other.stat().st_size and sha256(one) == sha256(other)
    except OSError:
        return False


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
    if len(at := split.schema.index("nose", "left_shoulder", "right_shoulder")) == 3:
        nose, left, right = at
        facing = (points[:, nose, 2] == 2) & labelled[:, left] & labelled[:, right]
        wrong = int((facing & (xy[:, left, 0] < xy[:, right, 0])).sum())
        if facing.sum() >= FACING and wrong > EXCHANGED * facing.sum():
            yield (
                "left and right",
                f"{wrong:,} of {facing.sum():,} persons whose nose is seen have their left shoulder on the left of the "
                "picture: sides are the person's own, not the viewer's.",
            )


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


def _shown(faults: list[Fault]) -> Iterable[tuple[str, ...]]:
    """Rows of faults, the first of each kind."""
    for kind, number in Counter(fault.kind for fault in faults).items():
        for fault in [f for f in faults if f.kind == kind][:SHOWN]:
            yield fault.split, kind, "" if fault.id is None else str(fault.id), fault.reason
        if number > SHOWN:
            yield "", kind, "", f"and {number - SHOWN:,} more."


def _rows(splits: list[Split]) -> Iterable[tuple[str, ...]]:
    """A name and a value for each split."""

    def counted(title: str, counts: list[Counter], most: int | None = None) -> Iterable[tuple[str, ...]]:
        if total := sum(counts, Counter()):
            yield (title, *[""] * len(splits))
        for key, _ in total.most_common(most):
            yield f"  {key}", *(f"{count[key]:,}" for count in counts)

    for key in splits[0].counts:
        yield key, *(f"{split.counts[key]:,}" for split in splits)
    dropped = [Counter({kind: len(ids) for kind, ids in split.dropped.items()}) for split in splits]
    yield from counted("persons dropped for damage", dropped)
    yield ("persons annotated (on images)", *[""] * len(splits))
    for step in splits[0].steps:
        yield f"  {step}", *(f"{s.steps[step]['annotations']:,} ({s.steps[step]['images']:,})" for s in splits)
    yield ("keypoints", *[""] * len(splits))
    for v in (2, 1, 0):
        yield f"  v = {v}", *(f"{sum(int((p.keypoints[:, 2] == v).sum()) for p in s.persons):,}" for s in splits)
    sizes = [np.array([image.size for image in split.images.values()]).reshape(-1, 2) for split in splits]
    common = [Counter(f"{width} x {height}" for width, height in some.tolist()) for some in sizes]
    yield from counted("image sizes, most frequent", common, 3)
    for at, what in enumerate(("width", "height")):
        ranges = [f"{some[:, at].min()} to {some[:, at].max()}" if len(some) else "" for some in sizes]
        yield f"  {what}, least to greatest", *ranges
    longer = [[p.box[2:].max() for p in split.persons] for split in splits]
    boxes = [[f"{q:.0f}" for q in np.quantile(some, (0, 0.25, 0.5, 0.75, 1))] if some else [""] * 5 for some in longer]
    yield "box's longer side, px: least", *(box[0] for box in boxes)
    yield "  quartiles", *(" ".join(box[1:4]).strip() for box in boxes)
    yield "  greatest", *(box[4] for box in boxes)
    yield from counted("colour modes", [split.modes for split in splits])
    if any(split.turned for split in splits):
        yield "turned by EXIF", *(str(split.turned) for split in splits)
    yield from counted("licences of images", [Counter(i.licence for i in s.images.values()) for s in splits])
