"""PCK, the share of keypoints found. Thesis algorithm 1 (alg-pck) and 5.1; explained in 02_experiment.

A keypoint is found when the argmax of its predicted heatmap lies strictly within `radius * normaliser` pixels
of the truth's; the thesis takes radius 0.5 and a tenth of the map's side: 3.2 pixels of 64. Keypoints that
are not annotated (v = 0) don't count (ambiguity 12).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hgnb.quantity import quantity


@dataclass(frozen=True)
class PckConfig:
    """The two constants of PCK.

    >>> PckConfig(radius=0.2).normaliser
    0.1
    """

    normaliser: float = quantity(0.1, "of the heatmap's side", "5.1")
    radius: float = quantity(0.5, "normalisers", "5.1")


def peaks(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """(B, K, H, W) -> argmax (B, K, 2) as (x, y), the first index on ties, and the maxima (B, K).

    >>> peaks(torch.eye(3)[1].reshape(1, 1, 1, 3))
    (tensor([[[1, 0]]]), tensor([[1.]]))
    """
    flat = heatmaps.flatten(-2)
    index = flat.argmax(-1)  # documented to be the first where several are equal
    width = heatmaps.shape[-1]
    return torch.stack([index % width, index // width], -1), flat.gather(-1, index.unsqueeze(-1)).squeeze(-1)


def distances(predicted: Tensor, true: Tensor, *, size: int, config: PckConfig) -> Tensor:
    """(..., K) float64, in normalisers: predicted and true (..., K, 2), both in pixels of a `size` map."""
    gap = torch.linalg.vector_norm(predicted.double() - true.double(), dim=-1)
    return gap / (config.normaliser * size)


def found(predicted: Tensor, true: Tensor, *, size: int, config: PckConfig) -> Tensor:
    """(..., K) bool: predicted (..., K, 2) within reach of true (..., K, 2), both in pixels of a `size` map.

    >>> found(torch.tensor([[0.0, 0.0], [9.0, 9.0]]), torch.zeros(2, 2), size=64, config=PckConfig())
    tensor([ True, False])
    """
    return distances(predicted, true, size=size, config=config) < config.radius


def pck(hits: Tensor, visibility: Tensor) -> Tensor:
    """Share of annotated keypoints (v > 0) that are hits, pooled over all; (...) -> scalar, NaN if none is.

    >>> pck(torch.tensor([True, False, True]), torch.tensor([2, 1, 0]))
    tensor(0.5000)
    """
    counted = visibility > 0
    return (hits & counted).sum() / counted.sum()


def pck_by_person(hits: Tensor, visibility: Tensor) -> Tensor:
    """(N, K) -> (N,): the share within each person, as figure 13 of the thesis; NaN for one without keypoints."""
    counted = visibility > 0
    return (hits & counted).sum(-1) / counted.sum(-1)


def pck_by_keypoint(hits: Tensor, visibility: Tensor) -> Tensor:
    """(N, K) -> (K,): the share for each keypoint; NaN for one that is never annotated."""
    counted = visibility > 0
    return (hits & counted).sum(0) / counted.sum(0)
