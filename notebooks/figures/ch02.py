"""Figures of 02_experiment that are too long for a cell: the course of a training, and persons ranked by rule."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures.page import Note, Plate, Table, cited, credited, listed, nothing, number
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.drawing import BLUE, GREY, INK, ORANGE, RED, picture, skeleton, style
from hgnb.home import home
from hgnb.metrics import PckConfig
from hgnb.stats import pck
from hgnb.training.passes import Baselines, Predictions
from hgnb.training.profiles import Profile, departures
from hgnb.training.runs import Run

# Thesis, table 2: epoch, training loss, validation loss, validation PCK.
THESIS_BEST = {
    "train_loss": (50, 4.11e-5, 5.45e-5, 0.43),
    "val_loss": (32, 5.01e-5, 5.15e-5, 0.42),
    "val_pck": (47, 4.19e-5, 5.43e-5, 0.433),
}
RANKS = ("best", "median", "worst")


def recorded(name: str) -> tuple[dict, str]:
    """What benchmarks/hourglass.py found and kept, and on which machine; nothing where nobody ran it."""
    file = home() / f"benchmarks/results/{name}.json"
    found = json.loads(file.read_text(encoding="utf8")) if file.is_file() else {}
    machine = found.get("machine", {"device": ""})
    return found, machine["cpu"] if machine["device"] == "cpu" else machine["device"]


def without(name: str) -> Note:
    """In place of a table of what was recorded."""
    file = f"benchmarks/results/{name}.json"
    return Note(f"No speed is recorded: `python benchmarks/hourglass.py` measures it and writes `{file}`.")


def departures_table(profile: Profile) -> Table:
    """tbl-departures: every number of a profile that isn't the thesis's, beside the thesis's."""
    rows = [
        (f"`{key}`", _plain(here), _plain(there), field.metadata["unit"], cited(field.metadata["source"]))
        for key, here, there, field in departures(profile)
    ]
    columns = ["Number", f"`{profile.name}`", "`paper`", "Unit", "Source"]
    caption = (
        f"Where the profile `{profile.name}` departs from `paper`, which has the thesis's numbers, and the book's where the "
        "thesis gives none (source); the two agree in all others."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-departures", folded=True)


def _plain(value) -> str:
    """A number as a person writes it; several with commas."""
    if isinstance(value, tuple):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def by_visibility_table(made: Predictions, split: PreparedSplit, schema: KeypointSchema, config: PckConfig) -> Table:
    """tbl-pck-visibility: PCK of visible, hidden and all labelled keypoints, for each group of joints."""
    hits, seen, groups = (
        made.hits(config).numpy(),
        made.visibility.numpy(),
        {"all": range(len(schema)), **schema.groups},
    )
    rows = []
    for name, asked in {"all": seen > 0, "v = 1 (hidden)": seen == 1, "v = 2 (visible)": seen == 2}.items():
        joints = [list(group) for group in groups.values()]
        cells = [pck(hits[:, j], asked[:, j], split.image_ids).text(3) for j in joints]
        rows.append((name, *cells, f"{int(asked.sum()):,}"))
    caption = (
        f"PCK on the {len(split):,} persons of the {split.name} split by visibility and group of joints; torso: "
        f"{listed([schema.titles[j] for j in schema.groups['torso']]) or 'none'}; limbs are what Newell et al. report as "
        "neither head nor torso, the hips among them. 95 % intervals over photographs."
    )
    if any("–" in row for row in rows):
        caption += " A dash: no such keypoint is labelled."
    return Table(pd.DataFrame(rows, columns=["Labelled keypoints", *groups, "Counted"]), caption, "tbl-pck-visibility")


def training(run: Run, lines: Baselines) -> Plate:
    """Losses and PCK by epoch, with what one gets without a network (thesis figure 12)."""
    table = run.metrics
    with style():
        figure, axes = plt.subplots(2, 2, figsize=(9, 6))
        for row, first in zip(axes, (1, min(2, len(table))), strict=True):
            _losses(row[0], table, lines, first)
            _pck(row[1], table, lines, first)
        axes[0, 0].set_yscale("log")
        axes[0, 0].set_title("all epochs (loss on a logarithmic axis)")
        axes[1, 0].set_title("from the second epoch")
        handles, labels = axes[1, 0].get_legend_handles_labels()
        more, words = axes[1, 1].get_legend_handles_labels()
        figure.legend(handles + more, labels + words, loc="outside lower center", ncol=3, fontsize=8)
    best, drop = run.best_epoch("val_pck"), drop_epoch(table)
    top, low = table.val_pck.max(), run.best_epoch("val_loss")
    caption = (
        f"Losses and validation PCK over {len(table)} epochs of `{run.id}`; the bottom row leaves out the first. "
        f"Dashed: the validation loss of predicting nothing and of each joint's mean map, and the PCK of each joint's "
        f"mean position. " + (f"Dotted: the rate dropped after epoch {drop}." if drop else "The rate never dropped.")
    )
    ratio = table.val_loss.min() / lines.zero_loss
    alt = (
        f"PCK {'rises' if top > table.val_pck[0] else 'does not rise'} to {top:.3f} at epoch {best}, "
        f"{'above' if top > lines.mean_pose_pck else 'not above'} the mean pose's {lines.mean_pose_pck:.3f}; the "
        f"validation loss is lowest at epoch {low}, at {ratio:.2f} of predicting nothing."
    )
    return Plate(figure, caption, alt)


def drop_epoch(metrics: pd.DataFrame) -> int | None:
    """The last epoch before the learning rate dropped, if it did; a warm-up only rises."""
    lower = metrics.epoch[metrics.learning_rate.diff() < 0]
    return int(lower.iloc[0]) - 1 if len(lower) else None


def _losses(ax: Axes, table: pd.DataFrame, lines: Baselines, first: int) -> None:
    shown = table[table.epoch >= first]
    ax.plot(shown.epoch, shown.train_loss, color=ORANGE, marker="o", markersize=3, label="training loss")
    ax.plot(shown.epoch, shown.val_loss, color=BLUE, marker="s", markersize=3, label="validation loss")
    ax.axhline(lines.zero_loss, color=INK, linestyle="--", linewidth=1, label="predicting nothing")
    ax.axhline(lines.mean_map_loss, color=RED, linestyle="--", linewidth=1, label="mean map of each joint")
    ax.set(xlabel="epoch", ylabel="MSE")
    ax.ticklabel_format(axis="y", style="sci", scilimits=(0, 0)) if ax.get_yscale() == "linear" else None
    _mark_drop(ax, table, first)


def _pck(ax: Axes, table: pd.DataFrame, lines: Baselines, first: int) -> None:
    shown = table[table.epoch >= first]
    ax.plot(shown.epoch, shown.val_pck, color=BLUE, marker="s", markersize=3, label="validation PCK")
    ax.axhline(lines.mean_pose_pck, color=GREY, linestyle="--", linewidth=1, label="mean position of each joint")
    ax.set(xlabel="epoch", ylabel="PCK", ylim=(0, max(0.05, 1.08 * max(table.val_pck.max(), lines.mean_pose_pck))))
    _mark_drop(ax, table, first)


def _mark_drop(ax: Axes, table: pd.DataFrame, first: int) -> None:
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    drop = drop_epoch(table)
    if drop is not None and drop >= first:
        ax.axvline(drop + 0.5, color=GREY, linestyle=":", linewidth=1.2)


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
                poses = split.keypoints[person], posed(made, split, config, person)
                for ax, keypoints in zip(row[3 * i : 3 * i + 2], poses, strict=True):
                    plot_pose(split, keypoints, schema, person, ax=ax)
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
