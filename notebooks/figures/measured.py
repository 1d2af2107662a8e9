"""Measurements that were recorded on one machine, as tables of the page. 02_experiment."""

import json

import pandas as pd

from figures.page import Note, Table, percent
from hgnb.home import home

STACKS, SPEED = "benchmarks/results/stacks.json", "benchmarks/results/speed.json"


def speed_table() -> Table | Note:
    """What the thesis's network and stacks of it cost in time and memory, as benchmarks/hourglass.py found."""
    found = _recorded(STACKS)
    if isinstance(found, Note):
        return found
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
    low = "bfloat16" if "bf16" in found["precision"] else "float32"
    caption = (
        f"The thesis's network and stacks of it on crops of {found['side']} pixels, recorded on {_machine(found)} with "
        f"{found['machine']['threads']} threads in {low}; the hours are projected for 124,040 persons."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-speed")


def beside_table() -> Table | Note:
    """Training and inference beside the published network and beside the convolutions alone, by threads, precision."""
    found = _recorded(SPEED)
    if isinstance(found, Note):
        return found
    rows = [
        (
            f"{network['channels']}, {network['side']} px", row["work"], row["threads"], row["precision"],
            f"{row['gflop_per_s']:.0f}", f"{row['convolutions']:.0f}", f"{row['princeton_vl']:.0f}",
            percent(row["of_convolutions"]), f"{row['times_princeton_vl']:.2f}",
        )
        for network in found["networks"]
        for row in network["rows"]
    ]  # fmt: skip
    columns = [
        "Channels, crops", "Work", "Threads", "Precision", "This network, GFLOP/s", "Its convolutions alone",
        "princeton-vl's", "Of the convolutions", "Times princeton-vl's",
    ]  # fmt: skip
    batches = " and ".join(str(network["batch"]) for network in found["networks"])
    busy = (
        ", a machine that had other work: seconds are those of its processor for each thread, waiting included"
        if found["seconds_of"] == "processor"
        else ""
    )
    caption = (
        f"Floating-point operations of the convolutions for each second of the whole work, in batches of {batches}, "
        f"recorded on {_machine(found)}{busy}. Beside it stand the convolutions timed alone, and one hourglass of the "
        "published code of Newell's network in float32 as it is shipped, whose narrower stem has less to do."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-beside")


def _recorded(name: str) -> dict | Note:
    file = home() / name
    if not file.is_file():
        return Note(f"No speed is recorded: `python benchmarks/hourglass.py` measures it and writes `{name}`.")
    return json.loads(file.read_text(encoding="utf8"))


def _machine(found: dict) -> str:
    machine = found["machine"]
    return machine["cpu"] if machine["device"] == "cpu" else machine["device"]
