"""The thesis's five results, measured on one experiment with both networks. Thesis 8.1; shown by 00_at_a_glance.

The chapters measure the same in more detail; here each result is one number with its interval.
"""

from dataclasses import dataclass

import numpy as np

from hgnb.analysis import clusters, components, posture
from hgnb.analysis.latents import read
from hgnb.data.prepared import PreparedSplit
from hgnb.stats import Estimate, cross_fitted_auc, pck, pck_difference
from hgnb.training.experiment import Experiment


@dataclass(frozen=True)
class Findings:
    """One interval for each result; NaN where the data can't say."""

    test_pck: Estimate  # of the original hourglass, all labelled keypoints
    with_skips: Estimate  # its PCK in training
    without_skips: Estimate
    sitting: Estimate  # AUC of the first component, fully labelled persons, sign chosen on the other half
    labelled: Estimate  # AUC of the number of labelled keypoints between two clusters of the sample
    gain: Estimate  # test PCK of the modified hourglass less that of the original, paired


def five(experiment: Experiment) -> Findings:
    """Trains what isn't trained yet; two passes over the test persons and one over the training persons."""
    prepared, pck = experiment.prepared(), experiment.profile.pck
    train, test = prepared.split("train"), prepared.split("test")
    original, modified = (experiment.reader(run()) for run in (experiment.hourglass, experiment.modified))
    before, after = (reader.predict(test).hits(pck).numpy() for reader in (original, modified))
    sample, full = experiment.sample(), components.complete(train).positions
    reading = read(original, train, pck, (True, False), keep=np.union1d(sample, full))
    seated = posture.postures(train, prepared.schema).sitting[full]
    first = components.principal(reading.latents.of(full)).scores(1)[:, :1].sum(1)  # zeros where nothing varies
    return Findings(
        test_pck=share(before, test),
        with_skips=share(reading.hits[0], train),
        without_skips=share(reading.hits[1], train),
        sitting=cross_fitted_auc(first, seated, train.image_ids[full], seed=experiment.seed),
        labelled=_labelled(reading.latents.of(sample), train.labelled[sample], train.image_ids[sample], experiment),
        gain=pck_difference(after, before, test.visibility > 0, test.image_ids),
    )


def share(hits: np.ndarray, split: PreparedSplit) -> Estimate:
    """PCK of hits (N, K) over all labelled keypoints of a split's N persons."""
    return pck(hits, split.visibility > 0, split.image_ids)


def _labelled(latents: np.ndarray, counts: np.ndarray, images: np.ndarray, experiment: Experiment) -> Estimate:
    labels = clusters.sweep(latents, (2,), experiment.profile.analysis.restarts, experiment.seed).of(2)
    key = counts.astype(float)
    return clusters.clustering(latents, labels, key, images, seed=experiment.seed).separation
