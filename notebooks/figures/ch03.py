"""Figures of 03_interpretation that are too long for a cell: skip-connections, walks, what components tell and carry.

Thesis figures 13 to 15. What is drawn of clusters and maps is in `figures.clustering`.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from figures.live import CELL, CROP, TRUTH, filed, met
from figures.plate import Live, Plate, Table
from figures.portraits import Portraits, sharpened
from figures.sprites import Sprites
from figures.words import nothing, number, percent, verdict
from hgnb.analysis.components import Walk
from hgnb.analysis.posture import FIRST, LEVEL, Answers
from hgnb.analysis.skips import BIG, ENOUGH, SMALL, Shown, SkipStudy
from hgnb.analysis.truncation import NOISE_FROM, WITHIN, Truncation
from hgnb.data.credits import photo_credits
from hgnb.drawing.style import BLUE, CYCLE, GREY, INK, ORANGE, RED, SIDES, counted, style
from hgnb.stats import Estimate
from hgnb.training.experiment import Experiment

NO_COMPONENT = "There are too few persons for a principal component."
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


def portraits(experiment: Experiment) -> Portraits:
    """The training persons as small pictures, with the credits of their photographs."""
    credits = photo_credits(experiment.folder)
    return Portraits.of(experiment.prepared(), "train", experiment.profile.heatmaps, credits)


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


def keypoints(study: SkipStudy) -> Plate:
    """fig-skip-keypoints: what each keypoint loses without all skips, and without each level's alone."""
    lost = {name: study.lost(name) for name in study.schema.names if study.counted(name)}
    if not lost:
        words = "The network finds no visible keypoint of a well-labelled training person."
        return nothing(words, words, "There is no keypoint whose loss could be measured.")
    names = sorted(lost, key=lambda name: -lost[name].value)
    titles = [name.replace("_", " ") for name in names]
    with style():
        ratios = (1, 0.16 * len(study.alone) + 0.02)
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(8.4, 0.25 * len(names) + 1.2), width_ratios=ratios, sharey=True
        )
        for row, name in enumerate(names):
            colour, marker = (ORANGE, "s") if name in SMALL else (BLUE, "o") if name in BIG else (GREY, "o")
            left.plot([lost[name].low, lost[name].high], [row, row], color=INK, linewidth=1.0)
            filled = colour if name in SMALL + BIG else "white"
            left.plot(lost[name].value, row, marker, color=colour, markersize=6, markerfacecolor=filled)
        left.set(xlabel="lost, all skips off", xlim=(-0.03, 1.03), ylim=(len(names) - 0.5, -0.5))
        plot_lost_by_level(study, names, ax=right)
        left.set(yticks=range(len(names)), yticklabels=titles)
    caption = (
        "Share of the keypoints found with skip-connections that are missed without them, all off (left, with 95 % "
        "intervals over photographs) and one level off at a time (right, in %): visible keypoints of training "
        f"persons with at least {min(ENOUGH, len(study.schema))} labelled ones. Squares are the small joints of the "
        "thesis, filled dots its big ones, rings the others."
    )
    most, least = (percent(lost[names[end]].value) for end in (0, -1))
    alt = (
        f"Without skip-connections {most} of the {titles[0]} keypoints are lost, the most, and {least} of the "
        f"{titles[-1]} keypoints, the fewest."
    )
    return Plate(figure, caption, alt)


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


def samples(study: SkipStudy, shown: Shown, people: Portraits, without: np.ndarray, across: int = 3) -> Plate:
    """fig-skip-samples: crop, truth and the prediction without skips; `without` (n, K, h, w) of the shown persons."""
    n = len(shown.positions)
    if not n:
        return nothing("No training person to show.", "No person to show.", "There is no training person to show.")
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
    if shown.perfect == n:
        who = f"{n} of the {shown.available} training persons of whom every keypoint is found with skips, drawn by seed"
    else:
        who = (
            f"{n} training persons; the network with skips finds every keypoint of only {shown.available} that have "
            "enough labelled, so the best of the others fill the rows"
        )
    caption = (
        f"{who[0].upper()}{who[1:]}: crop, true heatmaps, and the prediction without skips for the same keypoints "
        "(top fifth of each map's range; a filled dot is a keypoint found, a hollow one missed; the number counts "
        "the found). Blue: the person's left, red: right."
    )
    share = kept.sum() / max(labelled.sum(), 1)
    alt = f"Without skip-connections {kept.sum()} of the {labelled.sum()} keypoints shown are found ({percent(share)})."
    return Plate(figure, people.credited(caption, shown.positions.tolist()), alt)


def plot_guesses(people: Portraits, maps: np.ndarray, seen: np.ndarray, found: np.ndarray, *, ax: Axes) -> None:
    """Dots at the peaks of the maps: filled where the keypoint is found, hollow where it isn't."""
    size = maps.shape[-1]
    for k in np.flatnonzero(seen):
        y, x = np.unravel_index(maps[k].argmax(), maps[k].shape)
        colour = SIDES[people.schema.sides[k]]["color"]
        ax.plot((x + 0.5) / size, (y + 0.5) / size, "o", color=colour, markersize=3, markeredgewidth=0.7,
                markerfacecolor=colour if found[k] else "white")  # fmt: skip


# Walks


def walks(paths: Sequence[Walk], steps: Sequence[float], people: Portraits, who: str, decoded: np.ndarray) -> Plate:
    """fig-pc-walks: the person nearest each point of the walk along each component, and the point itself decoded.

    decoded: (walks, steps, K, h, w), what the network makes of the points.
    """
    if not paths:
        words = "The persons' latents don't vary, or there are fewer than two: no component to walk along."
        return nothing(words, "No components.", NO_COMPONENT)
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
    caption = (
        rf"Walks to $\bar{{\boldsymbol z}} + c\sqrt{{\lambda_i}}\,\boldsymbol w_i$ for {who}, one row for each "
        "component with its share of the variance, one column for each step. Left: true heatmaps of the person nearest "
        "to the point. Right: the heatmaps that the rest of the network makes of the point itself, with the "
        "skip-connections of the person nearest to the mean throughout (top fifth of each map's range, bones between "
        "the maxima). Blue: the person's left, red: right."
    )
    gone = zip(paths, travel(decoded), strict=True)
    told = "; ".join(f"{w.different} and {percent(way, 1)} on PC {w.component}" for w, way in gone)
    alt = (
        f"Different persons met in {n} steps, and how far a decoded keypoint moves between the ends on average, as a "
        f"share of the crop's side: {told}."
    )
    return Plate(figure, caption, alt)


def travel(decoded: np.ndarray) -> np.ndarray:
    """(W, S, K, h, w) -> (W,): mean distance of a keypoint's peak between the ends of a walk, of the map's side."""
    ends = decoded[:, [0, -1]]
    peak = ends.reshape(*ends.shape[:3], -1).argmax(-1)
    size = decoded.shape[-1]
    gap = np.stack([peak % size, peak // size], -1)
    return np.linalg.norm(gap[:, 0] - gap[:, 1], axis=-1).mean(-1) / size


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
        return nothing(words, words, "There is nothing that a component could tell.")
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
        rows.append((runs(silent), together, "nothing that stands"))
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


def runs(numbers: Sequence[int]) -> str:
    """'2, 5 to 9, 11' of ascending whole numbers."""
    parts: list[list[int]] = []
    for n in numbers:
        if parts and n == parts[-1][-1] + 1:
            parts[-1].append(n)
        else:
            parts.append([n])
    return ", ".join(f"{p[0]} to {p[-1]}" if len(p) > 2 else ", ".join(map(str, p)) for p in parts)


def pck_components(
    own: Truncation | None, other: Truncation | None, removed: Mapping[int, Estimate], who: str
) -> Plate:
    """fig-pck-components: PCK with the first k components kept, and what is lost without single ones.

    own: with components of these very persons; other: with those of the other half of the images, if there are any.
    """
    if own is None:
        words = "There is no component to keep."
        return nothing(words, words, NO_COMPONENT)
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.9), width_ratios=(1.6, 1))
        plot_kept(own, other, ax=left)
        for x, drop in enumerate(removed.values()):
            right.plot([x, x], [drop.low, drop.high], color=INK, linewidth=1.0)
            right.plot(x, drop.value, "o", color=BLUE if drop.low > 0 else GREY, markersize=4)
        right.axhline(0, color=GREY, linewidth=0.8)
        right.set(xlabel="component removed", ylabel="PCK lost")
        right.set_xticks(range(len(removed)), [str(c) for c in removed], fontsize=8, rotation=90)
    crossed = ", or of the persons of the other half of the images (dashed)" if other else ""
    caption = (
        f"Left: PCK of {len(own.images):,} {who} whose latents keep only their first k components, of these persons "
        f"(line){crossed}; k = 0 leaves the mean of all. "
        f"Dotted: PCK with untouched latents, and {percent(WITHIN)} less. "
        "Skip-connections are on throughout. Right: PCK lost when one component alone is removed, blue where that is "
        "clear. 95 % intervals over photographs."
    )
    smallest, near = own.smallest(), f"within {percent(WITHIN)}"
    reached = f"not {near}" if smallest is None else f"{near} with {smallest} components"
    alt = (
        f"PCK is {number(own.full.value, 3)} with untouched latents and {number(own.pck(0).value, 3)} with none of "
        f"their components; it is reached {reached}; of {len(removed)} components removed singly "
        f"{sum(drop.low > 0 for drop in removed.values())} have an interval of the loss above zero."
    )
    return Plate(figure, caption, alt)


def plot_kept(own: Truncation, other: Truncation | None, *, ax: Axes) -> None:
    """PCK against k, on a scale that has a place for 0."""
    most, smallest = max(own.counts), own.smallest()
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


def kept_told(own: Truncation, other: Truncation | None) -> str:
    """What the curves say of the thesis's fiftieth component, in sentences."""
    smallest, k, most = own.smallest(), NOISE_FROM - 1, max(own.counts)
    enough = (
        f"No number of components tried comes within {percent(WITHIN)} of it."
        if smallest is None
        else f"The first {smallest:,} components suffice to come within {percent(WITHIN)} of it."
    )
    fiftieth = f"There are only {most:,} components here, fewer than the thesis's first {k}."
    if k in own.hits:
        loss = own.lost(k)
        clear = verdict(loss, "a clear loss", "a clear gain", "no clear difference")
        fiftieth = f"With the first {k} kept, as the thesis has it, the loss is {loss.text(3)}: {clear}."
    half = ""
    if other is not None:
        last = max(other.counts)
        half = (
            " Components of the other half of the images, which these persons had no part in, leave a loss of "
            f"{other.lost(last).text(3)} with all {last:,} of them kept."
        )
    return (
        f"With untouched latents the PCK of these persons is {own.full.text(3)}; with the mean of all in their place "
        f"it is {own.pck(0).text(3)}: so much the skip-connections know alone. {enough} {fiftieth}{half}"
    )
