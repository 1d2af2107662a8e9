"""What the sweep over lighter hourglasses is made of: its trainings by name, and their size. Source 004; chapter 06.

A case is a network of `hgnb.models.variants` and, where source 004 changes the training instead, what differs in it.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from hgnb.data import heatmaps
from hgnb.errors import InputError, unknown
from hgnb.models import variants
from hgnb.models.variants import Variant
from hgnb.quantity import quantity
from hgnb.training import changes
from hgnb.training.configs import TrainingConfig

BASE = "newell"  # what everything is compared with
CHAINS = ("modified", "two-modified", "two-modified-25")  # those whose networks hold autoencoders
LONG = "long"  # in place of a number of epochs: the profile's long training


@dataclass(frozen=True)
class LighterConfig:
    """How large chapter 06's networks are where they are trained and where they are timed; 004's by default."""

    side: int = quantity(256, "pixels of a crop, trained", "Newell et al. 2016, sec. 4")
    width_divisor: int = quantity(1, "divides every width, trained", "ours")
    stack_divisor: int = quantity(1, "divides the number of hourglasses, trained", "ours")
    train_images: int = quantity(18_000, "embedded images", "Andriluka et al. 2014: MPII's number for training")
    val_images: int = quantity(2_500, "embedded images", "ours")
    long_epochs: int = quantity(220, "epochs of a long training", "004, table 2")
    cases: tuple[str, ...] = quantity((), "trainings of the sweep, by name; empty: all", "004 and ours")
    live: bool = quantity(False, "whether chapter 06 trains them itself", "ours: or it shows a recorded sweep")
    samples: int = quantity(6, "persons on whom all networks are shown", "ours")
    timed_side: int = quantity(256, "pixels of a crop, timed", "Newell et al. 2016, sec. 4")
    timed_divisor: int = quantity(1, "divides every width, timed", "ours")
    timed_batch: int = quantity(6, "persons of a step, timed", "004, 3.6")
    timed_repeats: int = quantity(2, "turns of every network", "ours")


@dataclass(frozen=True)
class LighterTrainingConfig(TrainingConfig):
    """How they are trained: source 004 where it says so, else the code that it changed (bearpaw/pytorch-pose)."""

    batch: int = quantity(20, "persons", "004, table 1")
    momentum: float = quantity(0.9, "RMSProp's momentum", "004, 3.5: with momentum, no number")
    precision: str = quantity("fp32", "'native', 'fp32' or 'bf16'", "004, appendix: mixed precision was not kept")


@dataclass(frozen=True)
class Case:
    """A training of the sweep."""

    name: str
    title: str
    network: str  # of hgnb.models.variants
    changes: dict[str, Any] = field(default_factory=dict)  # of the training; epochs may be LONG

    @property
    def variant(self) -> Variant:
        return variants.get(self.network)

    @property
    def long(self) -> bool:
        return self.changes.get("epochs") == LONG


def _networks() -> list[Case]:
    wanted = [v for v in variants.ALL if v.name == BASE or v.source.startswith(("004", "ours"))]
    return [Case(v.name, v.title, v.name) for v in wanted]


CASES = (
    *_networks(),
    Case("newell-batch-6", "Batch of 6", BASE, {"batch": 6}),
    Case("newell-adam", "Adam", BASE, {"optimiser": "adam"}),
    Case("newell-adam-batch-6", "Adam, batch of 6", BASE, {"optimiser": "adam", "batch": 6}),
    Case("newell-bf16", "Mixed precision", BASE, {"precision": "bf16"}),
    Case("newell-long", "Newell's eight hourglasses, trained long", BASE, {"epochs": LONG}),
    Case("newell-batch-6-long", "Batch of 6, trained long", BASE, {"batch": 6, "epochs": LONG}),
    Case("stacks-6-long", "Six hourglasses, trained long", "stacks-6", {"epochs": LONG}),
    Case("blocks-4-long", "Four blocks in a module, trained long", "blocks-4", {"epochs": LONG}),
)


def names() -> list[str]:
    """The trainings of the sweep, in the order of 004's claims."""
    return [case.name for case in CASES]


def case(name: str) -> Case:
    """The training called `name`; InputError names the nearest where there is none."""
    for one in CASES:
        if one.name == name:
            return one
    raise unknown("training", name, names())


def chosen(config: LighterConfig) -> list[Case]:
    """Those that a profile asks for."""
    return [case(name) for name in config.cases or names()]


def scaled(profile, name: str):
    """The profile under which an experiment's hourglass is the network or training called `name`.

    004's networks take the profile's section `lighter`; chapter 07's changes are made to the profile's own hourglass.
    """
    if name in names():
        one, size = case(name), profile.lighter
        other = {**one.changes, **({"epochs": size.long_epochs} if one.long else {})}
        model = one.variant.shortened(size.stack_divisor).narrowed(size.width_divisor).model
        model = replace(model, output_gain=profile.model.output_gain)
        return replace(
            profile,
            data=replace(profile.data, side=size.side),
            embedded=replace(
                profile.embedded, schema="mpii16", labelling="generous",
                train_images=size.train_images, val_images=size.val_images,
            ),
            heatmaps=heatmaps.NEWELL,  # the thesis's belong to chapters 01 to 05
            model=model,
            training=replace(profile.lighter_training, **other),
        )  # fmt: skip
    if name in changes.names():
        return changes.changed(profile, name)
    if variants.get(name).autoencoders:
        raise InputError(f"'{name}' starts from trained parts: 'hgnb train' names their chain {', '.join(CHAINS)}.")
    raise unknown("training", name, [*names(), *changes.names()])


def sheet():
    """What can be trained by name, with its source, as a terminal shows it."""
    from rich.table import Table

    table = Table("name", "what", "source", show_edge=False)
    for one in CASES:
        told = one.variant.source if not one.changes else f"004, {one.network} otherwise trained"
        table.add_row(one.name, one.title, told)
    for change in changes.CHANGES:
        table.add_row(change.name, change.title, change.source)
    return table
