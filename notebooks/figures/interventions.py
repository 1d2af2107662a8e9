"""PCK with components kept and removed. Ours, to thesis 6.3; 03_interpretation."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from figures.page import Plate, nothing, number, percent, verdict
from hgnb.analysis.truncation import NOISE_FROM, WITHIN, Truncation
from hgnb.drawing.style import BLUE, GREY, INK, ORANGE, RED, style
from hgnb.stats import Estimate


def pck_components(
    own: Truncation | None, other: Truncation | None, removed: Mapping[int, Estimate], who: str
) -> Plate:
    """fig-pck-components: PCK with the first k components kept, and what is lost without single ones.

    own: with components of these very persons; other: with those of the other half of the images, if there are any.
    """
    if own is None:
        words = "There is no component to keep."
        return nothing(words, words, "There are too few persons for a principal component.")
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.9), width_ratios=(1.6, 1))
        plot_kept(own, other, ax=left)
        plot_removed(removed, ax=right)
    crossed = ", or of the persons of the other half of the images (dashed)" if other else ""
    caption = (
        f"Left: PCK of {len(own.images):,} {who} whose latents keep only their first k components, of these persons "
        f"(line){crossed}; k = 0 leaves the mean of all. "
        f"Dotted: PCK with untouched latents, and {percent(WITHIN)} less. "
        "Skip-connections are on throughout. Right: PCK lost when one component alone is removed, blue where that is "
        "clear. 95 % intervals over photographs."
    )
    return Plate(figure, caption, _told(own, removed))


def _told(own: Truncation, removed: Mapping[int, Estimate]) -> str:
    smallest, none = own.smallest(), own.pck(0)
    near = f"within {percent(WITHIN)}"
    reached = f"{near} with {smallest} components" if smallest is not None else f"not {near}"
    above = sum(drop.low > 0 for drop in removed.values())
    single = f"of {len(removed)} components removed singly {above} have an interval of the loss above zero"
    return (
        f"PCK is {number(own.full.value, 3)} with untouched latents and {number(none.value, 3)} with none of their "
        f"components; it is reached {reached}; {single}."
    )


def plot_kept(own: Truncation, other: Truncation | None, *, ax: Axes | None = None) -> Axes:
    """PCK against k, on a scale that has a place for 0."""
    ax = ax or plt.gca()
    for made, colour, line, words in (
        (own, BLUE, "o-", "components of these persons"),
        (other, ORANGE, "s--", "of the other half"),
    ):
        if made is not None:
            found = [made.pck(k) for k in made.counts]
            ax.fill_between(made.counts, [f.low for f in found], [f.high for f in found], color=colour, alpha=0.15)
            ax.plot(made.counts, [f.value for f in found], line, color=colour, markersize=4, label=words)
    ax.axhline(own.full.value, color=INK, linestyle=":", linewidth=1.2)
    ax.axhline((1 - WITHIN) * own.full.value, color=INK, linestyle=":", linewidth=0.8)
    if own.smallest() is not None:
        ax.axvline(own.smallest(), color=RED, linewidth=1.0)
        ax.annotate(f"k = {own.smallest()}", (own.smallest(), 0.03), xycoords=("data", "axes fraction"), xytext=(4, 0),
                    textcoords="offset points", color=RED)  # fmt: skip
    ax.set_xscale("symlog", linthresh=1, linscale=0.5)
    ticks = [0, *(2**i for i in range(0, max(own.counts).bit_length(), 2 if max(own.counts) > 64 else 1))]
    ax.set(xticks=ticks, xticklabels=ticks, xlabel="components kept", ylabel="PCK", xlim=(-0.1, 1.25 * max(own.counts)))
    ax.minorticks_off()
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.15), ncols=2, fontsize=9)
    return ax


def plot_removed(removed: Mapping[int, Estimate], *, ax: Axes | None = None) -> Axes:
    """The drop of PCK without each component alone."""
    ax = ax or plt.gca()
    at = np.arange(len(removed))
    for x, drop in zip(at, removed.values(), strict=True):
        ax.plot([x, x], [drop.low, drop.high], color=INK, linewidth=1.0)
        ax.plot(x, drop.value, "o", color=BLUE if drop.low > 0 else GREY, markersize=4)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set(xlabel="component removed", ylabel="PCK lost")
    ax.set_xticks(at, [str(c) for c in removed], fontsize=8, rotation=90)
    return ax


def told(own: Truncation, other: Truncation | None) -> str:
    """What the curves say of the thesis's fiftieth component, in sentences."""
    smallest = own.smallest()
    words = [
        f"With untouched latents the PCK of these persons is {own.full.text(3)}; "
        f"with the mean of all in their place it is {own.pck(0).text(3)}: so much the skip-connections know alone.",
        f"The first {smallest:,} components suffice to come within {percent(WITHIN)} of it."
        if smallest is not None
        else f"No number of components tried comes within {percent(WITHIN)} of it.",
    ]
    k = NOISE_FROM - 1
    if k in own.hits:
        loss = own.lost(k)
        clear = verdict(loss, "a clear loss", "a clear gain", "no clear difference")
        words.append(f"With the first {k} kept, as the thesis has it, the loss is {loss.text(3)}: {clear}.")
    else:
        words.append(f"There are only {max(own.counts):,} components here, fewer than the thesis's first {k}.")
    if other is not None:
        last, loss = max(other.counts), other.lost(max(other.counts))
        words.append(
            f"Components of the other half of the images, which these persons had no part in, leave a loss of "
            f"{loss.text(3)} with all {last:,} of them kept."
        )
    return " ".join(words)


def shortly(own: Truncation | None) -> str:
    """The same in one sentence."""
    if own is None:
        return "There are too few persons for components of the latents."
    smallest, all_ = own.smallest(), max(own.counts)
    enough = (
        f"{smallest:,} of {all_:,} components come within {percent(WITHIN)} of the latter"
        if smallest is not None
        else f"even all {all_:,} components don't come within {percent(WITHIN)} of the latter"
    )
    return (
        f"With one and the same mean in the place of everybody's latents the network still has a PCK of "
        f"{number(own.pck(0).value, 3)}, with their own {number(own.full.value, 3)}; {enough}."
    )
