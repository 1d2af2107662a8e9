"""What the field asks of a network beside the thesis's way: probes at every depth, likeness of latents. 08_how_far.

A probe says whether a plane reads a trait off a layer (Alain & Bengio 2016), CKA how alike two networks lay out the
same persons (Kornblith et al. 2019). A network with random weights is asked the same: what it gives too, training
didn't bring.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from hgnb.data.prepared import PreparedSplit
from hgnb.model.hourglass import StackedHourglass
from hgnb.training import passes
from hgnb.training.passes import Reader

FOLDS = 5  # of photographs: who is asked about was never in the fit
PENALTY = 100.0  # of a probe's squared weights, on standardised features


@torch.inference_mode()
def features(reader: Reader, persons: PreparedSplit) -> dict[str, np.ndarray]:
    """(N, C s²) float32 for each depth of the first hourglass: stem, encoder levels, bottleneck, decoder levels.

    Every map is averaged down to the bottleneck's s x s, so that all depths have equally many numbers.
    """
    found: dict[str, list[np.ndarray]] = {}
    for batch in passes.read(reader, persons):
        for name, maps in _layers(reader.network, batch.images(reader.mean_rgb)):
            found.setdefault(name, []).append(maps.flatten(1).float().cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _layers(network: StackedHourglass, images: Tensor) -> Iterator[tuple[str, Tensor]]:
    hourglass, kept = network.hourglasses[0], dict[str, Tensor]()
    hooks = [
        layer.register_forward_hook(lambda _, __, out, name=f"decoder {level}": kept.__setitem__(name, out))
        for level, layer in enumerate(hourglass.decoder)
    ]
    try:
        latents, branches = hourglass.encode(network.stem(images))
        hourglass.decode(latents, branches, True)
    finally:
        for hook in hooks:
            hook.remove()
    size = latents.shape[-1]
    yield "stem", F.adaptive_avg_pool2d(branches[0], size)
    for level, maps in enumerate(branches[1:]):
        yield f"encoder {level}", F.adaptive_avg_pool2d(maps, size)
    yield "bottleneck", latents
    for level in reversed(range(len(hourglass.decoder))):
        yield f"decoder {level}", F.adaptive_avg_pool2d(kept[f"decoder {level}"], size)


def probed(features: np.ndarray, classes: np.ndarray, images: np.ndarray) -> np.ndarray:
    """(N,) a linear probe's answer for each person, from a fit to other photographs' persons.

    `features` (N, D); `classes` (N,) 0, 1 or NaN, where no answer is given; `images` (N,) ids. NaN for all where a
    class has fewer than two persons a fold.
    """
    known, answers = np.isfinite(classes), np.full(len(classes), np.nan)
    if min(np.bincount(classes[known].astype(int), minlength=2)) < 2 * FOLDS:
        return answers
    probe = make_pipeline(StandardScaler(), RidgeClassifier(PENALTY))
    folds = GroupKFold(FOLDS)
    asked = classes[known].astype(int), images[known]
    answers[known] = cross_val_predict(
        probe, features[known], asked[0], groups=asked[1], cv=folds, method="decision_function"
    )
    return answers


def alike(x: np.ndarray, y: np.ndarray) -> float:
    """Linear CKA of two networks' latents (N, D) and (N, E) of the same persons: 1 where they lie alike up to a turn.

    The unbiased estimate of its three terms (Song et al. 2012), so that many dimensions and few persons don't raise it.
    """
    grams = [_centred(z @ z.T) for z in (x - x.mean(0), y - y.mean(0))]
    (xx, yy), xy = [(g * g).sum() for g in grams], (grams[0] * grams[1]).sum()
    return float(xy / np.sqrt(xx * yy))


def _centred(gram: np.ndarray) -> np.ndarray:
    """The U-centred Gram matrix (Székely & Rizzo 2014): rows, columns and the diagonal without what chance gives."""
    n = len(gram)
    gram = gram - np.diag(np.diag(gram))
    means = gram.sum(1) / (n - 2)
    centred = gram - means[:, None] - means[None] + gram.sum() / ((n - 1) * (n - 2))
    return centred - np.diag(np.diag(centred))
