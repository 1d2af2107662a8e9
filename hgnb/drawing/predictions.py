"""A photograph with the poses that a network finds in it. `hgnb predict`."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hgnb.drawing.poses import over, picture, skeleton
from hgnb.drawing.style import GREY, style
from hgnb.errors import InputError
from hgnb.training.prediction import Prediction

HEIGHT = 5.0  # inches
ROWS = 4  # of crops beside the photograph, before a second column begins


def save(prediction: Prediction, file: Path) -> None:
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


def save_all(predictions: Sequence[Prediction], folder: Path) -> None:
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


def draw(prediction: Prediction) -> Figure:
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


def plot_poses(prediction: Prediction, *, ax: Axes | None = None) -> Axes:
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
