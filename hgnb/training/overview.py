"""What lies in data/runs: finished, unfinished and running trainings as one table."""

import json
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout
from rich.table import Table

from hgnb.training.runs import runs_folder


def overview() -> Table:
    """One row a run, the latest last: state, epochs, best validation PCK or loss, minutes."""
    table = Table("run", "state", "epochs", "best on validation", "minutes", show_edge=False)
    table.columns[0].overflow = "fold"  # an id that is cut can't be copied
    folders = [f for f in runs_folder().glob("*") if (f / "recipe.json").exists()]
    for folder in sorted(folders, key=lambda f: (f / "recipe.json").stat().st_mtime):
        table.add_row(*_row(folder))
    return table


def _row(folder: Path) -> tuple[str, ...]:
    recipe = json.loads((folder / "recipe.json").read_text())
    manifest = folder / "manifest.json"
    epochs = recipe["config"]["training"]["epochs"]
    state = "finished" if manifest.exists() else "running" if _locked(folder) else "unfinished: train it again to go on"
    if not (folder / "metrics.csv").exists():
        return folder.name, state, f"0 of {epochs}", "", ""
    metrics = pd.read_csv(folder / "metrics.csv")
    best = f"PCK {metrics.val_pck.max():.3f}" if "val_pck" in metrics else f"loss {metrics.val_loss.min():.3g}"
    return folder.name, state, f"{len(metrics)} of {epochs}", best, f"{metrics.seconds.sum() / 60:.1f}"


def _locked(folder: Path) -> bool:
    try:
        with FileLock(folder / ".lock", timeout=0):
            return False
    except Timeout:
        return True
