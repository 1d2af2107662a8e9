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
from hgnb.home import home
from hgnb.metrics import PckConfig, found
from hgnb.stats import Estimate
from hgnb.stats import pck as pooled_pck
from hgnb.training import passes
from hgnb.training.catalogue import RELEASED_FILE, Weights, find, opened
from hgnb.training.evaluation import as_trained, evaluate
from hgnb.training.hardware import device_name
from hgnb.training.passes import Reader
from hgnb.training.runs import Run, write_aside

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
    folder = (home() / Path(data).expanduser()).resolve()
    manifest = {
        "sha256": weights.sha256,
        "bytes": len(content),
        "made": date.today().isoformat(),
        "parameters": weights.run.manifest["parameters"],
        "side": weights.card.side,
        "trainings": [_training(run) for run in _chain(weights.run)],
        **_measured(weights, folder),
    }
    RELEASED_FILE.parent.mkdir(exist_ok=True)
    write_aside(RELEASED_FILE, content)
    write_aside(RELEASED_FILE.with_suffix(".json"), f"{json.dumps(manifest, indent=1)}\n".encode())
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


def page() -> str:
    """What the model card shows of the released network, in MyST."""
    file = RELEASED_FILE.with_suffix(".json")
    if not file.is_file():
        return "This copy of the library comes without released weights.\n"
    held = json.loads(file.read_text(encoding="utf8"))
    pck, oks = held["pck"], held["oks"]
    widest = max(held["trainings"], key=lambda one: sum(one["photographs"].values()))
    lines = [
        f"`hgnb predict` uses it where no run is named: {held['parameters']:,} parameters in "
        f"{held['bytes'] / 1e6:.1f} MB, crops of {held['side']} pixels, made {held['made']}, sha256 "
        f"`{held['sha256'][:16]}…`.",
        "",
        f"On the {held['persons']['test']:,} persons of {held['photographs']['test']:,} test photographs of "
        f"`{held['data']}`, boxes given, it finds **{_told(pck['mirrored'])}** of {pck['mirrored']['counted']:,} "
        f"labelled keypoints within the thesis's radius (averaged with the mirror image, by `{held['mirrored']}`, "
        f"chosen on validation photographs); without the mirror image {_told(pck['decoded'])} (`{held['decoding']}`); "
        f"between whole cells of the map, as the thesis counts, {_told(pck['cells'])}, with the mirror image "
        f"{_told(pck['cells_mirrored'])}.",
        f"OKS over {oks['persons']:,} persons whose areas are official: mean {_number(oks['mean'])}, AP "
        f"{_number(oks['AP'])}, AP50 {_number(oks['AP50'])}.",
        f"It looks at {held['speed']['persons_per_second']:g} persons in a second of one core "
        f"({held['speed']['device']}).",
        "",
        "| trained by | photographs | crops | epochs | hours |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for one in held["trainings"]:
        sources = ", ".join(f"{count:,} {name}" for name, count in one["photographs"].items())
        lines.append(f"| `{one['command']}` | {sources} | {one['side']} px | {one['epochs']} | {one['hours']:g} |")
    lines += ["", "| keypoints | PCK, mirrored | counted |", "| --- | ---: | ---: |"]
    for title, name in (("", "by_keypoint"), ("", "by_visibility"), ("side of the crop, ", "by_side")):
        unit = " px" if title else ""
        lines += [
            f"| {title}{key.replace('_', ' ')}{unit} | {_told(one)} | {one['counted']:,} |"
            for key, one in held[name].items()
        ]
    licences = "; ".join(f"{count:,} {name}" for name, count in widest["licences"].items())
    lines += ["", f"Licences of the photographs that it was trained on: {licences}. Research use.", ""]
    return "\n".join(lines)


def _told(share: dict) -> str:
    if share["value"] is None:
        return "–"
    if share["low"] is None:  # nothing varies, so there is no interval
        return _number(share["value"])
    return f"{share['value']:.3f} ({share['low']:.3f} to {share['high']:.3f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
