"""What the claims about lighter hourglasses are judged on: differences of trainings, ratios of times.

Source 004; 06_lighter_hourglasses. The claims themselves, L1 to L13, stand in `hgnb.explain.claims.lighter`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from hgnb import records
from hgnb.explain.claims.estimate import Estimate
from hgnb.intervals import bootstrap
from hgnb.training import speed
from hgnb.training.observations import Outcomes
from hgnb.training.speed import Times

STEP, LOADED = "training", "with loading"
# What each claim compares, first less second; two comparisons have names of their own.
ACCURACY: dict[str, dict[str, tuple[str, str]]] = {
    "L1": {"accuracy": ("inner-64", "newell")},
    "L2": {"accuracy": ("stacks-6", "newell")},
    "L3": {"accuracy": ("stacks-6-inner-64-modules-4", "newell")},
    "L4": {"accuracy": ("inner-64-layer-norm", "inner-64")},
    "L5": {"accuracy": ("inner-64-depths-falling", "inner-64-depths-rising")},
    "L6": {"accuracy": ("blocks-4", "newell")},
    "L8": {"accuracy": ("newell-adam", "newell-adam-batch-6")},
    "L9": {"mixed precision": ("newell-bf16", "newell"), "dropout": ("dropout", "newell")},
    "L10": {"rising": ("depths-rising", "newell"), "falling": ("depths-falling", "newell")},
    "L11": {"accuracy": ("newell", "newell-batch-6")},
    "L12": {"accuracy": ("blocks-2", "newell")},
    "L13": {"six hourglasses": ("stacks-6-long", "newell-long"), "four blocks": ("blocks-4-long", "newell-long")},
}
# Whose times each claim compares, first by second.
SPEED = {
    "L1": ("inner-64", "newell"), "L2": ("stacks-6", "newell"), "L6": ("blocks-4", "newell"),
    "L8": ("newell", "newell-adam"),
}  # fmt: skip
IDS = tuple(f"L{n}" for n in range(1, 14))


@dataclass(frozen=True)
class Evidence:
    """A sweep of trainings and times of full-size networks; each may lack."""

    sweep: Outcomes | None
    times: Times | None
    large: Times | None = None  # the same at 004's larger batch
    precision: Times | None = None  # 32 bits and 16

    def of(self, seed: int) -> dict[str, Mapping[str, Any]]:
        """A record for each claim from the trainings of one seed, as the ledger takes it; times are in each."""
        return {name: self._record(name, seed) for name in IDS}

    def seeds(self) -> list[int]:
        """Those of the sweep; [0] where there is none."""
        return self.sweep.seeds if self.sweep else [0]

    def _record(self, name: str, seed: int) -> Mapping[str, Any]:
        missing = [f"`{c}`" for pair in ACCURACY.get(name, {}).values() for c in pair if not self._trained(c, seed)]
        if missing:
            return {"needs": f"{', '.join(dict.fromkeys(missing))} of seed {seed}: make lighter"}
        record: dict[str, Any] = {}
        for key, (first, second) in ACCURACY.get(name, {}).items():
            assert self.sweep is not None  # both of its networks are trained
            record[key] = difference(self.sweep, first, second, seed)
        ratios = self._ratios(name)
        return ratios if "needs" in ratios else record | ratios

    def _trained(self, case: str, seed: int) -> bool:
        return self.sweep is not None and any(o.seed == seed for o in self.sweep.of(case))

    def _ratios(self, name: str) -> dict[str, Any]:
        sides: tuple[tuple[Times | None, str], ...]
        if name == "L7":
            sides = ((self.large, "newell"), (self.times, "newell"))
        elif name == "L9":
            sides = ((self.precision, "newell-bf16"), (self.precision, "newell"))
        elif name in SPEED:
            sides = tuple((self.times, case) for case in SPEED[name])
        else:
            return {}
        timed = [times.cases[case] for times, case in sides if times and times.turns > 1 and case in times.cases]
        if len(timed) < 2:
            return {"needs": "times of these in two turns or more: benchmarks/lighter.py"}
        first, second = timed
        ratio = unpaired if name == "L7" else paired  # batches of two sizes take no turns with each other
        kinds = (STEP,) if name == "L9" else (STEP, LOADED)
        return {kind: ratio(first.seconds(kind), second.seconds(kind)) for kind in kinds}


def paired(first: np.ndarray, second: np.ndarray) -> Estimate:
    """The logarithm of a ratio of seconds, (turns,) each, taken within every turn; Student's t over turns."""
    logs = np.log(first) - np.log(second)
    if len(logs) < 2:
        return Estimate(float(logs.mean()), -np.inf, np.inf)
    half = float(stats.t.ppf(0.975, len(logs) - 1) * stats.sem(logs))
    return Estimate(float(logs.mean()), float(logs.mean()) - half, float(logs.mean()) + half, len(logs) - 1)


def unpaired(first: np.ndarray, second: np.ndarray) -> Estimate:
    """The logarithm of a ratio of mean seconds that were not taken in the same turns; Welch's t."""
    a, b = np.log(first), np.log(second)
    test = stats.ttest_ind(a, b, equal_var=False)
    bounds = test.confidence_interval(0.95)
    return Estimate(float(a.mean() - b.mean()), float(bounds.low), float(bounds.high), float(test.df))


def ratio_text(log: Estimate) -> str:
    """'0.80 (0.78 to 0.82)' of a logarithm; without bounds from a single turn."""
    value, low, high = np.exp([log.value, log.low, log.high])
    return Estimate(value, low, high).text(2) if np.isfinite(high) else f"{value:.2f}"


def difference(sweep: Outcomes, first: str, second: str, seed: int) -> Estimate:
    """Accuracy of one case less another's, in shares, both of one seed; test images resampled in pairs."""
    found = [next(o.by_image for o in sweep.of(case) if o.seed == seed) for case in (first, second)]
    counted = np.array(sweep.people.counted)
    columns = np.column_stack([*found, counted]).astype(float)
    return Estimate.of(bootstrap(columns, np.arange(len(counted)), lambda x, y, of: (x - y) / of))


def of_record(profile: str, data: str, seed: int) -> dict[str, Mapping[str, Any]]:
    """L1 to L13 from the record of chapter 06 for a profile and data, and the recorded times."""
    record = records.find("lighter", profile, data)
    held = Outcomes(record) if record else None
    return Evidence(held, *(speed.recorded(part) for part in speed.PARTS)).of(seed)
