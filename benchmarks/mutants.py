"""How much the tests of the metric, crop and heatmap rooms notice: small changes of the code, one at a time.

python benchmarks/mutants.py [part of a module's name]; the tests are collected once, and run once to see which of them
call which function. Each mutant then runs, in a child of its own, those that call the changed one, the fastest first,
until one fails. A mutant that no test notices survives; the result, with every survivor, goes to
benchmarks/results/mutants.json. Numbers that a config names (`quantity`) are no code and are left alone.
"""

import ast
import copy
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from book import ROOT, machine

ROOMS = {
    "hgnb.metrics.keypoints_found": ["tests/test_metrics.py"],
    "hgnb.metrics.pckh": ["tests/test_metrics.py"],
    "hgnb.metrics.oks": ["tests/test_metrics.py"],
    "hgnb.metrics.decoding": ["tests/test_decoding.py"],
    "hgnb.data.crops": ["tests/test_data.py"],
    "hgnb.data.heatmaps": ["tests/test_data.py"],
}
SLOWER = 5  # times as long as the unchanged code, and a mutant's loop is taken for one without end
LIMIT = 900  # seconds on the clock, whatever else the machine does: one that sleeps is noticed
SWAPS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt,), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,), ast.And: (ast.Or,), ast.Or: (ast.And,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "floor": "ceil", "round": "floor", "argmax": "argmin", "any": "all", "all": "any",
         "sum": "mean", "amax": "amin", "left": "right"}  # fmt: skip


def changes(tree: ast.Module) -> Iterator[tuple[str, int, str, ast.Module]]:
    """Every mutant: the function, the line, what changed, and the whole module with that change."""
    owner = {id(n): name for name, function in _functions(tree) for part in function.body for n in ast.walk(part)}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    annotations = {id(n) for f in nodes for a in _annotations(f) for n in ast.walk(a)}
    for at, node in enumerate(ast.walk(tree)):
        if id(node) not in owner or id(node) in annotations:
            continue
        for words, change in _of(node):
            other = copy.deepcopy(tree)
            change(next(n for i, n in enumerate(ast.walk(other)) if i == at))
            yield owner[id(node)], node.lineno, words, ast.fix_missing_locations(other)


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions and methods by their qualified names; what is defined inside one belongs to it."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{part.name}", part) for part in node.body if isinstance(part, ast.FunctionDef))


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
        self.tried, self.endless, self.survivors = 0, 0, []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        callers = self._callers(session)
        tree = ast.parse(Path(self.module.__file__).read_text(encoding="utf8"))
        for function, line, words, mutant in changes(tree):
            self.tried += 1
            tests = sorted(callers.get(function, []))
            limit = 10 + SLOWER * sum(seconds for seconds, _ in tests)
            status = self._run(limit, lambda m=mutant, t=tests: put(self.module, m) or self._pass(session, t))
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM):
                self.endless += 1
            if status == 0:
                self.survivors.append(f"{function}, line {line}: {words}")
                print(f"{self.module.__name__}: {self.survivors[-1]} survives", file=sys.__stderr__, flush=True)
        return True

    def _callers(self, session: pytest.Session) -> dict[str, list[tuple[float, int]]]:
        """By function: processor seconds and position of every test that calls it; all must pass."""
        with tempfile.NamedTemporaryFile("r+") as told:
            if self._run(LIMIT, lambda: Path(told.name).write_text(json.dumps(self._watched(session)))):
                pytest.exit("the tests fail without any change", 1)
            return json.loads(told.read())

    def _watched(self, session: pytest.Session) -> dict[str, list[tuple[float, int]]]:
        called: set[str] = set()
        callers: dict[str, list[tuple[float, int]]] = {}

        def watch(frame, event, arg) -> None:
            if frame.f_code.co_filename == self.module.__file__:
                called.add(frame.f_code.co_qualname.split(".<locals>")[0])

        for at in range(len(session.items)):
            called.clear()
            for held in vars(self.module).values():
                if hasattr(held, "cache_clear"):  # what is kept from another test isn't called again
                    held.cache_clear()
            start = time.process_time()
            threading.settrace(watch)
            sys.settrace(watch)
            passed = self._pass(session, [(0.0, at)])
            sys.settrace(None)
            threading.settrace(None)
            assert passed, session.items[at].nodeid
            for function in called:
                callers.setdefault(function, []).append((time.process_time() - start, at))
        return callers

    @staticmethod
    def _pass(session: pytest.Session, tests: list[tuple[float, int]]) -> bool:
        """Whether these tests do; the others aren't begun after one that fails."""
        for _, at in tests:
            item = session.items[at]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            if session.testsfailed:
                return False
        return True

    @staticmethod
    def _run(limit: float, attempt) -> int:
        """The status of a child that may take `limit` processor seconds for `attempt`; 0 if that comes to anything."""
        child = os.fork()
        if child == 0:
            signal.alarm(LIMIT)
            signal.setitimer(signal.ITIMER_PROF, limit)
            try:
                os._exit(0 if attempt() else 1)
            except BaseException as error:
                print(repr(error)[:300], file=sys.__stderr__, flush=True)
                os._exit(1)
        return os.waitpid(child, 0)[1]


def main() -> None:
    os.chdir(ROOT)
    # the same examples for every mutant; none fails for being slow, and what fails isn't made small
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )  # fmt: skip
    hypothesis.settings.load_profile("mutants")
    out = ROOT / "benchmarks" / "results" / "mutants.json"
    rooms = [room for room in ROOMS if (sys.argv[1] if len(sys.argv) > 1 else "") in room]
    result = json.loads(out.read_text())["rooms"] if out.is_file() else {}
    for room in rooms:
        trial = Trial(room)
        with tempfile.TemporaryDirectory() as folder:
            quiet = ["-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-s", "--basetemp", f"{folder}/tests"]
            quiet += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis is there before pytest is
            pytest.main([*quiet, *ROOMS[room]], plugins=[trial])
        if not trial.tried:
            sys.exit(f"{room} could not be tried")
        killed = trial.tried - len(trial.survivors)
        counts = {"mutants": trial.tried, "killed": killed, "endless": trial.endless}
        result[room] = {**counts, "survivors": trial.survivors}
        whole = {"rooms": {name: result[name] for name in ROOMS if name in result}, "machine": machine()}
        out.write_text(json.dumps(whole, indent=1) + "\n")
        print(f"{room}: {killed} of {trial.tried}", flush=True)


if __name__ == "__main__":
    main()
