"""A test stand on which chapter 06's networks take turns, each turn in an order of its own. Source 004, tables 1, 2.

On a processor the seconds are processor seconds for each thread, not wall time; on a graphics card they are wall
seconds. Loading a batch, from JPEG files to crops and heatmaps on one thread, is timed beside every
step. `benchmarks/lighter.py` times full-size networks here.
"""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from hgnb.data.crops import CropTransform
from hgnb.data.heatmaps import NEWELL, heatmaps
from hgnb.model import cost
from hgnb.model.hourglass import StackedHourglass, build
from hgnb.training.hardware import device_name, give_memory_back, keep_freed_memory
from hgnb.training.networks import BASE, STUDIES, Training, get
from hgnb.training.profiles import LighterConfig
from hgnb.training.speed import Timed, Times

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PHOTOGRAPH = (1280, 720)  # pixels: most of MPII's, which are frames of videos (Andriluka et al. 2014)
KEYPOINTS = 16


class Stand:
    """A network on the test stand, as wide as asked; its weights, which mean nothing, take memory in its turn alone."""

    def __init__(self, case: Training, config: LighterConfig, batch: int):
        self.case, self.batch, self.low = case, batch, case.training.get("precision") == "bf16"
        self.network = _blank(case, config)
        side, size = config.timed_side, config.timed_side // self.network.config.stride
        images = torch.rand(batch, 3, side, side, device=DEVICE).sub(0.5)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.truth = torch.rand(batch, self.network.config.keypoints, size, size, device=DEVICE)

    def turn(self, loader: "Loader") -> tuple[float, float, float]:
        """Seconds of a training step, of loading its batch, and of a prediction."""
        with self.ready() as network:
            training = seconds(partial(self._train, self._optimiser()))
            network.eval()
            return training, seconds(lambda: loader.load(self.batch), threads=1), seconds(self._predict)

    def result(self, took: Sequence[tuple[float, float, float]], side: int) -> Timed:
        """What so many turns took, and what doesn't depend on the machine, for crops of `side` pixels."""
        training, loading, inference = (tuple(round(s, 5) for s in column) for column in zip(*took, strict=True))
        with self.ready() as network:
            return Timed(
                self.case.name, self.batch, training, loading, inference,
                sum(p.numel() for p in network.parameters()),
                round(sum(part.gflop for part in cost.costs(network, side)), 3),
                round(cost.kept_bytes(network, side) / 2**20, 1),
            )  # fmt: skip

    @contextmanager
    def ready(self) -> Iterator[StackedHourglass]:
        """The network with its weights, ready to train; drawing 25 million would take longer than a prediction."""
        network = self.network.to_empty(device=DEVICE)
        for tensor in network.state_dict().values():
            tensor.fill_(1 if not tensor.is_floating_point() or tensor.ndim == 1 else 0.01)
        yield network.to(memory_format=torch.channels_last).train()
        network.to("meta")

    def _optimiser(self) -> torch.optim.Optimizer:
        """As the case trains; it has taken a step of nothing, so that its averages lie ready."""
        parameters = list(self.network.parameters())
        if self.case.training.get("optimiser") == "adam":
            made: torch.optim.Optimizer = torch.optim.Adam(parameters, lr=1e-9)
        else:
            made = torch.optim.RMSprop(parameters, lr=1e-9, alpha=0.99, momentum=0.9)
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        made.step()
        made.zero_grad()
        return made

    def _train(self, optimiser: torch.optim.Optimizer) -> None:
        with self._autocast():
            loss = sum(F.mse_loss(maps, self.truth) for maps in self.network.predictions(self.images))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()

    def _predict(self) -> None:
        with self._autocast(), torch.inference_mode():
            self.network(self.images)

    def _autocast(self):
        return torch.autocast(DEVICE.type, torch.bfloat16) if self.low else nullcontext()


def _blank(case: Training, config: LighterConfig) -> StackedHourglass:
    """The case's network in full depth, without memory for its weights."""
    network = case.described.narrowed(config.timed_divisor)
    with torch.device("meta"):
        return build(replace(network, keypoints=KEYPOINTS), config.timed_side)


class Loader:
    """Photographs as they lie on a disk, and the way from them to a batch: decode, crop, heatmaps."""

    def __init__(self, side: int, seed: int = 0):
        rng = np.random.default_rng(seed)
        w, h = PHOTOGRAPH
        # Smooth colours with a little noise: a JPEG of about 150 kB, as MPII's.
        coarse = Image.fromarray(rng.integers(0, 256, (h // 40, w // 40, 3), dtype=np.uint8))
        pixels = np.asarray(coarse.resize(PHOTOGRAPH, Image.Resampling.BICUBIC)).astype(np.int16)
        pixels = np.clip(pixels + rng.integers(-12, 13, pixels.shape), 0, 255).astype(np.uint8)
        held = io.BytesIO()
        Image.fromarray(pixels).save(held, "JPEG", quality=90)
        self.file, self.square = held.getvalue(), CropTransform((w - h) // 2, 0, h, side)
        self.points = torch.from_numpy(rng.uniform(0, side, (1, KEYPOINTS, 2))).float()
        self.side, self.config = side, NEWELL

    def load(self, persons: int) -> tuple[np.ndarray, Tensor]:
        """Crops (persons, side, side, 3) and heatmaps, each from a file of its own."""
        crops = [self.square.apply(Image.open(io.BytesIO(self.file)).convert("RGB")) for _ in range(persons)]
        visible = torch.full((1, KEYPOINTS), 2.0)
        maps = partial(heatmaps, self.points, visible, side=self.side, size=self.side // 4, config=self.config)
        return np.stack(crops), torch.cat([maps() for _ in range(persons)])


def seconds(work: Callable[[], object], threads: int = 0) -> float:
    """Of one call: processor seconds a thread, or wall seconds where a graphics card computes."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return time.perf_counter() - start
    start = time.process_time()
    work()
    return (time.process_time() - start) / (threads or torch.get_num_threads())


def timed(config: LighterConfig, cases: Sequence[Training] = (), *, batch: int = 0, turns: int = 0) -> Times:
    """Every case whose training differs in speed, in turns, whose number draws the order: what runs first isn't always
    the same. A first turn of the base warms up and doesn't count."""
    keep_freed_memory()
    batch, turns, loader = batch or config.timed_batch, turns or config.timed_repeats, Loader(config.timed_side)
    cases = cases or [c for c in STUDIES["lighter"].units(config.cases) if _own_speed(c)]
    Stand(get(BASE), config, batch).turn(loader)
    stands = [Stand(case, config, batch) for case in cases]
    took: list[list[tuple[float, float, float]]] = [[] for _ in stands]
    for turn in range(turns):
        for i in np.random.default_rng(turn).permutation(len(stands)):
            took[i].append(stands[i].turn(loader))
            give_memory_back()
    results = {}
    for stand, times in zip(stands, took, strict=True):
        results[stand.case.name] = stand.result(times, config.timed_side)
        give_memory_back()
    wall = DEVICE.type == "cuda"
    return Times(device_name(), torch.get_num_threads(), config.timed_side, turns, results, shuffled=True, wall=wall)


def _own_speed(case: Training) -> bool:
    """Not one that only trains longer or in other batches, nor in a precision that this hardware has to emulate."""
    return not case.long and "batch" not in case.training and case.training.get("precision") != "bf16"
