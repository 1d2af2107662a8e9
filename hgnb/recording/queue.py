"""`hgnb record`: the trainings of a study for several seeds, on as many processes as there are cores; each is added to
the record as soon as it is done.

A process imports once, takes one core and the next training whose parents are done, and is polite to whoever else uses
the machine. Everything on disk is whole at any time, so whatever ends the queue, the same command goes on from there.
"""

import errno
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hgnb import journal
from hgnb.errors import InputError, unknown
from hgnb.home import home
from hgnb.recording import workflow
from hgnb.recording.edition import resolved
from hgnb.training import networks
from hgnb.training.networks import Study, Training

LOG = "data/queue.log"
NICE = 10
GRACE = 3  # seconds in which a process that was asked to end may do so
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SILENT = f"it ended without a word, as a process does that is killed or finds no memory; the log is {LOG}."


@dataclass(frozen=True)
class Asked:
    """What a queue is to record."""

    study: str
    profile: str
    data: str  # "embedded", or a folder in COCO layout


@dataclass(frozen=True)
class Unit:
    """One training of one seed."""

    name: str
    seed: int

    def __str__(self) -> str:
        return f"{self.name} (seed {self.seed})"


@dataclass
class Plan:
    """Which units wait, run, are done or failed, and how long is left: seeds in order, parents first."""

    units: list[Unit]
    needs: dict[str, list[str]]  # of a training, by name: those of the plan that it builds on
    done: dict[Unit, float] = field(default_factory=dict)  # seconds
    failed: dict[Unit, str] = field(default_factory=dict)
    running: dict[Unit, float] = field(default_factory=dict)  # since when

    @classmethod
    def of(cls, study: Study, trainings: Sequence[Training], seeds: Sequence[int]) -> "Plan":
        chosen = [one.name for one in trainings]
        needs = {one.name: [n.name for n in study.needs(one) if n.name in chosen] for one in trainings}
        return cls([Unit(name, seed) for seed in seeds for name in chosen], needs)

    @property
    def waiting(self) -> list[Unit]:
        ended = self.done.keys() | self.failed.keys() | self.running.keys()
        return [unit for unit in self.units if unit not in ended]

    def next(self) -> Unit | None:
        """The first that can begin; one whose parent failed fails with it."""
        for unit in self.waiting:
            parents = [Unit(name, unit.seed) for name in self.needs[unit.name]]
            if lost := next((parent for parent in parents if parent in self.failed), None):
                self.failed[unit] = f"it builds on {lost.name}, which failed."
            elif all(parent in self.done for parent in parents):
                return unit
        return None

    def expected(self, name: str) -> float | None:
        """Seconds that a training takes: the mean of its other seeds, else of all that was measured."""
        like = [s for unit, s in self.done.items() if unit.name == name] or list(self.done.values())
        return sum(like) / len(like) if like else None

    def left(self, jobs: int, now: float) -> float | None:
        """Seconds until all is done, from what like trainings took; None while nothing is measured."""
        if not self.done:
            return None
        whole = [self.expected(unit.name) or 0 for unit in self.waiting]
        begun = [max((self.expected(unit.name) or 0) - (now - since), 0) for unit, since in self.running.items()]
        return max([sum(whole + begun) / jobs, *begun])

    def told(self, jobs: int, now: float) -> str:
        """'3 of 12, about 14 min left'."""
        ended, left = len(self.done) + len(self.failed), self.left(jobs, now)
        unmeasured = {u.name for u in [*self.waiting, *self.running]} - {u.name for u in self.done}
        guess = f" (a guess for {len(unmeasured)} that weren't measured)" if unmeasured and left is not None else ""
        time_left = "no time known yet" if left is None else f"about {spoken(left)} left{guess}"
        return f"{ended} of {len(self.units)}, " + (time_left if ended < len(self.units) else "all ended")


def spoken(seconds: float) -> str:
    """'40 s', '14 min', '3.2 h'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def record(
    study: str, profile: str, data: str, seeds: Sequence[int], jobs: int | None = None, only: Sequence[str] = ()
) -> Path:
    """Trains and records whatever is missing; the record's folder. InputError names what failed, or why it stopped.

    `only`: trainings of the study, by name; what they go on from is trained with them.
    """
    from hgnb import records
    from hgnb.recording import cluster
    from hgnb.training.experiment import Experiment

    asked, whole = Asked(study, profile, resolved(data)), networks.study(study)
    opened = Experiment.open(profile, asked.data, seeds[0])
    opened.check()
    trainings = chosen(whole, opened.profile, only)
    for one in trainings:  # a shape that can't be is told before anything trains
        if one.varies:
            scaled = networks.scaled(opened.profile, one.name)
            scaled.model.check_side(scaled.data.side)
    plan = Plan.of(whole, trainings, seeds)
    if jobs is None and cluster.asked_for():
        plan.failed = cluster.work_off(asked, plan.units)
        plan.done = {unit: 0.0 for unit in plan.units if unit not in plan.failed}
    else:
        _work_off(asked, plan, min(jobs or workflow.all_cores(), len(plan.units)))
    where = records.place(study, profile, opened.data_name)
    Console(soft_wrap=True, highlight=False).print(
        f"{len(plan.done)} of {len(plan.units)} trainings: {where.relative_to(home()).as_posix()}", markup=False
    )
    if plan.failed:
        why = "\n".join(f"{unit}: {words}" for unit, words in plan.failed.items())
        raise InputError(f"{len(plan.failed)} of the trainings failed, and the others are kept:\n{why}")
    return where


def chosen(study: Study, profile, only: Sequence[str]) -> list[Training]:
    """The trainings of a study that a profile, or `only`, asks for."""
    section = getattr(profile, study.name, None)
    wanted = study.units(section.cases if section else ())
    names = [one.name for one in study.trainings]
    for name in only:
        if name not in names:
            raise unknown(f"training of the study '{study.name}'", name, names)
    return [one for one in study.trainings if one.name in only] if only else wanted


def _work_off(asked: Asked, plan: Plan, jobs: int) -> None:
    """Until no unit waits or runs; whatever ends it earlier, no process stays behind."""
    pool: list[Worker] = []
    log = Log(home() / LOG)
    log.write(f"{asked.study} of {asked.profile} on {asked.data}: {len(plan.units)} trainings, {jobs} processes")
    try:
        with _told(plan, jobs) as bar, workflow.stoppable():
            pool += [Worker(asked) for _ in range(jobs)]
            while plan.running or plan.next():
                for worker in [w for w in pool if w.unit is None and w.ready]:
                    if unit := plan.next():
                        plan.running[unit] = time.monotonic()
                        worker.begin(unit)
                        log.write(f"{unit}: begun")
                wait([part for worker in pool for part in worker.parts], timeout=1)
                bar.show()
                for place, worker in enumerate(pool):
                    for kind, words, seconds in worker.heard():
                        _note(plan, worker, kind, words, seconds, log, bar)
                    if not worker.process.is_alive():
                        log.write(f"process {worker.process.pid} ended with {worker.process.exitcode}")
                        if worker.unit:
                            _note(plan, worker, "failed", SILENT, 0.0, log, bar)
                        if not worker.ready:
                            raise InputError(f"A process ended before it could train; the log is {LOG}.")
                        pool[place] = Worker(asked)
    except KeyboardInterrupt:
        log.write("stopped")
        raise InputError(
            f"Stopped with {len(plan.done)} of {len(plan.units)} trainings done; the same command goes on from there."
        ) from None
    finally:
        _end(pool)


def _note(plan: Plan, worker: "Worker", kind: str, words: str, seconds: float, log: "Log", bar: "_Bar") -> None:
    """What a worker said of its unit."""
    unit, worker.unit = worker.unit, None
    if unit is None:
        return
    del plan.running[unit]
    log.write(f"{unit}: {kind}, {words}")
    if kind == "full":
        raise InputError(
            f"{words} The queue stopped with {len(plan.done)} of {len(plan.units)} trainings done, and none is lost."
        )
    if kind == "done":
        plan.done[unit] = seconds
    else:
        plan.failed[unit] = words
    bar.ended(unit, kind, words)


class Worker:
    """A process of its own, on one core, that trains a unit at a time."""

    def __init__(self, asked: Asked):
        context = get_context("spawn")  # torch's threads don't survive a fork
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=work, args=(theirs, asked))
        with _one_thread():
            self.process.start()
        theirs.close()
        self.unit: Unit | None = None
        self.ready = False

    @property
    def parts(self) -> list:
        return [self.pipe, self.process.sentinel]

    def begin(self, unit: Unit) -> None:
        self.unit = unit
        with suppress(OSError):  # it has just died: its unit fails below
            self.pipe.send(unit)

    def heard(self) -> Iterator[tuple[str, str, float]]:
        """What it said since: how its unit ended."""
        with suppress(EOFError, OSError):
            while self.pipe.poll():
                said = self.pipe.recv()
                if said == "ready":
                    self.ready = True
                else:
                    yield said


def work(pipe: Connection, asked: Asked) -> None:
    """A worker's life: it takes units until the queue is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the queue's to answer
    os.nice(max(NICE - os.nice(0), 0)) if hasattr(os, "nice") else None
    threading.Thread(target=_end_with_the_queue, daemon=True).start()
    log = os.open(home() / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    # libraries write to the log, but a full disk must not end a process that warns of something
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf8")  # noqa: SIM115
    import torch

    from hgnb.recording.gather import train

    torch.set_num_threads(1)
    pipe.send("ready")
    while True:
        unit = pipe.recv()
        try:
            with journal.told(str(unit)):
                words, seconds = train(asked, unit)
        except Exception as error:
            pipe.send((*_failed(asked, unit, error), 0.0))
        else:
            pipe.send(("done", words, seconds))


def _failed(asked: Asked, unit: Unit, error: Exception) -> tuple[str, str]:
    """'full' or 'failed', and why; the record says why, too, unless the disk is full."""
    from hgnb.recording.gather import note_failed

    if full(error):
        return "full", sentence(error)
    if not isinstance(error, InputError):
        Log(home() / LOG).write("".join(traceback.format_exception(error)))
    try:
        note_failed(asked, unit, sentence(error))
    except Exception as second:
        if full(second):
            return "full", sentence(second)
        Log(home() / LOG).write("".join(traceback.format_exception(second)))
    return "failed", sentence(error)


def _end_with_the_queue() -> None:
    """A queue that is killed hard ends nobody: whoever it started has to notice."""
    queue = parent_process()
    if queue is not None:
        queue.join()
        os._exit(1)


def full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def sentence(error: BaseException) -> str:
    """What an error says, without paths of this machine."""
    words = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and full(error):
        words = f"There is no space left for {Path(error.filename).name if error.filename else 'a file'}."
    return words.replace(f"{home()}/", "")


def _end(pool: Sequence[Worker]) -> None:
    """Ends every process, within seconds; what they have on disk is whole at any time."""
    for worker in pool:
        worker.process.terminate()
    last = time.monotonic() + GRACE
    for worker in pool:
        worker.process.join(max(last - time.monotonic(), 0))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


@contextmanager
def _one_thread() -> Iterator[None]:
    """What numerical libraries of a process that starts within the block read once."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


class Log:
    """Lines with the time and the queue's process, appended: several queues may write."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, words: str) -> None:
        line = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {os.getpid()} {words.replace(chr(10), ' ')}\n"
        with suppress(OSError), open(self.path, "a", encoding="utf8") as file:  # a full disk is told elsewhere
            file.write(line)


class _Bar:
    """Progress over the whole queue; a line for each training that ends."""

    def __init__(self, plan: Plan, jobs: int, progress: Progress):
        self.plan, self.jobs, self.progress = plan, jobs, progress
        self.task = progress.add_task("", total=len(plan.units))

    def show(self) -> None:
        running = ", ".join(map(str, self.plan.running))
        words = f"{self.plan.told(self.jobs, time.monotonic())}" + (f": {running}" if running else "")
        self.progress.update(
            self.task, completed=len(self.plan.done) + len(self.plan.failed), description=words, refresh=True
        )

    def ended(self, unit: Unit, kind: str, words: str) -> None:
        told = self.plan.told(self.jobs, time.monotonic())
        self.progress.console.print(
            f"{workflow.MARKS[kind]} {unit} [dim]{words if kind == 'done' else ''}[/dim] ({told})"
        )


@contextmanager
def _told(plan: Plan, jobs: int) -> Iterator[_Bar]:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    shown = Progress(
        BarColumn(20), MofNCompleteColumn(), TextColumn("{task.description}"), console=console,
        disable=not console.is_terminal, auto_refresh=False,
    )  # fmt: skip
    with shown:
        yield _Bar(plan, jobs, shown)
