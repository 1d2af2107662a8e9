"""The network that comes with the library: a finished run's weights beside a manifest of what they are. Model card.

`hgnb release` measures once and writes both; `hgnb.training.catalogue.released` reads them, the book's model card shows
the manifest's numbers.
"""

import json
import time
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from hgnb.data.heatmaps import cells
from hgnb.data.intake import layouts
from hgnb.data.prepared import PreparedSplit
from hgnb.errors import InputError
from hgnb.home import located, write_whole
from hgnb.metrics import PckConfig, found
from hgnb.stats import Estimate
from hgnb.stats import pck as pooled_pck
from hgnb.training import passes
from hgnb.training.catalogue import RELEASED_FILE, Weights, find, opened
from hgnb.training.evaluation import as_trained, evaluate
from hgnb.training.hardware import device_name
from hgnb.training.passes import Reader
from hgnb.training.runs import Run

SIZES = (0, 64, 128, 256, 10**6)  # pixels of the photograph that the side of a person's crop has
MOST = 8_000_000  # bytes


def release(weights: Weights, data: str) -> dict:
    """Makes a run's weights the released ones; measured on the photographs of the folder `data`. The manifest.

    How points are read from heatmaps is chosen on the validation photographs; the test photographs are looked at once.
    """
    if weights.run is None:
        raise InputError(f"{weights.name} is a file without a run, and nobody knows how it was trained: name a run.")
    content = weights.file.read_bytes()
    if len(content) > MOST:
        raise InputError(f"{weights.name} has {len(content) / 1e6:.1f} MB, and released weights at most 8.")
    folder = located(data)
    manifest = {
        "sha256": weights.sha256,
        "bytes": len(content),
        "made": date.today().isoformat(),
        "parameters": weights.run.manifest["parameters"],
        "side": weights.card.side,
        "trainings": [_training(run) for run in _chain(weights.run)],
        **_measured(weights, folder),
    }
    write_whole(RELEASED_FILE, content)
    write_whole(RELEASED_FILE.with_suffix(".json"), f"{json.dumps(manifest, indent=1)}\n".encode())
    return manifest


def _chain(run: Run) -> list[Run]:
    """The run and those whose weights it began from, the first of them first."""
    return [*(one for parent in run.manifest["config"]["parents"] for one in _chain(find(parent))), run]


def _training(run: Run) -> dict:
    """How a run was made, and of whose photographs."""
    edition, config, experiment = run.manifest["edition"], run.manifest["config"], opened(run)
    folder, ids = experiment.folder, set(experiment.prepared().split("train").image_ids.tolist())
    content = layouts.parsed(layouts.source(folder, "train").file)
    names = {row["id"]: row["name"] for row in content.get("licenses") or []}
    there = [image for image in content["images"] if image["id"] in ids]
    start = [f"--start {parent}" for parent in config["parents"]]
    return {
        "run": run.id,
        "command": " ".join(
            [
                "hgnb train hourglass",
                f"--profile {edition['profile']}",
                f"--data {folder.name if Path(edition['data']).is_absolute() else edition['data']}",
                *start,
            ]
        ),
        "side": config["side"],
        "epochs": len(run.metrics),
        "best_epoch": run.best_epoch(),
        "hours": round(run.manifest["seconds"] / 3600, 2),
        "device": run.manifest.get("device", ""),
        "photographs": dict(Counter(image.get("source", folder.name) for image in there)),
        "licences": dict(Counter(names.get(i.get("license"), "not named") for i in there).most_common()),
    }


def _measured(weights: Weights, folder: Path) -> dict:
    """PCK by the thesis's radius on validation and test photographs, the latter taken apart; OKS; persons a second."""
    prepared, config = as_trained(weights, folder), PckConfig()
    if prepared.schema.names != weights.card.keypoints:
        raise InputError(
            f"'{folder.name}' has other keypoints than {weights.name}: measure it on data that have its own."
        )
    reader = Reader(weights.network, np.asarray(weights.card.mean_rgb, np.float32))
    val, test = (prepared.split(name) for name in ("val", "test"))
    choice = passes.compared(reader, val, prepared.schema, config)
    began = time.process_time()
    made = passes.compared(reader, test, prepared.schema, config)
    seconds = time.process_time() - began

    def best(mirrored: bool) -> str:
        names = [name for name in choice.offsets if name.endswith(passes.MIRRORED) == mirrored]
        return max(names, key=lambda name: choice.pck(name, config.radius).value)

    plain, mirrored = best(False), best(True)
    hits, counted = made.hits(mirrored, config.radius), made.counted
    sides = test.squares[:, 2]
    own = evaluate(weights, "test", data=str(folder))

    def part(chosen: np.ndarray) -> dict:
        return _share(pooled_pck(hits, counted & chosen, test.image_ids), int((counted & chosen).sum()))

    everybody = np.ones_like(counted)
    return {
        "data": folder.name,
        "persons": {"val": len(val), "test": len(test)},
        "photographs": {s.name: len(np.unique(s.image_ids)) for s in (val, test)},
        "decoding": plain,
        "pck": {
            # as the thesis counts, between whole cells of the map
            "cells": _share(own.interval, own.pck.counted),
            "cells_mirrored": _share(
                pooled_pck(_cell_hits(made, test, weights, config), counted, test.image_ids), int(counted.sum())
            ),
            "decoded": _share(made.pck(plain, config.radius), int(counted.sum())),
            "mirrored": part(everybody),
        },
        "validation": {name: round(choice.pck(name, config.radius).value, 4) for name in (plain, mirrored)},
        "mirrored": mirrored,
        "by_keypoint": {name: part(np.arange(counted.shape[1]) == k) for k, name in enumerate(prepared.schema.names)},
        "by_visibility": {f"v = {v}": part(test.visibility == v) for v in (2, 1)},
        "by_side": {
            f"{low} to {high}" if high < SIZES[-1] else f"{low} and more": part(
                everybody & ((sides >= low) & (sides < high))[:, None]
            )
            for low, high in pairwise(SIZES)
        },
        "oks": {"mean": own.oks[0], "persons": own.oks[1], **{k: own.precision[k] for k in ("AP", "AP50", "AP75")}},
        # both the crop and its mirror image are looked at, and decoded four ways
        "speed": {"persons_per_second": round(2 * len(test) / seconds, 1), "device": device_name()},
    }


def _cell_hits(
    made: passes.Decodings, split: PreparedSplit, weights: Weights, config: PckConfig
) -> np.ndarray:  # fmt: skip
    """(N, K) bool: the highest cells of the maps' mean with the mirror image, found as the thesis counts."""
    side, stride = split.crops.shape[1], weights.card.model.stride
    true = torch.from_numpy(np.array(split.keypoints[..., :2]))
    points = torch.from_numpy(made.offsets[f"argmax{passes.MIRRORED}"]) + true
    guess = ((points + 0.5) / stride - 0.5).round().long()
    return found(guess, cells(true, side, side // stride), size=side // stride, config=config).numpy()


def _share(measured: Estimate, counted: int) -> dict:
    """A PCK with its interval over photographs, and how many keypoints it counts; JSON-able."""
    bounds = (measured.value, measured.low, measured.high)
    value, low, high = (round(float(b), 4) if np.isfinite(b) else None for b in bounds)
    return {"value": value, "low": low, "high": high, "counted": counted}
