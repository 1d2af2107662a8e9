"""One pass of the trained network over a split: latents and hits. Thesis 6.2 to 6.4; explained in 03_interpretation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hgnb.data.heatmaps import cells
from hgnb.data.prepared import PreparedSplit
from hgnb.metrics import PckConfig, found, peaks
from hgnb.model.hourglass import Skips
from hgnb.training import passes
from hgnb.training.passes import Latents, Reader


@dataclass(frozen=True)
class Reading:
    """What one pass over a split's persons brings."""

    hits: list[np.ndarray]  # (N, K) bool for each setting of the skips
    latents: Latents


def hits_of(maps: torch.Tensor, points: torch.Tensor, side: int, pck: PckConfig) -> np.ndarray:
    """(B, K) bool: which of the keypoints, (B, K, 2) in pixels of the crop, the maps (B, K, h, h) find."""
    size = maps.shape[-1]
    return found(peaks(maps)[0], cells(points, side, size), size=size, config=pck).cpu().numpy()


@torch.inference_mode()
def read(
    reader: Reader, split: PreparedSplit, pck: PckConfig, switches: Sequence[Skips] = (), keep: Sequence = ()
) -> Reading:
    """Encodes each person once and decodes with every setting of the skips; latents of the positions in `keep` stay.

    Encoding is two thirds of a prediction's cost, and no setting of the skips changes it. Of several stacks it is the
    first hourglass that is read, and its own heatmaps: the next one sees the image again.
    """
    network, hourglass, head = reader.network, reader.network.hourglasses[0], reader.network.heads[0]
    wanted = np.zeros(len(split.keypoints), dtype=bool)
    wanted[np.asarray(keep, dtype=int)] = True
    hits: list[list[np.ndarray]] = [[] for _ in switches]
    side, kept = split.crops.shape[1], []
    for batch in passes.read(reader, split):
        latents, branches = hourglass.encode(network.stem(batch.images(reader.mean_rgb)))
        kept.append(latents.flatten(1).float().cpu().numpy()[wanted[batch.index.cpu().numpy()]])
        for found_, skips in zip(hits, switches, strict=True):
            found_.append(hits_of(head(hourglass.decode(latents, branches, skips))[1], batch.points, side, pck))
    positions = np.flatnonzero(wanted)
    return Reading([np.concatenate(h) for h in hits], Latents(positions, np.concatenate(kept)))
