"""Principal components of a run's own training latents, for an export to carry along. 03_interpretation."""

import numpy as np

from hgnb.analysis.components import principal
from hgnb.training.catalogue import Weights, opened
from hgnb.training.export import Basis


def of_run(weights: Weights, count: int) -> tuple[Basis | None, np.ndarray | None]:
    """What an export takes from the run's own data: the first `count` components of the latents of the persons that
    chapter 03 samples (None for 0, and for a network without latents), and three test crops (n, side, side, 3). A file
    without a run has neither."""
    if weights.run is None:
        return None, None
    experiment = opened(weights.run)
    crops = np.array(experiment.prepared().split("test").crops[:3])
    if count == 0 or weights.card.build:
        return None, crops
    sample = experiment.sample()
    parts = principal(experiment.latents(weights.run, "train", sample).of(sample))
    return Basis(parts.mean, parts.axes[:count]), crops
