"""The import closure and fingerprints, on a package small enough to read and on a copy of hgnb."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from hgnb.data.prepared import ROOTS as PREPARED_ROOTS
from hgnb.definitions import PACKAGE, fingerprint
from hgnb.errors import InputError
from hgnb.training.experiment import DRAWN_ROOTS, FROZEN_ROOTS, TRAINING_ROOTS
from hgnb_book import imports


def written(package, files):
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    return package


def test_notebook_imports_skip_magics_and_other_packages(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "import hgnb.nothing"},
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", "import numpy\n", "from hgnb.data import coco"],
        },
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert imports.notebook_imports(path) == {"hgnb.data", "hgnb.data.coco"}


def test_what_is_not_python_or_no_notebook_is_named(tmp_path):
    path = tmp_path / "a.ipynb"
    with pytest.raises(InputError, match="no notebook"):
        imports.notebook_imports(path)
    path.write_text("{}")
    with pytest.raises(InputError, match="isn't a notebook"):
        imports.notebook_imports(path)
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": "x ="}]}))
    with pytest.raises(InputError, match="cell 1 isn't Python"):
        imports.notebook_imports(path)


# A training in ten lines: what a root reaches lies in four rooms.
LESSON = {
    "__init__.py": "",
    "numbers.py": '''"""Numbers."""
RATE = 0.1
TABLE = {"a": 1}
TABLE["b"] = 2
OTHER = 5
''',
    "measures/__init__.py": "from lesson.measures.found import near as near\n",
    "measures/found.py": '''"""Found."""
from functools import lru_cache


@lru_cache(maxsize=4)
def near(a, b=0.5):
    """Whether they are near."""
    return abs(a - b) < 0.2


def far(a):
    return not near(a)
''',
    "layers.py": '''"""Layers."""
import torch.nn as nn
from dataclasses import dataclass


def quantity(default, unit, source):
    """A field with where it comes from."""
    return default


@dataclass(frozen=True)
class Shape:
    """A shape."""

    width: int = quantity(3, "maps", "5.1")
    title: str = "wide"

    @property
    def half(self) -> int:
        return self.width // 2

    def unused(self):
        return 4


class Base:
    def start(self):
        return 1


class Unasked:
    def start(self):
        return 2


class Layer(Base, nn.Module):
    def forward(self, x: float) -> float:
        """The layer."""
        return self.helped(x) + self.start()

    def helped(self, x):
        return x * 2
''',
    "train.py": '''"""Training."""
import torch.nn.functional as F

from lesson import numbers
from lesson.layers import Layer, Shape
from lesson.measures import near


def train(x, epochs=3):
    """Trains."""
    shape = Shape(title="for people")
    if epochs < 0:
        raise ValueError(f"{epochs} epochs are none")
    y = Layer().forward(x) * numbers.RATE + shape.half + numbers.TABLE["a"]  # a sum
    return F.mse_loss(y, x) if near(y) else recursive(epochs)


def recursive(n):
    return recursive(n - 1) if n else 0


def drawn():
    return numbers.OTHER
''',
}
ROOT = ["lesson.train.train"]


@pytest.fixture
def lesson(tmp_path):
    return written(tmp_path / "lesson", LESSON)


def changed(package, file, old, new):
    """The text of a file with every `old` replaced; fails where there is none."""
    text = (package / file).read_text(encoding="utf8")
    assert re.search(old, text), f"{old} isn't in {file}"
    (package / file).write_text(re.sub(old, new, text), encoding="utf8")


@pytest.mark.parametrize(
    ("root", "code", "files"),
    [
        ("train", "", "__init__ layers measures/__init__ measures/found numbers train"),
        ("numbers.RATE", "", "__init__ numbers"),
        ("room", "def f():\n    from lesson.numbers import RATE\n    return RATE\n", "__init__ numbers room"),
        ("room", "from . import numbers\n", "__init__ numbers room"),
        ("room", "from .measures import found\n", "__init__ measures/__init__ measures/found room"),
        ("room", "import json, os.path\n", "__init__ room"),
    ],
)
def test_a_closure_follows_imports_wherever_they_stand(lesson, root, code, files):
    written(lesson, {"room.py": code})
    found = imports.closure([f"lesson.{root}"], lesson)
    assert [f.relative_to(lesson).with_suffix("").as_posix() for f in found] == files.split()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("numbers.py", "RATE = 0.1", "RATE = 0.2"),
        ("numbers.py", "RATE = 0.1", "RATE = 0.1\nRATE += 1"),
        ("numbers.py", r'TABLE\["b"\] = 2', 'TABLE["b"] = 3'),
        ("numbers.py", r'TABLE\["b"\] = 2', "TABLE.update(b=2)"),
        ("measures/found.py", "< 0.2", "<= 0.2"),
        ("measures/found.py", "b=0.5", "b=0.6"),
        ("measures/found.py", "maxsize=4", "maxsize=8"),
        ("measures/__init__.py", "import near as near", "import far as near"),
        ("layers.py", r"quantity\(3,", "quantity(4,"),
        ("layers.py", "frozen=True", "frozen=False"),
        ("layers.py", "// 2", "// 3"),
        ("layers.py", "return 1", "return 3"),
        ("layers.py", r"Base, nn.Module", "Base, nn.Identity"),
        ("layers.py", r"x \* 2", "x * 2.0"),
        ("layers.py", "    def helped", "    def extra_state(self):\n        return 1\n\n    def helped"),
        ("train.py", "epochs=3", "epochs=4"),
        ("train.py", "x, epochs=3", "x, *, epochs=3"),
        ("train.py", "F.mse_loss", "F.l1_loss"),
        ("train.py", "F.mse_loss", "numbers.OTHER + F.mse_loss"),
        ("train.py", "import torch.nn.functional as F", "import other.functional as F"),
        ("train.py", "from lesson.measures import near", "from lesson.measures.found import far as near"),
        ("train.py", "n - 1", "n - 2"),
        ("train.py", "raise ValueError", "raise KeyError"),
        ("train.py", "epochs < 0", "epochs < 1"),
        ("train.py", "shape.half", "shape.unused()"),
        ("layers.py", "return 4", "return 5"),  # a class is reached with all its methods
    ],
)
def test_what_changes_a_number_changes_the_fingerprint(lesson, file, old, new):
    before = fingerprint(ROOT, lesson)
    changed(lesson, file, old, new)
    assert fingerprint(ROOT, lesson) != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("numbers.py", "OTHER = 5", "OTHER = 6"),
        ("numbers.py", "RATE = 0.1", "RATE: float = 0.1"),
        ("measures/found.py", '    """Whether they are near."""\n', ""),
        ("measures/found.py", "not near", "near"),
        ("measures/found.py", r"near\(a, b=0.5\):", "near(a: float, b: float = 0.5) -> bool:"),
        ("measures/found.py", "    return abs", "    assert b\n    return  abs"),
        ("layers.py", '"maps", "5.1"', '"feature maps", "3.2.2"'),
        ("layers.py", '"wide"', '"broad"'),
        ("layers.py", "width: int", 'width: "int | None"'),
        ("layers.py", "return 2\n", "return 3\n"),
        ("layers.py", "import torch.nn as nn", "from torch import nn"),
        ("layers.py", r"import torch.nn as nn([\s\S]*)nn.Module", r"import torch\1torch.nn.Module"),
        ("layers.py", "return self.helped", "from typing import cast\n        return cast(float, self.helped"),
        ("train.py", "# a sum", "# another sum"),
        ("train.py", "for people", "for others"),
        ("train.py", "epochs are none", "epochs are too few"),
        ("train.py", "raise ValueError", "import json\n        raise ValueError"),
        ("train.py", "import near", "import near as close"),
        ("train.py", "from lesson import numbers", "import lesson.numbers as numbers"),
        ("train.py", "from lesson import numbers", "from . import numbers"),
        ("train.py", r"train\(x, epochs=3\)", "train(\n    x,\n    epochs=3,\n)"),
    ],
)  # fmt: skip
def test_what_changes_no_number_leaves_the_fingerprint(lesson, file, old, new):
    before = fingerprint(ROOT, lesson)
    changed(lesson, file, old, new)
    if "as close" in new:
        changed(lesson, file, r"near\(y\)", "close(y)")
    if "cast(float" in new:
        changed(lesson, file, r"self.helped\(x\) \+", "self.helped(x)) +")
    assert fingerprint(ROOT, lesson) == before


def test_a_definition_may_move_and_be_renamed(lesson):
    before = fingerprint(ROOT, lesson)
    changed(lesson, "train.py", r"recursive", "again")
    changed(lesson, "train.py", r"def again\(n\):\n.*\n", "")
    changed(
        lesson,
        "train.py",
        "from lesson import numbers",
        "from lesson import numbers\nfrom lesson.new.room import again",
    )
    written(lesson, {"new/__init__.py": "", "new/room.py": "def again(n):\n    return again(n - 1) if n else 0\n"})
    assert fingerprint(ROOT, lesson) == before
    (lesson / "layers.py").rename(lesson / "blocks.py")
    changed(lesson, "train.py", "lesson.layers", "lesson.blocks")
    changed(lesson, "blocks.py", r"\bLayer\b", "Block")
    changed(lesson, "train.py", r"\bLayer\b", "Block")
    assert fingerprint(ROOT, lesson) == before
    (lesson / "train.py").rename(lesson / "new/fit.py")
    assert fingerprint(["lesson.new.fit.train"], lesson) == before
    changed(lesson, "new/room.py", "n - 1", "n - 2")
    assert fingerprint(["lesson.new.fit.train"], lesson) != before


def test_the_order_of_definitions_and_roots_is_free(lesson):
    roots = [*ROOT, "lesson.measures.found.far"]
    before = fingerprint(roots, lesson)
    for file in ("train.py", "layers.py"):
        head, *parts = re.split(r"\n\n\n(?=def|class|@)", (lesson / file).read_text())
        (lesson / file).write_text("\n\n\n".join([head, *reversed(parts)]))
    changed(lesson, "layers.py", r"(    def forward[\s\S]*)\n\n(    def helped.*\n.*\n)", r"\2\n\1\n")
    assert fingerprint(reversed(roots), lesson) == before
    assert fingerprint(roots[:1], lesson) != before


def test_two_helpers_that_change_places_are_told_apart(lesson):
    (lesson / "train.py").write_text(
        "def train():\n    return one() - two()\n\n\ndef one():\n    return 1\n\n\ndef two():\n    return 2\n"
    )
    before = fingerprint(ROOT, lesson)
    changed(lesson, "train.py", r"one\(\) - two\(\)", "two() - one()")
    assert fingerprint(ROOT, lesson) != before


def test_a_local_name_hides_a_definition(lesson):
    (lesson / "train.py").write_text(
        "def train(far):\n    near = far\n    return near, [far for far in near]\n\n\n"
        "def near():\n    return 1\n\n\ndef far():\n    return 2\n"
    )
    before = fingerprint(ROOT, lesson)
    changed(lesson, "train.py", r"return [12]", "return 7")
    assert fingerprint(ROOT, lesson) == before


def test_a_name_in_a_comprehension_hides_nothing_around_it(lesson):
    (lesson / "train.py").write_text(
        "def train(x):\n    return [near for near in x], near()\n\n\ndef near():\n    return 1\n"
    )
    before = fingerprint(ROOT, lesson)
    changed(lesson, "train.py", "return 1", "return 2")
    assert fingerprint(ROOT, lesson) != before


@pytest.mark.parametrize("root", ["lesson.nothing", "lesson.train.nothing", "lesson.layers.Layer.nothing", "torch.nn"])
def test_a_root_that_is_not_there_is_named(lesson, root):
    with pytest.raises(InputError, match=f"no definition {root}"):
        fingerprint([root], lesson)


def test_asking_loads_neither_torch_nor_what_is_asked_about():
    code = (
        "import sys; from hgnb.definitions import fingerprint\n"
        "fingerprint(['hgnb.training.experiment.Experiment']); "
        "print([m for m in sys.modules if m in ('torch', 'numpy') or m.startswith('hgnb.training')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.fixture(scope="module")
def mutated(tmp_path_factory):
    """Whether a fingerprint of a copy of the library becomes another with a change of a file, which is undone."""
    folder, plain = tmp_path_factory.mktemp("copy") / "hgnb", {}
    copy = shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))

    def differs(roots, file, old, new):
        text, stat = (copy / file).read_text(encoding="utf8"), (copy / file).stat()
        if roots not in plain:
            plain[roots] = fingerprint(roots, copy)
        try:
            changed(copy, file, old, new)
            return fingerprint(roots, copy) != plain[roots]
        finally:
            (copy / file).write_text(text, encoding="utf8")
            os.utime(copy / file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # what was read of it is true again

    return differs


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("model/hourglass.py", r"F.relu_\(out\)", "F.silu(out)"),  # a layer
        ("model/hourglass.py", "nn.init.xavier_normal_", "nn.init.xavier_uniform_"),
        ("model/config.py", "return 4", "return 8"),
        ("training/modules.py", r"F.mse_loss\(output, truth\)\n", "F.l1_loss(output, truth)\n"),  # the loss
        ("training/modules.py", "eps=c.eps", "eps=1e-3"),  # the optimiser
        ("training/modules.py", "best: float = -1.0", "best: float = 0.0"),  # the rule that drops the rate
        ("data/heatmaps.py", r"-0.5 \*", "-0.4 *"),
        ("data/schema.py", "= right, left", "= left, right"),
        ("data/dataset.py", r"\[self.seed, self.epoch\]", "[self.epoch, self.seed]"),  # the order of persons
        ("metrics/keypoints_found.py", r"< config.radius", "<= config.radius"),
        ("training/modules.py", "gamma=0.5", "gamma=0.1"),  # the autoencoder's rate
        ("training/loop.py", r"self.seed << 32", "self.seed << 31"),  # what dropout draws
        ("training/loop.py", r'held\["epoch"\] \+ 1', 'held["epoch"]'),  # where a fork begins
        ("training/fit.py", r"\bbalance\(persons.visibility >=", "balance(persons.visibility >"),
        ("training/parallel.py", r"count - 1", "count"),  # batch statistics of several processes
        ("training/passes.py", r"self.network.latents\(x, stack\)", "self.network.latents(x)"),
    ],
)  # fmt: skip
def test_what_a_training_is_made_of_is_in_its_fingerprint(mutated, file, old, new):
    assert mutated(TRAINING_ROOTS, file, old, new)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("drawing.py", r"\d+", "7"),
        ("analysis/components.py", r"\+", "-"),
        ("training/loop.py", r"trainer.max_epochs \* steps", "7"),  # the bar of progress
        ("training/loop.py", "link_aside", "link_elsewhere"),
        ("training/runs.py", "os.replace", "os.rename"),
        ("training/catalogue.py", "sort_keys=True", "sort_keys=False"),
        ("training/fit.py", "person_ids: np.ndarray", "person_ids: list"),
        ("training/experiment.py", 'DATASET = "dataset"', 'DATASET = "data"'),
        ("training/hardware.py", "cpuinfo", "info"),
        ("model/cost.py", r"2 \* self.macs", "self.macs"),
        ("model/config.py", '"3.2.2"', '"3.2"'),
        ("training/profiles.py", "5e-4", "6e-4"),  # a value is in the id itself
        ("metrics/oks.py", "/ 2", "/ 3"),
        ("definitions.py", "sha256", "sha512"),
        ("data/drawn/synthetic.py", r"\d+", "7"),
        ("data/crops.py", r"\+", "-"),
    ],
)  # fmt: skip
def test_what_a_training_is_not_made_of_is_not(mutated, file, old, new):
    assert not mutated(TRAINING_ROOTS, file, old, new)


@pytest.mark.parametrize(
    ("roots", "file", "old", "new", "differs"),
    [
        (FROZEN_ROOTS, "training/fit.py", "count = min", "count = max", True),
        (TRAINING_ROOTS, "training/fit.py", "count = min", "count = max", False),
        (DRAWN_ROOTS, "data/drawn/body.py", r"0\.5", "0.6", True),
        (DRAWN_ROOTS, "data/drawn/figure.py", r"0\.5", "0.6", True),
        (DRAWN_ROOTS, "data/drawn/synthetic.py", '"quality": 90', '"quality": 91', True),
        (DRAWN_ROOTS, "data/crops.py", r"\+", "-", False),
        (PREPARED_ROOTS, "data/crops.py", r"\+", "-", True),
        (PREPARED_ROOTS, "data/splits.py", r"config\.test_share", "0.3", True),
        (PREPARED_ROOTS, "data/intake/annotations.py", r"BOX_SLACK = ", "BOX_SLACK = 1 + ", True),
        (PREPARED_ROOTS, "data/drawn/body.py", r"0\.5", "0.6", False),
        (PREPARED_ROOTS, "data/prepared.py", "READ_AGAIN = 1 << 30", "READ_AGAIN = 1 << 29", False),
        (PREPARED_ROOTS, "data/merge.py", r"\d+", "7", False),
    ],
)  # fmt: skip
def test_data_have_fingerprints_of_their_own(mutated, roots, file, old, new, differs):
    assert mutated(roots, file, old, new) is differs
