"""Figures of chapter 01 about single images: an example, its crops, the heatmaps of a person."""

from collections.abc import Mapping

import numpy as np
import torch

from figures.page import Plate, credited, opened
from hgnb.data.coco import Split, by_image
from hgnb.data.crops import keypoints_in, square
from hgnb.data.heatmaps import HeatmapConfig, heatmaps
from hgnb.data.images import decode
from hgnb.data.prepared import PreparedSplit
from hgnb.data.splits import DataConfig
from hgnb.drawing.poses import grid, over, picture, skeleton
from hgnb.drawing.style import GREY, SIDES, style


def example_image(split: Split, most: int = 5) -> int:
    """The image that shows the most annotated keypoints on two to `most` persons, or on one if there is no such."""
    images = by_image(split.persons)
    several = {i: ps for i, ps in images.items() if 2 <= len(ps) <= most} or images
    richest = sorted(several.values(), key=lambda ps: -sum(p.labelled for p in ps))
    return next(opened(ps[0] for ps in richest))[0].image_id


def coco_example(split: Split, image_id: int, credits: Mapping[int, str]) -> Plate:
    """An image as it comes, every annotated person drawn on it (thesis figure 8)."""
    persons = split.of_image(image_id)
    image = np.asarray(decode(persons[0].file, persons[0].image_size).rgb)
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
    return Plate(figure, credited(caption, credits, [image_id]), alt)


def crops(split: Split, image_id: int, config: DataConfig, credits: Mapping[int, str]) -> Plate:
    """Every person of an image, cropped, its own keypoints drawn on it (thesis figure 9)."""
    persons = split.of_image(image_id)
    image = decode(persons[0].file, persons[0].image_size).rgb
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
    return Plate(figure, credited(caption, credits, [image_id]), alt)


def heatmap_example(
    split: PreparedSplit, i: int, size: int, config: HeatmapConfig, credits: Mapping[int, str]
) -> Plate:
    """One person's crop, and its heatmaps fused over it (thesis figure 10)."""
    points = torch.from_numpy(split.keypoints[i : i + 1])
    side = split.crops.shape[1]
    maps = heatmaps(points[..., :2], points[..., 2], side=side, size=size, config=config)[0].numpy()
    with style():
        figure, axes = grid(2, 2, cell=2.8)
        picture(axes[0], split.picture(i), f"crop, {side} × {side}")
        picture(axes[1], over(split.picture(i), maps), f"{len(maps)} heatmaps fused, {size} × {size}")
    visible, hidden = (int((points[..., 2] == v).sum()) for v in (2, 1))
    caption = (
        f"A training person and its heatmaps, fused over the crop: {visible} visible joints with "
        f"σ = {config.sigma_visible}, {hidden} hidden ones with σ = {config.sigma_hidden} pixels of the "
        f"{size} × {size} map."
    )
    alt = f"Left a person; right the same, darkened, with {visible + hidden} glowing dots where the joints are."
    return Plate(figure, credited(caption, credits, [split.image_ids[i]]), alt)


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
