"""Evidence about components of the latents. Thesis 6.3, 6.4; claims C9 to C12."""

import numpy as np

from hgnb.explain.claims.claim import Record
from hgnb.explain.claims.components import NOISE_FROM
from hgnb.explain.claims.estimate import UNKNOWN, Estimate
from hgnb.explain.claims.study import Study, difference
from hgnb.explain.components import Components
from hgnb.explain.intervals import judged_auc
from hgnb.explain.interventions import Space, intervene
from hgnb.explain.traits import answers, questions
from hgnb.explain.truncation import crossed
from hgnb.intervals import bootstrap

QUIET = (2, 3, 10, 30)  # C10


def latents(study: Study) -> dict[str, Record]:
    """C9 to C12."""
    at, parts = study.full.positions, study.parts
    split = study.train.take(at)
    lacking = f"{len(at)} such persons give {len(parts)} components" if len(parts) < max(QUIET) else ""
    first, sitting = parts.scores(1)[:, :1].sum(1), study.states.of(at).sitting
    return {
        "C9": {"auc": Estimate.of(judged_auc(first, sitting, split.image_ids, study.seed))},
        "C10": {"traits": {} if lacking else told(parts, study), "lacking": lacking},
        "C11": _noise(study),
        "C12": {"share": two(study.plane, study.train.image_ids[study.sample])},
    }


def told(parts: Components, study: Study) -> dict[str, Estimate]:
    """How far each quiet component goes with each trait: AUC less 0.5 for a class, correlation for a number."""
    train, at = study.train, study.full.positions
    made = answers(parts, questions(train, study.prepared.schema, study.states, at), train.image_ids[at])
    found = {}
    for question, intervals in zip(made.questions, made.intervals(QUIET), strict=True):
        chance, words = (0.5, "AUC less 0.5") if question.is_class else (0.0, "correlation")
        for c, interval in zip(QUIET, intervals, strict=True):
            estimate = Estimate(interval.value - chance, interval.low - chance, interval.high - chance)
            found[f"PC {c}, {question.name} ({words})"] = estimate
    return found


def _noise(study: Study) -> Record:
    """C11: what the components from the 50th on are worth, and whom the walk along the 50th meets."""
    parts, split = study.parts, study.train.take(study.full.positions)
    folds = crossed(split, study.latents_full, study.seed)  # judged on photographs that didn't shape the components
    fewest = min([len(other) for _, other in folds], default=0)
    if fewest < NOISE_FROM:
        return {"lacking": f"half of {len(split)} such persons give {fewest} components, fewer than {NOISE_FROM}"}
    hits = np.zeros((2, *split.visibility.shape), bool)  # with all components, with the first 49
    reader = study.reader("hourglass")
    for rows, other in folds:
        edits = [None, Space.of(other, reader.device).keep(NOISE_FROM - 1)]
        hits[:, rows] = intervene(reader, split.take(rows), study.experiment.profile.pck, edits)
    whole, cut = hits
    cost = difference(whole, cut, split.visibility > 0, split.image_ids)
    steps = np.array(study.analysis.steps)
    own, equal = (parts.axes[NOISE_FROM - 1] * np.sqrt(parts.variance[c - 1]) for c in (NOISE_FROM, 1))
    met = [len(set(parts.nearest(parts.mean + np.outer(steps, way)).tolist())) for way in (own, equal)]
    return {
        "cost": cost, "ratio": float(parts.ratio[NOISE_FROM - 1]), "own": met[0], "equal": met[1],
        "levels": study.levels,
    }  # fmt: skip


def two(parts: Components, images: np.ndarray) -> Estimate:
    """C12: share of the variance on two components, photographs resampled. The axes stay: where they are best their
    small turns change the share by less than its error."""
    if len(parts) < 2:
        return UNKNOWN
    squares = (parts.scores(2) ** 2).sum(1)
    columns = np.column_stack([squares, ((parts.latents - parts.mean) ** 2).sum(1)])
    return Estimate.of(bootstrap(columns, images, lambda some, all_: some / all_))
