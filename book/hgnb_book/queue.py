"""`hgnb record`: the trainings of a study for several seeds, on as many processes as there are cores; each is added to
the record as soon as it is done.

A process imports once, takes one core and the next training whose parents are done, and is polite to whoever else uses
the machine. Everything on disk is whole at any time, so whatever ends the queue, the same command goes on from there.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hgnb.errors import InputError, unknown
from hgnb.home import FULL, cores, home
from hgnb.training import networks
from hgnb.training.networks import Study, Training
from hgnb_book import journal
from hgnb_book.journal import MARKS
from hgnb_book.plan import LOG, SILENT, Asked, Plan, Unit
from hgnb_book.workflow import stoppable

ELSEWHERE = "SNAKEMAKE_PROFILE"  # environment variable, Snakemake's own: where jobs go
NICE = 10
GRACE = 3  # seconds in which a process that was asked to end may do so


class Failed(InputError):
    """Trainings that failed; all others were made."""


def record(
    study: str,
    profile: str,
    data: str,
    seeds: Sequence[int],
    jobs: int | None = None,
    only: Sequence[str] = (),
    runs: bool = True,
) -> Path:
    """Trains and records whatever is missing; the record's folder. InputError names what failed, or why it stopped.

    `study`: one of networks.STUDIES, or of networks.CHANGES, which is a chain for each change; the last's folder then.
    `only`: trainings of the study, by name; what they go on from is trained with them. `runs`: whether a run that is
    gone from data/runs is missing although it is recorded; those of a change nobody looks at.
    """
    from hgnb import records
    from hgnb.training.experiment import Experiment
    from hgnb_book import cluster, gather

    if study in networks.CHANGES:
        failed = []
        for name in (f"{profile}+{change}" for change in networks.CHANGES[study]):
            try:
                where = record("chain", name, data, seeds, jobs, only or networks.CORE, runs=False)
            except Failed as error:  # one that diverges is recorded as such, and the others still are
                failed.append(f"{name}: {error}")
        if failed:
            raise Failed("\n".join(failed))
        return where
    asked, whole = Asked(study, profile, data), networks.study(study)
    opened = Experiment.open(profile, data, seeds[0])
    opened.check()
    trainings = chosen(whole, opened.profile, only)
    for one in trainings:  # a shape that can't be is told before anything trains
        if one.varies:
            scaled = networks.scaled(opened.profile, one.name)
            scaled.model.check_side(scaled.data.side)
    plan = Plan.of(whole, trainings, seeds)
    if runs or not gather.settled(asked, plan):
        if jobs is None and os.environ.get(ELSEWHERE):
            plan.failed = cluster.work_off(asked, plan.units)
            plan.done = {unit: 0.0 for unit in plan.units if unit not in plan.failed}
        else:
            _Queue(asked, plan, min(jobs or cores(), len(plan.units))).work_off()
    where = records.place(study, profile, opened.data_name)
    Console(soft_wrap=True, highlight=False).print(
        f"{len(plan.done)} of {len(plan.units)} trainings: {where.relative_to(home()).as_posix()}", markup=False
    )
    if plan.failed:
        why = "\n".join(f"{unit}: {words}" for unit, words in plan.failed.items())
        raise Failed(f"{len(plan.failed)} of the trainings failed, and the others are kept:\n{why}")
    return where


def chosen(study: Study, profile, only: Sequence[str]) -> list[Training]:
    """The trainings of a study that a profile, or `only`, asks for."""
    section = getattr(profile, study.name, None)
    names = [one.name for one in study.trainings]
    for name in only:
        if name not in names:
            raise unknown(f"training of the study '{study.name}'", name, names)
    if only:
        return [one for one in study.trainings if one.name in only]
    return study.units(section.cases if section else ())


class _Queue:
    """Processes that each train a unit at a time; a bar over all of them, and a line for each training that ends."""

    def __init__(self, asked: Asked, plan: Plan, jobs: int):
        self.asked, self.plan, self.jobs = asked, plan, jobs
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (BarColumn(20), MofNCompleteColumn(), TextColumn("{task.description}"))
        self.bar = Progress(*columns, console=console, disable=not console.is_terminal, auto_refresh=False)
        self.task = self.bar.add_task("", total=len(plan.units))

    def work_off(self) -> None:
        """Until no unit waits or runs; whatever ends it earlier, no process stays behind."""
        plan, asked = self.plan, self.asked
        workers: list[_Worker] = []
        log(f"{asked.study} of {asked.profile} on {asked.data}: {len(plan.units)} trainings, {self.jobs} processes")
        os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
        try:
            with self.bar, stoppable():
                workers += [_Worker() for _ in range(self.jobs)]
                while plan.running or plan.next():
                    wait([worker.future for worker in workers if worker.busy], 1, FIRST_COMPLETED)
                    for place, worker in enumerate(workers):
                        if worker.busy and worker.future.done() and self.ended(worker):
                            workers[place] = worker = _Worker()
                        if not worker.busy and (unit := plan.next()):
                            plan.running[unit] = time.monotonic()
                            worker.begin(asked, unit)
                            log(f"{unit}: begun")
                            journal.tell("start", str(unit), "")
                    running = ", ".join(map(str, plan.running))
                    told = plan.told(self.jobs, time.monotonic()) + (f": {running}" if running else "")
                    ended = len(plan.done) + len(plan.failed)
                    self.bar.update(self.task, completed=ended, description=told, refresh=True)
        except KeyboardInterrupt:
            log("stopped")
            raise InputError(
                f"Stopped with {len(plan.done)} of {len(plan.units)} trainings done; "
                "the same command goes on from there."
            ) from None
        finally:
            _end()

    def ended(self, worker: "_Worker") -> bool:
        """Notes how a worker's unit ended; whether the process ended, too."""
        plan, unit, worker.unit, worker.busy = self.plan, worker.unit, None, False
        try:
            kind, words, seconds = worker.future.result()
        except BrokenProcessPool:
            log(f"a process ended, of {unit}")
            kind, words, seconds = "broken", SILENT, 0.0
        if unit is None:
            if kind == "broken":
                raise InputError(f"A process ended before it could train; the log is {LOG}.")
            return False
        del plan.running[unit]
        log(f"{unit}: {kind}, {words}")
        if kind == "full":
            ended = f"{len(plan.done)} of {len(plan.units)} trainings done"
            raise InputError(f"{words} The queue stopped with {ended}, and none is lost.")
        if kind == "done":
            plan.done[unit] = seconds
        else:
            plan.failed[unit] = words
        shown = "done" if kind == "done" else "failed"
        journal.tell(shown, str(unit), words)
        told = f"[dim]{words if shown == 'done' else ''}[/dim] ({plan.told(self.jobs, time.monotonic())})"
        self.bar.console.print(f"{MARKS[shown]} {unit} {told}")
        return kind == "broken"


class _Worker:
    """A process of its own, on one core."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, get_context("spawn"), _begin)  # torch's threads don't survive a fork
        self.future: Future[tuple[str, str, float]] = self.pool.submit(_ready)
        self.unit: Unit | None = None
        self.busy = True

    def begin(self, asked: Asked, unit: Unit) -> None:
        self.unit, self.busy = unit, True
        try:
            self.future = self.pool.submit(_train, asked, unit)
        except BrokenProcessPool as error:  # it has just died
            self.future = Future()
            self.future.set_exception(error)


def _begin() -> None:
    """A process becomes polite, ends with its queue, and speaks to the log."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the queue's to answer
    os.nice(max(NICE - os.nice(0), 0)) if hasattr(os, "nice") else None
    threading.Thread(target=_end_with_the_queue, daemon=True).start()
    file = os.open(home() / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    # libraries write to the log, but a full disk must not end a process that warns of something
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf8")  # noqa: SIM115


def _ready() -> tuple[str, str, float]:
    import torch

    import hgnb_book.gather  # noqa: F401  # once for all trainings

    torch.set_num_threads(1)
    return "ready", "", 0.0


def _train(asked: Asked, unit: Unit) -> tuple[str, str, float]:
    """'done', 'failed' or, of the disk, 'full'; what to say of it; seconds. The record says why one failed, too."""
    from hgnb_book import gather

    try:
        return "done", *gather.train(asked, unit)
    except SystemExit:  # Lightning's answer to SIGTERM
        os._exit(1)
    except Exception as error:
        try:
            if not full(error):
                if not isinstance(error, InputError):
                    log("".join(traceback.format_exception(error)))
                gather.note_failed(asked, unit, sentence(error))
        except Exception as second:
            log("".join(traceback.format_exception(second)))
            error = second if full(second) else error
        return "full" if full(error) else "failed", sentence(error), 0.0


def _end_with_the_queue() -> None:
    """A queue that is killed hard ends nobody: whoever it started has to notice."""
    queue = parent_process()
    if queue is not None:
        queue.join()
        os._exit(1)


def _end() -> None:
    """Ends every process, within seconds; what they have on disk is whole at any time."""
    started, last = active_children(), time.monotonic() + GRACE
    for process in started:
        process.terminate()
    for process in started:
        process.join(max(last - time.monotonic(), 0))
        process.kill()


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


def log(words: str) -> None:
    """A line with the time and the process, appended: several queues may write."""
    line = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {os.getpid()} {words.replace(chr(10), ' ')}\n"
    with suppress(OSError):  # a full disk is told elsewhere
        (home() / LOG).parent.mkdir(parents=True, exist_ok=True)
        with open(home() / LOG, "a", encoding="utf8") as file:
            file.write(line)
