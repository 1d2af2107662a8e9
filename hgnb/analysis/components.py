"""Principal components of the latents, and planes to look at them in. Thesis 6.3 (its figure 15), 8.3.2 (27).

The decomposition is exact and never holds more than a block of persons in memory: their covariance is summed up
block by block in float64, and its eigenvectors are the components. So all persons of COCO fit, from a memory map.
A plane by UMAP is kept with the run whose latents it shows: UMAP draws another one with its next version, or on a
processor that rounds otherwise, and a page should be the same tomorrow. Explained in 03_interpretation.
"""

import hashlib
import io
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.linalg import eigh
from scipy.linalg.blas import dsyrk
from sklearn.neighbors import NearestNeighbors

from hgnb.analysis.distances import blocks, slices
from hgnb.data.prepared import PreparedSplit
from hgnb.home import write_whole
from hgnb.training.catalogue import Weights, opened
from hgnb.training.export import Basis
from hgnb.training.runs import Run

WANTED = 20  # persons; with fewer, components and clusters would describe single persons
NEIGHBOURS = 15
EPOCHS = 200  # of UMAP


@dataclass(frozen=True)
class Complete:
    """The most completely labelled persons of a split."""

    positions: np.ndarray
    threshold: int  # every one of them has at least so many labelled keypoints
    keypoints: int  # of the schema
    fully: int  # persons with all of them

    @property
    def all_full(self) -> bool:
        """Whether these are the thesis's fully annotated persons."""
        return self.threshold == self.keypoints

    @property
    def title(self) -> str:
        """How a caption calls them."""
        if self.all_full:
            return "fully labelled persons"
        return f"persons with at least {self.threshold} of {self.keypoints} keypoints labelled"


def complete(split: PreparedSplit) -> Complete:
    """The fully labelled persons; with fewer than WANTED, as few keypoints are asked for as bring that many."""
    labelled, keypoints = split.labelled, split.keypoints.shape[1]
    threshold = keypoints
    while threshold > 1 and (labelled >= threshold).sum() < min(WANTED, (labelled > 0).sum()):
        threshold -= 1
    return Complete(np.flatnonzero(labelled >= threshold), threshold, keypoints, len(split.fully_labelled))


@dataclass(frozen=True)
class Components:
    """A PCA of N latents; components count from 1, as the thesis counts them."""

    latents: np.ndarray  # (N, D), may be a memory map
    mean: np.ndarray  # (D,) float64, as what follows
    axes: np.ndarray  # (n, D), rows of length 1
    variance: np.ndarray  # (n,): lambda, with N - 1 below
    ratio: np.ndarray  # (n,): share of the whole variance

    def __len__(self) -> int:
        return len(self.axes)

    def scores(self, count: int | None = None) -> np.ndarray:
        """(N, count): coordinates along the first components."""
        axes = self.axes[:count].T
        found = np.zeros((len(self.latents), axes.shape[1]))
        for rows, block in blocks(self.latents):
            found[rows] = (block - self.mean) @ axes
        return found

    def in_plane(self) -> np.ndarray:
        """(N, 2): scores of the first two, zeros in place of one that isn't there."""
        scores = self.scores(2)
        return np.pad(scores, ((0, 0), (0, 2 - scores.shape[1])))

    def needed(self, share: float) -> int:
        """How many components hold `share` of the variance; 0 if there is none."""
        return needed(self.variance, share)

    def walk(self, component: int, steps: np.ndarray) -> np.ndarray:
        """(S, D): the points mean + c sqrt(lambda) w for every c of `steps`."""
        axis, deviation = self.axes[component - 1], np.sqrt(self.variance[component - 1])
        return self.mean + np.outer(steps, deviation * axis)

    def nearest(self, points: np.ndarray) -> np.ndarray:
        """(S,) index of the person nearest each point, over all D dimensions (ambiguity 20)."""
        gap = np.zeros((len(self.latents), len(points)))
        for rows, block in blocks(self.latents):
            centred = block - self.mean
            gap[rows] = (centred**2).sum(1)[:, None] - 2 * centred @ (points - self.mean).T
        return gap.argmin(0)


def needed(variance: np.ndarray, share: float) -> int:
    """How many components hold `share` of the variance; (c,) variances, descending; 0 if nothing varies."""
    total = np.cumsum(variance, dtype=float)
    return int(np.searchsorted(total, (share - 1e-9) * total[-1]) + 1) if len(total) and total[-1] > 0 else 0


def principal(latents: np.ndarray) -> Components:
    """The PCA of (N, D) latents, N - 1 components at most; none for fewer than 2 persons or equal ones.

    Of a component's two signs that one is taken which makes its largest entry positive, as in scikit-learn.

    >>> parts = principal(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
    >>> parts.ratio.round(2).tolist()
    [1.0, 0.0]
    """
    n, d = latents.shape
    mean = sum((block.sum(0) for _, block in blocks(latents)), np.zeros(d)) / max(n, 1)
    if not any((block != latents[0]).any() for _, block in blocks(latents)):
        return Components(latents, mean, np.zeros((0, d)), np.zeros(0), np.zeros(0))
    values, vectors = eigh(covariance(latents, mean), overwrite_a=True, driver="evd", check_finite=False)
    keep = min(n - 1, d)  # the last of N directions through a mean of N points is rounding noise
    variance, axes = np.maximum(values[::-1], 0), vectors.T[::-1][:keep].copy()
    largest = np.abs(axes).argmax(1)
    axes *= np.sign(axes[np.arange(keep), largest])[:, None]
    return Components(latents, mean, axes, variance[:keep], variance[:keep] / variance.sum())


def covariance(latents: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(D, D) lower triangle of the covariance of (N, D) latents, with N - 1 below; in two passes for accuracy.

    Each block adds its half of a symmetric product, in place.
    """
    d = len(mean)
    total = np.zeros((d, d), order="F")
    for _, block in blocks(latents):
        total = dsyrk(1.0, (block - mean).T, beta=1.0, c=total, lower=1, overwrite_c=1)
    total /= len(latents) - 1
    return total


@dataclass(frozen=True)
class Walk:
    """Persons met on the way along one component."""

    component: int
    ratio: float
    persons: np.ndarray  # (S,) positions in the split, one for each step
    points: np.ndarray  # (S, D) where the way leads

    @property
    def different(self) -> int:
        """How many different persons were met."""
        return len(set(self.persons.tolist()))


def walks(parts: Components, positions: np.ndarray, wanted: tuple[int, ...], steps: tuple[float, ...]) -> list[Walk]:
    """The walk of thesis 6.3 along each wanted component that exists; positions: (N,) of the latents' persons."""
    points = {c: parts.walk(c, np.array(steps)) for c in wanted if c <= len(parts)}
    return [Walk(c, float(parts.ratio[c - 1]), positions[parts.nearest(x)], x) for c, x in points.items()]


def met(parts: Components, steps: np.ndarray, *, equal: bool = False) -> np.ndarray:
    """(n,) how many different persons the walk along each component meets.

    Its steps are c sqrt(lambda) of the component, or as long as the first's on every one (`equal`): a person who stays
    nearest may do so because the direction is empty or because the step is short (C11).
    """
    deviation = np.sqrt(np.broadcast_to(parts.variance[:1], len(parts)) if equal else parts.variance)
    scores = parts.scores()
    squares = (scores**2).sum(1)[:, None]  # the components span all persons
    # |z - s w|² less |s|², which is the same for all; along w only a person's own coordinate counts
    walks = zip(scores.T, deviation, strict=True)
    nearest = [(squares - 2 * np.outer(x, d * steps)).argmin(0) for x, d in walks]
    return np.array([len(set(n.tolist())) for n in nearest], dtype=int)


def export_basis(weights: Weights, count: int) -> tuple[Basis | None, np.ndarray | None]:
    """What an export takes from the run's own data: the first `count` components of the latents of the persons that
    chapter 03 samples (None for 0), and three test crops (n, side, side, 3). A file without a run has neither."""
    if weights.run is None:
        return None, None
    experiment = opened(weights.run)
    crops = np.array(experiment.prepared().split("test").crops[:3])
    if count == 0 or weights.card.build:  # somebody's own network has no latents
        return None, crops
    sample = experiment.sample()
    parts = principal(experiment.latents(weights.run, "train", sample).of(sample))
    return Basis(parts.mean, parts.axes[:count]), crops


# Planes


@dataclass(frozen=True)
class Map:
    """Points in the plane and how far their neighbourhoods are true."""

    name: str
    plane: np.ndarray  # (N, 2)
    trust: float  # trustworthiness over 15 neighbours: 1 if no stranger comes near; NaN for very few points


def umap(points: np.ndarray, apart: np.ndarray, seed: int, run: Run | None = None) -> Map:
    """UMAP (McInnes, Healy & Melville, 2018) of (N, D) points with the distances (N, N) between them.

    With a `run` the plane is read from its folder, or kept there for the next time.
    """
    file = None if run is None else _place(run, points, seed)
    plane = None if file is None else _read(file, len(points))
    if plane is None:
        plane = _laid_out(points, apart, seed)
        if file is not None:
            content = io.BytesIO()
            np.save(content, plane)
            write_whole(file, content.getvalue())
    return Map("UMAP", plane, trust(apart, plane))


def _place(run: Run, points: np.ndarray, seed: int) -> Path:
    """The name holds a hash of the points themselves, so that other latents have another plane."""
    key = hashlib.blake2b(json.dumps([seed, NEIGHBOURS, EPOCHS, points.shape]).encode(), digest_size=8)
    key.update(np.ascontiguousarray(points).data)
    return run.folder / "latents" / f"umap-{key.hexdigest()}.npy"


def _read(file: Path, persons: int) -> np.ndarray | None:
    """The plane in a file; None if there is none, or a damaged one."""
    try:
        plane = np.load(file)
    except (OSError, ValueError, EOFError):
        return None
    return plane if plane.shape == (persons, 2) and np.isfinite(plane).all() else None


def _laid_out(points: np.ndarray, apart: np.ndarray, seed: int) -> np.ndarray:
    """(N, 2); fewer points than a plane's graph needs are put in a row."""
    if len(points) < 4:
        return np.column_stack([np.arange(len(points)), np.zeros(len(points))]).astype(float)
    from umap import UMAP  # compiles on import: seconds

    count = min(NEIGHBOURS, len(points) - 1)
    small = len(points) < 50  # the spectral start wants more points than that
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about n_jobs and disconnected graphs
        # The exact neighbours are at hand: without them umap would compile its own search, ten seconds.
        reducer = UMAP(
            n_neighbors=count, precomputed_knn=(*nearest(apart, count), None), n_epochs=EPOCHS,
            force_approximation_algorithm=True, init="random" if small else "spectral", random_state=seed, n_jobs=1,
        )  # fmt: skip
        return reducer.fit_transform(points)


def nearest(apart: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, count) indices and distances of each point's nearest points, itself first; apart: (N, N)."""
    parts = (np.argsort(apart[rows], axis=1, kind="stable")[:, :count] for rows in slices(len(apart)))
    index = np.concatenate([np.zeros((0, min(count, len(apart))), int), *parts])
    return index, np.take_along_axis(apart, index, 1)


def trust(apart: np.ndarray, plane: np.ndarray) -> float:
    """Trustworthiness (Venna & Kaski, 2001) of a plane (N, 2), over 15 neighbours or as many as the points allow.

    As scikit-learn's, which sorts all distances at once: 2.5 GB for 10,000 persons. NaN for very few.
    """
    n = len(plane)
    count = min(NEIGHBOURS, (n - 1) // 2)
    if count < 1:
        return np.nan
    near = NearestNeighbors(n_neighbors=count).fit(plane).kneighbors(return_distance=False)
    excess = 0
    for i in range(n):
        # A neighbour's rank: how many lie at most so far away; the point itself is one of them.
        ranks = np.searchsorted(np.sort(apart[i]), apart[i, near[i]], side="left")
        excess += np.maximum(ranks - count, 0).sum()
    return float(1 - excess * 2 / (n * count * (2 * n - 3 * count - 1)))
