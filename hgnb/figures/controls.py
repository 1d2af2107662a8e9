"""What several seeds and their controls say of the autoencoder. Claims C19 to C21, C27, C28; 04_improvement.

The rule for C27, set before any seed was trained: there is a gain to explain if the modified network beats the
original, and it is the autoencoder's if it beats the one that was trained on without it as well, lower limits above 0
over at least five seeds; it is not if the upper limit of the latter lies below 0.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hgnb.figures.plate import Note, Plate, Table
from hgnb.figures.style import GREEN, GREY, INK, MODIFIED, ORIGINAL, PURPLE, SKY, style
from hgnb.figures.words import nothing, number, percent, verdict
from hgnb.intervals import Interval
from hgnb.training.comparison import PAIRS
from hgnb.training.experiment import Experiment
from hgnb.training.networks import ARMS
from hgnb.training.recorded import SEEDS, Recorded, over_seeds

# Arms that go on from the best PCK, each with its colour and line.
LINES = {
    "modified": (MODIFIED, "--"), "control-longer": (GREEN, "-"), "control-random": (PURPLE, ":"),
    "control-projection": (SKY, "-."),
}  # fmt: skip
SHORT = {
    "hourglass": "original", "modified": "modified", "control-longer": "trained on", "control-random": "frozen random",
    "control-projection": "frozen projection", "hourglass-best-loss": "original, lowest loss",
    "longer-best-loss": "trained on, lowest loss", "modified-best-loss": "modified, lowest loss",
}  # fmt: skip
NONE = "No seeds are recorded in results/: `make claims` makes them."


def spread(records: Sequence[Recorded]) -> Plate:
    """fig-seeds: validation PCK by epoch, of the original and what went on from its best; a panel a record."""
    if not records:
        return nothing(NONE, NONE, NONE)
    with style():
        size = (8 if len(records) == 1 else 4.8 * len(records), 3.8)
        figure, axes = plt.subplots(1, len(records), figsize=size, squeeze=False)
        for record, ax in zip(records, axes[0], strict=True):
            plot_spread(record, ax=ax)
            ax.set_title(_named(record, records), fontsize=10)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncol=5, fontsize=8)
    caption = (
        "Validation PCK of each recorded seed, by epoch: the original, and the networks trained on from its epoch with "
        f"the best PCK. Recorded: {_titles(records)}."
    )
    return Plate(figure, caption, " ".join(_ends(record, records) for record in records))


def _ends(record: Recorded, records: Sequence[Recorded]) -> str:
    """How many seeds start below and end above the original."""
    ends = {name: record.values(name, "val") for name in ("hourglass", "modified")}
    above = int((ends["modified"] > ends["hourglass"]).sum())
    below = sum(s["arms"]["modified"]["val_pck"][0] < max(s["arms"]["hourglass"]["val_pck"]) for s in record.seeds)
    return (
        f"{_lead(record, records)}With the autoencoder {below} of {len(record.seeds)} seeds start below the original's "
        f"best and {above} end above it. The originals' best lie between {number(ends['hourglass'].min(), 3)} and "
        f"{number(ends['hourglass'].max(), 3)}."
    )


def _named(record: Recorded, records: Sequence[Recorded]) -> str:
    """What tells a record from the others beside it."""
    m = record.manifest
    return f"{m['profile']} on {m['data']}" if len(records) > 1 else ""


def _lead(record: Recorded, records: Sequence[Recorded]) -> str:
    named = _named(record, records)
    return f"{named[0].upper()}{named[1:]}: " if named else ""


def _titles(records: Sequence[Recorded]) -> str:
    return "; ".join(record.title for record in records)


def plot_spread(record: Recorded, *, ax: Axes | None = None) -> Axes:
    """One thin line a seed and network."""
    ax = ax or plt.gca()
    for i, seed in enumerate(record.seeds):
        original = seed["arms"]["hourglass"]
        curve, start = original["val_pck"], original["epoch"]
        label = "original" if i == 0 else None
        ax.plot(range(1, len(curve) + 1), curve, color=ORIGINAL, linewidth=1, alpha=0.8, label=label)
        for name, (colour, line) in LINES.items():
            further = [curve[start - 1], *seed["arms"][name]["val_pck"]]
            epochs, label = range(start, start + len(further)), SHORT[name] if i == 0 else None
            ax.plot(epochs, further, color=colour, linestyle=line, linewidth=1.2, alpha=0.9, label=label)
    ax.set(xlabel="epoch", ylabel="validation PCK")
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    return ax


def differences(
    records: Sequence[Recorded], live: dict[str, float] | None = None, data: str = "", split: str = "test"
) -> Plate:
    """fig-controls: paired differences of PCK between the arms, seed by seed, and over the seeds; a panel a record.

    `live`: differences of the run at hand, by the first arm less the hourglass, on `data`.
    """
    if not records:
        return nothing(NONE, NONE, NONE)
    with style():
        size = (8.5 if len(records) == 1 else 2.4 + 3.8 * len(records), 4.6)
        figure, axes = plt.subplots(1, len(records), figsize=size, squeeze=False, sharey=True)
        for record, ax in zip(records, axes[0], strict=True):
            own = live if live and record.manifest["data"] == data else {}
            plot_differences(record, own, split, ax=ax)
            ax.set_title(_named(record, records), fontsize=10)
    diamond = live and any(record.manifest["data"] == data for record in records)
    caption = (
        f"Differences of {split} PCK, first network less second, on the same persons. Small dots: single seeds, with "
        "intervals from resampled images; large ones: their mean with Student's 95 % interval over the seeds"
        f"{'; hollow diamond: the live run' if diamond else ''}. Recorded: {_titles(records)}."
    )
    alt = " ".join(
        f"{_lead(r, records)}Training on without the autoencoder changes PCK by "
        f"{r.difference('control-longer', 'hourglass', split).text(3)}, with it by "
        f"{r.difference('modified', 'hourglass', split).text(3)}; between the two lie "
        f"{r.difference(*PAIRS[4], split).text(3)}."
        for r in records
    )
    return Plate(figure, caption, alt)


def plot_differences(record: Recorded, live: dict[str, float], split: str, *, ax: Axes | None = None) -> Axes:
    """One row a pair of arms, those against the original first."""
    ax = ax or plt.gca()
    ax.axvline(0, color=GREY, linewidth=1)
    for row, (first, second) in enumerate(PAIRS):
        each = record.differences(first, second, split)
        colour = LINES.get(first, (ORIGINAL, ""))[0]
        for i, d in enumerate(each):
            y = row + 0.26 * ((i + 0.5) / len(each) - 0.5) + 0.2
            ax.plot([d.low, d.high], [y, y], color=colour, linewidth=0.8, alpha=0.55)
            ax.plot(d.value, y, "o", color=colour, markersize=2.6)
        mean = record.difference(first, second, split)
        if np.isfinite([mean.low, mean.high]).all():
            ax.plot([mean.low, mean.high], [row - 0.17] * 2, color=INK, linewidth=2.2)
        ax.plot(mean.value, row - 0.17, "o", color=INK, markersize=6)
        if second == "hourglass" and first in live:
            ax.plot(live[first], row - 0.17, "D", color=INK, markerfacecolor="white", markersize=6)
    ax.set(yticks=range(len(PAIRS)), xlabel=f"difference of {split} PCK")
    ax.set_yticklabels([f"{SHORT[a]} − {SHORT[b]}" for a, b in PAIRS], fontsize=8)
    ax.xaxis.set_major_locator(plt.MaxNLocator(4))
    ax.set_ylim(len(PAIRS) - 0.45, -0.55)
    return ax


def arms_table(records: Sequence[Recorded]) -> Table | Note:
    """tbl-controls: each network's PCK over the seeds of each record."""
    if not records:
        return Note(NONE)
    rows = []
    for name, arm in ARMS.items():
        best = arm.best.replace("val_pck", "best PCK").replace("val_loss", "lowest loss")
        cells = [_over(r.values(name, split)) for r in records for split in ("val", "test")]
        rows.append((arm.title, best, *cells))
    heads = [f"{split} PCK{named and ', ' + named}" for named in (_named(r, records) for r in records)
             for split in ("Validation", "Test")]  # fmt: skip
    caption = (
        "The modified hourglass and its controls: mean over the seeds, smallest to largest. All that are trained on "
        "had the same rate, a new optimiser, the same order of persons and as many epochs, and are judged at their "
        f"epoch with the best validation PCK. Recorded: {_titles(records)}."
    )
    return Table(pd.DataFrame(rows, columns=["Network", "From the epoch of", *heads]), caption, "tbl-controls")


def _over(values: np.ndarray) -> str:
    return f"{number(values.mean(), 3)} ({number(values.min(), 3)} to {number(values.max(), 3)})"


def explanation(records: Sequence[Recorded]) -> Note:
    """Whether the thesis's explanation of its gain survives (C27), and the choice of checkpoint (C28), in sentences."""
    if not records:
        return Note(NONE)
    return Note("\n\n".join(_lead(record, records) + _explained(record) for record in records))


def _explained(record: Recorded) -> str:
    gain, longer = (record.difference(name, "hourglass", "test") for name in ("modified", "control-longer"))
    key = record.difference("modified", "control-longer", "test")
    return (
        f"**{_verdict(record, gain, key)}** "
        f"Over {len(record.seeds)} seeds the network with the autoencoder differs from the original by "
        f"{gain.text(3)} in test PCK, and the one that was only trained on by {longer.text(3)}: "
        f"{_share(gain, longer.value)} The difference between the two is {key.text(3)}. "
        f"{_learned(record)} {_checkpoint(record)}{_levelled(record)}"
    )


def _verdict(record: Recorded, gain: Interval, key: Interval) -> str:
    """C27: `gain` over the original, `key` over the one that was only trained on."""
    if len(record.seeds) < SEEDS:
        return f"Undecided: {len(record.seeds)} seeds are too few to judge a method."
    if gain.low <= 0:
        word = "clear gain" if gain.high > 0 else "gain"
        return f"There is no {word} to explain here: the modified network is not shown to beat the original."
    if key.low > 0:
        return "The thesis's explanation survives: the autoencoder gains more than longer training does."
    if key.high < 0:
        return "The thesis's explanation does not survive: longer training alone gains more than the autoencoder."
    return "The thesis's explanation is not borne out: with and without the autoencoder can't be told apart."


def _share(gain: Interval, longer: float) -> str:
    if not gain.value > 0:
        return "no gain on average."
    if not gain.low > 0:
        return "a gain that isn't clear has no clear share either."
    return f"longer training alone comes to {percent(longer / gain.value)} of the gain."


def _learned(record: Recorded) -> str:
    """Whether it matters what the autoencoder learned."""
    told = []
    for name, words in (("control-random", "one frozen at random weights"), ("control-projection", "a projection")):
        d = record.difference("modified", name, "test")
        told.append(f"{verdict(d, 'beats', 'falls behind', 'cannot be told from')} {words}: {d.text(3)}")
    return f"A trained autoencoder {', and '.join(told)}."


def _checkpoint(record: Recorded) -> str:
    """C28: best PCK or lowest loss."""
    same, count = record.coinciding(), len(record.seeds)
    if same == count:
        return (
            "Best PCK and lowest loss fell on one epoch in every seed: nothing hangs on the choice between them, and "
            "the author's preference (C28 in {numref}`tbl-claims`) can't be decided on these runs."
        )
    d = {name: record.difference(name, other, "test") for name, other in PAIRS[-2:]}
    return (
        f"Starting from the best PCK instead of the lowest loss is worth {d['modified'].text(3)} with the autoencoder "
        f"and {d['control-longer'].text(3)} without; in {same} of {count} seeds both are one epoch."
    )


def _levelled(record: Recorded) -> str:
    """Whether the originals had stopped improving, as the author says of his own."""
    originals = [seed["arms"]["hourglass"] for seed in record.seeds]
    late = sum(arm["epoch"] == len(arm["val_pck"]) for arm in originals)
    if not late:
        return ""
    return (
        f" A limit of this record: in {late} of {len(originals)} seeds the original was at its best in its last epoch, "
        "so it had not levelled off as the thesis's had, and longer training had more left to gain."
    )


def about(records: Sequence[Recorded], live: Experiment) -> Note:
    """Which records there are, how old, and which are stale."""
    if not records:
        return Note(NONE)
    lines = []
    for r in records:
        stale, m = r.stale(live), r.manifest
        state = f"**Stale**: {'; '.join(stale)}" if stale else "Made by today's code, profile and data"
        failed = f"; failed: {', '.join(m['failed'])}" if m["failed"] else ""
        original, modified = (r.values(name, "test") for name in ("hourglass", "modified"))
        level, gain = number(original.mean(), 3), over_seeds(modified - original).text(3)
        lines.append(
            f"- `{r.file.name}`: {r.title}, {_duration(m['seconds'])} of training on {m['device']}{failed}. "
            f"Test PCK of the original {level}, with the autoencoder {gain} more. {state}."
        )
    return Note("\n".join(lines))


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{seconds / 60:.0f} minutes"
