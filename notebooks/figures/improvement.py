"""Figures of chapter 04: the autoencoder alone, and the hourglass that carries it."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures.accuracy import plot_pose, posed
from figures.page import Plate, nothing, number, percent
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.drawing.style import BLUE, GREY, MODIFIED, ORANGE, ORIGINAL, style
from hgnb.metrics import PckConfig
from hgnb.stats import Estimate, crossed
from hgnb.training.passes import Predictions
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
        f"epoch {run.best_epoch('val_loss')}, leaves {percent(low / variance)} of the latents' variance unexplained."
    )
    rise = last / low - 1
    alt = (
        f"Both losses fall; the validation loss ends {percent(rise, 1)} above its minimum, so "
        f"{'there is no sign of overfitting' if rise <= 0.01 else 'it has begun to rise again'}; "
        f"{percent(explained)} of the variance is reconstructed."
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


@dataclass(frozen=True)
class Changes:
    """Both networks on the same persons of a split."""

    split: PreparedSplit
    schema: KeypointSchema
    config: PckConfig
    before: Predictions
    after: Predictions

    @property
    def hits(self) -> tuple[np.ndarray, np.ndarray]:
        """(N, K) bool of the original and of the modified network, false where nothing is labelled."""
        counted = self.split.visibility > 0
        return tuple(made.hits(self.config).numpy() & counted for made in (self.before, self.after))

    def by_keypoint(self) -> list[tuple[float, float, Estimate]]:
        """For each keypoint PCK before and after, and their difference, paired; over photographs."""
        before, after = self.hits
        counted, images = self.split.visibility > 0, self.split.image_ids
        rows = []
        for k in range(len(self.schema)):
            columns = np.column_stack([before[:, k], after[:, k], counted[:, k]])
            found, kept, of = columns.sum(0) / max(counted[:, k].sum(), 1)
            change = crossed(columns, images, lambda b, a, n: (a - b) / n)
            rows.append((found if of else np.nan, kept if of else np.nan, change))
        return rows

    def most(self, seed: int, count: int = 5) -> dict[str, np.ndarray]:
        """Persons who gained and who lost the most found keypoints; ties by more labelled ones, then by lot."""
        before, after = (h.sum(1) for h in self.hits)
        change, labelled = after - before, self.split.labelled
        lot = np.random.default_rng(seed).permutation(len(change))
        order = np.lexsort((lot, -labelled, -change))
        back = np.lexsort((lot, -labelled, change))
        return {"helped": order[change[order] > 0][:count], "hurt": back[change[back] < 0][:count]}


def gains(changes: Changes) -> Plate:
    """fig-gains: PCK of each keypoint of the original and the modified hourglass, and the difference with intervals."""
    schema, split = changes.schema, changes.split
    before, after, change = zip(*changes.by_keypoint(), strict=True)
    with style():
        size = (9, 0.26 * len(schema) + 1.2)
        figure, axes = plt.subplots(1, 2, figsize=size, sharey=True, width_ratios=(1.3, 1))
        rows = np.arange(len(schema))
        axes[0].scatter(before, rows, color=ORIGINAL, marker="o", s=26, label="original", zorder=2, clip_on=False)
        axes[0].scatter(
            after, rows, color=MODIFIED, marker="D", s=24, label="with the autoencoder", zorder=3, clip_on=False
        )
        axes[0].set(yticks=rows, yticklabels=schema.titles, xlabel=f"PCK, {split.name} persons", xlim=(0, 1))
        axes[0].invert_yaxis()
        for row, c in zip(rows, change, strict=True):
            axes[1].plot([c.low, c.high], [row, row], color=MODIFIED, linewidth=1.6)
            axes[1].plot(c.value, row, "D", color=MODIFIED, markersize=4.5)
        axes[1].axvline(0, color=GREY, linewidth=1)
        axes[1].set(xlabel="difference, 95 % interval")
        figure.legend(loc="outside lower center", ncol=2, fontsize=8)
    up, down = sum(c.low > 0 for c in change), sum(c.high < 0 for c in change)
    caption = (
        f"PCK of each keypoint on the {len(split):,} {split.name} persons, before and after the autoencoder, and the "
        "paired differences; 95 % intervals over photographs, each keypoint for itself."
    )
    values = np.array([c.value for c in change])
    if not np.isfinite(values).any():
        return Plate(figure, caption, "No keypoint of these persons is labelled.")
    most = int(np.nanargmax(np.abs(values)))
    alt = (
        f"{up} of {len(schema)} keypoints gain and {down} lose by more than their interval; the "
        f"{schema.titles[most]} moves most, by {number(values[most], 3)}."
    )
    return Plate(figure, caption, alt)


def helped_and_hurt(changes: Changes, seed: int) -> Plate:
    """fig-helped-hurt: the persons who gained and who lost most keypoints: truth, original, modified."""
    chosen = changes.most(seed)
    if not any(map(len, chosen.values())):
        return nothing("No person gained or lost a keypoint.", "Nobody to show.", "No person gained or lost.")
    split, schema, config = changes.split, changes.schema, changes.config
    found = [h.sum(1) for h in changes.hits]
    blocks = {word: persons for word, persons in chosen.items() if len(persons)}
    width = max(map(len, blocks.values()))
    with style():
        figure = plt.figure(figsize=(1.5 * width + 0.5, 4.8 * len(blocks)))
        parts = np.atleast_1d(figure.subfigures(len(blocks)))
        for part, (word, persons) in zip(parts, blocks.items(), strict=True):
            axes = part.subplots(3, width, squeeze=False)
            for column, person in zip(axes.T, persons, strict=False):
                poses = (
                    split.keypoints[person],
                    *(posed(m, split, config, person) for m in (changes.before, changes.after)),
                )
                for ax, pose in zip(column, poses, strict=True):
                    plot_pose(split, pose, schema, person, ax=ax)
                column[0].set_title(word, fontsize=8, pad=2)
                count = f"{found[0][person]} → {found[1][person]} of {split.labelled[person]}"
                column[2].set_xlabel(count, fontsize=8)
            for ax in axes[:, len(persons) :].flat:
                ax.axis("off")
            for ax, words in zip(axes[:, 0], ("truth", "original", "modified"), strict=True):
                ax.set_ylabel(words, fontsize=9)
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.02, wspace=0.01, hspace=0.02)
    counts = {word: len(persons) for word, persons in chosen.items()}
    change = found[1] - found[0]
    caption = (
        f"The {counts['helped']} {split.name} persons who gained the most found keypoints with the autoencoder and the "
        f"{counts['hurt']} who lost the most; ties go to more labelled keypoints, then by lot. "
        "Below each: keypoints found before → after. A filled dot is a joint found, a hollow one missed (in the "
        "truth: hidden)."
    )
    alt = (
        f"{int((change > 0).sum())} of {len(change):,} persons gain keypoints, {int((change < 0).sum())} lose some; "
        f"the most that one gains is {max(int(change.max()), 0)}, that one loses {max(int(-change.min()), 0)}."
    )
    return Plate(figure, caption, alt)
