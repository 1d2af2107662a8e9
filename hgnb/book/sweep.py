"""The sweeps of chapters 06 and 07: every training of every seed, in parallel, resumed where it stopped; then one file.

Each training is a job of its own to Snakemake, so a profile of Snakemake's (`SNAKEMAKE_PROFILE`) sends them to a
cluster. One that fails leaves the others alone and is named at the end.
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hgnb.book import build, house, journal
from hgnb.book.house import Edition
from hgnb.errors import InputError, unknown
from hgnb.home import home

LIGHTER, BEYOND = SWEEPS = ("lighter", "beyond")
SILENT = f"it ended without a word, as a process does that is killed or finds no memory; the log is {build.LOG}."
UNBEGUN = f"it wasn't begun; the log is {build.LOG}."


@dataclass(frozen=True)
class Sweep:
    """What is trained, and what becomes of it."""

    names: Callable[[Any], list[str]]  # of a profile's trainings
    opened: Callable[..., Any]  # the experiment of one: profile, data, seed, name
    measured: Callable[[Any], Any]  # what came out, a dataclass
    record: Callable[[str, str, Sequence[Path]], Path]  # profile, data and stamps -> the file in results/


def of(name: str) -> Sweep:
    """A sweep by name."""
    if name == LIGHTER:
        from hgnb.training import networks, sweep, sweep_record

        return Sweep(
            lambda p: [one.name for one in networks.study(LIGHTER).units(p.lighter.cases)],
            sweep.opened,
            sweep.measured,
            sweep_record.record,
        )
    if name == BEYOND:
        from hgnb.training import changed, networks

        return Sweep(
            lambda p: [one.name for one in networks.study(BEYOND).units(p.beyond.cases)], changed.opened,
            changed.measured, changed.record,
        )  # fmt: skip
    raise unknown("sweep", name, SWEEPS)


def sweep(name: str, profile: str, data: str, seed: int, seeds: int, cores: int | None = None) -> Path:
    """Trains whatever is missing and returns the file in `results/`; BuildError names the trainings that failed."""
    made = of(name)
    edition, root = Edition(profile, house.resolved(data), seed), home()
    experiment = build.experiment(edition)
    experiment.check()
    names = made.names(experiment.profile)
    for case in names:  # a shape that can't be is told before anything trains
        scaled = made.opened(profile, edition.data, seed, case).profile
        scaled.model.check_side(scaled.data.side)
    wanted = {titled(c, s): stamp(edition, root, name, c, s) for s in range(seed, seed + seeds) for c in names}
    jobs, before = [path.stem for path in wanted.values()], sum(path.is_file() for path in wanted.values())
    with build.only_build(root) as lock, _Bar(len(wanted), before) as bar:
        swept = {name: jobs}
        _, events = build.snakemake(root, edition, cores, lock, "--keep-going", name, swept=swept, tell=bar.take)
    there = [path for path in wanted.values() if path.is_file()]
    failed = _failed(wanted, events, root)
    if there:
        file = made.record(profile, edition.data, there)
        Console(highlight=False).print(f"{len(there)} of {len(wanted)} trainings: {file.relative_to(root).as_posix()}")
    if failed:
        why = "\n".join(f"{what}: {words}" for what, words in failed.items())
        raise InputError(f"{len(failed)} of the trainings failed, and the others are kept:\n{why}")
    return file


def titled(case: str, seed: int) -> str:
    """What the journal calls a training."""
    return f"{case} (seed {seed})"


def stamp(edition: Edition, root: Path, name: str, case: str, seed: int) -> Path:
    """Where a finished training of a sweep says what came out."""
    return edition.swept(root, name) / f"{case}-s{seed}.json"


def train(name: str, edition: Edition, case: str, seed: int, out: Path) -> None:
    """One job of a sweep: trains a case and leaves its stamp, in a process of its own."""
    made = of(name)
    with journal.told(titled(case, seed)):
        outcome = made.measured(made.opened(edition.profile, edition.data, seed, case))
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.{os.getpid()}.part")
    aside.write_text(json.dumps({"outcome": asdict(outcome)}) + "\n", encoding="utf8")
    os.replace(aside, out)


def _failed(wanted: dict[str, Path], events: list[dict], root: Path) -> dict[str, str]:
    """Why each training that left no stamp failed: in its own words or, where it was ended, in the cluster's.

    BuildError where nothing was begun: then it isn't the trainings that failed.
    """
    missing = {what: path.relative_to(root).as_posix() for what, path in wanted.items() if not path.is_file()}
    own = {event["what"]: event["text"] for event in events if event["kind"] == "failed"}
    begun = {event["what"] for event in events if event["kind"] == "start"}
    jobs = _of_jobs(root)
    if missing and not (begun & missing.keys() or jobs.keys() & set(missing.values())):
        raise build.BuildError(build.last_words(root))
    ended = {what: SILENT if what in begun else UNBEGUN for what in missing}
    return {what: own.get(what) or jobs.get(path) or ended[what] for what, path in missing.items()}


def _of_jobs(root: Path) -> dict[str, str]:
    """What a cluster said of each job that failed, by the stamp it was to write; of jobs here Snakemake says None."""
    log = (root / build.LOG).read_text(encoding="utf8", errors="replace").replace(f"{root}/", "")
    said = {}
    for block in re.split(r"^Error in rule ", log, flags=re.MULTILINE)[1:]:
        facts = dict(re.findall(r"^    (message|output|log): (.+)$", block, re.MULTILINE))
        words = re.split(r"\s*(?:Detailed failure reason|For further error details)", facts.get("message", "None"))[0]
        if words != "None" and "output" in facts:
            where = facts.get("log", build.LOG).removesuffix(" (check log file(s) for error details)")
            said[facts["output"]] = f"{words.rstrip('.')}; the log is {where}."
    return said


class _Bar:
    """Progress over the whole sweep; a line for each training that ends."""

    def __init__(self, total: int, done: int):
        console = Console(stderr=True, highlight=False)
        parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*parts, console=console)
        self.task = self.progress.add_task("the sweep", total=total, completed=done)

    def __enter__(self) -> "_Bar":
        self.progress.start()
        return self

    def __exit__(self, *_) -> None:
        self.progress.stop()

    def take(self, event: dict) -> None:
        """An event of the journal."""
        if event["kind"] == "start":
            self.progress.update(self.task, description=event["what"])
        elif event["kind"] in ("done", "failed"):
            told = f" {event['text']}" if event["kind"] == "done" else ""
            self.progress.console.print(f"{build.MARKS[event['kind']]} {event['what']}{told}")
            self.progress.advance(self.task)
