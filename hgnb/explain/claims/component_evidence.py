"""Evidence about components of the latents. Thesis 6.3, 6.4; claims C9 to C12."""

from collections.abc import Callable

import numpy as np
import torch

from hgnb.data.prepared import PreparedSplit
from hgnb.explain import components
from hgnb.explain.claims.claim import Record
from hgnb.explain.claims.components import NOISE_FROM
from hgnb.explain.claims.estimate import UNKNOWN, Estimate
from hgnb.explain.claims.study import Study, difference
from hgnb.explain.components import Components
from hgnb.explain.intervals import auc, halves, judged_auc
from hgnb.explain.posture import Postures
from hgnb.intervals import bootstrap

QUIET = (2, 3, 10, 30)  # C10


def latents(study: Study) -> dict[str, Record]:
    """C9 to C12."""
    train, at, parts = study.train, study.full.positions, study.parts
    images, states = train.image_ids[at], study.states.of(at)
    scores = parts.scores(max(QUIET))
    first = scores[:, :1].sum(1)
    lacking = f"{len(at)} such persons give {len(parts)} components" if len(parts) < max(QUIET) else ""
    traits = {} if lacking else _traits(scores, train.take(at), states, images)
    return {
        "C9": {"auc": Estimate.of(judged_auc(first, states.sitting, images, study.seed))},
        "C10": {"traits": traits, "lacking": lacking},
        "C11": _noise(study),
        "C12": {"share": two(study.plane, train.image_ids[study.sample])},
    }


def _traits(scores: np.ndarray, split: PreparedSplit, states: Postures, images: np.ndarray) -> dict[str, Estimate]:
    """How far each quiet component goes with each trait: AUC less 0.5 for classes, correlation for numbers."""
    numbers = {
        "hidden keypoints": (split.visibility == 1).sum(1).astype(float),
        "size": np.log(np.maximum(split.squares[:, 2], 1)),
        "sitting score": states.sitting_score,
        "motion score": states.motion_score,
    }
    found = {}
    for c in QUIET:
        for name, classes in (("sitting", states.sitting), ("moving", states.moving)):
            told = auc(scores[:, c - 1], classes, images)
            found[f"PC {c}, {name} (AUC less 0.5)"] = Estimate(told.value - 0.5, told.low - 0.5, told.high - 0.5)
        for name, values in numbers.items():
            found[f"PC {c}, {name} (correlation)"] = correlation(scores[:, c - 1], values, images)
    return found


def correlation(a: np.ndarray, b: np.ndarray, images: np.ndarray) -> Estimate:
    """Pearson's, photographs resampled; persons whose b is NaN left out; unknown where either doesn't vary."""
    there = np.isfinite(b)
    a, b, images = a[there], b[there], images[there]
    if len(a) < 3 or not np.ptp(a) or not np.ptp(b):
        return UNKNOWN
    a, b = a - a.mean(), b - b.mean()  # so that the sums lose no digits

    def pearson(n, x, y, xx, yy, xy):
        return (n * xy - x * y) / np.sqrt((n * xx - x**2) * (n * yy - y**2))

    return Estimate.of(bootstrap(np.column_stack([np.ones(len(a)), a, b, a**2, b**2, a * b]), images, pearson))


def _noise(study: Study) -> Record:
    """C11: what the components from the 50th on are worth, and whom the walk along the 50th meets."""
    parts, at = study.parts, study.full.positions
    if len(parts) < NOISE_FROM:
        return {"lacking": f"{len(at)} such persons give {len(parts)} components, fewer than {NOISE_FROM}"}
    split, kept = study.train.take(at), np.zeros((len(at), study.train.keypoints.shape[1]), bool)
    first = halves(split.image_ids, study.seed)
    latents, reader = study.skips.latents.of(at), study.reader("hourglass")
    for half in (first, ~first):  # components of the one half's photographs, judged on the other
        edit = keeping(components.principal(latents[half]), NOISE_FROM - 1)
        rows = np.flatnonzero(~half)
        made = reader.predict(split.take(rows), edit=edit)
        kept[rows] = made.hits(study.experiment.profile.pck).numpy()
    cost = difference(study.skips.on[at], kept, split.visibility > 0, split.image_ids)
    steps = np.array(study.analysis.steps)
    own, equal = (parts.axes[NOISE_FROM - 1] * np.sqrt(parts.variance[c - 1]) for c in (NOISE_FROM, 1))
    met = [len(set(parts.nearest(parts.mean + np.outer(steps, way)).tolist())) for way in (own, equal)]
    return {
        "cost": cost, "ratio": float(parts.ratio[NOISE_FROM - 1]), "own": met[0], "equal": met[1],
        "levels": study.levels,
    }  # fmt: skip


def keeping(parts: Components, count: int) -> Callable:
    """An edit of latents (B, C, s, s) that keeps their first components only."""
    mean, axes = (torch.from_numpy(x.astype(np.float32)) for x in (parts.mean, parts.axes[:count]))

    def edit(latents: torch.Tensor) -> torch.Tensor:
        flat = latents.flatten(1).float()
        centre, basis = mean.to(flat.device), axes.to(flat.device)
        return (centre + (flat - centre) @ basis.T @ basis).view_as(latents).to(latents.dtype)

    return edit


def two(parts: Components, images: np.ndarray) -> Estimate:
    """C12: share of the variance on two components, photographs resampled. The axes stay: where they are best their
    small turns change the share by less than its error."""
    if len(parts) < 2:
        return UNKNOWN
    squares = (parts.scores(2) ** 2).sum(1)
    columns = np.column_stack([squares, ((parts.latents - parts.mean) ** 2).sum(1)])
    return Estimate.of(bootstrap(columns, images, lambda some, all_: some / all_))
