"""Persons out of a folder in COCO layout. Lin et al. (2014); thesis 4.1; explained in 01_dataset.

A folder holds `annotations/person_keypoints_<split>.json` and the images in `<split>/`; hgnb.data.intake finds and
repairs what other exporters write. What can't be repaired in one image or annotation is a `Fault`, and its persons are
dropped and counted; an InputError is only what leaves nothing to read.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hgnb.data.images import copy
from hgnb.data.intake import Choices, Fault, is_id, layouts, named, plain
from hgnb.data.intake.annotations import TWICE, Records, flagged
from hgnb.data.intake.categories import Categories
from hgnb.data.intake.pictures import GUESSED, MISSING, Listed, ListedImage
from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError
from hgnb.home import new_folder

ROLES = CROWDS, UNLABELLED, PERSONS = "crowds", "without keypoints", "persons"  # what an annotation can be
# The thesis's selection: the first step keeps every role, each one after it a role less. Who is damaged counts as what
# is meant, but never as complete.
STEPS = ("any", "without crowds", "with keypoints", "with every keypoint")
MOSTLY = 0.9  # of the boxes that reach out of their picture, if they fit as corners, corners they are


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
    exact: bool = True  # whether area, id and crowd flags on its image are annotated, not guessed
    area: float = 0.0  # of the body's outline in square pixels, by which OKS is measured; 0 where it isn't known

    @property
    def labelled(self) -> int:
        """Keypoints with v > 0."""
        return int((self.keypoints[:, 2] > 0).sum())


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
    repaired: Counter[str] = field(default_factory=Counter)  # what was repaired, in words, and how often
    odd: dict[str, str] = field(default_factory=dict)  # what looks odd about the files, by kind, a sentence each
    unreadable: str = ""  # why, where none of the pictures that were looked into can be read
    test: frozenset[int] = frozenset()  # ids of the images that are the test set's; none: it is drawn
    # where every picture was decoded, by hgnb.data.check: pictures by colour mode, those that their EXIF orientation
    # turns to the listed size, and digests of their files
    modes: Counter[str] = field(default_factory=Counter)
    turned: int = 0
    digests: frozenset[str] = frozenset()


def check(folder: Path) -> None:
    """InputError unless both splits can be read and have persons and pictures; parses, decodes nothing."""
    for split in load_both(folder):
        if split.unreadable:
            raise InputError(f"No picture of '{split.name}' that was tried can be read: {split.unreadable}")


def load(folder: Path, split: str) -> Split:
    """Reads a split: crowds, persons without keypoints and damaged ones are dropped and counted."""
    found = read(folder, split)
    if found.persons:
        return found
    reasons = {fault.kind: fault.reason for fault in reversed(found.faults)}  # the first of each kind
    if found.dropped:
        kind, ids = max(found.dropped.items(), key=lambda item: len(item[1]))
        why = f"{len(ids):,} are dropped, most for '{kind}': {found.odd.get(kind) or reasons.get(kind, '')}"
    elif MISSING in found.odd:
        why = found.odd[MISSING]
    else:
        every, crowds, unlabelled = (found.counts[what] for what in ("annotations", CROWDS, UNLABELLED))
        why = f"of {every:,} annotations {crowds:,} are crowds, {unlabelled:,} have no keypoint with v above 0."
    raise InputError(f"'{found.name}' holds no person with keypoints: {why}")


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


def read(folder: Path, split: str, choices: Choices | None = None, survey: bool = False) -> Split:
    """A split as `load` gives it, but persons may be none.

    `choices`: what a person says that the files leave open. `survey`: every picture's size is read from its file.
    """
    source, repaired, choices = layouts.source(folder, split), Counter[str](), choices or Choices()
    content = source.opened()
    categories = Categories(content["categories"], source.file.name, choices, repaired)
    faults: list[Fault] = []
    found = Listed(content, source, choices, repaired, faults, survey)
    if source.part:
        _divide(content, found, source, faults)
    entries = content["annotations"]
    judge, roles = Records(found, categories, repaired, entries), Counter[str]()
    reached = list[tuple[object, int]]()  # each annotation's image, and the last step that keeps it
    dropped: dict[str, list] = defaultdict(list)
    people, lost = dict[int, Person](), dict[int, str]()  # the lost by the fault of their image
    for at, record in enumerate(entries):
        entries[at] = None  # its numbers take much less room in a Person
        fault = judge.sound(record)
        if fault and fault[0] == TWICE:
            repaired["annotations listed twice alike, read once"] += 1
            continue
        # what is no record was meant as a person
        fields: dict[str, Any] = record if isinstance(record, dict) else {"num_keypoints": 1}
        role = CROWDS if fields.get("iscrowd") else UNLABELLED
        if role != CROWDS and (fields.get("num_keypoints") or flagged(fields)):
            role = PERSONS
        roles[role] += 1
        complete = not fault and role == PERSONS and all(fields["keypoints"][2::3])
        reached.append((fields.get("image_id"), ROLES.index(role) + complete))
        if fault:
            number = named(fields.get("id"))
            faults.append(Fault(source.name, fault[0], number, fault[1]))
            if role == PERSONS:
                dropped[fault[0]].append(number)
        elif role == PERSONS and record["image_id"] in found.lost:
            lost[record["id"]] = found.lost[record["image_id"]]
        elif role == PERSONS:
            people[record["id"]] = _person(record, found.images[record["image_id"]], categories.schema)
    for number, kind in sorted(lost.items()):
        dropped[kind].append(number)
    persons = [person for _, person in sorted(people.items())]
    counts = {
        "images": len(found.images) + len(found.lost),
        "annotations": roles.total(),
        CROWDS: roles[CROWDS],
        UNLABELLED: roles[UNLABELLED],
        PERSONS: len(persons),
        "images with persons": len({p.image_id for p in persons}),
    }
    kept = {name: [image for image, last in reached if last >= at] for at, name in enumerate(STEPS)}
    steps = {n: {"images": len(set(filter(is_id, images))), "annotations": len(images)} for n, images in kept.items()}
    return Split(
        source.name, categories.schema, persons, counts, steps, dict(dropped), faults, found.images,
        repaired, _oddities(source, found, judge), found.unreadable,
        frozenset(number for number, image in found.images.items() if image.part == layouts.TEST),
    )  # fmt: skip


def _divide(content: dict, found: Listed, source: layouts.Source, faults: list[Fault]) -> None:
    """Leaves the images and annotations of one part: training has the test's images too.

    What has no image, and so no part, is told as damage of the training part.
    """
    numbers = {*found.images, *found.lost}
    divided = layouts.parts_of(numbers, source.folder.resolve().name)
    divided |= {number: image.part for number, image in found.images.items() if image.part}
    away = {number for number in numbers if (divided[number] == layouts.VAL) != (source.part == layouts.VAL)}
    found.images = {n: image._replace(part=divided[n]) for n, image in found.images.items() if n not in away}
    found.lost = {number: kind for number, kind in found.lost.items() if number not in away}
    faults[:] = [f for f in faults if f.id not in away and (f.id is not None or source.part != layouts.VAL)]

    def here(record: object) -> bool:
        number = found.meant(record.get("image_id"), numbers) if isinstance(record, dict) else None
        return source.part == layouts.TRAIN if number is None else number not in away

    content["annotations"] = [record for record in content["annotations"] if here(record)]


def _oddities(source: layouts.Source, found: Listed, judge: Records) -> dict[str, str]:
    """What looks odd about the files of a split, by kind, a sentence each."""
    odd = {}
    if source.others:
        odd["several annotation files"] = (
            f"'{source.file.name}' is read, and not {', '.join(plain(other, 80) for other in source.others[:4])}."
        )
    missing = sum(kind == MISSING for kind in found.lost.values())
    if missing:
        listed = len(found.images) + len(found.lost)
        odd[MISSING] = f"{missing:,} of {listed:,} pictures are missing; looked for {source.tried()}."
    if found.unfollowed:
        odd["EXIF orientation"] = (
            f"{found.unfollowed:,} of {len(found.images):,} pictures carry an EXIF orientation that isn't followed, "
            "since COCO's coordinates count stored pixels: if they were annotated as a viewer shows them, use "
            "--exif follow and --write CLEAN."
        )
    if judge.corners > MOSTLY * judge.clipped > 0:
        odd["boxes by corners"] = (
            f"{judge.corners:,} boxes reach out of their picture but fit as corners x1, y1, x2, y2: COCO's are x, y, "
            "width, height."
        )
    return odd


def _person(annotation: dict, image: ListedImage, schema: KeypointSchema) -> Person:
    """One sound annotation as a Person; where v is 0, x and y mean nothing and are 0 as well."""
    keypoints = np.asarray(annotation["keypoints"], dtype=np.float64).reshape(len(schema), 3)
    area = annotation.get("area")
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
        exact=image.exact,
        area=area if isinstance(area, int | float) and 0 < area < np.inf else 0.0,
    )


def by_image(persons: list[Person]) -> dict[int, list[Person]]:
    """Persons grouped by image, in the order in which images first appear."""
    groups = defaultdict(list)
    for person in persons:
        groups[person.image_id].append(person)
    return dict(groups)


def write(splits: list[Split], folder: Path, upright: bool = False) -> None:
    """Writes persons and pictures of splits as a clean folder in COCO layout; InputError where something is there.

    `upright`: pictures are turned as their EXIF orientation says, and lose it.
    """
    with new_folder(folder) as aside:
        (aside / "annotations").mkdir()
        for split in splits:
            _write_split(split, aside, upright)


def _write_split(split: Split, folder: Path, upright: bool) -> None:
    (folder / split.name).mkdir()
    said = dict.fromkeys((image.licence, image.licence_url) for image in split.images.values())
    licences = {licence: n for n, licence in enumerate(said, 1)}
    taken, images = set(), []
    for number, image in split.images.items():
        name = image.file.name if image.file.name.lower() not in taken else f"{number}-{image.file.name}"
        taken.add(name.lower())
        copy(image.file, folder / split.name / name, upright)
        size = dict(zip(("width", "height"), image.size, strict=True))
        told = {key: value for key in ("part", "flickr_url", "coco_url") if (value := getattr(image, key))}
        told |= {} if image.exact else {"persons": GUESSED}
        licence = licences[image.licence, image.licence_url]
        images.append({"id": number, "file_name": name, **size, "license": licence, **told})
    category = {"id": 1, "name": "person", "keypoints": list(split.schema.names)}
    category["skeleton"] = [[a + 1, b + 1] for a, b in split.schema.skeleton]
    content = {
        "images": images,
        "annotations": [_written(person) for person in split.persons],
        "categories": [category],
        "licenses": [{"id": n, "name": name, "url": url} for (name, url), n in licences.items()],
    }
    file = folder / "annotations" / f"{layouts.PREFIX}{split.name}.json"
    file.write_text(json.dumps(content), encoding="utf8")


def _written(person: Person) -> dict:
    told = {key: value for key in ("posture", "motion") if (value := getattr(person, key))}
    return {
        "id": person.id, "image_id": person.image_id, "category_id": 1, "iscrowd": 0, "bbox": person.box.tolist(),
        "area": person.area or float(person.box[2] * person.box[3]), "num_keypoints": person.labelled,
        "keypoints": [int(n) if n == int(n) else n for n in person.keypoints.ravel().tolist()], **told,
    }  # fmt: skip
