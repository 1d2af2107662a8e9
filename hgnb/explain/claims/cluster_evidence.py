"""Evidence about clusters of the latents and the codes. Thesis 6.4, 8.3; claims C13 to C17, C24, C25, C29, C30, C33."""

import numpy as np

from hgnb.explain import clusters, components, stability
from hgnb.explain.claims.claim import Record
from hgnb.explain.claims.estimate import UNKNOWN, Estimate, combined, spread
from hgnb.explain.claims.study import Study
from hgnb.explain.distances import silhouettes
from hgnb.explain.intervals import judged_auc
from hgnb.explain.misplacement import compared, rates_apart
from hgnb.intervals import bootstrap, resamples

CLOUDS = 10  # C13, C14: Gaussian ones; more than chapter 03 draws, so that their spread is known better
NEAREST = 25  # C17: persons around a centroid
SHARE = 0.95  # C25: of the variance


def latents(study: Study) -> dict[str, Record]:
    """C13 to C17, C29, C30, C33."""
    train, at = study.train, study.full.positions
    images, images_full = train.image_ids[study.sample], train.image_ids[at]
    labels, motion = study.by_labels, study.by_motion
    return {
        "C13": best_k(study.latents, study.apart, study.sweep, images, study),
        "C14": best_k(study.latents_full, study.apart_full, study.sweep_full, images_full, study),
        "C15": parted(labels, study.seed),
        "C16": parted(motion, study.seed),
        "C17": _centroids(study),
        "C29": {"gap": equal_labels_gap(study)},
        "C30": {"fewer": Estimate.of(rates_apart(labels.misplaced, motion.misplaced))},
        "C33": third(study),
    }


def best_k(points: np.ndarray, apart: np.ndarray, found: clusters.Sweep, images: np.ndarray, study: Study) -> Record:
    """How often K = 2 wins in resampled photographs, and how far its silhouette exceeds a Gaussian cloud's."""
    if 2 not in found.clusters:
        return {"lacking": f"{found.persons} persons are too few for K-means"}
    draws, row = study.analysis.resamples, found.clusters.index(2)
    won = float(stability.wins(points, apart, found, images, draws, study.seed)[row])
    excess = over_clouds(points, apart, found, images, study)
    return {"best": found.winner, "won": won, "resamples": draws, "excess": excess}


def over_clouds(
    points: np.ndarray, apart: np.ndarray, found: clusters.Sweep, images: np.ndarray, study: Study
) -> Estimate:
    """Silhouette at K = 2 less that of Gaussian clouds of equal covariance and size, from as many restarts.

    Its error: clouds differ among each other, as one more would, and so do photographs.
    """
    variance, rng = components.principal(points).variance, np.random.default_rng(study.seed)
    clouds = (stability.normal(variance, len(points), rng) for _ in range(CLOUDS))
    drawn = [clusters.sweep(cloud, (2,), study.analysis.restarts, n).best[0] for n, cloud in enumerate(clouds)]
    each = silhouettes(apart, found.of(2))
    own = bootstrap(np.column_stack([each, np.ones(len(each))]), images, lambda total, n: total / n)
    value = float(found.best[found.clusters.index(2)] - np.mean(drawn))
    return combined(value, np.var(drawn, ddof=1) * (1 + 1 / CLOUDS), CLOUDS - 1, spread(own.low, own.high))


def parted(group: clusters.Clustering, seed: int) -> Record:
    """AUC of the key between the clusters, and who is misplaced; the sign is chosen on the other half."""
    told = judged_auc(group.key, (group.labels == 0).astype(float), group.images, seed)
    return {"auc": Estimate.of(told), "misplaced": Estimate.of(group.misplaced.rate)}


def _centroids(study: Study) -> Record:
    group, labelled = study.by_labels, study.train.labelled[study.sample]
    if group.count < 2:
        return {"full": UNKNOWN, "sparse": UNKNOWN, "keypoints": study.train.keypoints.shape[1]}
    medians = [median(labelled[rows], group.images[rows], study.seed) for rows in group.nearest(NEAREST)]
    return {"full": medians[0], "sparse": medians[1], "keypoints": study.train.keypoints.shape[1]}


def median(values: np.ndarray, images: np.ndarray, seed: int, draws: int = 1000) -> Estimate:
    """The median with an interval over resampled photographs."""
    names, image = np.unique(images, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = [np.median(np.repeat(values, c[image])) for block in resamples(rng, len(names), draws) for c in block]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(float(np.median(values)), float(low), float(high))


def equal_labels_gap(study: Study) -> Estimate:
    """C29: PCK of the well-placed less that of the misplaced, at equal numbers of labelled keypoints."""
    seen = study.train.visibility[study.sample] > 0
    found = (study.skips.on[study.sample] & seen).sum(1)
    gap = compared(study.by_labels.misplaced, found, seen.sum(1)).difference
    return Estimate(-gap.value, -gap.high, -gap.low)


def third(study: Study) -> Record:
    """C33: the division that K = 3 makes within one of the two clusters, against moving and stationary."""
    moving = study.states.moving[study.sample]
    return divided(study.sweep.of(2), study.sweep.of(3), moving, study.train.image_ids[study.sample], study.seed)


def divided(pair: np.ndarray, triple: np.ndarray, moving: np.ndarray, images: np.ndarray, seed: int) -> Record:
    """Adjusted Rand index and AUC less 0.5 between moving and the division of the pair's cluster that K = 3 divides:
    the one whose persons are spread most evenly over two of the three."""
    shares = [np.sort(np.bincount(triple[pair == c], minlength=3) / (pair == c).sum())[::-1] for c in np.unique(pair)]
    parent = int(np.argmax([s[1] for s in shares]))
    inside = (pair == parent) & np.isfinite(moving)
    largest = np.argsort(-np.bincount(triple[pair == parent], minlength=3), kind="stable")[:2]
    inside &= np.isin(triple, largest)
    side, class_ = triple[inside] == largest[0], moving[inside] > 0
    if len(np.unique(side)) < 2 or len(np.unique(class_)) < 2:
        return {"rand": UNKNOWN, "auc": UNKNOWN}
    table = np.column_stack([side & class_, side & ~class_, ~side & class_, ~side & ~class_]).astype(float)
    told = judged_auc(side.astype(float), class_.astype(float), images[inside], seed)
    rand = Estimate.of(bootstrap(table, images[inside], adjusted_rand))
    return {"rand": rand, "auc": Estimate(told.value - 0.5, told.low - 0.5, told.high - 0.5)}


def adjusted_rand(a, b, c, d):
    """Adjusted Rand index (Hubert & Arabie, 1985) of a 2 x 2 table of counts, its rows (a, b) and (c, d)."""

    def pairs(n):
        return n * (n - 1) / 2

    together = pairs(a) + pairs(b) + pairs(c) + pairs(d)
    rows, columns = pairs(a + b) + pairs(c + d), pairs(a + c) + pairs(b + d)
    chance = rows * columns / pairs(a + b + c + d)
    return (together - chance) / ((rows + columns) / 2 - chance)


def codes(study: Study) -> dict[str, Record]:
    """C24, C25."""
    fewer = clusters.rate_difference(study.by_labels.misplaced, study.by_codes.misplaced)
    space, projected = study.plane, study.plane.variance[: study.codes.shape[1]]
    total = np.cumsum(projected) / projected.sum() if len(projected) else np.zeros(0)
    needed = {
        "latents": space.needed(SHARE),
        "codes": study.code_plane.needed(SHARE),
        "random": components.principal(study.random_codes).needed(SHARE),
        "projection": int(np.searchsorted(total, SHARE - 1e-9) + 1) if len(total) else 0,
    }
    return {
        "C24": {"fewer": Estimate.of(fewer)},
        "C25": {name: Estimate.exact(count) if count else UNKNOWN for name, count in needed.items()},
    }
