"""What became of the misplaced, in sentences. Thesis 6.4 and 7.1 (C29, C30); 03_interpretation."""

import numpy as np

from figures.page import verdict
from hgnb.analysis.misplaced import Misplaced, compared, rate_difference

Group = tuple[Misplaced, np.ndarray, np.ndarray]  # who is misplaced, and (N,) keypoints found and labelled


def told(sample: Group, full: Group, who: str) -> str:
    """Whether the misplaced of either group are predicted worse, and whether the second group has fewer of them."""
    fewer = rate_difference(full[0], sample[0])
    words = ("more are misplaced than in the sample", "fewer are misplaced than in the sample", "no clear difference")
    rates = (
        f"Of the {who} {full[0].rate.text(1, 100)} % are misplaced, in the sample {sample[0].rate.text(1, 100)} %, "
        f"a difference of {fewer.text(1, 100)} points: {verdict(fewer, *words)}, though the keys that they are judged "
        "by are two, labelled keypoints and motion."
        if np.isfinite(fewer.value)
        else f"Of the sample or of the {who} nobody can be called misplaced, so their rates can't be compared."
    )
    return " ".join([_accuracy(sample, "the sample"), _accuracy(full, f"the {who}"), rates])


def _accuracy(group: Group, who: str) -> str:
    made = compared(*group)
    if not np.isfinite(made.difference.value):
        return f"Among {who} no misplaced person has a well placed one with equally many labelled keypoints."
    words = ("they are predicted better", "they are predicted worse", "no clear difference")
    alone = f" ({made.alone:,} more have no such counterpart)" if made.alone else ""
    return (
        f"Among {who} the PCK of {made.misplaced:,} misplaced persons{alone} less that of {made.others:,} well placed "
        f"ones with equally many labelled keypoints is {made.difference.text(3)}: {verdict(made.difference, *words)}."
    )
