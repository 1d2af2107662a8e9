"""What an annotator would write about a drawn person: joints, visibility, mask and box, as COCO has them. 01_dataset.

Visibility is measured on the drawing and never decided by lot; what an annotator would have left out is.
"""

import numpy as np
from pycocotools import mask as coco_mask

from hgnb.data.canvas import OVERSAMPLING, Canvas
from hgnb.data.labelling import Labeller, generous
from hgnb.data.layout import COCO17, Layout
from hgnb.data.pose import MOTION
from hgnb.data.scene import Actor


def annotate(
    rng: np.random.Generator, canvas: Canvas, actor: Actor, layout: Layout = COCO17, labelled: Labeller = generous
) -> dict:
    """One person's annotation; all coordinates in image pixels, pixel centres at integers."""
    region = describe(canvas.mask([actor.number]))
    points = visible_joints(canvas, actor, layout)
    tall = region["bbox"][3] * OVERSAMPLING / canvas.depth.shape[0]
    points[~labelled(rng, layout, points[:, 2], tall)] = 0
    keypoints = [int(n) if at % 3 == 2 else round(n, 1) for at, n in enumerate(points.ravel().tolist())]
    extras = {"posture": actor.posture, "motion": MOTION[actor.posture], "facing": round(actor.yaw, 1)}
    return {
        **region,
        "iscrowd": 0,
        "keypoints": keypoints,
        "num_keypoints": int((points[:, 2] > 0).sum()),
        **extras,
    }


def describe(mask: np.ndarray) -> dict:
    """COCO's fields that follow from a mask (H, W)."""
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {
        "segmentation": {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")},
        "area": float(coco_mask.area(rle)),
        "bbox": [float(n) for n in coco_mask.toBbox(rle)],
    }


def visible_joints(canvas: Canvas, actor: Actor, layout: Layout = COCO17) -> np.ndarray:
    """Keypoints (K, 3): x, y in image pixels and v: 0 outside of the image, 1 hidden, 2 seen."""
    xyz = actor.view.project(layout.locate(actor.body))
    height, width = canvas.depth.shape
    cols, rows = np.round(xyz[:, 0]).astype(int), np.round(xyz[:, 1]).astype(int)
    # Canvas pixel i is centred at (i + 1/2) / oversampling - 1/2 in the image.
    xy = np.round((xyz[:, :2] + 0.5) / OVERSAMPLING - 0.5, 1)
    limit = np.array([width, height]) / OVERSAMPLING - 1
    inside = ((xy >= 0) & (xy <= limit)).all(1)
    cols, rows = np.clip(cols, 0, width - 1), np.clip(rows, 0, height - 1)
    covered = canvas.depth[rows, cols] - xyz[:, 2] > layout.flesh
    seen = (canvas.owners(rows, cols) == actor.number) & ~covered
    v = np.where(inside, np.where(seen, 2, 1), 0)
    return np.column_stack([np.where(inside[:, None], xy, 0), v])
