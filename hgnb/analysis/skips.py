"""What the skip-connections carry. Thesis 6.2 (its figures 13 and 14); explained in 03_interpretation.

The trained network reads every person twice, with the hourglass's branches and without them; nothing is
retrained, and residual modules keep their shortcuts (ambiguity 9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from hgnb.data.heatmaps import cells
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig, found, peaks
from hgnb.model.hourglass import Skips
from hgnb.stats import Estimate, crossed, pck_difference
from hgnb.stats import pck as pooled_pck
from hgnb.training import passes
from hgnb.training.passes import Latents, Reader

SMALL = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")  # thesis 6.2
BIG = tuple(f"{side}_{joint}" for joint in ("shoulder", "hip", "knee") for side in ("left", "right"))
ENOUGH = 10  # labelled keypoints of a person whose joints are compared


@dataclass(frozen=True)
class Reading:
    """What one pass over a split's persons brings."""

    hits: list[np.ndarray]  # (N, K) bool for each setting of the skips
    latents: Latents


def hits_of(maps: torch.Tensor, points: torch.Tensor, side: int, pck: PckConfig) -> np.ndarray:
    """(B, K) bool: which of the keypoints, (B, K, 2) in pixels of the crop, the maps (B, K, h, h) find."""
    size = maps.shape[-1]
    return found(peaks(maps)[0], cells(points, side, size), size=size, config=pck).cpu().numpy()


@torch.inference_mode()
def read(
    reader: Reader, split: PreparedSplit, pck: PckConfig, switches: Sequence[Skips] = (), keep: Sequence = ()
) -> Reading:
    """Encodes each person once and decodes with every setting of the skips; latents of the positions in `keep` stay.

    Encoding is two thirds of a prediction's cost, and no setting of the skips changes it. Of several stacks it is the
    first hourglass that is read, and its own heatmaps: the next one sees the image again.
    """
    network, hourglass, head = reader.network, reader.network.hourglasses[0], reader.network.heads[0]
    wanted = np.zeros(len(split.keypoints), dtype=bool)
    wanted[np.asarray(keep, dtype=int)] = True
    hits: list[list[np.ndarray]] = [[] for _ in switches]
    side, kept = split.crops.shape[1], []
    for batch in passes.read(reader, split):
        latents, branches = hourglass.encode(network.stem(batch.images(reader.mean_rgb)))
        kept.append(latents.flatten(1).float().cpu().numpy()[wanted[batch.index.cpu().numpy()]])
        for found_, skips in zip(hits, switches, strict=True):
            found_.append(hits_of(head(hourglass.decode(latents, branches, skips))[1], batch.points, side, pck))
    positions = np.flatnonzero(wanted)
    return Reading([np.concatenate(h) for h in hits], Latents(positions, np.concatenate(kept)))


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

    def by_person(self, hits: np.ndarray) -> np.ndarray:
        """(N,) PCK of each person; NaN for one without keypoints."""
        counted = self.visibility > 0
        with np.errstate(invalid="ignore"):
            return (hits & counted).sum(1) / counted.sum(1)

    def pooled(self, hits: np.ndarray) -> Estimate:
        """PCK over all annotated keypoints."""
        return pooled_pck(hits, self.visibility > 0, self.images)

    @property
    def drop(self) -> Estimate:
        """Paired difference of pooled PCK: with all skips less with none."""
        return pck_difference(self.on, self.off, self.visibility > 0, self.images)

    @cached_property
    def levels(self) -> tuple[Estimate, ...]:
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

    def survival(self, *names: str) -> Estimate:
        """P(found without skips | found with them) of the named keypoints, v = 2; NaN if the data lack them."""
        return crossed(self._sums(names), self.images, lambda kept, all_: kept / all_)

    def lost(self, *names: str, level: int | None = None) -> Estimate:
        """P(missed without skips | found with them), or without one level's skip alone: what C8 calls the drop."""
        images = self.images if level is None else self.images[self.chosen]
        return crossed(self._sums(names, level), images, lambda kept, all_: 1 - kept / all_)

    def compare(self, first: tuple[str, ...], second: tuple[str, ...]) -> Estimate:
        """Survival of the first keypoints less that of the second, paired by image."""
        columns = np.hstack([self._sums(first), self._sums(second)])
        return crossed(columns, self.images, lambda a, n, b, m: a / n - b / m)

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
    reader: Reader, split: PreparedSplit, schema: KeypointSchema, pck: PckConfig, *, seed: int = 0, part: int = 300
) -> SkipStudy:
    """The split with all skips and with none; a random `part` of its persons with each level off alone."""
    on, off = read(reader, split, pck, (True, False)).hits
    levels = len(reader.network.hourglasses[0].skips)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(split.keypoints))[:part])
    switches = [[level != off for level in range(levels)] for off in range(levels)]
    alone = read(reader, split.take(chosen), pck, switches).hits if levels else []
    return SkipStudy(on, off, split.keypoints[..., 2], split.image_ids, schema, tuple(alone), chosen)


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
