"""Sweeps and times as small JSON files: those of finished trainings, and those that `results/` keeps. Chapter 06.

The pictures of the persons shown go along only where they are drawn: other people's photographs stay where they are.
"""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from hgnb.data.config import EMBEDDED
from hgnb.home import home
from hgnb.training.profiles import names
from hgnb.training.runs import write_aside
from hgnb.training.speed import Times
from hgnb.training.sweep import Outcome, People, Sweep, gathered


def results_file(profile: str, data_name: str) -> Path:
    """Where the sweep of a profile on some data is kept."""
    return home() / "results" / f"lighter-{profile}-{data_name}.json"


def found(profile: str, data_name: str) -> Sweep | None:
    """The recorded sweep with most trainings on these data, or else on the embedded ones; None where there is neither.

    Where several have as many, the profile's own.
    """
    for data in (data_name, EMBEDDED):
        ends = f"-{data}.json"
        files = [f for f in sorted((home() / "results").glob(f"lighter-*{ends}")) if _profile(f, ends) in names()]
        sweeps = {_profile(file, ends): load(file) for file in files}
        if sweeps:
            return sweeps[max(sweeps, key=lambda name: (len(sweeps[name].outcomes), name == profile))]
    return None


def _profile(file: Path, ends: str) -> str:
    """Whose sweep a file of `results/` holds."""
    return file.name.removeprefix("lighter-").removesuffix(ends)


def times() -> Times | None:
    """Recorded times of all networks in turns, at 004's small batch; None where none are recorded."""
    return _times("small batch")


def large() -> Times | None:
    """The same at 004's large batch, of the networks in its second table."""
    return _times("large batch")


def precision() -> Times | None:
    """The original in 32 bits and in mixed precision."""
    return _times("precision")


def speed_file() -> Path:
    """Where times are kept; benchmarks/lighter.py writes them."""
    return home() / "results" / "lighter-speed.json"


def _times(part: str) -> Times | None:
    file = speed_file()
    held = json.loads(file.read_text(encoding="utf8")).get(part) if file.is_file() else None
    return held and Times.read(held)


def save(sweep: Sweep, file: Path) -> None:
    """Writes the file whole or not at all."""
    people, drawn = sweep.people, sweep.manifest["data"] == EMBEDDED
    content = {
        "manifest": sweep.manifest,
        "people": {
            "measure": people.measure, "persons": people.persons, "counted": people.counted, "names": people.names,
            "skeleton": people.skeleton, "samples": np.round(people.samples, 1).tolist(),
            "crops": _png(people.crops) if drawn and people.crops is not None else None,
        },
        "outcomes": [asdict(outcome) for outcome in sweep.outcomes],
    }  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True)
    write_aside(file, _lines(content).encode())


def load(file: Path) -> Sweep:
    """A sweep that `save` wrote."""
    content = json.loads(file.read_text(encoding="utf8"))
    held = content["people"]
    samples = np.array(held["samples"])
    people = People(
        held["measure"], held["persons"], tuple(held["counted"]), tuple(held["names"]),
        tuple((a, b) for a, b in held["skeleton"]), samples, held["crops"] and _crops(held["crops"], len(samples)),
    )  # fmt: skip
    return Sweep(content["manifest"], people, tuple(Outcome.read(o) for o in content["outcomes"]))


def record(profile: str, data: str, stamps: Sequence[Path]) -> Path:
    """Gathers what finished trainings left into results/."""
    made = gathered(profile, data, outcomes(stamps))
    save(made, file := results_file(profile, made.manifest["data"]))
    return file


def outcomes(stamps: Sequence[Path]) -> list[Outcome]:
    """Those of the stamps that finished trainings left."""
    return [Outcome.read(json.loads(p.read_text(encoding="utf8"))["outcome"]) for p in stamps if p.is_file()]


def _lines(content: dict) -> str:
    """JSON with one training a line: a difference of two files can be read."""
    head = {name: json.dumps(content[name]) for name in ("manifest", "people")}
    rows = ",\n  ".join(json.dumps(outcome) for outcome in content["outcomes"])
    return f'{{\n "manifest": {head["manifest"]},\n "people": {head["people"]},\n "outcomes": [\n  {rows}\n ]\n}}\n'


def _png(crops: np.ndarray) -> str:
    """(n, side, side, 3) uint8, one below the other, as base64."""
    held = io.BytesIO()
    Image.fromarray(crops.reshape(-1, *crops.shape[2:])).save(held, "PNG", optimize=True)
    return base64.b64encode(held.getvalue()).decode()


def _crops(text: str, count: int) -> np.ndarray:
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))
    return pixels.reshape(count, -1, *pixels.shape[1:])
