"""What is trained, and on whom: an hourglass on persons, an autoencoder on latents. Thesis 5.1 and 7.2.

Nothing here asks where data or runs lie: all that changes a training's result is handed in.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from hgnb.data.dataset import EpochSampler
from hgnb.data.prepared import Prepared, PreparedSplit
from hgnb.data.schema import exchanged
from hgnb.model.autoencoder import AutoencoderConfig
from hgnb.training.batches import loaded
from hgnb.training.configs import TrainingConfig
from hgnb.training.job import Job, Start
from hgnb.training.parallel import Team
from hgnb.training.profiles import Profile


def hourglass_job(
    profile: Profile,
    data: Prepared,
    training: TrainingConfig,
    seed: int,
    team: Team,
    autoencoder: AutoencoderConfig | Sequence[AutoencoderConfig] | None = None,
    start: Start | None = None,
) -> Job:
    """The profile's network with as many heatmaps as the data have keypoints, on the training persons."""
    from hgnb.training.modules import PoseModule

    p, model = profile, replace(profile.model, keypoints=len(data.schema))
    persons = _normalisable(p, data.split("train"), training.batch * team.size)
    module = PoseModule(
        model, training, p.heatmaps, p.pck, mean_rgb=data.mean_rgb, side=p.data.side,
        autoencoder=autoencoder, exchange=exchanged(data.schema),
        weights=balance(persons.visibility >= training.least_visibility) if training.balance else None,
    )  # fmt: skip
    train = loaded(persons, training.batch, seed, team.rank, team.size)
    val = loaded(data.split("val"), 64, None, team.rank, team.size)
    return Job(module, train, val, training.epochs, ("val_pck", "val_loss"), persons.person_ids, None, start)


def autoencoder_job(
    profile: Profile, shape: AutoencoderConfig, train: np.ndarray, val: np.ndarray, persons: np.ndarray, seed: int,
    team: Team,
) -> Job:  # fmt: skip
    """An autoencoder of that shape on latents (N, C, s, s) of the training and the validation persons.

    `persons`: (N,) ids of the training persons.
    """
    from hgnb.training.modules import AutoencoderModule

    training = profile.autoencoder_training
    module = AutoencoderModule(tuple(train.shape[1:]), shape, training, seed)
    shuffled, ordered = _batches(train, training.batch, seed, team), _batches(val, training.batch, None, team)
    return Job(module, shuffled, ordered, training.epochs, ("val_loss",), persons)


def _batches(latents: np.ndarray, batch: int, seed: int | None, team: Team) -> torch.utils.data.DataLoader:
    sampler = EpochSampler(len(latents), batch, seed, team.rank, team.size)
    placed = torch.utils.data.TensorDataset(torch.from_numpy(latents), torch.arange(len(latents)))
    return torch.utils.data.DataLoader(placed, sampler=sampler, batch_size=None)


def _normalisable(profile: Profile, persons: PreparedSplit, batch: int) -> PreparedSplit:
    """All persons, but where the bottleneck's maps are single pixels not one who would be alone in the last batch:
    a batch norm can't be trained on a single value."""
    pixels = profile.data.side // profile.model.stride >> max(profile.model.levels)
    alone = len(persons) % batch == 1 and pixels == 1
    return persons.take(np.arange(len(persons) - 1)) if alone else persons


def balance(counted: np.ndarray) -> np.ndarray:
    """(K,) weights by which each keypoint's maps weigh the same in a loss, 1 on average; counted (N, K) bool."""
    share = 1 / np.maximum(counted.mean(0), 1 / len(counted))
    return share / share.mean()
