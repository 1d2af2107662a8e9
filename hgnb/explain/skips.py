"""What the skip-connections carry. Thesis 6.2 (its figures 13 and 14); explained in 03_interpretation.

The trained network reads every person twice, with the hourglass's branches and without them; nothing is
retrained, and residual modules keep their shortcuts (ambiguity 9). Intervals resample images, not persons,
since the persons of a photograph are not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hgnb.data.dataset import loader
from hgnb.data.heatmaps import cells
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig, found, peaks
from hgnb.models.hourglass import Skips
from hgnb.training.inference import Reader

SMALL = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")  # thesis 6.2
BIG = tuple(f"{side}_{joint}" for joint in ("shoulder", "hip", "knee") for side in ("left", "right"))
ENOUGH = 10  # labelled keypoints of a person whose joints are compared


@dataclass(frozen=True)
class Interval:
    """A measured value and the bounds of its 95 % bootstrap interval; all NaN where nothing can be measured."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return self.text()

    def text(self, digits: int = 2, scale: float = 1) -> str:
        """'0.43 (0.40 to 0.46)', or a dash."""
        if not np.isfinite(self.value):
            return "–"
        value, low, high = (f"{scale * v:.{digits}f}".replace("-", "−") for v in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


def bootstrap(
    columns: np.ndarray, images: np.ndarray, statistic: Callable, *, draws: int = 1000, seed: int = 0
) -> Interval:
    """A statistic of sums over persons, with an interval from resampled images.

    columns: (N, c) numbers of each person; images: (N,) the photograph each comes from; statistic: takes the
    c sums, scalars or arrays, and returns one.
    """
    names, image = np.unique(images, return_inverse=True)
    sums = np.zeros((len(names), columns.shape[1]))
    np.add.at(sums, image, columns)
    rng, drawn = np.random.default_rng(seed), []
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(*sums.sum(0)))
        if not np.isfinite(value):
            return Interval(np.nan, np.nan, np.nan)
        for counts in resamples(rng, len(names), draws):
            drawn.append(statistic(*(counts @ sums).T))
    return Interval(value, *np.nanpercentile(np.concatenate(drawn), (2.5, 97.5)))


def resamples(rng: np.random.Generator, images: int, draws: int, block: int = 100):
    """Blocks (block, images) that say how often each image was drawn."""
    for start in range(0, draws, block):
        yield rng.multinomial(images, np.full(images, 1 / images), size=min(block, draws - start))


@dataclass(frozen=True)
class Latents:
    """The flattened latents of some persons of a split."""

    positions: np.ndarray  # (N,) in the split, ascending
    values: np.ndarray  # (N, D) float32

    def of(self, positions: np.ndarray) -> np.ndarray:
        """(n, D) of persons that were kept."""
        return self.values[np.searchsorted(self.positions, positions)]


@dataclass(frozen=True)
class Reading:
    """What one pass over a split's persons brings."""

    hits: list[np.ndarray]  # (N, K) bool for each setting of the skips
    latents: Latents


@torch.inference_mode()
def read(
    reader: Reader, split: PreparedSplit, pck: PckConfig, switches: Sequence[Skips] = (), keep: Sequence = ()
) -> Reading:
    """Encodes each person once and decodes with every setting of the skips; latents of the positions in `keep` stay.

    Encoding is two thirds of a prediction's cost, and no setting of the skips changes it.
    """
    network, hourglass, head = reader.network, reader.network.hourglasses[0], reader.network.heads[0]
    if len(network.hourglasses) > 1:
        raise ValueError("skips are studied on a single hourglass, as in the thesis")
    wanted = np.zeros(len(split.keypoints), dtype=bool)
    wanted[np.asarray(keep, dtype=int)] = True
    side, hits, kept = split.crops.shape[1], [[] for _ in switches], []
    for batch in loader(split, reader.batch):
        batch = batch.to(reader.device)
        latents, branches = hourglass.encode(network.stem(batch.images(reader.mean_rgb)))
        kept.append(latents.flatten(1).float().cpu().numpy()[wanted[batch.index.cpu().numpy()]])
        for found_, skips in zip(hits, switches, strict=True):
            maps = head(hourglass.decode(latents, branches, skips))[1]
            size = maps.shape[-1]
            true = cells(batch.points, side, size)
            found_.append(found(peaks(maps)[0], true, size=size, config=pck).cpu().numpy())
    positions = np.flatnonzero(wanted)
    return Reading([np.concatenate(h) for h in hits], Latents(positions, np.concatenate(kept)))


@dataclass(frozen=True)
class SkipStudy:
    """Which keypoints of N persons are found with all skips and with none, and what each level's skip is worth."""

    on: np.ndarray  # (N, K) bool
    off: np.ndarray  # (N, K) bool
    visibility: np.ndarray  # (N, K) in {0, 1, 2}
    images: np.ndarray  # (N,)
    schema: KeypointSchema
    levels: "tuple[Interval, ...]"  # drop of pooled PCK without each level's skip alone, finest first
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
