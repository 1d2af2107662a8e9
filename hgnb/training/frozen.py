"""Autoencoders that nothing was learned for: controls of chapter 04 (claims C25, C27); explained in 04_improvement.

`random`: Glorot's weights, as they were drawn. `projection`: the principal components of the latents, as many as
the code has dimensions, which an autoencoder without convolutions can hold exactly: its two linear layers are
z = W (x - m) and y = W^T z + m. Either is put into a trained hourglass, which then learns around it.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from sklearn.decomposition import PCA

from hgnb.errors import unknown
from hgnb.model.autoencoder import Autoencoder, AutoencoderConfig

KINDS = ("random", "projection")


def shaped(config: AutoencoderConfig, kind: str) -> AutoencoderConfig:
    """The shape of an autoencoder of this kind; a projection has a code of the same size and no convolutions."""
    return replace(config, halvings=0) if kind == "projection" else config


def freeze(autoencoder: Autoencoder, kind: str, latents: Callable[[], np.ndarray]) -> None:
    """Gives an autoencoder the weights of its kind and keeps training from changing them.

    `latents`: makes the (N, C, s, s) that a projection is fitted on; not called for the other kind.
    """
    if kind not in KINDS:
        raise unknown("frozen autoencoder", kind, KINDS)
    if kind == "projection":
        project(autoencoder, latents())
    autoencoder.requires_grad_(False)


@torch.no_grad()
def project(autoencoder: Autoencoder, latents: np.ndarray) -> None:
    """Makes an autoencoder without convolutions the projection of latents (N, C, s, s) on their first components.

    N persons have at most N - 1 components; what the code has more stays zero.
    """
    flat = latents.reshape(len(latents), -1).astype(np.float64)
    count = min(autoencoder.config.code, len(flat) - 1, flat.shape[1])
    # both are exact; for more persons than dimensions the covariance is the smaller problem
    pca = PCA(count, svd_solver="covariance_eigh" if len(flat) > flat.shape[1] else "full").fit(flat)
    axes = np.zeros((autoencoder.config.code, flat.shape[1]))
    axes[:count] = pca.components_
    encode, decode = autoencoder.encoder[-1], autoencoder.decoder[0]
    for parameter, value in (
        (encode.weight, axes), (encode.bias, -axes @ pca.mean_), (decode.weight, axes.T), (decode.bias, pca.mean_),
    ):  # fmt: skip
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
