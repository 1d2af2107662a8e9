"""Drawings of the introduction, A1 and A2: what is drawn is what the live module computes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from figures import ch00, chA
from hgnb.data import coco
from hgnb.model.config import HourglassConfig
from hgnb.model.hourglass import Hourglass, Residual, StackedHourglass

SMALL = HourglassConfig(depth=2, channels=8, inner=4, stem=8, keypoints=5)


def written(plate):
    """All text of a figure, a list."""
    return [text.get_text() for ax in plate.figure.axes for text in ax.texts]


def test_the_convolution_adds_up():
    rng = np.random.default_rng(1)
    grey = rng.uniform(size=(12, 12))
    kernel = torch.tensor([[-1.0, 0.0, 1.0]] * 3)
    plate = chA.convolution(grey, kernel)
    answer = plate.figure.axes[3].images[0].get_array()
    expected = correlate(grey, kernel.numpy())[1:-1, 1:-1]
    np.testing.assert_allclose(answer, expected, atol=1e-6)
    strongest = expected[1:-1, 1:-1].flat[np.abs(expected[1:-1, 1:-1]).argmax()]
    said = plate.caption.split(" = ")[1].split(",")[0].replace("−", "-")
    assert float(said) == pytest.approx(strongest, abs=0.006)
    terms = plate.caption.split("add up to ")[1].split(" = ")[0].replace("−", "-").replace(" ", "").replace("·", "*")
    assert eval(terms) == pytest.approx(strongest, abs=0.04)  # six pixels, each rounded to 0.01


@pytest.mark.parametrize(
    ("kernels", "norm", "name"), [((1, 3, 1), "batch", "batch norm"), ((1, 3, 3, 1), "layer", "layer norm")]
)
def test_a_residual_shows_every_convolution(kernels, norm, name):
    module = Residual(8, 6, 4, replace(SMALL, kernels=kernels, norm=norm))
    words = written(chA.residual(module, (8, 16, 16)))
    shown = [w for w in words if "convolution\n" in w]
    assert len(shown) == len(kernels)
    assert all(w.startswith(name) for w in shown)
    assert shown[0].endswith("4 × 16 × 16") and shown[-1].endswith("6 × 16 × 16")
    assert "shortcut: 1 × 1 convolution" in words  # 8 maps in, 6 out
    assert "shortcut" in written(chA.residual(Residual(8, 8, 4, SMALL), (8, 16, 16)))


def test_an_hourglass_shows_every_residual_once():
    module = Hourglass(SMALL, 2)
    plate = chA.hourglass(module, (8, 16, 16))
    words = written(plate)
    count = sum(isinstance(m, Residual) for m in module.modules())
    assert sum("residual" in w for w in words) == count == 2 + 1 + 3 + 1  # skips, encoder, bottleneck, decoder
    assert f"{count} residuals on 3 levels" in plate.caption and "8 × 4 × 4" in plate.caption
    bare = chA.hourglass(Hourglass(replace(SMALL, skips=False), 2), (8, 16, 16))
    assert not [w for w in written(bare) if "skip" in w] and "nothing joins" in bare.alt


@pytest.mark.parametrize("stacks", [1, 3])
def test_a_stack_shows_the_shapes_that_pass(stacks):
    network = StackedHourglass(replace(SMALL, stacks=stacks)).eval()
    with torch.inference_mode():
        crop = torch.zeros(1, 3, 64, 64)
        stem, answers = network.stem(crop), network.predictions(crop)
    words = written(chA.stacked(network, 64))
    assert "stem\n" + " × ".join(map(str, stem.shape[1:])) in words
    for i, answer in enumerate(answers, 1):
        assert f"heatmaps {i}\n" + " × ".join(map(str, answer.shape[1:])) in words
    assert words.count("1 × 1") == 2 * (stacks - 1)


def test_the_clearest_person_is_shown_with_names_that_keep_apart_and_inside(coco_folder):
    train, _ = coco.load_both(coco_folder)
    plate = ch00.pose_example(train, {}, "A drawn person")
    assert "5 of 5 keypoints" in plate.caption
    assert {w.strip() for w in written(plate)} == {"nose", "left hip", "right hip", "left knee", "right knee"}
    heights = ch00._spread(np.array([370.0, 371.0, 372.0, 380.0]))
    assert (np.diff(heights) >= 0.058 * ch00.SIZE - 1e-9).all() and heights.max() <= ch00.SIZE
