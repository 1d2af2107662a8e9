"""What finished networks show, as the columns of a record: hits, losses, labels, projections; nothing is judged here.

`persons` says whom they were measured on, `observed` what one training of a seed shows of them. What the claims and
pages then say of it, `hgnb.claims.evidence` computes from these columns alone, so that a rule may change without a
network. Explained in 05_discussion.
"""

import numpy as np
import torch

from hgnb.analysis import clusters, interventions
from hgnb.analysis.components import Components, principal
from hgnb.analysis.depths import features, probed
from hgnb.analysis.distances import centroids, silhouettes
from hgnb.analysis.interventions import Space, intervene
from hgnb.analysis.posture import POSED, posed, postures
from hgnb.analysis.truncation import NOISE_FROM, exchanged
from hgnb.claims import steered
from hgnb.claims.evidence import FINE, WATCHED
from hgnb.claims.study import LAST, Study, reconstruction
from hgnb.model.hourglass import build
from hgnb.training.experiment import Experiment
from hgnb.training.passes import Reader, mean_pose_hits
from hgnb.training.runs import Run

SPLITS = ("train", "val", "test")
CLOUDS = 10  # Gaussian ones beside the silhouettes; more than chapter 03 draws, so that their spread is known better
LOTS = 20  # directions by lot beside the walk along a component (C11)
LIKE = 100  # test persons on whom networks are held against each other

Columns = dict[str, np.ndarray]


def persons(experiment: Experiment) -> Columns:
    """Whom the networks of an experiment are measured on: `<split>/…` of train, val, test and posed; schema and counts.

    `points` (N, K, 2) int16 as (x, y) in 64ths of a pixel of the crop, `visibility` (N, K), `squares` (N, 3) the crop
    in its photograph, `mean_pose_hits` (N, K): what each keypoint's mean position over the training persons finds.
    """
    prepared, p = experiment.prepared(), experiment.profile
    train = prepared.split("train")
    made: Columns = {
        "schema/names": np.array(prepared.schema.names),
        "schema/skeleton": np.array(prepared.schema.skeleton, np.int16).reshape(-1, 2),
    }
    for split in (*map(prepared.split, SPLITS), posed(experiment)):
        name = split.name
        made |= {
            f"{name}/ids": split.person_ids,
            f"{name}/images": split.image_ids,
            f"{name}/squares": split.squares.astype(np.int32),
            f"{name}/points": np.rint(np.nan_to_num(split.keypoints[..., :2]) * FINE)
            .clip(-32768, 32767)
            .astype(np.int16),
            f"{name}/visibility": split.visibility.astype(np.uint8),
            f"{name}/posture": split.posture,
            f"{name}/motion": split.motion,
            f"{name}/mean_pose_hits": mean_pose_hits(train, split, p.data.side, p.model.stride, p.pck),
        }
    counts = counted(experiment)
    return made | {"counts/names": np.array(list(counts)), "counts/values": np.array(list(counts.values()))}


def counted(experiment: Experiment) -> dict[str, int]:
    """What C1 counts, in the dataset as prepared; photographs with any person in the annotation files."""
    prepared = experiment.prepared()
    of: dict[str, int] = {"train": 0, "val": 0}
    listed = {}
    for name, numbers in prepared.manifest["counts"].items():
        of["val" if name.startswith("val") else "train"] += numbers["persons"]
        listed[f"listed in {name}"] = numbers["images"]
    return {
        "images": sum(steps["any"]["images"] for steps in prepared.manifest["steps"].values()),
        "persons": of["train"],
        "persons with val": of["train"] + of["val"],
        "full": sum(len(prepared.split(name).fully_labelled) for name in ("train", "test")),
        **prepared.manifest["persons"],
        **listed,
    }


def observed(study: Study, name: str) -> Columns:
    """What the training called `name` of a study's seed shows."""
    run = study.runs[name]
    special = {
        "hourglass": hourglass, "autoencoder": autoencoder, "modified": modified, "without-skips": without_skips,
        "fork-dropped": fork, "fork-kept": fork,
    }  # fmt: skip
    return epochs(run) | special.get(name, pose)(study, name)


def epochs(run: Run) -> Columns:
    """`epochs/<column>` (E,): losses, PCK, learning rate and seconds of each epoch."""
    return {f"epochs/{name}": run.metrics[name].to_numpy(float) for name in run.metrics.columns if name != "epoch"}


def pose(study: Study, name: str) -> Columns:
    """`val_hits`, `test_hits` (N, K): found by a network at its epoch of best validation PCK."""
    return {f"{split}_hits": study.scores(name, split=split).hits for split in ("val", "test")}


def validated(run: Run) -> Columns:
    """`validation/hits` (E, N, K), `validation/loss` (E, N): each validation person in each epoch."""
    return {f"validation/{name}": values for name, values in vars(run.validation).items() if values is not None}


def fork(study: Study, name: str) -> Columns:
    """`last/test_hits` besides: what a fork has come to after its epochs (C3)."""
    return pose(study, name) | {"last/test_hits": study.scores(name, LAST).hits}


def without_skips(study: Study, name: str) -> Columns:
    """`train_hits` besides (C31)."""
    return pose(study, name) | {"train_hits": study.scores(name, split="train").hits}


def autoencoder(study: Study, name: str) -> Columns:
    """`lowest/test_loss`, `last/test_loss` (N,): squared error on each test person's latents (C18)."""
    run, latents = study.runs[name], torch.from_numpy(study.reader("hourglass").latents(study.test))
    losses = {key: reconstruction(study, run, latents, epoch) for key, epoch in (("lowest", "val_loss"), (LAST, LAST))}
    return validated(run) | {f"{key}/test_loss": loss.astype(np.float32) for key, loss in losses.items()}


def hourglass(study: Study, name: str) -> Columns:
    """The hourglass at three epochs, without its skips, its latents' components and clusters, and with them moved."""
    made, run = pose(study, name) | validated(study.runs[name]), study.runs[name]
    made["test_loss"] = study.scores(name).loss.astype(np.float32)
    for key, epoch in (("lowest", "val_loss"), (LAST, LAST)):
        scores = study.scores(name, epoch)
        made |= {f"{key}/test_hits": scores.hits, f"{key}/test_loss": scores.loss.astype(np.float32)}
    made["lowest/val_hits"] = study.scores(name, "val_loss", "val").hits
    tested = study.skipless("test")
    made |= {"train_hits": study.skips.on, "off/train_hits": study.skips.off, "off/test_hits": tested}
    made["sample"] = study.sample.astype(np.int32)
    drop = run.folder / "drop.ckpt"
    if drop.exists():
        made["drop"] = np.array(run.checkpoint("drop")["epoch"] + 1)
    return made | components(study) | clustered(study) | moved(study) | steered.columns(study) | depths(study)


def components(study: Study) -> Columns:
    """`components/…` of the posed persons and of the sample (C9 to C12, C25).

    `posed/scores` (n, 6) along WATCHED, those that exist; `posed/variance`, `sample/variance` (c,); `sample/scores`
    (n, 2); `sample/squares` (n,) squared distance from the mean.
    """
    posed, plane = study.parts_posed, study.plane
    watched = [c for c in WATCHED if c <= len(posed)]
    along, centred = posed.scores(max(watched, default=0)), plane.latents - plane.mean
    made = {
        "components/posed/scores": along[:, [c - 1 for c in watched]].astype(np.float32),
        "components/posed/variance": posed.variance.astype(np.float32),
        "components/sample/variance": plane.variance.astype(np.float32),
        "components/sample/scores": plane.scores(2).astype(np.float32),
        "components/sample/squares": (centred**2).sum(1).astype(np.float32),
    }
    return made | noise(study)


def noise(study: Study) -> Columns:
    """What the components from the 50th on are worth: C11.

    `components/posed/whole_hits`, `kept_hits` (n, K): found with all, and with the first 49 of other photographs'
    persons. `met` (2 + LOTS,): persons met on the walk along the 50th at its own step, at the first's step, and along
    directions drawn by lot from all components, at the 50th's step. None of it where half of the persons give fewer.
    """
    parts, split = study.parts_posed, study.posed
    folds = exchanged(split, study.latents_posed, study.seed)
    if min([len(other) for _, other in folds], default=0) < NOISE_FROM:
        return {}
    hits = np.zeros((2, *split.visibility.shape), bool)
    reader = study.reader("hourglass")
    for rows, other in folds:
        edits = [None, Space.of(other, reader.device).keep(NOISE_FROM - 1)]
        hits[:, rows] = intervene(reader, split.take(rows), study.experiment.profile.pck, edits)
    rng = np.random.default_rng(study.seed)
    by_lot = rng.standard_normal((LOTS, len(parts))) @ parts.axes
    by_lot /= np.linalg.norm(by_lot, axis=1, keepdims=True)
    own, first = (np.sqrt(parts.variance[c - 1]) for c in (NOISE_FROM, 1))
    ways = [parts.axes[NOISE_FROM - 1] * own, parts.axes[NOISE_FROM - 1] * first, *(by_lot * own)]
    return {
        "components/posed/whole_hits": hits[0],
        "components/posed/kept_hits": hits[1],
        "components/posed/met": np.array([met(parts, way, study) for way in ways], np.int16),
    }


def met(parts: Components, way: np.ndarray, study: Study) -> int:
    """How many different persons are nearest the steps of a profile along `way` (D,)."""
    return len(set(parts.nearest(parts.mean + np.outer(np.array(study.analysis.steps), way)).tolist()))


def clustered(study: Study) -> Columns:
    """`clusters/<persons>/…` of the sample and of the posed (C13 to C17, C33).

    `k` (c,); `silhouettes` (c, restarts); `labels` (c, n) of each K's best restart, `by_person` (c, n) their
    silhouettes; `distance` (n, 2) to the centroids of K = 2; `wins` (c,) share of resampled photographs in which a K
    is best; `clouds` (CLOUDS,) best silhouette of K = 2 in Gaussian clouds of equal covariance.
    """
    made: Columns = {}
    kinds = (
        ("sample", study.latents, study.apart, study.sweep, study.plane, study.train.image_ids[study.sample]),
        (POSED, study.latents_posed, study.apart_posed, study.sweep_posed, study.parts_posed, study.posed.image_ids),
    )  # fmt: skip
    for name, points, apart, found, parts, images in kinds:
        labels = [found.of(k) for k in found.clusters]
        wins = clusters.wins(points, apart, found, images, study.analysis.resamples, study.seed)
        shape = len(found.clusters), len(points)
        made |= {
            f"clusters/{name}/k": np.array(found.clusters, np.int16),
            f"clusters/{name}/silhouettes": found.silhouettes.astype(np.float32),
            f"clusters/{name}/labels": np.reshape(labels, shape).astype(np.uint8),
            f"clusters/{name}/by_person": np.reshape([silhouettes(apart, each) for each in labels], shape).astype("f2"),
            f"clusters/{name}/wins": wins,
        }
        if 2 in found.clusters:
            made[f"clusters/{name}/distance"] = from_centroids(points, found.of(2))
            made[f"clusters/{name}/clouds"] = clouds(parts.variance, len(points), study)
    return made


def clouds(variance: np.ndarray, count: int, study: Study) -> np.ndarray:
    """(CLOUDS,) best silhouettes of K = 2, from as many restarts, of `count` points of a Gaussian."""
    rng = np.random.default_rng(study.seed)
    drawn = (clusters.normal(variance, count, rng) for _ in range(CLOUDS))
    return np.array([clusters.sweep(cloud, (2,), study.analysis.restarts, n).best[0] for n, cloud in enumerate(drawn)])


def from_centroids(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(N, 2) float32: distance of each point to the centroids of its two clusters."""
    centres = centroids(points.astype(np.float64), labels)
    return np.stack([np.linalg.norm(points - centre, axis=1) for centre in centres], 1).astype(np.float32)


def depths(study: Study) -> Columns:
    """`probes/layers` (L,); `probes/<trait>`, `probes/<trait>/untrained` (L, n): answers of linear probes at each depth
    for the posed persons, of the network and of one with random weights. `likeness` (m, c) float16: the latents of LIKE
    test persons along their own components, which keep their distances, so that seeds can be held against each other.
    """
    states = postures(study.posed, study.prepared.schema)
    traits = {"sitting": states.sitting, "moving": states.moving}
    reader, images = study.reader("hourglass"), study.posed.image_ids
    made: Columns = {}
    for suffix, one in (("", reader), ("/untrained", untrained(study))):
        layers = features(one, study.posed)
        made["probes/layers"] = np.array(list(layers))
        for name, classes in traits.items():
            answers = [probed(x, classes, images) for x in layers.values()]
            made[f"probes/{name}{suffix}"] = np.stack(answers).astype(np.float16)
    return made | likeness(study, "hourglass")


def likeness(study: Study, name: str) -> Columns:
    """`likeness` of a network's first bottleneck."""
    latents = study.reader(name).latents(study.test.take(np.arange(min(LIKE, len(study.test)))))
    parts = principal(latents.reshape(len(latents), -1))
    return {"likeness": parts.scores().astype(np.float16)}


def untrained(study: Study) -> Reader:
    """The hourglass before its first step."""
    with torch.random.fork_rng():
        torch.manual_seed(study.seed)
        network = build(study.experiment.model(), study.experiment.profile.data.side)
    return Reader(network, study.prepared.mean_rgb)


def moved(study: Study) -> Columns:
    """`moved/hits`, `astray/hits` (n, K) of the sample: found with latents moved to the other of two centroids, and as
    far in a direction drawn by lot (C29)."""
    if study.by_labels.count < 2:
        return {}
    who, reader = study.train.take(study.sample), study.reader("hourglass")
    found = interventions.shifted(reader, who, study.by_labels, study.experiment.profile.pck, study.seed)
    return dict(zip(("moved/hits", "astray/hits"), found, strict=True))


def modified(study: Study, name: str) -> Columns:
    """The sample's codes besides: `codes/labels`, `codes/distance` of K = 2, `codes/variance` and, beside it, that of
    an untrained autoencoder's codes (C24, C25)."""
    made = pose(study, name) | validated(study.runs[name]) | likeness(study, name)
    codes = study.codes
    labels = clusters.sweep(codes, (2,), study.analysis.restarts, study.seed).of(2)
    made |= {
        "codes/labels": labels.astype(np.uint8),
        "codes/variance": study.code_plane.variance.astype(np.float32),
        "codes/random_variance": principal(study.random_codes).variance.astype(np.float32),
        "codes/dimensions": np.array(codes.shape[1]),
    }
    if len(np.unique(labels)) == 2:
        made["codes/distance"] = from_centroids(codes, labels)
    return made
