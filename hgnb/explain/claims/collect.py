"""The ledger of an experiment: which of its runs are there, what evidence they give, how it is judged.

Nothing is trained here. Evidence of a seed is kept in `data/evidence` under a hash of the runs, the numbers and the
code that it came from, so that a ledger over many seeds can be interrupted, and the page and the command share it.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace

from hgnb.explain.claims.claim import Record, Scene
from hgnb.explain.claims.evidence import GROUPS, Group
from hgnb.explain.claims.ledger import Evidence, judge
from hgnb.explain.claims.record import Manifest, Result, packed, unpacked
from hgnb.explain.claims.rules import SEEDS
from hgnb.explain.claims.study import Study
from hgnb.home import home
from hgnb.sources import fingerprint
from hgnb.training import forks
from hgnb.training.experiment import Experiment
from hgnb.training.fit import Untrained, finished_only
from hgnb.training.networks import RIVALS, STUDIES
from hgnb.training.recorded import numbers
from hgnb.training.runs import Run, runs_folder, write_aside

CODE = ("hgnb.explain.claims.evidence",)  # what evidence is made of, down to the network
CHAIN = ("hourglass", "autoencoder", "modified")
TRAIN, MAKE = "hgnb train", f"make claims SEEDS={SEEDS}"
NEVER_DROPPED = "the learning rate of this hourglass never dropped"


def result(
    experiment: Experiment, told: Callable[[str], None] = lambda words: None, own: Study | None = None
) -> Result:
    """The ledger of an experiment, on all of its seeds that were trained, its own first. `told` hears of progress;
    `own`: the study of the experiment's own seed, where a chapter has computed parts of it."""
    studies = list(trained(experiment, own))
    evidence = [gathered(study, told) for study in studies]
    scene = Scene(experiment.profile.name, experiment.data_name, studies[0].levels)
    runs = {run.id for study in studies for run in study.runs.values()}
    seeds = [study.seed for study in studies if study.runs]
    told_by = numbers(experiment.profile, experiment.data_name)
    manifest = Manifest.of(scene.profile, scene.data, seeds, experiment.prepared().checksum, runs, told_by)
    return Result.judged(judge(evidence, scene), manifest)


def trained(experiment: Experiment, own: Study | None = None) -> Iterator[Study]:
    """The experiment's own seed, whatever of it is trained, then every other seed with a finished hourglass."""
    yield own or Study(experiment, finished(experiment))
    for seed in seeds(experiment):
        other = replace(experiment, seed=seed)
        runs = finished(other)
        if seed != experiment.seed and "hourglass" in runs:
            yield Study(other, runs)


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
        for training in STUDIES["chain"].trainings:
            try:
                run = training.run(experiment)
            except Untrained:
                continue
            if run is not None:
                runs[training.name] = run
    return runs


def gathered(study: Study, told: Callable[[str], None]) -> Evidence:
    """The evidence of one seed for every claim, from disk where it was gathered before."""
    evidence: dict[str, Record] = {}
    code = fingerprint(CODE)
    for group in GROUPS:
        if missing := [name for name in group.runs if name not in study.runs]:
            evidence |= {claim: {"needs": wanted(study, missing)} for claim in group.claims}
        else:
            evidence |= _kept(study, group, code, told)
    return evidence


def wanted(study: Study, missing: Iterable[str]) -> str:
    """Which runs a claim waits for, and what trains them."""
    missing = list(missing)
    if set(missing) <= set(forks.NAMES) and not (study.runs["hourglass"].folder / "drop.ckpt").exists():
        return f"other runs: {NEVER_DROPPED}"
    names = ", ".join(f"`{name}`" for name in missing)
    return f"the {'runs' if len(missing) > 1 else 'run'} {names} of seed {study.seed}: {command(missing)}"


def command(missing: Iterable[str]) -> str:
    """What trains runs; profile and data are those of the ledger."""
    missing = list(missing)
    return f"{TRAIN} {missing[-1]}" if set(missing) <= set(CHAIN) else MAKE


def remedies(experiment: Experiment) -> list[str]:
    """The commands that train what the ledger of this experiment waits for, as one types them."""
    there = finished(experiment)
    edition = f"--profile {experiment.profile.name} --data {shlex.quote(experiment.data)} --seed {experiment.seed}"
    missing = [name for name in CHAIN if name not in there]
    commands = [f"{TRAIN} {missing[-1]} {edition}"] if missing else []
    if len(list(trained(experiment))) < SEEDS or any(name not in there for name in RIVALS):
        commands.append(f"{MAKE} PROFILE={experiment.profile.name} DATA={shlex.quote(experiment.data)}")
    return commands


def _kept(study: Study, group: Group, code: str, told: Callable[[str], None]) -> Evidence:
    """A group's evidence, gathered if data/evidence doesn't hold it under the hash of all that it depends on."""
    runs = [study.runs[name].id for name in group.runs]
    numbers = asdict(study.experiment.profile.analysis)
    read = [hashlib.sha256(path.read_bytes()).hexdigest() for path in group.files(study) if path.is_file()]
    what = [group.claims, runs, study.prepared.checksum, study.seed, numbers, code, *read]
    key = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]
    title = f"{study.experiment.profile.name}-{study.experiment.data_name}-s{study.seed}"
    path = home() / "data" / "evidence" / f"{title}-{key}.json"
    if not path.exists():
        told(f"seed {study.seed}: {', '.join(group.claims)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_aside(path, json.dumps(packed(group.gather(study)), indent=1).encode())
    return json.loads(path.read_bytes(), object_hook=unpacked)
