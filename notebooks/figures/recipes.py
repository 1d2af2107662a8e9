"""tbl-recipes: what to train with so many minutes of two processor cores, and how far it came. 07_beyond."""

import json
import re

import pandas as pd

from figures.page import Note, Table, number
from hgnb.definitions import fingerprint
from hgnb.home import home
from hgnb.training import profiles
from hgnb.training.experiment import TRAINING_ROOTS

NAME = re.compile(r"best-(\d+)")  # profiles that fill a budget of minutes
COMMAND = "`python benchmarks/recipes.py`"


def measured() -> dict:
    """results/recipes.json by minutes; empty where none is recorded."""
    file = home() / "results" / "recipes.json"
    return json.loads(file.read_text(encoding="utf8")) if file.is_file() else {"recipes": {}}


def recipes() -> Table | Note:
    """A row for each budget; its PCK where it was recorded."""
    budgets = sorted((int(found[1]), name) for name in profiles.names() if (found := NAME.fullmatch(name)))
    if not budgets:
        return Note("There is no profile `best-1`, `best-5` or `best-15` here, so there is no recipe to list.")
    held, rows = measured(), []
    for minutes, name in budgets:
        p, came = profiles.load(name), held["recipes"].get(str(minutes))
        m, t, h = p.model, p.training, p.heatmaps
        rows.append((
            minutes, f"{p.data.side} px, depth {m.depth}, {m.channels} maps",
            f"{h.targets}, σ {h.sigma_visible:g}", f"{t.optimiser} at {t.rate:g}, {t.schedule}",
            f"{t.epochs} of {t.batch} persons a step", f"mirror {t.flip:g}, turn {t.rotation:g}°, scale {t.scaling:g}",
            number(came["test"]) if came else "–", f"{came['seconds'] / 60:.1f}" if came else "–",
        ))  # fmt: skip
    columns = ["Minutes", "Network", "Targets", "Optimiser", "Epochs", "Augmentation", "Test PCK", "Took, min"]
    caption = (
        "What to train with so many minutes of two processor cores; each row is a profile of its own, trained by "
        f"`hgnb train best --minutes {budgets[-1][0]}` and the like."
    )
    return Table(pd.DataFrame(rows, columns=columns), f"{caption} {_recorded(held)}", "tbl-recipes")


def _recorded(held: dict) -> str:
    if not held["recipes"]:
        return f"None has been timed here yet: {COMMAND} does."
    dates = sorted({came["date"] for came in held["recipes"].values()})
    stale = "" if held["code"] == fingerprint(TRAINING_ROOTS) else " Stale: the code that trains has changed since."
    return f"PCK and minutes of training as recorded on {dates[-1]} by {COMMAND}.{stale}"
