"""One look for every figure: palette, type and lines. Nothing is set on import."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict

import matplotlib.pyplot as plt
import matplotlib.style
from matplotlib.axes import Axes

# Okabe & Ito (2008): told apart with every common colour blindness.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, INK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#222222",
)  # fmt: skip
CYCLE = [BLUE, ORANGE, GREEN, RED, PURPLE, SKY, INK]
GREY = "#8A8A8A"


class Look(TypedDict):
    """How matplotlib draws the lines of a side."""

    color: str
    linestyle: str | tuple[float, tuple[float, ...]]


# Left and right differ in line style too, and the person's left is blue wherever a person is drawn.
SIDES: dict[str, Look] = {
    "left": {"color": BLUE, "linestyle": "-"},
    "right": {"color": RED, "linestyle": (0, (2.2, 1.0))},
    "centre": {"color": GREEN, "linestyle": "-"},
}

# The original and the modified hourglass keep their colours from chapter 04 on.
ORIGINAL, MODIFIED = BLUE, RED

RC = {
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titleweight": "normal",
    "axes.labelsize": 10,
    "axes.edgecolor": "#666666",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": matplotlib.cycler(color=CYCLE),
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
}


def counted(ax: Axes, most: int) -> None:
    """A logarithmic axis of whole numbers from 1 to `most`, with ticks one can read."""
    digits = (1, 2, 5) if most < 300 else (1,)
    ticks = [digit * 10**power for power in range(6) for digit in digits if digit * 10**power <= max(most, 1)]
    ax.set_xscale("log")
    ax.set_xlim(0.85, 1.2 * max(most, 1))
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()


@contextmanager
def style() -> Iterator[None]:
    """Figures made within the block look like the book's; what was set before comes back behind it."""
    with matplotlib.style.context("default"), plt.rc_context(RC):
        yield
