"""Who may import whom: rooms of the house know those below them, never those above."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hgnb.definitions import PACKAGE
from hgnb_book import imports

BOOK = PACKAGE.parent / "book/hgnb_book"
BENCHMARK = PACKAGE.parent / "benchmarks/house.py"
NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
NOT_FOR_TRAINING = ["IPython", "jupyter_core", "ipykernel", "papermill", "nbformat", "pycocotools"]
NOT_FOR_TRAINING += ["matplotlib", "seaborn"]


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def test_imports_point_downwards():
    upwards = [pair for pair in imports.knowing() if pair[0] < pair[1]]
    assert not [f"{imports.STOREYS[own]} knows {imports.STOREYS[other]}" for own, other in upwards]
    top, *rows = imports.drawn().splitlines()[2:]
    assert top.startswith("| `hgnb_book` |") and len(rows) == 8


def asked(file) -> set[str]:
    """The packages and modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_the_library_knows_nothing_of_the_book():
    """What makes pages of `hgnb` is a package of its own, and only its command adds to the library's."""
    assert not [file for file in modules() for name in asked(file) if name.split(".")[0] == BOOK.name]
    assert [file.name for file in BOOK.glob("*.py") if "hgnb.cli" in asked(file)] == ["cli.py"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda file: file.stem)
def test_what_a_chapter_imports_is_there(notebook):
    for name in sorted(imports.notebook_imports(notebook)):
        room, _, last = name.rpartition(".")
        if not room or not hasattr(importlib.import_module(room), last):
            importlib.import_module(name)


def test_models_need_no_data():
    """A model is told shapes; where they come from isn't its business."""
    for file in (PACKAGE / "model").glob("*.py"):
        assert not [name for name in imports.module_imports(file) if name.startswith("hgnb.data")], file.name


WATCH = """
import sys

class Watch:  # first in line for every import; finds nothing, notes what hgnb's own modules ask for
    def find_spec(self, name, path=None, target=None):
        frame = sys._getframe(1)
        while "importlib" in frame.f_code.co_filename or "Watch" in frame.f_code.co_qualname:
            frame = frame.f_back
        if frame.f_globals.get("__name__", "").startswith(("hgnb", "figures")) and name.split(".")[0] in NONE_OF:
            sys.exit(f"{frame.f_globals['__name__']} imports {name}")

sys.meta_path.insert(0, Watch())
"""


def test_a_bare_machine_can_train():
    """What trains doesn't ask for Jupyter, plotting or the annotation parser (Lightning may)."""
    rooms = []
    for place in ("model", "metrics", "training"):
        files = sorted((PACKAGE / place).glob("[!_]*.py"))
        rooms += [f"hgnb.{place}", *(f"hgnb.{place}.{file.stem}" for file in files)]
    code = f"NONE_OF = {NOT_FOR_TRAINING}\n{WATCH}\nimport {', '.join(rooms)}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_watch_sees_plotting():
    code = f"NONE_OF = {NOT_FOR_TRAINING}\n{WATCH}\nimport figures.page"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.startswith("figures.page imports matplotlib")


def test_the_house_can_be_measured():
    told = subprocess.run([sys.executable, BENCHMARK], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(told) == 8 and all(re.search(r" +[\d,]+  of at most [\d,]+$", line) for line in told)
