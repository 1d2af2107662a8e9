"""The evidence of one seed, read from a record's columns: persons, hits, clusters. No network, no data, no training.

`hgnb.claims.observe` wrote the columns; the claims' numbers are computed from here. Explained in 05_discussion.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hgnb.analysis import clusters, posture
from hgnb.analysis.latents import Latents
from hgnb.analysis.skips import SkipStudy
from hgnb.claims.claim import Lacking
from hgnb.claims.observe import FINE
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.records import Columns, Record, Seed


@dataclass(frozen=True)
class People:
    """The persons that a record's seeds share."""

    columns: Columns

    @cached_property
    def schema(self) -> KeypointSchema:
        skeleton = self.columns["schema/skeleton"].tolist()
        return KeypointSchema(tuple(self.columns["schema/names"].tolist()), tuple((a, b) for a, b in skeleton))

    @cached_property
    def counts(self) -> dict[str, int]:
        """What C1 counts."""
        return dict(zip(self.columns["counts/names"].tolist(), self.columns["counts/values"].tolist(), strict=True))

    @cached_property
    def _splits(self) -> dict[str, PreparedSplit]:
        return {name: self._split(name) for name in ("train", "val", "test")}

    def split(self, name: str) -> PreparedSplit:
        """'train', 'val' or 'test', without crops."""
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


@dataclass(frozen=True)
class Seen:
    """What the trainings of one seed showed of these persons."""

    people: People
    seed: Seed

    @property
    def number(self) -> int:
        return self.seed.number

    @cached_property
    def trainings(self) -> dict[str, dict[str, Any]]:
        """Facts of each training by name."""
        return self.seed.trainings

    @cached_property
    def _columns(self) -> dict[str, Columns]:
        return {name: self.seed.of(name) for name in self.trainings}

    def of(self, training: str) -> Columns:
        """A training's columns."""
        return self._columns[training]

    def column(self, training: str, name: str) -> np.ndarray:
        """One of them; Lacking where this seed has none."""
        held = self._columns[training]
        if name not in held:
            raise Lacking(f"the column `{training}/{name}` of seed {self.number}: `hgnb claims --keep` records it")
        return held[name]

    def hits(self, training: str, split: str = "test") -> np.ndarray:
        """(N, K) bool at the epoch of best validation PCK."""
        return self.column(training, f"{split}_hits")

    def epochs(self, training: str, name: str) -> np.ndarray:
        """(E,): losses, PCK, rate or seconds of each epoch."""
        return self.column(training, f"epochs/{name}")

    @property
    def train(self) -> PreparedSplit:
        return self.people.split("train")

    @property
    def test(self) -> PreparedSplit:
        return self.people.split("test")

    @property
    def sample(self) -> np.ndarray:
        """(n,) positions of the random training persons."""
        return self.column("hourglass", "sample")

    @property
    def full(self) -> np.ndarray:
        """(n,) positions of the fully labelled training persons, or the most labelled where these are few."""
        return self.column("hourglass", "full")

    @cached_property
    def skips(self) -> SkipStudy:
        """The hourglass on all training persons with and without skips."""
        on, off, split = self.hits("hourglass", "train"), self.column("hourglass", "off/train_hits"), self.train
        nobody = Latents(np.zeros(0, int), np.zeros((0, 0), np.float32))
        return SkipStudy(on, off, split.visibility, split.image_ids, self.people.schema, (), nobody.positions, nobody)

    def labels(self, of: str, k: int) -> np.ndarray:
        """(n,) clusters of the 'sample' or the 'full' with K = k; all 0 where that K was impossible."""
        ks = self.column("hourglass", f"clusters/{of}/k").tolist()
        persons = len(self.sample if of == "sample" else self.full)
        if k not in ks:
            return np.zeros(persons, int)
        return self.column("hourglass", f"clusters/{of}/labels")[ks.index(k)].astype(int)

    @cached_property
    def by_labels(self) -> clusters.Clustering:
        """The sample's two clusters, the fuller one first."""
        return self._by_labelled(self.labels("sample", 2))

    @cached_property
    def by_codes(self) -> clusters.Clustering:
        """The two clusters that the modified hourglass makes of the sample, the fuller one first."""
        return self._by_labelled(self.column("modified", "codes/labels").astype(int))

    def _by_labelled(self, labels: np.ndarray) -> clusters.Clustering:
        key, images = self.train.labelled[self.sample].astype(float), self.train.image_ids[self.sample]
        return clusters.clustering(np.zeros((len(labels), 0)), labels, key, images, seed=self.number)

    @cached_property
    def by_motion(self) -> clusters.Clustering:
        """The two clusters of the fully labelled, the quieter one first."""
        labels, key = self.labels("full", 2), self.people.states.motion_score[self.full]
        images = self.train.image_ids[self.full]
        return clusters.clustering(np.zeros((len(labels), 0)), labels, key, images, sign=-1, seed=self.number)

    def nearest(self, count: int) -> list[np.ndarray]:
        """For each of the sample's two clusters, the fuller one first, rows of the persons nearest its centroid."""
        raw, ordered = self.labels("sample", 2), self.by_labels.labels
        gaps = self.column("hourglass", "clusters/sample/distance")
        out = []
        for cluster in (0, 1):
            members = np.flatnonzero(ordered == cluster)
            out.append(members[np.argsort(gaps[members, raw[members]], kind="stable")[:count]])
        return out


def seen(record: Record) -> list[Seen]:
    """Every seed of a record."""
    people = People(record.persons)
    return [Seen(people, seed) for seed in record.seeds]
