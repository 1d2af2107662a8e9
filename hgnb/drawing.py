"""One look for every figure, people as pictures in it, and what `hgnb predict` writes. Nothing is set on import."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to load
    from hgnb.training.prediction import Prediction

# Okabe & Ito (2008): told apart with every common colour blindness.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, INK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#222222",
)  # fmt: skip
CYCLE = [BLUE, ORANGE, GREEN, RED, PURPLE, SKY, INK]
GREY = "#8A8A8A"


# Left and right differ in line style too, and the person's left is blue wherever a person is drawn.
SIDES: dict[str, dict[str, Any]] = {
    "left": {"color": BLUE, "linestyle": "-"},
    "right": {"color": RED, "linestyle": (0, (2.2, 1.0))},
    "centre": {"color": GREEN, "linestyle": "-"},
}

# The original and the modified hourglass keep their colours from chapter 04 on.
ORIGINAL, MODIFIED = BLUE, RED

RC = {  # where it differs from matplotlib's own
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "axes.titlesize": 10,
    "axes.edgecolor": "#666666",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": matplotlib.cycler(color=CYCLE),
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
}


def counted(ax: Axes, most: int) -> None:
    """A logarithmic axis of whole numbers from 1 to `most`, with ticks one can read."""
    digits = (1, 2, 5) if most < 300 else (1,)
    ticks = [digit * 10**power for power in range(6) for digit in digits if digit * 10**power <= max(most, 1)]
    ax.set_xscale("log")
    ax.set_xlim(0.85, 1.2 * max(most, 1))
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()


@contextmanager
def style() -> Iterator[None]:
    """Figures made within the block look like the book's; what was set before comes back behind it."""
    with matplotlib.style.context("default"), plt.rc_context(RC):
        yield


# People: crops, skeletons, heatmaps over a photograph, and grids of them


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
        ax.plot(*keypoints[i, :2], "o", markersize=2.2 * width, color=colour, markerfacecolor=face, markeredgewidth=0.8)
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


def grid(count: int, columns: int, *, cell: float = 1.3) -> tuple[Figure, np.ndarray]:
    """A figure of `count` small square panels, `columns` in a row, each `cell` inches; unused panels are removed."""
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(cell * columns, cell * rows * 1.06), squeeze=False)
    for ax in axes.flat[count:]:
        ax.remove()
    return figure, axes.flatten()[:count]


# A photograph with the poses that a network finds in it

HEIGHT = 5.0  # inches
ROWS = 4  # of crops beside the photograph, before a second column begins


def save(prediction: "Prediction", file: Path) -> None:
    """Writes the picture; the suffix names the format, and InputError one that can't be written."""
    formats = plt.figure().canvas.get_supported_filetypes()
    plt.close()
    if file.suffix[1:].lower() not in formats:
        raise InputError(f"'{file.name}' must end with a picture's suffix, as .png, .jpg, .svg or .pdf.")
    if not file.parent.is_dir():
        raise InputError(f"There is no folder '{file.parent}' to write {file.name} into.")
    figure = draw(prediction)
    figure.savefig(file, dpi=160, bbox_inches="tight", pad_inches=0.08)
    plt.close(figure)


def save_all(predictions: "Sequence[Prediction]", folder: Path) -> None:
    """Writes a picture for each photograph, under its name; InputError where two have the same."""
    names = [f"{Path(p.name).stem}.png" for p in predictions]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"Two of the photographs would be written as '{twice}': call once for each folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"'{folder}' is no folder: several photographs are written into one.") from error
    for prediction, name in zip(predictions, names, strict=True):
        save(prediction, folder / name)


def draw(prediction: "Prediction") -> Figure:
    """The photograph with every skeleton and square; beside it each person's crop under the fused heatmaps."""
    persons = len(prediction.boxes)
    rows = min(persons, ROWS)
    columns = -(-persons // rows)
    with style():
        width, height = prediction.photograph.size
        photo = HEIGHT * min(max(width / height, 0.4), 2.5)  # inches
        crop = HEIGHT / rows
        figure = plt.figure(figsize=(photo + crop * columns, HEIGHT))
        cells = figure.add_gridspec(rows, 1 + columns, width_ratios=[photo, *[crop] * columns])
        plot_poses(prediction, ax=figure.add_subplot(cells[:, 0]))
        for i in range(persons):
            ax = figure.add_subplot(cells[i % rows, 1 + i // rows])
            title = f"heatmaps of person {i + 1}" if persons > 1 else "heatmaps"
            picture(ax, over(prediction.crops[i], prediction.heatmaps[i]), title)
    return figure


def plot_poses(prediction: "Prediction", *, ax: Axes | None = None) -> Axes:
    """Skeletons over the photograph; the grey squares are what the network saw."""
    ax = picture(ax or plt.gca(), np.asarray(prediction.photograph))
    for i, (points, square) in enumerate(zip(prediction.points, prediction.squares, strict=True)):
        corner, side = (square.x - 0.5, square.y - 0.5), square.side
        ax.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=GREY, linewidth=0.8))
        if len(prediction.boxes) > 1:
            ax.text(square.x + 3, square.y + 3, str(i + 1), color="white", fontsize=9, va="top",
                    bbox={"facecolor": GREY, "edgecolor": "none", "pad": 1.5})  # fmt: skip
        shown = np.column_stack([points, np.full(len(points), 2)])
        skeleton(ax, shown, prediction.schema)
    width, height = prediction.photograph.size
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    return ax
