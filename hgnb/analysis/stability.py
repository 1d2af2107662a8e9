"""Are there clusters at all, and would other persons give the same ones? Explained in 03_interpretation.

Thesis 6.4 takes the K of the best silhouette (C13, C14). A silhouette can't reject K = 1: an even cloud that is cut in
two scores best at K = 2 as well. So the best K also has to score above a Gaussian of the same covariance, and to be
best again when other images are drawn.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.stats import t as student
from sklearn.metrics import adjusted_rand_score

from hgnb.analysis.clusters import Sweep, sweep
from hgnb.analysis.distances import mean_silhouettes
from hgnb.analysis.kmeans import assigned, centroids, lloyd
from hgnb.stats import halves, resamples

TOGETHER = 10  # resamples whose K-means share their matrix products
OFTEN = 0.95  # of the resamples: what "best" means in C13 and C14


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
        """C13, C14 of the best K: best in at least 95 % of the resamples, and above the Gaussian."""
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
