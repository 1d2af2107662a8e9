"""What source 004 claims of lighter hourglasses, and how each claim is judged: L1 to L13. 06_lighter_hourglasses.

A claim about speed is judged by the ratio of times within a turn, one about accuracy by the difference of trainings
that share a seed; both by 95 % intervals of Student's t. Fewer than five seeds decide nothing about accuracy.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from hgnb.intervals import Interval, bootstrap
from hgnb.training.speed import Times
from hgnb.training.sweep import Sweep

SEEDS = 5  # paired, before accuracy is judged
ALIKE = 0.005  # PCKh: 'about the same'
TURNS = 3  # before a ratio of times has an interval
HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"


@dataclass(frozen=True)
class Evidence:
    """What the claims are judged on: a sweep of trainings and times of full-size networks; either may lack."""

    sweep: Sweep | None
    times: Times | None
    large: Times | None = None  # the same at 004's larger batch
    small_precision: Times | None = None  # 32 bits and 16, where that was timed


@dataclass(frozen=True)
class Finding:
    """A part of a claim: what was measured, and whether it bears the claim out."""

    words: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class Judgement:
    """A claim with its source's value, what was measured, and the verdict."""

    id: str
    claim: str
    source: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """Fails if any part does, holds if all do; a part that lacks something comes before one that is undecided."""
        verdicts = [f.verdict for f in self.findings]
        if FAILS in verdicts:
            return FAILS
        lacking = [v for v in verdicts if v.startswith("needs")]
        return lacking[0] if lacking else UNDECIDED if UNDECIDED in verdicts else HOLDS

    @property
    def measured(self) -> str:
        return "; ".join(f.words for f in self.findings)

    @property
    def reason(self) -> str:
        return "; ".join(dict.fromkeys(f.reason for f in self.findings if f.reason))


def students(values: np.ndarray) -> Interval:
    """Mean of n values and its 95 % interval by Student's t; without bounds for a single value."""
    values = np.asarray(values, float)
    mean = float(values.mean()) if len(values) else np.nan
    if len(values) < 2:
        return Interval(mean, -np.inf, np.inf) if len(values) else Interval(np.nan, np.nan, np.nan)
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return Interval(mean, mean - half, mean + half)


def time_ratio(first: np.ndarray, second: np.ndarray) -> Interval:
    """Of two networks' seconds (turns,): the geometric mean of the turns' ratios and its interval."""
    logs = students(np.log(first) - np.log(second))
    return Interval(*np.exp([logs.value, logs.low, logs.high]).tolist())


def difference(sweep: Sweep, first: str, second: str) -> tuple[Interval, int]:
    """Accuracy of one case less another's, in shares, and the number of paired seeds.

    Over seeds from five on; fewer are pooled and the test images resampled, which says nothing of other seeds.
    """
    a, b = ({o.seed: o for o in sweep.of(name)} for name in (first, second))
    seeds = sorted(a.keys() & b.keys())
    if len(seeds) >= SEEDS:
        return students(np.array([a[s].mean.value - b[s].mean.value for s in seeds])), len(seeds)
    if not seeds:
        return Interval(np.nan, np.nan, np.nan), 0
    counted = np.array(sweep.people.counted) * len(seeds)
    found = [np.sum([o[s].by_image for s in seeds], axis=0) for o in (a, b)]
    columns = np.column_stack([*found, counted]).astype(float)
    return bootstrap(columns, np.arange(len(counted)), lambda x, y, of: (x - y) / of), len(seeds)


def accuracy(evidence: Evidence, first: str, second: str, rule: Callable[[Interval], str]) -> Finding:
    """Whether the accuracy of one case against another's obeys a rule on the interval of their difference."""
    if evidence.sweep is None:
        return Finding(f"{first} not trained", "needs a sweep", "no sweep is recorded")
    interval, seeds = difference(evidence.sweep, first, second)
    if not seeds:
        missing = [name for name in (first, second) if not evidence.sweep.of(name)]
        return Finding(f"{' and '.join(missing)} not trained", "needs a sweep", f"the sweep has no {missing[0]}")
    measure = evidence.sweep.people.measure
    words = f"{first} less {second}: {interval.text(1, 100)} {measure} points"
    if seeds < SEEDS:
        return Finding(words, UNDECIDED, f"{seeds} of {SEEDS} seeds")
    return Finding(words, rule(interval))


def speed(
    times: Times | None, first: str, second: str, rule: Callable[[Interval], str],
    kinds: tuple[str, ...] = ("training", "with loading"),
) -> list[Finding]:  # fmt: skip
    """Whether the times of one case against another's obey a rule, for each kind of time."""
    if times is None or not {first, second} <= times.cases.keys():
        return [Finding(f"{first} or {second} not timed", "needs times", "these were not timed side by side")]
    found = []
    for kind in kinds:
        ratio = time_ratio(*(times.cases[name].seconds(kind) for name in (first, second)))
        words = f"{first} takes {ratio.text()} times as long as {second} ({kind})"
        few = times.turns < TURNS
        found.append(Finding(words, UNDECIDED if few else rule(ratio), f"{times.turns} turns" if few else ""))
    return found


def better(interval: Interval) -> str:
    """The interval of a difference lies above zero."""
    return _side(interval, 0.0, above=True)


def worse(interval: Interval) -> str:
    """The interval of a difference lies below zero."""
    return _side(interval, 0.0, above=False)


def faster(ratio: Interval) -> str:
    """The interval of a ratio of times lies below one."""
    return _side(ratio, 1.0, above=False)


def not_slower(ratio: Interval) -> str:
    """No more than 2 % slower: half of what separates most times of 004's table 1."""
    return _side(ratio, 1.02, above=False)


def alike(interval: Interval) -> str:
    """The interval of a difference lies within half a point."""
    if interval.low >= -ALIKE and interval.high <= ALIKE:
        return HOLDS
    return FAILS if interval.low > ALIKE or interval.high < -ALIKE else UNDECIDED


def no_gain(interval: Interval) -> str:
    """Not better by more than half a point."""
    return _side(interval, ALIKE, above=False)


def _side(interval: Interval, mark: float, *, above: bool) -> str:
    low, high = (interval.low, interval.high) if above else (-interval.high, -interval.low)
    mark = mark if above else -mark
    return HOLDS if low > mark else FAILS if high < mark else UNDECIDED


def judge(e: Evidence) -> list[Judgement]:
    """All thirteen claims, in order."""

    def acc(first: str, second: str, rule: Callable[[Interval], str]) -> Finding:
        return accuracy(e, first, second, rule)

    def spd(first: str, second: str, rule: Callable[[Interval], str]) -> list[Finding]:
        return speed(e.times, first, second, rule)

    inner, case4 = "inner-64", "stacks-6-inner-64-modules-4"
    rows = (
        ("L1", "Inner width 64 instead of 128: faster, less accurate.", "83.18 → 80.48; 14.8 → 14.3 min at batch 20",
         [*spd(inner, "newell", faster), acc(inner, "newell", worse)]),
        ("L2", "Six hourglasses: the accuracy of eight, faster.", "83.13 against 83.18; 14.4 min",
         [*spd("stacks-6", "newell", faster), acc("stacks-6", "newell", alike)]),
        ("L3", "Six hourglasses, 64 wide, four modules a level: the accuracy isn't won back.", "80.73",
         [acc(case4, "newell", worse)]),
        ("L4", "Layer norm is below batch norm, at 64 wide.", "78.83 against 80.48",
         [acc("inner-64-layer-norm", inner, worse)]),
        ("L5", "Falling depths beat rising ones, at 64 wide.", "81.47 against 80.68",
         [acc("inner-64-depths-falling", "inner-64-depths-rising", better)]),
        ("L6", "A fourth block in every module: best at 50 epochs, and no slower.", "84.23; 14.6 min",
         [*spd("blocks-4", "newell", not_slower), acc("blocks-4", "newell", better)]),
        ("L7", "A batch of 20 takes less time than one of 6.", "18 → 14.8 min", _batches(e)),
        ("L8", "RMSProp trains faster than Adam; Adam profits from large batches.", "text, section 6",
         [*spd("newell", "newell-adam", faster), acc("newell-adam", "newell-adam-batch-6", better)]),
        ("L9", "Mixed precision and dropout gave nothing worth keeping.", "appendix",
         [*_precision(e), acc("newell-bf16", "newell", no_gain), acc("dropout", "newell", no_gain)]),
        ("L10", "Both orders of depths lose accuracy.", "text, section 6; but 80.68, 81.47 > 80.48 at equal width",
         [acc("depths-rising", "newell", worse), acc("depths-falling", "newell", worse)]),
        ("L11", "A batch of 20 gives better results than one of 6.", "text, section 6; but table 2: 86.4 < 86.7",
         [acc("newell", "newell-batch-6", better)]),
        ("L12", "Two blocks in a module are worse.", "text, section 6", [acc("blocks-2", "newell", worse)]),
        ("L13", "Trained long, six hourglasses and four blocks stay comparable to the original.",
         "85.8 and 86.38 against 86.4",
         [acc("stacks-6-long", "newell-long", alike), acc("blocks-4-long", "newell-long", alike)]),
    )  # fmt: skip
    return [Judgement(*row[:3], tuple(row[3])) for row in rows]


def _batches(e: Evidence) -> list[Finding]:
    """Seconds a person in steps of the larger batch against those of the smaller; turns aren't paired."""
    if e.times is None or e.large is None or not {"newell"} <= e.times.cases.keys() & e.large.cases.keys():
        return [Finding("batches of two sizes not timed", "needs times", "a batch of 20 was not timed here")]
    found = []
    for kind in ("training", "with loading"):
        large, small = (np.log(t.cases["newell"].seconds(kind)) for t in (e.large, e.times))
        if min(len(large), len(small)) < TURNS:
            words = f"ratio of seconds a person {np.exp(large.mean() - small.mean()):.2f} ({kind})"
            found.append(Finding(words, UNDECIDED, f"{min(len(large), len(small))} turns"))
            continue
        test = stats.ttest_ind(large, small, equal_var=False)
        bounds = test.confidence_interval(0.95)
        ratio = Interval(*np.exp([large.mean() - small.mean(), bounds.low, bounds.high]).tolist())
        found.append(Finding(f"ratio of seconds a person {ratio.text()} ({kind})", faster(ratio)))
    return found


def _precision(e: Evidence) -> list[Finding]:
    """Mixed precision's time against 32 bits': worth something only where it is faster."""
    return speed(e.small_precision, "newell-bf16", "newell", lambda r: _side(r, 1.0, above=True), ("training",))


def points(sweep: Sweep | None, times: Times) -> pd.DataFrame:
    """A row for each network that was timed: name, accuracy (NaN where it wasn't trained), medians, parameters.

    Seconds are a person's. `front of X` says that no other network is at least as accurate and cheaper in X.
    """
    rows = []
    for name, timed in times.cases.items():
        outcomes = sweep.of(name) if sweep else []
        found, counted = (sum(getattr(o.mean, part) for o in outcomes) for part in ("found", "counted"))
        rows.append({
            "case": name, "accuracy": found / counted if counted else np.nan,
            "training": float(np.median(timed.seconds("training"))),
            "inference": float(np.median(timed.seconds("inference"))),
            "parameters": timed.parameters, "gflop": timed.gflop, "memory": timed.memory_gib,
        })  # fmt: skip
    table = pd.DataFrame(rows)
    for cost in ("training", "inference", "parameters"):
        table[f"front of {cost}"] = front(table[cost].to_numpy(), table.accuracy.to_numpy())
    return table


def front(costs: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """(n,) bool, the Pareto front: nothing is as good or better in both and better in one; NaN is never on it."""
    known = np.isfinite(costs) & np.isfinite(gains)
    cheaper, better = costs[None] <= costs[:, None], gains[None] >= gains[:, None]
    strictly = (costs[None] < costs[:, None]) | (gains[None] > gains[:, None])
    return known & ~(cheaper & better & strictly & known[None]).any(1)
