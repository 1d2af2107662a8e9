"""Directions that were steered along, as columns of a record, and what they come to. Shown in 08_how_far."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from hgnb.analysis import steering
from hgnb.analysis.steering import BRANCHES, STEPS, Direction
from hgnb.claims.claim import NEEDS, SEEDS, competent
from hgnb.claims.evidence import Lacking, Seeds
from hgnb.claims.study import Study
from hgnb.stats import Estimate, Test, above, crossed, dealt, every, verdicts
from hgnb.stats.decisions import ALPHA, UNDECIDED

Columns = dict[str, np.ndarray]
TRAITS = {"component": "sitting", "motion": "motion", "labels": "confident"}  # by direction
READINGS = tuple(product(BRANCHES, (False, True)))  # whose skips decode, and whether at equal loss
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


@dataclass(frozen=True)
class Moved:
    """How far a direction moves its trait, by one reading: estimates over seeds and photographs."""

    change: Estimate
    ordinary: Estimate  # less the mean of the ways by lot
    largest: Estimate  # less the largest of them, in each seed chosen on other photographs
    by_seed: np.ndarray  # (S, W) means over persons, the direction's first


@dataclass(frozen=True)
class Judged:
    """What became of one interpretation."""

    direction: str
    readings: dict[tuple[str, bool], Moved]  # by whose skips decode, and whether at equal loss; none where it lacks
    verdict: str
    reason: str  # why it isn't judged, or what would have been decided


def judged(seeds: Seeds) -> list[Judged]:
    """Holds: the direction raises its trait by more than the largest of the ways by lot does (in each seed the one that
    is largest on other photographs), with the person's own skips and with the mean's, for one step and at equal loss.
    Fails: by less in at least one of the four. The three interpretations are one family (Holm)."""
    seeds = seeds.with_("hourglass")
    shut = (f"{SEEDS} seeds, there are {seeds.count}: `make claims SEEDS={SEEDS}`" if seeds.count < SEEDS else "") or (
        competent(seeds)
    )
    found: dict[str, dict[tuple[str, bool], Moved]] = {}
    lacks: dict[str, str] = {}
    for name in TRAITS:
        try:
            found[name] = {(whose, equal): moved(seeds, name, whose, equal) for whose, equal in READINGS}
        except Lacking as lacking:
            found[name], lacks[name] = {}, str(lacking)
    asked = [name for name in TRAITS if not shut and name not in lacks]
    tests = {name: ruled(found[name]) for name in asked}
    decided = dict(zip(asked, verdicts(list(tests.values()), len(TRAITS)), strict=True))
    told = {
        name: f"{tests[name].decidable(ALPHA / len(TRAITS)):.2g} would have been decided with 80 % power"
        for name in asked
        if decided[name] == UNDECIDED
    }
    reasons = {name: lacks.get(name) or shut or told.get(name, "") for name in TRAITS}
    return [Judged(name, found[name], decided.get(name, NEEDS), reasons[name]) for name in TRAITS]


def ruled(readings: Mapping[tuple[str, bool], Moved]) -> Test:
    """That a direction moves its trait more than the largest of the ways by lot does, in every reading."""
    return every(*(above(one.largest) for one in readings.values()))


def moved(seeds: Seeds, direction: str, branches: str, equal: bool) -> Moved:
    """Of the columns `steered/<direction>/<branches>`: per step, or at equal loss."""
    return compared(changes(seeds, direction, branches, equal), seeds.images())


def compared(each: np.ndarray, images: np.ndarray) -> Moved:
    """A direction beside ways by lot: `each` (S, W, N) changes of the trait, the direction's first, NaN where there is
    none; `images` (N,)."""
    own, lots, one = each[:, 0], each[:, 1:], np.arange(len(each))

    def less_largest(fold: np.ndarray) -> np.ndarray:
        made = np.zeros((*own.shape, 2))
        for number in np.unique(fold):
            largest = np.nanmean(lots[:, :, fold != number], 2).argmax(1)
            made[:, fold == number] = _summed(own - lots[one, largest])[:, fold == number]
        return made

    return Moved(
        crossed(_summed(own), images, _mean),
        crossed(_summed(own - lots.mean(1)), images, _mean),
        dealt(less_largest, images, _mean),
        np.nanmean(each, 2),
    )


def changes(seeds: Seeds, direction: str, branches: str, equal: bool) -> np.ndarray:
    """(S, W, N) changes of the trait in the test persons, NaN in those who weren't steered or don't show it."""
    made = np.full((seeds.count, 1 + steering.LOTS, len(seeds.persons())), np.nan)
    for row, one in zip(made, seeds.all, strict=True):
        place = f"steered/{direction}/{branches}"
        scores, found, signs = (one.column("hourglass", f"{place}/{name}") for name in ("scores", "found", "signs"))
        own = at_equal_loss(scores, found, signs) if equal else slopes(scores, signs)
        row[:, one.column("hourglass", "steered/persons")] = own
    return made


def _summed(values: np.ndarray) -> np.ndarray:
    """(S, N, 2): each person's value, 0 where there is none, and whether there is one."""
    return np.stack([np.nan_to_num(values), np.isfinite(values)], -1)


def _mean(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return total / count
