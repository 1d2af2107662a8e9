"""What a network costs, by part: parameters, operations, kept maps; from a traced pass. Explained in 02_experiment."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hgnb.model.hourglass import StackedHourglass

# The first that occurs in a module's name; an autoencoder has an encoder of its own. Somebody's own is one part.
PARTS = {
    "network": "backbone.", "stem": "stem.", "autoencoder": ".autoencoder.", "down": ".encoder.", "skips": ".skips.",
    "bottleneck": ".bottleneck.", "up": ".decoder.", "head": "heads.", "merges": "from_",
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """A part of a network; operations are those of one crop's forward pass."""

    part: str
    parameters: int
    macs: int  # multiply-accumulates of convolutions and linear layers; all else is below a hundredth of them

    @property
    def gflop(self) -> float:
        """10^9 floating-point operations: two for each multiply-accumulate."""
        return 2 * self.macs / 1e9


def part(name: str) -> str:
    """The part that a module or parameter belongs to, by its name."""
    return next(part for part, mark in PARTS.items() if mark in name)


def costs(network: StackedHourglass, side: int) -> list[Cost]:
    """Cost of each part the network has, in the order of PARTS; a blank crop is sent through to see every shape.

    >>> network = StackedHourglass(HourglassConfig(depth=2, channels=8, inner=4, stem=8))
    >>> sum(cost.parameters for cost in costs(network, 64)) == sum(p.numel() for p in network.parameters())
    True
    """
    parameters, macs = dict.fromkeys(PARTS, 0), dict.fromkeys(PARTS, 0)
    for name, value in network.named_parameters():
        parameters[part(name)] += value.numel()
    for name, _, output, layer in layers(network, side):
        # an output takes one for each weight of its filter
        macs[part(name)] += math.prod(output[1:]) * layer.weight[0].numel()
    return [Cost(name, parameters[name], macs[name]) for name in PARTS if parameters[name]]


def layers(network: nn.Module, side: int) -> list[tuple[str, torch.Size, torch.Size, nn.Module]]:
    """(name, shape in, shape out, layer) of every convolution and linear layer, as a crop of `side` pixels meets it."""
    seen, hooks = [], []
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):

            def note(layer, inputs, output, name=name):
                seen.append((name, inputs[0].shape, output.shape, layer))

            hooks.append(layer.register_forward_hook(note))
    training = network.training
    with torch.inference_mode():
        network.eval()(_blank(network, side))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return seen


def kept_bytes(network: StackedHourglass, side: int) -> int:
    """Bytes of maps that one crop's forward pass keeps for the backward pass; grows with the batch."""
    weights = {value.data_ptr() for value in network.state_dict().values()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()  # a map that two layers keep lies in memory once
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # itself it would hold the graph that holds it, and neither would ever be freed

    training = network.training
    # The output and its graph live until the count is done, or a freed map's place would be given to the next.
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = network.eval().predictions(_blank(network, side))
    network.train(training)
    del output
    return sum(kept.values())


def _blank(network: nn.Module, side: int) -> Tensor:
    """(1, 3, side, side) of zeros where the network is."""
    return torch.zeros(1, 3, side, side, device=next(network.parameters()).device)
