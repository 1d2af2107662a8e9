"""Distances between persons, computed once, and what rests on them: silhouettes, neighbours, trust in a map.

Thesis 3.2 (alg-silhouette) and 6.4; explained in 03_interpretation. For 10,000 persons they are 400 MB, and all
else goes by blocks.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.neighbors import NearestNeighbors

from hgnb.analysis.blocks import blocks, slices


def distances(points: np.ndarray) -> np.ndarray:
    """(N, D) -> (N, N) float32 Euclidean distances, by |x|² + |y|² - 2xy around the mean, in float64."""
    centre = points.mean(0, dtype=np.float64) if len(points) else 0.0
    out = np.empty((len(points), len(points)), dtype=np.float32)
    for rows, x in blocks(points):
        x -= centre
        for columns, y in blocks(points[: rows.stop]):  # the rest is their mirror image
            y -= centre
            gap = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
            out[rows, columns] = np.sqrt(np.maximum(gap, 0))
            out[columns, rows] = out[rows, columns].T
    np.fill_diagonal(out, 0)
    return out


def silhouettes(apart: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(N,) silhouette of each point: (b - a) / max(a, b), 0 for one alone in its cluster (alg-silhouette).

    apart: (N, N) distances; labels: (N,) from 0, at least two different.
    """
    return next(_silhouettes(apart, [labels], [np.ones(len(labels), np.float32)]))


def mean_silhouettes(
    apart: np.ndarray, labels: Sequence[np.ndarray], weights: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    """(R,) mean silhouette of each of R labellings (N,); of one cluster only: -1.

    weights: for each labelling (N,) how often each person counts. Its other copies are no neighbours of a person,
    or a resample would flatter itself with distances of 0.
    """
    weights = [np.ones(len(apart), np.float32)] * len(labels) if weights is None else weights
    pairs = zip(_silhouettes(apart, labels, weights), labels, weights, strict=True)
    return np.array([np.average(s, weights=w) if len(np.unique(t[w > 0])) > 1 else -1 for s, t, w in pairs])


def _silhouettes(
    apart: np.ndarray, labels: Sequence[np.ndarray], weights: Sequence[np.ndarray]
) -> Iterator[np.ndarray]:
    """The silhouettes of each labelling in turn. One matrix product gives, for every point, the sum of its
    distances to every cluster of every labelling."""
    rows = np.arange(len(apart))
    table, edges = members(labels, weights, [int(own.max()) + 1 for own in labels])
    sums, sizes = apart @ table, table.sum(0)
    for own, weight, start, end in zip(labels, weights, edges[:-1], edges[1:], strict=True):
        total, size = sums[:, start:end], sizes[start:end]
        others = size[own] - weight  # in one's own cluster
        within = total[rows, own] / np.maximum(others, 1)
        means = np.divide(total, size, out=np.full_like(total, np.inf), where=size > 0)
        means[rows, own] = np.inf
        other = means.min(1)
        most = np.maximum(within, other)
        judged = (most > 0) & np.isfinite(other)  # with a single cluster there is no other
        value = np.divide(other - within, most, out=np.zeros_like(most), where=judged)
        yield np.where(others > 0, value, 0)


def members(
    labels: Sequence[np.ndarray], weights: Sequence[np.ndarray], clusters: Sequence[int]
) -> tuple[np.ndarray, list[int]]:
    """(N, K1 + K2 + …) float32: each person's weight in the column of its cluster; and where the columns of each
    labelling begin, whose numbers of clusters are given."""
    edges = [0, *np.cumsum(clusters).tolist()]
    table = np.zeros((len(labels[0]), edges[-1]), np.float32)
    rows = np.arange(len(table))
    for own, weight, start in zip(labels, weights, edges[:-1], strict=True):
        table[rows, start + own] = weight
    return table, edges


def nearest(apart: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, count) indices and distances of each point's nearest points, itself first; apart: (N, N)."""
    parts = (np.argsort(apart[rows], axis=1, kind="stable")[:, :count] for rows in slices(len(apart)))
    index = np.concatenate([np.zeros((0, min(count, len(apart))), int), *parts])
    return index, np.take_along_axis(apart, index, 1)


def trust(apart: np.ndarray, plane: np.ndarray, neighbours: int = 15) -> float:
    """Trustworthiness (Venna & Kaski, 2001) of a plane (N, 2), over as many neighbours as the points allow.

    As scikit-learn's, which sorts all distances at once: 2.5 GB for 10,000 persons. NaN for very few.
    """
    n = len(plane)
    count = min(neighbours, (n - 1) // 2)
    if count < 1:
        return np.nan
    near = NearestNeighbors(n_neighbors=count).fit(plane).kneighbors(return_distance=False)
    excess = 0
    for i in range(n):
        # A neighbour's rank: how many lie at most so far away; the point itself is one of them.
        ranks = np.searchsorted(np.sort(apart[i]), apart[i, near[i]], side="left")
        excess += np.maximum(ranks - count, 0).sum()
    return float(1 - excess * 2 / (n * count * (2 * n - 3 * count - 1)))
