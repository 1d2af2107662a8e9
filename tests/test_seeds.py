"""`hgnb seeds` from a folder without runs: what fails is named and stops nothing else, and a second call goes on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import lend

from hgnb.book import build, house
from hgnb.book.house import Edition
from hgnb.training.experiment import DATASET
from hgnb.training.networks import STUDIES
from hgnb.training.runs import Run, runs_folder

STAGES = (DATASET, *(one.name for one in STUDIES["chain"].trainings))
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def clone(tmp_path, common):
    """What the target needs of the repository, with the profile and the people of dots."""
    folder = tmp_path / "a clone"
    shutil.copytree(ROOT / "hgnb", folder / "hgnb", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder / "Snakefile")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    for part in ("profiles", "dots"):
        shutil.copytree(common / part, folder / part)
    return folder


def hgnb(clone, *words):
    """The command in the clone, on one core."""
    plain = {name: value for name, value in os.environ.items() if name != "HGNB_HOME"}
    command = [sys.executable, "-m", "hgnb.cli", *words]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, env=plain, timeout=1800)


@pytest.fixture
def stamps(clone, chain, monkeypatch):
    """The stamps of a first seed, all of whose stages are done."""
    for name in STAGES:
        chain.stage(name)
    finished = [Run(file.parent) for file in runs_folder().glob("*-s0-*/manifest.json")]
    monkeypatch.setenv("HGNB_HOME", str(clone))
    lend(finished)
    edition = Edition("dots", house.resolved(str(clone / "dots")), 0)
    folder = edition.stamps(clone)
    for name in STAGES:
        build.stage(edition, name, folder / f"{name}.json")
    return folder


def test_a_failed_run_is_named_stops_nothing_and_is_made_up_for(clone, stamps):
    asked = ("seeds", "--profile", "dots", "--data", str(clone / "dots"), "--cores", "1", "--seeds", "1")
    run = clone / "data" / "runs" / json.loads((stamps / "control-random.json").read_text())["run"]
    shutil.rmtree(run)
    run.write_text("in the way")  # no folder can be made here
    for name in ("control-random", "fork-kept"):
        (stamps / f"{name}.json").unlink()

    done = hgnb(clone, *asked)
    assert done.returncode == 1
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("control-random: ")]
    assert run.name in told and str(clone) not in told
    assert not list(clone.glob("results/*"))
    assert finished(done) == ["fork-kept"], "what doesn't build on it is done all the same, and only what wasn't there"

    run.unlink()
    done = hgnb(clone, *asked)
    assert done.returncode == 0, done.stderr
    assert finished(done) == ["control-random"]
    assert "1 of 1 seeds: results/seeds-dots-dots.json" in done.stdout
    content = json.loads((clone / "results" / "seeds-dots-dots.json").read_text())
    assert content["manifest"]["failed"] == {} and content["manifest"]["asked"] == 1
    assert content["seeds"][0]["arms"]["control-random"]["run"] == run.name
    assert content["seeds"][0]["later"]["narrow"] == json.loads((stamps / "narrow.json").read_text())["pck"]
    assert str(clone) not in json.dumps(content)


def finished(done) -> list[str]:
    """The parts that a build told of as done."""
    return [line.split()[1] for line in done.stderr.splitlines() if line.startswith("✓")]
