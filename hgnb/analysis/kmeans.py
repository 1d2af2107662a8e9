"""K-means from many starts at once. Lloyd (1982), Arthur & Vassilvitskii (2007); thesis 3.2 (alg-kmeans), 6.4.

A single start of few clusters waits for memory most of its time; here all starts of a sweep share each matrix
product with the points. k-means++ draws from distances that are known already. 03_interpretation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from hgnb.analysis.blocks import blocks
from hgnb.analysis.distances import members

COLUMNS = 600  # centroids that are moved at once
# scikit-learn's defaults:
MOST = 300  # iterations
TOLERANCE = 1e-4  # of the mean variance: the sum of the centroids' squared ways below which they rest


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
