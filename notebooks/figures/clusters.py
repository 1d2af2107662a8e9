"""Clusters: what parts them, who is in them. Thesis figures 18 to 21, 26; 03_interpretation, 05_discussion."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from figures.page import Plate, Table, nothing, number, percent
from figures.portraits import Portraits
from hgnb.analysis.clusters import Clustering
from hgnb.analysis.posture import Postures
from hgnb.drawing.style import BLUE, GREEN, INK, ORANGE, PURPLE, RED, SKY, style

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)
MARKERS = ("o", "s", "^", "D", "v", "P")


def clusters(group: Clustering, plane: np.ndarray, key: str, who: str, *, space: str = "latents") -> Plate:
    """fig-clusters-*: clusters on two components (N, 2), and the distribution of their key in each."""
    if group.count < 2:
        why = f"{len(group.labels)} persons form no two clusters."
        return nothing(why, f"No clusters of {who}.", "There are too few different persons for clusters.")
    wrong = group.misplaced if group.count == 2 else None
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 4.0), width_ratios=(1.35, 1))
        plot_map(group, plane, ax=left)
        plot_key(group, key, ax=right)
    means, sizes = group.mean(group.key), group.sizes
    each = "; ".join(
        f"cluster {c}: {n:,} persons, mean {number(m, 1)}" for c, (n, m) in enumerate(zip(sizes, means, strict=True))
    )
    caption = (
        f"K-means with K = {group.count} on the {space} of {len(group.labels):,} {who}, shown on two principal "
        f"components, and the {key} in each cluster ({each})."
    )
    auc = group.separation
    alt = (
        f"Between cluster 0 and the rest the AUC of the {key} is {auc.text(2)}"
        if np.isfinite(auc.value)
        else f"The clusters can't be compared by the {key}, which is the same or unknown for all"
    )
    if wrong is not None and wrong.judged.any():
        caption += (
            f" Crosses mark the {int(wrong.flags.sum()):,} persons on the wrong side of cuts that other images "
            "chose, in most of the dealings; the dotted lines are the lowest and the highest of them."
        )
        alt += f"; {percent(wrong.rate.value)} of the persons lie on the wrong side of the cut"
    return Plate(figure, caption, alt + ".")


def plot_map(group: Clustering, plane: np.ndarray, *, crosses: bool = True, ax: Axes | None = None) -> Axes:
    """Persons on two components, marker and colour by cluster; misplaced ones crossed, if asked for."""
    ax = ax or plt.gca()
    small = 4.5 if len(plane) < 300 else 2.6 if len(plane) < 20_000 else 0.8
    for c in range(group.count):
        here = group.labels == c
        ax.plot(*plane[here].T, MARKERS[c % 6], color=COLOURS[c % 6], markersize=small, alpha=0.7,
                markeredgewidth=0, label=f"cluster {c}")  # fmt: skip
    if crosses and group.count == 2 and group.misplaced.flags.any():
        ax.plot(
            *plane[group.misplaced.flags].T,
            "x",
            color=INK,
            markersize=small + 1,
            markeredgewidth=0.8,
            label="misplaced",
        )
    ax.set(xlabel="PC 1", ylabel="PC 2", xticks=[], yticks=[])
    ax.grid(False)
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.07),
        ncols=4,
        fontsize=8.5,
        handletextpad=0.1,
        columnspacing=0.8,
        markerscale=1.6,
    )
    return ax


def plot_key(group: Clustering, key: str, *, ax: Axes | None = None) -> Axes:
    """Histograms of the key in each cluster, as shares of the cluster."""
    ax = ax or plt.gca()
    there = np.isfinite(group.key)
    if not there.any():
        ax.text(0.5, 0.5, f"The {key}\nis unknown here.", ha="center", va="center", transform=ax.transAxes)
        ax.axis("off")
        return ax
    low, high = np.nanpercentile(group.key, (0, 99.5))
    whole = np.allclose(group.key[there], np.round(group.key[there]))
    bins = np.arange(low - 0.5, np.ceil(high) + 1) if whole else np.linspace(low, max(high, low + 1e-9), 25)
    for c in range(group.count):
        values = np.clip(group.key[there & (group.labels == c)], low, high)
        if len(values):
            weights = np.full(len(values), 1 / len(values))
            colour = COLOURS[c % 6]
            ax.hist(values, bins, weights=weights, color=colour, alpha=0.3)
            ax.hist(
                values,
                bins,
                weights=weights,
                histtype="step",
                color=colour,
                linestyle=("-", "--", "-.")[c % 3],
                linewidth=1.6,
            )
    for cut in set(group.misplaced.cuts) if group.count == 2 else ():
        if np.isfinite(cut):
            ax.axvline(group.sign * cut, color=INK, linestyle=":", linewidth=1.4)
    ax.set(xlabel=key, ylabel="share of the cluster")
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=whole))
    return ax


def centroids(group: Clustering, positions: np.ndarray, portraits: Portraits, who: str, count: int = 5) -> Plate:
    """fig-centroids-*: crops and true heatmaps of the persons nearest each centroid."""
    if not group.count:
        return nothing("No persons to cluster.", f"No clusters of {who}.", "There are no persons to cluster.")
    nearest = group.nearest(count)
    with style():
        figure, axes = plt.subplots(
            2 * group.count, count, figsize=(1.25 * count + 0.9, 2.5 * group.count), squeeze=False
        )
        figure.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0.01, hspace=0.01)
        for ax in axes.flat:
            ax.axis("off")
        for c, members in enumerate(nearest):
            for column, member in enumerate(members):
                photo, truth = axes[2 * c : 2 * c + 2, column]
                photo.axis("on")
                truth.axis("on")
                portraits.photo(photo, int(positions[member]))
                portraits.draw(truth, int(positions[member]))
            axes[2 * c, 0].set_ylabel(f"cluster {c}\n{group.sizes[c]:,} persons", fontsize=9)
    labelled = [[int(portraits.split.labelled[positions[m]]) for m in members] for members in nearest]
    caption = (
        f"The persons nearest the centroid of each cluster, nearest first, of {who}: crop above, true heatmaps below."
    )
    told = "; ".join(f"cluster {c}: {', '.join(map(str, counts))}" for c, counts in enumerate(labelled))
    credited = portraits.credited(caption, [int(positions[m]) for members in nearest for m in members])
    return Plate(figure, credited, f"Labelled keypoints of the persons nearest each centroid: {told}.")


def table(group: Clustering, labelled: np.ndarray, states: Postures, parents: np.ndarray) -> Table:
    """tbl-clusters-k3: what each cluster holds; `parents` (N,) are the labels with K = 2."""
    share = group.mean((parents == 0).astype(float))
    columns = [group.mean(v.astype(float)) for v in (labelled, states.moving, states.sitting)]
    rows = [
        {
            "Cluster": c,
            "Persons": f"{group.sizes[c]:,}",
            "Mean labelled": number(columns[0][c], 1),
            "Moving": percent(columns[1][c]),
            "Sitting": percent(columns[2][c]),
            "From cluster 0 of K = 2": percent(share[c]),
        }
        for c in range(group.count)
    ]
    source = "as the data state them" if states.known else "computed from the joints"
    caption = (
        f"The clusters of K = {group.count} by their persons: mean number of labelled keypoints, shares moving and "
        f"sitting (of those sitting or on their feet), {source}, and how many of them K = 2 puts into its cluster 0."
    )
    return Table(pd.DataFrame(rows), caption, "tbl-clusters-k3")
