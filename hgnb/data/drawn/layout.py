"""The lists of keypoints that drawn people can be annotated with: COCO's 17 or MPII's 16. 01_dataset.

Lin et al., "Microsoft COCO" (2014); Andriluka et al., "2D human pose estimation" (2014), in the order and under
the names that MMPose gives MPII's joints.
"""

from dataclasses import dataclass

import numpy as np

from hgnb.data.drawn.body import KEYPOINTS, Skeleton

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
    KEYPOINTS,
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
