"""Claims about the skip-connections: C7, C8, and C31, which asks both of a network retrained without them.

Thesis 6.2 and 8.4, examiner's question 5.2; shown in 03_interpretation.
"""

import numpy as np

from hgnb import stats
from hgnb.analysis.skips import BIG, ENOUGH, SMALL
from hgnb.claims.claim import Finding, Numbers, Subject, known
from hgnb.claims.evidence import Seeds
from hgnb.stats import UNKNOWN, Estimate, below, every

# C7: a share of less than half is what 'collapses' means at least; in figure 13 of the thesis nearly everybody falls
# to the lowest bins. What the mean pose finds needs no network, so it is taken off both sides.
COLLAPSED = 0.5
JOINTS = "other data: these lack small or big joints, or the network finds none of them on well-labelled persons"
CLAIMS = Subject("skips")


def without_skips(seeds: Seeds) -> Numbers:
    """C7 and C8, on the training persons: the same network with its skips and without."""
    on, off = seeds.hits("hourglass", "train"), seeds.column("hourglass", "off/train_hits")
    return {"left": left(seeds, off, on), "gap": gap(seeds, on, off)}


def left(seeds: Seeds, off: np.ndarray, on: np.ndarray) -> Estimate:
    """Share of PCK above the mean pose's that `off` (S, N, K) has of that of `on`."""
    floor = seeds.people.mean_pose_hits("train")
    return stats.floored_ratio(off, on, floor, seeds.labelled("train"), seeds.images("train"))


def gap(seeds: Seeds, on: np.ndarray, off: np.ndarray, less: np.ndarray | None = None) -> Estimate:
    """P(found in `off` | found in `on`), visible, on well-labelled persons: of small joints less that of big ones.
    `less`: hits whose own gap is taken off."""
    split, schema = seeds.persons("train"), seeds.people.schema
    enough = (split.visibility > 0).sum(1) >= min(ENOUGH, len(schema))
    counted = on & ((split.visibility == 2) & enough[:, None])
    kinds = [np.array(schema.index(*names), dtype=int) for names in (SMALL, BIG)]
    if not all(len(at) for at in kinds):
        return UNKNOWN
    other = np.zeros_like(off) if less is None else less
    sums = [part[..., at].sum(-1) for at in kinds for part in (off & counted, other & counted, counted)]
    return stats.crossed(np.stack(sums, -1), split.image_ids, lambda a, c, n, b, d, m: (a - c) / n - (b - d) / m)


@CLAIMS.claim(
    "C7", "Without the skip-connections the training PCK collapses.", "6.2, figure 13", "figure",
    ("fig-skip-histograms",), without_skips,
)  # fmt: skip
def collapses(found: Numbers) -> Finding:
    """Training PCK without skips by training PCK with them, both above the mean pose's on the same persons: the
    interval's upper limit below one half, over seeds and photographs."""
    share = known(found, "left")
    return Finding(share, f"{share.text(2)} of the PCK above the mean pose's is left", below(share, COLLAPSED))


@CLAIMS.claim(
    "C8", "Small joints (nose, eyes, ears) lose more of it than big ones (shoulders, hips, knees).", "6.2, figure 14",
    "figure", ("tbl-skip-groups", "fig-skip-samples"), without_skips,
)  # fmt: skip
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
    return {"left": left(seeds, off, on), "gap": gap(seeds, on, off, other), "control": gap(seeds, on, other)}


@CLAIMS.claim(
    "C31", "What the skip-connections carry is lost for a network retrained without them, too.", "8.4, examiner's 5.2",
    "left open", ("fig-later",), retrained, trainings=("hourglass", "without-skips"),
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
