"""The best model under each budget: trains the recipes profiles/best-*.toml on the embedded data and tests them once.

python benchmarks/recipes.py [1 5 15]; seconds are of training and validation, on as many threads as the profile says,
with nothing else on the machine. The result goes to results/recipes.json, which chapter 07 shows; budgets that aren't
asked for keep what was recorded.
"""

import json
import sys
import time

from book import ROOT, machine
from hgnb.definitions import fingerprint
from hgnb.metrics import pck
from hgnb.training.experiment import TRAINING_ROOTS, Experiment

FILE = ROOT / "results" / "recipes.json"


def measured(minutes: int) -> dict:
    """A recipe, trained."""
    experiment = Experiment.open(f"best-{minutes}", "embedded", progress=True)
    run = experiment.hourglass()
    made = experiment.reader(run).predict(experiment.prepared().split("test"))
    return {
        "seconds": round(run.manifest["seconds"], 1),
        "epochs": len(run.metrics),
        "best_epoch": run.best_epoch(),
        "parameters": run.manifest["parameters"],
        "val": round(float(run.metrics.val_pck.max()), 4),
        "test": round(float(pck(made.hits(experiment.profile.pck), made.visibility)), 4),
        "run": run.id,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def main(budgets: list[int]) -> None:
    held = json.loads(FILE.read_text(encoding="utf8"))["recipes"] if FILE.is_file() else {}
    for minutes in budgets:
        held[str(minutes)] = measured(minutes)
        print(minutes, held[str(minutes)], flush=True)
        content = {"machine": machine(), "code": fingerprint(TRAINING_ROOTS), "recipes": held}
        FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf8")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1, 5, 15])
