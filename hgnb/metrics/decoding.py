"""From a heatmap to a point, finer than a whole pixel: four ways. Ours, beside thesis 5.1; explained in 07_beyond.

The thesis takes the pixel with the highest value (alg-pck). Its neighbours say on which side of that pixel's centre
the keypoint lies, and three ways to listen to them are common. All start from the same pixel and look no further than
a few pixels around it.
"""

import torch
from torch import Tensor

from hgnb.metrics.keypoints_found import peaks

REACH = 3  # pixels that the smoothing of `dark` looks to each side, three of its standard deviations
NEAR = 2  # pixels that `soft` looks to each side: with more, a second person's peak would pull
FLOOR = 1e-6  # of the peak: what a logarithm takes for nothing


def decoded(maps: Tensor) -> dict[str, Tensor]:
    """Heatmaps (B, K, H, W) -> four estimates (B, K, 2) float32 as (x, y), pixels of the map, centres at integers.

    'argmax': the highest pixel, the first on ties. 'quarter', 'dark', 'soft': see the functions of these names.

    >>> {name: place.tolist() for name, place in decoded(torch.ones(1, 1, 4, 4)).items()}["argmax"]
    [[[0.0, 0.0]]]
    """
    cells, values = peaks(maps)
    around, inside = patches(maps.float(), cells, REACH + 1)
    return {
        "argmax": cells.float(),
        "quarter": cells + quarter(around, inside),
        "dark": cells + dark(around, inside, values.float()),
        "soft": cells + soft(around, inside),
    }


def patches(maps: Tensor, cells: Tensor, reach: int) -> tuple[Tensor, Tensor]:
    """(B, K, n, n) values around cells (B, K, 2) with n = 2 * reach + 1, and whether each lies inside the map.

    Outside, the map goes on as its own mirror image, as where targets are made (hgnb.data.heatmaps).
    """
    steps = torch.arange(-reach, reach + 1, device=maps.device)
    places = [cells[..., i, None] + steps for i in (1, 0)]  # rows, columns: (B, K, n) each
    sizes = maps.shape[-2:]
    inside = [(p >= 0) & (p < n) for p, n in zip(places, sizes, strict=True)]
    rows, columns = (_mirrored(p, n) for p, n in zip(places, sizes, strict=True))
    flat = rows.unsqueeze(-1) * sizes[1] + columns.unsqueeze(-2)
    values = maps.flatten(-2).gather(-1, flat.flatten(-2)).reshape(flat.shape)
    return values, inside[0].unsqueeze(-1) & inside[1].unsqueeze(-2)


def _mirrored(places: Tensor, size: int) -> Tensor:
    """... 1 0 | 0 1 ... n-1 | n-1 n-2 ...; a small map may be mirrored repeatedly."""
    around = places % (2 * size)
    return torch.where(around < size, around, 2 * size - 1 - around)


def quarter(around: Tensor, inside: Tensor) -> Tensor:
    """(B, K, 2): a quarter pixel towards the higher neighbour in x and in y, as in the code of Newell et al. (2016).

    Nothing along an axis where both are equal, or where one lies outside.
    """
    m = around.shape[-1] // 2
    ahead = torch.stack([around[..., m, m + 1], around[..., m + 1, m]], -1)
    behind = torch.stack([around[..., m, m - 1], around[..., m - 1, m]], -1)
    across, down = inside[..., m, m - 1 : m + 2], inside[..., m - 1 : m + 2, m]
    both = torch.stack([across.all(-1), down.all(-1)], -1)
    return 0.25 * torch.sign(ahead - behind) * both


def dark(around: Tensor, inside: Tensor, peak: Tensor) -> Tensor:
    """(B, K, 2): -H⁻¹ g of the smoothed map's logarithm. Zhang et al. (2020), sec. 3.1.

    The logarithm of a Gaussian is a parabola, so that one step leads to its centre whatever its width; smoothing
    (sigma 1) keeps it a Gaussian and takes out the ripples that a second derivative would follow. Differences span
    one pixel to each side. Nothing where the pixel lies at the border, where the parabola opens upwards, or where it
    leads further than a pixel, as it does on a plateau.
    """
    steps = torch.arange(-REACH, REACH + 1, device=around.device, dtype=around.dtype)
    kernel = torch.exp(-0.5 * steps**2)
    windows = around.unfold(-2, len(steps), 1).unfold(-2, len(steps), 1)  # (B, K, 3, 3, 7, 7)
    smooth = torch.einsum("...rc,r,c->...", windows, kernel, kernel) / kernel.sum() ** 2
    floor = FLOOR * peak.clamp(min=torch.finfo(peak.dtype).tiny)[..., None, None]
    log = smooth.maximum(floor).log()
    step = _newton(log)
    m = inside.shape[-1] // 2
    reached = (step.abs() <= 1).all(-1) & inside[..., m - 1 : m + 2, m - 1 : m + 2].flatten(-2).all(-1)
    return torch.where(reached.unsqueeze(-1), step, 0.0)


def _newton(log: Tensor) -> Tensor:
    """(B, K, 3, 3) -> (B, K, 2): the step to the top of the parabola through them; NaN or far away where none is."""
    centre = log[..., 1, 1]
    gx, gy = (log[..., 1, 2] - log[..., 1, 0]) / 2, (log[..., 2, 1] - log[..., 0, 1]) / 2
    xx, yy = log[..., 1, 2] - 2 * centre + log[..., 1, 0], log[..., 2, 1] - 2 * centre + log[..., 0, 1]
    xy = (log[..., 2, 2] - log[..., 2, 0] - log[..., 0, 2] + log[..., 0, 0]) / 4
    determinant = xx * yy - xy * xy
    determinant = torch.where((determinant > 0) & (xx < 0), determinant, torch.nan)  # a maximum, no saddle
    return torch.stack([xy * gy - yy * gx, xy * gx - xx * gy], -1) / determinant.unsqueeze(-1)


def soft(around: Tensor, inside: Tensor) -> Tensor:
    """(B, K, 2): the mean of the pixels within NEAR of the peak, weighted by their values: a local soft-argmax.

    Softmax of the map's logarithm are the values themselves, over their sum (Sun et al. 2018 take the softmax
    of the whole map, which a second peak pulls). Negative values count nothing; nothing where none is positive. A
    window that doesn't hold the whole bump pulls towards its middle.
    """
    m = around.shape[-1] // 2
    window = (slice(m - NEAR, m + NEAR + 1),) * 2
    weights = around[(..., *window)].clamp(min=0) * inside[(..., *window)]
    steps = torch.arange(-NEAR, NEAR + 1, device=around.device, dtype=around.dtype)
    moments = torch.stack([weights.sum(-2) @ steps, weights.sum(-1) @ steps], -1)
    total = weights.sum((-2, -1)).unsqueeze(-1)
    return torch.where(total > 0, moments / total, 0.0)
