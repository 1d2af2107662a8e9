"""Which files a notebook or module is made of, read from their imports; nothing is imported to find out.

The Snakefile declares a chapter's modules as its inputs this way. Standard library only, so that asking costs no
import of torch. What a number comes from is another question: `hgnb.definitions.fingerprint`.
"""

import ast
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from hgnb.definitions import PACKAGE, parsed, stamp, tree
from hgnb.definitions import modules as modules_of
from hgnb.errors import InputError

HOUSE = (
    PACKAGE,
    *(PACKAGE.parent / part for part in ("notebooks/figures", "book/hgnb_book")),
)  # the packages of a chapter


def closure(modules: Iterable[str], *packages: Path) -> list[Path]:
    """Every file of `packages` (of the book's, where none is named) that importing `modules` can reach, sorted.

    Imports inside functions count too, and the `__init__.py` on the way; names outside `packages` are left out.
    """
    packages = packages or HOUSE
    there = {name: file for package in packages for name, file in modules_of(package).items()}
    found, met = set[Path](), set[str]()
    waiting = set(modules)
    while waiting:
        name = waiting.pop()
        met.add(name)
        for file in _files(name, there):
            if file not in found:
                found.add(file)
                waiting |= module_imports(file, *packages) - met
    return sorted(found)


def notebook_imports(path: Path, *packages: Path) -> set[str]:
    """Names of `packages` that the code cells of the notebook at `path` import, as `figures.ch03`."""
    names: set[str] = set()
    inside = frozenset(package.name for package in packages or HOUSE)
    for number, cell in enumerate(_cells(path), 1):
        if cell.get("cell_type") == "code":
            lines = "".join(cell.get("source", "")).splitlines()
            code = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
            names |= set(_imported(parsed(code, path, f", cell {number}"), "", inside))
    return names


def module_imports(file: Path, *packages: Path) -> set[str]:
    """Names of `packages` that the module at `file`, of one of them, imports, anywhere in it."""
    return set(_asked(file, packages or HOUSE, stamp(file)))


@cache
def _asked(file: Path, packages: tuple[Path, ...], state: tuple[int, int]) -> frozenset[str]:
    own = next(package for package in packages if file.is_relative_to(package))
    inside = file.relative_to(own.parent).with_suffix("").parts
    # what a leading dot means: the package itself in an __init__, else the one the module lies in
    here = ".".join(inside[:-1])
    return frozenset(_imported(tree(file, state), here, frozenset(package.name for package in packages)))


def _files(name: str, there: dict[str, Path]) -> list[Path]:
    """The files that importing the dotted `name` runs; of a name within a module, the module's."""
    parts = name.split(".")
    return [there[on] for on in (".".join(parts[:end]) for end in range(1, len(parts) + 1)) if on in there]


def _imported(tree: ast.AST, here: str, packages: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = here.split(".")[: len(here.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]  # `from package import module`
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in packages)


def _cells(path: Path) -> list[dict]:
    try:
        return json.loads(path.read_text(encoding="utf8"))["cells"]
    except FileNotFoundError as error:
        raise InputError(f"There is no notebook {path}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} isn't a notebook (nbformat 4): {error}.") from error
