"""What correcting the misplaced persons would gain. Thesis 8.4, its last question; explained in 07_beyond.

Two answers. An upper bound: had the misplaced persons the PCK of those who have as many labelled keypoints and are
well placed. And an intervention: their latents are moved to the other cluster, along the line between the two
centroids, and the network decodes what it then sees. Who is well placed is moved alike, and both also as far in a
direction drawn by lot, so that what is measured isn't the harm of any move.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from hgnb.analysis import clusters
from hgnb.analysis.clusters import Clustering, Misplaced
from hgnb.analysis.interventions import BOTTLENECK, CODE, intervene
from hgnb.data.prepared import PreparedSplit
from hgnb.intervals import Interval, bootstrap, pck_difference
from hgnb.metrics import PckConfig
from hgnb.training.experiment import Experiment
from hgnb.training.passes import Reader
from hgnb.training.runs import Run

STEPS = (0.5, 1.0)  # of the way from centroid to centroid
ACROSS, ASTRAY = "to the other centroid", "as far, by lot"


@dataclass(frozen=True)
class Bound:
    """Pooled PCK of the judged persons that would be won, and who would win it."""

    gain: Interval
    persons: int  # misplaced, with well placed ones of equally many labelled keypoints to compare
    judged: int


def bound(wrong: Misplaced, found: np.ndarray, labelled: np.ndarray) -> Bound:
    """Every misplaced person gets the mean PCK of the well placed with as many labelled keypoints; over photographs.

    found, labelled: (N,) keypoints found and labelled. Who has no counterpart stays as they are.
    """
    judged = wrong.judged & (labelled > 0)
    levels = np.array([n for n in np.unique(labelled[judged]) if len(set(wrong.flags[judged & (labelled == n)])) == 2])
    sides = [judged & side for side in (wrong.flags, ~wrong.flags)]
    # by level: misplaced and others, persons and keypoints found of each; and all keypoints labelled
    shape = len(levels), len(labelled)
    cells = [np.array([side & (labelled == n) for n in levels], float).reshape(shape) for side in sides]
    columns = [c for side in cells for c in (side, side * found)]
    stacked = np.concatenate([*columns, (labelled * judged)[None]]).T

    def gain(*sums: np.ndarray) -> np.ndarray:
        held = np.reshape(sums[:-1], (4, len(levels), *np.shape(sums[-1])))
        bad, bad_found, good, good_found = held
        mean = good_found / good
        won = np.where(good > 0, bad * mean - bad_found, 0)  # a draw may leave a level without a counterpart
        return won.sum(0) / sums[-1]

    interval = bootstrap(stacked, wrong.images, gain) if len(levels) else Interval(np.nan, np.nan, np.nan)
    return Bound(interval, int(cells[0].sum()), int(judged.sum()))


@dataclass(frozen=True)
class Moved:
    """PCK after a move less PCK before it, of the persons moved, paired by image."""

    who: str  # 'misplaced' or 'well placed'
    where: str  # ACROSS or ASTRAY
    step: float
    gain: Interval
    persons: int


def answer(experiment: Experiment, run: Run, *, codes: bool = False, persons: int = 600) -> tuple[Bound, list[Moved]]:
    """Both answers for a run of an experiment, on the random training persons of chapters 03 and 05, in two clusters.

    codes: of the autoencoder's codes instead of the latents. `persons`: of those on whom the bound rests, by lot.
    """
    train, p, seed = experiment.prepared().split("train"), experiment.profile, experiment.seed
    sample, reader = experiment.sample(), experiment.reader(run)
    points = experiment.latents(run, "train", sample).of(sample)
    if codes:
        points = reader.codes(points.reshape(-1, *experiment.model().latent_shape(p.data.side)))
    who = train.take(sample)
    labels = clusters.sweep(points, (2,), p.analysis.restarts, seed).of(2)
    group = clusters.clustering(points, labels, who.labelled.astype(float), who.image_ids, seed=seed)
    chosen = some(group.misplaced.judged, persons, seed)
    found, some_judged = np.zeros(len(who), int), np.zeros(len(who), bool)
    if len(chosen):  # nobody can be judged where everybody is labelled alike
        made = reader.predict(who.take(chosen))
        found[chosen] = (made.hits(p.pck) & (made.visibility > 0)).sum(1).numpy()
        some_judged[chosen] = True
    wrong = replace(group.misplaced, judged=some_judged, flags=group.misplaced.flags & some_judged)
    layer = CODE if codes else BOTTLENECK
    return bound(wrong, found, who.labelled), moves(reader, who, group, p.pck, layer=layer, seed=seed)


def moves(
    reader: Reader, split: PreparedSplit, group: Clustering, pck: PckConfig, *, layer: str = BOTTLENECK,
    steps: Sequence[float] = STEPS, most: int = 150, seed: int = 0,
) -> list[Moved]:  # fmt: skip
    """The misplaced and the well placed of two clusters moved; split: the persons of `group`, in its order.

    layer: where the points of `group` come from, latents or an autoencoder's codes. `most`: persons of each kind, by
    lot.
    """
    ways = [(where, step, step * way) for where, way in _ways(group, seed).items() for step in steps]
    wrong, made = group.misplaced, []
    for who, flags in (("misplaced", wrong.flags), ("well placed", ~wrong.flags)):
        rows = some(wrong.judged & flags, most, seed)
        before, *after = _found(reader, split, group.labels, rows, [shift for *_, shift in ways], pck, layer)
        counted, images = split.visibility[rows] > 0, split.image_ids[rows]
        for (where, step, _), hits in zip(ways, after, strict=True):
            made.append(Moved(who, where, step, pck_difference(hits, before, counted, images), len(rows)))
    return made


def shifted(reader: Reader, split: PreparedSplit, group: Clustering, pck: PckConfig, seed: int) -> list[np.ndarray]:
    """(N, K) bool twice: what is found of every person of two clusters of latents once they are moved to the other
    centroid, and once as far by lot."""
    ways = list(_ways(group, seed).values())
    return _found(reader, split, group.labels, np.arange(len(split)), ways, pck, BOTTLENECK)[1:]


def _ways(group: Clustering, seed: int) -> dict[str, np.ndarray]:
    """(D,) from the first centroid to the second, and a way as long by lot."""
    first, second = (group.points[group.labels == c].mean(0, dtype=float) for c in (0, 1))
    gap = second - first
    stray = np.random.default_rng(seed).normal(size=gap.shape)
    return {ACROSS: gap, ASTRAY: stray * (np.linalg.norm(gap) / np.linalg.norm(stray))}


def some(flags: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Ascending positions of `most` persons among those flagged, by lot, or of all."""
    return np.sort(np.random.default_rng(seed).permutation(np.flatnonzero(flags))[:most])


def _found(reader, split, labels, rows, shifts, pck, layer) -> list[np.ndarray]:
    """(n, K) bool: found untouched, and after each shift, which a person of cluster 1 takes backwards."""
    out = [np.zeros((len(rows), split.keypoints.shape[1]), bool) for _ in range(len(shifts) + 1)]
    for cluster, sign in ((0, 1.0), (1, -1.0)):
        inside = labels[rows] == cluster
        if inside.any():
            ways = [torch.as_tensor(sign * s, dtype=torch.float32, device=reader.device) for s in shifts]
            edits = [None, *(partial(torch.add, way) for way in ways)]
            for held, found in zip(out, intervene(reader, split.take(rows[inside]), pck, edits, layer), strict=True):
                held[inside] = found
    return out
