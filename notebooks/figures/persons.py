"""Figures and tables of chapter 01 about all persons: labels, sizes, poses, and what cropping did to them."""

from collections.abc import Mapping
from itertools import islice

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from figures.counts import THESIS_FULL, THESIS_PERSONS
from figures.page import Plate, Table, credited, opened, percent
from hgnb.data.coco import Person, Split, by_image
from hgnb.data.crops import keypoints_in, square
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.data.splits import DataConfig
from hgnb.drawing.poses import grid, picture, skeleton
from hgnb.drawing.style import GREY, INK, ORANGE, SIDES, SKY, style

RULES = {"shift": "moved both ways (ours)", "vertical": "moved up or down only (literal)"}


def keypoint_counts(split: PreparedSplit, schema: KeypointSchema) -> Plate:
    """How often each keypoint is visible, hidden or unlabelled, and how many a person has."""
    visibility = split.visibility
    shares = [(visibility == v).mean(0) for v in (2, 1, 0)]
    with style():
        figure, axes = grid(2, 2, cell=4)
        figure.set_size_inches(9, 3.9)
        left, start = np.arange(len(schema)), np.zeros(len(schema))
        for share, name, colour in zip(
            shares, ("visible", "hidden", "unlabelled"), (SKY, ORANGE, "#DDDDDD"), strict=True
        ):
            axes[0].barh(left, share, left=start, color=colour, label=name)
            start = start + share
        axes[0].set(yticks=left, xlim=(0, 1), xlabel="share of training persons")
        axes[0].set_yticklabels(schema.titles, fontsize=8)
        axes[0].invert_yaxis()
        axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, fontsize=8)
        counts = np.bincount(split.labelled, minlength=len(schema) + 1)
        axes[1].bar(np.arange(len(counts)), counts / len(split), color=SKY)
        thesis = THESIS_FULL / THESIS_PERSONS["train"]
        axes[1].plot(
            len(schema),
            thesis,
            "D",
            color=ORANGE,
            markeredgecolor=INK,
            markersize=7,
            label="thesis: all keypoints",
            clip_on=False,
        )
        axes[1].legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=8)
        axes[1].set(xlabel="labelled keypoints", ylabel="share of training persons")
        axes[1].xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    full, overall = len(split.fully_labelled), [float(s.mean()) for s in shares]
    rarest = schema.titles[int(np.argmax(shares[2]))]
    caption = (
        f"Left: visibility of each keypoint over the {len(split):,} training persons. "
        f"Right: labelled keypoints of a person; {full:,} persons have all {len(schema)}. The thesis counts "
        f"{THESIS_FULL:,} of {THESIS_PERSONS['train']:,} ({percent(thesis, 1)}) with all of COCO's 17 (diamond), and "
        "says nothing of the others."
    )
    alt = (
        f"{percent(overall[0])} of all keypoints are visible, {percent(overall[1])} hidden and {percent(overall[2])} "
        f"unlabelled; the {rarest} is missing most often. {percent(full / len(split), 1)} of the persons are fully "
        f"labelled, {percent(thesis, 1)} in the thesis."
    )
    return Plate(figure, caption, alt)


def sizes(split: Split) -> Plate:
    """How many persons an image shows, and how large they are in it."""
    counts = np.array([len(ps) for ps in by_image(split.persons).values()])
    longer = np.array([max(p.box[2:]) for p in split.persons])
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9, 3))
        axes[0].bar(*np.unique(np.minimum(counts, 12), return_counts=True), color=SKY)
        axes[0].set(xlabel="annotated persons" + (" (12: or more)" if counts.max() > 12 else ""), ylabel="images")
        axes[0].xaxis.set_major_locator(plt.MaxNLocator(integer=True, min_n_ticks=1))
        axes[0].set_xlim(0.4, max(3, min(counts.max(), 12)) + 0.6)
        axes[1].hist(longer, bins=30, color=SKY)
        axes[1].set(xlabel="longer side of the box, pixels", ylabel="persons")
    low, middle, high = np.percentile(longer, (5, 50, 95))
    caption = (
        f"Left: persons with keypoints in each of the {len(counts):,} images of `{split.name}` that show any. "
        f"Right: the longer side of their {len(longer):,} boxes."
    )
    alt = (
        f"{percent((counts == 1).mean())} of the images show one person, the fullest shows {counts.max()}. Half of the "
        f"boxes are larger than {middle:.0f} pixels; nine in ten lie between {low:.0f} and {high:.0f}."
    )
    return Plate(figure, caption, alt)


def mean_pose(split: PreparedSplit, schema: KeypointSchema) -> Plate:
    """Where the joints of all persons lie in their crops, and the person that this averages to."""
    side = split.crops.shape[1]
    points, labelled = split.keypoints[..., :2], split.visibility > 0
    total = (points * labelled[..., None]).sum(0)
    means = total / np.maximum(labelled.sum(0), 1)[:, None]  # (K, 2)
    dot = np.clip(6000 / labelled.sum(), 1, 9)  # fewer joints, larger dots
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.9))
        for k, name in enumerate(schema.sides):
            axes[0].scatter(*points[labelled[:, k], k].T, s=dot, alpha=0.4, color=SIDES[name]["color"], linewidths=0)
            if labelled[:, k].sum() > 2:
                _spread(axes[1], points[labelled[:, k], k], SIDES[name]["color"])
        average = np.column_stack([means, np.where(labelled.any(0), 2, 0)])
        skeleton(axes[1], average, schema, width=2)
        for ax, title in zip(axes, ("labelled joints of all persons", "their means and spread"), strict=True):
            ax.set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5), aspect="equal", xticks=[], yticks=[], title=title)
    deviation = float(np.sqrt(((points - means)[labelled] ** 2).sum(1).mean()))
    caption = (
        f"Left: every labelled joint of the {len(split):,} training persons in its crop; the person's left is blue, "
        "the right red. Right: the mean position of each joint, with an ellipse of one standard deviation."
    )
    alt = (
        f"The mean joints make a small upright figure in the centre of the crop; single joints lie {deviation:.0f} of "
        f"{side} pixels from their mean (root mean square), so the mean pose fits hardly anybody."
    )
    return Plate(figure, caption, alt)


def _spread(ax: Axes, points: np.ndarray, colour: str) -> None:
    """An ellipse of one standard deviation around (n, 2) points."""
    variances, axes = np.linalg.eigh(np.cov(points.T))
    angle = np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))
    width, height = 2 * np.sqrt(np.maximum(variances[::-1], 0))
    ax.add_patch(Ellipse(points.mean(0), width, height, angle=angle, facecolor=colour, alpha=0.12, edgecolor="none"))


def fate(person: Person, config: DataConfig, rule: str) -> tuple[bool, bool, int]:
    """What a rule did to a person's square: was it moved, did it shrink, how many labelled joints does it lose."""
    crop = square(person, size=config.side, margin=config.margin, rule=rule)
    labelled = person.keypoints[person.keypoints[:, 2] > 0, :2]
    centre = (labelled.min(0) + labelled.max(0)) / 2 + 0.5
    moved = np.abs(np.array([crop.x, crop.y]) + crop.side / 2 - centre).max() > 1  # more than rounding
    shrunk = crop.side < max(person.box[2:]) * (1 + config.margin) - 1
    kept = int((keypoints_in(person, crop)[:, 2] > 0).sum())
    return bool(moved), bool(shrunk), person.labelled - kept


def rules_table(split: Split, config: DataConfig) -> Table:
    """What the two readings of the crop rule do to all persons of a split."""
    rows = []
    for rule, title in RULES.items():
        moved, shrunk, lost = np.array([fate(p, config, rule) for p in split.persons]).T
        labelled = sum(p.labelled for p in split.persons)
        rows.append((title, percent(moved.mean(), 1), percent(shrunk.mean(), 1), percent(lost.sum() / labelled, 2)))
    columns = ["Rule", "Squares moved", "Squares shrunk", "Labelled joints lost"]
    caption = f"What the two readings of the rule do to the {len(split.persons):,} persons of `{split.name}`."
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-crop-rules")


def moved(split: Split, config: DataConfig, seed: int, credits: Mapping[int, str], count: int = 6) -> Plate:
    """Persons whose square had to be moved or shrunk, drawn by the seed, under both readings of the rule."""
    touched = [p for p in split.persons if any(fate(p, config, "shift")[:2]) or any(fate(p, config, "vertical")[:2])]
    order = np.random.default_rng(seed).permutation(len(touched))
    chosen = sorted(islice(opened(touched[i] for i in order), count), key=lambda pair: pair[0].id)
    with style():
        if not chosen:
            return _nothing("No square of these persons had to be moved or shrunk.")
        figure, axes = grid(2 * len(chosen), len(chosen), cell=1.25)
        for column, (person, image) in enumerate(chosen):
            for row, rule in enumerate(RULES):
                crop = square(person, size=config.side, margin=config.margin, rule=rule)
                ax = picture(axes[row * len(chosen) + column], crop.apply(image), f"{crop.side} px")
                skeleton(ax, keypoints_in(person, crop), split.schema, width=1.0)
    caption = (
        f"{len(chosen)} of the {len(touched):,} persons of `{split.name}` whose square had to be moved or shrunk, "
        "drawn by the seed. Top: moved both ways, as this book does. Bottom: the literal rule, which moves up or down "
        "only and shrinks until the person fits sideways."
    )
    smaller = float(np.mean([_side(p, config, "vertical") / _side(p, config, "shift") for p in touched]))
    alt = (
        f"{percent(len(touched) / len(split.persons))} of the squares are touched by one of the rules; under the "
        f"literal one theirs have {percent(smaller)} of the side that shifting leaves them."
    )
    return Plate(figure, credited(caption, credits, [p.image_id for p, _ in chosen]), alt)


def _side(person: Person, config: DataConfig, rule: str) -> int:
    return square(person, size=config.side, margin=config.margin, rule=rule).side


def _nothing(words: str) -> Plate:
    figure, ax = plt.subplots(figsize=(6, 1))
    ax.text(0.5, 0.5, words, ha="center", va="center", color=GREY)
    ax.axis("off")
    return Plate(figure, words, words)
