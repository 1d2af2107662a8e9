"""Are misplaced persons the poorly predicted ones? Thesis 6.4 and 7.1 (C29, C30); explained in 03_interpretation.

Who is misplaced differs in the number of labelled keypoints, by the very rule, and so does who is hard to predict.
So persons are compared only with those who have as many labelled keypoints as they.
"""

from dataclasses import dataclass

import numpy as np

from hgnb.analysis.clusters import Misplaced
from hgnb.stats import Estimate as Interval
from hgnb.stats import crossed as bootstrap


@dataclass(frozen=True)
class Compared:
    """PCK of the misplaced less that of the others with equally many labelled keypoints."""

    difference: Interval
    misplaced: int  # persons with a counterpart
    others: int  # their counterparts
    alone: int  # misplaced persons that nobody well placed can be compared with


def compared(wrong: Misplaced, found: np.ndarray, labelled: np.ndarray) -> Compared:
    """The difference at each number of labelled keypoints, averaged over the misplaced persons; over photographs.

    found, labelled: (N,) keypoints found and labelled of the persons that `wrong` judges. A person nobody judges, or
    without keypoints, is left out, and so is a number that has no misplaced person or only such.
    """
    judged = wrong.judged & (labelled > 0)
    levels = [n for n in np.unique(labelled[judged]) if len(set(wrong.flags[judged & (labelled == n)])) == 2]
    pck = found / np.maximum(labelled, 1)
    sides = [judged & wrong.flags, judged & ~wrong.flags]
    cells = np.array([[side & (labelled == n) for side in sides] for n in levels], dtype=float)
    cells = cells.reshape(len(levels), 2, len(labelled))  # who is on which side of which level

    def difference(*sums: np.ndarray) -> np.ndarray:
        """From the sums of persons and of their PCK, each by level and side."""
        persons, total = np.reshape(sums, (2, len(levels), 2, *np.shape(sums)[1:]))
        means = total / persons
        gap, weight = means[:, 0] - means[:, 1], persons[:, 0]
        there = np.isfinite(gap)  # a draw may leave a level without one side
        return np.where(there, gap * weight, 0).sum(0) / np.where(there, weight, 0).sum(0)

    interval = Interval(np.nan, np.nan, np.nan)
    if levels:
        columns = np.stack([cells, cells * pck]).reshape(-1, len(labelled)).T
        interval = bootstrap(columns, wrong.images, difference)
    misplaced, others = (int(cells[:, i].sum()) for i in (0, 1))
    return Compared(interval, misplaced, others, int(sides[0].sum()) - misplaced)


def rates_apart(a: Misplaced, b: Misplaced) -> Interval:
    """Misplaced rate of a less that of b, of other persons who may be on the same images; over photographs."""
    blocks = [np.column_stack([m.flags, m.judged]).astype(float) for m in (a, b)]
    columns = np.zeros((sum(map(len, blocks)), 4))
    columns[: len(blocks[0]), :2], columns[len(blocks[0]) :, 2:] = blocks
    images = np.concatenate([a.images, b.images])
    return bootstrap(columns, images, lambda wrong, n, other, m: wrong / n - other / m)
