"""Directions that were steered along, as columns of a record, and what they come to. Shown in 08_how_far."""

import numpy as np

from hgnb.analysis import steering
from hgnb.analysis.steering import BRANCHES, STEPS, Direction
from hgnb.claims.study import Study

Columns = dict[str, np.ndarray]
TRAITS = {
    "component": "sitting",
    "motion": "motion",
    "labels": "confident",
}  # by direction
PRICE = 0.05  # of the keypoints found: what a way may cost where ways are compared at equal loss


def columns(study: Study) -> Columns:
    """`steered/<direction>/<branches>/…` of one seed's hourglass, on its test persons.

    `scores` (W, T, n) float16 and `found` (W, T, n): the trait read off the heatmaps and the labelled keypoints found,
    for the direction and LOTS ways by lot, at every step; `signs` (W,). `steered/persons` (n,): positions in the test
    split.
    """
    p, schema, reader = study.experiment.profile, study.prepared.schema, study.reader("hourglass")
    at = steering.steerable(study.test, schema, study.analysis.steered, study.seed)
    persons = study.test.take(at)
    made: Columns = {"steered/persons": at.astype(np.int32)}
    if not len(at):
        return made
    # what is said of a trait is said of these persons: the posed for postures, the sample for labels
    posture = study.posed.keypoints
    known = {
        "sitting": (study.latents_posed, steering.sitting_score(posture, schema)),
        "motion": (study.latents_posed, steering.motion_score(posture, schema)),
        "confident": (study.latents, study.train.labelled[study.sample].astype(float)),
    }
    for direction in found_directions(study):
        latents, trait = known[direction.trait]
        ways = np.concatenate([direction.way[None], steering.by_lot(direction.way, study.latents, study.seed)])
        turned = steering.signs(ways, latents, trait)
        for branches in BRANCHES:
            scores, hits = steering.steer(reader, persons, schema, p.pck, direction.trait, ways, branches)
            place = f"steered/{direction.name}/{branches}"
            made |= {f"{place}/scores": scores.astype(np.float16), f"{place}/found": hits}
            made[f"{place}/signs"] = turned.astype(np.int8)
    return made


def found_directions(study: Study) -> list[Direction]:
    """The thesis's three directions in this seed's latents, those that there are."""
    full = study.sweep_posed.of(2) if 2 in study.sweep_posed.clusters else None
    sample = (study.latents, study.sweep.of(2)) if 2 in study.sweep.clusters else None
    component = study.parts_posed.axes[0] * np.sqrt(study.parts_posed.variance[0])
    return steering.directions(study.latents_posed, component, full, sample)


def slopes(scores: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """(W, n): change of the trait for one step in its way, by least squares over the steps of at most two.

    `scores` (W, T, n), `signs` (W,).
    """
    steps = np.array(STEPS)
    near = np.abs(steps) <= 2
    along = np.einsum("wtn,t->wn", scores[:, near].astype(float), steps[near]) / (steps[near] ** 2).sum()
    return signs[:, None] * along


def at_equal_loss(scores: np.ndarray, found: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """(W, n): half of the trait's change from a step back to a step forth, at steps so long that of all keypoints found
    a share of PRICE is lost.

    Each way's loss is taken as never falling with its length, loss and change as straight lines between the lengths
    that were tried; a way that never loses so much counts at its longest.
    """
    steps = np.array(STEPS)
    forth = steps > 0
    back = np.flatnonzero(steps < 0)[::-1]
    total = found.sum(-1).astype(float)  # (W, T)
    loss = 1 - (total[:, forth] + total[:, back]) / 2 / total[:, steps == 0]
    change = signs[:, None, None] * (scores[:, forth].astype(float) - scores[:, back]) / 2  # (W, t, n)
    loss, change = (np.concatenate([np.zeros_like(x[:, :1]), x], 1) for x in (np.maximum(loss, 0), change))
    lengths = np.array([0.0, *steps[forth]])
    reached = [np.interp(PRICE, np.maximum.accumulate(own), lengths) for own in loss]
    return np.stack([[np.interp(x, lengths, c) for c in way.T] for x, way in zip(reached, change, strict=True)])
