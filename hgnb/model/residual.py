"""The residual module that hourglasses are built of. Newell, Yang & Deng (2016), sec. 3.2; thesis 3.2.2; A2."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from hgnb.model.config import HourglassConfig


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
