"""Stacked hourglass. Newell, Yang & Deng (2016), sec. 3; thesis 3.2 and 5.1; explained in 02_experiment.

One network serves the whole book: skip-connections can be switched off level by level, the latents can be
read and replaced, and an autoencoder can sit in the bottleneck. Only torch is needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hgnb.models.autoencoder import Autoencoder, AutoencoderConfig
from hgnb.quantity import quantity

Skips = bool | Sequence[bool]  # all levels, or one flag a level, finest first


@dataclass(frozen=True)
class HourglassConfig:
    """The shape of a stacked hourglass; the defaults are the thesis's network."""

    stacks: int = quantity(1, "hourglasses", "5.1")
    depth: int = quantity(4, "poolings", "5.1")
    channels: int = quantity(256, "feature maps", "3.2.2")
    inner: int = quantity(128, "feature maps", "3.2.2")
    stem: int = quantity(256, "feature maps", "3.2.4")
    bottleneck: int = quantity(3, "residuals", "5.1")
    output_gain: float = quantity(1.0, "times Glorot's weights of the last convolution", "5.1 names no exception")
    keypoints: int = quantity(17, "heatmaps", "4.1; the dataset's category decides")

    @property
    def stride(self) -> int:
        """Pixels of the crop for each pixel of a heatmap: the stem halves twice."""
        return 4

    def latent_shape(self, side: int) -> tuple[int, int, int]:
        """(C, s, s) of the bottleneck for a crop of `side` pixels; 256x4x4 in the thesis."""
        s = side // (self.stride * 2**self.depth)
        return self.channels, s, s

    def check_side(self, side: int) -> None:
        """ValueError unless every pooling halves exactly."""
        step = self.stride * 2**self.depth
        if side % step:
            raise ValueError(
                f"A crop of {side} px can't be halved {self.depth} times after the stem: "
                f"its side must be divisible by {step}."
            )


class Residual(nn.Module):
    """Pre-activation residual: three times (BN, ReLU, convolution) 1x1, 3x3, 1x1 around a shortcut; 3.2.2."""

    def __init__(self, c_in: int, c_out: int, inner: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(c_in), nn.ReLU(inplace=True), nn.Conv2d(c_in, inner, 1),
            nn.BatchNorm2d(inner), nn.ReLU(inplace=True), nn.Conv2d(inner, inner, 3, padding=1),
            nn.BatchNorm2d(inner), nn.ReLU(inplace=True), nn.Conv2d(inner, c_out, 1),
        )  # fmt: skip
        self.shortcut = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.body(x)


class Hourglass(nn.Module):
    """One hourglass: residuals and poolings down, three residuals at the bottom, upsampling back; 3.2.3.

    Level 0 is the finest. The last of the bottleneck's residuals puts out the latents of chapter 3.
    """

    def __init__(self, config: HourglassConfig):
        super().__init__()
        c, inner, depth = config.channels, config.inner, config.depth
        self.skips = nn.ModuleList(Residual(c, c, inner) for _ in range(depth))
        self.encoder = nn.ModuleList(Residual(c, c, inner) for _ in range(depth - 1))
        self.bottleneck = nn.Sequential(*(Residual(c, c, inner) for _ in range(config.bottleneck)))
        self.decoder = nn.ModuleList(Residual(c, c, inner) for _ in range(depth - 1))
        self.autoencoder: Autoencoder | None = None

    def encode(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, C, H, W) -> latents (B, C, H/2^depth, W/2^depth) and the maps at which the skips branch off."""
        branches = [x]
        for residual in self.encoder:
            branches.append(residual(F.max_pool2d(branches[-1], 2)))
        return self.bottleneck(F.max_pool2d(branches[-1], 2)), branches

    def decode(self, latents: Tensor, branches: list[Tensor], skips: Skips = True) -> Tensor:
        """Latents and branches -> (B, C, H, W); a skip that is off contributes nothing (ambiguity 9)."""
        depth = len(self.skips)
        on = [skips] * depth if isinstance(skips, bool) else list(skips)
        if len(on) != depth:
            raise ValueError(f"skips must be one flag or {depth}, one for each level, not {len(on)}")
        x = latents if self.autoencoder is None else self.autoencoder(latents)
        for level in reversed(range(depth)):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            if on[level]:
                x = x + self.skips[level](branches[level])
            if level > 0:
                x = self.decoder[level - 1](x)
        return x


class Head(nn.Module):
    """A residual and two 1x1 convolutions, BN and ReLU before the last: features -> heatmaps; 3.2.3."""

    def __init__(self, config: HourglassConfig):
        super().__init__()
        c = config.channels
        self.features = nn.Sequential(
            Residual(c, c, config.inner), nn.Conv2d(c, c, 1), nn.BatchNorm2d(c), nn.ReLU(inplace=True)
        )
        self.heatmaps = nn.Conv2d(c, config.keypoints, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(x)
        # In float32 even under autocast: bfloat16's 8 bits would tie neighbouring pixels of a heatmap.
        with torch.autocast(features.device.type, enabled=False):
            return features, self.heatmaps(features.float())


class StackedHourglass(nn.Module):
    """Crops (B, 3, side, side), mean subtracted -> heatmaps (B, K, side/4, side/4)."""

    def __init__(self, config: HourglassConfig):
        super().__init__()
        self.config = config
        c = config.channels
        self.stem = nn.Sequential(
            nn.Conv2d(3, config.stem, 7, stride=2, padding=3), nn.BatchNorm2d(config.stem), nn.ReLU(inplace=True),
            Residual(config.stem, c, min(config.inner, config.stem // 2)), nn.MaxPool2d(2),  # 128 of 256, as 3.2.2 says
        )  # fmt: skip
        self.hourglasses = nn.ModuleList(Hourglass(config) for _ in range(config.stacks))
        self.heads = nn.ModuleList(Head(config) for _ in range(config.stacks))
        # Between two hourglasses: features and heatmaps of the first come back to the second (Newell 3.3).
        self.from_features = nn.ModuleList(nn.Conv2d(c, c, 1) for _ in range(config.stacks - 1))
        self.from_heatmaps = nn.ModuleList(nn.Conv2d(config.keypoints, c, 1) for _ in range(config.stacks - 1))
        self.apply(glorot)
        for head in self.heads:
            head.heatmaps.weight.data *= config.output_gain

    def insert_autoencoder(self, config: AutoencoderConfig, side: int) -> None:
        """Puts an autoencoder behind the third bottleneck residual of each hourglass; 7.2, fig-shg-ae-architecture."""
        for hourglass in self.hourglasses:
            hourglass.autoencoder = Autoencoder(self.config.latent_shape(side), config).apply(glorot)

    def forward(self, x: Tensor, **switches) -> Tensor:
        """Heatmaps of the last hourglass, (B, K, side/4, side/4) float32; `switches` as in `predictions`."""
        return self.predictions(x, **switches)[-1]

    def predictions(
        self, x: Tensor, *, skips: Skips = True, edit: Callable[[Tensor], Tensor] | None = None
    ) -> list[Tensor]:
        """Heatmaps of every hourglass, each to be supervised.

        `skips`: off for all levels, or by level (finest first); residual modules keep their shortcuts.
        `edit`: maps the latents (B, C, s, s) of every hourglass to those that are decoded in their place.
        """
        self.config.check_side(x.shape[-1])
        x, outputs = self.stem(x), []
        for i, (hourglass, head) in enumerate(zip(self.hourglasses, self.heads, strict=True)):
            latents, branches = hourglass.encode(x)
            latents = latents if edit is None else edit(latents)
            features, heatmaps = head(hourglass.decode(latents, branches, skips))
            outputs.append(heatmaps)
            if i < len(self.heads) - 1:
                x = x + self.from_features[i](features) + self.from_heatmaps[i](heatmaps.to(features.dtype))
        return outputs

    def latents(self, x: Tensor) -> Tensor:
        """(B, C, s, s): the third bottleneck residual of the first hourglass, the latent space of chapter 3."""
        self.config.check_side(x.shape[-1])
        return self.hourglasses[0].encode(self.stem(x))[0]


def glorot(module: nn.Module) -> None:
    """Glorot-normal weights N(0, 2/(fan_in + fan_out)) and zero biases; 5.1."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
