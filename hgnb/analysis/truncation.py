"""How many components the network needs: PCK with the first k kept, and with one removed. 03_interpretation, 07_beyond.

Thesis 6.3 concludes from unchanged pictures that components from the 50th on are noise (C11). Here they are taken away,
and what the network then finds is counted; components are of some persons, PCK is of others.

Of the other parts of the hourglass the thesis leaves the question to others (8.4). There the maps are too large to
flatten (a skip's are 256 x 64 x 64), so channels are the variables and every pixel of every person is a point.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from hgnb.analysis.components import Components, principal
from hgnb.analysis.interventions import BOTTLENECK, Edit, Space, intervene, outputs
from hgnb.data.prepared import PreparedSplit
from hgnb.metrics import PckConfig
from hgnb.model.hourglass import Hourglass
from hgnb.stats import Estimate, halves, pck, pck_difference
from hgnb.training.passes import Reader

WITHIN = 0.01  # of the full PCK
NOISE_FROM = 50  # thesis 6.3: components from here on act as noise
PROBES = 15  # numbers of components tried in one pass
Fold = tuple[np.ndarray, Components]  # (n,) rows of a split, and the components that are kept of them
PIXELS = 64  # sampled of each person's map: its neighbours say nearly the same
AT_ONCE = 64  # persons whose maps are held in memory


@dataclass(frozen=True)
class Truncation:
    """What N persons' keypoints become when their latents keep only the first k components."""

    hits: dict[int, np.ndarray]  # (N, K) bool by k, ascending; k = 0 leaves the mean
    whole: np.ndarray  # (N, K) bool with untouched latents
    visibility: np.ndarray  # (N, K)
    images: np.ndarray  # (N,)

    @property
    def counts(self) -> list[int]:
        """The values of k."""
        return list(self.hits)

    @cached_property
    def full(self) -> Estimate:
        """PCK with untouched latents."""
        return pck(self.whole, self.visibility > 0, self.images)

    def pck(self, k: int) -> Estimate:
        """PCK with the first k components."""
        return pck(self.hits[k], self.visibility > 0, self.images)

    def lost(self, k: int) -> Estimate:
        """PCK that is lost without the components behind the k-th, paired over the same persons."""
        return pck_difference(self.whole, self.hits[k], self.visibility > 0, self.images)

    def enough(self, k: int) -> bool:
        """Whether PCK with k components is at least the full one less 1 % of it."""
        some, all_ = (int((hits & (self.visibility > 0)).sum()) for hits in (self.hits[k], self.whole))
        return some >= (1 - WITHIN) * all_

    def smallest(self) -> int | None:
        """The smallest k tried that is enough; None if none is."""
        return next((k for k in self.hits if self.enough(k)), None)


def truncate(reader: Reader, split: PreparedSplit, folds: Sequence[Fold], pck: PckConfig) -> Truncation:
    """PCK for k = 0, 1, 2, 4 … all, and around the smallest k that is within 1 % of the full PCK.

    The gap below that k is searched again in steps of a fifteenth until it is closed; if PCK doesn't rise with every
    component, the k found is the end of one rise.
    """
    spaces = [(rows, Space.of(parts, reader.device)) for rows, parts in folds]
    most = min(len(parts) for _, parts in folds)
    whole = intervene(reader, split, pck, [None])[0]
    made = Truncation({}, whole, split.visibility, split.image_ids)
    wanted = sorted({*doubling(most), min(most, NOISE_FROM - 1)})
    while wanted:
        found = {k: np.zeros(whole.shape, bool) for k in wanted}
        for rows, space in spaces:
            hits = intervene(reader, split.take(rows), pck, [space.keep(k) for k in wanted])
            for k, some in zip(wanted, hits, strict=True):
                found[k][rows] = some
        made = Truncation(dict(sorted((made.hits | found).items())), whole, split.visibility, split.image_ids)
        wanted = _between(made)
    return made


def kept(
    reader: Reader, split: PreparedSplit, parts: Components, counts: Sequence[int], pck: PckConfig,
    layer: str = BOTTLENECK,
) -> Truncation:  # fmt: skip
    """PCK with the first k of a layer's components kept, for those k of `counts` that there are; one pass.

    parts: of other persons than the split's, or components would be those of single ones.
    """
    there, space = [k for k in counts if k <= len(parts)], Space.of(parts, reader.device)
    whole, *hits = intervene(reader, split, pck, [None, *(space.keep(k) for k in there)], layer)
    return Truncation(dict(zip(there, hits, strict=True)), whole, split.visibility, split.image_ids)


def doubling(most: int) -> list[int]:
    """0, 1, 2, 4 … and `most`."""
    return sorted({0, most, *(2**i for i in range(most.bit_length()))})


def _between(made: Truncation) -> list[int]:
    """Values of k in the gap below the smallest that is enough, at most PROBES."""
    smallest = made.smallest()
    if not smallest:  # none, or 0: the latents aren't needed
        return []
    below = made.counts[made.counts.index(smallest) - 1]
    inside = np.linspace(below, smallest, min(PROBES, smallest - below - 1) + 2)[1:-1]
    return sorted({round(k) for k in inside})


def own(split: PreparedSplit, parts: Components) -> list[Fold]:
    """Everybody keeps the components `parts`."""
    return [(np.arange(len(split)), parts)]


def exchanged(split: PreparedSplit, latents: np.ndarray, seed: int) -> list[Fold]:
    """The persons of each half of the images keep components of the other half's: those that nobody of them shaped.

    latents: (N, D) of the split's persons. Empty if a half has too few persons for a component.
    """
    first = halves(split.image_ids, seed)
    folds = [(np.flatnonzero(~half), principal(latents[half])) for half in (first, ~first)]
    return folds if all(len(parts) for _, parts in folds) else []


def removed(
    reader: Reader, split: PreparedSplit, parts: Components, wanted: Sequence[int], pck: PckConfig
) -> dict[int, Estimate]:
    """PCK that is lost when one component alone is taken out of the latents, for each of those wanted that exist."""
    space, there = Space.of(parts, reader.device), [c for c in wanted if c <= len(parts)]
    whole, *hits = intervene(reader, split, pck, [None, *(space.remove(c) for c in there)])
    drops = (pck_difference(whole, h, split.visibility > 0, split.image_ids) for h in hits)
    return dict(zip(there, drops, strict=True))


# Channels, part by part


@dataclass(frozen=True)
class Part:
    """A place of the hourglass and what became of PCK with only some of its components."""

    name: str  # as hgnb.analysis.interventions.layer_of names it
    components: Components
    kept: Truncation

    @property
    def title(self) -> str:
        """'encoder, level 1'; levels count from the finest."""
        row, _, level = self.name.partition(".")
        return f"{row.removesuffix('s')}, level {int(level) + 1}" if level else row


def places(hourglass: Hourglass) -> list[str]:
    """Every part whose output can be replaced, in the order in which a crop passes them; skips by level, finest first.

    An encoder's output at a level feeds the next pooling and that level's skip; a decoder's follows the sum with it.
    """
    down = [f"encoder.{i}" for i in range(len(hourglass.encoder))]
    across = [f"skips.{i}" for i in range(len(hourglass.skips))]
    up = [f"decoder.{i}" for i in reversed(range(len(hourglass.decoder)))]
    return [*down, BOTTLENECK, *across, *up]


def study(
    reader: Reader, seen: PreparedSplit, judged: PreparedSplit, pck: PckConfig, *, seed: int = 0
) -> Iterator[Part]:
    """PCK of the persons `judged` at every place with 0, 1, 2, 4 … all channel components of the persons `seen`."""
    whole = intervene(reader, judged, pck, [None])[0]
    for name in places(reader.network.hourglasses[0]):
        parts = principal(sampled(reader, seen, name, seed))
        counts = doubling(len(parts))
        hits = intervene(reader, judged, pck, [keep(parts, k, reader.device) for k in counts], name)
        found = dict(zip(counts, hits, strict=True))
        yield Part(name, parts, Truncation(found, whole, judged.visibility, judged.image_ids))


def sampled(reader: Reader, split: PreparedSplit, name: str, seed: int) -> np.ndarray:
    """(N * p, C): what a part puts out at some pixels of each person; few persons at once, as maps can be large."""
    channels, found = reader.network.config.channels, []
    for start in range(0, len(split), AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, len(split)))
        found.append(points(outputs(reader, split.take(rows), name), channels, seed + start))
    return np.concatenate(found)


def points(flat: np.ndarray, channels: int, seed: int, pixels: int = PIXELS) -> np.ndarray:
    """(N, C * P) flattened maps -> (N * p, C): the channels at p pixels of each person, drawn by `seed`; p <= P."""
    maps = flat.reshape(len(flat), channels, -1)
    rng = np.random.default_rng(seed)
    drawn = np.argsort(rng.random((len(maps), maps.shape[2])), 1)[:, : min(pixels, maps.shape[2])]
    return np.take_along_axis(maps, drawn[:, None], 2).swapaxes(1, 2).reshape(-1, channels)


def keep(parts: Components, count: int, device: torch.device) -> Edit:
    """Flattened maps (B, C * P) with only the first `count` components of their channels at each pixel."""
    mean = torch.as_tensor(parts.mean, dtype=torch.float32, device=device)[:, None]
    axes = torch.as_tensor(parts.axes[:count], dtype=torch.float32, device=device)

    def edit(x: Tensor) -> Tensor:
        maps = x.unflatten(1, (len(mean), -1))
        return (mean + axes.T @ (axes @ (maps - mean))).flatten(1)

    return edit
