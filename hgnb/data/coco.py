"""Persons out of a folder in COCO layout. Lin et al. (2014); thesis 4.1; explained in 01_dataset.

A folder holds `annotations/person_keypoints_<split>.json` and the images in `<split>/`; a split's name is
matched by its beginning, so that `train` finds `train2017`. A folder with one split is divided (hgnb.data.parts).

What is damaged in one image or annotation is a `Fault`, and its persons are dropped and counted; an InputError
is only what leaves nothing to read.
"""

import contextlib
import io
import json
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hgnb.data import parts
from hgnb.data.faults import MISSING, Annotations, Fault, image_fault, is_id, named, numbers
from hgnb.data.quoting import plain
from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError

PREFIX = "person_keypoints_"
CROWDS, UNLABELLED, PERSONS = "crowds", "without keypoints", "persons"  # what an annotation can be
UNREAD = ("segmentation", "area", "coco_url", "flickr_url", "date_captured")


@dataclass(frozen=True, slots=True)
class Person:
    """One annotated person. `box` (x, y, w, h) and `keypoints` (K, 3) as (x, y, v) in pixels of the image."""

    id: int
    image_id: int
    file: Path
    image_size: tuple[int, int]  # width, height
    box: np.ndarray
    keypoints: np.ndarray
    posture: str = ""  # known for drawn people only
    motion: str = ""
    licence: str = ""  # of the image, by name

    @property
    def labelled(self) -> int:
        """Keypoints with v > 0."""
        return int((self.keypoints[:, 2] > 0).sum())


class ListedImage(NamedTuple):
    """An image as the annotation file lists it."""

    file: Path
    size: tuple[int, int]  # width, height
    licence: str


@dataclass(frozen=True)
class Split:
    """The persons of a split that have keypoints, in order of id, and what was left out.

    `counts` has what the annotation file lists and what remains; `steps` the images and annotations after each
    step of the selection; `dropped` the ids of annotations left out for damage, by kind of fault.
    """

    name: str
    schema: KeypointSchema
    persons: list[Person]
    counts: dict[str, int]
    steps: dict[str, dict[str, int]] = field(default_factory=dict)
    dropped: dict[str, list] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    images: dict[int, ListedImage] = field(default_factory=dict)
    test: frozenset[int] = frozenset()  # ids of the images that are the test set's; none: it is drawn

    def of_image(self, image_id: int) -> list[Person]:
        """The persons of one image."""
        return [p for p in self.persons if p.image_id == image_id]


def annotation_file(folder: Path, split: str) -> Path:
    """The annotation file whose split name begins with `split`, or the only one; InputError where there is none."""
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}': DATA must be 'embedded' or a folder in COCO layout.")
    files = _named(folder, split) or ([*_named(folder)] if undivided(folder) else [])
    if not files:
        raise InputError(f"'{folder}' is not in COCO layout: annotations/{PREFIX}{split}*.json is missing.")
    return files[0]


def undivided(folder: Path) -> bool:
    """Whether a folder has one split only, whose photographs are training, validation and test; no other's either."""
    files = _named(folder)
    if len(files) != 1:
        return False
    own = image_folder(files[0])
    return not any(f.is_dir() and f != own for part in (parts.TRAIN, parts.VAL) for f in folder.glob(f"{part}*"))


def _named(folder: Path, split: str = "") -> list[Path]:
    return sorted((folder / "annotations").glob(f"{PREFIX}{split}*.json"))


def image_folder(annotations: Path) -> Path:
    """Where the images of an annotation file lie: a folder named as its split."""
    return annotations.parent.parent / annotations.stem.removeprefix(PREFIX)


def check(folder: Path) -> None:
    """InputError unless both splits can be read and every listed image is there; parses, decodes nothing."""
    splits = [read(folder, name) for name in ("train", "val")]
    for split in splits:
        missing = next((fault for fault in split.faults if fault.kind == MISSING), None)
        if missing:
            raise InputError(f"{missing.reason.rstrip('.')}, though {PREFIX}{split.name}.json in '{folder}' lists it.")
    for split in splits:
        _somebody(split)
    same_keypoints(*splits)


def load(folder: Path, split: str) -> Split:
    """Reads a split with pycocotools: crowds, persons without keypoints and damaged ones are dropped and counted."""
    return _somebody(read(folder, split))


def load_both(folder: Path) -> tuple[Split, Split]:
    """The training and the validation split; InputError where they don't name the same keypoints."""
    train, val = load(folder, "train"), load(folder, "val")
    same_keypoints(train, val)
    return train, val


def same_keypoints(train: Split, val: Split) -> None:
    """InputError where two splits' categories name different keypoints."""
    if train.schema.names != val.schema.names:
        raise InputError(
            f"The categories of '{train.name}' and '{val.name}' differ: {len(train.schema)} and "
            f"{len(val.schema)} keypoints, which must have the same names in the same order."
        )


def _somebody(split: Split) -> Split:
    if not split.persons:
        dropped = "; ".join(f"{len(ids)} dropped: {kind}" for kind, ids in split.dropped.items())
        raise InputError(
            f"'{PREFIX}{split.name}.json' holds no person with keypoints{f' ({dropped})' if dropped else ''}."
        )
    return split


def read(folder: Path, split: str) -> Split:
    """A split as `load` gives it, but persons may be none."""
    source = annotation_file(folder, split)
    content, name = _parse(source), source.stem.removeprefix(PREFIX)
    if undivided(folder):
        name = parts.VAL if split.startswith(parts.VAL) else parts.TRAIN
        _divide(content, name, folder.resolve().name)
    test = {i["id"] for i in content["images"] if isinstance(i, dict) and i.get(parts.FIELD) == parts.TEST}
    category, schema = _schema(content["categories"], source)
    faults: list[Fault] = []
    images, lost = _images(content, image_folder(source), faults)
    sizes = dict.fromkeys(lost, (np.inf, np.inf)) | {number: image.size for number, image in images.items()}
    judge = Annotations(sizes, {c["id"] for c in content["categories"]}, category, schema)
    dropped: dict[str, list]
    roles: Counter[str]
    dropped, roles = defaultdict(list), Counter()
    outlines, people = [], {}
    records = content["annotations"]
    for at, record in enumerate(records):
        records[at] = None  # its numbers take much less room in a Person
        role, fault = _role(record), judge.fault(record)
        roles[role] += 1
        if fault is None:
            outlines.append(_outline(record, role))
            if role == PERSONS and record["image_id"] in images:
                people[record["id"]] = _person(record, images[record["image_id"]], schema)
            continue
        number = named(record.get("id")) if isinstance(record, dict) else None
        faults.append(Fault(name, fault[0], number, fault[1]))
        if role == PERSONS:
            dropped[fault[0]].append(number)
    steps, chosen = _select(outlines, category)
    for record in chosen:
        if record["image_id"] in lost:
            dropped[lost[record["image_id"]]].append(record["id"])
    persons = [people[record["id"]] for record in chosen if record["id"] in people]
    counts = {
        "images": len(content["images"]),
        "annotations": len(records),
        CROWDS: roles[CROWDS],
        UNLABELLED: roles[UNLABELLED],
        PERSONS: len(persons),
        "images with persons": len({p.image_id for p in persons}),
    }
    return Split(name, schema, persons, counts, steps, dict(dropped), faults, images, frozenset(test) & images.keys())


def _divide(content: dict, name: str, dataset: str) -> None:
    """Leaves the images and annotations of one part in `content`: training has the test's images too, marked as such.

    What has no image, and so no part, is told as damage of the training part.
    """
    images = [i for i in content["images"] if isinstance(i, dict) and is_id(i.get("id"))]
    divided = parts.of({i["id"] for i in images}, dataset)
    divided |= {i["id"]: i[parts.FIELD] for i in images if i.get(parts.FIELD) in (parts.TRAIN, parts.VAL, parts.TEST)}
    for image in images:
        image[parts.FIELD] = divided[image["id"]]

    def here(record: object, key: str) -> bool:
        number = record.get(key) if isinstance(record, dict) else None
        return (is_id(number) and divided.get(number) == parts.VAL) == (name == parts.VAL)

    for kind, key in (("images", "id"), ("annotations", "image_id")):
        content[kind] = [record for record in content[kind] if here(record, key)]


def _role(record: object) -> str:
    """What an annotation is meant to be, damaged or not."""
    if not isinstance(record, dict):
        return PERSONS
    if record.get("iscrowd"):
        return CROWDS
    keypoints = record.get("keypoints")
    flagged = isinstance(keypoints, list | np.ndarray) and any(keypoints[2::3])
    return PERSONS if record.get("num_keypoints") or flagged else UNLABELLED


def _parse(source: Path) -> dict:
    """An annotation file's content; what nobody reads is let go at once, and annotations' keypoints become arrays."""

    def slim(record: dict) -> dict:
        for key in UNREAD:
            record.pop(key, None)
        if "image_id" in record and record.get("keypoints"):
            packed = numbers(record["keypoints"])
            record["keypoints"] = record["keypoints"] if packed is None else packed
        return record

    if not source.is_file():
        raise InputError(f"'{source}' is no file.")
    try:
        content = json.loads(source.read_text(encoding="utf-8-sig"), object_hook=slim)
    except OSError as error:
        raise InputError(f"'{source}' can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # of JSON, of UTF-8, of numbers without end
        raise InputError(f"'{source}' is not JSON: {str(error).rstrip('.')}.") from error
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise InputError(f"'{source}' is not a COCO annotation file: it has no list of {key}.")
    return content


def _schema(categories: list, source: Path) -> tuple[int, KeypointSchema]:
    """Id and schema of the only category that has keypoints."""
    if not all(isinstance(c, dict) and is_id(c.get("id")) for c in categories):
        raise InputError(f"'{source}' has a category without an id.")
    with_keypoints = [c for c in categories if c.get("keypoints")]
    if len(with_keypoints) != 1:
        raise InputError(f"'{source}' must have one category with keypoints, not {len(with_keypoints)}.")
    try:
        return with_keypoints[0]["id"], KeypointSchema.from_category(with_keypoints[0])
    except InputError as error:
        raise InputError(f"'{source}': {error}") from error


def _images(content: dict, root: Path, faults: list[Fault]) -> tuple[dict[int, ListedImage], dict[int, str]]:
    """The listed images by id, and of those that can't be used the kind of their fault, which joins `faults`."""
    licences = content.get("licenses")
    licences = licences if isinstance(licences, list) else []
    names = {plain(entry.get("id")): plain(entry.get("name"), 80) for entry in licences if isinstance(entry, dict)}
    present = _files(root)
    images: dict[int, ListedImage] = {}
    lost: dict[int, str] = {}
    for record in content["images"]:
        number: Any = record.get("id") if isinstance(record, dict) else None
        fault: tuple[str, str] | None
        if is_id(number) and (number in images or number in lost):
            fault = ("duplicate image id", f"The image id {number} is listed more than once.")
            images.pop(number, None)  # which of the pictures is meant can't be known
        else:
            fault = image_fault(record, root, present)
        if fault:
            faults.append(Fault(root.name, fault[0], named(number), fault[1]))
            if is_id(number):
                lost[number] = fault[0]
        else:
            licence = names.get(plain(record.get("license")), "not named")
            images[number] = ListedImage(root / record["file_name"], (record["width"], record["height"]), licence)
    return images, lost


def _files(folder: Path) -> set[str]:
    """Names of the plain files in a folder; a pipe among them would be waited for without end."""
    if not folder.is_dir():
        return set()
    with os.scandir(folder) as entries:
        return {e.name for e in entries if (os.path.isfile(e) if e.is_symlink() else e.is_file())}


def _outline(record: dict, role: str) -> dict:
    """What the selection looks at."""
    keypoints = record.get("keypoints")
    flags = [] if keypoints is None else keypoints[2::3]
    ids = {key: record[key] for key in ("id", "image_id", "category_id")}
    return ids | {"iscrowd": int(role == CROWDS), "labelled": int(np.count_nonzero(flags)), "of": len(flags)}


def _select(annotations: list[dict], category: int) -> tuple[dict[str, dict[str, int]], list[dict]]:
    """The thesis's selection by pycocotools: what is left after each step, and the records that remain, by id."""
    from pycocotools.coco import COCO

    index = COCO()
    index.dataset = {"annotations": annotations}
    with contextlib.redirect_stdout(io.StringIO()):
        index.createIndex()
    single = index.loadAnns(sorted(index.getAnnIds(iscrowd=False)))
    persons = [a for a in single if a["category_id"] == category and a["labelled"]]
    complete = [a for a in persons if a["labelled"] == a["of"]]
    steps = {"any": annotations, "without crowds": single, "with keypoints": persons, "with every keypoint": complete}
    return {
        step: {"images": len({a["image_id"] for a in some}), "annotations": len(some)} for step, some in steps.items()
    }, persons


def _person(annotation: dict, image: ListedImage, schema: KeypointSchema) -> Person:
    """One sound annotation as a Person; where v is 0, x and y mean nothing and are 0 as well."""
    keypoints = annotation["keypoints"].reshape(len(schema), 3)
    return Person(
        id=annotation["id"],
        image_id=annotation["image_id"],
        file=image.file,
        image_size=image.size,
        box=np.array(annotation["bbox"], dtype=np.float64),
        keypoints=np.where(keypoints[:, 2:] > 0, keypoints, 0),
        posture=plain(annotation.get("posture", "")),
        motion=plain(annotation.get("motion", "")),
        licence=image.licence,
    )


def by_image(persons: list[Person]) -> dict[int, list[Person]]:
    """Persons grouped by image, in the order in which images first appear."""
    groups = defaultdict(list)
    for person in persons:
        groups[person.image_id].append(person)
    return dict(groups)
