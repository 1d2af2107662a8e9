"""Every network that the sources name, by name. Newell et al. (2016); thesis 5.1, 7.2, 8.4; source 004; chapter 06.

Source 004 changes Newell's eight stacks one number at a time; the claims L1 to L13 compare them. Where it leaves
a number open, the choice stands beside the variant (ambiguity 22).
"""

from dataclasses import dataclass, replace

from hgnb.errors import InputError, unknown
from hgnb.models.autoencoder import AutoencoderConfig
from hgnb.models.config import HourglassConfig
from hgnb.models.hourglass import StackedHourglass

THESIS = HourglassConfig()
# Residuals 64 -> 128, pooling, 128 -> 128, 128 -> 256. What 004 counts as three modules of a level is one on the
# skip, one on the way down and one on the way up.
NEWELL = HourglassConfig(stacks=8, stem=64, stem_widths=(128, 128))
RISING, FALLING = (2, 2, 2, 3, 3, 3, 4, 4), (4, 4, 3, 3, 3, 3, 2, 2)
# 004 leaves the fourth module's place open; here on the way down, and so in the bottleneck too. One more in all, not
# four at each position: its table 1 has 14.3 minutes for case 4 and for case 2, eight stacks with three modules.
FOUR_MODULES = {"modules": (1, 2, 1), "bottleneck": 4}


@dataclass(frozen=True)
class Variant:
    """A network with a name."""

    name: str
    title: str
    source: str
    model: HourglassConfig
    autoencoders: tuple[AutoencoderConfig, ...] = ()  # one for each hourglass, or none

    def narrowed(self, divisor: int) -> "Variant":
        """The same structure with every width divided, for a machine that is small."""
        m = self.model
        widths = {name: max(getattr(m, name) // divisor, 1) for name in ("channels", "inner", "stem")}
        stem_widths = tuple(max(width // divisor, 1) for width in m.stem_widths)
        return replace(self, model=replace(m, **widths, stem_widths=stem_widths))

    def shortened(self, divisor: int) -> "Variant":
        """Every `divisor`-th hourglass of the stack, the last of each handful with its depth; widths stay."""
        m = self.model
        if m.stacks % divisor:
            raise InputError(f"The {m.stacks} hourglasses of '{self.name}' can't be divided by {divisor}.")
        return replace(self, model=replace(m, stacks=m.stacks // divisor, depths=m.depths[divisor - 1 :: divisor]))

    def build(self, side: int) -> StackedHourglass:
        """A new network for crops of `side` pixels."""
        self.model.check_side(side)
        network = StackedHourglass(self.model)
        if self.autoencoders:
            network.insert_autoencoder(self.autoencoders, side)
        return network


def _lighter(name: str, title: str, source: str, **changes) -> Variant:
    return Variant(name, title, f"004, {source}", replace(NEWELL, **changes))


def _ours(name: str, title: str, **changes) -> Variant:
    return Variant(name, title, "ours", replace(NEWELL, **changes))


def _codes(*codes: int) -> tuple[AutoencoderConfig, ...]:
    return tuple(AutoencoderConfig(code=code) for code in codes)


TWO = replace(THESIS, stacks=2)
ALL = (
    Variant("thesis", "One hourglass", "5.1", THESIS),
    Variant("modified", "One hourglass with its autoencoder", "7.2", THESIS, _codes(50)),
    Variant("without-skips", "One hourglass without skip-connections", "8.4; claim C31", replace(THESIS, skips=False)),
    Variant("stacks-2", "Two hourglasses", "8.4; claim C34", TWO),
    Variant("stacks-4", "Four hourglasses", "8.4; claim C34", replace(THESIS, stacks=4)),
    Variant("modified-2", "Two modified hourglasses", "8.4; claim C34", TWO, _codes(50, 50)),
    Variant("modified-2-25", "Two modified hourglasses, 25 units in the second", "8.4; claim C34", TWO, _codes(50, 25)),
    Variant("newell", "Newell's eight hourglasses", "Newell et al. 2016, sec. 3; 004, case 1", NEWELL),
    _lighter("inner-64", "Inner width 64", "case 2", inner=64),
    # num_feats of the code that 004 changed is half of the outer width, so that its 64 made that 128 as well.
    _lighter("inner-64-outer-128", "Inner width 64, outer 128", "case 2, as its code has it", inner=64, channels=128),
    _lighter("stacks-6", "Six hourglasses", "case 3", stacks=6),
    _lighter("modules-4", "Four modules a level", "one change of case 4", **FOUR_MODULES),
    _lighter("stacks-6-inner-64", "Six hourglasses, inner width 64", "two changes of case 4", stacks=6, inner=64),
    _lighter(
        "stacks-6-inner-64-modules-4", "Six hourglasses, inner width 64, four modules a level", "case 4",
        stacks=6, inner=64, **FOUR_MODULES,
    ),
    _lighter("layer-norm", "Layer norm", "one change of case 5", norm="layer"),
    _lighter("inner-64-layer-norm", "Inner width 64, layer norm", "case 5", inner=64, norm="layer"),
    _lighter("depths-rising", "Depths 2 to 4", "one change of case 6", depths=RISING),
    _lighter("inner-64-depths-rising", "Inner width 64, depths 2 to 4", "case 6", inner=64, depths=RISING),
    _lighter("depths-falling", "Depths 4 to 2", "one change of case 7", depths=FALLING),
    _lighter("inner-64-depths-falling", "Inner width 64, depths 4 to 2", "case 7", inner=64, depths=FALLING),
    # 004 names no kernel of the added block; its reason, small kernels in multitudes for a larger one, asks for 3x3.
    _lighter("blocks-4", "Four blocks in a module: 1, 3, 3, 1", "case 8", kernels=(1, 3, 3, 1)),
    # A 1x1 would explain why 004 found it no slower.
    _lighter("blocks-4-1x1", "Four blocks in a module: 1, 3, 1, 1", "case 8 read otherwise", kernels=(1, 3, 1, 1)),
    # Without its 3x3 a module would not look around, so the 3x3 widens in place of the last 1x1.
    _lighter("blocks-2", "Two blocks in a module: 1, 3", "section 6", kernels=(1, 3)),
    _lighter("dropout", "Dropout", "appendix, which gives no rate", dropout=0.1),
    # What any lighter network has to beat: the same with fewer hourglasses.
    _ours("newell-4", "Four hourglasses of Newell's", stacks=4),
    _ours("newell-2", "Two hourglasses of Newell's", stacks=2),
    _ours("separable", "Separable 3 × 3 convolutions", separable=True),
    _ours("separable-4", "Four hourglasses, separable 3 × 3 convolutions", stacks=4, separable=True),
    _ours("shared", "One hourglass in all eight places", shared=True),
    _ours("shared-separable", "One hourglass in all places, separable", shared=True, separable=True),
)  # fmt: skip


def names() -> list[str]:
    """The networks there are, in the order of their sources."""
    return [variant.name for variant in ALL]


def get(name: str) -> Variant:
    """The network called `name`; InputError names the nearest where there is none."""
    for variant in ALL:
        if variant.name == name:
            return variant
    raise unknown("network", name, names())
