"""Decodings of the same heatmaps compared, with and without the mirror image. Ours; explained in 07_beyond.

The thesis counts distances between whole pixels of the map: the truth is the pixel that holds the keypoint. A point
between pixels gains nothing by that rule. So here both are points of the crop: pixel (i, j) of a map has its centre at
s (j + 1/2) - 1/2 and s (i + 1/2) - 1/2 for a map s times smaller, and the truth is where the label is.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hgnb.data import mirror
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig
from hgnb.metrics.decoding import decoded
from hgnb.stats import Estimate, pck_difference
from hgnb.stats import pck as pooled_pck
from hgnb.training import batches
from hgnb.training.inference import Reader

MIRRORED = " + mirror"  # behind the name of a decoding of the mean with the mirror image


@dataclass(frozen=True)
class Decodings:
    """Where several decodings of one network put the keypoints of N persons."""

    offsets: dict[str, np.ndarray]  # (N, K, 2): predicted less true, pixels of the crop
    visibility: np.ndarray  # (N, K)
    images: np.ndarray  # (N,)
    normaliser: float  # pixels of the crop

    @property
    def counted(self) -> np.ndarray:
        """(N, K) bool."""
        return self.visibility > 0

    def hits(self, name: str, radius: float) -> np.ndarray:
        """(N, K) bool: nearer than `radius` normalisers, strictly, as PCK counts."""
        return np.linalg.norm(self.offsets[name], axis=-1) < radius * self.normaliser

    def pck(self, name: str, radius: float) -> Estimate:
        return pooled_pck(self.hits(name, radius), self.counted, self.images)

    def gain(self, name: str, radius: float, over: str = "argmax") -> Estimate:
        """PCK less that of another decoding, paired by image."""
        return pck_difference(self.hits(name, radius), self.hits(over, radius), self.counted, self.images)

    def curve(self, name: str, radii: np.ndarray) -> np.ndarray:
        """(R,) PCK at each radius."""
        near = np.sort(np.linalg.norm(self.offsets[name], axis=-1)[self.counted])
        return np.searchsorted(near, radii * self.normaliser) / max(len(near), 1)

    def drift(self, name: str, within: float) -> np.ndarray:
        """(2,) median of predicted less true in x and y, of the keypoints within a radius: where all lean to."""
        there = self.counted & self.hits(name, within)
        return np.median(self.offsets[name][there], axis=0) if there.any() else np.full(2, np.nan)


@torch.inference_mode()
def compared(reader: Reader, split: PreparedSplit, schema: KeypointSchema, pck: PckConfig) -> Decodings:
    """Every decoding of a split's heatmaps, and of their mean with those of the mirrored crops (Newell et al., 4.1)."""
    stride, side = reader.network.config.stride, split.crops.shape[1]
    order = torch.as_tensor(mirror.exchanged(schema), device=reader.device)
    parts: dict[str, list[Tensor]] = {}
    for batch in batches.read(reader, split):
        images = batch.images(reader.mean_rgb)
        maps = reader.network(images)
        both = (maps + reader.network(images.flip(-1))[:, order].flip(-1)) / 2
        for words, made in (("", decoded(maps)), (MIRRORED, decoded(both))):
            for name, points in made.items():
                parts.setdefault(name + words, []).append((points.cpu() + 0.5) * stride - 0.5)
    true = torch.from_numpy(np.array(split.keypoints[..., :2]))
    offsets = {name: (torch.cat(points) - true).numpy() for name, points in parts.items()}
    return Decodings(offsets, split.visibility, split.image_ids, pck.normaliser * side)
