"""AP and AR over OKS thresholds, by pycocotools' COCOeval. cocodataset.org/#keypoints-eval; 02_experiment.

The only room of the metrics that asks for pycocotools. Boxes are given (a crop holds one person, and the network
finds nobody), so these numbers measure the pose alone and lie above those of whole systems.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hgnb.metrics.oks import Sigmas

STATS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")  # COCOeval's order for keypoints


@dataclass(frozen=True)
class AveragePrecision:
    """COCOeval's ten numbers; one for which COCO has nothing to count (its -1) is None."""

    values: dict[str, float | None]
    persons: int


def average_precision(annotations: Sequence[dict], points: np.ndarray, scores: np.ndarray, sigmas: Sigmas):
    """AveragePrecision of predicted points (N, K, 2), in pixels of the images, with scores (N,).

    annotations: the N persons' own records of the annotation file, which are the whole ground truth. Joints without
    a sigma are left out on both sides. A record without `area` gets its box's.
    """
    truth = _index([_truth(record, sigmas) for record in annotations])
    with contextlib.redirect_stdout(io.StringIO()):
        guesses = truth.loadRes([_guess(*row, sigmas) for row in zip(annotations, points, scores, strict=True)])
        evaluation = _evaluation(truth, guesses, sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = {name: float(v) if v >= 0 else None for name, v in zip(STATS, evaluation.stats, strict=True)}
    return AveragePrecision(values, len(annotations))


def _evaluation(truth, guesses, sigmas: Sigmas):
    """A COCOeval for the schema at hand."""
    from pycocotools.cocoeval import COCOeval

    evaluation = COCOeval(truth, guesses, "keypoints")
    evaluation.params.kpt_oks_sigmas = np.array(sigmas.values)
    evaluation.params.imgIds = sorted(truth.imgs)
    return evaluation


def _index(annotations: list[dict]):
    """A COCO index of a few persons and their images."""
    from pycocotools.coco import COCO

    coco = COCO()
    images = [{"id": i} for i in sorted({a["image_id"] for a in annotations})]
    coco.dataset = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def _truth(record: dict, sigmas: Sigmas) -> dict:
    """A person's annotation with the joints that count."""
    triples = np.array(record["keypoints"], dtype=np.float64).reshape(-1, 3)[list(sigmas.joints)]
    return {
        "id": record["id"],
        "image_id": record["image_id"],
        "category_id": 1,
        "iscrowd": 0,
        "bbox": record["bbox"],
        "area": area(record),
        "keypoints": triples.flatten().tolist(),
        "num_keypoints": int((triples[:, 2] > 0).sum()),  # 0: COCOeval ignores the person
    }


def area(record: dict) -> float:
    """Square pixels of a person: of the outline, where the annotation has it, else of the box."""
    return float(record.get("area") or record["bbox"][2] * record["bbox"][3])


def _guess(record: dict, points: np.ndarray, score: float, sigmas: Sigmas) -> dict:
    """A prediction as COCO reads it."""
    chosen = np.column_stack([points[list(sigmas.joints)], np.ones(len(sigmas.joints))])
    return {
        "image_id": record["image_id"],
        "category_id": 1,
        "keypoints": chosen.astype(np.float64).flatten().tolist(),
        "score": float(score),
    }
