"""Recorded chains as chapters 04 and 07 show them: the seeds of a record that hold an hourglass and its modified twin."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hgnb import records
from hgnb.claims.evidence import Seeds, Seen, training_of
from hgnb.records import Record
from hgnb.stats import UNKNOWN, Estimate
from hgnb.training.networks import ARMS
from hgnb.training.recorded import stale


@dataclass(frozen=True)
class Chains:
    """The seeds of a record that hold an hourglass and its modified twin, as chapters 04 and 07 show them."""

    record: Record

    @cached_property
    def _seeds(self) -> Seeds:
        return Seeds.of(self.record).with_("hourglass", "modified")

    @property
    def seeds(self) -> tuple[Seen, ...]:
        """In order."""
        return self._seeds.all

    @property
    def data(self) -> str:
        return self.record.data

    @property
    def name(self) -> str:
        """'small on embedded'."""
        return f"{self.record.profile} on {self.record.data}"

    @cached_property
    def stale(self) -> tuple[str, ...]:
        """As of hgnb.training.recorded."""
        return stale(self.record)

    @property
    def failed(self) -> list[str]:
        """Trainings that didn't end, with their seeds."""
        return [f"{name} (seed {seed.number})" for seed in self.record.seeds for name in seed.failed]

    def has(self, *names: str) -> bool:
        """Whether every one of these trainings is there in some seed."""
        return all(self._seeds.with_(name).count for name in names)

    def values(self, name: str, split: str) -> np.ndarray:
        """(S,) PCK of an arm or a later network in each seed; NaN where it has none."""
        each = (replace(self._seeds, all=(one,)).with_(name) for one in self.seeds)
        return np.array([one.pck(name, split).value if one.count else np.nan for one in each], dtype=float)

    def level(self, name: str, split: str) -> Estimate:
        """PCK of an arm or a later network over the seeds that have it, as the ledger has it."""
        there = self._seeds.with_(name)
        return there.pck(name, split) if there.count else UNKNOWN

    def differences(self, first: str, second: str, split: str) -> list[Estimate]:
        """Paired PCK of each seed that has both, the first less the second, over photographs alone."""
        both = self._seeds.with_(first, second)
        return [replace(both, all=(one,)).gain(first, second, split) for one in both.all]

    def difference(self, first: str, second: str, split: str) -> Estimate:
        """Over these seeds, as the ledger has it: seeds and photographs both vary."""
        both = self._seeds.with_(first, second)
        return both.gain(first, second, split) if both.count else UNKNOWN

    def epoch(self, one: Seen, name: str) -> int:
        """At which an arm's network is taken."""
        return one.trainings[training_of(name)]["best"][ARMS[name].best if name in ARMS else "val_pck"]


def beside(profile: str, data: str) -> list[Chains]:
    """All recorded chains with seeds to compare, the one that a page about a profile and data shows first."""
    return [chains for chains in map(Chains, records.fitting("chain", profile, data)) if chains.seeds]
