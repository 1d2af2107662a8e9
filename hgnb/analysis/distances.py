"""Distances between persons, silhouettes, and K-means from many starts at once. 03_interpretation.

Thesis 3.2 (alg-kmeans, alg-silhouette) and 6.4; Lloyd (1982), Arthur & Vassilvitskii (2007). Distances are computed
once, for 10,000 persons 400 MB, and all else goes by blocks of persons, which may come from a memory map. A single
start of few clusters waits for memory most of its time; here all starts of a sweep share each matrix product with the
points.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

BLOCK = 1024  # persons at once
COLUMNS = 600  # centroids that are moved at once
# scikit-learn's defaults:
MOST = 300  # iterations
TOLERANCE = 1e-4  # of the mean variance: the sum of the centroids' squared ways below which they rest


def slices(count: int) -> Iterator[slice]:
    """Consecutive rows that make up `count`."""
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


def blocks(latents: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows and their latents as (n, D) float64."""
    for rows in slices(len(latents)):
        yield rows, latents[rows].astype(np.float64)


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


def plus_plus(apart: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """(k,) indices of the points to start from: each the best of a few drawn by squared distance to those before.

    apart: (N, N) distances. The greedy k-means++ that scikit-learn uses.
    """
    chosen = [int(rng.integers(len(apart)))]
    closest = apart[chosen[0]].astype(np.float64) ** 2
    for _ in range(1, k):
        chances = closest / closest.sum() if closest.any() else None
        drawn = rng.choice(len(closest), 2 + int(np.log(k)), p=chances)
        nearer = np.minimum(closest, apart[drawn].astype(np.float64) ** 2)
        best = int(nearer.sum(1).argmin())
        chosen.append(int(drawn[best]))
        closest = nearer[best]
    return np.array(chosen)


def centroids(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(K, D) means of the clusters 0 to K - 1 of (N,) labels."""
    return np.stack([points[labels == c].mean(0) for c in range(int(labels.max()) + 1)])


def assigned(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(N,) which of the centroids (K, D) is nearest to each of (N, D) points, which may be a memory map."""
    parts = (((centres**2).sum(1) - 2 * block @ centres.T).argmin(1) for _, block in blocks(points))
    return np.concatenate([np.zeros(0, int), *parts])


@dataclass
class _Way:
    """One K-means under way."""

    centroids: np.ndarray  # (k, D) float32
    weights: np.ndarray  # (N,) float32
    labels: np.ndarray = field(default_factory=lambda: np.empty(0, int))  # (N,); of nobody before the first step
    # (N,) squared distance to the own centroid, less the point's own square
    gap: np.ndarray = field(default_factory=lambda: np.empty(0))
    resting: bool = False  # the centroids moved no more: the next labels are the last
    done: bool = False


def lloyd(
    points: np.ndarray, starts: Sequence[np.ndarray], weights: Sequence[np.ndarray] | None = None
) -> list[np.ndarray]:
    """(N,) labels from each start, (k, D) centroids of its own k; points (N, D).

    weights: for each start (N,) how often each person counts. A start ends where no label changes any more, or its
    centroids rest.
    """
    centre = points.mean(0, dtype=np.float64)
    x = (points - centre).astype(np.float32)  # squares of what lies around 0 keep their digits
    limit = TOLERANCE * float(np.einsum("nd,nd->", x, x, dtype=np.float64)) / max(x.size, 1)
    weights = [np.ones(len(x), np.float32)] * len(starts) if weights is None else weights
    pairs = zip(starts, weights, strict=True)
    ways = [_Way((s - centre).astype(np.float32), w.astype(np.float32)) for s, w in pairs]
    for group in _groups(ways):
        for _ in range(MOST):
            _assign(group, x)
            group = [way for way in group if not way.done]
            if not group:
                break
            _move(group, x, limit)
    return [way.labels for way in ways]


def _groups(ways: list[_Way]) -> Iterator[list[_Way]]:
    """As many in a group as have COLUMNS centroids."""
    group: list[_Way] = []
    for way in ways:
        if group and sum(len(w.centroids) for w in group) + len(way.centroids) > COLUMNS:
            yield group
            group = []
        group.append(way)
    if group:
        yield group


def _assign(group: list[_Way], x: np.ndarray) -> None:
    """Every point to its nearest centroid, by |c|² - 2xc."""
    stack, start, rows = np.concatenate([way.centroids for way in group]), 0, np.arange(len(x))
    gaps = x @ (-2 * stack.T)
    gaps += (stack**2).sum(1)
    for way in group:
        own = gaps[:, start : start + len(way.centroids)]
        labels, start = own.argmin(1), start + len(way.centroids)
        way.done = way.resting or np.array_equal(labels, way.labels)
        way.labels, way.gap = labels, own[rows, labels]


def _move(group: list[_Way], x: np.ndarray, limit: float) -> None:
    """Every centroid to the mean of its points; one without points to the point that is farthest from its own."""
    table, edges = members([w.labels for w in group], [w.weights for w in group], [len(w.centroids) for w in group])
    sums, sizes = table.T @ x, table.sum(0)
    for way, start, end in zip(group, edges[:-1], edges[1:], strict=True):
        size = sizes[start:end, None]
        moved = np.divide(sums[start:end], size, out=np.zeros_like(way.centroids), where=size > 0)
        empty = np.flatnonzero(size[:, 0] == 0)
        if len(empty):
            far = np.where(way.weights > 0, way.gap + (x**2).sum(1), -1)
            moved[empty] = x[np.argsort(-far, kind="stable")[: len(empty)]]
        way.resting = float(((moved - way.centroids) ** 2).sum()) <= limit
        way.centroids = moved
