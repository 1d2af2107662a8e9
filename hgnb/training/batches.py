"""A prepared split as batches: for a training, or for a network that reads it once."""

from collections.abc import Iterator
from typing import cast

from torch.utils.data import DataLoader

from hgnb.data.dataset import Batch, Persons, loader
from hgnb.data.prepared import PreparedSplit
from hgnb.training.inference import Reader


def loaded(split: PreparedSplit, batch: int, seed: int | None = None, rank: int = 0, size: int = 1) -> DataLoader:
    """As hgnb.data.dataset.loader, of `size` processes the one called `rank` with its share of every batch."""
    persons = cast(Persons, split)  # `Persons` speaks of arrays that may be replaced, a loader only reads them
    return loader(persons, batch, seed, rank, size)


def read(reader: Reader, split: PreparedSplit) -> Iterator[Batch]:
    """All persons in order, on the reader's device."""
    for batch in loaded(split, reader.batch):
        yield batch.to(reader.device)
