"""What the skip-connections carry. Thesis 6.2 (its figures 13 and 14); explained in 03_interpretation.

The trained network reads every person twice, with the hourglass's branches and without them; nothing is
retrained, and residual modules keep their shortcuts (ambiguity 9).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.explain.latents import Latents, read
from hgnb.intervals import Interval, bootstrap
from hgnb.metrics import PckConfig
from hgnb.training.inference import Reader

SMALL = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")  # thesis 6.2
BIG = tuple(f"{side}_{joint}" for joint in ("shoulder", "hip", "knee") for side in ("left", "right"))
ENOUGH = 10  # labelled keypoints of a person whose joints are compared


@dataclass(frozen=True)
class SkipStudy:
    """Which keypoints of N persons are found with all skips and with none, and what each level's skip is worth."""

    on: np.ndarray  # (N, K) bool
    off: np.ndarray  # (N, K) bool
    visibility: np.ndarray  # (N, K) in {0, 1, 2}
    images: np.ndarray  # (N,)
    schema: KeypointSchema
    levels: tuple[Interval, ...]  # drop of pooled PCK without each level's skip alone, finest first
    part: int  # persons on whom the levels were tried
    latents: Latents

    def by_person(self, hits: np.ndarray) -> np.ndarray:
        """(N,) PCK of each person; NaN for one without keypoints."""
        counted = self.visibility > 0
        with np.errstate(invalid="ignore"):
            return (hits & counted).sum(1) / counted.sum(1)

    def pooled(self, hits: np.ndarray) -> Interval:
        """PCK over all annotated keypoints."""
        counted = self.visibility > 0
        columns = np.column_stack([(hits & counted).sum(1), counted.sum(1)])
        return bootstrap(columns, self.images, lambda found, all_: found / all_)

    @property
    def drop(self) -> Interval:
        """Paired difference of pooled PCK: with all skips less with none."""
        return pck_drop(self.on, self.off, self.visibility, self.images)

    def _kept(self, keypoints: np.ndarray) -> np.ndarray:
        """(N, 2): keypoints found without skips, of those found with them; visible ones of well-labelled persons."""
        counted = (self.visibility == 2) & self.well_labelled[:, None] & self.on
        counted = counted[:, keypoints]
        return np.column_stack([(self.off[:, keypoints] & counted).sum(1), counted.sum(1)])

    @property
    def well_labelled(self) -> np.ndarray:
        """(N,) bool: persons with at least 10 labelled keypoints, or all if there are fewer."""
        return (self.visibility > 0).sum(1) >= min(ENOUGH, len(self.schema))

    def survival(self, *names: str) -> Interval:
        """P(found without skips | found with them) of the named keypoints, v = 2; NaN if the data lack them."""
        return bootstrap(self._kept(self._at(names)), self.images, lambda kept, all_: kept / all_)

    def compare(self, first: tuple[str, ...], second: tuple[str, ...]) -> Interval:
        """Survival of the first keypoints less that of the second, paired by image."""
        columns = np.hstack([self._kept(self._at(first)), self._kept(self._at(second))])
        return bootstrap(columns, self.images, lambda a, n, b, m: a / n - b / m)

    def counted(self, *names: str) -> int:
        """How many keypoints `survival` rests on."""
        return int(self._kept(self._at(names))[:, 1].sum())

    def _at(self, names: tuple[str, ...]) -> np.ndarray:
        return np.array(self.schema.index(*names), dtype=int)

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The groups of the thesis and of the schema, by their title; those that the data lack are left out."""
        names = {g: tuple(self.schema.names[i] for i in at) for g, at in self.schema.groups.items()}
        groups = {"small: nose, eyes, ears": SMALL, "big: shoulders, hips, knees": BIG}
        groups |= {"head": names["head"], "torso": names["torso"], "limbs": names["limbs"]}
        return {title: g for title, g in groups.items() if self.schema.index(*g)}


def pck_drop(on: np.ndarray, off: np.ndarray, visibility: np.ndarray, images: np.ndarray) -> Interval:
    """Pooled PCK of `on` less that of `off`, hits (N, K) of the same persons."""
    counted = visibility > 0
    columns = np.column_stack([(on & counted).sum(1), (off & counted).sum(1), counted.sum(1)])
    return bootstrap(columns, images, lambda on, off, all_: (on - off) / all_)


def study(
    reader: Reader, split: PreparedSplit, schema: KeypointSchema, pck: PckConfig, *, seed: int = 0,
    part: int = 300, keep: Sequence = (),
) -> SkipStudy:  # fmt: skip
    """The split with all skips and with none; a random `part` of its persons with each level off alone.

    keep: positions of the persons whose latents the same pass keeps.
    """
    whole = read(reader, split, pck, (True, False), keep)
    levels = len(reader.network.hourglasses[0].skips)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(split.keypoints))[:part])
    some, on = split.take(chosen), whole.hits[0][chosen]
    hits = read(reader, some, pck, [[level != off for level in range(levels)] for off in range(levels)]).hits
    drops = tuple(pck_drop(on, off, some.visibility, some.image_ids) for off in hits)
    visibility = split.keypoints[..., 2]
    return SkipStudy(*whole.hits, visibility, split.image_ids, schema, drops, len(chosen), whole.latents)


@dataclass(frozen=True)
class Shown:
    """Persons to draw, and how many of them are found completely with skips."""

    positions: np.ndarray  # (n,) in the split
    perfect: int
    available: int  # complete persons with enough labelled keypoints in the split


def examples(study: SkipStudy, count: int, seed: int) -> Shown:
    """`count` persons at 100 % PCK with skips, drawn by `seed` among those with enough labelled keypoints.

    Where there are fewer, the best of the others follow.
    """
    score, many = study.by_person(study.on), study.well_labelled
    order = np.random.default_rng(seed).permutation(len(score))
    rank = np.lexsort((-np.nan_to_num(score[order], nan=-1), ~many[order]))  # stable: ties stay shuffled
    complete = (score == 1) & many
    positions = order[rank][:count]
    return Shown(positions, int(complete[positions].sum()), int(complete.sum()))
