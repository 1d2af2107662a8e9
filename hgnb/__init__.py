"""The library behind the book: a stacked hourglass for 2D human pose, and what its latent space holds.

What a program of one's own begins with stands here by name, `from hgnb import StackedHourglass, pck`; each is loaded
when it is asked for. The page "Reference" of the book is made from their docstrings.
"""

import os
from importlib import import_module
from typing import Any

if os.environ.get("HGNB_DEVICE") == "cpu":  # before torch looks for graphics cards
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

__version__ = "0.1.0"

PUBLIC = {
    "HourglassConfig": "hgnb.model.config.HourglassConfig",
    "StackedHourglass": "hgnb.model.hourglass.StackedHourglass",
    "AutoencoderConfig": "hgnb.model.config.AutoencoderConfig",
    "Autoencoder": "hgnb.model.hourglass.Autoencoder",
    "costs": "hgnb.model.cost.costs",
    "CropTransform": "hgnb.data.crops.CropTransform",
    "square_of_box": "hgnb.data.crops.square_of_box",
    "HeatmapConfig": "hgnb.data.heatmaps.HeatmapConfig",
    "heatmaps": "hgnb.data.heatmaps.heatmaps",
    "PckConfig": "hgnb.metrics.keypoints_found.PckConfig",
    "peaks": "hgnb.metrics.keypoints_found.peaks",
    "decoded": "hgnb.metrics.decoding.decoded",
    "found": "hgnb.metrics.keypoints_found.found",
    "pck": "hgnb.metrics.keypoints_found.pck",
    "within_heads": "hgnb.metrics.pckh.within_heads",
    "oks": "hgnb.metrics.oks.oks",
    "load_profile": "hgnb.training.profiles.load",
    "Experiment": "hgnb.training.experiment.Experiment",
    "weights": "hgnb.training.catalogue.weights",
    "predict": "hgnb.training.prediction.predict",
    "evaluate": "hgnb.training.evaluation.evaluate",
    "principal": "hgnb.analysis.components.principal",
    "Estimate": "hgnb.stats.estimate.Estimate",
    "crossed": "hgnb.stats.crossing.crossed",
    "find_record": "hgnb.records.find",
    "judged": "hgnb.claims.collect.judged",
    "InputError": "hgnb.errors.InputError",
}  # where each is at home, in the order of the page

__all__ = list(PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'hgnb' has no attribute '{name}'")
    room, _, own = PUBLIC[name].rpartition(".")
    return getattr(import_module(room), own)


def __dir__() -> list[str]:
    return sorted([*globals(), *PUBLIC])
