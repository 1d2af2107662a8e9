"""What several tests share: a tiny dataset in COCO layout, real data where they are, a home of their own."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
REAL = (ROOT / os.environ.get("HGNB_REAL_DATA", "../shared/real")).resolve()
DOTS = """like = "smoke"
[training]
batch = 4
[autoencoder_training]
epochs = 3
batch = 4
rate = 0.01
[modified]
epochs = 1
batch = 4
warmup = 2
"""

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
if settings.get_current_profile_name() == "default":  # benchmarks/mutants.py has its own, and so has CI
    settings.load_profile("patient")


FORCED = {
    "HGNB_PRECISION": ("fp32", "bf16"), "HGNB_THREADS": ("2",), "HGNB_KEEP_MEMORY": ("0",), "HGNB_DEVICE": ("cpu",),
}  # fmt: skip


def pytest_report_header() -> str:
    """What this machine chose, so that one machine's green doesn't pass for all."""
    from hgnb.training.hardware import choices

    return f"machine: {choices()}"


@pytest.fixture(params=[(name, value) for name, values in FORCED.items() for value in values], ids="=".join)
def choice(request, monkeypatch) -> tuple[str, str]:
    """Each choice that a machine makes, forced in turn: for tests that could notice."""
    monkeypatch.setenv(*request.param)
    return request.param


@pytest.fixture(autouse=True)
def figures_closed():
    """What a test draws is closed after it: matplotlib warns of more than 20 open figures, and warnings fail a test."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def real():
    """A folder of real data by name; skips where it is absent, fails if HGNB_REQUIRE_REAL says it must not be."""

    def folder(name: str) -> Path:
        if not (REAL / name).is_dir():
            reason = f"no real data in {REAL / name} (HGNB_REAL_DATA)"
            pytest.fail(reason) if os.environ.get("HGNB_REQUIRE_REAL") else pytest.skip(reason)
        return REAL / name

    return folder


@pytest.fixture(scope="module")
def browser():
    """Chromium, for the pages of a module."""
    from browser import chromium

    with chromium() as found:
        yield found


@pytest.fixture
def house(tmp_path, monkeypatch) -> Path:
    """A home of its own, so that a test's data and runs don't meet the reader's."""
    (tmp_path / "hgnb").mkdir()
    (tmp_path / "profiles").mkdir()
    for file in (ROOT / "profiles").glob("*.toml"):
        (tmp_path / "profiles" / file.name).write_text(file.read_text())
    monkeypatch.setenv("HGNB_HOME", str(tmp_path))
    return tmp_path


def sweeping_house(root: Path, *cases: str) -> Path:
    """What a sweep of chapter 06 over these cases needs, at `smoke`, in a folder of its own."""
    for part in ("hgnb", "notebooks", "book", "cluster"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__", "_executed"))
    for part in ("Snakefile", "_config.yml"):
        shutil.copy(ROOT / part, root / part)
    (root / "profiles").mkdir()
    text = (ROOT / "profiles/smoke.toml").read_text()
    (root / "profiles/smoke.toml").write_text(re.sub(r"cases = .*", f"cases = {json.dumps(cases)}", text))
    return root


@pytest.fixture
def coco_folder(tmp_path) -> Path:
    """Twelve training and six validation images of 96 x 80, two persons each, with crowds and unlabelled persons."""
    return write_coco(tmp_path / "dots", {"train2017": 12, "val2017": 6})


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """Within the block the book lives there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HGNB_HOME", str(home))
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all processes of a test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def home_of_dots(home: Path) -> Path:
    """A home with the profiles, one of them `dots`, that has people of dots to train on in a moment."""
    (home / "hgnb").mkdir(parents=True)
    shutil.copytree(ROOT / "profiles", home / "profiles")
    (home / "profiles/dots.toml").write_text(DOTS)
    write_coco(home / "dots", {"train2017": 12, "val2017": 6})
    return home


@pytest.fixture(scope="session")
def common(shared) -> Path:
    """The home of `chain`: tests add runs to it and change none."""
    with FileLock(shared / "common.lock"):
        return shared / "common" if (shared / "common").exists() else home_of_dots(shared / "common")


@pytest.fixture
def chain(common, monkeypatch):
    """The whole chain on dots; a run that one test asked for is there for all others."""
    from hgnb.training.experiment import Experiment

    monkeypatch.setenv("HGNB_HOME", str(common))
    return Experiment.open("dots", str(common / "dots"))


@pytest.fixture
def fresh(common, house):
    """The same experiment in a home of the test's own, where nothing is trained yet."""
    from hgnb.training.experiment import Experiment

    shutil.copy(common / "profiles/dots.toml", house / "profiles")
    return Experiment.open("dots", str(common / "dots"))


@pytest.fixture
def begun(common, fresh):
    """The same in a home of the test's own, with copies of the hourglass and the autoencoder."""
    with at_home(common):
        runs = [replace(fresh).hourglass(), replace(fresh).autoencoder()]
    lend(runs)
    return fresh


def lend(runs) -> None:
    """Copies finished runs of another home into this one."""
    from hgnb.training.runs import runs_folder

    for run in runs:
        shutil.copytree(run.folder, runs_folder() / run.id, ignore=shutil.ignore_patterns(".*"))


@pytest.fixture(scope="session")
def trained_once(shared) -> Path:
    """A home with one finished hourglass, trained on dots for a moment; nothing but `trained` looks into it."""
    with FileLock(shared / "trained.lock"):
        if not (shared / "trained").exists():
            with at_home(home_of_dots(shared / "trained")):
                brief(shared / "trained").hourglass()
    return shared / "trained"


def brief(home: Path):
    """`smoke` on the dots of a home, trained for two epochs."""
    from hgnb.training.experiment import Experiment
    from hgnb.training.profiles import TrainingConfig

    opened = Experiment.open("smoke", str(home / "dots"))
    training = TrainingConfig(epochs=2, batch=4, rate=1e-3)
    return replace(opened, profile=replace(opened.profile, training=training))


@pytest.fixture(scope="module")
def trained(trained_once, tmp_path_factory):
    """A copy of the home with one finished hourglass, for a module to change: (experiment, run)."""
    from hgnb.training import catalogue

    home = tmp_path_factory.mktemp("home")
    shutil.copytree(trained_once, home, dirs_exist_ok=True)
    with at_home(home):
        experiment = brief(home)
        run = experiment.hourglass()
        manifest = {**run.manifest, "edition": {"profile": "smoke", "data": experiment.data, "seed": 0}}
        (run.folder / "manifest.json").write_text(json.dumps(manifest))
        yield experiment, catalogue.find(run.id)


def write_coco(folder: Path, images: dict[str, int], keypoints: int = 5) -> Path:
    """A COCO-layout folder of bright dots on grey; the n-th keypoint has its own colour."""
    rng = np.random.default_rng(0)
    names = ["nose", "left_hip", "right_hip", "left_knee", "right_knee"][:keypoints]
    category = {"id": 1, "name": "person", "keypoints": names, "skeleton": [[2, 4], [3, 5]]}
    for split, count in images.items():
        (folder / split).mkdir(parents=True)
        (folder / "annotations").mkdir(exist_ok=True)
        listed, annotations = [], []
        for n in range(count):
            pixels = np.full((80, 96, 3), 90, np.uint8)
            for half in (0, 1):
                points = rng.integers((4 + 48 * half, 4), (44 + 48 * half, 76), (keypoints, 2))
                for k, (x, y) in enumerate(points):
                    pixels[y - 1 : y + 2, x - 1 : x + 2] = np.roll((250, 40 * k, 10), k)
                flags = np.array([2, 2, 1, 2, 2][:keypoints])
                flags[0] = 0 if n % 3 == 0 else 2
                annotations.append(annotation(len(annotations) + 1, n + 1, points, flags))
            listed.append({"id": n + 1, "file_name": f"{n + 1:03}.png", "width": 96, "height": 80})
            Image.fromarray(pixels).save(folder / split / f"{n + 1:03}.png")
        crowd = {**annotation(901, 1, np.full((keypoints, 2), 9), np.zeros(keypoints)), "iscrowd": 1}
        unlabelled = annotation(902, 2, np.full((keypoints, 2), 9), np.zeros(keypoints))
        content = {
            "images": listed,
            "annotations": [*annotations, crowd, unlabelled],
            "categories": [category],
        }
        (folder / "annotations" / f"person_keypoints_{split}.json").write_text(json.dumps(content))
    return folder


def edit(folder: Path, change, split: str = "") -> None:
    """Changes the content of a dataset's annotation files; of one split's alone where it is named."""
    for file in (file for file in (folder / "annotations").iterdir() if split in file.name):
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content))


def lay_sideways(file: Path, turn: bool = False) -> None:
    """Gives a picture an EXIF orientation that a viewer turns it by; `turn` stores its pixels turned back first."""
    with Image.open(file) as image:
        exif = image.getexif()
        exif[0x0112] = 6
        pixels = image.transpose(Image.Transpose.ROTATE_90) if turn else image.copy()
    pixels.save(file, exif=exif, quality=95)


def annotation(number: int, image: int, points: np.ndarray, flags: np.ndarray) -> dict:
    """A COCO annotation around `points` (K, 2) with visibility `flags` (K,)."""
    x, y = points.min(0) - 3
    w, h = points.max(0) + 3 - (x, y)
    triples = np.column_stack([points * (flags > 0)[:, None], flags])
    return {
        "id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "area": float(w * h),
        "bbox": [float(x), float(y), float(w), float(h)], "num_keypoints": int((flags > 0).sum()),
        "keypoints": [int(v) for v in triples.flatten()],
    }  # fmt: skip


def run_command(*words) -> int:
    """Exit status of `hgnb` with these words."""
    from hgnb_book import cli

    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr("sys.argv", ["hgnb", *map(str, words)])
        cli.main()
    return end.value.code
