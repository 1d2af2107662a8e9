"""Figures of 01_dataset that are too long for a cell: whose square moved, and how far joints spread."""

from collections.abc import Mapping
from itertools import islice

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from figures.page import Plate, credited, nothing, opened, percent
from hgnb.data.coco import Person, Split
from hgnb.data.crops import CropTransform, keypoints_in, square
from hgnb.data.splits import DataConfig
from hgnb.drawing import grid, picture, skeleton, style

RULES = {"shift": "moved both ways (ours)", "vertical": "moved up or down only (literal)"}


def under(person: Person, config: DataConfig, rule: str) -> CropTransform:
    """A person's square under one of the rules."""
    return square(person, size=config.side, margin=config.margin, rule=rule)


def fate(person: Person, config: DataConfig, rule: str) -> tuple[bool, bool, int]:
    """What a rule did to a person's square: was it moved, did it shrink, how many labelled joints does it lose."""
    crop = under(person, config, rule)
    labelled = person.keypoints[person.keypoints[:, 2] > 0, :2]
    centre = (labelled.min(0) + labelled.max(0)) / 2 + 0.5
    moved = np.abs(np.array([crop.x, crop.y]) + crop.side / 2 - centre).max() > 1  # more than rounding
    shrunk = crop.side < max(person.box[2:]) * (1 + config.margin) - 1
    kept = int((keypoints_in(person, crop)[:, 2] > 0).sum())
    return bool(moved), bool(shrunk), person.labelled - kept


def moved(split: Split, config: DataConfig, seed: int, credits: Mapping[int, str], count: int = 6) -> Plate:
    """fig-moved-crops: persons whose square isn't the same under both rules, drawn by the seed."""
    touched = [p for p in split.persons if under(p, config, "shift") != under(p, config, "vertical")]
    order = np.random.default_rng(seed).permutation(len(touched))
    chosen = sorted(islice(opened(touched[i] for i in order), count), key=lambda pair: pair[0].id)
    if not chosen:
        return nothing("No square of these persons differs between the two rules.")
    with style():
        figure, axes = grid(2 * len(chosen), len(chosen), cell=1.25)
        for column, (person, image) in enumerate(chosen):
            for row, rule in enumerate(RULES):
                crop = under(person, config, rule)
                ax = picture(axes[row * len(chosen) + column], crop.apply(image), f"{crop.side} px")
                skeleton(ax, keypoints_in(person, crop), split.schema, width=1.0)
    caption = (
        f"{len(chosen)} of the {len(touched):,} persons of `{split.name}` whose square isn't the same under both "
        "rules, drawn by the seed. Top: moved both ways, as this book does. Bottom: the literal rule, which moves up or "
        "down only and shrinks until the square, centred on the person, fits sideways, even where that cuts the person."
    )
    smaller = np.mean([under(p, config, "vertical").side / under(p, config, "shift").side for p in touched])
    alt = (
        f"{percent(len(touched) / len(split.persons))} of the squares differ between the rules; under the literal one "
        f"theirs have {percent(float(smaller))} of the side that shifting leaves them."
    )
    return Plate(figure, credited(caption, credits, [p.image_id for p, _ in chosen]), alt)


def spread(ax: Axes, points: np.ndarray, colour: str) -> None:
    """An ellipse of one standard deviation around (n, 2) points."""
    variances, axes = np.linalg.eigh(np.cov(points.T))
    angle = np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))
    width, height = 2 * np.sqrt(np.maximum(variances[::-1], 0))
    ax.add_patch(Ellipse(points.mean(0), width, height, angle=angle, facecolor=colour, alpha=0.12, edgecolor="none"))
