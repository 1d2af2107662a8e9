"""Persons in another cluster than a key says, as the thesis calls them misplaced (6.4, 7.1). C15, C29, C30.

Where the cut through the key lies, and which cluster is the higher one, is chosen on the photographs of other folds
than those that are judged, over many dealings: by the ledger as on every page. Who is misplaced differs in the number
of labelled keypoints, by the very rule, and so does who is hard to predict; so persons are compared only with those
who have as many. Explained in 03_interpretation and 07_beyond.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hgnb.stats import UNKNOWN, Estimate, crossed
from hgnb.stats.separation import FOLDS, folds


@dataclass(frozen=True)
class Misplaced:
    """Persons on the wrong side of cuts through their key."""

    share: np.ndarray  # (N,) of the dealings in which a person is
    judged: np.ndarray  # (N,) bool: persons with a key, while a cut exists
    cuts: tuple[float, float]  # the lowest and the highest; a key >= cut belongs to the higher cluster
    images: np.ndarray

    @property
    def flags(self) -> np.ndarray:
        """(N,) bool: in most of the dealings."""
        return self.share > 0.5

    @property
    def columns(self) -> np.ndarray:
        """(N, 2) whose sums make a rate."""
        return np.column_stack([self.share, self.judged]).astype(float)

    @property
    def rate(self) -> Estimate:
        """Share of the judged persons."""
        return crossed(self.columns, self.images, lambda wrong, all_: wrong / all_)

    def levels(self, labelled: np.ndarray) -> np.ndarray:
        """(L, 2, N) bool: for each number of labelled keypoints (N,) that misplaced and well placed persons have, who
        of the judged has it and is misplaced, and who isn't. A person without keypoints is left out."""
        judged = self.judged & (labelled > 0)
        sides = [judged & self.flags, judged & ~self.flags]
        wanted = [n for n in np.unique(labelled[judged]) if all((side & (labelled == n)).any() for side in sides)]
        cells = np.array([[side & (labelled == n) for side in sides] for n in wanted], bool)
        return cells.reshape(len(wanted), 2, len(labelled))


def wrong_side(key: np.ndarray, clusters: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """(S, N, 2): who lies on the wrong side of a cut through the key, and who is judged. In every seed and fold the
    cut, and which cluster has the higher key, are those that part the other folds' persons best. key: (N,);
    clusters: (S, N) 0 or 1, NaN for who has none."""
    out = np.zeros((*clusters.shape, 2))
    for row, own in zip(out, clusters, strict=True):
        for here, top, cut in _cuts(key, own, fold):
            row[here, 0] = (key[here] >= cut) != top[here]
            row[here, 1] = 1
    return out


def _cuts(key: np.ndarray, own: np.ndarray, fold: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """For each fold its persons, who is in the cluster with the higher key, and the cut; none where nothing parts."""
    there = np.isfinite(own) & np.isfinite(key)
    for number in range(FOLDS):
        other = there & (fold != number)
        means = [key[other & (own == c)].mean() if (other & (own == c)).any() else np.nan for c in (0, 1)]
        top = own == (0 if means[0] >= means[1] else 1)
        cut = best_cut(key[other], top[other])
        if np.isfinite(cut):
            yield there & (fold == number), top, cut


def misplaced(labels: np.ndarray, key: np.ndarray, images: np.ndarray, seed: int = 0) -> Misplaced:
    """Of two clusters (N,), 0 and others; nobody is judged without a key that varies, or with one cluster only."""
    own, dealt = (labels != 0).astype(float), list(folds(images, seed=seed))
    shares = np.mean([wrong_side(key, own[None], fold)[0] for fold in dealt], axis=0)
    cuts = [cut for fold in dealt for *_, cut in _cuts(key, own, fold)]
    return Misplaced(shares[:, 0], shares[:, 1] > 0, (min(cuts), max(cuts)) if cuts else (np.nan, np.nan), images)


def best_cut(key: np.ndarray, top: np.ndarray) -> float:
    """The value c for which 'key >= c' agrees best with `top`; NaN if none parts. Both sides weigh the same, so that an
    uneven pair of clusters isn't cut beyond its end."""
    there = np.isfinite(key)
    key, top = key[there], top[there]
    levels = np.unique(key)
    if len(levels) < 2 or not top.any() or top.all():
        return np.nan
    upper, lower = (np.bincount(np.searchsorted(levels, key[s]), minlength=len(levels)) for s in (top, ~top))
    missed = np.cumsum(upper) - upper  # of the top ones, those below each level
    wrong = lower.sum() - (np.cumsum(lower) - lower)  # of the others, those at or above it
    error = missed / upper.sum() + wrong / lower.sum()
    at = 1 + int(error[1:].argmin())  # a cut at the lowest level parts nobody
    return float((levels[at - 1] + levels[at]) / 2)


@dataclass(frozen=True)
class Compared:
    """PCK of the misplaced less that of the others with equally many labelled keypoints."""

    difference: Estimate
    misplaced: int  # persons with a counterpart
    others: int  # their counterparts
    alone: int  # misplaced persons that nobody well placed can be compared with


def compared(wrong: Misplaced, found: np.ndarray, labelled: np.ndarray) -> Compared:
    """The difference at each number of labelled keypoints, averaged over the misplaced persons; over photographs.

    found, labelled: (N,) keypoints found and labelled of the persons that `wrong` judges.
    """
    cells = wrong.levels(labelled)
    pck = found / np.maximum(labelled, 1)

    def difference(*sums: np.ndarray) -> np.ndarray:
        """From the sums of persons and of their PCK, each by level and side."""
        persons, total = np.reshape(sums, (2, len(cells), 2, *np.shape(sums)[1:]))
        means = total / persons
        gap, weight = means[:, 0] - means[:, 1], persons[:, 0]
        there = np.isfinite(gap)  # a level may be left without one side
        return np.where(there, gap * weight, 0).sum(0) / np.where(there, weight, 0).sum(0)

    columns = np.stack([cells, cells * pck]).reshape(4 * len(cells), len(labelled)).T
    made = crossed(columns, wrong.images, difference) if len(cells) else UNKNOWN
    bad, good = (int(cells[:, side].sum()) for side in (0, 1))
    return Compared(made, bad, good, int((wrong.judged & wrong.flags & (labelled > 0)).sum()) - bad)


@dataclass(frozen=True)
class Raised:
    """Pooled PCK of the judged persons that would be won, and who would win it."""

    gain: Estimate
    persons: int  # misplaced, with well placed ones of equally many labelled keypoints to compare
    judged: int


def raised(wrong: Misplaced, found: np.ndarray, labelled: np.ndarray) -> Raised:
    """What would be gained if each of the misplaced had the mean PCK of the well placed with as many labelled
    keypoints; over photographs. found, labelled: as above. Who has no counterpart stays as they are."""
    cells, judged = wrong.levels(labelled), wrong.judged & (labelled > 0)

    def gain(*sums: np.ndarray) -> np.ndarray:
        """From the sums of persons and of keypoints found, each by level and side, and of all labelled keypoints."""
        persons, total = np.reshape(sums[:-1], (2, len(cells), 2, *np.shape(sums[-1])))
        mean = total[:, 1] / persons[:, 1]
        won = np.where(persons[:, 1] > 0, persons[:, 0] * mean - total[:, 0], 0)  # a level may lose its counterparts
        return won.sum(0) / sums[-1]

    columns = np.stack([cells, cells * found]).reshape(4 * len(cells), len(labelled))
    stacked = np.concatenate([columns, (labelled * judged)[None]]).T
    made = crossed(stacked, wrong.images, gain) if len(cells) else UNKNOWN
    return Raised(made, int(cells[:, 0].sum()), int(judged.sum()))
