"""Claims of source 004 about lighter hourglasses: L1 to L15; shown in 06.

Accuracies are compared between trainings that share a seed, and only where the sweep can tell a good network from a
bad one: eight hourglasses must beat two. Times come from turns in which the networks ran side by side, ten at least;
a training step is timed alone and with the loading of its batch, and both have to agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from hgnb import records, stats
from hgnb.claims.claim import SEEDS, Finding, Numbers, Subject, known
from hgnb.claims.evidence import Lacking
from hgnb.stats import UNKNOWN, Estimate, Test, above, below, every, within
from hgnb.stats.estimate import TURNS as OVER_TURNS
from hgnb.training import speed
from hgnb.training.networks import BASE
from hgnb.training.observations import Outcome, Outcomes
from hgnb.training.speed import Times

STEP, LOADED, INFERENCE = "training", "with loading", "inference"  # whose seconds are compared
ALIKE = 0.005  # 'about the same': half a point of PCKh
NO_SLOWER = float(np.log(1.02))  # a ratio: half of what separates most times of 004's table 1
TURNS = 10  # in which networks were timed side by side
LITTLE = float(np.log(0.95))  # L15: 'without much improvement': less than a twentieth of the time
SMALL, LARGE, PRECISION = speed.PARTS
PERSONS = 60  # over whom L8 takes a mean of the loss: whole steps of 20 and of 6
CONTROL = "newell-2"  # two hourglasses of the same kind
SHORT, LONG, SPEED = "tbl-lighter-50", "tbl-lighter-long", "fig-lighter-speed"
MAKE, TIME = f"make lighter SEEDS={SEEDS}", "python benchmarks/lighter.py"

Pairs = Mapping[str, tuple[str, str]]
Ratio = tuple[tuple[str, str], tuple[str, str]]  # of which part's times which network's, by which


@dataclass(frozen=True)
class Recorded:
    """What was recorded of chapter 06: trainings on a dataset, and times of full-size networks; each may lack."""

    trainings: Outcomes | None
    times: Mapping[str, Times | None] = field(default_factory=dict)

    @classmethod
    def of(cls, profile: str, data: str) -> "Recorded":
        """Of a profile and data."""
        record = records.find("lighter", profile, data)
        return cls(Outcomes(record) if record else None, {part: speed.recorded(part) for part in speed.PARTS})

    @property
    def count(self) -> int:
        """Seeds of the networks that others are compared with."""
        return len(self.trainings.of(BASE)) if self.trainings else 0


# Accuracies over seeds and test images, the logarithms of ratios of times over turns


def together(sweep: Outcomes, *names: str) -> list[list[Outcome]]:
    """The trainings of each of these names, those seeds alone that all of them have, in the seeds' order."""
    held = [{one.seed: one for one in sweep.of(name)} for name in names]
    shared = sorted(set.intersection(*(set(one) for one in held)))
    return [[one[seed] for seed in shared] for one in held]


def accuracy(sweep: Outcomes, name: str) -> Estimate:
    """Of a network: over its seeds and the test images."""
    return _measured(sweep, lambda found, of: found / of, name)


def gain(sweep: Outcomes, first: str, second: str) -> Estimate:
    """Accuracy of one network less another's, over the seeds that both have; UNKNOWN where they share none."""
    return _measured(sweep, lambda a, b, of: (a - b) / of, first, second)


def _measured(sweep: Outcomes, statistic, *names: str) -> Estimate:
    found = together(sweep, *names)
    if not found[0]:
        return UNKNOWN
    counted = np.array(sweep.people.counted, dtype=float)
    columns = [np.array([one.by_image for one in outcomes], dtype=float) for outcomes in found]
    return stats.crossed(np.stack(np.broadcast_arrays(*columns, counted), -1), np.arange(len(counted)), statistic)


def paired(first: np.ndarray, second: np.ndarray) -> Estimate:
    """The logarithm of a ratio of seconds, (turns,) each, taken within every turn; Student's t over turns."""
    return stats.student(np.log(first) - np.log(second), OVER_TURNS)


def unpaired(first: np.ndarray, second: np.ndarray) -> Estimate:
    """The logarithm of a ratio of mean seconds that were not taken in the same turns; Welch's t."""
    return stats.welch(np.log(first), np.log(second))


def ratio_text(log: Estimate) -> str:
    """'0.80 (0.78 to 0.82)' of a logarithm; without bounds from a single turn."""
    value, low, high = np.exp([log.value, log.low, log.high])
    return Estimate(value, low, high).text(2) if log.bounded else f"{value:.2f}"


# What the rules read


def controlled(sweep: Recorded) -> str:
    """Gate of every comparison of accuracy."""
    if sweep.trainings is None or not together(sweep.trainings, BASE, CONTROL)[0]:
        return f"its control: `{BASE}` and `{CONTROL}` of the same seeds, `{MAKE}`"
    apart = gain(sweep.trainings, BASE, CONTROL)
    if apart.tail(0) < 0.025:
        return ""
    return (
        f"a control that comes out: eight hourglasses must beat two, but the difference is {apart.text(1, 100)} "
        "points; longer training or more width"
    )


def gather(
    sweep: Recorded, accuracy: Pairs | None = None, ratios: Mapping[str, Ratio] | None = None, kinds=(STEP, LOADED)
) -> Numbers:
    """The differences and ratios that a claim reads. `accuracy`: names of two networks by what their difference is
    called; `ratios`: likewise for times, of `kinds`."""
    found: dict[str, object] = {}
    for name, pair in (accuracy or {}).items():
        shared = len(together(sweep.trainings, *pair)[0]) if sweep.trainings else 0
        if shared < SEEDS or sweep.trainings is None:
            raise Lacking(f"`{pair[0]}` and `{pair[1]}` of {SEEDS} seeds, {shared} are there: `{MAKE}`")
        found[name] = gain(sweep.trainings, *pair)
    for name, ratio in (ratios or {}).items():
        for kind in kinds:
            found[f"{name} {kind}".strip()] = timed(sweep, ratio, kind)
    return found


def timed(sweep: Recorded, ratio: Ratio, kind: str) -> Estimate:
    """The logarithm of a ratio of times; within turns where both ran in the same."""
    sides = []
    for part, network in ratio:
        times = sweep.times.get(part)
        if times is None or network not in times.cases or times.turns < TURNS:
            turns = times.turns if times and network in times.cases else 0
            raise Lacking(f"times of `{network}` in {TURNS} turns, {turns} are there: `{TIME}`")
        sides.append(times.cases[network].seconds(kind))
    return (paired if ratio[0][0] == ratio[1][0] else unpaired)(*sides)


def side_by_side(first: str, second: str = BASE, part: str = SMALL) -> Ratio:
    return (part, first), (part, second)


def fluctuation(sweep: Recorded) -> Numbers:
    """L8: how much the training loss jumps with Adam at a batch of 20 and at one of 6."""
    numbers = dict(gather(sweep, ratios={"": side_by_side(BASE, "newell-adam")}))
    pair = together(sweep.trainings, "newell-adam", "newell-adam-batch-6") if sweep.trainings else [[], []]
    if len(pair[0]) < SEEDS:
        raise Lacking(f"`newell-adam` and `newell-adam-batch-6` of {SEEDS} seeds, {len(pair[0])} are there: `{MAKE}`")
    large, small = (
        np.array([jumps(one.columns["steps/train_loss"], batch) for one in outcomes])
        for outcomes, batch in zip(pair, (20, 6), strict=True)
    )
    return numbers | {"jumps": stats.student(large - small)}


def jumps(losses: np.ndarray, batch: int) -> float:
    """Spread of the changes of the loss's logarithm from sixty persons to the next sixty: equally many at every batch,
    since a mean over fewer persons jumps more whatever the training does. A steady fall spreads nothing."""
    steps = PERSONS // batch
    means = losses[: len(losses) // steps * steps].reshape(-1, steps).mean(1)
    return float(np.diff(np.log(means)).std(ddof=1)) if len(means) > 2 else np.nan


def two_blocks_weight(sweep: Recorded) -> Numbers:
    """L12, with what the network weighs."""
    numbers = dict(gather(sweep, {"accuracy": ("blocks-2", BASE)}))
    cases = times.cases if (times := sweep.times.get(SMALL)) else {}
    if {"blocks-2", BASE} <= cases.keys():
        two, base = cases["blocks-2"], cases[BASE]
        numbers["weight"] = (
            f"two blocks as described weigh more: {two.parameters / 1e6:.1f} M parameters against "
            f"{base.parameters / 1e6:.1f} M, {two.gflop / base.gflop:.2f} times the operations"
        )
    return numbers


CLAIMS = Subject("lighter")
_claim = partial(CLAIMS.claim, trainings=(), gates=())
_accurate = partial(CLAIMS.claim, trainings=(), gates=(controlled,))


def _finding(found: Numbers, parts: dict[str, Test]) -> Finding:
    """All parts together, each told in its unit."""
    told, estimates = [], []
    for name in parts:
        estimate = known(found, name)
        estimates.append(estimate)
        if name.endswith((STEP, LOADED, INFERENCE)):
            told.append(f"time {ratio_text(estimate)} of the other's ({name})")
        else:
            points = f"{estimate.text(1, 100)} points"
            told.append(points if name == "accuracy" else f"{name} {points}")
    return Finding(estimates[0], "; ".join(told), every(*parts.values()))


def _faster(found: Numbers) -> dict[str, Test]:
    return {kind: below(known(found, kind)) for kind in (STEP, LOADED)}


@_accurate(
    "L1", "An inner width of 64 instead of 128 is faster and less accurate.", "004, table 1",
    "83.18 → 80.48; 14.8 → 14.3 min at batch 20", (SHORT, SPEED),
    partial(gather, accuracy={"accuracy": ("inner-64", BASE)}, ratios={"": side_by_side("inner-64")}),
)  # fmt: skip
def narrower(found: Numbers) -> Finding:
    """Times below the original's, without and with loading; accuracy below the original's."""
    return _finding(found, {"accuracy": below(known(found, "accuracy")), **_faster(found)})


@_accurate(
    "L2", "Six hourglasses have the accuracy of eight and are faster.", "004, table 1",
    "83.13 against 83.18; 14.4 min", (SHORT, SPEED),
    partial(gather, accuracy={"accuracy": ("stacks-6", BASE)}, ratios={"": side_by_side("stacks-6")}),
)  # fmt: skip
def fewer_stacks(found: Numbers) -> Finding:
    """Times below the original's, without and with loading; accuracy equivalent to it within half a point."""
    return _finding(found, {"accuracy": within(known(found, "accuracy"), ALIKE), **_faster(found)})


@_accurate(
    "L3", "Six hourglasses, 64 wide, with four modules a level do not win the accuracy back.", "004, table 1", "80.73",
    (SHORT,), partial(gather, accuracy={"accuracy": ("stacks-6-inner-64-modules-4", BASE)}),
)  # fmt: skip
@_accurate(
    "L4", "Layer norm is below batch norm, at 64 wide.", "004, table 1", "78.83 against 80.48", (SHORT,),
    partial(gather, accuracy={"accuracy": ("inner-64-layer-norm", "inner-64")}),
)  # fmt: skip
def less_accurate(found: Numbers) -> Finding:
    """Accuracy of the first network of the sentence below the other's, paired seeds."""
    return _finding(found, {"accuracy": below(known(found, "accuracy"))})


@_accurate(
    "L5", "Falling depths beat rising ones, at 64 wide.", "004, table 1", "81.47 against 80.68", (SHORT,),
    partial(gather, accuracy={"accuracy": ("inner-64-depths-falling", "inner-64-depths-rising")}),
)  # fmt: skip
@_accurate(
    "L11", "A batch of 20 gives better results than one of 6.", "004, section 6", "text; but table 2: 86.4 < 86.7",
    (SHORT, LONG), partial(gather, accuracy={"accuracy": (BASE, "newell-batch-6")}),
)  # fmt: skip
def more_accurate(found: Numbers) -> Finding:
    """Accuracy of the first network of the sentence above the other's, paired seeds."""
    return _finding(found, {"accuracy": above(known(found, "accuracy"))})


@_accurate(
    "L6", "A fourth block in every module is best at 50 epochs and no slower.", "004, table 1", "84.23; 14.6 min",
    (SHORT, SPEED), partial(gather, accuracy={"accuracy": ("blocks-4", BASE)}, ratios={"": side_by_side("blocks-4")}),
)  # fmt: skip
def fourth_block(found: Numbers) -> Finding:
    """Accuracy above the original's; times at most 2 % above the original's, with and without loading."""
    times = {kind: below(known(found, kind), NO_SLOWER) for kind in (STEP, LOADED)}
    return _finding(found, {"accuracy": above(known(found, "accuracy")), **times})


@_claim(
    "L7", "A batch of 20 takes less time than one of 6.", "004, table 2", "18 → 14.8 min", (LONG,),
    partial(gather, ratios={"": ((LARGE, BASE), (SMALL, BASE))}),
)  # fmt: skip
def larger_batch(found: Numbers) -> Finding:
    """Seconds a person in steps of 20 below those in steps of 6, without and with loading."""
    return _finding(found, _faster(found))


@_claim(
    "L8", "RMSProp trains faster than Adam, and Adam profits from large batches.", "004, section 6", "text",
    (SHORT, SPEED), fluctuation,
)  # fmt: skip
def optimisers(found: Numbers) -> Finding:
    """A training step with RMSProp takes less time than with Adam, without and with loading; and with Adam the training
    loss, a mean over sixty persons at a time, jumps less at a batch of 20 than at one of 6 (standard deviation of the
    changes of its logarithm), since the source speaks of fluctuations in the loss."""
    fewer = known(found, "jumps")
    timed = _finding(found, _faster(found))
    told = f"{timed.measured}; jumps of the loss, large batch less small: {fewer.text(3)}"
    return Finding(timed.estimate, told, every(*_faster(found).values(), below(fewer)))


@_accurate(
    "L9", "Mixed precision and dropout gave nothing worth keeping.", "004, appendix", "text", (SHORT,),
    partial(
        gather, accuracy={"mixed precision": ("newell-bf16", BASE), "dropout": ("dropout", BASE)},
        ratios={"": side_by_side("newell-bf16", BASE, PRECISION)}, kinds=(STEP,),
    ),
)  # fmt: skip
def nothing_kept(found: Numbers) -> Finding:
    """Mixed precision takes no less than 0.98 of the time of 32 bits, and neither it nor dropout is more accurate by
    half a point or more."""
    parts: dict[str, Test] = {key: below(known(found, key), ALIKE) for key in ("mixed precision", "dropout")}
    return _finding(found, {**parts, STEP: above(known(found, STEP), -NO_SLOWER)})


@_accurate(
    "L10", "Both orders of depths lose accuracy.", "004, section 6",
    "text; but 80.68 and 81.47 > 80.48 at equal width", (SHORT,),
    partial(gather, accuracy={"rising": ("depths-rising", BASE), "falling": ("depths-falling", BASE)}),
)  # fmt: skip
def both_orders(found: Numbers) -> Finding:
    """Accuracy of rising and of falling depths below the original's at full width."""
    return _finding(found, {key: below(known(found, key)) for key in ("rising", "falling")})


@_accurate(
    "L12", "Two blocks in every module are worse.", "004, section 6", "text", (SHORT,), two_blocks_weight,
)  # fmt: skip
def two_blocks(found: Numbers) -> Finding:
    """Accuracy with two convolutions in a module below the original's. A module of the source has three; as it
    describes two, with both at full width, the network becomes heavier and not lighter, which stands beside."""
    made = less_accurate(found)
    return Finding(made.estimate, "; ".join([made.measured, *filter(None, [found.get("weight")])]), made.decision)


@_accurate(
    "L13", "Trained long, six hourglasses and four blocks stay comparable to the original.", "004, table 2",
    "85.8 and 86.38 against 86.4", (LONG,),
    partial(
        gather,
        accuracy={"six hourglasses": ("stacks-6-long", "newell-long"), "four blocks": ("blocks-4-long", "newell-long")},
    ),
)  # fmt: skip
def comparable(found: Numbers) -> Finding:
    """Accuracy of both after the long training equivalent to the original's within half a point."""
    return _finding(found, {key: within(known(found, key), ALIKE) for key in ("six hourglasses", "four blocks")})


@_claim(
    "L14", "Six hourglasses, four blocks and an inner width of 64 predict faster, too.", "004, table 1, section 6",
    "inference times", (SPEED,),
    partial(
        gather, ratios={name: side_by_side(name) for name in ("stacks-6", "blocks-4", "inner-64")}, kinds=(INFERENCE,),
    ),
)  # fmt: skip
def quicker_predictions(found: Numbers) -> Finding:
    """Seconds of a prediction below the original's, for six hourglasses, for four blocks and for half the width."""
    names = [name for name in found if name.endswith(INFERENCE)]
    return _finding(found, {name: below(known(found, name)) for name in names})


@_claim(
    "L15", "Changing the depths improves times little.", "004, section 6", "text", (SPEED,),
    partial(
        gather, kinds=(STEP, INFERENCE),
        ratios={name: side_by_side(name) for name in ("depths-rising", "depths-falling")},
    ),
)  # fmt: skip
def little_time(found: Numbers) -> Finding:
    """Rising and falling depths take more than 0.95 of the original's time, in a training step and in a prediction: an
    improvement of a twentieth at most."""
    return _finding(found, {name: above(known(found, name), LITTLE) for name in found})
