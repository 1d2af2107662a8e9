"""The silent predictor's loss by formula, plain loop, scipy's filter and simulation."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from hgnb.analysis import silence
from hgnb.data.heatmaps import HeatmapConfig
from hgnb.metrics import PckConfig
from hgnb.model.hourglass import HourglassConfig, StackedHourglass
from hgnb.training.passes import Reader, baselines


def filtered(row, column, sigma, style, size=64):
    """The thesis's own way to a target: a one, and a Gaussian filter over the map."""
    one = np.zeros((size, size))
    one[row, column] = 1
    found = gaussian_filter(one, sigma, mode="reflect", truncate=4)
    return found / found.max() if style == "peak" else found


@pytest.mark.parametrize("style", silence.STYLES)
@pytest.mark.parametrize("sigma", silence.SIGMAS)
def test_the_energy_is_that_of_scipys_filter(sigma, style):
    table = silence.energies(sigma, style)
    for row, column in ((32, 32), (0, 0), (1, 63), (5, 2), (63, 40)):
        squares = sum(v * v for v in filtered(row, column, sigma, style).flatten())
        assert table[row, column] == pytest.approx(squares, rel=1e-5), (row, column)
    assert silence.energy(sigma, style) == pytest.approx((filtered(32, 32, sigma, style) ** 2).sum(), rel=1e-5)


def test_the_limit_is_reached_where_pixels_are_fine():
    for style in silence.STYLES:
        off = [abs(silence.energy(s, style) / silence.limit(s, style) - 1) for s in (0.5, 1.0, 2.0)]
        assert off[0] > 0.05 > 2e-3 > off[2], "half a pixel is too narrow for an integral, two are not"


def persons(n=300, side=256, keypoints=17, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, side, (n, keypoints, 2))
    visibility = rng.choice(3, (n, keypoints), p=(0.4, 0.1, 0.5))
    held = np.concatenate([points * (visibility > 0)[..., None], visibility[..., None]], -1).astype(np.float32)
    return SimpleNamespace(crops=np.zeros((n, 1, 1, 3), np.uint8), keypoints=held)


@pytest.mark.parametrize(
    "config", [HeatmapConfig(), HeatmapConfig("peak", 1.0, 1.0), HeatmapConfig("thesis", 1.0, 0.5)]
)
def test_three_ways_to_the_silent_loss_agree(config):
    who = persons()
    made = silence.silence(who, 256, 64, config)
    total = 0.0
    for person in who.keypoints[:40]:
        for x, y, v in person:
            if v:
                sigma = config.sigma_visible if v == 2 else config.sigma_hidden
                total += (filtered(int(y // 4), int(x // 4), sigma, config.targets) ** 2).sum()
    plain = total / (40 * 17 * 64**2)
    few = SimpleNamespace(crops=who.crops[:40], keypoints=who.keypoints[:40])
    assert silence.silence(few, 256, 64, config).placed == pytest.approx(plain, rel=1e-5)
    assert made.placed == pytest.approx(made.measured, rel=1e-5)
    # what the counts alone leave out: a bump at the border is folded back into the map
    assert made.closed == pytest.approx(made.measured, rel=0.05) and made.closed != made.measured
    rule = {"side": 256, "stride": 4, "maps": config, "config": PckConfig()}
    assert baselines(who, who, **rule).zero_loss == pytest.approx(made.measured, rel=1e-6)


def test_only_the_order_of_section_4_fits_the_reported_loss():
    """With 8 to 12 labelled keypoints, four fifths visible: 5e-5 and more as in 4.2.3, about 2e-5 as in 8.2."""
    labels = np.array([8.0, 10.0, 12.0])
    right, reverse = (silence.by_labels(labels, 0.85, s) for s in silence.READINGS.values())
    assert right[0] < silence.REPORTED < right[1] and (reverse < silence.REPORTED_TRAINING).all()
    assert reverse[1] == pytest.approx(1.9e-5, rel=0.2)


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_a_target_that_is_off_is_worse_than_silence(sigma):
    at = np.arange(-30, 30, 0.1)
    true, edge = np.exp(-0.5 * (at / sigma) ** 2), silence.turning(sigma)
    for shift, worse in ((0.98 * edge, False), (1.02 * edge, True)):
        moved = np.exp(-0.5 * ((at - shift) / sigma) ** 2)
        assert (np.square(np.outer(moved - true, true)).sum() > np.square(np.outer(true, true)).sum()) == worse
    assert torch.tensor(edge) / sigma == pytest.approx(1.6651, abs=1e-4)


def test_a_step_is_as_loud_as_the_last_layer_moves():
    """One sign step of every weight of the last layer changes a pixel's mean by as much as is said."""
    torch.manual_seed(0)
    network = StackedHourglass(HourglassConfig(depth=2, channels=8, inner=4, stem=8))
    who = persons(6, side=64)
    who.crops = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3)).astype(np.uint8)
    reader = Reader(network, np.zeros(3, np.float32))
    styles = {"thesis": HeatmapConfig(), "peak": HeatmapConfig("peak", 1.0, 1.0)}
    made = silence.loudness(reader, who, 0.01, styles)
    before = reader.heatmaps(who)
    with torch.no_grad():
        reader.network.heads[-1].heatmaps.weight += 0.01  # what a ReLU puts out is never negative
    assert made.step == pytest.approx(float((reader.heatmaps(who) - before).mean()), rel=1e-4)
    assert made.targets["thesis"] == pytest.approx(silence.silence(who, 64, 16, styles["thesis"]).measured ** 0.5)
    assert made.targets["peak"] > 2 * made.targets["thesis"]
