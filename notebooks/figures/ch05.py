"""Figures of 05_discussion that are too long for a cell: both networks under the interventions of chapter 03; and what
recorded networks reach on photographs, beside the thesis's numbers.

Clusters are drawn as there.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.clustering import clusters as clusters
from figures.verdicts import people
from hgnb import records
from hgnb.analysis.truncation import NOISE_FROM, Truncation
from hgnb.claims.evidence import Seeds
from hgnb.data.splits import EMBEDDED
from hgnb.drawing import GREY, INK, MODIFIED, ORIGINAL, PURPLE, style
from hgnb.stats import Estimate
from hgnb.training.experiment import Experiment

OLSEN = {"2A": "0.72", "2B": "0.81", "2M": "0.83"}  # thesis table 3
# Test PCK on all, hidden and visible keypoints and on limbs: thesis 7.3, 8.1 and 8.2; on hidden ones it has none.
THESIS = {"hourglass": ("0.441", "–", "0.469", "0.32"), "modified hourglass": ("0.474", "–", "0.576", "0.38")}
APART = 2.2  # of the most components: where an untouched network stands on the axis
LOOKS = {
    "original, latents": (ORIGINAL, "o-"),
    "modified, latents": (MODIFIED, "s--"),
    "modified, codes": (PURPLE, "^:"),
}


def kept(curves: Mapping[str, Truncation]) -> Figure:
    """Test PCK of both networks with the first k components kept, and how it changes; by the names in LOOKS."""
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9.4, 3.9))
        plot_kept(curves, *axes)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncol=3, fontsize=9)
    return figure


def plot_kept(curves: Mapping[str, Truncation], left: Axes, right: Axes) -> None:
    """PCK against k, with the untouched networks on the right; and what taking components out changes, paired."""
    most = max(max(made.counts, default=1) for made in curves.values())
    ticks = [0, *(4**i for i in range(8) if 4**i <= most)]
    for ax in (left, right):
        ax.set_xscale("symlog", linthresh=1, linscale=0.5)
        ax.axvline(NOISE_FROM - 1, color=GREY, linestyle=":", linewidth=1)
        ax.set_xlabel("components kept")
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
    right.axhline(0, color=INK, linewidth=0.9)
    for place, (name, made) in enumerate(curves.items()):
        colour, line = LOOKS[name]
        left.plot(made.counts, [made.pck(k).value for k in made.counts], line, color=colour, markersize=4.5, label=name)
        left.plot(APART * most, made.full.value, line[0], color=colour, markersize=7)
        aside = 1.12 ** (place - 1)  # so that three intervals at one k can be told apart
        for k in made.counts:
            change, at = made.lost(k).negated(), k * aside if k else 0.09 * (place - 1)
            right.plot([at, at], [change.low, change.high], color=colour, linewidth=1.2)
            right.plot(at, change.value, line[0], color=colour, markersize=4.5)
    left.set_xticks([*ticks, APART * most], [*(str(tick) for tick in ticks), "all"])
    left.set(ylabel="test PCK", xlim=(-0.3, 1.4 * APART * most))
    right.set(ylabel="change of test PCK", xlim=(-0.3, 1.3 * most))
    for ax in (left, right):
        ax.minorticks_off()


def where(gains: Mapping[tuple[str, str], Estimate], whole: Estimate) -> Figure:
    """The gain of each group, a row by its heading and title; a heading above each kind, the whole as a band."""
    with style():
        figure, ax = plt.subplots(figsize=(7.2, 0.3 * (len(gains) + 4) + 0.7))
        if whole.bounded:
            ax.axvspan(whole.low, whole.high, color=GREY, alpha=0.2, linewidth=0)
        ax.axvline(0, color=GREY, linewidth=1)
        ticks: dict[float, str] = {}
        row, last = 0.0, ""
        for (heading, title), gain in gains.items():
            if heading != last:
                row, last = row + (1.4 if last else 0), heading
                ax.text(
                    0.01, row - 0.62, heading, transform=ax.get_yaxis_transform(), fontsize=8, color=INK, va="center"
                )
            ax.plot([gain.low, gain.high], [row, row], color=MODIFIED, linewidth=1.6)
            ax.plot(gain.value, row, "D", color=MODIFIED, markersize=4.5)
            ticks[row], row = title, row + 1
        ax.set(xlabel="gain in test PCK", ylim=(row - 0.4, -1.1))
        ax.set_yticks(list(ticks), list(ticks.values()))
        ax.grid(axis="y", visible=False)
    return figure


def numbers(title: str) -> list[float]:
    """The thesis's numbers for a network, NaN where it has none."""
    return [np.nan if told == "–" else float(told) for told in THESIS[title]]


def trained(experiment: Experiment, persons: int) -> str:
    """'v = 1 and 2; 32 channels, 64 pixels, 2,400 persons'."""
    profile = experiment.profile
    return _size(profile.training.least_visibility, profile.model.channels, profile.data.side, persons)


def _size(least: int, channels: int, side: int, persons: int) -> str:
    seen = "v = 2" if least == 2 else "v = 1 and 2"
    return f"{seen}; {channels} channels, {side} pixels, {persons:,} persons"


def photographs(training: str) -> dict[str, list[Estimate]]:
    """Test PCK of the recorded networks on photographs, on all, hidden and visible keypoints and on limbs, by what they
    are; empty where there are none."""
    for record in records.fitting("chain", "photos", "coco-val2017"):
        seeds = Seeds.of(record).with_(training)
        if record.data != EMBEDDED and seeds.count:
            shown, numbers = seeds.persons().visibility, record.about["numbers"]
            limbs = np.isin(np.arange(len(seeds.people.schema)), seeds.people.schema.groups["limbs"])
            sets = (shown > 0, shown == 1, shown == 2, (shown > 0) & limbs)
            size = _size(
                numbers["training"]["least_visibility"], numbers["model"]["channels"], numbers["data"]["side"],
                len(seeds.persons("train")),
            )  # fmt: skip
            kind = f"{seeds.count} recorded network{'s' if seeds.count > 1 else ''} on {people(record.data)}"
            return {f"{kind}, {size}": [seeds.pck(training, counted=counted) for counted in sets]}
    return {}
