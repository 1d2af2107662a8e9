"""Many persons: time and memory of each step from the annotation file to a training step, and how they grow.

python benchmarks/load.py [most persons] [most rows]: 20,000 and 150,000 if not given. Photographs are drawn once, a few
hundred of them, and listed again and again under new ids (benchmarks/crops.py): an annotation file of so many rows is
read as any other, every photograph is decoded and cropped as often as it is listed, but the disk's cache holds them
all, so reading from a slow disk is not measured. Each step runs in a process of its own; seconds are the processor's,
and begin when everything is imported. A slope of 1 in log-log means that a step grows as its persons do, 0 that it
doesn't; of memory it is that of what a process takes beyond its imports.
"""

import importlib
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from crops import repeated

from book import ROOT, machine, peak_memory

DRAWN = 250  # photographs
SIZES = 4  # of each series; each is twice the one before
SIDE = 64  # pixels of the prepared crops: what grows is the same for 256, and the disk isn't filled


def read(folder: Path) -> None:
    from hgnb.data import coco

    coco.load_both(folder)


def split(folder: Path) -> None:
    from hgnb.data import coco, splits
    from hgnb.data.splits import DataConfig

    both, config = coco.load_both(folder), DataConfig()
    file = splits.place(folder / "splits", folder, config)
    splits.save(file, *both, config)
    splits.load(file, *both)


def check(folder: Path) -> None:
    from hgnb.data.check import check

    assert check(folder).sound


def prepare(folder: Path) -> None:
    from hgnb.data.prepared import prepare
    from hgnb.data.splits import DataConfig

    prepare(folder, DataConfig(side=SIDE), folder / "cache")


def step(folder: Path) -> None:
    """A step of the thesis's network on a batch of 16 that a prepared dataset gives; crops are enlarged to 256."""
    import torch

    from hgnb.data.dataset import loader
    from hgnb.data.heatmaps import HeatmapConfig, heatmaps
    from hgnb.data.prepared import prepare
    from hgnb.data.splits import DataConfig
    from hgnb.model.hourglass import HourglassConfig, StackedHourglass

    data = prepare(folder, DataConfig(side=SIDE), folder / "cache")
    network = StackedHourglass(HourglassConfig(keypoints=len(data.schema)))
    optimiser = torch.optim.RMSprop(network.parameters(), 2.5e-4)
    batch = next(iter(loader(data.split("train"), 16, seed=0)))
    images = torch.nn.functional.interpolate(batch.images(torch.from_numpy(data.mean_rgb)), size=256)
    points = (batch.points + 0.5) * (256 / SIDE) - 0.5
    target = heatmaps(points, batch.visibility, side=256, size=64, config=HeatmapConfig())
    loss = (network(images) - target).square().mean()
    loss.backward()
    optimiser.step()


STEPS = {f.__name__: f for f in (read, split, check, prepare, step)}
IMPORTED = {
    "read": ("hgnb.data.coco",),
    "split": ("hgnb.data.coco", "hgnb.data.splits"),
    "check": ("hgnb.data.check",),
    "prepare": ("hgnb.data.splits", "hgnb.data.prepared"),
    "step": ("hgnb.data.dataset", "hgnb.data.heatmaps", "hgnb.data.prepared", "hgnb.model.hourglass", "torch.optim"),
}


def measured(name: str, folder: Path) -> dict[str, float]:
    """Processor seconds and MiB at the peak of one step, and what of these a process has that only imports."""
    done = subprocess.run([sys.executable, __file__, name, str(folder)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def alone(name: str, folder: Path) -> None:
    """In the child: one step, and what it took."""
    for module in IMPORTED[name]:
        importlib.import_module(module)
    before, imports = os.times(), peak_memory() / 2**20
    STEPS[name](folder)
    after = os.times()
    seconds = after.user + after.system - before.user - before.system
    print(
        json.dumps(
            {"seconds": round(seconds, 3), "mib": round(peak_memory() / 2**20, 1), "imports_mib": round(imports, 1)}
        )
    )


def series(source: Path, place: Path, most: int, names: tuple[str, ...], share: float = 1) -> dict[str, dict]:
    """Each step on 1/8, 1/4, 1/2 and all of `most` persons, with the slopes of time and memory.

    `share`: how many of the rows count, where not every row does.
    """
    sizes = [most >> n for n in reversed(range(SIZES))]
    folders = {n: repeated(source, place / f"{most}-{n}", math.ceil(n / share)) for n in sizes}
    table = {}
    for name in names:
        rows = {str(n): measured(name, folders[n]) for n in sizes}
        grown = {
            "seconds": [max(0.01, row["seconds"]) for row in rows.values()],  # the clock's own step
            "mib": [max(1, row["mib"] - row["imports_mib"]) for row in rows.values()],
        }
        slopes = {
            unit: round(float(np.polyfit(np.log(sizes), np.log(values), 1)[0]), 2) for unit, values in grown.items()
        }
        table[name] = {"at": rows, "slope": slopes}
        print(name, json.dumps(table[name]), flush=True)
    return table


def main() -> None:
    if sys.argv[1:] and sys.argv[1] in STEPS:
        return alone(sys.argv[1], Path(sys.argv[2]))
    from hgnb.data import coco
    from hgnb.data.drawn import synthetic

    persons, rows = [int(n) for n in sys.argv[1:]] or (20_000, 150_000)
    with tempfile.TemporaryDirectory() as place:
        place, about = Path(place), machine()
        source = synthetic.write(
            place / "people", train_images=DRAWN, val_images=10, width=320, height=240, processes=1
        )
        read = coco.load(source, "train")
        share = len(read.persons) / read.counts["annotations"]  # the others are crowds, or have no keypoint
        result = {
            "drawn": DRAWN,
            "persons": series(source, place, persons, ("read", "split", "check", "prepare", "step"), share),
            "rows": series(source, place, rows, ("read", "split")),
            "machine": about,
        }
    (ROOT / "benchmarks" / "results" / "load.json").write_text(json.dumps(result, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()
