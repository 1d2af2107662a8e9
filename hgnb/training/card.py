"""What weights need to be used without the run that made them: it travels in the head of their safetensors file."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError
from hgnb.model.autoencoder import AutoencoderConfig
from hgnb.model.hourglass import HourglassConfig, StackedHourglass
from hgnb.training.changed import Backbone, imported

KEY = "hgnb"  # of the header's entry
DIGEST = "sha256"  # within it, of the card and the tensors


@dataclass(frozen=True)
class Card:
    """The shape of a network, what its input was like, and what its heatmaps are called."""

    model: HourglassConfig
    autoencoder: AutoencoderConfig | Sequence[AutoencoderConfig] | None
    side: int  # pixels of a crop
    margin: float  # of the box's longer side, see DataConfig
    rule: str  # how a square is kept inside its image
    mean_rgb: tuple[float, float, float]  # 0..1, subtracted from every crop
    keypoints: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...]
    build: str = ""  # 'module:function' of what makes the network where it is no hourglass; of `model` it has keypoints

    @property
    def schema(self) -> KeypointSchema:
        return KeypointSchema(self.keypoints, self.skeleton)

    def facts(self) -> dict[str, Any]:
        """JSON-able."""
        return {name: value for name, value in asdict(self).items() if name != "build" or value}

    def network(self) -> StackedHourglass:
        """A new network of this shape; a Backbone, which predicts as one does, where it is somebody's own."""
        if self.build:
            return cast(StackedHourglass, Backbone.built(imported(self.build), self.model, self.side))
        network = StackedHourglass(self.model)
        if self.autoencoder is not None:
            network.insert_autoencoder(self.autoencoder, self.side)
        return network


def weights(network: torch.nn.Module, card: Card | None) -> bytes:
    """A safetensors file of a network's weights, with its card where it has one."""
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    held = {} if card is None else card.facts()
    return save(tensors, metadata={KEY: json.dumps({**held, DIGEST: digest(held, tensors)})})


def digest(held: dict, tensors: dict[str, torch.Tensor]) -> str:
    """sha256 of a card, and of tensors by name, shape and content; the file has no checksum of its own."""
    made = hashlib.sha256(json.dumps(held, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        made.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        made.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return made.hexdigest()


def tensors(file: Path) -> dict[str, torch.Tensor]:
    """The weights in a file, as they were written; ValueError where they aren't any more."""
    return _opened(file)[1]


def _opened(file: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """A file's card as JSON, empty where it has none, and its weights."""
    with safe_open(file, "pt") as opened:
        held = json.loads((opened.metadata() or {}).get(KEY, "{}"))
    known, weights = held.pop(DIGEST, None), load_file(file)
    if known not in (None, digest(held, weights)):  # weights of before have none
        raise ValueError("it isn't what was written")
    return held, weights


def read(file: Path, called: str = "") -> tuple[StackedHourglass, Card]:
    """The network in a weights file and its card; InputError where it is none or has no card of its own.

    `called`: what the error calls the file.
    """
    try:
        held, weights = _opened(file)
        if not held:
            raise InputError(f"{file.name} holds weights but not what they belong to: train them with this library.")
        card = _card(held)
        network = card.network()
        network.load_state_dict(weights)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        brief = str(error).split("\n")[0].replace(str(file), file.name)
        if isinstance(error, RuntimeError):  # of torch, a line for each key
            brief = "they are of another network than the file says; train it again with today's code"
        raise InputError(f"{called or file.name} can't be read as a network's weights: {brief}") from error
    return network, card


def _card(held: dict) -> Card:
    """From JSON, whose lists are tuples here."""
    inner = held.pop("autoencoder")
    return Card(
        HourglassConfig(**tuples(held.pop("model"))),
        shapes(inner),
        mean_rgb=tuple(held.pop("mean_rgb")),
        keypoints=tuple(held.pop("keypoints")),
        skeleton=tuple((a, b) for a, b in held.pop("skeleton")),
        **held,
    )


def tuples(held: dict) -> dict:
    """The arguments of a config from JSON, whose lists are tuples there."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in held.items()}


def plain(autoencoder: AutoencoderConfig | Sequence[AutoencoderConfig] | None) -> dict | list[dict] | None:
    """What an hourglass has in its bottleneck, or each of several, JSON-able; `shapes` gives it back."""
    if autoencoder is None:
        return None
    if isinstance(autoencoder, AutoencoderConfig):
        return asdict(autoencoder)
    return [asdict(one) for one in autoencoder]


def shapes(held: dict | list[dict] | None) -> AutoencoderConfig | tuple[AutoencoderConfig, ...] | None:
    """From JSON, what `plain` wrote."""
    if isinstance(held, list):
        return tuple(AutoencoderConfig(**one) for one in held)
    return AutoencoderConfig(**held) if held else None
