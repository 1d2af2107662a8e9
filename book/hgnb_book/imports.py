"""Which files a notebook or module is made of, read from their imports; nothing is imported to find out.

The Snakefile declares a chapter's modules as its inputs this way. Standard library only, so that asking costs no
import of torch. What a number comes from is another question: `hgnb.definitions.fingerprint`.
"""

import ast
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

from hgnb.definitions import PACKAGE, stamp
from hgnb.definitions import modules as modules_of
from hgnb.errors import InputError

# the packages of a chapter
HOUSE = (PACKAGE, *(PACKAGE.parent / part for part in ("notebooks/figures", "book/hgnb_book")))
# rooms from the ground up; what lies beside the wings of hgnb is its ground
STOREYS = (
    "ground", "data", "model", "training", "analysis", "claims", "drawing", "cli", "figures", "hgnb_book",
)  # fmt: skip


def closure(modules: Iterable[str], *packages: Path) -> list[Path]:
    """Every file of `packages` (of the book's, where none is named) that importing `modules` can reach, sorted.

    Imports inside functions count too, and the `__init__.py` on the way; names outside `packages` are left out.
    """
    there = {name: file for package in packages or HOUSE for name, file in modules_of(package).items()}
    found, met, waiting = set[Path](), set[str](), set(modules)
    while waiting:
        name = waiting.pop()
        met.add(name)
        parts = name.split(".")
        on_the_way = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        for file in {there[place] for place in on_the_way if place in there} - found:
            found.add(file)
            waiting |= module_imports(file, *packages) - met
    return sorted(found)


def notebook_imports(path: Path, *packages: Path) -> set[str]:
    """Names of `packages` that the code cells of the notebook at `path` import, as `figures.ch03`."""
    try:
        cells = json.loads(path.read_text(encoding="utf8"))["cells"]
    except FileNotFoundError as error:
        raise InputError(f"There is no notebook {path}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} isn't a notebook (nbformat 4): {error}.") from error
    names: set[str] = set()
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") == "code":
            lines = "".join(cell.get("source", "")).splitlines()
            code = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
            names |= set(_imported(_parsed(code, path, f", cell {number}"), "", packages or HOUSE))
    return names


def module_imports(file: Path, *packages: Path) -> set[str]:
    """Names of `packages` that the module at `file`, of one of them, imports, anywhere in it."""
    return set(_asked(file, packages or HOUSE, stamp(file)))


@cache
def _asked(file: Path, packages: tuple[Path, ...], state: tuple[int, int]) -> frozenset[str]:
    own = next(package for package in packages if file.is_relative_to(package))
    # what a leading dot means: the package itself in an __init__, else the one the module lies in
    here = ".".join(file.relative_to(own.parent).parent.parts)
    return frozenset(_imported(_parsed(file.read_text(encoding="utf8"), file), here, packages))


def _parsed(code: str, file: Path, where: str = "") -> ast.Module:
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise InputError(f"{file.name}{where} isn't Python: {error.msg} (line {error.lineno}).") from error


def _imported(tree: ast.AST, here: str, packages: tuple[Path, ...]) -> Iterator[str]:
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), here)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]  # `from package import module`
        yield from (name for name in names if name.split(".")[0] in {package.name for package in packages})


def storey(name: str) -> int:
    """Where a module stands in STOREYS, by its dotted name."""
    package, _, rest = name.partition(".")
    room = rest.partition(".")[0] if package == PACKAGE.name else package
    return STOREYS.index(room) if room in STOREYS else 0


def knowing() -> Counter[tuple[int, int]]:
    """How many modules of one storey import from another."""
    named = [(storey(name), file) for package in HOUSE for name, file in modules_of(package).items()]
    return Counter((own, other) for own, file in named for other in {storey(name) for name in module_imports(file)})


def drawn() -> str:
    """The same as a table in Markdown, the uppermost storey first; a storey's own modules aren't counted."""
    found, known = knowing(), range(len(STOREYS) - 1)  # nobody knows the uppermost
    head = [f"| knows | {' | '.join(STOREYS[i] for i in known)} |", "| --- |" + " ---: |" * len(known)]
    rows = (
        f"| `{STOREYS[i]}` | {' | '.join(str(found[i, j] or '') if j < i else '' for j in known)} |"
        for i in range(len(STOREYS) - 1, 0, -1)
    )
    return "\n".join([*head, *rows]) + "\n"
