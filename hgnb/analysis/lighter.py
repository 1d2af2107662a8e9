"""Comparisons of recorded networks of chapter 06: accuracies over seeds and test images, times over turns. Source 004.

An accuracy is a share of keypoints (PCKh@0.5), compared between trainings that share a seed; a speed is the logarithm
of a ratio of seconds. The claims, L1 to L15, stand in `hgnb.claims.on_lighter`.
"""

import numpy as np

from hgnb import stats
from hgnb.stats import UNKNOWN, Estimate
from hgnb.stats.estimate import TURNS
from hgnb.training.observations import Outcome, Outcomes

STEP, LOADED, INFERENCE = "training", "with loading", "inference"


def together(sweep: Outcomes, *names: str) -> list[list[Outcome]]:
    """The trainings of each of these names, those seeds alone that all of them have, in the seeds' order."""
    held = [{one.seed: one for one in sweep.of(name)} for name in names]
    shared = sorted(set.intersection(*(set(one) for one in held)))
    return [[one[seed] for seed in shared] for one in held]


def accuracy(sweep: Outcomes, name: str) -> Estimate:
    """Of a network: over its seeds and the test images."""
    return _measured(sweep, lambda found, of: found / of, name)


def gain(sweep: Outcomes, first: str, second: str) -> Estimate:
    """Accuracy of one network less another's, over the seeds that both have; UNKNOWN where they share none."""
    return _measured(sweep, lambda a, b, of: (a - b) / of, first, second)


def _measured(sweep: Outcomes, statistic, *names: str) -> Estimate:
    found = together(sweep, *names)
    if not found[0]:
        return UNKNOWN
    counted = np.array(sweep.people.counted, dtype=float)
    columns = [np.array([one.by_image for one in outcomes], dtype=float) for outcomes in found]
    return stats.crossed(np.stack(np.broadcast_arrays(*columns, counted), -1), np.arange(len(counted)), statistic)


def paired(first: np.ndarray, second: np.ndarray) -> Estimate:
    """The logarithm of a ratio of seconds, (turns,) each, taken within every turn; Student's t over turns."""
    return stats.student(np.log(first) - np.log(second), TURNS)


def unpaired(first: np.ndarray, second: np.ndarray) -> Estimate:
    """The logarithm of a ratio of mean seconds that were not taken in the same turns; Welch's t."""
    return stats.welch(np.log(first), np.log(second))


def ratio_text(log: Estimate) -> str:
    """'0.80 (0.78 to 0.82)' of a logarithm; without bounds from a single turn."""
    value, low, high = np.exp([log.value, log.low, log.high])
    return Estimate(value, low, high).text(2) if log.bounded else f"{value:.2f}"
