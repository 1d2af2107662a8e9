"""What one gets without a network: the lines that a training has to cross. Explained in 02_experiment."""

from dataclasses import dataclass

import numpy as np
import torch

from hgnb.data.dataset import Persons, loader
from hgnb.data.heatmaps import HeatmapConfig, cells, heatmaps
from hgnb.metrics import PckConfig, found, pck


@dataclass(frozen=True)
class Baselines:
    """Scores of two predictors that never look at the image, on the persons of `val`."""

    zero_loss: float  # MSE of predicting nothing
    mean_map_loss: float  # MSE of each joint's mean heatmap over the training persons
    mean_pose_pck: float  # PCK of each joint's mean position over the training persons


def baselines(
    train: Persons, val: Persons, *, side: int, stride: int, maps: HeatmapConfig, config: PckConfig
) -> Baselines:
    """Both predictors are fitted on `train` (labelled joints only) and scored on `val`."""
    size = side // stride

    def targets(persons: Persons):
        for batch in loader(persons, 256):
            yield batch, heatmaps(batch.points, batch.visibility, side=side, size=size, config=maps)

    mean_map = sum(t.double().sum(0) for _, t in targets(train)) / len(train.keypoints)
    zero = error = 0.0
    for _, target in targets(val):
        target = target.double()
        zero += float(target.square().sum())
        error += float((target - mean_map).square().sum())
    elements = len(val.keypoints) * mean_map.numel()
    hits = torch.from_numpy(mean_pose_hits(train, val, side, stride, config))
    return Baselines(zero / elements, error / elements, float(pck(hits, torch.from_numpy(val.keypoints[..., 2]))))


def mean_pose_hits(train: Persons, persons: Persons, side: int, stride: int, config: PckConfig) -> np.ndarray:
    """(N, K) bool: keypoints of `persons` that each joint's mean position over the labelled of `train` finds."""
    size = side // stride
    keypoints = torch.from_numpy(train.keypoints).double()
    labelled = (keypoints[..., 2:] > 0).double()
    mean_pose = (keypoints[..., :2] * labelled).sum(0) / labelled.sum(0).clamp(min=1)  # (K, 2)
    true = cells(torch.from_numpy(persons.keypoints[..., :2]), side, size)
    guess = cells(mean_pose.expand(len(true), -1, -1), side, size)
    return found(guess, true, size=size, config=config).numpy()
