"""Figures of how a heatmap becomes a point. Ours; 07_beyond."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from figures.page import Plate, number, verdict
from hgnb.drawing.style import BLUE, GREEN, GREY, INK, ORANGE, style
from hgnb.training.passes import MIRRORED, Decodings

WAYS = {
    "argmax": (INK, "-", "highest pixel"),
    "quarter": (BLUE, "--", "a quarter pixel"),
    "dark": (ORANGE, "-.", "top of a parabola"),
    "soft": (GREEN, (0, (1, 1)), "mean around the peak"),
}
SHOWN = (0.1, 0.2, 0.5)  # radii at which gains are given; the last is the thesis's


def words(name: str) -> str:
    """How figures call a decoding."""
    plain = WAYS[name.removesuffix(MIRRORED)][2]
    return f"{plain}, with mirror" if name.endswith(MIRRORED) else plain


def decodings(made: Decodings, persons: str) -> Plate:
    """fig-decodings: PCK over small radii by the way heatmaps are decoded, and what each gains over the highest pixel.

    persons: who they are, for the caption.
    """
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.9), width_ratios=(1, 1.15))
        plot_curves(made, ax=left)
        plot_gains(made, ax=right)
    pixels = made.normaliser * SHOWN[-1]
    caption = (
        f"Left: PCK of {persons} over the radius, in tenths of the side, by the way their heatmaps are decoded; "
        "predicted and true points are compared on the crop, where a label lies between pixels of the map. Right: "
        f"what each gains over the highest pixel at {len(SHOWN)} radii, with 95 % intervals over photographs; at "
        f"{SHOWN[-1]} a keypoint may be off by {pixels:.1f} pixels of the crop. With mirror: the mean of the heatmaps "
        "of the crop and of its mirror image."
    )
    best = {r: _best(made, r) for r in SHOWN}
    told = ", ".join(f"{number(made.pck(n, r).value, 3)} at {r} ({words(n)})" for r, n in best.items())
    plain = ", ".join(f"{number(made.pck('argmax', r).value, 3)} at {r}" for r in SHOWN)
    return Plate(figure, caption, f"The highest pixel reaches {plain}; the best decoding {told}.")


def _best(made: Decodings, radius: float) -> str:
    """The decoding that finds most within a radius."""
    return max(made.offsets, key=lambda name: made.pck(name, radius).value)


def plot_curves(made: Decodings, *, ax: Axes | None = None) -> Axes:
    """One line a decoding of the crop's own heatmaps, and the mirrored mean's best as a pale one."""
    ax = ax or plt.gca()
    radii = np.linspace(0, 0.75, 151)
    for name, (colour, line, label) in WAYS.items():
        ax.plot(radii, made.curve(name, radii), color=colour, linestyle=line, label=label, linewidth=1.5)
    pale = "dark" + MIRRORED
    ax.plot(radii, made.curve(pale, radii), color=GREY, linewidth=1.2, label=words(pale))
    ax.axvline(SHOWN[-1], color=GREY, linestyle=":", linewidth=1)
    ax.set(xlabel="radius, tenths of the side", ylabel="PCK", xlim=(0, radii[-1]), ylim=(0, None))
    ax.legend(fontsize=8, loc="lower right")
    return ax


def plot_gains(made: Decodings, *, ax: Axes | None = None) -> Axes:
    """One row a decoding, a mark for each radius."""
    ax = ax or plt.gca()
    rows = [name for name in made.offsets if name != "argmax"]
    for place, (radius, colour, marker) in enumerate(zip(SHOWN, (GREEN, BLUE, INK), "^so", strict=True)):
        for row, name in enumerate(rows):
            gain, y = made.gain(name, radius), row + 0.22 * (place - 1)
            ax.plot([gain.low, gain.high], [y, y], color=colour, linewidth=1.1)
            ax.plot(gain.value, y, marker, color=colour, markersize=5, label=f"radius {radius}" if row == 0 else None)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set(xlabel="PCK gained over the highest pixel", ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), [words(name) for name in rows], fontsize=8)
    ax.legend(fontsize=8, loc="best")
    return ax


def told(made: Decodings, stride: int) -> str:
    """Which decoding gains at the thesis's radius, and where all lean to."""
    radius = SHOWN[-1]
    gains = {name: made.gain(name, radius) for name in made.offsets if name != "argmax"}
    best = max(gains, key=lambda n: gains[n].value)
    gained = verdict(gains[best], "a clear gain", "a clear loss", "no clear difference")
    fine = made.gain(best, SHOWN[0])
    sides = [
        f"{abs(d):.2f} pixels of the crop {far if d > 0 else near}"
        for d, near, far in zip(made.drift("argmax", radius), ("to the left", "upwards"), ("to the right", "downwards"),
                                strict=True)
    ]  # fmt: skip
    return (
        f"At the thesis's radius the best decoding, {words(best)}, gains {gains[best].text(3)} over the highest pixel: "
        f"{gained}. Within a fifth of that radius it gains {fine.text(3)}. "
        f"Half of the predictions that count as found lie more than {' and '.join(sides)} of their labels. The rule "
        "for targets leads one to expect half a pixel to the left and upwards: a keypoint at x goes to cell "
        f"⌊x/{stride}⌋, whose pixels are centred at {stride}⌊x/{stride}⌋ + {(stride - 1) / 2:g}, on average half a "
        "pixel before x ({ref}`ambiguity 18 <ambiguity-18>`). No decoding can know that; a mean with the mirror image "
        "loses it in x, where the one leans to the left and the other to the right."
    )
