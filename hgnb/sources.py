"""Which files a notebook or module is made of, read from their imports; nothing is imported to find out.

The Snakefile declares a chapter's modules as its inputs this way. Standard library only, so that asking costs no
import of torch. What a number comes from is another question: `fingerprint`, of `hgnb.definitions`.
"""

import ast
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from hgnb.definitions import fingerprint as fingerprint
from hgnb.errors import InputError
from hgnb.syntax import PACKAGE, parsed, stamp, tree
from hgnb.syntax import modules as modules_of


def closure(modules: Iterable[str], package: Path = PACKAGE) -> list[Path]:
    """Every file of `package` that importing `modules` can reach, sorted; imports inside functions count too.

    Packages' `__init__.py` on the way are part of it; names outside `package` are left out.
    """
    there, found, met = modules_of(package), set[Path](), set[str]()
    waiting = set(modules)
    while waiting:
        name = waiting.pop()
        met.add(name)
        for file in _files(name, there):
            if file not in found:
                found.add(file)
                waiting |= module_imports(file, package) - met
    return sorted(found)


def notebook_imports(path: Path, package: Path = PACKAGE) -> set[str]:
    """Names of `package` that the code cells of the notebook at `path` import, as `hgnb.figures.dataset`."""
    names: set[str] = set()
    for number, cell in enumerate(_cells(path), 1):
        if cell.get("cell_type") == "code":
            lines = "".join(cell.get("source", "")).splitlines()
            code = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
            names |= set(_imported(parsed(code, path, f", cell {number}"), "", package.name))
    return names


def module_imports(file: Path, package: Path = PACKAGE) -> set[str]:
    """Names of `package` that the module at `file` imports, anywhere in it."""
    return set(_asked(file, package, stamp(file)))


@cache
def _asked(file: Path, package: Path, state: tuple[int, int]) -> frozenset[str]:
    inside = file.relative_to(package.parent).with_suffix("").parts
    # what a leading dot means: the package itself in an __init__, else the one the module lies in
    here = ".".join(inside[:-1])
    return frozenset(_imported(tree(file, state), here, package.name))


def _files(name: str, there: dict[str, Path]) -> list[Path]:
    """The files that importing the dotted `name` runs; of a name within a module, the module's."""
    parts = name.split(".")
    return [there[on] for on in (".".join(parts[:end]) for end in range(1, len(parts) + 1)) if on in there]


def _imported(tree: ast.AST, here: str, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = here.split(".")[: len(here.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]  # `from package import module`
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == package)


def _cells(path: Path) -> list[dict]:
    try:
        return json.loads(path.read_text(encoding="utf8"))["cells"]
    except FileNotFoundError as error:
        raise InputError(f"There is no notebook {path}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} isn't a notebook (nbformat 4): {error}.") from error
