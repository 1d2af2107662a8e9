"""`hgnb record`: what is next, what is left, and that whatever ends a queue costs nothing."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from conftest import ROOT, at_home, home_of_dots, write_coco

from figures.watching import spoken
from hgnb import records
from hgnb.errors import InputError
from hgnb.training import networks
from hgnb.training.experiment import Experiment
from hgnb_book import gather, queue
from hgnb_book.plan import LOG, Asked, Plan, Unit

CHAIN = networks.study("chain")
ASKED = ("--profile", "dots", "--only", "gentle", "--seeds", "2")


def plan(*names: str, seeds: int = 2) -> Plan:
    return Plan.of(CHAIN, [networks.get(name) for name in names], range(seeds))


def test_parents_come_first_and_seeds_in_order():
    made = plan("hourglass", "autoencoder", "modified", "without-skips")
    begun = []
    while unit := made.next():
        begun.append(str(unit))
        made.running[unit] = 0.0
    assert begun == ["hourglass (seed 0)", "without-skips (seed 0)", "hourglass (seed 1)", "without-skips (seed 1)"]
    made.done[Unit("hourglass", 0)] = made.running.pop(Unit("hourglass", 0))
    assert made.next() == Unit("autoencoder", 0)


def test_a_need_outside_the_queue_holds_nobody_back():
    """`--only modified` trains the autoencoder and the hourglass on the way; between them they are known."""
    assert plan("modified").next() == Unit("modified", 0)
    assert plan("hourglass", "modified").needs["modified"] == ["hourglass"]


def test_what_builds_on_a_failed_training_fails_with_it():
    made = plan("hourglass", "autoencoder", "modified", "without-skips", seeds=1)
    made.failed[Unit("hourglass", 0)] = "no."
    assert made.next() == Unit("without-skips", 0)
    assert made.failed[Unit("modified", 0)] == "it builds on hourglass, which failed."


def test_what_is_left_follows_from_like_trainings():
    """Two seeds: a training that ran once is expected to take as long again, one that never ran the mean of all."""
    made = plan("hourglass", "without-skips")
    assert made.left(2, 0.0) is None and "no time known" in made.told(2, 0.0)
    made.done[Unit("hourglass", 0)] = 100.0
    made.running[Unit("without-skips", 0)] = 1000.0
    assert made.left(1, 1040.0) == 60 + 100 + 100  # what runs is unmeasured, and taken as long as what ran
    made.done |= {Unit("without-skips", 0): 300.0}
    made.running = {Unit("hourglass", 1): 1000.0}
    assert made.left(1, 1040.0) == 60 + 300 and made.left(2, 1040.0) == 180
    assert made.left(2, 1400.0) == 150, "what takes longer than its like is due any moment"
    assert made.told(1, 1040.0) == "2 of 4, about 6 min left"
    made.done |= {unit: 1.0 for unit in made.units}
    assert made.told(1, 1040.0) == "4 of 4, all ended"


def test_unknown_trainings_and_studies_name_the_nearest(house):
    with pytest.raises(InputError, match="did you mean 'chain'"):
        queue.record("chian", "smoke", "embedded", [0])
    profile = Experiment.open("smoke", "embedded").profile
    with pytest.raises(InputError, match="did you mean 'newell'"):
        queue.chosen(networks.study("lighter"), profile, ["newel"])
    assert [one.name for one in queue.chosen(networks.study("lighter"), profile, ())] == list(profile.lighter.cases)


def test_every_study_orders_parents_before_children():
    for study in networks.STUDIES.values():
        names = [one.name for one in study.trainings]
        assert len(names) == len(set(names))
        for place, one in enumerate(study.trainings):
            assert {need.name for need in study.needs(one)} <= set(names[:place])


def environment(home: Path) -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "book"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "HGNB_HOME": str(home), "PYTHONPATH": ":".join(paths)}


def started(home: Path, *words: str, limit: int = 0) -> subprocess.Popen:
    """`hgnb record beyond` in a home of dots; `limit`: bytes that a file may have, as on a disk that is full."""
    command = [sys.executable, "-m", "hgnb_book.cli", "record", "beyond", *ASKED, "--data", str(home / "dots"), *words]

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        command, cwd=home, env=environment(home), preexec_fn=narrow if limit else None, **pipes
    )  # fmt: skip


def begun(process: subprocess.Popen, home: Path) -> list[psutil.Process]:
    """Waits until a queue trains; its processes."""
    log, before = home / LOG, time.monotonic()
    while f"{process.pid} " not in (text := log.read_text() if log.is_file() else "") or not any(
        f" {process.pid} " in line and line.endswith("begun") for line in text.splitlines()
    ):
        assert process.poll() is None and time.monotonic() - before < 300, text
        time.sleep(0.05)
    return psutil.Process(process.pid).children(recursive=True)


def gone(children: list[psutil.Process], seconds: float) -> bool:
    _, alive = psutil.wait_procs(children, timeout=seconds)
    return all(one.status() == psutil.STATUS_ZOMBIE for one in alive)  # ended, and not yet asked how


def shown(home: Path) -> dict:
    """What a record holds, without what a clock said."""
    with at_home(home):
        record = records.find("beyond", "dots", "dots")
    return {
        (seed.number, name): (facts["run"], {k: v.tobytes() for k, v in sorted(seed.of(name).items())})
        for seed in record.seeds
        for name, facts in seed.trainings.items()
    }


@pytest.fixture
def homes(tmp_path) -> tuple[Path, Path]:
    """Two homes with the same people."""
    first = home_of_dots(tmp_path / "first")
    shutil.copytree(first, tmp_path / "second")
    return first, tmp_path / "second"


def test_a_queue_that_is_killed_again_and_again_records_what_an_undisturbed_one_does(homes):
    """A failing unit is named and recorded, mended it is made; -9, a full disk and SIGTERM cost nothing."""
    calm, stormy = homes
    process = started(calm, "--jobs", "1")
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0 and "2 of 2 trainings: results/beyond-dots-dots" in out, err
    undisturbed = shown(calm)
    assert set(undisturbed) == {(0, "gentle"), (1, "gentle")}

    with at_home(stormy):
        varied = Experiment.open("dots", str(stormy / "dots"), 1, variant="gentle")
        blocked = stormy / "data" / "runs" / varied._recipe("hourglass", varied.profile.training).id
    blocked.parent.mkdir(parents=True)
    blocked.write_text("not a folder")
    process = started(stormy, "--jobs", "2")
    children = begun(process, stormy)
    assert children, "the queue trains in processes of its own"
    process.kill()
    assert gone(children, 10), "nobody is left behind by a queue that is killed hard"
    process.communicate()
    process = started(stormy, "--jobs", "1", limit=6000)
    out, err = process.communicate(timeout=900)
    assert process.returncode == 1 and "no space left" in err and "none is lost" in err and "Traceback" not in err
    process = started(stormy, "--jobs", "1")
    children = begun(process, stormy)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert gone(children, 3), "and takes its processes along"
    assert process.returncode == 1 and "the same command goes on from there" in err and "Traceback" not in err
    process = started(stormy, "--jobs", "2")
    out, err = process.communicate(timeout=900)
    assert process.returncode == 1 and "1 of 2 trainings" in out, err
    assert "gentle (seed 1): " in err and "Traceback" not in err and str(stormy) not in err
    with at_home(stormy):
        assert list(records.find("beyond", "dots", "dots").seeds[1].failed) == ["gentle"]
    blocked.unlink()
    process = started(stormy, "--jobs", "1")
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0 and "2 of 2 trainings" in out, err
    with at_home(stormy):
        assert not records.find("beyond", "dots", "dots").seeds[1].failed
    assert shown(stormy) == undisturbed


def test_a_change_that_fails_keeps_no_other_from_being_recorded(tmp_path, monkeypatch):
    asked = []

    def work_off(self):
        asked.append(self.asked.profile)
        if len(asked) in (2, 5):
            self.plan.failed[Unit("autoencoder", 0)] = "it diverged."

    monkeypatch.setattr(queue._Queue, "work_off", work_off)
    home = home_of_dots(tmp_path)
    with at_home(home), pytest.raises(InputError) as told:
        queue.record("readings", "dots", str(home / "dots"), [0])
    assert asked == [f"dots+{change}" for change in networks.CHANGES["readings"]]
    assert [name for name in asked if f"{name}: 1 of the trainings failed" in str(told.value)] == [asked[1], asked[4]]


def test_a_change_whose_record_is_whole_is_not_trained_again(tmp_path, monkeypatch):
    """In a clone of the repository, say, which holds records and no runs; what failed there, fails again."""
    monkeypatch.setattr(networks, "CHANGES", {"readings": ("noise-e",)})
    begun = []
    monkeypatch.setattr(queue._Queue, "work_off", lambda self: begun.append(len(self.plan.units)))
    home = home_of_dots(tmp_path)
    data = str(home / "dots")
    asked = Asked("chain", "dots+noise-e", data)

    def record(seeds=(0,), only=("hourglass", "autoencoder", "modified")):
        begun.clear()
        queue.record("readings", "dots", data, seeds, only=only)
        return begun

    with at_home(home):
        gather.train(asked, Unit("hourglass", 0))
        shutil.rmtree(home / "data/runs")
        assert record() == [3], "two of three are missing"
        assert record(only=["hourglass"]) == [] and record((0, 1), ["hourglass"]) == [2]
        gather.note_failed(asked, Unit("autoencoder", 0), "It diverged.")
        with pytest.raises(InputError, match=r"2 of the trainings failed[^\n]*\n[^\n]*It diverged.\n[^\n]*builds on"):
            record()
        assert begun == []
        with monkeypatch.context() as changed:
            changed.setattr(gather, "stale", lambda held: ("the code that trains has changed",))
            assert record(only=["hourglass"]) == [1]
        shutil.rmtree(home / "dots")
        write_coco(home / "dots", {"train2017": 13, "val2017": 6})
        assert record(only=["hourglass"]) == [1], "data of another checksum"


def test_a_full_disk_is_known_wherever_it_stands():
    try:
        try:
            raise OSError(28, "No space left on device", "/x/last.ckpt")
        except OSError as error:
            raise InputError("There is no space left for last.ckpt.") from error
    except InputError as told:
        assert queue.full(told) and not queue.full(ValueError("no loss"))
    assert queue.sentence(OSError(28, "No space left on device", "/x/last.ckpt")) == (
        "There is no space left for last.ckpt."
    )
    assert np.all([spoken(s) == w for s, w in ((40, "40 s"), (840, "14 min"), (11520, "3.2 h"))])
