"""What a machine decides: precision, threads, processes, and how its memory is asked for.

Each choice can be forced by an environment variable, so that what one machine does can be tried on another; CHOICES
lists them.
"""

import contextlib
import ctypes
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from platformdirs import user_cache_path

from hgnb.errors import InputError, unknown

PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed"}  # Lightning's names
CHOICES = (  # CONTRIBUTING.md says what each forces
    "HGNB_PRECISION", "HGNB_THREADS", "HGNB_PROCESSES", "HGNB_KEEP_MEMORY", "HGNB_DEVICE", "HGNB_CHROMIUM",
)  # fmt: skip
GAIN = 1.1  # times as fast as fp32 must bf16 be: it rounds, and converts what isn't a convolution
LONGEST = 0.3  # seconds that measuring may take, beside a first turn of each


@dataclass(frozen=True)
class Convolution:
    """The convolution that a precision is chosen by: 3x3, `channels` to as many, on `batch` square maps."""

    batch: int = 8
    channels: int = 128
    size: int = 64

    def __str__(self) -> str:
        return f"{self.batch} x {self.channels} x {self.size} x {self.size}"


@dataclass(frozen=True)
class Precision:
    """What the steps of a training are computed in: "fp32", or "bf16" where that is safe; and why."""

    name: str
    why: str

    @property
    def lightning(self) -> str:
        """Lightning's name for it."""
        return PRECISIONS[self.name]


def choices() -> str:
    """A line that says what this machine chooses, and what of it is forced."""
    chosen = precision()
    made = [
        f"{chosen.name} ({chosen.why})",
        f"{forced('HGNB_THREADS') or torch.get_num_threads()} threads",
        f"{forced('HGNB_PROCESSES') or 1} processes",
        f"freed memory {'kept' if _keeps() else 'given back'}",
        device_name(),
    ]
    asked = [f"{name}={forced(name)}" for name in CHOICES if forced(name)]
    return f"{', '.join(made)}; forced: {', '.join(asked) or 'nothing'}"


def forced(name: str) -> str:
    """What an environment variable of CHOICES asks for; empty where it asks for nothing."""
    return os.environ.get(name, "").strip()


def forced_count(name: str) -> int:
    """The same as a number; 0 where it asks for nothing. InputError for what is no whole number from 1 on."""
    asked = forced(name)
    if asked and not (asked.isdecimal() and int(asked)):
        raise InputError(f"{name} must be a whole number from 1 on, not {asked!r}.")
    return int(asked or 0)


def precision(asked: str = "native", convolution: Convolution = Convolution()) -> Precision:
    """A precision by name; "native" is bf16 where this machine is faster in it by a tenth or more, measured once.

    `convolution`: one of the network's own. A processor that computes bf16 by name may be slower in it than in fp32.
    """
    if asked != "native":
        if asked not in PRECISIONS:
            raise unknown("precision", asked, ("native", *PRECISIONS))
        return Precision(asked, "asked for")
    if name := forced("HGNB_PRECISION"):
        if name not in PRECISIONS:
            raise unknown("value of HGNB_PRECISION", name, PRECISIONS)
        return Precision(name, "HGNB_PRECISION")
    took = _measured(convolution)
    name = "bf16" if took["fp32"] >= GAIN * took["bf16"] else "fp32"
    milliseconds = " and ".join(f"{1000 * seconds:.3g} ms in {each}" for each, seconds in took.items())
    return Precision(name, f"a convolution of {convolution} takes {milliseconds}")


def _measured(convolution: Convolution) -> dict[str, float]:
    """Seconds of the convolution, forward and backward, by precision; as the user's cache has them, or measured."""
    key = f"{device_name()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {convolution}"
    file, held = user_cache_path("hgnb") / "precision.json", {}
    with contextlib.suppress(OSError, ValueError):
        held = json.loads(file.read_text(encoding="utf8"))
    took = held.get(key) if isinstance(held, dict) else None
    if took is None or set(took) != set(PRECISIONS):
        took = _seconds(convolution)
        aside = file.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):  # a place that can't be written is measured in again
            file.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps({**held, key: took} if isinstance(held, dict) else {key: took}, indent=1))
            aside.replace(file)
    return took


def _seconds(convolution: Convolution) -> dict[str, float]:
    """The quicker of its turns in each precision; they take turns, so that a busy machine hits both alike."""
    device, c = torch.device("cuda" if torch.cuda.is_available() else "cpu"), convolution
    ways = {}
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        shapes = ((c.batch, c.channels, c.size, c.size), (c.channels, c.channels, 3, 3))
        made = (torch.full(shape, 0.01, dtype=kind, device=device) for shape in shapes)
        ways[name] = [one.contiguous(memory_format=torch.channels_last).requires_grad_() for one in made]

    def turn(x: torch.Tensor, weight: torch.Tensor) -> float:
        start = time.perf_counter()
        out = F.conv2d(x, weight, padding=1)
        torch.autograd.grad(out, (x, weight), torch.ones_like(out))
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    with torch.enable_grad(), torch.inference_mode(False):
        for given in ways.values():
            turn(*given)  # the first one prepares
        took: dict[str, list[float]] = {name: [] for name in ways}
        until = time.perf_counter() + LONGEST
        while time.perf_counter() < until or not took["bf16"]:
            for name, given in ways.items():
                took[name].append(turn(*given))
    return {name: min(seconds) for name, seconds in took.items()}


def device_name() -> str:
    """The graphics card's name, or the processor's where the system tells it."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else processor()


def processor() -> str:
    """Its name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def keep_freed_memory() -> None:
    """Tells glibc not to hand big blocks back to the system: each batch would fault the same pages in again.

    On a CPU a training step is a quarter faster for it and a pass over persons twice as fast. Elsewhere than on Linux
    with glibc it does nothing.
    """
    if _keeps():
        libc = ctypes.CDLL(None)
        m_trim_threshold, m_mmap_threshold = -1, -3  # malloc.h
        libc.mallopt(m_mmap_threshold, 1 << 30)
        libc.mallopt(m_trim_threshold, (1 << 31) - 1)


def give_memory_back() -> None:
    """Tells glibc to hand what was freed back to the system: after a large network that won't come again."""
    if _glibc():
        ctypes.CDLL(None).malloc_trim(0)


def _keeps() -> bool:
    return forced("HGNB_KEEP_MEMORY") != "0" and _glibc()


def _glibc() -> bool:
    return platform.system() == "Linux" and platform.libc_ver()[0] == "glibc"


@contextmanager
def threads(count: int) -> Iterator[None]:
    """torch computes with `count` threads within the block; 0 leaves it as it is. HGNB_THREADS goes before."""
    before = torch.get_num_threads()
    torch.set_num_threads(forced_count("HGNB_THREADS") or count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
