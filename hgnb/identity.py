"""What runs is what is hashed: definitions as they stand in memory, held against the files they came from.

A notebook can put a loss, a layer or a default of its own in place of the library's. `identity` finds it: each module
that a fingerprint reaches and that is loaded is run once more, aside, and what it defines is compared with what is
there. What was replaced enters the identity by its own bytecode, constants, defaults, closure and all that it names in
turn, so that the same replacement gives the same identity with the same version of Python; where a part of it can't be
told apart from others, or a file has changed since it was loaded, an InputError names it.
"""

import hashlib
import inspect
import json
import operator
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property, partial
from importlib.util import module_from_spec
from pathlib import Path
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from hgnb.definitions import GLOBALS, PACKAGE, fingerprint, named_in, reached, stamp
from hgnb.errors import InputError

MISSING = object()
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...))
TRAINERS = ("torch.", "lightning.")  # where one name for another's function or class is a swap, not an alias
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
MADE_OF = {  # what tells things of a kind apart
    CodeType: (
        "co_code", "co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags", "co_argcount",
        "co_posonlyargcount", "co_kwonlyargcount",
    ),
    ModuleType: ("__name__",), BuiltinFunctionType: ("__module__", "__qualname__"),
    MethodType: ("__func__", "__self__"), staticmethod: ("__func__",), classmethod: ("__func__",),
    property: ("fget", "fset", "fdel"), cached_property: ("func",), partial: ("func", "args", "keywords"),
}  # fmt: skip


def identity(roots: Iterable[str], own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """{"code": fingerprint of `roots`}, and where something of it was replaced in memory {"replaced": {name: hash}}.

    `own`: a person's functions and classes by what they stand for; {"own": {what: hash}} goes with the rest then.
    JSON-able. A class that isn't the library's stands among the replaced by its own name as well.
    """
    roots, found = tuple(roots), dict[str, str]()
    given = {what: _Told(what, found).of(thing) for what, thing in (own or {}).items()}
    for name, live in _differing(roots):
        if live is MISSING:
            raise InputError(f"{name} was taken away, so nothing can be trained: start Python anew.")
        found[name] = _Told(name, found).of(live)
    parts = {"replaced": dict(sorted(found.items())), "own": given}
    return {"code": fingerprint(roots)} | {name: part for name, part in parts.items() if part}


def identified(roots: Iterable[str]) -> str:
    """The same as one hash, in hex."""
    return hashlib.sha256(json.dumps(identity(roots)).encode()).hexdigest()


def answered(things: Iterable[object], config: Mapping[str, Any]) -> None:
    """InputError where a thing's class is neither a library's as its file has it nor one that `config`, which was made
    with `identity`, knows: it would go by a name that isn't its own."""
    for kind in {kind for thing in things for kind in type(thing).__mro__} if "code" in config else ():
        if not _known(kind) and _named(kind) not in config.get("replaced", {}):
            raise InputError(
                f"{_named(kind)} is no part of what this run is named after: put it in place of a definition of hgnb "
                "before the training is asked for, and the run gets a name of its own."
            )


def _differing(roots: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """By dotted name, what of all that is reached isn't as its file has it: definitions, of a class its members, names
    that their modules import, and what they name of other libraries."""
    units, elsewhere = reached(roots), set()
    for (module, name), unit in units.items():
        elsewhere |= {word[1] for word in unit.words if isinstance(word, tuple) and not word[0]}
        if module not in sys.modules or not name:
            continue  # nobody can have changed it
        there = vars(sys.modules[module])
        new, live = getattr(_afresh(module), name, MISSING), there.get(name, MISSING)
        if not _same(new, live):
            yield f"{module}.{name}", live
        elif isinstance(new, type):
            was, now = _members(new), _members(live)
            for part in was | now:
                mark = part not in was and not (callable(now[part]) or hasattr(now[part], "__get__"))  # of some library
                if not mark and not _same(was.get(part, MISSING), now.get(part, MISSING)):
                    yield f"{module}.{name}.{part}", now.get(part, MISSING)
        for borrowed in unit.borrowed.keys() & there.keys():
            (home, origin), live = unit.borrowed[borrowed], there[borrowed]
            new = getattr(_afresh(home), origin) if home and origin else _object(origin)
            if new is not MISSING and not (_same if home else operator.is_)(new, live):
                yield f"{module}.{borrowed}", live
    for path in elsewhere:
        yield from _swapped(path)


def _swapped(path: str) -> Iterator[tuple[str, Any]]:
    """Another library's function or class: still its own, as far as one can see without its files?"""
    live, (place, _, last) = _object(path), path.rpartition(".")
    if isinstance(live, FunctionType | BuiltinFunctionType | type):
        alias = live.__name__ != last and _object(f"{place}.{live.__name__}") is live
        if (alias and path.startswith(TRAINERS)) or not _theirs(live):
            yield path, live
        elif isinstance(live, type):
            members = [(f"{_named(base)}.{name}", held) for base in live.__mro__ for name, held in vars(base).items()]
            yield from ((name, held) for name, held in members if not _theirs(held))


class _Told:
    """Hashes of what things are made of: code, defaults, closures, values; a library's classes go by their names.

    With the `name` of what was replaced, all that it names in turn is told too, or an InputError says what can't be;
    classes that aren't a library's are `found`. Else just enough to compare two things that one file may have made.
    """

    def __init__(self, name: str = "", found: dict[str, str] | None = None):
        self.name, self.found = name, {} if found is None else found
        self.met: dict[int, tuple[str, Any]] = {}  # by id; a thing is kept so that its id stays its own

    def of(self, thing: Any) -> str:
        if isinstance(thing, PLAIN):
            return f"{type(thing).__name__} {thing!r}"  # of 1, 1.0 and True each its own
        if id(thing) not in self.met:
            self.met[id(thing)] = "again", thing
            held = "\n".join([type(thing).__name__, *self.parts(thing)]).encode("utf8", "surrogatepass")
            self.met[id(thing)] = hashlib.sha256(held).hexdigest()[:16], thing
        return self.met[id(thing)][0]

    def parts(self, thing: Any) -> Iterable[str]:
        if isinstance(thing, FunctionType | type):
            return self.definition(thing)
        if isinstance(thing, tuple | list):
            return map(self.of, thing)
        if isinstance(thing, set | frozenset):
            return sorted(map(self.of, thing))
        if isinstance(thing, dict):
            return map(self.of, [part for pair in thing.items() for part in pair])
        if kind := next((kind for kind in MADE_OF if isinstance(thing, kind)), None):
            return (self.of(getattr(thing, name)) for name in MADE_OF[kind])
        if hasattr(thing, "__array__"):  # NumPy's and torch's
            array = thing.detach().cpu().numpy() if hasattr(thing, "detach") else thing
            return str(array.dtype), str(array.shape), hashlib.sha256(array.tobytes()).hexdigest()
        if hasattr(thing, "__dict__"):
            return map(self.of, (type(thing), dict(vars(thing))))
        if self.name and ADDRESS.search(repr(thing)):
            raise InputError(
                f"{self.name} was replaced, and a {type(thing).__name__} that it uses can't be told apart from "
                "another: what trains has to be made of functions, classes and plain values."
            )
        return [ADDRESS.sub("", repr(thing))]

    def definition(self, thing: Any) -> Iterable[str]:
        """A function or class: of the library, of another one, or somebody's own."""
        if self.name and _known(thing):
            top = f"{thing.__module__}.{thing.__qualname__.partition('.')[0]}"
            return [_named(thing), fingerprint([top]) if _ours(thing) else ""]
        if isinstance(thing, type):
            if not self.name:
                return map(_named, (thing, *thing.__bases__))
            self.found[_named(thing)] = "own"
            return map(self.of, (thing.__bases__, dict(sorted(_members(thing).items()))))
        code, held = thing.__code__, [c.cell_contents for c in thing.__closure__ or () if c != CellType()]
        if code.co_consts[:1] == (thing.__doc__,):  # a docstring says nothing
            code = code.replace(co_consts=(None, *code.co_consts[1:]))
        used = _used(code, thing.__globals__) if self.name else thing.__globals__.get("__name__")
        return map(self.of, (code, thing.__defaults__, thing.__kwdefaults__, held, used))


def _used(code: CodeType, names: Mapping[str, Any]) -> dict[str, Any]:
    """What code uses of its module's names; of a module of somebody's own those of its names that are attributes."""
    found = {name: names[name] for name in sorted(named_in(code, *GLOBALS)) if name in names}
    for name, value in found.items():
        if isinstance(value, ModuleType) and not _installed(value.__name__):
            attributes = named_in(code, "LOAD_ATTR", "LOAD_METHOD")
            found[name] = {part: vars(value)[part] for part in sorted(attributes) if part in vars(value)}
    return found


def _same(new: Any, live: Any) -> bool:
    return new is live or _Told().of(new) == _Told().of(live)


def _members(kind: type) -> dict[str, Any]:
    """What a class itself has, but for what Python notes there."""
    return {n: v for n, v in vars(kind).items() if not n.startswith("_abc") and (n[:2] != "__" or callable(v))}


def _afresh(module: str) -> ModuleType:
    """A loaded module of the package as it is when its file is run now, aside; the module itself stays."""
    return _executed(module, stamp(Path(str(sys.modules[module].__file__))))


@cache
def _executed(name: str, _: tuple[int, int]) -> ModuleType:
    spec: Any = sys.modules[name].__spec__
    made = module_from_spec(spec)
    try:
        spec.loader.exec_module(made)
    except Exception as error:
        raise _changed(name) from error
    return made


def _changed(name: str) -> InputError:
    return InputError(
        f"{name} has changed since it was loaded: start Python anew, so that what runs is what its file says."
    )


def _named(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _ours(thing: Any) -> bool:
    """Whether a function or class says that it is of this package."""
    return thing.__module__.partition(".")[0] == PACKAGE.name and thing.__module__ in sys.modules


def _known(thing: Any) -> bool:
    """Whether a function or class is another library's, or as the file has it that it says it is of; InputError where
    that file has changed."""
    if not _ours(thing):
        return _installed(thing.__module__)
    new: Any = _afresh(thing.__module__)
    for part in thing.__qualname__.split("."):
        new = getattr(new, part, MISSING)
    if _same(new, thing):
        return True
    code, file = getattr(thing, "__code__", None), sys.modules[thing.__module__].__file__
    if code and code.co_filename == file and "<" not in thing.__qualname__:
        raise _changed(thing.__module__)
    return False


def _object(path: str) -> Any:
    """What a dotted path leads to among what is loaded; MISSING where it doesn't."""
    module = path
    while module and module not in sys.modules:
        module = module.rpartition(".")[0]
    thing: Any = sys.modules.get(module, MISSING)
    for name in path.removeprefix(module).split(".")[1:]:
        thing = inspect.getattr_static(thing, name, MISSING)
    return thing


@cache
def _installed(home: str) -> bool:
    """Whether a module is Python's own or came with an installed package, not with a notebook."""
    root = home.partition(".")[0]
    if root in sys.stdlib_module_names:
        return root != "__main__"
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file


def _theirs(thing: Any) -> bool:
    """Whether a thing, where it is a function or class, is an installed library's and not a person's."""
    if isinstance(thing, FunctionType):
        return _installed(thing.__globals__.get("__name__", ""))
    return not isinstance(thing, type) or _installed(thing.__module__)
