"""What was trained for chapter 06 and what came out: persons, and heatmaps behind every hourglass."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from figures.lighter.report import REPORT
from figures.lighter.words import DASH, percent, pooled, seeds, small, threads
from figures.page import Note, Plate, signed
from hgnb.analysis.lighter import early
from hgnb.drawing.poses import picture, skeleton
from hgnb.drawing.style import BLUE, ORANGE, style
from hgnb.stats import Estimate
from hgnb.training.networks import BASE, get
from hgnb.training.observations import Outcome, Outcomes
from hgnb.training.speed import Times


def reach(sweep: Outcomes | None, times: Times, profile: str, data: str) -> Note:
    """What was trained and timed, where, and how far that goes."""
    said = (
        f"Speed was measured on this run's machine ({times.device}, {threads(times)}) with networks at "
        f"{'full size' if times.side == 256 else 'a toy size that proves that everything runs'}. "
    )
    if sweep is None:
        said += f"No sweep is recorded for profile `{profile}`, so this page shows no accuracy of ours: "
        return Note(f"{said}`make lighter` makes one.")
    own = (sweep.profile, sweep.data) == (profile, data)
    said += (
        f"Accuracy comes from {len(sweep.all)} trainings ({seeds(sweep)}, {sweep.hours:.2g} hours of one "
        f"{sweep.device}, {sweep.record.date[:10]}) of the profile `{sweep.profile}` on {sweep.data}"
        + ("" if own else f", the record that fits best (this page: `{profile}` on {data})")
        + ". "
    )
    if sweep.people.measure == "PCK":
        said += "These data have no head segment, so the thesis's PCK stands in for PCKh. "
    return Note(
        said + "Small networks after few epochs can show which changes hurt at once; differences of a point or two, "
        "such as the report's, they can't."
    )


def samples(sweep: Outcomes | None, limit: int = 9) -> Plate | Note:
    """fig-lighter-samples: the same persons, each network's predictions beside the truth."""
    if sweep is None or sweep.people.crops is None:
        return Note("No sweep with pictures that may be shown is recorded for this profile and data.")
    people, first = sweep.people, sweep.seeds[0]
    chosen = _shown(sweep)[:limit]
    count = len(people.samples)
    truths = [np.asarray(truth) for truth in people.samples]
    rows = {"The truth": truths}
    for outcome in chosen:
        rows[get(outcome.name).title] = [_drawn(outcome, truth, i) for i, truth in enumerate(truths)]
    with style():
        size = (1.12 * count + 1.5, 1.14 * len(rows))
        figure, axes = plt.subplots(len(rows), count, figsize=size, squeeze=False)
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
        for row, (title, poses) in zip(axes, rows.items(), strict=True):
            for i, (ax, keypoints) in enumerate(zip(row, poses, strict=True)):
                _pose(ax, sweep, i, keypoints)
            words = textwrap.fill(title, 16)
            row[0].text(-0.06, 0.5, words, transform=row[0].transAxes, ha="right", va="center", fontsize=9)
    best = max(chosen, key=lambda o: o.mean.value or 0)
    caption = (
        f"What {len(chosen)} networks, the report's first and then the most accurate, say of the same {count} test "
        f"persons, seed {first}: the labelled joints as they are and "
        "as predicted, blue the left and red the right. The networks are the small ones of {numref}`tbl-lighter-50`."
    )
    alt = (
        f"{count} persons in columns, the truth and {len(chosen)} networks in rows; most joints of the "
        f"whole test set are found by {small(best.name)}, {percent(best.mean)} %."
    )
    return Plate(figure, caption, alt)


def _shown(sweep: Outcomes) -> list[Outcome]:
    """One short training of each network: the report's in its order, then the others, the most accurate first."""
    short = [sweep.of(n)[0] for n in sweep.names if not get(n).long]
    order = {name: place for place, name in enumerate(REPORT)}
    return sorted(short, key=lambda o: (order.get(o.name, len(order)), -(o.mean.value or 0)))


def _drawn(outcome: Outcome, truth: np.ndarray, person: int) -> np.ndarray:
    """(K, 3) a prediction with the truth's labels: a joint that nobody labelled isn't drawn."""
    return np.column_stack([np.array(outcome.points[person]), np.where(truth[:, 2] > 0, 2, 0)])


def _pose(ax: Axes, sweep: Outcomes, person: int, keypoints: np.ndarray) -> None:
    assert sweep.people.crops is not None  # who draws has asked
    crop = sweep.people.crops[person]
    skeleton(picture(ax, crop), keypoints, sweep.people.schema, width=1.1)
    ax.set(xlim=(-0.5, len(crop) - 0.5), ylim=(len(crop) - 0.5, -0.5))


def exits(sweep: Outcomes | None, name: str = BASE) -> Plate | Note:
    """fig-lighter-exits: accuracy behind each hourglass of a trained stack, against stacks that end there."""
    outcomes = sweep.of(name) if sweep else []
    if sweep is None or not outcomes or len(outcomes[0].by_stack) < 2:
        return Note("No stack is trained whose hourglasses could be compared.")
    behind = 100 * np.mean([o.by_stack for o in outcomes], axis=0)
    divisor = sweep.section("lighter")["stack_divisor"]
    stacks = ("newell-2", "newell-4", "stacks-6", BASE)
    lengths = {get(n).described.stacks // divisor: n for n in stacks if sweep.of(n)}
    plain = {length: 100 * (pooled([o.mean for o in sweep.of(n)]).value or 0) for length, n in lengths.items()}
    with style():
        figure, ax = plt.subplots(figsize=(6, 3.4))
        ax.plot(np.arange(1, len(behind) + 1), behind, "o-", color=BLUE, label="one long stack, read early")
        ax.plot(list(plain), list(plain.values()), "s--", color=ORANGE, label="stacks of this length, trained so")
        ax.set(xlabel="hourglasses passed", ylabel=f"{sweep.people.measure}, %")
        ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
        ax.set_ylim(0, 1.1 * max(*behind, *plain.values(), 1))
        ax.legend(fontsize=8, loc="lower right")
    gaps = "; ".join(
        f"number {length} {_apart(early(sweep, name, shorter, length))}"
        for length, shorter in sorted(lengths.items())
        if length < len(behind)
    )
    caption = (
        "Every hourglass of a stack puts out heatmaps. Reading those of an early one costs nothing but the training "
        f"of the whole; beside it shorter stacks that were trained on their own ({seeds(sweep)})."
        + (
            f" Points of the early reading above the stack trained to that length, paired by seed: {gaps}."
            if gaps
            else ""
        )
    )
    alt = f"Behind the first hourglass {behind[0]:.1f} %, behind the last {behind[-1]:.1f} %" + "".join(
        f"; trained to length {length} {plain[length]:.1f} %, where the long stack has {behind[length - 1]:.1f} %"
        for length in sorted(plain)
        if length < len(behind)
    )
    return Plate(figure, caption, f"{alt}.")


def _apart(gap: Estimate | None) -> str:
    """'−3.1 (−5.0 to −1.2)'; without bounds from a single seed."""
    if gap is None:
        return DASH
    return gap.text(1, 100) if np.isfinite(gap.high) else signed(100 * gap.value, 1)
