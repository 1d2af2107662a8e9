"""By intervention, not by looking: latents moved along a direction, and what decoding then shows. Thesis 6.3.

The thesis says what components and clusters are for by looking at the persons near a point of the latent space. Here a
test person's own latent is moved and decoded, with the skips of that person and with the mean person's, and posture,
motion and the number of confident maps are read off the network's answer. Beside every direction stand `LOTS` others of
equal length, each from one training person's latent to another's drawn by lot, so that they stay among latents that
occur. Which way of a direction counts as more is decided on the training persons, whose joints are labelled.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hgnb.analysis.distances import centroids
from hgnb.analysis.posture import motion_score, sitting_score
from hgnb.data.heatmaps import cells
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig, found, peaks
from hgnb.training import passes
from hgnb.training.passes import Reader

LOTS = 20  # directions by lot beside each
STEPS = (-4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0)  # of the direction's own length
BRANCHES = ("own", "mean")  # whose skips decode: the person's, or the mean of the persons
CONFIDENT = 0.5  # of the median peak over labelled keypoints: what a map must reach to count as confident


@dataclass(frozen=True)
class Direction:
    """A way through the latent space and the trait that it is said to carry."""

    name: str
    trait: str  # 'sitting', 'motion' or 'confident'
    way: np.ndarray  # (D,): one step


def directions(
    latents: np.ndarray,
    component: np.ndarray,
    of_full: np.ndarray | None,
    of_sample: tuple[np.ndarray, np.ndarray] | None,
) -> list[Direction]:
    """The thesis's three: its first component, and half of the way between the centroids of two clusters.

    `component` (D,): PC 1, one standard deviation long. `of_full`: (n,) labels of the two clusters of `latents` (n, D),
    the fully labelled; `of_sample`: latents and labels of the sample. None where there aren't two clusters.
    """
    found = [Direction("component", "sitting", component)]
    if of_full is not None:
        found.append(Direction("motion", "motion", _half(latents, of_full)))
    if of_sample is not None:
        found.append(Direction("labels", "confident", _half(*of_sample)))
    return found


def _half(latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
    first, second = centroids(latents.astype(np.float64), labels)
    return (second - first) / 2


def by_lot(way: np.ndarray, latents: np.ndarray, seed: int) -> np.ndarray:
    """(LOTS, D) as long as `way`: from one of `latents` (n, D) to another."""
    rng = np.random.default_rng(seed)
    pairs = np.array([rng.choice(len(latents), 2, replace=False) for _ in range(LOTS)])
    ways = (latents[pairs[:, 1]] - latents[pairs[:, 0]]).astype(np.float64)
    return ways * (np.linalg.norm(way) / np.linalg.norm(ways, axis=1, keepdims=True))


def signs(ways: np.ndarray, latents: np.ndarray, trait: np.ndarray) -> np.ndarray:
    """(W,) -1 or 1: whether `trait` (n,) falls or rises along each way among the persons of `latents` (n, D)."""
    known = np.isfinite(trait)
    along = (latents[known] - latents[known].mean(0)) @ ways.T
    return np.where(along.T @ (trait[known] - trait[known].mean()) < 0, -1, 1)


def steerable(split: PreparedSplit, schema: KeypointSchema, most: int, seed: int) -> np.ndarray:
    """Positions, ascending, of persons whose own joints show a posture: at most `most`, by lot."""
    shown = np.flatnonzero(np.isfinite(sitting_score(split.keypoints, schema)) & (split.labelled > 0))
    rng = np.random.default_rng(seed)
    return np.sort(rng.permutation(shown)[:most])


@torch.inference_mode()
def steer(
    reader: Reader, persons: PreparedSplit, schema: KeypointSchema, pck: PckConfig, trait: str, ways: np.ndarray,
    branches: str,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Every person's latent moved by every step along `ways` (W, D), decoded by the first hourglass, and read.

    -> (W, T, n) float32 the trait, NaN where the heatmaps don't show it, and (W, T, n) uint8 labelled keypoints found.
    `branches`: whose skips decode, one of BRANCHES.
    """
    moves = torch.as_tensor(ways, dtype=torch.float32, device=reader.device)
    scores = np.empty((len(ways), len(STEPS), len(persons)), np.float32)
    hits = np.empty(scores.shape, np.uint8)
    labelled = persons.visibility > 0
    enough = CONFIDENT * np.median(np.concatenate([p for _, p, _ in _encoded(reader, persons)])[labelled])
    mean = _mean_branches(reader, persons) if branches == "mean" else None
    at, side = 0, persons.crops.shape[1]
    for (latents, own), _, points in _encoded(reader, persons):
        rows = slice(at, at := at + len(points))
        used = own if mean is None else [m.expand(len(points), *m.shape[1:]) for m in mean]
        for i, way in enumerate(moves):
            for j, step in enumerate(STEPS):
                maps = _decoded(reader, latents + step * way.view(1, *latents.shape[1:]), used)
                where, height = peaks(maps)
                size = maps.shape[-1]
                hit = found(where, cells(points, side, size), size=size, config=pck).cpu().numpy()
                hits[i, j, rows] = (hit & labelled[rows]).sum(1)
                scores[i, j, rows] = _trait(trait, where.cpu().numpy(), height.cpu().numpy(), schema, enough)
    return scores, hits


def _trait(trait: str, points: np.ndarray, heights: np.ndarray, schema: KeypointSchema, enough: float) -> np.ndarray:
    """(B,) read off the maxima (B, K, 2) and their heights (B, K)."""
    if trait == "confident":
        return (heights >= enough).sum(1)
    seen = np.concatenate([points, np.full((*points.shape[:2], 1), 2.0)], -1)
    return (sitting_score if trait == "sitting" else motion_score)(seen, schema)


def _encoded(
    reader: Reader, persons: PreparedSplit
) -> Iterator[tuple[tuple[Tensor, list[Tensor]], np.ndarray, Tensor]]:
    """For each batch: latents and branches, the heights (B, K) of the unmoved maps' peaks, the joints in the crop."""
    network, hourglass = reader.network, reader.network.hourglasses[0]
    for batch in passes.read(reader, persons):
        encoded = hourglass.encode(network.stem(batch.images(reader.mean_rgb)))
        yield encoded, peaks(_decoded(reader, *encoded))[1].cpu().numpy(), batch.points


def _decoded(reader: Reader, latents: Tensor, branches: list[Tensor]) -> Tensor:
    return reader.network.heads[0](reader.network.hourglasses[0].decode(latents, branches, True))[1]


def _mean_branches(reader: Reader, persons: PreparedSplit) -> list[Tensor]:
    """What the skips carry of the mean person: (1, C, h, w) each."""
    total: list[Tensor] = []
    for (_, branches), _, _ in _encoded(reader, persons):
        sums = [b.sum(0, keepdim=True) for b in branches]
        total = [t + s for t, s in zip(total, sums, strict=True)] if total else sums
    return [t / len(persons) for t in total]
