"""What each component tells: every question to every component, and the answers that stand. 03_interpretation."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures.page import Plate, Table, nothing, number, percent
from hgnb.analysis.posture import FIRST, LEVEL, Answers
from hgnb.drawing.style import CYCLE, GREY, INK, counted, style

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
SHADES = "RdBu_r"


def table(answers: Answers, who: str, components: tuple[int, ...] = FIRST, name: str = "tbl-components") -> Table:
    """tbl-components, tbl-components-all: what each of the first components tells, after correction."""
    shown = [c for c in components if c <= len(answers.ratio)]
    intervals, p = answers.intervals(shown), answers.corrected(len(shown))
    rows = []
    for i, c in enumerate(shown):
        said = [f"{q.name}: {q.measure} {row[i].text(2)}" for q, row in zip(answers.questions, intervals, strict=True)]
        order = np.argsort(-np.nan_to_num(answers.strength[:, c - 1], nan=-1), kind="stable")
        stand = "; ".join(said[q] for q in order if p[q, c - 1] < LEVEL)
        tells = stand or f"nothing that stands; strongest is {said[order[0]]}"
        rows.append({"PC": c, "Variance": percent(answers.ratio[c - 1], 1), "Tells": tells})
    if not rows:
        rows = [{"PC": "–", "Variance": "–", "Tells": "too few persons for a component"}]
    unasked = [q.name for q, row in zip(answers.questions, p, strict=True) if not np.isfinite(row).any()]
    without = f" Not asked, because it is the same or unknown for all: {', '.join(unasked)}." if unasked else ""
    caption = (
        f"What the first components of the latents of {who} tell of a person, the strongest first: AUC against a class "
        "(0.5 says nothing, on either side it separates) or correlation r, with 95 % intervals over photographs. "
        f"Of the {int(np.isfinite(p).sum()):,} answers those stand whose p-value is below {LEVEL} after Holm's "
        f"correction for their number; the intervals are those of single answers.{without}"
    )
    return Table(pd.DataFrame(rows), caption, name)


def traits(answers: Answers, who: str, components: tuple[int, ...] = FIRST) -> Plate:
    """fig-pc-traits, fig-pc-traits-all: all answers of the first components, and the strongest ones of all."""
    shown = [c for c in components if c <= len(answers.ratio)]
    if not shown or not np.isfinite(answers.p).any():
        words = "There is no component, or nothing varies that it could tell."
        return nothing(words, words, "There is nothing that a component could tell.")
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.6), width_ratios=(1.15, 1))
        plot_answers(answers, len(shown), ax=left)
        found = plot_strengths(answers, ax=right)
    p, every = answers.corrected(len(shown)), answers.corrected(len(answers.ratio))
    stands = "coloured are those that stand" if (every < LEVEL).any() else "none of them stands"
    caption = (
        f"Left: what the first {len(shown)} components of {who} tell; r, or 2 AUC − 1 for sitting, "
        "negative in blue and positive in red, a dot where the p-value after Holm's correction is below "
        f"{LEVEL}. Right: the size of each of these numbers for all {len(answers.ratio):,} components; "
        f"{stands} after correction for all {int(np.isfinite(every).sum()):,} of them."
    )
    alt = (
        f"{int((p < LEVEL).sum())} of {int(np.isfinite(p).sum())} answers of the first {len(shown)} components stand "
        "after correction for their number."
    )
    standing = np.where(every < LEVEL, answers.strength, -1)
    if found:
        question, component = np.unravel_index(standing.argmax(), standing.shape)
        alt += (
            f" Of all components' answers {int((every < LEVEL).sum())} stand; the strongest is that of component "
            f"{component + 1} on {answers.questions[question].name}, {number(standing.max())} of 1, and none behind "
            f"component {found} stands."
        )
    else:
        alt += " Of all components' answers none stands."
    return Plate(figure, caption, alt)


def plot_answers(answers: Answers, count: int, *, ax: Axes | None = None) -> Axes:
    """A cell for each of the first components and each question, red or blue by sign and strength."""
    ax = ax or plt.gca()
    signed = np.stack([2 * t - 1 if q.is_class else t for q, t in zip(answers.questions, answers.told, strict=True)])
    most = np.ceil(4 * np.nanmax(np.abs(signed[:, :count]))) / 4
    shades = ax.imshow(signed[:, :count].T, cmap=SHADES, vmin=-most, vmax=most, aspect="auto")
    for question, component in np.argwhere(answers.corrected(count) < LEVEL):
        pale = abs(signed[question, component]) > 0.7 * most
        ax.plot(question, component, "o", color="white" if pale else INK, markersize=3)
    for question in np.flatnonzero(~np.isfinite(signed[:, :count]).any(1)):
        ax.text(question, (count - 1) / 2, "the same or unknown", rotation=90, ha="center", va="center", color=GREY)
    ax.set(
        xticks=range(len(signed)), yticks=range(count), yticklabels=range(1, count + 1), ylabel="component",
    )  # fmt: skip
    ax.set_xticklabels([q.name for q in answers.questions], rotation=45, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="y", labelsize=8)
    ax.grid(False)
    ax.figure.colorbar(shades, ax=ax, shrink=0.7, pad=0.02)
    return ax


def plot_strengths(answers: Answers, *, ax: Axes | None = None) -> int:
    """Strength against the component's number, for all; returns the last component that tells something, or 0."""
    ax = ax or plt.gca()
    component, stands = np.arange(1, len(answers.ratio) + 1), answers.corrected(len(answers.ratio)) < LEVEL
    for i, (question, strength) in enumerate(zip(answers.questions, answers.strength, strict=True)):
        ax.plot(component[~stands[i]], strength[~stands[i]], ".", color=GREY, markersize=2, alpha=0.5)
        if stands[i].any():
            ax.plot(
                component[stands[i]], strength[stands[i]], MARKERS[i % 9], color=CYCLE[i % 7], markersize=5,
                label=question.name,
            )  # fmt: skip
    counted(ax, len(component))
    ax.set(xlabel="component", ylabel="strength", ylim=(0, 1))
    if stands.any():
        ax.legend(fontsize=8.5, ncols=2, handletextpad=0.1, columnspacing=0.6)
    return int(component[stands.any(0)].max(initial=0))
