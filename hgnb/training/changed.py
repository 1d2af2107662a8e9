"""Somebody's own network, loss, numbers or measure in place of the library's: `Experiment.changed`, `train --model`.

A changed training gets an id of its own, made from the live objects; the unchanged one keeps its id. Explained in
02_experiment and on the page "Bring your own".
"""

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from hgnb.errors import InputError
from hgnb.model.hourglass import HourglassConfig, StackedHourglass

if TYPE_CHECKING:
    from hgnb.training.modules import PoseModule
    from hgnb.training.passes import Predictions

Build = Callable[[int], nn.Module]  # from the number of keypoints
CHANGED_ROOTS = ("hgnb.training.changed.Backbone", "hgnb.training.modules.ChangedModule")


@dataclass(frozen=True, eq=False)
class Change:
    """What differs from the unchanged experiment; what is empty or None doesn't."""

    name: str
    numbers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of the profile, by section
    loss: Callable[[Tensor, Tensor], Tensor] | None = None  # of heatmaps and targets (B, K, size, size)
    network: Build | None = None
    metrics: Mapping[str, Callable[["Predictions"], Any]] = field(default_factory=dict)

    def __post_init__(self):
        if not re.fullmatch(r"[\w.-]+", self.name):
            raise InputError(f"A change's name is letters, digits, '-', '_' and '.', and not {self.name!r}.")

    @property
    def trains(self) -> bool:
        """Whether there is anything to train anew: a measure alone changes no training."""
        return bool(self.numbers or self.loss or self.network)

    @property
    def own(self) -> dict[str, Any]:
        """The live objects that its training is made of, by what they stand for."""
        return {part: value for part in ("loss", "network") if (value := getattr(self, part)) is not None}

    @property
    def edition(self) -> dict[str, Any]:
        """What opens it again, as far as JSON can say; `Experiment.open` takes it."""
        return {"name": self.name, "numbers": self.numbers, "network": self.network and origin(self.network)}

    def into(self, module: "PoseModule", config: HourglassConfig) -> None:
        """Puts loss and network into a training's module, whose own definition stays the unchanged one's."""
        from hgnb.training.modules import ChangedModule

        module.__class__ = ChangedModule
        module.loss = self.loss
        if self.network:
            module.network = Backbone.built(self.network, config, module.side)


class Backbone(nn.Module):
    """Any network from crops (B, 3, side, side) to heatmaps (B, K, side/4, side/4) where an hourglass would stand.

    It has neither skips to switch nor a bottleneck: what asks for them is an InputError.
    """

    def __init__(self, backbone: nn.Module, config: HourglassConfig):
        super().__init__()
        self.backbone, self.config = backbone, config

    @classmethod
    def built(cls, build: Build, config: HourglassConfig, side: int) -> "Backbone":
        """A new network with new weights; InputError where what it puts out are no heatmaps."""
        network = cls(build(config.keypoints), config)
        size = side // config.stride
        with torch.no_grad():
            made = network.eval()(torch.zeros(2, 3, side, side))
        network.train()
        if (shape := tuple(made.shape)) != (2, config.keypoints, size, size):
            raise InputError(
                f"{origin(build)} has to map crops (B, 3, {side}, {side}) to heatmaps "
                f"(B, {config.keypoints}, {size}, {size}), and what it puts out for two crops has the shape {shape}."
            )
        return network

    def forward(self, x: Tensor, **switches) -> Tensor:
        return self.predictions(x, **switches)[-1]

    def predictions(self, x: Tensor, *, skips=True, edit=None) -> list[Tensor]:
        """Its heatmaps, float32, as those of an hourglass's stack of one."""
        if skips is not True or edit is not None:
            raise self.lacking("skips and a bottleneck")
        return [self.backbone(x).float()]

    def __getattr__(self, name: str) -> Any:
        """Asked where a name isn't found: what an hourglass has besides is an InputError."""
        if name in ("stem", "hourglasses", "heads") or (hasattr(StackedHourglass, name) and name[0] != "_"):
            raise self.lacking(name)
        return super().__getattr__(name)

    def lacking(self, what: str) -> InputError:
        """The error for what only an hourglass has."""
        return InputError(f"{type(self.backbone).__name__} is no hourglass of this library, and has no {what}.")


def origin(thing: Any) -> str:
    """'module:name' of a function or class, by which `imported` finds it where it isn't within another."""
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}:{kind.__qualname__}"


def imported(path: str) -> Build:
    """What 'my_module:build' names, my_module lying where one stands or among the installed; InputError for no such."""
    module, _, name = path.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"'{path}' can't be imported here ({error}): stand in the folder of that module, and name a function of "
            "it as my_module:build."
        ) from error
