"""Chapter 06: lighter networks drawn, what they cost and reach beside the report's numbers, and its claims. Source 004.

"The report" is source 004; `REPORT` holds its tables.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.patheffects import withStroke
from torch import nn

from figures.architecture import trace
from figures.fronts import early
from figures.page import Live, Note, Plate
from hgnb.claims.ledger import Row, judge_lighter
from hgnb.claims.on_lighter import Recorded, accuracy
from hgnb.data.splits import EMBEDDED
from hgnb.drawing import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, picture, skeleton, style
from hgnb.metrics.keypoints_found import Share
from hgnb.metrics.pckh import within_heads
from hgnb.model.hourglass import Residual, StackedHourglass, build
from hgnb.training import speed
from hgnb.training.experiment import Experiment
from hgnb.training.networks import BASE, get
from hgnb.training.observations import STEPS, Outcome, Outcomes, heads
from hgnb.training.speed import Times

# Tables 1 and 3: minutes of an epoch, mean PCKh, minutes of inference; PCKh of head to ankle. 50 epochs, batch 20, but
# the original's times are those of batch 6 (ambiguity 22).
REPORT = {
    "newell": ((18, 83.18, 1.2), (93.89, 92.05, 85.04, 79.66, 81.27, 77.27, 74.92)),
    "inner-64": ((14.3, 80.48, 1.03), (93.62, 90.66, 82.09, 75.95, 77.06, 73.83, 69.04)),
    "stacks-6": ((14.4, 83.13, 1.05), (93.93, 91.86, 84.73, 79.46, 81.79, 76.53, 72.22)),
    "stacks-6-inner-64-modules-4": ((14.3, 80.73, 1.08), (93.32, 90.83, 82.44, 75.66, 79.52, 73.38, 68.42)),
    "inner-64-layer-norm": ((14.7, 78.83, 1.1), (92.70, 89.83, 81.42, 74.10, 75.42, 70.84, 65.64)),
    "inner-64-depths-rising": ((14.3, 80.68, 1.1), (93.76, 90.69, 82.34, 76.01, 78.81, 73.95, 67.62)),
    "inner-64-depths-falling": ((14.8, 81.47, 1.15), (93.79, 90.69, 83.13, 75.38, 80.56, 75.80, 69.49)),
    "blocks-4": ((14.6, 84.23, 1.06), (93.55, 92.88, 85.96, 80.16, 83.09, 78.52, 72.69)),
}
# Its tables 2 and 4: up to 220 epochs; the batch stands in the case.
REPORT_LONG = {
    "newell-batch-6-long": ((18, 86.7, 1.2), (95.63, 94.17, 88.36, 83.57, 84.92, 82.14, 77.49)),
    "newell-long": ((14.8, 86.4, 1.1), (94.98, 93.35, 87.68, 82.37, 84.44, 81.97, 78.64)),
    "stacks-6-long": ((14.4, 85.8, 1.08), (94.95, 93.16, 87.17, 82.35, 83.99, 80.46, 77.47)),
    "blocks-4-long": ((14.6, 86.38, 1.06), (95.02, 93.41, 87.76, 82.51, 84.63, 82.05, 77.21)),
}
STACKS = ("newell", "stacks-6", "depths-rising", "depths-falling", "shared")
BOTTLENECKS = (
    "newell", "inner-64", "inner-64-layer-norm", "blocks-4", "blocks-4-1x1", "blocks-2", "dropout", "separable",
)  # fmt: skip
LAYERS = {"norm": SKY, "ReLU": "#CFCFCF", "convolution": ORANGE, "per map": GREEN, "dropout": PURPLE}
A_ROW = 4  # modules drawn side by side
NARROW = 16  # a stack is traced with its widths divided by this: maps keep their sizes
PANELS = {
    "training": "training, share of the original's",
    "inference": "prediction, share of the original's",
    "parameters": "parameters, millions",
}
# where a letter may stand, in points from its own: at each distance all around
SIDES = np.array([(r * np.sin(a), r * np.cos(a)) for r in (11, 17, 25, 35, 46) for a in np.arange(0, 6.2, np.pi / 8)])
CLEAR = 8.5  # points that nothing else comes nearer to a letter
DASH = "–"
NONE = "No sweep of trainings is recorded for this profile and data: `make lighter` makes one."


def small(name: str) -> str:
    """A network's title within a sentence."""
    title = get(name).title
    return title if title.startswith(("Newell", "Adam")) else title[:1].lower() + title[1:]


# Networks, drawn from the live modules


def stacks(names: Sequence[str] = STACKS, side: int = 256) -> Plate:
    """fig-lighter-architecture: every hourglass of a stack by the sizes of its maps (004, figures 1 and 2)."""
    with style():
        figure, axes = plt.subplots(len(names), 1, figsize=(9, 1.02 * len(names) + 0.4), sharex=True, squeeze=False)
        ends = [_stack(ax, name, side) for ax, name in zip(axes[:, 0], names, strict=True)]
        axes[0, 0].set_xlim(-1.6, max(ends))
    levels = {name: get(name).described.levels for name in names}
    told = "; ".join(f"{small(n)}: {', '.join(map(str, d))}" for n, d in levels.items())
    million = {n: sum(p.numel() for p in _blank(n).parameters()) / 1e6 for n in names}
    rows = "; ".join(f"{small(n)}, {count:.1f} million parameters" for n, count in million.items())
    caption = (
        f"The stacks, drawn from the live modules for crops of {side} pixels. Every trapezium pair is an hourglass, as "
        f"tall as its maps are wide on a logarithmic scale, with the size of its smallest maps; behind each one a head "
        f"puts out heatmaps that are supervised (dots). Poolings: {told}."
    )
    least = min(million, key=lambda name: million[name])
    return Plate(figure, caption, f"Of these stacks {small(least)} has the fewest parameters. Rows: {rows}.")


def sizes(name: str, side: int) -> list[tuple[int, int]]:
    """Widths of the maps at the top and at the bottom of each hourglass, as a traced pass meets them."""
    network = build(get(name).described.narrowed(NARROW), side)
    kinds = {f"hourglasses.{i}.bottleneck": "bottleneck" for i in range(len(network.hourglasses))}
    kinds |= {f"heads.{i}.features": "head" for i in range(len(network.heads))}
    steps = trace(network, (3, side, side), kinds)
    tops = [s.after[-1] for s in steps if s.kind == "head"]
    return list(zip(tops, [s.after[-1] for s in steps if s.kind == "bottleneck"], strict=True))


def _stack(ax: Axes, name: str, side: int) -> float:
    """Draws a stack in one row; the position behind its last hourglass."""
    one = get(name)
    height = {size: 0.12 + 0.88 * np.log2(size + 1) / np.log2(side / 4 + 1) for size in (1, 2, 4, 8, 16, 32, 64)}
    ax.add_patch(Rectangle((-1.35, -0.5), 0.5, 1, facecolor=ORANGE, edgecolor=INK, linewidth=0.7))
    ax.text(-1.1, 0, "stem", rotation=90, ha="center", va="center", fontsize=7)
    ax.plot([-0.85, 1.25 * one.described.stacks - 0.73], [0, 0], color=GREY, linewidth=1, zorder=0)
    for i, (top, bottom) in enumerate(sizes(name, side)):
        x, a, b = 1.25 * i - 0.6, height[top] / 2, height[bottom] / 2
        for start, end, first, last in ((x, x + 0.5, a, b), (x + 0.5, x + 1, b, a)):
            corners = ((start, -first), (start, first), (end, last), (end, -last))
            ax.add_patch(Polygon(corners, facecolor=SKY, edgecolor=INK, linewidth=0.7))
        ax.text(x + 0.5, -0.66, f"{bottom} × {bottom}", ha="center", va="top", fontsize=7)
        ax.plot(x + 1.12, 0, "o", color=BLUE, markersize=4)
    parameters = sum(p.numel() for p in _blank(name).parameters())
    shared = ", the same weights in all" if one.described.shared else ""
    ax.set_title(f"{one.title}: {parameters / 1e6:.1f} million parameters{shared}", fontsize=9, loc="left", pad=3)
    ax.set_ylim(-0.95, 0.58)
    ax.axis("off")
    return 1.25 * one.described.stacks - 0.6


def _blank(name: str, **changes) -> StackedHourglass:
    """The network at full width without memory for its weights: enough to count them and read its layers."""
    with torch.device("meta"):
        return build(replace(get(name).described, **changes), 256)


def module(name: str) -> Residual:
    """A module of a network at full size; the other hourglasses needn't be built for it."""
    middle = _blank(name, stacks=1, depths=()).hourglasses[0].bottleneck
    return next(m for m in middle.modules() if isinstance(m, Residual))


def macs(one: Residual) -> int:
    """Multiply-accumulates for each pixel: every convolution here keeps the size of its maps."""
    return sum(layer.weight.numel() for layer in one.modules() if isinstance(layer, nn.Conv2d))


def bottlenecks(names: Sequence[str] = BOTTLENECKS) -> Plate:
    """fig-lighter-bottlenecks: the residual module of each variant, layer by layer (004, figure 3)."""
    modules = {name: module(name) for name in names}
    rows = [list(modules.items())[i : i + A_ROW] for i in range(0, len(modules), A_ROW)]
    heights = [max(len(one.body) for _, one in row) + 3.5 for row in rows]
    with style():
        size = (1.75 * min(A_ROW, len(names)) + 0.3, 0.31 * sum(heights) + 0.4)
        figure, axes = plt.subplots(len(rows), 1, figsize=size, squeeze=False, height_ratios=heights)
        for row, height, ax in zip(rows, heights, axes[:, 0], strict=True):
            for x, (name, one) in enumerate(row):
                _column(ax, x, name, one)
            ax.set(xlim=(-0.6, A_ROW - 0.4), ylim=(height - 1.9, -1.9))
            ax.axis("off")
        handles = [Rectangle((0, 0), 1, 1, facecolor=c, edgecolor=INK, linewidth=0.6) for c in LAYERS.values()]
        words = ["norm (batch, or layer)", "ReLU", "convolution", "convolution, each map alone", "dropout"]
        figure.legend(handles, words, loc="outside lower center", ncol=3, fontsize=8.5)
    counts = {name: macs(one) for name, one in modules.items()}
    least, most = (f(counts, key=lambda name: counts[name]) for f in (min, max))
    caption = (
        "The residual module of each variant at full size, from the live modules: kernels and maps of every "
        "convolution; below, the parameters, which are weights, biases and those of the norms, and the "
        "multiply-accumulates for each pixel. The shortcut around each column is left out."
    )
    alt = (
        f"Columns of layers; {small(least)} needs {counts[least] / counts[names[0]]:.2f} of the original's "
        f"operations for a pixel, {small(most)} {counts[most] / counts[names[0]]:.2f}."
    )
    return Plate(figure, caption, alt)


def _column(ax: Axes, x: float, name: str, one: Residual) -> None:
    first, _, rest = get(name).title.partition(" in a module: ")
    title = f"{first}:\n{rest}" if rest else first.replace(", ", ",\n").replace(" 3 × 3 ", "\n3 × 3 ")
    ax.text(x, -0.75, "Original" if name == BASE else title, ha="center", va="bottom", fontsize=9)
    for y, layer in enumerate(one.body):
        kind, words = _layer(layer)
        ax.add_patch(Rectangle((x - 0.44, y - 0.4), 0.88, 0.8, facecolor=LAYERS[kind], edgecolor=INK, linewidth=0.6))
        ax.text(x, y, words, ha="center", va="center", fontsize=8.5)
    parameters = sum(p.numel() for p in one.parameters())
    told = f"{parameters / 1e3:.0f}k parameters\n{macs(one) / 1e3:.0f}k MAC a pixel"
    ax.text(x, len(one.body) + 0.1, told, ha="center", va="top", fontsize=8.5)


def _layer(layer: nn.Module) -> tuple[str, str]:
    if isinstance(layer, nn.Conv2d):
        kernel = f"{layer.kernel_size[0]}×{layer.kernel_size[1]}"
        words = f"{kernel}, {layer.in_channels} → {layer.out_channels}"
        return ("per map", f"{kernel}, each of {layer.in_channels}") if layer.groups > 1 else ("convolution", words)
    if isinstance(layer, nn.BatchNorm2d):
        return "norm", f"batch norm, {layer.num_features}"
    if isinstance(layer, nn.GroupNorm):
        return "norm", f"layer norm, {layer.num_channels}"
    return ("dropout", f"dropout {layer.p:g}") if isinstance(layer, nn.Dropout2d) else ("ReLU", "ReLU")


# Words and cells of the tables


def where(times: Times) -> str:
    """On what machine something was timed."""
    return f"{times.device} with {'one thread' if times.threads == 1 else f'{times.threads} threads'}"


def turns(times: Times, means: str = "medians") -> str:
    """How often everything was timed, and by which clock."""
    clock = "wall time" if times.wall else "processor time for each thread, not wall time"
    return f"{'one turn' if times.turns == 1 else f'{means} of {times.turns} turns'}, in {clock}"


def seeds(sweep: Outcomes) -> str:
    """With how many seeds a sweep was made; some of its networks may have fewer."""
    return "one seed" if len(sweep.seeds) == 1 else f"up to {len(sweep.seeds)} seeds"


def trained_at(sweep: Outcomes | None, epochs: str = "epochs") -> str:
    """The end of a caption: at what size the accuracies were trained, or that there are none.

    epochs: 'long_epochs' for the long trainings.
    """
    if sweep is None:
        return NONE
    size, persons = sweep.section("lighter"), sweep.people.counts
    count = (size | sweep.section("lighter_training"))[epochs]
    return (
        f"Accuracy here: {sweep.people.measure} of {persons['test']:,} test persons of {sweep.record.data}, networks with "
        f"every width divided by {size['width_divisor']} and the number of hourglasses by {size['stack_divisor']}, "
        f"crops of {size['side']} pixels, {'one epoch' if count == 1 else f'{count} epochs'} of "
        f"{persons['train']:,} persons; in brackets 95 % intervals over {over(sweep)}. A dash: not timed, not trained, "
        "or not in the report."
    )


def over(sweep: Outcomes) -> str:
    """What the intervals of its accuracies are over."""
    return "test images alone, of one seed" if len(sweep.seeds) == 1 else "seeds and test images"


def columns(sweep: Outcomes | None) -> list[str]:
    """Headings of what `row` gives."""
    reported = ["Report: min an epoch", "Report: PCKh, %", "Report: min of inference"]
    measure = sweep.people.measure if sweep else "PCKh"
    return [*reported, "Training, ms", "With loading, ms", "Prediction, ms", f"Here: {measure}, %"]


def row(name: str, times: Times | None, sweep: Outcomes | None) -> list[str]:
    """A network's numbers in the report, its times for a person and its accuracy; dashes for what there isn't."""
    told = (REPORT | REPORT_LONG).get(name)
    cells = [f"{value:g}" for value in told[0]] if told else [DASH] * 3
    alike = [case for n, case in times.cases.items() if _pace(n) == _pace(name)] if times else []
    for kind in ("training", "with loading", "inference"):
        ms = 1000 * float(np.median(alike[0].seconds(kind))) if alike else np.nan
        cells.append(DASH if not alike else f"{ms:,.0f}" if ms >= 100 else f"{ms:.3g}")
    if sweep is None or not (count := len(sweep.of(name))):
        return [*cells, DASH]
    return [*cells, accuracy(sweep, name).text(1, 100) + (f", {count} seeds" if count > 1 else "")]


def _pace(name: str) -> tuple:
    """What a training's speed at one batch depends on."""
    return get(name).described, get(name).training.get("optimiser"), get(name).training.get("precision")


def pooled(shares: Sequence[Share]) -> float:
    """Percent of the keypoints of several shares together; NaN where nothing is counted."""
    counted = sum(s.counted for s in shares)
    return 100 * sum(s.found for s in shares) / counted if counted else np.nan


def floor(sweep: Outcomes, experiment: Experiment) -> Outcome | None:
    """What each joint's mean position over the training persons finds on a sweep's test persons, counted as its
    networks are, in heads; None where those persons aren't at hand or have no heads."""
    record = sweep.record
    if record.data not in (EMBEDDED, experiment.data_name) or not sweep.people.headed:
        return None
    data = EMBEDDED if record.data == EMBEDDED else experiment.data
    made = Experiment.open(record.profile, data, variant=BASE).prepared()
    if made.checksum != record.about["checksum"]:
        return None
    train, test = made.split("train").keypoints, made.split("test")
    labelled, true = train[..., 2:] > 0, torch.from_numpy(np.array(test.keypoints[..., :2]))
    mean = torch.from_numpy((train[..., :2] * labelled).sum(0) / np.maximum(labelled.sum(0), 1))
    hits = within_heads(mean.expand(true.shape), true, heads(test, made.schema)).numpy()
    return Outcome("mean pose", 0, {}, {"heads": np.where(hits, 0, STEPS)}, sweep.people)


# Persons, and heatmaps behind every hourglass


def samples(sweep: Outcomes | None, limit: int = 9) -> Plate | Note:
    """fig-lighter-samples: the same persons, each network's predictions beside the truth; the report's networks in
    its order, then the others, the most accurate first."""
    if sweep is None or sweep.people.crops is None:
        return Note("No sweep with pictures that may be shown is recorded for this profile and data.")
    order, people, crops = list(REPORT), sweep.people, sweep.people.crops
    short = [sweep.of(n)[0] for n in sweep.names if not get(n).long]
    places = {o.name: order.index(o.name) if o.name in order else len(order) for o in short}
    chosen = sorted(short, key=lambda o: (places[o.name], -(o.mean.value or 0)))[:limit]
    truths = np.asarray(people.samples)
    rows = {"The truth": truths}
    for one in chosen:  # with the truth's labels: a joint that nobody labelled isn't drawn
        rows[get(one.name).title] = np.dstack([one.points, np.where(truths[..., 2] > 0, 2, 0)])
    with style():
        size = (1.12 * len(truths) + 1.5, 1.14 * len(rows))
        figure, axes = plt.subplots(len(rows), len(truths), figsize=size, squeeze=False)
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
        for line, (title, poses) in zip(axes, rows.items(), strict=True):
            for ax, crop, keypoints in zip(line, crops, poses, strict=True):
                skeleton(picture(ax, crop), keypoints, people.schema, width=1.1)
                ax.set(xlim=(-0.5, len(crop) - 0.5), ylim=(len(crop) - 0.5, -0.5))
            words = textwrap.fill(title, 16)
            line[0].text(-0.06, 0.5, words, transform=line[0].transAxes, ha="right", va="center", fontsize=9)
    best = max(chosen, key=lambda o: o.mean.value or 0)
    caption = (
        f"What {len(chosen)} networks, the report's first and then the most accurate, say of the same {len(truths)} "
        f"test persons, seed {sweep.seeds[0]}: the labelled joints as they are and as predicted, blue the left, red the "
        "right, green what is on neither side or joins both; of the truth, hollow dots are hidden joints. The networks "
        "are the small ones of {numref}`tbl-lighter-50`."
    )
    alt = (
        f"{len(truths)} persons in columns, the truth and {len(chosen)} networks in rows; most joints of the whole "
        f"test set are found by {small(best.name)}, {pooled([best.mean]):.1f} %."
    )
    return Plate(figure, caption, alt)


def exits(sweep: Outcomes | None, lowest: Outcome | None = None, name: str = BASE) -> Plate | Note:
    """fig-lighter-exits: accuracy behind each hourglass of a trained stack, against stacks that end there and `floor`'s."""
    outcomes = sweep.of(name) if sweep else []
    if sweep is None or not outcomes or len(outcomes[0].by_stack) < 2:
        return Note("No stack is trained whose hourglasses could be compared.")
    behind, divisor = 100 * np.mean([o.by_stack for o in outcomes], axis=0), sweep.section("lighter")["stack_divisor"]
    stacks = ("newell-2", "newell-4", "stacks-6", BASE)
    lengths = {get(n).described.stacks // divisor: n for n in stacks if sweep.of(n)}
    plain = {length: pooled([o.mean for o in sweep.of(n)]) for length, n in lengths.items()}
    with style():
        figure, ax = plt.subplots(figsize=(6, 3.4))
        ax.plot(np.arange(1, len(behind) + 1), behind, "o-", color=BLUE, label="one long stack, read early")
        ax.plot(list(plain), list(plain.values()), "s--", color=ORANGE, label="stacks of this length, trained so")
        ax.set(xlabel="hourglasses passed", ylabel=f"{sweep.people.measure}, %")
        ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
        ax.set_ylim(0, 1.1 * max(*behind, *plain.values(), 1))
        _floor(ax, lowest)
        ax.legend(fontsize=8, loc="lower right")
    gaps, alt = [], f"Behind the first hourglass {behind[0]:.1f} %, behind the last {behind[-1]:.1f} %"
    for length, shorter in sorted(lengths.items()):
        if length < len(behind) and (gap := early(sweep, name, shorter, length)):
            gaps.append(f"number {length} {gap.text(1, 100)}")
            alt += f"; trained to length {length} {plain[length]:.1f} %, where the long stack has "
            alt += f"{behind[length - 1]:.1f} %"
    caption = (
        "Every hourglass of a stack puts out heatmaps. Reading those of an early one costs nothing but the training "
        f"of the whole; beside it shorter stacks that were trained on their own. Points of the early reading above the "
        f"stack trained to that length, with 95 % intervals over {over(sweep)}: {'; '.join(gaps) or 'none'}."
    )
    trained = [plain[length] for length in sorted(plain)]
    if len(sweep.seeds) == 1 and trained != sorted(trained):
        told = ", ".join(f"{value:.1f}" for value in trained)
        caption += f" The trained stacks don't even rise with their length ({told} %): luck can be larger than that."
    return Plate(figure, caption, f"{alt}.")


# Accuracy against cost


def _floor(ax: Axes, lowest: Outcome | None) -> None:
    """The mean pose's accuracy as a line, where it is known."""
    if lowest:
        ax.axhline(pooled([lowest.mean]), color=GREY, linestyle=":", linewidth=1.4, label="mean pose")


def tradeoff(points: pd.DataFrame, times: Times, sweep: Outcomes | None, lowest: Outcome | None = None) -> Plate | Note:
    """fig-lighter-tradeoff: accuracy against three costs, with the Pareto front of each, and what `floor` finds.

    points: as `figures.fronts.points` makes them, one network a row.
    """
    known = points[points.accuracy.notna()]
    if sweep is None or len(known) < 2:
        return Note(NONE)
    letters = _letters(known)
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(9.2, 5.2), sharey=True)
        for ax, cost in zip(axes, PANELS, strict=True):
            _floor(ax, lowest)
            plot_tradeoff(known, cost, sweep, ax=ax)
        axes[0].set_ylabel(f"{sweep.people.measure}, % (small networks)")
        handles, words = axes[0].get_legend_handles_labels()
        for name, letter in letters.items():
            handles.append(Line2D([], [], linestyle="", marker=f"${letter}$", color=_look(name)[0]))
        figure.legend(handles, [*words, *(get(name).title for name in letters)], loc="outside lower center", ncol=3,
                      fontsize=8)  # fmt: skip
        figure.draw_without_rendering()  # places are known only then
        for ax, cost in zip(axes, PANELS, strict=True):
            _write(ax, known, cost, letters)
    on = {cost: list(known.case[known[f"front_of_{cost}"]]) for cost in PANELS}
    lettered = {cost: ", ".join(sorted(letters.get(n, small(n)) for n in names)) for cost, names in on.items()}
    told = "; ".join(f"{PANELS[cost].split(',')[0]}: {names}" for cost, names in lettered.items())
    caption = (
        "Accuracy against cost, every network a point; the line joins those that no other network beats in both (the "
        "Pareto front); letters in the colours of their points name those on any, and the original. Bars are 95 % "
        f"intervals of those on a front, over {over(sweep)}. Costs are those of the full-size networks on "
        f"{times.device}, without the intervals of {{numref}}`fig-lighter-speed`; the accuracies are of the small ones "
        f"of {{numref}}`tbl-lighter-50`, so the fronts are an indication. Fronts by {told}."
    )
    moved = [n for n in known.case if get(n).source == "ours" and any(n in names for names in on.values())]
    alt = (
        f"Of our own networks these lie on a front: {', '.join(map(small, moved)) or 'none'}; the original is "
        f"{'on one' if any(BASE in names for names in on.values()) else 'on none'}."
    )
    return Plate(figure, caption, alt)


def _letters(points: pd.DataFrame) -> dict[str, str]:
    """A letter for every network that is on a front, and for the original, the most accurate first."""
    on = points[[f"front_of_{cost}" for cost in PANELS]].any(axis=1) | (points.case == BASE)
    return dict(zip(points[on].sort_values("accuracy", ascending=False).case, ascii_uppercase, strict=False))


def _look(name: str) -> tuple[str, str, str]:
    """Colour, marker and word of a network's origin."""
    if name == BASE:
        return RED, "s", "original"
    return (GREEN, "^", "ours") if get(name).source == "ours" else (BLUE, "o", "report's networks")


def plot_tradeoff(points: pd.DataFrame, cost: str, sweep: Outcomes, *, ax: Axes | None = None) -> Axes:
    """Points by origin, the front as a line, and intervals of those on it."""
    ax = ax or plt.gca()
    on = points[points[f"front_of_{cost}"]].sort_values(cost)
    for x, name in zip(on[cost], on.case, strict=True):
        whole = accuracy(sweep, name)
        if whole.bounded:
            y, low, high = 100 * whole.value, 100 * whole.low, 100 * whole.high
            how = {"fmt": "none", "ecolor": INK, "elinewidth": 0.9, "capsize": 3, "zorder": 1}
            ax.errorbar(x, y, yerr=[[y - low], [high - y]], **how)
    steps = np.repeat(on[cost], 2)[1:], np.repeat(100 * on.accuracy, 2)[:-1]
    ax.plot(*steps, color=GREY, linewidth=1.2, label="Pareto front")
    for (colour, marker, label), some in points.groupby(points.case.map(_look), sort=False):
        how = {"markersize": 6.5, "markeredgecolor": "white", "markeredgewidth": 0.5, "linestyle": ""}
        top = 3 if label == "original" else 2
        ax.plot(some[cost], 100 * some.accuracy, marker, color=colour, label=label, zorder=top, **how)
    ax.set(xlim=(0, None), xlabel=PANELS[cost])
    ax.xaxis.set_major_locator(plt.MaxNLocator(5))
    return ax


def _write(ax: Axes, points: pd.DataFrame, cost: str, letters: dict[str, str]) -> None:
    """A letter joined to each point that has one by a thin line, as near as other points, the front, bars and earlier
    letters leave room."""
    places, unit = np.column_stack([points[cost], 100 * points.accuracy]), ax.get_figure().dpi / 72
    drawn = [line.get_path() for line in ax.lines if line.get_linestyle() == "-"]
    drawn += [path for bars in ax.collections for path in bars.get_paths()]
    spots = np.concatenate([places, *(path.interpolated(40).vertices for path in drawn)])
    spots = ax.transData.transform(spots) / unit
    low, high = ax.transAxes.transform([(0, 0), (1, 1)]) / unit
    for here, place, name in zip(spots[: len(places)], places, points.case, strict=True):
        if name not in letters:
            continue
        inside = SIDES[((here + SIDES > low + 6) & (here + SIDES < high - 4)).all(1)]
        clear = np.linalg.norm(spots - (here + inside)[:, None], axis=2).min(1)
        others = spots[(spots != here).any(1)][: len(places) - 1]
        line = here + np.multiply.outer((0.3, 0.5, 0.7, 0.9), inside)
        clear = np.minimum(clear, 2 * np.linalg.norm(others - line[:, :, None], axis=3).min((0, 2)))
        side = inside[np.argmax(np.minimum(clear, CLEAR))]  # the nearest that is clear, or the clearest
        spots = np.vstack([spots, here + side])
        ax.annotate(
            letters[name], place, textcoords="offset points", xytext=side, ha="center", va="center", fontsize=8.5,
            fontweight="bold", color=_look(name)[0], path_effects=[withStroke(linewidth=2.5, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": _look(name)[0], "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def live(points: pd.DataFrame, sweep: Outcomes | None) -> Live | None:
    """The first panel of fig-lighter-tradeoff, where every network tells its name and costs; None without a sweep."""
    known = points[points.accuracy.notna()]
    if sweep is None or len(known) < 2:
        return None
    letters, measure = _letters(known), sweep.people.measure
    values = np.column_stack([known.training, 100 * known.accuracy])
    low, high = values.min(0), values.max(0)
    width = np.where(high > low, high - low, 1)
    axes = zip((PANELS["training"], f"{measure}, %"), low.tolist(), (low + width).tolist(), strict=True)
    facts = []
    for row in known.itertuples():
        fronts = [label.split(",")[0] for cost, label in PANELS.items() if getattr(row, f"front_of_{cost}")]
        facts.append(
            f"{measure} {100 * row.accuracy:.1f} %, training {row.training:.2f} and prediction {row.inference:.2f} of "
            f"the original's time, {row.parameters:.1f} million parameters, {row.gflop:.1f} GFLOP"
            + (f"; on the front of {', '.join(fronts)}" if fronts else "")
        )
    data = {
        "axes": [{"label": label, "low": start, "high": end} for label, start, end in axes],
        "points": np.round((values - low) / width, 4).tolist(),
        "dots": [],
        "names": [f"{letters[n]} · {get(n).title}" if n in letters else get(n).title for n in known.case],
        "facts": facts,
        "stamp": None,
        "noun": "network",
    }
    return Live("fig-lighter-tradeoff", "scatter", data)


# The report's claims


def judged(sweep: Outcomes | None, times: Times) -> list[Row]:
    """The report's claims, by the recorded times; the live ones stand in for the first part where it isn't there."""
    first, *others = (speed.recorded(part) for part in speed.PARTS)
    return judge_lighter(Recorded(sweep, dict(zip(speed.PARTS, (first or times, *others), strict=True))))
