"""What the machine computes with: its precision, its threads, and how its memory is asked for."""

import ctypes
import platform
from contextlib import contextmanager
from pathlib import Path

import torch

from hgnb.errors import unknown

PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed"}  # Lightning's names


def precision(asked: str = "native") -> str:
    """Lightning's name of a precision; "native" is the one that this hardware computes in: bf16 where it can."""
    if asked == "native":
        return PRECISIONS["bf16" if _computes_bf16() else "fp32"]
    if asked not in PRECISIONS:
        raise unknown("precision", asked, ("native", *PRECISIONS))
    return PRECISIONS[asked]


def _computes_bf16() -> bool:
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Without avx512_bf16 or AMX a bf16 convolution is emulated, four times slower than fp32.
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def device_name() -> str:
    """The graphics card's name, or the processor's where the system tells it."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def keep_freed_memory() -> None:
    """Tells glibc not to hand big blocks back to the system: each step would fault the same pages in again.

    A training step on a CPU is a quarter faster for it. Elsewhere than on Linux with glibc it does nothing.
    """
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        m_trim_threshold, m_mmap_threshold = -1, -3  # malloc.h
        libc.mallopt(m_mmap_threshold, 1 << 30)
        libc.mallopt(m_trim_threshold, (1 << 31) - 1)


def give_memory_back() -> None:
    """Tells glibc to hand what was freed back to the system: after a large network that won't come again."""
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def threads(count: int):
    """torch computes with `count` threads within the block; 0 leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    yield
    torch.set_num_threads(before)
