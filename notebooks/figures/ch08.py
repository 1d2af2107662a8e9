"""Figures of 08_how_far that are too long for a cell: latents steered, probed at every depth, held against each other.

All but the decoded person are drawn from a record of a chain of trainings.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from figures.page import Note, Plate, Table, capital, listed, nothing, number, percent, verdict
from figures.portraits import Portraits
from figures.verdicts import badge, people
from hgnb import records
from hgnb.analysis.depths import alike
from hgnb.analysis.steering import LOTS, STEPS
from hgnb.claims.claim import FAILS, HOLDS, NEEDS, UNDECIDED, VERDICTS, competent
from hgnb.claims.evidence import Lacking, Seeds
from hgnb.claims.steered import PRICE, Judged
from hgnb.data.splits import EMBEDDED
from hgnb.drawing import BLUE, GREY, INK, ORANGE, RED, style
from hgnb.stats import Estimate, auc, student
from hgnb.stats.estimate import PHOTOGRAPHS
from hgnb.training.recorded import aged, stale

NONE = "No chain of trainings is recorded in `results/`: `make claims SEEDS=5` makes one."
TITLES = {
    "component": ("first component", "sitting score"),
    "motion": ("line between the clusters of the well labelled", "motion score"),
    "labels": ("line between the clusters of the sample", "number of confident maps"),
}
SHORT = {
    "component": ("component", "sitting"),
    "motion": ("well labelled", "motion"),
    "labels": ("sample", "confident"),
}
SAID = {
    "component": "the first component is sitting",
    "motion": "the clusters of well labelled persons are motion",
    "labels": "the clusters of the sample are how much is labelled",
}
WAYS = {"thesis": "of the thesis", "taught": "by the labels", "found": "chosen because they work"}
CONTROL = "`python benchmarks/steered.py`"
SKIPS = {"own": "the person's own", "mean": "the mean person's"}
MEASURES = {False: "a step", True: "an equal price"}
LOOKS = {"own": (BLUE, "o"), "mean": (ORANGE, "s")}
PROBED = {"sitting": (BLUE, "o-"), "moving": (RED, "s-")}


def recorded(profile: str, data: str) -> list[records.Record]:
    """The recorded chains that a page about a profile and data shows, one of each dataset, photographs first."""
    made = (one for one in records.fitting("chain", profile, data) if one.with_("hourglass"))
    return sorted(records.each_dataset(made), key=lambda record: record.data == EMBEDDED)


def of(record: records.Record) -> Seeds:
    """Its seeds that have an hourglass."""
    return Seeds.of(record).with_("hourglass")


def came(chains: Sequence[records.Record]) -> Note:
    """What is shown on this page, whether it still counts, and how much its networks know."""
    if not chains:
        return Note(NONE)
    lines = []
    for record, seeds in zip(chains, map(of, chains), strict=True):
        reasons, shut = stale(record), competent(seeds)
        state = f"**Stale**: {'; '.join(reasons)}." if reasons else "Made by today's code, profile and data."
        knows = f"That is too little to judge by: it needs {shut}." if shut else "They know enough to be judged."
        lines.append(
            f"- {people(record.data)}: {record.title}; {state[:1].lower()}{state[1:]} The hourglasses have "
            f"a test PCK of {seeds.pck('hourglass').text(3)}, the mean pose one of {number(seeds.floor(), 3)}. {knows}"
        )
    first = f"The figures are of {people(chains[0].data)}. Recorded, and made again by `hgnb claims --keep`:"
    return Note("\n".join([first, "", *lines]))


# Latents moved


def way(portraits: Portraits, person: int, rows: Mapping[tuple[str, bool], tuple[np.ndarray, np.ndarray]]) -> Figure:
    """One person decoded along several ways: for each its maps (T, K, h, w) and what is read off them (T,).

    A way is called by the direction that it is or that it is as long as, and whether it is that one itself.
    """
    with style():
        across = len(STEPS) + 1
        figure, axes = plt.subplots(len(rows), across, figsize=(0.92 * across + 1.2, 1.12 * len(rows) + 0.3))
        figure.get_layout_engine().set(w_pad=0.012, h_pad=0.012, wspace=0.01, hspace=0.01)
        portraits.photo(axes[0, 0], person)
        portraits.draw(axes[1, 0], person)
        for ax in axes[2:, 0]:
            ax.axis("off")
        for line, ((name, own), (maps, scores)) in zip(axes, rows.items(), strict=True):
            for ax, said, score in zip(line[1:], maps, scores, strict=True):
                portraits.said(ax, said)
                ax.set_xlabel(number(float(score), 0 if name == "labels" else 2), fontsize=8, labelpad=1)
            direction, trait = SHORT[name]
            words = f"{direction if own else 'as far by lot'}\n{trait}"
            line[1].set_ylabel(words, fontsize=8)
        for ax, step in zip(axes[0, 1:], STEPS, strict=True):
            ax.set_title(f"{step:g}".replace("-", "−"), fontsize=9, pad=3)
    return figure


def strips(judged: Sequence[Judged]) -> Plate:
    """fig-steered: each direction's change beside that of every way by lot, seed by seed."""
    shown = [one for one in judged if one.readings]
    if not shown:
        return nothing(f"Nothing was steered in this record, which needs {judged[0].reason}." if judged else NONE)
    with style():
        figure, axes = plt.subplots(2, len(shown), figsize=(3.2 * len(shown), 6.4), squeeze=False)
        for column, one in zip(axes.T, shown, strict=True):
            for ax, equal in zip(column, MEASURES, strict=True):
                _strip(one, equal, ax=ax)
            column[0].set_title("\n".join(TITLES[one.direction]), fontsize=9)
        for line, words in zip(axes, ("change for a step", f"change where {percent(PRICE)} are lost"), strict=True):
            line[0].set_ylabel(words)
        marks = [plt.Line2D([], [], color=c, marker=m, linestyle="", label=SKIPS[w]) for w, (c, m) in LOOKS.items()]
        marks.append(plt.Line2D([], [], color=GREY, marker="|", linestyle="", markersize=9, label="ways by lot"))
        figure.legend(
            handles=marks, loc="outside lower center", ncol=3, title="coloured: the direction, decoded with the skips"
        )
    caption = (
        "How far the trait in a panel's title changes when latents are moved along the direction named above it (coloured), "
        "and along twenty ways of equal length between persons drawn by lot (grey), one line a seed; the thick line at "
        "the top of each block is the direction's mean with its 95 % interval over seeds and photographs. Top: for one "
        f"step. Bottom: half of the change between steps back and forth that lose {percent(PRICE)} of the keypoints "
        "found."
    )
    return Plate(figure, caption, " ".join(_beaten(one) for one in shown))


def _strip(one: Judged, equal: bool, *, ax: Axes) -> None:
    at = 0
    for whose, (colour, marker) in LOOKS.items():
        made = one.readings[whose, equal]
        ax.plot([made.change.low, made.change.high], [at, at], color=colour, linewidth=3.2, solid_capstyle="butt")
        ax.plot(made.change.value, at, marker, color=INK, markersize=5)
        for row, values in enumerate(made.by_seed, at + 1):
            ax.plot(values[1:], np.full(len(values) - 1, row), "|", color=GREY, markersize=8, markeredgewidth=0.9)
            ax.plot(values[0], row, marker, color=colour, markersize=6, markeredgecolor="white")
        at += len(made.by_seed) + 2
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set(yticks=[], ylim=(at - 1.2, -0.8))
    ax.grid(False, axis="y")


def _beaten(one: Judged) -> str:
    """In how many seeds a direction moves its trait more than every way by lot."""
    told = []
    for whose, words in SKIPS.items():
        every = one.readings[whose, False].by_seed
        told.append(f"in {(every[:, 0] > every[:, 1:].max(1)).sum()} of {len(every)} seeds with {words} skips")
    return f"For a step, the {TITLES[one.direction][0]} beats every way by lot {' and '.join(told)}."


def table(judged: Sequence[Judged]) -> Table | Note:
    """tbl-steered: each reading in numbers."""
    rows = []
    for one in judged:
        for (whose, equal), made in one.readings.items():
            told = (made.change.text(2), made.ordinary.text(2), made.largest.text(2))
            rows.append((TITLES[one.direction][0], SKIPS[whose], MEASURES[equal], *told))
    if not rows:
        return Note(f"There is no table, for nothing was steered: that needs {judged[0].reason}." if judged else NONE)
    columns = ["Direction", "Skips", "For", "Change of its trait", "Less the mean lot", "Less the largest lot"]
    caption = (
        "The change of the trait along each direction, and what is left of it when that along the mean, or along the "
        "largest, of the ways by lot is taken off; 95 % intervals over seeds and photographs. Which way is the largest "
        "was chosen in each seed on other photographs than it is judged on; the length of a step at an equal price is taken as "
        "known, and a way that never loses so much counts at its longest. The sitting score is about 1 for one who "
        "stands and 1.7 for one who sits; confident maps are counted."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-steered", ("Direction", "Skips", "For"))


def controls(held: Mapping[str, Any]) -> Table | Note:
    """tbl-steered-control: ways that are known to go with a trait beside the thesis's, by the same rule."""
    if not held:
        return Note(f"Nothing of this is recorded: {CONTROL} steers along such ways.")
    rows = [
        (TITLES[row["direction"]][1], f"{WAYS[row['way']]}: {badge(row['verdict'])}",
         *(Estimate(**one["largest"]).text(2) for one in row["readings"]))
        for row in sorted(held["rows"], key=lambda row: list(TITLES).index(row["direction"]))
    ]  # fmt: skip
    measures = [f"{SKIPS[one['whose']]} skips, {MEASURES[one['equal']]}" for one in held["rows"][0]["readings"]]
    caption = (
        f"The change of a trait along three ways, less that along the largest of {LOTS} ways by lot of the same length, in "
        f"{held['seeds']} networks of drawn people (`{held['profile']}`), trained again, and {held['persons']} test persons each; "
        f"95 % intervals over seeds and photographs.{aged(held)}"
    )
    columns = ["Trait", "Way, and by the rule", *map(capital, measures)]
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-steered-control", ("Trait",))


def controlled(held: Mapping[str, Any]) -> str:
    """How ways that are known to go with a trait fare by the rule, and so what it says of another, in sentences."""
    told, verdicts = [], {way: [row["verdict"] for row in held["rows"] if row["way"] == way] for way in WAYS}
    for way, words in WAYS.items():
        apart = [one["largest"] for row in held["rows"] if row["way"] == way for one in row["readings"]]
        ahead, behind = sum(one["low"] > 0 for one in apart), sum(one["high"] < 0 for one in apart)
        said = listed(
            [f"{verdicts[way].count(word)} {word}" for word in (HOLDS, FAILS, UNDECIDED) if word in verdicts[way]]
        )
        told.append(
            f"ways {words} lie clearly above the largest way by lot in {ahead} of {len(apart)} readings and clearly below it "
            f"in {behind}: {said}"
        )
    if HOLDS in verdicts["found"]:
        lesson = "So the rule can be met."
    elif FAILS in verdicts["found"]:
        lesson = "So even a way that works fails by the rule, and *fails* says nothing here."
    else:
        lesson = "So with so few networks hardly anything can meet the rule, but a way that works doesn't fail by it."
    return f"{capital('; '.join(told))}. {lesson}"


def survived(judged: Sequence[Judged]) -> Note:
    """Which directions move their traits, and why others aren't judged."""
    if not judged:
        return Note(NONE)
    groups: dict[tuple[str, str], list[str]] = {}
    for one in sorted(judged, key=lambda one: VERDICTS.index(one.verdict)):
        groups.setdefault((one.verdict, one.reason), []).append(SAID[one.direction])
    lines = [
        f"- That {listed(said)}: **needs** {reason}."
        if word == NEEDS
        else f"- That {listed(said)}: **{word}**{f', {reason}' if reason else ''}."
        for (word, reason), said in groups.items()
    ]
    kept, asked = (sum(one.verdict in of for one in judged) for of in ((HOLDS,), (HOLDS, FAILS, UNDECIDED)))
    moves = "are shown to move their traits" if kept > 1 else "is shown to move its trait"
    rivals = f"more than the largest of {LOTS} ways by lot does"
    first = f"Of the {asked} directions that can be judged here {kept or 'none'} {moves} {rivals}."
    nobody = "None of the thesis's three directions can be judged here."
    return Note(f"{first if asked else nobody}\n\n" + "\n".join(lines))


def survivals(chains: Sequence[records.Record], verdicts: Sequence[Sequence[Judged]]) -> Note:
    """The same of every dataset."""
    said = [(people(chain.data), survived(judged).text) for chain, judged in zip(chains, verdicts, strict=True)]
    return Note("\n\n".join(f"On {where}: {text[0].lower()}{text[1:]}" for where, text in said) or NONE)


def moved(judged: Sequence[Judged]) -> str:
    """What the intervals say, whatever the verdicts are."""
    words = ("more than", "less than", "no more and no less, as far as the intervals tell, than")
    told = []
    for one in judged:
        if one.readings:
            made = one.readings["own", False]
            ordinary = verdict(made.ordinary, *words)
            moves = verdict(made.change, "rises", "falls", "doesn't clearly change")
            told.append(
                f"along the {TITLES[one.direction][0]} the {TITLES[one.direction][1]} {moves} "
                f"({made.change.text(2)} a step), {ordinary} along a mean way by lot"
            )
    return "; ".join(told)


# Probes


def probes(seeds: Seeds) -> dict[str, dict[str, list[Estimate]]]:
    """AUC of sitting and of moving at each depth: of the 'trained' network, of the 'untrained' one, and what was
    'added', the first less the second in each seed (Student's interval over seeds); Lacking in an older record."""
    states, images = seeds.people.posed, seeds.images("posed")
    made = {}
    for name, classes in (("sitting", states.sitting), ("moving", states.moving)):
        both = {key: seeds.column("hourglass", f"probes/{name}{suffix}").astype(float) for key, suffix in KINDS.items()}
        every = {key: [auc(x[:, layer], classes, images) for layer in range(x.shape[1])] for key, x in both.items()}
        each = {key: np.array([[auc(a, classes, images).value for a in one] for one in x]) for key, x in both.items()}
        gaps = (each["trained"] - each["untrained"]).T
        made[name] = every | {"added": [student(gap) for gap in gaps]}
    return made


KINDS = {"trained": "", "untrained": "/untrained"}


def depths(seeds: Seeds) -> list[str]:
    """The depths that were probed, from the picture to the heatmaps."""
    return seeds.all[0].column("hourglass", "probes/layers").tolist()


def probed(seeds: Seeds | None) -> Plate:
    """fig-probes: AUC by depth, trained and with random weights, and what training added."""
    if seeds is None:
        return nothing(NONE)
    try:
        made, layers = probes(seeds), depths(seeds)
    except Lacking as lacking:
        return nothing(f"This record has no probes; they need {lacking}.")
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.4), width_ratios=(1, 1, 1), sharex=True)
        for ax, (name, values) in zip(axes, made.items(), strict=False):
            colour, line = PROBED[name]
            _by_depth(values["trained"], colour, line, "trained", -0.06, ax=ax)
            _by_depth(values["untrained"], GREY, "^--", "random weights", 0.06, ax=ax)
            ax.axhline(0.5, color=INK, linewidth=0.8, linestyle=":")
            ax.set(title=name, ylabel="AUC", ylim=(0.35, 1.01))
            ax.legend(fontsize=8, loc="lower right")
            _by_depth(values["added"], colour, line, name, -0.06 if name == "sitting" else 0.06, ax=axes[2])
        axes[2].axhline(0, color=INK, linewidth=0.8)
        axes[2].set(title="added by training", ylabel="difference of AUC")
        axes[2].legend(fontsize=8, loc="best")
        axes[2].margins(y=0.25)  # room for the legend
        for ax in axes:
            ax.set_xticks(range(len(layers)), layers, rotation=30, ha="right", fontsize=8)
    caption = (
        f"Linear probes for posture and motion at each depth of the first hourglass, {seeds.count} seeds and "
        f"{len(seeds.persons('posed')):,} persons: AUC of the trained network and of the same network with random "
        "weights (95 % intervals over seeds and photographs), and the difference (over seeds, for these photographs). Each "
        "interval stands by itself, and one in twenty misses. 0.5 is chance."
    )
    alt = " ".join(f"{_highest(values, layers, name)}." for name, values in made.items())
    return Plate(figure, caption, alt)


def _by_depth(values: Sequence[Estimate], colour: str, line: str, label: str, aside: float, *, ax: Axes) -> None:
    middle = [v.value for v in values]
    bars = np.nan_to_num([[v.value - v.low for v in values], [v.high - v.value for v in values]], posinf=0)
    ax.errorbar(
        np.arange(len(values)) + aside, middle, bars, fmt=line, color=colour, markersize=4.5, linewidth=1.4, label=label
    )


def _highest(values: Mapping[str, Sequence[Estimate]], layers: Sequence[str], name: str) -> str:
    """Where a trait is read best, and what of that random weights give."""
    if not any(v.known for v in values["trained"]):
        return f"Too few persons tell {name}"
    at = int(np.nanargmax([v.value for v in values["trained"]]))
    trained, random = (values[key][at].text(2) for key in KINDS)
    return f"{name.capitalize()} is read best at {layers[at]}, with an AUC of {trained}; random weights have {random} there"


def added(seeds: Seeds | None) -> str:
    """What training added over random weights, said of every depth; '' where a record doesn't tell."""
    try:
        made, layers = (probes(seeds), depths(seeds)) if seeds else ({}, [])
    except Lacking as lacking:
        return f"Probes aren't in this record; they need {lacking}."
    told = []
    for name, values in made.items():
        gaps = dict(zip(layers, values["added"], strict=True))
        said = {at: verdict(gap, "adds to", "takes from", "") for at, gap in gaps.items()}
        parts = []
        for word in ("adds to", "takes from"):
            if found := {at: gap for at, gap in gaps.items() if said[at] == word}:
                most = max(found.values(), key=lambda gap: abs(gap.value))
                most = most if most.value > 0 else most.negated()
                bound = "at most" if len(found) > 1 else "there"
                parts.append(f"training {word} it at {listed(list(found))}, by {most.text(2)} {bound}")
        if "" in said.values():
            parts.append(
                "elsewhere no clear difference is left" if parts else "no clear difference is left at any depth"
            )
        told.append(f"{_highest(values, layers, name)}; {'; '.join(parts)}.")
    return " ".join(told) or NONE


# Likeness


def likenesses(seeds: Seeds) -> tuple[list[str], np.ndarray]:
    """Names of all networks that kept latents, and CKA of each pair, (n, n); Lacking if there are fewer than two."""
    kept = {
        f"{short} {one.number}": held.astype(float)
        for training, short in (("hourglass", "original"), ("modified", "modified"))
        for one in seeds.all
        if (held := one.held(training, "likeness")) is not None
    }
    if len(kept) < 2:
        raise Lacking(f"the column `hourglass/likeness` of {seeds.count} seeds: `hgnb claims --keep` records it")
    made = np.eye(len(kept))
    for i, j in combinations(range(len(kept)), 2):
        made[i, j] = made[j, i] = alike(*(list(kept.values())[n] for n in (i, j)))
    return list(kept), made


def together(seeds: Seeds) -> dict[str, np.ndarray]:
    """CKA of pairs by kind; each array the pairs of that kind."""
    names, made = likenesses(seeds)
    of = [name.split() for name in names]
    kinds: dict[str, list[float]] = {}
    for i, j in combinations(range(len(names)), 2):
        (one, a), (other, b) = of[i], of[j]
        pair = f"two {one} networks" if one == other else "an original and a modified one"
        kind = f"{pair} of {'one seed' if a == b else 'two seeds'}"
        kinds.setdefault(kind, []).append(made[i, j])
    return {kind: np.array(values) for kind, values in kinds.items()}


def likeness(seeds: Seeds | None) -> Plate:
    """fig-likeness: CKA of every two networks' latents."""
    if seeds is None:
        return nothing(NONE)
    try:
        names, made = likenesses(seeds)
    except Lacking as lacking:
        return nothing(f"This record can't compare latents: that needs {lacking}.")
    with style():
        figure, ax = plt.subplots(figsize=(0.46 * len(names) + 1.6, 0.42 * len(names) + 1.1))
        shown = ax.imshow(made, cmap="Blues", vmin=0, vmax=1)
        for (row, column), value in np.ndenumerate(made):
            ax.text(column, row, number(value), ha="center", va="center", fontsize=7,
                    color="white" if value > 0.6 else INK)  # fmt: skip
        ax.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=8)
        ax.set_yticks(range(len(names)), names, fontsize=8)
        ax.grid(False)
        figure.colorbar(shown, ax=ax, shrink=0.8, label="CKA")
    persons = len(seeds.all[0].column("hourglass", "likeness"))
    caption = (
        f"Likeness (linear CKA) of the bottleneck's latents of {persons} test persons in every two networks of the "
        "record, by seed: 1 where they lie alike up to a turn and a scale, near 0 where they have nothing in common."
    )
    return Plate(figure, caption, said_alike(seeds))


def said_alike(seeds: Seeds | None) -> str:
    """Mean CKA by kind of pair, with its range."""
    try:
        kinds = together(seeds) if seeds else {}
    except Lacking as lacking:
        return f"Latents aren't compared; that needs {lacking}."
    told = [f"{number(v.mean())} ({number(v.min())} to {number(v.max())}) between {kind}" for kind, v in kinds.items()]
    return f"CKA is on average {listed(told)}." if told else NONE


# Pixels covered


def occluded(
    portraits: Portraits, person: int, taken: Mapping[str, np.ndarray], joints: Sequence[int], window: int, stride: int
) -> Figure:
    """What covering each place of a crop takes of some joints' peaks: (n, n, J) by network, a row each; squares of
    `window` pixels, `stride` apart."""
    first = (window - 1) / 2 - stride / 2  # a square's colour lies around its middle
    last = first + stride * next(iter(taken.values())).shape[0]
    squares = (first, last, last, first)
    with style():
        figure, axes = plt.subplots(len(taken), 1 + len(joints), figsize=(1.7 * (1 + len(joints)), 1.8 * len(taken)))
        for line, (name, maps) in zip(axes, taken.items(), strict=True):
            portraits.photo(line[0], person)
            line[0].set_ylabel(name.removeprefix("the "), fontsize=9)
            for ax, joint, places in zip(line[1:], joints, maps.transpose(2, 0, 1), strict=True):
                portraits.photo(ax, person)
                taken_here = np.clip(places, 0, None)  # the red of a covered place is as dense as its loss
                dense = 0.85 * taken_here / max(float(taken_here.max()), 1e-9)
                ax.imshow(
                    np.ones_like(dense),
                    cmap=ListedColormap([RED]),
                    alpha=dense,
                    extent=squares,
                    interpolation="bilinear",
                )
                ax.set(xlim=(-0.5, portraits.side - 0.5), ylim=(portraits.side - 0.5, -0.5))
                x, y = portraits.split.keypoints[person][joint, :2]
                ax.plot(x, y, "o", markersize=9, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.3)
                ax.set_title(portraits.schema.names[joint].replace("_", " "), fontsize=9)
    return figure


def pixels(apart: Mapping[str, Sequence[float]]) -> Note:
    """How far from a joint the square lies that takes most of its peak, in sides of the crop: a mean for each person,
    by network, the one of random weights last."""
    each = {name: np.array(values) for name, values in apart.items()}
    told = [f"{student(values, PHOTOGRAPHS).text(2)} sides of the crop with {name}" for name, values in each.items()]
    first, last = each.values()
    less = student(last - first, PHOTOGRAPHS)
    came = verdict(less, "nearer to it", "farther from it", "neither clearly nearer nor farther")
    return Note(
        f"For {len(first)} persons the square that takes most of a joint's peak lies {listed(told)} away from the joint: "
        f"{came} in the trained network of this page than with random weights. One network says nothing of others."
    )
