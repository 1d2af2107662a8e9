"""Claims of source 004 about lighter hourglasses: L1 to L13; shown in 06.

An accuracy is a share of keypoints (PCKh@0.5), compared between trainings that share a seed; a speed is the logarithm
of a ratio of seconds, of a training step alone and with the loading of its batch, both of which have to agree.
"""

from collections.abc import Sequence

import numpy as np

from hgnb.explain.claims.claim import Claim, Finding, Record, first, mean
from hgnb.explain.claims.rules import Test, above, below, every, within
from hgnb.explain.lighter import LOADED, STEP, ratio_text

ALIKE = 0.005  # 'about the same': half a point of PCKh
NO_SLOWER = float(np.log(1.02))  # a ratio: half of what separates most times of 004's table 1
MADE_BY = "make lighter"


def narrower(records: Sequence[Record]) -> Finding:
    """Times below the original's, without and with loading; accuracy below the original's, paired seeds."""
    return _finding(records, {"accuracy": below(_gap(records)), **_faster(records)})


def fewer_stacks(records: Sequence[Record]) -> Finding:
    """Times below the original's, without and with loading; accuracy within half a point of it, paired seeds."""
    return _finding(records, {"accuracy": within(_gap(records), ALIKE), **_faster(records)})


def not_won_back(records: Sequence[Record]) -> Finding:
    """Accuracy of the three changes together below the original's, paired seeds."""
    return _finding(records, {"accuracy": below(_gap(records))})


def layer_norm(records: Sequence[Record]) -> Finding:
    """Accuracy with layer norm below that with batch norm at the same inner width of 64, paired seeds."""
    return _finding(records, {"accuracy": below(_gap(records))})


def falling_depths(records: Sequence[Record]) -> Finding:
    """Accuracy with falling depths above that with rising ones at the same inner width of 64, paired seeds."""
    return _finding(records, {"accuracy": above(_gap(records))})


def fourth_block(records: Sequence[Record]) -> Finding:
    """Accuracy above the original's, paired seeds; times at most 2 % above the original's, with and without loading."""
    times = {kind: below(first(records, kind), NO_SLOWER) for kind in (STEP, LOADED)}
    return _finding(records, {"accuracy": above(_gap(records)), **times})


def larger_batch(records: Sequence[Record]) -> Finding:
    """Seconds a person in steps of 20 below those in steps of 6, without and with loading."""
    return _finding(records, _faster(records))


def optimisers(records: Sequence[Record]) -> Finding:
    """A training step with RMSProp takes less time than with Adam, without and with loading; Adam is more accurate at
    a batch of 20 than at one of 6, paired seeds."""
    return _finding(records, {"accuracy": above(_gap(records)), **_faster(records)})


def nothing_kept(records: Sequence[Record]) -> Finding:
    """Mixed precision takes no less than 0.98 of the time of 32 bits, and neither it nor dropout is more accurate by
    half a point or more, paired seeds."""
    parts: dict[str, Test] = {key: below(mean(records, key), ALIKE) for key in ("mixed precision", "dropout")}
    return _finding(records, {**parts, STEP: above(first(records, STEP), -NO_SLOWER)})


def both_orders(records: Sequence[Record]) -> Finding:
    """Accuracy of rising and of falling depths below the original's at full width, paired seeds."""
    return _finding(records, {key: below(mean(records, key)) for key in ("rising", "falling")})


def better_batch(records: Sequence[Record]) -> Finding:
    """Accuracy with batches of 20 above that with batches of 6, as many epochs, paired seeds."""
    return _finding(records, {"accuracy": above(_gap(records))})


def two_blocks(records: Sequence[Record]) -> Finding:
    """Accuracy with two convolutions in a module below the original's, paired seeds."""
    return _finding(records, {"accuracy": below(_gap(records))})


def comparable(records: Sequence[Record]) -> Finding:
    """Accuracy of both after the long training within half a point of the original's, paired seeds."""
    return _finding(records, {key: within(mean(records, key), ALIKE) for key in ("six hourglasses", "four blocks")})


def _gap(records: Sequence[Record]):
    return mean(records, "accuracy")


def _faster(records: Sequence[Record]) -> dict[str, Test]:
    return {kind: below(first(records, kind)) for kind in (STEP, LOADED)}


def _finding(records: Sequence[Record], parts: dict[str, Test]) -> Finding:
    """All parts together: a time is the first record's, since seeds share it, an accuracy the mean over seeds."""
    told, estimates = [], []
    for key in parts:
        if key in (STEP, LOADED):
            estimates.append(first(records, key))
            told.append(f"time {ratio_text(estimates[-1])} of the other's ({key})")
        else:
            estimates.append(mean(records, key))
            points = f"{estimates[-1].text(1, 100)} points"
            told.append(points if key == "accuracy" else f"{key} {points}")
    return Finding(estimates[0], "; ".join(told), every(*parts.values()))


def _claim(name: str, sentence: str, source: str, value: str, judge, *shown: str, method: bool = True) -> Claim:
    return Claim(name, sentence, f"004, {source}", value, shown, judge, method=method, made_by=MADE_BY)


SHORT, LONG, SPEED = "tbl-lighter-50", "tbl-lighter-long", "fig-lighter-speed"
CLAIMS = (
    _claim(
        "L1", "An inner width of 64 instead of 128 is faster and less accurate.", "table 1",
        "83.18 → 80.48; 14.8 → 14.3 min at batch 20", narrower, SHORT, SPEED,
    ),
    _claim(
        "L2", "Six hourglasses have the accuracy of eight and are faster.", "table 1",
        "83.13 against 83.18; 14.4 min", fewer_stacks, SHORT, SPEED,
    ),
    _claim(
        "L3", "Six hourglasses, 64 wide, with four modules a level do not win the accuracy back.", "table 1", "80.73",
        not_won_back, SHORT,
    ),
    _claim(
        "L4", "Layer norm is below batch norm, at 64 wide.", "table 1", "78.83 against 80.48", layer_norm, SHORT,
    ),
    _claim(
        "L5", "Falling depths beat rising ones, at 64 wide.", "table 1", "81.47 against 80.68", falling_depths, SHORT,
    ),
    _claim(
        "L6", "A fourth block in every module is best at 50 epochs and no slower.", "table 1", "84.23; 14.6 min",
        fourth_block, SHORT, SPEED,
    ),
    _claim(
        "L7", "A batch of 20 takes less time than one of 6.", "table 2", "18 → 14.8 min", larger_batch, LONG,
        method=False,
    ),
    _claim(
        "L8", "RMSProp trains faster than Adam, and Adam profits from large batches.", "section 6", "text", optimisers,
        SHORT,
    ),
    _claim("L9", "Mixed precision and dropout gave nothing worth keeping.", "appendix", "text", nothing_kept, SHORT),
    _claim(
        "L10", "Both orders of depths lose accuracy.", "section 6",
        "text; but 80.68 and 81.47 > 80.48 at equal width", both_orders, SHORT,
    ),
    _claim(
        "L11", "A batch of 20 gives better results than one of 6.", "section 6", "text; but table 2: 86.4 < 86.7",
        better_batch, LONG,
    ),
    _claim("L12", "Two blocks in every module are worse.", "section 6", "text", two_blocks, SHORT),
    _claim(
        "L13", "Trained long, six hourglasses and four blocks stay comparable to the original.", "table 2",
        "85.8 and 86.38 against 86.4", comparable, LONG,
    ),
)  # fmt: skip
