"""How near training and inference come to what the network's convolutions alone could do, and where the rest goes.

python benchmarks/hourglass.py [--quick]; the thesis's network, crops of 256 px, 8 at a time, two threads.
The result goes to benchmarks/results/hourglass.json; --quick only shows that everything runs and writes nothing.
Ways take turns, so a noisy machine hits all alike; a number is the median of its turns. Seconds are wall seconds.
"""

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
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
from hgnb.models import cost
from hgnb.models.config import HourglassConfig
from hgnb.models.folding import fold
from hgnb.models.hourglass import StackedHourglass, build
from hgnb.training.hardware import keep_freed_memory, precision
from hgnb.training.networks import get

PERSONS, EPOCHS = 124_040, 50  # 4.2.1, 5.2
BARS = {
    "training / ceiling": 0.75, "inference / ceiling": 0.85, "loading / step": 0.05,
    "contiguous fp32 / training": 3.0, "contiguous fp32 / inference": 2.5,
}  # fmt: skip
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
LOW = precision().name == "bf16"  # whether this hardware is faster in it

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
    repeats: int = 5
    divisor: int = 1  # of every width
    stacks: tuple[int, ...] = (1, 2, 4, 8)
    compiled: bool = True

    def config(self, name: str) -> HourglassConfig:
        return get(name).described.narrowed(self.divisor)


class Trainer:
    """A network under MSE and RMSProp, as training/modules.py has it, without the loop's bookkeeping."""

    def __init__(self, network: StackedHourglass, setting: Setting, *, native: bool):
        self.low, layout = LOW and native, torch.channels_last if native else torch.contiguous_format
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
    start = time.perf_counter()
    work()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def in_turns(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each way after one turn to warm up."""
    turns = [{name: seconds(work) for name, work in ways.items()} for _ in range(repeats + 1)][1:]
    return {name: statistics.median(turn[name] for turn in turns) for name in ways}


def convolutions(network: StackedHourglass, setting: Setting) -> dict[str, Callable[[], object]]:
    """Each convolution alone at its shape: forward, and forward with gradients of weights and input.

    Its input is random and waits in the layout and precision that suit the hardware best.
    """
    dtype, ways = torch.bfloat16 if LOW else torch.float32, {}
    for name, before, _, layer in cost.layers(network, setting.side):
        alone = deepcopy(layer).to(dtype, memory_format=torch.channels_last)
        x = torch.randn(setting.batch, *before[1:], device=DEVICE, dtype=dtype)
        x = x.contiguous(memory_format=torch.channels_last).requires_grad_(before[1] != 3)  # crops need no gradient

        def forward(alone=alone, x=x):
            with torch.no_grad():
                alone(x)

        def both(alone=alone, x=x):
            alone.zero_grad()
            out = alone(x)
            out.backward(torch.ones_like(out))

        ways |= {f"{name} forward": forward, f"{name} both": both}
    return ways


def compiled(network: StackedHourglass, trainer: Trainer) -> tuple[Callable, float]:
    """The network as torch.compile makes it with its weights frozen, and the seconds that took."""
    torch._inductor.config.freezing = True
    made = torch.compile(network)
    return made, seconds(lambda: trainer.predict(made))


def speed(setting: Setting) -> dict:
    """Training and inference against the ceiling, against plain fp32, and against the published network."""
    plain = build(setting.config("hourglass"), setting.side)
    ours = Trainer(plain, setting, native=True)
    for _ in range(2):
        ours.step()  # running statistics that aren't their start
    contiguous = Trainer(deepcopy(plain), setting, native=False)
    reference = Trainer(as_published(setting), setting, native=False)
    folded = fold(plain)
    ways = {
        "training": ours.step, "training, gradients alone": ours.gradients, "training contiguous fp32": contiguous.step,
        "training reference": reference.step, "inference": ours.predict,
        "inference folded": lambda: ours.predict(folded), "inference contiguous fp32": contiguous.predict,
        "inference reference": reference.predict,
    }  # fmt: skip
    result = {}
    if setting.compiled and any(map(shutil.which, ("g++", "clang++", "c++"))):
        frozen, result["compile_s"] = compiled(deepcopy(folded), ours)
        ways["inference folded, compiled"] = lambda: ours.predict(frozen)
    alone = convolutions(plain, setting)
    took = in_turns({**ways, **alone}, setting.repeats)
    ceiling = {kind: sum(took[name] for name in alone if name.endswith(kind)) for kind in ("forward", "both")}
    gflop = setting.batch * sum(part.gflop for part in cost.costs(plain, setting.side))
    published = setting.batch * sum(part.gflop for part in cost.costs(reference.network, setting.side))
    rows = {
        "ceiling, forward": (ceiling["forward"], gflop),
        "ceiling, forward and backward": (ceiling["both"], 3 * gflop),
    }
    for name in ways:
        work = (published if "reference" in name else gflop) * (3 if name.startswith("training") else 1)
        rows[name] = took[name], work
    result["ways"] = {
        name: {"s": round(s, 4), "images_per_s": round(setting.batch / s, 2), "gflop_per_s": round(work / s, 1)}
        for name, (s, work) in rows.items()
    }
    result["ratios"] = {
        "training / ceiling": ceiling["both"] / took["training"],
        "contiguous fp32 / training": took["training contiguous fp32"] / took["training"],
        "contiguous fp32 / inference": took["inference contiguous fp32"] / took["inference"],
    }
    for name in (n for n in ways if n.startswith("inference") and ("folded" in n or n == "inference")):
        result["ratios"][f"{name} / ceiling"] = ceiling["forward"] / took[name]
    result["ratios"] |= loading(setting, took["training"])
    result["parts_of_a_step"] = parts(ours, took["training"] - took["training, gradients alone"])
    return result


def as_published(setting: Setting) -> StackedHourglass:
    """One stack of princeton-vl/pytorch_stacked_hourglass: fp32, contiguous, every ReLU into memory of its own.

    Its modules are ours; its stem is Newell's, 64 maps wide, so it does less, and GFLOP/s are what compares.
    """
    newell = setting.config("newell")
    network = build(replace(newell, stacks=1), setting.side)
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
    trainer = Trainer(network, setting, native=True)
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
    quick = "--quick" in sys.argv[1:]
    setting = Setting(64, 2, 1, 8, (1, 2), compiled=False) if quick else Setting()
    ready()
    start = time.perf_counter()
    result = {"side": setting.side, "batch": setting.batch, "precision": precision().lightning, **speed(setting)}
    with get_context("spawn").Pool(1, maxtasksperchild=1) as alone:
        smaller = replace(setting, batch=min(setting.batch, 4))
        result["stacks"] = [alone.apply(stacks, (count, smaller)) for count in setting.stacks]
    # Without native bf16 there is no faster precision to win by, and the bars against plain fp32 say nothing.
    bars = {name: bar for name, bar in BARS.items() if LOW or "contiguous" not in name}
    result["ratios"] = {name: round(value, 4) for name, value in result["ratios"].items()}
    result["bars"] = bars
    device = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "cpu"
    result["machine"] = {**machine(), "torch": torch.__version__, "threads": torch.get_num_threads(), "device": device}
    result["seconds"] = round(time.perf_counter() - start)
    print(json.dumps(result, indent=1))
    if not quick:
        out = ROOT / "benchmarks" / "results" / "hourglass.json"
        out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
