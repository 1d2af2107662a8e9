"""From runs to evidence: for each claim the few numbers, with intervals, that its rule reads.

A `Group` says which runs its claims need; what they share is computed once, in the Study.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from hgnb.data import coco
from hgnb.explain import lighter, skips
from hgnb.explain.claims import cluster_evidence, component_evidence
from hgnb.explain.claims.claim import Record
from hgnb.explain.claims.estimate import UNKNOWN, Estimate
from hgnb.explain.claims.study import LAST, Study, difference, rise, weights
from hgnb.intervals import bootstrap
from hgnb.models.autoencoder import Autoencoder
from hgnb.training import sweep_record
from hgnb.training.runs import Run


@dataclass(frozen=True)
class Group:
    """Claims whose evidence is gathered together, from the runs called `runs`."""

    claims: tuple[str, ...]
    runs: tuple[str, ...]
    gather: Callable[[Study], dict[str, Record]]
    files: Callable[[Study], tuple[Path, ...]] = lambda study: ()  # what it reads beside the runs


def counts(study: Study) -> dict[str, Record]:
    """C1, from the dataset as prepared; photographs with any person are counted in the annotation files."""
    manifest = study.prepared.manifest
    of = {"val" if name.startswith("val") else "train": numbers for name, numbers in manifest["counts"].items()}
    splits = [coco.read(study.experiment.folder, name) for name in ("train", "val")]
    kept = manifest["persons"]
    return {
        "C1": {
            "images": sum(split.steps["any"]["images"] for split in splits),
            "persons": of["train"]["persons"],
            "persons with val": of["train"]["persons"] + of["val"]["persons"],
            "full": sum(len(study.prepared.split(name).fully_labelled) for name in ("train", "test")),
            **{name: kept[name] for name in ("train", "val", "test")},
        }
    }


def training(study: Study) -> dict[str, Record]:
    """C2, C4, C5, C6: one pass over the test persons for each of three epochs, one over the validation persons."""
    run, images = study.runs["hourglass"], study.test.image_ids
    table = run.metrics.set_index("epoch")
    lowest, best = run.best_epoch("val_loss"), study.scores("hourglass")
    by_loss, last = (study.scores("hourglass", epoch) for epoch in ("val_loss", LAST))
    losses = {name: run.best_epoch(name) for name in ("train_loss", "val_loss", "val_pck")}
    return {
        "C2": {
            "lowest": lowest,
            "epochs": len(table),
            "rise": rise(last.loss, by_loss.loss, images),
            "falling": bool(table.train_loss.iloc[-1] < table.train_loss[lowest]),
        },
        "C4": losses | {"gap": difference(best.hits, by_loss.hits, study.test.visibility > 0, images)},
        "C5": {"pck": study.pck("hourglass", "val")},
        "C6": {"pck": study.pck("hourglass")},
    }


def fork(study: Study) -> dict[str, Record]:
    """C3: both forks after their three epochs, on the test persons."""
    dropped, kept = (study.scores(name, LAST).hits for name in ("fork-dropped", "fork-kept"))
    effect = difference(dropped, kept, study.test.visibility > 0, study.test.image_ids)
    epoch = study.runs["hourglass"].checkpoint("drop")["epoch"] + 1
    return {"C3": {"effect": effect, "epoch": epoch}}


def skip(study: Study) -> dict[str, Record]:
    """C7, C8."""
    made = study.skips
    return {
        "C7": {"ratio": ratio(made.on, made.off, made.visibility, made.images)},
        "C8": {"gap": Estimate.of(made.compare(skips.SMALL, skips.BIG))},
    }


def ratio(on: np.ndarray, off: np.ndarray, visibility: np.ndarray, images: np.ndarray) -> Estimate:
    """Pooled PCK of `off` by that of `on`, paired by image; unknown where `on` finds nothing."""
    counted = visibility > 0
    if not (on & counted).any():
        return UNKNOWN
    columns = np.column_stack([(off & counted).sum(1), (on & counted).sum(1)])
    return Estimate.of(bootstrap(columns, images, lambda a, b: a / b))


def autoencoder(study: Study) -> dict[str, Record]:
    """C18: losses of the autoencoder on test latents, at its last epoch and its best."""
    run, latents = study.runs["autoencoder"], torch.from_numpy(study.reader("hourglass").latents(study.test))
    last, best = (reconstruction(study, run, latents, epoch) for epoch in (LAST, "val_loss"))
    return {"C18": {"rise": rise(last, best, study.test.image_ids), "epochs": len(run.metrics)}}


@torch.inference_mode()
def reconstruction(study: Study, run: Run, latents: torch.Tensor, epoch: str) -> np.ndarray:
    """(N,) mean squared error of each person's latents (N, C, s, s)."""
    network = Autoencoder(tuple(latents.shape[1:]), study.experiment.profile.autoencoder)
    network.load_state_dict(weights(run, epoch))
    parts = [(network.eval()(z) - z).square().flatten(1).mean(1) for z in latents.split(1024)]
    return torch.cat(parts).numpy().astype(float)


def modified(study: Study) -> dict[str, Record]:
    """C19 to C23."""
    before, after = study.runs["hourglass"].metrics.val_pck, study.runs["modified"].metrics.val_pck
    pairs = {"original": "hourglass", "modified": "modified"}
    limbs = np.isin(np.arange(len(study.prepared.schema)), study.prepared.schema.groups["limbs"])
    visibility = study.test.visibility
    by_visibility = {
        f"{title} v = {v}": study.pck(name, counted=visibility == v) for title, name in pairs.items() for v in (1, 2)
    }
    return {
        "C19": {
            "start": Estimate.exact(after.iloc[0] - before.max()),
            "end": study.gain("modified", "hourglass"),
        },
        "C20": {"pck": study.pck("modified", "val"), "gain": study.gain("modified", "hourglass", "val")},
        "C21": {"pck": study.pck("modified"), "gain": study.gain("modified", "hourglass")},
        "C22": by_visibility,
        "C23": {title: study.pck(name, counted=(visibility > 0) & limbs) for title, name in pairs.items()},
    }


def costs(study: Study) -> dict[str, Record]:
    """C26."""
    runs = {name: study.runs[name] for name in ("hourglass", "autoencoder", "modified")}
    minutes = {name: run.manifest["seconds"] / len(run.metrics) / 60 for name, run in runs.items()}
    return {"C26": minutes | {"device": runs["hourglass"].manifest["device"]}}


def controls(study: Study) -> dict[str, Record]:
    """C27."""
    rivals = ("longer", "random", "projection")
    return {"C27": {name: study.gain("modified", f"control-{name}") for name in rivals}}


def best_loss(study: Study) -> dict[str, Record]:
    """C28."""
    same = study.runs["modified"].id == study.runs["modified-best-loss"].id
    return {"C28": {"gap": study.gain("modified", "modified-best-loss"), "same": same}}


def retrained(study: Study) -> dict[str, Record]:
    """C31: C7 and C8 with a network that was trained without skips in place of one whose skips are off."""
    with_skips, without = (study.scores(name, split="train").hits for name in ("hourglass", "without-skips"))
    made = replace(study.skips, on=with_skips, off=without)
    measured = ratio(with_skips, without, made.visibility, made.images)
    return {"C31": {"ratio": measured, "gap": Estimate.of(made.compare(skips.SMALL, skips.BIG))}}


def visible_only(study: Study) -> dict[str, Record]:
    """C32. Where no keypoint is labelled as hidden both trainings are one."""
    lacking = "" if (study.train.visibility == 1).any() else "no hidden keypoint is labelled that could be left out"
    gain = study.gain("visible-only", "hourglass", counted=study.test.visibility == 2)
    return {"C32": {"gain": gain, "lacking": lacking}}


def stacked(study: Study) -> dict[str, Record]:
    """C34."""
    reach, narrow = study.gain("two-modified", "four-plain"), study.gain("two-modified-25", "two-modified")
    return {"C34": {"reach": reach, "narrow": narrow}}


def lighter_(study: Study) -> dict[str, Record]:
    """L1 to L13: the recorded sweep's trainings of this seed, and the recorded times."""
    sweep, _ = lighter_files(study)
    held = sweep_record.load(sweep) if sweep.is_file() else None
    times = (sweep_record.times(), sweep_record.large(), sweep_record.precision())
    return lighter.Evidence(held, *times).of(study.seed)


def lighter_files(study: Study) -> tuple[Path, Path]:
    """The record of the sweep on these data, and that of the times; either may not be there."""
    profile, data = study.experiment.profile.name, study.experiment.data_name
    return sweep_record.results_file(profile, data), sweep_record.speed_file()


GROUPS = (
    Group(("C1",), (), counts),
    Group(("C2", "C4", "C5", "C6"), ("hourglass",), training),
    Group(("C3",), ("hourglass", "fork-dropped", "fork-kept"), fork),
    Group(("C7", "C8"), ("hourglass",), skip),
    Group(("C9", "C10", "C11", "C12"), ("hourglass",), component_evidence.latents),
    Group(("C13", "C14", "C15", "C16", "C17", "C29", "C30", "C33"), ("hourglass",), cluster_evidence.latents),
    Group(("C18",), ("hourglass", "autoencoder"), autoencoder),
    Group(("C19", "C20", "C21", "C22", "C23"), ("hourglass", "modified"), modified),
    Group(("C24", "C25"), ("hourglass", "modified"), cluster_evidence.codes),
    Group(("C26",), ("hourglass", "autoencoder", "modified"), costs),
    Group(("C27",), ("modified", "control-longer", "control-random", "control-projection"), controls),
    Group(("C28",), ("modified", "modified-best-loss"), best_loss),
    Group(("C31",), ("hourglass", "without-skips"), retrained),
    Group(("C32",), ("hourglass", "visible-only"), visible_only),
    Group(("C34",), ("two-modified", "two-modified-25", "four-plain"), stacked),
    Group(lighter.IDS, (), lighter_, lighter_files),
)
