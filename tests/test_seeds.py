"""`hgnb seeds` from a folder without runs: what fails is named and stops nothing else, and a second call goes on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import write_coco

from hgnb.training.experiment import TRAINED

ROOT = Path(__file__).resolve().parents[1]
SMALLER = """
[data]
side = 64
[model]
depth = 2
channels = 4
inner = 2
stem = 4
[training]
epochs = 1
batch = 4
threads = 1
[autoencoder]
code = 3
halvings = 1
[autoencoder_training]
epochs = 1
[modified]
epochs = 1
batch = 4
threads = 1
"""


@pytest.fixture
def clone(tmp_path):
    """What the target needs of the repository, with a profile and people of dots that train in a moment."""
    folder = tmp_path / "a clone"
    shutil.copytree(ROOT / "hgnb", folder / "hgnb", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder / "Snakefile")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    (folder / "profiles").mkdir()
    (folder / "profiles" / "dots.toml").write_text(SMALLER)
    write_coco(folder / "dots", {"train2017": 12, "val2017": 6})
    return folder


def hgnb(clone, *words):
    """The command in the clone, on one core."""
    plain = {name: value for name, value in os.environ.items() if name != "HGNB_HOME"}
    command = [sys.executable, "-m", "hgnb.cli", *words]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, env=plain, timeout=1800)


def test_a_failed_run_is_named_stops_nothing_and_is_made_up_for(clone):
    edition = ("--profile", "dots", "--data", str(clone / "dots"), "--cores", "1")
    asked = ("seeds", *edition, "--seeds", "1")
    done = hgnb(clone, "train", "control-random", *edition[:4])
    assert done.returncode == 0, done.stderr
    run = clone / "data" / "runs" / json.loads(done.stdout)["run"]
    shutil.rmtree(run)
    run.write_text("in the way")  # no folder can be made here

    done = hgnb(clone, *asked)
    assert done.returncode == 1
    assert "control-random: " in done.stderr and run.name in done.stderr, done.stderr
    assert not list(clone.glob("results/*"))
    (stamps,) = (clone / "data" / "stamps").glob("dots-*-0")
    made = {stamp.stem for stamp in stamps.glob("[!.]*.json")}
    assert made == {"dataset", *TRAINED, "forks"} - {"control-random"}

    run.unlink()
    done = hgnb(clone, *asked)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stderr.splitlines() if line.startswith("✓")] == ["control-random", "arms"]
    assert "1 of 1 seeds: results/seeds-dots-dots.json" in done.stdout
    content = json.loads((clone / "results" / "seeds-dots-dots.json").read_text())
    assert content["manifest"]["failed"] == {} and content["manifest"]["asked"] == 1
    assert content["seeds"][0]["arms"]["control-random"]["run"] == run.name
    assert str(clone) not in json.dumps(content)
