"""Figures of 03_interpretation that are too long for a cell: skip-connections, walks, what components tell and carry.

Thesis figures 13 to 15. What is drawn of clusters and maps is in `figures.clustering`.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from figures.live import CELL, CROP, TRUTH, filed, met
from figures.page import Live, Plate, Sprites, Table, nothing, number, percent
from figures.portraits import Portraits, sharpened
from figures.portraits import peaks as peaks  # the chapter takes it from here
from hgnb.analysis.components import Walk
from hgnb.analysis.posture import FIRST, LEVEL, Answers
from hgnb.analysis.skips import BIG, SMALL, Shown, SkipStudy
from hgnb.analysis.truncation import WITHIN, Truncation
from hgnb.data import coco
from hgnb.data.credits import photo_credits
from hgnb.drawing import BLUE, CYCLE, GREY, INK, ORANGE, RED, SIDES, counted, style
from hgnb.stats import Estimate, above, holm
from hgnb.training.experiment import Experiment

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


def portraits(experiment: Experiment) -> Portraits:
    """The training persons as small pictures, with the credits of their photographs."""
    credits = photo_credits(experiment.folder)
    return Portraits.of(experiment.prepared(), "train", experiment.profile.heatmaps, credits)


def boxes(experiment: Experiment) -> np.ndarray:
    """(N, 4) the annotated boxes of the training persons: (x, y, w, h) in pixels of the photograph."""
    known = {person.id: person.box for person in coco.load(experiment.folder, "train").persons}
    return np.array([known[number] for number in experiment.prepared().split("train").person_ids.tolist()])


# Skip-connections


def levels(study: SkipStudy) -> list[str]:
    """How figures call the levels whose skips were tried alone."""
    return [f"level {i + 1}{'' if i else ' (finest)'}" for i in range(len(study.alone))]


def plot_levels(study: SkipStudy, *, ax: Axes) -> None:
    """The drop of pooled PCK without each level's skip, and without all."""
    names = [*levels(study), "all off"]
    for row, drop in enumerate([*study.levels, study.drop]):
        ax.plot([drop.low, drop.high], [row, row], color=INK, linewidth=1.2)
        ax.plot(drop.value, row, "o", color=ORANGE if names[row] == "all off" else BLUE, markersize=7)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set(yticks=range(len(names)), yticklabels=names, xlabel="PCK lost", ylim=(len(names) - 0.5, -0.5))
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, -0.01), max(high, 0.01))
    ax.xaxis.set_major_locator(MaxNLocator(4))


def keypoints(study: SkipStudy, lost: Mapping[str, Estimate]) -> Figure:
    """What each keypoint loses without all skips, the most lost on top, and without each level's alone."""
    with style():
        ratios, size = (1, 0.16 * len(study.alone) + 0.02), (8.4, 0.25 * len(lost) + 1.2)
        figure, (left, right) = plt.subplots(1, 2, figsize=size, width_ratios=ratios, sharey=True)
        for row, (name, share) in enumerate(lost.items()):
            colour, marker = (ORANGE, "s") if name in SMALL else (BLUE, "o") if name in BIG else (GREY, "o")
            filled = colour if name in SMALL + BIG else "white"
            left.plot([share.low, share.high], [row, row], color=INK, linewidth=1.0)
            left.plot(share.value, row, marker, color=colour, markersize=6, markerfacecolor=filled)
        left.set(xlabel="lost, all skips off", xlim=(-0.03, 1.03), ylim=(len(lost) - 0.5, -0.5))
        plot_lost_by_level(study, list(lost), ax=right)
        left.set(yticks=range(len(lost)), yticklabels=[name.replace("_", " ") for name in lost])
    return figure


def plot_lost_by_level(study: SkipStudy, names: list[str], *, ax: Axes) -> None:
    """A cell for each keypoint and level: per cent lost without that level's skip alone."""
    tried = range(len(study.alone))
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelleft=False)
    if not tried:
        ax.axis("off")
        return
    shares = np.array([[study.lost(name, level=i).value for i in tried] for name in names])
    ax.imshow(shares, cmap="Oranges", vmin=0, vmax=1.3, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        ax.text(column, row, percent(share).removesuffix(" %"), ha="center", va="center", fontsize=8, color=INK)
    ax.set(xticks=tried, xticklabels=[i + 1 for i in tried], xlabel="lost, one level off")


def samples(study: SkipStudy, shown: Shown, people: Portraits, without: np.ndarray, across: int = 3) -> Figure:
    """Crop, truth and the prediction without skips of each shown person; `without` (n, K, h, w)."""
    n = len(shown.positions)
    labelled = study.visibility[shown.positions] > 0
    kept = study.off[shown.positions] & labelled
    across = min(across, n)
    rows = -(-n // across)
    with style():
        ratios = ([1, 1, 1, 0.12] * across)[:-1]
        figure, axes = plt.subplots(
            rows, 4 * across - 1, figsize=(0.93 * sum(ratios), 0.98 * rows + 0.2), width_ratios=ratios, squeeze=False,
        )  # fmt: skip
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
        for ax in axes.flat:
            ax.axis("off")
        for i, person in enumerate(shown.positions):
            photo, truth, guess = three = axes[i // across, 4 * (i % across) : 4 * (i % across) + 3]
            for ax, words in zip(three, ("crop", "truth", "no skips"), strict=True):
                ax.axis("on")
                if i < across:
                    ax.set_title(words, fontsize=8, pad=2)
            people.photo(photo, person)
            people.draw(truth, person)
            people.draw(guess, person, sharpened(without[i]) * labelled[i][:, None, None])
            plot_guesses(people, without[i], labelled[i], kept[i], ax=guess)
            guess.set_xlabel(f"{kept[i].sum()} of {labelled[i].sum()}", fontsize=8, labelpad=1)
    return figure


def plot_guesses(people: Portraits, maps: np.ndarray, seen: np.ndarray, found: np.ndarray, *, ax: Axes) -> None:
    """Dots at the peaks of the maps: filled where the keypoint is found, hollow where it isn't."""
    for k in np.flatnonzero(seen):
        colour = SIDES[people.schema.sides[k]]["color"]
        face = colour if found[k] else "white"
        ax.plot(*peaks(maps[k]), "o", color=colour, markersize=3, markeredgewidth=0.7, markerfacecolor=face)


# Walks


def walks(paths: Sequence[Walk], steps: Sequence[float], people: Portraits, decoded: np.ndarray) -> Figure:
    """The person nearest each point of the walk along each component, and the point itself decoded.

    decoded: (walks, steps, K, h, w), what the network makes of the points.
    """
    with style():
        n = len(steps)
        ratios = [1] * n + [0.18] + [1] * n
        figure, axes = plt.subplots(
            len(paths), 2 * n + 1, figsize=(0.86 * sum(ratios) + 0.9, 0.88 * len(paths) + 0.5), width_ratios=ratios,
            squeeze=False,
        )  # fmt: skip
        figure.get_layout_engine().set(w_pad=0.012, h_pad=0.012, wspace=0.01, hspace=0.01)
        for row, walk, maps in zip(axes, paths, decoded, strict=True):
            row[n].axis("off")
            for column, (person, said) in enumerate(zip(walk.persons, maps, strict=True)):
                people.draw(row[column], int(person))
                people.said(row[n + 1 + column], said)
            label = f"PC {walk.component}\n{percent(walk.ratio, 2)}"
            row[0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6)
        for column, c in enumerate(steps):
            for block, words in ((0, "nearest person\n"), (n + 1, "the point, decoded\n")):
                title = f"{words if column == n // 2 else ''}c = {c:g}".replace("-", "−")
                axes[0, block + column].set_title(title, fontsize=9, pad=3)
    return figure


def slider(paths: Sequence[Walk], steps: Sequence[float], people: Portraits, decoded: np.ndarray) -> Live | None:
    """fig-pc-walks with a slider along each component: the nearest person of every step, and the point decoded.

    paths: with a person for each of `steps`; decoded: (walks, steps, K, h, w). None where there is no component.
    """
    if not paths:
        return None
    drawn: dict[str, dict[bytes, np.ndarray]] = {CROP: {}, TRUTH: {}, "the point, decoded": {}}
    ways = []
    for path, maps in zip(paths, decoded, strict=True):
        row: list[dict] = []
        for before, person, said in zip([None, *path.persons], path.persons, maps, strict=False):
            entry, pictures = met(people, int(person), said)
            if person == before:
                entry["facts"] += ", the same as one step before"
            cells = [filed(sheet, picture) for sheet, picture in zip(drawn.values(), pictures, strict=True)]
            row.append(entry | {"cells": cells})
        ways.append({"name": f"PC {path.component}", "detail": f"{percent(path.ratio, 2)} of the variance", "met": row})
    sheets = tuple(Sprites.of(name, list(pictures.values()), CELL) for name, pictures in drawn.items())
    data = {"steps": [float(c) for c in steps], "ways": ways, "strip": len(sheets) - 1}
    return Live("fig-pc-walks", "walk", data, sheets)


# What components tell, and whether the network needs them


def traits(answers: Answers, who: str) -> Plate:
    """fig-pc-traits, fig-pc-traits-all: all answers of the first components, and the strongest ones of all."""
    count, every = min(len(FIRST), len(answers.ratio)), len(answers.ratio)
    if not count or not np.isfinite(answers.p).any():
        words = "There is no component, or nothing varies that it could tell."
        return nothing(words, alt="There is nothing that a component could tell.")
    first, all_ = answers.corrected(count), answers.corrected(every)
    stands = all_ < LEVEL
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.6), width_ratios=(1.15, 1))
        plot_answers(answers, first, ax=left)
        plot_strengths(answers, stands, ax=right)
    coloured = "coloured are those that stand" if stands.any() else "none of them stands"
    caption = (
        f"Left: what the first {count} components of {who} tell; r, or 2 AUC − 1 for sitting, "
        "negative in blue and positive in red, a dot where the p-value after Holm's correction is below "
        f"{LEVEL}. Right: the size of each of these numbers for all {every:,} components; "
        f"{coloured} after correction for all {int(np.isfinite(all_).sum()):,} of them."
    )
    alt = (
        f"{int((first < LEVEL).sum())} of {int(np.isfinite(first).sum())} answers of the first {count} components "
        "stand after correction for their number. Of all components' answers "
    )
    if not stands.any():
        return Plate(figure, caption, f"{alt}none stands.")
    standing = np.where(stands, answers.strength, -1)
    question, component = np.unravel_index(standing.argmax(), standing.shape)
    return Plate(
        figure,
        caption,
        f"{alt}{int(stands.sum())} stand; the strongest is that of component {component + 1} on "
        f"{answers.questions[question].name}, {number(standing.max())} of 1, and none behind component "
        f"{np.flatnonzero(stands.any(0)).max() + 1} stands.",
    )


def plot_answers(answers: Answers, p: np.ndarray, *, ax: Axes) -> None:
    """A cell for each question and each of the first components, red or blue by sign and strength; p (Q, n)."""
    count = p.shape[1]
    signed = np.stack([2 * t - 1 if q.is_class else t for q, t in zip(answers.questions, answers.told, strict=True)])
    signed = signed[:, :count]
    most = np.ceil(4 * np.nanmax(np.abs(signed))) / 4
    shades = ax.imshow(signed.T, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto")
    for question, component in np.argwhere(p < LEVEL):
        pale = abs(signed[question, component]) > 0.7 * most
        ax.plot(question, component, "o", color="white" if pale else INK, markersize=3)
    for question in np.flatnonzero(~np.isfinite(signed).any(1)):
        ax.text(question, (count - 1) / 2, "the same or unknown", rotation=90, ha="center", va="center", color=GREY)
    ax.set(xticks=range(len(signed)), yticks=range(count), yticklabels=range(1, count + 1), ylabel="component")
    ax.set_xticklabels([q.name for q in answers.questions], rotation=45, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="y", labelsize=8)
    ax.grid(False)
    ax.figure.colorbar(shades, ax=ax, shrink=0.7, pad=0.02)


def plot_strengths(answers: Answers, stands: np.ndarray, *, ax: Axes) -> None:
    """Strength of all answers against the component's number, coloured where they stand, (Q, n) bool."""
    component = np.arange(1, len(answers.ratio) + 1)
    for i, (question, strength, at) in enumerate(zip(answers.questions, answers.strength, stands, strict=True)):
        ax.plot(component[~at], strength[~at], ".", color=GREY, markersize=2, alpha=0.5)
        if at.any():
            ax.plot(component[at], strength[at], MARKERS[i % 9], color=CYCLE[i % 7], markersize=5, label=question.name)
    counted(ax, len(component))
    ax.set(xlabel="component", ylabel="strength", ylim=(0, 1))
    if stands.any():
        ax.legend(fontsize=8.5, ncols=2, handletextpad=0.1, columnspacing=0.6)


def traits_table(answers: Answers, who: str, name: str) -> Table:
    """tbl-components, tbl-components-all: the first components of which something stands, the others in one row."""
    shown = FIRST[: len(answers.ratio)]
    intervals, p = answers.intervals(shown), answers.corrected(len(shown))
    rows: list[tuple[str, str, str]] = []
    silent: list[int] = []
    for i, component in enumerate(shown):
        order = np.argsort(-np.nan_to_num(answers.strength[:, i], nan=-1), kind="stable")
        stand = [f"{(q := answers.questions[j]).name}: {q.measure} {intervals[j][i].text(2)}" for j in order
                 if p[j, i] < LEVEL]  # fmt: skip
        if stand:
            rows.append((str(component), percent(answers.ratio[i], 1), "; ".join(stand)))
        else:
            silent.append(component)
    if silent:
        together = percent(float(answers.ratio[[c - 1 for c in silent]].sum()), 1)
        which = f"the other {len(silent)}" if rows else f"all {len(silent)}"
        rows.append((which, together, "nothing that stands"))
    rows = rows or [("–", "–", "too few persons for a component")]
    unasked = [q.name for q, row in zip(answers.questions, p, strict=True) if not np.isfinite(row).any()]
    without = f" Not asked, because it is the same or unknown for all: {', '.join(unasked)}." if unasked else ""
    caption = (
        f"What the first components of the latents of {who} tell of a person, the strongest first: AUC against a class "
        "(0.5 says nothing, on either side it separates) or correlation r, with 95 % intervals over photographs. "
        f"Of the {int(np.isfinite(p).sum()):,} answers those stand whose p-value is below {LEVEL} after Holm's "
        f"correction for their number; the intervals are those of single answers.{without}"
    )
    return Table(pd.DataFrame(rows, columns=["PC", "Variance", "Tells"]), caption, name)


def fewest(made: Truncation) -> str:
    """'18 of 39 are the fewest tried …': how many components come near the whole PCK, and how sure that is."""
    most, near, k = max(made.counts), percent(WITHIN), made.smallest()
    which = f"not even all {most:,} come" if k is None else f"{k:,} of {most:,} are the fewest tried that come"
    lost = made.lost(most if k is None else k).text(3)
    return f"{which} within {near}: {lost} is lost, and {near} is {number(WITHIN * made.full.value, 3)}"


def stands(removed: Mapping[int, Estimate]) -> np.ndarray:
    """(n,) bool: which removals change PCK after Holm's correction for their number."""
    return holm(np.array([above(drop).p for drop in removed.values()])) < LEVEL


def pck_components(own: Truncation, other: Truncation | None, removed: Mapping[int, Estimate]) -> Figure:
    """PCK with the first k components kept, and what is lost without single ones.

    own: with components of these very persons; other: with those of the other half of the images, if there are any.
    """
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.9), width_ratios=(1.6, 1))
        plot_kept(own, other, ax=left)
        for x, (drop, clear) in enumerate(zip(removed.values(), stands(removed), strict=True)):
            right.plot([x, x], [drop.low, drop.high], color=INK, linewidth=1.0)
            right.plot(x, drop.value, "o", color=BLUE if clear else GREY, markersize=4)
        right.axhline(0, color=GREY, linewidth=0.8)
        right.set(xlabel="component removed", ylabel="PCK lost")
        right.set_xticks(range(len(removed)), [str(c) for c in removed], fontsize=8, rotation=90)
    return figure


def plot_kept(own: Truncation, other: Truncation | None, *, ax: Axes) -> None:
    """PCK against k, on a scale that has a place for 0; red: where the other half's, or else the own, come near."""
    most, smallest = max(own.counts), (other or own).smallest()
    lines = ((own, BLUE, "o-", "components of these persons"), (other, ORANGE, "s--", "of the other half"))
    for made, colour, line, words in lines:
        if made is not None:
            found = [made.pck(k) for k in made.counts]
            ax.fill_between(made.counts, [f.low for f in found], [f.high for f in found], color=colour, alpha=0.15)
            ax.plot(made.counts, [f.value for f in found], line, color=colour, markersize=4, label=words)
    ax.axhline(own.full.value, color=INK, linestyle=":", linewidth=1.2)
    ax.axhline((1 - WITHIN) * own.full.value, color=INK, linestyle=":", linewidth=0.8)
    if smallest is not None:
        ax.axvline(smallest, color=RED, linewidth=1.0)
        ax.annotate(f"k = {smallest}", (smallest, 0.03), xycoords=("data", "axes fraction"), xytext=(4, 0),
                    textcoords="offset points", color=RED)  # fmt: skip
    ax.set_xscale("symlog", linthresh=1, linscale=0.5)
    ticks = [0, *(2**i for i in range(0, most.bit_length(), 2 if most > 64 else 1))]
    ax.set(xticks=ticks, xticklabels=ticks, xlabel="components kept", ylabel="PCK", xlim=(-0.1, 1.25 * most))
    ax.minorticks_off()
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.15), ncols=2, fontsize=9)
