"""Tables and figures of chapter 06: what lighter hourglasses cost and how well they do, beside source 004's numbers."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hgnb.explain.claims.ledger import Row
from hgnb.explain.claims.rules import FAILS, HOLDS, NEEDS, UNDECIDED
from hgnb.explain.lighter import front, paired, ratio_text
from hgnb.figures.plate import Live, Note, Plate, Table
from hgnb.figures.poses import picture, skeleton
from hgnb.figures.style import BLUE, GREEN, GREY, INK, ORANGE, RED, style
from hgnb.metrics.pckh import GROUPS
from hgnb.metrics.shares import Share
from hgnb.training.cases import BASE, case
from hgnb.training.speed import Times
from hgnb.training.sweep import Outcome, Sweep

# 004, tables 1 and 3: minutes of an epoch, mean PCKh, minutes of inference; PCKh of head to ankle. 50 epochs, batch 20,
# but the original's times are those of batch 6 (ambiguity 22).
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
DASH = "–"


def costs_table(times: Times) -> Table:
    """tbl-lighter-costs: parameters, operations and memory of every network at full size, counted."""
    rows = []
    for name, timed in times.cases.items():
        if "optimiser" in case(name).changes:
            continue
        rows.append((
            case(name).title, case(name).variant.source, f"{timed.parameters / 1e6:.1f}", f"{timed.gflop:.1f}",
            f"{timed.kept_mib:.0f}", f"{timed.memory_gib:.1f}",
        ))  # fmt: skip
    batch = times.batch
    columns = ["Network", "From", "Parameters, million", "GFLOP a crop", "Maps kept, MiB a crop", f"GiB, batch {batch}"]
    caption = (
        f"What every network costs at crops of {times.side} pixels, counted: parameters, operations of a forward pass "
        f"(two for each multiply-accumulate), the maps that training keeps of each crop, and with them weights, "
        f"gradients and two averages of the optimiser for a batch of {batch}."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-lighter-costs")


def short_table(times: Times, sweep: Sweep | None) -> Table:
    """tbl-lighter-50: table 1 of 004 with our times and accuracies beside it, and the rows that it lacks."""
    names = [*REPORT, *(n for n in times.cases if n not in REPORT)]
    rows = [
        (case(n).title, *_reported(REPORT.get(n)), *_took(times, n), _accuracy(sweep, n))
        for n in names
        if n in times.cases
    ]
    columns = ["Network", *_REPORTED, *_HERE, _measure(sweep)]
    caption = (
        f"The lighter networks. Report: source 004, 50 epochs, batch of 20 (its original's times are of batch 6). "
        f"Here: {_turns(times)} with crops of {times.side} pixels on {times.device} with "
        f"{_threads(times)}, batch of {times.batch}, in ms for each person{_said(sweep)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-lighter-50")


_REPORTED = ["Report: min an epoch", "Report: PCKh, %", "Report: min of inference"]
_HERE = ["Training, ms", "With loading, ms", "Prediction, ms"]


def long_table(times: Times, large: Times | None, sweep: Sweep | None) -> Table:
    """tbl-lighter-long: table 2 of 004, long trainings, with their batches; `large`: times at the larger batch."""
    rows = []
    for name, reported in REPORT_LONG.items():
        batch = case(name).changes.get("batch", 20)
        took = next((_took(t, case(name).network) for t in (times, large) if t and t.batch == batch), (DASH,) * 3)
        rows.append((case(name).title, batch, *_reported(reported), *took, _accuracy(sweep, name)))
    columns = ["Network", "Batch", *_REPORTED, *_HERE, _measure(sweep)]
    where = f" (a batch of {large.batch} was recorded on {large.device}, {_threads(large)})" if large else ""
    caption = f"Long trainings. Report: up to 220 epochs. Times here at the row's batch{where}{_said(sweep, long=True)}"
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-lighter-long")


def joints_table(sweep: Sweep | None, *, long: bool) -> Table:
    """tbl-lighter-joints-50 or -long: tables 3 and 4 of 004, by group of joints, and ours below each row."""
    report, rows = (REPORT_LONG, []) if long else (REPORT, [])
    others = [] if sweep is None else dict.fromkeys(o.case for o in sweep.outcomes)
    for name in [*report, *(n for n in others if n not in report and case(n).long == long)]:
        if name in report:
            rows.append((case(name).title, "report", *(f"{v:.2f}" for v in report[name][1])))
        outcomes = sweep.of(name) if sweep else []
        if outcomes:
            shares = [_pooled([o.groups[g] for o in outcomes]) for g in GROUPS]
            rows.append((case(name).title, "here", *(_percent(s) for s in shares)))
    caption = (
        f"Accuracy by group of joints, left and right together, in %. Report: 004, PCKh@0.5{_said(sweep, long=long)}"
    )
    name = "tbl-lighter-joints-long" if long else "tbl-lighter-joints-50"
    return Table(pd.DataFrame(rows, columns=["Network", "", *(g.capitalize() for g in GROUPS)]), caption, name)


def _small(name: str) -> str:
    """A case's title within a sentence."""
    title = case(name).title
    return title if title.startswith(("Newell", "Adam")) else title[:1].lower() + title[1:]


def _reported(row) -> tuple[str, ...]:
    return (DASH,) * 3 if row is None else tuple(f"{value:g}" for value in row[0])


def _took(times: Times, name: str) -> tuple[str, ...]:
    if name not in times.cases:
        return (DASH,) * 3
    took = (_ms(times, name, kind) for kind in ("training", "with loading", "inference"))
    return tuple(f"{ms:,.0f}" if ms >= 100 else f"{ms:.3g}" for ms in took)


def _ms(times: Times, name: str, kind: str) -> float:
    return 1000 * float(np.median(times.cases[name].seconds(kind)))


def _accuracy(sweep: Sweep | None, name: str) -> str:
    outcomes = sweep.of(name) if sweep else []
    if not outcomes:
        return DASH
    seeds = f" ({len(outcomes)} seeds)" if len(outcomes) > 1 else ""
    return _percent(_pooled([o.mean for o in outcomes])) + seeds


def _pooled(shares: Sequence[Share]) -> Share:
    return Share(sum(s.found for s in shares), sum(s.counted for s in shares))


def _percent(share: Share) -> str:
    return f"{100 * share.value:.1f}" if share.counted else DASH


def _measure(sweep: Sweep | None) -> str:
    return f"Here: {sweep.people.measure if sweep else 'PCKh'}, %"


def _turns(times: Times) -> str:
    return "one turn" if times.turns == 1 else f"medians of {times.turns} turns"


def _threads(times: Times) -> str:
    return "one thread" if times.threads == 1 else f"{times.threads} threads"


def _said(sweep: Sweep | None, long: bool = False) -> str:
    """The end of a caption: at what size the accuracies were trained, or that there are none."""
    if sweep is None:
        return ". No sweep of trainings is recorded for this profile and data, so there is no accuracy of ours."
    m, size, training = sweep.manifest, sweep.manifest["lighter"], sweep.manifest["training"]
    count = size["long_epochs"] if long else training["epochs"]
    epochs = "one epoch" if count == 1 else f"{count} epochs"
    return (
        f". Accuracy here: {sweep.people.measure} of {sweep.people.persons:,} test persons of {m['data']}, networks "
        f"with every width divided by {size['width_divisor']} and the number of hourglasses by "
        f"{size['stack_divisor']}, crops of {size['side']} pixels, {epochs} of {m['persons']['train']:,} "
        f"persons. A dash: not trained, or not in the report."
    )


def speeds(times: Times) -> Plate:
    """fig-lighter-speed: seconds against the original's, training and prediction, with operations beside."""
    names = [n for n in times.cases if n != BASE and "optimiser" not in case(n).changes]
    base = times.cases[BASE]
    ratios = {
        kind: [paired(times.cases[n].seconds(kind), base.seconds(kind)) for n in names]
        for kind in ("training", "inference")
    }
    gflop = [times.cases[n].gflop / base.gflop for n in names]
    order = np.argsort([r.value for r in ratios["training"]])[::-1]
    with style():
        figure, ax = plt.subplots(figsize=(8, 0.27 * len(names) + 1.1))
        rows = np.arange(len(names))
        looks = {"training": (BLUE, "o", "training step"), "inference": (ORANGE, "D", "prediction")}
        for kind, (colour, marker, label) in looks.items():
            values = [np.exp(ratios[kind][i].value) for i in order]
            ax.plot(values, rows, marker, color=colour, markersize=6, label=label)
        ax.plot(np.array(gflop)[order], rows, "|", color=INK, markersize=12, markeredgewidth=1.6, label="operations")
        ax.axvline(1, color=GREY, linewidth=1, linestyle=":")
        ax.set(yticks=rows, yticklabels=[case(names[i]).title for i in order], xlabel="share of the original's")
        ax.set_xlim(0, None)
        figure.legend(loc="outside lower center", ncol=3, fontsize=8)
    fastest = names[int(np.argmin([r.value for r in ratios["training"]]))]
    four = np.exp(ratios["training"][names.index("blocks-4")].value) if "blocks-4" in names else np.nan
    batch = times.batch
    caption = (
        f"Time of a training step and of a prediction with crops of {times.side} pixels, batch of {batch}, as "
        f"shares of the original's in the same turn ({_turns(times)} on {times.device}, {_threads(times)}); the "
        "bar is the share of its operations. Data loading is left out."
    )
    low = np.exp(min(r.value for r in ratios["training"]))
    alt = f"The fastest network in training, {_small(fastest)}, takes {low:.2f} of the original's time"
    return Plate(figure, caption, alt + (f"; four blocks in a module take {four:.2f}." if np.isfinite(four) else "."))


PANELS = {
    "training": "training, ms a person",
    "inference": "prediction, ms a person",
    "parameters": "parameters, millions",
}


def tradeoff(points: pd.DataFrame, times: Times, sweep: Sweep | None) -> Plate | Note:
    """fig-lighter-tradeoff: accuracy against three costs, with the Pareto front of each.

    `points`: as `hgnb.explain.lighter.points` makes them, one network a row.
    """
    known = points[points.accuracy.notna()]
    if sweep is None or len(known) < 2:
        return Note("No sweep of trainings is recorded for this profile and data: `make lighter` makes one.")
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(11, 4.6), sharey=True)
        for ax, (cost, label) in zip(axes, PANELS.items(), strict=True):
            plot_tradeoff(known, cost, ax=ax)
            ax.set_xlabel(label)
        axes[0].set_ylabel(f"{sweep.people.measure}, % (small networks)")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncol=4, fontsize=8)
    on = {cost: list(known.case[known[f"front_of_{cost}"]]) for cost in PANELS}
    told = "; ".join(f"{PANELS[c].split(',')[0]}: {', '.join(names)}" for c, names in on.items())
    caption = (
        f"Accuracy against cost, every network a point; the line joins those that no other network beats in both (the "
        f"Pareto front). Costs are those of the full-size networks on {times.device}; the accuracies are of the small "
        f"ones of {{numref}}`tbl-lighter-50`, {_seeds(sweep)}, so the front is an indication. Fronts by {told}."
    )
    moved = [n for n in known.case if _kind(n) == "ours" and any(n in names for names in on.values())]
    alt = (
        f"Of our own networks these lie on a front: {', '.join(moved) or 'none'}; the original is "
        f"{'on one' if any(BASE in names for names in on.values()) else 'on none'}."
    )
    return Plate(figure, caption, alt)


def plot_tradeoff(points: pd.DataFrame, cost: str, *, ax: Axes | None = None) -> Axes:
    """Points by origin, the front as a line, and the names of those on it."""
    ax = ax or plt.gca()
    scale = 1000 if cost != "parameters" else 1e-6
    on = points[points[f"front_of_{cost}"]].sort_values(cost)
    ax.step(on[cost] * scale, 100 * on.accuracy, where="post", color=GREY, linewidth=1.2, label="Pareto front")
    kinds = {"report": (BLUE, "o", "report's networks"), "ours": (GREEN, "^", "ours"), "base": (RED, "s", "original")}
    for kind, (colour, marker, label) in kinds.items():
        some = points[[_kind(n) == kind for n in points.case]]
        ax.plot(some[cost] * scale, 100 * some.accuracy, marker, color=colour, markersize=6, label=label, linestyle="")
    shown = points[points[f"front_of_{cost}"] | (points.case == BASE)]
    for i, row in enumerate(shown.sort_values("accuracy").itertuples()):
        offset = (5, -11 if i % 2 else 5)
        right = getattr(row, cost) > points[cost].quantile(0.7)
        ax.annotate(
            row.case, (getattr(row, cost) * scale, 100 * row.accuracy), textcoords="offset points",
            xytext=(-5 if right else 5, offset[1]), ha="right" if right else "left", fontsize=7.5, color=INK,
        )  # fmt: skip
    ax.set_xlim(0, None)
    ax.xaxis.set_major_locator(plt.MaxNLocator(5))
    return ax


def live(points: pd.DataFrame, sweep: Sweep | None) -> Live | None:
    """The first panel of fig-lighter-tradeoff, where every network tells its name and costs; None without a sweep."""
    known = points[points.accuracy.notna()]
    if sweep is None or len(known) < 2:
        return None
    values = np.column_stack([1000 * known.training, 100 * known.accuracy])
    low, high = values.min(0), values.max(0)
    unit = (values - low) / np.where(high > low, high - low, 1)
    labels = (PANELS["training"], f"{sweep.people.measure}, %")
    ends = zip(labels, low.tolist(), (low + np.where(high > low, high - low, 1)).tolist(), strict=True)
    data = {
        "axes": [{"label": label, "low": start, "high": end} for label, start, end in ends],
        "points": np.round(unit, 4).tolist(),
        "dots": [],
        "names": [case(n).title for n in known.case],
        "facts": [_facts(row, sweep) for row in known.itertuples()],
        "stamp": None,
        "noun": "network",
    }
    return Live("fig-lighter-tradeoff", "scatter", data)


def _facts(row, sweep: Sweep) -> str:
    fronts = [label.split(",")[0] for cost, label in PANELS.items() if row._asdict().get(f"front_of_{cost}")]
    return (
        f"{sweep.people.measure} {100 * row.accuracy:.1f} %, training {1000 * row.training:.0f} ms and prediction "
        f"{1000 * row.inference:.0f} ms a person, {row.parameters / 1e6:.1f} million parameters, {row.gflop:.1f} GFLOP"
        + (f"; on the front of {', '.join(fronts)}" if fronts else "")
    )


def _kind(name: str) -> str:
    return "base" if name == BASE else "ours" if case(name).variant.source == "ours" else "report"


def _seeds(sweep: Sweep) -> str:
    count = len(sweep.seeds)
    return "one seed" if count == 1 else f"up to {count} seeds"


def samples(sweep: Sweep | None, limit: int = 9) -> Plate | Note:
    """fig-lighter-samples: the same persons, each network's predictions beside the truth."""
    if sweep is None or sweep.people.crops is None:
        return Note("No sweep with pictures that may be shown is recorded for this profile and data.")
    people, first = sweep.people, sweep.seeds[0]
    chosen = [o for n in dict.fromkeys([*REPORT, *(o.case for o in sweep.outcomes)]) for o in sweep.of(n)[:1]]
    chosen = [o for o in chosen if not case(o.case).long][:limit]
    count = len(people.samples)
    with style():
        size = (1.12 * (len(chosen) + 1), 1.16 * count + 0.5)
        figure, axes = plt.subplots(count, len(chosen) + 1, figsize=size, squeeze=False)
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
        for i, row in enumerate(axes):
            _pose(row[0], sweep, i, people.samples[i])
            for ax, outcome in zip(row[1:], chosen, strict=True):
                _pose(ax, sweep, i, _drawn(outcome, people.samples[i], i))
        for ax, words in zip(axes[0], ["truth", *(o.case.replace("-", "-\n", 1) for o in chosen)], strict=True):
            ax.set_title(words, fontsize=7, pad=2)
    best = max(chosen, key=lambda o: o.mean.value or 0)
    caption = (
        f"What each network says of the same {count} test persons, seed {first}: the labelled joints as they are and "
        "as predicted, blue the left and red the right. The networks are the small ones of {numref}`tbl-lighter-50`."
    )
    alt = (
        f"{count} drawn persons in rows, the truth and {len(chosen)} networks in columns; most joints of the "
        f"whole test set are found by {_small(best.case)}, {_percent(best.mean)} %."
    )
    return Plate(figure, caption, alt)


def _drawn(outcome: Outcome, truth: np.ndarray, person: int) -> np.ndarray:
    """(K, 3) a prediction with the truth's labels: a joint that nobody labelled isn't drawn."""
    return np.column_stack([np.array(outcome.points[person]), np.where(truth[:, 2] > 0, 2, 0)])


def _pose(ax: Axes, sweep: Sweep, person: int, keypoints: np.ndarray) -> None:
    crop = sweep.people.crops[person]
    skeleton(picture(ax, crop), keypoints, sweep.people.schema, width=1.1)
    ax.set(xlim=(-0.5, len(crop) - 0.5), ylim=(len(crop) - 0.5, -0.5))


def claims_table(rows: Sequence[Row]) -> Table:
    """tbl-lighter-claims: L1 to L13, the source's value, ours and the verdict."""
    cells = [
        (f"**{r.id}** {r.sentence}", r.value, r.measured, r.verdict, r.reason or DASH, _places(r.shown)) for r in rows
    ]
    counts = ", ".join(f"{n} {w}" for v, w in _WORDS.items() if (n := sum(r.verdict == v for r in rows)))
    caption = (
        f"The report's claims: {counts}. Differences of accuracy are in percentage points, one network's less "
        "the other's; intervals are 95 %, over test images and seeds, those of times over turns."
    )
    columns = ["claim", "report", "here", "verdict", "because", "shown in"]
    return Table(pd.DataFrame(cells, columns=columns), caption, "tbl-lighter-claims", filters=("verdict",))


def _places(shown: Sequence[str]) -> str:
    return ", ".join(f"{{numref}}`{label}`" for label in shown)


_WORDS = {HOLDS: "hold", FAILS: "fail", UNDECIDED: "are undecided", NEEDS: "need trainings or times"}


def loading_note(times: Times) -> Note:
    """Why the report's times hardly differ: its ratio of epochs against the ratio of operations and of our times."""
    inner, base = (times.cases.get(n) for n in ("inner-64", BASE))
    if inner is None or base is None:
        return Note("The network with inner width 64 was not timed.")
    ours = {kind: paired(inner.seconds(kind), base.seconds(kind)) for kind in ("training", "with loading")}
    reported, original = REPORT["inner-64"][0][0], REPORT_LONG["newell-long"][0][0]
    step, loaded = (ratio_text(ours[kind]) for kind in ("training", "with loading"))
    load = 1000 * float(np.median(base.loading)) / base.batch
    return Note(
        f"With an inner width of 64 a pass takes {inner.gflop / base.gflop:.2f} of the original's operations and a "
        f"training step {step} of its time here ({loaded} with loading). In the report an epoch "
        f"takes {reported / original:.2f} of the original's at the same batch ({reported:g} against {original:g} "
        f"minutes). A graphics card that waits for its data shows such a ratio, as "
        f"{{numref}}`fig-lighter-waiting` works out; to decode, crop and make heatmaps takes {load:.0f} ms a person "
        f"and thread here."
    )


def waiting(times: Times) -> Plate:
    """fig-lighter-waiting: the ratio of two networks' epochs when loading overlaps with computing and bounds it."""
    names = [n for n in ("inner-64", "stacks-6", "blocks-4") if n in times.cases]
    base = times.cases[BASE]
    compute = {n: np.exp(paired(times.cases[n].seconds("training"), base.seconds("training")).value) for n in names}
    load = np.linspace(0, 1.6, 161)  # in steps of the original
    with style():
        figure, ax = plt.subplots(figsize=(7, 3.6))
        for (name, ratio), colour, line in zip(compute.items(), (BLUE, ORANGE, GREEN), ("-", "--", "-."), strict=False):
            label = f"{case(name).title} (report: {REPORT[name][0][0] / REPORT_LONG['newell-long'][0][0]:.2f})"
            ax.plot(load, np.maximum(ratio, load) / np.maximum(1, load), line, color=colour, label=label)
        ax.set(
            xlabel="time to load a batch, in training steps of the original", ylabel="epoch, share of the original's"
        )
        ax.set(ylim=(0, None), xlim=(0, 1.6))
        ax.legend(fontsize=8, loc="lower right")
    caption = (
        "The share of the original's epoch that a network's takes when batches are loaded while others are computed, "
        "so that the slower of both counts; at zero the steps timed here. In brackets the report's ratios at a batch "
        "of 20."
    )
    alt = f"All ratios go to 1 once loading takes as long as the slowest step; alone they are {_listed(compute)}."
    return Plate(figure, caption, alt)


def _listed(ratios: dict[str, float]) -> str:
    return ", ".join(f"{ratio:.2f} ({_small(name)})" for name, ratio in ratios.items())


def exits(sweep: Sweep | None, name: str = BASE) -> Plate | Note:
    """fig-lighter-exits: accuracy behind each hourglass of a trained stack, against stacks that end there."""
    outcomes = sweep.of(name) if sweep else []
    if not outcomes or len(outcomes[0].by_stack) < 2:
        return Note("No stack is trained whose hourglasses could be compared.")
    behind = 100 * np.mean([o.by_stack for o in outcomes], axis=0)
    divisor = sweep.manifest["lighter"]["stack_divisor"]
    plain = {}
    for shorter in ("newell-2", "newell-4", "stacks-6", BASE):
        some = sweep.of(shorter)
        if some:
            plain[case(shorter).variant.model.stacks // divisor] = 100 * (_pooled([o.mean for o in some]).value or 0)
    with style():
        figure, ax = plt.subplots(figsize=(6, 3.4))
        ax.plot(np.arange(1, len(behind) + 1), behind, "o-", color=BLUE, label="one long stack, read early")
        ax.plot(list(plain), list(plain.values()), "s--", color=ORANGE, label="stacks of this length, trained so")
        ax.set(xlabel="hourglasses passed", ylabel=f"{sweep.people.measure}, %")
        ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
        ax.set_ylim(0, 1.1 * max(*behind, *plain.values(), 1))
        ax.legend(fontsize=8, loc="lower right")
    caption = (
        "Every hourglass of a stack puts out heatmaps. Reading those of an early one costs nothing but the training "
        f"of the whole; beside it shorter stacks that were trained on their own ({_seeds(sweep)})."
    )
    alt = f"Behind the first hourglass {behind[0]:.1f} %, behind the last {behind[-1]:.1f} %" + "".join(
        f"; behind number {length} {behind[length - 1]:.1f} %, trained to that length {value:.1f} %"
        for length, value in sorted(plain.items())
        if length < len(behind)
    )
    return Plate(figure, caption, f"{alt}.")


def reach(sweep: Sweep | None, times: Times, profile: str, data: str) -> Note:
    """What was trained and timed, where, and how far that goes."""
    said = (
        f"Speed was measured on this run's machine ({times.device}, {_threads(times)}) with networks at "
        f"{'full size' if times.side == 256 else 'a toy size that proves that everything runs'}. "
    )
    if sweep is None:
        return Note(said + f"No sweep is recorded for profile `{profile}`, so this page shows no accuracy of ours.")
    m = sweep.manifest
    own = (m["profile"], m["data"]) == (profile, data)
    said += (
        f"Accuracy comes from {len(sweep.outcomes)} trainings ({_seeds(sweep)}, {m['hours']:g} hours of one "
        f"{m['device']}, {m['made']}) of the profile `{m['profile']}` on {m['data']}"
        + ("" if own else f", since none is recorded for `{profile}` on {data}")
        + ". "
    )
    if sweep.people.measure == "PCK":
        said += "These data have no head segment, so the thesis's PCK stands in for PCKh. "
    return Note(
        said + "Small networks after few epochs can show which changes hurt at once; differences of a point or two, "
        "such as the report's, they can't."
    )


def fronts(points: pd.DataFrame) -> Note:
    """Which of our own networks move a front: those on it that weren't there without ours."""
    known = points[points.accuracy.notna()].reset_index(drop=True)
    if known.empty:
        return Note("No network is trained, so there is no front.")
    ours = np.array([case(n).variant.source == "ours" for n in known.case])
    told = []
    for cost in PANELS:
        values, gains = known[cost].to_numpy(), known.accuracy.to_numpy()
        new = [known.case[i] for i in np.flatnonzero(front(values, gains) & ours)]
        told.append(f"{PANELS[cost].split(',')[0]}: {', '.join(f'`{n}`' for n in new) or 'none'}")
    return Note(f"Our own networks on a Pareto front, by cost: {'; '.join(told)}.")


def learned(points: pd.DataFrame, rows: Sequence[Row]) -> Note:
    """The chapter's last words, from the run."""
    base = points.set_index("case").loc[BASE]
    quick = points.loc[points.training.idxmin()]
    told = (
        f"Of the networks timed here, the fastest in training ({_small(quick.case)}) takes "
        f"{quick.training / base.training:.2f} of the original's time for {quick.gflop / base.gflop:.2f} "
        f"of its operations. "
    )
    by = {verdict: [r.id for r in rows if r.verdict == verdict] for verdict in _WORDS}
    told += "Of the report's claims " + "; ".join(f"{', '.join(ids)} {_WORDS[v]}" for v, ids in by.items() if ids)
    return Note(told + ". What fewer hourglasses bring is the yardstick for every other change.")
