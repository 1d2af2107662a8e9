"""Figures and tables of how accurate predictions are: by visibility, over radii, person by person. 02_experiment."""

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes

from figures.page import Plate, Table, credited, nothing, number
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.drawing.poses import picture, skeleton
from hgnb.drawing.style import BLUE, GREY, INK, ORANGE, style
from hgnb.metrics import PckConfig, distances
from hgnb.metrics.keypoints_found import VISIBILITY, Share, among, curve
from hgnb.stats import pck as pooled_pck
from hgnb.training.passes import Predictions

LINES = {"all": (INK, "-"), "v = 2": (BLUE, "--"), "v = 1": (ORANGE, (0, (1, 1)))}
WORDS = {"all": "all", "v = 1": "v = 1 (hidden)", "v = 2": "v = 2 (visible)"}
RANKS = ("best", "median", "worst")


def by_visibility_table(made: Predictions, split: PreparedSplit, schema: KeypointSchema, config: PckConfig) -> Table:
    """tbl-pck-visibility: PCK of visible, hidden and all labelled keypoints, for each group of joints."""
    hits, groups = made.hits(config), {"all": range(len(schema)), **schema.groups}
    rows = []
    for name, values in VISIBILITY.items():
        counted = among(made.visibility, values)
        cells = [_cell(hits[:, list(g)], counted[:, list(g)], split.image_ids) for g in groups.values()]
        rows.append((WORDS[name], *cells, f"{int(counted.sum()):,}"))
    caption = (
        f"PCK on the {len(split):,} persons of the {split.name} split by visibility and group of joints; limbs are "
        "what Newell et al. report as neither head nor torso. 95 % intervals over photographs."
    )
    if any("–" in row for row in rows):
        caption += " A dash: no such keypoint is labelled."
    return Table(pd.DataFrame(rows, columns=["Labelled keypoints", *groups, "Counted"]), caption, "tbl-pck-visibility")


def _cell(hits: torch.Tensor, counted: torch.Tensor, images: np.ndarray) -> str:
    return pooled_pck(hits.numpy(), counted.numpy(), images).text(3)


def radii(made: Predictions, config: PckConfig, limit: float = 2.0) -> Plate:
    """fig-pck-radii: PCK over radii up to `limit` normalisers, the thesis's own marked."""
    steps = torch.linspace(0, limit, 201, dtype=torch.float64)
    gaps = distances(made.points, made.true, size=made.size, config=config)
    curves = {name: curve(gaps, among(made.visibility, values), steps) for name, values in VISIBILITY.items()}
    at = dict(zip(VISIBILITY, (_at(gaps, made, name, config.radius) for name in VISIBILITY), strict=True))
    if not at["all"].counted:
        return nothing("No keypoint of these persons is labelled.", "No PCK over radii.", "No keypoint is labelled.")
    with style():
        figure, ax = plt.subplots(figsize=(6, 3.6))
        plot_radii(steps, curves, ax=ax)
        ax.axvline(config.radius, color=GREY, linewidth=1, linestyle=":")
        ax.plot(config.radius, at["all"].value, "o", color=INK, markersize=5)
        ax.text(config.radius + 0.03, 0.03, f"r = {config.radius:g}: {at['all'].text(3)}", fontsize=9)
    pixels = config.normaliser * made.size
    caption = (
        f"PCK over the radius within which a keypoint counts as found, in normalisers of {pixels:g} heatmap pixels; "
        f"dotted: the radius {config.radius:g} of the thesis. Distances between whole heatmap pixels make steps."
    )
    wide = curves["all"][int(200 * min(1, 2 * config.radius / limit))]
    alt = f"PCK is {at['all'].text(3)} at radius {config.radius:g} and {wide.text(3)} at twice that"
    if at["v = 1"].counted and at["v = 2"].counted:
        alt += f"; visible keypoints reach {at['v = 2'].text(3)}, hidden ones {at['v = 1'].text(3)}"
    return Plate(figure, caption, f"{alt}.")


def _at(gaps: torch.Tensor, made: Predictions, name: str, radius: float) -> Share:
    return curve(gaps, among(made.visibility, VISIBILITY[name]), torch.tensor([radius], dtype=torch.float64))[0]


def plot_radii(steps: torch.Tensor, curves: dict[str, list[Share]], *, ax: Axes | None = None) -> Axes:
    """A line for each kind of keypoint that there is."""
    ax = ax or plt.gca()
    for name, shares in curves.items():
        if shares[0].counted:
            colour, line = LINES[name]
            label = f"{WORDS[name]}, {shares[0].counted:,}"
            ax.plot(steps, [s.value for s in shares], color=colour, linestyle=line, label=label, drawstyle="steps-pre")
    ax.set(xlabel="radius, normalisers", ylabel="PCK", ylim=(0, 1), xlim=(0, float(steps[-1])))
    ax.legend(title="keypoints", fontsize=8, title_fontsize=8, loc="best")
    return ax


@dataclass(frozen=True)
class Ranked:
    """Persons with their own PCK, chosen by rule."""

    positions: dict[str, np.ndarray]  # in the split, for each of RANKS
    pck: np.ndarray  # (N,), NaN for a person without labels
    persons: int  # that were ranked


def ranked(made: Predictions, config: PckConfig, seed: int, count: int = 4) -> Ranked:
    """The `count` best, median and worst persons by own PCK, then by mean peak, then by the seed's lot.

    Nobody is in two groups: of fewer than 3 * count persons each group gets a third.
    """
    labelled = (made.visibility > 0).numpy()
    counted = labelled.sum(1)
    own = np.where(counted > 0, (made.hits(config).numpy() & labelled).sum(1) / np.maximum(counted, 1), np.nan)
    lot = np.random.default_rng(seed).permutation(len(own))
    order = np.lexsort((lot, -made.peaks.double().mean(1).numpy(), -own))  # NaN last
    order = order[: int((counted > 0).sum())]
    each = min(count, len(order) // 3)
    middle = (len(order) - each) // 2
    chosen = (order[:each], order[middle : middle + each], order[len(order) - each :])
    return Ranked(dict(zip(RANKS, chosen, strict=True)), own, len(order))


def best_median_worst(
    made: Predictions, split: PreparedSplit, schema: KeypointSchema, config: PckConfig, seed: int,
    credits: Mapping[int, str] | None = None,
) -> Plate:  # fmt: skip
    """fig-predictions: the best, median and worst predicted persons, each with the true and the predicted pose."""
    chosen = ranked(made, config, seed, count=3)  # more would be too small to see on a page
    count = len(chosen.positions["best"])
    if not count:
        return nothing(
            "Fewer than three persons to rank.", "No persons to rank.", "There are fewer than three persons."
        )
    with style():
        ratios = ([1, 1, 0.08] * count)[:-1]
        size = (1.14 * sum(ratios) + 0.3, 4.4)
        figure, axes = plt.subplots(len(RANKS), 3 * count - 1, figsize=size, width_ratios=ratios, squeeze=False)
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.02, wspace=0.01, hspace=0.03)
        for ax in axes[:, 2::3].flat:
            ax.axis("off")
        for row, (rank, persons) in zip(axes, chosen.positions.items(), strict=True):
            for i, person in enumerate(persons):
                plot_pair(made, split, schema, config, person, row[3 * i : 3 * i + 2])
                row[3 * i + 1].set_xlabel(f"PCK {number(chosen.pck[person])}", fontsize=8, labelpad=1)
            row[0].set_ylabel(rank, fontsize=9)
        for ax, words in zip(axes[0, : 3 * count : 1], ("truth", "predicted", "") * count, strict=False):
            ax.set_title(words, fontsize=8, pad=2)
    means = {rank: float(np.mean(chosen.pck[at])) for rank, at in chosen.positions.items()}
    caption = (
        f"The {count} best, median and worst of {chosen.persons:,} persons of the {split.name} split, ranked by "
        "their own PCK, then by the mean peak of their heatmaps, the rest by the seed: the labelled joints as they are "
        "and as predicted. A filled dot is a joint found, a hollow one missed (in the truth: hidden). Blue: left, red: "
        "right."
    )
    told = ", ".join(f"{number(mean)} of the {rank}" for rank, mean in means.items())
    shown = split.image_ids[np.concatenate(list(chosen.positions.values()))]
    return Plate(figure, credited(caption, credits or {}, shown), f"Mean PCK of the persons shown: {told}.")


def plot_pair(
    made: Predictions, split: PreparedSplit, schema: KeypointSchema, config: PckConfig, person: int, axes
) -> None:
    """The crop with the true skeleton, and with the predicted one of the labelled joints."""
    for ax, keypoints in zip(axes, (split.keypoints[person], posed(made, split, config, person)), strict=True):
        plot_pose(split, keypoints, schema, person, ax=ax)


def posed(made: Predictions, split: PreparedSplit, config: PckConfig, person: int) -> np.ndarray:
    """(K, 3) predicted joints in pixels of the crop, and 2 for a found one, 1 for a missed, 0 for no label."""
    seen = split.visibility[person] > 0
    flags = np.where(seen, np.where(made.hits(config)[person].numpy(), 2, 1), 0)
    points = (made.points[person].numpy() + 0.5) * (split.crops.shape[1] / made.size) - 0.5
    return np.column_stack([points, flags])


def plot_pose(split: PreparedSplit, keypoints: np.ndarray, schema: KeypointSchema, person: int, *, ax: Axes) -> Axes:
    """A person's crop with a skeleton (K, 3) over it."""
    side = split.crops.shape[1]
    skeleton(picture(ax, split.picture(person)), keypoints, schema, width=1.1)
    ax.set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5))
    return ax
