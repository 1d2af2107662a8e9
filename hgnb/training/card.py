"""What weights need to be used without the run that made them: it travels in the head of their safetensors file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError
from hgnb.models.autoencoder import AutoencoderConfig
from hgnb.models.hourglass import HourglassConfig, StackedHourglass

KEY = "hgnb"  # of the header's entry


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

    @property
    def schema(self) -> KeypointSchema:
        return KeypointSchema(self.keypoints, self.skeleton)

    def network(self) -> StackedHourglass:
        """A new network of this shape."""
        network = StackedHourglass(self.model)
        if self.autoencoder is not None:
            network.insert_autoencoder(self.autoencoder, self.side)
        return network


def weights(network: torch.nn.Module, card: Card | None) -> bytes:
    """A safetensors file of a network's weights, with its card where it has one."""
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    return save(tensors, metadata=None if card is None else {KEY: json.dumps(asdict(card))})


def read(file: Path) -> tuple[StackedHourglass, Card]:
    """The network in a weights file and its card; InputError where the file is none, or has no card."""
    try:
        with safe_open(file, "pt") as opened:
            text = (opened.metadata() or {}).get(KEY)
        if text is None:
            raise InputError(f"{file.name} holds weights but not what they belong to: train them with this library.")
        card = _card(json.loads(text))
        network = card.network()
        network.load_state_dict(load_file(file))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        brief = str(error).split("\n")[0].replace(str(file), file.name)
        raise InputError(f"{file.name} can't be read as a network's weights: {brief}") from error
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
    if autoencoder is None or isinstance(autoencoder, AutoencoderConfig):
        return autoencoder and asdict(autoencoder)
    return [asdict(one) for one in autoencoder]


def shapes(held: dict | list[dict] | None) -> AutoencoderConfig | tuple[AutoencoderConfig, ...] | None:
    """From JSON, what `plain` wrote."""
    if isinstance(held, list):
        return tuple(AutoencoderConfig(**one) for one in held)
    return held and AutoencoderConfig(**held)
