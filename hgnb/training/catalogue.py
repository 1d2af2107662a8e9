"""Weights by what a person types: a run's id, its beginning, a folder, a weights file, or the released network.

What they need to be used without the run that made them, the Card, travels in the head of their safetensors file.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError
from hgnb.home import sha256
from hgnb.model.hourglass import AutoencoderConfig, HourglassConfig, StackedHourglass
from hgnb.training.changed import Backbone, imported
from hgnb.training.runs import Run, runs_folder

if TYPE_CHECKING:
    from hgnb.training.experiment import Experiment


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


def written(network: torch.nn.Module, card: Card | None) -> bytes:
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


BEST = "best-val_pck.safetensors"  # the epoch that the thesis carries on with (5.3)
SUFFIX = ".safetensors"
RELEASED = "released"  # the network that comes with the library
RELEASED_FILE = Path(__file__).resolve().parents[1] / "weights" / f"{RELEASED}{SUFFIX}"


@dataclass(frozen=True)
class Weights:
    """A trained hourglass and the file that it comes from."""

    file: Path
    network: StackedHourglass
    card: Card
    run: Run | None  # None for a file of its own
    decoding: str = "argmax"  # how points are best read from its heatmaps; hgnb.metrics.decoding

    @property
    def name(self) -> str:
        """'<run>/<file>', or the file's name: no path of this machine."""
        if self.file == RELEASED_FILE:
            return RELEASED
        return f"{self.run.id}/{self.file.name}" if self.run else self.file.name

    @property
    def sha256(self) -> str:
        """Of the file: names the weights wherever they are copied."""
        return sha256(self.file)


def find(name: str) -> Run:
    """A finished run by id, by a beginning that only one id has, or by folder; else an InputError names the nearest."""
    finished, begun = _ids()
    folder = Path(name).expanduser()
    if name not in finished and (folder / "manifest.json").is_file():
        return Run(folder.resolve())
    matching = [name] if name in finished else [i for i in finished if i.startswith(name)]
    if len(matching) == 1:
        return Run(runs_folder() / matching[0])
    if matching:
        raise InputError(f"{len(matching)} runs begin with '{name}': write more of the id, as {', '.join(matching)}.")
    if unfinished := [i for i in begun if i.startswith(name)]:
        raise InputError(f"The run {unfinished[0]} hasn't finished: the command that began it goes on with it.")
    if not finished:
        raise InputError(f"There is no run '{name}', for data/runs holds no finished run at all: train one first.")
    near = max(finished, key=lambda i: SequenceMatcher(None, name, i[: len(name)]).ratio())
    raise InputError(f"Unknown run '{name}': did you mean '{near}'?")


def _ids() -> tuple[list[str], list[str]]:
    """Ids of the finished and of the unfinished runs, sorted."""
    folders = sorted(f for f in runs_folder().glob("*") if f.is_dir())
    finished, begun = ([f.name for f in folders if (f / "manifest.json").is_file() == done] for done in (True, False))
    return finished, begun


def weights(name: str) -> Weights:
    """The hourglass of a run at its best PCK, of a .safetensors file, or the released one; InputError for no such.

    >>> weights("released").card.schema.names[0]
    'nose'
    """
    if name == RELEASED:
        return released()
    file = Path(name).expanduser()
    if file.suffix == SUFFIX:
        if not file.is_file():
            raise InputError(f"There is no weights file '{name}'.")
        return Weights(file, *read(file), run=None)
    if file.suffix == ".ckpt" and file.is_file():
        raise InputError(f"'{file.name}' is for going on with a training: name its run, or its {BEST} beside it.")
    run = find(name)
    if not (run.folder / BEST).is_file():
        raise InputError(f"The run {run.id} is no hourglass (it has no {BEST}): name one that is.")
    return Weights(run.folder / BEST, *read(run.folder / BEST, f"data/runs/{run.id}/{BEST}"), run)


def released() -> Weights:
    """The network that comes with the library; InputError where its file isn't the one that its manifest describes."""
    if not RELEASED_FILE.is_file():
        raise InputError("This copy of the library has no released weights: name a run, or a weights file.")
    manifest = json.loads(RELEASED_FILE.with_suffix(".json").read_text(encoding="utf8"))
    found = Weights(RELEASED_FILE, *read(RELEASED_FILE), run=None, decoding=manifest["decoding"])
    if found.sha256 != manifest["sha256"]:
        raise InputError(f"{RELEASED_FILE.name} isn't the file that its manifest describes: install the library again.")
    return found


def opened(run: Run) -> "Experiment":
    """The experiment that made a run, with the very data it was trained on; InputError where these are others now."""
    from hgnb.training.experiment import Experiment

    edition = run.manifest.get("edition")
    if edition is None:
        raise InputError(f"The manifest of {run.id} names no profile and data ('edition'): train it again.")
    experiment = Experiment.open(**edition)
    if experiment.prepared().checksum != run.manifest["config"]["data"]:
        raise InputError(
            f"The data '{experiment.data_name}' aren't those that {run.id} was trained on: their checksum differs, "
            "so dataset or profile have changed since; train it again."
        )
    return experiment
