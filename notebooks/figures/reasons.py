"""Why the autoencoder helped, if it did: both networks under the interventions of chapter 03; 05_discussion."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures.page import Plate, Table, nothing, number, verdict
from hgnb.analysis.misplaced import Misplaced
from hgnb.analysis.reasons import Pair, Part, Reason, turned
from hgnb.analysis.truncation import NOISE_FROM, Truncation
from hgnb.data.schema import KeypointSchema
from hgnb.drawing.style import GREY, INK, MODIFIED, ORIGINAL, PURPLE, style
from hgnb.stats import Estimate

APART = 2.2  # of the most components: where an untouched network stands on the axis
LINES = {
    "original, latents": (ORIGINAL, "o-"),
    "modified, latents": (MODIFIED, "s--"),
    "modified, codes": (PURPLE, "^:"),
}


def kept(curves: dict[str, Truncation], persons: str) -> Plate:
    """fig-pck-components-ae: test PCK of both networks with the first k components kept; by the names in LINES."""
    first = curves["original, latents"]
    if not first.hits:
        words = "There is no component to keep."
        return nothing(words, words, "There are too few persons for a principal component.")
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.9))
        plot_kept(curves, ax=left)
        plot_changes(curves, ax=right)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncol=3, fontsize=9)
    caption = (
        f"Left: test PCK of {len(first.images):,} persons when only the first k components are kept, of the latents of "
        f"either network, or of the modified one's codes; components of the {persons}. Right: the same less the "
        "untouched network's PCK, paired; 95 % intervals over photographs. Dotted: "
        f"k = {NOISE_FROM - 1}, behind which the thesis sees noise."
    )
    means = ", ".join(f"{name} {number(made.pck(0).value, 3)}" for name, made in curves.items() if 0 in made.hits)
    lost = (
        f"{name} {made.lost(NOISE_FROM - 1).text(3)}" for name, made in curves.items() if NOISE_FROM - 1 in made.hits
    )
    alt = (
        f"PCK with everything kept: {number(first.full.value, 3)} for the original, "
        f"{number(curves['modified, latents'].full.value, 3)} for the modified network; with the mean in the place of "
        f"everybody's own: {means}. Lost with the first {NOISE_FROM - 1} kept: {'; '.join(lost) or 'not measured'}."
    )
    return Plate(figure, caption, alt)


def plot_kept(curves: dict[str, Truncation], *, ax: Axes | None = None) -> Axes:
    """PCK against k, and on the right of the untouched networks."""
    ax = ax or plt.gca()
    most = _along(curves, ax)
    for name, made in curves.items():
        colour, line = LINES[name]
        ax.plot(made.counts, [made.pck(k).value for k in made.counts], line, color=colour, markersize=4.5, label=name)
        ax.plot(APART * most, made.full.value, line[0], color=colour, markersize=7)
    ticks = [*ax.get_xticks(), APART * most]
    ax.set_xticks(ticks, [*(f"{tick:.0f}" for tick in ticks[:-1]), "all"])
    ax.set(ylabel="test PCK", xlim=(-0.3, 1.4 * APART * most))
    ax.minorticks_off()
    return ax


def plot_changes(curves: dict[str, Truncation], *, ax: Axes | None = None) -> Axes:
    """What taking components out changes, paired, with intervals side by side."""
    ax = ax or plt.gca()
    most = _along(curves, ax)
    ax.axhline(0, color=INK, linewidth=0.9)
    for place, (name, made) in enumerate(curves.items()):
        colour, line = LINES[name]
        aside = 1.12 ** (place - 1)  # so that three intervals at one k can be told apart
        for k in made.counts:
            change, at = turned(made.lost(k)), k * aside if k else 0.09 * (place - 1)
            ax.plot([at, at], [change.low, change.high], color=colour, linewidth=1.2)
            ax.plot(at, change.value, line[0], color=colour, markersize=4.5)
    ax.set(ylabel="change of test PCK", xlim=(-0.3, 1.3 * most))
    return ax


def _along(curves: dict[str, Truncation], ax: Axes) -> int:
    """A logarithmic axis of components with a place for 0; the largest number on it."""
    most = max(max(made.counts, default=1) for made in curves.values())
    ticks = [0, *(4**i for i in range(8) if 4**i <= most)]
    ax.set_xscale("symlog", linthresh=1, linscale=0.5)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.axvline(NOISE_FROM - 1, color=GREY, linestyle=":", linewidth=1)
    ax.set_xlabel("components kept")
    ax.minorticks_off()
    return most


def table(pair: Pair, wrong: Misplaced) -> Table:
    """tbl-both-networks: what both networks find as they are, without skips, and of misplaced persons."""
    everything, networks = pair.labelled, ("original", "modified")
    rows: dict[str, tuple[Estimate, ...]] = {
        title: (*(pair.pck(which, everything, skips) for which in networks), pair.gain(everything, skips))
        for title, skips in (("all labelled keypoints", True), ("the same, skip-connections off", False))
    }
    rows["lost without skip-connections"] = (*(pair.drop(which) for which in networks), pair.drops_apart)
    for title, counted in pair.places(wrong).items():
        rows[f"persons {title} in the original"] = (*(pair.pck(n, counted) for n in networks), pair.gain(counted))
    rows["misplaced less others, equally many labelled"] = pair.misplaced_less_others(wrong)
    cells = [(title, *(interval.text(3) for interval in intervals)) for title, intervals in rows.items()]
    caption = (
        f"Both networks on the same {len(pair.split):,} test persons: PCK, and the modified network less the original, "
        "paired; 95 % intervals over photographs. Misplaced is who falls to another of the original's two clusters "
        "than the number of labelled keypoints says. A dash: nobody to compare."
    )
    return Table(pd.DataFrame(cells, columns=["PCK of", *networks, "Difference"]), caption, "tbl-both-networks")


def where(pair: Pair, schema: KeypointSchema, wrong: Misplaced) -> Plate:
    """fig-gain-where: the gain by group of joints, visibility, labelled keypoints and place in the clusters."""
    groups = pair.groups(schema, wrong)
    gains = {
        (heading, title): pair.gain(counted)
        for heading, members in groups.items()
        for title, counted in members.items()
        if counted.any()
    }
    whole = pair.gain(pair.labelled)
    if not gains:
        words = "No keypoint of these persons is labelled."
        return nothing(words, words, words)
    with style():
        figure, ax = plt.subplots(figsize=(7.2, 0.3 * (len(gains) + 4) + 0.7))
        plot_where(gains, whole, ax=ax)
    caption = (
        f"PCK of the modified network less the original's, by group, on the {len(pair.split):,} test persons; 95 % "
        "intervals over photographs, each group for itself. Grey band: all labelled keypoints. Single joints are in "
        "{numref}`fig-gains`."
    )
    (most, high), (least, low) = (pick(gains.items(), key=lambda item: item[1].value) for pick in (max, min))
    clear = sum(g.low > 0 for g in gains.values())
    alt = (
        f"Over all keypoints the gain is {whole.text(3)}. {clear} of {len(gains)} groups gain by more than their "
        f"interval. The largest gain is that of {': '.join(most)}, {number(high.value, 3)}; the smallest that of "
        f"{': '.join(least)}, {number(low.value, 3)}."
    )
    return Plate(figure, caption, alt)


def plot_where(gains: dict[tuple[str, str], Estimate], whole: Estimate, *, ax: Axes | None = None) -> Axes:
    """A row for each group, a heading above each kind."""
    ax = ax or plt.gca()
    if whole.bounded:
        ax.axvspan(whole.low, whole.high, color=GREY, alpha=0.2, linewidth=0)
    ax.axvline(0, color=GREY, linewidth=1)
    ticks: list[float] = []
    labels: list[str] = []
    row, last = 0.0, ""
    for (heading, title), gain in gains.items():
        if heading != last:
            row, last = row + (1.4 if last else 0), heading
            ax.text(0.01, row - 0.62, heading, transform=ax.get_yaxis_transform(), fontsize=8, color=INK, va="center")
        ax.plot([gain.low, gain.high], [row, row], color=MODIFIED, linewidth=1.6)
        ax.plot(gain.value, row, "D", color=MODIFIED, markersize=4.5)
        ticks, labels, row = [*ticks, row], [*labels, title], row + 1
    ax.set(yticks=ticks, yticklabels=labels, xlabel="gain in test PCK", ylim=(row - 0.4, -1.1))
    ax.grid(axis="y", visible=False)
    return ax


def told(gain: Estimate, latents: Truncation, reasons: list[Reason]) -> str:
    """How much there is to explain, how much of it a bottleneck can, and which of the reasons survive.

    latents: the original's, as components are taken out of them.
    """
    words = (
        "there is a gain to explain",
        "there is a loss, and no gain to explain",
        "there is no clear gain to explain",
    )
    lines = [f"On these test persons {verdict(gain, *words)}: {gain.text(3)} in PCK."]
    if 0 in latents.hits:
        lines.append(
            "Both reasons lie in the bottleneck. With one and the same latents for everybody the original's PCK is "
            f"lower by {latents.lost(0).text(3)}: so much do its latents add to what the skip-connections know."
        )
    for reason in reasons:
        seen = "; ".join(_seen(part) for part in reason.parts)
        lines.append(f"**The reason “{reason.title}” {reason.verdict}**: {seen}.")
    return "\n\n".join(lines)


def _seen(part: Part) -> str:
    """What was predicted, what came, and what that says."""
    if not np.isfinite(part.interval.value):
        return f"{part.words.format('–')} (not to be measured here)"
    says = {1: "as it predicts", -1: "the opposite of what it predicts", 0: "no clear difference"}[part.speaks]
    return f"{part.words.format(part.interval.text(3))} ({says})"
