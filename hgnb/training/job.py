"""What a training is handed: the module, its persons, and the checkpoint that it starts from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch.utils.data import DataLoader

from hgnb.training.card import Card
from hgnb.training.runs import Run

if TYPE_CHECKING:  # Lightning takes longer to load than all else together
    from hgnb.training.modules import Tracked


@dataclass(frozen=True)
class Start:
    """A checkpoint of another run, and what is taken from it besides the weights."""

    run: Run
    checkpoint: str  # "last", "drop", "best-val_pck" or "best-val_loss"
    optimiser: bool
    rate: bool
    rule: bool


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
