"""What predicting nothing costs. Ambiguities 1 and 2; explained in 07_beyond.

A network that puts out zeros has the mean square of the targets for its loss, and that follows from sigma and from
how many keypoints are labelled. How far below it the thesis's best validation loss lies, `of_coco` says. Whether a
network that low knows little or much is a second question, which the chapter asks.
"""

from dataclasses import dataclass

import numpy as np
import torch

from hgnb.analysis import annotated
from hgnb.data.heatmaps import HeatmapConfig, cells, responses
from hgnb.data.prepared import PreparedSplit
from hgnb.training.passes import Reader, silent_loss

SIZE = 64  # pixels of the thesis's maps, 4.2.3
STYLES = ("thesis", "peak")
SIGMAS = (0.5, 1.0, 2.0)
REPORTED = 5.15e-5  # the thesis's best validation loss, table 2
REPORTED_TRAINING = 4.11e-5  # and its best training loss
READINGS = {"σ as in 4.2.3": (1.0, 0.5), "σ as in 8.2": (0.5, 1.0)}  # of hidden and of visible; ambiguity 1


def energies(sigma: float, style: str, size: int = SIZE) -> np.ndarray:
    """(size, size) float64: the sum of squares of the map whose keypoint lies in each pixel.

    A map is an outer product of one-dimensional responses, so its sum of squares is the product of theirs.
    """
    table = responses(size, sigma).double().numpy()
    if style == "peak":
        table = table / table.max(1, keepdims=True)
    row = (table**2).sum(1)
    return np.outer(row, row)


def energy(sigma: float, style: str, size: int = SIZE) -> float:
    """The same away from the borders: (sum of k_i²)² with k the Gaussian kernel, over k_0⁴ where it peaks at 1."""
    return float(energies(sigma, style, size)[size // 2, size // 2])


def limit(sigma: float, style: str) -> float:
    """What `energy` tends to as pixels become fine: the integral of the Gaussian's square over the plane."""
    return 1 / (4 * np.pi * sigma**2) if style == "thesis" else np.pi * sigma**2


@dataclass(frozen=True)
class Silence:
    """The loss of predicting nothing on N persons with K keypoints, found in three ways."""

    visible: float  # labelled keypoints of a person with v = 2, on average
    hidden: float  # with v = 1
    keypoints: int
    closed: float  # from these counts alone
    placed: float  # with each keypoint's distance from the border
    measured: float  # from the heatmaps that training makes


def silence(persons: PreparedSplit, side: int, size: int, config: HeatmapConfig) -> Silence:
    """Of the persons of a split; crops of `side` and maps of `size` pixels."""
    visibility, keypoints = persons.keypoints[..., 2], persons.keypoints.shape[1]
    visible, hidden = float((visibility == 2).sum(1).mean()), float((visibility == 1).sum(1).mean())
    style, pixels = config.targets, keypoints * size**2
    sigmas = (config.sigma_hidden, config.sigma_visible)
    closed = sum(n * energy(s, style, size) for n, s in zip((hidden, visible), sigmas, strict=True)) / pixels
    at = cells(torch.from_numpy(persons.keypoints[..., :2]), side, size).numpy()
    tables = np.stack([np.zeros((size, size)), *(energies(s, style, size) for s in sigmas)])
    placed = tables[visibility.astype(int), at[..., 1], at[..., 0]].sum() / (len(visibility) * pixels)
    measured = silent_loss(persons, side, size, config)
    return Silence(visible, hidden, keypoints, closed, float(placed), measured)


def by_labels(labelled, visible: float, sigmas: tuple[float, float], keypoints: int = 17):
    """Loss of predicting nothing where persons have `labelled` keypoints, a share `visible` of them with v = 2.

    sigmas: of hidden and of visible keypoints; the thesis's maps, which sum to 1.
    """
    hidden_energy, visible_energy = (energy(s, "thesis") for s in sigmas)
    return labelled * (visible * visible_energy + (1 - visible) * hidden_energy) / (keypoints * SIZE**2)


def on_coco(
    counts: annotated.Annotated, split: str, kept: str = annotated.ALL, reading: str = next(iter(READINGS))
) -> float:
    """The loss of predicting nothing on COCO's persons that a filter keeps, maps of 64 x 64 that sum to 1, away from
    the borders; `reading` of sigma as in ambiguity 1."""
    found = counts.kept(split, kept)
    labelled = found["hidden"] + found["visible"]
    shares = labelled / found["persons"], found["visible"] / labelled
    return by_labels(*shares, READINGS[reading], annotated.KEYPOINTS)


def of_coco(reading: str = next(iter(READINGS))) -> tuple[float, float]:
    """The thesis's best validation loss as a share of that of predicting nothing: the least and the most over all ways
    to choose COCO's persons; NaN without the counts. `reading` of sigma as in ambiguity 1."""
    counts = annotated.load()
    costs = [on_coco(counts, "val", name, reading) for name in annotated.FILTERS] if counts else [float("nan")]
    shares = [REPORTED / cost for cost in costs]
    return min(shares), max(shares)


def turning(sigma: float) -> float:
    """Pixels by which a target-shaped prediction may be off before silence has a lower loss: 2 sigma sqrt(ln 2).

    Two Gaussians d apart overlap by exp(-d² / (4 sigma²)) of their square, and the loss is twice what they don't share.
    """
    return 2 * sigma * float(np.sqrt(np.log(2)))


@dataclass(frozen=True)
class Loudness:
    """How far one step of the optimiser can move a map, beside what the map should be; all in values of a map."""

    step: float  # what a pixel may change by: the rate times the sum of a pixel's inputs to the last layer
    targets: dict[str, float]  # root mean square of the targets, by style


@torch.inference_mode()
def loudness(reader: Reader, persons: PreparedSplit, rate: float, targets: dict[str, HeatmapConfig]) -> Loudness:
    """Of a few persons. RMSProp and Adam divide a gradient by its own size, so a weight moves by about the rate at
    each step, as long as its gradient is large beside epsilon; if all weights of a keypoint's last 1x1 convolution move
    as one, a pixel changes by the rate times the sum of the values that it convolves."""
    seen: list[torch.Tensor] = []
    last = reader.network.heads[-1].heatmaps
    hook = last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].abs().sum(1).mean()))
    try:
        reader.heatmaps(persons)
    finally:
        hook.remove()
    side = persons.crops.shape[1]
    size = side // reader.network.config.stride
    squares = {name: silence(persons, side, size, config).measured for name, config in targets.items()}
    return Loudness(rate * float(torch.stack(seen).mean()), {name: value**0.5 for name, value in squares.items()})
