"""The sweep of chapter 06: every training of every seed, in parallel, resumed where it stopped; then one file.

Each training is a job of its own to Snakemake, so a profile of Snakemake's (`SNAKEMAKE_PROFILE`) sends them to a
cluster. One that fails leaves the others alone and is named at the end.
"""

import json
import os
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hgnb.book import build, house, journal
from hgnb.book.house import Edition
from hgnb.errors import InputError
from hgnb.home import home


def sweep(profile: str, data: str, seed: int, seeds: int, cores: int | None = None) -> Path:
    """Trains whatever is missing and returns the file in `results/`; BuildError names the trainings that failed."""
    from hgnb.training import cases, sweep_record
    from hgnb.training.sweep import gathered, opened

    edition, root = Edition(profile, house.resolved(data), seed), home()
    experiment = build.experiment(edition)
    experiment.check()
    names = [case.name for case in cases.chosen(experiment.profile.lighter)]
    for case in names:  # a shape that can't be is told before anything trains
        scaled = opened(profile, edition.data, seed, case).profile
        scaled.model.check_side(scaled.data.side)
    wanted = {(case, s): stamp(edition, root, case, s) for s in range(seed, seed + seeds) for case in names}
    jobs, before = [path.stem for path in wanted.values()], sum(path.is_file() for path in wanted.values())
    with build.only_build(root) as lock, _Bar(len(wanted), before) as bar:
        given = {"lighter": jobs, "tell": bar.take}
        _, events = build.snakemake(root, edition, cores, lock, "--keep-going", "lighter", **given)
    there = [path for path in wanted.values() if path.is_file()]
    told = {event["what"]: event["text"] for event in events if event["kind"] == "failed"}
    if len(there) < len(wanted) and not told:
        raise build.BuildError(build.last_words(root))
    if there:
        file = sweep_record.results_file(profile, edition.data_name)
        sweep_record.save(gathered(profile, edition.data, sweep_record.outcomes(there)), file)
        Console(highlight=False).print(f"{len(there)} of {len(wanted)} trainings: {file.relative_to(root).as_posix()}")
    if told:
        why = "\n".join(f"{what}: {words}" for what, words in told.items())
        raise InputError(f"{len(told)} of the trainings failed, and the others are kept:\n{why}")
    return file


def stamp(edition: Edition, root: Path, case: str, seed: int) -> Path:
    """Where a finished training of the sweep says what came out."""
    return edition.swept(root) / f"{case}-s{seed}.json"


def train(edition: Edition, case: str, seed: int, out: Path) -> None:
    """One job of the sweep: trains a case and leaves its stamp, in a process of its own."""
    from dataclasses import asdict

    from hgnb.training.sweep import measured, opened

    with journal.told(f"{case} (seed {seed})"):
        outcome = measured(opened(edition.profile, edition.data, seed, case))
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.{os.getpid()}.part")
    aside.write_text(json.dumps({"outcome": asdict(outcome)}) + "\n", encoding="utf8")
    os.replace(aside, out)


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
