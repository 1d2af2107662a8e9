"""Which files a notebook or module is made of, read from their imports; nothing is imported to find out.

The Snakefile declares a chapter's modules as its inputs this way, and a run hashes the code that trained it.
Standard library only, so that asking costs no import of torch.
"""

import ast
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from hgnb.errors import InputError

PACKAGE = Path(__file__).resolve().parent


def closure(modules: Iterable[str], package: Path = PACKAGE) -> list[Path]:
    """Every file of `package` that importing `modules` can reach, sorted; imports inside functions count too.

    Packages' `__init__.py` on the way are part of it; names outside `package` are left out.
    """
    there, found, met = _modules(package), set[Path](), set[str]()
    waiting = set(modules)
    while waiting:
        name = waiting.pop()
        met.add(name)
        for file in _files(name, there):
            if file not in found:
                found.add(file)
                waiting |= module_imports(file, package) - met
    return sorted(found)


def fingerprint(modules: Iterable[str], package: Path = PACKAGE) -> str:
    """sha256 over the code of the closure of `modules`; comments, docstrings and layout don't change it."""
    digest = hashlib.sha256()
    for file in closure(modules, package):
        digest.update(f"{file.relative_to(package).as_posix()}\n{_code(file, _stamp(file))}\n".encode())
    return digest.hexdigest()


def notebook_imports(path: Path, package: Path = PACKAGE) -> set[str]:
    """Names of `package` that the code cells of the notebook at `path` import, as `hgnb.figures.dataset`."""
    names: set[str] = set()
    for number, cell in enumerate(_cells(path), 1):
        if cell.get("cell_type") == "code":
            lines = "".join(cell.get("source", "")).splitlines()
            code = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
            names |= set(_imported(_parse(code, path, f", cell {number}"), "", package.name))
    return names


def module_imports(file: Path, package: Path = PACKAGE) -> set[str]:
    """Names of `package` that the module at `file` imports, anywhere in it."""
    return set(_asked(file, package, _stamp(file)))


def _stamp(file: Path) -> tuple[int, int]:
    """Time and size: what was read of a file stays true while these are the same."""
    told = file.stat()
    return told.st_mtime_ns, told.st_size


@cache
def _code(file: Path, stamp: tuple[int, int]) -> str:
    """A module's syntax tree as text, without docstrings; a ledger asks for it a hundred times."""
    return ast.dump(_without_docstrings(_parse(file.read_text(encoding="utf8"), file)))


@cache
def _asked(file: Path, package: Path, stamp: tuple[int, int]) -> frozenset[str]:
    inside = file.relative_to(package.parent).with_suffix("").parts
    # what a leading dot means: the package itself in an __init__, else the one the module lies in
    here = ".".join(inside[:-1])
    return frozenset(_imported(_parse(file.read_text(encoding="utf8"), file), here, package.name))


def _modules(package: Path) -> dict[str, Path]:
    """Every module of a package by its dotted name, a package by its `__init__`: one walk, not a question for each."""
    found = {}
    for folder, _, names in os.walk(package):
        here = (package.name, *Path(folder).relative_to(package).parts)
        for name in names:
            if name.endswith(".py"):
                parts = here if name == "__init__.py" else (*here, name.removesuffix(".py"))
                found[".".join(parts)] = Path(folder, name)
    return found


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


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return tree


def _parse(code: str, file: Path, where: str = "") -> ast.Module:
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise InputError(f"{file.name}{where} isn't Python: {error.msg} (line {error.lineno}).") from error


def _cells(path: Path) -> list[dict]:
    try:
        return json.loads(path.read_text(encoding="utf8"))["cells"]
    except FileNotFoundError as error:
        raise InputError(f"There is no notebook {path}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} isn't a notebook (nbformat 4): {error}.") from error
