"""One change at a time: what chapter 07 trains beside the thesis's hourglass, by name. Thesis 8.2 and 8.4.

`thesis` is the profile's network on the profile's persons at the profile's rate, with every other number as the thesis
has it. In as few steps as two cores take in a minute it stays where it starts, whatever single number is changed, as
long as its first heatmaps are far louder than its targets: so there is a second start to change things from, `gentle`,
which differs from it in that alone. Each change differs from another in what is listed here and in nothing else.
Those of 8.4 (claims C31, C32, C34) change the profile's own hourglass, so that its chain can go on from them.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from hgnb.errors import unknown
from hgnb.quantity import quantity

Numbers = dict[str, dict[str, Any]]  # of a profile, by section

PROFILE = ""  # in place of another change's name
THESIS, GENTLE, NEWELL, BEST = "thesis", "gentle", "peak-1", "best"
QUIET = {"model": {"output_gain": 0.01}}


@dataclass(frozen=True)
class BeyondConfig:
    """How much chapter 07 trains for each change."""

    epochs: int = quantity(0, "epochs of each change; 0: as many as the profile's hourglass", "ours")
    cases: tuple[str, ...] = quantity((), "changes of the sweep, by name; empty: all", "ours")


@dataclass(frozen=True)
class Change:
    """A training that differs from another in one thing."""

    name: str
    title: str
    group: str
    source: str
    changes: Numbers = field(default_factory=dict)
    on: str = GENTLE  # what it changes: another change, or PROFILE


def _targets(name: str, title: str, source: str, visible: float, hidden: float, targets: str = "thesis") -> Change:
    numbers = {"targets": targets, "sigma_visible": visible, "sigma_hidden": hidden}
    return Change(name, title, "targets", source, {"heatmaps": numbers})


def _training(name: str, title: str, group: str, source: str, on: str = GENTLE, **numbers) -> Change:
    return Change(name, title, group, source, {"training": numbers}, on)


def merged(*parts: Numbers) -> Numbers:
    """Several changes at once; the later wins."""
    sections = {section for part in parts for section in part}
    return {s: {name: v for part in parts for name, v in part.get(s, {}).items()} for s in sections}


HALVES = {"heatmaps": {"targets": "peak", "sigma_visible": 0.5, "sigma_hidden": 0.5}}
NEWELLS = {"heatmaps": {"targets": "peak", "sigma_visible": 1.0, "sigma_hidden": 1.0}}
CHANGES = (
    Change(
        THESIS, "The thesis's numbers", "thesis", "5.1",
        {
            "heatmaps": {"targets": "thesis", "sigma_visible": 0.5, "sigma_hidden": 1.0},
            "model": {"output_gain": 1.0},
            "training": {"optimiser": "rmsprop", "warmup": 0},
        },
        PROFILE,
    ),
    Change("quiet-start", "Last weights at a hundredth", "start", "ours", QUIET, THESIS),
    _training("warm-up", "100 steps of warm-up", "start", "ours", THESIS, warmup=100),
    Change(GENTLE, "Gentle start, both", "start", "ours", merged(QUIET, {"training": {"warmup": 100}}), THESIS),
    _training("loud-adam", "Adam after the thesis's start", "start", "Kingma & Ba 2015", THESIS, optimiser="adam"),
    Change("loud-peak-1", "Peak 1, σ 1 after the thesis's start", "start", "Newell et al. 2016", NEWELLS, THESIS),
    _targets("sigma-half", "Sum 1, σ ½ for all", "8.2 item 2", 0.5, 0.5),
    _targets("sigma-1", "Sum 1, σ 1 for all", "8.2 item 2", 1.0, 1.0),
    _targets("sigma-2", "Sum 1, σ 2 for all", "8.2 item 2", 2.0, 2.0),
    _targets("sigma-reversed", "Sum 1, σ 1 visible and ½ hidden", "ambiguity 1", 1.0, 0.5),
    _targets("peak-split", "Peak 1, σ ½ visible and 1 hidden", "ambiguity 2", 0.5, 1.0, "peak"),
    _targets("peak-half", "Peak 1, σ ½", "ambiguity 2", 0.5, 0.5, "peak"),
    Change(NEWELL, "Peak 1, σ 1", "targets", "Newell et al. 2016", NEWELLS),
    _targets("peak-2", "Peak 1, σ 2", "ambiguity 2", 2.0, 2.0, "peak"),
    _training("epsilon-1e-6", "RMSProp's ε 1e-6", "optimiser", "ambiguity 4", eps=1e-6),
    _training("epsilon-1e-10", "RMSProp's ε 1e-10", "optimiser", "ambiguity 4", eps=1e-10),
    _training("rho-0.9", "RMSProp's ρ 0.9", "optimiser", "8.2 item 5", alpha=0.9),
    _training("rate-2.5e-4", "Rate 2.5e-4, the thesis's", "optimiser", "5.1", rate=2.5e-4),
    _training("rate-4e-3", "Rate 4e-3", "optimiser", "ours", rate=4e-3),
    _training("adam", "Adam", "optimiser", "Kingma & Ba 2015", optimiser="adam"),
    _training("cosine", "Rate that falls as a cosine", "optimiser", "Loshchilov & Hutter 2017", schedule="cosine"),
    Change("he", "He's initial weights", "network", "8.2 item 5", {"model": {"init": "he"}}),
    Change(
        "post-activation", "Batch norm behind the convolutions", "network", "8.2 item 4",
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
    Change(BEST, "All four with peak 1, σ ½", "together", "ours", HALVES, "fast-ignored"),
    Change("best-wide", "All four with peak 1, σ 1", "together", "ours", NEWELLS, "fast-ignored"),
    Change("without-skips", "Without skips", "later", "8.4; claim C31", {"model": {"skips": False}}, PROFILE),
    _training("visible-only", "Trained on v = 2 alone", "later", "8.2; claim C32", PROFILE, least_visibility=2),
    Change("stacks-2", "Two hourglasses", "later", "8.4; claim C34", {"model": {"stacks": 2}}, PROFILE),
    Change("stacks-4", "Four hourglasses", "later", "8.4; claim C34", {"model": {"stacks": 4}}, PROFILE),
)  # fmt: skip
SWEPT = tuple(change for change in CHANGES if change.group != "later")


def names() -> list[str]:
    """The changes there are, in the order of chapter 07."""
    return [change.name for change in CHANGES]


def get(name: str) -> Change:
    """The change called `name`; InputError names the nearest where there is none."""
    for change in CHANGES:
        if change.name == name:
            return change
    raise unknown("change", name, names())


def chosen(config: BeyondConfig) -> list[Change]:
    """Those that a profile asks for."""
    return [get(name) for name in config.cases] or list(SWEPT)


def numbers(name: str) -> Numbers:
    """Everything that differs from the profile under a change."""
    change = get(name)
    return merged(numbers(change.on) if change.on else {}, change.changes)


def changed(profile, name: str):
    """The profile with a change's numbers in place of its own."""
    sections = numbers(name)
    swept = get(name) in SWEPT
    if swept and profile.beyond.epochs:
        sections = merged(sections, {"training": {"epochs": profile.beyond.epochs}})
    return replace(profile, **{s: replace(getattr(profile, s), **n) for s, n in sections.items()})
