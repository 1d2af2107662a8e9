"""Clusters of all training persons, where the thesis had to sample for lack of memory (6.4); 03_interpretation.

Mini-batch K-means (Sculley, 2010) looks at a thousand persons at a time and reads them from the run's file of latents.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score

from hgnb.analysis.kmeans import assigned, centroids

BATCH = 1024  # persons; scikit-learn's default
STARTS = 10


@dataclass(frozen=True)
class Everyone:
    """All N persons of a split in K clusters, beside a sample's."""

    labels: np.ndarray  # (N,) by mini-batch K-means on all
    by_sample: np.ndarray  # (N,) by the nearest of the sample's centroids
    sample: np.ndarray  # (n,) rows of the sample
    on_sample: float  # adjusted Rand index of the sample's own clusters and `labels`, over the sample
    on_all: float  # of `by_sample` and `labels`, over all persons; NaN where there are no two clusters


def everyone(latents: np.ndarray, sample: np.ndarray, labels: np.ndarray, seed: int) -> Everyone:
    """As many clusters of (N, D) latents as the labels (n,) of the rows `sample` name; without two, all are in one.

    Of STARTS random beginnings the one of least inertia on a part goes on.
    """
    k = int(labels.max()) + 1 if len(labels) else 0
    if k < 2:
        one = np.zeros(len(latents), dtype=int)
        return Everyone(one, one, sample, np.nan, np.nan)
    fitted = MiniBatchKMeans(k, batch_size=BATCH, n_init=STARTS, random_state=seed % 2**32).fit(latents)
    found = fitted.labels_.astype(int)
    by_sample = assigned(latents, centroids(latents[sample].astype(np.float64), labels))
    scores = (adjusted_rand_score(labels, found[sample]), adjusted_rand_score(by_sample, found))
    return Everyone(found, by_sample, sample, *map(float, scores))
