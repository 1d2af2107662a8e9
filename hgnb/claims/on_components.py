"""Claims about principal components of the latents: C9 to C12 and C25. Thesis 6.3 and 8.3.2; shown in 03 and 05."""

import numpy as np

from hgnb import stats
from hgnb.analysis.components import needed
from hgnb.analysis.posture import POSED, questions
from hgnb.analysis.truncation import NOISE_FROM
from hgnb.claims.claim import (
    BOTH,
    RELATIVE_WIDENING,
    Finding,
    Numbers,
    Subject,
    always,
    competent,
    known,
    level,
    named_postures,
    well_labelled,
)
from hgnb.claims.evidence import WATCHED, Lacking, Seeds
from hgnb.stats import Estimate, above, below, every, near

# C9: of two people, one of either posture, the component tells which is which in four pairs of five; 'very clear'
# in the thesis's words, and far from the 0.5 of chance.
CLEAR = 0.8
# C10: correlations and distances of AUC from 0.5 under 0.2 (4 % of variance in common) are no pattern that a row of
# five pictures could show.
QUIET, ABSENT = (2, 3, 10, 30), 0.2
COST = 0.01  # C11: PCK that the later components may be worth and still be called noise
RATIO_50, SHARE_OF_TWO = 0.00165, 0.37  # C11, C12
COMPONENTS, SHARE = {"latents": 541, "codes": 16}, 0.95  # C25
FIGURES = ("fig-pc-walks", "tbl-components")
POSTURES = (competent, well_labelled, named_postures)
CLAIMS = Subject("components")


def _scores(seeds: Seeds) -> np.ndarray:
    """(S, n, c) of the posed persons along WATCHED."""
    return seeds.column("hourglass", "components/posed/scores").astype(float)


def postures(seeds: Seeds) -> Numbers:
    """C9: the first component of every seed against the posture of the posed."""
    first = _scores(seeds)[:, :, 0]
    return {"auc": stats.cross_fitted_auc(first, seeds.people.posed.sitting, seeds.images(POSED))}


@CLAIMS.claim(
    "C9", "The first component tells sitting from standing.", "6.3, figure 15", "figure", FIGURES, postures,
    gates=POSTURES,
)  # fmt: skip
def sitting(found: Numbers) -> Finding:
    """AUC of the first component's scores between seated persons and persons on their feet: lower limit above 0.8.
    The component's sign is arbitrary, so in every seed and fold it is chosen on the other folds' photographs."""
    auc = known(found, "auc", "other data: too few sitting or upright persons among the well labelled")
    return Finding(auc, f"AUC {auc.text(2)}", above(auc, CLEAR))


def patterns(seeds: Seeds) -> Numbers:
    """C10: how far each quiet component goes with each trait, signs chosen on other photographs."""
    who, scores = seeds.persons(POSED), _scores(seeds)
    if scores.shape[2] <= WATCHED.index(max(QUIET)):
        raise Lacking(f"other data: {len(who)} well labelled persons give fewer than {max(QUIET)} components")
    asked = questions(who, seeds.people.schema, seeds.people.posed)
    images, told = who.image_ids, {}
    for question in asked:
        for c in QUIET:
            one = scores[:, :, WATCHED.index(c)]
            if question.is_class:
                estimate, words = stats.cross_fitted_auc(one, question.values, images).less(0.5), "AUC less 0.5"
            else:
                estimate, words = stats.cross_fitted_correlation(one, question.values, images), "correlation"
            told[f"PC {c}, {question.name} ({words})"] = estimate
    return {"traits": {name: estimate for name, estimate in told.items() if estimate.known}}


@CLAIMS.claim(
    "C10", "Components 2, 3, 10 and 30 show no clear pattern.", "6.3, figure 15", "figure", FIGURES, patterns,
    gates=POSTURES,
)  # fmt: skip
def no_pattern(found: Numbers) -> Finding:
    """A test of absence: for each of PCs 2, 3, 10 and 30 and every trait that is measured, the correlation, or the
    AUC's distance from 0.5, is below 0.2, the upper limit of its interval. Which direction counts as positive is
    chosen on other photographs, so that chance alone gives zero. One clear pattern makes the claim fail."""
    traits = found["traits"]
    if not traits:
        raise Lacking("other data: no trait varies among the well labelled persons")
    strongest, estimate = max(traits.items(), key=lambda pair: pair[1].value)
    told = f"strongest of {len(traits)}: {strongest}, {estimate.text(2)}"
    return Finding(estimate, told, every(*(below(e, ABSENT) for e in traits.values())))


def later(seeds: Seeds) -> Numbers:
    """C11: what the components from the 50th on are worth, and whom walks along the 50th and by lot meet."""
    whole, kept = (seeds.column("hourglass", f"components/posed/{name}_hits") for name in ("whole", "kept"))
    own, _, *by_lot = seeds.column("hourglass", "components/posed/met").T
    variance = seeds.column("hourglass", "components/posed/variance").astype(float)
    return {
        "cost": stats.pck_difference(whole, kept, seeds.labelled(POSED), seeds.images(POSED)),
        "ratio": stats.student(variance[:, NOISE_FROM - 1] / variance.sum(1)),
        "own": own.tolist(),
        "by lot": np.max(by_lot, axis=0).tolist(),
    }


@CLAIMS.claim(
    "C11", "From component 50 on the components are noise.",
    "6.3, figure 15", "0.165 %, 7,017 persons", ("fig-pc-walks", "fig-pck-components"), later,
    gates=(competent, well_labelled),
)  # fmt: skip
def noise(found: Numbers) -> Finding:
    """Two parts. With the first 49 components kept the network's PCK is less than 0.01 below that with all; the
    components are those of other photographs' persons. And in every seed the walk along the 50th meets no more
    different persons than the one that meets most of 20 walks along directions drawn by lot, at steps of equal
    variance: that pictures stay the same may only say that the step was short. Its share of the variance stands
    beside."""
    cost, ratio = known(found, "cost"), found["ratio"]
    told = (
        f"dropping component {NOISE_FROM} and all later ones costs {cost.text()} PCK; it holds "
        f"{ratio.text(3, 100)} % of the variance (source: {100 * RATIO_50:.3f} %); persons met along it: "
        f"{_listed(found['own'])}, at most {_listed(found['by lot'])} by lot"
    )
    alike = [own <= lot for own, lot in zip(found["own"], found["by lot"], strict=True)]
    return Finding(cost, told, every(below(cost, COST), always(alike)))


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def plane(seeds: Seeds) -> Numbers:
    """C12: share of the sample's variance on two components. The axes stay: where they are best their small turns
    change the share by less than its error."""
    scores = [one.column("hourglass", "components/sample/scores").astype(float) for one in seeds.all]
    if any(one.shape[1] < 2 for one in scores):
        raise Lacking("other data: too few persons for two components")
    squares = [one.column("hourglass", "components/sample/squares").astype(float) for one in seeds.all]
    columns = [seeds.of_sample(v) for v in ([(one**2).sum(1) for one in scores], squares)]
    share = stats.crossed(np.nan_to_num(np.stack(columns, -1)), seeds.images("train"), lambda a, b: a / b)
    return {"share": share}


@CLAIMS.claim(
    "C12", "Two components hold about 37 % of the variance.", "6.4, figure 16", "37 %, 10,000 random persons",
    ("fig-latent-map",), plane, number=True,
)  # fmt: skip
def two_components(found: Numbers) -> Finding:
    """The source's share within our interval widened by 10 % of it."""
    ratio = known(found, "share")
    return level(ratio, f"{ratio.text(1, 100)} %", near(SHARE_OF_TWO, ratio, RELATIVE_WIDENING * SHARE_OF_TWO))


def dimensions(seeds: Seeds) -> Numbers:
    """C25: components for 95 % of the variance, seed by seed."""
    held: dict[str, list[int]] = {name: [] for name in (*COMPONENTS, "random", "projection")}
    for one in seeds.all:
        latents, codes = one.column("hourglass", "components/sample/variance"), one.column("modified", "codes/variance")
        random, width = (one.column("modified", f"codes/{name}") for name in ("random_variance", "dimensions"))
        for name, variance in zip(held, (latents, codes, random, latents[: int(width)]), strict=True):
            held[name].append(needed(variance, SHARE))
    return {name: _counted([count or np.nan for count in counts]) for name, counts in held.items()}


def _counted(counts: list[float]) -> Estimate:
    """The mean of a count over seeds; certain where all agree."""
    return Estimate.exact(counts[0]) if len(set(counts)) == 1 else stats.student(np.array(counts))


@CLAIMS.claim(
    "C25", "For 95 % of the variance the latents need many components, the codes few.", "8.3.2, figure 27",
    "541 (hourglass), 16 (autoencoder)", ("fig-explained-variance",), dimensions, trainings=BOTH, number=True,
)  # fmt: skip
def few_needed(found: Numbers) -> Finding:
    """Both counts within our interval over seeds, widened by 10 %. Beside them what an autoencoder with random
    weights and a projection to as many dimensions need: a code of 50 makes a small number near certain."""
    counts = {name: known(found, name) for name in COMPONENTS}
    agrees = all(near(n, counts[name], RELATIVE_WIDENING * n) for name, n in COMPONENTS.items())
    told = (
        f"latents {counts['latents'].text(0)}, codes {counts['codes'].text(0)} "
        f"(random weights {found['random'].text(0)}, projection {found['projection'].text(0)})"
    )
    return level(counts["codes"], told, agrees)
