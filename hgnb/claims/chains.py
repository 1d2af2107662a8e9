"""Several seeds of the chain side by side, as chapters 04 and 07 show them, with the ledger's own intervals."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hgnb import records, stats
from hgnb.claims.seen import Seen, seen
from hgnb.records import Record
from hgnb.records import each_dataset as each_dataset  # of these, too
from hgnb.stats import UNKNOWN, Estimate
from hgnb.training.networks import ARMS
from hgnb.training.recorded import stale


@dataclass(frozen=True)
class Chains:
    """The seeds of a record that hold an hourglass and its modified twin, in order."""

    record: Record

    @cached_property
    def seeds(self) -> list[Seen]:
        return [one for one in seen(self.record) if {"hourglass", "modified"} <= one.trainings.keys()]

    @property
    def data(self) -> str:
        return self.record.data

    @property
    def name(self) -> str:
        """'small on embedded'."""
        return f"{self.record.profile} on {self.record.data}"

    @property
    def title(self) -> str:
        return self.record.title

    @cached_property
    def stale(self) -> tuple[str, ...]:
        """As of hgnb.training.recorded."""
        return stale(self.record)

    @property
    def failed(self) -> list[str]:
        """Trainings that didn't end, with their seeds."""
        return [f"{name} (seed {seed.number})" for seed in self.record.seeds for name in seed.failed]

    @property
    def device(self) -> str:
        return ", ".join(dict.fromkeys(facts["device"] for facts in self.record.facts))

    def has(self, *names: str) -> bool:
        """Whether every one of these trainings is there in some seed."""
        return all(any(name in one.trainings for one in self.seeds) for name in names)

    def values(self, name: str, split: str) -> np.ndarray:
        """(S,) PCK of an arm or a later network in each seed; NaN where it has none."""
        return np.array([self._pck(one, name, split) for one in self.seeds], dtype=float)

    def level(self, name: str, split: str) -> Estimate:
        """PCK of an arm or a later network over the seeds that have it, as the ledger has it."""
        held = [hits for one in self.seeds if (hits := _hits(one, name, split)) is not None]
        return stats.pck(np.stack(held), *self._counted(split)) if held else UNKNOWN

    def differences(self, first: str, second: str, split: str) -> list[Estimate]:
        """Paired PCK of each seed that has both, the first less the second, over photographs alone."""
        return [stats.pck_difference(a, b, *self._counted(split)) for a, b in self._pairs(first, second, split)]

    def difference(self, first: str, second: str, split: str) -> Estimate:
        """Over these seeds, as the ledger has it: seeds and photographs both vary."""
        pairs = self._pairs(first, second, split)
        if not pairs:
            return UNKNOWN
        one, other = (np.stack(side) for side in zip(*pairs, strict=True))
        return stats.pck_difference(one, other, *self._counted(split))

    def _pairs(self, first: str, second: str, split: str) -> list[tuple[np.ndarray, np.ndarray]]:
        held = [(_hits(one, first, split), _hits(one, second, split)) for one in self.seeds]
        return [(a, b) for a, b in held if a is not None and b is not None]

    def _counted(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """(N, K) labelled keypoints and (N,) photographs."""
        persons = self.seeds[0].people.split(split)
        return persons.visibility > 0, persons.image_ids

    def epoch(self, one: Seen, name: str) -> int:
        """At which an arm's network is taken."""
        return one.trainings[_training(name)]["best"][ARMS[name].best if name in ARMS else "val_pck"]

    def coinciding(self) -> int:
        """Seeds whose best PCK and lowest loss fall on one epoch, so that choosing between them changes nothing."""
        best = [one.trainings["hourglass"]["best"] for one in self.seeds]
        return sum(b["val_pck"] == b["val_loss"] for b in best)

    @staticmethod
    def _pck(one: Seen, name: str, split: str) -> float:
        hits, counted = _hits(one, name, split), one.people.split(split).visibility > 0
        return np.nan if hits is None or not counted.any() else float((hits & counted).sum() / counted.sum())


def _training(name: str) -> str:
    """The training that an arm's network comes from."""
    return "hourglass" if name == "hourglass-best-loss" else name


def _hits(one: Seen, name: str, split: str) -> np.ndarray | None:
    if _training(name) not in one.trainings:
        return None
    held = one.of(_training(name))
    return held[f"lowest/{split}_hits" if name == "hourglass-best-loss" else f"{split}_hits"]


def beside(profile: str, data: str) -> list[Chains]:
    """All recorded chains with seeds to compare, the one that a page about a profile and data shows first."""
    return [chains for chains in map(Chains, records.fitting("chain", profile, data)) if chains.seeds]
