"""Drawings of A1 and A2 that are too long for a cell: units, a convolution; residual, hourglass and stack as they are.

Thesis figures 2 to 7; what is drawn is what the live module computes.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle
from torch import Tensor, nn

from figures.architecture import COLOURS, Step, sized, trace
from figures.page import Plate, number
from hgnb.drawing import BLUE, GREEN, GREY, INK, ORANGE, RED, picture, style
from hgnb.model.hourglass import Hourglass, Residual, StackedHourglass

NORMS = {nn.BatchNorm2d: "batch norm", nn.GroupNorm: "layer norm"}
OUTER = "#ECECEC"
FIELD = 5  # pixels of the image whose numbers are shown


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


def signs_legend(figure: Figure) -> None:
    """Below a figure: which edges are positive, which negative."""
    lines = [
        plt.Line2D([], [], color=BLUE, label="positive weight"),
        plt.Line2D([], [], color=RED, linestyle=(0, (3, 1.5)), label="negative weight"),
    ]
    figure.legend(handles=lines, loc="outside lower center", ncol=2, fontsize=9)


def cluster(ax: Axes, points: np.ndarray, way: np.ndarray, colour: str, marker: str) -> None:
    """The points (n, 2) of one cluster, and the way (T, 2) of its centroid from its start (hollow) to its end."""
    ax.plot(*points.T, marker, color=colour, markersize=3, alpha=0.45)
    ax.plot(*way.T, "-", color=INK, linewidth=1.2)
    ax.plot(*way[0], "o", color=INK, markerfacecolor="white", markersize=8)
    ax.plot(*way[-1], "o", color=INK, markerfacecolor=colour, markersize=10)


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


def residual(module: Residual, shape: tuple[int, int, int]) -> Plate:
    """fig-residual: the layers of a residual with the shapes of a traced input (C, H, W) (thesis figure 5)."""
    names = {f"body.{i}": type(layer).__name__ for i, layer in enumerate(module.body)}
    steps = {step.name: step for step in trace(module, shape, names)}
    rows = _rows(module, steps)
    with style():
        figure, ax = plt.subplots(figsize=(9, 2.7))
        _box(ax, 0, 0, f"input\n{sized(shape)}", facecolor=OUTER)
        for x, (title, after) in enumerate(rows, 1):
            _box(ax, 1.15 * x, 0, f"{title}\n{sized(after)}", facecolor=COLOURS["residual"])
        end = 1.15 * (len(rows) + 1)
        _box(ax, end + 0.55, 0, f"output\n{sized(rows[-1][1])}", facecolor=OUTER)
        ax.plot([0, end + 0.55], [0, 0], color=GREY, linewidth=1.2, zorder=0)
        own = isinstance(module.shortcut, nn.Identity)
        shortcut = "shortcut" if own else "shortcut: 1 × 1 convolution"
        _shortcut(ax, 0.57, end - 0.05, shortcut)
        ax.set(xlim=(-0.6, end + 1.15), ylim=(-0.6, 1.05))
        ax.axis("off")
    counts = [sum(p.numel() for p in part.parameters()) for part in (module.body, module.shortcut)]
    caption = (
        f"A residual, drawn from the live module: {counts[0]:,} parameters in its {len(rows)} convolutions and their "
        f"normalisations, {counts[1]:,} in the shortcut. Below each name stands the output, channels × height × width."
    )
    alt = (
        f"Boxes in a row: {'; '.join(title.replace(chr(10), ' ') for title, _ in rows)}. An arc carries the input past "
        "all of them to a plus sign, where it is added to what they computed."
    )
    return Plate(figure, caption, alt)


def _rows(module: Residual, steps: dict[str, Step]) -> list[tuple[str, tuple[int, ...]]]:
    """What stands before each convolution, with the convolution, and the shape behind it."""
    rows: list[tuple[str, tuple[int, ...]]] = []
    before: list[str] = []
    for name, layer in module.body.named_children():
        if isinstance(layer, nn.Conv2d):
            kernel = " × ".join(map(str, layer.kernel_size))
            rows.append(("\n".join([", ".join(before), f"{kernel} convolution"]), steps[f"body.{name}"].after))
            before = []
        else:
            before.append(NORMS.get(type(layer), type(layer).__name__))
    return rows


def hourglass(module: Hourglass, shape: tuple[int, int, int]) -> Plate:
    """fig-hourglass: one hourglass, its residuals by level, for maps (C, H, W) (thesis figure 6)."""
    depth, resolution = module.depth, [shape[1] // 2**level for level in range(module.depth + 1)]
    with torch.inference_mode():
        latents, branches = module.eval().encode(torch.zeros(1, *shape))
    sizes = [tuple(b.shape[1:]) for b in branches]
    with style():
        figure, ax = plt.subplots(figsize=(9.6, 0.95 * depth + 1.9))
        middle = depth + (len(module.bottleneck) - 1) / 2 + 0.1
        end = 2 * middle
        _way(ax, depth, middle)
        for level, size in enumerate(sizes):
            _box(ax, level, -level, "input" if level == 0 else "residual", facecolor=_colour(level))
            if len(module.skips):
                _box(ax, middle, -level, f"skip {level}: residual\n{sized(size)}", width=1.5, facecolor=COLOURS["skip"])
                ax.plot([level, end - level], [-level, -level], color=GREEN, linewidth=1.4, zorder=0)
            _box(ax, end - level, -level, "output" if level == 0 else "residual", facecolor=_colour(level))
        for i in range(len(module.bottleneck)):
            _box(ax, depth + 0.1 + i, -depth, "residual", facecolor=COLOURS["residual"])
        ax.text(0.3, 0.5, "encoder: max pooling ↘", fontsize=10, color=INK, ha="center")
        ax.text(end - 0.3, 0.5, "decoder: upsampling ↗, addition", fontsize=10, color=INK, ha="center")
        waist = f"bottleneck, puts out {sized(tuple(latents.shape[1:]))}"
        ax.text(middle, -depth - 0.5, waist, fontsize=10, color=INK, ha="center")
        ax.set(xlim=(-0.75, end + 0.75), ylim=(-depth - 0.75, 0.75))
        ax.axis("off")
    count = sum(isinstance(m, Residual) for m in module.modules())
    caption = (
        f"One hourglass, drawn from the live module: {count} residuals on {depth + 1} levels, whose maps are "
        f"{', '.join(map(str, resolution))} pixels wide. The output of the bottleneck's last residual, "
        f"{sized(tuple(latents.shape[1:]))}, is the latent space."
    )
    alt = f"A V of boxes steps down {depth} levels on the left and up again on the right; " + (
        "on each level a green box in between joins both sides." if len(module.skips) else "nothing joins its sides."
    )
    return Plate(figure, caption, alt)


def _way(ax: Axes, depth: int, middle: float) -> None:
    """The line from the input down to the bottleneck and up to the output."""
    end = 2 * middle
    xs = [*range(depth), depth + 0.1, end - depth - 0.1, *(end - level for level in reversed(range(depth)))]
    ys = [*(-level for level in range(depth)), -depth, -depth, *(-level for level in reversed(range(depth)))]
    ax.plot(xs, ys, color=GREY, linewidth=1.4, zorder=0)


def _colour(level: int) -> str:
    return OUTER if level == 0 else COLOURS["residual"]


def stacked(network: StackedHourglass, side: int) -> Plate:
    """fig-stacked: the whole network, an outline for each hourglass (thesis figure 7)."""
    m, count, channels = side // network.config.stride, len(network.hourglasses), network.config.channels
    maps = network.config.keypoints
    with style():
        figure, ax = plt.subplots(figsize=(3.2 + 3.1 * count, 3.4))
        _box(ax, 0, 0, f"crop\n{sized((3, side, side))}", facecolor=OUTER)
        _box(ax, 1.25, 0, f"stem\n{sized((channels, m, m))}", facecolor=COLOURS["convolution"])
        x = 2.4
        ax.plot([0, x + 3.1 * (count - 1) + 1.25], [0, 0], color=GREY, linewidth=1.4, zorder=0)
        for i in range(count):
            _one(ax, x, f"hourglass {i + 1}", f"heatmaps {i + 1}\n{sized((maps, m, m))}", f"loss {i + 1}")
            if i < count - 1:
                _handover(ax, x)
            x += 3.1
        ax.set(xlim=(-0.65, x - 1.15), ylim=(-1.95, 1.25))
        ax.axis("off")
    parameters = sum(p.numel() for p in network.parameters())
    caption = (
        f"A stack of {count}, drawn from the live module ({parameters:,} parameters). Every hourglass is followed by "
        "a head that puts out heatmaps, and each of these is compared with the truth; between two hourglasses, "
        "1 × 1 convolutions bring heatmaps and features back to the next one's width, and both are added to what "
        "the hourglass read."
    )
    alt = (
        f"A row: crop, stem, then {count} hourglass outlines, each with its head, heatmaps and loss below; arcs carry "
        "what an hourglass read past it to the next."
    )
    return Plate(figure, caption, alt)


def _one(ax: Axes, x: float, name: str, heatmaps: str, loss: str) -> None:
    """An hourglass, its head, and what is supervised."""
    xs, ys = [-0.5, 0, 0.5], [0.6, 0.16, 0.6]
    outline = [(x + a, b) for a, b in zip(xs, ys, strict=True)]
    outline += [(x + a, -b) for a, b in zip(xs[::-1], ys[::-1], strict=True)]
    ax.add_patch(Polygon(outline, facecolor=COLOURS["residual"], edgecolor=INK, linewidth=0.8))
    ax.text(x, 0.7, name, ha="center", va="bottom", fontsize=10)
    _box(ax, x + 1.25, 0, "head", width=0.7, facecolor=COLOURS["convolution"])
    ax.plot([x + 1.25] * 2, [0, -1.6], color=GREY, linewidth=1.2, zorder=0)
    _box(ax, x + 1.25, -0.85, heatmaps, facecolor=BLUE, text="white")
    ax.text(x + 1.25, -1.62, loss, ha="center", va="top", fontsize=10, color=RED)


def _handover(ax: Axes, x: float) -> None:
    """What goes on to the next hourglass: features, heatmaps, and what this one read."""
    plus = x + 2.25
    ax.plot([x - 0.62, x - 0.62, plus, plus], [0, 1.08, 1.08, 0.1], color=GREEN, linewidth=1.3, zorder=0)
    ax.plot([x + 1.25, plus, plus], [-0.85, -0.85, -0.1], color=BLUE, linewidth=1.3, zorder=0)
    ax.text(plus, 0, "+", ha="center", va="center", fontsize=12, bbox=_circle(), zorder=4)
    ax.text(plus - 0.06, -0.98, "1 × 1", ha="center", va="top", fontsize=9, color=INK)
    ax.text(x + 1.86, 0.07, "1 × 1", ha="center", va="bottom", fontsize=9, color=INK)


def _shortcut(ax: Axes, start: float, end: float, name: str) -> None:
    ax.plot([start, start, end, end], [0, 0.75, 0.75, 0.1], color=GREEN, linewidth=1.4, zorder=0)
    ax.text(
        (start + end) / 2, 0.75, name, ha="center", va="center", fontsize=9,
        bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": GREEN},
    )  # fmt: skip
    ax.text(end, 0, "+", ha="center", va="center", fontsize=12, bbox=_circle(), zorder=4)


def _circle() -> dict:
    return {"boxstyle": "circle,pad=0.1", "facecolor": "white", "edgecolor": INK, "linewidth": 0.9}


def _box(
    ax: Axes, x: float, y: float, words: str, *, width: float = 0.98, height: float = 0.56, facecolor: str, text=INK
) -> None:
    shape = FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.06", facecolor=facecolor,
        edgecolor=INK, linewidth=0.8, zorder=2,
    )  # fmt: skip
    ax.add_patch(shape)
    ax.text(x, y, words, ha="center", va="center", fontsize=9, color=text, zorder=3)
