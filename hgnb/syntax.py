"""What a module of a package defines, imports and binds, read from its syntax tree. Standard library only."""

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hgnb.errors import InputError

PACKAGE = Path(__file__).resolve().parent
Function = ast.FunctionDef | ast.AsyncFunctionDef
COMPREHENSION = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
IDLE = ast.Import | ast.ImportFrom | ast.Assert | ast.Pass


@dataclass(frozen=True)
class Module:
    """What a module defines and imports."""

    names: dict[str, list[ast.stmt]]  # the statements that make each name
    imports: dict[str, str]  # dotted path by the name it goes by


def modules(package: Path) -> dict[str, Path]:
    """Every module of a package by its dotted name, a package by its `__init__`: one walk, not a question for each."""
    found = {}
    for folder, _, names in os.walk(package):
        here = (package.name, *Path(folder).relative_to(package).parts)
        for name in names:
            if name.endswith(".py"):
                parts = here if name == "__init__.py" else (*here, name.removesuffix(".py"))
                found[".".join(parts)] = Path(folder, name)
    return found


def stamp(file: Path) -> tuple[int, int]:
    """Time and size: what was read of a file stays true while these are the same."""
    told = file.stat()
    return told.st_mtime_ns, told.st_size


def parsed(code: str, file: Path, where: str = "") -> ast.Module:
    """Its syntax tree; InputError where it is no Python."""
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise InputError(f"{file.name}{where} isn't Python: {error.msg} (line {error.lineno}).") from error


@cache
def tree(file: Path, state: tuple[int, int]) -> ast.Module:
    """The syntax tree of a file of that stamp."""
    return parsed(file.read_text(encoding="utf8"), file)


@cache
def opened(file: Path, name: str, state: tuple[int, int]) -> Module:
    """The module called `name`, of a file of that stamp."""
    body = tree(file, state).body
    names: dict[str, list[ast.stmt]] = {}
    imports: dict[str, str] = {}
    here = name if file.name == "__init__.py" else name.rpartition(".")[0]
    defined = set(bound(body, here)) - set(aliases(body, here))
    for statement in body:
        if typing_only(statement) or (isinstance(statement, IDLE) and not aliases([statement], here)):
            continue
        imports |= aliases([statement], here)
        for made in _made(statement, defined):
            names.setdefault(made, []).append(statement)
    return Module(names, imports)


def _made(statement: ast.stmt, defined: set[str]) -> Iterable[str]:
    """The names of a module that a statement at its top has a part in making."""
    if isinstance(statement, Function | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return []
    within: list[ast.AST] = [statement]
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):  # of TABLE[key] = value, TABLE
        within = list(statement.targets if isinstance(statement, ast.Assign) else [statement.target])
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):  # of TABLE.update(...), TABLE
        within = [statement.value.func]
    inner = [node for part in within for node in ast.walk(part)]
    found = {node.id for node in inner if isinstance(node, ast.Name)}
    kept = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    kept |= {node.name for node in inner if isinstance(node, Function | ast.ClassDef)}
    return (kept & defined) or (found & defined)


def typing_only(statement: ast.stmt) -> bool:
    """Whether it is `if TYPE_CHECKING:` or `if __name__ == "__main__":`."""
    if not isinstance(statement, ast.If):
        return False
    return any(isinstance(n, ast.Name) and n.id in ("TYPE_CHECKING", "__name__") for n in ast.walk(statement.test))


def aliases(body: Iterable[ast.AST], here: str) -> dict[str, str]:
    """Dotted paths by the names that imports give them, not within functions; `here`: the package of a leading dot."""
    found = {}
    for node in _level(body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            up = here.split(".")[: len(here.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*up, *([node.module] if node.module else [])])
            found |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
    return found


def _level(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Nodes of one scope: functions, classes and comprehensions within count as one node each."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda | COMPREHENSION):
            waiting.extend(ast.iter_child_nodes(node))
        elif isinstance(node, COMPREHENSION):  # := within binds around it
            waiting.extend(inner.target for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))


def bound(body: Iterable[ast.AST], here: str) -> dict[str, str | None]:
    """The names that a scope binds: the dotted path of an import, None of anything else."""
    found: dict[str, str | None] = {}
    elsewhere: set[str] = set()
    body = list(body)
    for node in _level(body):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found[node.id] = None
        elif isinstance(node, Function | ast.ClassDef) or (isinstance(node, ast.ExceptHandler) and node.name):
            found[str(node.name)] = None
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            found[node.name] = None
        elif isinstance(node, ast.Global | ast.Nonlocal):
            elsewhere.update(node.names)
    found |= aliases(body, here)
    return {name: path for name, path in found.items() if name not in elsewhere}


def chain(node: ast.AST) -> tuple[ast.AST, list[str]]:
    """`a.b.c` -> a, [b, c]."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.insert(0, node.attr)
        node = node.value
    return node, attributes


def literal(node: ast.AST, any_kind: bool = False) -> bool:
    """Whether it is a string, or an f-string; `any_kind`: or any constant."""
    constant = isinstance(node, ast.Constant) and (any_kind or isinstance(node.value, str))
    return constant or isinstance(node, ast.JoinedStr)
