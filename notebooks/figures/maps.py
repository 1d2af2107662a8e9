"""Maps of the latent space: portraits on two components, and UMAP beside them. Thesis figure 16; 03_interpretation."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from figures.page import Plate, nothing, number, percent
from figures.portraits import Portraits
from hgnb.analysis.components import Components, Map
from hgnb.analysis.posture import Postures
from hgnb.drawing.style import BLUE, GREY, ORANGE, PURPLE, RED, style

LOW = ("crouching", "lying")
KINDS = {"sitting": ("sitting",), "low": LOW, "on the spot": ("standing", "reaching"),
         "moving": ("walking", "running", "jumping")}  # fmt: skip


def latent_map(
    parts: Components, positions: np.ndarray, portraits: Portraits, seed: int = 0, size: float = 0.062
) -> Plate:
    """fig-latent-map: two components; where there is room a person's true heatmaps stand in place of the dot."""
    if len(parts) < 2:
        return nothing(
            "The latents span no plane.",
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
        f"of the variance. Grey dots are all persons; up to {len(kept)} of them, thinned so that none overlaps, "
        "show their true heatmaps."
    )
    labelled, (one, other) = portraits.split.labelled[positions], plane.T
    found = max(((abs(_r(a, labelled)), n) for a, n in ((one, "first"), (other, "second"))), key=lambda p: p[0])
    alt = (
        f"A cloud of small skeletons. The {found[1]} component goes with the number of labelled keypoints "
        f"with a correlation of {number(found[0])} in size."
    )
    return Plate(figure, caption, alt, dpi=200)


def thinned(plane: np.ndarray, width: float, height: float, seed: int = 0) -> np.ndarray:
    """Indices of points that lie at least `width` or `height` from each other, taken in random order."""
    kept: list[int] = []
    for i in np.random.default_rng(seed).permutation(len(plane)):
        apart = np.abs(plane[kept] - plane[i]) if kept else np.full((1, 2), np.inf)
        if ((apart[:, 0] >= width) | (apart[:, 1] >= height)).all():
            kept.append(int(i))
    return np.array(kept, dtype=int)


def _r(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0


def _stamp(ax: Axes, centre: np.ndarray, size: float, portraits: Portraits, person: int) -> None:
    x, y = centre - size / 2
    image = portraits.ink(portraits.maps(person))
    ax.imshow(image, extent=(x, x + size, y, y + size), interpolation="bilinear", zorder=2)
    bones = portraits.bones(person) * (size, -size) + (x, y + size)
    ax.add_collection(LineCollection(bones, colors=GREY, linewidths=0.5, zorder=3))
    ax.add_patch(plt.Rectangle((x, y), size, size, fill=False, edgecolor="#CCCCCC", linewidth=0.5, zorder=3))


def latent_planes(maps: Sequence[Map], labelled: np.ndarray, states: Postures, keypoints: int) -> Plate:
    """fig-latent-umap: the same persons on two components and by UMAP, coloured twice."""
    if not len(labelled):
        return nothing("No persons to map.", "No person to map.", "There are no persons to map.")
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
    source = "as the data state it" if states.known else "by the scores computed from the joints"
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


def dot(plane: np.ndarray) -> float:
    """Area of a marker that suits the number of points."""
    return float(np.clip(9000 / max(len(plane), 1), 5, 40))
