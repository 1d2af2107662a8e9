"""One seed's runs and what is read from them, each computed once: predictions, latents, components, clusters.

What chapter 05, the ledger's evidence and the first page's results look at is one study. Explained in 05_discussion.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from hgnb.analysis import clusters, components, posture, skips
from hgnb.analysis.distances import distances
from hgnb.analysis.skips import hits_of, read
from hgnb.data.heatmaps import heatmaps
from hgnb.data.prepared import Prepared, PreparedSplit
from hgnb.model.hourglass import Autoencoder, glorot
from hgnb.training import passes
from hgnb.training.experiment import Experiment
from hgnb.training.passes import Latents, Reader
from hgnb.training.profiles import AnalysisConfig
from hgnb.training.runs import Run, filled

LAST = "last"  # weights of the last epoch; others are called by the column that they were best by


@dataclass(frozen=True)
class Scores:
    """What a network makes of N persons."""

    hits: np.ndarray  # (N, K) bool
    loss: np.ndarray  # (N,) mean squared error over the person's heatmaps


@dataclass
class Study:
    """An experiment of one seed and its finished runs by name."""

    experiment: Experiment
    runs: dict[str, Run]
    _scores: dict[tuple[str, int, str], Scores] = field(default_factory=dict, init=False)

    @cached_property
    def prepared(self) -> Prepared:
        return self.experiment.prepared()

    @cached_property
    def train(self) -> PreparedSplit:
        return self.prepared.split("train")

    @cached_property
    def val(self) -> PreparedSplit:
        return self.prepared.split("val")

    @cached_property
    def test(self) -> PreparedSplit:
        return self.prepared.split("test")

    @property
    def seed(self) -> int:
        return self.experiment.seed

    @property
    def analysis(self) -> AnalysisConfig:
        return self.experiment.profile.analysis

    def reader(self, name: str, epoch: str = "val_pck") -> Reader:
        """A run's network at its best epoch by a column, or at its last."""
        run = self.runs[name]
        network = self.experiment.network(run)
        filled(network, weights(run, epoch), f"data/runs/{run.id}")
        return Reader(network, self.prepared.mean_rgb)

    def scores(self, name: str, epoch: str = "val_pck", split: str = "test") -> Scores:
        """Hits and losses of a run on a split, in one pass; an epoch that is best by two columns is read once."""
        run = self.runs[name]
        number = len(run.metrics) if epoch == LAST else run.best_epoch(epoch)
        key = (run.id, number, split)
        if key not in self._scores:
            self._scores[key] = scored(self.reader(name, epoch), getattr(self, split), self.experiment)
        return self._scores[key]

    @cached_property
    def sample(self) -> np.ndarray:
        """Positions of the random training persons of chapters 03 and 05."""
        return self.experiment.sample()

    @cached_property
    def full(self) -> components.Complete:
        """The fully labelled training persons, or the most labelled where these are few."""
        return components.complete(self.train)

    @cached_property
    def skips(self) -> skips.SkipStudy:
        """The hourglass on all training persons with and without skips."""
        config, schema = self.experiment.profile.pck, self.prepared.schema
        return skips.study(self.reader("hourglass"), self.train, schema, config, seed=self.seed, part=1)

    def skipless(self, split: str) -> np.ndarray:
        """(N, K) bool: what the hourglass finds of a split without its skips."""
        persons, config = getattr(self, split), self.experiment.profile.pck
        return read(self.reader("hourglass"), persons, config, (False,)).hits[0]

    @cached_property
    def _kept(self) -> Latents:
        """Latents of the persons that components and clusters look at, in a file of the run."""
        return self.experiment.latents(self.runs["hourglass"], "train", np.union1d(self.sample, self.full.positions))

    @cached_property
    def latents(self) -> np.ndarray:
        """(N, D) of the sample."""
        return self._kept.of(self.sample)

    @cached_property
    def posed(self) -> PreparedSplit:
        """The persons on whom what is said of postures is judged."""
        return posture.posed(self.experiment)

    @cached_property
    def latents_posed(self) -> np.ndarray:
        """(N, D) of them."""
        found = self.reader("hourglass").latents(self.posed)
        return found.reshape(len(found), -1)

    @cached_property
    def parts_posed(self) -> components.Components:
        """Components of their latents."""
        return components.principal(self.latents_posed)

    @cached_property
    def apart_posed(self) -> np.ndarray:
        """(N, N) distances of their latents."""
        return distances(self.latents_posed)

    @cached_property
    def sweep_posed(self) -> clusters.Sweep:
        """K-means of them."""
        return self._swept(self.latents_posed, self.apart_posed)

    @cached_property
    def parts(self) -> components.Components:
        """Components of the fully labelled persons' latents."""
        return components.principal(self._kept.of(self.full.positions))

    @cached_property
    def plane(self) -> components.Components:
        """Components of the sample's latents."""
        return components.principal(self.latents)

    @cached_property
    def inner(self) -> np.ndarray:
        """(N, D) latents of the sample in the modified hourglass, as its autoencoder gets them."""
        return self.experiment.latents(self.runs["modified"], "train", self.sample).of(self.sample)

    @cached_property
    def codes(self) -> np.ndarray:
        """(N, code) of the sample in the modified hourglass."""
        return self.reader("modified").codes(self.inner.reshape(-1, *self._shape))

    @cached_property
    def code_plane(self) -> components.Components:
        """Components of the sample's codes."""
        return components.principal(self.codes)

    @cached_property
    def random_codes(self) -> np.ndarray:
        """(N, code) that an autoencoder with random weights makes of the sample's latents."""
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            untrained = Autoencoder(self._shape, self.experiment.profile.autoencoder).apply(glorot).eval()
        with torch.inference_mode():
            latents = torch.from_numpy(self.latents.reshape(-1, *self._shape))
            return torch.cat([untrained.encode(part) for part in latents.split(1024)]).numpy()

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.experiment.model().latent_shape(self.experiment.profile.data.side)

    @cached_property
    def apart(self) -> np.ndarray:
        """(N, N) distances of the sample."""
        return distances(self.latents)

    @cached_property
    def sweep(self) -> clusters.Sweep:
        """K-means of the sample."""
        return self._swept(self.latents, self.apart)

    def _swept(self, points: np.ndarray, apart: np.ndarray) -> clusters.Sweep:
        return clusters.sweep(points, self.analysis.clusters, self.analysis.restarts, self.seed, apart)

    @cached_property
    def by_labels(self) -> clusters.Clustering:
        """The sample's two clusters, the fuller one first."""
        return self._ordered(self.latents, self.sweep.of(2))

    @cached_property
    def by_codes(self) -> clusters.Clustering:
        """The two clusters that the modified hourglass makes of the sample, the fuller one first."""
        return self._ordered(self.codes, clusters.sweep(self.codes, (2,), self.analysis.restarts, self.seed).of(2))

    def _ordered(self, points: np.ndarray, labels: np.ndarray) -> clusters.Clustering:
        key = self.train.labelled[self.sample].astype(float)
        return clusters.clustering(points, labels, key, self.train.image_ids[self.sample], seed=self.seed)


def weights(run: Run, epoch: str) -> dict[str, torch.Tensor]:
    """A network's weights at its best epoch by a column, or at its last."""
    if epoch != LAST:
        return run.weights(epoch)
    held = run.checkpoint(LAST)["state_dict"]
    return {name.removeprefix("network."): value for name, value in held.items() if name.startswith("network.")}


@torch.inference_mode()
def reconstruction(study: Study, run: Run, latents: torch.Tensor, epoch: str) -> np.ndarray:
    """(N,) mean squared error of each person's latents (N, C, s, s)."""
    network = Autoencoder(tuple(latents.shape[1:]), study.experiment.profile.autoencoder)
    filled(network, weights(run, epoch), f"data/runs/{run.id}")
    parts = [(network.eval()(z) - z).square().flatten(1).mean(1) for z in latents.split(1024)]
    return torch.cat(parts).numpy().astype(float)


@torch.inference_mode()
def scored(reader: Reader, split: PreparedSplit, experiment: Experiment) -> Scores:
    """One pass of a network over a split: what it finds, and each person's loss."""
    config, side, hits, losses = experiment.profile, split.crops.shape[1], [], []
    for batch in passes.read(reader, split):
        maps = reader.network(batch.images(reader.mean_rgb))
        size = maps.shape[-1]
        truth = heatmaps(batch.points, batch.visibility, side=side, size=size, config=config.heatmaps)
        losses.append((maps - truth).square().flatten(1).mean(1).cpu())
        hits.append(hits_of(maps, batch.points, side, config.pck))
    return Scores(np.concatenate(hits), torch.cat(losses).numpy().astype(float))
