"""The whole book: checks what was asked for, lets Snakemake do what isn't done yet, and says how it went."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from hgnb.book import house, journal
from hgnb.book.house import Edition
from hgnb.data.intake.layouts import annotation_files
from hgnb.errors import InputError
from hgnb.home import home

LOG = "data/build.log"
GRACE = 10.0  # seconds in which what is asked to end may do so
MARKUP = re.compile(r"[`<>&|$\\\x00-\x1f]")
MARKS = {"start": "[dim]…[/dim]", "done": "[green]✓[/green]", "failed": "[red]✗[/red]", "note": "[yellow]![/yellow]"}
REPEATED = ("profile", "data", "seed", "folder", "run")  # the same in every row, or too long for one


class BuildError(InputError):
    """The build stopped; the message is the sentence of the part that failed."""


def build(profile: str, data: str, seed: int, cores: int | None = None, forced: bool = False) -> Path:
    """Make or refresh the site; prints its path and the results, and returns the path of index.html."""
    edition, root = Edition(profile, house.resolved(data), seed), home()
    house.homely(root)
    _check(edition, root)
    site, console = root / "site" / "index.html", Console(soft_wrap=True, highlight=False)
    if (there := house.published(root)) not in ("", str(edition)):
        console.print(f"site/ holds {there}; once this build is done it holds {edition}.", markup=False)
    with only_build(root) as lock:
        if not site.is_file():
            (root / "_build" / "site.json").unlink(missing_ok=True)
        status, events = snakemake(root, edition, cores, lock, *(["--forceall"] if forced else []))
    if status:
        errors = [event["text"] for event in events if event["kind"] == "error"]
        raise BuildError("\n".join(dict.fromkeys(errors)) or cut_off(events) or last_words(root))
    console.print(results(edition))
    console.print(f"\nThe book: {site}", markup=False)
    return site


def _check(edition: Edition, root: Path) -> None:
    """Refuse an edition that can't be built, before anything is written; what passed isn't read again."""
    if letter := unfit_name(edition.data):
        raise InputError(
            f"The data folder's name is printed on pages and can't hold {letter!r}: rename '{edition.data}'."
        )
    given = [root / "profiles" / f"{edition.profile}.toml"]
    if edition.data != house.EMBEDDED:
        given += annotation_files(Path(edition.data))
    state = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in given if path.is_file()]
    note, text = edition.stamps(root) / ".checked.json", json.dumps(state)
    if not (note.is_file() and note.read_text(encoding="utf8") == text):
        experiment(edition).check()
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(text, encoding="utf8")


def unfit_name(data: str) -> str:
    """The first letter in a data folder's own name that a page could take for markup; '' where there is none."""
    found = MARKUP.search(Path(data).name)
    return found[0] if found else ""


def experiment(edition: Edition):
    """The experiment of an edition, imported late: a build with nothing to do shouldn't load torch."""
    from hgnb.training.experiment import Experiment

    return Experiment.open(edition.profile, edition.data, edition.seed)


def stage(edition: Edition, name: str, out: Path) -> dict:
    """Run the stage called `name` and write what it returns to the stamp `out`."""
    with journal.told(house.titled(name, edition.seed)):
        opened = experiment(edition)
        facts = opened.stage(name)
        for remark in opened.remarks() if name == "dataset" else ():
            journal.tell("note", remark)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.{os.getpid()}.part")
    # sorted and without times: an unchanged stage leaves an unchanged stamp, and no chapter runs again
    aside.write_text(json.dumps(facts, indent=1, sort_keys=True, default=str) + "\n", encoding="utf8")
    os.replace(aside, out)
    return facts


def results(edition: Edition) -> Table:
    """What the stages of an edition came to, as their stamps say: loads no torch."""
    stamps = sorted(edition.stamps(home()).glob("[!.]*.json"), key=lambda path: path.stat().st_mtime)
    if not stamps:
        raise InputError(
            f"There are no results for profile '{edition.profile}', data '{edition.data_name}' "
            f"and seed {edition.seed}: run 'hgnb book' with these first."
        )
    table = Table("stage", "result", show_edge=False)
    for stamp in stamps:
        try:
            facts = json.loads(stamp.read_text(encoding="utf8"))
        except ValueError as error:
            raise InputError(f"'{stamp.relative_to(home())}' is damaged: delete it and build again.") from error
        table.add_row(stamp.stem, "; ".join(_words(n, v) for n, v in facts.items() if n not in REPEATED))
    return table


def _words(name: str, value: Any) -> str:
    """`pck`, {"val": 0.4561} as "pck val 0.456"."""
    if isinstance(value, dict):
        return f"{name} " + ", ".join(_words(key, item) for key, item in value.items())
    return f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"


def snakemake(
    root: Path, edition: Edition, cores: int | None, lock: int | None, *words: str, study: str = "",
    units: Sequence[str] = (), tell: Callable[[dict], None] | None = None,
) -> tuple[int, list[dict]]:  # fmt: skip
    """Run Snakemake with further `words`, telling of each part as it starts and ends; its status and what was told.

    `study`, `units`: what the rule `record` asks for, each unit as name-sSEED. `tell`: hears of every event in place
    of the terminal.
    """
    config = edition.stamps(root) / ".edition.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    asked = {
        "profile": edition.profile,
        "data": edition.data,
        "seed": edition.seed,
        "study": study,
        "units": list(units),
    }
    config.write_text(json.dumps(asked))
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores or all_cores()), "--configfile", str(config)]
    # the lock is ours (a killed Snakemake leaves its own behind), half-written outputs are made again
    command += ["--nolock", "--rerun-incomplete", *words]
    # jobs of a cluster write there too, so it lies on the disk that they share
    with tempfile.TemporaryDirectory(prefix=".journal-", dir=config.parent) as folder:
        notes = Path(folder) / "journal"
        with (root / LOG).open("w", encoding="utf8") as file:
            process = subprocess.Popen(
                command,
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=os.environ | {journal.VARIABLE: str(notes), "PYTHONUTF8": "1"},  # Windows has another in a pipe
                # a build that is killed hard leaves Snakemake at work: the lock then stays taken
                pass_fds=() if lock is None or os.name == "nt" else (lock,),
            )
            with stoppable():
                events = _follow(process, notes, tell or _say)
    return process.returncode, events


def _say(event: dict) -> None:
    if mark := MARKS.get(event["kind"]):
        console = Console(stderr=True, highlight=False)
        console.print(mark, event["what"], event["text"] if event["kind"] == "done" else "")


def _follow(process: subprocess.Popen, notes: Path, tell: Callable[[dict], None]) -> list[dict]:
    events, offset, ended = [], 0, False
    try:
        while not ended:
            ended = process.poll() is not None  # asked before reading, so the last lines aren't missed
            new, offset = journal.read(notes, offset)
            for event in new:
                tell(event)
            events += new
            if not ended:
                time.sleep(0.1)
    except KeyboardInterrupt:  # the terminal interrupts Snakemake as well, SIGTERM comes to this process alone
        _end(process)
        raise BuildError("Stopped; what was finished stays, and the next build goes on from there.") from None
    return events


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM is as good as Ctrl-C within the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(process: subprocess.Popen) -> None:
    """Ends Snakemake and all that it started: asked first, killed where they don't within seconds."""
    started = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    for child in started:
        with suppress(psutil.NoSuchProcess):
            child.terminate()
    _, alive = psutil.wait_procs(started, timeout=GRACE)
    for child in alive:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cut_off(events: list[dict]) -> str:
    """A sentence on the parts that had begun and never said how they ended; empty where there is none."""
    begun = [event["what"] for event in events if event["kind"] == "start"]
    ended = {event["what"] for event in events if event["kind"] in ("done", "failed")}
    silent = [what for what in dict.fromkeys(begun) if what not in ended]
    if not silent:
        return ""
    return (
        f"{', '.join(silent)} ended without a word, as a process does that is killed or finds no memory: "
        f"the same command goes on from there; the log is {LOG}."
    )


def last_words(root: Path) -> str:
    """What Snakemake said when no part of the build said why it stopped."""
    lines = [
        line.strip() for line in (root / LOG).read_text(encoding="utf8", errors="replace").splitlines() if line.strip()
    ]
    # an exception's own line, which begins with its name, before a line that only speaks of one, as code does
    for telling in (r"^[\w.]*(Error|Exception)\b", "Error|Exception|: error: ", ""):
        if found := [line for line in lines if re.search(telling, line)]:
            return f"The build stopped ({found[0][:300]}); its log is {LOG}."
    return f"The build stopped and said nothing; its log is {LOG}."


@contextmanager
def only_build(root: Path) -> Iterator[int | None]:
    """Hold the repository's build lock, or say who holds it; yields the lock's file descriptor."""
    path = root / "data" / "build.lock"
    path.parent.mkdir(exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BuildError("Another build is running in this folder: wait for it, or stop it.") from error
        yield lock
    finally:
        os.close(lock)


def all_cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
