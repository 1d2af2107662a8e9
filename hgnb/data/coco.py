"""Persons out of a folder in COCO layout. Lin et al. (2014); thesis 4.1; explained in 01_dataset.

A folder holds `annotations/person_keypoints_<split>.json` and the images in `<split>/`; a split's name is
matched by its beginning, so that `train` finds `train2017`.
"""

import contextlib
import io
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError

PREFIX = "person_keypoints_"


@dataclass(frozen=True)
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

    @property
    def labelled(self) -> int:
        """Keypoints with v > 0."""
        return int((self.keypoints[:, 2] > 0).sum())


@dataclass(frozen=True)
class Split:
    """The persons of a split that have keypoints, in order of id, and what was left out."""

    name: str
    schema: KeypointSchema
    persons: list[Person]
    counts: dict[str, int]

    def of_image(self, image_id: int) -> list[Person]:
        """The persons of one image."""
        return [p for p in self.persons if p.image_id == image_id]


def annotation_file(folder: Path, split: str) -> Path:
    """The annotation file whose split name begins with `split`; InputError where there is none."""
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}': DATA must be 'embedded' or a folder in COCO layout.")
    files = sorted((folder / "annotations").glob(f"{PREFIX}{split}*.json"))
    if not files:
        raise InputError(f"'{folder}' is not in COCO layout: annotations/{PREFIX}{split}*.json is missing.")
    return files[0]


def image_folder(annotations: Path) -> Path:
    """Where the images of an annotation file lie: a folder named as its split."""
    return annotations.parent.parent / annotations.stem.removeprefix(PREFIX)


def check(folder: Path) -> None:
    """InputError unless both splits can be read and every listed image is there; parses, decodes nothing."""
    for split in ("train", "val"):
        load(folder, split)


def load(folder: Path, split: str) -> Split:
    """Reads a split with pycocotools: crowds and persons without keypoints are dropped and counted."""
    source = annotation_file(folder, split)
    coco = _open(source)
    schema = _schema(coco, source)
    images, root = coco.imgs, image_folder(source)
    present = {f.name for f in root.iterdir()} if root.is_dir() else set()
    missing = next((i["file_name"] for i in images.values() if i["file_name"] not in present), None)
    if missing:
        raise InputError(f"The image '{root / missing}' is missing, though {source.name} lists it.")
    persons, crowds, unlabelled = [], 0, 0
    for annotation in sorted(coco.anns.values(), key=lambda a: a["id"]):
        if annotation.get("iscrowd", 0):
            crowds += 1
        elif not annotation.get("num_keypoints", 0):
            unlabelled += 1
        else:
            persons.append(_person(annotation, images, root, schema, source))
    counts = {
        "images": len(images),
        "annotations": len(coco.anns),
        "crowds": crowds,
        "without keypoints": unlabelled,
        "persons": len(persons),
        "images with persons": len({p.image_id for p in persons}),
    }
    if not persons:
        raise InputError(f"'{source}' holds no person with keypoints.")
    return Split(source.stem.removeprefix(PREFIX), schema, persons, counts)


def _open(source: Path):
    """pycocotools' index of an annotation file, without its chatter on stdout."""
    from pycocotools.coco import COCO

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return COCO(str(source))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"'{source}' is not JSON: {error}.") from error
    except (AssertionError, KeyError, TypeError) as error:
        raise InputError(f"'{source}' is not a COCO annotation file ({type(error).__name__}: {error}).") from error


def _schema(coco, source: Path) -> KeypointSchema:
    """The schema of the only category that has keypoints."""
    categories = [c for c in coco.cats.values() if c.get("keypoints")]
    if len(categories) != 1:
        raise InputError(f"'{source}' must have one category with keypoints, not {len(categories)}.")
    return KeypointSchema.from_category(categories[0])


def _person(annotation: dict, images: dict, root: Path, schema: KeypointSchema, source: Path) -> Person:
    """One annotation as a Person; InputError where it can't be one."""
    keypoints = np.asarray(annotation["keypoints"], dtype=np.float64)
    if keypoints.size != 3 * len(schema):
        raise InputError(
            f"Annotation {annotation['id']} in '{source}' has {keypoints.size} keypoint numbers, not 3 x {len(schema)}."
        )
    image = images.get(annotation["image_id"])
    if image is None:
        raise InputError(f"Annotation {annotation['id']} in '{source}' names an image that isn't listed.")
    return Person(
        id=annotation["id"],
        image_id=annotation["image_id"],
        file=root / image["file_name"],
        image_size=(image["width"], image["height"]),
        box=np.asarray(annotation["bbox"], dtype=np.float64),
        keypoints=keypoints.reshape(-1, 3),
        posture=annotation.get("posture", ""),
        motion=annotation.get("motion", ""),
    )


def by_image(persons: list[Person]) -> dict[int, list[Person]]:
    """Persons grouped by image, in the order in which images first appear."""
    groups = defaultdict(list)
    for person in persons:
        groups[person.image_id].append(person)
    return dict(groups)
