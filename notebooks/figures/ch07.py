"""Chapter 07: which change mends the plateau, and what became of the thesis's future work. Thesis 8.2 and 8.4.

A change is held against what it changes, seed by seed on the same test persons; what several seeds say together is
their mean with Student's interval.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures import chains
from figures.chains import Chains
from figures.page import Note, Plate, Table, listed, nothing, number, percent, verdict
from figures.verdicts import Column
from figures.verdicts import beside as beside  # its tables show them
from hgnb import records
from hgnb.analysis import silence
from hgnb.analysis.interventions import ACROSS, ASTRAY, Moved
from hgnb.analysis.misplaced import Raised
from hgnb.analysis.truncation import WITHIN, Part
from hgnb.claims.collect import kept
from hgnb.data.prepared import PreparedSplit
from hgnb.drawing import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, style
from hgnb.metrics import PckConfig
from hgnb.model.config import HourglassConfig
from hgnb.records import Record, each_dataset
from hgnb.stats import Estimate, student
from hgnb.training import observations, profiles
from hgnb.training.experiment import Experiment
from hgnb.training.networks import BEST, BEYOND, GENTLE, LATER, NEWELL, THESIS, Training, get, scaled
from hgnb.training.observations import AT, RADII, Outcome, Outcomes
from hgnb.training.passes import MIRRORED, Decodings, mean_pose_hits
from hgnb.training.recorded import aged, command, measured, stale

GROUPS = {
    "start": ORANGE, "targets": BLUE, "optimiser": GREEN, "network": PURPLE, "loss": SKY, "data": RED, "together": INK,
}  # fmt: skip
BASES = {THESIS: "on the thesis's numbers", GENTLE: "on a gentle start"}
HEADINGS = {THESIS: "On the thesis's numbers", GENTLE: "On a gentle start", "": "One change more"}
FOLLOWED = (THESIS, GENTLE, NEWELL, BEST)  # whose curves are drawn
ELSEWHERE = (THESIS, "loud-peak-1", GENTLE, NEWELL, BEST, "best-wide")
DASHES = ("-", "--", "-.", (0, (1, 1)))
NONE = "Nothing is recorded in `results/` for these data: `make beyond PROFILE=small` does so."
NO_SEEDS = "No seeds of these networks are recorded in results/: `make claims` makes them."
WAYS = {
    "argmax": (INK, "-", "highest pixel"),
    "quarter": (BLUE, "--", "a quarter pixel"),
    "dark": (ORANGE, "-.", "top of a parabola"),
    "soft": (GREEN, (0, (1, 1)), "mean around the peak"),
}
SHOWN = (0.1, 0.2, 0.5)  # radii at which gains by decoding are given; the last is the thesis's
PARTS = {"encoder": BLUE, "bottleneck": INK, "skips": ORANGE, "decoder": GREEN}
MOVES = {ACROSS: (ORANGE, "o"), ASTRAY: (INK, "s")}


# The recorded changes


def record(profile: str, data: str) -> Outcomes | None:
    """Of this chapter's changes, the record that fits a profile and data best."""
    return observations.found("beyond", profile, data)


def again(record: Outcomes) -> str:
    """The end of a caption: what the record is, and the command that makes it again."""
    return f"Recorded: {record.record.title}; made again by `{command(record.record)}`."


def score(outcome: Outcome, at: int = AT) -> float:
    """Test PCK at one of RADII, by its place; by default the thesis's."""
    return float(outcome.curve[at])


def cells(record: Record) -> int:
    """Of a side of its heatmaps."""
    return record.about["numbers"]["data"]["side"] // HourglassConfig().stride


def far(record: Outcomes) -> int:
    """Which of RADII is as many cells of a record's maps as the thesis's radius is of the thesis's."""
    return int(np.abs(np.array(RADII) - RADII[AT] * silence.SIZE / cells(record.record)).argmin())


def reach(record: Record) -> str:
    """How many cells of a record's maps the thesis's radius is, in a sentence; '' where as many as in the thesis."""
    size, share = cells(record), PckConfig().normaliser * RADII[AT]
    alone = ", so that only the very cell counts" if share * size <= 1 else ""
    return "" if size == silence.SIZE else (
        f"On maps of {size} cells the thesis's radius is {share * size:.1f} cells{alone}; as far as the thesis's "
        f"{share * silence.SIZE:.1f} cells is radius {RADII[AT] * silence.SIZE / size:g} here."
    )  # fmt: skip


def mean_pose(record: Outcomes, train: PreparedSplit, persons: PreparedSplit) -> np.ndarray:
    """(R,) PCK over RADII of the mean pose of `train` on `persons`, on maps of as many cells as the record's."""
    side, counted = persons.crops.shape[1], persons.visibility > 0
    rule = {"side": side, "stride": side // cells(record.record)}
    return np.array([mean_pose_hits(train, persons, **rule, config=PckConfig(radius=r))[counted].mean() for r in RADII])


def begun(record: Outcomes) -> str:
    """What even the thesis's numbers have from the profile, in a sentence; '' where the profile is gone."""
    if (name := record.record.profile) not in profiles.names():
        return ""
    own = differing(scaled(profiles.load(name), THESIS), profiles.load("paper"), ("model", "training"))
    return f"What they have from the profile unless they change it, the thesis's number in brackets: {own}."


def differing(one: profiles.Profile, other: profiles.Profile, sections: Sequence[str]) -> str:
    """The numbers of some sections of a profile that another has otherwise, with the other's in brackets."""
    held = [(s, asdict(getattr(one, s)), asdict(getattr(other, s))) for s in sections]
    return listed([f"`{s}.{k}` {a[k]} ({b[k]})" for s, a, b in held for k in a if a[k] != b[k] and k != "threads"])


def made(record: Outcomes) -> list[Training]:
    """The changes that a record has."""
    return [change for change in BEYOND if change.name in record.names]


def followed(record: Outcomes | None) -> list[Training]:
    """Those whose curves are drawn."""
    return [get(name) for name in FOLLOWED if record and record.of(name)]


def gain(record: Outcomes, change: Training, at: int = AT) -> Estimate:
    """Of a change over what it changes, paired by seed."""
    return student(paired(record, change, at))


def paired(record: Outcomes, change: Training, at: int = AT) -> np.ndarray:
    """(S,) test PCK of a change less that of what it changes, in the seeds that have both."""
    own, base = ({o.seed: score(o, at) for o in record.of(name)} for name in (change.name, change.on))
    return np.array([own[seed] - base[seed] for seed in sorted(own.keys() & base.keys())])


def mean(record: Outcomes, name: str) -> float:
    """Test PCK over the seeds."""
    return float(np.mean([score(o) for o in record.of(name)])) if record.of(name) else np.nan


def _lines(shown: Sequence[Training]):
    return zip(shown, (GREY, ORANGE, BLUE, INK), DASHES, strict=False)


def plateau_curves(record: Outcomes | None) -> Plate:
    """fig-plateau-curves: validation loss as a share of silence, and PCK, by epoch."""
    if record is None or not (shown := followed(record)):
        return nothing(NONE)
    losses = {c.name: [o.val_loss / o.silent for o in record.of(c.name)] for c in shown}
    scores = {c.name: [o.val_pck for o in record.of(c.name)] for c in shown}
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.6))
        left.axhline(1, color=RED, linewidth=1, linestyle=":", label="silence")
        for ax, drawn in ((left, losses), (right, scores)):
            for change, colour, line in _lines(shown):
                curves = drawn[change.name]
                epochs = np.arange(1, min(map(len, curves)) + 1)
                for curve in curves:
                    ax.plot(epochs, curve[: len(epochs)], color=colour, linewidth=0.6, alpha=0.5)
                middle = np.mean([c[: len(epochs)] for c in curves], 0)
                ax.plot(epochs, middle, color=colour, linestyle=line, linewidth=2, label=change.title)
            ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
        left.set(yscale="log", xlabel="epoch", ylabel="validation loss, share of silence")
        left.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
        left.yaxis.set_minor_formatter(lambda y, _: f"{y:g}" if f"{y:e}"[0] in "25" else "")
        right.set(xlabel="epoch", ylabel="validation PCK", ylim=(0, None))
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    best = {n: (np.mean([min(c) for c in losses[n]]), np.mean([max(c) for c in scores[n]])) for n in losses}
    told = "; ".join(f"{get(n).title}: {percent(low)} of silence, PCK {number(top)}" for n, (low, top) in best.items())
    caption = (
        "Validation loss as a share of the loss of silence under the same targets, on a logarithmic axis, and "
        f"validation PCK, by epoch: a thin line a seed, a thick one their mean. {again(record)}"
    )
    return Plate(figure, caption, f"Lowest loss and best validation PCK, mean over seeds. {told}.")


def gains(record: Outcomes | None) -> Plate:
    """fig-beyond-gains: what each change gains over what it changes, paired over seeds; a row a change."""
    rows = [c for c in made(record) if c.on and len(paired(record, c))] if record else []
    if record is None or not rows:
        return nothing("No change here stands beside the training that it changes." if record else NONE)
    lines: list[Training | str] = []
    for base, heading in HEADINGS.items():
        below = [c for c in rows if (c.on if c.on in HEADINGS else "") == base]
        lines += [heading, *below] if below else []
    shown = list(dict.fromkeys((AT, far(record))))
    with style():
        figure, axes = plt.subplots(1, len(shown), figsize=(9.7, 0.27 * len(lines) + 0.9), squeeze=False)
        for at, ax in zip(shown, axes[0], strict=True):
            plot_gains(record, lines, at, ax=ax).tick_params(axis="y", labelleft=at == AT)
    clear, best = [c for c in rows if gain(record, c).low > 0], max(rows, key=lambda c: gain(record, c).value)
    caption = (
        "Test PCK gained by each change over the training that it changes, on the same persons, at the thesis's radius and, "
        "where that is fewer cells than in the thesis, at that of as many. Small dots: seeds; "
        f"large ones: their mean with Student's 95 % interval. In the last group a training is compared with the "
        f"one without what its name ends with. {again(record)}"
    )
    alt = (
        f"At the thesis's radius {len(clear)} of {len(rows)} changes have an interval above zero; the largest gain, "
        f"{gain(record, best).text(3)}, is that of '{best.title}' over '{get(best.on).title}'. At radius "
        f"{RADII[shown[-1]]:g} the sign of {len(turning(record))} gains is another."
    )
    return Plate(figure, caption, alt)


def plot_gains(record: Outcomes, lines: Sequence[Training | str], at: int = AT, *, ax: Axes) -> Axes:
    """Changes by colour of their group, below the headings among them."""
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_yticks(range(len(lines)), [line if isinstance(line, str) else line.title for line in lines], fontsize=9)
    for row, (change, tick) in enumerate(zip(lines, ax.get_yticklabels(), strict=True)):
        if isinstance(change, str):
            tick.set(color=INK, weight="bold")
            continue
        colour, each, all_ = GROUPS.get(change.group, GREY), paired(record, change, at), gain(record, change, at)
        tick.set_color(colour)
        ax.plot(each, np.full(len(each), row + 0.2), "o", color=colour, markersize=2.6, alpha=0.8)
        if np.isfinite([all_.low, all_.high]).all():
            ax.plot([all_.low, all_.high], [row - 0.12] * 2, color=colour, linewidth=2)
        ax.plot(all_.value, row - 0.12, "o", color=colour, markersize=5.5)
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel=f"test PCK gained, radius {RADII[at]:g}", ylim=(len(lines) - 0.4, -0.7))
    return ax


def radii(record: Outcomes | None, pose: np.ndarray) -> Plate:
    """fig-beyond-radii: test PCK over radii of the thesis's numbers, a gentle start, Newell's targets and the best; and
    of the mean pose, as `mean_pose` has it."""
    if record is None or not (shown := followed(record)):
        return nothing(NONE)
    curves = {c.name: np.array([o.curve for o in record.of(c.name)]) for c in shown}
    with style():
        figure, ax = plt.subplots(figsize=(6.6, 3.7))
        for change, colour, line in _lines(shown):
            drawn = curves[change.name]
            ax.fill_between(RADII, drawn.min(0), drawn.max(0), color=colour, alpha=0.15, linewidth=0)
            ax.plot(RADII, drawn.mean(0), color=colour, linestyle=line, label=change.title)
        ax.plot(RADII, pose, color=RED, linewidth=1, label="the mean pose")
        ax.axvline(RADII[AT], color=GREY, linestyle=":", linewidth=1)
        ax.set(xlabel="radius, tenths of the side", ylabel="test PCK", xlim=(0, RADII[-1]), ylim=(0, 1))
        ax.legend(fontsize=8, loc="best")
    told = ", ".join(f"{c.title}: {number(curves[c.name].mean(0)[AT])}" for c in shown)
    wide = ", ".join(number(curves[c.name].mean(0)[-1]) for c in shown)
    also = f"the mean pose {number(pose[AT])} and {number(pose[-1])}"
    caption = (
        f"Test PCK over the radius, mean of the seeds and their range; dotted: the thesis's radius. Distances between "
        f"cells of the heatmap, as the thesis has them. The mean pose looks at no image; it is that of this page's training "
        f"persons on its test persons, on maps of as many cells. {again(record)}"
    )
    return Plate(figure, caption, f"At the thesis's radius: {told}; at {RADII[-1]:g} tenths: {wide}; {also}.")


def table(record: Outcomes | None) -> Table | Note:
    """tbl-beyond: every change with its measures."""
    if record is None:
        return Note(NONE)
    rows, wide = [], far(record)
    for change in made(record):
        outcomes = record.of(change.name)
        scores = [score(o) for o in outcomes]
        parts = [_mean([o.pck[v].value for o in outcomes]) for v in ("v = 2", "v = 1")]
        rows.append((
            change.title, get(change.on).title if change.on else "–", change.source,
            f"{number(float(np.mean(scores)), 3)} ({number(min(scores), 3)} to {number(max(scores), 3)})",
            _mean([score(o, wide) for o in outcomes]), *parts, _mean([o.facts["oks_ap"] for o in outcomes]),
            f"{np.mean([min(o.val_loss) / o.silent for o in outcomes]):.2f}", f"{np.mean([o.seconds for o in outcomes]):.0f}",
        ))  # fmt: skip
    columns = ["Change", "Of", "Source", "Test PCK", f"At radius {RADII[wide]:g}", "v = 2", "v = 1", "OKS AP"]
    caption = (
        f"Every change: mean over the seeds, smallest to largest; the mean at radius {RADII[wide]:g}; the lowest validation "
        "loss over that of silence under the same targets. AP with boxes given. A dash: nothing to measure. Seconds are "
        f"of one machine, whatever else it did. {again(record)}"
    )
    columns += ["Loss over silence", "Seconds of training"]
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-beyond")


def _mean(values: Sequence[float | None]) -> str:
    there = [v for v in values if v is not None]
    return number(float(np.mean(there)), 3) if there else "–"


def explained(record: Outcomes | None, pose: np.ndarray) -> Note:
    """How far it is from the thesis's numbers to the best, which single change gains most, what became of section 7.2's
    expectation, and which gains turn at a larger radius. pose: as `mean_pose` has it."""
    if record is None or not record.of(THESIS):
        return Note(NONE)
    top, least = max(made(record), key=lambda c: mean(record, c.name)), mean(record, THESIS)
    seeds, turned = len(record.seeds), turning(record)
    few = "" if seeds >= 5 else f" With {seeds} seed{'s' if seeds > 1 else ''} none of this is decided."
    return Note(
        f"From the thesis's numbers to the best training, '{top.title}', test PCK goes from {number(least, 3)} to "
        f"{number(mean(record, top.name), 3)}. A mean pose, which looks at no image, has {number(pose[AT], 3)} on this page's "
        f"test persons. {' '.join(singles(record))} {expected(record)}{few}\n\nAt radius {RADII[far(record)]:g}, where as "
        f"many cells count as in the thesis, the sign of {len(turned)} gains is another, by both 95 % intervals:\n"
        + "\n".join(turned or ["- none"])
    )


def singles(record: Outcomes) -> list[str]:
    """Of each start the best single change, and what else helps or harms."""
    told = []
    for base, words in BASES.items():
        of = [c for c in made(record) if c.on == base and c.group != "together" and c.name != GENTLE]  # that is two
        if won := {c.title: gain(record, c) for c in of if len(paired(record, c))}:
            best = max(won, key=lambda title: won[title].value)
            better = [f"'{title}'" for title, g in won.items() if title != best and g.low > 0]
            worse = [f"'{title}'" for title, g in won.items() if title != best and g.high < 0]
            told.append(
                f"**Of single changes {words}, '{best}' gains most: {won[best].text(3)}.** Others that gain, by their own "
                f"95 % interval and uncorrected for their number: {listed(better) or 'none'}; that lose: "
                f"{listed(worse) or 'none'}."
            )
    return told


def expected(record: Outcomes) -> str:
    """Whether quiet first weights, small steps and patience do what section 7.2 leads one to expect."""
    names = ("quiet-start", "warm-up", "rate-2.5e-4", "rate-4e-3")
    if not all(len(paired(record, get(name))) for name in names):
        return ""
    won = [gain(record, get(name)) for name in names]
    quiet, warm, slow = (f"{verdict(g, 'help', 'harm', 'do neither clearly')}: {g.text(3)}" for g in won[:3])
    return (
        f"Of what section 7.2 leads one to expect, quiet first weights {quiet}. The small first steps of a warm-up alone "
        f"{warm}. Small steps throughout {slow} with the thesis's rate in place of {record.section('training')['rate']:g}, "
        f"where 4e-3 gains {won[3].text(3)}. Patience isn't tried: every change has {record.all[0].facts['epochs']} epochs."
    )


def turning(record: Outcomes) -> list[str]:
    """Changes that gain at the thesis's radius and lose as many cells away as that is in the thesis, or the reverse, by
    both 95 % intervals; a line each."""
    changes = [c for c in made(record) if len(paired(record, c))]
    both = [(c, gain(record, c), gain(record, c, far(record))) for c in changes]
    return [
        f"- '{c.title}' over '{get(c.on).title}': {near.text(3)} becomes {wide.text(3)}"
        for c, near, wide in both
        if near.high < 0 < wide.low or wide.high < 0 < near.low
    ]


def elsewhere() -> Table | Note:
    """tbl-elsewhere: test PCK under a few changes wherever they were recorded."""
    held = [Outcomes(records.read(where)) for where in records.folders("beyond")]
    held = [one for one in held if one.record.seeds and one.of(THESIS)]
    if not held:
        return Note(NONE)
    rows, shown = [], [name for name in ELSEWHERE if any(one.of(name) for one in held)]
    for one in held:
        levels = [student(np.array([score(o) for o in one.of(name)])).text(3) for name in shown]
        state = " (stale)" if stale(one.record) else ""
        persons = f"{one.people.counts['train']:,}"
        rows.append((f"{one.record.title}{state}", persons, str(cells(one.record)), *levels))
    columns = ["Recorded", "Training persons", "Cells of a side", *(get(name).title for name in shown)]
    caption = (
        "Test PCK under a few settings, wherever they were recorded, at the thesis's radius: mean over seeds, with 95 % "
        f"intervals. Made again by {listed([f'`{command(one.record)}`' for one in held])}."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-elsewhere")


# Between the pixels


def way(name: str) -> str:
    """How figures call a decoding."""
    plain = WAYS[name.removesuffix(MIRRORED)][2]
    return f"{plain}, with mirror" if name.endswith(MIRRORED) else plain


def decodings(made: Decodings, persons: str) -> Plate:
    """fig-decodings: PCK over small radii by the way heatmaps are decoded, and what each gains over the highest pixel.

    persons: who they are, for the caption.
    """
    radii, pale, rows = np.linspace(0, 0.75, 151), "dark" + MIRRORED, [n for n in made.offsets if n != "argmax"]
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.9), width_ratios=(1, 1.15))
        for name, (colour, line, label) in WAYS.items():
            left.plot(radii, made.curve(name, radii), color=colour, linestyle=line, label=label, linewidth=1.5)
        left.plot(radii, made.curve(pale, radii), color=GREY, linewidth=1.2, label=way(pale))
        left.axvline(SHOWN[-1], color=GREY, linestyle=":", linewidth=1)
        left.set(xlabel="radius, tenths of the side", ylabel="PCK", xlim=(0, radii[-1]), ylim=(0, None))
        left.legend(fontsize=8, loc="lower right")
        for place, (radius, colour, marker) in enumerate(zip(SHOWN, (GREEN, BLUE, INK), "^so", strict=True)):
            for row, name in enumerate(rows):
                won, y = made.gain(name, radius), row + 0.22 * (place - 1)
                right.plot([won.low, won.high], [y, y], color=colour, linewidth=1.1)
                first = f"radius {radius}" if row == 0 else None
                right.plot(won.value, y, marker, color=colour, markersize=5, label=first)
        right.axvline(0, color=GREY, linewidth=0.8)
        right.set(xlabel="PCK gained over the highest pixel", ylim=(len(rows) - 0.5, -0.5))
        right.set_yticks(range(len(rows)), [way(name) for name in rows], fontsize=8)
        right.legend(fontsize=8, loc="best")
    caption = (
        f"Left: PCK of {persons} over the radius, in tenths of the side, by the way their heatmaps are decoded; "
        "predicted and true points are compared on the crop, where a label lies between pixels of the map. Right: "
        f"what each gains over the highest pixel at {len(SHOWN)} radii, with 95 % intervals over photographs; at "
        f"{SHOWN[-1]} a keypoint may be off by {made.normaliser * SHOWN[-1]:.1f} pixels of the crop. With mirror: the "
        "mean of the heatmaps of the crop and of its mirror image."
    )
    told = [", ".join(f"{number(made.pck(n, r).value, 3)} at {r}" for r in SHOWN) for n in ("argmax", pale)]
    return Plate(figure, caption, f"The highest pixel reaches {told[0]}; the {way(pale)}, {told[1]}.")


def by_decoding(record: Outcomes | None) -> Table | Note:
    """tbl-beyond-decodings: PCK of the followed trainings by the way that heatmaps are decoded."""
    if record is None or not (shown := followed(record)):
        return Note(NONE)
    rows = []
    for name in record.of(shown[0].name)[0].decodings:
        drawn = [np.mean([o.decodings[name] for o in record.of(change.name)], 0) for change in shown]
        rows.append((way(name), *(", ".join(number(curve[RADII.index(r)]) for r in SHOWN) for curve in drawn)))
    caption = (
        f"Test PCK at radii {', '.join(map(str, SHOWN))} by the way heatmaps are decoded, against the labelled points "
        f"on the crop and not their cells; mean over the seeds. {again(record)}"
    )
    return Table(pd.DataFrame(rows, columns=["Decoding", *(c.title for c in shown)]), caption, "tbl-beyond-decodings")


# Redundancy, and the misplaced


def within(part: Part) -> str:
    """'skip at level 1': a part's title within a sentence."""
    return part.title.replace(", ", " at ")


def redundancy(parts: Sequence[Part], seen: int) -> Plate:
    """fig-redundancy: PCK with k channel components of one part kept, for every part; and how many each needs.

    seen: persons whose maps the components are of.
    """
    most, full = max(parts[0].kept.counts), parts[0].kept.full.value
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.0), width_ratios=(1.35, 1))
        for row, part in enumerate(parts):
            name, _, level = part.name.partition(".")
            colour, line = PARTS[name], DASHES[int(level or 0) % len(DASHES)]
            counts = part.kept.counts
            kept = [part.kept.pck(k).value for k in counts]
            left.plot(counts, kept, color=colour, linestyle=line, linewidth=1.5, label=part.title)
            right.barh(row, part.components.needed(0.95), color=colour, alpha=0.3, height=0.62)
            if (k := part.kept.smallest()) is not None:
                right.plot(k, row, "o", color=colour, markersize=6)
        left.axhline(full, color=GREY, linestyle=":", linewidth=1.2)
        left.set_xscale("symlog", linthresh=1, linscale=0.5)
        ticks = [0, *(2**i for i in range(most.bit_length()))]
        left.set(xticks=ticks, xticklabels=ticks, xlabel="channel components kept", ylabel="PCK", ylim=(0, None))
        left.set_xlim(-0.1, 1.15 * most)
        left.minorticks_off()
        right.axvline(most, color=GREY, linestyle=":", linewidth=1.2)
        right.set(xlabel=f"components, of {most}", ylim=(len(parts) - 0.4, -0.6), xlim=(0, 1.04 * most))
        right.set_yticks(range(len(parts)), [part.title for part in parts], fontsize=8)
        columns = min(5, -(-len(parts) // 2))
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=columns, fontsize=8)
    caption = (
        f"One part of the hourglass puts out only its first k of {most} channel components, at every pixel alike; "
        f"the others are as they were. Left: PCK of {len(parts[0].kept.images):,} test persons; dotted: with nothing "
        f"replaced. Right: how many components come within {percent(WITHIN)} of that (dots, of the numbers tried), and "
        f"how many hold 95 % of the variance (bars). Components are of {seen:,} training persons."
    )
    left_of = {part.title: part.kept.pck(0).value for part in parts}
    worst, best = min(left_of, key=left_of.__getitem__), max(left_of, key=left_of.__getitem__)
    least = [(k, part.title) for part in parts if (k := part.kept.smallest()) is not None]
    least.sort(key=lambda pair: pair[0])
    alt = (
        f"Of {number(full, 3)} PCK, {number(left_of[worst], 3)} is left where one mean replaces the {worst}, and "
        f"{number(left_of[best], 3)} for the {best}; of the numbers tried the least are enough for: "
        f"{listed([f'{title} {k}' for k, title in least[:3]]) or 'none'}."
    )
    return Plate(figure, caption, alt)


def full_move(moves: Sequence[Moved], who: str, where: str) -> Estimate:
    """What the longest step changes."""
    return max((m for m in moves if (m.who, m.where) == (who, where)), key=lambda m: m.step).gain


def correction(answers: Mapping[str, tuple[Raised, list[Moved]]]) -> Plate:
    """fig-correction: PCK that would be won by the misplaced, and what moving them does; by what a figure calls the
    space."""
    if not any(np.isfinite(raised.gain.value) for raised, _ in answers.values()):
        return nothing("Nobody is misplaced here, or nobody misplaced can be compared: there is nothing to correct.")
    with style():
        figure, axes = plt.subplots(1, len(answers), figsize=(4.9 * len(answers), 3.5), sharex=True, squeeze=False)
        for ax, (space, answer) in zip(axes[0], answers.items(), strict=True):
            plot_moves(*answer, ax=ax)
            ax.set_title(space)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    held = next(iter(answers.values()))[1]
    counts = ", ".join(f"{m.persons} {m.who}" for m in held if m.where == ACROSS and m.step == held[-1].step)
    caption = (
        "PCK gained where the points of persons are moved to the other cluster, along the line between the centroids "
        f"or as far in a direction drawn by lot, by the share of the way; {counts} training persons, drawn by lot. The "
        "green bar moves nobody: it is what all persons would gain if the misplaced had the PCK of the well placed with "
        "as many labelled keypoints. 95 % intervals over photographs."
    )
    told = [
        f"{space}: with the PCK of the well placed {raised.gain.text(3)} would be won, moving the misplaced all the way "
        f"changes PCK by {full_move(moves, 'misplaced', ACROSS).text(3)}"
        for space, (raised, moves) in answers.items()
    ]
    return Plate(figure, caption, f"{'; '.join(told)}.")


def plot_moves(raised: Raised, moves: list[Moved], *, ax: Axes) -> Axes:
    """A row for each kind of person and step; on top what the misplaced would gain with the PCK of the well placed."""
    rows = list(dict.fromkeys((m.who, m.step) for m in moves))
    for move in moves:
        colour, marker = MOVES[move.where]
        y = 1 + rows.index((move.who, move.step)) + (0.14 if move.where == ASTRAY else -0.14)
        ax.plot([move.gain.low, move.gain.high], [y, y], color=colour, linewidth=1.2)
        label = move.where if (move.who, move.step) == rows[0] else None
        ax.plot(move.gain.value, y, marker, color=colour, markersize=5, label=label)
    ax.plot([raised.gain.low, raised.gain.high], [0, 0], color=GREEN, linewidth=1.2)
    ax.barh(0, raised.gain.value, color=GREEN, alpha=0.5, height=0.5, label="with the PCK of the well placed")
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set(xlabel="PCK gained", ylim=(len(rows) + 0.5, -0.6))
    ax.xaxis.set_major_locator(plt.MaxNLocator(4))
    told = ["nobody moved", *(f"{who}, {step:g} of the way" for who, step in rows)]
    ax.set_yticks(range(len(rows) + 1), told, fontsize=8)
    return ax


# What was left for later, a second model, and recipes


def later(profile: str, data: str) -> list[Chains]:
    """The recorded chains whose seeds hold networks that the thesis left for later, one of each dataset."""
    there = [one for one in chains.beside(profile, data) if any(one.has(network.name) for network in LATER)]
    return each_dataset(there)


def worth(chain: Chains) -> str:
    """Whether what the autoencoder learned before it was put in was worth learning, with what says so."""
    alone, width = (chain.difference(*pair, "test") for pair in (("modified", "narrow"), ("narrow", "straight")))
    learned = verdict(
        alone,
        "It pays to train the autoencoder before it is put in",
        "It doesn't pay to train the autoencoder before it is put in",
        "Whether it pays to train the autoencoder before it is put in can't be told",
    )
    narrow = verdict(width, "beats", "falls behind", "can't be told from")
    return (
        f"**{learned}** ({chain.name}, {len(chain.seeds)} seeds): the modified hourglass less the same network trained in "
        f"one go, as long as the chain's two trainings together, is {alone.text(3)} in test PCK. A bottleneck that is "
        f"narrow from the first step {narrow} a wide one, both in one go: {width.text(3)}."
    )


def ledgers(live: Experiment) -> list[Column]:
    """The ledger of the thesis's targets, judged from the record that fits the live data best, and that of a profile
    like `better` on the same data."""
    found = records.fitting("chain", live.profile.name, live.data_name)
    plain = next((record for record in found if not record.better), None)
    data = plain.data if plain else live.data_name
    second = next((r for r in found if r.better and r.data == data), None)
    return [Column.of(kept(record)) for record in (plain, second) if record]


def parted(columns: Sequence[Column]) -> str:
    """In which numbers the profiles of two ledgers differ; of `better`'s where there is no second."""
    first, second = ([column.result.record.profile for column in columns] + ["better"])[:2]
    own = differing(profiles.load(second), profiles.load(first), ("data", "heatmaps", "model", "training"))
    return f"The profile `{second}` differs from `{first}`, whose numbers stand in brackets, in {own}."


def recipes() -> tuple[dict[int, tuple[profiles.Profile, dict]], str]:
    """By minutes the profile that fills them and what was measured of it, if anything; and when, and whether that is
    stale."""
    held = measured("recipes")
    names = {int(found[1]): name for name in profiles.names() if (found := re.fullmatch(r"best-(\d+)", name))}
    known = held.get("recipes", {})
    told = {minutes: (profiles.load(name), known.get(str(minutes), {})) for minutes, name in names.items()}
    again = "`python benchmarks/recipes.py`"
    if not known:
        return dict(sorted(told.items())), f"None has been timed here yet: {again} does."
    date = max(came["date"] for came in known.values())
    return dict(sorted(told.items())), f"PCK and minutes of training as recorded on {date} by {again}.{aged(held)}"
