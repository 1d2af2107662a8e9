"""When a sweep's JSON is stale; until the sweeps are records as all else is."""

import json
import math
import time
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
from scipy.stats import t

from hgnb.data.config import EMBEDDED
from hgnb.data.prepared import ROOTS
from hgnb.intervals import Interval
from hgnb.sources import fingerprint
from hgnb.training import profiles
from hgnb.training.experiment import DRAWN_ROOTS, Experiment
from hgnb.training.runs import Run

DATA_CODE = (*DRAWN_ROOTS, *ROOTS)
SWEEPS = ("lighter", "lighter_training", "beyond")
ENVIRONMENT = ("python", "versions", "system", "device", "threads", "precision")


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
