"""How large the house is: lines and modules, what a chapter imports, how many of its cells are one line, names twice.

CONTRIBUTING.md says what each may be. Lines are all that a file has, blank ones and docstrings too.
"""

import json
from collections import Counter
from pathlib import Path

import hgnb
from hgnb_book.imports import notebook_imports

ROOT = Path(__file__).resolve().parents[1]
MOST = {
    "lines of hgnb": 9_500, "modules of hgnb": 85, "lines of Python, all but tests, benchmarks and cells": 15_000,
    "modules that a chapter imports, most": 12, "code cells of 01 to 07 with one line, per cent": 30,
    "file names that the library has twice": 0, "public names": 30, "lines of tests": 9_000,
}  # fmt: skip


def lines(files: list[Path]) -> int:
    """Of all files."""
    return sum(len(file.read_text(encoding="utf8").splitlines()) for file in files)


def measured() -> dict[str, int]:
    """By the names in MOST."""
    library = sorted((ROOT / "hgnb").rglob("*.py"))
    others = [*(ROOT / "book").rglob("*.py"), *(ROOT / "notebooks/figures").rglob("*.py")]
    names = Counter(file.name for file in library if file.name != "__init__.py")
    chapters = sorted((ROOT / "notebooks").glob("*.ipynb"))
    rooms = [{module(name) for name in notebook_imports(chapter)} - {None} for chapter in chapters]
    taught = [chapter for chapter in chapters if "01" <= chapter.name[:2] <= "07"]
    cells = [code for chapter in taught for code in coded(chapter)]
    counts = (
        lines(library), len(library), lines([*library, *others]), max(map(len, rooms)),
        round(100 * sum(len(code) == 1 for code in cells) / len(cells)),
        sum(count > 1 for count in names.values()), len(hgnb.PUBLIC), lines(sorted((ROOT / "tests").rglob("*.py"))),
    )  # fmt: skip
    return dict(zip(MOST, counts, strict=True))


def module(name: str) -> Path | None:
    """The file of a dotted name; None of a package and of what a module defines."""
    file = Path(f"{name.replace('.', '/')}.py")
    return next((place for folder in ("", "notebooks") if (place := ROOT / folder / file).is_file()), None)


def coded(chapter: Path) -> list[list[str]]:
    """The lines of code of each code cell, without blank ones and comments; not of the cell of parameters."""
    cells = json.loads(chapter.read_text(encoding="utf8"))["cells"]
    code = [
        c["source"] for c in cells if c["cell_type"] == "code" and "parameters" not in c["metadata"].get("tags", [])
    ]
    stripped = [[line.strip() for line in "".join(source).splitlines()] for source in code]
    return [[line for line in cell if line and not line.startswith("#")] for cell in stripped]


if __name__ == "__main__":
    for name, count in measured().items():
        print(f"{name:55} {count:7,}  of at most {MOST[name]:,}")
