"""Claims about the skip-connections: C7, C8, and C31, which asks both of a network retrained without them.

Thesis 6.2 and 8.4, examiner's question 5.2; shown in 03_interpretation.
"""

import numpy as np

from hgnb import stats
from hgnb.analysis.skips import BIG, ENOUGH, SMALL
from hgnb.claims.claim import Claim, Finding, Numbers, known
from hgnb.claims.gates import competent
from hgnb.claims.seeds import Seeds
from hgnb.stats import UNKNOWN, Estimate, below, every

# C7: a share of less than half is what 'collapses' means at least; in figure 13 of the thesis nearly everybody falls
# to the lowest bins. What the mean pose finds needs no network, so it is taken off both sides.
COLLAPSED = 0.5
JOINTS = "other data: these lack small or big joints, or the network finds none of them on well-labelled persons"


def without_skips(seeds: Seeds) -> Numbers:
    """C7 and C8, on the training persons: the same network with its skips and without."""
    on, off = seeds.hits("hourglass", "train"), seeds.column("hourglass", "off/train_hits")
    return {"left": left(seeds, off, on), "gap": gap(seeds, off, on)}


def left(seeds: Seeds, off: np.ndarray, on: np.ndarray) -> Estimate:
    """Share of PCK above the mean pose's that `off` (S, N, K) has of that of `on`."""
    floor = seeds.people.mean_pose_hits("train")
    return stats.floored_ratio(off, on, floor, seeds.labelled("train"), seeds.images("train"))


def gap(seeds: Seeds, off: np.ndarray, on: np.ndarray) -> Estimate:
    """P(found in `off` | found in `on`), visible, on well-labelled persons: of small joints less that of big ones."""
    split, schema = seeds.persons("train"), seeds.people.schema
    enough = (split.visibility > 0).sum(1) >= min(ENOUGH, len(schema))
    counted = on & ((split.visibility == 2) & enough[:, None])
    kinds = [np.array(schema.index(*names), dtype=int) for names in (SMALL, BIG)]
    if not all(len(at) for at in kinds):
        return UNKNOWN
    sums = [part[..., at].sum(-1) for at in kinds for part in (off & counted, counted)]
    return stats.crossed(np.stack(sums, -1), split.image_ids, lambda a, n, b, m: a / n - b / m)


def collapses(found: Numbers) -> Finding:
    """Training PCK without skips by training PCK with them, both above the mean pose's on the same persons: the
    interval's upper limit below one half, over seeds and photographs."""
    share = known(found, "left")
    return Finding(share, f"{share.text(2)} of the PCK above the mean pose's is left", below(share, COLLAPSED))


def small_lose_more(found: Numbers) -> Finding:
    """Of the visible keypoints found with skips, on persons with at least 10 labelled, the share still found without:
    noses, eyes and ears less shoulders, hips and knees, below zero. Keypoints that were never found don't count,
    since small ones are harder with skips, too."""
    lost = known(found, "gap", JOINTS)
    return Finding(lost, f"small less big joints still found: {lost.text(2)}", below(lost))


def retrained(seeds: Seeds) -> Numbers:
    """C31: a network that was trained without skips, beside the hourglass of the same seed; and, as its control, the
    hourglass of another seed, which has its skips."""
    on, off = seeds.hits("hourglass", "train"), seeds.hits("without-skips", "train")
    other = np.roll(on, 1, axis=0)
    return {
        "left": left(seeds, off, on),
        "gap": _apart(gap(seeds, off, on), seeds, off, other, on),
        "control": gap(seeds, other, on),
    }


def _apart(plain: Estimate, seeds: Seeds, off: np.ndarray, other: np.ndarray, on: np.ndarray) -> Estimate:
    """The gap of the retrained network less that of another seed's hourglass, on the same keypoints."""
    if not plain.known:
        return UNKNOWN
    split, schema = seeds.persons("train"), seeds.people.schema
    enough = (split.visibility > 0).sum(1) >= min(ENOUGH, len(schema))
    counted = on & ((split.visibility == 2) & enough[:, None])
    small, big = (np.array(schema.index(*names), dtype=int) for names in (SMALL, BIG))
    sums = [part[..., at].sum(-1) for at in (small, big) for part in (off & counted, other & counted, counted)]
    return stats.crossed(
        np.stack(sums, -1), split.image_ids, lambda a, c, n, b, d, m: (a - c) / n - (b - d) / m
    )  # fmt: skip


def survives_retraining(found: Numbers) -> Finding:
    """C7's and C8's rules on networks trained without skip-connections from the start: what is lost then is
    information, not the surprise of layers that were trained on sums. For C8 the gap is taken against that of a
    control, a second seed's hourglass with all its skips: two trainings never find the same keypoints."""
    share, lost = known(found, "left"), known(found, "gap", JOINTS)
    told = (
        f"{share.text(2)} of the PCK above the mean pose's is reached without; small less big joints: {lost.text(2)} "
        f"beyond the control's {found['control'].text(2)}"
    )
    return Finding(share, told, every(below(share, COLLAPSED), below(lost)))


CLAIMS = (
    Claim(
        "C7", "Without the skip-connections the training PCK collapses.", "6.2, figure 13", "figure",
        ("fig-skip-histograms",), "skips", ("hourglass",), without_skips, collapses, (competent,),
    ),
    Claim(
        "C8", "Small joints (nose, eyes, ears) lose more of it than big ones (shoulders, hips, knees).",
        "6.2, figure 14", "figure", ("tbl-skip-groups", "fig-skip-samples"), "skips", ("hourglass",), without_skips,
        small_lose_more, (competent,),
    ),
)  # fmt: skip
RETRAINED = Claim(
    "C31", "What the skip-connections carry is lost for a network retrained without them, too.", "8.4, examiner's 5.2",
    "left open", ("fig-later",), "skips", ("hourglass", "without-skips"), retrained, survives_retraining, (competent,),
)  # fmt: skip
