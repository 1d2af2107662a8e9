"""What is chosen about the data, and who is in training, validation and test. Thesis 4.2; explained in 01_dataset.

Splits are drawn once and kept by annotation id, in a file that is named by what decides the draw: the bytes of the
annotation files and the settings in `DECIDING`. No change of code, not even of the draw, moves a person after that.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hgnb.data import coco
from hgnb.data.intake import is_id, layouts
from hgnb.errors import InputError, unknown
from hgnb.home import sha256, write_whole
from hgnb.quantity import quantity

EMBEDDED = "embedded"  # what the data are called that the book draws itself
TEST_BY = ("image", "person")


@dataclass(frozen=True)
class DataConfig:
    """Which persons are kept, how they are split and how they are cropped; the defaults are the thesis's."""

    side: int = quantity(256, "pixels", "4.2.2")
    margin: float = quantity(0.10, "of the box's longer side, in all", "4.2.2; ambiguity 8")
    rule: str = quantity("shift", "'shift' or 'vertical'", "4.2.2; ambiguity 8")
    min_labelled: int = quantity(1, "keypoints with v > 0", "ambiguity 3")
    train_persons: int = quantity(0, "persons, first by id, before the test set is taken; 0: all", "4.2.1")
    val_persons: int = quantity(0, "persons, first by id; 0: all", "4.2.1")
    test_by: str = quantity("image", "'image' or 'person'", "4.2.1; ambiguity 17")
    test_share: float = quantity(1 / 3, "of the training persons at most", "ours: small sets keep a training set")
    split_seed: int = quantity(0, "seed of the test set", "4.2.1 (unnamed)")

    def __post_init__(self) -> None:
        if self.test_by not in TEST_BY:
            raise unknown("way to draw the test set", self.test_by, TEST_BY, "data.test_by")


DECIDING = ("min_labelled", "train_persons", "val_persons", "test_by", "test_share", "split_seed")
Divided = dict[str, list[coco.Person]]  # persons in order of id, by "train", "val", "test"


def divide(train: coco.Split, val: coco.Split, config: DataConfig) -> Divided:
    """The draw: the test set is taken from the training persons, about as many as validation has.

    `test_by` "image" draws whole photographs, so that none is on both sides; "person" is the thesis's way. Where the
    data say themselves which photographs are the test's, nothing is drawn.
    """
    kept = [p for p in train.persons if p.labelled >= config.min_labelled][: config.train_persons or None]
    held = [p for p in val.persons if p.labelled >= config.min_labelled][: config.val_persons or None]
    wanted = min(len(held), int(len(kept) * config.test_share))
    random = np.random.default_rng(config.split_seed)
    if train.test:
        test = {p.id for p in kept if p.image_id in train.test}
    elif config.test_by == "person":
        test = set(random.permutation([p.id for p in kept])[:wanted].tolist())
    else:
        images = coco.by_image(kept)
        order = random.permutation(list(images))
        before = np.cumsum([0] + [len(images[i]) for i in order[:-1]])  # persons in the images drawn so far
        chosen = set(order[before < wanted].tolist())
        test = {p.id for p in kept if p.image_id in chosen}
    return {"train": [p for p in kept if p.id not in test], "val": held, "test": [p for p in kept if p.id in test]}


def place(folder: Path, source: Path, config: DataConfig) -> Path:
    """The file below `folder` that keeps the splits of a dataset under these settings, whether it is there or not."""
    key = hashlib.sha256(json.dumps({name: getattr(config, name) for name in DECIDING}).encode())
    for split in ("train", "val"):
        for file in layouts.source(source, split).files():
            key.update(bytes.fromhex(sha256(file)))
    return folder / f"{source.resolve().name}-{key.hexdigest()[:10]}.json"


def save(file: Path, train: coco.Split, val: coco.Split, config: DataConfig) -> None:
    """Draws the splits and keeps them in `file`, whole or not at all."""
    content: dict[str, Any] = {"settings": {name: getattr(config, name) for name in DECIDING}}
    content |= {name: [p.id for p in persons] for name, persons in divide(train, val, config).items()}
    content["damaged"] = {"train": _damaged(train), "val": _damaged(val)}  # in no split
    write_whole(file, json.dumps(content).encode())


def load(file: Path, train: coco.Split, val: coco.Split) -> Divided:
    """The splits kept in `file`; a person who was damaged since is left out, and nobody else takes the place.

    InputError where the file doesn't fit the data: it names persons there are not, or one of them twice, or was drawn
    without some who were damaged then and are sound now.
    """
    content = _parsed(file)
    persons = {"train": {p.id: p for p in train.persons}, "val": {p.id: p for p in val.persons}}
    lost = {"train": set(_damaged(train)), "val": set(_damaged(val))}
    for name in ("train", "val"):
        if mended := persons[name].keys() & content["damaged"][name]:
            raise _unfit(file, f"was drawn without {len(mended)} persons that can be used now", mended)
    listed = Counter(number for name in ("train", "test") for number in content[name]) | Counter(content["val"])
    if twice := {number for number, times in listed.items() if times > 1}:
        raise _unfit(file, f"names {len(twice)} persons more than once", twice)
    divided = {}
    for name, of in (("train", "train"), ("val", "val"), ("test", "train")):
        if strangers := set(content[name]) - persons[of].keys() - lost[of]:
            raise _unfit(file, f"names {len(strangers)} persons that the data don't have", strangers)
        divided[name] = [persons[of][number] for number in content[name] if number in persons[of]]
    return divided


def _damaged(split: coco.Split) -> list[int]:
    dropped = {number for ids in split.dropped.values() for number in ids if is_id(number)}
    return sorted(dropped - {p.id for p in split.persons})  # an id that is listed twice can be in both


def _parsed(file: Path) -> dict:
    try:
        content = json.loads(file.read_bytes())
        lists = [content[name] for name in ("train", "val", "test")]
        lists += [content["damaged"][name] for name in ("train", "val")]
        if not all(isinstance(ids, list) and all(map(is_id, ids)) for ids in lists):
            raise ValueError("its ids aren't whole numbers")
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"'{file}' doesn't hold splits ({error}): delete it to draw them anew.") from error
    return content


def _unfit(file: Path, what: str, ids: Iterable[int]) -> InputError:
    return InputError(f"'{file}' {what}, such as {min(ids)}: delete it to draw the splits anew.")
