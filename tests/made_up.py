"""Records of made-up networks: what they find is laid down, nothing is trained."""

from collections.abc import Mapping, Sequence

import numpy as np

from hgnb import records
from hgnb.records import Record, Seed
from hgnb.training.observations import Outcomes

PERSONS, KEYPOINTS = 100, 10  # each person on a photograph of its own; a PCK is laid down to a thousandth


def hits(pck: float) -> np.ndarray:
    """(100, 10) bool with just this share found, spread over the photographs as evenly as can be."""
    found = np.arange(PERSONS * KEYPOINTS) < round(pck * PERSONS * KEYPOINTS)
    return found.reshape(KEYPOINTS, PERSONS).T


def persons() -> dict[str, np.ndarray]:
    """Whom they are measured on: everything labelled and visible."""
    rng, made = np.random.default_rng(0), {}
    for split in ("train", "val", "test", "posed"):
        made |= {
            f"{split}/ids": np.arange(PERSONS), f"{split}/images": np.arange(PERSONS),
            f"{split}/squares": np.tile([0, 0, 64], (PERSONS, 1)).astype(np.int32),
            f"{split}/points": rng.integers(0, 64 * 64, (PERSONS, KEYPOINTS, 2)).astype(np.int16),
            f"{split}/visibility": np.full((PERSONS, KEYPOINTS), 2, np.uint8),
            f"{split}/posture": np.full(PERSONS, ""), f"{split}/motion": np.full(PERSONS, ""),
            f"{split}/mean_pose_hits": hits(0.1),
        }  # fmt: skip
    names = ("nose", *(f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "eye") for side in ("left", "right")))
    made |= {"schema/names": np.array([*names, "left_ear"]), "schema/skeleton": np.zeros((0, 2), np.int16)}
    counted = ("images", "persons", "persons with val", "full", "train", "val", "test")
    return made | {"counts/names": np.array(counted), "counts/values": np.full(len(counted), PERSONS)}


def training(name: str, pck: float, val_pck: Sequence[float] = (), best: Mapping[str, int] | None = None):
    """The columns and facts of one network that finds this share on validation and test."""
    curve = np.array(val_pck or [0.1, 0.2, pck])
    best = {"val_pck": int(curve.argmax()) + 1, "val_loss": int(curve.argmax()) + 1} | dict(best or {})
    columns = {f"{split}_hits": hits(pck) for split in ("val", "test")}
    columns |= {f"epochs/{column}": curve for column in ("val_pck", "val_loss", "train_loss", "seconds")}
    facts = {
        "run": name, "date": "2026-01-02T03:04:05Z", "seconds": 60.0, "parameters": 5, "epochs": len(curve),
        "best": best, "device": "a processor", "resamples": 20,
    }  # fmt: skip
    return columns, facts


def chain(seeds: Sequence[Mapping[str, float]], profile="tiny", data="embedded", best=None) -> Record:
    """A record of chains: for each seed the PCK of each of its networks; `hourglass-best-loss` is the hourglass's."""
    made = []
    for number, levels in enumerate(seeds):
        columns, facts = {}, {}
        for name, pck in levels.items():
            if name == "hourglass-best-loss":
                columns |= {f"hourglass/lowest/{split}_hits": hits(pck) for split in ("val", "test")}
                continue
            own, facts[name] = training(f"{name}-s{number}", pck, best=best if name == "hourglass" else None)
            columns |= {f"{name}/{key}": column for key, column in own.items()}
        made.append(Seed(number, {"seed": number, "trainings": facts, "failed": {}}, columns))
    about = {"study": "chain", "profile": profile, "data": data, "checksum": "c", "numbers": {}, "code": {}}
    return Record(about, tuple(made), persons())


def save(record: Record) -> None:
    """Puts a record into results/ of the house."""
    for seed in record.seeds:
        for name, facts in seed.trainings.items():
            records.add(record.about, record.persons, seed.number, name, seed.of(name), facts)
        for name, reason in seed.failed.items():
            records.add_failed(record.about, record.persons, seed.number, name, reason)


def outcomes(study: str, made: Mapping, images: np.ndarray, counts: Sequence[int], *, head=False, numbers=None):
    """Outcomes of trainings, (facts, columns) by name and seed, on one visible keypoint of each person of `images`."""
    told = []
    for s in sorted({seed for _, seed in made}):
        own = {n: one for (n, seed), one in made.items() if seed == s}
        columns = {f"{n}/{key}": column for n, (_, held) in own.items() for key, column in held.items()}
        told.append(Seed(s, {"seed": s, "trainings": {n: facts for n, (facts, _) in own.items()}}, columns))
    people = {
        "visibility": np.full((len(images), 1), 2, np.uint8), "images": images,
        "headed": np.full(len(images), head), "names": np.array(["head_top" if head else "nose"]),
        "skeleton": np.zeros((0, 2), int), "samples": np.zeros((0, 1, 3), np.float32), "counts": np.array(counts),
    }  # fmt: skip
    about = {"study": study, "profile": "small", "data": "embedded", "code": {}, "numbers": numbers or {}}
    return Outcomes(Record(about, tuple(told), people))
