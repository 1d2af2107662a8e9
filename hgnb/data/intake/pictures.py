"""The entries of `images` and the files that they mean: ids, names and sizes, repaired where they can be. 01_dataset.

Files are opened only where something asks for it: a size that isn't listed, or a sample of them that disagrees with
the list. Then all of them are, which is what `survey` says.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Container
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

import numpy as np

from hgnb.data.images import SIDEWAYS, DamagedImage, Header, header, in_threads
from hgnb.data.intake import Choices, Fault, Verdict, is_id, layouts, named, numbers_within, plain, whole

MISSING = "missing image"
GUESSED = "complete"  # an image whose field `persons` says so has annotations with guessed areas or crowd flags
SAMPLE = 32  # files of a split that are looked into whatever the list says
SLACK = 1.0  # pixels by which what is annotated may leave a picture before its size is doubted


class Pictures:
    """Finds the files of listed pictures. Only what lies in the dataset's folder is ever found."""

    def __init__(self, source: layouts.Source):
        self.source = source
        self.first = source.roots[0] if source.roots else source.base
        self.present = layouts.files_in(self.first)

    def find(self, name: str) -> tuple[Path | None, bool]:
        """The file, and whether it was found under another spelling or path than the name says."""
        if name in self.present:
            return self.first / name, False
        parts = [part for part in re.split(r"[\\/]+", name) if part not in ("", ".", "..")]
        for start in range(len(parts)):
            tail = layouts.spelled("/".join(parts[start:]))
            for root in self.source.roots:
                if file := self._index[0].get(f"{layouts.spelled(root.as_posix())}/{tail}"):
                    return file, not (start == 0 and file == root / name)
        named = self._index[1].get(layouts.spelled(parts[-1]), ()) if parts else ()
        return (named[0], True) if len(named) == 1 else (None, False)

    @cached_property
    def _index(self) -> tuple[dict[str, Path], dict[str, list[Path]]]:
        """Every plain file by its path, and by its name alone, both without regard to case and composition."""
        paths, names = {}, defaultdict(list)
        for root in dict.fromkeys((*self.source.roots, self.source.base)):  # a root may be a link to elsewhere
            for folder, _, files in os.walk(root):
                for name in files:
                    file = Path(folder, name)
                    key = layouts.spelled(file.as_posix())
                    if key not in paths and os.path.isfile(file):
                        paths[key] = file
                        if not self._foreign(Path(folder)):
                            names[layouts.spelled(name)].append(file)
        return paths, names

    def _foreign(self, folder: Path) -> bool:
        """Whether a folder belongs to another split, whose pictures can have the same names."""
        split, base = self.source.split, self.source.base
        words = set(layouts.words_of(layouts.within(folder, base))) if split and folder.is_relative_to(base) else set()
        own = {*layouts.SPLITS[split], *layouts.INSTEAD[split]} if split else set()
        return bool(words & layouts.EVERY) and not words & own


class ListedImage(NamedTuple):
    """An image as the annotation file lists it."""

    file: Path
    size: tuple[int, int]  # width, height
    licence: str
    part: str = ""  # where the file says itself which photographs are whose: train, val or test
    exact: bool = True  # False where areas, ids or crowd flags of its annotations were guessed
    licence_url: str = ""
    flickr_url: str = ""  # where its author published it
    coco_url: str = ""


class Listed:
    """A file's images by their ids, as whole numbers; the faults of those that can't be used join `faults`."""

    def __init__(
        self, content: dict, source: layouts.Source, choices: Choices, repaired: Counter[str], faults: list[Fault],
        survey: bool,
    ):  # fmt: skip
        self.source, self.choices, self.repaired, self.faults = source, choices, repaired, faults
        self.images: dict[int, ListedImage] = {}
        self.lost: dict[int, str] = {}  # those that can't be used, and the kind of their fault
        self.numbers: dict[object, int] = {}  # what else an annotation may call an image
        self.unfollowed = 0  # pictures whose EXIF orientation isn't followed, of those looked into
        self.unreadable = ""  # why, where none of the files that were looked into can be read
        self._read(content)
        self._measure(content["annotations"], survey)

    @property
    def sizes(self) -> dict[int, tuple[float, float]]:
        """Width and height; infinite where a picture is lost."""
        return dict.fromkeys(self.lost, (np.inf, np.inf)) | {n: image.size for n, image in self.images.items()}

    def meant(self, value: object, known: Container[int] = ()) -> int | None:
        """The image that an annotation's `image_id` means: a number, text of one, or a file's name; None for none.

        `known`: ids that are images' beside those that are listed still.
        """
        if not isinstance(value, str | int | float):
            return None
        number = self.numbers.get(value, whole(value))
        if number is None or not (number in self.images or number in self.lost or number in known):
            number = self._by_name.get(PureWindowsPath(value).name) if isinstance(value, str) else None
        return number

    @cached_property
    def _by_name(self) -> dict[str, int]:
        names = {image.file.stem: number for number, image in self.images.items()}
        return names | {image.file.name: number for number, image in self.images.items()}

    def _read(self, content: dict) -> None:
        """The records, each with its file, and its size as listed; (0, 0) where it isn't."""
        licences, pictures = content.get("licenses"), Pictures(self.source)
        rows = [row for row in licences if isinstance(row, dict)] if isinstance(licences, list) else []
        known = {plain(row.get("id")): (plain(row.get("name"), 80), plain(row.get("url") or "", 200)) for row in rows}
        said: dict[int, tuple] = {}
        for record, number in zip(content["images"], self._numbered(content["images"]), strict=True):
            file = None
            fault: Verdict
            if number is None:
                fault = "image record", "An image's id is no whole number."
            elif said.setdefault(number, says := tuple(map(record.get, ("file_name", "width", "height")))) is says:
                file, fault = self._file(record, pictures)
            elif said[number] == says:
                self.repaired["images listed twice alike, read once"] += 1
                continue
            else:  # which of the pictures is meant can't be known
                fault = "duplicate image id", f"The image id {number} is listed more than once."
            if fault:
                self._lose(number, named(record.get("id")) if isinstance(record, dict) else None, *fault)
            elif file and number is not None:
                licence, licence_url = known.get(plain(record.get("license")), ("not named", ""))
                part = record.get(layouts.PART)
                part = part if part in (layouts.TRAIN, layouts.VAL, layouts.TEST) else ""
                exact = record.get("persons") != GUESSED
                urls = [licence_url, *(plain(record.get(key) or "", 200) for key in ("flickr_url", "coco_url"))]
                self.images[number] = ListedImage(file, self._size(record), licence, part, exact, *urls)

    def _lose(self, number: int | None, known: int | str | None, kind: str, reason: str) -> None:
        """Notes the fault of an image, by its id as it is `known`."""
        self.faults.append(Fault(self.source.name, kind, known, reason))
        if number is not None:
            self.lost[number] = kind
            self.images.pop(number, None)

    def _numbered(self, records: list) -> list[int | None]:
        """A whole number for each record's id; text, 12.0 and what is absent get one, and are remembered."""
        given = [r.get("id") if isinstance(r, dict) else None for r in records]
        if all(map(is_id, given)):
            return given
        meant = [whole(value) for value in given]
        used = Counter(meant)
        after, made = max((m for m in meant if m is not None), default=0), list[int | None]()
        for record, value, number in zip(records, given, meant, strict=True):
            if not isinstance(record, dict) or isinstance(value, list | dict):
                made.append(None)
                continue
            if value in self.numbers and value is not None:
                number = self.numbers[value]
            elif number is None or (used[number] > 1 and not is_id(value)):
                after += 1
                number = after
            if not is_id(value):
                self.repaired["image ids that are no whole numbers, numbered"] += 1
            for name in (value, str(value)):
                self.numbers.setdefault(name, number)
            made.append(number)
        self.numbers.pop(None, None)
        return made

    def _file(self, record: dict, pictures: Pictures) -> tuple[Path | None, Verdict]:
        names = [record.get(key) for key in ("file_name", "path", "coco_url")]
        name = next((n for n in names if isinstance(n, str) and n), None)
        if name is None:
            return None, ("file name", "It has no file name.")
        file, otherwise = pictures.find(name)
        if file is None:
            return None, (MISSING, f"The image '{pictures.first.name}/{plain(name)}' is missing.")
        if otherwise:
            self.repaired["pictures found under another path or spelling than listed"] += 1
        return file, None

    def _size(self, record: dict) -> tuple[int, int]:
        """Width and height as listed."""
        given = (record.get("width"), record.get("height"))
        width, height = map(whole, given)
        if not width or not height or min(width, height) < 0:
            return 0, 0
        if (width, height) != given:
            self.repaired["image sizes that are no whole numbers, read as such"] += 1
        return width, height

    def _measure(self, annotations: list, survey: bool) -> None:
        """Holds sizes against the files: a sample of them, and all where that disagrees or `survey` asks for it."""
        ids, sizeless = list(self.images), [n for n, image in self.images.items() if image.size == (0, 0)]
        asked = ids if survey else list(dict.fromkeys(ids[:: max(1, len(ids) // SAMPLE)] + sizeless))
        headers, odd = self._headers(asked)
        if len(headers) < len(ids) and (self.choices.exif == "follow" or odd):
            headers, odd = self._headers(ids)
        if headers and all(isinstance(h, DamagedImage) for h in headers.values()):
            self.unreadable = str(next(iter(headers.values())))
        reach = self._reach(annotations, odd) if odd else {}
        follow = self._followed(odd, reach)
        for number, head in odd.items():
            size = self.images[number].size
            real, words = _real(head, size, reach.get(number, (0.0, 0.0)), follow)
            if real != size:
                self.repaired[words] += 1
                self.images[number] = self.images[number]._replace(size=real)
            turned = real == head.upright != head.stored
            self.unfollowed += head.orientation > 1 and not turned and self.choices.exif != "follow"
        for number in sizeless:
            if isinstance(damage := headers[number], DamagedImage):
                self._lose(number, number, damage.kind, str(damage))

    def _headers(self, ids: list[int]) -> tuple[dict[int, Header | DamagedImage], dict[int, Header]]:
        """What these files say of themselves; and those that disagree with the list, or tell of an orientation."""

        headers = dict(zip(ids, in_threads(lambda number: header(self.images[number].file), ids), strict=True))
        known = {number: head for number, head in headers.items() if isinstance(head, Header)}
        return headers, {n: h for n, h in known.items() if h.orientation > 1 or h.stored != self.images[n].size}

    def _reach(self, annotations: list, of: Container[int]) -> dict[int, tuple[float, float]]:
        """The greatest x and y of labelled keypoints on each of these images."""
        reach: dict[int, tuple[float, float]] = {}
        for record in annotations:
            number = self.meant(record.get("image_id")) if isinstance(record, dict) else None
            if number is None or number not in of:
                continue
            values = numbers_within(record.get("keypoints"))
            if values is None or values.ndim != 1 or values.size % 3:
                continue
            points = values.reshape(-1, 3)
            points = points[(points[:, 2] > 0) & np.isfinite(points).all(1)]
            if len(points):
                x, y = reach.get(number, (0.0, 0.0))
                reach[number] = (max(x, points[:, 0].max()), max(y, points[:, 1].max()))
        return reach

    def _followed(self, odd: dict[int, Header], reach: dict) -> bool:
        """Whether the annotator saw pictures turned by EXIF: annotations fit into them turned, and not as stored."""
        if self.choices.exif != "evidence":
            return self.choices.exif == "follow"
        turned = as_stored = 0
        for number, head in odd.items():
            if head.orientation in SIDEWAYS and head.stored in (self.images[number].size, (0, 0)) and number in reach:
                fits = _fits(reach[number], head.upright), _fits(reach[number], head.stored)
                turned += fits == (True, False)
                as_stored += fits == (False, True)
        return turned > as_stored


def _fits(reach: tuple[float, float], size: tuple[int, int]) -> bool:
    return reach[0] <= size[0] + SLACK and reach[1] <= size[1] + SLACK


def _real(head: Header, size: tuple[int, int], reach: tuple[float, float], follow: bool) -> tuple[tuple[int, int], str]:
    """The size that annotations count in, and what is said where it isn't the listed one.

    One that is neither stored nor exchanged stays: such a picture was resized since, and is damage.
    """
    if size == (0, 0):
        turned = follow or not _fits(reach, head.stored)
        return head.upright if turned else head.stored, "image sizes that aren't listed, read from the file"
    if size == head.stored:
        return head.upright if follow else size, "pictures turned as their EXIF orientation says, as annotated"
    if size == head.stored[::-1] and head.orientation not in SIDEWAYS and _fits(reach, head.stored):
        return head.stored, "image sizes with width and height exchanged, read from the file"
    return size, ""
