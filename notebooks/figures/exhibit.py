"""A trained hourglass and a few test persons, as files of the run for a page that runs the network. 00_try_it.

`<run>/page/` holds `network.onnx`, as `hgnb export` writes it, and `crops.npy`, (n, side, side, 3) uint8, in the order
of the page's persons; the book's build puts both into the site.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hgnb.data.prepared import PreparedSplit

if TYPE_CHECKING:  # a page that is rendered asks for names and the digest, and loads no network
    from hgnb.analysis.components import Components
    from hgnb.training.catalogue import Weights
    from hgnb.training.export import Basis, Exported
    from hgnb.training.runs import Run

FOLDER, NETWORK, CROPS = "page", "network.onnx", "crops.npy"  # in the run's folder
COMPONENTS = 100  # that the page's slider can choose from; `hgnb export` takes as many
PERSONS = 10
LABELLED = 0.5  # of the keypoints: with fewer there is little to be right or wrong about


@dataclass(frozen=True)
class Exhibit:
    """What a page shows: the network of a run, components of its training latents, and n persons."""

    weights: "Weights"
    basis: "Basis | None"  # None where the persons are too few for a component
    ratio: np.ndarray  # (components,): share of the variance
    persons: PreparedSplit

    @classmethod
    def of(cls, run: "Run", parts: "Components", persons: PreparedSplit) -> "Exhibit":
        """The run's network at its best PCK; `parts` are the components of its training latents."""
        from hgnb.training.catalogue import weights
        from hgnb.training.export import Basis

        basis = Basis(parts.mean, parts.axes[:COMPONENTS]) if len(parts) else None
        chosen = weights(run.id)
        chosen.network.eval()
        return cls(chosen, basis, parts.ratio[:COMPONENTS], persons)

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.weights.file.parent / FOLDER

    def heatmaps(self, *, skips: bool = True, keep: int | None = None) -> np.ndarray:
        """(n, K, side/4, side/4) by torch: what the exported network answers too."""
        from hgnb.training.export import expected

        levels = (skips,) * self.weights.card.model.depth
        return expected(self.weights, self.basis, np.array(self.persons.crops), levels, keep)[0]

    def write(self, crops: bool) -> "tuple[Exported, str]":
        """Writes the files, without `crops` no person; how the export went, and the digest of both files.

        InputError where onnx or onnxruntime is missing.
        """
        from hgnb.home import write_whole
        from hgnb.training.export import export

        shown = np.array(self.persons.crops if crops else self.persons.crops[:0])
        held = io.BytesIO()
        np.save(held, shown)
        write_whole(self.folder / CROPS, held.getvalue())
        exported = export(self.weights, self.folder / NETWORK, self.basis, np.array(self.persons.crops[:3]))
        return exported, digest(self.folder)


def chosen(split: PreparedSplit, seed: int, count: int = PERSONS) -> np.ndarray:
    """Positions of `count` random persons, of those with half of the keypoints labelled if there are as many.

    Persons whose crops mustn't be shown come last.
    """
    order = np.random.default_rng(seed).permutation(len(split))
    scarce = split.labelled[order] < LABELLED * split.keypoints.shape[1]
    hidden = np.zeros(len(split), bool) if split.withheld is None else split.withheld[order]
    return order[np.lexsort([scarce, hidden])][:count]


def digest(folder: Path) -> str:
    """SHA-256 of the files in a page's folder: a page names the very ones that it was made with."""
    held = hashlib.sha256()
    for name in (NETWORK, CROPS):
        held.update((folder / name).read_bytes())
    return held.hexdigest()
