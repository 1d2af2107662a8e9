"""Several seeds of the chain with their controls, kept in results/ with a manifest. Explained in 04_improvement.

`hgnb seeds` writes `results/seeds-<profile>-<data>.json`; a chapter shows it beside the live run, dated, and as
stale where profile, code or data are others now. Seeds are few, so what they say together is a mean with Student's
interval; the intervals within a seed resample images.
"""

import json
import math
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import t

from hgnb.errors import InputError
from hgnb.home import home
from hgnb.intervals import Interval
from hgnb.sources import fingerprint
from hgnb.training import profiles
from hgnb.training.experiment import CODE, EMBEDDED, FROZEN, Experiment
from hgnb.training.runs import Run, runs_folder, write_aside

SEEDS = 5  # that a claim about a method needs; fewer leave it undecided
BETTER = "better"  # the profile of chapter 07's better model
DATA_CODE = ("hgnb.data.synthetic", "hgnb.data.prepared")  # what draws the embedded data and crops any
SWEEPS = ("lighter", "lighter_training", "beyond")  # sections of a profile that its chain doesn't read
ENVIRONMENT = ("python", "versions", "system", "device", "threads", "precision")


@dataclass(frozen=True)
class Recorded:
    """One file of results/."""

    file: Path
    manifest: dict
    seeds: list[dict]  # what hgnb.training.comparison says of each, and 'later': PCK of what the thesis left for later

    @property
    def title(self) -> str:
        """As of `titled`."""
        return titled(self.manifest, len(self.seeds))

    def stale(self, live: Experiment) -> tuple[str, ...]:
        """Why these numbers aren't those of today's code, profile and data; see `staleness`."""
        return staleness(self.manifest, live, (*CODE, FROZEN))

    def values(self, name: str, split: str) -> np.ndarray:
        """(S,) PCK of an arm in each seed."""
        return np.array([seed["arms"][name][split][0] for seed in self.seeds], dtype=float)

    def later(self, name: str, split: str) -> np.ndarray:
        """(S,) PCK of a network of networks.LATER in each seed, NaN where it has none; empty where all have."""
        held = [seed.get("later", {}).get(name) for seed in self.seeds]
        return np.array([pck[split] if pck else np.nan for pck in held] if any(held) else [], dtype=float)

    def differences(self, first: str, second: str, split: str) -> list[Interval]:
        """Paired PCK of each seed, the first arm less the second, with the interval that resampled images give."""
        found = (d[split] for s in self.seeds for d in s["differences"] if (d["first"], d["second"]) == (first, second))
        return [Interval(*(np.nan if v is None else v for v in values)) for values in found]

    def difference(self, first: str, second: str, split: str) -> Interval:
        """The mean of these over the seeds, with a 95 % interval that other seeds would give."""
        return over_seeds(np.array([d.value for d in self.differences(first, second, split)]))

    def coinciding(self) -> int:
        """Seeds whose best PCK and lowest loss fall on one epoch, so that choosing between them changes nothing."""
        return sum(s["arms"]["hourglass"]["epoch"] == s["arms"]["hourglass-best-loss"]["epoch"] for s in self.seeds)


def staleness(
    manifest: dict, live: Experiment, code: Iterable[str], called: str = "the code that trains"
) -> tuple[str, ...]:
    """Why a record isn't one of today's code, profile and data; empty where nothing speaks against it.

    `code`: the modules that its numbers are made by, `called` so in the reason. The data's own checksum is compared
    where `live` has the same data prepared in the same way; else what the checksum follows from, as far as it is known
    here.
    """
    m, reasons = manifest, []
    if m["code"] != fingerprint(code):
        reasons.append(f"{called} has changed")
    if m["profile"] not in profiles.names() or not _same_numbers(m, profiles.load(m["profile"])):
        reasons.append(f"the profile {m['profile']} has changed")
    if _same_data(m, live):
        if m["checksum"] != live.prepared().checksum:
            reasons.append("the data have changed")
    elif m["data_code"] != fingerprint(DATA_CODE):
        reasons.append("the code that makes the data has changed")
    return tuple(reasons)


def stamped(experiment: Experiment, run: Run, code: Iterable[str]) -> dict:
    """What `staleness` asks for, and where a run of the record was made."""
    return {
        "profile": experiment.profile.name,
        "data": experiment.data_name,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "code": fingerprint(code),
        "data_code": fingerprint(DATA_CODE),
        "checksum": experiment.prepared().checksum,
        **{key: run.manifest[key] for key in ENVIRONMENT},
        "numbers": numbers(experiment.profile, experiment.data_name),
    }


def _same_numbers(manifest: dict, profile: profiles.Profile) -> bool:
    """A section that the record doesn't know came later, with code that gives it something to say."""
    today, then = numbers(profile, manifest["data"]), manifest["numbers"]
    return {section: today.get(section) for section in then} == then


def _same_data(manifest: dict, live: Experiment) -> bool:
    here, there = numbers(live.profile, live.data_name), manifest["numbers"]
    same = all(here.get(part) == there.get(part) for part in ("data", "embedded"))
    return manifest["data"] == live.data_name and same


def titled(manifest: dict, seeds: int) -> str:
    """'tiny on embedded, 5 seeds, 2026-11-21'."""
    counted = f"{seeds} seed{'s' if seeds > 1 else ''}"
    return f"{manifest['profile']} on {manifest['data']}, {counted}, {manifest['date'][:10]}"


def over_seeds(values: np.ndarray) -> Interval:
    """Mean of (S,) numbers with Student's 95 % interval; without bounds for a single one, which tells no spread."""
    n = len(values)
    if not n or not np.isfinite(values).all():
        return Interval(np.nan, np.nan, np.nan)
    mean = float(values.mean())
    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / math.sqrt(n)) if n > 1 else math.inf
    return Interval(mean, mean - half, mean + half)


def numbers(profile: profiles.Profile, data: str) -> dict:
    """The numbers of a profile that change a training's result on `data`, as JSON gives them back."""
    idle = ("name", "analysis", *SWEEPS, *(() if data == EMBEDDED else ("embedded",)))
    return json.loads(json.dumps({k: v for k, v in asdict(profile).items() if k not in idle}))


def write(experiment: Experiment, facts: list[dict], asked: int, failed: dict[str, str]) -> Path:
    """Puts what `compare` said of each finished seed into results/, with the manifest that tells when it is stale."""
    if not facts:
        raise InputError(f"None of the {asked} seeds finished, so there is nothing to record.")
    first = Run(runs_folder() / facts[0]["arms"]["modified"]["run"])
    trainings = {a["run"]: a["seconds"] for f in facts for a in f["arms"].values()}
    manifest = {
        **stamped(experiment, first, (*CODE, FROZEN)),
        "asked": asked,
        "failed": failed,
        "seconds": round(sum(trainings.values())),  # of training, on one machine, whatever else it did
    }
    shared = ("profile", "data", "code", "checksum")
    seeds = [{k: v for k, v in f.items() if k not in shared} for f in facts]
    file = folder() / f"seeds-{experiment.profile.name}-{experiment.data_name}.json"
    file.parent.mkdir(exist_ok=True)
    write_aside(file, (_lines({"manifest": manifest, "seeds": seeds}) + "\n").encode())
    return file


def _lines(content: dict) -> str:
    """Indented, with each list of numbers on one line, so that a difference between two files can be read."""
    text = json.dumps(content, indent=1)
    return re.sub(r"\[[^][{}\"]*\]", lambda found: " ".join(found[0].split()), text)


def folder() -> Path:
    """Where recorded results lie; in git, unlike runs."""
    return home() / "results"


def read(file: Path) -> Recorded:
    """A file of results/; InputError where it isn't one."""
    try:
        content = json.loads(file.read_text(encoding="utf8"))
        return Recorded(file, content["manifest"], content["seeds"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"results/{file.name} isn't a record of seeds: delete it, or run 'hgnb seeds'.") from error


def beside(live: Experiment) -> list[Recorded]:
    """All records, the one that fits a live run best first: its profile and data, its data, most seeds; the better
    model, which isn't the thesis's, behind all others of its data."""
    found = [read(file) for file in sorted(folder().glob("seeds-*.json"))]

    def fits(r: Recorded) -> tuple:
        same_data = r.manifest["data"] == live.data_name
        other, better = r.manifest["profile"] != live.profile.name, r.manifest["profile"] == BETTER
        return (not same_data, other, better, -len(r.seeds), r.file.name)

    return sorted(found, key=fits)


def each_dataset(records: Iterable[Recorded]) -> list[Recorded]:
    """The first record of each dataset."""
    kept: dict[str, Recorded] = {}
    for record in records:
        kept.setdefault(record.manifest["data"], record)
    return list(kept.values())
