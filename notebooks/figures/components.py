"""Walks along the principal components: persons met, points decoded, length of steps. Thesis fig. 15; chapter 03."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from figures.page import Plate, nothing, number, percent
from figures.portraits import Portraits
from hgnb.analysis.components import Walk
from hgnb.drawing.style import BLUE, GREY, ORANGE, counted, style


def walks(paths: Sequence[Walk], steps: Sequence[float], portraits: Portraits, who: str, decoded: np.ndarray) -> Plate:
    """fig-pc-walks: the person nearest each point of the walk along each component, and the point itself decoded.

    decoded: (walks, steps, K, h, w), what the network makes of the points.
    """
    if not paths:
        return nothing(
            "The persons' latents don't vary, or there are fewer than two: no component to walk along.",
            "No components.",
            "There are too few persons for a principal component.",
        )
    with style():
        n = len(steps)
        ratios = [1] * n + [0.18] + [1] * n
        figure, axes = plt.subplots(
            len(paths), 2 * n + 1, figsize=(0.86 * sum(ratios) + 0.9, 0.88 * len(paths) + 0.5), width_ratios=ratios,
            squeeze=False,
        )  # fmt: skip
        figure.get_layout_engine().set(w_pad=0.012, h_pad=0.012, wspace=0.01, hspace=0.01)
        for row, (walk, maps) in enumerate(zip(paths, decoded, strict=True)):
            axes[row, n].axis("off")
            for column, (person, said) in enumerate(zip(walk.persons, maps, strict=True)):
                portraits.draw(axes[row, column], int(person))
                portraits.said(axes[row, n + 1 + column], said)
            label = f"PC {walk.component}\n{percent(walk.ratio, 2)}"
            axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6)
        for column, c in enumerate(steps):
            words = ["", ""]
            if column == n // 2:
                words = ["nearest person\n", "the point, decoded\n"]
            for block, title in zip((column, n + 1 + column), words, strict=True):
                axes[0, block].set_title(f"{title}c = {c:g}".replace("-", "−"), fontsize=9, pad=3)
    caption = (
        rf"Walks to $\bar{{\boldsymbol z}} + c\sqrt{{\lambda_i}}\,\boldsymbol w_i$ for {who}, one row for each "
        "component with its share of the variance, one column for each step. Left: true heatmaps of the person nearest "
        "to the point. Right: the heatmaps that the rest of the network makes of the point itself, with the "
        "skip-connections of the person nearest to the mean throughout (top fifth of each map's range, bones between "
        "the maxima). Blue: the person's left, red: right."
    )
    met = "; ".join(
        f"{w.different} and {percent(t, 1)} on PC {w.component}" for w, t in zip(paths, travel(decoded), strict=True)
    )
    alt = (
        f"Different persons met in {n} steps, and how far a decoded keypoint moves between the ends on average, as a "
        f"share of the crop's side: {met}."
    )
    return Plate(figure, caption, alt)


def lacking(wanted: Sequence[int], there: int) -> str:
    """A sentence on the components one would walk along but that don't exist, or nothing."""
    beyond = [str(c) for c in wanted if c > there]
    if not beyond:
        return ""
    which = beyond[0] if len(beyond) == 1 else f"{', '.join(beyond[:-1])} and {beyond[-1]}"
    instead = f"the walks below are along those up to {there:,}" if there else "there is none to walk along"
    return f" Component{'s' if len(beyond) > 1 else ''} {which} can't exist among so few persons; {instead}."


def travel(decoded: np.ndarray) -> np.ndarray:
    """(W, S, K, h, w) -> (W,): mean distance of a keypoint's peak between the ends of a walk, of the map's side."""
    ends = decoded[:, [0, -1]]
    peak = ends.reshape(*ends.shape[:3], -1).argmax(-1)
    size = decoded.shape[-1]
    gap = np.stack([peak % size, peak // size], -1)
    return np.linalg.norm(gap[:, 0] - gap[:, 1], axis=-1).mean(-1) / size


def steps(own: np.ndarray, equal: np.ndarray, tried: np.ndarray, who: str) -> Plate:
    """fig-pc-steps: different persons met along each component, by its own step and by the first one's; (n,) each."""
    if not len(own):
        words = "There is no component to walk along."
        return nothing(words, words, "There are too few persons for a principal component.")
    with style():
        figure, ax = plt.subplots(figsize=(6.6, 3.2))
        plot_steps(own, equal, ax=ax)
    ends = " to ".join(f"{c:g}".replace("-", "−") for c in (tried[0], tried[-1]))
    late = slice(min(49, len(own) - 1), None)
    behind = f"from component {late.start + 1} on"
    caption = (
        f"How many different {who} are met in {len(tried)} steps from c = {ends} along each component: with steps as "
        "long as the component's own standard deviation, as in the thesis, and with steps as long as the first "
        "component's."
    )
    alt = (
        f"Along component 1 one meets {own[0]} persons. In the mean of those {behind} it is "
        f"{number(own[late].mean(), 1)} with their own steps and {number(equal[late].mean(), 1)} with the first one's."
    )
    return Plate(figure, caption, alt)


def plot_steps(own: np.ndarray, equal: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Persons met against the component's number."""
    ax = ax or plt.gca()
    component = np.arange(1, len(own) + 1)
    ax.plot(component, equal, "s", color=ORANGE, markersize=4, alpha=0.8, label="the first component's step")
    ax.plot(component, own, "o", color=BLUE, markersize=4, alpha=0.8, label="its own step")
    ax.axhline(1, color=GREY, linewidth=0.8)
    counted(ax, len(own))
    ax.set(xlabel="component", ylabel="different persons met", ylim=(0, None))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=2)
    return ax
