"""Accuracy against cost: the Pareto fronts of chapter 06, drawn, and as points that answer to the reader."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from figures.lighter.words import DASH, seeds, small
from figures.page import Live, Note, Plate, Table
from hgnb.analysis.lighter import SURE, Place, accuracy
from hgnb.drawing.style import BLUE, GREEN, GREY, INK, RED, style
from hgnb.stats import Estimate
from hgnb.training.networks import BASE, get
from hgnb.training.observations import Outcomes
from hgnb.training.speed import Times

PANELS = {
    "training": "training, ms a person",
    "inference": "prediction, ms a person",
    "parameters": "parameters, millions",
}
SIDES = ((8, 7), (9, -7), (-9, 7), (-9, -7), (12, 0), (-12, 0))  # where a letter may stand beside its point, in points


def tradeoff(points: pd.DataFrame, times: Times, sweep: Outcomes | None) -> Plate | Note:
    """fig-lighter-tradeoff: accuracy against three costs, with the Pareto front of each.

    `points`: as `hgnb.analysis.lighter.points` makes them, one network a row.
    """
    known = points[points.accuracy.notna()]
    if sweep is None or len(known) < 2:
        return Note("No sweep of trainings is recorded for this profile and data: `make lighter` makes one.")
    levels = {name: accuracy(sweep, name) for name in known.case}
    letters = _letters(known)
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(9.2, 5.2), sharey=True)
        for ax, (cost, label) in zip(axes, PANELS.items(), strict=True):
            plot_tradeoff(known, cost, levels, letters, ax=ax)
            ax.set_xlabel(label)
        axes[0].set_ylabel(f"{sweep.people.measure}, % (small networks)")
        handles, words = axes[0].get_legend_handles_labels()
        handles += [Line2D([], [], linestyle="", marker=f"${letter}$", color=INK) for letter in letters.values()]
        words += [get(name).title for name in letters]
        figure.legend(handles, words, loc="outside lower center", ncol=3, fontsize=8)
    on = {cost: list(known.case[known[f"front_of_{cost}"]]) for cost in PANELS}
    lettered = {
        cost: ", ".join(sorted(letters.get(name, get(name).title) for name in names)) for cost, names in on.items()
    }
    told = "; ".join(f"{PANELS[cost].split(',')[0]}: {names}" for cost, names in lettered.items())
    caption = (
        "Accuracy against cost, every network a point; the line joins those that no other network beats in both (the "
        "Pareto front); letters name those on any, and the original. Bars are 95 % intervals of those on a front. "
        f"Costs are those of the full-size networks on {times.device}; the accuracies are of the small ones of "
        f"{{numref}}`tbl-lighter-50`, {seeds(sweep)}, so the fronts are an indication. Fronts by {told}."
    )
    moved = [n for n in known.case if _kind(n) == "ours" and any(n in names for names in on.values())]
    alt = (
        f"Of our own networks these lie on a front: {', '.join(map(small, moved)) or 'none'}; the original is "
        f"{'on one' if any(BASE in names for names in on.values()) else 'on none'}."
    )
    return Plate(figure, caption, alt)


def _letters(points: pd.DataFrame) -> dict[str, str]:
    """A letter for every network that is on a front, and for the original, the most accurate first."""
    on = points[[f"front_of_{cost}" for cost in PANELS]].any(axis=1) | (points.case == BASE)
    return dict(zip(points[on].sort_values("accuracy", ascending=False).case, ascii_uppercase, strict=False))


def plot_tradeoff(
    points: pd.DataFrame,
    cost: str,
    levels: Mapping[str, Estimate],
    letters: Mapping[str, str],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Points by origin, the front as a line, intervals of those on it, and letters of those on any."""
    ax = ax or plt.gca()
    scale = 1000 if cost != "parameters" else 1e-6
    on = points[points[f"front_of_{cost}"]].sort_values(cost)
    for row in on.itertuples():
        whole = levels[row.case]
        if not whole.bounded:
            continue
        ends = [[100 * (whole.value - whole.low)], [100 * (whole.high - whole.value)]]
        place = (getattr(row, cost) * scale, 100 * whole.value)
        ax.errorbar(*place, yerr=ends, fmt="none", ecolor=INK, elinewidth=0.9, capsize=3, zorder=1)
    ax.step(on[cost] * scale, 100 * on.accuracy, where="post", color=GREY, linewidth=1.2, label="Pareto front")
    kinds = {"report": (BLUE, "o", "report's networks"), "ours": (GREEN, "^", "ours"), "base": (RED, "s", "original")}
    for kind, (colour, marker, label) in kinds.items():
        some = points[[_kind(n) == kind for n in points.case]]
        ax.plot(some[cost] * scale, 100 * some.accuracy, marker, color=colour, markersize=6, label=label, linestyle="")
    ax.set_xlim(0, None)
    ax.xaxis.set_major_locator(plt.MaxNLocator(5))
    ax.xaxis.set_major_formatter("{x:,g}")
    _write(ax, points[cost].to_numpy() * scale, 100 * points.accuracy.to_numpy(), [letters.get(n) for n in points.case])
    return ax


def _write(ax: Axes, xs: np.ndarray, ys: np.ndarray, letters: Sequence[str | None]) -> None:
    """A letter beside each point that has one, on the side that is furthest from all points and earlier letters."""
    taken = list(ax.transData.transform(np.column_stack([xs, ys])))
    sides = np.array(SIDES) * ax.get_figure().dpi / 72
    for here, x, y, letter in zip(list(taken), xs, ys, letters, strict=True):
        if letter is None:
            continue
        clear = [np.linalg.norm(np.array(taken) - here - side, axis=1).min() for side in sides]
        best = int(np.argmax(clear))
        taken.append(here + sides[best])
        ax.annotate(
            letter, (x, y), textcoords="offset points", xytext=SIDES[best], ha="center", va="center", fontsize=8.5,
            fontweight="bold", color=INK, path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip


def live(points: pd.DataFrame, sweep: Outcomes | None) -> Live | None:
    """The first panel of fig-lighter-tradeoff, where every network tells its name and costs; None without a sweep."""
    known = points[points.accuracy.notna()]
    if sweep is None or len(known) < 2:
        return None
    letters = _letters(known)
    values = np.column_stack([1000 * known.training, 100 * known.accuracy])
    low, high = values.min(0), values.max(0)
    unit = (values - low) / np.where(high > low, high - low, 1)
    labels = (PANELS["training"], f"{sweep.people.measure}, %")
    ends = zip(labels, low.tolist(), (low + np.where(high > low, high - low, 1)).tolist(), strict=True)
    data = {
        "axes": [{"label": label, "low": start, "high": end} for label, start, end in ends],
        "points": np.round(unit, 4).tolist(),
        "dots": [],
        "names": [f"{letters[n]} · {get(n).title}" if n in letters else get(n).title for n in known.case],
        "facts": [_facts(row, sweep) for row in known.itertuples()],
        "stamp": None,
        "noun": "network",
    }
    return Live("fig-lighter-tradeoff", "scatter", data)


def _facts(row, sweep: Outcomes) -> str:
    fronts = [label.split(",")[0] for cost, label in PANELS.items() if row._asdict().get(f"front_of_{cost}")]
    return (
        f"{sweep.people.measure} {100 * row.accuracy:.1f} %, training {1000 * row.training:,.0f} ms and prediction "
        f"{1000 * row.inference:,.0f} ms a person, {row.parameters / 1e6:.1f} million parameters, {row.gflop:.1f} GFLOP"
        + (f"; on the front of {', '.join(fronts)}" if fronts else "")
    )


def _kind(name: str) -> str:
    return "base" if name == BASE else "ours" if get(name).source == "ours" else "report"


def fronts_table(places: Sequence[Place]) -> Table | Note:
    """tbl-lighter-fronts: our own networks, cost by cost, against the best of the others that is no dearer."""
    if not places:
        return Note("None of our own networks is trained here, so none can be placed on a front.")
    rows = [
        (
            get(p.case).title, PANELS[p.cost].split(",")[0], f"{p.share:.2f}",
            get(p.rival).title if p.rival else DASH,
            _gap(p) if p.rival else "nothing is as cheap", f"{100 * p.chance:.0f}", p.verdict,
        )
        for p in places
    ]  # fmt: skip
    columns = ["Network", "Cost", "Of the original's", "Rival", "Points above it", "On the front, % of draws", "Place"]
    caption = (
        "Our own networks. The rival is the most accurate of all others that cost no more; the points are the "
        "difference of accuracy with its 95 % interval, over seeds and test images. Then in how many of 2,000 draws "
        f"of seeds and images the network lies on the front: from {100 * SURE:.0f} % on it counts as on it, up to "
        f"{100 - 100 * SURE:.0f} % as behind it. Costs are those of full-size networks, and taken as exact."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-lighter-fronts", filters=("Cost", "Place"))


def fronts(places: Sequence[Place]) -> Note:
    """Which of our own networks move a front, in words: those on it in nearly every draw, and those behind all."""
    if not places:
        return Note("No network of ours is trained, so none can move a front.")
    names = dict.fromkeys(place.case for place in places)
    on = {name: [p for p in places if p.case == name and p.verdict == "on it"] for name in names}
    told = [f"*{small(name)}* ({'; '.join(_why(p) for p in sure)})" for name, sure in on.items() if sure]
    behind = [f"*{small(n)}*" for n in names if all(p.verdict == "behind it" for p in places if p.case == n)]
    draws = f"in at least {100 * SURE:.0f} % of the draws"
    says = f"Of our {len(names)} networks {len(told) or 'none'} {'moves' if len(told) < 2 else 'move'} a front {draws}"
    says += (": " if told else "") + "; ".join(told) + "."
    return Note(says + (f" Behind every front: {', '.join(behind)}." if behind else ""))


def _why(place: Place) -> str:
    """Against which cost a network lies on the front, and how far above its rival."""
    why = f"{PANELS[place.cost].split(',')[0]}: {place.share:.2f} of the original's, "
    if place.rival is None:
        return why + "less than any other"
    return why + f"{_gap(place)} points above *{small(place.rival)}*"


def _gap(place: Place) -> str:
    return place.gap.text(1, 100) if place.gap else DASH
