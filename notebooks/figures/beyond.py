"""Figures of the recorded sweep: which change mends the plateau, and by how much. Thesis 8.2; 07_beyond.

A change is held against what it changes, seed by seed on the same test persons; what several seeds say together is
their mean with Student's interval, as in figures.controls.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures.page import Note, Plate, Table, listed, nothing, number, percent
from hgnb.drawing.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, style
from hgnb.stats import Estimate, student
from hgnb.training.experiment import Experiment
from hgnb.training.networks import BEST, BEYOND, GENTLE, NEWELL, THESIS, Training, get
from hgnb.training.observations import AT, RADII, Outcome, Outcomes
from hgnb.training.recorded import command, stale

GROUPS = {
    "start": ORANGE, "targets": BLUE, "optimiser": GREEN, "network": PURPLE, "loss": SKY, "data": RED, "together": INK,
}  # fmt: skip
FOLLOWED = (THESIS, GENTLE, NEWELL, BEST)  # whose curves are drawn
DASHES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1)))
NONE = "Nothing is recorded in `results/` for these data: `make beyond PROFILE=small` does so."


def about(record: Outcomes | None, live: Experiment) -> Note:
    """Which record there is, how it is made again, and whether it is stale."""
    if record is None:
        return Note(NONE)
    reasons, persons = stale(record.record), record.people.counts
    state = f"**Stale**: {'; '.join(reasons)}." if reasons else "Made by today's code, profile and data."
    other = "" if record.data == live.data_name else f" There is none of {live.data_name}, so this one stands in."
    lost = [f"{name} (seed {seed.number}): {why}" for seed in record.record.seeds for name, why in seed.failed.items()]
    failed = f" Not trained to the end: {'; '.join(lost)}" if lost else ""
    return Note(
        f"What follows was recorded: {record.title}, {len(record.names)} changes, {record.hours:.1f} hours of training "
        f"on {record.device}, {persons['train']:,} training and {persons['test']:,} test persons. {state}{other} "
        f"Made again by `{command(record.record)}`.{failed}"
    )


def recorded(record: Outcomes) -> str:
    """The end of a caption: what the record is, and the command that makes it again."""
    return f"Recorded: {record.title}; made again by `{command(record.record)}`."


def score(outcome: Outcome) -> float:
    """Test PCK at the thesis's radius."""
    found = outcome.pck["all"].value
    assert found is not None  # a person without keypoints is in no split
    return found


def made(record: Outcomes, among: Sequence[Training] = BEYOND) -> list[Training]:
    """The changes that a record has."""
    return [change for change in among if change.name in record.names]


def paired(record: Outcomes, first: str, second: str) -> np.ndarray:
    """(S,) test PCK of one change less that of another, in the seeds that have both."""
    a, b = ({o.seed: score(o) for o in record.of(name)} for name in (first, second))
    return np.array([a[seed] - b[seed] for seed in sorted(a.keys() & b.keys())])


def gain(record: Outcomes, change: Training) -> Estimate:
    """Of a change over what it changes."""
    return student(paired(record, change.name, change.on))


def mean(record: Outcomes, name: str) -> float:
    """Test PCK over the seeds."""
    return float(np.mean([score(o) for o in record.of(name)])) if record.of(name) else np.nan


def plateau_curves(record: Outcomes | None) -> Plate:
    """fig-plateau-curves: validation loss as a share of silence, and PCK, by epoch."""
    shown = [] if record is None else [get(name) for name in FOLLOWED if record.of(name)]
    if record is None or not shown:
        return nothing(NONE, NONE, NONE)
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9.2, 3.6))
        plot_losses(record, shown, ax=axes[0])
        plot_scores(record, shown, ax=axes[1])
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    ends = {c.name: float(np.mean([min(o.val_loss) / o.silent for o in record.of(c.name)])) for c in shown}
    tops = {c.name: float(np.mean([max(o.val_pck) for o in record.of(c.name)])) for c in shown}
    told = "; ".join(f"{c.title}: {percent(ends[c.name])} of silence, PCK {number(tops[c.name])}" for c in shown)
    caption = (
        "Validation loss as a share of the loss of silence under the same targets, on a logarithmic axis, and "
        f"validation PCK, by epoch: a thin line a seed, a thick one their mean. {recorded(record)}"
    )
    return Plate(figure, caption, f"Lowest loss and best validation PCK, mean over seeds. {told}.")


def _lines(shown: Sequence[Training]):
    return zip(shown, (GREY, ORANGE, BLUE, INK), DASHES, strict=False)


def plot_losses(record: Outcomes, shown: Sequence[Training], *, ax: Axes | None = None) -> Axes:
    """Loss over silence by epoch."""
    ax = ax or plt.gca()
    ax.axhline(1, color=RED, linewidth=1, linestyle=":", label="silence")
    for change, colour, line in _lines(shown):
        curves = [o.val_loss / o.silent for o in record.of(change.name)]
        _spread(ax, curves, colour, line, change.title)
    ax.set(yscale="log", xlabel="epoch", ylabel="validation loss, share of silence")
    ax.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    ax.yaxis.set_minor_formatter(lambda y, _: f"{y:g}" if f"{y:e}"[0] in "25" else "")
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    return ax


def plot_scores(record: Outcomes, shown: Sequence[Training], *, ax: Axes | None = None) -> Axes:
    """Validation PCK by epoch."""
    ax = ax or plt.gca()
    for change, colour, line in _lines(shown):
        _spread(ax, [o.val_pck for o in record.of(change.name)], colour, line, change.title)
    ax.set(xlabel="epoch", ylabel="validation PCK", ylim=(0, None))
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    return ax


def _spread(ax: Axes, curves: list[np.ndarray], colour, line, label: str) -> None:
    epochs = np.arange(1, min(map(len, curves)) + 1)
    for curve in curves:
        ax.plot(epochs, curve[: len(epochs)], color=colour, linewidth=0.6, alpha=0.5)
    middle = np.mean([c[: len(epochs)] for c in curves], 0)
    ax.plot(epochs, middle, color=colour, linestyle=line, linewidth=2, label=label)


def gains(record: Outcomes | None) -> Plate:
    """fig-beyond-gains: what each change gains over what it changes, paired over seeds."""
    rows = [] if record is None else [c for c in made(record) if c.on and len(paired(record, c.name, c.on))]
    if record is None or not rows:
        words = NONE if record is None else "No change here stands beside the training that it changes."
        return nothing(words, words, words)
    with style():
        lines = len(rows) + len({_heading(c) for c in rows})
        figure, ax = plt.subplots(figsize=(7.4, 0.27 * lines + 0.8))
        plot_gains(record, rows, ax=ax)
    clear = [c for c in rows if gain(record, c).low > 0]
    best = max(rows, key=lambda c: gain(record, c).value)
    caption = (
        "Test PCK gained by each change over the training that it changes, on the same persons. Small dots: seeds; "
        f"large ones: their mean with Student's 95 % interval. In the last group a training is compared with the "
        f"one without what its name ends with. {recorded(record)}"
    )
    alt = (
        f"{len(clear)} of {len(rows)} changes have an interval above zero; the largest gain, "
        f"{gain(record, best).text(3)}, is that of '{best.title}' over '{get(best.on).title}'."
    )
    return Plate(figure, caption, alt)


def plot_gains(record: Outcomes, rows: Sequence[Training], *, ax: Axes | None = None) -> Axes:
    """One row a change, under a heading for what it changes."""
    ax = ax or plt.gca()
    ax.axvline(0, color=GREY, linewidth=1)
    lines: list[Training | str] = []
    for heading in HEADINGS.values():
        below = [change for change in rows if _heading(change) == heading]
        lines += [heading, *below] if below else []
    for row, change in enumerate(lines):
        if isinstance(change, str):
            continue
        colour, each, all_ = (
            GROUPS.get(change.group, GREY),
            paired(record, change.name, change.on),
            gain(record, change),
        )
        ax.plot(each, np.full(len(each), row + 0.2), "o", color=colour, markersize=2.6, alpha=0.8)
        if np.isfinite([all_.low, all_.high]).all():
            ax.plot([all_.low, all_.high], [row - 0.12] * 2, color=colour, linewidth=2)
        ax.plot(all_.value, row - 0.12, "o", color=colour, markersize=5.5)
    ax.set_yticks(range(len(lines)), [line if isinstance(line, str) else line.title for line in lines], fontsize=9)
    for tick, line in zip(ax.get_yticklabels(), lines, strict=True):
        tick.set(color=INK, weight="bold") if isinstance(line, str) else tick.set_color(GROUPS.get(line.group, GREY))
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="test PCK gained", ylim=(len(lines) - 0.4, -0.7))
    return ax


BASES = {THESIS: "on the thesis's", GENTLE: "on a gentle start"}
HEADINGS = {THESIS: "On the thesis's numbers", GENTLE: "On a gentle start", "": "One change more"}


def _heading(change: Training) -> str:
    """What a change is held against, for a group of them."""
    return HEADINGS.get(change.on, HEADINGS[""])


def radii(record: Outcomes | None) -> Plate:
    """fig-beyond-radii: test PCK over radii of the thesis's numbers, a gentle start, Newell's targets and the best."""
    shown = [] if record is None else [get(name) for name in FOLLOWED if record.of(name)]
    if record is None or not shown:
        return nothing(NONE, NONE, NONE)
    curves = {c.name: np.array([o.curve for o in record.of(c.name)]) for c in shown}
    with style():
        figure, ax = plt.subplots(figsize=(6.6, 3.7))
        for change, colour, line in _lines(shown):
            drawn = curves[change.name]
            ax.fill_between(RADII, drawn.min(0), drawn.max(0), color=colour, alpha=0.15, linewidth=0)
            ax.plot(RADII, drawn.mean(0), color=colour, linestyle=line, label=change.title)
        ax.axvline(RADII[AT], color=GREY, linestyle=":", linewidth=1)
        ax.set(xlabel="radius, tenths of the side", ylabel="test PCK", xlim=(0, RADII[-1]), ylim=(0, 1))
        ax.legend(fontsize=8, loc="best")
    told = ", ".join(f"{c.title}: {number(curves[c.name].mean(0)[AT])}" for c in shown)
    wide = ", ".join(number(curves[c.name].mean(0)[-1]) for c in shown)
    caption = (
        f"Test PCK over the radius, mean of the seeds and their range; dotted: the thesis's radius. Distances between "
        f"cells of the heatmap, as the thesis has them. {recorded(record)}"
    )
    return Plate(figure, caption, f"At the thesis's radius: {told}; at {RADII[-1]:g} tenths: {wide}.")


def table(record: Outcomes | None) -> Table | Note:
    """tbl-beyond: every change with its measures."""
    if record is None:
        return Note(NONE)
    rows = []
    for change in made(record):
        outcomes = record.of(change.name)
        scores = np.array([score(o) for o in outcomes])
        parts = [_mean([o.pck[v].value for o in outcomes]) for v in ("v = 2", "v = 1")]
        rows.append((
            change.title, get(change.on).title if change.on else "–", change.source,
            f"{number(scores.mean(), 3)} ({number(scores.min(), 3)} to {number(scores.max(), 3)})", *parts,
            _mean([o.oks_ap for o in outcomes]), f"{np.mean([min(o.val_loss) / o.silent for o in outcomes]):.2f}",
            f"{np.mean([o.seconds for o in outcomes]):.0f}",
        ))  # fmt: skip
    columns = [
        "Change", "Of", "Source", "Test PCK", "v = 2", "v = 1", "OKS AP", "Loss over silence", "Seconds of training",
    ]  # fmt: skip
    caption = (
        "Every change: mean over the seeds, smallest to largest; the lowest validation loss over that of silence under "
        "the same targets. AP with boxes given. A dash: nothing to measure. Seconds are of one machine, whatever else "
        f"it did. {recorded(record)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-beyond")


def _mean(values: Sequence[float | None]) -> str:
    there = [v for v in values if v is not None]
    return number(float(np.mean(there)), 3) if there else "–"


def explained(record: Outcomes | None) -> Note:
    """Which single change explains most of the way from the thesis's numbers to the best."""
    if record is None or not record.of(THESIS):
        return Note(NONE)
    least, singles = (
        mean(record, THESIS),
        [c for c in made(record) if c.on in (THESIS, GENTLE) and c.group != "together"],
    )
    top = max(made(record), key=lambda c: mean(record, c.name))
    whole, lines = mean(record, top.name) - least, []
    for base in (THESIS, GENTLE):
        of = [c for c in singles if c.on == base and c.name != GENTLE]  # a gentle start is two changes
        if of and record.of(base):
            lines.append(_single(record, base, of, whole))
    factor = f", {mean(record, top.name) / least:.1f} times as much" if least > 0 else ""
    seeds = len(record.seeds)
    few = "" if seeds >= 5 else f" With {seeds} seed{'s' if seeds > 1 else ''} none of this is decided."
    return Note(
        f"From the thesis's numbers to the best training, '{top.title}', test PCK goes from {number(least, 3)} to "
        f"{number(mean(record, top.name), 3)}{factor}. {' '.join(lines)}{few}"
    )


def _single(record: Outcomes, base: str, of: Sequence[Training], whole: float) -> str:
    """The best single change of a start, and what else helps or harms."""
    best = max(of, key=lambda c: gain(record, c).value)
    won = gain(record, best)
    share = f", {percent(won.value / whole)} of the whole way" if whole > 0 else ""
    others = [c for c in of if c is not best]
    better = [f"'{c.title}'" for c in others if gain(record, c).low > 0]
    worse = [f"'{c.title}'" for c in others if gain(record, c).high < 0]
    return (
        f"**Of single changes {BASES[base]}, '{best.title}' explains most: {won.text(3)}{share}.** "
        f"Others that clearly gain: {listed(better) or 'none'}; that clearly lose: {listed(worse) or 'none'}."
    )


def sooner(record: Outcomes | None, better: str = BEST) -> Note:
    """How long the best training takes to pass the PCK that the thesis's numbers end with."""
    if record is None or not (record.of(THESIS) and record.of(better)):
        return Note(NONE)
    pairs = {o.seed: o for o in record.of(THESIS)}
    took = [_passed(pairs[o.seed], o) for o in record.of(better) if o.seed in pairs]
    there = [t for t in took if t is not None]
    if not there:
        return Note("In no seed does the best training pass the thesis's best validation PCK.")
    times = np.array(there)
    return Note(
        f"The best training passes the validation PCK that the thesis's numbers reach at their best in {len(there)} of "
        f"{len(took)} seeds, after {percent(float(times.mean()))} of their training time on average (at most "
        f"{percent(float(times.max()))})."
    )


def _passed(first: Outcome, second: Outcome) -> float | None:
    """Share of the first's training time after which the second has passed its best validation PCK; None: never."""
    goal = first.val_pck.max()
    epoch = next((i for i, value in enumerate(second.val_pck, 1) if value > goal), None)
    return None if epoch is None else epoch / second.epochs * second.seconds / first.seconds


def decodings(record: Outcomes | None) -> Table | Note:
    """tbl-beyond-decodings: PCK of the followed trainings by the way that heatmaps are decoded."""
    shown = [] if record is None else [get(name) for name in FOLLOWED if record.of(name)]
    if record is None or not shown:
        return Note(NONE)
    from figures.decoding import words

    radii_ = (0.1, 0.2, RADII[AT])
    rows = []
    for name in record.of(shown[0].name)[0].decodings:
        cells = []
        for change in shown:
            drawn = np.array([o.decodings[name] for o in record.of(change.name)]).mean(0)
            cells.append(", ".join(number(drawn[RADII.index(r)]) for r in radii_))
        rows.append((words(name), *cells))
    caption = (
        f"Test PCK at radii {', '.join(map(str, radii_))} by the way heatmaps are decoded, against the labelled points "
        f"on the crop and not their cells; mean over the seeds. {recorded(record)}"
    )
    return Table(pd.DataFrame(rows, columns=["Decoding", *(c.title for c in shown)]), caption, "tbl-beyond-decodings")
