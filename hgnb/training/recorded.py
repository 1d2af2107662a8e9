"""What goes with a record besides its columns: what it was made of, and whether that still holds.

A record is current while the definitions that its numbers come from and its profile's numbers are today's. Its data are
told by their checksum, whatever code makes them: tests hold that code to checksums of small data and of recorded ones.
Judging, tables and figures are computed from it and change nothing of it. Explained in 05_discussion.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hgnb.data.splits import EMBEDDED
from hgnb.definitions import fingerprint
from hgnb.errors import InputError
from hgnb.records import Record, folder
from hgnb.training import profiles
from hgnb.training.experiment import FROZEN_ROOTS, TRAINING_ROOTS
from hgnb.training.runs import Run

SWEPT = ("hgnb.training.observations.columns", "hgnb.training.observations.persons")
OBSERVED = {
    "chain": ("hgnb.claims.observe.observed", "hgnb.claims.observe.persons"),
    "lighter": SWEPT,
    "beyond": SWEPT,
}  # by study: what makes columns of a network
SECTIONS = {
    "chain": ("data", "embedded", "heatmaps", "pck", "model", "training", "autoencoder", "autoencoder_training",
              "modified", "analysis"),
    "lighter": ("data", "embedded", "pck", "lighter", "lighter_training"),
    "beyond": ("data", "embedded", "heatmaps", "pck", "model", "training", "beyond"),
}  # fmt: skip
# of a profile, by study: what changes its numbers
WHICH = {"lighter": ("cases",), "beyond": ("cases",)}  # names of trainings, which change no number of another
ENVIRONMENT = ("commit", "python", "versions", "system", "device", "processes", "threads", "precision")


def shared(experiment, study: str) -> dict[str, Any]:
    """What the seeds of a record have in common, as hgnb.records.add takes it."""
    profile, data = experiment.profile, experiment.data_name
    return {
        "study": study,
        "profile": profile.name,
        "data": data,
        "checksum": experiment.prepared().checksum,
        "numbers": numbers(profile, data, study),
        "code": code(study),
    }


def code(study: str) -> dict[str, str]:
    """Fingerprints of what a study's numbers come from."""
    roots = {"training": FROZEN_ROOTS, "measures": OBSERVED[study]}
    return {part: fingerprint(names) for part, names in roots.items()}


def numbers(profile: profiles.Profile, data: str, study: str) -> dict[str, Any]:
    """The numbers of a profile that change a study's results on `data`, as JSON gives them back."""
    held = asdict(profile)
    wanted = [s for s in SECTIONS[study] if s != "embedded" or data == EMBEDDED]
    idle = WHICH.get(study, ())
    made = {s: {k: v for k, v in held[s].items() if k not in idle} for s in wanted}
    if study == "lighter":  # whose networks are described elsewhere, but begin as loud as the profile's
        made["model"] = {"output_gain": held["model"]["output_gain"]}
    return json.loads(json.dumps(made))


def facts(run: Run) -> dict[str, Any]:
    """What a record says of a training besides its columns."""
    m, table = run.manifest, run.metrics
    best = {name: run.best_epoch(name) for name in ("val_pck", "val_loss", "train_loss") if name in table}
    return {
        "run": run.id,
        "date": m["started"],
        "seconds": round(m["seconds"], 1),
        "parameters": m["parameters"],
        "epochs": len(table),
        "best": best,
        **{key: m[key] for key in ENVIRONMENT},
    }


def stale(record: Record) -> tuple[str, ...]:
    """Why a record isn't one of today's code and profile; empty where nothing speaks against it."""
    reasons, now = [], code(record.study)
    there: Mapping[str, str] = record.about["code"]
    for part, does in (("training", "trains"), ("measures", "measures networks")):
        if there.get(part) != now[part]:
            reasons.append(f"the code that {does} has changed")
    try:
        if numbers(profiles.load(record.profile), record.data, record.study) != record.about["numbers"]:
            reasons.append(f"the profile {record.profile} has changed")
    except InputError:
        reasons.append(f"there is no profile {record.profile} any more")
    return tuple(reasons)


def command(record: Record) -> str:
    """What makes a record, as one types it."""
    verb = {"chain": "claims"}.get(record.study, record.study)
    data = "" if record.data == EMBEDDED else f" DATA={record.data}"
    return f"make {verb} PROFILE={record.profile}{data} SEEDS={max(len(record.seeds), 1)}"


def measured(name: str) -> dict[str, Any]:
    """What a program of benchmarks/ that trains left in results/<name>.json; empty where it hasn't run."""
    file = folder() / f"{name}.json"
    return json.loads(file.read_text(encoding="utf8")) if file.is_file() else {}


def aged(held: Mapping[str, Any]) -> str:
    """A sentence where the code that trains isn't any more what it was when that was measured; else ''."""
    return "" if held["code"] == fingerprint(TRAINING_ROOTS) else " Stale: the code that trains has changed since."
