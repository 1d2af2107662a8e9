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
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hgnb.errors import InputError

PACKAGE = Path(__file__).resolve().parent
PROSE = {"title", "words", "caption", "unit", "source"}  # parameters whose string literals change no number
HASHER = {"definitions", "identity"}
SILENT = {"ctx", "type_comment", "kind", "type_params", "returns", "annotation"}  # fields of nodes
Function = ast.FunctionDef | ast.AsyncFunctionDef
COMPREHENSION = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
IDLE = ast.Import | ast.ImportFrom | ast.Assert | ast.Pass

Key = tuple[str, str]  # (module, name), of a method (module, "Class.name")
Stamp = tuple[int, int]  # time and size: what was read of a file stays true while these are the same
Files = tuple[tuple[str, Path, Stamp], ...]
# ("definition", its key, attributes left), ("module", (name, ""), []), ("foreign", None, parts), or LOCAL
Place = tuple[str, Key | None, list[str]]
LOCAL: Place = ("local", None, [])


def fingerprint(roots: Iterable[str], package: Path = PACKAGE) -> str:
    """sha256 in hex over everything that `roots` reach, see above; it doesn't depend on their order.

    A root is a dotted name: `hgnb.training.modules.PoseModule` (with all its methods),
    `hgnb.training.passes.Reader.latents`, a function, a constant, or a module, which is all that it defines.
    InputError where there is none of that name.
    """
    return _fingerprint(tuple(sorted(set(roots))), _files(package))


def reached(roots: Iterable[str], package: Path = PACKAGE) -> dict[Key, "Unit"]:
    """What `roots` reach, by module and name."""
    return _reached(tuple(sorted(set(roots))), _files(package))


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


@cache
def _fingerprint(roots: tuple[str, ...], files: Files) -> str:
    """Over the multiset of definitions, each told from others by its syntax and by what it refers to, so that neither
    names nor order count: colours of a graph, refined until they stay (Weisfeiler & Leman 1968)."""
    units = _reached(roots, files)
    plain = {key: _digest(" ".join(unit.words)) for key, unit in units.items()}
    colours = dict(plain)
    for _ in units:
        referred = {key: [colours.get(r, "the hasher") for r in unit.references] for key, unit in units.items()}
        before, colours = colours, {key: _digest(" ".join([plain[key], *referred[key]])) for key in units}
        if len(set(colours.values())) == len(set(before.values())):
            break
    return _digest("\n".join(sorted(colours.values())))


@cache
def _reached(roots: tuple[str, ...], files: Files) -> dict[Key, Unit]:
    return _Walk(files).reach(roots)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()


# --- a module as its syntax tree


@dataclass(frozen=True)
class Module:
    """What a module defines and imports."""

    names: dict[str, list[ast.stmt]]  # the statements that make each name
    imports: dict[str, str]  # dotted path by the name it goes by
    here: str  # the package of a leading dot


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


def stamp(file: Path) -> Stamp:
    """Of a file as it is now."""
    told = file.stat()
    return told.st_mtime_ns, told.st_size


def _files(package: Path) -> Files:
    return tuple((name, file, stamp(file)) for name, file in sorted(modules(package).items()))


def parsed(code: str, file: Path, where: str = "") -> ast.Module:
    """Its syntax tree; InputError where it is no Python."""
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise InputError(f"{file.name}{where} isn't Python: {error.msg} (line {error.lineno}).") from error


@cache
def tree(file: Path, state: Stamp) -> ast.Module:
    """The syntax tree of a file of that stamp."""
    return parsed(file.read_text(encoding="utf8"), file)


@cache
def _opened(file: Path, name: str, state: Stamp) -> Module:
    """The module called `name`, of a file of that stamp."""
    body = tree(file, state).body
    here = name if file.name == "__init__.py" else name.rpartition(".")[0]
    made = Module({}, {}, here)
    defined = set(_bound(body, here)) - set(_imports(body, here))
    for statement in body:
        if not _typing_only(statement):
            made.imports.update(_imports([statement], here))
            for one in () if isinstance(statement, IDLE) else _made(statement, defined):
                made.names.setdefault(one, []).append(statement)
    return made


def _made(statement: ast.stmt, defined: set[str]) -> Iterable[str]:
    """The names of a module that a statement at its top has a part in making."""
    within: list[ast.AST] = [statement]
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):  # of TABLE[key] = value, TABLE
            within = list(targets)
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            within = [target]
        case ast.Expr(value=ast.Call(func=called)):  # of TABLE.update(...), TABLE
            within = [called]
    inner = [node for part in within for node in ast.walk(part)]
    found = {node.id for node in inner if isinstance(node, ast.Name)}
    kept = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    kept |= {node.name for node in inner if isinstance(node, Function | ast.ClassDef)}
    return (kept & defined) or (found & defined)


def _typing_only(statement: ast.stmt) -> bool:
    """Whether it is `if TYPE_CHECKING:` or `if __name__ == "__main__":`."""
    names = ast.walk(statement.test) if isinstance(statement, ast.If) else ()
    return any(isinstance(node, ast.Name) and node.id in ("TYPE_CHECKING", "__name__") for node in names)


def _imports(body: Iterable[ast.AST], here: str) -> dict[str, str]:
    """Dotted paths by the names that imports give them, not within functions; `here`: the package of a leading dot."""
    found = {}
    for node in _level(body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            base = based(node, here)
            found |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
    return found


def based(node: ast.ImportFrom, here: str) -> str:
    """The package or module that `from … import` names, its leading dots resolved."""
    parts = here.split(".")
    up = parts[: len(parts) - node.level + 1] if node.level else []
    return ".".join([*up, *([node.module] if node.module else [])])


def _level(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Nodes of one scope: functions, classes and comprehensions within count as one node each."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, COMPREHENSION):  # := within binds around it
            waiting.extend(inner.target for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
        elif not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _bound(body: Iterable[ast.AST], here: str) -> dict[str, str | None]:
    """The names that a scope binds: the dotted path of an import, None of anything else."""
    found: dict[str, str | None] = {}
    elsewhere: set[str] = set()
    body = list(body)
    for node in _level(body):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found[name] = None
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found[name] = None
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found[name] = None
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                elsewhere.update(names)
    return {name: path for name, path in (found | _imports(body, here)).items() if name not in elsewhere}


def _chain(node: ast.AST) -> tuple[ast.AST, list[str]]:
    """`a.b.c` -> a, [b, c]."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.insert(0, node.attr)
        node = node.value
    return node, attributes


def _prose(name: str | None, value: ast.AST) -> bool:
    """Whether it is a string, or an f-string, for people."""
    text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return name in PROSE and (text or isinstance(value, ast.JoinedStr))


# --- the package seen from roots


class _Walk:
    def __init__(self, files: Files):
        self.files = {name: (file, state) for name, file, state in files}
        self.package = files[0][0].partition(".")[0]
        self.units: dict[Key, Unit] = {}

    def module(self, name: str) -> Module:
        file, state = self.files[name]
        return _opened(file, name, state)

    def resolve(self, path: str) -> Place:
        """Where a dotted path leads."""
        parts = path.split(".")
        module, at = parts[0], 1
        if module not in self.files:
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
            self.take(keys)
            if not rest:
                whole.update(keys)
            elif len(rest) == 1 and rest[0] in self.units[key].methods:
                self.take([(key[0], f"{key[1]}.{rest[0]}")])
            else:
                raise InputError(f"There is no definition {root}: a fingerprint can't be taken of it.")
        while called := self.called(whole):
            self.take(called)
        for key, unit in self.units.items():
            for name in sorted(unit.methods):
                if (method := (key[0], f"{key[1]}.{name}")) in self.units:
                    unit.words.append(f"method {name} @")
                    unit.references.append(method)
        return self.units

    def take(self, keys: Iterable[Key]) -> None:
        """Definitions and all that they name."""
        waiting = list(keys)
        while waiting:
            module, name = key = waiting.pop()
            if key in self.units or module.removeprefix(f"{self.package}.") in HASHER:
                continue
            owner, _, method = name.partition(".")
            if method and (module, owner) not in self.units:
                waiting += [key, (module, owner)]  # a class before its methods
                continue
            made: list = self.units[module, owner].methods[method] if method else self.module(module).names[owner]
            self.units[key] = _Scan(self, module, bool(method)).unit(made)
            waiting.extend(self.units[key].references)

    def called(self, whole: set[Key]) -> list[Key]:
        """The methods that anything reached may call and that aren't reached yet."""
        line = {key: self.line(key) for key, unit in self.units.items() if unit.methods}
        mentioned = {name for unit in self.units.values() for name in unit.mentions}
        own: dict[Key, set[str]] = defaultdict(set)
        for (module, name), unit in self.units.items():
            if unit.own:
                own[module, name.partition(".")[0]] |= unit.own
        found = []
        for key, kin in line.items():
            names = mentioned.union(*(asked for one, asked in own.items() if one in kin or key in line[one]))
            every = key in whole or any(self.units[one].open for one in kin)
            for name in self.units[key].methods:
                special = name.startswith("__") and name.endswith("__")
                if every or special or name in names:
                    found.append((key[0], f"{key[1]}.{name}"))
        return [key for key in found if key not in self.units]

    def line(self, key: Key) -> set[Key]:
        """A class and its bases within the package."""
        found, waiting = set[Key](), [key]
        while waiting:
            one = waiting.pop()
            if one not in found and one in self.units:
                found.add(one)
                waiting.extend(self.units[one].bases)
        return found

    def made(self, key: Key) -> ast.stmt:
        """What a name of a module stands for in the end."""
        return self.module(key[0]).names[key[1]][-1]

    def parameters(self, key: Key) -> list[str]:
        """What a call of a function or class may be given, in order."""
        made = self.made(key)
        if isinstance(made, Function):
            return [a.arg for a in [*made.args.posonlyargs, *made.args.args]]
        if not isinstance(made, ast.ClassDef):
            return []
        for inner in made.body:
            if isinstance(inner, Function) and inner.name == "__init__":
                return [a.arg for a in [*inner.args.posonlyargs, *inner.args.args][1:]]
        scan, found = _Scan(self, key[0], False), []
        for kind, inherited, rest in map(scan.path, made.bases):
            if kind == "definition" and inherited and not rest:
                found += self.parameters(inherited)
        fields = [i.target.id for i in made.body if isinstance(i, ast.AnnAssign) and isinstance(i.target, ast.Name)]
        return [*found, *(name for name in fields if name not in found)]


class _Scan:
    """Writes down one definition."""

    def __init__(self, walk: _Walk, module: str, method: bool):
        self.walk, self.module, self.method, self.made = walk, module, method, Unit()
        self.here = walk.module(module).here
        self.scopes: list[dict[str, str | None]] = []
        self.self = ""  # what a method calls its object
        self.asks = False  # whether it calls getattr

    def unit(self, statements: list) -> Unit:
        for statement in statements:
            if isinstance(statement, ast.ClassDef):
                self.header(statement)
            elif isinstance(statement, Function):
                arguments = [*statement.args.posonlyargs, *statement.args.args]
                still = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in statement.decorator_list)
                self.self = arguments[0].arg if self.method and arguments and not still else ""
                self.function(statement)
            else:
                self.node(statement)
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
            kind, key, _ = self.path(base.value if isinstance(base, ast.Subscript) else base)
            if kind == "definition" and key:
                self.made.bases.append(key)
            else:
                self.made.open = True
        self.say("class")
        for node in [*made.decorator_list, *made.bases, *made.keywords]:
            self.node(node)
        self.scopes.append(_bound(made.body, self.here))
        for statement in made.body:
            match statement:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    self.made.methods.setdefault(name, []).append(statement)
                case ast.AnnAssign(target=ast.Name(id=name), value=value):
                    self.say("field", name)
                    if value is not None and not _prose(name, value):
                        self.node(value)
                case _:
                    self.node(statement)
        self.scopes.pop()

    def function(self, made: Function | ast.Lambda) -> None:
        self.say("def")
        given = made.args
        for decorator in () if isinstance(made, ast.Lambda) else made.decorator_list:
            self.node(decorator)
        for default in [*given.defaults, *given.kw_defaults]:
            self.say("default")
            if default is not None:
                self.node(default)
        kinds: list[list] = [given.posonlyargs, given.args, [given.vararg], given.kwonlyargs, [given.kwarg]]
        names = [(place, one.arg) for place, kind in enumerate(kinds) for one in kind if one is not None]
        self.say(*(f"{place}:{name}" for place, name in names))
        body: list[ast.AST] = [made.body] if isinstance(made, ast.Lambda) else [*made.body]
        own: dict[str, str | None] = {name: None for _, name in names}
        self.scopes.append(own | _bound(body, self.here))
        for one in body:
            self.node(one)
        self.scopes.pop()
        self.say("end")

    def node(self, node: ast.AST) -> None:
        match node:
            case ast.Name() | ast.Attribute():
                self.named(node)
            case ast.Constant(value=value):
                self.say(repr(value))
            case ast.Call():
                self.call(node)
            case ast.Lambda():
                self.function(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self.scopes.append(_bound([g.target for g in node.generators], self.here))
                self.fields(node)
                self.scopes.pop()
            case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Pass() | ast.AnnAssign(value=None):
                pass
            case ast.Expr(value=ast.Constant() | ast.JoinedStr()):  # a docstring
                pass
            case ast.If() if _typing_only(node):
                pass
            case ast.AnnAssign(target=target, value=ast.AST() as value) | ast.Assign(targets=[target], value=value):
                self.say("Assign")
                self.node(target)
                self.node(value)
            case ast.Raise():
                self.raised(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.say(f"named {name}")
                self.function(node)
            case _:
                self.fields(node)

    def fields(self, node: ast.AST) -> None:
        self.say(type(node).__name__)
        for name, value in ast.iter_fields(node):
            if name in SILENT or value is None or value == []:
                continue
            self.say(name)
            for one in value if isinstance(value, list) else [value]:
                self.node(one) if isinstance(one, ast.AST) else self.say(repr(one))
        self.say("end")

    def raised(self, node: ast.Raise) -> None:
        """What kind of error; what it says, and a function that words it, change no number."""
        self.say("raise")
        if what := node.exc.func if isinstance(node.exc, ast.Call) else node.exc:
            kind, key, _ = self.path(what)
            if not (kind == "definition" and key and not isinstance(self.walk.made(key), ast.ClassDef)):
                self.node(what)

    def call(self, node: ast.Call) -> None:
        kind, key, rest = self.path(node.func)
        if kind == "foreign" and rest == ["typing", "cast"]:
            return self.node(node.args[1])
        known = self.walk.parameters(key) if kind == "definition" and key and not rest else []
        self.say("Call")
        self.node(node.func)
        for place, argument in enumerate(node.args):
            if not (place < len(known) and _prose(known[place], argument)):
                self.node(argument)
        for keyword in node.keywords:
            if not (key and _prose(keyword.arg, keyword.value)):
                self.say(f"{keyword.arg}=")
                self.node(keyword.value)
        self.say("end")
        self.asks |= isinstance(node.func, ast.Name) and node.func.id == "getattr"

    def named(self, node: ast.Name | ast.Attribute) -> None:
        base, attributes = _chain(node)
        kind, key, rest = self.path(node)
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
        own = self.method and isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id == "super"
        own |= bool(self.self) and isinstance(base, ast.Name) and base.id == self.self
        for place, name in enumerate(attributes):
            self.say(f".{name}")
            (self.made.own if own and not place and not key else self.made.mentions).add(name)
        return None

    def path(self, node: ast.AST) -> Place:
        """Where a name or chain of attributes leads by way of imports and definitions."""
        base, attributes = _chain(node)
        if not isinstance(base, ast.Name):
            return LOCAL
        for scope in reversed(self.scopes):
            if base.id in scope:
                path = scope[base.id]
                return LOCAL if path is None else self.walk.resolve(".".join([path, *attributes]))
        here = self.walk.module(self.module)
        if base.id in here.names:
            return "definition", (self.module, base.id), attributes
        if base.id not in here.imports:
            return LOCAL
        kind, key, rest = self.walk.resolve(here.imports[base.id])
        if kind == "foreign" or (key and kind == "definition" and not rest):
            self.made.borrowed[base.id] = key or ".".join(rest)
        return self.walk.resolve(".".join([here.imports[base.id], *attributes]))
