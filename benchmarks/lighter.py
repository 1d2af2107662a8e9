"""Times of chapter 06's networks at full size: all of them at a batch of 6, the report's four at 20, mixed precision.

python benchmarks/lighter.py [--turns 5] [--large 3] [--side 256] [--divisor 1] [--out FILE]; one thread with
OMP_NUM_THREADS=1, else as many as torch takes. The result goes to results/lighter-speed.json, which chapter 06 reads.
Networks take turns; seconds are processor seconds for each thread, or wall seconds on a graphics card. The peak memory
of a batch of 20 is measured in a process for each network.
"""

import argparse
import json
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import torch

from book import ROOT, machine, peak_memory
from figures import stand
from hgnb.training.networks import get
from hgnb.training.profiles import LighterConfig
from hgnb.training.speed import Times

LARGE, SMALL = 20, 6
TABLE_2 = ("newell", "stacks-6", "blocks-4", "inner-64")


def peak(name: str, config: LighterConfig, batch: int) -> float:
    """GiB of this process after one training step and one prediction of a network; in a process of its own."""
    stand.Stand(get(name), config, batch).turn(stand.Loader(config.timed_side))
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return peak_memory() / 2**30


def with_peaks(times: Times, config: LighterConfig) -> Times:
    """The same with the measured peak memory of every network."""
    cases = {}
    with get_context("spawn").Pool(1, maxtasksperchild=1) as alone:
        for name, timed in times.cases.items():
            cases[name] = replace(timed, peak_gib=round(alone.apply(peak, (name, config, timed.batch)), 2))
    return replace(times, cases=cases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--large", type=int, default=3, help="turns of the larger batch and of mixed precision")
    parser.add_argument("--side", type=int, default=256, help="pixels of a crop; a small one proves that it runs")
    parser.add_argument("--divisor", type=int, default=1, help="divides every width")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "lighter-speed.json")
    asked, start = parser.parse_args(), time.perf_counter()
    config, out = LighterConfig(timed_side=asked.side, timed_divisor=asked.divisor), asked.out
    result: dict = {"manifest": {**machine(), "torch": torch.__version__, "date": time.strftime("%Y-%m-%d")}}

    def keep(part: str, times: Times) -> None:
        result[part] = times.facts()
        result["manifest"]["seconds"] = round(time.perf_counter() - start)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=1) + "\n")
        print(f"{part}: {time.perf_counter() - start:.0f} s")

    keep("small batch", stand.timed(config, batch=SMALL, turns=asked.turns))
    table = [get(name) for name in TABLE_2]
    keep("large batch", with_peaks(stand.timed(config, table, batch=LARGE, turns=asked.large), config))
    both = [get("newell"), get("newell-bf16")]
    keep("precision", stand.timed(config, both, batch=SMALL, turns=asked.large))


if __name__ == "__main__":
    main()
