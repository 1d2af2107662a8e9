"""Clusters of the latents, and what they are worth. Thesis 6.4 (its figures 16 to 21), 8.3.1 (26); 03_interpretation.

K-means runs in all dimensions, a plane is only for looking. Of several restarts the one with the best silhouette
counts, as in the thesis, which takes the K of the best (C13, C14). A silhouette can't reject K = 1: an even cloud that
is cut in two scores best at K = 2 as well. So the best K also has to score above a Gaussian of the same covariance, and
to be best again when other images are drawn. All persons, where the thesis had to sample for lack of memory, are
clustered by mini-batches (Sculley, 2010), from the run's file of latents.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.stats import t as student
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score

from hgnb.analysis.distances import assigned, centroids, distances, lloyd, mean_silhouettes, plus_plus
from hgnb.analysis.misplaced import Misplaced, best_cut, misplaced
from hgnb.stats import Estimate, cross_fitted_auc, halves, resamples

BATCH = 1024  # persons; scikit-learn's default
STARTS = 10
TOGETHER = 10  # resamples whose K-means share their matrix products
OFTEN = 0.95  # of the resamples: what "best" means


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
    def misplaced(self) -> Misplaced:
        """Who lies on the other side than the key says; for two clusters."""
        return misplaced(self.labels, self.sign * self.key, self.images, self.seed)

    def placed(self, points: np.ndarray, key: np.ndarray, images: np.ndarray) -> Misplaced:
        """Who of (N, D) other persons is misplaced: each belongs to the nearest centroid, and is judged by the cut that
        parts all of these; key (N,) and images (N,) are those persons'."""
        own = assigned(points, centroids(self.points.astype(np.float64), self.labels))
        cut = best_cut(self.sign * self.key, self.labels == 0)
        judged = np.isfinite(key) & np.isfinite(cut)
        return Misplaced(judged & ((self.sign * key >= cut) != (own == 0)), judged, (cut, cut), images)


def clustering(
    points: np.ndarray, labels: np.ndarray, key: np.ndarray, images: np.ndarray, *, sign: int = 1, seed: int = 0
) -> Clustering:
    """Clusters renumbered: cluster 0 has the highest mean of sign x key (in the thesis, of labelled keypoints)."""
    names, own = np.unique(labels, return_inverse=True)
    means = np.array([_mean(sign * key[own == c]) for c in range(len(names))])
    sizes = np.bincount(own, minlength=len(names))
    order = np.lexsort((-sizes, -np.nan_to_num(means, nan=-np.inf)))
    return Clustering(points, np.argsort(order)[own] if len(own) else own, key, images, sign, seed)


def _mean(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else np.nan


# All persons


@dataclass(frozen=True)
class EveryoneClustered:
    """All N persons of a split in K clusters, beside a sample's."""

    labels: np.ndarray  # (N,) by mini-batch K-means on all
    on_sample: float  # adjusted Rand index of the sample's own clusters and `labels`, over the sample
    on_all: float  # of the sample's nearest centroids and `labels`, over all; NaN where there are no two clusters


def cluster_everyone(latents: np.ndarray, sample: np.ndarray, labels: np.ndarray, seed: int) -> EveryoneClustered:
    """As many clusters of (N, D) latents as the labels (n,) of the rows `sample` name; without two, all are in one.

    Of STARTS random beginnings the one of least inertia on a part goes on.
    """
    k = int(labels.max()) + 1 if len(labels) else 0
    if k < 2:
        one = np.zeros(len(latents), dtype=int)
        return EveryoneClustered(one, np.nan, np.nan)
    fitted = MiniBatchKMeans(k, batch_size=BATCH, n_init=STARTS, random_state=seed % 2**32).fit(latents)
    found = fitted.labels_.astype(int)
    by_sample = assigned(latents, centroids(latents[sample].astype(np.float64), labels))
    scores = (adjusted_rand_score(labels, found[sample]), adjusted_rand_score(by_sample, found))
    return EveryoneClustered(found, *map(float, scores))


# What they are worth


@dataclass(frozen=True)
class Stability:
    """What a sweep's clusters are worth; every array has an entry for each K of the sweep."""

    sweep: Sweep
    gaussian: np.ndarray  # (draws, clusters) best silhouettes of as many points from a Gaussian of equal covariance
    resampled: int  # how often the images were drawn anew
    wins: np.ndarray  # (clusters,) share of the resamples in which this K is best; NaN if none was drawn
    restarts: np.ndarray  # (clusters,) mean adjusted Rand index between two restarts
    halves: np.ndarray  # (clusters,) between the clusters of one half of the images and those the other half gives it

    @cached_property
    def band(self) -> tuple[np.ndarray, np.ndarray]:
        """(clusters,) bounds within which 95 % of further Gaussian samples would fall; NaN for fewer than 2 draws."""
        draws = len(self.gaussian)
        if draws < 2:
            nothing = np.full(len(self.sweep.clusters), np.nan)
            return nothing, nothing
        wide = student.ppf(0.975, draws - 1) * np.sqrt(1 + 1 / draws) * self.gaussian.std(0, ddof=1)
        return self.gaussian.mean(0) - wide, self.gaussian.mean(0) + wide

    @property
    def above(self) -> bool | None:
        """Whether the best K scores above the Gaussian; None where that can't be said."""
        if self.sweep.winner is None or not np.isfinite(self.band[1]).all():
            return None
        row = self.sweep.clusters.index(self.sweep.winner)
        return bool(self.sweep.best[row] > self.band[1][row])

    @property
    def share(self) -> float:
        """Share of the resamples in which the best K is best again; NaN without clusters."""
        k = self.sweep.winner
        return np.nan if k is None else float(self.wins[self.sweep.clusters.index(k)])

    @property
    def holds(self) -> bool | None:
        """Whether the best K makes clusters: best in at least 95 % of the resamples, and above the Gaussian."""
        return None if self.above is None else self.above and self.share >= OFTEN


def stability(
    points: np.ndarray, apart: np.ndarray, found: Sweep, variance: np.ndarray, images: np.ndarray, *,
    draws: int, resampled: int, seed: int,
) -> Stability:  # fmt: skip
    """Judges a sweep of (N, D) points with distances (N, N) and principal variances `variance`, from (N,) images."""
    ks, restarts = found.clusters, found.silhouettes.shape[1]
    rng = np.random.default_rng(seed)
    gaussian = [sweep(normal(variance, len(points), rng), ks, restarts, seed).best for _ in range(draws if ks else 0)]
    return Stability(
        found,
        np.reshape(gaussian, (len(gaussian), len(ks))),
        resampled,
        wins(points, apart, found, images, resampled, seed),
        np.array([agreement(labels) for labels in found.tried]),
        across_halves(points, apart, ks, restarts, images, seed),
    )


def normal(variance: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, n) points of a Gaussian along its own axes: turning them into the latents' would change no distance."""
    return rng.standard_normal((count, len(variance)), np.float32) * np.sqrt(variance).astype(np.float32)


def wins(points: np.ndarray, apart: np.ndarray, found: Sweep, images: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """(clusters,) in which share of `draws` resamples of the images each K has the best silhouette.

    Each K-means starts from the centroids of the sweep's best and finds those of the resample.
    """
    ks, names = found.clusters, np.unique(images)
    if not ks or not draws:
        return np.full(len(ks), np.nan)
    image = np.searchsorted(names, images)
    starts = [centroids(points, found.of(k)) for k in ks]
    won = np.zeros(len(ks))
    for counts in resamples(np.random.default_rng(seed), len(names), draws, TOGETHER):
        weights = [w for w in counts[:, image].astype(np.float32) for _ in ks]
        labels = lloyd(points, starts * len(counts), weights)
        scores = mean_silhouettes(apart, labels, weights).reshape(len(counts), len(ks))
        won += np.bincount(scores.argmax(1), minlength=len(ks))
    return won / draws


def agreement(labels: np.ndarray) -> float:
    """Mean adjusted Rand index over all pairs of labellings (R, N); NaN of a single one."""
    pairs = [adjusted_rand_score(a, b) for a, b in combinations(labels, 2)]
    return float(np.mean(pairs)) if pairs else np.nan


def across_halves(
    points: np.ndarray, apart: np.ndarray, ks: tuple[int, ...], restarts: int, images: np.ndarray, seed: int
) -> np.ndarray:
    """(clusters,) adjusted Rand index between a half's own clusters and those that the other half's centroids give it.

    Halves by image, K-means on each; the mean of both directions, NaN for a K that a half doesn't allow.
    """
    first = halves(images, seed)
    rows = [np.flatnonzero(half) for half in (first, ~first)]
    own = [sweep(points[at], ks, restarts, seed, apart[np.ix_(at, at)]) for at in rows]
    found = np.full(len(ks), np.nan)
    for i, k in enumerate(ks):
        if all(k in half.clusters for half in own):
            centres = [centroids(points[at], half.of(k)) for at, half in zip(rows, own, strict=True)]
            given = [assigned(points[at], other) for at, other in zip(rows, centres[::-1], strict=True)]
            found[i] = np.mean([adjusted_rand_score(half.of(k), g) for half, g in zip(own, given, strict=True)])
    return found
