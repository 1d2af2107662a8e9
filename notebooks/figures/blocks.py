"""Residual, hourglass and stack, each drawn from the live module. Thesis figures 5 to 7; A2_building_blocks."""

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Polygon
from torch import nn

from figures.architecture import COLOURS, Step, trace
from figures.page import Plate
from hgnb.drawing.style import BLUE, GREEN, GREY, INK, RED, style
from hgnb.model.hourglass import Hourglass, Residual, StackedHourglass

NORMS = {nn.BatchNorm2d: "batch norm", nn.GroupNorm: "layer norm"}
OUTER = "#ECECEC"


def residual(module: Residual, shape: tuple[int, int, int]) -> Plate:
    """fig-residual: the layers of a residual with the shapes of a traced input (C, H, W) (thesis figure 5)."""
    names = {f"body.{i}": type(layer).__name__ for i, layer in enumerate(module.body)}
    steps = {step.name: step for step in trace(module, shape, names)}
    rows = _rows(module, steps)
    with style():
        figure, ax = plt.subplots(figsize=(9, 2.7))
        _box(ax, 0, 0, f"input\n{_shape(shape)}", facecolor=OUTER)
        for x, (title, after) in enumerate(rows, 1):
            _box(ax, 1.15 * x, 0, f"{title}\n{_shape(after)}", facecolor=COLOURS["residual"])
        end = 1.15 * (len(rows) + 1)
        _box(ax, end + 0.55, 0, f"output\n{_shape(rows[-1][1])}", facecolor=OUTER)
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
                _box(
                    ax, middle, -level, f"skip {level}: residual\n{_shape(size)}", width=1.5, facecolor=COLOURS["skip"]
                )
                ax.plot([level, end - level], [-level, -level], color=GREEN, linewidth=1.4, zorder=0)
            _box(ax, end - level, -level, "output" if level == 0 else "residual", facecolor=_colour(level))
        for i in range(len(module.bottleneck)):
            _box(ax, depth + 0.1 + i, -depth, "residual", facecolor=COLOURS["residual"])
        ax.text(0.3, 0.5, "encoder: max pooling ↘", fontsize=10, color=INK, ha="center")
        ax.text(end - 0.3, 0.5, "decoder: upsampling ↗, addition", fontsize=10, color=INK, ha="center")
        waist = f"bottleneck, puts out {_shape(tuple(latents.shape[1:]))}"
        ax.text(middle, -depth - 0.5, waist, fontsize=10, color=INK, ha="center")
        ax.set(xlim=(-0.75, end + 0.75), ylim=(-depth - 0.75, 0.75))
        ax.axis("off")
    count = sum(isinstance(m, Residual) for m in module.modules())
    caption = (
        f"One hourglass, drawn from the live module: {count} residuals on {depth + 1} levels, whose maps are "
        f"{', '.join(map(str, resolution))} pixels wide. The output of the bottleneck's last residual, "
        f"{_shape(tuple(latents.shape[1:]))}, is the latent space."
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
        _box(ax, 0, 0, f"crop\n{_shape((3, side, side))}", facecolor=OUTER)
        _box(ax, 1.25, 0, f"stem\n{_shape((channels, m, m))}", facecolor=COLOURS["convolution"])
        x = 2.4
        ax.plot([0, x + 3.1 * (count - 1) + 1.25], [0, 0], color=GREY, linewidth=1.4, zorder=0)
        for i in range(count):
            _one(ax, x, f"hourglass {i + 1}", f"heatmaps {i + 1}\n{_shape((maps, m, m))}", f"loss {i + 1}")
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


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
