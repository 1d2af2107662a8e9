"""Stacks and bottleneck modules of the lighter hourglasses, drawn from the live modules. Source 004, figures 1 to 3."""

from collections.abc import Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from torch import nn

from figures.architecture import trace
from figures.lighter.words import small
from figures.page import Plate
from hgnb.drawing.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, style
from hgnb.model.hourglass import Residual, StackedHourglass, build
from hgnb.training.networks import get

STACKS = ("newell", "stacks-6", "depths-rising", "depths-falling", "shared")
BOTTLENECKS = (
    "newell", "inner-64", "inner-64-layer-norm", "blocks-4", "blocks-4-1x1", "blocks-2", "dropout", "separable",
)  # fmt: skip
LAYERS = {"norm": SKY, "ReLU": "#CFCFCF", "convolution": ORANGE, "per map": GREEN, "dropout": PURPLE}
TITLES = {"newell": "Original"}
A_ROW = 4  # modules drawn side by side
NARROW = 16  # a stack is traced with its widths divided by this: maps keep their sizes


def stacks(names: Sequence[str] = STACKS, side: int = 256) -> Plate:
    """fig-lighter-architecture: every hourglass of a stack by the sizes of its maps (004, figures 1 and 2)."""
    with style():
        figure, axes = plt.subplots(len(names), 1, figsize=(9, 1.02 * len(names) + 0.4), sharex=True, squeeze=False)
        most = 0.0
        for ax, name in zip(axes[:, 0], names, strict=True):
            most = max(most, _stack(ax, name, side))
        axes[0, 0].set_xlim(-1.6, most)
    levels = {name: get(name).described.levels for name in names}
    told = "; ".join(f"{small(n)}: {', '.join(map(str, d))}" for n, d in levels.items())
    caption = (
        f"The stacks, drawn from the live modules for crops of {side} pixels. Every trapezium pair is an hourglass, as "
        f"tall as its maps are wide on a logarithmic scale, with the size of its smallest maps; behind each one a head "
        f"puts out heatmaps that are supervised (dots). Poolings: {told}."
    )
    alt = f"Rows of hourglasses: {', '.join(f'{len(d)} of depth {_depths(d)}' for d in levels.values())}."
    return Plate(figure, caption, alt)


def _depths(levels: tuple[int, ...]) -> str:
    return str(levels[0]) if len(set(levels)) == 1 else f"{levels[0]} to {levels[-1]}"


def sizes(name: str, side: int) -> list[tuple[int, int]]:
    """Widths of the maps at the top and at the bottom of each hourglass, as a traced pass meets them."""
    network = build(get(name).described.narrowed(NARROW), side)
    kinds = {f"hourglasses.{i}.bottleneck": "bottleneck" for i in range(len(network.hourglasses))}
    kinds |= {f"heads.{i}.features": "head" for i in range(len(network.heads))}
    steps = trace(network, (3, side, side), kinds)
    tops = [s.after[-1] for s in steps if s.kind == "head"]
    return list(zip(tops, [s.after[-1] for s in steps if s.kind == "bottleneck"], strict=True))


def _stack(ax: Axes, name: str, side: int) -> float:
    """Draws a stack in one row; the position behind its last hourglass."""
    one = get(name)
    height = {size: 0.12 + 0.88 * np.log2(size + 1) / np.log2(side / 4 + 1) for size in (1, 2, 4, 8, 16, 32, 64)}
    ax.add_patch(Rectangle((-1.35, -0.5), 0.5, 1, facecolor=ORANGE, edgecolor=INK, linewidth=0.7))
    ax.text(-1.1, 0, "stem", rotation=90, ha="center", va="center", fontsize=7)
    ax.plot([-0.85, 1.25 * one.described.stacks - 0.73], [0, 0], color=GREY, linewidth=1, zorder=0)
    for i, (top, bottom) in enumerate(sizes(name, side)):
        x, a, b = 1.25 * i - 0.6, height[top] / 2, height[bottom] / 2
        for start, end, first, last in ((x, x + 0.5, a, b), (x + 0.5, x + 1, b, a)):
            corners = ((start, -first), (start, first), (end, last), (end, -last))
            ax.add_patch(Polygon(corners, facecolor=SKY, edgecolor=INK, linewidth=0.7))
        ax.text(x + 0.5, -0.66, f"{bottom} × {bottom}", ha="center", va="top", fontsize=7)
        ax.plot(x + 1.12, 0, "o", color=BLUE, markersize=4)
    parameters = sum(p.numel() for p in _blank(name).parameters())
    shared = ", the same weights in all" if one.described.shared else ""
    ax.set_title(f"{one.title}: {parameters / 1e6:.1f} million parameters{shared}", fontsize=9, loc="left", pad=3)
    ax.set_ylim(-0.95, 0.58)
    ax.axis("off")
    return 1.25 * one.described.stacks - 0.6


def _blank(name: str, **changes) -> StackedHourglass:
    """The network at full width without memory for its weights: enough to count them and read its layers."""
    with torch.device("meta"):
        return build(replace(get(name).described, **changes), 256)


def bottlenecks(names: Sequence[str] = BOTTLENECKS) -> Plate:
    """fig-lighter-bottlenecks: the residual module of each variant, layer by layer (004, figure 3)."""
    modules = {name: _module(name) for name in names}
    rows = [list(modules.items())[i : i + A_ROW] for i in range(0, len(modules), A_ROW)]
    heights = [max(len(module.body) for _, module in row) + 3.5 for row in rows]
    with style():
        size = (1.75 * min(A_ROW, len(names)) + 0.3, 0.31 * sum(heights) + 0.4)
        figure, axes = plt.subplots(len(rows), 1, figsize=size, squeeze=False, height_ratios=heights)
        for row, height, ax in zip(rows, heights, axes[:, 0], strict=True):
            for x, (name, module) in enumerate(row):
                _column(ax, x, name, module)
            ax.set(xlim=(-0.6, A_ROW - 0.4), ylim=(height - 1.9, -1.9))
            ax.axis("off")
        handles = [Rectangle((0, 0), 1, 1, facecolor=c, edgecolor=INK, linewidth=0.6) for c in LAYERS.values()]
        words = ["norm (batch, or layer)", "ReLU", "convolution", "convolution, each map alone", "dropout"]
        figure.legend(handles, words, loc="outside lower center", ncol=3, fontsize=8.5)
    counts = {name: macs(module) for name, module in modules.items()}
    base = counts[names[0]]
    least, most = (f(counts, key=lambda name: counts[name]) for f in (min, max))
    caption = (
        "The residual module of each variant at full size, from the live modules: kernels and maps of every "
        "convolution; below, the weights, and the multiply-accumulates for each pixel. The shortcut around each "
        "column is left out."
    )
    alt = (
        f"Columns of layers; {small(least)} needs {counts[least] / base:.2f} of the original's "
        f"operations for a pixel, {small(most)} {counts[most] / base:.2f}."
    )
    return Plate(figure, caption, alt)


def _module(name: str) -> Residual:
    """A module in the middle of the first hourglass; the other hourglasses needn't be built for it."""
    middle = _blank(name, stacks=1, depths=()).hourglasses[0].bottleneck
    return next(m for m in middle.modules() if isinstance(m, Residual))


def macs(module: Residual) -> int:
    """Multiply-accumulates for each pixel: every convolution here keeps the size of its maps."""
    return sum(layer.weight.numel() for layer in module.modules() if isinstance(layer, nn.Conv2d))


def _column(ax: Axes, x: float, name: str, module: Residual) -> None:
    first, _, rest = get(name).title.partition(" in a module: ")
    title = f"{first}:\n{rest}" if rest else TITLES.get(name, first.replace(", ", ",\n").replace(" 3 × 3 ", "\n3 × 3 "))
    ax.text(x, -0.75, title, ha="center", va="bottom", fontsize=9)
    for y, layer in enumerate(module.body):
        kind, words = _layer(layer)
        ax.add_patch(Rectangle((x - 0.44, y - 0.4), 0.88, 0.8, facecolor=LAYERS[kind], edgecolor=INK, linewidth=0.6))
        ax.text(x, y, words, ha="center", va="center", fontsize=8.5)
    weights = sum(p.numel() for p in module.parameters())
    told = f"{weights / 1e3:.0f}k weights\n{macs(module) / 1e3:.0f}k MAC a pixel"
    ax.text(x, len(module.body) + 0.1, told, ha="center", va="top", fontsize=8.5)


def _layer(layer: nn.Module) -> tuple[str, str]:
    if isinstance(layer, nn.Conv2d):
        kernel = f"{layer.kernel_size[0]}×{layer.kernel_size[1]}"
        words = f"{kernel}, {layer.in_channels} → {layer.out_channels}"
        return ("per map", f"{kernel}, each of {layer.in_channels}") if layer.groups > 1 else ("convolution", words)
    if isinstance(layer, nn.BatchNorm2d):
        return "norm", f"batch norm, {layer.num_features}"
    if isinstance(layer, nn.GroupNorm):
        return "norm", f"layer norm, {layer.num_channels}"
    return ("dropout", f"dropout {layer.p:g}") if isinstance(layer, nn.Dropout2d) else ("ReLU", "ReLU")
