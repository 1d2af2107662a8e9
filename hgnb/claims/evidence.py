"""What a record's seeds showed, one by one and side by side: persons, hits, clusters. No network, no data, no training.

`hgnb.claims.observe` wrote the columns; the claims' numbers are computed from here, and chapters 04 and 07 show the
same seeds. Explained in 05_discussion.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from hgnb import stats
from hgnb.analysis import posture
from hgnb.analysis.posture import POSED
from hgnb.data.prepared import SPLITS, PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.records import Columns, Record, Seed
from hgnb.stats import Estimate

FINE = 64  # keypoints are kept in 64ths of a pixel of the crop
WATCHED = (1, 2, 3, 10, 30, 50)  # components whose scores are kept; thesis 6.3
BEST_LOSS = "hourglass-best-loss"  # the hourglass at its lowest validation loss, whose columns are the hourglass's


class Lacking(Exception):
    """The evidence has no value where a rule needs one; the message says what is missing and what makes it."""


@dataclass(frozen=True)
class People:
    """The persons that a record's seeds share."""

    columns: Columns

    @cached_property
    def schema(self) -> KeypointSchema:
        return KeypointSchema.of(self.columns["schema/names"].tolist(), self.columns["schema/skeleton"].tolist())

    @cached_property
    def counts(self) -> dict[str, int]:
        """What C1 counts."""
        return dict(zip(self.columns["counts/names"].tolist(), self.columns["counts/values"].tolist(), strict=True))

    @cached_property
    def _splits(self) -> dict[str, PreparedSplit]:
        return {name: self._split(name) for name in (*SPLITS, POSED) if f"{name}/points" in self.columns}

    def split(self, name: str) -> PreparedSplit:
        """'train', 'val', 'test' or 'posed', without crops; Lacking where a record is older than what it names."""
        if name not in self._splits:
            raise Lacking(f"the persons `{name}/points`: `hgnb claims --keep` records them")
        return self._splits[name]

    def _split(self, name: str) -> PreparedSplit:
        c = {key.removeprefix(f"{name}/"): v for key, v in self.columns.items() if key.startswith(f"{name}/")}
        points, visibility = c["points"].astype(np.float32) / FINE, c["visibility"][..., None].astype(np.float32)
        keypoints = np.concatenate([points, visibility], -1)
        crops = np.zeros((len(points), 0, 0, 3), np.uint8)
        return PreparedSplit(name, crops, keypoints, c["squares"], c["ids"], c["images"], c["posture"], c["motion"])

    def mean_pose_hits(self, split: str) -> np.ndarray:
        """(N, K) bool: what each keypoint's mean position finds; the floor of every PCK."""
        return self.columns[f"{split}/mean_pose_hits"]

    @cached_property
    def states(self) -> posture.Postures:
        """Posture and motion of the training persons."""
        return posture.postures(self.split("train"), self.schema)

    @cached_property
    def posed(self) -> posture.Postures:
        """Posture and motion of those on whom what is said of postures is judged."""
        return posture.postures(self.split(POSED), self.schema)


@dataclass(frozen=True)
class Seen:
    """What the trainings of one seed showed of these persons."""

    people: People
    seed: Seed

    @property
    def number(self) -> int:
        return self.seed.number

    @property
    def trainings(self) -> dict[str, dict[str, Any]]:
        """Facts of each training by name."""
        return self.seed.trainings

    def held(self, training: str, name: str) -> np.ndarray | None:
        """A training's column, if this seed has it."""
        return self.seed.columns.get(f"{training}/{name}")

    def column(self, training: str, name: str) -> np.ndarray:
        """The same; Lacking where this seed has none."""
        if (held := self.held(training, name)) is None:
            raise Lacking(f"the column `{training}/{name}` of seed {self.number}: `hgnb claims --keep` records it")
        return held

    def epochs(self, training: str, name: str) -> np.ndarray:
        """(E,): losses, PCK, rate or seconds of each epoch."""
        return self.column(training, f"epochs/{name}")

    @property
    def sample(self) -> np.ndarray:
        """(n,) positions of the random training persons."""
        return self.column("hourglass", "sample")

    def labels(self, of: str, k: int) -> np.ndarray:
        """(n,) clusters of the 'sample' or the 'posed' with K = k; all 0 where that K was impossible."""
        ks = self.column("hourglass", f"clusters/{of}/k").tolist()
        persons = len(self.sample if of == "sample" else self.people.split(of))
        if k not in ks:
            return np.zeros(persons, int)
        return self.column("hourglass", f"clusters/{of}/labels")[ks.index(k)].astype(int)

    def nearest(self, count: int) -> list[np.ndarray]:
        """For each of the sample's two clusters, the fuller one first, rows of the persons nearest its centroid."""
        labels, key = self.labels("sample", 2), self.people.split("train").labelled[self.sample]
        gaps, names = self.column("hourglass", "clusters/sample/distance"), np.unique(labels)
        out = []
        for cluster in sorted(names, key=lambda name: -key[labels == name].mean()):
            members = np.flatnonzero(labels == cluster)
            out.append(members[np.argsort(gaps[members, cluster], kind="stable")[:count]])
        return out


@dataclass(frozen=True)
class Seeds:
    """Several seeds that were measured on the same persons: hits are (S, N, K), clusters and scores (S, N)."""

    people: People
    all: tuple[Seen, ...]

    @classmethod
    def of(cls, record: Record) -> "Seeds":
        """Every seed of a record."""
        people = People(record.persons)
        return cls(people, tuple(Seen(people, seed) for seed in record.seeds))

    @property
    def count(self) -> int:
        return len(self.all)

    def with_(self, *trainings: str) -> "Seeds":
        """Those that hold all of these."""
        wanted = {training_of(name) for name in trainings}
        return replace(self, all=tuple(one for one in self.all if wanted <= one.trainings.keys()))

    def column(self, training: str, name: str) -> np.ndarray:
        """(S, …): a column of a training, seed by seed; Lacking where a seed has none or another shape."""
        held = [one.held(training, name) for one in self.all]
        there = [column for column in held if column is not None]
        if len(there) < len(held) or not there or len({column.shape for column in there}) > 1:
            raise Lacking(f"the column `{training}/{name}` of every seed: `hgnb claims --keep` records it")
        return np.stack(there)

    def hits(self, training: str, split: str = "test") -> np.ndarray:
        """(S, N, K) bool at the epoch of best validation PCK."""
        return self.column(training_of(training), f"{'lowest/' if training == BEST_LOSS else ''}{split}_hits")

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

    def of_sample(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """(S, N): values of each seed's sample among the training persons; NaN for all others."""
        placed = np.full((self.count, len(self.persons("train"))), np.nan)
        for row, one, value in zip(placed, self.all, values, strict=True):
            row[one.sample] = value
        return placed


def training_of(name: str) -> str:
    """The training that an arm's network comes from."""
    return "hourglass" if name == BEST_LOSS else name
