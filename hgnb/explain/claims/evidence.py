"""From what was seen to evidence: for each claim the few numbers, with intervals, that its rule reads.

A `Group` says which trainings its claims need. Everything is computed from a record's columns (`seen`): no network, no
data, no training.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hgnb.explain import clusters, skips
from hgnb.explain.claims.claim import Record
from hgnb.explain.claims.components import NOISE_FROM
from hgnb.explain.claims.estimate import UNKNOWN, Estimate, combined, spread
from hgnb.explain.claims.observe import CLOUDS, WATCHED
from hgnb.explain.claims.seen import Seen
from hgnb.explain.components import needed
from hgnb.explain.intervals import judged_auc
from hgnb.explain.misplacement import compared, rates_apart
from hgnb.explain.traits import Answers, questions
from hgnb.intervals import bootstrap, pck_difference, pooled_pck, resamples

QUIET = (2, 3, 10, 30)  # C10
NEAREST = 25  # C17: persons around a centroid
SHARE = 0.95  # C25: of the variance
COCO = {"listed in train2017": 118_287, "listed in val2017": 5_000}  # images in its annotation files


@dataclass(frozen=True)
class Group:
    """Claims whose evidence comes from the trainings called `runs`."""

    claims: tuple[str, ...]
    runs: tuple[str, ...]
    gather: Callable[[Seen], dict[str, Record]]


def rate(hits: np.ndarray, counted: np.ndarray, images: np.ndarray) -> Estimate:
    """Share of the counted keypoints (N, K) that are hits, photographs resampled."""
    return Estimate.of(pooled_pck(hits, counted, images)) if counted.any() else UNKNOWN


def difference(first: np.ndarray, second: np.ndarray, counted: np.ndarray, images: np.ndarray) -> Estimate:
    """Share of the counted keypoints that the first hits less that of the second, paired by image."""
    return Estimate.of(pck_difference(first, second, counted, images)) if counted.any() else UNKNOWN


def rise(last: np.ndarray, best: np.ndarray, images: np.ndarray) -> Estimate:
    """How much higher the last epoch's loss is than the best one's, relative to it; (N,) each, paired by image."""
    columns = np.column_stack([last, best]).astype(float)
    return Estimate.of(bootstrap(columns, images, lambda a, b: a / b - 1))


def ratio(on: np.ndarray, off: np.ndarray, visibility: np.ndarray, images: np.ndarray) -> Estimate:
    """Pooled PCK of `off` by that of `on`, paired by image; unknown where `on` finds nothing."""
    counted = visibility > 0
    if not (on & counted).any():
        return UNKNOWN
    columns = np.column_stack([(off & counted).sum(1), (on & counted).sum(1)])
    return Estimate.of(bootstrap(columns, images, lambda a, b: a / b))


def gain(seen: Seen, name: str, other: str, split: str = "test", counted: np.ndarray | None = None) -> Estimate:
    """Pooled PCK of one training less another's, both at their best, paired by image."""
    persons = seen.people.split(split)
    counted = persons.visibility > 0 if counted is None else counted
    return difference(seen.hits(name, split), seen.hits(other, split), counted, persons.image_ids)


def found(seen: Seen, name: str, split: str = "test", counted: np.ndarray | None = None) -> Estimate:
    """Pooled PCK of a training at its best epoch, over the labelled keypoints or those that `counted` chooses."""
    persons = seen.people.split(split)
    counted = persons.visibility > 0 if counted is None else counted
    return rate(seen.hits(name, split), counted, persons.image_ids)


def counts(seen: Seen) -> dict[str, Record]:
    """C1, from the dataset as prepared."""
    return {"C1": dict(seen.people.counts)}


def training(seen: Seen) -> dict[str, Record]:
    """C2, C4, C5, C6."""
    train_loss, val_loss, val_pck = (seen.epochs("hourglass", n) for n in ("train_loss", "val_loss", "val_pck"))
    lowest, images = int(val_loss.argmin()) + 1, seen.test.image_ids
    last, low = (seen.column("hourglass", f"{epoch}/test_loss") for epoch in ("last", "lowest"))
    losses = {"train_loss": int(train_loss.argmin()) + 1, "val_loss": lowest, "val_pck": int(val_pck.argmax()) + 1}
    by_loss = seen.column("hourglass", "lowest/test_hits")
    return {
        "C2": {
            "lowest": lowest,
            "epochs": len(val_loss),
            "rise": rise(last, low, images),
            "falling": bool(train_loss[-1] < train_loss[lowest - 1]),
        },
        "C4": losses | {"gap": difference(seen.hits("hourglass"), by_loss, seen.test.visibility > 0, images)},
        "C5": {"pck": found(seen, "hourglass", "val")},
        "C6": {"pck": found(seen, "hourglass")},
    }


def fork(seen: Seen) -> dict[str, Record]:
    """C3: both forks after their three epochs, on the test persons."""
    dropped, kept = (seen.column(name, "last/test_hits") for name in ("fork-dropped", "fork-kept"))
    effect = difference(dropped, kept, seen.test.visibility > 0, seen.test.image_ids)
    return {"C3": {"effect": effect, "epoch": int(seen.column("hourglass", "drop"))}}


def skip(seen: Seen) -> dict[str, Record]:
    """C7, C8."""
    made = seen.skips
    return {
        "C7": {"ratio": ratio(made.on, made.off, made.visibility, made.images)},
        "C8": {"gap": Estimate.of(made.compare(skips.SMALL, skips.BIG))},
    }


def components(seen: Seen) -> dict[str, Record]:
    """C9 to C12."""
    scores, split = seen.column("hourglass", "components/full/scores"), seen.train.take(seen.full)
    lacking = (
        "" if scores.shape[1] > WATCHED.index(max(QUIET)) else f"{len(split)} such persons give too few components"
    )
    sitting = seen.people.states.sitting[seen.full]
    return {
        "C9": {"auc": Estimate.of(judged_auc(scores[:, :1].sum(1), sitting, split.image_ids, seen.number))},
        "C10": {"traits": {} if lacking else told(seen), "lacking": lacking},
        "C11": noise(seen),
        "C12": {"share": two(seen)},
    }


def told(seen: Seen) -> dict[str, Estimate]:
    """How far each quiet component goes with each trait: AUC less 0.5 for a class, correlation for a number."""
    asked = questions(seen.train, seen.people.schema, seen.people.states, seen.full)
    scores = seen.column("hourglass", "components/full/scores")[:, [WATCHED.index(c) for c in QUIET]]
    made = Answers(scores.astype(float), np.zeros(len(QUIET)), tuple(asked), seen.train.image_ids[seen.full])
    traits = {}
    for question, intervals in zip(asked, made.intervals(range(1, len(QUIET) + 1)), strict=True):
        chance, words = (0.5, "AUC less 0.5") if question.is_class else (0.0, "correlation")
        for c, interval in zip(QUIET, intervals, strict=True):
            estimate = Estimate(interval.value - chance, interval.low - chance, interval.high - chance)
            traits[f"PC {c}, {question.name} ({words})"] = estimate
    return traits


def noise(seen: Seen) -> Record:
    """C11: what the components from the 50th on are worth, and whom the walk along the 50th meets."""
    held, split = seen.of("hourglass"), seen.train.take(seen.full)
    if "components/full/met" not in held:
        return {"lacking": f"half of {len(split)} such persons give fewer than {NOISE_FROM} components"}
    whole, cut = held["components/full/whole_hits"], held["components/full/kept_hits"]
    variance = held["components/full/variance"].astype(float)
    own, equal, *_ = held["components/full/met"].tolist()
    return {
        "cost": difference(whole, cut, split.visibility > 0, split.image_ids),
        "ratio": float(variance[NOISE_FROM - 1] / variance.sum()), "own": own, "equal": equal,
        "levels": on_coco(seen),
    }  # fmt: skip


def two(seen: Seen) -> Estimate:
    """C12: share of the variance on two components, photographs resampled. The axes stay: where they are best their
    small turns change the share by less than its error."""
    scores = seen.column("hourglass", "components/sample/scores").astype(float)
    if scores.shape[1] < 2:
        return UNKNOWN
    columns = np.column_stack([(scores**2).sum(1), seen.column("hourglass", "components/sample/squares")])
    images = seen.train.image_ids[seen.sample]
    return Estimate.of(bootstrap(columns, images, lambda some, all_: some / all_))


def on_coco(seen: Seen) -> bool:
    """Whether the data are the whole of COCO."""
    return {name: n for name, n in seen.people.counts.items() if name.startswith("listed")} == COCO


def latents(seen: Seen) -> dict[str, Record]:
    """C13 to C17, C29, C30, C33."""
    labels, motion = seen.by_labels, seen.by_motion
    return {
        "C13": best_k(seen, "sample"),
        "C14": best_k(seen, "full"),
        "C15": parted(labels, seen.number),
        "C16": parted(motion, seen.number),
        "C17": _centroids(seen),
        "C29": {"gap": equal_labels_gap(seen)},
        "C30": {"fewer": Estimate.of(rates_apart(labels.misplaced, motion.misplaced))},
        "C33": third(seen),
    }


def best_k(seen: Seen, of: str) -> Record:
    """How often K = 2 wins in resampled photographs, and how far its silhouette exceeds a Gaussian cloud's."""
    held = {n.removeprefix(f"clusters/{of}/"): c for n, c in seen.of("hourglass").items() if n.startswith("clusters")}
    at = seen.sample if of == "sample" else seen.full
    ks = held["k"].tolist()
    if 2 not in ks:
        return {"lacking": f"{len(at)} persons are too few for K-means"}
    row, best = ks.index(2), held["silhouettes"].max(1)
    excess = over_clouds(held["by_person"][row], float(best[row]), held["clouds"], seen.train.image_ids[at])
    draws = seen.trainings["hourglass"]["resamples"]
    return {"best": ks[int(best.argmax())], "won": float(held["wins"][row]), "resamples": draws, "excess": excess}


def over_clouds(by_person: np.ndarray, silhouette: float, clouds: np.ndarray, images: np.ndarray) -> Estimate:
    """Silhouette at K = 2 less that of Gaussian clouds of equal covariance and size, from as many restarts.

    Its error: clouds differ among each other, as one more would, and so do photographs.
    """
    columns = np.column_stack([by_person, np.ones(len(by_person))]).astype(float)
    own = bootstrap(columns, images, lambda total, n: total / n)
    drawn = np.var(clouds, ddof=1) * (1 + 1 / CLOUDS)
    return combined(silhouette - float(np.mean(clouds)), drawn, CLOUDS - 1, spread(own.low, own.high))


def parted(group: clusters.Clustering, seed: int) -> Record:
    """AUC of the key between the clusters, and who is misplaced; the sign is chosen on the other half."""
    told = judged_auc(group.key, (group.labels == 0).astype(float), group.images, seed)
    return {"auc": Estimate.of(told), "misplaced": Estimate.of(group.misplaced.rate)}


def _centroids(seen: Seen) -> Record:
    group, labelled, joints = seen.by_labels, seen.train.labelled[seen.sample], len(seen.people.schema)
    if group.count < 2:
        return {"full": UNKNOWN, "sparse": UNKNOWN, "keypoints": joints}
    medians = [median(labelled[rows], group.images[rows], seen.number) for rows in seen.nearest(NEAREST)]
    return {"full": medians[0], "sparse": medians[1], "keypoints": joints}


def median(values: np.ndarray, images: np.ndarray, seed: int, draws: int = 1000) -> Estimate:
    """The median with an interval over resampled photographs."""
    names, image = np.unique(images, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = [np.median(np.repeat(values, c[image])) for block in resamples(rng, len(names), draws) for c in block]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(float(np.median(values)), float(low), float(high))


def equal_labels_gap(seen: Seen) -> Estimate:
    """C29: PCK of the well-placed less that of the misplaced, at equal numbers of labelled keypoints."""
    labelled = seen.train.visibility[seen.sample] > 0
    hits = (seen.hits("hourglass", "train")[seen.sample] & labelled).sum(1)
    gap = compared(seen.by_labels.misplaced, hits, labelled.sum(1)).difference
    return Estimate(-gap.value, -gap.high, -gap.low)


def third(seen: Seen) -> Record:
    """C33: the division that K = 3 makes within one of the two clusters, against moving and stationary."""
    moving, images = seen.people.states.moving[seen.sample], seen.train.image_ids[seen.sample]
    return divided(seen.labels("sample", 2), seen.labels("sample", 3), moving, images, seen.number)


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


def codes(seen: Seen) -> dict[str, Record]:
    """C24, C25."""
    fewer = clusters.rate_difference(seen.by_labels.misplaced, seen.by_codes.misplaced)
    held, plane = seen.of("modified"), seen.column("hourglass", "components/sample/variance")
    counts = {
        "latents": needed(plane, SHARE),
        "codes": needed(held["codes/variance"], SHARE),
        "random": needed(held["codes/random_variance"], SHARE),
        "projection": needed(plane[: int(held["codes/dimensions"])], SHARE),
    }
    return {
        "C24": {"fewer": Estimate.of(fewer)},
        "C25": {name: Estimate.exact(count) if count else UNKNOWN for name, count in counts.items()},
    }


def autoencoder(seen: Seen) -> dict[str, Record]:
    """C18: losses of the autoencoder on test latents, at its last epoch and its best."""
    last, lowest = (seen.column("autoencoder", f"{epoch}/test_loss") for epoch in ("last", "lowest"))
    epochs = len(seen.epochs("autoencoder", "val_loss"))
    return {"C18": {"rise": rise(last, lowest, seen.test.image_ids), "epochs": epochs}}


def modified(seen: Seen) -> dict[str, Record]:
    """C19 to C23."""
    before, after = (seen.epochs(name, "val_pck") for name in ("hourglass", "modified"))
    pairs = {"original": "hourglass", "modified": "modified"}
    schema, visibility = seen.people.schema, seen.test.visibility
    limbs = np.isin(np.arange(len(schema)), schema.groups["limbs"])
    by_visibility = {
        f"{title} v = {v}": found(seen, name, counted=visibility == v) for title, name in pairs.items() for v in (1, 2)
    }
    return {
        "C19": {"start": Estimate.exact(after[0] - before.max()), "end": gain(seen, "modified", "hourglass")},
        "C20": {"pck": found(seen, "modified", "val"), "gain": gain(seen, "modified", "hourglass", "val")},
        "C21": {"pck": found(seen, "modified"), "gain": gain(seen, "modified", "hourglass")},
        "C22": by_visibility,
        "C23": {title: found(seen, name, counted=(visibility > 0) & limbs) for title, name in pairs.items()},
    }


def costs(seen: Seen) -> dict[str, Record]:
    """C26."""
    names = ("hourglass", "autoencoder", "modified")
    minutes = {name: float(seen.epochs(name, "seconds").mean()) / 60 for name in names}
    return {"C26": minutes | {"device": seen.trainings["hourglass"]["device"]}}


def controls(seen: Seen) -> dict[str, Record]:
    """C27."""
    rivals = ("longer", "random", "projection")
    return {"C27": {name: gain(seen, "modified", f"control-{name}") for name in rivals}}


def best_loss(seen: Seen) -> dict[str, Record]:
    """C28."""
    same = seen.trainings["modified"]["run"] == seen.trainings["modified-best-loss"]["run"]
    return {"C28": {"gap": gain(seen, "modified", "modified-best-loss"), "same": same}}


def retrained(seen: Seen) -> dict[str, Record]:
    """C31: C7 and C8 with a network that was trained without skips in place of one whose skips are off."""
    with_skips, without = (seen.hits(name, "train") for name in ("hourglass", "without-skips"))
    made = replace(seen.skips, on=with_skips, off=without)
    measured = ratio(with_skips, without, made.visibility, made.images)
    return {"C31": {"ratio": measured, "gap": Estimate.of(made.compare(skips.SMALL, skips.BIG))}}


def visible_only(seen: Seen) -> dict[str, Record]:
    """C32. Where no keypoint is labelled as hidden both trainings are one."""
    lacking = "" if (seen.train.visibility == 1).any() else "no hidden keypoint is labelled that could be left out"
    seen_gain = gain(seen, "visible-only", "hourglass", counted=seen.test.visibility == 2)
    return {"C32": {"gain": seen_gain, "lacking": lacking}}


def stacked(seen: Seen) -> dict[str, Record]:
    """C34."""
    reach, narrow = gain(seen, "two-modified", "four-plain"), gain(seen, "two-modified-25", "two-modified")
    return {"C34": {"reach": reach, "narrow": narrow}}


GROUPS = (
    Group(("C1",), (), counts),
    Group(("C2", "C4", "C5", "C6"), ("hourglass",), training),
    Group(("C3",), ("hourglass", "fork-dropped", "fork-kept"), fork),
    Group(("C7", "C8"), ("hourglass",), skip),
    Group(("C9", "C10", "C11", "C12"), ("hourglass",), components),
    Group(("C13", "C14", "C15", "C16", "C17", "C29", "C30", "C33"), ("hourglass",), latents),
    Group(("C18",), ("hourglass", "autoencoder"), autoencoder),
    Group(("C19", "C20", "C21", "C22", "C23"), ("hourglass", "modified"), modified),
    Group(("C24", "C25"), ("hourglass", "modified"), codes),
    Group(("C26",), ("hourglass", "autoencoder", "modified"), costs),
    Group(("C27",), ("modified", "control-longer", "control-random", "control-projection"), controls),
    Group(("C28",), ("modified", "modified-best-loss"), best_loss),
    Group(("C31",), ("hourglass", "without-skips"), retrained),
    Group(("C32",), ("hourglass", "visible-only"), visible_only),
    Group(("C34",), ("two-modified", "two-modified-25", "four-plain"), stacked),
)
