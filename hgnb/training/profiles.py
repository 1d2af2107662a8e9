"""Every number of an experiment, with its unit and source; explained in 02_experiment. Thesis 5.1 and 7.2; source 004.

The defaults of the config classes are the thesis's; a profile's TOML file holds only what differs from them, or from
the profile that it names as `like`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from typing import Any

from rich.table import Table

from hgnb.data.heatmaps import HeatmapConfig
from hgnb.data.splits import DataConfig
from hgnb.errors import InputError, unknown
from hgnb.home import home
from hgnb.metrics import PckConfig
from hgnb.model.hourglass import AutoencoderConfig, HourglassConfig
from hgnb.quantity import quantity
from hgnb.training.networks import numbers


@dataclass(frozen=True)
class TrainingConfig:
    """How an hourglass is trained; the defaults are the thesis's."""

    epochs: int = quantity(50, "epochs", "5.2")
    batch: int = quantity(16, "persons", "5.1")
    rate: float = quantity(2.5e-4, "learning rate", "5.1")
    optimiser: str = quantity("rmsprop", "'rmsprop' or 'adam'", "5.1")
    alpha: float = quantity(0.99, "RMSProp's smoothing", "5.1; ambiguity 4")
    momentum: float = quantity(0.0, "RMSProp's momentum", "5.1; ambiguity 4")
    eps: float = quantity(1e-8, "outside the root, as torch", "ambiguity 4")
    schedule: str = quantity("drop", "'drop': once, when the best PCK is old; 'cosine': to zero", "5.1")
    drop_after: int = quantity(5, "epochs since the best PCK", "5.1; ambiguity 11")
    drop_factor: float = quantity(5.0, "divides the rate, once", "5.1")
    warmup: int = quantity(0, "steps over which the rate rises to its value", "5.1 names none")
    least_visibility: int = quantity(1, "v that a keypoint needs to be a target", "5.1; 2 is 8.2's; claim C32")
    unlabelled: str = quantity("empty", "a map without keypoint: 'empty', or 'ignored' by the loss", "ambiguity 15")
    balance: bool = quantity(False, "whether rare keypoints' maps weigh as much as common ones'", "5.1 names none")
    flip: float = quantity(0.0, "share of persons seen in a mirror", "5.1: no augmentation")
    rotation: float = quantity(0.0, "degrees that a person is turned, at most", "5.1: no augmentation")
    scaling: float = quantity(0.0, "share by which a person grows or shrinks, at most", "5.1: no augmentation")
    precision: str = quantity("native", "'native': bf16 where that is faster here; or 'fp32', 'bf16'", "5.1 names none")
    threads: int = quantity(0, "of the processor; 0: as many as torch takes", "ours: small maps gain nothing from more")


@dataclass(frozen=True)
class FurtherTrainingConfig(TrainingConfig):
    """How a trained hourglass is trained on; what is carried over besides its weights is ambiguity 13."""

    epochs: int = quantity(10, "epochs", "figure 25 zooms in from epoch 47; ambiguity 13")
    keep_optimiser: bool = quantity(False, "whether the optimiser's averages go on", "ambiguity 13")
    keep_rate: bool = quantity(False, "whether the checkpoint's rate goes on, not `rate`", "ambiguity 13")
    keep_rule: bool = quantity(False, "whether the best PCK and the drop are remembered", "ambiguity 13")


@dataclass(frozen=True)
class AutoencoderTrainingConfig:
    """How the autoencoder is trained on its own; the defaults are the thesis's."""

    epochs: int = quantity(100, "epochs", "7.3, figure 24")
    batch: int = quantity(16, "persons", "7.2")
    rate: float = quantity(5e-4, "learning rate", "7.2")
    momentum: float = quantity(0.9, "SGD momentum", "7.2")
    halve_every: int = quantity(25, "epochs", "7.2")
    noise: float = quantity(0.1, "of each input value, times N(0, 1)", "7.2; examiner's question 6.3; ambiguity 6")
    threads: int = quantity(1, "of the processor", "ours: 4x4 maps gain nothing from more")


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
class BeyondConfig:
    """How much chapter 07 trains for each change."""

    epochs: int = quantity(0, "epochs of each change; 0: as many as the profile's hourglass", "ours")
    cases: tuple[str, ...] = quantity((), "changes of the sweep, by name; empty: all", "ours")


LIKE = "like"  # key of a profile's file: another profile, whose numbers it starts from


@dataclass(frozen=True)
class EmbeddedConfig:
    """How many photographs the embedded data draws in place of COCO's, and what is labelled on them."""

    train_images: int = quantity(60_000, "images", "ours: about COCO's number of images with persons, 4.1")
    val_images: int = quantity(2_500, "images", "ours: as above")
    width: int = quantity(640, "pixels", "COCO's longer side")
    height: int = quantity(480, "pixels", "COCO's usual shorter side")
    seed: int = quantity(0, "seed", "ours")
    schema: str = quantity("coco17", "coco17 or mpii16", "COCO's keypoints, 4.1")
    labelling: str = quantity("coco", "coco or generous", "ours: as many keypoints a person as COCO's annotators gave")


@dataclass(frozen=True)
class MachineConfig:
    """How a training uses the machine; whoever starts it may say otherwise."""

    processes: int = quantity(1, "processes that share a batch", "ours: benchmarks/cores.py tells where two pay")


@dataclass(frozen=True)
class AnalysisConfig:
    """What chapters 03 and 05 look at; the defaults are the thesis's."""

    sample: int = quantity(10_000, "random training persons", "6.4")
    components: tuple[int, ...] = quantity((1, 2, 3, 10, 30, 50, 100), "components walked", "6.3, figure 15; 100: ours")
    steps: tuple[float, ...] = quantity((-3.0, -1.5, 0.0, 1.5, 3.0), "sqrt(lambda)", "6.3 gives the rule, not c")
    clusters: tuple[int, ...] = quantity(tuple(range(2, 11)), "values of K", "6.4")
    restarts: int = quantity(10, "K-means restarts", "6.4")
    posed: int = quantity(900, "pictures drawn for what is said of postures, some 1,200 persons", "ours")
    steered: int = quantity(200, "test persons at most whose latents are steered", "ours")
    gaussians: int = quantity(5, "samples of a Gaussian that the silhouettes are held against", "ours")
    resamples: int = quantity(100, "draws of the images among which K must be best again", "ours")
    samples: int = quantity(20, "persons shown", "6.2, figure 14")
    few: int = quantity(128, "training persons that the network shall learn by heart", "ours")
    few_epochs: int = quantity(50, "epochs with them alone", "ours: as many as all persons get, 5.2")


@dataclass(frozen=True)
class Profile:
    """One size of the whole experiment: `smoke` proves that it runs, `tiny` means something, `paper` is the thesis."""

    name: str
    data: DataConfig = field(default_factory=DataConfig)
    embedded: EmbeddedConfig = field(default_factory=EmbeddedConfig)
    heatmaps: HeatmapConfig = field(default_factory=HeatmapConfig)
    pck: PckConfig = field(default_factory=PckConfig)
    model: HourglassConfig = field(default_factory=HourglassConfig)
    machine: MachineConfig = field(default_factory=MachineConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    autoencoder_training: AutoencoderTrainingConfig = field(default_factory=AutoencoderTrainingConfig)
    modified: FurtherTrainingConfig = field(default_factory=FurtherTrainingConfig)
    analysis: AnalysisConfig = field(default_factory=AnalysisConfig)
    lighter: LighterConfig = field(default_factory=LighterConfig)
    lighter_training: LighterTrainingConfig = field(default_factory=LighterTrainingConfig)
    beyond: BeyondConfig = field(default_factory=BeyondConfig)


def names() -> list[str]:
    """The profiles there are."""
    return sorted(f.stem for f in (home() / "profiles").glob("*.toml"))


def load(name: str) -> Profile:
    """The profile called `name`; InputError names the nearest where there is none, or a key that isn't known.

    Behind a plus a training of `hgnb.training.networks` changes it: "drawn+sigma-reversed".

    >>> load_profile("paper").model.depth
    4
    >>> load_profile("tiny+sigma-reversed").heatmaps.sigma_visible
    1.0
    """
    base, *changes = name.split("+")
    if base not in names():
        raise unknown("profile", base, names())
    made = _written(base)
    for change in changes:
        made = filled(made, numbers(change), name)
    return replace(made, name=name)


def _written(name: str) -> Profile:
    file = home() / "profiles" / f"{name}.toml"
    try:
        tables = tomllib.loads(file.read_text(encoding="utf8"))
    except ValueError as error:  # of TOML, or of UTF-8
        raise InputError(f"profiles/{file.name} is not TOML: {error}.") from error
    like = tables.pop(LIKE, None)
    if like is not None and (like == name or like not in names()):
        raise unknown(
            "profile to be like", like, [other for other in names() if other != name], f"profiles/{file.name}"
        )
    start = replace(_written(like), name=name) if like else Profile(name)
    return filled(start, tables, file.name)


def departures(profile: Profile) -> list[tuple[str, object, object, Field]]:
    """Where a profile's experiment differs from the thesis: (key, value here, the thesis's value, its field).

    What the embedded data are like, and on how many threads, is no number of the thesis's; nor are chapters 06 and 07.
    """
    thesis, found = Profile("thesis"), []
    for section in fields(profile):
        if section.name in ("name", "embedded", "machine", "lighter", "lighter_training", "beyond"):
            continue
        config, theirs = getattr(profile, section.name), getattr(thesis, section.name)
        for f in fields(config):
            here, there = getattr(config, f.name), getattr(theirs, f.name)
            if here != there and f.name != "threads":
                found.append((f"{section.name}.{f.name}", here, there, f))
    return found


def filled(profile: Profile, tables: Mapping[str, Any], where: str) -> Profile:
    """The profile with the values of a TOML file, or of what has its form; keys must exist and keep their types."""
    sections = {f.name for f in fields(profile)} - {"name"}
    changed = {}
    for section, values in tables.items():
        if section not in sections or not isinstance(values, dict):
            raise unknown("section", section, sections, where)
        config = getattr(profile, section)
        known = {f.name: getattr(config, f.name) for f in fields(config)}
        for key in set(values) - set(known):
            raise unknown("key", f"{section}.{key}", [f"{section}.{k}" for k in known], where)
        typed = {key: _like(known[key], value, f"{section}.{key} in {where}") for key, value in values.items()}
        changed[section] = replace(config, **typed)
    return replace(profile, **changed)


def _like(default, value, where: str):
    """`value` as the type of `default`: TOML's lists become tuples, whole numbers may stand for real ones."""
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        raise InputError(f"{where} must be of type {type(default).__name__}, as {default!r} is, not {value!r}.")
    return value


def sheet(title: str, profile: Any) -> Table:
    """One row a field of `profile`; nested dataclasses as `training.rate`."""
    table = Table("number", "value", "unit", "source", title=title, title_justify="left")
    for row in rows(profile):
        table.add_row(*row)
    return table


def rows(thing: Any, prefix: str = "") -> list[tuple[str, str, str, str]]:
    """(name, value, unit, source) of every field; unit and source are the field's metadata."""
    found = []
    for one in fields(thing):
        value, name = getattr(thing, one.name), f"{prefix}{one.name}"
        if is_dataclass(value):
            found += rows(value, f"{name}.")
        else:
            found.append((name, str(value), one.metadata.get("unit", ""), one.metadata.get("source", "")))
    return found
