"""Ledgers: of a record, or of the runs that are there; nothing is trained here, and nothing is recorded unasked.

What a training shows is computed once from its network and kept in `data/evidence` under a hash of all that it depends
on; `keep` adds it to the record of its study. A ledger is judged from columns alone, recorded or fresh.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from hgnb import records
from hgnb.claims.claim import SEEDS
from hgnb.claims.evidence import Seeds
from hgnb.claims.ledger import CHAIN, CLAIMS, MAKE, TRAIN, Result, judge
from hgnb.claims.observe import Columns, observed, persons
from hgnb.claims.on_lighter import Recorded
from hgnb.claims.study import Study
from hgnb.home import home
from hgnb.records import Archive, Record, Seed
from hgnb.training.experiment import Experiment
from hgnb.training.fit import Untrained, finished_only
from hgnb.training.networks import RIVALS, STUDIES
from hgnb.training.recorded import code, facts, shared
from hgnb.training.runs import Run, runs_folder

STUDY = "chain"
COCO = {"listed in train2017": 118_287, "listed in val2017": 5_000}  # images in its annotation files
Told = Callable[[str], None]


def silent(words: str) -> None:
    """Tells nobody."""


def judged(record: Record) -> Result:
    """The ledger of a record, or of fresh evidence in its form.

    >>> judged(find_record("chain", "drawn", "embedded")).seeds[0]  # doctest: +SKIP
    0
    """
    seeds, sweep = Seeds.of(record), Recorded.of(record.profile, record.data)
    whole = {name: n for name, n in seeds.people.counts.items() if name.startswith("listed")} == COCO
    rows = judge(seeds, sweep, record.profile == "paper" and whole)
    return Result([row.facts() for row in rows], record)


def kept(record: Record) -> Result:
    """The ledger of a record as `results/` keeps it, which takes no time; judged where that is of other evidence or by
    other rules, or isn't there."""
    result = Result([], record)
    if result.place.is_file():
        held = json.loads(result.place.read_text(encoding="utf8"))
        rules = {claim.id: claim.rule for claim in CLAIMS}
        if held["about"] == result.facts()["about"] and rules == {row["id"]: row["rule"] for row in held["claims"]}:
            return replace(result, rows=held["claims"])
    return judged(record)


def live(experiment: Experiment, told: Told = silent, own: Study | None = None) -> Record:
    """Evidence of an experiment's finished runs: its own seed, whatever of it is trained, then every other seed with a
    finished hourglass. `own`: the study of its own seed, where a chapter has computed parts of it."""
    about = shared(experiment, STUDY)
    found = [_seed(study, told) for study in studies(experiment, own)]
    return Record(about, tuple(found), dict(people(experiment)))


def studies(experiment: Experiment, own: Study | None = None) -> Iterator[Study]:
    """The experiment's own seed, then every other with a finished hourglass."""
    yield own or Study(experiment, finished(experiment))
    for seed in seeds(experiment):
        other = replace(experiment, seed=seed)
        runs = finished(other) if seed != experiment.seed else {}
        if "hourglass" in runs:
            yield Study(other, runs)


def keep(experiment: Experiment, told: Told = silent) -> Path | None:
    """Adds what the experiment's finished runs show, of all seeds, to the record of its profile and data; None where
    nothing is finished. Of what is recorded nothing is displaced."""
    file = None
    for study in studies(experiment):
        for name in study.runs:
            about, who, columns, facts = shown(study, name, told)
            file = records.add(about, who, study.seed, name, columns, facts)
    return file


def shown(study: Study, name: str, told: Told = silent) -> tuple[dict[str, Any], Columns, Columns, dict[str, Any]]:
    """What a record holds of one training: what it shares with others, the persons, its columns, its facts."""
    experiment = study.experiment
    return shared(experiment, STUDY), people(experiment), _columns(study, name, told), _facts(study, name)


def people(experiment: Experiment) -> Columns:
    """`observe.persons`, once for all seeds and trainings."""
    return _people(replace(experiment, seed=0, progress=False, variant=""))


_people = lru_cache(maxsize=4)(persons)


def _seed(study: Study, told: Told) -> Seed:
    columns: Columns = {}
    for name in study.runs:
        columns |= {f"{name}/{key}": value for key, value in _columns(study, name, told).items()}
    about = {"seed": study.seed, "trainings": {name: _facts(study, name) for name in study.runs}}
    return Seed(study.seed, about, columns)


def _facts(study: Study, name: str) -> dict[str, Any]:
    made = facts(study.runs[name])
    return made | {"resamples": study.analysis.resamples} if name == "hourglass" else made


def _columns(study: Study, name: str, told: Told) -> Columns:
    """What a training shows, from disk where it was computed before."""
    runs = [study.runs[n].id for n in CHAIN if n in study.runs] + [study.runs[name].id]
    what = [name, runs, study.prepared.checksum, study.seed, asdict(study.analysis), code(STUDY)]
    key = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]
    title = f"{study.experiment.profile.name}-{study.experiment.data_name}-s{study.seed}-{name}"
    path = home() / "data" / "evidence" / f"{title}-{key}.npz"
    if not path.exists():
        told(f"seed {study.seed}: {name}")
        Archive({}, observed(study, name)).write(path)
    return Archive.read(path).columns


def seeds(experiment: Experiment) -> list[int]:
    """Seeds of which data/runs holds an hourglass by this profile's and data's names, current or not."""
    start = f"hourglass-{experiment.profile.name}-{experiment.data_name}-s"
    pattern = re.compile(re.escape(start) + r"(\d+)-[0-9a-f]{10}")
    found = (pattern.fullmatch(folder.name) for folder in runs_folder().glob("hourglass-*"))
    return sorted({int(match[1]) for match in found if match})


def finished(experiment: Experiment) -> dict[str, Run]:
    """The experiment's finished runs by name."""
    runs = {}
    with finished_only():
        for training in STUDIES[STUDY].trainings:
            try:
                run = training.run(experiment)
            except Untrained:
                continue
            if run is not None:
                runs[training.name] = run
    return runs


def remedies(experiment: Experiment, record: Record) -> list[str]:
    """The commands that train what the ledger of this experiment waits for, as one types them."""
    there = next((seed.trainings for seed in record.seeds if seed.number == experiment.seed), {})
    edition = f"--profile {experiment.profile.name} --data {shlex.quote(experiment.data)} --seed {experiment.seed}"
    missing = [name for name in CHAIN if name not in there]
    commands = [f"{TRAIN} {missing[-1]} {edition}"] if missing else []
    if len(record.with_("hourglass")) < SEEDS or any(name not in there for name in RIVALS):
        commands.append(f"{MAKE} PROFILE={experiment.profile.name} DATA={shlex.quote(experiment.data)}")
    return commands
