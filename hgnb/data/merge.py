"""One dataset in COCO layout out of several, by the names of the first one's keypoints. Explained in 01_dataset.

A keypoint that a source doesn't have is unlabelled there (v = 0), not absent: train with `unlabelled = "ignored"`.
Training, validation and test photographs of the sources stay what they are.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hgnb.data import coco
from hgnb.data.intake import layouts
from hgnb.data.intake.layouts import PART, TEST, TRAIN, VAL
from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError
from hgnb.home import new_folder

UNLABELLED = (0, 0, 0)  # x, y, v


@dataclass
class Merged:
    """What the sources came to: images and persons with keypoints by source and split, and photographs met before."""

    images: dict[str, dict[str, int]] = field(default_factory=dict)
    persons: dict[str, dict[str, int]] = field(default_factory=dict)
    twice: dict[str, int] = field(default_factory=dict)  # by the source that was left without them

    def __rich_console__(self, console, options):
        from rich.table import Table

        table = Table("source", "split", "images", "persons", title_justify="left")
        for source, splits in self.images.items():
            for split, count in splits.items():
                table.add_row(source, split, f"{count:,}", f"{self.persons[source][split]:,}")
        yield table
        for source, count in self.twice.items():
            if count:
                yield f"{count:,} photographs of {source} are in a source before it, and taken from there alone."


def merge(sources: Sequence[Path], out: Path) -> Merged:
    """Writes `out`: images linked, or copied where links can't be, each with its licence, addresses and source.

    InputError where `out` holds something already, or a source has no keypoint of the first.
    """
    with new_folder(out) as aside:
        work = _Work(aside)
        for source in sources:
            work.add(source)
        work.write()
    return work.merged


class _Work:
    """The tables of the new dataset while sources come in."""

    def __init__(self, folder: Path):
        self.folder, self.merged = folder, Merged()
        self.category: dict[str, Any] = {}  # the first source's
        self.first, self.names = "", tuple[str, ...]()  # that source, and its keypoints
        self.licences: dict[tuple[str, str], int] = {}
        self.tables: dict[str, dict[str, list[dict]]] = {s: {"images": [], "annotations": []} for s in (TRAIN, VAL)}
        self.taken: dict[str, set[int]] = {"images": set(), "annotations": set()}  # ids
        self.highest = dict.fromkeys(self.taken, 0)
        self.met: set[str] = set()  # photographs of earlier sources

    def add(self, source: Path) -> None:
        """A source's splits, without photographs that an earlier source has."""
        name, keys = source.resolve().name, set[str]()
        while name in self.merged.images:
            name += "'"
        self.merged.images[name], self.merged.persons[name], self.merged.twice[name] = {}, {}, 0
        for part in (TRAIN, VAL):
            split, listed = coco.read(source, part), layouts.source(source, part)
            if listed.is_yolo or any("ids" in words or "categories" in words for words in split.repaired):
                raise InputError(
                    f"'{source}' must be clean to be merged: 'hgnb data check {source} --write CLEAN' and merge CLEAN."
                )
            content = json.loads(listed.file.read_bytes())
            category = next(c for c in content["categories"] if c.get("keypoints"))
            if not self.category:
                self.category, self.names, self.first = category | {"id": 1}, split.schema.names, source.resolve().name
            images = self.add_images(name, part, split, content, keys)
            self.add_annotations(name, part, split.schema, [
                record for record in content["annotations"]
                if isinstance(record, dict) and record.get("category_id") == category["id"]
            ], images)  # fmt: skip
        self.met |= keys

    def add_images(self, name: str, part: str, split: coco.Split, content: dict, keys: set[str]) -> dict[int, int]:
        """Takes in the images that can be used; their new ids by the old ones."""
        licences = {row.get("id"): row for row in content.get("licenses") or [] if isinstance(row, dict)}
        new = {}
        for record in content["images"]:
            number = record.get("id") if isinstance(record, dict) else None
            if number not in split.images:
                continue
            file = split.images[number].file
            known = {hashlib.blake2b(file.read_bytes()).hexdigest(), str(record.get("coco_url") or "")} - {""}
            if known & self.met:
                self.merged.twice[name] += 1
                continue
            keys |= known
            new[number] = self.free("images", number)
            renamed = f"{new[number]:012d}{file.suffix.lower()}"
            _link(file, self.folder / part / renamed)
            moved = {**record, "id": new[number], "file_name": renamed, "source": name, "source_id": number}
            if (licence := licences.get(moved.pop("license", None))) is not None:
                own = str(licence.get("name")), str(licence.get("url"))
                moved["license"] = self.licences.setdefault(own, len(self.licences) + 1)
            self.tables[part]["images"].append(moved | ({PART: TEST} if number in split.test else {}))
        self.merged.images[name][part] = len(new)
        return new

    def add_annotations(
        self, name: str, part: str, schema: KeypointSchema, records: list[dict], images: dict[int, int]
    ) -> None:
        """Takes in the annotations of these images, keypoints in the first source's order."""
        order = [schema.names.index(n) if n in schema.names else None for n in self.names]
        if all(place is None for place in order):
            raise InputError(
                f"'{name}' has no keypoint by a name of '{self.first}', such as '{self.names[0]}': "
                "they can't be merged."
            )
        labelled = 0
        for record in records:
            points = record.get("keypoints") or [0] * 3 * len(schema)
            if record.get("image_id") not in images or len(points) != 3 * len(schema):
                continue
            triples = [UNLABELLED if at is None else points[3 * at : 3 * at + 3] for at in order]
            seen = sum(v > 0 for _, _, v in triples)
            labelled += seen > 0 and not record.get("iscrowd")
            self.tables[part]["annotations"].append({
                **record, "id": self.free("annotations", record.get("id")), "image_id": images[record["image_id"]],
                "category_id": 1, "keypoints": [value for triple in triples for value in triple],
                "num_keypoints": seen,
            })  # fmt: skip
        self.merged.persons[name][part] = labelled

    def free(self, table: str, number: Any) -> int:
        """The id itself, or where it is taken or none at all one above the highest there is."""
        taken = self.taken[table]
        if type(number) is not int or number < 0 or number in taken:
            number = self.highest[table] + 1
        taken.add(number)
        self.highest[table] = max(self.highest[table], number)
        return number

    def write(self) -> None:
        """The annotation files; none where no source has an image for a split."""
        licences = [{"id": number, "name": name, "url": url} for (name, url), number in self.licences.items()]
        for split, tables in self.tables.items():
            if tables["images"]:
                file = self.folder / "annotations" / f"{layouts.PREFIX}{split}.json"
                file.parent.mkdir(exist_ok=True)
                content = {"licenses": licences, "categories": [self.category], **tables}
                file.write_text(json.dumps(content), encoding="utf8")


def _link(file: Path, to: Path) -> None:
    """Another name of the same file; a copy of the same age where the file system allows none."""
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file.resolve(), to)
    except OSError:
        shutil.copy2(file, to)
