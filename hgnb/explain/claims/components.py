"""Claims about principal components of the latents: C9 to C12 and C25. Thesis 6.3 and 8.3.2; shown in 03 and 05."""

from collections.abc import Sequence

from hgnb.explain.claims.claim import Claim, Finding, Lacking, Record, first, level, mean
from hgnb.explain.claims.estimate import Estimate
from hgnb.explain.claims.rules import RELATIVE_WIDENING, above, below, every, fact, near, within

# C9: of two people, one of either posture, the component tells which is which in four pairs of five; 'very clear'
# in the thesis's words, and far from the 0.5 of chance.
CLEAR = 0.8
# C10: correlations and distances of AUC from 0.5 under 0.2 (4 % of variance in common) are no pattern that a row of
# five pictures could show.
ABSENT = 0.2
COST = 0.01  # C11: PCK that the later components may be worth and still be called noise
NOISE_FROM = 50  # C11: the component from which on the thesis sees none of its walks change anything
RATIO_50, SHARE_OF_TWO = 0.00165, 0.37  # C11, C12
COMPONENTS = {"latents": 541, "codes": 16}  # C25


def sitting(records: Sequence[Record]) -> Finding:
    """AUC of the first component's scores between seated persons and persons on their feet: lower limit above 0.8.
    The component's sign is arbitrary, so it is chosen on one half of the photographs and judged on the other."""
    auc = first(records, "auc", "too few sitting or upright persons among the fully labelled")
    return Finding(auc, f"AUC {auc.text(2)}", above(auc, CLEAR))


def no_pattern(records: Sequence[Record]) -> Finding:
    """A test of absence: for each of PCs 2, 3, 10 and 30 and every trait that is measured, the correlation, or the
    AUC's distance from 0.5, lies within ±0.2, both limits of its interval. One clear pattern makes the claim fail."""
    traits = [(trait, e) for trait, e in records[0]["traits"].items() if e.known]
    if records[0]["lacking"] or not traits:
        raise Lacking(records[0]["lacking"] or "no trait varies among the fully labelled persons")
    strongest, estimate = max(traits, key=lambda pair: abs(pair[1].value))
    told = f"strongest of {len(traits)}: {strongest}, {estimate.text(2)}"
    return Finding(estimate, told, every(*(within(e, ABSENT) for _, e in traits)))


def noise(records: Sequence[Record]) -> Finding:
    """Two parts. With the first 49 components kept the network's training PCK is less than 0.01 below that with all,
    paired by image. And the walk shows nothing at an equal step: taken as far as along the first component, the walk
    along the 50th still meets one person only. The thesis's own steps shrink with the component, so pictures that
    stay the same may only say that the step was short. Where levels are judged, the component's share of the variance
    is a third part: within 10 % of the source's."""
    record = records[0]
    cost = first(records, "cost", f"fewer than {NOISE_FROM} components can vary")
    told = (
        f"PC {NOISE_FROM} holds {100 * record['ratio']:.3f} % of the variance; dropping it and all later ones costs "
        f"{cost.text()} PCK; persons met along it: {record['own']} at its own step, {record['equal']} at PC 1's"
    )
    parts = [below(cost, COST), fact(record["equal"] == 1)]
    if record["levels"]:
        parts.append(fact(near(RATIO_50, Estimate.exact(record["ratio"]), RELATIVE_WIDENING * RATIO_50)))
    return Finding(cost, told, every(*parts))


def two_components(records: Sequence[Record]) -> Finding:
    """The source's share within our interval widened by 10 % of it."""
    ratio = first(records, "share", "too few persons for two components")
    return level(ratio, f"{ratio.text(1, 100)} %", near(SHARE_OF_TWO, ratio, RELATIVE_WIDENING * SHARE_OF_TWO))


def needed(records: Sequence[Record]) -> Finding:
    """Both counts within our interval over seeds, widened by 10 %. Beside them what an autoencoder with random
    weights and a projection to as many dimensions need: a code of 50 makes a small number near certain."""
    counts = {name: mean(records, name) for name in COMPONENTS}
    agrees = all(near(n, counts[name], RELATIVE_WIDENING * n) for name, n in COMPONENTS.items())
    untrained, projected = mean(records, "random"), mean(records, "projection")
    told = (
        f"latents {counts['latents'].text(0)}, codes {counts['codes'].text(0)} "
        f"(random weights {untrained.text(0)}, projection {projected.text(0)})"
    )
    return level(counts["codes"], told, agrees)


CLAIMS = (
    Claim(
        "C9", "The first component tells sitting from standing.", "6.3, figure 15", "figure",
        ("fig-pc-walks", "tbl-components"), sitting,
    ),
    Claim(
        "C10", "Components 2, 3, 10 and 30 show no clear pattern.", "6.3, figure 15", "figure",
        ("fig-pc-walks", "tbl-components"), no_pattern,
    ),
    Claim(
        "C11", "Component 50 explains 0.165 % of the variance, and from it on components are noise.",
        "6.3, figure 15", "0.165 %, 7,017 persons", ("fig-pc-walks", "fig-pck-components"), noise,
    ),
    Claim(
        "C12", "Two components hold about 37 % of the variance.", "6.4, figure 16", "37 %, 10,000 random persons",
        ("fig-latent-map",), two_components, number=True,
    ),
)  # fmt: skip
NEEDED = Claim(
    "C25", "For 95 % of the variance the latents need many components, the codes few.", "8.3.2, figure 27",
    "541 (hourglass), 16 (autoencoder)", ("fig-explained-variance",), needed, number=True, method=True,
)  # fmt: skip
