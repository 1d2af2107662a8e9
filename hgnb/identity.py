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
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from hgnb.definitions import PACKAGE, Key, Unit, fingerprint, reached, stamp
from hgnb.errors import InputError

MISSING = object()
TRAINERS = ("torch", "lightning")  # where one name for another's function or class is a swap, not an alias
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...))
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def identity(roots: Iterable[str], own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """{"code": fingerprint of `roots`}, and where something of it was replaced in memory {"replaced": {name: hash}}.

    `own`: a person's functions and classes by what they stand for; {"own": {what: hash}} goes with the rest then.
    JSON-able. A class that isn't the library's stands among the replaced by its own name as well.
    """
    roots, look = tuple(roots), _Look()
    given = {what: look.whole.of(thing, what) for what, thing in (own or {}).items()}
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
        known = config.get("replaced", {})
        if not (_written(kind) if _ours(kind) else _installed(kind.__module__)) and _named(kind) not in known:
            raise InputError(
                f"{_named(kind)} is no part of what this run is named after: put it in place of a definition of hgnb "
                "before the training is asked for, and the run gets a name of its own."
            )


def replaced(roots: Iterable[str]) -> dict[str, str]:
    """What isn't as its file has it, by dotted name, with a hash of what stands in its place; empty where all is."""
    look, by_module = _Look(), defaultdict[str, dict[str, Unit]](dict)
    for (module, name), unit in reached(roots).items():
        by_module[module][name] = unit
    for name, units in sorted(by_module.items()):
        if name in sys.modules:  # else nobody can have changed it
            look.module(sys.modules[name], units)
    return dict(sorted(look.found.items()))


class _Look:
    """Goes through modules and keeps what was replaced."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.whole = _Whole(self.found)
        self.seen: set[str] = set()  # paths into other libraries

    def module(self, live: ModuleType, units: dict[str, Unit]) -> None:
        """All that is reached of a module: its definitions, and the names it borrows from elsewhere."""
        new, there, name = _afresh(live), vars(live), live.__name__
        for own, unit in sorted(units.items(), key=lambda pair: "." in pair[0]):  # classes before methods
            owner, _, method = own.partition(".")
            if not method:
                self.compare(f"{name}.{own}", new[own], there.get(own, MISSING), unit)
            elif f"{name}.{owner}" not in self.found:
                self.compare(f"{name}.{own}", vars(new[owner])[method], vars(there[owner]).get(method, MISSING))
        for own, origin in {key: origin for unit in units.values() for key, origin in unit.borrowed.items()}.items():
            self.borrowed(f"{name}.{own}", there.get(own, MISSING), origin)
        for path in {path for unit in units.values() for path in unit.foreign} - self.seen:
            self.seen.add(path)
            self.foreign(path)

    def compare(self, name: str, new: Any, live: Any, unit: Unit | None = None) -> None:
        """Of a class bases and fields, too; its methods are looked at one by one."""
        if not _same(new, live) or (isinstance(new, type) and not _same(new.__bases__, live.__bases__)):
            return self.replace(name, live)
        methods = unit.methods if unit else {}
        for part, value in vars(live).items() if unit and isinstance(new, type) else ():
            known = vars(new).get(part, MISSING)
            if part in methods or (part.startswith("__") and not callable(value)) or part.startswith("_abc"):
                continue
            if known is not MISSING or callable(value) or hasattr(value, "__get__"):  # else a mark of some library
                self.compare(f"{name}.{part}", known, value)
        return None

    def replace(self, name: str, live: Any) -> None:
        if live is MISSING:
            raise InputError(f"{name} was taken away, so nothing can be trained: start Python anew.")
        self.found[name] = self.whole.of(live, name)

    def borrowed(self, name: str, live: Any, origin: Key | str) -> None:
        """A name that a module imported: still what its import gave it?"""
        if isinstance(origin, str):
            changed = (there := _object(origin)) is not MISSING and live is not there
        else:
            home = sys.modules.get(origin[0])
            changed = home is not None and live is not vars(home).get(origin[1], MISSING)
            changed = changed and not _same(_afresh(sys.modules[origin[0]]).get(origin[1]), live)
        if changed:
            self.replace(name, live)

    def foreign(self, path: str) -> None:
        """Another library's function or class: still its own, as far as one can see without its files?"""
        live, root, (place, _, last) = _object(path), path.partition(".")[0], path.rpartition(".")
        if isinstance(live, FunctionType | BuiltinFunctionType | type):
            swapped = live.__name__ != last and _object(f"{place}.{live.__name__}") is live and root in TRAINERS
            if swapped or not _theirs(live, root):
                return self.replace(path, live)
        for base in live.__mro__ if isinstance(live, type) else ():
            for name, value in vars(base).items():
                if isinstance(value, FunctionType) and not _theirs(value, base.__module__):
                    self.replace(f"{_named(base)}.{name}", value)
        return None


class _Shape:
    """Tells two things apart that one file may have made: code, defaults, closures, values; classes by their names."""

    def __init__(self) -> None:
        self.met: dict[int, str] = {}  # objects described, or being described
        self.kept: list[Any] = []  # so that ids stay theirs

    def told(self, thing: Any) -> str:
        """A hash of what a thing is made of."""
        if id(thing) not in self.met:
            self.met[id(thing)] = "again"
            self.kept.append(thing)
            held = "\n".join(self.parts(thing)).encode("utf8", "surrogatepass")
            self.met[id(thing)] = hashlib.sha256(held).hexdigest()[:16]
        return self.met[id(thing)]

    def parts(self, thing: Any) -> Iterator[str]:
        kind = type(thing).__name__
        if isinstance(thing, PLAIN) or f"{type(thing).__module__}.{kind}" in ("torch.dtype", "torch.device"):
            yield f"{kind} {thing!r}"
        elif isinstance(thing, ModuleType):
            yield f"module {thing.__name__}"
        elif isinstance(thing, FunctionType | type):
            yield from self.definition(thing)
        elif isinstance(thing, BuiltinFunctionType):
            yield f"builtin {_named(thing)}"
        elif isinstance(thing, tuple | list):
            yield " ".join([kind, *map(self.told, thing)])
        elif isinstance(thing, set | frozenset):
            yield " ".join([kind, *sorted(map(self.told, thing))])
        elif isinstance(thing, dict):
            yield " ".join([kind, *(f"{self.told(key)}:{self.told(value)}" for key, value in thing.items())])
        elif inner := _inner(thing):
            yield " ".join([kind, *map(self.told, inner)])
        elif hasattr(thing, "__array__"):  # NumPy's and torch's
            array = thing.detach().cpu().numpy() if hasattr(thing, "detach") else thing
            yield f"{array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"
        elif hasattr(thing, "__dict__"):
            yield f"{self.told(type(thing))} {self.told(dict(vars(thing)))}"
        else:
            yield self.unknown(thing)

    def unknown(self, thing: Any) -> str:
        return ADDRESS.sub("", f"{type(thing).__name__} {thing!r}")

    def definition(self, thing: Any) -> Iterator[str]:
        yield _named(thing) if isinstance(thing, type) else thing.__module__
        if isinstance(thing, FunctionType):
            yield from self.function(thing)
            yield self.told(getattr(thing, "__wrapped__", None))

    def function(self, thing: FunctionType) -> Iterator[str]:
        """Its code, defaults and closure."""
        yield repr(_code(thing.__code__, thing.__doc__))
        held = [_cell(cell) for cell in thing.__closure__ or ()]
        yield from map(self.told, (thing.__defaults__, thing.__kwdefaults__, held))


class _Whole(_Shape):
    """The same with all that a thing names in turn; InputError naming it where that can't be said."""

    def __init__(self, found: dict[str, str]) -> None:
        super().__init__()
        self.name, self.found = "", found

    def of(self, thing: Any, name: str) -> str:
        """Of what goes by that name."""
        self.name = name
        return self.told(thing)

    def unknown(self, thing: Any) -> str:
        raise InputError(
            f"{self.name} was replaced, and a {type(thing).__name__} that it uses can't be told apart from another: "
            "what trains has to be made of functions, classes and plain values."
        )

    def definition(self, thing: Any) -> Iterator[str]:
        """A function or class: of the library, of another one, or somebody's own."""
        if _ours(thing) and _written(thing):
            yield fingerprint([_named(thing)])
        elif not _ours(thing) and _installed(thing.__module__):
            yield _named(thing)
        elif isinstance(thing, type):
            yield from self.members(thing)
            self.found[_named(thing)] = "own"
        else:
            yield from self.function(thing)
            yield self.told({key: _global(thing, key) for key in _globals(thing.__code__) if key in thing.__globals__})

    def members(self, thing: type) -> Iterator[str]:
        yield self.told(thing.__bases__)
        for part, value in sorted(vars(thing).items()):
            special = part.startswith("__") and not isinstance(value, FunctionType)
            slot = inspect.isdatadescriptor(value) and not _inner(value)
            if not (special or slot or part.startswith("_abc")):
                yield f"{part} {self.told(value)}"


def _same(new: Any, live: Any) -> bool:
    return new is live or _Shape().told(new) == _Shape().told(live)


def _afresh(module: ModuleType) -> dict[str, Any]:
    """What a module of the package defines when its file is run now, aside; the module itself stays."""
    return _executed(module.__name__, stamp(PACKAGE / str(module.__file__)))


@cache
def _executed(name: str, _: tuple[int, int]) -> dict[str, Any]:
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


def _named(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _ours(thing: Any) -> bool:
    """Whether a function or class says that it is of this package."""
    return thing.__module__.partition(".")[0] == PACKAGE.name and thing.__module__ in sys.modules


def _written(thing: Any) -> bool:
    """Whether it is as the file has it that it says it is of; InputError where that file has changed."""
    module = sys.modules[thing.__module__]
    top, _, inner = thing.__qualname__.partition(".")
    written = _afresh(module).get(top, MISSING)
    if inner and isinstance(written, type):
        written = vars(written).get(inner, MISSING)
    if written is not MISSING and _same(written, thing):
        return True
    if isinstance(thing, FunctionType) and thing.__code__.co_filename == module.__file__ and "<" not in top + inner:
        raise InputError(_changed(thing.__module__))
    return False


def _inner(thing: Any) -> tuple | None:
    """What a method's wrapping holds: of a property its functions, of a cached function the one within."""
    match thing:
        case MethodType():
            return thing.__func__, thing.__self__
        case staticmethod() | classmethod():
            return (thing.__func__,)
        case property():
            return thing.fget, thing.fset, thing.fdel
        case functools.cached_property():
            return (thing.func,)
        case functools.partial():
            return thing.func, thing.args, thing.keywords
    return (thing.__wrapped__, thing.cache_parameters()) if hasattr(thing, "cache_parameters") else None


def _cell(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _code(code: CodeType, told: str | None = None) -> tuple:
    """What a function does, without the places of its lines; `told`: its docstring, which is left out."""
    constants = list(code.co_consts)
    if told is not None and constants and constants[0] == told:
        constants[0] = None
    held = [  # of 1, 1.0 and True each its own
        _code(c) if isinstance(c, CodeType) else repr(sorted(map(repr, c)) if isinstance(c, frozenset) else c)
        for c in constants
    ]
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return code.co_code, counts, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, tuple(held)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _globals(code: CodeType) -> list[str]:
    found = (i for one in _codes(code) for i in dis.get_instructions(one) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    return sorted({str(instruction.argval) for instruction in found})


def _global(function: FunctionType, key: str) -> Any:
    """A global of somebody's function; of a module of theirs or ours, those of its definitions that are named."""
    value = function.__globals__[key]
    if isinstance(value, ModuleType) and not _installed(value.__name__):
        named = sorted({name for one in _codes(function.__code__) for name in one.co_names})
        return {name: vars(value)[name] for name in named if name in vars(value)}
    return value


def _object(path: str) -> Any:
    """What a dotted path leads to among what is loaded; MISSING where it doesn't."""
    parts = path.split(".")
    at = next((end for end in range(len(parts), 0, -1) if ".".join(parts[:end]) in sys.modules), 0)
    thing: Any = sys.modules[".".join(parts[:at])] if at else MISSING
    for name in parts[at:]:
        thing = MISSING if thing is MISSING else inspect.getattr_static(thing, name, MISSING)
    return thing


@cache
def _installed(home: str) -> bool:
    """Whether a module is Python's own or came with an installed package, not with a notebook."""
    root = home.partition(".")[0]
    if root in sys.stdlib_module_names:
        return root != "__main__"
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file


def _theirs(thing: Any, home: str) -> bool:
    """Whether a function or class of another library's module is of an installed library, not a person's."""
    own = thing.__globals__.get("__name__", "") if isinstance(thing, FunctionType) else str(thing.__module__)
    return own.partition(".")[0] == home.partition(".")[0] or _installed(own)
