"""Whether one training gains more by a second thread or by a second process: steps at three widths, in fp32.

python benchmarks/cores.py [--quick]; crops of 128 px, a batch of 16 in all, batch normalisation over the whole batch.
The ways take turns, each in processes of its own; a number is the median of its turns, in wall seconds. The result goes
to benchmarks/results/cores.json with the load that the machine had before and after; --quick writes nothing.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

from book import ROOT, machine
from hgnb.model.hourglass import HourglassConfig, StackedHourglass
from hgnb.training.hardware import keep_freed_memory
from hgnb.training.parallel import synchronised, team, together

SIDE, BATCH, TURNS = 128, 16, 3
WIDTHS = {64: 12, 128: 6, 256: 3}  # channels: steps of a turn
WAYS = {"one thread": (1, 1), "two threads": (1, 2), "two processes": (2, 1)}  # processes, threads of each
BAR = 1.3  # times two threads, that two processes shall reach at 64 channels


def work(width: int, steps: int, threads: int, out: Path) -> None:
    """One process of a way: writes the median seconds of a step, after two that warm up."""
    keep_freed_memory()
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    with team() as those:
        network = StackedHourglass(HourglassConfig(channels=width, inner=width // 2, stem=width // 4, depth=3))
        if those.size > 1:
            synchronised(network)
        network = network.to(memory_format=torch.channels_last).train()
        optimiser = torch.optim.RMSprop(network.parameters(), lr=2.5e-4, alpha=0.99)
        module = DistributedDataParallel(network) if those.size > 1 else network
        persons = BATCH // those.size
        images = torch.rand(persons, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
        truth, took = torch.rand(persons, network.config.keypoints, SIDE // 4, SIDE // 4), []
        for _ in range(steps + 2):
            start = time.perf_counter()
            optimiser.zero_grad()
            F.mse_loss(module(images), truth).backward()
            optimiser.step()
            took.append(time.perf_counter() - start)
        if those.leads:
            out.write_text(json.dumps(statistics.median(took[2:])))


def turn(width: int, steps: int, way: str) -> float:
    """Seconds of a step of BATCH persons."""
    processes, threads = WAYS[way]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "seconds")
        command = [sys.executable, __file__, "--work", str(width), str(steps), str(threads), str(out)]
        os.environ["OMP_NUM_THREADS"] = str(threads)
        status = together(processes, command) if processes > 1 else subprocess.run(command).returncode
        if status:
            sys.exit(f"{way} at {width} channels ended with status {status}.")
        return json.loads(out.read_text())


def main(quick: bool) -> None:
    load, table = os.getloadavg()[0], {}
    for width, steps in ({64: 2} if quick else WIDTHS).items():
        turns = [{way: turn(width, steps, way) for way in WAYS} for _ in range(1 if quick else TURNS)]
        median = {way: statistics.median(each[way] for each in turns) for way in WAYS}
        gain = statistics.median(each["two threads"] / each["two processes"] for each in turns)
        table[width] = {
            "persons_per_s": {way: round(BATCH / seconds, 1) for way, seconds in median.items()},
            "two processes / two threads": round(gain, 3),
        }
        print(width, "channels:", json.dumps(table[width]), flush=True)
    met = table[64]["two processes / two threads"] >= BAR
    print(f"Bar, {BAR} at 64 channels: {'met' if met else 'not met'}; load {load:.1f} to {os.getloadavg()[0]:.1f}.")
    if not quick:
        result = {
            "machine": machine(), "torch": torch.__version__, "side": SIDE, "batch": BATCH, "precision": "fp32",
            "load": [round(load, 1), round(os.getloadavg()[0], 1)],
            "bar": {"value": BAR, "met": met}, "channels": table,
        }  # fmt: skip
        (ROOT / "benchmarks/results/cores.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(*map(int, sys.argv[2:5]), Path(sys.argv[5]))
    else:
        main("--quick" in sys.argv)
