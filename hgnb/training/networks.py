"""Everything that can be trained, by name: the thesis's chain, its controls, what it left for later, the networks of
source 004 and chapter 07's changes. Thesis 5.1, 7.2, 7.3, 8.2, 8.4; source 004.

A training changes numbers of a profile (of chapter 06, a network's and a training's; of chapter 07, any), or goes on
from other trainings, which it `needs`. What `hgnb record` trains for each seed is a `Study`. To look a name up loads
no torch: the Snakefile does, for every build.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hgnb.errors import InputError, unknown
from hgnb.model.config import AutoencoderConfig, HourglassConfig

if TYPE_CHECKING:
    from hgnb.training.experiment import Experiment
    from hgnb.training.profiles import Profile
    from hgnb.training.runs import Run

Numbers = dict[str, dict[str, Any]]  # of a profile, by section
Make = Callable[["Experiment"], "Run | None"]

LONG = "long"  # in place of a number of epochs: the profile's long training
PROFILE = ""  # in place of a training that another changes: the profile itself
BASE = "newell"  # what every network of chapter 06 is compared with
THESIS, GENTLE, NEWELL, BEST = "thesis", "gentle", "peak-1", "best"  # of chapter 07


@dataclass(frozen=True)
class Training:
    """One training, of one seed."""

    name: str
    title: str
    source: str
    group: str  # 'chain', 'control', 'fork', 'later', 'lighter', or a group of chapter 07's changes
    numbers: Numbers = field(default_factory=dict)  # what differs from `on`
    on: str = PROFILE  # the training that it changes
    needs: tuple[str, ...] = ()  # trainings that it goes on from
    make: Make | None = None  # None: the hourglass of the profile with these numbers
    network: HourglassConfig | None = None  # at full size, where the sources describe it
    autoencoders: tuple[AutoencoderConfig, ...] = ()  # in its bottlenecks: one for each hourglass, or none

    @property
    def varies(self) -> bool:
        """Whether it is an hourglass of its own from the first step: `Experiment.varied` opens it."""
        return self.make is None

    @property
    def training(self) -> dict[str, Any]:
        """What of the training differs from `on`."""
        return self.numbers.get("training", {})

    @property
    def long(self) -> bool:
        return self.training.get("epochs") == LONG

    @property
    def described(self) -> HourglassConfig:
        """Its network at full size; ValueError where no source describes one."""
        if self.network is None:
            raise ValueError(f"'{self.name}' describes no network")
        return self.network

    def run(self, experiment: "Experiment") -> "Run | None":
        """Its run for the seed of a plain Experiment, trained if it isn't yet; None where there is nothing to train."""
        return self.make(experiment) if self.make else experiment.varied(self.name).hourglass()


@dataclass(frozen=True)
class Arm(Training):
    """One network of chapter 04's comparison. Thesis 7.3; examiner's questions 6.5 and 4.5; claims C19 to C28.

    The author takes the gain for the autoencoder's, since the original had stopped improving (6.5). Here the original
    is trained on as well. All arms but the hourglass itself start from one of its checkpoints with a new optimiser, the
    same rate, order of the data and number of epochs, the profile's `modified`, and differ in nothing but what these
    fields say.
    """

    best: str = "val_pck"  # the hourglass's epoch that it starts from: best PCK, or lowest loss
    further: bool = True  # whether it is trained on
    waist: str = ""  # behind the bottleneck: nothing, 'trained', or a kind of hgnb.training.fit
    twin: str = ""  # the arm that it is where best PCK and lowest loss fall on one epoch

    @property
    def varies(self) -> bool:
        return False

    def run(self, experiment: "Experiment") -> "Run":
        return experiment.arm(self)


# Thesis 5.1 and 7.2; chapter 04.
def _codes(*codes: int) -> tuple[AutoencoderConfig, ...]:
    return tuple(AutoencoderConfig(code=code) for code in codes)


ONE = HourglassConfig()
TWO = replace(ONE, stacks=2)
HOURGLASS = Arm("hourglass", "the hourglass itself", "5.1", "chain", network=ONE, further=False)
MODIFIED = Arm(
    "modified", "trained on with the autoencoder", "7.2", "chain", needs=("autoencoder",), network=ONE,
    autoencoders=_codes(50), waist="trained",
)  # fmt: skip
CONTROLS = (
    Arm("control-longer", "trained on without", "examiner's question 6.5", "control", needs=("hourglass",)),
    Arm(
        "control-random", "with a frozen random autoencoder", "ours; claim C27", "control", needs=("hourglass",),
        waist="random",
    ),
    Arm(
        "control-projection", "with a frozen projection", "ours; claim C27", "control", needs=("hourglass",),
        waist="projection",
    ),
    # the same runs where best PCK and lowest loss fall on one epoch, so not at the same time
    Arm(
        "longer-best-loss", "trained on from the lowest loss", "examiner's question 4.5", "control",
        needs=("control-longer",), best="val_loss", twin="control-longer",
    ),
    Arm(
        "modified-best-loss", "with the autoencoder, from the lowest loss", "examiner's question 4.5", "control",
        needs=("modified",), best="val_loss", waist="trained", twin="modified",
    ),
)  # fmt: skip
# no training of its own: the hourglass at another epoch
LOWEST = Arm(
    "hourglass-best-loss", "the hourglass at its lowest loss", "examiner's question 4.5", "chain", best="val_loss",
    further=False, twin="hourglass",
)  # fmt: skip
ARMS = {arm.name: arm for arm in (HOURGLASS, MODIFIED, *CONTROLS[:3], LOWEST, *CONTROLS[3:])}
RIVALS = tuple(arm.name for arm in CONTROLS)


# Two ways on from the epoch at which the rate drops: with the drop and without. A slope after the drop says little,
# since the rule drops the rate when PCK has just been low. So both ways start from the same weights and optimiser, see
# the persons in the same order, and differ in the rate alone. Where the rule hasn't dropped the rate by the epoch of
# the thesis's drop, that epoch's checkpoint is kept instead, so that every seed can be forked; if it drops later, its
# own takes the place. The manifest's `drop` says which it is.
FORK_EPOCHS = 3


def fork(experiment: "Experiment", name: str) -> "Run | None":
    """One of the two forks of the hourglass; None if it keeps no checkpoint for them (hgnb.training.loop.forced)."""
    from hgnb.training.profiles import FurtherTrainingConfig

    run, training = experiment.hourglass(), experiment.profile.training
    if not (run.folder / "drop.ckpt").exists():
        return None
    numbers = {f.name: getattr(training, f.name) for f in fields(training)}
    numbers |= {
        "epochs": FORK_EPOCHS,
        "rate": training.rate / (training.drop_factor if name == FORKS[0].name else 1),
        "warmup": 0,
        "drop_after": FORK_EPOCHS + 1,  # neither drops again
    }
    config = FurtherTrainingConfig(**numbers, keep_optimiser=True)
    return experiment.further(name, run, config, checkpoint="drop")


FORKS = tuple(
    Training(name, title, "5.2; claim C3", "fork", needs=("hourglass",), make=partial(fork, name=name))
    for name, title in (
        ("fork-dropped", "on from the drop of the rate"),
        ("fork-kept", "on without the drop"),
    )
)


# What the thesis left for later. Thesis 8.2 and 8.4; claims C31, C32 and C34, examiner's question 6.4; chapter 07.
def straight(experiment: "Experiment") -> "Run":
    """The hourglass trained in one go as long as the chain's two hourglasses together; beside `narrow`."""
    return experiment.fresh("straight", _in_one_go(experiment.profile))


def narrow(experiment: "Experiment") -> "Run":
    """The modified hourglass with nothing learned before: as narrow from its first step, trained in one go."""
    return experiment.fresh("narrow", _in_one_go(experiment.profile), experiment.profile.autoencoder)


def _in_one_go(profile: "Profile"):
    return replace(profile.training, epochs=profile.training.epochs + profile.modified.epochs)


def longer(experiment: "Experiment", name: str) -> "Run":
    """Hourglasses without autoencoders, trained on as long as modified ones are."""
    plain = experiment.varied(name)
    return plain.further("longer", plain.hourglass(), plain.profile.modified)


def modified(experiment: "Experiment", name: str) -> "Run":
    """Hourglasses in a row, made as one modified hourglass is: trained without autoencoders, one learned for the
    latents of each, then trained on together. Codes are the profile's times those of `name` over the thesis's 50."""
    codes, own = [one.code for one in get(name).autoencoders], experiment.profile.autoencoder
    plain = experiment.varied("stacks-2")
    each = [replace(own, code=max(own.code * code // codes[0], 1)) for code in codes]
    inserted = [plain.autoencoder(stack=stack, shape=shape) for stack, shape in enumerate(each)]
    return plain.further(name, plain.hourglass(), plain.profile.modified, autoencoders=inserted)


LATER = (
    Training(
        "without-skips", "Without skips", "8.4; claim C31", "later", {"model": {"skips": False}},
        network=replace(ONE, skips=False),
    ),
    Training(
        "visible-only", "Trained on v = 2 alone", "8.2; claim C32", "later", {"training": {"least_visibility": 2}}
    ),
    Training("straight", "As long as the chain, in one go", "examiner's question 6.4", "later", make=straight),
    Training("narrow", "Modified from the first step", "examiner's question 6.4", "later", make=narrow),
    Training("stacks-2", "Two hourglasses", "8.4; claim C34", "later", {"model": {"stacks": 2}}, network=TWO),
    Training(
        "stacks-4", "Four hourglasses", "8.4; claim C34", "later", {"model": {"stacks": 4}},
        network=replace(ONE, stacks=4),
    ),
    Training(
        "two-plain", "Two hourglasses, trained on", "8.4; claim C34", "later", needs=("stacks-2",),
        make=lambda experiment: longer(experiment, "stacks-2"),
    ),
    Training(
        "four-plain", "Four hourglasses, trained on", "8.4; claim C34", "later", needs=("stacks-4",),
        make=lambda experiment: longer(experiment, "stacks-4"),
    ),
    Training(
        "two-modified", "Two modified hourglasses", "8.4; claim C34", "later", needs=("stacks-2",), network=TWO,
        autoencoders=_codes(50, 50), make=lambda experiment: modified(experiment, "two-modified"),
    ),
    Training(  # both ask for the autoencoder of the first hourglass
        "two-modified-25", "Two modified hourglasses, 25 units in the second", "8.4; claim C34", "later",
        needs=("two-modified",), network=TWO, autoencoders=_codes(50, 25),
        make=lambda experiment: modified(experiment, "two-modified-25"),
    ),
)  # fmt: skip


# Source 004 changes Newell's eight stacks one number at a time; the claims L1 to L13 compare them. Where it leaves a
# number open, the choice stands beside the network in lighter.toml (ambiguity 22). Chapter 06.
# Residuals 64 -> 128, pooling, 128 -> 128, 128 -> 256. What 004 counts as three modules of a level is one on the
# skip, one on the way down and one on the way up.
EIGHT = HourglassConfig(stacks=8, stem=64, stem_widths=(128, 128))


def _lighter() -> tuple[Training, ...]:
    """What lighter.toml describes: a network of its own each, or the network it is `on`, otherwise trained."""
    rows = tomllib.loads(Path(__file__).with_name("lighter.toml").read_text(encoding="utf8"))
    found = []
    for name, row in rows.items():
        changes = rows[row["on"]] if "on" in row else row
        described: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in changes.get("network", {}).items()
        }
        numbers = {"training": row["training"]} if "on" in row else {}
        shape = replace(EIGHT, **described)
        found.append(
            Training(name, row["title"], row["source"], "lighter", numbers, row.get("on", PROFILE), network=shape)
        )
    return tuple(found)


LIGHTER = _lighter()


# One change at a time. `thesis` is the profile's network on the profile's persons at the profile's rate, with every
# other number as the thesis has it. In as few steps as two cores take in a minute it stays where it starts, whatever
# single number is changed, as long as its first heatmaps are far louder than its targets: so there is a second start to
# change things from, `gentle`, which differs from it in that alone. Each change differs from another in what is listed
# here and in nothing else. Thesis 8.2; chapter 07.
QUIET = {"model": {"output_gain": 0.01}}


def _change(name: str, title: str, group: str, source: str, numbers: Numbers, on: str = GENTLE) -> Training:
    return Training(name, title, source, group, numbers, on)


def _targets(name: str, title: str, source: str, visible: float, hidden: float, targets: str = "thesis") -> Training:
    numbers = {"targets": targets, "sigma_visible": visible, "sigma_hidden": hidden}
    return _change(name, title, "targets", source, {"heatmaps": numbers})


def _training(name: str, title: str, group: str, source: str, on: str = GENTLE, **numbers) -> Training:
    return _change(name, title, group, source, {"training": numbers}, on)


def merged(*parts: Mapping[str, Mapping[str, Any]]) -> Numbers:
    """Several changes at once; the later wins."""
    sections = {section for part in parts for section in part}
    return {s: {name: v for part in parts for name, v in part.get(s, {}).items()} for s in sections}


HALVES: Numbers = {"heatmaps": {"targets": "peak", "sigma_visible": 0.5, "sigma_hidden": 0.5}}
NEWELLS: Numbers = {"heatmaps": {"targets": "peak", "sigma_visible": 1.0, "sigma_hidden": 1.0}}
BEYOND = (
    _change(
        THESIS, "The thesis's numbers", "thesis", "5.1",
        {
            "heatmaps": {"targets": "thesis", "sigma_visible": 0.5, "sigma_hidden": 1.0},
            "model": {"output_gain": 1.0},
            "training": {"optimiser": "rmsprop", "warmup": 0},
        },
        PROFILE,
    ),
    _change("quiet-start", "Last weights at a hundredth", "start", "ours", QUIET, THESIS),
    _training("warm-up", "100 steps of warm-up", "start", "ours", THESIS, warmup=100),
    _change(GENTLE, "Gentle start, both", "start", "ours", merged(QUIET, {"training": {"warmup": 100}}), THESIS),
    _training("loud-adam", "Adam after the thesis's start", "start", "Kingma & Ba 2015", THESIS, optimiser="adam"),
    _change("loud-peak-1", "Peak 1, σ 1 after the thesis's start", "start", "Newell et al. 2016", NEWELLS, THESIS),
    _targets("sigma-half", "Sum 1, σ ½ for all", "8.2 item 2", 0.5, 0.5),
    _targets("sigma-1", "Sum 1, σ 1 for all", "8.2 item 2", 1.0, 1.0),
    _targets("sigma-2", "Sum 1, σ 2 for all", "8.2 item 2", 2.0, 2.0),
    _targets("sigma-reversed", "Sum 1, σ 1 visible and ½ hidden", "ambiguity 1", 1.0, 0.5),
    _targets("peak-split", "Peak 1, σ ½ visible and 1 hidden", "ambiguity 2", 0.5, 1.0, "peak"),
    _targets("peak-half", "Peak 1, σ ½", "ambiguity 2", 0.5, 0.5, "peak"),
    _change(NEWELL, "Peak 1, σ 1", "targets", "Newell et al. 2016", NEWELLS),
    _targets("peak-2", "Peak 1, σ 2", "ambiguity 2", 2.0, 2.0, "peak"),
    _training("epsilon-1e-6", "RMSProp's ε 1e-6", "optimiser", "ambiguity 4", eps=1e-6),
    _training("epsilon-1e-10", "RMSProp's ε 1e-10", "optimiser", "ambiguity 4", eps=1e-10),
    _training("rho-0.9", "RMSProp's ρ 0.9", "optimiser", "8.2 item 5", alpha=0.9),
    _training("rate-2.5e-4", "Rate 2.5e-4, the thesis's", "optimiser", "5.1", rate=2.5e-4),
    _training("rate-4e-3", "Rate 4e-3", "optimiser", "ours", rate=4e-3),
    _training("adam", "Adam", "optimiser", "Kingma & Ba 2015", optimiser="adam"),
    _training("cosine", "Rate that falls as a cosine", "optimiser", "Loshchilov & Hutter 2017", schedule="cosine"),
    _change("he", "He's initial weights", "network", "8.2 item 5", {"model": {"init": "he"}}),
    _change(
        "post-activation", "Batch norm behind the convolutions", "network", "ambiguity 19; 8.2 item 4",
        {"model": {"activation": "post"}},
    ),
    _training("balance", "Loss weighted by keypoint", "loss", "ours", balance=True),
    _training("ignored", "Unlabelled maps outside the loss", "loss", "ambiguity 15", unlabelled="ignored"),
    _training("visible", "Keypoints of v = 2 alone", "loss", "8.2; claim C32", least_visibility=2),
    _training("mirror", "Half the persons mirrored", "data", "Newell et al. 2016", flip=0.5),
    _training("turned", "Turned by ±30°, scaled by ±25 %", "data", "Newell et al. 2016", rotation=30.0, scaling=0.25),
    _training("peak-1-adam", "Peak 1, σ 1 and Adam", "together", "ours", NEWELL, optimiser="adam"),
    _training("fast", "Rate 4e-3, cosine", "together", "ours", "rate-4e-3", schedule="cosine"),
    _training("fast-adam", "Rate 4e-3, cosine, Adam", "together", "ours", "fast", optimiser="adam"),
    _training("fast-mirror", "Rate 4e-3, cosine, mirrored", "together", "ours", "fast", flip=0.5),
    _training(
        "fast-ignored", "Rate 4e-3, cosine, mirrored, labelled maps", "together", "ours", "fast-mirror",
        unlabelled="ignored",
    ),
    _change(BEST, "All four with peak 1, σ ½", "together", "ours", HALVES, "fast-ignored"),
    _change("best-wide", "All four with peak 1, σ 1", "together", "ours", NEWELLS, "fast-ignored"),
)  # fmt: skip


# Section 5 of the ambiguities: what else a sentence of the sources may mean, where that changes a number of the whole
# chain. What stands among chapter 07's changes is read from there. Chapter 08.
def _reading(name: str, title: str, ambiguity: int, numbers: Numbers) -> Training:
    return Training(name, title, f"ambiguity {ambiguity}", "reading", numbers)


def _both(**numbers) -> Numbers:
    """Of every hourglass's training, the modified one's too."""
    return {"training": numbers, "modified": numbers}


READINGS = (
    _reading("well-labelled", "Persons with 6 keypoints labelled or more", 3, {"data": {"min_labelled": 6}}),
    _reading("momentum-0.99", "Momentum 0.99", 4, _both(momentum=0.99)),
    _reading("larger-epsilon", "RMSProp's ε 1e-6", 4, _both(eps=1e-6)),
    _reading("halved-twice", "Autoencoder that halves the channels twice", 5, {"autoencoder": {"halvings": 2}}),
    _reading("noise-e", "Noise of x/e", 6, {"autoencoder_training": {"noise": 0.368}}),
    _reading("quarter-stem", "First convolution a quarter as wide", 7, {"model": {"stem": 8}}),
    _reading("vertical", "Squares that move up and down alone", 8, {"data": {"rule": "vertical"}}),
    _reading(
        "carried-on", "Trained on with the old rate, rule and averages", 13,
        {"modified": {"keep_optimiser": True, "keep_rate": True, "keep_rule": True}},
    ),
    _reading("labelled-maps", "Unlabelled maps outside the loss", 15, _both(unlabelled="ignored")),
    _reading("split-by-person", "Test persons drawn one by one", 17, {"data": {"test_by": "person"}}),
)  # fmt: skip


# Other sizes of the profile `drawn`: half and twice its width, a quarter and four times of its persons. Chapter 08.
def _width(name: str, title: str, channels: int) -> Training:
    model = {"channels": channels, "inner": channels // 2, "stem": channels}
    return Training(name, title, "ours", "scale", {"model": model, "autoencoder": {"code": 25 * channels // 32}})


def _persons(name: str, title: str, persons: int) -> Training:
    drawn = {"data": {"train_persons": persons}, "embedded": {"train_images": 15 * persons // 16}}
    return Training(name, title, "ours", "scale", drawn)


SCALE = (
    _width("narrower", "16 channels", 16),
    _width("wider", "64 channels", 64),
    _persons("fewer", "640 persons", 640),
    _persons("more", "10,240 persons", 10_240),
)


# What chapter 08 records the chain under, beside a profile itself: changes of it, several with a plus between them.
# Each trains what the ledger's claims need, without the stacks of 8.4, which cost as much as all the rest.
CHANGES = {
    "scale": (
        "narrower+fewer", "fewer", "wider+fewer", "narrower", "wider", "narrower+more", "more", "wider+more",
    ),
    "readings": ("sigma-reversed", "peak-split", "post-activation", *(one.name for one in READINGS)),
}  # fmt: skip
CORE = ("hourglass", "autoencoder", "modified", *RIVALS, *(one.name for one in (*FORKS, *LATER[:2])))


AUTOENCODER = Training(
    "autoencoder", "Autoencoder of the latents", "7.2", "chain", needs=("hourglass",), autoencoders=_codes(50),
    make=lambda experiment: experiment.autoencoder(),
)  # fmt: skip
CHAIN = (HOURGLASS, AUTOENCODER, MODIFIED)
TRAININGS = (*CHAIN, *CONTROLS, *FORKS, *LATER, *LIGHTER, *BEYOND, *READINGS, *SCALE)
_BY_NAME = {training.name: training for training in TRAININGS}


@dataclass(frozen=True)
class Study:
    """Trainings that are made for several seeds and recorded together, in the order in which they are made."""

    name: str
    title: str
    trainings: tuple[Training, ...]

    def units(self, chosen: tuple[str, ...] = ()) -> list[Training]:
        """Those that a profile asks for by name; all where it names none."""
        return [get(name) for name in chosen] or list(self.trainings)

    def needs(self, training: Training) -> list[Training]:
        """What a training of it goes on from, and what those go on from, first things first."""
        found: dict[str, Training] = {}
        for name in training.needs:
            found |= {one.name: one for one in (*self.needs(get(name)), get(name))}
        return list(found.values())


STUDIES = {
    study.name: study
    for study in (
        Study(
            "chain",
            "the chain, its controls, and what the thesis left for later",
            (*CHAIN, *CONTROLS, *FORKS, *LATER),
        ),
        Study("lighter", "the networks of chapter 06", LIGHTER),
        Study("beyond", "the changes of chapter 07", BEYOND),
    )
}


def names() -> list[str]:
    """The trainings there are."""
    return list(_BY_NAME)


def get(name: str) -> Training:
    """The training called `name`; InputError names the nearest where there is none."""
    if name not in _BY_NAME:
        raise unknown("training", name, names())
    return _BY_NAME[name]


def study(name: str) -> Study:
    """The study called `name`; InputError names the nearest where there is none."""
    if name not in STUDIES:
        raise unknown("study", name, list(STUDIES))
    return STUDIES[name]


def numbers(name: str) -> Numbers:
    """Everything that differs from the profile under a training."""
    one = get(name)
    return merged(numbers(one.on) if one.on else {}, one.numbers)


def scaled(profile: "Profile", name: str) -> "Profile":
    """The profile under which an experiment's hourglass is the training called `name`.

    004's networks take the profile's section `lighter`; other changes are made to the profile's own hourglass.
    """
    one = get(name)
    if not one.varies:
        raise InputError(f"'{name}' starts from trained parts: 'hgnb train {name}' makes them first.")
    sections = numbers(name)
    if one in LIGHTER:
        return _lightened(profile, one, sections.get("training", {}))
    if one in BEYOND and profile.beyond.epochs:
        sections = merged(sections, {"training": {"epochs": profile.beyond.epochs}})
    return replace(profile, **{s: replace(getattr(profile, s), **n) for s, n in sections.items()})


def _lightened(profile: "Profile", one: Training, training: dict[str, Any]) -> "Profile":
    size = profile.lighter
    if one.long:
        training = training | {"epochs": size.long_epochs}
    network = one.described.shortened(size.stack_divisor).narrowed(size.width_divisor)
    return replace(
        profile,
        data=replace(profile.data, side=size.side),
        embedded=replace(
            profile.embedded, schema="mpii16", labelling="generous",
            train_images=size.train_images, val_images=size.val_images,
        ),
        heatmaps=replace(profile.heatmaps, **NEWELLS["heatmaps"]),  # the thesis's belong to chapters 01 to 05
        model=replace(network, output_gain=profile.model.output_gain),
        training=replace(profile.lighter_training, **training),
    )  # fmt: skip


def sheet():
    """What can be trained by name, with its source, as a terminal shows it."""
    from rich.table import Table

    table = Table("name", "what", "source", show_edge=False)
    for one in TRAININGS:
        table.add_row(one.name, one.title, one.source)
    return table
