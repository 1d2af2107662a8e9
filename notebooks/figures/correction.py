"""Figure of what correcting the misplaced persons would gain. Thesis 8.4; 07_beyond."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from figures.page import Plate, nothing, verdict
from hgnb.analysis.interventions import ACROSS, ASTRAY, Moved
from hgnb.analysis.misplaced import Bound
from hgnb.drawing.style import GREEN, GREY, INK, ORANGE, style

LOOKS = {ACROSS: (ORANGE, "o"), ASTRAY: (INK, "s")}
Answers = Mapping[str, tuple[Bound, list[Moved]]]  # by what a figure calls the space


def correction(answers: Answers) -> Plate:
    """fig-correction: PCK that would be won by the misplaced, and what moving them does."""
    if not any(np.isfinite(bound.gain.value) for bound, _ in answers.values()):
        words = "Nobody is misplaced here, or nobody misplaced can be compared: there is nothing to correct."
        return nothing(words, words, words)
    with style():
        figure, axes = plt.subplots(1, len(answers), figsize=(4.9 * len(answers), 3.5), sharex=True, squeeze=False)
        for ax, (space, answer) in zip(axes[0], answers.items(), strict=True):
            plot_moves(*answer, ax=ax)
            ax.set_title(space)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    held = next(iter(answers.values()))[1]
    counts = ", ".join(f"{m.persons} {m.who}" for m in held if m.where == ACROSS and m.step == held[-1].step)
    caption = (
        "PCK gained where the points of persons are moved to the other cluster, along the line between the centroids "
        f"or as far in a direction drawn by lot, by the share of the way; {counts} training persons, drawn by lot. The "
        "green bar is the bound: what all persons would gain if the misplaced had the PCK of the well placed with as "
        "many labelled keypoints. 95 % intervals over photographs."
    )
    alt = "; ".join(_shortly(space, *answer) for space, answer in answers.items())
    return Plate(figure, caption, f"{alt}.")


def _full(moves: list[Moved], who: str, where: str) -> Moved:
    """The longest step."""
    return max((m for m in moves if (m.who, m.where) == (who, where)), key=lambda m: m.step)


def _shortly(space: str, bound: Bound, moves: list[Moved]) -> str:
    gain = _full(moves, "misplaced", ACROSS).gain
    return f"{space}: the bound is {bound.gain.text(3)}, moving the misplaced all the way changes PCK by {gain.text(3)}"


def plot_moves(bound: Bound, moves: list[Moved], *, ax: Axes | None = None) -> Axes:
    """A row for each kind of person and step, the bound on top."""
    ax = ax or plt.gca()
    rows = list(dict.fromkeys((m.who, m.step) for m in moves))
    for move in moves:
        colour, marker = LOOKS[move.where]
        y = 1 + rows.index((move.who, move.step)) + (0.14 if move.where == ASTRAY else -0.14)
        ax.plot([move.gain.low, move.gain.high], [y, y], color=colour, linewidth=1.2)
        label = move.where if (move.who, move.step) == rows[0] else None
        ax.plot(move.gain.value, y, marker, color=colour, markersize=5, label=label)
    ax.plot([bound.gain.low, bound.gain.high], [0, 0], color=GREEN, linewidth=1.2)
    ax.barh(0, bound.gain.value, color=GREEN, alpha=0.5, height=0.5, label="bound")
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set(xlabel="PCK gained", ylim=(len(rows) + 0.5, -0.6))
    ax.xaxis.set_major_locator(plt.MaxNLocator(4))
    ax.set_yticks(range(len(rows) + 1), ["bound", *(f"{who}, {step:g} of the way" for who, step in rows)], fontsize=8)
    return ax


def told(answers: Answers) -> str:
    """Both answers in sentences."""
    lines = []
    for space, (bound, moves) in answers.items():
        if not np.isfinite(bound.gain.value):
            lines.append(f"- {space}: nobody misplaced can be compared.")
            continue
        across, astray = (_full(moves, "misplaced", where).gain for where in (ACROSS, ASTRAY))
        well = _full(moves, "well placed", ACROSS).gain
        moved = verdict(across, "better", "worse", "neither clearly better nor worse")
        lines.append(
            f"- {space}: {bound.persons:,} of {bound.judged:,} persons are misplaced and can be compared; had they the "
            f"PCK of the well placed, {bound.gain.text(3)} would be won over all. Moved to the other centroid they are "
            f"predicted {moved}: {across.text(3)}; moved as far by lot they change by {astray.text(3)}, and the well "
            f"placed change by {well.text(3)}."
        )
    return "\n".join(lines)
