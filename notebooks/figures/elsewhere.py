"""tbl-elsewhere: whether chapter 07's changes do the same on other data, or with more persons. 07_beyond."""

import numpy as np
import pandas as pd

from figures.beyond import made, score
from figures.page import Note, Table, listed, number
from hgnb.records import folders, read
from hgnb.stats import student
from hgnb.training.networks import BEST, GENTLE, NEWELL, THESIS, Training, get
from hgnb.training.observations import AT, Outcomes
from hgnb.training.passes import MIRRORED
from hgnb.training.recorded import command, stale

SHOWN = (THESIS, "loud-peak-1", GENTLE, NEWELL, BEST, "best-wide")
NONE = "Nothing is recorded in `results/` for chapter 07: `make beyond PROFILE=small` does so."


def records() -> list[Outcomes]:
    """All records of chapter 07, by name."""
    return [Outcomes(read(where)) for where in folders("beyond")]


def elsewhere() -> Table | Note:
    """A row for each record: test PCK under a few changes, mean over seeds, with Student's interval where it can be."""
    found = [record for record in records() if record.of(THESIS) and best(record)]
    if not found:
        return Note(NONE)
    rows, shown = [], [name for name in SHOWN if any(record.of(name) for record in found)]
    for record in found:
        state = " (stale)" if stale(record.record) else ""
        cells = [_cell(record, name) for name in shown]
        rows.append((f"{record.title}{state}", f"{record.people.counts['train']:,}", *cells))
    columns = ["Recorded", "Training persons", *(get(name).title for name in shown)]
    again = listed([f"`{command(record.record)}`" for record in found])
    caption = (
        "Test PCK under a few settings, wherever they were recorded: mean over seeds, with 95 % intervals. "
        f"Made again by {again}."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-elsewhere")


def best(record: Outcomes) -> Training | None:
    """Of the changes made together the one with the best PCK on the validation persons, mean over seeds."""
    together = [change for change in made(record) if change.group == "together"]
    return max(together, key=lambda c: np.mean([o.val_pck.max() for o in record.of(c.name)]), default=None)


def times() -> Note:
    """How often the test PCK of the best model holds that of the thesis's numbers, and of its targets after a gentle
    start; and how often once its heatmaps are decoded more finely, against the thesis's highest pixel.
    """
    lines = []
    for record in records():
        top = best(record)
        if not (record.of(THESIS) and top):
            continue
        most = np.mean([score(o) for o in record.of(top.name)])
        starts = ((THESIS, "the thesis's numbers"), (GENTLE, "its targets after a gentle start"))
        against = [(np.mean([score(o) for o in record.of(name)]), words) for name, words in starts if record.of(name)]
        told = [
            f"{most / least:.1f} times that of {words}" if least else f"that of {words} is 0"
            for least, words in against
        ]
        lines.append(
            f"- {record.title}: the test PCK of '{top.title}', best on the validation persons, is {listed(told)}"
            f"{_refined(record, top)}. {_lead(record, top)}"
        )
    return Note("\n".join(lines) or NONE)


def _refined(record: Outcomes, top: Training) -> str:
    """What the finest decoding adds to the best model's lead, measured in annotated points."""
    least, most = (
        np.mean([o.decodings[way][AT] for o in record.of(name)])
        for name, way in ((THESIS, "argmax"), (top.name, "dark" + MIRRORED))
    )
    if not least:
        return ""
    return f"; with the top of a parabola and the mirror image, {most / least:.1f} times the thesis's highest pixels"


def _lead(record: Outcomes, top: Training) -> str:
    """By epoch, how often the best model's PCK on the validation persons holds that of the thesis's numbers."""
    most, least = (np.mean([o.val_pck for o in record.of(name)], axis=0) for name in (top.name, THESIS))
    if len(most) != len(least) or not least.all():
        return ""
    asked = sorted({max(1, len(most) // 4), max(1, len(most) // 2), len(most)})
    told = listed([f"{most[e - 1] / least[e - 1]:.1f} times after epoch {e}" for e in asked])
    return f"On the validation persons it was {told}."


def _cell(record: Outcomes, name: str) -> str:
    values = np.array([score(o) for o in record.of(name)])
    if not len(values):
        return "–"
    return student(values).text(3) if len(values) > 1 else number(float(values[0]), 3)
