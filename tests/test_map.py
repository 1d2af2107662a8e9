"""The map of the house in CONTRIBUTING.md: what it names is there, and what is there it names."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MADE = {"data/", "_build/", "site/", "book/_executed/"}  # by a build
MAP = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf8").split("## A map of the house")[1].split("\n## ")[0]
TABLES = [
    [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    for table in re.findall(r"(?:^\|.*\n)+", MAP, re.M)
]
PACKAGE, BOOK, FIGURES = ROOT / "hgnb", "book/hgnb_book", "notebooks/figures"


def paths(cell: str) -> list[str]:
    """What a cell names in code letters."""
    return re.findall(r"`([^`]+)`", cell)


def rooms() -> list[str]:
    """First column of the first table; names without a folder are modules of the package itself."""
    return [name if "/" in name else f"hgnb/{name}" for row in TABLES[0] for name in paths(row[0])]


def test_there_are_three_tables():
    assert [len(table[0]) for table in TABLES] == [3, 2, 3] and all(len(table) > 5 for table in TABLES)


def test_every_room_is_on_the_map():
    there = [f for f in PACKAGE.iterdir() if (f / "__init__.py").is_file() or f.suffix == ".py"]
    assert sorted(rooms()) == sorted([BOOK, FIGURES, *(f"hgnb/{f.name}" for f in there if f.name != "__init__.py")])


def test_every_folder_is_on_the_map():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no checkout, so nobody knows what belongs to it")
    tracked = {line.split("/")[0] for line in done.stdout.splitlines() if "/" in line}
    named = {name.split("/")[0] for table in TABLES for row in table for cell in row for name in paths(cell)}
    assert tracked <= named


@pytest.mark.parametrize("row", [row for table in TABLES for row in table], ids=lambda row: row[0][:40])
def test_what_a_row_names_is_there(row):
    """Files and folders by path, and in brackets the modules of the row's own room."""
    for name in [name for cell in row for name in paths(cell)]:
        if "/" in name and name not in MADE:
            assert any((folder / name).exists() for folder in (ROOT, *(ROOT / own for own in paths(row[0])))), name
    if paths(row[0]) and row[0].startswith(("`hgnb/", f"`{BOOK}`")):
        for name in re.findall(r"\(((?:`\w+`(?:, )?)+)\)", row[1]):
            assert all((ROOT / paths(row[0])[0] / f"{module}.py").is_file() for module in paths(name)), name


def test_every_room_says_what_it_is():
    """The first line of a module is what a newcomer reads."""
    for file in [*PACKAGE.rglob("*.py"), *(ROOT / BOOK).glob("*.py"), *(ROOT / FIGURES).rglob("*.py")]:
        assert file.read_text(encoding="utf8").startswith('"""'), file
