"""A chapter as a notebook file: reading it, its parameters, and how a reader finds one of its cells."""

import ast
import re
import sys
from pathlib import Path
from typing import Any

from hgnb.errors import InputError, unknown

ANSI = re.compile(r"\x1b\[[0-9;]*m")  # colours in a program's output
# A grammar of international addresses that jsonschema, and so nbformat, has at hand if it is installed: to read it in
# takes a second of every process, and no notebook holds anything that it would check.
GRAMMAR = "rfc3987_syntax"


class ChapterError(InputError):
    """A chapter can't be run or published; the message names the chapter, the cell and what went wrong."""


def read(notebook: Path):
    """The notebook at that path, or a sentence saying why it isn't one."""
    sys.modules.setdefault(GRAMMAR, None)  # type: ignore[arg-type]  # Python's word for what can't be imported
    import nbformat

    if not notebook.is_file():
        near = sorted(path.name for path in notebook.parent.glob("*.ipynb")) if notebook.parent.is_dir() else []
        raise (
            unknown("notebook", notebook.name, near, str(notebook.parent))
            if near
            else InputError(f"There is no notebook {notebook}.")
        )
    try:
        return nbformat.read(notebook, as_version=4)
    except Exception as error:  # nbformat raises several kinds, none with the file's name
        raise InputError(f"{notebook} isn't a notebook: {str(error).splitlines()[0][:200]}") from error


def parameters(source) -> dict[str, Any]:
    """Names and defaults in the cell tagged `parameters`."""
    for cell in source.cells:
        if "parameters" in cell.metadata.get("tags", []):
            return {name: ast.literal_eval(node.value) for name, node in assignments(cell.source)}
    return {}


def assignments(code: str) -> list[tuple[str, ast.Assign]]:
    """The `name = literal` lines of a parameters cell."""
    return [
        (node.targets[0].id, node)
        for node in ast.parse(code).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]


def place(source, index: int, *, injected: bool = False) -> str:
    """The cell at `index` in a reader's words: its number among the code cells, and the heading above it.

    `injected`: the run had papermill's own cell after the parameters cell, which the notebook hasn't.
    """
    if injected:
        tagged = [i for i, cell in enumerate(source.cells) if "parameters" in cell.metadata.get("tags", [])]
        index -= bool(tagged and index > tagged[0])
    before = source.cells[: index + 1]
    number = sum(cell.cell_type == "code" for cell in before)
    headings = [
        line.lstrip("# ").strip()
        for cell in before
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if re.match(r"#+ ", line)
    ]
    return f"code cell {number}" + (f", below the heading '{headings[-1]}'" if headings else "")
