"""How much the tests of the metric, crop and heatmap rooms notice: small changes of the code, one at a time.

python benchmarks/mutants.py [part of a module's name]; the tests are collected once, and each mutant runs them in a
child of its own until one fails. A mutant that no test notices survives; the result, with every survivor, goes to
benchmarks/results/mutants.json. Numbers that a config names (`quantity`) are no code and are left alone.
"""

import ast
import copy
import importlib
import json
import os
import signal
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from book import ROOT, machine

ROOMS = {
    "hgnb.metrics.keypoints_found": ["tests/test_metrics.py"],
    "hgnb.metrics.shares": ["tests/test_metrics.py"],
    "hgnb.metrics.pckh": ["tests/test_metrics.py"],
    "hgnb.metrics.oks": ["tests/test_metrics.py"],
    "hgnb.metrics.average_precision": ["tests/test_metrics.py"],
    "hgnb.data.crops": ["tests/test_data.py"],
    "hgnb.data.heatmaps": ["tests/test_data.py"],
}
LIMIT = 120  # seconds for one mutant: a loop without end is noticed
SWAPS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt,), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,), ast.And: (ast.Or,), ast.Or: (ast.And,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "floor": "ceil", "round": "floor", "argmax": "argmin", "any": "all", "all": "any",
         "sum": "mean", "amax": "amin", "left": "right"}  # fmt: skip


def changes(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Every mutant: the line, what changed, and the whole module with that change."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = [n for function in nodes for part in function.body for n in ast.walk(part)]
    annotations = {id(n) for f in nodes for a in _annotations(f) for n in ast.walk(a)}
    for at, node in enumerate(ast.walk(tree)):
        if not any(node is n for n in inside) or id(node) in annotations:
            continue
        for words, change in _of(node):
            other = copy.deepcopy(tree)
            change(next(n for i, n in enumerate(ast.walk(other)) if i == at))
            yield node.lineno, words, ast.fix_missing_locations(other)


def _annotations(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Docstrings and type hints: what is said, not done."""
    for node in ast.walk(function):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        if isinstance(node, ast.FunctionDef):
            yield from [node.returns] if node.returns else []
            if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
                yield node.body[0]
        if isinstance(node, ast.JoinedStr | ast.Raise):  # the words of a message
            yield node


def _of(node: ast.AST) -> Iterator[tuple[str, object]]:
    """What can be changed in one node: words for it, and a function that does it."""
    if isinstance(node, ast.Compare | ast.BinOp | ast.BoolOp | ast.AugAssign):
        old = node.ops[0] if isinstance(node, ast.Compare) else node.op
        for new in SWAPS.get(type(old), ()):

            def swap(n, new=new):
                if isinstance(n, ast.Compare):
                    n.ops[0] = new()
                else:
                    n.op = new()

            yield f"{type(old).__name__} -> {new.__name__}", swap
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} -> {not node.value}", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield f"{node.value} -> {node.value + 1}", lambda n: setattr(n, "value", n.value + 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield f"without {type(node.op).__name__}", _undo
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield f"{node.attr} -> {NAMES[node.attr]}", lambda n: setattr(n, "attr", NAMES[n.attr])
    elif isinstance(node, ast.Name) and node.id in ("min", "max", "any", "all"):
        yield f"{node.id} -> {NAMES[node.id]}", lambda n: setattr(n, "id", NAMES[n.id])


def _undo(node: ast.UnaryOp) -> None:
    """-x becomes +x, and not x becomes not not x."""
    if isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    else:
        node.op = ast.UAdd()


def put(module: types.ModuleType, tree: ast.Module) -> None:
    """Gives the functions of a module that others hold already the code of a mutant."""
    space: dict = {"__name__": module.__name__}
    exec(compile(tree, module.__file__, "exec"), space)
    _exchange(vars(module), space, module.__name__)


def _exchange(old: dict, new: dict, module: str) -> None:
    for name, value in new.items():
        held = getattr(old.get(name), "__wrapped__", old.get(name))
        if isinstance(value, type) and value.__module__ == module:
            _exchange(dict(vars(held)), dict(vars(value)), module)
        fresh = getattr(value, "__wrapped__", value)
        fresh = fresh.fget if isinstance(fresh, property) else getattr(fresh, "__func__", fresh)
        held = held.fget if isinstance(held, property) else getattr(held, "__func__", held)
        if isinstance(fresh, types.FunctionType) and fresh.__module__ == module and fresh.__closure__ is None:
            held.__code__, held.__defaults__ = fresh.__code__, fresh.__defaults__
        if hasattr(old.get(name), "cache_clear"):
            old[name].cache_clear()


class Trial:
    """Runs the collected tests once for each mutant of a room."""

    def __init__(self, room: str):
        self.module = importlib.import_module(room)
        self.tried, self.survivors = 0, []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        if self._fails(session, None):
            pytest.exit("the tests fail without any change", 1)
        tree = ast.parse(Path(self.module.__file__).read_text(encoding="utf8"))
        for line, words, mutant in changes(tree):
            self.tried += 1
            if not self._fails(session, mutant):
                self.survivors.append(f"line {line}: {words}")
                print(f"{self.module.__name__} {self.survivors[-1]} survives", file=sys.__stderr__, flush=True)
        return True

    def _fails(self, session: pytest.Session, mutant: ast.Module | None) -> bool:
        child = os.fork()
        if child == 0:
            signal.alarm(LIMIT)
            try:
                if mutant:
                    put(self.module, mutant)
                for item in session.items:
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                    if session.testsfailed:
                        os._exit(1)
            except BaseException:
                os._exit(1)
            os._exit(0)
        return os.waitpid(child, 0)[1] != 0


def main() -> None:
    os.chdir(ROOT)
    out = ROOT / "benchmarks" / "results" / "mutants.json"
    rooms = [room for room in ROOMS if (sys.argv[1] if len(sys.argv) > 1 else "") in room]
    result = json.loads(out.read_text())["rooms"] if out.is_file() else {}
    for room in rooms:
        trial = Trial(room)
        pytest.main(["-q", "-p", "no:cacheprovider", "--no-header", "-s", "-x", *ROOMS[room]], plugins=[trial])
        killed = trial.tried - len(trial.survivors)
        result[room] = {"mutants": trial.tried, "killed": killed, "survivors": trial.survivors}
        print(f"{room}: {killed} of {trial.tried}")
    whole = {"rooms": result, "machine": machine()}
    out.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
