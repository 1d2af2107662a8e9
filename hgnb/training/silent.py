"""The loss of a network that says nothing: the mean square of its targets. Explained in 07_beyond."""

from hgnb.data.dataset import Persons, loader
from hgnb.data.heatmaps import HeatmapConfig, heatmaps


def silent_loss(persons: Persons, side: int, size: int, config: HeatmapConfig, least_visibility: int = 1) -> float:
    """Mean squared error of all-zero heatmaps; crops of `side` and maps of `size` pixels.

    `least_visibility`: the v that a keypoint needs to be a target.
    """
    total = 0.0
    for batch in loader(persons, 256):
        v = batch.visibility * (batch.visibility >= least_visibility)
        maps = heatmaps(batch.points, v, side=side, size=size, config=config)
        total += float(maps.double().square().mean((1, 2, 3)).sum())
    return total / len(persons.keypoints)
