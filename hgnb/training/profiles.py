"""Every number of an experiment, with its unit and source; explained in 02_experiment.

The defaults of the config classes are the thesis's; a profile's TOML file holds only what differs from them, or from
the profile that it names as `like`.
"""

import tomllib
from dataclasses import Field, dataclass, field, fields, replace

from hgnb.data.config import DataConfig
from hgnb.data.heatmaps import HeatmapConfig
from hgnb.errors import InputError, unknown
from hgnb.home import home
from hgnb.metrics import PckConfig
from hgnb.model.autoencoder import AutoencoderConfig
from hgnb.model.hourglass import HourglassConfig
from hgnb.quantity import described, quantity
from hgnb.training.configs import (
    AutoencoderTrainingConfig,
    BeyondConfig,
    FurtherTrainingConfig,
    LighterConfig,
    LighterTrainingConfig,
    TrainingConfig,
)

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
    """The profile called `name`; InputError names the nearest where there is none, or a key that isn't known."""
    if name not in names():
        raise unknown("profile", name, names())
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
    start = replace(load(like), name=name) if like else Profile(name)
    return _filled(start, tables, file.name)


def departures(profile: Profile) -> list[tuple[str, object, object, Field]]:
    """Where a profile's experiment differs from the thesis: (key, value here, the thesis's value, its field).

    What the embedded data are like, and on how many threads, is no number of the thesis's; nor are chapters 06 and 07.
    """
    thesis, found = Profile("thesis"), []
    for section in fields(profile):
        if section.name in ("name", "embedded", "machine", "lighter", "lighter_training", "beyond"):
            continue
        own = getattr(thesis, section.name)
        for f, value in described(getattr(profile, section.name)):
            if value != getattr(own, f.name) and f.name != "threads":
                found.append((f"{section.name}.{f.name}", value, getattr(own, f.name), f))
    return found


def _filled(profile: Profile, tables: dict, where: str) -> Profile:
    """The profile with the values of a TOML file; every key must exist and keep its default's type."""
    sections = {f.name for f in fields(profile)} - {"name"}
    changed = {}
    for section, values in tables.items():
        if section not in sections or not isinstance(values, dict):
            raise unknown("section", section, sections, where)
        config = getattr(profile, section)
        known = {f.name: getattr(config, f.name) for f in fields(config)}
        for key, value in values.items():
            if key not in known:
                raise unknown("key", f"{section}.{key}", [f"{section}.{k}" for k in known], where)
            values[key] = _like(known[key], value, f"{section}.{key} in {where}")
        changed[section] = replace(config, **values)
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
