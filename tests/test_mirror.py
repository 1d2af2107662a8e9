"""Mirror images: left and right change places, and heatmaps follow their keypoints."""

import numpy as np
import torch

from hgnb.data.heatmaps import HeatmapConfig, heatmaps
from hgnb.data.schema import KeypointSchema, exchanged, unmirrored
from hgnb.training import catalogue
from hgnb.training.prediction import predict

SCHEMA = KeypointSchema(("nose", "left_hip", "right_hip", "right_knee", "left_knee", "left_toe"))


def persons(coordinates: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """(N, K, 3) float32, all zero where v = 0."""
    return np.concatenate([coordinates * (flags > 0)[..., None], flags[..., None]], -1).astype(np.float32)


def mirrored(points: np.ndarray, side: int, schema: KeypointSchema) -> np.ndarray:
    """(N, K, 3) as (x, y, v) in a picture `side` pixels wide -> those of the mirror image; v = 0 stays all zero."""
    out = points[:, exchanged(schema)].copy()
    out[..., 0] = np.where(out[..., 2] > 0, side - 1 - out[..., 0], out[..., 0])
    return out


def test_left_and_right_change_places():
    assert exchanged(SCHEMA).tolist() == [0, 2, 1, 4, 3, 5], "a side without its other stays"
    maps = np.random.default_rng(0).random((2, 6, 5, 5))
    assert np.array_equal(unmirrored(unmirrored(maps, SCHEMA), SCHEMA), maps)


def test_heatmaps_of_the_mirror_image_come_back_to_their_keypoints():
    """A keypoint in the middle of its cell has the same cell by either way."""
    rng = np.random.default_rng(1)
    given_ = persons(rng.integers(0, 16, (3, 6, 2)) * 4 + 1.5, np.full((3, 6), 2))

    def maps(points):
        xy, v = torch.from_numpy(points[..., :2]), torch.from_numpy(points[..., 2])
        return heatmaps(xy, v, side=64, size=16, config=HeatmapConfig()).numpy()

    seen = maps(mirrored(given_, 64, SCHEMA))
    assert np.allclose(unmirrored(seen, SCHEMA), maps(given_), atol=1e-7)


def test_averaging_with_the_mirror_image(trained, tmp_path):
    """A picture and its mirror image get mirrored heatmaps; without averaging they don't."""
    from PIL import Image, ImageOps

    _, run = trained
    weights = catalogue.weights(run.id)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    picture.save(tmp_path / "a.png")
    ImageOps.mirror(picture).save(tmp_path / "b.png")
    for mean in (True, False):
        a, b = (predict(weights, tmp_path / f"{name}.png", mirrored=mean) for name in "ab")
        same = np.allclose(unmirrored(b.heatmaps, a.schema), a.heatmaps, atol=1e-6)
        assert same == mean
