"""Layers drawn from live modules and real pixels: units and weights, a convolution. Thesis figures 2 to 4; A1, A2."""

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from figures.page import Plate, number
from hgnb.drawing.poses import picture
from hgnb.drawing.style import BLUE, GREY, INK, ORANGE, RED, style

FIELD = 5  # pixels of the image whose numbers are shown


def feedforward(network: nn.Module) -> Plate:
    """fig-feedforward: the units of the linear layers in `network`, an edge for each weight (thesis figure 2)."""
    layers = linear(network)
    widths = [layers[0].in_features, *(layer.out_features for layer in layers)]
    with style():
        figure, ax = plt.subplots(figsize=(6.4, 3.2))
        plot_units(layers, ax=ax)
        _legend(ax)
    edges, biases = (sum(getattr(layer, kind).numel() for layer in layers) for kind in ("weight", "bias"))
    caption = (
        f"A feedforward network with {len(widths) - 2} hidden {'layer' if len(widths) == 3 else 'layers'}, drawn from "
        f"a live module: {' → '.join(map(str, widths))} units, {edges} weights (edges) and {biases} biases (one in "
        "each unit that computes). The thicker an edge, the larger its weight."
    )
    alt = (
        f"Columns of {', '.join(map(str, widths))} circles; each circle is joined to every circle of the next column, "
        "by solid lines where the weight is positive and dashed ones where it is negative."
    )
    return Plate(figure, caption, alt)


def autoencoder_concept(encoder: nn.Module, decoder: nn.Module) -> Plate:
    """fig-autoencoder-concept: an undercomplete autoencoder's units, its code in the middle (thesis figure 4)."""
    layers = [*linear(encoder), *linear(decoder)]
    widths = [layers[0].in_features, *(layer.out_features for layer in layers)]
    middle = len(linear(encoder))
    with style():
        figure, ax = plt.subplots(figsize=(7.2, 3.4))
        plot_units(layers, code=middle, ax=ax)
        top = max(widths) / 2 + 0.9
        for start, end, name in ((0, middle - 0.12, "encoder"), (middle + 0.12, len(layers), "decoder")):
            ax.annotate("", (start, top - 0.4), (end, top - 0.4), arrowprops={"arrowstyle": "-", "color": GREY})
            ax.text((start + end) / 2, top - 0.2, name, ha="center", va="bottom", fontsize=10)
        ax.set_ylim(top=top + 0.5)
        _legend(ax)
    caption = (
        f"An undercomplete autoencoder, drawn from a live module: {' → '.join(map(str, widths))} units. The "
        f"{widths[middle]} orange units in the middle are the code."
    )
    alt = (
        f"Columns of circles narrow from {widths[0]} to {widths[middle]} and widen again to {widths[-1]}: everything "
        f"that comes out has passed through {widths[middle]} numbers."
    )
    return Plate(figure, caption, alt)


def linear(module: nn.Module) -> list[nn.Linear]:
    """The linear layers of a module, in order."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def plot_units(layers: list[nn.Linear], *, code: int | None = None, ax: Axes | None = None) -> Axes:
    """A column of circles for each layer's values, an edge for each weight; the column `code` is orange."""
    ax = ax or plt.gca()
    widths = [layers[0].in_features, *(layer.out_features for layer in layers)]
    heights = [np.arange(n)[::-1] - (n - 1) / 2 for n in widths]
    for i, layer in enumerate(layers):
        weights = layer.weight.detach().numpy()  # (out, in)
        strength = np.abs(weights) / np.abs(weights).max()
        for sign, colour, line in ((1, BLUE, "-"), (-1, RED, (0, (3, 1.5)))):
            at = np.argwhere(np.sign(weights) == sign)
            ends = [[(i, heights[i][k]), (i + 1, heights[i + 1][j])] for j, k in at]
            thick = [0.4 + 2.0 * strength[j, k] for j, k in at]
            ax.add_collection(LineCollection(ends, colors=colour, linestyles=[line], linewidths=thick, alpha=0.75))
    for i, ys in enumerate(heights):
        face = ORANGE if i == code else "white"
        ax.plot(np.full(len(ys), i), ys, "o", markersize=15, markerfacecolor=face, markeredgecolor=INK, zorder=3)
        ax.text(i, -max(widths) / 2 - 0.25, f"$\\mathbf{{a}}^{{({i})}}$", ha="center", va="top", fontsize=11)
    ax.set(xlim=(-0.4, len(layers) + 0.4), ylim=(-max(widths) / 2 - 1.1, max(widths) / 2 + 0.3))
    ax.axis("off")
    return ax


def _legend(ax: Axes) -> None:
    lines = [
        plt.Line2D([], [], color=BLUE, label="positive weight"),
        plt.Line2D([], [], color=RED, linestyle=(0, (3, 1.5)), label="negative weight"),
    ]
    ax.figure.legend(handles=lines, loc="outside lower center", ncol=2, fontsize=9)


def convolution(grey: np.ndarray, kernel: Tensor) -> Plate:
    """fig-convolution: a kernel of 3x3 slides over a grey crop (H, W) in 0..1 (thesis figure 3)."""
    image = torch.from_numpy(np.ascontiguousarray(grey, dtype=np.float32))
    answer = F.conv2d(image[None, None], kernel[None, None])[0, 0].numpy()
    row, column = _strongest(answer)
    patch = grey[row : row + 3, column : column + 3]
    with style():
        figure, axes = plt.subplots(1, 4, figsize=(9.2, 2.8), width_ratios=(1.1, 1.25, 0.75, 1.1))
        picture(axes[0], np.repeat(grey[..., None], 3, 2), f"crop, {grey.shape[0]} × {grey.shape[1]}")
        top, left = (int(np.clip(at - 1, 0, n - FIELD)) for at, n in zip((row, column), grey.shape, strict=True))
        _frame(axes[0], left, top, FIELD, ORANGE)
        _numbers(axes[1], grey[top : top + FIELD, left : left + FIELD], "orange square, field of 3 × 3")
        _frame(axes[1], column - left, row - top, 3, BLUE)
        _numbers(axes[2], kernel.numpy(), "kernel", digits=0, paint=False)
        limit = np.abs(answer).max()
        axes[3].imshow(answer, cmap="PuOr", vmin=-limit, vmax=limit)
        _bare(axes[3], f"feature map, {answer.shape[0]} × {answer.shape[1]}")
        _frame(axes[3], column, row, 1, BLUE)
    caption = (
        f"A convolution without padding. The nine pixels in the blue field times the nine weights of the kernel add up "
        f"to {_sum(patch, kernel.numpy())} = {number(answer[row, column])}, the blue pixel of the feature map; then "
        "the field moves on by one."
    )
    alt = (
        f"A kernel turns a grey crop of {grey.shape[0]} pixels into a map of {answer.shape[0]}; its strongest answer, "
        f"{number(answer[row, column])}, lies in row {row + 1} and column {column + 1}."
    )
    return Plate(figure, caption, alt)


def _strongest(answer: np.ndarray) -> tuple[int, int]:
    """Where the response is largest in size, away from the border."""
    inner = np.abs(answer).copy()
    inner[[0, -1]] = inner[:, [0, -1]] = 0
    row, column = np.unravel_index(inner.argmax(), inner.shape)
    return int(row), int(column)


def _sum(patch: np.ndarray, kernel: np.ndarray) -> str:
    """'−1 · 0.31 + 1 · 0.72': the products whose weight isn't zero."""
    terms = [(w, x) for w, x in zip(kernel.flatten(), patch.flatten(), strict=True) if w]
    words = [f"{'−' if w < 0 else '+'} {abs(w):g} · {x:.2f}" for w, x in terms]
    told = " ".join(words).removeprefix("+ ")
    return "−" + told[2:] if told.startswith("− ") else told


def _numbers(ax: Axes, values: np.ndarray, title: str, *, digits: int = 2, paint: bool = True) -> None:
    """A grid of pixels with their values written in."""
    shown = values if paint else np.ones_like(values)
    ax.imshow(shown, cmap="gray", vmin=0, vmax=1)
    for (i, j), value in np.ndenumerate(values):
        dark = paint and shown[i, j] < 0.5
        ax.text(j, i, number(value, digits), ha="center", va="center", fontsize=8, color="white" if dark else INK)
    n, m = values.shape
    for edges, draw in ((n, ax.axhline), (m, ax.axvline)):
        for at in range(edges + 1):
            draw(at - 0.5, color="#BBBBBB", linewidth=0.6)
    _bare(ax, title)


def _bare(ax: Axes, title: str) -> None:
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.set_title(title, fontsize=8)


def _frame(ax: Axes, x: float, y: float, size: float, colour: str) -> None:
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), size, size, fill=False, edgecolor=colour, linewidth=2.2))
