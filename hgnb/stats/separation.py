"""How well scores part two classes or go with a number, over seeds and photographs; signs chosen on other photographs.

The AUC is the chance that a positive's score exceeds a negative's. What each person adds to it is DeLong's (1988)
placement; persons of a photograph are added up (Obuchowski, 1997), seeds and photographs are crossed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student_t

from hgnb.stats.crossing import Influence, Statistic, by_photograph, crossed, moments, pearson
from hgnb.stats.estimate import UNKNOWN, Estimate

FEWEST = 30  # persons in a class; fewer decide nothing
FOLDS, DEALINGS = 5, 20  # how photographs are dealt where something is chosen on others than it judges


def auc(scores: np.ndarray, positive: np.ndarray, images: np.ndarray) -> Estimate:
    """AUC of scores (S, N), or (N,), ties counting half: the mean over seeds.

    positive: (N,), or (S, N) where classes differ by seed as clusters do: above 0 for one class, else the other; NaN
    leaves a person out. UNKNOWN unless every seed has both classes, without bounds where either has fewer than 30
    persons in one.
    """
    known = _Classes.of(scores, positive, images)
    found = known.placed(np.ones(len(known.photographs), bool))
    return known.enough(found.estimate()) if found else UNKNOWN


def cross_fitted_auc(
    scores: np.ndarray, positive: np.ndarray, images: np.ndarray, *, seed: int = 0, dealings: int = DEALINGS
) -> Estimate:
    """The same where the sign is arbitrary, as a component's is or which of two clusters is called the first: in each
    seed and fold it is chosen on the photographs of the other folds. The mean over so many dealings into folds."""
    known = _Classes.of(scores, positive, images)

    def of(fold: np.ndarray, number: int) -> tuple[Influence | None, np.ndarray]:
        return known.placed(fold == number), known.values(fold != number)

    return known.enough(_cross_fitted(of, 0.5, known.photographs, seed, dealings))


def cross_fitted_correlation(scores: np.ndarray, values: np.ndarray, images: np.ndarray) -> Estimate:
    """Pearson's r of scores (S, N) or (N,) whose sign is arbitrary with values (N,), NaN left out; as the AUC above.
    UNKNOWN where the values don't vary or fewer than 30 are known."""
    known = np.isfinite(values)
    scores, values, images = np.atleast_2d(scores)[:, known], values[known], images[known]
    if known.sum() < FEWEST or np.ptp(values) == 0:
        return UNKNOWN
    _, first = np.unique(images, return_index=True)
    sums = by_photograph(moments(scores, values), images)  # (S, n, 6)

    def r(parts: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return pearson(*np.moveaxis(parts, -1, 0))

    def of(fold: np.ndarray, number: int) -> tuple[Influence | None, np.ndarray]:
        here = fold[first] == number  # photographs
        inside, outside = sums[:, here].sum(1), sums[:, ~here].sum(1)
        seeds, cells = r(inside), np.zeros(sums.shape[:2])
        cells[:, here] = seeds[:, None] - r(inside[:, None] - sums[:, here])
        made = Influence(float(seeds.mean()), seeds, cells, cells.mean(0)) if np.isfinite(cells).all() else None
        return made, r(outside)

    return _cross_fitted(of, 0.0, images, 0, DEALINGS)


def folds(images: np.ndarray, *, seed: int = 0, dealings: int = DEALINGS) -> Iterator[np.ndarray]:
    """(N,) the fold of each person, for each dealing: photographs are dealt at random, a photograph's persons stay
    together, and folds are as even as they can be."""
    names, image = np.unique(images, return_inverse=True)
    rng = np.random.default_rng(seed)
    for _ in range(dealings):
        yield (rng.permutation(len(names)) % FOLDS)[image]


def halves(images: np.ndarray, seed: int) -> np.ndarray:
    """(N,) bool: a random half of the photographs' persons; what is chosen on one half is judged on the other."""
    names, image = np.unique(images, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    return order[image] < len(names) / 2


def dealt(of: Callable[[np.ndarray], np.ndarray], images: np.ndarray, statistic: Statistic) -> Estimate:
    """A statistic of sums over persons of whom something was chosen on other folds than theirs.

    of: takes the fold of each person (N,) and returns the columns (S, N, c) that `crossed` reads; they are averaged
    over dealings, and how far the statistic moves from one dealing to the next is kept beside it.
    """
    made = np.array([of(fold) for fold in folds(images)], dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = statistic(*np.moveaxis(made.sum((1, 2)), -1, 0))
    error = moved.std(ddof=1) / np.sqrt(len(moved)) if len(moved) > 1 and np.isfinite(moved).all() else 0.0
    found = crossed(made.mean(0), images, statistic)
    return replace(found, dealt=float(error)) if found.known else found


def _cross_fitted(
    of: Callable[[np.ndarray, int], tuple[Influence | None, np.ndarray]], middle: float, images: np.ndarray,
    seed: int, dealings: int,
) -> Estimate:  # fmt: skip
    """The mean over dealings and folds of the first that `of` returns, turned about `middle` in every seed whose value
    on the other folds, the second, lies below it; folds of which nothing can be said are left out."""
    made: list[tuple[np.ndarray, np.ndarray]] = []
    for fold in folds(images, seed=seed, dealings=dealings):
        kept = []
        for number in range(FOLDS):
            here, others = of(fold, number)
            # a class that stands on one photograph of a fold is gone without it
            if here is None or not (np.isfinite(others).all() and np.isfinite(here.cells).all()):
                continue
            sign = np.where(others < middle, -1.0, 1.0)
            kept.append((middle + sign * (here.seeds - middle), sign[:, None] * here.cells))
        if kept:
            seeds, cells = zip(*kept, strict=True)
            made.append((np.mean(seeds, axis=0), np.mean(cells, axis=0)))
    if not made:
        return UNKNOWN
    seeds, cells = (np.mean(part, axis=0) for part in zip(*made, strict=True))
    means = np.array([of_seeds.mean() for of_seeds, _ in made])
    error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else 0.0
    return Influence(float(seeds.mean()), seeds, cells, cells.mean(0)).estimate(float(error))


@dataclass(frozen=True)
class _Classes:
    """Scores of persons of two classes, in every seed."""

    scores: np.ndarray  # (S, N)
    yes: np.ndarray  # (S, N) bool
    no: np.ndarray  # (S, N) bool
    photographs: np.ndarray  # (N,)

    @classmethod
    def of(cls, scores: np.ndarray, positive: np.ndarray, images: np.ndarray) -> "_Classes":
        """From what `auc` takes."""
        scores, classes = np.broadcast_arrays(np.atleast_2d(np.asarray(scores, float)), np.asarray(positive, float))
        known = np.isfinite(classes) & np.isfinite(scores)
        any_ = known.any(0)
        yes, no = known & (classes > 0), known & ~(classes > 0)
        return cls(scores[:, any_], yes[:, any_], no[:, any_], np.asarray(images)[any_])

    @cached_property
    def _image(self) -> tuple[np.ndarray, int]:
        """(N,) photographs numbered from 0, and how many there are."""
        names, image = np.unique(self.photographs, return_inverse=True)
        return image, len(names)

    def values(self, rows: np.ndarray) -> np.ndarray:
        """(S,) AUC among these persons; NaN where a class is missing."""
        made = (self._placed(s, rows) for s in range(len(self.scores)))
        return np.array([one[0] if one else np.nan for one in made])

    def placed(self, rows: np.ndarray) -> Influence | None:
        """AUC among these persons in each seed, and what each photograph adds; None where a class is missing."""
        both = [self._placed(s, rows) for s in range(len(self.scores))]
        if not both or any(one is None for one in both):
            return None
        seeds, cells = (np.array(part) for part in zip(*(one for one in both if one), strict=True))
        return Influence(float(seeds.mean()), seeds, cells, cells.mean(0))

    def _placed(self, s: int, rows: np.ndarray) -> tuple[float, np.ndarray] | None:
        yes, no = np.flatnonzero(self.yes[s] & rows), np.flatnonzero(self.no[s] & rows)
        m, n = len(yes), len(no)
        if not m or not n:
            return None
        ranks = rankdata(np.concatenate([self.scores[s, yes], self.scores[s, no]]))
        below = (ranks[:m] - rankdata(self.scores[s, yes])) / n  # share of the negatives below each positive
        above = 1 - (ranks[m:] - rankdata(self.scores[s, no])) / m  # share of the positives above each negative
        value = float(below.mean())
        image, images = self._image
        of, non = (np.bincount(image[part], minlength=images) for part in (yes, no))
        lost = n * np.bincount(image[yes], below, images) + m * np.bincount(image[no], above, images)
        with np.errstate(divide="ignore", invalid="ignore"):
            # pairs within a photograph were taken off twice; so few that they may count as any others
            without = (value * (m * n + of * non) - lost) / ((m - of) * (n - non))
        return value, value - without

    def enough(self, estimate: Estimate) -> Estimate:
        """Without bounds where a class is too small to say anything."""
        if not estimate.known or min(self.yes.sum(1).min(), self.no.sum(1).min()) >= FEWEST:
            return estimate
        return Estimate.of(estimate.value, np.nan, 0, estimate.over, estimate.seeds, estimate.photographs)


def together(scores: np.ndarray, values: np.ndarray, images: np.ndarray) -> np.ndarray:
    """(n,) two-sided p-values of 'no column of scores (N, n) goes with values (N,)'; NaN where they don't vary.

    With s the sum over an image's persons of the product of both, centred, sum(s) / sqrt(sum(s²)) is nearly Student's
    t with one degree of freedom less than images: persons of one photograph may resemble each other, and neither their
    spread nor that of the photographs needs be equal (White, 1980). Of ranks and a class it tests an AUC against 0.5.
    """
    known = np.isfinite(values)
    y = values[known] - values[known].mean() if known.any() else values[known]
    names, image = np.unique(images[known], return_inverse=True)
    if len(names) < 3 or not y.any():
        return np.full(scores.shape[1], np.nan)
    s = np.zeros((len(names), scores.shape[1]))
    np.add.at(s, image, (scores[known] - scores[known].mean(0)) * y[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2 * student_t.sf(np.abs(s.sum(0)) / np.sqrt((s**2).sum(0)), len(names) - 1)
