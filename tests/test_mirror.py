"""Mirror images: flip twice is identity, left and right change places, and heatmaps follow their keypoints."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hgnb.data import mirror
from hgnb.data.heatmaps import HeatmapConfig, heatmaps
from hgnb.data.schema import KeypointSchema
from hgnb.training import catalogue
from hgnb.training.prediction import predict

SCHEMA = KeypointSchema(("nose", "left_hip", "right_hip", "right_knee", "left_knee", "left_toe"))


def persons(coordinates: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """(N, K, 3) float32, all zero where v = 0."""
    return np.concatenate([coordinates * (flags > 0)[..., None], flags[..., None]], -1).astype(np.float32)


@given(
    arrays(np.uint8, (2, 8, 8, 3)),
    arrays(np.int64, (2, 6, 2), elements=st.integers(0, 63)),
    arrays(np.int64, (2, 6), elements=st.integers(0, 2)),
)
def test_flip_twice_is_identity(pixels, coordinates, flags):
    given_ = persons(coordinates, flags)
    once = mirror.keypoints(given_, 64, SCHEMA)
    assert np.array_equal(mirror.keypoints(once, 64, SCHEMA), given_)
    assert np.array_equal(mirror.crops(mirror.crops(pixels)), pixels)
    assert sorted(once[..., 2].ravel()) == sorted(given_[..., 2].ravel())
    maps = np.random.default_rng(0).random((2, 6, 5, 5))
    assert np.array_equal(mirror.heatmaps(mirror.heatmaps(maps, SCHEMA), SCHEMA), maps)


def test_left_becomes_right_by_hand():
    given_ = persons(np.array([[(0, 5), (10, 1), (63, 2), (7, 3), (8, 4), (9, 6)]]), np.array([[2, 1, 2, 0, 2, 2]]))
    once = mirror.keypoints(given_, 64, SCHEMA)[0]
    assert once[0].tolist() == [63, 5, 2]
    assert once[1].tolist() == [0, 2, 2] and once[2].tolist() == [53, 1, 1]  # the right hip, now the left one
    assert once[3].tolist() == [55, 4, 2] and once[4].tolist() == [0, 0, 0]
    assert once[5].tolist() == [54, 6, 2], "a side without its other keeps its name"


def test_heatmaps_of_the_mirror_image_come_back_to_their_keypoints():
    """A keypoint in the middle of its cell has the same cell by either way."""
    rng = np.random.default_rng(1)
    given_ = persons(rng.integers(0, 16, (3, 6, 2)) * 4 + 1.5, np.full((3, 6), 2))

    def maps(points):
        xy, v = torch.from_numpy(points[..., :2]), torch.from_numpy(points[..., 2])
        return heatmaps(xy, v, side=64, size=16, config=HeatmapConfig()).numpy()

    seen = maps(mirror.keypoints(given_, 64, SCHEMA))
    assert np.allclose(mirror.heatmaps(seen, SCHEMA), maps(given_), atol=1e-7)


def test_averaging_with_the_mirror_image(trained, tmp_path):
    """A picture and its mirror image get mirrored heatmaps; without averaging they don't."""
    from PIL import Image, ImageOps

    _, run = trained
    weights = catalogue.weights(run.id)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    picture.save(tmp_path / "a.png")
    ImageOps.mirror(picture).save(tmp_path / "b.png")
    for mirrored in (True, False):
        a, b = (predict(weights, tmp_path / f"{name}.png", mirrored=mirrored) for name in "ab")
        same = np.allclose(mirror.heatmaps(b.heatmaps, a.schema), a.heatmaps, atol=1e-6)
        assert same == mirrored
