"""What the skip-connections carry: histograms, levels, examples. Thesis figures 13 and 14; 03_interpretation."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from figures.page import Plate, Table, nothing, number, percent, verdict
from figures.portraits import Portraits, sharpened
from hgnb.analysis.skips import BIG, ENOUGH, SMALL, Shown, SkipStudy
from hgnb.data.schema import KeypointSchema
from hgnb.drawing.style import BLUE, GREY, INK, ORANGE, SIDES, style
from hgnb.stats import Estimate


def histograms(study: SkipStudy) -> Plate:
    """fig-skip-histograms: PCK of each training person, skips on and off; what each level is worth."""
    on, off = study.pooled(study.on), study.pooled(study.off)
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.3), width_ratios=(1.7, 1))
        plot_histograms(study, ax=left)
        plot_levels(study, ax=right)
    persons = int(np.isfinite(study.by_person(study.on)).sum())
    tried = f"; single levels tried on {len(study.chosen):,} persons" if study.alone else ""
    caption = (
        f"PCK of each of {persons:,} training persons with all skip-connections and with none (left), "
        f"and how much of the pooled PCK goes when one level's skip or all are off (right; 95 % intervals, "
        f"over photographs{tried})."
    )
    alt = (
        f"Pooled PCK is {number(on.value, 3)} with skip-connections and {number(off.value, 3)} without: "
        f"{verdict(study.drop, 'a drop', 'a rise', 'no clear difference')} of {study.drop.text(3)}."
    )
    return Plate(figure, caption, alt)


def told(study: SkipStudy) -> str:
    """What the histograms say, in sentences."""
    on, off = study.pooled(study.on), study.pooled(study.off)
    if not study.alone:
        return (
            "This network was built without skip-connections, so there is nothing to switch off: "
            f"its training PCK is {on.text(3)}."
        )
    words = ("The network loses", "The network gains", "The interval includes zero:")
    return (
        f"With all skip-connections the training PCK is {on.text(3)}, without them {off.text(3)}. "
        f"{verdict(study.drop, *words)} a difference of {study.drop.text(3)}, paired over the same persons. "
        f"What is left is {percent(off.value / on.value) if on.value else 'nothing to divide'} of the whole."
    )


def plot_histograms(study: SkipStudy, *, ax: Axes | None = None) -> Axes:
    """Two histograms of PCK by person."""
    ax = ax or plt.gca()
    bins = np.linspace(0, 1, 21)
    for hits, colour, words in ((study.off, ORANGE, "no skips"), (study.on, BLUE, "all skips")):
        values = study.by_person(hits)
        values = values[np.isfinite(values)]
        ax.hist(values, bins, color=colour, alpha=0.35)
        ax.hist(values, bins, histtype="step", color=colour, linewidth=1.6, label=words,
                linestyle="-" if colour == BLUE else "--")  # fmt: skip
    ax.set(xlabel="PCK of a person", ylabel="persons", xlim=(0, 1))
    ax.legend()
    return ax


def plot_levels(study: SkipStudy, *, ax: Axes | None = None) -> Axes:
    """The drop of pooled PCK without each level's skip, and without all."""
    ax = ax or plt.gca()
    names = levels(study)
    for row, drop in enumerate([*study.levels, study.drop]):
        ax.plot([drop.low, drop.high], [row, row], color=INK, linewidth=1.2)
        ax.plot(drop.value, row, "o", color=BLUE if row < len(names) else ORANGE, markersize=7)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set(
        yticks=range(len(names) + 1), yticklabels=[*names, "all off"], xlabel="PCK lost", ylim=(len(names) + 0.5, -0.5)
    )
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, -0.01), max(high, 0.01))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    return ax


def levels(study: SkipStudy) -> list[str]:
    """How figures call the levels whose skips were tried alone."""
    return ["level 1 (finest)", *(f"level {i + 1}" for i in range(1, len(study.alone)))][: len(study.alone)]


def keypoints(study: SkipStudy) -> Plate:
    """fig-skip-keypoints: what each keypoint loses without all skips, and without each level's alone."""
    names = [n for n in study.schema.names if study.counted(n)]
    if not names:
        words = "The network finds no visible keypoint of a well-labelled training person."
        return nothing(words, words, "There is no keypoint whose loss could be measured.")
    lost = {n: study.lost(n) for n in names}
    names.sort(key=lambda n: -lost[n].value)
    with style():
        figure, axes = plt.subplots(
            1, 2, figsize=(8.4, 0.25 * len(names) + 1.2), width_ratios=(1, 0.16 * len(study.alone) + 0.02), sharey=True
        )
        plot_lost([lost[n] for n in names], [_colour(n) for n in names], ax=axes[0])
        axes[0].set(yticks=range(len(names)), yticklabels=[n.replace("_", " ") for n in names])
        plot_lost_by_level(study, names, ax=axes[1])
    worst, best = names[0].replace("_", " "), names[-1].replace("_", " ")
    caption = (
        "Share of the keypoints found with skip-connections that are missed without them, all off (left, with 95 % "
        "intervals over photographs) and one level off at a time (right, in %): visible keypoints of training "
        f"persons with at least {min(ENOUGH, len(study.schema))} labelled ones. Squares are the small joints of the "
        "thesis, filled dots its big ones, rings the others."
    )
    ends = [percent(lost[n].value) for n in (names[0], names[-1])]
    alt = f"Without skip-connections {ends[0]} of the {worst} keypoints are lost, the most, and {ends[1]} of the {best}"
    return Plate(figure, caption, f"{alt} keypoints, the fewest.")


def _colour(name: str) -> tuple[str, str, bool]:
    """Colour, marker and whether it is filled: small joints, big ones, others."""
    if name in SMALL:
        return ORANGE, "s", True
    return (BLUE, "o", True) if name in BIG else (GREY, "o", False)


def plot_lost(lost: list[Estimate], looks: list[tuple[str, str, bool]], *, ax: Axes | None = None) -> Axes:
    """One row for each keypoint, the most lost on top."""
    ax = ax or plt.gca()
    for row, (share, (colour, marker, filled)) in enumerate(zip(lost, looks, strict=True)):
        ax.plot([share.low, share.high], [row, row], color=INK, linewidth=1.0)
        ax.plot(share.value, row, marker, color=colour, markersize=6, markerfacecolor=colour if filled else "white")
    ax.set(xlabel="lost, all skips off", xlim=(-0.03, 1.03), ylim=(len(lost) - 0.5, -0.5))
    return ax


def plot_lost_by_level(study: SkipStudy, names: list[str], *, ax: Axes | None = None) -> Axes:
    """A cell for each keypoint and level: per cent lost without that level's skip alone."""
    ax = ax or plt.gca()
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelleft=False)
    shares = np.array([[study.lost(n, level=i).value for i in range(len(study.alone))] for n in names])
    if not study.alone:
        ax.axis("off")
        return ax
    ax.imshow(shares, cmap="Oranges", vmin=0, vmax=1.3, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        ax.text(column, row, percent(share).removesuffix(" %"), ha="center", va="center", fontsize=8, color=INK)
    ax.set(xticks=range(len(study.alone)), xticklabels=range(1, len(study.alone) + 1), xlabel="lost, one level off")
    return ax


def table(study: SkipStudy) -> Table:
    """tbl-skip-groups: which keypoints survive without skips, and what each level's alone costs them."""
    rows = [
        {
            "Keypoints": title,
            "Found with skips": f"{study.counted(*names):,}",
            "Of these found without": study.survival(*names).text(2),
            **{f"Lost without {level}": study.lost(*names, level=i).text(2) for i, level in enumerate(levels(study))},
        }
        for title, names in study.groups().items()
    ]
    tried = f" Single levels were tried on {len(study.chosen):,} persons." if study.alone else ""
    caption = (
        "Share of the keypoints found with skip-connections that are still found without them, and the share lost when "
        "one level's alone is off: visible keypoints (v = 2) of training persons with at least "
        f"{min(ENOUGH, len(study.schema))} labelled ones; 95 % intervals over photographs.{tried}"
    )
    return Table(pd.DataFrame(rows), caption, "tbl-skip-groups")


def samples(study: SkipStudy, shown: Shown, portraits: Portraits, without: np.ndarray, across: int = 3) -> Plate:
    """fig-skip-samples: crop, truth and the prediction without skips; `without` (n, K, h, w) of the shown persons."""
    n = len(shown.positions)
    if not n:
        return nothing("No training person to show.", "No person to show.", "There is no training person to show.")
    kept = [int((study.off[i] & (study.visibility[i] > 0)).sum()) for i in shown.positions]
    labelled = [int((study.visibility[i] > 0).sum()) for i in shown.positions]
    across, rows = min(across, n), -(-n // min(across, n))
    with style():
        ratios = ([1, 1, 1, 0.12] * across)[:-1]
        figure, axes = plt.subplots(
            rows, 4 * across - 1, figsize=(0.93 * sum(ratios), 0.98 * rows + 0.2), width_ratios=ratios, squeeze=False,
        )  # fmt: skip
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
        for ax in axes.flat:
            ax.axis("off")
        for i, person in enumerate(shown.positions):
            photo, truth, guess = axes[i // across, 4 * (i % across) : 4 * (i % across) + 3]
            for ax in (photo, truth, guess):
                ax.axis("on")
            portraits.photo(photo, person)
            portraits.draw(truth, person)
            seen = study.visibility[person] > 0
            portraits.draw(guess, person, sharpened(without[i]) * seen[:, None, None])
            _guesses(guess, without[i], seen, study.off[person], portraits.schema)
            guess.set_xlabel(f"{kept[i]} of {labelled[i]}", fontsize=8, labelpad=1)
            if i < across:
                for ax, words in zip((photo, truth, guess), ("crop", "truth", "no skips"), strict=True):
                    ax.set_title(words, fontsize=8, pad=2)
    caption, alt = _sample_words(shown, kept, labelled, n)
    return Plate(figure, portraits.credited(caption, shown.positions.tolist()), alt)


def _guesses(ax: Axes, maps: np.ndarray, seen: np.ndarray, found: np.ndarray, schema: KeypointSchema) -> None:
    """Dots at the peaks of the maps: filled where the keypoint is found, hollow where it isn't."""
    size = maps.shape[-1]
    for k in np.flatnonzero(seen):
        y, x = np.unravel_index(maps[k].argmax(), maps[k].shape)
        colour = SIDES[schema.sides[k]]["color"]
        ax.plot((x + 0.5) / size, (y + 0.5) / size, "o", color=colour, markersize=3, markeredgewidth=0.7,
                markerfacecolor=colour if found[k] else "white")  # fmt: skip


def _sample_words(shown: Shown, kept: list[int], labelled: list[int], n: int) -> tuple[str, str]:
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
    share = sum(kept) / max(sum(labelled), 1)
    return (
        caption,
        f"Without skip-connections {sum(kept)} of the {sum(labelled)} keypoints shown are found ({percent(share)}).",
    )
