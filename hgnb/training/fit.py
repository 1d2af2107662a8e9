"""`fit`: a finished run loads, an unfinished one resumes, a missing one trains. Explained in 02_experiment.

What is trained, and on whom: an hourglass on persons, an autoencoder on latents (thesis 5.1 and 7.2). Nothing here asks
where data or runs lie: all that changes a training's result is handed in. Lightning is loaded where there is something
to train, and not before: it takes longer than all else together.
"""

from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from filelock import FileLock
from torch.utils.data import DataLoader

from hgnb.data.dataset import EpochSampler
from hgnb.data.prepared import Prepared, PreparedSplit
from hgnb.data.schema import exchanged
from hgnb.errors import unknown
from hgnb.model.hourglass import Autoencoder, AutoencoderConfig
from hgnb.training.catalogue import Card
from hgnb.training.parallel import Team, team
from hgnb.training.passes import loaded
from hgnb.training.profiles import Profile, TrainingConfig
from hgnb.training.runs import Recipe, Run, runs_folder

if TYPE_CHECKING:
    from hgnb.training.modules import Tracked


@dataclass(frozen=True)
class Start:
    """A checkpoint of another run, and what is taken from it besides the weights."""

    run: Run
    checkpoint: str  # "last", "drop", "best-val_pck" or "best-val_loss"
    optimiser: bool = False
    rate: bool = False
    rule: bool = False


@dataclass(frozen=True)
class Job:
    """What a recipe trains."""

    module: "Tracked"
    train: DataLoader
    val: DataLoader
    epochs: int
    best_by: tuple[str, ...]  # columns of the metrics whose best epoch keeps its weights
    person_ids: np.ndarray  # (N,), of the training persons, for messages
    card: Card | None = None  # kept with the weights
    start: Start | None = None  # the checkpoint it goes on from


_FINISHED_ONLY: ContextVar[bool] = ContextVar("finished_only", default=False)


class Untrained(Exception):
    """A run that isn't finished was asked for where nothing may be trained; its id."""


@contextmanager
def finished_only():
    """Within the block `fit` trains nothing: it gives finished runs and raises Untrained for others."""
    token = _FINISHED_ONLY.set(True)
    try:
        yield
    finally:
        _FINISHED_ONLY.reset(token)


def fit(recipe: Recipe, prepare: Callable[[Team], Job], progress: bool = False) -> Run:
    """The run of a recipe. `prepare` builds the job, and is called only if there is something to train."""
    with team() as those:
        folder = runs_folder() / recipe.id
        if _FINISHED_ONLY.get() and not (folder / "manifest.json").exists():
            raise Untrained(recipe.id)
        folder.mkdir(parents=True, exist_ok=True)
        # Two chapters may ask for the same run at once; of a team, one process asks for all.
        with FileLock(folder / ".lock") if those.leads else nullcontext():
            if those.agreed(not (folder / "manifest.json").exists()):
                from hgnb.training.loop import train

                train(recipe, prepare, folder, those, progress)
            those.agreed(None)  # nobody reads the run before it is written
    return Run(folder)


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
    persons = normalisable(p, data.split("train"), training.batch * team.size)
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


def normalisable(profile: Profile, persons: PreparedSplit, batch: int) -> PreparedSplit:
    """All persons, but where the bottleneck's maps are single pixels not one who would be alone in the last batch:
    a batch norm can't be trained on a single value."""
    pixels = profile.data.side // profile.model.stride >> max(profile.model.levels)
    alone = len(persons) % batch == 1 and pixels == 1
    return persons.take(np.arange(len(persons) - 1)) if alone else persons


def balance(counted: np.ndarray) -> np.ndarray:
    """(K,) weights by which each keypoint's maps weigh the same in a loss, 1 on average; counted (N, K) bool."""
    share = 1 / np.maximum(counted.mean(0), 1 / len(counted))
    return share / share.mean()


# Autoencoders that nothing was learned for: controls of chapter 04 (claims C25, C27); explained in 04_improvement.
# `random`: Glorot's weights, as they were drawn. `projection`: the principal components of the latents, as many as
# the code has dimensions, which an autoencoder without convolutions can hold exactly: its two linear layers are
# z = W (x - m) and y = W^T z + m. Either is put into a trained hourglass, which then learns around it.
KINDS = ("random", "projection")


def shaped(config: AutoencoderConfig, kind: str) -> AutoencoderConfig:
    """The shape of an autoencoder of this kind; a projection has a code of the same size and no convolutions."""
    return replace(config, halvings=0) if kind == "projection" else config


def freeze(autoencoder: Autoencoder, kind: str, latents: Callable[[], np.ndarray]) -> None:
    """Gives an autoencoder the weights of its kind and keeps training from changing them.

    `latents`: makes the (N, C, s, s) that a projection is fitted on; not called for the other kind.
    """
    if kind not in KINDS:
        raise unknown("frozen autoencoder", kind, KINDS)
    if kind == "projection":
        project(autoencoder, latents())
    autoencoder.requires_grad_(False)


@torch.no_grad()
def project(autoencoder: Autoencoder, latents: np.ndarray) -> None:
    """Makes an autoencoder without convolutions the projection of latents (N, C, s, s) on their first components.

    N persons have at most N - 1 components; what the code has more stays zero.
    """
    from sklearn.decomposition import PCA

    flat = latents.reshape(len(latents), -1).astype(np.float64)
    count = min(autoencoder.config.code, len(flat) - 1, flat.shape[1])
    # both are exact; for more persons than dimensions the covariance is the smaller problem
    pca = PCA(count, svd_solver="covariance_eigh" if len(flat) > flat.shape[1] else "full").fit(flat)
    axes = np.zeros((autoencoder.config.code, flat.shape[1]))
    axes[:count] = pca.components_
    encode, decode = autoencoder.encoder[-1], autoencoder.decoder[0]
    for parameter, value in (
        (encode.weight, axes), (encode.bias, -axes @ pca.mean_), (decode.weight, axes.T), (decode.bias, pca.mean_),
    ):  # fmt: skip
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
