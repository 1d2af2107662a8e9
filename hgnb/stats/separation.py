"""How well scores part two classes or go with a number, over seeds and photographs; signs chosen on other photographs.

The AUC is the chance that a positive's score exceeds a negative's. What each person adds to it is DeLong's (1988)
placement; persons of a photograph are added up (Obuchowski, 1997), seeds and photographs are crossed.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student_t

from hgnb.stats.crossing import Influence, by_photograph, moments, pearson
from hgnb.stats.estimate import UNKNOWN, Estimate

FEWEST = 30  # persons in a class; fewer decide nothing
FOLDS, DEALINGS = 5, 20  # how photographs are dealt where something is chosen on others than it judges


def auc(scores: np.ndarray, positive: np.ndarray, images: np.ndarray) -> Estimate:
    """AUC of scores (S, N), or (N,), ties counting half: the mean over seeds.

    positive: (N,) above 0 for one class, else the other; persons where it is NaN are left out. UNKNOWN unless both
    classes are there, without bounds where either has fewer than 30 persons.
    """
    scores, yes, images = _known(scores, positive, images)
    if not yes.any() or yes.all():
        return UNKNOWN
    names, image = np.unique(images, return_inverse=True)
    return _enough(_placed(scores, yes, image, len(names)).estimate(), yes)


def cross_fitted_auc(
    scores: np.ndarray, positive: np.ndarray, images: np.ndarray, *, seed: int = 0, dealings: int = DEALINGS
) -> Estimate:
    """The same of scores whose sign is arbitrary, as a component's is: in each seed and fold it is chosen on the
    photographs of the other folds. Averaged over so many dealings of the photographs into folds."""
    scores, yes, images = _known(scores, positive, images)
    if not yes.any() or yes.all():
        return UNKNOWN

    names, image = np.unique(images, return_inverse=True)

    def of(rows: np.ndarray) -> Influence | None:
        part = yes[rows]
        return _placed(scores[:, rows], part, image[rows], len(names)) if part.any() and not part.all() else None

    return _enough(_cross_fitted(of, 0.5, images, seed, dealings), yes)


def cross_fitted_correlation(
    scores: np.ndarray, values: np.ndarray, images: np.ndarray, *, seed: int = 0, dealings: int = DEALINGS
) -> Estimate:
    """Pearson's r of scores (S, N) or (N,) whose sign is arbitrary with values (N,), NaN left out; as the AUC above."""
    known = np.isfinite(values)
    scores, values, images = np.atleast_2d(scores)[:, known], values[known], images[known]
    if known.sum() < FEWEST or np.ptp(values) == 0:
        return UNKNOWN

    names, image = np.unique(images, return_inverse=True)

    def of(rows: np.ndarray) -> Influence | None:
        sums = by_photograph(moments(scores[:, rows], values[rows]), image[rows])
        whole = sums.sum(1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            seeds = pearson(*np.moveaxis(whole[:, 0], -1, 0))
            part = seeds[:, None] - pearson(*np.moveaxis(whole - sums, -1, 0))
        cells = np.zeros((len(scores), len(names)))
        cells[:, np.unique(image[rows])] = part
        return Influence(float(seeds.mean()), seeds, cells, cells.mean(0)) if np.isfinite(part).all() else None

    return _cross_fitted(of, 0.0, images, seed, dealings)


def folds(images: np.ndarray, *, seed: int = 0, parts: int = FOLDS, dealings: int = DEALINGS) -> Iterator[np.ndarray]:
    """(N,) the fold of each person, for each dealing: photographs are dealt at random, a photograph's persons stay
    together, and folds are as even as they can be."""
    names, image = np.unique(images, return_inverse=True)
    rng = np.random.default_rng(seed)
    for _ in range(dealings):
        yield (rng.permutation(len(names)) % parts)[image]


def _cross_fitted(
    of: Callable[[np.ndarray], Influence | None], middle: float, images: np.ndarray, seed: int, dealings: int
) -> Estimate:
    """The mean over dealings of what `of` says of each fold's rows, turned about `middle` where it lies below that on
    the others' rows; folds of which nothing can be said are left out."""
    dealt: list[tuple[np.ndarray, np.ndarray]] = []
    for fold in folds(images, seed=seed, dealings=dealings):
        kept = []
        for number in range(FOLDS):
            here, others = of(fold == number), of(fold != number)
            if here is None or others is None:
                continue
            sign = np.where(others.seeds < middle, -1.0, 1.0)
            kept.append((middle + sign * (here.seeds - middle), sign[:, None] * here.cells))
        if kept:
            seeds, cells = zip(*kept, strict=True)
            dealt.append((np.mean(seeds, axis=0), np.mean(cells, axis=0)))
    if not dealt:
        return UNKNOWN
    seeds, cells = (np.mean(part, axis=0) for part in zip(*dealt, strict=True))
    means = np.array([of_seeds.mean() for of_seeds, _ in dealt])
    error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else 0.0
    return Influence(float(seeds.mean()), seeds, cells, cells.mean(0)).estimate(error)


def _known(scores: np.ndarray, positive: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Persons whose class and scores are known."""
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    known = np.isfinite(positive) & np.isfinite(scores).all(0)
    return scores[:, known], positive[known] > 0, images[known]


def _placed(scores: np.ndarray, yes: np.ndarray, image: np.ndarray, images: int) -> Influence:
    """AUC of each seed, and what each of so many photographs (numbers from 0) adds to it."""
    m, n = int(yes.sum()), int((~yes).sum())
    every, wins, losses = (rankdata(part, axis=1) for part in (scores, scores[:, yes], scores[:, ~yes]))
    below = (every[:, yes] - wins) / n  # share of the negatives below each positive
    above = 1 - (every[:, ~yes] - losses) / m  # share of the positives above each negative
    seeds = below.mean(1, keepdims=True)
    of, non = (np.bincount(image[part], minlength=images) for part in (yes, ~yes))
    lost = n * _summed(below, image[yes], images) + m * _summed(above, image[~yes], images)
    with np.errstate(divide="ignore", invalid="ignore"):
        # pairs within a photograph were taken off twice; so few that they may count as any others
        without = (seeds * (m * n + of * non) - lost) / ((m - of) * (n - non))
    cells = seeds - without
    return Influence(float(seeds.mean()), seeds[:, 0], cells, cells.mean(0))


def _summed(placed: np.ndarray, image: np.ndarray, images: int) -> np.ndarray:
    return np.stack([np.bincount(image, row, images) for row in placed])


def _enough(estimate: Estimate, yes: np.ndarray) -> Estimate:
    """Without bounds where a class is too small to say anything."""
    if min(yes.sum(), (~yes).sum()) >= FEWEST:
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
