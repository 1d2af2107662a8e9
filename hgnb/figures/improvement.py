"""Figures of chapter 04: the autoencoder alone, and the hourglass that carries it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hgnb.data.schema import KeypointSchema
from hgnb.figures.plate import Plate
from hgnb.figures.style import BLUE, MODIFIED, ORANGE, ORIGINAL, style
from hgnb.training.runs import Run


def autoencoder_training(run: Run, variance: float) -> Plate:
    """Losses of the autoencoder alone; left whole, right without the first fifth (thesis figure 24: from 21 of 100).

    `variance`: mean square of the latents about their mean, on validation: what a constant output would cost.
    """
    table = run.metrics
    first = max(2, len(table) // 5 + 1)
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
        for ax, start in zip(axes, (1, first), strict=True):
            shown = table[table.epoch >= start]
            ax.plot(shown.epoch, shown.train_loss, color=ORANGE, label="training (noisy input)")
            ax.plot(shown.epoch, shown.val_loss, color=BLUE, linestyle="--", label="validation (clean input)")
            ax.set(xlabel="epoch", ylabel="MSE", title="all epochs" if start == 1 else f"from epoch {start}")
            ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
        axes[0].legend(fontsize=8)
    low, last = table.val_loss.min(), table.val_loss.iloc[-1]
    explained = 1 - low / variance
    caption = (
        f"The autoencoder on its own, {len(table)} epochs of `{run.id}`. Its lowest validation loss, {low:.3g} at "
        f"epoch {run.best_epoch('val_loss')}, leaves {low / variance:.0%} of the latents' variance unexplained."
    )
    rise = last / low - 1
    alt = (
        f"Both losses fall; the validation loss ends {rise:.1%} above its minimum, so "
        f"{'there is no sign of overfitting' if rise <= 0.01 else 'it has begun to rise again'}; "
        f"{explained:.0%} of the variance is reconstructed."
    )
    return Plate(figure, caption, alt)


def modified_training(original: Run, modified: Run) -> Plate:
    """The modified hourglass from the epoch it was carried over, against the original (thesis figure 25)."""
    start = original.best_epoch("val_pck")
    old, new = original.metrics, modified.metrics.assign(epoch=modified.metrics.epoch + start)
    with style():
        figure, axes = plt.subplots(2, 3, figsize=(10, 5.4))
        for row, first in zip(axes, (1, start), strict=True):
            for ax, column, title in zip(
                row,
                ("train_loss", "val_loss", "val_pck"),
                ("training loss", "validation loss", "validation PCK"),
                strict=True,
            ):
                _curve(ax, old, column, first, ORIGINAL, "-", "original")
                _curve(ax, new, column, first, MODIFIED, "--", "with the autoencoder")
                ax.set(xlabel="epoch", title=title)
                ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
                if column.endswith("loss"):
                    ax.set_yscale("log" if first == 1 else "linear")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncol=2, fontsize=8)
    before, first, best = old.val_pck.max(), new.val_pck.iloc[0], new.val_pck.max()
    caption = (
        f"The modified hourglass, trained on for {len(new)} epochs from the original's best (epoch {start}), against "
        f"the original. Top: all epochs; bottom: from epoch {start}."
    )
    alt = (
        f"The modified hourglass starts {'below' if first < before else 'not below'} the original's best PCK "
        f"({first:.3f} against {before:.3f}) and its best is "
        f"{'above' if best > before else 'not above'} it ({best:.3f})."
    )
    return Plate(figure, caption, alt)


def _curve(ax: Axes, table: pd.DataFrame, column: str, first: int, colour: str, line: str, label: str) -> None:
    shown = table[table.epoch >= first]
    ax.plot(shown.epoch, shown[column], color=colour, linestyle=line, marker="o", markersize=2.5, label=label)


def gains(before: np.ndarray, after: np.ndarray, schema: KeypointSchema, split: str) -> Plate:
    """PCK of each keypoint, (K,) each, of the original and the modified hourglass."""
    with style():
        figure, ax = plt.subplots(figsize=(7, 0.26 * len(schema) + 1.0))
        rows = np.arange(len(schema))
        for row, (a, b) in enumerate(zip(before, after, strict=True)):
            ax.plot([a, b], [row, row], color="#BBBBBB", linewidth=2, zorder=1)
        ax.scatter(before, rows, color=ORIGINAL, marker="o", s=26, label="original", zorder=2)
        ax.scatter(after, rows, color=MODIFIED, marker="D", s=24, label="with the autoencoder", zorder=3)
        ax.set(yticks=rows, yticklabels=schema.titles, xlabel=f"PCK, {split} persons", xlim=(0, 1))
        ax.invert_yaxis()
        figure.legend(loc="outside lower center", ncol=2, fontsize=8)
    change = after - before
    up, down = int((change > 0).sum()), int((change < 0).sum())
    caption = f"PCK of each keypoint on the {split} persons, before and after the autoencoder."
    most = schema.titles[int(np.nanargmax(np.abs(change)))]
    alt = (
        f"{up} of {len(schema)} keypoints gain and {down} lose; the {most} moves most, by "
        f"{change[np.nanargmax(np.abs(change))]:+.3f}."
    )
    return Plate(figure, caption, alt)
