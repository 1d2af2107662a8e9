"""Snakemake at work on the repository's Snakefile, one at a time; what it tells, and how it is stopped."""

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

import psutil
from rich.console import Console

from hgnb.errors import InputError
from hgnb.home import cores as all_cores
from hgnb_book import journal
from hgnb_book.edition import Edition
from hgnb_book.journal import MARKS

LOG = "data/build.log"
GRACE = 10.0  # seconds in which what is asked to end may do so


class BuildError(InputError):
    """The build stopped; the message is the sentence of the part that failed."""


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


def _end(process: subprocess.Popen) -> None:
    """Ends Snakemake and all that it started: asked first, killed where they don't within seconds."""
    if process.poll() is not None:
        return
    itself = psutil.Process(process.pid)
    started = [itself, *itself.children(recursive=True)]
    for one in started:
        with suppress(psutil.NoSuchProcess):
            one.terminate()
    _, alive = psutil.wait_procs(started, timeout=GRACE)
    for one in alive:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()


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
