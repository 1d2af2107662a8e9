"""Prepared persons as batches for a network, in an order that a seed and an epoch decide; turned, grown and mirrored.

Augmentation is Newell et al.'s (2016, sec. 4.1), on any device; the thesis trains without (5.1). Pixel centres lie at
integers; everything turns about the centre of the crop.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler


class Persons(Protocol):
    """What a loader reads; a prepared split is one."""

    @property
    def crops(self) -> np.ndarray:
        """(N, side, side, 3) uint8, may be a memory map."""

    @property
    def keypoints(self) -> np.ndarray:
        """(N, K, 3) float32: x, y in pixels of the crop, v."""


@dataclass
class Batch:
    """B persons as they lie on disk; the network's device makes images and heatmaps of them."""

    crops: Tensor  # (B, side, side, 3) uint8
    points: Tensor  # (B, K, 2) float32 as (x, y), pixels of the crop
    visibility: Tensor  # (B, K) float32 in {0, 1, 2}
    index: Tensor  # (B,) position within the split

    def to(self, device, **kwargs) -> "Batch":
        """The same batch on another device; Lightning calls it."""
        return Batch(*(t.to(device, **kwargs) for t in vars(self).values()))

    def images(self, mean_rgb: Tensor) -> Tensor:
        """(B, 3, side, side) float32 in 0..1 less the mean colour; its memory is channels_last already."""
        return self.crops.permute(0, 3, 1, 2).float() / 255 - mean_rgb.view(1, 3, 1, 1)


class PersonBatches(Dataset):
    """Asked for a list of positions, gives a Batch: one read of the memory map, no collation."""

    def __init__(self, split: Persons):
        self.split = split

    def __len__(self) -> int:
        return len(self.split.keypoints)

    def __getitem__(self, index: list[int]) -> Batch:
        keypoints = torch.from_numpy(self.split.keypoints[index])
        crops = torch.from_numpy(np.ascontiguousarray(self.split.crops[index]))
        return Batch(crops, keypoints[..., :2], keypoints[..., 2], torch.as_tensor(index))


class EpochSampler(Sampler[list[int]]):
    """Batches of positions; each epoch's order depends on the seed and the epoch alone, so a resumed run repeats it.

    Of several processes each is dealt every n-th person of a batch that is n times as large; the last batch may
    leave one with a person less, or with none.
    """

    def __init__(self, length: int, batch: int, seed: int | None, rank: int = 0, size: int = 1):
        self.length, self.batch, self.seed, self.epoch = length, batch * size, seed, 0
        self.rank, self.size = rank, size

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.length // self.batch)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.arange(self.length)
        if self.seed is not None:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(order)
        for start in range(0, self.length, self.batch):
            yield order[start : start + self.batch][self.rank :: self.size].tolist()


def loader(split: Persons, batch: int, seed: int | None = None, rank: int = 0, size: int = 1) -> DataLoader:
    """Batches of a split: shuffled by `seed` for training, in order without one. Reading a memory map is cheap
    enough that worker processes would only copy."""
    sampler = EpochSampler(len(split.keypoints), batch, seed, rank, size)
    return DataLoader(PersonBatches(split), sampler=sampler, batch_size=None)


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
