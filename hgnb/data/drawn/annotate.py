"""What an annotator would write about a drawn person: joints, visibility, mask and box, as COCO has them. 01_dataset.

Visibility is measured on the drawing and never decided by lot; what an annotator would have left out is.
"""

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from hgnb.data.drawn.canvas import Canvas, Window
from hgnb.data.drawn.labelling import Labeller, coco
from hgnb.data.drawn.layout import COCO17, Layout
from hgnb.data.drawn.pose import MOTION
from hgnb.data.drawn.scene import Actor


def annotate(
    rng: np.random.Generator, canvas: Canvas, actor: Actor, layout: Layout = COCO17, labelled: Labeller = coco
) -> dict:
    """One person's annotation; all coordinates in image pixels, pixel centres at integers."""
    height, width = canvas.depth.shape[1:]
    region = describe(*canvas.mask([actor.number]), (width, height))
    points = visible_joints(canvas, actor, layout)
    points[~labelled(rng, layout, points[:, 2], region["bbox"][3] / height)] = 0
    keypoints = [int(n) if at % 3 == 2 else round(n, 1) for at, n in enumerate(points.ravel().tolist())]
    extras = {"posture": actor.posture, "motion": MOTION[actor.posture], "facing": round(actor.yaw, 1)}
    return {
        **region,
        "iscrowd": 0,
        "keypoints": keypoints,
        "num_keypoints": int((points[:, 2] > 0).sum()),
        **extras,
    }


def describe(mask: np.ndarray, window: Window, size: tuple[int, int]) -> dict:
    """COCO's fields that follow from a mask, given as the `window` of an image of `size` (width, height)."""
    (rows, cols), (width, height) = window, size
    strip = np.zeros((cols.stop - cols.start, height), np.int8)  # COCO's runs go down the columns
    strip[:, rows] = mask.T
    changes = np.flatnonzero(np.diff(strip.ravel(), prepend=0, append=0)) + cols.start * height
    counts = np.diff(changes, prepend=0, append=height * width).tolist()
    if counts[-1] == 0 and len(counts) > 1:
        counts.pop()
    rle = coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    return {
        "segmentation": {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")},
        "area": float(coco_mask.area(rle)),
        "bbox": [float(n) for n in coco_mask.toBbox(rle)],
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
