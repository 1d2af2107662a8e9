"""What the network says when its latents are replaced: components kept, removed or walked along. 03_interpretation.

Thesis 6.3 looks at the persons nearest a point of the latent space; here the point itself is decoded, so that what is
seen is the network's doing. Each person is encoded once and decoded once for every replacement. Of several stacks the
first hourglass is studied, with its own heatmaps. Any layer of it can stand in for the bottleneck.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hgnb.analysis.components import Components
from hgnb.analysis.latents import hits_of
from hgnb.data.prepared import PreparedSplit
from hgnb.errors import unknown
from hgnb.metrics import PckConfig
from hgnb.model.hourglass import Hourglass, Skips, StackedHourglass
from hgnb.training import passes
from hgnb.training.passes import Reader

Edit = Callable[[Tensor], Tensor]  # (B, D) flattened outputs of a layer -> (B, D) that take their place
BOTTLENECK, CODE = "bottleneck", "code"


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
def decoded(reader: Reader, points: np.ndarray, person: PreparedSplit, skips: Skips = True) -> np.ndarray:
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
        maps.append(head(hourglass.decode(block, own, skips))[1].float().cpu().numpy())
    return np.concatenate(maps)
