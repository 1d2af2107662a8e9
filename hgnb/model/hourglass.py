"""Stacked hourglass. Newell, Yang & Deng (2016), sec. 3; thesis 3.2 and 5.1; explained in 02_experiment.

One network serves the whole book: skip-connections can be switched off level by level, the latents can be
read and replaced, and an autoencoder can sit in the bottleneck (7.2; its figure 22 is lost: ambiguity 5); the residual
modules that it is built of are 3.2.2 and A2. Only torch is needed.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from hgnb.errors import InputError
from hgnb.model.config import AutoencoderConfig, HourglassConfig


class Residual(nn.Module):
    """Pre-activation residual: (norm, ReLU, convolution) for each of `config.kernels` around a shortcut; 3.2.2.

    The thesis's kernels are 1, 3, 1: fewer maps, a look around, more maps again. Every convolution but the last
    puts out `inner` maps. With dropout whole maps fall silent before the last convolution, as neighbouring pixels
    of one map say nearly the same (Tompson et al. 2015, sec. 3.2). Separable kernels: see `look`. Post-activation:
    (convolution, norm, ReLU), the last ReLU behind the sum (He et al. 2015).
    """

    def __init__(self, c_in: int, c_out: int, inner: int, config: HourglassConfig):
        super().__init__()
        kernels = config.kernels
        widths = [c_in, *[inner] * (len(kernels) - 1), c_out]
        layers: list[nn.Module] = []
        self.post = config.activation == "post"
        for place, (kernel, (a, b)) in enumerate(zip(kernels, pairwise(widths), strict=True), 1):
            seen, last = look(a, b, kernel, config.separable), place == len(kernels)
            if config.dropout and last:
                seen.insert(-1, nn.Dropout2d(config.dropout))
            if self.post:
                layers += [*seen, norm(b, config), *([] if last else [nn.ReLU(inplace=True)])]
            else:
                layers += [norm(a, config), nn.ReLU(inplace=True), *seen]
        self.body = nn.Sequential(*layers)
        self.shortcut = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        # Into the body's own output, which no gradient asks for: one pass over memory less.
        out = self.body(x).add_(self.shortcut(x))
        return F.relu_(out) if self.post else out


def norm(width: int, config: HourglassConfig) -> nn.Module:
    """Batch norm; or layer norm over all of (C, H, W): group norm with one group, as source 004 writes it."""
    return nn.BatchNorm2d(width) if config.norm == "batch" else nn.GroupNorm(1, width)


def look(c_in: int, c_out: int, kernel: int, separable: bool) -> list[nn.Module]:
    """A convolution; separable, a kernel wider than 1 looks at each map alone, and a 1x1 mixes the maps.

    For c maps and a 3x3 that is c * (9 + c) weights where a convolution has 9 * c * c (Howard et al. 2017, sec. 3.1).
    """
    if not separable or kernel == 1:
        return [nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2)]
    return [nn.Conv2d(c_in, c_in, kernel, padding=kernel // 2, groups=c_in, bias=False), nn.Conv2d(c_in, c_out, 1)]


def residuals(count: int, config: HourglassConfig) -> nn.Module:
    """`count` residuals in a row at the hourglass's width; one alone stands for itself."""
    row = [Residual(config.channels, config.channels, config.inner, config) for _ in range(count)]
    return row[0] if count == 1 else nn.Sequential(*row)


class Autoencoder(nn.Module):
    """Latents (B, C, s, s) -> the same shape, through a code of `config.code` dimensions.

    3x3 convolutions reduce only the channels, a linear layer makes the code, and the decoder mirrors both.
    The code and the output stay signed: the latents of a pre-activation residual are signed too, and a final
    ReLU would clip them (ambiguity 5).

    >>> Autoencoder((8, 4, 4), AutoencoderConfig(code=10))(torch.zeros(2, 8, 4, 4)).shape
    torch.Size([2, 8, 4, 4])
    """

    def __init__(self, shape: tuple[int, int, int], config: AutoencoderConfig):
        super().__init__()
        c, s, _ = shape
        widths = [c // 2**i for i in range(config.halvings + 1)]
        self.config, self.shape = config, shape
        flat = widths[-1] * s * s
        down = [layer for a, b in pairwise(widths) for layer in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())]
        up = [layer for a, b in pairwise(widths[::-1]) for layer in (nn.ReLU(), nn.Conv2d(a, b, 3, padding=1))]
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, config.code))
        self.decoder = nn.Sequential(nn.Linear(config.code, flat), nn.Unflatten(1, (widths[-1], s, s)), *up)

    def encode(self, latents: Tensor) -> Tensor:
        """(B, C, s, s) -> codes (B, code), the autoencoder's latent space of chapter 5."""
        return self.encoder(latents)

    def forward(self, latents: Tensor) -> Tensor:
        return self.decoder(self.encode(latents))


Skips = bool | Sequence[bool]  # all levels, or one flag a level, finest first
Edit = Callable[[Tensor], Tensor]  # latents (B, C, s, s) -> those decoded in their place


class Hourglass(nn.Module):
    """One hourglass: residuals and poolings down, three residuals at the bottom, upsampling back; 3.2.3.

    Level 0 is the finest. The last of the bottleneck's residuals puts out the latents of chapter 3.
    """

    def __init__(self, config: HourglassConfig, depth: int):
        super().__init__()
        skip, down, up = config.modules
        c, self.depth = config.channels, depth
        self.skips = nn.ModuleList(residuals(skip, config) for _ in range(depth if config.skips else 0))
        self.encoder = nn.ModuleList(residuals(down, config) for _ in range(depth - 1))
        self.bottleneck = nn.Sequential(*(Residual(c, c, config.inner, config) for _ in range(config.bottleneck)))
        self.decoder = nn.ModuleList(residuals(up, config) for _ in range(depth - 1))
        self.autoencoder: Autoencoder | None = None

    def encode(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, C, H, W) -> latents (B, C, H/2^depth, W/2^depth) and the maps at which the skips branch off."""
        branches = [x]
        for residual in self.encoder:
            branches.append(residual(F.max_pool2d(branches[-1], 2)))
        return self.bottleneck(F.max_pool2d(branches[-1], 2)), branches

    def decode(self, latents: Tensor, branches: list[Tensor], skips: Skips = True) -> Tensor:
        """Latents and branches -> (B, C, H, W); a skip that is off contributes nothing (ambiguity 9)."""
        levels = len(self.skips)  # none in a network that was built without
        on = [skips] * levels if isinstance(skips, bool) else list(skips)
        if len(on) != levels:
            raise ValueError(f"skips must be one flag or {levels}, one for each level, not {len(on)}")
        x = latents if self.autoencoder is None else self.autoencoder(latents)
        for level in reversed(range(self.depth)):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            if levels and on[level]:
                x = x.add_(self.skips[level](branches[level]))  # interpolation has just made x: no edit's own tensor
            if level > 0:
                x = self.decoder[level - 1](x)
        return x


class Head(nn.Module):
    """A residual and two 1x1 convolutions, BN and ReLU before the last: features -> heatmaps; 3.2.3."""

    def __init__(self, config: HourglassConfig):
        super().__init__()
        c = config.channels
        self.features = nn.Sequential(
            Residual(c, c, config.inner, config), nn.Conv2d(c, c, 1), nn.BatchNorm2d(c), nn.ReLU(inplace=True)
        )
        self.heatmaps = nn.Conv2d(c, config.keypoints, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(x)
        # In float32 even under autocast: bfloat16's 8 bits would tie neighbouring pixels of a heatmap.
        with torch.autocast(features.device.type, enabled=False):
            return features, self.heatmaps(features.float())


class StackedHourglass(nn.Module):
    """Crops (B, 3, side, side), mean subtracted -> heatmaps (B, K, side/4, side/4).

    >>> network = StackedHourglass(HourglassConfig(depth=2, channels=8, inner=4, stem=8))
    >>> network(torch.zeros(1, 3, 64, 64)).shape, network.latents(torch.zeros(1, 3, 64, 64)).shape
    (torch.Size([1, 17, 16, 16]), torch.Size([1, 8, 4, 4]))
    """

    def __init__(self, config: HourglassConfig):
        super().__init__()
        self.config = config
        c = config.channels
        self.stem = stem(config)
        depths = config.levels[:1] if config.shared else config.levels
        self.hourglasses = nn.ModuleList(Hourglass(config, depth) for depth in depths)
        self.heads = nn.ModuleList(Head(config) for _ in range(config.stacks))
        # Between two hourglasses: features and heatmaps of the first come back to the second (Newell 3.3).
        self.from_features = nn.ModuleList(nn.Conv2d(c, c, 1) for _ in range(config.stacks - 1))
        self.from_heatmaps = nn.ModuleList(nn.Conv2d(config.keypoints, c, 1) for _ in range(config.stacks - 1))
        self.apply(glorot if config.init == "glorot" else he)
        for head in self.heads:
            head.heatmaps.weight.data *= config.output_gain

    def insert_autoencoder(self, config: AutoencoderConfig | Sequence[AutoencoderConfig], side: int) -> None:
        """Puts an autoencoder behind the bottleneck of each hourglass; 7.2, fig-shg-ae-architecture.

        `config`: one for all, or one for each hourglass.
        """
        configs = [config] * len(self.hourglasses) if isinstance(config, AutoencoderConfig) else config
        if len(configs) != len(self.hourglasses):
            raise InputError(f"{len(configs)} autoencoders can't sit in {len(self.hourglasses)} hourglasses.")
        for i, (hourglass, one) in enumerate(zip(self.hourglasses, configs, strict=True)):
            hourglass.autoencoder = Autoencoder(self.config.latent_shape(side, i), one).apply(glorot)

    def forward(self, x: Tensor, **switches) -> Tensor:
        """Heatmaps of the last hourglass, (B, K, side/4, side/4) float32; `switches` as in `predictions`."""
        return self.predictions(x, **switches)[-1]

    def predictions(self, x: Tensor, *, skips: Skips = True, edit: Edit | None = None) -> list[Tensor]:
        """Heatmaps of every hourglass, each to be supervised.

        `skips`: off for all levels, or by level (finest first); residual modules keep their shortcuts.
        `edit`: maps the latents (B, C, s, s) of every hourglass to those that are decoded in their place.
        """
        self.config.check_side(x.shape[-1])
        x, outputs = self.stem(x), []
        for i in range(self.config.stacks):
            heatmaps, x = self._pass(i, x, skips, edit)
            outputs.append(heatmaps)
        return outputs

    def latents(self, x: Tensor, stack: int = 0) -> Tensor:
        """(B, C, s, s): the bottleneck's last residual of a hourglass; the first's is the latent space of chapter 3."""
        self.config.check_side(x.shape[-1])
        x = self.stem(x)
        for i in range(stack):
            _, x = self._pass(i, x)
        return self.hourglass(stack).encode(x)[0]

    def hourglass(self, stack: int) -> Hourglass:
        """The hourglass at a place of the stack; where weights are shared it is the same in all."""
        return self.hourglasses[0 if self.config.shared else stack]

    def _pass(self, i: int, x: Tensor, skips: Skips = True, edit: Edit | None = None) -> tuple[Tensor, Tensor]:
        """The heatmaps of one hourglass and what the next one sees, (B, C, H, W)."""
        hourglass = self.hourglass(i)
        latents, branches = hourglass.encode(x)
        latents = latents if edit is None else edit(latents)
        features, heatmaps = self.heads[i](hourglass.decode(latents, branches, skips))
        if i < len(self.from_features):
            x = x + self.from_features[i](features) + self.from_heatmaps[i](heatmaps.to(features.dtype))
        return heatmaps, x


def build(config: HourglassConfig, side: int, autoencoders: Sequence[AutoencoderConfig] = ()) -> StackedHourglass:
    """A new network for crops of `side` pixels; ValueError where a side can't be halved so often.

    `autoencoders`: one for each hourglass, or none.
    """
    config.check_side(side)
    network = StackedHourglass(config)
    if autoencoders:
        network.insert_autoencoder(autoencoders, side)
    return network


def stem(config: HourglassConfig) -> nn.Sequential:
    """(B, 3, side, side) -> (B, C, side/4, side/4): a 7x7 convolution and residuals, a pooling behind the first."""
    first, c = config.stem, config.channels
    if config.stem_widths:  # Newell: each residual is half as wide inside as it puts out
        widths = [first, *config.stem_widths, c]
        row = [Residual(a, b, min(config.inner, b // 2), config) for a, b in pairwise(widths)]
    else:  # 128 of 256, as 3.2.2 says
        row = [Residual(first, c, min(config.inner, first // 2), config)]
    convolution = nn.Conv2d(3, first, 7, stride=2, padding=3)
    return nn.Sequential(
        convolution, nn.BatchNorm2d(first), nn.ReLU(inplace=True), row[0], nn.MaxPool2d(2), *row[1:]
    )  # fmt: skip


def he(module: nn.Module) -> None:
    """He-normal weights N(0, 2/fan_in) and zero biases: He et al. 2015, for layers behind which a ReLU stands."""
    glorot(module)
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def glorot(module: nn.Module) -> None:
    """Glorot-normal weights N(0, 2/(fan_in + fan_out)) and zero biases; 5.1."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


@torch.no_grad()
def fold(network: nn.Module) -> nn.Module:
    """An eval-mode copy in which each BatchNorm2d behind a Conv2d has gone into its weights; the original stays.

    In evaluation batch norm is y = (x - mean) / sqrt(var + eps) * weight + bias with constants, so scaling the
    convolution's kernels and shifting its bias gives the same maps but for rounding. The first norm of a
    pre-activation residual follows a sum and stays.
    """
    folded = deepcopy(network).eval()
    for row in [module for module in folded.modules() if isinstance(module, nn.Sequential)]:
        for i, (layer, norm) in enumerate(pairwise(list(row))):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                row[i], row[i + 1] = fuse_conv_bn_eval(layer, norm), nn.Identity()
    return folded
