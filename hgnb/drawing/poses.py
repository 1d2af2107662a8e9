"""Persons as pictures: crops, skeletons, heatmaps over a photograph, and grids of them."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hgnb.data.schema import KeypointSchema
from hgnb.drawing.style import SIDES


def picture(ax: Axes, image: np.ndarray, title: str = "") -> Axes:
    """An image without ticks or frame; (H, W, 3) or (H, W)."""
    ax.imshow(image, interpolation="nearest" if image.shape[0] <= 64 else "antialiased")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    if title:
        ax.set_title(title, fontsize=8, pad=2)
    return ax


def skeleton(ax: Axes, keypoints: np.ndarray, schema: KeypointSchema, *, width: float = 1.6) -> Axes:
    """Bones and joints of one person; `keypoints` (K, 3) in the axes' pixels. A hidden joint (v = 1) is hollow."""
    shown = keypoints[:, 2] > 0
    for a, b in schema.skeleton:
        if shown[a] and shown[b]:
            sides = {schema.sides[a], schema.sides[b]}
            side = sides.pop() if len(sides) == 1 else "centre"
            ax.plot(*keypoints[[a, b], :2].T, linewidth=width, solid_capstyle="round", **SIDES[side])
    for i in np.flatnonzero(shown):
        colour = SIDES[schema.sides[i]]["color"]
        face = colour if keypoints[i, 2] == 2 else "white"
        ax.plot(
            *keypoints[i, :2],
            "o",
            markersize=2.2 * width,
            color=colour,
            markerfacecolor=face,
            markeredgewidth=0.8,
        )
    return ax


def fused(heatmaps: np.ndarray) -> np.ndarray:
    """(K, h, w) heatmaps -> (h, w) in 0..1: each scaled to its peak, the largest at each pixel."""
    clipped = np.clip(heatmaps, 0, None)
    peaks = clipped.max((1, 2), keepdims=True)
    return np.divide(clipped, peaks, out=np.zeros_like(clipped), where=peaks > 0).max(0)


def over(crop: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """Heatmaps (K, h, w) glowing over a darkened crop (S, S, 3) uint8; -> (S, S, 3) float in 0..1."""
    side, size = crop.shape[0], heatmaps.shape[-1]
    glow = np.kron(fused(heatmaps), np.ones((side // size, side // size)))[..., None]
    fire = plt.get_cmap("inferno")(0.35 + 0.65 * glow[..., 0])[..., :3]
    return (1 - glow) * crop / 255 * 0.55 + glow * fire


def grid(count: int, columns: int, *, cell: float = 1.3, rows: int | None = None) -> tuple[Figure, np.ndarray]:
    """A figure of `count` small square panels, `columns` in a row, each `cell` inches; unused panels are removed."""
    rows = rows or -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(cell * columns, cell * rows * 1.06), squeeze=False)
    for ax in axes.flat[count:]:
        ax.remove()
    return figure, axes.flatten()[:count]


def pictures(
    images: Sequence[np.ndarray], titles: Sequence[str] = (), *, columns: int = 6, cell: float = 1.3
) -> Figure:
    """Images in a grid, each with its title if there is one."""
    figure, axes = grid(len(images), columns, cell=cell)
    for i, (ax, image) in enumerate(zip(axes, images, strict=True)):
        picture(ax, image, titles[i] if i < len(titles) else "")
    return figure
