"""Decodings compared on heatmaps that are known; the mirror image by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_explain import COCO, SIDE, SIZE, persons, scattered
from test_mirror import mirrored

from hgnb.data.schema import unmirrored
from hgnb.metrics import PckConfig
from hgnb.model.hourglass import HourglassConfig, StackedHourglass
from hgnb.training import passes
from hgnb.training.passes import Reader

PCK = PckConfig()


class Drawn(torch.nn.Module):
    """Draws a Gaussian where each keypoint is, between the pixels; of a mirrored crop, where it is seen there."""

    def __init__(self, split, sigma=1.0):
        super().__init__()
        self.config = SimpleNamespace(stride=SIDE // SIZE)
        self.seen = {False: split.keypoints, True: mirrored(split.keypoints, SIDE, COCO)}
        self.sigma = sigma

    def forward(self, images):
        mirrored = bool(images[0, 0, 0, 0] == 0)  # the mark of the crops' left side
        which = (images[:, 0, 0, -1 if mirrored else 0] * 255).round().long() - 1
        points = torch.as_tensor(self.seen[mirrored][which, :, :2])
        at = (points + 0.5) / self.config.stride - 0.5
        line = torch.arange(SIZE)
        x, y = (torch.exp(-0.5 * ((line - at[..., i, None]) / self.sigma) ** 2) for i in (0, 1))
        return y.unsqueeze(-1) * x.unsqueeze(-2)


def drawn(n=30):
    keypoints = scattered(n)
    keypoints[..., :2] = np.random.default_rng(5).uniform(14, SIDE - 14, (n, 17, 2))
    split = persons(keypoints)
    split.crops[:, 0, 0] = 1 + np.arange(n)[:, None]
    network = Drawn(split)
    return split, SimpleNamespace(network=network, device=torch.device("cpu"), mean_rgb=torch.zeros(3), batch=7)


def test_points_between_pixels_lie_on_the_labels():
    split, reader = drawn()
    made = passes.compared(reader, split, COCO, PCK)
    off = {name: np.linalg.norm(o, axis=-1).mean() for name, o in made.offsets.items()}
    assert off["dark"] < 0.05 and 1.4 < off["argmax"] < 1.65  # 0.3826 of four pixels
    assert off["dark"] < off["soft"] < off["quarter"] < off["argmax"]
    for name in ("argmax", "quarter", "dark", "soft"):
        assert np.abs(made.offsets[name + passes.MIRRORED]).max() <= np.abs(made.offsets[name]).max() + 0.1
    assert np.abs(made.drift("argmax", 1.0)).max() < 0.4
    tight = 1.0 / made.normaliser
    assert made.pck("dark", tight).value == 1 > made.pck("argmax", tight).value
    assert made.gain("dark", tight).low > 0 and made.gain("argmax", tight).value == 0
    radii = np.array([0.05, 0.2, 0.5])
    assert made.curve("quarter", radii) == pytest.approx([made.pck("quarter", r).value for r in radii])


def test_the_mirror_is_the_one_of_the_data():
    torch.manual_seed(0)
    network = StackedHourglass(HourglassConfig(depth=2, channels=8, inner=4, stem=8))
    split = persons(scattered(6))
    split.crops[:] = np.random.default_rng(0).integers(0, 255, split.crops.shape)
    reader = Reader(network, np.full(3, 0.4, np.float32), batch=4)
    made = passes.compared(reader, split, COCO, PCK)
    flipped = SimpleNamespace(crops=split.crops[:, :, ::-1], keypoints=split.keypoints)
    both = (reader.heatmaps(split) + unmirrored(reader.heatmaps(flipped), COCO)) / 2
    at = both.reshape(6, 17, -1).argmax(-1)
    points = np.stack([at % SIZE, at // SIZE], -1) * 4 + 1.5
    assert made.offsets["argmax" + passes.MIRRORED] == pytest.approx(points - split.keypoints[..., :2], abs=1e-4)


def test_hidden_labels_count_and_missing_ones_do_not():
    split, reader = drawn(4)
    split.keypoints[0, :, 2], split.keypoints[1, :, 2] = 0, 1
    made = passes.compared(reader, split, COCO, PCK)
    made.offsets["argmax"][0] = 1000
    assert made.counted.sum() == 3 * 17 and made.pck("argmax", 2.0).value == 1
