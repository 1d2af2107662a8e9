"""Evidence about clusters of the latents and the codes. Thesis 6.4, 8.3; claims C13 to C17, C24, C25, C29, C30, C33."""

import numpy as np
from sklearn.metrics import silhouette_samples

from hgnb.explain import clusters, components
from hgnb.explain.claims.claim import Record
from hgnb.explain.claims.estimate import UNKNOWN, Estimate, combined, spread
from hgnb.explain.claims.study import Study
from hgnb.explain.intervals import judged_auc
from hgnb.intervals import bootstrap, resamples

RESAMPLES, RESTARTS = 20, 2  # C13, C14: of the photographs, and K-means starts in each
CLOUDS = 10  # C13, C14: Gaussian ones
NEAREST = 25  # C17: persons around a centroid
SHARE = 0.95  # C25: of the variance


def latents(study: Study) -> dict[str, Record]:
    """C13 to C17, C29, C30, C33."""
    train, at = study.train, study.full.positions
    images, images_full = train.image_ids[study.sample], train.image_ids[at]
    labels, motion = study.by_labels, study.by_motion
    return {
        "C13": best_k(study.latents, study.sweep, images, study),
        "C14": best_k(study.skips.latents.of(at), study.sweep_full, images_full, study),
        "C15": parted(labels, study.seed),
        "C16": parted(motion, study.seed),
        "C17": _centroids(study),
        "C29": {"gap": equal_labels_gap(study)},
        "C30": {"fewer": _rates(labels.misplaced, motion.misplaced)},
        "C33": third(study),
    }


def best_k(points: np.ndarray, sweep: clusters.Sweep, images: np.ndarray, study: Study) -> Record:
    """How often K = 2 wins in resampled photographs, and how far its silhouette exceeds a Gaussian cloud's."""
    if 2 not in sweep.clusters:
        return {"lacking": f"{sweep.persons} persons are too few for K-means"}
    names, image = np.unique(images, return_inverse=True)
    rng, winners = np.random.default_rng(study.seed), []
    for counts in resamples(rng, len(names), RESAMPLES, 1):
        rows = np.repeat(np.arange(len(points)), counts[0][image])
        winners.append(clusters.sweep(points[rows], study.analysis.clusters, RESTARTS, study.seed).winner)
    won = float(np.mean([w == 2 for w in winners]))
    excess = over_clouds(points, sweep, images, study.analysis.restarts, study.seed)
    return {"best": sweep.winner, "won": won, "resamples": len(winners), "excess": excess}


def over_clouds(points: np.ndarray, sweep: clusters.Sweep, images: np.ndarray, restarts: int, seed: int) -> Estimate:
    """Silhouette at K = 2 less that of Gaussian clouds of equal covariance and size.

    Its error: clouds differ among each other, as one more would, and so do photographs.
    """
    parts, rng = components.principal(points), np.random.default_rng(seed)
    drawn = []
    for number in range(CLOUDS):
        cloud = rng.standard_normal((len(points), len(parts))) * np.sqrt(parts.variance)
        drawn.append(clusters.sweep(cloud, (2,), restarts, number).best[0])
    each = silhouette_samples(points, sweep.of(2))
    own = bootstrap(np.column_stack([each, np.ones(len(each))]), images, lambda total, n: total / n)
    value = float(sweep.best[sweep.clusters.index(2)] - np.mean(drawn))
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
    return Estimate(float(np.median(values)), *map(float, np.percentile(drawn, (2.5, 97.5))))


def equal_labels_gap(study: Study) -> Estimate:
    """C29: PCK of the well-placed less that of the misplaced, at equal numbers of labelled keypoints."""
    wrong, labelled = study.by_labels.misplaced, study.train.labelled[study.sample]
    hits = study.skips.on[study.sample] & (study.train.visibility[study.sample] > 0)
    there = wrong.judged
    return stratified(
        hits.sum(1)[there], labelled[there], wrong.flags[there], study.train.image_ids[study.sample][there]
    )


def stratified(found: np.ndarray, labelled: np.ndarray, flags: np.ndarray, images: np.ndarray) -> Estimate:
    """Share found by the others less that by the flagged (N,), within each number of labelled keypoints, averaged as
    the flagged's keypoints are spread over those numbers. Unknown if no number has both kinds."""
    strata = [n for n in np.unique(labelled) if flags[labelled == n].any() and not flags[labelled == n].all()]
    if not strata:
        return UNKNOWN
    masks = [(labelled == n) & kind for n in strata for kind in (flags, ~flags)]
    columns = np.column_stack([part * m for m in masks for part in (found, labelled)])

    def gap(*sums):
        total = np.reshape(np.stack(sums), (len(strata), 2, 2, -1))  # strata, flagged or not, found or labelled
        rates = total[:, :, 0] / total[:, :, 1]
        both = np.isfinite(rates).all(1)
        weight = np.where(both, total[:, 0, 1], 0)
        apart = (np.where(both, rates[:, 1] - rates[:, 0], 0) * weight).sum(0) / weight.sum(0)
        return apart if apart.size > 1 else apart[0]

    return Estimate.of(bootstrap(columns.astype(float), images, gap))


def _rates(first: clusters.Misplaced, second: clusters.Misplaced) -> Estimate:
    """Misplaced rate of one group of persons less that of another that may share photographs with it."""
    if not (first.judged.any() and second.judged.any()):
        return UNKNOWN
    columns = np.zeros((len(first.flags) + len(second.flags), 4))
    columns[: len(first.flags), :2] = np.column_stack([first.flags, first.judged])
    columns[len(first.flags) :, 2:] = np.column_stack([second.flags, second.judged])
    images = np.concatenate([first.images, second.images])
    return Estimate.of(bootstrap(columns, images, lambda a, n, b, m: a / n - b / m))


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
    inner = study.codes
    after = study.clustering(inner, clusters.sweep(inner, (2,), study.analysis.restarts, study.seed).of(2))
    fewer = clusters.rate_difference(study.by_labels.misplaced, after.misplaced)
    space, projected = study.plane, study.plane.variance[: inner.shape[1]]
    total = np.cumsum(projected) / projected.sum() if len(projected) else np.zeros(0)
    needed = {
        "latents": space.needed(SHARE),
        "codes": components.principal(inner).needed(SHARE),
        "random": components.principal(study.random_codes).needed(SHARE),
        "projection": int(np.searchsorted(total, SHARE - 1e-9) + 1) if len(total) else 0,
    }
    return {
        "C24": {"fewer": Estimate.of(fewer)},
        "C25": {name: Estimate.exact(count) if count else UNKNOWN for name, count in needed.items()},
    }
