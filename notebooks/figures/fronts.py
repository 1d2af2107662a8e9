"""Networks of chapter 06 against their costs: which lie on a Pareto front, under other test images and other seeds.

Costs are times, as shares of the original's in the same turn, and parameters, of full-size networks; they are taken as
known. Accuracies come from trainings.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hgnb import stats
from hgnb.claims.claim import SEEDS
from hgnb.claims.on_lighter import gain, paired, together
from hgnb.stats import Estimate
from hgnb.training.networks import BASE, get
from hgnb.training.observations import AT, Outcomes
from hgnb.training.speed import Times

COSTS = ("training", "inference", "parameters")
SURE = 0.95  # of the draws in which a network has to lie on a front


@dataclass(frozen=True)
class Place:
    """A network against one kind of cost."""

    case: str
    cost: str
    share: float  # of the original's cost
    rival: str | None  # the most accurate of the others that cost no more; None: nothing is as cheap
    gap: Estimate | None  # accuracy less the rival's, paired by seed and image
    chance: float  # in how many of the draws of seeds and images it lies on the front

    @property
    def verdict(self) -> str:
        """'cheapest', which is on the front at any accuracy, 'on it', 'behind it' or 'open'; with fewer than SEEDS seeds
        the rest is open."""
        if self.rival is None:
            return "cheapest"
        if (count := self.gap.seeds if self.gap else 0) < SEEDS:
            return f"open, {'one seed' if count == 1 else f'{count} seeds'}"
        return "on it" if self.chance >= SURE else "behind it" if self.chance <= 1 - SURE else "open"


def points(sweep: Outcomes | None, times: Times) -> pd.DataFrame:
    """A row for each network that was timed: name, accuracy (NaN where it wasn't trained), times as shares of the
    original's, millions of parameters. Another optimiser is no other network.

    `front_of_X` says that no other network is at least as accurate and cheaper in X.
    """
    rows, base = [], times.cases[BASE]
    for name, timed in times.cases.items():
        if "optimiser" in get(name).training:
            continue
        outcomes = sweep.of(name) if sweep else []
        found, counted = (sum(getattr(o.mean, part) for o in outcomes) for part in ("found", "counted"))
        rows.append({
            "case": name, "accuracy": found / counted if counted else np.nan,
            **{kind: np.exp(paired(timed.seconds(kind), base.seconds(kind)).value) for kind in COSTS[:2]},
            "parameters": timed.parameters / 1e6, "gflop": timed.gflop,
        })  # fmt: skip
    table = pd.DataFrame(rows)
    for cost in COSTS:
        table[f"front_of_{cost}"] = front(table[cost].to_numpy(), table.accuracy.to_numpy())
    return table


def front(costs: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """(n,) bool, the Pareto front: nothing is as good or better in both and better in one; NaN is never on it."""
    known = np.isfinite(costs) & np.isfinite(gains)
    cheaper, better = costs[None] <= costs[:, None], gains[None] >= gains[:, None]
    strictly = (costs[None] < costs[:, None]) | (gains[None] > gains[:, None])
    return known & ~(cheaper & better & strictly & known[None]).any(1)


def places(sweep: Outcomes, points: pd.DataFrame, draws: int = 2000) -> list[Place]:
    """Each of our own networks against each cost."""
    known = points[points.accuracy.notna()].reset_index(drop=True)
    chance, found = chances(sweep, known, draws), []
    for name in (name for name in known.case if get(name).source == "ours"):
        own = known[known.case == name].iloc[0]
        for cost in COSTS:
            others = known[(known.case != name) & (known[cost] <= own[cost])]
            rival = None if others.empty else str(others.case[others.accuracy.idxmax()])
            gap = gain(sweep, name, rival) if rival else None
            share = float(own[cost] / points[cost][points.case == BASE].item())
            gap = gap if gap and gap.known else None
            found.append(Place(name, cost, share, rival, gap, float(chance.loc[name, cost])))
    return found


def chances(sweep: Outcomes, points: pd.DataFrame, draws: int) -> pd.DataFrame:
    """(networks, costs) in how many of the draws a network lies on the front, seeds and images drawn anew together.

    Every network is drawn with the same images; its seeds are drawn from those it has, since seeds of two networks
    have nothing in common but the images.
    """
    rng, counted = np.random.default_rng(0), np.array(sweep.people.counted, dtype=float)
    images = rng.multinomial(len(counted), np.full(len(counted), 1 / len(counted)), size=draws)  # (D, images)
    gains = np.empty((draws, len(points)))
    for j, name in enumerate(points.case):
        levels = images @ np.array([o.by_image for o in sweep.of(name)], dtype=float).T  # (D, seeds)
        drawn = rng.integers(levels.shape[1], size=levels.shape)
        gains[:, j] = np.take_along_axis(levels, drawn, 1).mean(1) / (images @ counted)
    on = {cost: np.mean([front(points[cost].to_numpy(), g) for g in gains], axis=0) for cost in COSTS}
    return pd.DataFrame(on, index=list(points.case))


def early(sweep: Outcomes, long: str, short: str, passed: int) -> Estimate | None:
    """Accuracy behind hourglass number `passed` of one stack less that of a stack trained to this length, paired by
    seed and image; None where they share no seed."""
    deep, shallow = together(sweep, long, short)
    if not deep:
        return None
    behind, ends = np.array([a.columns["earlier"][passed - 1] <= AT for a in deep]), np.array([b.hits for b in shallow])
    return stats.pck_difference(behind, ends, sweep.people.grouped, sweep.people.columns["images"])
