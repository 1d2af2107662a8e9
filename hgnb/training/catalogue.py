"""Runs and weights by what a person types: an id, its beginning, a folder, or a weights file."""

import hashlib
import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

from hgnb.errors import InputError
from hgnb.model.hourglass import StackedHourglass
from hgnb.training.card import Card, read
from hgnb.training.runs import Run, runs_folder

if TYPE_CHECKING:  # it loads scikit-learn: a second that a prediction needn't wait
    from hgnb.training.experiment import Experiment

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
        with self.file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()


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
    done = [(f / "manifest.json").is_file() for f in folders]
    pairs = list(zip(folders, done, strict=True))
    return [f.name for f, d in pairs if d], [f.name for f, d in pairs if not d]


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
