"""Heatmaps of keypoints, a batch at a time on any device. Thesis 4.2.3; explained in 01_dataset.

The thesis sets one pixel to 1 and runs a Gaussian filter over the map. The response to a single pixel is
separable, so a table of one-dimensional responses and an outer product give the same map without filtering.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from hgnb.quantity import quantity


@dataclass(frozen=True)
class HeatmapConfig:
    """How a keypoint becomes a heatmap; the defaults are the thesis's.

    >>> HeatmapConfig(targets="peak").sigma_visible
    0.5
    """

    targets: str = quantity("thesis", "'thesis' (sums to 1) or 'peak' (peaks at 1)", "4.2.3; ambiguity 2")
    sigma_visible: float = quantity(0.5, "heatmap pixels, v = 2", "4.2.3; ambiguity 1")
    sigma_hidden: float = quantity(1.0, "heatmap pixels, v = 1", "4.2.3; ambiguity 1")


NEWELL = HeatmapConfig("peak", 1.0, 1.0)  # Newell et al. 2016, sec. 3.3, as their code has it


def cells(points: Tensor, side: int, size: int) -> Tensor:
    """(..., 2) crop pixels -> the heatmap pixel that holds them, floor(x * size / side); int64, clamped."""
    return (points * (size / side)).floor().long().clamp(0, size - 1)


@lru_cache(maxsize=16)
def responses(size: int, sigma: float) -> Tensor:
    """(size, size): row i is what a Gaussian filter makes of a one at i.

    As scipy.ndimage.gaussian_filter1d with mode 'reflect' and truncate 4: a normalised kernel of
    round(4 sigma) pixels on each side, mirrored at the borders so that each row sums to 1.
    """
    radius = int(4 * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    table = torch.zeros(size, size, dtype=torch.float64)
    for row in range(size):
        for offset, weight in zip(offsets.long().tolist(), kernel.tolist(), strict=True):
            # Half-sample symmetry: ... 1 0 | 0 1 ... n-1 | n-1 n-2 ...; a small map may reflect repeatedly.
            j = (row + offset) % (2 * size)
            table[row, j if j < size else 2 * size - 1 - j] += weight
    return table.float()


def heatmaps(points: Tensor, visibility: Tensor, *, side: int, size: int, config: HeatmapConfig) -> Tensor:
    """Keypoints (B, K, 2) in crop pixels and visibility (B, K) -> heatmaps (B, K, size, size) float32.

    "thesis": sums to 1. "peak": the same divided by its maximum. v = 0 stays empty.

    >>> maps = heatmaps(torch.tensor([[[8.0, 8.0]]]), torch.tensor([[2]]), side=16, size=4, config=HeatmapConfig())
    >>> maps.shape, round(float(maps.sum()), 3), peaks(maps)[0].tolist()
    (torch.Size([1, 1, 4, 4]), 1.0, [[[2, 2]]])
    """
    index = cells(points, side, size)
    tables = torch.stack([responses(size, sigma) for sigma in (config.sigma_hidden, config.sigma_visible)])
    if config.targets == "peak":
        tables = tables / tables.amax(2, keepdim=True)
    elif config.targets != "thesis":
        raise ValueError(f"targets must be 'thesis' or 'peak', not '{config.targets}'")
    tables = tables.to(points.device)
    kind = (visibility >= 2).long()  # (B, K)
    rows, columns = tables[kind, index[..., 1]], tables[kind, index[..., 0]]  # (B, K, size) each
    return (rows * (visibility > 0).unsqueeze(-1)).unsqueeze(-1) * columns.unsqueeze(-2)
