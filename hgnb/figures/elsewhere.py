"""tbl-elsewhere: whether chapter 07's changes do the same on other data, or with more persons. 07_beyond."""

import numpy as np
import pandas as pd

from hgnb.figures.beyond import command, score
from hgnb.figures.plate import Note, Table
from hgnb.figures.words import listed, number
from hgnb.training.changed import Record, load, results_files
from hgnb.training.changes import BEST, GENTLE, NEWELL, THESIS, get
from hgnb.training.experiment import Experiment
from hgnb.training.recorded import over_seeds

SHOWN = (THESIS, "loud-peak-1", GENTLE, NEWELL, BEST)


def records() -> list[Record]:
    """All recorded sweeps of chapter 07, by file name."""
    return [load(file) for file in results_files()]


def elsewhere(live: Experiment) -> Table | Note:
    """A row for each record: test PCK under a few changes, mean over seeds, with Student's interval where it can be."""
    found = [record for record in records() if all(record.of(name) for name in (THESIS, BEST))]
    if not found:
        return Note("No sweep is recorded in `results/`.")
    rows = []
    for record in found:
        stale = " (stale)" if record.stale(live) else ""
        cells = [_cell(record, name) for name in SHOWN]
        rows.append((f"{record.title}{stale}", f"{record.manifest['persons']['train']:,}", *cells))
    columns = ["Recorded", "Training persons", *(get(name).title for name in SHOWN)]
    made = listed([command(record) for record in found])
    caption = f"Test PCK under five settings, wherever they were recorded: mean over seeds, 95 %. Made again by {made}."
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-elsewhere")


def times(live: Experiment) -> Note:
    """How often the best model's PCK holds that of the thesis's numbers, and of its targets after a gentle start."""
    lines = []
    for record in records():
        means = {
            name: np.mean([score(o) for o in record.of(name)]) for name in (THESIS, GENTLE, BEST) if record.of(name)
        }
        if len(means) == 3:
            against = [
                f"{means[BEST] / means[name]:.1f} times that of {words}" if means[name] else f"that of {words} is zero"
                for name, words in ((THESIS, "the thesis's numbers"), (GENTLE, "its targets after a gentle start"))
            ]
            lines.append(f"- {record.title}: the best model's PCK is {listed(against)}.")
    return Note("\n".join(lines) or "No sweep is recorded in `results/`.")


def _cell(record: Record, name: str) -> str:
    values = np.array([score(o) for o in record.of(name)])
    if not len(values):
        return "–"
    return over_seeds(values).text(3) if len(values) > 1 else number(float(values[0]))
