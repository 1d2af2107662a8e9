"""What an articulated pose is (thesis figure 1), and the book in five results: 00_introduction, 00_at_a_glance."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from figures.page import Plate, Table, credited, opened
from hgnb.claims.study import Findings
from hgnb.data.coco import Person, Split
from hgnb.data.crops import keypoints_in, square
from hgnb.data.schema import KeypointSchema
from hgnb.drawing.poses import picture, skeleton
from hgnb.drawing.style import GREY, INK, SIDES, style
from hgnb.stats import Estimate

TOLD = ("fig-shg-training", "fig-skip-histograms", "tbl-components", "fig-clusters-all", "tbl-comparison")
SIZE = 384  # pixels: larger than a network's crop, so that the joints' names have room


def pose_example(split: Split, credits: Mapping[int, str]) -> Plate:
    """fig-pose-example: one person, and the same person with its joints and limbs named."""
    person, image = next(opened(_clearest(split.persons)))
    crop = square(person, size=SIZE, margin=0.1, rule="shift")
    pixels, points = crop.apply(image), keypoints_in(person, crop)
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9.4, 4.4))
        for ax in axes:
            picture(ax, pixels)
        skeleton(axes[1], points, split.schema, width=2.6)
        _names(axes[1], points, split.schema)
        axes[1].set(xlim=axes[0].get_xlim(), ylim=axes[0].get_ylim())  # lines to the names don't make it smaller
        lines = [Line2D([], [], linewidth=2.4, label=side, **kind) for side, kind in SIDES.items()]
        lines.append(Line2D([], [], marker="o", linestyle="", color=GREY, markerfacecolor="white", label="hidden"))
        figure.legend(handles=lines, loc="outside lower center", ncol=4, fontsize=9)
    labelled = int((points[:, 2] > 0).sum())
    caption = (
        "A person, and its 2D articulated pose: named joints, joined by limbs. Left and right are the person's own. "
        f"{labelled} of {len(split.schema)} keypoints are labelled."
    )
    alt = f"Left a person; right the same person with a skeleton of {labelled} named points over the body."
    return Plate(figure, credited(caption, credits, [person.image_id]), alt)


def _clearest(persons: list[Person]) -> list[Person]:
    """Most labelled keypoints first, of these the most visible, of these the largest in its image."""
    return sorted(persons, key=lambda p: (-p.labelled, -(p.keypoints[:, 2] == 2).sum(), -max(p.box[2:]), p.id))


def _names(ax: Axes, points: np.ndarray, schema: KeypointSchema) -> None:
    """The joints' names beside the person, one column at each side, a thin line to each joint."""
    shown = np.flatnonzero(points[:, 2] > 0)
    middle = points[shown, 0].mean()
    for left in (True, False):
        column = [i for i in shown if (points[i, 0] <= middle) == left]
        column.sort(key=lambda i: points[i, 1])
        for i, y in zip(column, _spread(points[column, 1]), strict=True):
            x = -0.04 * SIZE if left else 1.04 * SIZE
            ax.plot([x, points[i, 0]], [y, points[i, 1]], color=INK, linewidth=0.5, clip_on=False)
            words = schema.titles[i]
            ax.text(x, y, f"{words} " if left else f" {words}", ha="right" if left else "left", va="center", fontsize=8)


def _spread(heights: np.ndarray) -> np.ndarray:
    """Ascending heights moved apart, so that names don't overlap, and kept within the picture."""
    gap, out = 0.058 * SIZE, np.array(heights, dtype=float)
    for i in range(1, len(out)):
        out[i] = max(out[i], out[i - 1] + gap)
    return out - max(0.0, out[-1] - SIZE) if len(out) else out


def results(found: Findings) -> Table:
    """tbl-glance: the thesis's five results, each with this run's number and where it is told in full."""
    on, off = found.with_skips.text(2), found.without_skips.text(2)
    rows = [
        ("Does one hourglass find joints?", "test PCK 0.441", f"test PCK {found.test_pck.text(3)}"),
        ("What do skip-connections do?", "without them PCK collapses", f"training PCK {on} with, {off} without"),
        ("What does component 1 tell?", "sitting from standing", _auc(found.sitting)),
        ("What parts the two clusters?", "how much is labelled", _auc(found.labelled)),
        ("Does the autoencoder help?", "test PCK +0.033", f"test PCK changes by {_signed(found.gain)}"),
    ]
    columns = ["Question", "The thesis", "This run", "Told in"]
    table = pd.DataFrame([(*row, f"{{numref}}`{at}`") for row, at in zip(rows, TOLD, strict=True)], columns=columns)
    caption = (
        "Five results. An AUC is the chance that of two people, one of each kind, the right one ranks higher: 0.5 is "
        "chance, 1 is certainty. A dash: these data can't say."
    )
    return Table(table, caption, "tbl-glance")


def _auc(area: Estimate) -> str:
    """'AUC 0.69 (…), above chance', or a dash."""
    told = "above chance" if area.low > 0.5 else "below chance" if area.high < 0.5 else "may be chance"
    return f"AUC {area.text(2)}, {told}" if np.isfinite(area.value) else "AUC –"


def _signed(difference: Estimate) -> str:
    """'+0.012 (…)', or '−…', or a dash."""
    return f"+{difference.text(3)}" if difference.value > 0 else difference.text(3)
