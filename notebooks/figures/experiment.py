"""Figures and tables of chapter 02: how the hourglass was trained and how well it finds keypoints."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures.page import Plate, Table, cited, percent, small
from hgnb.data.schema import KeypointSchema
from hgnb.drawing.style import BLUE, GREY, INK, ORANGE, RED, SIDES, style
from hgnb.training.passes import Baselines
from hgnb.training.profiles import Profile, departures
from hgnb.training.runs import Run

# Thesis, table 2: epoch, training loss, validation loss, validation PCK.
THESIS_BEST = {
    "train_loss": (50, 4.11e-5, 5.45e-5, 0.43),
    "val_loss": (32, 5.01e-5, 5.15e-5, 0.42),
    "val_pck": (47, 4.19e-5, 5.43e-5, 0.433),
}
BEST_TITLES = {
    "train_loss": "Best training loss",
    "val_loss": "Best validation loss",
    "val_pck": "Best validation PCK",
}


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


def overfitting(few: Run, persons: int, whole: Run) -> Plate:
    """Losses and PCK of the network while it goes on with few persons, beside the best that it had."""
    table, best = few.metrics, whole.metrics
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
        axes[0].plot(table.epoch, table.train_loss, color=ORANGE, marker="o", markersize=3, label="training loss")
        axes[0].plot(table.epoch, table.val_loss, color=BLUE, marker="s", markersize=3, label="validation loss")
        axes[1].plot(table.epoch, table.val_pck, color=BLUE, marker="s", markersize=3, label="validation PCK")
        axes[1].axhline(
            best.val_pck.max(), color=GREY, linestyle="--", linewidth=1, label="before, on all validation persons"
        )
        for ax, words in zip(axes, ("MSE", "PCK"), strict=True):
            ax.set(xlabel=f"epoch with {persons:,} persons", ylabel=words)
            ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
            ax.legend(fontsize=8)
        axes[1].set_ylim(0, None)
    low = few.best_epoch("val_loss")
    rise = table.val_loss.iloc[-1] / table.val_loss.min() - 1
    fall = 1 - table.train_loss.iloc[-1] / table.train_loss.iloc[low - 1]
    caption = (
        f"The kept network goes on with {persons:,} of its persons alone for {len(table)} epochs, `{few.id}`; "
        "it is validated on as many."
    )
    alt = (
        f"The validation loss is lowest at epoch {low} and ends {percent(rise)} higher, while the training loss falls "
        f"by {percent(fall)} from there on; the validation PCK goes from {table.val_pck.iloc[0]:.3f} to "
        f"{table.val_pck.iloc[-1]:.3f}."
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
    ax.set(
        xlabel="epoch",
        ylabel="PCK",
        ylim=(0, max(0.05, 1.08 * max(table.val_pck.max(), lines.mean_pose_pck))),
    )
    _mark_drop(ax, table, first)


def _mark_drop(ax: Axes, table: pd.DataFrame, first: int) -> None:
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    drop = drop_epoch(table)
    if drop is not None and drop >= first:
        ax.axvline(drop + 0.5, color=GREY, linestyle=":", linewidth=1.2)


def best_epochs_table(run: Run) -> Table:
    """The epochs with the best losses and PCK, beside the thesis's table 2."""
    table = run.metrics.set_index("epoch")
    rows = []
    for column, (epoch, train, val, score) in THESIS_BEST.items():
        best = run.best_epoch(column)
        ours = table.loc[best]
        rows.append((
            BEST_TITLES[column], best, small(ours.train_loss), small(ours.val_loss), f"{ours.val_pck:.3f}",
            epoch, small(train), small(val), f"{score:.3g}",
        ))  # fmt: skip
    columns = ["Chosen by", "Epoch", "Training loss", "Validation loss", "PCK"]
    columns += [f"{c}, thesis" for c in ("Epoch", "Training loss", "Validation loss", "PCK")]
    caption = "Epochs with the best training loss, validation loss and validation PCK, beside table 2 of the thesis."
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-best-epochs")


def departures_table(profile: Profile) -> Table:
    """Every number of a profile that isn't the thesis's, beside the thesis's."""
    rows = [
        (f"`{key}`", _plain(here), _plain(there), f.metadata["unit"], cited(f.metadata["source"]))
        for key, here, there, f in departures(profile)
    ]
    columns = ["Number", f"`{profile.name}`", "Thesis", "Unit", "Source"]
    caption = f"Where the profile `{profile.name}` departs from the thesis; all other numbers are its own."
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-departures")


def _plain(value) -> str:
    """A number as a person writes it; several with commas."""
    if isinstance(value, tuple):
        return ", ".join(_plain(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def pck_by_keypoint(scores: np.ndarray, counts: np.ndarray, schema: KeypointSchema, split: str) -> Plate:
    """PCK of each keypoint, (K,), with the number of annotated ones it is a share of."""
    with style():
        figure, ax = plt.subplots(figsize=(7, 0.24 * len(schema) + 0.9))
        rows = np.arange(len(schema))
        colours = [SIDES[s]["color"] for s in schema.sides]
        ax.barh(rows, np.nan_to_num(scores), color=colours, height=0.7)
        for row, (score, count) in enumerate(zip(scores, counts, strict=True)):
            text = f"{score:.2f}  (n = {count:,})" if count else "not annotated"
            ax.text(np.nan_to_num(score) + 0.01, row, text, va="center", fontsize=7.5, color=INK)
        ax.set(yticks=rows, yticklabels=schema.titles, xlim=(0, 1.12), xlabel=f"PCK, {split} persons")
        ax.invert_yaxis()
    known = np.flatnonzero(counts)
    best, worst = (schema.titles[known[f(scores[known])]] for f in (np.argmax, np.argmin))
    caption = f"PCK of each keypoint on the {split} persons; blue is the person's left, red the right."
    alt = f"The {best} is found most often ({np.nanmax(scores):.2f}), the {worst} least ({np.nanmin(scores):.2f})."
    return Plate(figure, caption, alt)
