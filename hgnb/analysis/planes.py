"""The latents laid out in a plane by UMAP, and how far a plane can be trusted. Explained in 03_interpretation.

A plane is kept with the run whose latents it shows: UMAP draws another one with its next version, or on a processor
that rounds otherwise, and a page should be the same tomorrow.
"""

import hashlib
import io
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hgnb.analysis.distances import nearest, trust
from hgnb.training.runs import Run, write_aside

NEIGHBOURS = 15
EPOCHS = 200


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
            file.parent.mkdir(exist_ok=True)
            write_aside(file, content.getvalue())
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
