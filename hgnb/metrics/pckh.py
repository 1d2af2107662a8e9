"""PCKh: keypoints found within half a head. Andriluka et al. (2014), sec. 4; 02_experiment, 06_lighter_hourglasses.

The head's length is the labelled segment from neck to head top. MPII's own toolkit takes 0.6 times the diagonal of
an annotated head box instead; COCO's layout has no such box, and one guessed from joints would not be MPII's, so
that variant is left out: numbers here are not comparable with MPII's tables to the last percent (ambiguity 22).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

NECKS, TOP = ("upper_neck", "neck"), "head_top"
# The groups that MPII's tables have, left and right together; its pelvis and thorax are in none, and so in no mean.
GROUPS = {
    "head": (TOP, *NECKS, "nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    **{joint: (f"left_{joint}", f"right_{joint}") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")},
}


def joint_groups(names: Sequence[str]) -> dict[str, list[int]]:
    """Indices of each group's joints among a schema's names; a group that the data lack is empty."""
    return {group: [names.index(n) for n in joints if n in names] for group, joints in GROUPS.items()}


def head_segment(names: Sequence[str]) -> tuple[int, int] | None:
    """Indices of neck and head top among a schema's names; None where it has no such segment, as COCO's."""
    neck = next((names.index(n) for n in NECKS if n in names), None)
    return None if neck is None or TOP not in names else (neck, names.index(TOP))


def head_lengths(true: Tensor, visibility: Tensor, segment: tuple[int, int]) -> Tensor:
    """(N,) float64, in the pixels of true (N, K, 2); 0 where an end isn't labelled: such a person doesn't count."""
    a, b = segment
    length = torch.linalg.vector_norm((true[:, a] - true[:, b]).double(), dim=-1)
    return length * ((visibility[:, a] > 0) & (visibility[:, b] > 0))


def within_heads(predicted: Tensor, true: Tensor, lengths: Tensor, radius: float = 0.5) -> Tensor:
    """(N, K) bool: not farther than `radius` heads, as MPII's toolkit counts (<=); nobody where the length is 0.

    >>> within_heads(torch.tensor([[[3.0, 4.0]]]), torch.zeros(1, 1, 2), lengths=torch.tensor([10.0]))
    tensor([[True]])
    """
    distance = torch.linalg.vector_norm(predicted.double() - true.double(), dim=-1)
    return (distance <= radius * lengths[:, None]) & (lengths > 0)[:, None]
