"""Predictions and latents of a split, in batches, with skips switched and latents replaced where asked."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hgnb.data.dataset import Batch, Persons, loader
from hgnb.data.heatmaps import cells
from hgnb.metrics import PckConfig, found, peaks
from hgnb.model.folding import fold
from hgnb.model.hourglass import Skips, StackedHourglass


@dataclass(frozen=True)
class Predictions:
    """What a network says of N persons; points (N, K, 2) as (x, y) in pixels of a `size` map."""

    points: Tensor
    peaks: Tensor  # (N, K): the maxima of the heatmaps
    true: Tensor  # (N, K, 2)
    visibility: Tensor  # (N, K)
    size: int

    def hits(self, config: PckConfig) -> Tensor:
        """(N, K) bool: found, as PCK counts; where v = 0 it means nothing."""
        return found(self.points, self.true, size=self.size, config=config)


class Reader:
    """A trained network, as a folded copy in evaluation mode, and the mean colour that its crops lose."""

    def __init__(self, network: StackedHourglass, mean_rgb: np.ndarray | Tensor, batch: int = 64):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = fold(network).to(self.device, memory_format=torch.channels_last)
        self.mean_rgb = torch.as_tensor(mean_rgb, device=self.device)
        self.batch = batch

    def maps(self, batch: Batch, *, skips: Skips = True, edit: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """(B, K, size, size): the last heatmaps of persons on the reader's device; training validates by them too."""
        return self.network(batch.images(self.mean_rgb), skips=skips, edit=edit)

    @torch.inference_mode()
    def predict(
        self, split: Persons, *, skips: Skips = True, edit: Callable[[Tensor], Tensor] | None = None
    ) -> Predictions:
        """Argmax of every heatmap of every person; `skips` and `edit` as in StackedHourglass.predictions."""
        side = split.crops.shape[1]
        size = side // self.network.config.stride
        parts: list[tuple[Tensor, ...]] = []
        for batch in loader(split, self.batch):
            batch = batch.to(self.device)
            points, values = peaks(self.maps(batch, skips=skips, edit=edit))
            parts.append((points, values, cells(batch.points, side, size), batch.visibility))
        points, values, true, visibility = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
        return Predictions(points, values, true, visibility, size)

    @torch.inference_mode()
    def heatmaps(self, split: Persons, *, skips: Skips = True) -> np.ndarray:
        """(N, K, size, size) float32; for a few persons to be drawn."""
        maps = [self.maps(batch.to(self.device), skips=skips) for batch in loader(split, self.batch)]
        return torch.cat(maps).cpu().numpy()

    @torch.inference_mode()
    def latents(self, split: Persons, stack: int = 0) -> np.ndarray:
        """(N, C, s, s) float32: the third bottleneck residual of each person, in the hourglass at place `stack`."""
        images = (b.to(self.device).images(self.mean_rgb) for b in loader(split, self.batch))
        parts = [self.network.latents(x, stack) for x in images]
        return torch.cat(parts).float().cpu().numpy()

    @torch.inference_mode()
    def codes(self, latents: np.ndarray) -> np.ndarray:
        """(N, C, s, s) -> (N, code): what the autoencoder in the bottleneck makes of latents."""
        autoencoder = self.network.hourglasses[0].autoencoder
        if autoencoder is None:
            raise ValueError("this hourglass has no autoencoder in its bottleneck")
        parts = torch.from_numpy(latents).split(1024)
        return torch.cat([autoencoder.encode(p.to(self.device)).cpu() for p in parts]).numpy()
