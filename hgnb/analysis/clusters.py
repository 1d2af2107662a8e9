"""Clusters of the latents. Thesis 6.4 (its figures 16 to 21), 8.3.1 (26); explained in 03_interpretation.

K-means runs in all dimensions, a plane is only for looking. Of several restarts the one with the best
silhouette counts, as in the thesis.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hgnb.analysis.distances import distances, mean_silhouettes
from hgnb.analysis.kmeans import assigned, centroids, lloyd, plus_plus
from hgnb.stats import Estimate, cross_fitted_auc, crossed, halves


@dataclass(frozen=True)
class Sweep:
    """K-means with several K and restarts: the labels and silhouettes of all."""

    clusters: tuple[int, ...]  # the values of K that were possible
    silhouettes: np.ndarray  # (len(clusters), restarts)
    tried: tuple[np.ndarray, ...]  # (restarts, N) labels for each K
    persons: int
    left_out: tuple[int, ...]  # values of K that so few different points don't allow

    @property
    def best(self) -> np.ndarray:
        """The best silhouette of each K."""
        return self.silhouettes.max(1) if len(self.clusters) else np.zeros(0)

    @property
    def winner(self) -> int | None:
        """The K of the best silhouette; None if no K was possible."""
        return self.clusters[int(self.best.argmax())] if len(self.clusters) else None

    def of(self, k: int) -> np.ndarray:
        """(N,) labels of the best restart with K = k; all 0 if that K was impossible."""
        if k not in self.clusters:
            return np.zeros(self.persons, dtype=int)
        row = self.clusters.index(k)
        return self.tried[row][self.silhouettes[row].argmax()]


def sweep(
    points: np.ndarray, clusters: tuple[int, ...], restarts: int, seed: int, apart: np.ndarray | None = None
) -> Sweep:
    """K-means of (N, D) points for every K, from `restarts` k-means++ starts each.

    A silhouette needs 2 <= K < N clusters, and K-means K different points. apart: (N, N) distances, if known.
    """
    different = len({hash((row + 0.0).tobytes()) for row in points})  # adding 0 leaves no -0
    possible = tuple(k for k in clusters if 2 <= k < len(points) and k <= different)
    left_out = tuple(k for k in clusters if k not in possible)
    if not possible:
        return Sweep((), np.zeros((0, restarts)), (), len(points), left_out)
    apart = distances(points) if apart is None else apart
    generators = [np.random.default_rng([seed, k, r]) for k in possible for r in range(restarts)]
    wanted = np.repeat(possible, restarts)
    starts = [points[plus_plus(apart, k, rng)] for k, rng in zip(wanted, generators, strict=True)]
    labels = lloyd(points, starts)
    scores = mean_silhouettes(apart, labels).reshape(len(possible), restarts)
    tried = np.array(labels).reshape(len(possible), restarts, -1)
    return Sweep(possible, scores, tuple(tried), len(points), left_out)


@dataclass(frozen=True)
class Clustering:
    """N persons in clusters 0, 1, … ordered by the mean of `key`: the highest first, or the lowest if `sign` is -1."""

    points: np.ndarray  # (N, D)
    labels: np.ndarray  # (N,)
    key: np.ndarray  # (N,) what the clusters are compared by; may hold NaN
    images: np.ndarray  # (N,)
    sign: int = 1
    seed: int = 0

    @property
    def count(self) -> int:
        """Clusters."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0

    @property
    def sizes(self) -> np.ndarray:
        """(count,) persons of each cluster."""
        return np.bincount(self.labels, minlength=self.count)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(count,) mean of (N,) values over each cluster's persons, those that aren't NaN."""
        return np.array([_mean(values[self.labels == c]) for c in range(self.count)])

    def nearest(self, count: int) -> list[np.ndarray]:
        """For each cluster the indices of its persons nearest the centroid, nearest first."""
        out = []
        for c in range(self.count):
            members = np.flatnonzero(self.labels == c)
            gap = np.linalg.norm(self.points[members] - self.points[members].mean(0), axis=1)
            out.append(members[np.argsort(gap, kind="stable")[:count]])
        return out

    @cached_property
    def separation(self) -> Estimate:
        """AUC of sign x key between cluster 0 and the rest; 0.5: the clusters don't tell it."""
        return cross_fitted_auc(self.sign * self.key, self.labels == 0, self.images, seed=self.seed)

    @cached_property
    def misplaced(self) -> "Misplaced":
        """Who lies on the other side than the key says; for two clusters."""
        return misplaced(self.labels, self.sign * self.key, self.images, self.seed)


def clustering(
    points: np.ndarray, labels: np.ndarray, key: np.ndarray, images: np.ndarray, *, sign: int = 1, seed: int = 0
) -> Clustering:
    """Clusters renumbered: cluster 0 has the highest mean of sign x key (in the thesis, of labelled keypoints)."""
    names, own = np.unique(labels, return_inverse=True)
    means = np.array([_mean(sign * key[own == c]) for c in range(len(names))])
    sizes = np.bincount(own, minlength=len(names))
    order = np.lexsort((-sizes, -np.nan_to_num(means, nan=-np.inf)))
    return Clustering(points, np.argsort(order)[own] if len(own) else own, key, images, sign, seed)


@dataclass(frozen=True)
class Misplaced:
    """Persons in another cluster than a cut through their key puts them in."""

    flags: np.ndarray  # (N,) bool
    judged: np.ndarray  # (N,) bool: persons with a key, while a cut exists
    cuts: tuple[float, float]  # chosen on each half of the images; a key >= cut belongs to cluster 0
    images: np.ndarray

    @property
    def rate(self) -> Estimate:
        """Share of the judged persons."""
        columns = np.column_stack([self.flags, self.judged]).astype(float)
        return crossed(columns, self.images, lambda wrong, all_: wrong / all_)


def misplaced(labels: np.ndarray, key: np.ndarray, images: np.ndarray, seed: int = 0) -> Misplaced:
    """Each half of the images is judged by the cut that parts the other half's clusters best.

    The cut of least balanced error, so that an uneven pair of clusters isn't cut beyond its end. Without a key
    that varies, or with one cluster only, nobody is judged.
    """
    first, top = halves(images, seed), labels == 0
    flags, judged, cuts = np.zeros(len(labels), bool), np.zeros(len(labels), bool), []
    for half in (first, ~first):
        cut = best_cut(key[half], top[half])
        cuts.append(cut)
        there = ~half & np.isfinite(key) & np.isfinite(cut)
        judged |= there
        flags |= there & ((key >= cut) != top)
    return Misplaced(flags, judged, (cuts[0], cuts[1]), images)


def placed(group: Clustering, points: np.ndarray, key: np.ndarray, images: np.ndarray) -> Misplaced:
    """Who of (N, D) other persons is misplaced: each belongs to the group's nearest centroid, and is judged by the cut
    that parts all of the group; key (N,) and images (N,) are those persons'."""
    own = assigned(points, centroids(group.points.astype(np.float64), group.labels))
    cut = best_cut(group.sign * group.key, group.labels == 0)
    judged = np.isfinite(key) & np.isfinite(cut)
    return Misplaced(judged & ((group.sign * key >= cut) != (own == 0)), judged, (cut, cut), images)


def best_cut(key: np.ndarray, top: np.ndarray) -> float:
    """The value c for which 'key >= c' agrees best with `top`, both sides weighing the same; NaN if none parts."""
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


def rate_difference(a: Misplaced, b: Misplaced) -> Estimate:
    """Misplaced rate of a less that of b, the same persons in both; paired by image."""
    columns = np.column_stack([a.flags, a.judged, b.flags, b.judged]).astype(float)
    return crossed(columns, a.images, lambda wrong, n, other, m: wrong / n - other / m)


def _mean(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else np.nan
