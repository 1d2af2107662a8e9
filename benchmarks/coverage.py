"""How often the intervals of hgnb.stats hold the true value, how often a family of claims is wrong, what power is had.

python benchmarks/coverage.py [repetitions]: some three minutes on one thread with 1,000, the default.
Data are drawn from a population whose true numbers are known: networks of several seeds, photographs with one
person or many, keypoints that are hit more often in some photographs, by some seeds, and in some photographs by some
seeds. Effects of photographs are normal, skewed (exponential), or heavy-tailed (Student's with 3 degrees of freedom,
and crowds that follow a power law); those of seeds are normal. The result goes to benchmarks/results/coverage.json.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.special import ndtr, ndtri

from book import ROOT, machine
from hgnb import stats
from hgnb.stats import Estimate
from hgnb.stats.decisions import UNDECIDED

SHAPES = ("normal", "skewed", "heavy-tailed")
DESIGNS = ((5, 50), (5, 500), (8, 2000), (13, 50), (13, 500))  # seeds, photographs
SEED_SD = 0.06  # of the probit of a hit: 0.02 of PCK, as seeds of one profile differ
PHOTO, BOTH, ALIKE = 0.25, 0.15, 0.8  # variances of the probit; correlation of two networks' cells
PCK, MARGIN, FLOOR, OFF = 0.45, 0.02, 0.10, 0.275  # the last: half way from the floor to PCK
PARTED, RELATED = 0.8, 0.2
KEYPOINTS = 17
FAMILY = 8  # claims judged together, each exactly at its limit: whatever is decided of them is wrong


@dataclass(frozen=True)
class Drawn:
    """Sums by photograph: (n,) keypoints, (S, n) hits of several networks, (n,) of a floor."""

    size: np.ndarray
    hits: dict[str, np.ndarray]
    floor: np.ndarray

    def estimate(self, statistic: Callable, *names: str) -> Estimate:
        """A statistic of the hits of some networks, the floor's and the number of keypoints."""
        parts = [*(self.hits[name] for name in names), self.floor, self.size]
        return stats.crossed(np.stack(np.broadcast_arrays(*parts), -1), np.arange(len(self.size)), statistic)


def effects(rng: np.random.Generator, shape: str, n: int) -> np.ndarray:
    """(n,) effects of photographs, of mean 0 and variance 1."""
    if shape == "skewed":
        return rng.exponential(size=n) - 1
    return rng.standard_t(3, n) / np.sqrt(3) if shape == "heavy-tailed" else rng.normal(size=n)


def sizes(rng: np.random.Generator, shape: str, n: int) -> np.ndarray:
    """(n,) labelled keypoints."""
    crowd = np.minimum(1 + rng.pareto(1.5, n), 25).astype(int) if shape == "heavy-tailed" else 1 + rng.poisson(1, n)
    return np.maximum(rng.binomial(KEYPOINTS * crowd, 0.65), 1)


@cache
def probit(shape: str, share: float) -> float:
    """The probit at which so large a share of keypoints is hit."""
    rng = np.random.default_rng(99)
    latent = np.sqrt(PHOTO) * effects(rng, shape, 400_000)
    rest = np.sqrt(1 + SEED_SD**2 + BOTH)
    low, high = -6.0, 6.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if ndtr((middle + latent) / rest).mean() < share else (low, middle)
    return low


def drawn(rng: np.random.Generator, shape: str, seeds: int, photographs: int, gain: float = MARGIN) -> Drawn:
    """Networks of the same seeds: `on` and its `equal`, one `better` by a gain, one `off`; and a floor."""
    size, photo = sizes(rng, shape, photographs), np.sqrt(PHOTO) * effects(rng, shape, photographs)
    shared = rng.normal(size=(seeds, photographs))
    hits = {}
    for name, share in (("on", PCK), ("equal", PCK), ("better", PCK + gain), ("off", OFF)):
        own = np.sqrt(BOTH) * (np.sqrt(ALIKE) * shared + np.sqrt(1 - ALIKE) * rng.normal(size=shared.shape))
        latent = SEED_SD * rng.normal(size=(seeds, 1)) + photo + own
        hits[name] = rng.binomial(size, ndtr(probit(shape, share) + latent))
    blind = np.sqrt(BOTH + SEED_SD**2) * rng.normal(size=photographs)
    return Drawn(size, hits, rng.binomial(size, ndtr(probit(shape, FLOOR) + photo + blind)))


def level(a, floor, n):
    """PCK."""
    return a / n


def difference(a, b, floor, n):
    """PCK of the second network less the first's."""
    return (b - a) / n


def above_floor(off, on, floor, n):
    """Share of PCK above the floor that is left."""
    return (off - floor) / (on - floor)


def persons(rng: np.random.Generator, shape: str, photographs: int) -> np.ndarray:
    """(N,) the photograph of each person."""
    return np.repeat(np.arange(photographs), np.minimum(sizes(rng, shape, photographs) // 11 + 1, 12))


def noise(rng: np.random.Generator, seeds: int, image: np.ndarray) -> np.ndarray:
    """(S, N) of variance 1: persons of a photograph, and a person in all seeds, resemble each other."""
    photo = rng.normal(size=image.max() + 1)[image]
    return np.sqrt(0.3) * (photo + rng.normal(size=(seeds, len(image)))) + np.sqrt(0.4) * rng.normal(size=len(image))


def told_apart(rng: np.random.Generator, shape: str, seeds: int, photographs: int) -> Estimate:
    """AUC of a score that parts persons better in some seeds than in others."""
    image, spread = persons(rng, shape, photographs), 0.1
    yes = rng.random(len(image)) < 0.4
    apart = np.sqrt(2 + spread**2) * ndtri(PARTED) + spread * rng.normal(size=(seeds, 1))
    return stats.auc(apart * yes + noise(rng, seeds, image), yes, image)


def goes_with(rng: np.random.Generator, shape: str, seeds: int, photographs: int) -> Estimate:
    """Correlation of a score with a number."""
    image = persons(rng, shape, photographs)
    value = rng.normal(size=len(image))
    return stats.correlation(RELATED * value + np.sqrt(1 - RELATED**2) * noise(rng, seeds, image), value, image)


def measured(rng: np.random.Generator, shape: str, seeds: int, photographs: int) -> dict[str, tuple[Estimate, float]]:
    """Estimates of one draw and what they should come to."""
    made, few = drawn(rng, shape, seeds, photographs), min(photographs, 500)
    return {
        "PCK": (made.estimate(level, "on"), PCK),
        "difference of 0": (made.estimate(difference, "on", "equal"), 0.0),
        f"difference of {MARGIN}": (made.estimate(difference, "on", "better"), MARGIN),
        "share above the floor": (made.estimate(above_floor, "off", "on"), (OFF - FLOOR) / (PCK - FLOOR)),
        "AUC": (told_apart(rng, shape, seeds, few), PARTED),
        "correlation": (goes_with(rng, shape, seeds, few), RELATED),
    }


def wrong(found: dict[str, tuple[Estimate, float]]) -> bool:
    """Whether a family of claims, all exactly at their limits, decides anything."""
    of = {name: estimate for name, (estimate, _) in found.items()}
    tests = [
        stats.above(of["PCK"], PCK), stats.above(of["difference of 0"]), stats.below(of["difference of 0"]),
        stats.above(of[f"difference of {MARGIN}"], MARGIN), stats.within(of[f"difference of {MARGIN}"], MARGIN),
        stats.below(of["share above the floor"], (OFF - FLOOR) / (PCK - FLOOR)), stats.above(of["AUC"], PARTED),
        stats.within(of["correlation"], RELATED),
    ]  # fmt: skip
    return any(verdict != UNDECIDED for verdict in stats.verdicts(tests, FAMILY))


def tried(shape: str, seeds: int, photographs: int, repetitions: int) -> dict:
    """How often intervals hold the true value and how often the family errs."""
    rng, held, errors = np.random.default_rng(0), {}, 0
    for _ in range(repetitions):
        found = measured(rng, shape, seeds, photographs)
        errors += wrong(found)
        for name, (estimate, true) in found.items():
            held.setdefault(name, []).append(estimate.low <= true <= estimate.high)
    covered = {name: round(float(np.mean(each)), 4) for name, each in held.items()}
    print(shape, seeds, photographs, covered, "family", errors / repetitions, flush=True)
    about = {"shape": shape, "seeds": seeds, "photographs": photographs}
    return about | {"covered": covered, "family_errs": round(errors / repetitions, 4)}


def power(seeds: int, photographs: int, repetitions: int) -> dict:
    """How often an effect is found that is as large as the smallest that is said to be found with 80 % power."""
    rng, alpha = np.random.default_rng(1), 0.05 / FAMILY

    def gained(gain: float) -> Estimate:
        return drawn(rng, "normal", seeds, photographs, gain).estimate(difference, "on", "better")

    said = float(np.mean([gained(0.0).decidable(alpha) for _ in range(100)]))
    found = np.mean([stats.above(gained(said)).p <= alpha for _ in range(repetitions)])
    print("power", seeds, photographs, said, found, flush=True)
    return {"seeds": seeds, "photographs": photographs, "effect": round(said, 4), "found": round(float(found), 4)}


def main() -> None:
    repetitions, began = int(sys.argv[1]) if len(sys.argv) > 1 else 1000, time.process_time()
    result = {
        "repetitions": repetitions,
        "pck": PCK, "margin": MARGIN, "family": FAMILY,
        "tried": [tried(shape, *design, repetitions) for shape in SHAPES for design in DESIGNS],
        "power": [power(*design, repetitions) for design in DESIGNS],
        "seconds": round(time.process_time() - began),
        "machine": machine(),
    }  # fmt: skip
    out = ROOT / "benchmarks" / "results" / "coverage.json"
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(result["seconds"], "s of a processor")


if __name__ == "__main__":
    main()
