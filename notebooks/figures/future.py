"""The networks that the thesis left for later, seed by seed. Thesis 8.2 and 8.4, examiner's question 6.4; 07_beyond."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from figures.page import Note, Plate, listed, nothing, number, verdict
from hgnb.claims.evidence import Chains
from hgnb.drawing.style import GREEN, GREY, INK, MODIFIED, ORIGINAL, style

# Rows of fig-later: how each is called, and its colour; networks of chapter 04 first.
ROWS = {
    "hourglass": ("the original", ORIGINAL),
    "control-longer": ("the original, trained on", ORIGINAL),
    "modified": ("modified", MODIFIED),
    "straight": ("the original, in one go", ORIGINAL),
    "narrow": ("modified from the first step", MODIFIED),
    "without-skips": ("without skips, trained so", GREEN),
    "visible-only": ("trained on v = 2 alone", GREEN),
    "two-plain": ("two plain", ORIGINAL),
    "four-plain": ("four plain", ORIGINAL),
    "two-modified": ("two modified, two whole codes", MODIFIED),
    "two-modified-25": ("two modified, the second code half", MODIFIED),
}
NONE = "No seeds of these networks are recorded in results/: `make claims` makes them."


def judged(records: Sequence[Chains]) -> list[Chains]:
    """Those whose seeds hold networks of this page."""
    return [record for record in records if record.has("narrow")]


def later(records: Sequence[Chains]) -> Plate:
    """fig-later: test PCK of what section 8.4 asks for beside the networks of chapter 04; a panel a record."""
    if not records:
        return nothing(NONE, NONE, NONE)
    with style():
        size = (2.6 + 3.3 * len(records), 3.9)
        figure, axes = plt.subplots(1, len(records), figsize=size, squeeze=False, sharey=True)
        for record, ax in zip(records, axes[0], strict=True):
            plot_later(record, ax=ax)
            ax.set_title(record.name, fontsize=10)
    titles = "; ".join(record.title for record in records)
    caption = (
        "Test PCK of the networks that the thesis left for later, below those of {doc}`04_improvement`. Small dots: "
        "seeds; large ones: their mean, with the ledger's 95 % interval over seeds and photographs. Plain and modified "
        "ones in a row are trained on as long as the single ones are; those in one go and from the first step as long "
        f"as the chain's two trainings together. Recorded: {titles}.{''.join(map(_failed, records))}"
    )
    alt = " ".join(
        f"On {r.data}: "
        + ", ".join(f"{words} {number(_mean(r.values(name, 'test')), 3)}" for name, (words, _) in ROWS.items())
        + "."
        for r in records
    )
    return Plate(figure, caption, alt)


def plot_later(record: Chains, *, ax: Axes | None = None) -> Axes:
    """One row a network."""
    ax = ax or plt.gca()
    for row, (name, (_, colour)) in enumerate(ROWS.items()):
        each = record.values(name, "test")
        mean = record.level(name, "test")
        ax.plot(each, row + np.linspace(0.12, 0.34, len(each)), "o", color=colour, markersize=3, alpha=0.8)
        if np.isfinite([mean.low, mean.high]).all():
            ax.plot([mean.low, mean.high], [row - 0.14] * 2, color=INK, linewidth=2)
        ax.plot(mean.value, row - 0.14, "o", color=colour, markeredgecolor=INK, markersize=6.5)
    ax.axhline(2.5, color=GREY, linewidth=0.8)
    ax.set_yticks(range(len(ROWS)), [words for words, _ in ROWS.values()], fontsize=8.5)
    ax.set(ylim=(len(ROWS) - 0.45, -0.6), xlabel="test PCK")
    ax.xaxis.set_major_locator(plt.MaxNLocator(5))
    return ax


def _mean(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else np.nan


def _failed(record: Chains) -> str:
    """Which networks have fewer seeds than the others, in a sentence."""
    lost = {words: int(np.isnan(record.values(name, "test")).sum()) for name, (words, _) in ROWS.items()}
    told = listed([f"{words} ({count} of {len(record.seeds)})" for words, count in lost.items() if count])
    return f" Not trained to the end on {record.data}, in so many seeds: {told}." if told else ""


def narrower(records: Sequence[Chains]) -> Note:
    """Whether a bottleneck that is narrow from the first step does as well as the autoencoder, and whether it does
    better than one that isn't; in sentences."""
    return Note("\n\n".join(_narrower(record) for record in records)) if records else Note(NONE)


def _narrower(record: Chains) -> str:
    pairs = (("modified", "narrow"), ("narrow", "straight"))
    first, second = (record.difference(*pair, "test") for pair in pairs)
    learned = verdict(
        first, "What the autoencoder learned before it was put in is worth having",
        "What the autoencoder learned before it was put in is not worth its training",
        "Whether the autoencoder learned anything before it was put in can't be told from the result",
    )  # fmt: skip
    width = verdict(second, "beats", "falls behind", "can't be told from")
    return (
        f"**{learned}** ({record.name}, {len(record.seeds)} seeds): the modified hourglass less the "
        f"same network trained in one go, as long as the chain's two trainings together, is {first.text(3)} in test "
        f"PCK. A bottleneck that is narrow from the first step {width} a wide one, both in one go: {second.text(3)}."
    )
