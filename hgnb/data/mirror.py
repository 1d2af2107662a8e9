"""A person seen in a mirror: pictures, keypoints and heatmaps, with left and right exchanged. Newell et al., sec. 4.1.

Pixel centres lie at integers, so column x of a row of `side` pixels becomes column side - 1 - x.
"""

import numpy as np

from hgnb.data.schema import KeypointSchema


def exchanged(schema: KeypointSchema) -> np.ndarray:
    """(K,) positions: where each keypoint's mirror image stands among the names; its own where it has no side."""
    order = np.arange(len(schema))
    for left, right in schema.pairs:
        order[left], order[right] = right, left
    return order


def crops(pixels: np.ndarray) -> np.ndarray:
    """(N, side, side, 3) -> the same shape, from right to left."""
    return np.ascontiguousarray(pixels[:, :, ::-1])


def keypoints(points: np.ndarray, side: int, schema: KeypointSchema) -> np.ndarray:
    """(N, K, 3) as (x, y, v) in a picture `side` pixels wide -> those of the mirror image; v = 0 stays all zero."""
    out = points[:, exchanged(schema)].copy()
    there = out[..., 2] > 0
    out[..., 0][there] = side - 1 - out[..., 0][there]
    return out


def heatmaps(maps: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(N, K, size, size) of a mirror image -> where its keypoints are in the picture itself."""
    return maps[:, exchanged(schema), :, ::-1]
