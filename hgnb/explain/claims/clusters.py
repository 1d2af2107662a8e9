"""Claims about clusters of the latents: C13 to C17, C24, C29, C30, C33. Thesis 6.4, 7.1, 8.3.1; shown in 03 and 05."""

from collections.abc import Sequence

from hgnb.explain.claims.claim import Claim, Finding, Record, first, mean
from hgnb.explain.claims.rules import above, below, every, share, within

BEST_IN = 0.95  # C13, C14: of the resamples
PARTED = 0.7  # C15, C16: an AUC under which one could hardly name clusters after what parts them
# C17: 'almost all' and 'almost no' joints, read as the upper and the lower quarter of a skeleton; the thesis shows
# 2 of 17 on the lower side.
ALMOST_ALL, ALMOST_NONE = 0.75, 0.25
ABSENT = 0.2  # C33: as C10's
NO_CLUSTERS = "these persons don't make two clusters with different labels"


def best_k(records: Sequence[Record]) -> Finding:
    """K = 2 has the best silhouette in at least 95 % of resamples of the photographs; and its silhouette is above
    that of Gaussian clouds of equal covariance, for a silhouette can't reject K = 1: an even cloud cut in two
    scores best at K = 2 as well. Of the restarts the best silhouette counts, as in the thesis."""
    record, excess = records[0], first(records, "excess", "too few different persons for K-means")
    won = f"K = 2 in {100 * record['won']:.0f} % of {record['resamples']} resamples"
    told = f"best K = {record['best']}; {won}; silhouette less a Gaussian cloud's: {excess.text()}"
    return Finding(excess, told, every(share(record["won"], BEST_IN), above(excess)))


def _parted(records: Sequence[Record], by: str) -> Finding:
    auc = first(records, "auc", NO_CLUSTERS)
    told = f"AUC of {by} {auc.text(2)}; {records[0]['misplaced'].text(1, 100)} % misplaced"
    return Finding(auc, told, above(auc, PARTED))


def parted_by_labels(records: Sequence[Record]) -> Finding:
    """AUC of the number of labelled keypoints between the two clusters: lower limit above 0.7. Which cluster is the
    fuller one is chosen on one half of the photographs and judged on the other. Misplaced is who lies on the wrong
    side of the cut that the other half chose."""
    return _parted(records, "labelled keypoints")


def parted_by_motion(records: Sequence[Record]) -> Finding:
    """As C15, with the motion score of fully labelled persons in place of the number of keypoints."""
    return _parted(records, "the motion score")


def centroids(records: Sequence[Record]) -> Finding:
    """Median labelled keypoints of the 25 persons nearest each centroid: one cluster's above three quarters of the
    skeleton, the other's below one quarter, both limits of an interval over photographs. The thesis looked at one
    person each; of 25 the median isn't moved by an odd one."""
    full, sparse = first(records, "full", NO_CLUSTERS), first(records, "sparse", NO_CLUSTERS)
    joints = records[0]["keypoints"]
    told = f"medians {full.text(0)} and {sparse.text(0)} of {joints}"
    decision = every(above(full, ALMOST_ALL * joints), below(sparse, ALMOST_NONE * joints))
    return Finding(sparse, told, decision)


def fewer_misplaced(records: Sequence[Record]) -> Finding:
    """Misplaced rate of the latents less that of the codes, the same persons in both, each judged as in C15; over
    seeds, above zero."""
    fewer = mean(records, "fewer", NO_CLUSTERS)
    return Finding(fewer, f"latents less codes: {fewer.text(1, 100)} points misplaced", above(fewer))


def misplaced_are_worse(records: Sequence[Record]) -> Finding:
    """Training PCK of the others less that of the misplaced, within each number of labelled keypoints and averaged
    as the misplaced are spread over those numbers: above zero. Without that, a sparsely labelled person would count
    as badly predicted for being sparse."""
    gap = first(records, "gap", "no misplaced person has a well-placed one of equal labels beside them")
    return Finding(gap, f"others less misplaced, at equal labels: {gap.text()} PCK", above(gap))


def fewer_among_full(records: Sequence[Record]) -> Finding:
    """Misplaced rate of the random sample, by labelled keypoints, less that of the fully labelled, by motion: above
    zero. Photographs are resampled for both at once, since the two sets share some."""
    fewer = first(records, "fewer", NO_CLUSTERS)
    return Finding(fewer, f"sample less fully labelled: {fewer.text(1, 100)} points misplaced", above(fewer))


def third_is_not_motion(records: Sequence[Record]) -> Finding:
    """K = 3 divides one of the two clusters in two. That this division isn't the one between moving and stationary
    persons is a test of absence, over seeds: the adjusted Rand index between them and the AUC's distance from 0.5
    both within ±0.2, the limit of C10."""
    lacking = "too few persons of either motion in the divided cluster"
    rand, auc = mean(records, "rand", lacking), mean(records, "auc", lacking)
    told = f"adjusted Rand index {rand.text(2)}; AUC's distance from 0.5: {auc.text(2)}"
    return Finding(rand, told, every(within(rand, ABSENT), within(auc, ABSENT)))


CLAIMS = (
    Claim(
        "C13", "The best number of clusters is 2 on a random sample.", "6.4, figure 17a", "2 of 2 to 10",
        ("fig-silhouette-all",), best_k,
    ),
    Claim(
        "C14", "The best number of clusters is 2 on fully labelled persons, too.", "6.4, figure 17b", "2 of 2 to 10",
        ("fig-silhouette-full",), best_k,
    ),
    Claim(
        "C15", "The two clusters part almost fully labelled persons from sparsely labelled ones.",
        "6.4, figures 18 and 19", "figures", ("fig-clusters-all",), parted_by_labels,
    ),
    Claim(
        "C16", "On fully labelled persons they part stationary from moving ones.", "6.4, figures 20 and 21",
        "figures", ("fig-clusters-full", "fig-centroids-full"), parted_by_motion,
    ),
    Claim(
        "C17", "Persons nearest one centroid have almost all joints labelled, nearest the other almost none.",
        "6.4, figure 19", "2 joints in one", ("fig-centroids-all",), centroids,
    ),
)  # fmt: skip
FEWER = Claim(
    "C24", "The autoencoder's clusters have fewer misplaced persons.", "8.3.1, figure 26", "figure",
    ("fig-clusters-ae",), fewer_misplaced, method=True,
)  # fmt: skip
LATER = (
    Claim(
        "C29", "Misplaced persons explain poor accuracy.", "6.4, 7.1", "argued",
        ("fig-clusters-all", "tbl-both-networks"), misplaced_are_worse,
    ),
    Claim(
        "C30", "Fewer are misplaced among the fully labelled than in the sample.", "6.4, figures 18 and 20",
        "figures", ("fig-clusters-all", "fig-clusters-full"), fewer_among_full,
    ),
)  # fmt: skip
THIRD = Claim(
    "C33", "A third cluster is not the division between moving and stationary persons.", "examiner's questions, 7",
    "doubted", ("fig-clusters-k3", "tbl-clusters-k3"), third_is_not_motion, method=True,
)  # fmt: skip
