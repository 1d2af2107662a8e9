"""How long a training step and a prediction take, network beside network. Source 004, tables 1 and 2; chapter 06.

A ratio of times is taken within a turn, in which the networks ran one after the other. `benchmarks/lighter.py` writes
what is recorded.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from hgnb.home import home

# what is recorded: all networks in turns at 004's small batch, those of its second table at its large one, and the
# original in 32 bits and in mixed precision
PARTS = ("small batch", "large batch", "precision")


@dataclass(frozen=True)
class Timed:
    """One case: seconds of each turn, and what doesn't depend on the machine."""

    case: str
    batch: int
    training: tuple[float, ...]  # seconds of a step, without loading
    loading: tuple[float, ...]  # seconds of loading its batch
    inference: tuple[float, ...]  # seconds of a prediction
    parameters: int
    gflop: float  # of one crop forward
    kept_mib: float  # maps that training keeps for each crop
    peak_gib: float | None = None  # of a process that did nothing else, where that was measured

    @property
    def memory_gib(self) -> float:
        """Counted: weights, gradients, two averages of the optimiser, and the maps of a batch."""
        return (4 * 4 * self.parameters + self.batch * self.kept_mib * 2**20) / 2**30

    def seconds(self, kind: str) -> np.ndarray:
        """(turns,) seconds a person of 'training', 'with loading' or 'inference'."""
        rows: dict[str, tuple[tuple[float, ...], ...]] = {
            "training": (self.training,),
            "inference": (self.inference,),
            "with loading": (self.training, self.loading),
        }
        return np.sum(rows[kind], axis=0) / self.batch


@dataclass(frozen=True)
class Times:
    """All cases that took turns with each other."""

    device: str
    threads: int
    side: int
    turns: int
    cases: dict[str, Timed]
    versions: str = torch.__version__
    shuffled: bool = False  # whether each turn had an order of its own
    wall: bool = False  # whether seconds are wall time; else processor time for each thread

    @property
    def batch(self) -> int:
        """Persons of a step, the same for all."""
        return next(iter(self.cases.values())).batch

    def facts(self) -> dict:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def read(cls, held: dict) -> "Times":
        """From JSON."""
        lists = ("training", "loading", "inference")
        cases = {n: Timed(**{**c, **{k: tuple(c[k]) for k in lists}}) for n, c in held["cases"].items()}
        return cls(**{**held, "cases": cases})


def file() -> Path:
    """Where times are kept."""
    return home() / "results" / "lighter-speed.json"


def recorded(part: str) -> Times | None:
    """Recorded times of one of PARTS; None where there are none."""
    held = json.loads(file().read_text(encoding="utf8")).get(part) if file().is_file() else None
    return held and Times.read(held)
