"""How much of a person an annotator labels: nearly all that can be known, or as little as COCO's did. 01_dataset."""

from collections.abc import Callable
from typing import cast

import numpy as np

from hgnb.data.drawn.layout import SUBSETS, Layout

# Of the 464 annotated persons in a sample of 211 images of COCO 2017, so many have 1, 2, ... 17 labelled keypoints.
COCO_COUNTS = (14, 12, 14, 25, 21, 23, 28, 37, 26, 34, 30, 31, 41, 29, 34, 36, 29)
# Of all persons in the sample, this part has none, by height as a part of the image's: below 0.1, below 0.25, above.
COCO_UNLABELLED = ((0.1, 0.91), (0.25, 0.37), (np.inf, 0.01))
# How often a keypoint is labelled on somebody who has any, in the same sample; MPII's extra joints by analogy.
COCO_SHARES = {
    **{"nose": 0.73, "eye": 0.62, "ear": 0.51, "head_top": 0.65, "upper_neck": 0.75, "shoulder": 0.84},
    **{"elbow": 0.62, "wrist": 0.6, "thorax": 0.8, "hip": 0.66, "pelvis": 0.66, "knee": 0.45, "ankle": 0.38},
}
REGIONS: tuple[tuple[str, ...], ...] = (
    ("nose", "eye", "ear", "head_top", "upper_neck"),
    ("shoulder", "thorax"),
    ("elbow", "wrist"),
)
REGIONS += (("hip", "pelvis"), ("knee", "ankle"))

Labeller = Callable[[np.random.Generator, Layout, np.ndarray, float], np.ndarray]


def generous(rng: np.random.Generator, layout: Layout, v: np.ndarray, tall: float) -> np.ndarray:
    """Most people are labelled in full. `v` (K,) is true visibility, `tall` a part of the image's height."""
    thorough, lot, subset = rng.uniform() < 0.8, rng.uniform(), layout.subset(cast(int, rng.integers(len(SUBSETS))))
    labelled = v > 0
    if not thorough:  # what can't be seen isn't guessed
        labelled &= v == 2
    if (tall < 0.25 and lot < 0.4) or lot < 0.03:
        return np.zeros_like(labelled)
    if lot < 0.18:
        labelled &= subset
    return labelled


def coco(rng: np.random.Generator, layout: Layout, v: np.ndarray, tall: float) -> np.ndarray:
    """As many keypoints as COCO's people have, and the same ones: the upper body's first, regions together."""
    unlabelled = next(part for limit, part in COCO_UNLABELLED if tall < limit)
    wanted = rng.choice(len(COCO_COUNTS), p=np.array(COCO_COUNTS) / sum(COCO_COUNTS)) + 1
    moods = rng.normal(0, 1.0, (len(REGIONS), 2))  # by region and side, so that gaps hang together
    moods[:, 1] = 0.8 * moods[:, 0] + 0.6 * moods[:, 1]
    if rng.uniform() < unlabelled:
        return np.zeros(len(v), bool)
    shares = np.array([COCO_SHARES[kind] for kind in layout.kinds])
    region = [next(at for at, kinds in enumerate(REGIONS) if kind in kinds) for kind in layout.kinds]
    right = [int(name.startswith("right")) for name in layout.names]
    worth = np.log(shares / (1 - shares)) + moods[region, right] + rng.normal(0, 0.5, len(v)) - 0.7 * (v == 1)
    worth[v == 0] = -np.inf
    labelled = np.zeros(len(v), bool)
    labelled[np.argsort(-worth)[: round(wanted * len(v) / 17)]] = True
    return labelled & (v > 0)


LABELLINGS: dict[str, Labeller] = {"generous": generous, "coco": coco}
