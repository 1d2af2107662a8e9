"""What the network says when its latents are replaced: components kept or removed, walked along, moved across.

Thesis 6.3 looks at the persons nearest a point of the latent space; here the point itself is decoded, so that what is
seen is the network's doing. Each person is encoded once and decoded once for every replacement. Of several stacks the
first hourglass is studied, with its own heatmaps. Any layer of it can stand in for the bottleneck. 03_interpretation.

What correcting the misplaced persons would gain (thesis 8.4, its last question; 07_beyond) is asked so too: their
latents are moved to the other cluster, along the line between the two centroids. Who is well placed is moved alike, and
both also as far in a direction drawn by lot, so that what is measured isn't the harm of any move.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from hgnb.analysis.clusters import Clustering
from hgnb.analysis.components import Components
from hgnb.analysis.misplaced import Raised, raised
from hgnb.analysis.skips import hits_of
from hgnb.data.prepared import PreparedSplit
from hgnb.errors import unknown
from hgnb.metrics import PckConfig
from hgnb.model.hourglass import Hourglass, Skips, StackedHourglass
from hgnb.stats import Estimate, pck_difference
from hgnb.training import passes
from hgnb.training.passes import Reader

Edit = Callable[[Tensor], Tensor]  # (B, D) flattened outputs of a layer -> (B, D) that take their place
BOTTLENECK, CODE = "bottleneck", "code"
STEPS = (0.5, 1.0)  # of the way from centroid to centroid
MOST, RAISED = 150, 600  # persons of each kind that are moved, and of all on whom what is won rests, by lot
ACROSS, ASTRAY = "to the other centroid", "as far, by lot"


@dataclass(frozen=True)
class Space:
    """Components of a layer's output, on the network's device."""

    mean: Tensor  # (D,)
    axes: Tensor  # (n, D)

    @classmethod
    def of(cls, parts: Components, device: torch.device) -> "Space":
        return cls(*(torch.as_tensor(a, dtype=torch.float32, device=device) for a in (parts.mean, parts.axes)))

    def keep(self, count: int) -> Edit:
        """What is left of an output when only its first components are kept; with none, the mean of all persons."""
        axes = self.axes[:count]
        return lambda x: self.mean + ((x - self.mean) @ axes.T) @ axes

    def remove(self, component: int) -> Edit:
        """The output without one component, counted from 1."""
        axis = self.axes[component - 1]
        return lambda x: x - torch.outer((x - self.mean) @ axis, axis)


def layer_of(hourglass: Hourglass, name: str) -> nn.Module:
    """'bottleneck', or 'encoder.0', 'skips.0', 'decoder.0' and so on, finest first; InputError for another name.

    'code' is the innermost layer of the autoencoder, where there is one.
    """
    if name == CODE and hourglass.autoencoder is not None:
        return hourglass.autoencoder.encoder
    known = {f"{row}.{i}" for row in ("encoder", "skips", "decoder") for i in range(len(getattr(hourglass, row)))}
    if name not in known | {BOTTLENECK}:
        raise unknown("layer", name, known | {BOTTLENECK})
    return hourglass.get_submodule(name)


@contextmanager
def replaced(module: nn.Module, edit: Edit) -> Iterator[None]:
    """Within the block the module puts out what `edit` makes of its own output."""
    hook = module.register_forward_hook(lambda _, __, output: edit(output.flatten(1)).reshape(output.shape))
    try:
        yield
    finally:
        hook.remove()


def decodings(network: StackedHourglass, x: Tensor, edits: Sequence[Edit | None], layer: str) -> Iterator[Tensor]:
    """Heatmaps (B, K, h, w) for each edit of the layer's output, None for untouched; x: what the stem puts out.

    What lies before the layer is computed once, unless the layer is a part of the encoder.
    """
    hourglass, head = network.hourglasses[0], network.heads[0]
    latents, branches = hourglass.encode(x)
    for edit in edits:
        here = latents, branches
        at: AbstractContextManager[None] = nullcontext()
        if edit is not None and layer == BOTTLENECK:
            here = edit(latents.flatten(1)).reshape(latents.shape), branches
        elif edit is not None:
            at = replaced(layer_of(hourglass, layer), edit)
        with at:
            if edit is not None and layer.startswith("encoder"):
                here = hourglass.encode(x)
            yield head(hourglass.decode(*here, True))[1]


@torch.inference_mode()
def intervene(
    reader: Reader, split: PreparedSplit, pck: PckConfig, edits: Sequence[Edit | None], layer: str = BOTTLENECK
) -> list[np.ndarray]:
    """(N, K) bool for each edit: which keypoints are found when the layer's output is replaced."""
    hits: list[list[np.ndarray]] = [[] for _ in edits]
    side = split.crops.shape[1]
    for batch in passes.read(reader, split):
        x = reader.network.stem(batch.images(reader.mean_rgb))
        for row, maps in zip(hits, decodings(reader.network, x, edits, layer), strict=True):
            row.append(hits_of(maps, batch.points, side, pck))
    return [np.concatenate(row) for row in hits]


@torch.inference_mode()
def outputs(reader: Reader, split: PreparedSplit, layer: str = BOTTLENECK) -> np.ndarray:
    """(N, D) float32: what the layer puts out for each person, flattened."""
    found: list[np.ndarray] = []

    def note(x: Tensor) -> Tensor:
        found.append(x.float().cpu().numpy())
        return x

    for batch in passes.read(reader, split):
        x = reader.network.stem(batch.images(reader.mean_rgb))
        list(decodings(reader.network, x, [note], layer))
    return np.concatenate(found)


@torch.inference_mode()
def heatmaps(reader: Reader, split: PreparedSplit, skips: Skips = True) -> np.ndarray:
    """(N, K, h, w) float32 heatmaps of the first hourglass; for a few persons to be drawn."""
    hourglass, head, maps = reader.network.hourglasses[0], reader.network.heads[0], []
    for batch in passes.read(reader, split):
        x = reader.network.stem(batch.images(reader.mean_rgb))
        maps.append(head(hourglass.decode(*hourglass.encode(x), skips))[1].float().cpu().numpy())
    return np.concatenate(maps)


@torch.inference_mode()
def decoded(reader: Reader, points: np.ndarray, person: PreparedSplit) -> np.ndarray:
    """(S, K, h, w) heatmaps of the latents (S, D) with the branches of `person`, a split of one.

    Branches are the same for every point, so that whatever differs comes from the latents alone.
    """
    hourglass, head = reader.network.hourglasses[0], reader.network.heads[0]
    images = torch.from_numpy(np.array(person.crops)).permute(0, 3, 1, 2).to(reader.device).float() / 255
    one, branches = hourglass.encode(reader.network.stem(images - reader.mean_rgb.view(1, 3, 1, 1)))
    latents = torch.as_tensor(points, dtype=torch.float32, device=reader.device).reshape(-1, *one.shape[1:])
    maps = []
    for block in latents.split(reader.batch):
        own = [b.expand(len(block), *b.shape[1:]) for b in branches]
        maps.append(head(hourglass.decode(block, own, True))[1].float().cpu().numpy())
    return np.concatenate(maps)


# Misplaced persons moved


@dataclass(frozen=True)
class Moved:
    """PCK after a move less PCK before it, of the persons moved, paired by image."""

    who: str  # 'misplaced' or 'well placed'
    where: str  # ACROSS or ASTRAY
    step: float
    gain: Estimate
    persons: int


def answer(
    reader: Reader, split: PreparedSplit, group: Clustering, pck: PckConfig, *, layer: str = BOTTLENECK, seed: int = 0
) -> tuple[Raised, list[Moved]]:
    """What correcting the misplaced of two clusters would gain, if they became as the well placed and where they are
    moved. The arguments are those of `moves`."""
    chosen = some(group.misplaced.judged, RAISED, seed)
    found, judged = np.zeros(len(split), int), np.zeros(len(split), bool)
    if len(chosen):  # nobody can be judged where everybody is labelled alike
        made = reader.predict(split.take(chosen))
        found[chosen] = (made.hits(pck) & (made.visibility > 0)).sum(1).numpy()
        judged[chosen] = True
    wrong = replace(group.misplaced, judged=judged)
    return raised(wrong, found, split.labelled), moves(reader, split, group, pck, layer=layer, seed=seed)


def moves(
    reader: Reader, split: PreparedSplit, group: Clustering, pck: PckConfig, *, layer: str = BOTTLENECK, seed: int = 0
) -> list[Moved]:
    """The misplaced and the well placed of two clusters moved; split: the persons of `group`, in its order.

    layer: where the points of `group` come from, latents or an autoencoder's codes.
    """
    ways = [(where, step, step * way) for where, way in _ways(group, seed).items() for step in STEPS]
    wrong, made = group.misplaced, []
    for who, flags in (("misplaced", wrong.flags), ("well placed", ~wrong.flags)):
        rows = some(wrong.judged & flags, MOST, seed)
        before, *after = _found(reader, split, group.labels, rows, [shift for *_, shift in ways], pck, layer)
        counted, images = split.visibility[rows] > 0, split.image_ids[rows]
        for (where, step, _), hits in zip(ways, after, strict=True):
            made.append(Moved(who, where, step, pck_difference(hits, before, counted, images), len(rows)))
    return made


def shifted(reader: Reader, split: PreparedSplit, group: Clustering, pck: PckConfig, seed: int) -> list[np.ndarray]:
    """(N, K) bool twice: what is found of every person of two clusters of latents once they are moved to the other
    centroid, and once as far by lot."""
    ways = list(_ways(group, seed).values())
    return _found(reader, split, group.labels, np.arange(len(split)), ways, pck, BOTTLENECK)[1:]


def _ways(group: Clustering, seed: int) -> dict[str, np.ndarray]:
    """(D,) from the first centroid to the second, and a way as long by lot."""
    first, second = (group.points[group.labels == c].mean(0, dtype=float) for c in (0, 1))
    gap = second - first
    stray = np.random.default_rng(seed).normal(size=gap.shape)
    return {ACROSS: gap, ASTRAY: stray * (np.linalg.norm(gap) / np.linalg.norm(stray))}


def some(flags: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Ascending positions of `most` persons among those flagged, by lot, or of all."""
    return np.sort(np.random.default_rng(seed).permutation(np.flatnonzero(flags))[:most])


def _found(reader, split, labels, rows, shifts, pck, layer) -> list[np.ndarray]:
    """(n, K) bool: found untouched, and after each shift, which a person of cluster 1 takes backwards."""
    out = [np.zeros((len(rows), split.keypoints.shape[1]), bool) for _ in range(len(shifts) + 1)]
    for cluster, sign in ((0, 1.0), (1, -1.0)):
        inside = labels[rows] == cluster
        if inside.any():
            ways = [torch.as_tensor(sign * s, dtype=torch.float32, device=reader.device) for s in shifts]
            edits = [None, *(partial(torch.add, way) for way in ways)]
            for held, found in zip(out, intervene(reader, split.take(rows[inside]), pck, edits, layer), strict=True):
                held[inside] = found
    return out
