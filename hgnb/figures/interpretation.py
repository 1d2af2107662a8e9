"""Figures of chapter 03: skip-connections, components, clusters. Thesis figures 13 to 21; 03_interpretation."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hgnb.data.heatmaps import HeatmapConfig, heatmaps
from hgnb.data.prepared import Prepared, PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.explain.clusters import Clustering, Map, Sweep
from hgnb.explain.components import Components, Trait, Walk
from hgnb.explain.posture import Postures
from hgnb.explain.skips import Shown, SkipStudy
from hgnb.figures.plate import Plate, Table
from hgnb.figures.poses import picture
from hgnb.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SIDES, SKY, style

CLUSTER_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)
CLUSTER_MARKERS = ("o", "s", "^", "D", "v", "P")
LOW = ("crouching", "lying")
KINDS = {"sitting": ("sitting",), "low": LOW, "on the spot": ("standing", "reaching"),
         "moving": ("walking", "running", "jumping")}  # fmt: skip


@dataclass(frozen=True)
class Portraits:
    """Persons of a split as small pictures: crops, and true heatmaps as ink on paper."""

    split: PreparedSplit
    schema: KeypointSchema
    config: HeatmapConfig

    @classmethod
    def of(cls, prepared: Prepared, split: str, config: HeatmapConfig) -> "Portraits":
        """The persons of one split of a dataset."""
        return cls(prepared.split(split), prepared.schema, config)

    @property
    def side(self) -> int:
        """Pixels of a crop."""
        return self.split.crops.shape[1]

    def maps(self, person: int) -> np.ndarray:
        """(K, size, size) true heatmaps."""
        keypoints = torch.from_numpy(np.array(self.split.keypoints[person : person + 1]))
        maps = heatmaps(keypoints[..., :2], keypoints[..., 2], side=self.side, size=self.side // 4, config=self.config)
        return maps[0].numpy()

    def ink(self, maps: np.ndarray) -> np.ndarray:
        """(K, h, w) -> (h, w, 3) in 0..1: every map scaled to its peak, its side's colour on white."""
        peak = maps.max((1, 2), keepdims=True)
        strength = np.clip(np.divide(maps, peak, out=np.zeros_like(maps), where=peak > 0), 0, 1)
        paper = np.ones((*maps.shape[1:], 3))
        for side, look in SIDES.items():
            ink = strength[[s == side for s in self.schema.sides]].max(0, initial=0)
            paper *= 1 - ink[..., None] * (1 - np.array(to_rgb(look["color"])))
        return paper

    def bones(self, person: int) -> np.ndarray:
        """(n, 2, 2) segments between labelled keypoints, as shares of the crop's side."""
        keypoints = self.split.keypoints[person]
        pairs = [p for p in self.schema.skeleton if (keypoints[list(p), 2] > 0).all()]
        return (keypoints[pairs, :2].reshape(-1, 2, 2) + 0.5) / self.side

    def draw(self, ax: Axes, person: int, maps: np.ndarray | None = None) -> Axes:
        """True heatmaps with thin bones, or given ones, pale and without."""
        paper = self.ink(self.maps(person)) if maps is None else (1 + self.ink(maps)) / 2
        ax.imshow(paper, extent=(0, 1, 1, 0), interpolation="bilinear")
        if maps is None:
            ax.add_collection(LineCollection(self.bones(person), colors=GREY, linewidths=0.7))
        ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
        ax.grid(False)
        ax.spines[:].set(visible=True, color="#CCCCCC", linewidth=0.6)
        return ax

    def photo(self, ax: Axes, person: int) -> Axes:
        """The crop."""
        return picture(ax, np.asarray(self.split.crops[person]))


def percent(value: float, digits: int = 0) -> str:
    """'37 %', or a dash."""
    return f"{100 * value:.{digits}f} %" if np.isfinite(value) else "–"


def number(value: float, digits: int = 2) -> str:
    """'0.43', or a dash."""
    return f"{value:.{digits}f}".replace("-", "−") if np.isfinite(value) else "–"


def nothing(words: str) -> Figure:
    """A small figure that says why there is nothing to draw."""
    figure, ax = plt.subplots(figsize=(6, 1.2))
    ax.text(0.5, 0.5, words, ha="center", va="center", color=INK, wrap=True)
    ax.axis("off")
    return figure


def skip_histograms(study: SkipStudy) -> Plate:
    """fig-skip-histograms: PCK of each training person, skips on and off; what each level is worth."""
    on, off = study.pooled(study.on), study.pooled(study.off)
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.3), width_ratios=(1.7, 1))
        plot_skip_histograms(study, ax=left)
        plot_skip_levels(study, ax=right)
    persons = int(np.isfinite(study.by_person(study.on)).sum())
    caption = (
        f"PCK of each of {persons:,} training persons with all skip-connections and with none (left), "
        f"and how much of the pooled PCK goes when one level's skip or all are off (right; 95 % intervals, "
        f"images resampled; single levels tried on {study.part} persons)."
    )
    alt = (
        f"Pooled PCK is {number(on.value, 3)} with skip-connections and {number(off.value, 3)} without: "
        f"{verdict(study.drop, 'a drop', 'a rise', 'no clear difference')} of {study.drop.text(3)}."
    )
    return Plate(figure, caption, alt)


def verdict(interval, positive: str, negative: str, neither: str) -> str:
    """Which of three words an interval of a difference deserves."""
    if interval.low > 0:
        return positive
    return negative if interval.high < 0 else neither


def plot_skip_histograms(study: SkipStudy, *, ax: Axes | None = None) -> Axes:
    """Two histograms of PCK by person."""
    ax = ax or plt.gca()
    bins = np.linspace(0, 1, 21)
    for hits, colour, words in ((study.off, ORANGE, "no skips"), (study.on, BLUE, "all skips")):
        values = study.by_person(hits)
        values = values[np.isfinite(values)]
        ax.hist(values, bins, color=colour, alpha=0.35)
        ax.hist(values, bins, histtype="step", color=colour, linewidth=1.6, label=words,
                linestyle="-" if colour == BLUE else "--")  # fmt: skip
    ax.set(xlabel="PCK of a person", ylabel="persons", xlim=(0, 1))
    ax.legend()
    return ax


def plot_skip_levels(study: SkipStudy, *, ax: Axes | None = None) -> Axes:
    """The drop of pooled PCK without each level's skip, and without all."""
    ax = ax or plt.gca()
    names = [f"level {i + 1}" for i in range(len(study.levels))]
    names[0] += " (finest)"
    for row, drop in enumerate([*study.levels, study.drop]):
        ax.plot([drop.low, drop.high], [row, row], color=INK, linewidth=1.2)
        ax.plot(drop.value, row, "o", color=BLUE if row < len(names) else ORANGE, markersize=7)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set(
        yticks=range(len(names) + 1), yticklabels=[*names, "all off"], xlabel="PCK lost", ylim=(len(names) + 0.5, -0.5)
    )
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, -0.01), max(high, 0.01))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    return ax


def skip_table(study: SkipStudy) -> Table:
    """tbl-skip-groups: which keypoints survive without skips."""
    rows = [
        {
            "keypoints": title,
            "found with skips": f"{study.counted(*names):,}",
            "of these found without": study.survival(*names).text(2),
        }
        for title, names in study.groups().items()
    ]
    caption = (
        "Share of the keypoints found with skip-connections that are still found without them: visible keypoints "
        "(v = 2) of training persons with at least 10 labelled ones; 95 % intervals, images resampled."
    )
    return Table(pd.DataFrame(rows), caption, "tbl-skip-groups")


def skip_samples(study: SkipStudy, shown: Shown, portraits: Portraits, without: np.ndarray, across: int = 3) -> Plate:
    """fig-skip-samples: crop, truth and the prediction without skips; `without` (n, K, h, w) of the shown persons."""
    n = len(shown.positions)
    if not n:
        with style():
            return Plate(
                nothing("No training person to show."), "No person to show.", "There is no training person to show."
            )
    kept = [int((study.off[i] & (study.visibility[i] > 0)).sum()) for i in shown.positions]
    labelled = [int((study.visibility[i] > 0).sum()) for i in shown.positions]
    across, rows = min(across, n), -(-n // min(across, n))
    with style():
        ratios = ([1, 1, 1, 0.12] * across)[:-1]
        figure, axes = plt.subplots(
            rows, 4 * across - 1, figsize=(0.93 * sum(ratios), 0.98 * rows + 0.2), width_ratios=ratios, squeeze=False,
        )  # fmt: skip
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
        for ax in axes.flat:
            ax.axis("off")
        for i, person in enumerate(shown.positions):
            photo, truth, guess = axes[i // across, 4 * (i % across) : 4 * (i % across) + 3]
            for ax in (photo, truth, guess):
                ax.axis("on")
            portraits.photo(photo, person)
            portraits.draw(truth, person)
            seen = study.visibility[person] > 0
            portraits.draw(guess, person, sharpened(without[i]) * seen[:, None, None])
            _guesses(guess, without[i], seen, study.off[person], portraits.schema)
            guess.set_xlabel(f"{kept[i]} of {labelled[i]}", fontsize=8, labelpad=1)
            if i < across:
                for ax, words in zip((photo, truth, guess), ("crop", "truth", "no skips"), strict=True):
                    ax.set_title(words, fontsize=8, pad=2)
    return Plate(figure, *_sample_words(shown, kept, labelled, n))


def sharpened(maps: np.ndarray) -> np.ndarray:
    """What lies above four fifths of each map's peak, room for the peaks themselves."""
    peak = np.maximum(maps.max((1, 2), keepdims=True), 1e-12)
    return np.clip(5 * maps / peak - 4, 0, 1)


def _guesses(ax: Axes, maps: np.ndarray, seen: np.ndarray, found: np.ndarray, schema: KeypointSchema) -> None:
    """Dots at the peaks of the maps: filled where the keypoint is found, hollow where it isn't."""
    size = maps.shape[-1]
    for k in np.flatnonzero(seen):
        y, x = np.unravel_index(maps[k].argmax(), maps[k].shape)
        colour = SIDES[schema.sides[k]]["color"]
        ax.plot((x + 0.5) / size, (y + 0.5) / size, "o", color=colour, markersize=3, markeredgewidth=0.7,
                markerfacecolor=colour if found[k] else "white")  # fmt: skip


def _sample_words(shown: Shown, kept: list[int], labelled: list[int], n: int) -> tuple[str, str]:
    if shown.perfect == n:
        who = f"{n} of the {shown.available} training persons of whom every keypoint is found with skips, drawn by seed"
    else:
        who = (
            f"{n} training persons; the network with skips finds every keypoint of only {shown.available} that have "
            "enough labelled, so the best of the others fill the rows"
        )
    caption = (
        f"{who[0].upper()}{who[1:]}: crop, true heatmaps, and the prediction without skips for the same keypoints "
        "(top fifth of each map's range; a filled dot is a keypoint found, a hollow one missed; the number counts "
        "the found). Blue: the person's left, red: right."
    )
    share = sum(kept) / max(sum(labelled), 1)
    return (
        caption,
        f"Without skip-connections {sum(kept)} of the {sum(labelled)} keypoints shown are found ({percent(share)}).",
    )


def component_walks(walks: Sequence[Walk], steps: Sequence[float], portraits: Portraits, who: str) -> Plate:
    """fig-pc-walks: the person nearest each point of the walk along each component."""
    if not walks:
        with style():
            figure = nothing(
                "The persons' latents don't vary, or there are fewer than two: no component to walk along."
            )
        return Plate(figure, "No components.", "There are too few persons for a principal component.")
    with style():
        figure, axes = plt.subplots(
            len(walks), len(steps), figsize=(1.16 * len(steps) + 1.0, 1.16 * len(walks) + 0.3), squeeze=False
        )
        figure.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0.01, hspace=0.01)
        for row, walk in enumerate(walks):
            for column, person in enumerate(walk.persons):
                portraits.draw(axes[row, column], int(person))
            label = f"PC {walk.component}\n{percent(walk.ratio, 2)}"
            axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6)
        for column, c in enumerate(steps):
            axes[0, column].set_title(f"c = {c:g}".replace("-", "−"), fontsize=9, pad=3)
    caption = (
        rf"True heatmaps of the person nearest to $\bar{{x}} + c\sqrt{{\lambda}}\,w$, for {who}: one row for each "
        "component with its share of the variance, one column for each step. Blue: the person's left, red: right."
    )
    met = ", ".join(f"{w.different} on PC {w.component}" for w in walks)
    return Plate(figure, caption, f"Different persons met in {len(steps)} steps: {met}.")


def trait_table(traits: Sequence[Trait], who: str) -> Table:
    """tbl-components: what each of the first components tells."""
    rows = [
        {
            "PC": t.component,
            "variance": percent(t.ratio, 1),
            "AUC sitting": t.sitting.text(2),
            "AUC moving": t.moving.text(2),
            "r labelled": number(t.labelled),
            "r hidden": number(t.hidden),
            "r size": number(t.size),
        }
        for t in traits
    ] or [{"PC": "–", "variance": "too few persons for a component"}]
    caption = (
        f"The first components of the latents of {who}: share of the variance, AUC against sitting (told from people "
        "on their feet) and against moving, and correlation with the number of labelled and of hidden keypoints and "
        "with the logarithm of the crop's side in the photograph. An AUC far from 0.5 on either side separates; "
        "a dash means that the quantity doesn't vary. 95 % intervals, not corrected for their number."
    )
    return Table(pd.DataFrame(rows).fillna("–"), caption, "tbl-components")


def silhouettes(sweep: Sweep, who: str) -> Plate:
    """fig-silhouette-all, fig-silhouette-full: best silhouette of the restarts for every K."""
    if sweep.winner is None:
        with style():
            figure = nothing(f"{sweep.persons} persons are too few to be clustered.")
        return Plate(figure, f"No clusters of {who}.", "There are too few persons for a silhouette.")
    with style():
        figure, ax = plt.subplots(figsize=(6, 3.2))
        plot_silhouettes(sweep, ax=ax)
    k, best = sweep.winner, float(sweep.best.max())
    restarts = sweep.silhouettes.shape[1]
    out = (
        f" {len(sweep.left_out)} larger values of K were impossible with {sweep.persons} persons."
        if sweep.left_out
        else ""
    )
    caption = (
        f"Silhouette of K-means on the latents of {sweep.persons:,} {who}: every one of {restarts} restarts (grey) "
        f"and the best for each K. The best of all is {number(best, 3)}, at K = {k}.{out}"
    )
    trend = (
        "falls from K = 2 on" if (np.diff(sweep.best) < 0).all() and len(sweep.best) > 1 else f"is highest at K = {k}"
    )
    return Plate(
        figure,
        caption,
        f"The best silhouette {trend}: {number(best, 3)} at K = {k}, {number(sweep.best.min(), 3)} at its lowest.",
    )


def plot_silhouettes(sweep: Sweep, *, ax: Axes | None = None) -> Axes:
    """Silhouette against K, all restarts and the best."""
    ax = ax or plt.gca()
    for k, values in zip(sweep.clusters, sweep.silhouettes, strict=True):
        ax.plot(np.full(len(values), k), values, "o", color=GREY, markersize=3, alpha=0.6)
    ax.plot(sweep.clusters, sweep.best, "o-", color=BLUE)
    ax.plot(sweep.winner, sweep.best.max(), "o", color=RED, markersize=11, fillstyle="none", markeredgewidth=1.8)
    ax.set(xlabel="clusters K", ylabel="mean silhouette", xticks=sweep.clusters)
    return ax


def thinned(plane: np.ndarray, width: float, height: float, seed: int = 0) -> np.ndarray:
    """Indices of points that lie at least `width` or `height` from each other, taken in random order."""
    kept: list[int] = []
    for i in np.random.default_rng(seed).permutation(len(plane)):
        apart = np.abs(plane[kept] - plane[i]) if kept else np.full((1, 2), np.inf)
        if ((apart[:, 0] >= width) | (apart[:, 1] >= height)).all():
            kept.append(int(i))
    return np.array(kept, dtype=int)


def latent_map(
    parts: Components, positions: np.ndarray, portraits: Portraits, seed: int = 0, size: float = 0.062
) -> Plate:
    """fig-latent-map: two components; where there is room a person's true heatmaps stand in place of the dot."""
    if len(parts) < 2:
        with style():
            return Plate(
                nothing("The latents span no plane."),
                "No map: the latents span no plane.",
                "The latents span fewer than two dimensions.",
            )
    plane = parts.scores(2)
    low, span = plane.min(0), np.ptp(plane, axis=0)
    unit = (plane - low) / span  # both axes to 0..1: markers are squares of the figure
    kept = thinned(unit, size, size, seed)
    with style():
        figure, ax = plt.subplots(figsize=(8, 8))
        ax.plot(*unit.T, ".", color=GREY, markersize=2, alpha=0.5)
        for i in kept:
            _stamp(ax, unit[i], size * 0.94, portraits, int(positions[i]))
        ticks = np.linspace(0, 1, 5)
        ax.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), xticks=ticks, yticks=ticks, aspect="equal")
        digits = 0 if span.min() > 20 else 1
        ax.set_xticklabels([number(low[0] + t * span[0], digits) for t in ticks])
        ax.set_yticklabels([number(low[1] + t * span[1], digits) for t in ticks])
        ax.set(xlabel=f"PC 1 ({percent(parts.ratio[0])})", ylabel=f"PC 2 ({percent(parts.ratio[1])})")
        ax.grid(False)
    two = float(parts.ratio[:2].sum())
    caption = (
        f"Latents of {len(plane):,} random training persons on two components, which hold {percent(two)} "
        f"of the variance. Grey dots are all persons; {len(kept)} of them, thinned so that none overlaps, "
        "show their true heatmaps."
    )
    labelled, (one, other) = portraits.split.labelled[positions], plane.T
    found = max(((abs(_r(a, labelled)), n) for a, n in ((one, "first"), (other, "second"))), key=lambda p: p[0])
    alt = (
        f"A cloud of small skeletons. The {found[1]} component goes with the number of labelled keypoints "
        f"with a correlation of {number(found[0])} in size."
    )
    return Plate(figure, caption, alt, dpi=200)


def _r(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0


def _stamp(ax: Axes, centre: np.ndarray, size: float, portraits: Portraits, person: int) -> None:
    x, y = centre - size / 2
    image = portraits.ink(portraits.maps(person))
    ax.imshow(image, extent=(x, x + size, y, y + size), interpolation="bilinear", zorder=2)
    bones = portraits.bones(person) * (size, -size) + (x, y + size)
    ax.add_collection(LineCollection(bones, colors=GREY, linewidths=0.5, zorder=3))
    ax.add_patch(plt.Rectangle((x, y), size, size, fill=False, edgecolor="#CCCCCC", linewidth=0.5, zorder=3))


def clusters(group: Clustering, plane: np.ndarray, key: str, who: str, *, space: str = "latents") -> Plate:
    """fig-clusters-*: clusters on two components (N, 2), and the distribution of their key in each."""
    if group.count < 2:
        with style():
            figure = nothing(f"{len(group.labels)} persons form no two clusters.")
        return Plate(figure, f"No clusters of {who}.", "There are too few different persons for clusters.")
    wrong = group.misplaced if group.count == 2 else None
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 4.0), width_ratios=(1.35, 1))
        plot_cluster_map(group, plane, ax=left)
        plot_cluster_key(group, key, ax=right)
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
            f" Crosses mark the {int(wrong.flags.sum()):,} persons on the wrong side of the dotted cuts, each chosen "
            "on one half of the images and applied to the other."
        )
        alt += f"; {percent(wrong.rate.value)} of the persons lie on the wrong side of the cut"
    return Plate(figure, caption, alt + ".")


def plot_cluster_map(group: Clustering, plane: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Persons on two components, marker and colour by cluster; misplaced ones crossed."""
    ax = ax or plt.gca()
    small = 4.5 if len(plane) < 300 else 2.6
    for c in range(group.count):
        here = group.labels == c
        ax.plot(*plane[here].T, CLUSTER_MARKERS[c % 6], color=CLUSTER_COLOURS[c % 6], markersize=small, alpha=0.7,
                markeredgewidth=0, label=f"cluster {c}")  # fmt: skip
    if group.count == 2 and group.misplaced.flags.any():
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


def plot_cluster_key(group: Clustering, key: str, *, ax: Axes | None = None) -> Axes:
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
            colour = CLUSTER_COLOURS[c % 6]
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
        with style():
            return Plate(
                nothing("No persons to cluster."), f"No clusters of {who}.", "There are no persons to cluster."
            )
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
    return Plate(figure, caption, f"Labelled keypoints of the persons nearest each centroid: {told}.")


def cluster_table(group: Clustering, labelled: np.ndarray, states: Postures, parents: np.ndarray) -> Table:
    """tbl-clusters-k3: what each cluster holds; `parents` (N,) are the labels with K = 2."""
    share = group.mean((parents == 0).astype(float))
    columns = [group.mean(v.astype(float)) for v in (labelled, states.moving, states.sitting)]
    rows = [
        {
            "cluster": c,
            "persons": f"{group.sizes[c]:,}",
            "mean labelled": number(columns[0][c], 1),
            "moving": percent(columns[1][c]),
            "sitting": percent(columns[2][c]),
            "from cluster 0 of K = 2": percent(share[c]),
        }
        for c in range(group.count)
    ]
    source = "as the data state them" if states.known else "computed from the joints"
    caption = (
        f"The clusters of K = {group.count} by their persons: mean number of labelled keypoints, shares moving and "
        f"sitting (of those sitting or on their feet), {source}, and how many of them K = 2 puts into its cluster 0."
    )
    return Table(pd.DataFrame(rows), caption, "tbl-clusters-k3")


def latent_planes(maps: Sequence[Map], labelled: np.ndarray, states: Postures, keypoints: int) -> Plate:
    """fig-latent-umap: the same persons on two components and by UMAP, coloured twice."""
    if not len(labelled):
        with style():
            return Plate(nothing("No persons to map."), "No person to map.", "There are no persons to map.")
    with style():
        figure, axes = plt.subplots(2, len(maps), figsize=(4.3 * len(maps), 7.4), squeeze=False)
        for column, plane in enumerate(maps):
            axes[0, column].set_title(f"{plane.name}, trustworthiness {number(plane.trust)}")
            dots = plot_by_count(plane.plane, labelled, keypoints, ax=axes[0, column])
            plot_by_posture(plane.plane, states, ax=axes[1, column])
        figure.colorbar(dots, ax=axes[0, :], label="labelled keypoints", shrink=0.8)
        axes[1, 0].legend(
            loc="upper left", bbox_to_anchor=(0, -0.02), ncols=4, fontsize=9, markerscale=2, handletextpad=0.1
        )
    each = " and ".join(f"{number(m.trust)} for {m.name}" for m in maps)
    source = "as the data state them" if states.known else "by the scores computed from the joints"
    caption = (
        f"Latents of {len(labelled):,} training persons on two principal components (left) and by UMAP (right), "
        f"coloured by labelled keypoints (top) and by posture, {source} (bottom). Trustworthiness over at most 15 "
        f"neighbours: {each}."
    )
    better = max(maps, key=lambda m: np.nan_to_num(m.trust, nan=-1))
    alt = (
        f"{better.name} keeps neighbourhoods better, with a trustworthiness of {number(better.trust)}."
        if np.isfinite(better.trust)
        else "Too few persons to say which map is truer."
    )
    return Plate(figure, caption, alt)


def plot_by_count(plane: np.ndarray, labelled: np.ndarray, keypoints: int, *, ax: Axes | None = None):
    """Persons coloured by their number of labelled keypoints; returns the dots, for a colour bar."""
    ax = ax or plt.gca()
    order = np.random.default_rng(0).permutation(len(plane))  # no class lies on top
    dots = ax.scatter(
        *plane[order].T, c=labelled[order], cmap="viridis", vmin=0, vmax=keypoints, s=dot(plane), linewidths=0
    )
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    return dots


def dot(plane: np.ndarray) -> float:
    """Area of a marker that suits the number of points."""
    return float(np.clip(9000 / max(len(plane), 1), 5, 40))


def kinds(states: Postures) -> dict[str, np.ndarray]:
    """(N,) masks: the postures stated, or what the scores make of the joints; and the unknown."""
    if states.known:
        masks = {name: np.isin(states.names, members) for name, members in KINDS.items()}
    else:
        moving = states.moving == 1
        masks = {
            "sitting": (states.sitting == 1) & ~moving,
            "on the spot": (states.sitting == 0) & ~moving,
            "moving": moving,
        }
    return masks | {"unknown": ~np.any(list(masks.values()), axis=0)}


def plot_by_posture(plane: np.ndarray, states: Postures, *, ax: Axes | None = None) -> Axes:
    """Persons by kind of posture, each with its marker; the unknown as pale dots."""
    ax = ax or plt.gca()
    looks = {
        "sitting": (RED, "s"),
        "low": (PURPLE, "v"),
        "on the spot": (BLUE, "o"),
        "moving": (ORANGE, "^"),
        "unknown": ("#C8C8C8", "."),
    }
    masks = kinds(states)
    for name in sorted(masks, key=lambda n: n != "unknown"):
        if masks[name].any():
            colour, marker = looks[name]
            ax.scatter(
                *plane[masks[name]].T, color=colour, marker=marker, s=dot(plane), alpha=0.7, linewidths=0, label=name
            )
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    return ax
