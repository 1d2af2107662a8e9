"""How near training and inference come to what the network's convolutions alone could do, and where the rest goes.

python benchmarks/hourglass.py [speed] [stacks] [--quick] [--busy]; without a name, both.
speed: this network, princeton-vl/pytorch_stacked_hourglass as shipped, and the convolutions alone, in training and
inference, on one and two threads, in fp32 and bf16. stacks: what one to eight of the thesis's hourglasses cost.
The results go to benchmarks/results/speed.json and stacks.json; --quick only shows that everything runs.
Ways take turns, so a noisy machine hits all alike; a number is the median of its turns, a ratio that of the turns'
ratios. Seconds are wall seconds; with --busy, on a machine that has other work, those of the processor for each thread
(then OMP_WAIT_POLICY=passive, so that a thread that waits for another takes none).
"""

import ctypes
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from book import ROOT, machine, peak_memory
from hgnb.data.dataset import Batch, loader
from hgnb.data.heatmaps import HeatmapConfig, heatmaps
from hgnb.model import cost
from hgnb.model.config import HourglassConfig
from hgnb.model.hourglass import StackedHourglass, build, fold
from hgnb.training.hardware import keep_freed_memory, precision, threads
from hgnb.training.networks import get

PERSONS, EPOCHS = 124_040, 50  # 4.2.1, 5.2
# Asked of the thesis's network on this hardware's faster precision, and of what a batch costs before its step.
BARS = {"training / convolutions": 0.80, "inference / convolutions": 0.90, "princeton-vl": 1.25, "loading / step": 0.05}
BUSY = "--busy" in sys.argv[1:]
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# What a profiler calls the work of a step, by what it is for.
KINDS = {
    "convolution": ("convolution",), "batch norm": ("batch_norm",), "ReLU": ("clamp_min", "relu", "threshold"),
    "pooling": ("max_pool",), "upsampling": ("upsample",), "adds": ("aten::add",),
    "loss": ("mse_loss",),
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What is measured, and how often."""

    side: int = 256
    batch: int = 8
    repeats: int = 2
    divisor: int = 1  # of every width
    stacks: tuple[int, ...] = (1, 2, 4, 8)

    def config(self, name: str) -> HourglassConfig:
        return get(name).described.narrowed(self.divisor)


class Trainer:
    """A network under MSE and RMSProp, as training/modules.py has it, without the loop's bookkeeping."""

    def __init__(self, network: StackedHourglass, setting: Setting, *, low: bool, layout=torch.channels_last):
        self.low = low
        self.network = network.to(DEVICE, memory_format=layout)
        images = torch.rand(setting.batch, 3, setting.side, setting.side, device=DEVICE) - 0.5
        self.images = images.contiguous(memory_format=layout)
        size = setting.side // network.config.stride
        self.truth = torch.rand(setting.batch, network.config.keypoints, size, size, device=DEVICE) / size**2
        self.optimiser = torch.optim.RMSprop(network.parameters(), lr=2.5e-4, alpha=0.99)

    def gradients(self) -> None:
        self.network.train()
        self.optimiser.zero_grad()
        with autocast(self.low):
            loss = sum(F.mse_loss(maps, self.truth) for maps in self.network.predictions(self.images))
        loss.backward()

    def step(self) -> None:
        self.gradients()
        self.optimiser.step()

    def predict(self, network: Callable[[Tensor], Tensor] | None = None) -> None:
        self.network.eval()
        with autocast(self.low), torch.no_grad():
            (self.network if network is None else network)(self.images)


def autocast(low: bool):
    return torch.autocast(DEVICE.type, torch.bfloat16) if low else nullcontext()


def seconds(work: Callable[[], object]) -> float:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    start = clock()
    work()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def clock() -> float:
    return time.process_time() / torch.get_num_threads() if BUSY else time.perf_counter()


def in_turns(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each way after one turn to warm up."""
    turns = [{name: seconds(work) for name, work in ways.items()} for _ in range(repeats + 1)][1:]
    return {name: statistics.median(turn[name] for turn in turns) for name in ways}


def convolutions(network: StackedHourglass, setting: Setting, low: bool) -> dict[str, Callable[[], None]]:
    """Every convolution alone at its shape: forward, and forward with gradients of weights and input.

    Inputs are random and wait in the layout and the precision in which they are taken.
    """
    rows = []
    for _, before, _, layer in cost.layers(network, setting.side):
        dtype = torch.bfloat16 if low and layer is not network.heads[-1].heatmaps else torch.float32
        alone = deepcopy(layer).to(dtype, memory_format=torch.channels_last)
        x = torch.randn(setting.batch, *before[1:], device=DEVICE, dtype=dtype)
        x = x.contiguous(memory_format=torch.channels_last).requires_grad_(before[1] != 3)  # crops need no gradient
        rows.append((alone, x, torch.ones_like(alone(x))))

    def forward():
        with torch.no_grad():
            for alone, x, _ in rows:
                alone(x)

    def both():
        for alone, x, ones in rows:
            alone.zero_grad()
            x.grad = None
            alone(x).backward(ones)

    return {"training": both, "inference": forward}


@contextmanager
def memory_as_shipped():
    """glibc's own handling of memory within the block, as a program has it that doesn't ask for another.

    Its thresholds grow with what is freed, to 32 MiB for blocks of their own and twice that for the end of the heap.
    """
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        libc, (m_trim_threshold, m_mmap_threshold) = ctypes.CDLL(None), (-1, -3)  # malloc.h
        libc.mallopt(m_mmap_threshold, 32 << 20)
        libc.mallopt(m_trim_threshold, 64 << 20)
    yield
    keep_freed_memory()


def beside(setting: Setting, low: bool) -> list[dict]:
    """Training and inference of this network, of princeton-vl's as shipped, and of the convolutions, on these threads.

    Inference is that of `hgnb.training.passes.Reader`, which folds. GFLOP/s count what each network's convolutions
    multiply and add, and three times that in training.
    """
    network, layout = build(setting.config("hourglass"), setting.side), torch.contiguous_format
    ours = Trainer(network, setting, low=low)
    theirs = Trainer(as_published(setting), setting, low=False, layout=layout)
    alone, folded = convolutions(network, setting, low), fold(network)
    turns = []
    for _ in range(setting.repeats + 1):  # the first to warm up
        with memory_as_shipped():
            published = {"training": seconds(theirs.step), "inference": seconds(theirs.predict)}
        ours.step()  # the memory that was handed back is asked for again
        took = {
            "training": (seconds(ours.step), seconds(alone["training"])),
            "inference": (seconds(lambda: ours.predict(folded)), seconds(alone["inference"])),
        }
        turns.append({work: (*took[work], published[work]) for work in took})
    gflop = [sum(part.gflop for part in cost.costs(n, setting.side)) for n in (network, theirs.network)]
    rows = []
    for work, times in (("training", 3), ("inference", 1)):
        flops = [setting.batch * times * gflop[i] for i in (0, 0, 1)]
        speeds = [[flop / s for flop, s in zip(flops, turn[work], strict=True)] for turn in turns[1:]]
        own, convolution, theirs_ = (statistics.median(column) for column in zip(*speeds, strict=True))
        row = {"work": work, "threads": torch.get_num_threads(), "precision": "bf16" if low else "fp32"}
        row |= {"gflop_per_s": round(own, 1), "convolutions": round(convolution, 1), "princeton_vl": round(theirs_, 1)}
        row["of_convolutions"] = round(statistics.median(o / c for o, c, _ in speeds), 3)
        row["times_princeton_vl"] = round(statistics.median(o / p for o, _, p in speeds), 3)
        rows.append(row)
        print(setting.divisor, row, file=sys.stderr, flush=True)
    return rows


def speed(settings: list[Setting]) -> dict:
    """Networks beside princeton-vl's and beside their convolutions, and where the time of a step goes."""
    load, networks = os.getloadavg()[0], []
    for setting in settings:
        channels, rows = setting.config("hourglass").channels, []
        for count in (1, 2) if DEVICE.type == "cpu" else (1,):
            with threads(count):
                for low in (False, True):
                    rows += beside(setting, low)
        trainer = Trainer(build(setting.config("hourglass"), setting.side), setting, low=False)
        for _ in range(2):
            gradients, step = seconds(trainer.gradients), seconds(trainer.step)
        networks.append({
            "channels": channels, "side": setting.side, "batch": setting.batch, "rows": rows,
            "parts_of_a_step": parts(trainer, step - gradients), **loading(setting, step),
        })  # fmt: skip
    loads = [round(load, 1), round(os.getloadavg()[0], 1)]
    return {"networks": networks, "bars": BARS, "seconds_of": "processor" if BUSY else "wall", "load_average": loads}


def as_published(setting: Setting) -> StackedHourglass:
    """One stack of princeton-vl/pytorch_stacked_hourglass: fp32, contiguous, every ReLU into memory of its own.

    Its modules are ours, its residuals add in place as ours do; its stem is Newell's, 64 maps wide, so it does less,
    and GFLOP/s are what compares.
    """
    network = build(replace(setting.config("newell"), stacks=1), setting.side)
    for layer in network.modules():
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    return network


def parts(trainer: Trainer, optimiser: float) -> dict[str, float]:
    """Shares of a training step by kind of work, from a profile of one; the optimiser's by subtraction."""
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (DEVICE.type == "cuda")
    with profile(activities=activities) as watched:
        trainer.gradients()
    times = dict.fromkeys([*KINDS, "rest"], 0.0)
    for event in watched.key_averages():
        kind = next((k for k, marks in KINDS.items() if any(mark in event.key for mark in marks)), "rest")
        own = event.self_device_time_total if DEVICE.type == "cuda" else event.self_cpu_time_total
        times[kind] += own / 1e6
    times["optimiser"] = max(optimiser, 0.0)
    total = sum(times.values())
    return {kind: round(value / total, 3) for kind, value in times.items()}


@dataclass
class MadeUp:
    """A split whose crops lie in a memory map, as prepared ones do."""

    crops: np.ndarray  # (N, side, side, 3) uint8
    keypoints: np.ndarray  # (N, K, 3)


def loading(setting: Setting, step: float) -> dict[str, float]:
    """What a batch takes from the memory map to the images and targets of a step, as shares of the step."""
    count, side, generator = 8 * setting.batch, setting.side, np.random.default_rng(0)
    keypoints = generator.uniform(0, side, (count, 17, 3)).astype(np.float32)
    keypoints[..., 2] = generator.integers(0, 3, (count, 17))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "crops.npy"
        np.save(file, generator.integers(0, 256, (count, side, side, 3), dtype=np.uint8))
        batches = loader(MadeUp(np.load(file, mmap_mode="r"), keypoints), setting.batch, seed=0)
        mean, maps = torch.full((3,), 0.45, device=DEVICE), HeatmapConfig()

        def targets(batch: Batch) -> None:
            heatmaps(batch.points, batch.visibility, side=side, size=side // 4, config=maps)

        held = [batch.to(DEVICE) for batch in batches]
        ways = {
            "loading / step": lambda: [batch.to(DEVICE).images(mean) for batch in batches],
            "targets / step": lambda: [targets(batch) for batch in held],
        }
        return {name: s / len(held) / step for name, s in in_turns(ways, setting.repeats).items()}


def stacks(count: int, setting: Setting) -> dict:
    """A row of the cost table; in a process of its own, whose peak memory is this network's."""
    ready()
    thesis = setting.config("hourglass")
    network = build(replace(thesis, stacks=count), setting.side)
    trainer = Trainer(network, setting, low=precision().name == "bf16")
    gflop = setting.batch * sum(part.gflop for part in cost.costs(network, setting.side))
    took = in_turns({"training": trainer.step, "inference": trainer.predict}, 2)
    hours = EPOCHS * PERSONS / 3600 * took["training"] / setting.batch
    cuda = DEVICE.type == "cuda"
    peak = torch.cuda.max_memory_allocated() if cuda else peak_memory()
    return {
        "stacks": count, "batch": setting.batch, "parameters": sum(p.numel() for p in network.parameters()),
        "training_images_per_s": round(setting.batch / took["training"], 2),
        "training_gflop_per_s": round(3 * gflop / took["training"], 1),
        "inference_images_per_s": round(setting.batch / took["inference"], 2),
        "peak_gib": round(peak / 2**30, 2), "kept_mib_per_crop": round(cost.kept_bytes(network, setting.side) / 2**20),
        f"projected_hours_{EPOCHS}_epochs_of_{PERSONS}": round(hours),
    }  # fmt: skip


def ready() -> None:
    """The state in which runs train: two threads, freed memory kept, the same weights each time."""
    keep_freed_memory()
    torch.set_num_threads(2)
    torch.manual_seed(0)


def main() -> None:
    asked = sys.argv[1:]
    quick, names = "--quick" in asked, [name for name in ("speed", "stacks") if name in asked] or ["speed", "stacks"]
    setting = Setting(64, 2, 1, 8, (1, 2)) if quick else Setting()
    ready()
    device = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "cpu"
    about = {**machine(), "torch": torch.__version__, "threads": torch.get_num_threads(), "device": device}
    for name in names:
        start = time.perf_counter()
        if name == "speed":
            result = speed([setting] if quick else [Setting(128, 16, repeats=4, divisor=4), setting])
        else:
            batch = min(setting.batch, 4)
            result = {"side": setting.side, "batch": batch, "precision": precision().lightning}
            with get_context("spawn").Pool(1, maxtasksperchild=1) as alone:
                rows = [alone.apply(stacks, (count, replace(setting, batch=batch))) for count in setting.stacks]
            result["stacks"] = rows
        result |= {"machine": about, "seconds": round(time.perf_counter() - start)}
        print(json.dumps(result, indent=1))
        if not quick:
            out = ROOT / "benchmarks" / "results" / f"{name}.json"
            out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
