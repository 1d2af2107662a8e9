"""Claims about the skip-connections: C7, C8, and C31, which asks both of a network retrained without them.

Thesis 6.2 and 8.4, examiner's question 5.2; shown in 03_interpretation.
"""

from collections.abc import Sequence

from hgnb.explain.claims.claim import Claim, Finding, Record, first, mean
from hgnb.explain.claims.rules import below, every

# C7: a PCK that has fallen to less than half of itself is what 'collapses' means at least; in figure 13 of the
# thesis nearly everybody falls to the lowest bins.
COLLAPSED = 0.5
JOINTS = "these data lack small or big joints, or the network finds none of them on well-labelled persons"


def collapses(records: Sequence[Record]) -> Finding:
    """Training PCK without skips by training PCK with them: the interval's upper limit below one half. Photographs
    are resampled, both networks on the same persons."""
    ratio = first(records, "ratio")
    return Finding(ratio, f"{ratio.text(2)} of the PCK is left", below(ratio, COLLAPSED))


def small_lose_more(records: Sequence[Record]) -> Finding:
    """Of the visible keypoints found with skips, on persons with at least 10 labelled, the share still found without:
    noses, eyes and ears less shoulders, hips and knees, below zero. Keypoints that were never found don't count,
    since small ones are harder with skips, too."""
    gap = first(records, "gap", JOINTS)
    return Finding(gap, f"small less big joints still found: {gap.text(2)}", below(gap))


def survives_retraining(records: Sequence[Record]) -> Finding:
    """C7's and C8's rules on networks trained without skip-connections from the start, over seeds: what is lost
    then is information, not the surprise of layers that were trained on sums."""
    ratio, gap = mean(records, "ratio"), mean(records, "gap", JOINTS)
    told = f"{ratio.text(2)} of the PCK is reached without; small less big joints: {gap.text(2)}"
    return Finding(ratio, told, every(below(ratio, COLLAPSED), below(gap)))


CLAIMS = (
    Claim(
        "C7", "Without the skip-connections the training PCK collapses.", "6.2, figure 13", "figure",
        ("fig-skip-histograms",), collapses,
    ),
    Claim(
        "C8", "Small joints (nose, eyes, ears) lose more of it than big ones (shoulders, hips, knees).",
        "6.2, figure 14", "figure", ("tbl-skip-groups", "fig-skip-samples"), small_lose_more,
    ),
)  # fmt: skip
RETRAINED = Claim(
    "C31", "What the skip-connections carry is lost for a network retrained without them, too.", "8.4, examiner's 5.2",
    "left open", ("fig-later",), survives_retraining, method=True,
)  # fmt: skip
