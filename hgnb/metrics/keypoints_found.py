"""PCK, the share of keypoints found. Thesis algorithm 1 (alg-pck) and 5.1; explained in 02_experiment.

A keypoint is found when the argmax of its predicted heatmap lies strictly within `radius * normaliser` pixels
of the truth's; the thesis takes radius 0.5 and a tenth of the map's side: 3.2 pixels of 64. Keypoints that
are not annotated (v = 0) don't count (ambiguity 12).

Shares are told with what they are shares of: by visibility, by joint, over radii. A share of nothing is no number:
it is a `Share` that counts 0 and says so, never a NaN that reaches a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
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


def pck_by_keypoint(hits: Tensor, visibility: Tensor) -> Tensor:
    """(N, K) -> (K,): the share for each keypoint; NaN for one that is never annotated."""
    counted = visibility > 0
    return (hits & counted).sum(0) / counted.sum(0)


VISIBILITY = {"all": (1, 2), "v = 1": (1,), "v = 2": (2,)}  # COCO: 1 is labelled but hidden, 2 visible


@dataclass(frozen=True)
class Share:
    """`found` of `counted`."""

    found: int
    counted: int

    @property
    def value(self) -> float | None:
        """In 0..1; None where nothing is counted."""
        return self.found / self.counted if self.counted else None

    def text(self, digits: int = 3) -> str:
        """'0.433', or a dash: what prints one says that a dash means no such keypoint."""
        return f"{self.value:.{digits}f}" if self.counted else "–"


def share(hits: Tensor | np.ndarray, counted: Tensor | np.ndarray) -> Share:
    """Of the counted keypoints those that are hits; both bool and of one shape."""
    return Share(int((hits & counted).sum()), int(counted.sum()))


def by_visibility(hits: Tensor, visibility: Tensor) -> dict[str, Share]:
    """(N, K) -> 'all', 'v = 1' and 'v = 2'; v = 0 never counts (ambiguity 12)."""
    return {name: share(hits, among(visibility, values)) for name, values in VISIBILITY.items()}


def among(visibility: Tensor, values: Sequence[int]) -> Tensor:
    """(...) bool: visibility is one of the values."""
    return torch.stack([visibility == v for v in values]).any(0)


def by_joint(hits: Tensor, counted: Tensor, names: Sequence[str]) -> dict[str, Share]:
    """(N, K) -> the share of each of the K joints."""
    pairs = torch.stack([(hits & counted).sum(0), counted.sum(0)], -1).tolist()  # one transfer from the device
    return {name: Share(*pair) for name, pair in zip(names, pairs, strict=True)}


def by_group(hits: Tensor, counted: Tensor, groups: Mapping[str, Sequence[int] | np.ndarray]) -> dict[str, Share]:
    """(N, K) -> the share of each group of joint indices, as KeypointSchema.groups; 'limbs' is Newell's
    non-head/torso (ambiguity 14)."""
    chosen = {name: torch.as_tensor(joints, dtype=torch.long) for name, joints in groups.items()}
    return {name: share(hits[:, joints], counted[:, joints]) for name, joints in chosen.items()}


def mean_over_persons(hits: Tensor, counted: Tensor) -> tuple[float | None, int]:
    """The mean of each person's own share, and how many persons have one: those with a counted keypoint."""
    per_person = counted.sum(-1)
    some = per_person > 0
    if not some.any():
        return None, 0
    return float(((hits & counted).sum(-1)[some] / per_person[some]).double().mean()), int(some.sum())


def curve(distances: Tensor, counted: Tensor, radii: Tensor) -> list[Share]:
    """The share of counted keypoints nearer than each radius, strictly; `distances` (N, K) and `radii` (R,) in
    normalisers. At r = 0.5 it is the thesis's PCK."""
    near = distances[counted].sort().values
    # how many lie strictly below each radius
    below = torch.searchsorted(near, radii.to(near), side="left").tolist()
    return [Share(n, near.numel()) for n in below]
