"""What the thesis left for later, trained: claims C31, C32 and C34, and the examiner's question 6.4.

Thesis 8.2 and 8.4; explained in 07_beyond.

Each takes an Experiment and changes one thing about its chain. Two modified hourglasses are made as one is: trained
without autoencoders, one autoencoder learned for the latents of each, then trained on together; four plain ones are
trained on just as long.
"""

from collections.abc import Callable
from dataclasses import replace

from hgnb.models import variants
from hgnb.training.runs import Run


def no_skips(experiment) -> Run:
    """The hourglass without skip-connections from its first step; C31."""
    return experiment.varied("without-skips").hourglass()


def visible_only(experiment) -> Run:
    """The hourglass trained on visible keypoints alone; C32."""
    return experiment.varied("visible-only").hourglass()


def straight(experiment) -> Run:
    """The hourglass trained in one go as long as the chain's two hourglasses together; beside `narrow`."""
    return experiment.fresh("straight", _in_one_go(experiment.profile))


def narrow(experiment) -> Run:
    """The modified hourglass with nothing learned before: as narrow from its first step, trained in one go.
    Examiner's question 6.4: why not simply a narrower bottleneck?"""
    return experiment.fresh("narrow", _in_one_go(experiment.profile), experiment.profile.autoencoder)


def _in_one_go(profile):
    return replace(profile.training, epochs=profile.training.epochs + profile.modified.epochs)


def two_plain(experiment) -> Run:
    """Two hourglasses without autoencoders, trained on as long; beside C34."""
    return _longer(experiment.varied("stacks-2"))


def four_plain(experiment) -> Run:
    """Four hourglasses without autoencoders, trained on as long as modified ones are; C34."""
    return _longer(experiment.varied("stacks-4"))


def two_modified(experiment) -> Run:
    """Two hourglasses, each with an autoencoder of the profile's size; C34."""
    return _two_modified(experiment, "modified-2")


def two_modified_25(experiment) -> Run:
    """The same with half as many units in the second: 25 of the thesis's 50; C34."""
    return _two_modified(experiment, "modified-2-25")


def _two_modified(experiment, name: str) -> Run:
    """Codes are the profile's times those of the variant over the thesis's 50."""
    codes = [one.code for one in variants.get(name).autoencoders]
    own = experiment.profile.autoencoder
    plain = experiment.varied("stacks-2")
    each = [replace(own, code=max(own.code * code // codes[0], 1)) for code in codes]
    inserted = [plain.autoencoder(stack=stack, shape=shape) for stack, shape in enumerate(each)]
    return plain.further(name, plain.hourglass(), plain.profile.modified, autoencoders=inserted)


def _longer(plain) -> Run:
    return plain.further("longer", plain.hourglass(), plain.profile.modified)


FUTURE: dict[str, Callable[..., Run]] = {
    "without-skips": no_skips,
    "visible-only": visible_only,
    "straight": straight,
    "narrow": narrow,
    "two-plain": two_plain,
    "four-plain": four_plain,
    "two-modified": two_modified,
    "two-modified-25": two_modified_25,
}
