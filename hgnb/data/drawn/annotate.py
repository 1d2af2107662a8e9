"""What an annotator would write about a drawn person: joints, visibility, mask and box, as COCO has them. 01_dataset.

Visibility is measured on the drawing and never decided by lot; what an annotator would have left out is: nearly all
that can be known is labelled, or as little as COCO's annotators did. The lists of keypoints are COCO's 17 or MPII's 16:
Lin et al., "Microsoft COCO" (2014); Andriluka et al., "2D human pose estimation" (2014), in the order and under the
names that MMPose gives MPII's joints.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from hgnb.data.drawn.body import MOTION, Skeleton
from hgnb.data.drawn.canvas import Canvas
from hgnb.data.drawn.scene import Actor

POINTS = {"thorax": "chest", "upper_neck": "neck"}  # of the skeleton, where its name is another
# How far (metres) a joint may lie under the visible surface and still count as seen: the flesh around it.
FLESH = {
    **{"nose": 0.03, "eye": 0.025, "ear": 0.04, "head_top": 0.09, "upper_neck": 0.1},
    **{"shoulder": 0.1, "elbow": 0.07, "wrist": 0.06, "thorax": 0.14},
    **{"hip": 0.14, "knee": 0.09, "ankle": 0.08, "pelvis": 0.17},
}
HEAD, ARMS, LEGS = {"nose", "eye", "ear", "head_top", "upper_neck"}, {"elbow", "wrist"}, {"knee", "ankle"}
SHOULDERS, HIPS = {"shoulder", "thorax"}, {"hip", "pelvis"}
# Sets that an annotator might have labelled alone, with the side left out, if any.
SUBSETS = (
    (HEAD, ""),
    (HEAD | SHOULDERS | ARMS, ""),
    (SHOULDERS | ARMS | HIPS | LEGS, ""),
    (HEAD | SHOULDERS | ARMS, "right"),
    (SHOULDERS | HIPS, ""),
    (SHOULDERS | ARMS | HIPS, ""),
)


@dataclass(frozen=True)
class Layout:
    """Names in the order of the annotations, and the bones between them, counted from 1 as COCO does."""

    names: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...]

    @property
    def kinds(self) -> list[str]:
        """The names without their side: 'knee' for 'left_knee'."""
        return [name.removeprefix("left_").removeprefix("right_") for name in self.names]

    @property
    def flesh(self) -> np.ndarray:
        """`FLESH` of every keypoint, (K,) metres."""
        return np.array([FLESH[kind] for kind in self.kinds])

    def locate(self, body: Skeleton) -> np.ndarray:
        """Where a body has them, (K, 3) in metres."""
        return np.stack([body.points[POINTS.get(name, name)] for name in self.names])

    def subset(self, number: int) -> np.ndarray:
        """Which keypoints belong to the numbered one of `SUBSETS`, (K,)."""
        kinds, without = SUBSETS[number]
        members = zip(self.names, self.kinds, strict=True)
        return np.array([kind in kinds and not (without and name.startswith(without)) for name, kind in members])


COCO17 = Layout(
    (
        *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
        *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
        *("left_knee", "right_knee", "left_ankle", "right_ankle"),
    ),
    (  # COCO's own list
        *((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9)),
        *((8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)),
    ),
)
MPII16 = Layout(
    (
        *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
        *("pelvis", "thorax", "upper_neck", "head_top"),
        *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
    ),
    (
        *((1, 2), (2, 3), (3, 7), (7, 4), (4, 5), (5, 6), (7, 8), (8, 9), (9, 10)),
        *((11, 12), (12, 13), (13, 8), (8, 14), (14, 15), (15, 16)),
    ),
)
LAYOUTS = {"coco17": COCO17, "mpii16": MPII16}


# Of the 464 annotated persons in a sample of 211 images of COCO 2017, so many have 1, 2, ... 17 labelled keypoints.
COCO_COUNTS = (14, 12, 14, 25, 21, 23, 28, 37, 26, 34, 30, 31, 41, 29, 34, 36, 29)
# Of all persons in the sample, this part has none, by height as a part of the image's: below 0.1, below 0.25, above.
COCO_UNLABELLED = ((0.1, 0.91), (0.25, 0.37), (np.inf, 0.01))
# How often a keypoint is labelled on somebody who has any, in the same sample; MPII's extra joints by analogy.
COCO_SHARES = {
    **{"nose": 0.73, "eye": 0.62, "ear": 0.51, "head_top": 0.65, "upper_neck": 0.75, "shoulder": 0.84},
    **{"elbow": 0.62, "wrist": 0.6, "thorax": 0.8, "hip": 0.66, "pelvis": 0.66, "knee": 0.45, "ankle": 0.38},
}
REGIONS = (HEAD, SHOULDERS, ARMS, HIPS, LEGS)

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


def annotate(
    rng: np.random.Generator, canvas: Canvas, actor: Actor, layout: Layout = COCO17, labelled: Labeller = coco
) -> dict:
    """One person's annotation; all coordinates in image pixels, pixel centres at integers."""
    region, points = describe(canvas.mask([actor.number])), visible_joints(canvas, actor, layout)
    points[~labelled(rng, layout, points[:, 2], region["bbox"][3] / canvas.depth.shape[1])] = 0
    keypoints = [int(n) if at % 3 == 2 else round(n, 1) for at, n in enumerate(points.ravel().tolist())]
    extras = {"posture": actor.posture, "motion": MOTION[actor.posture], "facing": round(actor.yaw, 1)}
    return {**region, "iscrowd": 0, "keypoints": keypoints, "num_keypoints": int((points[:, 2] > 0).sum()), **extras}


def describe(mask: np.ndarray) -> dict:
    """COCO's fields that follow from a mask (H, W)."""
    from pycocotools import mask as coco_mask

    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode("ascii")},
        "area": float(coco_mask.area(rle)),
        "bbox": coco_mask.toBbox(rle).tolist(),
    }


def visible_joints(canvas: Canvas, actor: Actor, layout: Layout = COCO17) -> np.ndarray:
    """Keypoints (K, 3): x, y in image pixels and v: 0 outside of the image, 1 hidden, 2 seen."""
    xyz = actor.view.project(layout.locate(actor.body))
    height, width = canvas.depth.shape[1:]
    xy = np.round(xyz[:, :2], 1)
    inside: Any = ((xy >= 0) & (xy <= (width - 1, height - 1))).all(1)
    depth, owner = canvas.at(xyz[:, :2])
    # The person's own flesh covers nothing; what is of somebody or something else hides whatever lies behind it.
    hidden = depth - xyz[:, 2] > np.where(owner == actor.number, layout.flesh, 0.0)
    v = np.where(inside, np.where(hidden, 1, 2), 0)
    return np.column_stack([np.where(inside[:, None], xy, 0), v])
