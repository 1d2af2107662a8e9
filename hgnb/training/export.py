"""A trained hourglass as an ONNX file, with the switches of chapter 03 as inputs. 03_interpretation; `hgnb export`.

Inputs, all of the page's own kind: `crops` (B, side, side, 3) uint8 RGB, `skips` (depth,) float32, 1 or 0 for each
level of every hourglass, finest first, and `keep`, a float32 scalar: only the first `keep` principal components of
the first hourglass's latents are kept; below 0 the latents stay as they are. Outputs: `heatmaps`
(B, K, side/4, side/4) and `latents` (B, C, s, s) as the bottleneck makes them, before `keep`. Of somebody's own network
there are `crops` and `heatmaps` alone.
"""

import io
import itertools
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from hgnb.errors import InputError
from hgnb.home import write_whole
from hgnb.model.hourglass import StackedHourglass
from hgnb.training.catalogue import KEY, Weights

OPSET = 17
TOLERANCE = 1e-4  # of the largest magnitude of an output
OUTPUTS = ("heatmaps", "latents")


@dataclass(frozen=True)
class Basis:
    """Principal components of the training latents: mean (D,) and rows of length 1, (n, D)."""

    mean: np.ndarray
    axes: np.ndarray


class Plain(nn.Module):
    """A network as the file computes it: mean colour taken off inside."""

    def __init__(self, network: nn.Module, mean_rgb: tuple[float, ...]):
        super().__init__()
        self.network = network
        self.register_buffer("mean_rgb", torch.tensor(mean_rgb, dtype=torch.float32).view(1, 3, 1, 1))

    def images(self, crops: Tensor) -> Tensor:
        """(B, 3, side, side) as the network was trained on, of crops (B, side, side, 3) uint8."""
        return crops.permute(0, 3, 1, 2).float() / 255 - self.mean_rgb

    def forward(self, crops: Tensor, *_: Tensor) -> tuple[Tensor, ...]:
        return (self.network(self.images(crops)),)


class Switched(Plain):
    """An hourglass with skips and components as inputs.

    Each skip branch is multiplied by its switch, by a hook, so that what is exported is the network itself.
    """

    def __init__(self, network: StackedHourglass, mean_rgb: tuple[float, ...], basis: Basis | None):
        super().__init__(network, mean_rgb)
        if basis is not None:
            self.register_buffer("mean", torch.from_numpy(basis.mean.astype(np.float32)))
            self.register_buffer("axes", torch.from_numpy(basis.axes.astype(np.float32)))
            self.register_buffer("ranks", torch.arange(len(basis.axes), dtype=torch.float32))

    def forward(self, crops: Tensor, *switches: Tensor) -> tuple[Tensor, ...]:
        skips, keep = (*switches, None)[:2]
        made: list[Tensor] = []  # latents of each hourglass in turn

        def edit(latents: Tensor) -> Tensor:
            made.append(latents)
            return latents if keep is None or len(made) > 1 else self.kept(latents, keep)

        with self._switched(skips):
            return self.network(self.images(crops), edit=edit), made[0]

    def kept(self, latents: Tensor, keep: Tensor) -> Tensor:
        """Latents (B, C, s, s) projected on the mean and the first `keep` components."""
        scores = (latents.flatten(1) - self.mean) @ self.axes.T
        projected = (scores * (self.ranks < keep).float()) @ self.axes + self.mean
        return torch.where(keep < 0, latents, projected.view_as(latents))

    @contextmanager
    def _switched(self, skips: Tensor):
        hooks = [
            branch.register_forward_hook(lambda _, __, made, level=level: made * skips[level])
            for hourglass in self.network.hourglasses
            for level, branch in enumerate(hourglass.skips)
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


@dataclass(frozen=True)
class Exported:
    """What was written and how well it agrees with torch."""

    file: Path
    size: int  # bytes
    components: int
    compared: int  # settings of the switches, each on several batches
    worst: float  # largest difference, as a share of the output's largest magnitude

    def __str__(self) -> str:
        keep = f"`keep` of {self.components} components" if self.components else "no `keep`"
        return (
            f"{self.file.name}: {self.size / 1e6:.1f} MB, {keep}; equal to torch within {self.worst:.1e} "
            f"in {self.compared} settings of the switches."
        )


def export(weights: Weights, file: Path, basis: Basis | None = None, crops: np.ndarray | None = None) -> Exported:
    """Writes `file` once onnxruntime computes from it what torch computes, on random crops and those given.

    basis: the caller's PCA of the training latents; without it the file has no input `keep`.
    """
    runtime = ready(file)
    network, mean = weights.network.eval().cpu().to(memory_format=torch.contiguous_format), weights.card.mean_rgb
    module = Plain(network, mean) if weights.card.build else Switched(network, mean, basis)
    content = described(converted(module, weights), weights, basis)
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    compared, worst = agreement(session, weights, basis, crops)
    if not worst <= TOLERANCE:  # NaN too
        raise RuntimeError(f"The exported network differs from torch by {worst:.1e} of its output: nothing is written.")
    write_whole(file, content)
    return Exported(file, len(content), 0 if basis is None else len(basis.axes), compared, worst)


def outputs(weights: Weights) -> list[str]:
    """What a file puts out."""
    return list(OUTPUTS[:1] if weights.card.build else OUTPUTS)


def converted(module: Plain, weights: Weights) -> bytes:
    """The ONNX model of a module; the number of crops is free."""
    inputs = {"crops": torch.zeros(2, weights.card.side, weights.card.side, 3, dtype=torch.uint8)}
    if isinstance(module, Switched):
        inputs["skips"] = torch.ones(weights.card.model.depth)
        inputs |= {"keep": torch.tensor(-1.0)} if hasattr(module, "axes") else {}
    made = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        # The check of the side is a Python condition, true for every batch; the exporter calls itself old.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module.eval(), tuple(inputs.values()), made, dynamo=False, opset_version=OPSET,
            input_names=list(inputs), output_names=outputs(weights),
            dynamic_axes={name: {0: "persons"} for name in ("crops", *outputs(weights))},
        )  # fmt: skip
    return made.getvalue()


def described(content: bytes, weights: Weights, basis: Basis | None) -> bytes:
    """The model with what it needs to be used in its metadata: card, keypoint names, weights, components."""
    import onnx

    model = onnx.load_from_string(content)
    card = weights.card
    notes = {
        KEY: json.dumps(card.facts()),
        "weights": weights.name,
        "sha256": weights.sha256,
        "keypoints": json.dumps(card.keypoints),
        "crops": json.dumps(["persons", card.side, card.side, 3]),
    }
    if not card.build:
        notes["latents"] = json.dumps(["persons", *card.model.latent_shape(card.side)])
        notes["components"] = json.dumps(0 if basis is None else len(basis.axes))
    onnx.helper.set_model_props(model, notes)
    return model.SerializeToString()


def agreement(session, weights: Weights, basis: Basis | None, crops: np.ndarray | None) -> tuple[int, float]:
    """How many settings were compared, and the largest difference as a share of an output's largest magnitude."""
    side, worst, count = weights.card.side, 0.0, 0
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (persons, side, side, 3), dtype=np.uint8) for persons in (1, 3)]
    batches += [] if crops is None else [np.ascontiguousarray(crops)]
    for skips, keep in settings(weights, basis):
        count += 1
        for batch in batches:
            switches = {"skips": skips or None, "keep": keep}
            given = {name: np.array(value, np.float32) for name, value in switches.items() if value is not None}
            made = session.run(outputs(weights), {"crops": batch, **given})
            for ours, theirs in zip(made, expected(weights, basis, batch, skips, keep), strict=True):
                worst = max(worst, float(np.abs(ours - theirs).max() / np.abs(theirs).max()))
    return count, worst


def settings(weights: Weights, basis: Basis | None) -> Iterator[tuple[tuple[bool, ...], int | None]]:
    """Every setting of the skips, each with every kind of `keep`: as it is, nothing, one, half, all."""
    depth = 0 if weights.card.build else weights.card.model.depth
    keeps = [None] if basis is None else sorted({-1, 0, 1, len(basis.axes) // 2, len(basis.axes)})
    return itertools.product(itertools.product((True, False), repeat=depth), keeps)


@torch.inference_mode()
def expected(
    weights: Weights, basis: Basis | None, crops: np.ndarray, skips: tuple[bool, ...], keep: int | None
) -> tuple[np.ndarray, ...]:
    """Heatmaps and latents by the network's own switches, the components by NumPy."""
    made: list[Tensor] = []

    def edit(latents: Tensor) -> Tensor:
        made.append(latents)
        if basis is None or keep is None or keep < 0 or len(made) > 1:
            return latents
        flat, axes = latents.flatten(1).double().numpy(), basis.axes[:keep].astype(np.float64)
        flat = basis.mean + (flat - basis.mean) @ axes.T @ axes
        return torch.from_numpy(flat.astype(np.float32)).view_as(latents)

    mean = torch.tensor(weights.card.mean_rgb, dtype=torch.float32).view(1, 3, 1, 1)
    images = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255 - mean
    if weights.card.build:
        return (weights.network(images).numpy(),)
    heatmaps = weights.network(images, skips=list(skips), edit=edit)
    return heatmaps.numpy(), made[0].numpy()


def ready(file: Path):
    """onnxruntime; InputError where it or onnx is missing (nothing else needs them), or the file has no place."""
    if not file.parent.is_dir():
        raise InputError(f"There is no folder '{file.parent}' to write {file.name} into.")
    if file.is_dir():
        raise InputError(f"'{file}' is a folder: name the ONNX file to write.")

    try:
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError as error:
        raise InputError(
            f"An export needs onnx and onnxruntime ({error.name} isn't installed): pip install them."
        ) from error
    return onnxruntime
