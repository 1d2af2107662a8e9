"""The loss of a network that says nothing: the mean square of its targets. Explained in 07_beyond."""

from hgnb.data.heatmaps import HeatmapConfig, heatmaps
from hgnb.data.prepared import PreparedSplit
from hgnb.training.batches import loaded


def silent_loss(
    persons: PreparedSplit, side: int, size: int, config: HeatmapConfig, least_visibility: int = 1
) -> float:
    """Mean squared error of all-zero heatmaps; crops of `side` and maps of `size` pixels.

    `least_visibility`: the v that a keypoint needs to be a target.
    """
    total = 0.0
    for batch in loaded(persons, 256):
        v = batch.visibility * (batch.visibility >= least_visibility)
        maps = heatmaps(batch.points, v, side=side, size=size, config=config)
        total += float(maps.double().square().mean((1, 2, 3)).sum())
    return total / len(persons.keypoints)
