"""Figures of how long training and prediction take, and what waiting for data does to it; chapter 06."""

import matplotlib.pyplot as plt
import numpy as np

from figures.lighter.report import REPORT, REPORT_LONG
from figures.lighter.words import small, threads, turns
from figures.page import Note, Plate
from hgnb.analysis.lighter import paired, ratio_text
from hgnb.drawing.style import BLUE, GREEN, GREY, INK, ORANGE, style
from hgnb.training.networks import BASE, get
from hgnb.training.speed import Times


def speeds(times: Times) -> Plate:
    """fig-lighter-speed: seconds against the original's, training and prediction, with operations beside."""
    names = [n for n in times.cases if n != BASE and "optimiser" not in get(n).training]
    base = times.cases[BASE]
    ratios = {
        kind: [paired(times.cases[n].seconds(kind), base.seconds(kind)) for n in names]
        for kind in ("training", "inference")
    }
    gflop = [times.cases[n].gflop / base.gflop for n in names]
    order = np.argsort([r.value for r in ratios["training"]])[::-1]
    with style():
        figure, ax = plt.subplots(figsize=(8, 0.27 * len(names) + 1.1))
        rows = np.arange(len(names))
        looks = {"training": (BLUE, "o", "training step"), "inference": (ORANGE, "D", "prediction")}
        for kind, (colour, marker, label) in looks.items():
            values = [np.exp(ratios[kind][i].value) for i in order]
            ax.plot(values, rows, marker, color=colour, markersize=6, label=label)
        ax.plot(np.array(gflop)[order], rows, "|", color=INK, markersize=12, markeredgewidth=1.6, label="operations")
        ax.axvline(1, color=GREY, linewidth=1, linestyle=":")
        ax.set(yticks=rows, yticklabels=[get(names[i]).title for i in order], xlabel="share of the original's")
        ax.set_xlim(0, None)
        figure.legend(loc="outside lower center", ncol=3, fontsize=8)
    fastest = names[int(np.argmin([r.value for r in ratios["training"]]))]
    four = np.exp(ratios["training"][names.index("blocks-4")].value) if "blocks-4" in names else np.nan
    batch = times.batch
    caption = (
        f"Time of a training step and of a prediction with crops of {times.side} pixels, batch of {batch}, as "
        f"shares of the original's in the same turn ({turns(times)} on {times.device}, {threads(times)}); the "
        "bar is the share of its operations. Data loading is left out."
    )
    low = np.exp(min(r.value for r in ratios["training"]))
    alt = f"The fastest network in training, {small(fastest)}, takes {low:.2f} of the original's time"
    return Plate(figure, caption, alt + (f"; four blocks in a module take {four:.2f}." if np.isfinite(four) else "."))


def loading_note(times: Times) -> Note:
    """Why the report's times hardly differ: its ratio of epochs against the ratio of operations and of our times."""
    inner, base = (times.cases.get(n) for n in ("inner-64", BASE))
    if inner is None or base is None:
        return Note("The network with inner width 64 was not timed.")
    ours = {kind: paired(inner.seconds(kind), base.seconds(kind)) for kind in ("training", "with loading")}
    reported, original = REPORT["inner-64"][0][0], REPORT_LONG["newell-long"][0][0]
    step, loaded = (ratio_text(ours[kind]) for kind in ("training", "with loading"))
    load = 1000 * float(np.median(base.loading)) / base.batch
    return Note(
        f"With an inner width of 64 a pass takes {inner.gflop / base.gflop:.2f} of the original's operations and a "
        f"training step {step} of its time here ({loaded} with loading). In the report an epoch "
        f"takes {reported / original:.2f} of the original's at the same batch ({reported:g} against {original:g} "
        f"minutes). A graphics card that waits for its data shows such a ratio, as "
        f"{{numref}}`fig-lighter-waiting` works out; to decode, crop and make heatmaps takes {load:.0f} ms a person "
        f"and thread here."
    )


def waiting(times: Times) -> Plate:
    """fig-lighter-waiting: the ratio of two networks' epochs when loading overlaps with computing and bounds it."""
    names = [n for n in ("inner-64", "stacks-6", "blocks-4") if n in times.cases]
    base = times.cases[BASE]
    compute: dict[str, float] = {
        n: np.exp(paired(times.cases[n].seconds("training"), base.seconds("training")).value) for n in names
    }
    load = np.linspace(0, 1.6, 161)  # in steps of the original
    with style():
        figure, ax = plt.subplots(figsize=(7, 3.6))
        for (name, ratio), colour, line in zip(compute.items(), (BLUE, ORANGE, GREEN), ("-", "--", "-."), strict=False):
            label = f"{get(name).title} (report: {REPORT[name][0][0] / REPORT_LONG['newell-long'][0][0]:.2f})"
            ax.plot(load, np.maximum(ratio, load) / np.maximum(1, load), line, color=colour, label=label)
        ax.set(
            xlabel="time to load a batch, in training steps of the original", ylabel="epoch, share of the original's"
        )
        ax.set(ylim=(0, None), xlim=(0, 1.6))
        ax.legend(fontsize=8, loc="lower right")
    caption = (
        "The share of the original's epoch that a network's takes when batches are loaded while others are computed, "
        "so that the slower of both counts; at zero the steps timed here. In brackets the report's ratios at a batch "
        "of 20."
    )
    alt = f"All ratios go to 1 once loading takes as long as the slowest step; alone they are {_listed(compute)}."
    return Plate(figure, caption, alt)


def _listed(ratios: dict[str, float]) -> str:
    return ", ".join(f"{ratio:.2f} ({small(name)})" for name, ratio in ratios.items())
