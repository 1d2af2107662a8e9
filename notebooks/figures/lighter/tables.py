"""Tables of chapter 06: what networks cost, how long they take, how well they do; beside source 004's numbers."""

import numpy as np
import pandas as pd

from figures.lighter.report import REPORT, REPORT_LONG
from figures.lighter.words import DASH, measure, percent, pooled, said, threads, turns
from figures.page import Table, cited
from hgnb.analysis.lighter import accuracy
from hgnb.metrics.pckh import GROUPS
from hgnb.training.networks import get
from hgnb.training.observations import Outcomes
from hgnb.training.speed import Times

_REPORTED = ["Report: min an epoch", "Report: PCKh, %", "Report: min of inference"]
_HERE = ["Training, ms", "With loading, ms", "Prediction, ms"]


def costs_table(times: Times) -> Table:
    """tbl-lighter-costs: parameters, operations and memory of every network at full size, counted."""
    rows = []
    for name, timed in times.cases.items():
        if "optimiser" in get(name).training:
            continue
        rows.append((
            get(name).title, cited(get(name).source), f"{timed.parameters / 1e6:.1f}",
            f"{timed.gflop:.1f}", f"{timed.kept_mib:.0f}", f"{timed.memory_gib:.1f}",
        ))  # fmt: skip
    batch = times.batch
    columns = ["Network", "From", "Parameters, million", "GFLOP a crop", "Maps kept, MiB a crop", f"GiB, batch {batch}"]
    caption = (
        f"What every network costs at crops of {times.side} pixels, counted: parameters, operations of a forward pass "
        f"(two for each multiply-accumulate), the maps that training keeps of each crop, and with them weights, "
        f"gradients and two averages of the optimiser for a batch of {batch}."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-lighter-costs")


def short_table(times: Times, sweep: Outcomes | None) -> Table:
    """tbl-lighter-50: table 1 of 004 with our times and accuracies beside it, and the rows that it lacks."""
    names = [*REPORT, *(n for n in times.cases if n not in REPORT)]
    rows = [
        (get(n).title, *_reported(REPORT.get(n)), *_took(times, n), _accuracy(sweep, n))
        for n in names
        if n in times.cases
    ]
    columns = ["Network", *_REPORTED, *_HERE, measure(sweep)]
    caption = (
        f"The lighter networks. Report: 50 epochs, batch of 20 (its original's times are of batch 6). "
        f"Here: {turns(times)} with crops of {times.side} pixels on {times.device} with "
        f"{threads(times)}, batch of {times.batch}, in ms for each person{said(sweep)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-lighter-50")


def long_table(times: Times, large: Times | None, sweep: Outcomes | None) -> Table:
    """tbl-lighter-long: table 2 of 004, long trainings, with their batches; `large`: times at the larger batch."""
    rows = []
    for name, reported in REPORT_LONG.items():
        batch = get(name).training.get("batch", 20)
        took = next((_took(t, get(name).on or name) for t in (times, large) if t and t.batch == batch), (DASH,) * 3)
        rows.append((get(name).title, batch, *_reported(reported), *took, _accuracy(sweep, name)))
    columns = ["Network", "Batch", *_REPORTED, *_HERE, measure(sweep)]
    where = f" (a batch of {large.batch} was recorded on {large.device}, {threads(large)})" if large else ""
    told = said(sweep, long=True, dash="not timed, not trained")
    caption = f"Long trainings. Report: up to 220 epochs. Times here at the row's batch{where}{told}"
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-lighter-long")


def joints_table(sweep: Outcomes | None, *, long: bool) -> Table:
    """tbl-lighter-joints-50 or -long: tables 3 and 4 of 004, by group of joints, and ours below each row."""
    report, rows = (REPORT_LONG, []) if long else (REPORT, [])
    others = [] if sweep is None else sweep.names
    for name in [*report, *(n for n in others if n not in report and get(n).long == long)]:
        if name in report:
            rows.append((get(name).title, "report", *(f"{v:.2f}" for v in report[name][1])))
        outcomes = sweep.of(name) if sweep else []
        if outcomes:
            shares = [pooled([o.groups[g] for o in outcomes]) for g in GROUPS]
            rows.append((get(name).title, "here", *(percent(s) for s in shares)))
    caption = (
        f"Accuracy by group of joints, left and right together, in %. Report: PCKh@0.5{said(sweep, long, dash='')}"
    )
    name = "tbl-lighter-joints-long" if long else "tbl-lighter-joints-50"
    return Table(pd.DataFrame(rows, columns=["Network", "Measured", *(g.capitalize() for g in GROUPS)]), caption, name)


def _reported(row) -> tuple[str, ...]:
    return (DASH,) * 3 if row is None else tuple(f"{value:g}" for value in row[0])


def _took(times: Times, name: str) -> tuple[str, ...]:
    if name not in times.cases:
        return (DASH,) * 3
    took = (_ms(times, name, kind) for kind in ("training", "with loading", "inference"))
    return tuple(f"{ms:,.0f}" if ms >= 100 else f"{ms:.3g}" for ms in took)


def _ms(times: Times, name: str, kind: str) -> float:
    return 1000 * float(np.median(times.cases[name].seconds(kind)))


def _accuracy(sweep: Outcomes | None, name: str) -> str:
    if sweep is None or not sweep.of(name):
        return DASH
    count = len(sweep.of(name))
    return accuracy(sweep, name).text(1, 100) + (f", {count} seeds" if count > 1 else "")
