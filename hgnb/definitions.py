"""Fingerprints of meaning: a hash of the definitions that numbers come from, found by what they call.

Read from syntax trees alone; nothing is imported to find out, and only the standard library is needed. A definition is
a function, class, method or module-level constant of the package. From roots it is followed through imports, names
that a package's `__init__` hands on, attributes of modules, bases, decorators, defaults and constants.

What can't be resolved is decided in a way that doesn't depend on where things lie: `thing.name` on an unknown object
reaches whatever is called `name` in the classes that are reached; `self.name` and `super().name` stay among the class,
its bases and its heirs. A reached class brings its fields and double-underscore methods along, and all its methods
where it inherits from another library, which calls them. `getattr` reaches what the strings beside it name. A module
that is handed on as an object brings all of itself.

Not hashed: paths, names of modules, imports and their aliases, the order of definitions, names of functions, classes
and constants, docstrings, comments, annotations, `typing.cast`, assertions, what a raised error says, and string
literals for people, which are those given for a parameter or field of the package called as in PROSE. This module
itself is never part of a fingerprint.
"""

import ast
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hgnb.errors import InputError
from hgnb.syntax import (
    COMPREHENSION,
    IDLE,
    PACKAGE,
    Function,
    Module,
    bound,
    chain,
    literal,
    modules,
    opened,
    stamp,
    typing_only,
)

PROSE = {"title", "words", "caption", "unit", "source"}  # parameters whose string literals change no number
HASHER = {"definitions", "syntax", "sources", "identity"}

Key = tuple[str, str]  # (module, name), of a method (module, "Class.name")
SILENT = {"ctx", "type_comment", "kind", "type_params", "returns", "annotation"}  # fields of nodes


def fingerprint(roots: Iterable[str], package: Path = PACKAGE) -> str:
    """sha256 in hex over everything that `roots` reach, see above; it doesn't depend on their order.

    A root is a dotted name: `hgnb.training.modules.PoseModule` (with all its methods),
    `hgnb.training.passes.Reader.latents`, a function, a constant, or a module, which is all that it defines.
    InputError where there is none of that name.
    """
    return _fingerprint(tuple(sorted(set(roots))), package, _state(package))


def reached(roots: Iterable[str], package: Path = PACKAGE) -> dict[Key, "Unit"]:
    """What `roots` reach, by module and name."""
    return _reached(tuple(sorted(set(roots))), package, _state(package))


@dataclass
class Unit:
    """A definition as it is hashed."""

    words: list[str] = field(default_factory=list)  # its syntax, each reference an "@"
    references: list[Key] = field(default_factory=list)  # in the order of the "@"
    mentions: set[str] = field(default_factory=set)  # attributes of objects that aren't known
    own: set[str] = field(default_factory=set)  # attributes of self
    foreign: set[str] = field(default_factory=set)  # dotted paths into other libraries
    borrowed: dict[str, Key | str] = field(default_factory=dict)  # imported names; a definition, or a dotted path
    methods: dict[str, list[Function]] = field(default_factory=dict)  # of a class
    bases: list[Key] = field(default_factory=list)  # of a class, within the package
    open: bool = False  # whether a base is of another library


def _state(package: Path) -> tuple[tuple[str, Path, tuple[int, int]], ...]:
    return tuple((name, file, stamp(file)) for name, file in sorted(modules(package).items()))


@cache
def _fingerprint(roots: tuple[str, ...], package: Path, state: tuple) -> str:
    return _hashed(_reached(roots, package, state))


def _hashed(units: dict[Key, Unit]) -> str:
    """Over the multiset of definitions, each told from others by its syntax and by what it refers to, so that neither
    names nor order count: colours of a graph, refined until they stay (Weisfeiler & Leman 1968)."""
    plain = {key: _digest(" ".join(unit.words)) for key, unit in units.items()}
    colours = dict(plain)
    for _ in units:
        referred = {key: [colours.get(r, "the hasher") for r in unit.references] for key, unit in units.items()}
        finer = {key: _digest(" ".join([plain[key], *referred[key]])) for key in units}
        before, colours = len(set(colours.values())), finer
        if len(set(finer.values())) == before:
            break
    return _digest("\n".join(sorted(colours.values())))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()


@cache
def _reached(roots: tuple[str, ...], package: Path, state: tuple) -> dict[Key, Unit]:
    return _Walk(package, {name: (file, told) for name, file, told in state}).reach(roots)


class _Walk:
    """The package seen from roots."""

    def __init__(self, package: Path, files: dict[str, tuple[Path, tuple[int, int]]]):
        self.package, self.files = package, files
        self.units: dict[Key, Unit] = {}

    def module(self, name: str) -> Module:
        file, told = self.files[name]
        return opened(file, name, told)

    def resolve(self, path: str) -> tuple[str, Key | None, list[str]]:
        """('definition', its key, attributes left), ('module', (name, ""), []), or ('foreign', None, parts)."""
        parts = path.split(".")
        module, at = parts[0], 1
        if module != self.package.name or module not in self.files:
            return "foreign", None, parts
        while at < len(parts):
            here, name = self.module(module), parts[at]
            inner = f"{module}.{name}"
            if name in here.names:
                return "definition", (module, name), parts[at + 1 :]
            target = here.imports.get(name, inner).split(".")
            # a name that a package takes from its module of the same name leads into that module
            if target != inner.split(".") and parts[: len(target)] != target:
                return self.resolve(".".join([*target, *parts[at + 1 :]]))
            if inner not in self.files:
                return "foreign", None, parts
            module, at = inner, at + 1
        return "module", (module, ""), []

    def reach(self, roots: Iterable[str]) -> dict[Key, Unit]:
        whole: set[Key] = set()
        for root in roots:
            kind, key, rest = self.resolve(root)
            if key is None:
                raise InputError(f"There is no definition {root}: a fingerprint can't be taken of it.")
            keys = [(key[0], name) for name in self.module(key[0]).names] if kind == "module" else [key]
            for one in keys:
                self.take(one)
            if rest and (rest[0] not in self.units[key].methods or len(rest) > 1):
                raise InputError(f"There is no definition {root}: a fingerprint can't be taken of it.")
            if rest:
                self.take((key[0], f"{key[1]}.{rest[0]}"))
            else:
                whole.update(keys)
        self.methods(whole)
        for key, unit in self.units.items():
            for name in sorted(unit.methods):
                if (method := (key[0], f"{key[1]}.{name}")) in self.units:
                    unit.words.append(f"method {name} @")
                    unit.references.append(method)
        return self.units

    def take(self, key: Key) -> None:
        """A definition and all that it names."""
        waiting = [key]
        while waiting:
            key = waiting.pop()
            if key in self.units or key[0].removeprefix(f"{self.package.name}.") in HASHER:
                continue
            owner, _, method = key[1].partition(".")
            if method and (key[0], owner) not in self.units:
                waiting += [key, (key[0], owner)]  # a class before its methods
                continue
            if method:
                made: list = self.units[key[0], owner].methods[method]
            else:
                made = self.module(key[0]).names[owner]
            self.units[key] = _Scan(self, key[0], bool(method)).unit(made)
            waiting.extend(self.units[key].references)

    def methods(self, whole: set[Key]) -> None:
        """The methods that anything reached may call, and what they reach, until there are no more."""
        while True:
            classes = [(key, unit) for key, unit in self.units.items() if unit.methods]
            mentioned = {name for unit in self.units.values() for name in unit.mentions}
            own: dict[Key, set[str]] = {}
            for (module, name), unit in self.units.items():
                if unit.own:
                    own.setdefault((module, name.partition(".")[0]), set()).update(unit.own)
            called: dict[Key, set[str]] = {}
            for owner, names in own.items():  # of self: of its bases, and of all that inherit from it
                for kin in {*self.line(owner), *(key for key, _ in classes if owner in self.line(key))}:
                    called.setdefault(kin, set()).update(names)
            new = [
                (key[0], f"{key[1]}.{name}")
                for key, unit in classes
                for name in unit.methods
                if key in whole or self.foreign(key) or _special(name)
                or name in mentioned or name in called.get(key, ())
            ]  # fmt: skip
            new = [key for key in new if key not in self.units]
            if not new:
                return
            for key in new:
                self.take(key)

    def line(self, key: Key) -> set[Key]:
        """A class and its bases within the package."""
        found, waiting = set[Key](), [key]
        while waiting:
            one = waiting.pop()
            if one not in found and one in self.units:
                found.add(one)
                waiting.extend(self.units[one].bases)
        return found

    def foreign(self, key: Key) -> bool:
        return any(self.units[one].open for one in self.line(key))

    def kind(self, key: Key) -> bool:
        """Whether it is a class."""
        return isinstance(self.module(key[0]).names[key[1]][-1], ast.ClassDef)

    def parameters(self, key: Key) -> list[str]:
        """What a call of a function or class may be given, in order."""
        made = self.module(key[0]).names[key[1]][-1]
        if isinstance(made, Function):
            return [a.arg for a in [*made.args.posonlyargs, *made.args.args]]
        if not isinstance(made, ast.ClassDef):
            return []
        for inner in made.body:
            if isinstance(inner, Function) and inner.name == "__init__":
                return [a.arg for a in [*inner.args.posonlyargs, *inner.args.args][1:]]
        scan, found = _Scan(self, key[0], False), []
        for base in made.bases:
            kind, inherited, rest = scan.path(base) or ("", None, [])
            if kind == "definition" and inherited and not rest:
                found += self.parameters(inherited)
        fields = [i.target.id for i in made.body if isinstance(i, ast.AnnAssign) and isinstance(i.target, ast.Name)]
        return [*found, *(name for name in fields if name not in found)]


def _special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


class _Scan:
    """Writes down one definition."""

    def __init__(self, walk: _Walk, module: str, method: bool):
        self.walk, self.method, self.made = walk, method, Unit()
        self.here = module if walk.files[module][0].name == "__init__.py" else module.rpartition(".")[0]
        self.module = module
        self.scopes: list[dict[str, str | None]] = []
        self.self = ""  # what a method calls its object
        self.asks = False  # whether it calls getattr

    def unit(self, statements: list) -> Unit:
        for statement in statements:
            if isinstance(statement, ast.ClassDef) and not self.method:
                self.header(statement)
            elif isinstance(statement, Function):
                arguments = [*statement.args.posonlyargs, *statement.args.args]
                still = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in statement.decorator_list)
                self.self = arguments[0].arg if self.method and arguments and not still else ""
                self.function(statement)
            else:
                self.statement(statement)
        if self.asks:
            self.made.mentions |= {w[1:-1] for w in self.made.words if w[0] in "'\"" and w[1:-1].isidentifier()}
        return self.made

    def say(self, *words: str) -> None:
        self.made.words.extend(words)

    def refer(self, key: Key) -> None:
        self.say("@")
        self.made.references.append(key)

    def header(self, made: ast.ClassDef) -> None:
        """A class without its methods, which are definitions of their own."""
        for base in made.bases:
            base = base.value if isinstance(base, ast.Subscript) else base
            kind, key, _ = self.path(base) or ("foreign", None, [])
            if kind == "definition" and key:
                self.made.bases.append(key)
            else:
                self.made.open = True
        self.say("class")
        for node in [*made.decorator_list, *made.bases, *made.keywords]:
            self.node(node)
        self.scopes.append(bound(made.body, self.here))
        for statement in made.body:
            if isinstance(statement, Function):
                self.made.methods.setdefault(statement.name, []).append(statement)
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                self.say("field", statement.target.id)
                if statement.value is not None and not (statement.target.id in PROSE and literal(statement.value)):
                    self.node(statement.value)
            else:
                self.statement(statement)
        self.scopes.pop()

    def function(self, made: Function | ast.Lambda) -> None:
        self.say("def")
        arguments = made.args
        if not isinstance(made, ast.Lambda):
            for decorator in made.decorator_list:
                self.node(decorator)
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            self.say("default")
            if default is not None:
                self.node(default)
        kinds: list[list] = [
            arguments.posonlyargs,
            arguments.args,
            [arguments.vararg],
            arguments.kwonlyargs,
            [arguments.kwarg],
        ]
        names = [[one.arg for one in kind if one is not None] for kind in kinds]
        self.say(*(f"{place}:{name}" for place, kind in enumerate(names) for name in kind))
        body: list = [made.body] if isinstance(made, ast.Lambda) else made.body
        given: dict[str, str | None] = dict.fromkeys(name for kind in names for name in kind)
        self.scopes.append(given | bound(body, self.here))
        for one in body:
            self.node(one) if isinstance(made, ast.Lambda) else self.statement(one)
        self.scopes.pop()
        self.say("end")

    def statement(self, node: ast.stmt) -> None:
        if isinstance(node, IDLE) or typing_only(node) or (isinstance(node, ast.Expr) and literal(node.value, True)):
            return
        if isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self.say("Assign")
                self.node(node.target)
                self.node(node.value)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            self.say("Assign")
            self.node(node.targets[0])
            self.node(node.value)
        elif isinstance(node, ast.Raise):
            self.raised(node)
        elif isinstance(node, Function):
            self.say(f"named {node.name}")
            self.function(node)
        else:
            self.node(node)

    def raised(self, node: ast.Raise) -> None:
        """What kind of error; what it says, and a function that words it, change no number."""
        self.say("raise")
        what = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if what is None:
            return
        kind, key, _ = self.path(what) or ("", None, [])
        if kind == "definition" and key and not self.walk.kind(key):
            return
        self.node(what)

    def node(self, node: ast.AST) -> None:
        """Anything but a statement, or one without a rule of its own."""
        if isinstance(node, ast.Name | ast.Attribute):
            self.named(node)
        elif isinstance(node, ast.Constant):
            self.say(repr(node.value))
        elif isinstance(node, ast.Call):
            self.call(node)
        elif isinstance(node, ast.Lambda):
            self.function(node)
        elif isinstance(node, COMPREHENSION):
            targets = bound([g.target for g in node.generators], self.here)
            self.scopes.append(targets)
            self.fields(node)
            self.scopes.pop()
        else:
            self.fields(node)

    def fields(self, node: ast.AST) -> None:
        self.say(type(node).__name__)
        for name, value in ast.iter_fields(node):
            if name in SILENT or value is None or value == []:
                continue
            self.say(name)
            many: list = value if isinstance(value, list) else [value]
            for one in many:
                if isinstance(one, ast.stmt):
                    self.statement(one)
                elif isinstance(one, ast.AST):
                    self.node(one)
                else:
                    self.say(repr(one))
        self.say("end")

    def call(self, node: ast.Call) -> None:
        kind, key, rest = self.path(node.func) or ("", None, [])
        if kind == "foreign" and rest == ["typing", "cast"]:
            return self.node(node.args[1])
        known = self.walk.parameters(key) if kind == "definition" and key and not rest else []
        self.say("Call")
        self.node(node.func)
        for place, argument in enumerate(node.args):
            if not (place < len(known) and known[place] in PROSE and literal(argument)):
                self.node(argument)
        for keyword in node.keywords:
            if not (key and keyword.arg in PROSE and literal(keyword.value)):
                self.say(f"{keyword.arg}=")
                self.node(keyword.value)
        self.say("end")
        self.asks |= isinstance(node.func, ast.Name) and node.func.id == "getattr"

    def named(self, node: ast.Name | ast.Attribute) -> None:
        base, attributes = chain(node)
        found = self.path(node)
        if found:
            kind, key, rest = found
            if kind == "foreign":
                self.made.foreign.add(".".join(rest))
                return self.say(f"foreign {'.'.join(rest)}")
            if kind == "module" and key:
                for name in sorted(self.walk.module(key[0]).names):
                    self.refer((key[0], name))
                return None
            if key:
                self.refer(key)
            attributes = rest
        elif isinstance(base, ast.Name):
            self.say(f"name {base.id}")
        else:
            self.node(base)
        own = self.self and isinstance(base, ast.Name) and base.id == self.self
        own = own or (self.method and isinstance(base, ast.Call) and isinstance(base.func, ast.Name)
                      and base.func.id == "super")  # fmt: skip
        for place, name in enumerate(attributes):
            self.say(f".{name}")
            (self.made.own if own and not place and not found else self.made.mentions).add(name)

    def path(self, node: ast.AST) -> tuple[str, Key | None, list[str]] | None:
        """Where a name or chain of attributes leads by way of imports and definitions; None for anything local."""
        base, attributes = chain(node)
        if not isinstance(base, ast.Name):
            return None
        for scope in reversed(self.scopes):
            if base.id in scope:
                path = scope[base.id]
                return None if path is None else self.walk.resolve(".".join([path, *attributes]))
        here = self.walk.module(self.module)
        if base.id in here.names:
            return "definition", (self.module, base.id), attributes
        if base.id in here.imports:
            kind, key, rest = self.walk.resolve(here.imports[base.id])
            if kind == "foreign" or (key and kind == "definition" and not rest):
                self.made.borrowed[base.id] = key or ".".join(rest)
            return self.walk.resolve(".".join([here.imports[base.id], *attributes]))
        return None
