"""Figure of how many channels each part of the hourglass needs. Thesis 8.4; 07_beyond."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.page import Plate, listed, number, percent
from hgnb.analysis.truncation import WITHIN, Part
from hgnb.drawing.style import BLUE, GREEN, GREY, INK, ORANGE, style

ROWS = {"encoder": BLUE, "bottleneck": INK, "skips": ORANGE, "decoder": GREEN}
LINES = ("-", "--", (0, (1, 1)), "-.")  # by level, finest first


def redundancy(parts: Sequence[Part], seen: int) -> Plate:
    """fig-redundancy: PCK with k channel components of one part kept, for every part; and how many each needs.

    seen: persons whose maps the components are of.
    """
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9.4, 4.0), width_ratios=(1.35, 1))
        plot_kept(parts, ax=axes[0])
        plot_needed(parts, ax=axes[1])
        legend(figure, parts)
    judged, channels = len(parts[0].kept.images), len(parts[0].components)
    full = parts[0].kept.full
    caption = (
        f"One part of the hourglass puts out only its first k of {channels} channel components, at every pixel alike; "
        f"the others are as they were. Left: PCK of {judged:,} test persons; dotted: with nothing replaced. Right: how "
        f"many components come within {percent(WITHIN)} of that (dots, of the numbers tried), and how many hold 95 % "
        f"of the variance (bars). Components are of {seen:,} training persons."
    )
    least = {p.title: k for p in parts if (k := p.kept.smallest()) is not None}
    worst = min(parts, key=lambda p: p.kept.pck(0).value)
    best = max(parts, key=lambda p: p.kept.pck(0).value)
    few = listed([f"{title} {k}" for title, k in sorted(least.items(), key=lambda pair: pair[1])[:3]])
    alt = (
        f"Of {number(full.value, 3)} PCK, {number(worst.kept.pck(0).value, 3)} is left where one mean replaces the "
        f"{worst.title}, and {number(best.kept.pck(0).value, 3)} for the {best.title}; fewest components are needed "
        f"by: {few or 'none'}."
    )
    return Plate(figure, caption, alt)


def _look(part: Part) -> dict:
    row, _, level = part.name.partition(".")
    return {"color": ROWS[row], "linestyle": LINES[int(level or 0) % len(LINES)]}


def plot_kept(parts: Sequence[Part], *, ax: Axes | None = None) -> Axes:
    """A line a part."""
    ax = ax or plt.gca()
    for part in parts:
        counts = part.kept.counts
        ax.plot(counts, [part.kept.pck(k).value for k in counts], **_look(part), linewidth=1.5)
    most = max(parts[0].kept.counts)
    ax.axhline(parts[0].kept.full.value, color=GREY, linestyle=":", linewidth=1.2)
    ax.set_xscale("symlog", linthresh=1, linscale=0.5)
    ticks = [0, *(2**i for i in range(most.bit_length()))]
    ax.set(xticks=ticks, xticklabels=ticks, xlabel="channel components kept", ylabel="PCK", xlim=(-0.1, 1.15 * most))
    ax.set_ylim(0, None)
    ax.minorticks_off()
    return ax


def plot_needed(parts: Sequence[Part], *, ax: Axes | None = None) -> Axes:
    """A row a part."""
    ax = ax or plt.gca()
    most = max(parts[0].kept.counts)
    for row, part in enumerate(parts):
        colour = _look(part)["color"]
        ax.barh(row, part.components.needed(0.95), color=colour, alpha=0.3, height=0.62)
        if (k := part.kept.smallest()) is not None:
            ax.plot(k, row, "o", color=colour, markersize=6)
    ax.axvline(most, color=GREY, linestyle=":", linewidth=1.2)
    ax.set(xlabel=f"components, of {most}", ylim=(len(parts) - 0.4, -0.6), xlim=(0, 1.04 * most))
    ax.set_yticks(range(len(parts)), [part.title for part in parts], fontsize=8)
    return ax


def legend(figure: Figure, parts: Sequence[Part]) -> None:
    """Below both panels, in the order in which a crop passes the parts."""
    handles = [plt.Line2D([], [], **_look(part), label=part.title) for part in parts]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(5, -(-len(parts) // 2)), fontsize=8)


def within(part: Part) -> str:
    """'skip at level 1': a part's title within a sentence."""
    return part.title.replace(", ", " at ")


def told(parts: Sequence[Part]) -> str:
    """Which part could be how narrow, in sentences."""
    most = len(parts[0].components)
    least = [(part, part.kept.smallest()) for part in parts]
    can = [f"{k} in the {within(part)}" for part, k in least if k is not None]
    tight = [within(part) for part, k in least if k is None]
    silent = max(parts, key=lambda p: p.kept.pck(0).value)
    lost = silent.kept.lost(0)
    words = [
        f"Of {most} channels each, these are enough to come within {percent(WITHIN)} of the whole PCK, as long as all "
        f"other parts keep theirs: {listed(can)}." if can else "No part comes near the whole PCK with fewer channels.",
        f"Without a number that is enough: the {listed(tight)}." if tight else "",
        f"The part that says least of the person at hand is the {within(silent)}: with one mean map for all in its "
        f"place the network loses {lost.text(3)}.",
    ]  # fmt: skip
    shares = np.array([k / most for _, k in least if k is not None])
    if len(shares):
        words.append(f"On average a part needs {percent(float(shares.mean()))} of its channels.")
    return " ".join(word for word in words if word)
