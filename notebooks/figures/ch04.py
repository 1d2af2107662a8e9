"""Chapter 04: the hourglass with the autoencoder, for whom it helps, and what seeds and controls say of its gain."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from figures.ch02 import plot_pose, posed
from figures.chains import Chains
from figures.page import Note, Plate, nothing, number, verdict
from figures.verdicts import Column, waits
from hgnb.claims.claim import FAILS, HOLDS, SEEDS, UNDECIDED
from hgnb.claims.collect import kept
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.drawing import GREEN, GREY, INK, MODIFIED, ORIGINAL, PURPLE, SKY, style
from hgnb.metrics import PckConfig
from hgnb.stats import Estimate, among
from hgnb.training.passes import Predictions

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


def most_changed(change: np.ndarray, labelled: np.ndarray, seed: int, count: int = 5) -> dict[str, np.ndarray]:
    """Persons who gained and who lost the most found keypoints, (N,) each; ties by more labelled ones, then by lot."""
    lot = np.random.default_rng(seed).permutation(len(change))
    down, up = np.lexsort((lot, -labelled, -change)), np.lexsort((lot, -labelled, change))
    return {"helped": down[change[down] > 0][:count], "hurt": up[change[up] < 0][:count]}


def helped_and_hurt(
    split: PreparedSplit, schema: KeypointSchema, config: PckConfig, made: Sequence[Predictions], seed: int
) -> Plate:
    """fig-helped-hurt: the persons who gained and who lost most keypoints: truth, original, modified.

    made: what both networks say of the split, the original first.
    """
    found = [(one.hits(config).numpy() & (split.visibility > 0)).sum(1) for one in made]
    change = found[1] - found[0]
    chosen = most_changed(change, split.labelled, seed)
    blocks = {word: persons for word, persons in chosen.items() if len(persons)}
    if not blocks:
        return nothing("No person gained or lost a keypoint.", "Nobody to show.", "No person gained or lost.")
    width = max(map(len, blocks.values()))
    with style():
        figure = plt.figure(figsize=(1.5 * width + 0.5, 4.8 * len(blocks)))
        for part, (word, persons) in zip(np.atleast_1d(figure.subfigures(len(blocks))), blocks.items(), strict=True):
            axes = part.subplots(3, width, squeeze=False)
            for column, person in zip(axes.T, persons, strict=False):
                poses = split.keypoints[person], *(posed(one, split, config, person) for one in made)
                for ax, pose in zip(column, poses, strict=True):
                    plot_pose(split, pose, schema, person, ax=ax)
                column[0].set_title(word, fontsize=8, pad=2)
                count = f"{found[0][person]} → {found[1][person]} of {split.labelled[person]}"
                column[2].set_xlabel(count, fontsize=8)
            for ax in axes[:, len(persons) :].flat:
                ax.axis("off")
            for ax, words in zip(axes[:, 0], ("truth", "original", "modified"), strict=True):
                ax.set_ylabel(words, fontsize=9)
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.02, wspace=0.01, hspace=0.02)
    caption = (
        f"The {len(chosen['helped'])} {split.name} persons who gained the most found keypoints with the autoencoder "
        f"and the {len(chosen['hurt'])} who lost the most; ties go to more labelled keypoints, then by lot. "
        "Below each: keypoints found before → after. A filled dot is a joint found, a hollow one missed (in the "
        "truth: hidden)."
    )
    alt = (
        f"{int((change > 0).sum())} of {len(change):,} persons gain keypoints, {int((change < 0).sum())} lose some; "
        f"the most that one gains is {max(int(change.max()), 0)}, that one loses {max(int(-change.min()), 0)}."
    )
    return Plate(figure, caption, alt)


# Several seeds and the controls, as recorded


def recorded_in(records: Sequence[Chains]) -> str:
    """The end of a caption."""
    return f"Recorded: {'; '.join(one.record.title for one in records)}."


def _lead(record: Chains, records: Sequence[Chains]) -> str:
    """What tells a record from the others beside it, at the start of a sentence."""
    return f"{record.name[0].upper()}{record.name[1:]}: " if len(records) > 1 else ""


def spread(records: Sequence[Chains]) -> Plate:
    """fig-seeds: validation PCK of what went on from the original's best, less that best; a panel a record."""
    if not records:
        return nothing(NONE)
    with style():
        size = (8 if len(records) == 1 else 4.8 * len(records), 3.8)
        figure, axes = plt.subplots(1, len(records), figsize=size, squeeze=False)
        for record, ax in zip(records, axes[0], strict=True):
            plot_spread(record, ax=ax)
            ax.set_title(record.name if len(records) > 1 else "", fontsize=10)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncol=5, fontsize=8)
    caption = (
        "Validation PCK of each recorded seed's networks trained on, less the best of its own original, from which they "
        f"began; thick: their mean, where more than one seed has them. {recorded_in(records)}"
    )
    return Plate(figure, caption, " ".join(_lead(record, records) + _ends(record) for record in records))


def _ends(record: Chains) -> str:
    """How many seeds start below and end above the original's best, with the autoencoder and without."""
    told, before = [], record.values("hourglass", "val")
    for name, words in (("modified", "With the autoencoder"), ("control-longer", "Without it")):
        if not (curves := _gained(record, name)):
            continue
        below, last, best = np.sum([(c[0] < 0, c[-1] > 0, c.max() > 0) for c in curves], axis=0)
        told.append(
            f"{words} {below} of {len(curves)} seeds start below the original's best and {last} end above it; {best} have "
            "an epoch above it."
        )
    return f"{' '.join(told)} The originals' best lie between {number(before.min(), 3)} and {number(before.max(), 3)}."


def _gained(record: Chains, name: str) -> list[np.ndarray]:
    """(E,) validation PCK after each further epoch less the original's best, for each seed that has the arm."""
    there = [one for one in record.seeds if name in one.trainings]
    best = [one.epochs("hourglass", "val_pck")[record.epoch(one, "hourglass") - 1] for one in there]
    return [one.epochs(name, "val_pck") - start for one, start in zip(there, best, strict=True)]


def plot_spread(record: Chains, *, ax: Axes | None = None) -> Axes:
    """One thin line a seed and network, a thick one for each network's mean."""
    ax = ax or plt.gca()
    ax.axhline(0, color=GREY, linewidth=0.8)
    for name, (colour, line) in LINES.items():
        curves = [[0, *gained] for gained in _gained(record, name)]
        for curve in curves:
            ax.plot(curve, color=colour, linestyle=line, linewidth=0.8, alpha=0.5)
        mean = np.mean(curves, axis=0) if len(curves) > 1 else []
        ax.plot(mean, color=colour, linestyle=line, linewidth=2.6, label=SHORT[name])
    ax.set(xlabel="epochs since the original's best", ylabel="validation PCK less that best")
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    return ax


def differences(records: Sequence[Chains], gain: float, profile: str, data: str) -> Plate:
    """fig-controls: paired differences of test PCK between the arms, seed by seed, and over the seeds; a panel a
    record.

    gain: of the modified network of the run at hand over its original, by `profile` on `data`; shown beside its like.
    """
    if not records:
        return nothing(NONE)
    with style():
        size = (8.5 if len(records) == 1 else 2.4 + 3.8 * len(records), 4.6)
        figure, axes = plt.subplots(1, len(records), figsize=size, squeeze=False, sharey=True)
        for record, ax in zip(records, axes[0], strict=True):
            plot_differences(record, gain if record.name == f"{profile} on {data}" else None, ax=ax)
            ax.set_title(record.name if len(records) > 1 else "", fontsize=10)
    diamond = any(record.name == f"{profile} on {data}" for record in records)
    caption = (
        "Differences of test PCK, first network less second, on the same persons. Small dots: single seeds, with "
        "intervals over photographs alone; large ones: their mean with the ledger's 95 % interval, over seeds and "
        f"photographs, hollow where fewer than {SEEDS} seeds have both, which decide nothing{'; hollow diamond: the live run' if diamond else ''}. {recorded_in(records)}"
    )
    alt = " ".join(
        f"{_lead(r, records)}Training on without the autoencoder changes PCK by "
        f"{r.difference('control-longer', 'hourglass', 'test').text(3)}, with it by "
        f"{r.difference('modified', 'hourglass', 'test').text(3)}; between the two lie "
        f"{r.difference('modified', 'control-longer', 'test').text(3)}."
        for r in records
    )
    return Plate(figure, caption, alt)


def plot_differences(record: Chains, gain: float | None, *, ax: Axes | None = None) -> Axes:
    """One row a pair of arms, those against the original first."""
    ax = ax or plt.gca()
    ax.axvline(0, color=GREY, linewidth=1)
    for row, (first, second) in enumerate(PAIRS):
        each = record.differences(first, second, "test")
        colour = LINES.get(first, (ORIGINAL, ""))[0]
        for i, d in enumerate(each):
            y = row + 0.26 * ((i + 0.5) / len(each) - 0.5) + 0.2
            ax.plot([d.low, d.high], [y, y], color=colour, linewidth=0.8, alpha=0.55)
            ax.plot(d.value, y, "o", color=colour, markersize=2.6)
        mean = record.difference(first, second, "test")
        face = INK if mean.seeds >= SEEDS else "white"
        if np.isfinite([mean.low, mean.high]).all():
            ax.plot([mean.low, mean.high], [row - 0.17] * 2, color=INK, linewidth=2.2)
        ax.plot(mean.value, row - 0.17, "o", color=INK, markersize=6, markerfacecolor=face)
        if gain is not None and (first, second) == PAIRS[0]:
            ax.plot(gain, row - 0.17, "D", color=INK, markerfacecolor="white", markersize=6)
    ax.set(yticks=range(len(PAIRS)), xlabel="difference of test PCK")
    ax.set_yticklabels([f"{SHORT[a]} − {SHORT[b]}" for a, b in PAIRS], fontsize=8)
    ax.xaxis.set_major_locator(plt.MaxNLocator(4))
    ax.set_ylim(len(PAIRS) - 0.45, -0.55)
    return ax


def ranged(values: np.ndarray) -> str:
    """'0.200 (0.179 to 0.213)': mean, smallest and largest of those there are, and how many where some lack; a dash."""
    there = values[np.isfinite(values)]
    mean, low, high = (number(f(there), 3) if len(there) else "–" for f in (np.mean, np.min, np.max))
    few = f", {len(there)} of {len(values)} seeds" if 0 < len(there) < len(values) else ""
    return f"{mean} ({low} to {high}){few}" if len(there) > 1 else f"{mean}{few}"


def explanation(records: Sequence[Chains]) -> Note:
    """Whether the thesis's explanation of its gain survives (C27), and the choice of checkpoint (C28), in sentences."""
    return Note("\n\n".join(_lead(record, records) + _explained(record) for record in records) or NONE)


def _explained(record: Chains) -> str:
    gain, longer, alone = (record.difference(*pair, "test") for pair in (PAIRS[0], PAIRS[1], PAIRS[4]))
    learned = []
    for name, words in (("control-random", "one frozen at random weights"), ("control-projection", "a projection")):
        d = record.difference("modified", name, "test")
        how = verdict(d, "beats", "falls behind", "cannot be told from") if d.seeds >= SEEDS else "isn't judged against"
        learned.append(f"{how} {words}: {of_seeds(d, record)}")
    return (
        f"**{_verdict(record)}** Over {len(record.seeds)} seeds the network with the autoencoder differs from the "
        f"original by {gain.text(3)} in test PCK, and the one that was only trained on by {longer.text(3)}. "
        f"The difference between the two is {alone.text(3)}. A trained autoencoder {', and '.join(learned)}. "
        f"{_checkpoint(record)}{_levelled(record)}"
    )


def of_seeds(made: Estimate, record: Chains) -> str:
    """Its text; of fewer seeds than a verdict takes it says that they decide nothing."""
    few = ", too few to decide" if made.known and made.seeds < SEEDS else ""
    return among(made, len(record.seeds)) + few


def causes(records: Sequence[Chains]) -> str:
    """What the ledger says of C27 on each record, in words."""
    return " ".join(_lead(record, records) + _verdict(record) for record in records) or NONE


def _verdict(record: Chains) -> str:
    row, explained = Column.of(kept(record.record)).row("C27"), "The thesis's explanation"
    found, gain = row.get("decidable") or np.nan, record.difference(*PAIRS[0], "test").value
    told = {
        HOLDS: f"{explained} survives: the autoencoder gains more than longer training does.",
        FAILS: f"{explained} does not survive: longer training alone gains more than the autoencoder.",
        UNDECIDED: f"{explained} is neither borne out nor refuted: with and without the autoencoder can't be told apart, where a difference of "
        f"{number(found, 4)} would have been found with 80 % power and the whole gain is {number(gain, 4)}.",
    }
    return told.get(row["verdict"], f"{explained} is not judged: that takes {waits(row['reason'])}.")


def _checkpoint(record: Chains) -> str:
    """C28: best PCK or lowest loss."""
    best, count = [one.trainings["hourglass"]["best"] for one in record.seeds], len(record.seeds)
    same = sum(epochs["val_pck"] == epochs["val_loss"] for epochs in best)
    if same == count:
        return (
            "Best PCK and lowest loss fell on one epoch in every seed: nothing hangs on the choice between them, and "
            "the author's preference ({ref}`C28 <claim-c28>`) can't be decided on these runs."
        )
    without, with_it = (record.difference(*pair, "test") for pair in PAIRS[-2:])
    return (
        f"Starting from best PCK instead of lowest loss is worth {of_seeds(with_it, record)} with the autoencoder and "
        f"{of_seeds(without, record)} without; in {same} of {count} seeds both are one epoch."
    )


def _levelled(record: Chains) -> str:
    """Whether the originals had stopped improving, as the author says of his own."""
    late = sum(record.epoch(one, "hourglass") == len(one.epochs("hourglass", "val_pck")) for one in record.seeds)
    if not late:
        return ""
    return (
        f" A limit of this record: in {late} of {len(record.seeds)} seeds the original was at its best in its last "
        "epoch, so it had not levelled off as the thesis's had, and longer training had more left to gain."
    )
