"""Training persons turned, grown and mirrored, a batch at a time on any device. Newell et al. (2016), sec. 4.1.

The thesis trains without (5.1). Pixel centres lie at integers; everything turns about the centre of the crop.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def augmented(
    images: Tensor, points: Tensor, visibility: Tensor, *, exchange: Tensor, flip: float, rotation: float,
    scaling: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Images (B, 3, side, side), points (B, K, 2) as (x, y) in pixels and visibility (B, K), each person anew.

    `flip`: share of persons seen in a mirror, `exchange` (K,) saying where each keypoint's twin stands. `rotation`:
    degrees at most, `scaling`: share of the size at most, both uniform. What comes in from outside is zero, the mean
    colour; a keypoint that goes out of the crop counts as unlabelled. Draws from torch's generator.
    """
    persons, side = len(images), images.shape[-1]
    draw = torch.rand(3, persons, device=images.device)
    mirrored = draw[0] < flip
    angle = (2 * draw[1] - 1) * math.radians(rotation)
    size = 1 + (2 * draw[2] - 1) * scaling
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).view(-1, 2, 2)
    mirror = torch.diag_embed(torch.stack([1 - 2.0 * mirrored, torch.ones_like(size)], -1))
    forward = size.view(-1, 1, 1) * turn @ mirror  # of offsets from the centre, as (x, y)
    back = torch.cat([torch.linalg.inv(forward), forward.new_zeros(persons, 2, 1)], -1)
    grid = F.affine_grid(back, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, align_corners=False).contiguous(memory_format=torch.channels_last)

    centre = (side - 1) / 2
    order = torch.where(mirrored[:, None], exchange, torch.arange(len(exchange), device=exchange.device))
    points = points.gather(1, order.unsqueeze(-1).expand(-1, -1, 2))
    points = (points - centre) @ forward.mT + centre
    inside = ((points > -0.5) & (points < side - 0.5)).all(-1)
    return moved, points, visibility.gather(1, order) * inside
