"""The seeds of a record side by side, as claims are gathered from: hits (S, N, K), clusters and scores (S, N)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hgnb import stats
from hgnb.claims.claim import Lacking
from hgnb.claims.seen import People, Seen
from hgnb.data.prepared import PreparedSplit
from hgnb.stats import Estimate


@dataclass(frozen=True)
class Seeds:
    """Several seeds that were measured on the same persons."""

    people: People
    all: tuple[Seen, ...]

    @property
    def count(self) -> int:
        return len(self.all)

    def with_(self, *trainings: str) -> "Seeds":
        """Those that hold all of these."""
        return replace(self, all=tuple(one for one in self.all if set(trainings) <= one.trainings.keys()))

    def column(self, training: str, name: str) -> np.ndarray:
        """(S, …): a column of a training, seed by seed; Lacking where a seed has none or another shape."""
        held = [one.of(training).get(name) for one in self.all]
        there = [column for column in held if column is not None]
        if len(there) < len(held) or not there or len({column.shape for column in there}) > 1:
            raise Lacking(f"the column `{training}/{name}` of every seed: `hgnb claims --keep` records it")
        return np.stack(there)

    def hits(self, training: str, split: str = "test") -> np.ndarray:
        """(S, N, K) bool at the epoch of best validation PCK."""
        return self.column(training, f"{split}_hits")

    def persons(self, split: str = "test") -> PreparedSplit:
        """Of a split, without crops."""
        return self.people.split(split)

    def labelled(self, split: str = "test") -> np.ndarray:
        """(N, K) bool."""
        return self.persons(split).visibility > 0

    def images(self, split: str = "test") -> np.ndarray:
        """(N,)."""
        return self.persons(split).image_ids

    def pck(self, training: str, split: str = "test", counted: np.ndarray | None = None) -> Estimate:
        """PCK over the labelled keypoints or those that `counted` (N, K) chooses."""
        counted = self.labelled(split) if counted is None else counted
        return stats.pck(self.hits(training, split), counted, self.images(split))

    def gain(self, first: str, second: str, split: str = "test", counted: np.ndarray | None = None) -> Estimate:
        """PCK of one training less another's of the same seed."""
        counted = self.labelled(split) if counted is None else counted
        return stats.pck_difference(self.hits(first, split), self.hits(second, split), counted, self.images(split))

    def floor(self, split: str = "test") -> float:
        """PCK of each keypoint's mean position."""
        labelled = self.labelled(split)
        return float((self.people.mean_pose_hits(split) & labelled).sum() / max(labelled.sum(), 1))

    @property
    def full(self) -> np.ndarray:
        """(n,) positions of the fully labelled training persons, the same in every seed."""
        return self.column("hourglass", "full")[0]

    def of_persons(self, values: Sequence[np.ndarray], positions: Sequence[np.ndarray]) -> np.ndarray:
        """(S, N): values of some training persons in each seed, each seed's its own; NaN for all others."""
        placed = np.full((self.count, len(self.persons("train"))), np.nan)
        for row, at, value in zip(placed, positions, values, strict=True):
            row[at] = value
        return placed
