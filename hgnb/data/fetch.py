"""COCO Keypoints 2017 from its official addresses, into a folder in COCO layout. Lin et al. (2014); 01_dataset.

`val` and `full` are the archives unpacked; `tiny` is some photographs of val2017, one by one, that may be shown
again. Everything is made in `OUT/.fetch` and moved to its place when it is whole; `OUT/fetched.json` says what
was moved, so that a second call has nothing to do and an interrupted one goes on.
"""

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from hgnb.data import credits
from hgnb.data.credits import CREDITS
from hgnb.data.download import Tick, download
from hgnb.data.images import DamagedImage, decode
from hgnb.errors import InputError, unknown
from hgnb.home import write_whole

OFFICIAL = "http://images.cocodataset.org"
VARIABLE = "HGNB_COCO_URL"  # environment variable that names a mirror of it
BLOCK = 4096  # bytes: what a file takes on disk is rounded up to it

# Licences by COCO's id, with the part of their address that proves it is the one meant. A book shows crops with
# poses drawn on them, so a photograph must allow copies and adaptations. Left out are 3 (BY-NC-ND) and 6 (BY-ND),
# which allow no adaptation.
REPUBLISHABLE = {
    1: "creativecommons.org/licenses/by-nc-sa/",  # adaptations under the same licence, no commerce
    2: "creativecommons.org/licenses/by-nc/",  # no commerce
    4: "creativecommons.org/licenses/by/",
    5: "creativecommons.org/licenses/by-sa/",  # adaptations under the same licence
    7: "flickr.com/commons/usage",  # no known copyright restrictions
    8: "usa.gov/copyright",  # work of the US government
}
TINY_IMAGES = 200  # ours: a smoke book's worth
TINY_VAL = 4  # every fourth of them is validation


@dataclass(frozen=True)
class Archive:
    """One of COCO's zip files. `path` is below the base address; sizes in bytes."""

    path: str
    md5: str
    size: int
    unpacked: int  # what is kept of it, roughly, to see beforehand whether it fits

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


ARCHIVES = {  # cocodataset.org/#download; sizes as the server states them
    "annotations": Archive(
        "annotations/annotations_trainval2017.zip", "f4bbac642086de4f52a3fdda2de5fa2c", 252_907_541, 260_000_000
    ),
    "val2017": Archive("zips/val2017.zip", "442b8da7639aecaf257c1dceb8ba8c80", 815_585_330, 840_000_000),
    "train2017": Archive("zips/train2017.zip", "cced6f7f71b7629ddf16f17bbcfab6b2", 19_336_861_798, 19_900_000_000),
}
TRAIN, VAL = (f"annotations/person_keypoints_{split}.json" for split in ("train2017", "val2017"))
SETS = {  # in the order in which they are moved to their place
    "tiny": ("train2017", "val2017", *CREDITS, TRAIN, VAL),
    "val": (VAL, "val2017"),
    "full": (VAL, TRAIN, "val2017", "train2017"),
}


def fetch(what: str, out: Path) -> list[str]:
    """Gets the set 'tiny', 'val' or 'full' into `out`; returns what was added, nothing where all was there.

    HGNB_COCO_URL stands in for COCO's server; checksums stay.
    """
    if what not in SETS:
        raise unknown("set", what, SETS)
    amount = TextColumn("{task.fields[amount]}")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), amount, TimeRemainingColumn())
    # lines on stderr, so that stdout stays the answer's
    errand = _Errand(out, Progress(*columns, console=Console(stderr=True)))
    # compared with what is there
    sources = {target: ARCHIVES[_archive_of(target)].md5 for target in SETS[what] if what != "tiny"}
    sources = sources or dict.fromkeys(SETS[what], f"tiny {TINY_IMAGES} of {ARCHIVES['annotations'].md5}")
    try:
        if not errand.missing(sources):
            return []
        with errand.locked(), errand.progress:
            missing = errand.missing(sources)
            if what == "tiny":
                errand.tiny(missing)
            else:
                errand.unpacked(missing)
            return list(missing)
    except OSError as error:
        raise InputError(
            f"'{error.filename or out}' can't be written ({error.strerror or error}): mend that and run the same "
            "command again to go on."
        ) from error


def choose(annotations: dict, count: int) -> list[dict]:
    """The first `count` images by id with a licence to show them again and a person with labelled keypoints."""
    licences = {
        row["id"] for row in annotations["licenses"] if REPUBLISHABLE.get(row["id"], "\0") in row["url"].lower()
    }
    peopled = {a["image_id"] for a in annotations["annotations"] if a["num_keypoints"] and not a.get("iscrowd")}
    listed = sorted(annotations["images"], key=lambda image: image["id"])
    return [image for image in listed if image["license"] in licences and image["id"] in peopled][:count]


def unpack(archive: Path, aside: Path, targets: list[str], tick: Tick = lambda done, of: None) -> None:
    """Unpacks the members that are or lie below `targets` into `aside`, and writes nowhere else."""
    try:
        with zipfile.ZipFile(archive) as opened:
            files = [member for member in opened.infolist() if not member.is_dir()]
            below = {t: [m for m in files if m.filename == t or m.filename.startswith(f"{t}/")] for t in targets}
            if empty := [t for t in targets if not below[t]]:
                raise InputError(f"'{archive.name}' holds no {empty[0]}: it isn't the archive it should be.")
            wanted = [member for target in targets for member in below[target]]
            _room(aside, sum(-(-m.file_size // BLOCK) * BLOCK for m in wanted), "what is unpacked")
            for n, member in enumerate(wanted, 1):
                opened.extract(member, aside)  # which keeps to `aside`, and makes plain files alone
                tick(n, len(wanted))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"'{archive}' can't be unpacked ({error}): delete it and run the same command again."
        ) from error


@dataclass
class _Errand:
    """One call: the folder that is filled, and whom it tells."""

    out: Path
    progress: Progress

    def __post_init__(self) -> None:
        self.base = (os.environ.get(VARIABLE) or OFFICIAL).rstrip("/")
        self.aside, self.record = self.out / ".fetch", self.out / "fetched.json"  # where things are made; what is there

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One fetch at a time; the room aside is gone when it succeeds."""
        self.aside.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.aside / "lock", timeout=0):
                yield
                shutil.rmtree(self.aside, ignore_errors=True)
        except Timeout:
            raise InputError(f"Another 'hgnb data fetch' fills '{self.out}': wait until it is done.") from None

    def known(self) -> dict:
        """What was moved to its place, where it came from and how much it held."""
        try:
            return json.loads(self.record.read_text(encoding="utf8")) if self.record.is_file() else {}
        except ValueError as error:
            raise InputError(f"'{self.record}' is damaged ({error}): give an empty folder as --out.") from error

    def missing(self, sources: dict[str, str]) -> dict[str, str]:
        """The targets that aren't there yet; InputError for one that is there but isn't ours, or is damaged."""
        known, missing = self.known(), {}
        for target, source in sources.items():
            path, entry = self.out / target, known.get(target)
            if not os.path.lexists(path):
                missing[target] = source
            elif not entry or entry["source"] != source:
                raise InputError(
                    f"'{path}' is there already, from somewhere else: give an empty folder as --out, or move it away."
                )
            elif (holds := _holds(path)) < entry["holds"]:
                unit = "files" if path.is_dir() else "bytes"
                raise InputError(
                    f"'{path}' has {holds:,} of the {entry['holds']:,} {unit} that were fetched: "
                    "delete it and run the same command again."
                )
        return missing

    def put(self, room: Path, target: str, source: str) -> None:
        """Moves what was made in a room aside to its place, noted before: what has its name is whole."""
        made, path = room / target, self.out / target
        known = {**self.known(), target: {"source": source, "holds": _holds(made)}}
        write_whole(self.record, json.dumps(known).encode())
        path.parent.mkdir(parents=True, exist_ok=True)
        made.rename(path)

    def unpacked(self, missing: dict[str, str]) -> None:
        """Archive by archive: got, checked, unpacked, moved to its place, deleted."""
        parts = {key: [t for t in missing if _archive_of(t) == key] for key in ARCHIVES}
        parts = {key: targets for key, targets in parts.items() if targets}
        self.fits([ARCHIVES[key] for key in parts])
        for key, targets in parts.items():
            archive = self.archive(key)
            room = self.aside / "unpacked"
            shutil.rmtree(room, ignore_errors=True)  # of a call that was interrupted
            unpack(archive, room, targets, self.task(f"unpacking {archive.name}", str))
            for target in targets:
                self.put(room, target, missing[target])
            archive.unlink()

    def tiny(self, missing: dict[str, str]) -> None:
        """Annotations of val2017, cut down to the images that are chosen and fetched one by one."""
        self.fits([ARCHIVES["annotations"]], TINY_IMAGES * 300_000)  # a photograph of COCO is 160 kB or so
        room = self.aside / f"tiny{TINY_IMAGES}"
        archive = self.archive("annotations")
        unpack(archive, self.aside / "whole", [VAL])
        try:
            annotations = json.loads((self.aside / "whole" / VAL).read_bytes())
        except ValueError as error:
            raise InputError(f"{VAL} in '{archive.name}' is not JSON: {error}.") from error
        chosen = choose(annotations, TINY_IMAGES)
        if len(chosen) < TINY_VAL:
            raise InputError(f"{VAL} lists {len(chosen)} images that may be shown again: too few for a set.")
        val = chosen[TINY_VAL - 1 :: TINY_VAL]
        parts = {"train2017": [image for image in chosen if image not in val], "val2017": val}
        self.photographs(room, [(split, i) for split, images in parts.items() if split in missing for i in images])
        for target, split in ((TRAIN, "train2017"), (VAL, "val2017")):
            (room / target).parent.mkdir(parents=True, exist_ok=True)
            (room / target).write_text(json.dumps(_reduced(annotations, parts[split], split)), encoding="utf8")
        credits.write(room, annotations["licenses"], parts)
        for target, source in missing.items():
            self.put(room, target, source)

    def archive(self, key: str) -> Path:
        """An archive in the room aside, whole and checked."""
        archive = ARCHIVES[key]
        path = self.aside / archive.name
        if not path.is_file():  # it has its name only after its checksum was right
            url, wrong = f"{self.base}/{archive.path}", partial(self.other, archive)
            download(url, path, size=archive.size, verify=wrong, tick=self.task(archive.name, decimal))
        return path

    def other(self, archive: Archive, path: Path) -> str:
        """What is wrong with an archive by its checksum; '' if it is COCO's."""
        tick = self.task(f"checking {archive.name}", decimal)
        with path.open("rb") as opened:
            md5 = hashlib.file_digest(opened, "md5").hexdigest()
        tick(archive.size, archive.size)
        return "" if md5 == archive.md5 else f"a file with the MD5 {md5} where {archive.md5} was expected"

    def photographs(self, room: Path, rows: list[tuple[str, dict]]) -> None:
        """Those that aren't aside yet; each has its name only after it could be decoded."""
        tick = self.task("photographs", str)
        for n, (split, image) in enumerate(rows, 1):
            path = room / split / _file_name(image)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_file():
                download(f"{self.base}/val2017/{path.name}", path, verify=partial(_unusable, image))
            tick(n, len(rows))

    def fits(self, archives: list[Archive], more: int = 0) -> None:
        """InputError unless the largest archive fits beside what is unpacked: each is deleted before the next comes."""
        held = sum(_holds(file) for file in self.aside.glob("*.zip*"))
        needed = sum(a.unpacked for a in archives) + max(a.size for a in archives) + more - held
        _room(self.aside, needed, "archives and what is unpacked")

    def task(self, text: str, amount: Callable[[int], str]) -> Tick:
        """A line of progress; returns what moves it."""
        task = self.progress.add_task(text, total=None, amount="")

        def tick(done: int, total: int | None) -> None:
            of = f" of {amount(total)}" if total else ""
            self.progress.update(task, completed=done, total=total, amount=f"{amount(done)}{of}")

        return tick


def _archive_of(target: str) -> str:
    return target.partition("/")[0]


def _reduced(annotations: dict, images: list[dict], split: str) -> dict:
    """The annotations of `images` alone, crowds and unlabelled persons included."""
    ids = {image["id"] for image in images}
    said = f"{len(ids)} photographs of COCO 2017's val2017 that may be shown again, as a set's {split}"
    return {
        "info": {**annotations.get("info", {}), "description": said},
        "licenses": annotations["licenses"],
        "categories": annotations["categories"],
        "images": images,
        "annotations": [a for a in annotations["annotations"] if a["image_id"] in ids],
    }


def _unusable(image: dict, path: Path) -> str:
    """COCO publishes no checksums of single images: one must decode, and have the size its annotation states."""
    try:
        decode(path, (image["width"], image["height"]))
    except DamagedImage as damage:
        return f"no photograph that can be used ({str(damage).rstrip('.')})"
    return ""


def _file_name(image: dict) -> str:
    """The image's file name; InputError for one that is a path."""
    name = image["file_name"]
    if name in ("", ".", "..") or "/" in name or "\\" in name or ":" in name:
        raise InputError(f"{VAL} names the image file '{name}', which isn't a plain file name: it isn't COCO's.")
    return name


def _holds(path: Path) -> int:
    """Files of a folder, bytes of a file: enough to see that something went missing."""
    return sum(1 for _ in path.iterdir()) if path.is_dir() else path.stat().st_size


def _room(folder: Path, needed: int, what: str) -> None:
    """InputError unless `needed` bytes are free where `folder` is or will be."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"'{folder}' has {decimal(free)} free, and {decimal(needed)} are needed for {what}: "
            "free some space, or give another --out."
        )
