"""What the skip-connections carry. Thesis 6.2 (its figures 13 and 14); explained in 03_interpretation.

The trained network reads every person twice, with the hourglass's branches and without them; nothing is
retrained, and residual modules keep their shortcuts (ambiguity 9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hgnb.analysis.latents import Latents, read
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.intervals import Interval, bootstrap, pck_difference, pooled_pck
from hgnb.metrics import PckConfig
from hgnb.training.passes import Reader

SMALL = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")  # thesis 6.2
BIG = tuple(f"{side}_{joint}" for joint in ("shoulder", "hip", "knee") for side in ("left", "right"))
ENOUGH = 10  # labelled keypoints of a person whose joints are compared


@dataclass(frozen=True)
class SkipStudy:
    """Which keypoints of N persons are found with all skips and with none, and of some persons without each alone."""

    on: np.ndarray  # (N, K) bool
    off: np.ndarray  # (N, K) bool
    visibility: np.ndarray  # (N, K) in {0, 1, 2}
    images: np.ndarray  # (N,)
    schema: KeypointSchema
    alone: tuple[np.ndarray, ...]  # (n, K) bool without each level's skip alone, finest first; empty: none was built
    chosen: np.ndarray  # (n,) rows of the persons on whom the levels were tried
    latents: Latents

    def by_person(self, hits: np.ndarray) -> np.ndarray:
        """(N,) PCK of each person; NaN for one without keypoints."""
        counted = self.visibility > 0
        with np.errstate(invalid="ignore"):
            return (hits & counted).sum(1) / counted.sum(1)

    def pooled(self, hits: np.ndarray) -> Interval:
        """PCK over all annotated keypoints."""
        return pooled_pck(hits, self.visibility > 0, self.images)

    @property
    def drop(self) -> Interval:
        """Paired difference of pooled PCK: with all skips less with none."""
        return pck_difference(self.on, self.off, self.visibility > 0, self.images)

    @cached_property
    def levels(self) -> tuple[Interval, ...]:
        """The drop of pooled PCK without each level's skip alone, finest first."""
        on, counted, images = (x[self.chosen] for x in (self.on, self.visibility > 0, self.images))
        return tuple(pck_difference(on, off, counted, images) for off in self.alone)

    def kept(self, level: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(n, K) bool twice: keypoints found without all skips (or one level's), and those that count: found with
        them, visible, of well-labelled persons. The n persons are all, or those on whom the levels were tried."""
        rows = slice(None) if level is None else self.chosen
        off = self.off if level is None else self.alone[level]
        counted = ((self.visibility == 2) & self.well_labelled[:, None] & self.on)[rows]
        return off & counted, counted

    def _sums(self, names: tuple[str, ...], level: int | None = None) -> np.ndarray:
        """(n, 2): kept and counted keypoints of each person, of those named."""
        at = np.array(self.schema.index(*names), dtype=int)
        return np.column_stack([x[:, at].sum(1) for x in self.kept(level)])

    @property
    def well_labelled(self) -> np.ndarray:
        """(N,) bool: persons with at least 10 labelled keypoints, or all if there are fewer."""
        return (self.visibility > 0).sum(1) >= min(ENOUGH, len(self.schema))

    def survival(self, *names: str) -> Interval:
        """P(found without skips | found with them) of the named keypoints, v = 2; NaN if the data lack them."""
        return bootstrap(self._sums(names), self.images, lambda kept, all_: kept / all_)

    def lost(self, *names: str, level: int | None = None) -> Interval:
        """P(missed without skips | found with them), or without one level's skip alone: what C8 calls the drop."""
        images = self.images if level is None else self.images[self.chosen]
        return bootstrap(self._sums(names, level), images, lambda kept, all_: 1 - kept / all_)

    def compare(self, first: tuple[str, ...], second: tuple[str, ...]) -> Interval:
        """Survival of the first keypoints less that of the second, paired by image."""
        columns = np.hstack([self._sums(first), self._sums(second)])
        return bootstrap(columns, self.images, lambda a, n, b, m: a / n - b / m)

    def counted(self, *names: str) -> int:
        """How many keypoints `survival` rests on."""
        return int(self._sums(names)[:, 1].sum())

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The groups of the thesis and of the schema, by their title; those that the data lack are left out."""
        names = {g: tuple(self.schema.names[i] for i in at) for g, at in self.schema.groups.items()}
        groups = {"small: nose, eyes, ears": SMALL, "big: shoulders, hips, knees": BIG}
        groups |= {"head": names["head"], "torso": names["torso"], "limbs": names["limbs"]}
        return {title: g for title, g in groups.items() if self.schema.index(*g)}


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
    switches = [[level != off for level in range(levels)] for off in range(levels)]
    alone = read(reader, split.take(chosen), pck, switches).hits if levels else []
    on, off = whole.hits
    return SkipStudy(on, off, split.keypoints[..., 2], split.image_ids, schema, tuple(alone), chosen, whole.latents)


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
