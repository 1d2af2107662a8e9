"""What must be so before a claim is judged, fixed before looking. A shut gate says what opens it."""

from hgnb.claims.claim import Gate
from hgnb.claims.seeds import Seeds

KNOWS, TIMES_FLOOR = 0.25, 2  # test PCK of a network that knows something, and how often the mean pose's
FULL = 1000  # fully labelled persons that claims about posture and motion need
SETTLED, STILL = 0.8, 0.01  # a plateau: after this share of the epochs nothing improves by more than this, relatively
TURNS = 10  # in which networks were timed side by side


def competent(seeds: Seeds) -> str:
    """A claim about what a network knows is judged on one that knows something."""
    pck, floor = seeds.pck("hourglass").value, seeds.floor()
    if pck >= KNOWS and pck >= TIMES_FLOOR * floor:
        return ""
    return (
        f"a network that knows something: test PCK {pck:.3f} is below {KNOWS} or twice the mean pose's {floor:.3f}; "
        "a profile with more epochs, persons or channels trains one"
    )


def long_enough(epochs: int, training: str = "hourglass") -> Gate:
    """A claim about the course of a training is judged on one that is as long as the claim's, or that has come to its
    end: in every seed the lowest validation loss of the last fifth of its epochs is less than 1 % below that of the
    others."""

    def shut(seeds: Seeds) -> str:
        losses = seeds.column(training, "epochs/val_loss")  # (S, E)
        made = losses.shape[1]
        start = round(SETTLED * made)
        settled = 0 < start < made and (losses[:, start:].min(1) > (1 - STILL) * losses[:, :start].min(1)).all()
        if made >= epochs or settled:
            return ""
        return f"a training of {epochs} epochs or one that has come to its end: `{training}` has {made} and still gains"

    return shut


def fully_labelled(seeds: Seeds) -> str:
    """Enough persons with every keypoint labelled."""
    count = int((seeds.labelled("train")[seeds.full]).all(1).sum())
    if count >= FULL:
        return ""
    return f"{FULL:,} fully labelled persons, here {count:,}: data with generous labels, or COCO"


def named_postures(seeds: Seeds) -> str:
    """Sitting and moving are what a person was labelled with, not cuts of scores."""
    return "" if seeds.people.states.known else "persons whose posture and motion were labelled, by eye or as drawn"


def control(better: str, worse: str, why: str) -> Gate:
    """A comparison is judged where one whose answer is known comes out on the same runs."""

    def shut(seeds: Seeds) -> str:
        both = seeds.with_(better, worse)
        if not both.count:
            return f"its control: `{better}` and `{worse}` of the same seeds, `make claims SEEDS=5`"
        gain = both.gain(better, worse)
        if gain.tail(0) < 0.025:
            return ""
        return f"a control that comes out: {why}, but `{better}` less `{worse}` is {gain.text()}"

    return shut
