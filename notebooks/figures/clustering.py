"""Clusters and maps of the latent space: what parts it, who is where. 03_interpretation, 05_discussion.

Thesis figures 16 to 21 and 26.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from figures.live import CELL, CROP, TRUTH, met
from figures.page import Live, Plate, Sprites, Table, nothing, number, percent, verdict
from figures.portraits import Portraits
from hgnb.analysis.clusters import Clustering, Stability, Sweep
from hgnb.analysis.components import Components, Map
from hgnb.analysis.misplaced import compared
from hgnb.analysis.posture import Postures
from hgnb.drawing import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, style

# Of each cluster: its colour, its marker, its line.
LOOKS = (
    (BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "^", "-."), (PURPLE, "D", "-"), (SKY, "v", "--"), (RED, "P", "-."),
)  # fmt: skip
# Of each kind of posture: its colour, its marker, and the postures that data state.
KINDS = {
    "unknown": ("#C8C8C8", ".", ()), "sitting": (RED, "s", ("sitting",)), "low": (PURPLE, "v", ("crouching", "lying")),
    "on the spot": (BLUE, "o", ("standing", "reaching")), "moving": (ORANGE, "^", ("walking", "running", "jumping")),
}  # fmt: skip
STAMP = 0.062  # of the map's side: a person's picture


# A map of persons


def latent_map(parts: Components, positions: np.ndarray, people: Portraits, kept: np.ndarray) -> Figure:
    """Two components; of those persons that are `kept` the true heatmaps stand in place of the dot."""
    low, span, unit = in_unit(parts)
    with style():
        figure, ax = plt.subplots(figsize=(8, 8))
        ax.plot(*unit.T, ".", color=GREY, markersize=2, alpha=0.5)
        for i in kept:
            plot_stamp(people, int(positions[i]), unit[i], ax=ax)
        ticks, digits = np.linspace(0, 1, 5), 0 if span.min() > 20 else 1
        ax.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), xticks=ticks, yticks=ticks, aspect="equal")
        ax.set_xticklabels([number(low[0] + t * span[0], digits) for t in ticks])
        ax.set_yticklabels([number(low[1] + t * span[1], digits) for t in ticks])
        ax.set(xlabel=f"PC 1 ({percent(parts.ratio[0])})", ylabel=f"PC 2 ({percent(parts.ratio[1])})")
        ax.grid(False)
    return figure


def in_unit(parts: Components) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least (2,) and span (2,) of the scores on two components, and all scores (N, 2) brought to 0..1."""
    plane = parts.scores(2)
    low, span = plane.min(0), np.ptp(plane, axis=0)
    return low, span, (plane - low) / span


def stamped(parts: Components, seed: int = 0) -> np.ndarray:
    """Indices of persons whose pictures don't overlap on the map, taken in random order; nobody where it is no plane."""
    kept: list[int] = []
    unit = in_unit(parts)[2] if len(parts) > 1 else np.zeros((0, 2))
    for i in np.random.default_rng(seed).permutation(len(unit)):
        if not kept or (np.abs(unit[kept] - unit[i]).max(1) >= STAMP).all():
            kept.append(int(i))
    return np.array(kept, dtype=int)


def plot_stamp(people: Portraits, person: int, centre: np.ndarray, *, ax: Axes) -> None:
    """A person's true heatmaps and bones around a point of the map."""
    size = STAMP * 0.94
    x, y = centre - size / 2
    ink = people.ink(people.maps(person))
    ax.imshow(ink, extent=(x, x + size, y, y + size), interpolation="bilinear", zorder=2)
    bones = people.bones(person) * (size, -size) + (x, y + size)
    ax.add_collection(LineCollection(bones, colors=GREY, linewidths=0.5, zorder=3))
    ax.add_patch(plt.Rectangle((x, y), size, size, fill=False, edgecolor="#CCCCCC", linewidth=0.5, zorder=3))


def person_map(
    parts: Components, chosen: np.ndarray, positions: np.ndarray, people: Portraits, predicted: np.ndarray
) -> Live | None:
    """fig-latent-map as a map on which a point shows its person; None where there is no map.

    `chosen` (n,) those with pictures, the most important first; positions (N,) in the split of the persons that
    `parts` were made of; predicted (n, K, h, w) heatmaps of the chosen.
    """
    if not len(chosen):
        return None
    low, span, unit = in_unit(parts)
    unit = np.round(unit, 4)
    shown = [met(people, int(p), maps) for p, maps in zip(positions[chosen], predicted, strict=True)]
    sheets = zip((CROP, TRUTH, "predicted peaks"), zip(*(pictures for _, pictures in shown), strict=True), strict=True)
    data = {
        "axes": [
            {"label": f"PC {i + 1} ({percent(parts.ratio[i])})", "low": float(low[i]), "high": float((low + span)[i])}
            for i in range(2)
        ],
        "points": unit[chosen].tolist(),
        "dots": np.delete(unit, chosen, axis=0).tolist(),
        "names": [words["name"] for words, _ in shown],
        "facts": [words["facts"] for words, _ in shown],
        "stamp": 1,  # the sheet whose pictures stand on the map
        "noun": "person",
    }
    return Live("fig-latent-map", "scatter", data, tuple(Sprites.of(name, made, CELL) for name, made in sheets))


def latent_planes(maps: Sequence[Map], labelled: np.ndarray, states: Postures, keypoints: int) -> Figure:
    """The same persons on two components and by UMAP, coloured by labelled keypoints and by posture."""
    masks = kinds(states)
    order = np.random.default_rng(0).permutation(len(labelled))  # no class lies on top
    dot = float(np.clip(9000 / len(labelled), 5, 40))
    with style():
        figure, axes = plt.subplots(2, len(maps), figsize=(4.3 * len(maps), 7.4), squeeze=False)
        for (top, below), one in zip(axes.T, maps, strict=True):
            top.set_title(f"{one.name}, trustworthiness {number(one.trust)}")
            shade = {"c": labelled[order], "cmap": "viridis", "vmin": 0, "vmax": keypoints}
            dots = top.scatter(*one.plane[order].T, **shade, s=dot, linewidths=0)
            for kind, (colour, marker, _) in KINDS.items():
                if masks[kind].any():
                    here = one.plane[masks[kind]].T
                    below.scatter(*here, color=colour, marker=marker, s=dot, alpha=0.7, linewidths=0, label=kind)
            for ax in (top, below):
                ax.set(xticks=[], yticks=[])
                ax.grid(False)
        figure.colorbar(dots, ax=axes[0, :], label="labelled keypoints", shrink=0.8)
        below_left = {"loc": "upper left", "bbox_to_anchor": (0, -0.02), "ncols": 4}
        axes[1, 0].legend(**below_left, fontsize=9, markerscale=2, handletextpad=0.1)
    return figure


def kinds(states: Postures) -> dict[str, np.ndarray]:
    """(N,) masks: the postures stated, or what the scores make of the joints; and the unknown."""
    if states.known:
        masks = {name: np.isin(states.names, stated) for name, (_, _, stated) in KINDS.items()}
    else:
        moving = states.moving == 1
        seated, upright = ((states.sitting == value) & ~moving for value in (1, 0))
        masks = {"sitting": seated, "low": np.zeros_like(moving), "on the spot": upright, "moving": moving}
    known = np.any([mask for name, mask in masks.items() if name != "unknown"], axis=0)
    return masks | {"unknown": ~known}


# How many clusters


def silhouettes(judged: Stability, who: str) -> Plate:
    """fig-silhouette-all, fig-silhouette-full: best silhouette of the restarts for every K, beside a Gaussian's."""
    sweep, k = judged.sweep, judged.sweep.winner
    if k is None:
        why = f"{sweep.persons} persons are too few to be clustered."
        return nothing(why, f"No clusters of {who}.", "There are too few persons for a silhouette.")
    ks, best, (below, above) = sweep.clusters, float(sweep.best.max()), judged.band
    with style():
        figure, ax = plt.subplots(figsize=(6.4, 3.4))
        if np.isfinite(above).all():
            ax.fill_between(ks, below, above, color=GREY, alpha=0.25, linewidth=0)
            look = {"color": GREY, "linewidth": 1.2, "markersize": 4}
            ax.plot(ks, judged.gaussian.mean(0), "s--", **look, label="Gaussian of equal covariance")
        for x, values in zip(ks, sweep.silhouettes, strict=True):
            ax.plot(np.full(len(values), x), values, ".", color=SKY, markersize=4, alpha=0.8)
        ax.plot(ks, sweep.best, "o-", color=BLUE, label="latents")
        ax.plot(sweep.winner, sweep.best.max(), "o", color=RED, markersize=11, fillstyle="none", markeredgewidth=1.8)
        ax.set(xlabel="clusters K", ylabel="mean silhouette", xticks=ks)
        ax.legend()
    low, high = (float(bound[ks.index(k)]) for bound in (below, above))
    caption = (
        f"Silhouette of K-means on the latents of {sweep.persons:,} {who}: every one of {sweep.silhouettes.shape[1]} "
        "restarts (dots), the best for each K, and the band that holds 95 % of samples from a Gaussian of equal "
        f"covariance, known from {len(judged.gaussian)} of them. The best of all is {number(best, 3)}, at K = {k}, "
        f"which is best in {percent(judged.share)} of {judged.resampled} resamples of the images.{impossible(sweep)}"
    )
    falling = len(sweep.best) > 1 and (np.diff(sweep.best) < 0).all()
    trend = "falls from K = 2 on" if falling and ks[0] == 2 else f"is highest at K = {k}"
    where = "above" if best > high else "below" if best < low else "within"
    null = f"{where} the band of a single Gaussian cloud, {number(low, 3)} to {number(high, 3)}"
    told = null if np.isfinite(high) else "with no Gaussian to compare it with"
    return Plate(figure, caption, f"The best silhouette {trend}: {number(best, 3)} at K = {k}, {told}.")


def impossible(sweep: Sweep) -> str:
    """Which values of K so few persons don't allow, in a sentence; nothing where all are possible."""
    if not sweep.left_out:
        return ""
    most = f"at most {max(sweep.clusters)} clusters are possible" if sweep.clusters else "no two clusters are possible"
    return f" With {sweep.persons:,} persons {most}; asked for, too: K = {', '.join(map(str, sweep.left_out))}."


def stability(judged: Stability, who: str, name: str) -> Table:
    """tbl-stability-all, tbl-stability-full: for every K that was possible, what its clusters are worth."""
    sweep, bands = judged.sweep, np.transpose(judged.band)
    columns = {
        "K": sweep.clusters,
        "Silhouette": [number(float(best), 3) for best in sweep.best],
        "Gaussian": [f"{number(low, 3)} to {number(high, 3)}" if np.isfinite(high) else "–" for low, high in bands],
        "Best in": [percent(share) for share in judged.wins],
        "Rand: restarts": [number(agreement) for agreement in judged.restarts],
        "Rand: halves": [number(agreement) for agreement in judged.halves],
    }
    if not sweep.clusters:
        columns = {title: ["–"] for title in columns}
    caption = (
        f"K-means on the latents of {sweep.persons:,} {who}: the best silhouette, the band of a Gaussian of equal "
        f"covariance, in how many of {judged.resampled} resamples of the images this K scores best, and the adjusted "
        "Rand index between two restarts and between the clusters of one half of the images and those that the other "
        f"half's centroids give it; 1 is the same, 0 is chance.{impossible(sweep)}"
    )
    return Table(pd.DataFrame(columns), caption, name)


# What parts them


def clusters(group: Clustering, plane: np.ndarray, key: str, who: str, *, space: str = "latents") -> Plate:
    """fig-clusters-*: clusters on two components (N, 2), and the distribution of their key in each."""
    if group.count < 2:
        why = f"{len(group.labels)} persons form no two clusters."
        return nothing(why, f"No clusters of {who}.", "There are too few different persons for clusters.")
    wrong, auc = group.misplaced if group.count == 2 else None, group.separation
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 4.0), width_ratios=(1.35, 1))
        plot_map(group, plane, ax=left)
        plot_key(group, key, ax=right)
    members = enumerate(zip(group.sizes, group.mean(group.key), strict=True))
    each = "; ".join(f"cluster {c}: {n:,} persons, mean {number(m)}" for c, (n, m) in members)
    caption = (
        f"K-means with K = {group.count} on the {space} of {len(group.labels):,} {who}, shown on two principal "
        f"components, and the {key} in each cluster ({each})."
    )
    alt = f"Between cluster 0 and the rest the AUC of the {key} is {auc.text(2)}"
    if not np.isfinite(auc.value):
        alt = f"The clusters can't be compared by the {key}, which is the same or unknown for all"
    if wrong is not None and wrong.judged.any():
        caption += (
            f" Crosses mark the {int(wrong.flags.sum()):,} persons on the wrong side of cuts that other images "
            "chose, in most of the dealings; the dotted lines are the lowest and the highest of them."
        )
        alt += f"; in the mean of the dealings {percent(wrong.rate.value)} of the persons lie on the wrong side"
    return Plate(figure, caption, alt + ".")


def plot_map(group: Clustering, plane: np.ndarray, *, crosses: bool = True, ax: Axes) -> None:
    """Persons on two components, marker and colour by cluster; misplaced ones crossed, if asked for."""
    small = 4.5 if len(plane) < 300 else 2.6 if len(plane) < 20_000 else 0.8
    for c in range(group.count):
        (colour, marker, _), here = LOOKS[c % 6], plane[group.labels == c].T
        ax.plot(*here, marker, color=colour, markersize=small, alpha=0.7, markeredgewidth=0, label=f"cluster {c}")
    if crosses and group.count == 2 and group.misplaced.flags.any():
        here = plane[group.misplaced.flags].T
        ax.plot(*here, "x", color=INK, markersize=small + 1, markeredgewidth=0.8, label="misplaced")
    ax.set(xlabel="PC 1", ylabel="PC 2", xticks=[], yticks=[])
    ax.grid(False)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.07), "ncols": 4}
    ax.legend(**below, fontsize=8.5, handletextpad=0.1, columnspacing=0.8, markerscale=1.6)


def plot_key(group: Clustering, key: str, *, ax: Axes) -> None:
    """Histograms of the key in each cluster, as shares of the cluster."""
    there = np.isfinite(group.key)
    if not there.any():
        ax.text(0.5, 0.5, f"The {key}\nis unknown here.", ha="center", va="center", transform=ax.transAxes)
        ax.axis("off")
        return
    low, high = np.nanpercentile(group.key, (0, 99.5))
    whole = np.allclose(group.key[there], np.round(group.key[there]))
    bins = np.arange(low - 0.5, np.ceil(high) + 1) if whole else np.linspace(low, max(high, low + 1e-9), 25)
    for c in range(group.count):
        values = np.clip(group.key[there & (group.labels == c)], low, high)
        if len(values):
            weights, (colour, _, line) = np.full(len(values), 1 / len(values)), LOOKS[c % 6]
            ax.hist(values, bins, weights=weights, color=colour, alpha=0.3)
            outline = {"histtype": "step", "linestyle": line, "linewidth": 1.6}
            ax.hist(values, bins, weights=weights, color=colour, **outline)
    for cut in set(group.misplaced.cuts) if group.count == 2 else ():
        if np.isfinite(cut):
            ax.axvline(group.sign * cut, color=INK, linestyle=":", linewidth=1.4)
    ax.set(xlabel=key, ylabel="share of the cluster")
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=whole))


def centroids(group: Clustering, positions: np.ndarray, people: Portraits, key: str, who: str, count: int = 5) -> Plate:
    """fig-centroids-*: crops and true heatmaps of the persons nearest each centroid."""
    if not group.count:
        return nothing("No persons to cluster.", f"No clusters of {who}.", "There are no persons to cluster.")
    nearest = [positions[members].tolist() for members in group.nearest(count)]
    with style():
        size = (1.25 * count + 0.9, 2.5 * group.count)
        figure, axes = plt.subplots(2 * group.count, count, figsize=size, squeeze=False)
        figure.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0.01, hspace=0.01)
        for ax in axes.flat:
            ax.axis("off")
        for c, members in enumerate(nearest):
            for photo, truth, person in zip(*axes[2 * c : 2 * c + 2], members, strict=False):
                photo.axis("on")
                truth.axis("on")
                people.photo(photo, person)
                people.draw(truth, person)
            axes[2 * c, 0].set_ylabel(f"cluster {c}\n{group.sizes[c]:,} persons", fontsize=9)
    caption = (
        f"The persons nearest the centroid of each cluster, nearest first, of {who}: crop above, true heatmaps below."
    )
    keys = (", ".join(number(v).removesuffix(".00") for v in group.key[members]) for members in group.nearest(count))
    told = "; ".join(f"cluster {c}: {values}" for c, values in enumerate(keys))
    credited = people.credited(caption, [person for members in nearest for person in members])
    return Plate(figure, credited, f"The {key} of the persons nearest each centroid: {told}.")


def misplaced_told(group: Clustering, hits: np.ndarray, labelled: np.ndarray, who: str) -> str:
    """C29: whether the misplaced of a group are predicted worse than others; (N,) keypoints found and labelled."""
    made = compared(group.misplaced, hits, labelled)
    if not np.isfinite(made.difference.value):
        return f"Among {who} no misplaced person has a well placed one with equally many labelled keypoints."
    words = ("they are predicted better", "they are predicted worse", "no clear difference")
    alone = f" ({made.alone:,} more have no such counterpart)" if made.alone else ""
    return (
        f"Among {who} the PCK of {made.misplaced:,} misplaced persons{alone} less that of {made.others:,} well placed "
        f"ones with equally many labelled keypoints is {made.difference.text(3)}: {verdict(made.difference, *words)}."
    )
