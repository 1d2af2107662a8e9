"""Figures of the introduction, A1 and A2: what is drawn is what the live module computes."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy.ndimage import correlate
from torch import nn

from figures import blocks, introduction, layers, learning
from hgnb.claims.study import Findings
from hgnb.data import coco
from hgnb.model.config import HourglassConfig
from hgnb.model.hourglass import Hourglass, Residual, StackedHourglass
from hgnb.stats import Estimate

SMALL = HourglassConfig(depth=2, channels=8, inner=4, stem=8, keypoints=5)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def written(plate):
    """All text of a figure, a list."""
    return [text.get_text() for ax in plate.figure.axes for text in ax.texts]


def test_units_and_edges_are_the_layers_own():
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    plate = layers.feedforward(network)
    edges = sum(len(c.get_segments()) for c in plate.figure.axes[0].collections)
    assert edges == 3 * 4 + 4 * 2
    assert "3 → 4 → 2 units, 20 weights (edges) and 6 biases" in plate.caption
    circles = [line for line in plate.figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(c.get_xdata()) for c in circles] == [3, 4, 2]


def test_the_code_is_the_narrow_column():
    plate = layers.autoencoder_concept(nn.Linear(6, 2), nn.Linear(2, 6))
    assert "6 → 2 → 6 units" in plate.caption and "The 2 orange units" in plate.caption
    orange = [line for line in plate.figure.axes[0].lines if line.get_markerfacecolor() == layers.ORANGE]
    assert len(orange) == 1 and set(orange[0].get_xdata()) == {1}


def test_the_convolution_adds_up():
    rng = np.random.default_rng(1)
    grey = rng.uniform(size=(12, 12))
    kernel = torch.tensor([[-1.0, 0.0, 1.0]] * 3)
    plate = layers.convolution(grey, kernel)
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
    words = written(blocks.residual(module, (8, 16, 16)))
    shown = [w for w in words if "convolution\n" in w]
    assert len(shown) == len(kernels)
    assert all(w.startswith(name) for w in shown)
    assert shown[0].endswith("4 × 16 × 16") and shown[-1].endswith("6 × 16 × 16")
    assert "shortcut: 1 × 1 convolution" in words  # 8 maps in, 6 out
    assert "shortcut" in written(blocks.residual(Residual(8, 8, 4, SMALL), (8, 16, 16)))


def test_an_hourglass_shows_every_residual_once():
    module = Hourglass(SMALL, 2)
    plate = blocks.hourglass(module, (8, 16, 16))
    words = written(plate)
    count = sum(isinstance(m, Residual) for m in module.modules())
    assert sum("residual" in w for w in words) == count == 2 + 1 + 3 + 1  # skips, encoder, bottleneck, decoder
    assert f"{count} residuals on 3 levels" in plate.caption and "8 × 4 × 4" in plate.caption
    bare = blocks.hourglass(Hourglass(replace(SMALL, skips=False), 2), (8, 16, 16))
    assert not [w for w in written(bare) if "skip" in w] and "nothing joins" in bare.alt


@pytest.mark.parametrize("stacks", [1, 3])
def test_a_stack_shows_the_shapes_that_pass(stacks):
    network = StackedHourglass(replace(SMALL, stacks=stacks)).eval()
    with torch.inference_mode():
        crop = torch.zeros(1, 3, 64, 64)
        stem, answers = network.stem(crop), network.predictions(crop)
    words = written(blocks.stacked(network, 64))
    assert "stem\n" + " × ".join(map(str, stem.shape[1:])) in words
    for i, answer in enumerate(answers, 1):
        assert f"heatmaps {i}\n" + " × ".join(map(str, answer.shape[1:])) in words
    assert words.count("1 × 1") == 2 * (stacks - 1)


def test_the_least_validation_error_is_named():
    points = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    plate = learning.overfitting(points, {1: points}, {1: (0.5, 0.6), 2: (0.3, 0.4), 3: (0.1, 0.9)})
    assert "least at degree 2" in plate.caption
    assert "is 0.4 at degree 2 and 0.9 at degree 3" in plate.alt


def test_descents_tell_what_is_left():
    paths = {"good": np.array([[1.0, 0.0], [0.1, 0.0]]), "bad": np.array([[1.0, 0.0], [0.5, 0.0]])}
    plate = learning.descents(np.eye(2), np.zeros(2), paths)  # the loss is half of the squared length
    assert "good 0.005, bad 0.12" in plate.caption and "good gets lowest" in plate.alt


def test_the_plane_counts_its_clusters():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(30, 2)), np.repeat([0, 1], [10, 20])
    plate = learning.plane(scores, np.array([2.0, 1.0]), labels, np.zeros((3, 2, 2)), 0.75)
    assert "2.0 times as long" in plate.alt and "10 and 20" in plate.alt
    assert "75 % of the variance" in plate.caption


def test_the_clearest_person_is_shown(coco_folder):
    train, _ = coco.load_both(coco_folder)
    plate = introduction.pose_example(train, {})
    assert "5 of 5 keypoints" in plate.caption
    names = {w.strip() for w in written(plate)}
    assert names == {"nose", "left hip", "right hip", "left knee", "right knee"}


def test_names_beside_a_person_keep_apart_and_inside():
    heights = introduction._spread(np.array([370.0, 371.0, 372.0, 380.0]))
    assert (np.diff(heights) >= 0.058 * introduction.SIZE - 1e-9).all()
    assert heights.max() <= introduction.SIZE


def test_five_results_with_signs_and_dashes():
    one, none = Estimate(0.25, 0.2, 0.3), Estimate(np.nan, np.nan, np.nan)
    table = introduction.results(Findings(one, one, one, none, one, gain=Estimate(-0.01, -0.02, 0.01)))
    cells = table.rows["This run"].tolist()
    assert cells[0] == "test PCK 0.250 (0.200 to 0.300)"
    assert cells[2:4] == ["AUC –", "AUC 0.25 (0.20 to 0.30), below chance"] and "−0.010 (−0.020 to 0.010)" in cells[4]
    assert introduction._auc(Estimate(0.6, 0.2, 0.9)) == "AUC 0.60 (0.20 to 0.90), may be chance"
    assert introduction._auc(Estimate(0.7, 0.6, 0.8)).endswith("above chance")
    assert introduction._signed(one) == "+0.250 (0.200 to 0.300)"
