"""The shape of a stacked hourglass, number by number. Thesis 3.2 and 5.1; explained in 02_experiment.

One config describes the thesis's network, Newell's and every variant of chapter 06: `hgnb.training.networks`.
"""

from dataclasses import dataclass, replace

from hgnb.errors import InputError, unknown
from hgnb.quantity import quantity

NORMS = ("batch", "layer")
ACTIVATIONS = ("pre", "post")
INITS = ("glorot", "he")


@dataclass(frozen=True)
class HourglassConfig:
    """The shape of a stacked hourglass; the defaults are the thesis's network.

    >>> HourglassConfig().latent_shape(256), HourglassConfig(channels=64, depth=3).latent_shape(128)
    ((256, 4, 4), (64, 4, 4))
    """

    stacks: int = quantity(1, "hourglasses", "5.1")
    depth: int = quantity(4, "poolings", "5.1")
    depths: tuple[int, ...] = quantity((), "poolings of each hourglass; empty: `depth` in all", "5.1 has one depth")
    channels: int = quantity(256, "feature maps", "3.2.2")
    inner: int = quantity(128, "feature maps", "3.2.2")
    stem: int = quantity(256, "feature maps", "3.2.4")
    stem_widths: tuple[int, ...] = quantity((), "feature maps of residuals before the stem's last", "3.2.4 has one")
    bottleneck: int = quantity(3, "residuals", "5.1")
    modules: tuple[int, ...] = quantity((1, 1, 1), "residuals of a level: skip, down, up", "3.2.3")
    kernels: tuple[int, ...] = quantity((1, 3, 1), "pixels, a residual's convolutions", "3.2.2")
    norm: str = quantity("batch", "'batch' or 'layer', in the residuals", "3.2.2")
    activation: str = quantity("pre", "norm and ReLU before ('pre') or behind ('post') convolutions", "5.1; 8.2 item 4")
    init: str = quantity("glorot", "'glorot' or 'he': how weights are drawn", "5.1; 8.2 item 5")
    dropout: float = quantity(0.0, "of the maps before a residual's last convolution", "5.1 names none")
    separable: bool = quantity(
        False, "a wide kernel as one for each map and a 1x1", "ours: Howard et al. 2017, sec. 3.1"
    )
    shared: bool = quantity(False, "one hourglass in all places of the stack", "ours")
    skips: bool = quantity(True, "whether there are skip-connections", "3.2.3")
    output_gain: float = quantity(1.0, "times Glorot's weights of the last convolution", "5.1 names no exception")
    keypoints: int = quantity(17, "heatmaps", "4.1; the dataset's category decides")

    def __post_init__(self):
        """InputError where no network has this shape."""
        wholes = ("stacks", "depth", "channels", "inner", "stem", "bottleneck", "keypoints")
        counts = {name: (getattr(self, name),) for name in wholes}
        counts |= {name: getattr(self, name) for name in ("depths", "stem_widths", "modules", "kernels")}
        for name, values in counts.items():
            if any(type(v) is not int or v < 1 for v in values):
                raise InputError(f"A network's {name} must be whole and at least 1, not {getattr(self, name)!r}.")
        if self.depths and len(self.depths) != self.stacks:
            raise InputError(f"depths names {len(self.depths)} hourglasses, but stacks is {self.stacks}.")
        if self.shared and len(set(self.levels)) > 1:
            raise InputError(f"One hourglass can't be shared by places of several depths, {self.depths!r}.")
        if len(self.modules) != 3:
            raise InputError(f"modules must be three numbers, for skip, down and up, not {self.modules!r}.")
        if len(self.kernels) < 2 or any(k % 2 == 0 for k in self.kernels):
            raise InputError(f"kernels must be two odd numbers or more, not {self.kernels!r}.")
        for name, there in (("norm", NORMS), ("activation", ACTIVATIONS), ("init", INITS)):
            if getattr(self, name) not in there:
                raise unknown(name, getattr(self, name), there)
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must be at least 0 and below 1, not {self.dropout!r}.")

    @property
    def stride(self) -> int:
        """Pixels of the crop for each pixel of a heatmap: the stem halves twice."""
        return 4

    @property
    def levels(self) -> tuple[int, ...]:
        """Poolings of each hourglass."""
        return self.depths or (self.depth,) * self.stacks

    def latent_shape(self, side: int, stack: int = 0) -> tuple[int, int, int]:
        """(C, s, s) of a hourglass's bottleneck for a crop of `side` pixels; 256x4x4 in the thesis."""
        s = side // (self.stride * 2 ** self.levels[stack])
        return self.channels, s, s

    def check_side(self, side: int) -> None:
        """ValueError unless every pooling halves exactly."""
        deepest = max(self.levels)
        step = self.stride * 2**deepest
        if side % step:
            raise ValueError(
                f"A crop of {side} px can't be halved {deepest} times after the stem: "
                f"its side must be divisible by {step}."
            )

    def narrowed(self, divisor: int) -> "HourglassConfig":
        """The same structure with every width divided, for a machine that is small."""
        widths = {name: max(getattr(self, name) // divisor, 1) for name in ("channels", "inner", "stem")}
        return replace(self, **widths, stem_widths=tuple(max(width // divisor, 1) for width in self.stem_widths))

    def shortened(self, divisor: int) -> "HourglassConfig":
        """Every `divisor`-th hourglass of the stack, the last of each handful with its depth; widths stay."""
        if self.stacks % divisor:
            raise InputError(f"A stack of {self.stacks} hourglasses can't be divided by {divisor}.")
        return replace(self, stacks=self.stacks // divisor, depths=self.depths[divisor - 1 :: divisor])


@dataclass(frozen=True)
class AutoencoderConfig:
    """The shape of the autoencoder; the defaults are the thesis's where it gives any.

    >>> AutoencoderConfig(code=10).halvings
    2
    """

    code: int = quantity(50, "dimensions", "7.2")
    halvings: int = quantity(2, "convolutions that halve the channels", "ambiguity 5: the figure is lost")
