"""How many channels each part of the hourglass needs. Thesis 8.4, left to others; explained in 07_beyond.

Section 6.3 asks it of the bottleneck, flattened: there a person is a point of 4,096 dimensions. Elsewhere the maps are
too large to flatten (a skip's are 256 x 64 x 64), so here channels are the variables and every pixel of every person is
a point. A part's output is replaced by its mean and its first k components at each pixel, and the rest of the network
decodes that. Components are of some persons, PCK is of others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hgnb.analysis.components import Components, principal
from hgnb.analysis.interventions import BOTTLENECK, Edit, intervene, outputs
from hgnb.analysis.truncation import Truncation
from hgnb.data.prepared import PreparedSplit
from hgnb.metrics import PckConfig
from hgnb.model.hourglass import Hourglass
from hgnb.training.passes import Reader

PIXELS = 64  # sampled of each person's map: its neighbours say nearly the same
AT_ONCE = 64  # persons whose maps are held in memory


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
    reader: Reader, seen: PreparedSplit, judged: PreparedSplit, pck: PckConfig, *, seed: int = 0, ratio: float = 2
) -> Iterator[Part]:
    """PCK of the persons `judged` at every place with 0, 1, 2, 4 … all channel components of the persons `seen`.

    `ratio`: between one number of components and the next.
    """
    whole = intervene(reader, judged, pck, [None])[0]
    for name in places(reader.network.hourglasses[0]):
        parts = principal(sampled(reader, seen, name, seed))
        counts = numbers(len(parts), ratio)
        hits = intervene(reader, judged, pck, [keep(parts, k, reader.device) for k in counts], name)
        found = dict(zip(counts, hits, strict=True))
        yield Part(name, parts, Truncation(found, whole, judged.visibility, judged.image_ids))


def numbers(most: int, ratio: float = 2) -> list[int]:
    """0, 1, 2, 4 … and all there are, for a ratio of 2; whole numbers, each once."""
    powers, k = {0, most}, 1.0
    while k < most:
        powers.add(round(k))
        k *= ratio
    return sorted(powers)


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


def needed(parts: Sequence[Part], within: float = 0.01) -> dict[str, int | None]:
    """By title, the least number of components tried that comes within a share of the whole PCK; None if none does."""
    return {part.title: part.kept.smallest(within) for part in parts}
