"""The import closure and the fingerprint, on a package small enough to read."""

import json

import pytest

from hgnb import sources
from hgnb.errors import InputError

FILES = {
    "__init__.py": "",
    "ground.py": '"""Ground."""\nX = 1\n',
    "upper/__init__.py": "",
    "upper/room.py": (
        '"""Room."""\nimport os\n\n\ndef f():\n    """Say."""\n    from small.ground import X\n\n    return X  # ten\n'
    ),
    "upper/near.py": "from . import room\nfrom ..ground import X\n",
    "upper/alone.py": "import json\n",
}


@pytest.fixture
def small(tmp_path):
    package = tmp_path / "small"
    for name, text in FILES.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    return package


def names(files, package):
    return [path.relative_to(package).as_posix() for path in files]


def test_closure_follows_imports_within_functions(small):
    found = sources.closure(["small.upper.room"], small)
    assert names(found, small) == ["__init__.py", "ground.py", "upper/__init__.py", "upper/room.py"]


def test_closure_follows_relative_imports(small):
    found = sources.closure(["small.upper.near"], small)
    assert "upper/room.py" in names(found, small)
    assert "ground.py" in names(found, small)
    assert "upper/alone.py" not in names(found, small)


def test_closure_resolves_a_module_imported_from_its_package(small):
    (small / "top.py").write_text("from small.upper import alone\n")
    assert "upper/alone.py" in names(sources.closure(["small.top"], small), small)
    assert "upper/room.py" not in names(sources.closure(["small.top"], small), small)


def test_names_within_a_module_lead_to_the_module(small):
    assert sources.closure(["small.ground.X"], small) == sources.closure(["small.ground"], small)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# ten", "# eleven", True),
        ('"""Say."""', '"""Say it."""', True),
        ('    """Say."""\n', "", True),
        ("import os\n\n\n", "import os\n", True),
        ("return X", "return X + 1", False),
        ("import os", "import sys", False),
    ],
)
def test_fingerprint_changes_with_code_only(small, old, new, same):
    before = sources.fingerprint(["small.upper.room"], small)
    file = small / "upper/room.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    assert (sources.fingerprint(["small.upper.room"], small) == before) is same


def test_fingerprint_sees_code_behind_an_import(small):
    before = sources.fingerprint(["small.upper.room"], small)
    (small / "ground.py").write_text("X = 2\n")
    assert sources.fingerprint(["small.upper.room"], small) != before


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
    assert sources.notebook_imports(path) == {"hgnb.data", "hgnb.data.coco"}


def test_what_is_not_python_or_no_notebook_is_named(tmp_path):
    path = tmp_path / "a.ipynb"
    with pytest.raises(InputError, match="no notebook"):
        sources.notebook_imports(path)
    path.write_text("{}")
    with pytest.raises(InputError, match="isn't a notebook"):
        sources.notebook_imports(path)
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": "x ="}]}))
    with pytest.raises(InputError, match="cell 1 isn't Python"):
        sources.notebook_imports(path)


def test_the_package_itself_has_a_closure():
    found = names(sources.closure(["hgnb.book.weave"]), sources.PACKAGE)
    assert {"__init__.py", "errors.py", "book/__init__.py", "book/weave.py", "book/chapter.py"} <= set(found)
