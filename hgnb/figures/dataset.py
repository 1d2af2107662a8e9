"""Figures and tables of chapter 01: the dataset, the crops, the heatmaps."""

import numpy as np
import pandas as pd
import torch
from PIL import Image

from hgnb.data.coco import Split, by_image
from hgnb.data.config import DataConfig
from hgnb.data.crops import keypoints_in, square
from hgnb.data.heatmaps import HeatmapConfig, heatmaps
from hgnb.data.prepared import Prepared, PreparedSplit
from hgnb.figures.plate import Plate, Table
from hgnb.figures.poses import grid, over, picture, skeleton
from hgnb.figures.style import GREY, SIDES, style

# Thesis, table 1: persons, though it says images.
THESIS_SPLIT = {"train": 124_040, "val": 5_064, "test": 5_064}
SPLIT_TITLES = {"train": "Training", "val": "Validation", "test": "Test"}


def example_image(split: Split, most: int = 5) -> int:
    """The image that shows the most annotated keypoints on two to `most` persons, or on one if there is no such."""
    images = by_image(split.persons)
    several = {i: ps for i, ps in images.items() if 2 <= len(ps) <= most} or images
    return max(several, key=lambda i: sum(p.labelled for p in several[i]))


def coco_example(split: Split, image_id: int) -> Plate:
    """An image as it comes, every annotated person drawn on it (thesis figure 8)."""
    persons = split.of_image(image_id)
    image = np.asarray(Image.open(persons[0].file).convert("RGB"))
    with style():
        figure, axes = grid(1, 1)
        figure.set_size_inches(7, 7 * image.shape[0] / image.shape[1] + 0.3)
        ax = picture(axes[0], image)
        for person in persons:
            skeleton(ax, person.keypoints, split.schema, width=2.2)
        _legend(figure)
    labelled = [p.labelled for p in persons]
    caption = (
        f"Image {image_id} of `{split.name}`, uncropped, with the keypoints of its {_persons(len(persons))}. "
        "The person's left is blue, the right red and dashed; a hollow joint is labelled but hidden (v = 1)."
    )
    alt = (
        f"{_persons(len(persons)).capitalize()} with skeletons drawn on; they have {_listed(labelled)} of "
        f"{len(split.schema)} keypoints annotated."
    )
    return Plate(figure, caption, alt)


def crops(split: Split, image_id: int, config: DataConfig) -> Plate:
    """Every person of an image, cropped, its own keypoints drawn on it (thesis figure 9)."""
    persons = split.of_image(image_id)
    image = Image.open(persons[0].file).convert("RGB")
    with style():
        figure, axes = grid(len(persons), min(len(persons), 5), cell=2.0)
        for ax, person in zip(axes, persons, strict=True):
            crop = square(person, size=config.side, margin=config.margin, rule=config.rule)
            picture(ax, crop.apply(image), f"{crop.side} px → {crop.size} px")
            skeleton(ax, keypoints_in(person, crop), split.schema, width=1.8)
    caption = (
        f"The same image as {len(persons)} square {'crop' if len(persons) == 1 else 'crops'}, one for each person, "
        f"resized to {config.side} px. Only the person it is made for keeps its keypoints; whoever else is in the "
        "crop is background."
    )
    alt = f"Square crops, {len(persons)} of them, each with one skeleton, on the person it is centred on."
    return Plate(figure, caption, alt)


def heatmap_example(split: PreparedSplit, i: int, size: int, config: HeatmapConfig) -> Plate:
    """One person's crop, and its heatmaps fused over it (thesis figure 10)."""
    points = torch.from_numpy(split.keypoints[i : i + 1])
    side = split.crops.shape[1]
    maps = heatmaps(points[..., :2], points[..., 2], side=side, size=size, config=config)[0].numpy()
    with style():
        figure, axes = grid(2, 2, cell=2.8)
        picture(axes[0], split.crops[i], f"crop, {side} x {side}")
        picture(axes[1], over(split.crops[i], maps), f"{len(maps)} heatmaps fused, {size} x {size}")
    visible, hidden = (int((points[..., 2] == v).sum()) for v in (2, 1))
    caption = (
        f"A training person and its heatmaps, fused over the crop: {visible} visible joints with "
        f"σ = {config.sigma_visible}, {hidden} hidden ones with σ = {config.sigma_hidden} pixels of the "
        f"{size} × {size} map."
    )
    alt = f"Left a person; right the same, darkened, with {visible + hidden} glowing dots where the joints are."
    return Plate(figure, caption, alt)


def split_table(data: Prepared) -> Table:
    """Persons of each split, ours beside the thesis's table 1."""
    persons, images = data.manifest["persons"], data.manifest["images"]
    ours, thesis = sum(persons.values()), sum(THESIS_SPLIT.values())
    rows = [
        (
            SPLIT_TITLES[s],
            f"{persons[s]:,}",
            f"{persons[s] / ours:.3%}",
            f"{images[s]:,}",
            f"{n:,}",
            f"{n / thesis:.3%}",
        )
        for s, n in THESIS_SPLIT.items()
    ]
    rows.append(("Total", f"{ours:,}", "100 %", f"{sum(images.values()):,}", f"{thesis:,}", "100 %"))
    columns = ["Split", "Persons", "Share", "Images", "Persons, thesis", "Share, thesis"]
    caption = "Persons in each split, beside table 1 of the thesis, which calls them images."
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-split")


def _legend(figure) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], linewidth=2, label=side, **kind) for side, kind in SIDES.items()]
    lines.append(Line2D([], [], marker="o", linestyle="", color=GREY, markerfacecolor="white", label="hidden"))
    figure.legend(handles=lines, loc="outside lower center", ncol=4, fontsize=8)


def _persons(count: int) -> str:
    return "one person" if count == 1 else f"{count} persons"


def _listed(values: list[int]) -> str:
    """[3, 5, 7] -> '3, 5 and 7'."""
    words = [str(v) for v in values]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
