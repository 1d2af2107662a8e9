"""Where exporters put annotation files and pictures: COCO, CVAT, Roboflow, Label Studio, FiftyOne, MMPose, YOLO.

A split is known by a word in the path of its file, whatever the case: `annotations/person_keypoints_train2017.json`,
`train/_annotations.coco.json`, `json/crowdpose_val.json`. Pictures are looked for in folders of the split's name, in
`images/`, and beside the file. Explained in 01_dataset.
"""

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from hgnb.data.intake import numbers, plain, yolo
from hgnb.errors import InputError
from hgnb.home import home

PREFIX = "person_keypoints_"
WANTED = f"annotations/{PREFIX}train.json with its pictures in train/, and the same for val"
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
SPLITS = {"train": ("train", "training", "trainset"), "val": ("val", "valid", "validation", "valset", "dev")}
INSTEAD = {"train": (), "val": ("test", "testing")}  # where the split itself is absent
EVERY = {word for words in (*SPLITS.values(), *INSTEAD.values()) for word in words}
OTHER_TASKS = {"captions", "panoptic", "stuff", "densepose", "unlabeled", "predictions", "detections"}
FOR_KEYPOINTS = {"keypoints", "keypoint", "kpts", "pose", "wholebody", "crowdpose", "person"}
HOLDERS = ("annotations", "annotation", "json", "labels", "anno", "ann")  # folders of annotation files beside pictures
DEPTH = 3  # folders below the dataset's in which annotation files are looked for
UNREAD = ("segmentation", "date_captured")


@dataclass(frozen=True)
class Source:
    """One split as it lies on the disk; `file` is its annotation file, or the `data.yaml` of YOLO labels."""

    folder: Path
    file: Path
    split: str  # "train" or "val"; "" where a folder has one file without such a word
    others: tuple[str, ...] = ()  # of the same split, that aren't read
    part: str = ""  # "train" or "val" where the folder has one split, which is divided

    @property
    def is_yolo(self) -> bool:
        return self.file.suffix.lower() != ".json"

    @property
    def label(self) -> str:
        """What the file calls the split: 'train2017', 'Train', 'default'."""
        if self.is_yolo:
            return self.split
        stem = self.file.stem
        for prefix in (PREFIX, "instances_"):
            stem = stem.removeprefix(prefix)
        if stem != self.file.stem or not self.split:
            return stem
        found = [part for part in (*self.file.parent.parts[-2:], stem) if self.split in _splits(part)]
        return found[0] if found and len(WORDS.findall(found[0])) == 1 else self.split

    @property
    def name(self) -> str:
        """As the label, but so that it begins with 'train' or 'val' where it is one of these."""
        if self.part:
            return self.part
        label = self.label.lower()
        return label if label.startswith(self.split) else self.split

    @property
    def base(self) -> Path:
        """The folder that holds annotations and pictures."""
        return self.file.parent.parent if self.file.parent.name.lower() in HOLDERS else self.file.parent

    def files(self) -> list[Path]:
        """Every file that annotations are read from."""
        return [self.file, *(yolo.labels(self.file, self.split) if self.is_yolo else ())]

    @cached_property
    def places(self) -> list[Path]:
        """The folders that lie beside, and those in `images/`."""
        here = _folders(self.base)
        return [*here, *(f for folder in here if folder.name.lower() == "images" for f in _folders(folder))]

    @cached_property
    def roots(self) -> list[Path]:
        """The folders in which pictures are looked for, the likeliest first; those that exist."""
        if self.is_yolo:
            return [self.base]
        here, beside = _folders(self.base), _folders(self.file.parent)
        likely = [folder for folder in self.places if folder.name.lower() == self.label.lower()]
        likely += [folder for folder in self.places if self.split and self.split in _splits(folder.name)]
        likely += [folder for folder in here if folder.name.lower() == "images"]
        likely += [folder for folder in (*beside, *here) if folder.name.lower() in ("images", "data")]
        return list(dict.fromkeys([*likely, self.file.parent, self.base]))

    @property
    def pictures(self) -> Path:
        """The folder below which every picture is found: one named as the split, or the dataset's."""
        own = self.roots[0]
        return own if own.name.lower() == self.label.lower() else self.folder

    def tried(self) -> str:
        """Where pictures are looked for, as a sentence says it."""
        places = [r.relative_to(self.base).as_posix() for r in self.roots if r != self.base and r.name not in HOLDERS]
        listed = ", ".join(f"{plain(place)}/" for place in places)
        return f"in {f'{listed} and ' if listed else ''}everywhere in '{plain(self.base.name)}', by any spelling"

    def opened(self) -> dict:
        """The annotation file's content, or YOLO labels as if they stood in one."""
        return yolo.opened(self.file, self.split) if self.is_yolo else parsed(self.file)


def sources(folder: Path) -> dict[str, Source]:
    """The splits of a dataset by "train" and "val"; by "" the only file of a folder that names no split."""
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}': DATA must be 'embedded' or a folder in COCO layout.")
    files, found = list(_candidates(folder)), {}
    for split in SPLITS:
        of = [f for f in files if split in _splits(within(f, folder))]
        of = of or [f for f in files if any(word.startswith(split) for word in words_of(within(f, folder)))]
        of = of or [f for f in files if set(INSTEAD[split]) & set(words_of(within(f, folder)))]
        if of:
            first, *rest = sorted(of, key=lambda f: _rank(Source(folder, f, split)))
            found[split] = Source(folder, first, split, tuple(within(f, folder) for f in rest))
    if not found and (of := sorted((f for f in files if _is_coco(f)), key=lambda f: _rank(Source(folder, f, "")))):
        found[""] = Source(folder, of[0], "", tuple(within(f, folder) for f in of[1:]))
    if not found and (file := yolo.description(folder)):
        found = {split: Source(folder, file, split) for split in yolo.splits(file)}
    return found


def source(folder: Path, split: str) -> Source:
    """One of them; InputError, with the layout that was found and the one that is wanted, where it isn't there."""
    found = sources(folder)
    part = next((name for name in SPLITS if split.startswith(name)), "")
    if part and undivided(found):
        return replace(*found.values(), part=part)
    if part in found:
        return found[part]
    raise InputError(
        f"'{folder}' is not in COCO layout: annotations/{PREFIX}{split}*.json is missing, nor is one like it there; "
        f"wanted is {WANTED}; found: {_listing(folder)}."
    )


def undivided(found: dict[str, Source]) -> bool:
    """Whether a folder has one split only, whose photographs are training, validation and test; no other's either."""
    if len(found) != 1:
        return False
    (source,) = found.values()
    return not source.split or not any(_splits(folder.name) - {source.split} for folder in source.places)


def annotation_files(folder: Path) -> list[Path]:
    """The annotation files of a dataset's splits, or what describes its labels; none where there are none."""
    return sorted({source.file for source in sources(folder).values()}) if folder.is_dir() else []


def parsed(file: Path) -> dict:
    """A JSON file's content; what nobody reads is let go at once, and annotations' keypoints become arrays."""

    def slim(record: dict) -> dict:
        for key in UNREAD:
            record.pop(key, None)
        if "image_id" in record and record.get("keypoints"):
            packed = numbers(record["keypoints"])
            record["keypoints"] = record["keypoints"] if packed is None else packed
        return record

    if not file.is_file():
        raise InputError(f"'{file}' is no file.")
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"), object_hook=slim)
    except OSError as error:
        raise InputError(f"'{file}' can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # of JSON, of its encoding, of numbers without end
        raise InputError(f"'{file}' is not JSON: {str(error).rstrip('.')}.") from error
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise InputError(f"'{file}' is not a COCO annotation file: it has no list of {key}.")
    return content


def spelled(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def words_of(text: str) -> list[str]:
    return [word.lower() for word in WORDS.findall(text)]


def _splits(text: str) -> set[str]:
    """The splits that a path names."""
    words = set(words_of(text))
    return {split for split, names in SPLITS.items() if words & set(names)}


def within(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _candidates(folder: Path) -> Iterator[Path]:
    """The JSON files that could be annotation files; COCO's own names are looked for first, and alone if there."""
    own = {split: sorted((folder / "annotations").glob(f"{PREFIX}{split}*.json")) for split in SPLITS}
    if all(own.values()):
        yield from (file for files in own.values() for file in files)
        return
    for place, folders, names in os.walk(folder):
        if len(Path(place).relative_to(folder).parts) >= DEPTH:
            folders.clear()
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(".json") and not name.startswith(".") and not set(words_of(name)) & OTHER_TASKS:
                yield Path(place, name)


def _rank(source: Source) -> tuple:
    """The order in which files of one split are preferred: for keypoints, exactly this split, with pictures."""
    words = set(words_of(source.file.name))
    kind = 0 if words & FOR_KEYPOINTS else 2 if "instances" in words else 1
    own = any((place / source.label).is_dir() for place in (source.base, source.base / "images"))
    return kind, not own, within(source.file, source.folder)


def _is_coco(file: Path) -> bool:
    """Whether the beginning or the end of a JSON file names lists that COCO's have."""
    try:
        with file.open("rb") as opened:
            head = opened.read(1 << 16)
            opened.seek(max(0, file.stat().st_size - (1 << 16)))
            text = head + opened.read()
    except OSError:
        return False
    return b'"images"' in text or b'"annotations"' in text or b'"categories"' in text


def _folders(place: Path) -> list[Path]:
    return sorted(Path(e.path) for e in os.scandir(place) if e.is_dir()) if place.is_dir() else []


def files_in(folder: Path) -> set[str]:
    """Names of the plain files in a folder; a pipe among them would be waited for without end."""
    if not folder.is_dir():
        return set()
    with os.scandir(folder) as entries:
        return {e.name for e in entries if (os.path.isfile(e) if e.is_symlink() else e.is_file())}


def _listing(folder: Path, most: int = 8) -> str:
    """What a folder holds, as a sentence quotes it."""
    names = sorted(f"{plain(e.name)}/" if e.is_dir() else plain(e.name) for e in os.scandir(folder))
    deeper = [f"{n}{plain(e.name)}" for n in names if n.endswith("/") for e in sorted(os.scandir(folder / n), key=str)]
    shown = names[:most] + [n for n in deeper if n.endswith((".json", ".yaml"))][:4]
    return ", ".join(shown) + (" and more" if len(names) > most else "") if shown else "nothing"


TRAIN, VAL, TEST = "train", "val", "test"
PART = "part"  # of an image's record, where a file says itself which photographs are the test's


def by_rule(image_id: int) -> str:
    """About 80, 8 and 12 of 100 photographs: SHA-256 of the id's digits, its first four bytes modulo 100."""
    at = int.from_bytes(hashlib.sha256(str(image_id).encode()).digest()[:4], "big") % 100
    return TRAIN if at < 80 else VAL if at < 88 else TEST


def parts_of(image_ids: set[int], dataset: str) -> dict[int, str]:
    """The part of every photograph of the folder called `dataset`: by the committed list that fits, else by the rule.

    A list, `data/splits/<name>.json`, holds the ids of photographs by part under `images`. It fits where the data have
    all of them; photographs that it doesn't name go by the rule. InputError where the dataset's own name is that of a
    list that doesn't fit.
    """
    divided = {number: by_rule(number) for number in image_ids}
    for file in sorted((home() / "data" / "splits").glob("*.json"), key=lambda file: file.stem != dataset):
        listed = _listed_parts(file)
        strangers = listed.keys() - image_ids
        if strangers and file.stem == dataset:
            raise InputError(
                f"'data/splits/{file.name}' names {len(strangers)} photographs that '{dataset}' doesn't have, such as "
                f"{min(strangers)}: add them, or give the folder another name to divide it by rule."
            )
        if listed and not strangers:
            return divided | listed
    return divided


def _listed_parts(file: Path) -> dict[int, str]:
    """The part of each photograph that a list names; empty where the file lists none, but persons of a draw."""
    try:
        images = json.loads(file.read_bytes()).get("images", {})
        return {int(number): part for part in (TRAIN, VAL, TEST) for number in images.get(part, ())}
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"'data/splits/{file.name}' lists no photographs by id ({error}): mend or delete it."
        ) from error
