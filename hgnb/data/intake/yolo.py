"""YOLO's text labels for pose, read as if they stood in a COCO file. docs.ultralytics.com/datasets/pose; 01_dataset.

`data.yaml` names the folders of pictures, `kpt_shape` [K, 2 or 3], and by `flip_idx` which keypoint is whose mirror
image; a label file has a line for each person: class, box (centre, size) and keypoints, all in parts of the picture.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from hgnb.data.drawn.annotate import COCO17
from hgnb.data.images import DamagedImage, header, in_threads
from hgnb.errors import InputError

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".jp2"}
COCO_FLIP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
VALIDATION = ("val", "valid", "validation", "test")  # keys, in this order


def description(folder: Path) -> Path | None:
    """The YAML file of a folder that describes a dataset for pose, if there is one."""
    for file in sorted([*folder.glob("*.y*ml"), *folder.glob("*/*.y*ml")]):
        if "kpt_shape" in _described(file):
            return file
    return None


def splits(file: Path) -> list[str]:
    """Which of "train" and "val" it names folders for that are there."""
    return [split for split in ("train", "val") if _places(file, split)]


def labels(file: Path, split: str) -> list[Path]:
    """The label files of a split that are there, in the order of its pictures."""
    return [label for picture in _pictures(file, split) if (label := _label(picture)).is_file()]


def opened(file: Path, split: str) -> dict:
    """The content that a COCO annotation file of the same persons would have."""
    about, images, annotations = _described(file), [], []
    count, values = _shape(about, file)
    names = about.get("kpt_names")
    if isinstance(names, dict):  # of each class; they share one list of keypoints
        names = next(iter(names.values()), None)
    flip = about.get("flip_idx")
    if not isinstance(names, list) or len(names) != count:
        coco = count == len(COCO17.names) and flip in (None, COCO_FLIP)
        names = list(COCO17.names) if coco else [f"point_{k + 1}" for k in range(count)]
    base, number = file.parent, itertools.count(1)
    pictures = list(_pictures(file, split))
    for at, (picture, head) in enumerate(zip(pictures, in_threads(header, pictures), strict=True), 1):
        size = (
            None if isinstance(head, DamagedImage) else head.upright
        )  # as a viewer shows it, which labels are parts of
        inside = picture.is_relative_to(base)
        name = picture.relative_to(base).as_posix() if inside else picture.name
        images.append({"id": at, "file_name": name, "width": size and size[0], "height": size and size[1]})
        label = _label(picture)
        lines = label.read_text(encoding="utf8", errors="replace").splitlines() if label.is_file() else []
        annotations += [_person(line, next(number), at, size or (1, 1), values) for line in lines if line.strip()]
    skeleton = [list(bone) for bone in COCO17.skeleton] if names == list(COCO17.names) else []
    category = {"id": 1, "name": "person", "keypoints": names, "skeleton": skeleton, "flip_idx": flip}
    return {"images": images, "annotations": annotations, "categories": [category]}


def _person(line: str, number: int, image: int, size: tuple[int, int], values: int) -> dict:
    """One line's person; of a line that can't be read the keypoints are its text, which is a fault later."""
    record = {"id": number, "image_id": image, "category_id": 1, "iscrowd": 0}
    try:
        _, x, y, w, h, *points = map(float, line.split())
    except ValueError:
        return record | {"keypoints": line}
    scale = [*size, 1][:values]
    box = [(x - w / 2) * size[0], (y - h / 2) * size[1], w * size[0], h * size[1]]
    return record | {"bbox": box, "keypoints": [p * scale[i % values] for i, p in enumerate(points)]}


def _described(file: Path) -> dict:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _shape(about: dict, file: Path) -> tuple[int, int]:
    """Keypoints, and values for each."""
    match about["kpt_shape"]:
        case [int(count), 2 | 3 as values] if 0 < count < 10_000:
            return count, values
    raise InputError(f"'{file}' must say kpt_shape: [K, 2] or [K, 3].")


def _places(file: Path, split: str) -> list[Path]:
    """The folders or lists that a split's pictures stand in."""
    about = _described(file)
    named: Any = next((about[key] for key in ((split,) if split == "train" else VALIDATION) if about.get(key)), [])
    path = about.get("path")
    bases = [file.parent / path if isinstance(path, str) else file.parent, file.parent]
    found = []
    for name in named if isinstance(named, list) else [named]:
        if isinstance(name, str):
            # Roboflow writes ../train/images for train/images; a path of another machine ends alike
            tails = [str(Path(*Path(name).parts[-count:])) for count in (3, 2, 1)]
            tries = [base / n for base in bases for n in (name, name.replace("../", "").replace("./", ""), *tails)]
            found += [place for place in tries if place.exists()][:1]
    return found


def _pictures(file: Path, split: str) -> Iterator[Path]:
    for place in _places(file, split):
        if place.is_dir():
            yield from sorted(p for p in place.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
        elif place.suffix == ".txt" and place.is_file():
            lines = place.read_text(encoding="utf8", errors="replace").splitlines()
            yield from (p for p in (place.parent / line.strip() for line in lines if line.strip()) if p.is_file())


def _label(picture: Path) -> Path:
    """labels/…/a.txt for images/…/a.jpg; else beside the picture."""
    parts = list(picture.parts)
    if "images" in parts:
        at = len(parts) - 1 - parts[::-1].index("images")
        parts[at] = "labels"
    return Path(*parts).with_suffix(".txt")
