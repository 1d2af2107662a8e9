"""Fingerprints of meaning: a hash of the definitions that numbers come from, found by what they name.

Read from syntax trees; nothing is imported to find out, and only the standard library is needed. A definition is what a
module of the package makes at its top: a function, a class with its methods, a constant. Each that a reached one names
is reached too, through imports, what a package's `__init__` hands on and attributes of modules; a module handed on as
an object brings all of itself. Definitions are numbered as they are met from the roots on, and hashed in that order.

Not hashed: names and places of modules, functions, classes and constants, imports, the order of definitions,
docstrings, comments, annotations, `typing.cast`, assertions, what a raised error says, and string literals given for a
parameter or field of the package called as in PROSE. This module and `identity` are never part of a fingerprint.
"""

import ast
import dis
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import resolve_name
from itertools import zip_longest
from pathlib import Path
from types import CodeType

from hgnb.errors import InputError

PACKAGE = Path(__file__).resolve().parent
PROSE = {"title", "words", "caption", "unit", "source"}  # parameters whose string literals change no number
HASHER = ("hgnb.definitions", "hgnb.identity")
SILENT = {"ctx", "type_comment", "kind", "type_params", "returns", "annotation"}  # fields of nodes
GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")  # operations on names that no function binds
Function = ast.FunctionDef | ast.AsyncFunctionDef

Key = tuple[str, str]  # (module, name) of a definition, (module, "") of a module, ("", path) of what lies elsewhere
Stamp = tuple[int, int]  # time and size: what was read of a file stays true while these are the same


def fingerprint(roots: Iterable[str], package: Path = PACKAGE) -> str:
    """sha256 in hex over everything that `roots` reach, see above; it doesn't depend on their order.

    A root is a dotted name of a definition, as `hgnb.training.modules.PoseModule`, or of a module, which is all that it
    defines. InputError where there is none of that name.
    """
    units = reached(roots, package)
    number: dict[str | Key, str] = {key: f"@{place}" for place, key in enumerate(units)}
    return _digest(number.get(word, str(word)) for unit in units.values() for word in unit.words)


def reached(roots: Iterable[str], package: Path = PACKAGE) -> Mapping[Key, "Unit"]:
    """What `roots` reach, in the order in which it is met."""
    files = tuple((name, file, stamp(file)) for name, file in sorted(modules(package).items()))
    return _reached(tuple(sorted(set(roots))), files)


@cache
def _reached(roots: tuple[str, ...], files: tuple[tuple[str, Path, Stamp], ...]) -> Mapping[Key, "Unit"]:
    package = _Package({name: (file, state) for name, file, state in files})
    met = {}
    for root in roots:
        key = package.find(*root.rpartition(".")[::2])
        if not key[0]:
            raise InputError(f"There is no definition {root}: a fingerprint can't be taken of it.")
        met[key] = Unit(package, key)
    waiting = sorted(met, key=lambda key: _digest(w if isinstance(w, str) else "@" for w in met[key].words))
    found: dict[Key, Unit] = {}
    for key in waiting:  # it grows
        if key not in found and key[0] not in ("", *HASHER):
            found[key] = Unit(package, key)
            waiting += [word for word in found[key].words if isinstance(word, tuple)]
    return found


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(words).encode("utf8", "surrogatepass")).hexdigest()


def modules(package: Path) -> dict[str, Path]:
    """Every module of a package by its dotted name, a package by its `__init__`."""
    found = {}
    for file in package.rglob("*.py"):
        *parts, last = file.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts if last == "__init__" else [*parts, last])] = file
    return found


def stamp(file: Path) -> Stamp:
    """Of a file as it is now."""
    told = file.stat()
    return told.st_mtime_ns, told.st_size


def named_in(code: CodeType, *operations: str) -> set[str]:
    """The names that operations of code, and of all code within it, are about."""
    found = {str(i.argval) for i in dis.get_instructions(code) if i.opname in operations}
    return found.union(*(named_in(inner, *operations) for inner in code.co_consts if isinstance(inner, CodeType)))


def _imports(statements: Iterable[ast.AST], here: str) -> dict[str, Key]:
    """What the imports in statements lead to, by the names they give; `here`: the package of a leading dot."""
    found: dict[str, Key] = {}
    for node in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                found[alias.asname or first] = (alias.name if alias.asname else first, "")
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), here)
            found |= {alias.asname or alias.name: (base, alias.name) for alias in node.names}
    return found


@dataclass(frozen=True)
class _Module:
    names: Mapping[str, list[ast.stmt]]  # the statements that make or change each of its names
    imports: Mapping[str, Key]
    here: str  # the package of a leading dot


@cache
def _opened(name: str, file: Path, state: Stamp) -> _Module:
    here = name if file.name == "__init__.py" else name.rpartition(".")[0]
    body = ast.parse(file.read_text("utf8")).body
    imports = _imports([s for s in body if not isinstance(s, Function | ast.ClassDef)], here)
    names: dict[str, list[ast.stmt]] = {}
    for statement in body:
        code = list(dis.get_instructions(compile(ast.Module([statement], []), name, "exec")))
        stored = {str(i.argval) for i in code if i.opname == "STORE_NAME"}
        changed = {str(i.argval) for i in code if i.opname == "LOAD_NAME"} & names.keys()  # as of X[0] = 1, X.add(1)
        for made in (stored or changed) - imports.keys():
            names.setdefault(made, []).append(statement)
    return _Module(names, imports, here)


@dataclass(frozen=True)
class _Package:
    files: Mapping[str, tuple[Path, Stamp]]  # by the names of modules

    def module(self, name: str) -> _Module:
        return _opened(name, *self.files[name])

    def find(self, module: str, name: str = "") -> Key:
        """Where a module, or a name of it, leads."""
        if module not in self.files:
            return "", f"{module}.{name}".removesuffix(".")
        here = self.module(module)
        if not name or name in here.names:
            return module, name
        there = here.imports.get(name, (module, name))
        return self.find(f"{module}.{name}") if there == (module, name) else self.find(*there)


class Unit:
    """A definition as it is hashed: its syntax as words, and keys where it names others."""

    def __init__(self, package: _Package, key: Key):
        module, name = key
        here = package.module(module)
        self.package, self.words = package, list[str | Key]([] if name else [(module, n) for n in sorted(here.names)])
        self.top = here.names.get(name, [])
        code = compile(ast.Module(self.top, []), module, "exec")  # the compiler tells what isn't a function's own
        used = named_in(code, *GLOBALS) | {name}
        self.borrowed = {n: package.find(*here.imports[n]) for n in used if n in here.imports}
        known = {n: (module, n) for n in used if n in here.names} | self.borrowed
        self.known = known | {n: package.find(*there) for n, there in _imports(self.top, here.here).items()}
        for statement in self.top:
            self.write(statement)

    def write(self, node: ast.AST) -> None:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Pass() | ast.AnnAssign(value=None):
                pass
            case ast.Expr(value=ast.Constant() | ast.JoinedStr()):  # a docstring
                pass
            case ast.Raise(exc=error):  # what kind of error
                self.words.append(f"raise {ast.unparse(getattr(error, 'func', error)) if error else ''}")
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.fields(ast.Assign([target], value))
            case ast.Call(args=[_, value]) if self.place(node.func) == ("", "typing.cast"):
                self.write(value)
            case ast.Call() if (called := self.place(node.func)) and called[0]:
                self.fields(self.plain(node, *called))
            case ast.Name() | ast.Attribute() if key := self.place(node):
                self.words.append(key)
            case _:
                self.fields(node)

    def fields(self, node: ast.AST) -> None:
        self.words.append(type(node).__name__)
        for name, value in ast.iter_fields(node):
            if name in SILENT or value is None or value == [] or (name == "name" and node in self.top):
                continue
            self.words.append(name)
            parts = value if isinstance(value, list) else [value]
            if isinstance(node, ast.ClassDef) and name == "body":  # whose methods may stand in any order
                parts = sorted(map(_field, parts), key=lambda part: getattr(part, "name", ""))
            for part in parts:
                self.write(part) if isinstance(part, ast.AST) else self.words.append(repr(part))
        self.words.append("end")

    def plain(self, node: ast.Call, module: str, name: str) -> ast.Call:
        """A call of something of the package, without strings for people."""
        made = self.package.module(module).names.get(name, [None])[-1]
        names = [one.arg for one in made.args.posonlyargs + made.args.args] if isinstance(made, Function) else []
        given = zip_longest(names[: len(node.args)], node.args)
        keywords = [one for one in node.keywords if not _prose(one.arg, one.value)]
        return ast.Call(node.func, [value for name, value in given if not _prose(name, value)], keywords)

    def place(self, node: ast.AST) -> Key | None:
        """Where a name, or an attribute of a module, leads; None where it leads nowhere that is known."""
        match node:
            case ast.Name(id=name):
                return self.known.get(name)
            case ast.Attribute(value=value, attr=name):
                match self.place(value):
                    case "", path:
                        return "", f"{path}.{name}"
                    case module, "":
                        return self.package.find(module, name)
        return None


def _field(node: ast.stmt) -> ast.AST:
    """A statement of a class; a field is its name and its default."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        name, value = node.target.id, node.value
        return ast.keyword(name, ast.Constant(...) if value is None or _prose(name, value) else value)
    return node


def _prose(name: str | None, value: ast.AST) -> bool:
    """Whether it is a string, or an f-string, for people."""
    text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return name in PROSE and (text or isinstance(value, ast.JoinedStr))
