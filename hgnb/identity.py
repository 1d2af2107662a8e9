"""What runs is what is hashed: definitions as they stand in memory, held against the files they came from.

A notebook can put a loss, a layer or a default of its own in place of the library's. `identity` finds it: each module
that a fingerprint reaches and that is loaded is run once more, aside, and what it defines is compared with what is
there. What was replaced enters the identity by its own bytecode, constants, defaults, closure and all that it names in
turn, so that the same replacement gives the same identity with the same version of Python; where a part of it can't be
told apart from others, or a file has changed since it was loaded, an InputError names it.
"""

import dis
import functools
import hashlib
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from hgnb.definitions import Key, Unit, fingerprint, reached
from hgnb.errors import InputError
from hgnb.syntax import PACKAGE, stamp

MISSING = object()
TRAINERS = ("torch", "lightning")  # where one name for another's function or class is a swap, not an alias
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...))


def identity(roots: Iterable[str], own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """{"code": fingerprint of `roots`}, and where something of it was replaced in memory {"replaced": {name: hash}}.

    `own`: a person's functions and classes by what they stand for; {"own": {what: hash}} goes with the rest then.
    JSON-able. A class that isn't the library's stands among the replaced by its own name as well.
    """
    roots, look = tuple(roots), _Look()
    given = {what: look.told(thing, what) for what, thing in (own or {}).items()}
    others = look.found | replaced(roots)
    parts = {"replaced": dict(sorted(others.items())), "own": given}
    return {"code": fingerprint(roots)} | {name: part for name, part in parts.items() if part}


def identified(roots: Iterable[str]) -> str:
    """The same as one hash, in hex."""
    return hashlib.sha256(json.dumps(identity(roots)).encode()).hexdigest()


def answered(things: Iterable[object], config: Mapping[str, Any]) -> None:
    """InputError where a thing's class is neither a library's as its file has it nor one that `config`, which was made
    with `identity`, knows: it would go by a name that isn't its own."""
    for kind in {kind for thing in things for kind in type(thing).__mro__} if "code" in config else ():
        name, home = f"{kind.__module__}.{kind.__qualname__}", kind.__module__
        if home.partition(".")[0] == PACKAGE.name and home in sys.modules:
            if same(afresh(sys.modules[home]).get(kind.__qualname__, kind), kind):
                continue
        elif _installed(home.partition(".")[0]):
            continue
        if name not in config.get("replaced", {}):
            raise InputError(
                f"{name} is no part of what this run is named after: put it in place of a definition of hgnb before "
                "the training is asked for, and the run gets a name of its own."
            )


def replaced(roots: Iterable[str]) -> dict[str, str]:
    """What isn't as its file has it, by dotted name, with a hash of what stands in its place; empty where all is."""
    look, by_module = _Look(), dict[str, dict[str, Unit]]()
    for (module, name), unit in reached(roots).items():
        by_module.setdefault(module, {})[name] = unit
    for name, units in sorted(by_module.items()):
        if name in sys.modules:  # else nobody can have changed it
            look.module(sys.modules[name], units)
    return dict(sorted(look.found.items()))


def afresh(module: ModuleType) -> dict[str, Any]:
    """What a module of the package defines when its file is run now, aside; the module itself stays."""
    return _afresh(module.__name__, str(module.__file__), stamp(PACKAGE / str(module.__file__)))


@cache
def _afresh(name: str, file: str, _: tuple[int, int]) -> dict[str, Any]:
    live = sys.modules[name]
    made = ModuleType(name)
    for kept in ("__file__", "__package__", "__spec__", "__loader__", "__path__"):
        if hasattr(live, kept):
            setattr(made, kept, getattr(live, kept))
    try:
        exec(live.__loader__.get_code(name), vars(made))  # type: ignore[union-attr]
    except Exception as error:
        raise InputError(_changed(name)) from error
    return vars(made)


def _changed(name: str) -> str:
    return f"{name} has changed since it was loaded: start Python anew, so that what runs is what its file says."


class _Look:
    """Goes through modules and keeps what was replaced."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.met: dict[int, str] = {}  # objects described, or being described
        self.seen: set[str] = set()  # paths into other libraries
        self.kept: list[Any] = []  # so that ids stay theirs

    def module(self, live: ModuleType, units: dict[str, Unit]) -> None:
        """All that is reached of a module: its definitions, and the names it borrows from elsewhere."""
        new, there, name = afresh(live), vars(live), live.__name__
        for own, unit in sorted(units.items(), key=lambda pair: "." in pair[0]):  # classes before methods
            owner, _, method = own.partition(".")
            if method:
                if f"{name}.{owner}" not in self.found:
                    self.compare(f"{name}.{own}", vars(new[owner])[method], vars(there[owner]).get(method, MISSING))
            elif isinstance(new[own], type):
                self.kind(f"{name}.{own}", new[own], there.get(own, MISSING), unit)
            else:
                self.compare(f"{name}.{own}", new[own], there.get(own, MISSING))
        borrowed = {key: origin for unit in units.values() for key, origin in unit.borrowed.items()}
        for own, origin in borrowed.items():
            self.borrowed(f"{name}.{own}", there.get(own, MISSING), origin)
        for path in {path for unit in units.values() for path in unit.foreign} - self.seen:
            self.seen.add(path)
            self.foreign(path)

    def compare(self, name: str, new: Any, live: Any) -> None:
        if not same(new, live):
            self.replace(name, live)

    def replace(self, name: str, live: Any) -> None:
        if live is MISSING:
            raise InputError(f"{name} was taken away, so nothing can be trained: start Python anew.")
        self.found[name] = self.told(live, name)

    def kind(self, name: str, new: type, live: Any, unit: Unit) -> None:
        """A class: bases and fields; its methods are looked at one by one."""
        if not same(new, live) or not same(new.__bases__, live.__bases__):
            return self.replace(name, live)
        for part, value in vars(live).items():
            known = vars(new).get(part, MISSING)
            if part in unit.methods or (part.startswith("__") and not callable(value)) or part.startswith("_abc"):
                continue
            if known is MISSING and not (callable(value) or hasattr(value, "__get__")):
                continue  # a mark that a library left there
            self.compare(f"{name}.{part}", known, value)
        return None

    def borrowed(self, name: str, live: Any, origin: Key | str) -> None:
        """A name that a module imported: still what its import gave it?"""
        if isinstance(origin, str):
            if (there := _object(origin)) is not MISSING and live is not there:
                self.replace(name, live)
        elif origin[0] in sys.modules:
            home = sys.modules[origin[0]]
            if live is not vars(home).get(origin[1], MISSING) and not same(afresh(home).get(origin[1]), live):
                self.replace(name, live)

    def foreign(self, path: str) -> None:
        """Another library's function or class: still its own, as far as one can see without its files?"""
        live = _object(path)
        root, (place, _, last) = path.partition(".")[0], path.rpartition(".")
        if isinstance(live, FunctionType | BuiltinFunctionType | type):
            swapped = live.__name__ != last and _object(f"{place}.{live.__name__}") is live and root in TRAINERS
            if swapped or not _theirs(live, root):
                return self.replace(path, live)
        if isinstance(live, type):
            for base in live.__mro__:
                for name, value in vars(base).items():
                    if isinstance(value, FunctionType) and not _theirs(value, base.__module__.partition(".")[0]):
                        self.replace(f"{base.__module__}.{base.__qualname__}.{name}", value)
        return None

    def told(self, thing: Any, name: str) -> str:
        """A hash of what a thing is made of; InputError naming it where that can't be said."""
        if id(thing) in self.met:
            return self.met[id(thing)]
        self.met[id(thing)] = "again"
        self.kept.append(thing)
        made = hashlib.sha256("\n".join(self.parts(thing, name)).encode("utf8", "surrogatepass")).hexdigest()[:16]
        self.met[id(thing)] = made
        return made

    def parts(self, thing: Any, name: str) -> Iterator[str]:
        if isinstance(thing, PLAIN):
            yield f"{type(thing).__name__} {thing!r}"
        elif isinstance(thing, ModuleType):
            yield f"module {thing.__name__}"
        elif isinstance(thing, FunctionType | type):
            yield from self.definition(thing, name)
        elif isinstance(thing, BuiltinFunctionType):
            yield f"builtin {thing.__module__}.{thing.__qualname__}"
        elif isinstance(thing, tuple | list | frozenset | set):
            held = [self.told(one, name) for one in thing]
            yield " ".join([type(thing).__name__, *(sorted(held) if isinstance(thing, set | frozenset) else held)])
        elif isinstance(thing, dict):
            yield " ".join(["dict", *(f"{self.told(k, name)}:{self.told(v, name)}" for k, v in thing.items())])
        elif inner := _inner(thing):
            yield " ".join([type(thing).__name__, *(self.told(one, name) for one in inner)])
        elif hasattr(thing, "__array__"):  # NumPy's and torch's
            array = thing.detach().cpu().numpy() if hasattr(thing, "detach") else thing
            yield f"{array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"
        elif type(thing).__module__ == "torch" and type(thing).__name__ in ("dtype", "device", "memory_format"):
            yield repr(thing)
        elif hasattr(thing, "__dict__"):
            yield f"{self.told(type(thing), name)} {self.told(vars(thing), name)}"
        else:
            raise InputError(
                f"{name} was replaced, and a {type(thing).__name__} that it uses can't be told apart from another: "
                "what trains has to be made of functions, classes and plain values."
            )

    def definition(self, thing: FunctionType | type, name: str) -> Iterator[str]:
        """A function or class: of the library, of another one, or somebody's own."""
        home, own = str(thing.__module__), thing.__qualname__
        root = home.partition(".")[0]
        if root == PACKAGE.name and home in sys.modules:
            module, (top, _, inner) = sys.modules[home], own.partition(".")
            written = afresh(module).get(top, MISSING)
            if inner and isinstance(written, type):
                written = vars(written).get(inner, MISSING)
            if written is not MISSING and same(written, thing):
                yield fingerprint([f"{home}.{own}"])
                return
            file = thing.__code__.co_filename if isinstance(thing, FunctionType) else None
            if file == module.__file__ and "<" not in own:
                raise InputError(_changed(home))
        elif _installed(root):
            yield f"{home}.{own}"
            return
        if isinstance(thing, type):
            yield from self.members(thing, name)
            self.found[f"{home}.{own}"] = "own"
        else:
            yield repr(_code(thing.__code__, thing.__doc__))
            held = [cell.cell_contents for cell in thing.__closure__ or ()]
            named = {key: self.value(thing, key) for key in _globals(thing.__code__) if key in thing.__globals__}
            for part in (thing.__defaults__, thing.__kwdefaults__, held, named):
                yield self.told(part, name)

    def value(self, function: FunctionType, key: str) -> Any:
        """A global of somebody's function; of a module of theirs or ours, those of its definitions that are named."""
        value = function.__globals__[key]
        if isinstance(value, ModuleType) and not _installed(value.__name__.partition(".")[0]):
            return {name: vars(value)[name] for name in sorted(_names(function.__code__)) if name in vars(value)}
        return value

    def members(self, thing: type, name: str) -> Iterator[str]:
        yield " ".join(["class", *(self.told(base, name) for base in thing.__bases__)])
        for part, value in sorted(vars(thing).items()):
            if part.startswith("__") and not isinstance(value, FunctionType):
                continue
            if part.startswith("_abc") or type(value).__name__ in ("getset_descriptor", "member_descriptor"):
                continue
            yield f"{part} {self.told(value, name)}"


def same(new: Any, live: Any) -> bool:
    """Whether two things that one file may have made are alike: code, defaults, closures, values."""
    return _same(new, live, set())


def _same(a: Any, b: Any, met: set[tuple[int, int]]) -> bool:
    if a is b or (id(a), id(b)) in met:
        return True
    met.add((id(a), id(b)))
    if (type(a).__module__, type(a).__qualname__) != (type(b).__module__, type(b).__qualname__):
        return False
    if isinstance(a, FunctionType):
        alike = _code(a.__code__, a.__doc__) == _code(b.__code__, b.__doc__) and a.__module__ == b.__module__
        return alike and _same(_around(a), _around(b), met)
    if isinstance(a, type):
        return (a.__module__, a.__qualname__) == (b.__module__, b.__qualname__)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(_same(x, y, met) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return len(a) == len(b) and all(_same(x, y, met) for x, y in zip(a.items(), b.items(), strict=True))
    if isinstance(a, set | frozenset):
        return sorted(map(repr, a)) == sorted(map(repr, b))
    if inner := _inner(a):
        return _same(inner, _inner(b), met)
    if hasattr(a, "__array__"):
        return a.shape == b.shape and bool((a == b).all())
    if isinstance(a, PLAIN):
        return a == b or (a != a and b != b)
    if vars_ := getattr(a, "__dict__", None):
        return _same(dict(vars_), dict(vars(b)), met)
    return type(a).__eq__ is object.__eq__ or bool(a == b)


def _inner(thing: Any) -> tuple | None:
    """What a method's wrapping holds: of a property its functions, of a cached function the one within."""
    if isinstance(thing, MethodType):
        return thing.__func__, thing.__self__
    if isinstance(thing, staticmethod | classmethod):
        return (thing.__func__,)
    if isinstance(thing, property):
        return thing.fget, thing.fset, thing.fdel
    if isinstance(thing, functools.cached_property):
        return (thing.func,)
    if isinstance(thing, functools.partial):
        return thing.func, thing.args, thing.keywords
    if hasattr(thing, "cache_parameters"):
        return thing.__wrapped__, thing.cache_parameters()
    return None


def _around(function: FunctionType) -> tuple:
    """What a function does besides its code."""
    held = [_cell(cell) for cell in function.__closure__ or ()]
    return function.__defaults__, function.__kwdefaults__, held, getattr(function, "__wrapped__", None)


def _cell(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return MISSING


def _code(code: CodeType, told: str | None = None) -> tuple:
    """What a function does, without the places of its lines; `told`: its docstring, which is left out."""
    constants = list(code.co_consts)
    if told is not None and constants and constants[0] == told:
        constants[0] = None
    held = [_code(c) if isinstance(c, CodeType) else _constant(c) for c in constants]
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return code.co_code, counts, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, tuple(held)


def _constant(constant: Any) -> str:
    """Of 1, 1.0 and True each its own."""
    return repr(sorted(map(repr, constant))) if isinstance(constant, frozenset) else repr(constant)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _globals(code: CodeType) -> list[str]:
    found = (i for one in _codes(code) for i in dis.get_instructions(one) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    return sorted({str(instruction.argval) for instruction in found})


def _names(code: CodeType) -> set[str]:
    return {name for one in _codes(code) for name in one.co_names}


def _object(path: str) -> Any:
    """What a dotted path leads to among what is loaded; MISSING where it doesn't."""
    parts = path.split(".")
    at = next((end for end in range(len(parts), 0, -1) if ".".join(parts[:end]) in sys.modules), 0)
    thing: Any = sys.modules[".".join(parts[:at])] if at else MISSING
    for name in parts[at:]:
        if thing is MISSING:
            break
        thing = inspect.getattr_static(thing, name, MISSING)
    return thing


@cache
def _installed(root: str) -> bool:
    """Whether a top-level module is Python's own or came with an installed package, not with a notebook."""
    if root in sys.stdlib_module_names or root in sys.builtin_module_names:
        return root != "__main__"
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file


def _theirs(thing: FunctionType | BuiltinFunctionType | type, root: str) -> bool:
    """Whether another library's function or class is of an installed library, not a person's."""
    home = thing.__globals__.get("__name__", "") if isinstance(thing, FunctionType) else str(thing.__module__)
    return home.partition(".")[0] == root or _installed(home.partition(".")[0])
