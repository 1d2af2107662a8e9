"""Claims about what the thesis left to others: C32, C34 and C36 (C31 stands with the skips). Thesis 8.2 and 8.4."""

from hgnb.claims.claim import Claim, Finding, Lacking, Numbers, known
from hgnb.claims.gates import competent, control
from hgnb.claims.rules import PCK_WIDENING
from hgnb.claims.seeds import Seeds
from hgnb.stats import above, every


def visible_alone(seeds: Seeds) -> Numbers:
    """C32. Where no keypoint is labelled as hidden both trainings are one."""
    if not (seeds.persons("train").visibility == 1).any():
        raise Lacking("other data: no hidden keypoint is labelled that could be left out")
    return {"gain": seeds.gain("visible-only", "hourglass", counted=seeds.persons().visibility == 2)}


def narrows(found: Numbers) -> Finding:
    """Test PCK on v = 2 of the network trained on v = 2 alone less that of the original of the same seed, above zero:
    others' networks were trained so, and a gap narrows if this one gains."""
    gain = known(found, "gain")
    return Finding(gain, f"trained on v = 2 less trained on all: {gain.text()} PCK on v = 2", above(gain))


def stacked(seeds: Seeds) -> Numbers:
    """C34."""
    return {
        "reach": seeds.gain("two-modified", "four-plain"), "narrow": seeds.gain("two-modified-25", "two-modified"),
    }  # fmt: skip


def two_reach_four(found: Numbers) -> Finding:
    """'Reach' is not falling short by more than 0.02 PCK, the margin at which this ledger calls numbers equal: two
    modified stacks less four plain ones, and 25 units in the second less 50, each above -0.02. Judged only where four
    plain stacks beat two: else reaching four says nothing."""
    reach, narrow = known(found, "reach"), known(found, "narrow")
    told = f"two modified less four plain {reach.text()}; 25 units less 50 {narrow.text()}"
    return Finding(reach, told, every(above(reach, -PCK_WIDENING), above(narrow, -PCK_WIDENING)))


def more(seeds: Seeds) -> Numbers:
    """C36: stacks that were trained equally long."""
    return {"two": seeds.gain("two-plain", "control-longer"), "four": seeds.gain("four-plain", "two-plain")}


def more_stacks(found: Numbers) -> Finding:
    """Test PCK of two stacks less that of one, and of four less two, all trained equally long: both above zero."""
    two, four = known(found, "two"), known(found, "four")
    return Finding(two, f"two less one {two.text()}; four less two {four.text()}", every(above(two), above(four)))


FAMILY = "improvement"
VISIBLE_ONLY = Claim(
    "C32", "Training on visible keypoints alone narrows the gap to others on them.", "8.2", "conjecture",
    ("tbl-comparison", "fig-later"), FAMILY, ("hourglass", "visible-only"), visible_alone, narrows, (competent,),
)  # fmt: skip
STACKED = Claim(
    "C34", "Two modified stacks reach four plain ones, and 25 units do in the second.", "8.4", "hoped", ("fig-later",),
    FAMILY, ("hourglass", "two-modified", "two-modified-25", "four-plain"), stacked, two_reach_four,
    (competent, control("four-plain", "two-plain", "four plain stacks must beat two")),
)  # fmt: skip
MORE = Claim(
    "C36", "More stacks are better.", "8.2", "argued", ("fig-later",), FAMILY,
    ("hourglass", "control-longer", "two-plain", "four-plain"), more, more_stacks, (competent,),
)  # fmt: skip
