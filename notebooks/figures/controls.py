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

from figures.page import Note, Plate, Table, nothing, number, percent, verdict
from hgnb.claims.evidence import Chains
from hgnb.drawing.style import GREEN, GREY, INK, MODIFIED, ORIGINAL, PURPLE, SKY, style
from hgnb.stats import Estimate
from hgnb.training.networks import ARMS
from hgnb.training.recorded import SEEDS

# Differences that claims ask for, first less second.
PAIRS = (
    ("modified", "hourglass"),  # C19 to C21: the gain
    ("control-longer", "hourglass"),
    ("control-random", "hourglass"),
    ("control-projection", "hourglass"),
    ("modified", "control-longer"),  # C27
    ("modified", "control-random"),
    ("modified", "control-projection"),
    ("hourglass", "hourglass-best-loss"),  # C28
    ("control-longer", "longer-best-loss"),
    ("modified", "modified-best-loss"),
)
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


def spread(records: Sequence[Chains]) -> Plate:
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


def _ends(record: Chains, records: Sequence[Chains]) -> str:
    """How many seeds start below and end above the original."""
    ends = {name: record.values(name, "val") for name in ("hourglass", "modified")}
    above = int((ends["modified"] > ends["hourglass"]).sum())
    curves = [[one.epochs(name, "val_pck") for name in ("modified", "hourglass")] for one in record.seeds]
    below = sum(further[0] < original.max() for further, original in curves)
    return (
        f"{_lead(record, records)}With the autoencoder {below} of {len(record.seeds)} seeds start below the original's "
        f"best and {above} end above it. The originals' best lie between {number(ends['hourglass'].min(), 3)} and "
        f"{number(ends['hourglass'].max(), 3)}."
    )


def _named(record: Chains, records: Sequence[Chains]) -> str:
    """What tells a record from the others beside it."""
    return record.name if len(records) > 1 else ""


def _lead(record: Chains, records: Sequence[Chains]) -> str:
    named = _named(record, records)
    return f"{named[0].upper()}{named[1:]}: " if named else ""


def _titles(records: Sequence[Chains]) -> str:
    return "; ".join(record.title for record in records)


def plot_spread(record: Chains, *, ax: Axes | None = None) -> Axes:
    """One thin line a seed and network."""
    ax = ax or plt.gca()
    for i, seed in enumerate(record.seeds):
        curve, start = seed.epochs("hourglass", "val_pck"), record.epoch(seed, "hourglass")
        label = "original" if i == 0 else None
        ax.plot(range(1, len(curve) + 1), curve, color=ORIGINAL, linewidth=1, alpha=0.8, label=label)
        for name, (colour, line) in LINES.items():
            if name not in seed.trainings:
                continue
            further = [curve[start - 1], *seed.epochs(name, "val_pck")]
            epochs, label = range(start, start + len(further)), SHORT[name] if i == 0 else None
            ax.plot(epochs, further, color=colour, linestyle=line, linewidth=1.2, alpha=0.9, label=label)
    ax.set(xlabel="epoch", ylabel="validation PCK")
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    return ax


def differences(
    records: Sequence[Chains], live: dict[str, float] | None = None, data: str = "", split: str = "test"
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
            own = live if live and record.data == data else {}
            plot_differences(record, own, split, ax=ax)
            ax.set_title(_named(record, records), fontsize=10)
    diamond = live and any(record.data == data for record in records)
    caption = (
        f"Differences of {split} PCK, first network less second, on the same persons. Small dots: single seeds, with "
        "intervals from resampled images; large ones: their mean with the ledger's 95 % interval, over seeds and images"
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


def plot_differences(record: Chains, live: dict[str, float], split: str, *, ax: Axes | None = None) -> Axes:
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


def arms_table(records: Sequence[Chains]) -> Table | Note:
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
    values = values[np.isfinite(values)]
    if not len(values):
        return "–"
    return f"{number(values.mean(), 3)} ({number(values.min(), 3)} to {number(values.max(), 3)})"


def explanation(records: Sequence[Chains]) -> Note:
    """Whether the thesis's explanation of its gain survives (C27), and the choice of checkpoint (C28), in sentences."""
    if not records:
        return Note(NONE)
    return Note("\n\n".join(_lead(record, records) + _explained(record) for record in records))


def _explained(record: Chains) -> str:
    gain, longer = (record.difference(name, "hourglass", "test") for name in ("modified", "control-longer"))
    key = record.difference("modified", "control-longer", "test")
    return (
        f"**{_verdict(record, gain, key)}** "
        f"Over {len(record.seeds)} seeds the network with the autoencoder differs from the original by "
        f"{gain.text(3)} in test PCK, and the one that was only trained on by {longer.text(3)}: "
        f"{_share(gain, longer.value)} The difference between the two is {key.text(3)}. "
        f"{_learned(record)} {_checkpoint(record)}{_levelled(record)}"
    )


def _verdict(record: Chains, gain: Estimate, key: Estimate) -> str:
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


def _share(gain: Estimate, longer: float) -> str:
    if not gain.value > 0:
        return "no gain on average."
    if not gain.low > 0:
        return "a gain that isn't clear has no clear share either."
    return f"longer training alone comes to {percent(longer / gain.value)} of the gain."


def _learned(record: Chains) -> str:
    """Whether it matters what the autoencoder learned."""
    told = []
    for name, words in (("control-random", "one frozen at random weights"), ("control-projection", "a projection")):
        d = record.difference("modified", name, "test")
        told.append(f"{verdict(d, 'beats', 'falls behind', 'cannot be told from')} {words}: {d.text(3)}")
    return f"A trained autoencoder {', and '.join(told)}."


def _checkpoint(record: Chains) -> str:
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


def _levelled(record: Chains) -> str:
    """Whether the originals had stopped improving, as the author says of his own."""
    originals = [(record.epoch(one, "hourglass"), len(one.epochs("hourglass", "val_pck"))) for one in record.seeds]
    late = sum(best == epochs for best, epochs in originals)
    if not late:
        return ""
    return (
        f" A limit of this record: in {late} of {len(originals)} seeds the original was at its best in its last epoch, "
        "so it had not levelled off as the thesis's had, and longer training had more left to gain."
    )


def about(records: Sequence[Chains]) -> Note:
    """Which records there are, how old, and which are stale."""
    if not records:
        return Note(NONE)
    lines = []
    for r in records:
        state = f"**Stale**: {'; '.join(r.stale)}" if r.stale else "Made by today's code and profile"
        failed = f"; failed: {', '.join(r.failed)}" if r.failed else ""
        level, gain = number(r.values("hourglass", "test").mean(), 3), r.difference("modified", "hourglass", "test")
        lines.append(
            f"- `results/{r.record.name}`: {r.title}, {_duration(3600 * r.record.hours)} of training on "
            f"{r.device}{failed}. Test PCK of the original {level}, with the autoencoder {gain.text(3)} more. {state}."
        )
    return Note("\n".join(lines))


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{seconds / 60:.0f} minutes"
