"""Recorded evidence: what finished trainings showed, kept so that everything can be judged again without them.

A record is a folder of results/, `<study>-<profile>-<data>`, one format for every study. `persons.npz` holds whom the
networks were measured on; `s<seed>.npz` what the trainings of one seed showed: hits, losses, labels, projections,
never a conclusion. Columns are called `<training>/<column>`. A file is written aside and renamed, and sealed by a hash
of its content, so that it is whole or named as damaged. Explained in 05_discussion.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from hgnb.errors import InputError
from hgnb.home import home, write_whole

FORMAT = 1
BETTER = "better"  # a profile, or the end of its name, whose network isn't the thesis's
ABOUT, PERSONS = "about.json", "persons.npz"
SHARED = ("format", "study", "profile", "data", "checksum", "numbers", "code", "persons")  # by a record's seeds

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Archive:
    """A sealed file: JSON about it, and columns by name; bool ones are packed to bits on disk."""

    about: dict[str, Any]
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    def sealed(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What the file holds: JSON with its seal, and each column as a file of NumPy's."""
        parts, shapes = {}, {}
        for name, column in sorted(self.columns.items()):
            if column.dtype == bool:
                shapes[name] = list(column.shape)
                column = np.packbits(column)
            held = io.BytesIO()
            np.lib.format.write_array(held, np.asarray(column, order="C"), allow_pickle=False)
            parts[name] = held.getvalue()
        about = self.about | {"format": FORMAT, "bits": shapes}
        return about | {"seal": _seal(about, parts)}, parts

    def packed(self) -> bytes:
        """The file's bytes; equal for equal content."""
        about, parts = self.sealed()
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
            for name, part in [*parts.items(), (ABOUT, json.dumps(about, indent=1).encode())]:
                # ZipInfo's own date is fixed: no clock in the bytes
                file.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
        return content.getvalue()

    @classmethod
    def read(cls, path: Path) -> "Archive":
        """What `packed` wrote to a file; InputError where it is no such file, of another version, or was changed."""
        try:
            with zipfile.ZipFile(path) as file:
                parts = {name: file.read(name) for name in file.namelist()}
            about = json.loads(parts.pop(ABOUT))
            version, whole = about["format"], about["seal"] == _seal(about, parts)
            columns = {n: _column(n, part, about["bits"]) for n, part in parts.items()} if version == FORMAT else {}
        except FileNotFoundError as error:
            raise InputError(f"There is no {_told(path)}.") from error
        except (zipfile.BadZipFile, EOFError, ValueError, KeyError, TypeError, OSError, AttributeError) as error:
            raise InputError(f"{_told(path)} is damaged or no record ({type(error).__name__}).") from error
        if version != FORMAT:
            raise InputError(f"{_told(path)} is of format {version}; this version reads format {FORMAT}.")
        if not whole:
            raise InputError(f"{_told(path)} was changed by hand, or in part: its seal doesn't fit its content.")
        return cls(about, columns)

    def write(self, path: Path) -> None:
        """All of it or nothing."""
        write_whole(path, self.packed())


def _seal(about: Mapping[str, Any], parts: Mapping[str, bytes]) -> str:
    held = json.dumps({k: v for k, v in about.items() if k != "seal"}, sort_keys=True)
    digest = hashlib.sha256(held.encode())
    for name, part in sorted(parts.items()):
        digest.update(f"\n{name}\n".encode())
        digest.update(part)
    return digest.hexdigest()


def _column(name: str, part: bytes, bits: Mapping[str, list[int]]) -> np.ndarray:
    held = np.lib.format.read_array(io.BytesIO(part), allow_pickle=False)
    if name not in bits:
        return held
    return np.unpackbits(held, count=int(np.prod(bits[name]))).astype(bool).reshape(bits[name])


def _told(path: Path) -> str:
    """A file of results/ as messages call it: no path of this machine."""
    return f"{path.parent.parent.name}/{path.parent.name}/{path.name}"


@dataclass(frozen=True)
class Seed:
    """What the trainings of one seed showed."""

    number: int
    about: Mapping[str, Any]
    columns: Columns

    @property
    def trainings(self) -> dict[str, dict[str, Any]]:
        """By name: run, seconds, parameters, best epochs, where and when it was made."""
        return self.about["trainings"]

    @property
    def failed(self) -> dict[str, str]:
        """Trainings that didn't end, by name, each with its reason."""
        return self.about.get("failed", {})

    def of(self, training: str) -> dict[str, np.ndarray]:
        """A training's columns; empty if it isn't there."""
        start = f"{training}/"
        return {name.removeprefix(start): c for name, c in self.columns.items() if name.startswith(start)}


@dataclass(frozen=True)
class Record:
    """The seeds of a study on one profile and dataset, and the persons that they share."""

    about: Mapping[str, Any]  # what SHARED names
    seeds: tuple[Seed, ...]
    persons: Columns = field(default_factory=dict)

    @property
    def study(self) -> str:
        return self.about["study"]

    @property
    def profile(self) -> str:
        return self.about["profile"]

    @property
    def data(self) -> str:
        return self.about["data"]

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.study}-{self.profile}-{self.data}"

    @property
    def better(self) -> bool:
        """Whether its network is trained by chapter 07's best numbers and not by the thesis's."""
        return self.profile.endswith(BETTER)

    @property
    def facts(self) -> list[dict[str, Any]]:
        """Of every training of every seed."""
        return [facts for seed in self.seeds for facts in seed.trainings.values()]

    @property
    def device(self) -> str:
        """Where its trainings ran, one or several."""
        return ", ".join(dict.fromkeys(facts["device"] for facts in self.facts))

    @property
    def hours(self) -> float:
        """That its trainings took, each run counted once."""
        return sum({f["run"]: f["seconds"] for f in self.facts}.values()) / 3600

    @property
    def date(self) -> str:
        """Of the last training."""
        return max((f["date"] for f in self.facts), default="")

    @property
    def title(self) -> str:
        """'small on embedded, 5 seeds, 2026-11-29'."""
        count = len(self.seeds)
        return f"{self.profile} on {self.data}, {count} seed{'s' if count != 1 else ''}, {self.date[:10]}"

    @cached_property
    def trainings(self) -> list[str]:
        """Names that any seed holds, in the order in which they were added."""
        return list(dict.fromkeys(name for seed in self.seeds for name in seed.trainings))

    def with_(self, *trainings: str) -> list[Seed]:
        """The seeds that hold all of these."""
        return [seed for seed in self.seeds if set(trainings) <= seed.trainings.keys()]


def folder() -> Path:
    """Where records lie; in git, unlike runs."""
    return home() / "results"


def place(study: str, profile: str, data: str) -> Path:
    """The folder of a record."""
    return folder() / f"{study}-{profile}-{data}"


def read(where: Path) -> Record:
    """The record in a folder; InputError where a file of it is damaged, or its seeds aren't of one experiment."""
    files = sorted(where.glob("s*.npz"), key=lambda f: (len(f.name), f.name))
    if not files:
        raise InputError(f"results/{where.name} holds no seed.")
    held = [Archive.read(file) for file in files]
    first = {name: held[0].about.get(name) for name in SHARED}
    for file, archive in zip(files, held, strict=True):
        if differ := _differing(archive.about, first):
            raise InputError(
                f"{_told(file)} is of another experiment than {files[0].name}: {', '.join(differ)} differ."
            )
        if file.name != f"s{archive.about['seed']}.npz":
            raise InputError(f"{_told(file)} holds seed {archive.about['seed']}.")
    persons = Archive.read(where / PERSONS)
    if persons.about["seal"] != first["persons"]:
        raise InputError(f"{_told(where / PERSONS)} holds other persons than the seeds were measured on.")
    if where.name != f"{first['study']}-{first['profile']}-{first['data']}":
        raise InputError(f"results/{where.name} holds {first['study']}-{first['profile']}-{first['data']}.")
    return Record(first, tuple(Seed(a.about["seed"], a.about, a.columns) for a in held), persons.columns)


def folders(study: str = "*") -> list[Path]:
    """Of all records, or those of a study, by name."""
    return sorted(f for f in folder().glob(f"{study}-*") if f.is_dir())


def find(study: str, profile: str, data: str) -> Record | None:
    """The record of a profile and data; None if there is none.

    >>> find_record("chain", "drawn", "embedded").study
    'chain'
    """
    where = place(study, profile, data)
    return read(where) if where.is_dir() else None


def fitting(study: str, profile: str, data: str) -> list[Record]:
    """A study's records, the one that a page about a profile and data shows first: on its data, of its profile, of the
    thesis's network rather than the better one, with most trainings."""

    def fits(r: Record) -> tuple:
        return r.data != data, r.profile != profile, r.better, -len(r.facts), r.name

    plain = [where for where in folders(study) if "+" not in where.name]  # a changed profile's is for chapter 08
    return sorted(map(read, plain), key=fits)


def each_dataset(records: Iterable[Any]) -> list[Any]:
    """The first of each dataset, of records or of what is made of one."""
    kept: dict[str, Any] = {}
    for record in records:
        kept.setdefault(record.data, record)
    return list(kept.values())


def add(
    shared: Mapping[str, Any], persons: Columns, seed: int, training: str, columns: Columns, facts: Mapping[str, Any],
    failed: str = "",
) -> Path:  # fmt: skip
    """Adds what a training showed to its record, at once; any number of processes may call this.

    `shared`: study, profile, data, checksum, numbers and code, as `hgnb.training.recorded` gives them. `columns`:
    without the training's name. `facts`: run, seconds, date and what else is known of it. `failed`: of one that didn't
    end, the sentence that says why. What is there already stays; InputError where that was another result, or the
    record is of another experiment.
    """
    where = place(shared["study"], shared["profile"], shared["data"])
    where.mkdir(parents=True, exist_ok=True)
    about = json.loads(
        json.dumps({**shared, "format": FORMAT, "persons": Archive({}, dict(persons)).sealed()[0]["seal"]})
    )
    locks = home() / "data"
    locks.mkdir(exist_ok=True)
    with FileLock(locks / f".{where.name}.lock"):
        for other in [*where.glob("s*.npz")][:1]:
            if differ := _differing(Archive.read(other).about, about):
                raise InputError(
                    f"results/{where.name} was recorded with other {', '.join(differ)}: 'hgnb records' says whether it "
                    "can be renewed; remove that folder to record anew."
                )
        if not (where / PERSONS).is_file():
            Archive({}, dict(persons)).write(where / PERSONS)
        file = where / f"s{seed}.npz"
        held = Archive.read(file) if file.is_file() else Archive({**about, "seed": seed, "trainings": {}, "failed": {}})
        mine = {f"{training}/{name}": np.asarray(column) for name, column in columns.items()}
        if training in held.about["trainings"]:
            if failed or not differing(Seed(seed, held.about, held.columns).of(training), columns):
                return file
            raise InputError(
                f"results/{where.name}/{file.name} holds another result of '{training}', as another processor "
                f"gives, or one of the two is wrong; delete that file to record seed {seed} anew."
            )
        others = {name: why for name, why in held.about["failed"].items() if name != training}
        trainings = held.about["trainings"] | ({} if failed else {training: dict(facts)})
        changed = held.about | {"trainings": trainings, "failed": others | ({training: failed} if failed else {})}
        Archive(changed, held.columns | mine).write(file)
    return file


def add_failed(shared: Mapping[str, Any], persons: Columns, seed: int, training: str, reason: str) -> Path:
    """Notes a training that didn't end, with the sentence that says why."""
    return add(shared, persons, seed, training, {}, {}, reason)


def restamp(where: Path, code: Mapping[str, str]) -> None:
    """Gives every seed of a record other fingerprints of the code that it comes from; for who has proved them."""
    for file in sorted(where.glob("s*.npz")):
        held = Archive.read(file)
        Archive(held.about | {"code": dict(code)}, held.columns).write(file)


def differing(there: Columns, columns: Columns) -> list[str]:
    """Names of the columns that are not the same in both, or in one alone."""
    both = {name: (column, np.asarray(columns[name])) for name, column in there.items() if name in columns}
    return sorted(there.keys() ^ columns.keys()) + [name for name, pair in both.items() if not _equal(*pair)]


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _differing(about: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What isn't of one experiment."""
    return [name for name in SHARED if about.get(name) != other.get(name)]
