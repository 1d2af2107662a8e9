"""Measurements that were recorded on one machine, as tables of the page. 02_experiment."""

import json

import pandas as pd

from hgnb.figures.plate import Note, Table
from hgnb.figures.words import percent
from hgnb.home import home

SPEED = "benchmarks/results/hourglass.json"


def speed_table() -> Table | Note:
    """What the thesis's network and stacks of it cost in time and memory, as benchmarks/hourglass.py found."""
    file = home() / SPEED
    if not file.is_file():
        return Note(f"No speed is recorded: `python benchmarks/hourglass.py` measures it and writes `{SPEED}`.")
    found = json.loads(file.read_text(encoding="utf8"))
    hours = next(key for key in found["stacks"][0] if key.startswith("projected_hours"))
    rows = [
        (
            row["stacks"], f"{row['parameters'] / 1e6:.1f} M", row["training_images_per_s"],
            f"{row['training_gflop_per_s']:.0f}", row["inference_images_per_s"], f"{row['peak_gib']:.1f}",
            f"{row[hours]:,}",
        )
        for row in found["stacks"]
    ]  # fmt: skip
    columns = [
        "Hourglasses", "Parameters", "Training, images/s", "Training, GFLOP/s", "Inference, images/s",
        "Peak memory, GiB", "Hours of 50 epochs of COCO",
    ]  # fmt: skip
    machine, ratios = found["machine"], found["ratios"]
    who = machine["cpu"] if machine["device"] == "cpu" else machine["device"]
    low = "bfloat16" if "bf16" in found["precision"] else "float32, as this hardware has no bfloat16 of its own"
    inference = max(value for name, value in ratios.items() if name.startswith("inference") and "ceiling" in name)
    caption = (
        f"The thesis's network and stacks of it on crops of {found['side']} pixels, recorded on {who} with "
        f"{machine['threads']} threads in {low}; the hours are projected for 124,040 persons. Training reaches "
        f"{percent(ratios['training / ceiling'])} of what its convolutions reach alone, inference at its best "
        f"{percent(inference)}, with batch normalisation folded into the convolutions and the network compiled."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-speed")
