"""Object keypoint similarity, COCO's measure of a pose. Lin et al.: cocodataset.org/#keypoints-eval; 02_experiment.

OKS = mean over labelled joints of exp(-d² / (2 s² k²)), with d the distance in pixels, s² the person's area and
k = 2 sigma, the joint's own falloff. A category of COCO names no sigmas, so they are a table by joint name.

AP and AR over OKS thresholds are pycocotools' COCOeval's. Boxes are given (a crop holds one person, and the network
finds nobody), so these numbers measure the pose alone and lie above those of whole systems.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# pycocotools.cocoeval.Params().kpt_oks_sigmas, by joint; a test compares them.
COCO = {
    "nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062,
    "hip": 0.107, "knee": 0.087, "ankle": 0.089,
}  # fmt: skip
# COCO never measured these. Head top and neck: CrowdPose's table (Li et al. 2019), which gives both the shoulders'
# value; MPII's upper neck and thorax likewise; its pelvis has the hips'.
BORROWED = {"head_top": 0.079, "neck": 0.079, "upper_neck": 0.079, "thorax": 0.079, "pelvis": 0.107}


@dataclass(frozen=True)
class Sigmas:
    """The falloff of each joint that has one."""

    joints: tuple[int, ...]  # positions in the schema
    values: tuple[float, ...]
    borrowed: tuple[str, ...]  # names whose value COCO did not measure
    missing: tuple[str, ...]  # names without any: OKS leaves these joints out

    def text(self) -> str:
        """A sentence for the page where not all sigmas are COCO's own; empty where they are."""
        said = []
        if self.borrowed:
            said.append(f"COCO measured no sigma for {', '.join(self.borrowed)}: those of near joints stand in")
        if self.missing:
            said.append(f"there is none for {', '.join(self.missing)}: OKS leaves them out")
        return "; ".join(said)[:1].upper() + "; ".join(said)[1:] + "." if said else ""


def sigmas(names: Sequence[str]) -> Sigmas:
    """The sigmas of a schema's joints; left and right share one."""
    values = [COCO.get(name.split("_", 1)[-1], BORROWED.get(name)) for name in names]
    known = {k: value for k, value in enumerate(values) if value is not None}
    return Sigmas(
        tuple(known),
        tuple(known.values()),
        tuple(n for n in names if n in BORROWED),
        tuple(n for n, value in zip(names, values, strict=True) if value is None),
    )


def oks(predicted: Tensor, true: Tensor, visibility: Tensor, area: Tensor, sigma: Tensor) -> Tensor:
    """(N,) float64 in 0..1 of predicted and true (N, K, 2) in pixels, area (N,) in square pixels, sigma (K,).

    NaN for a person without a labelled joint (v > 0): there is nothing to compare; COCO ignores such a person too.

    >>> points, sigma = torch.zeros(1, 1, 2), torch.tensor([0.05])
    >>> oks(points, points, torch.tensor([[2]]), area=torch.tensor([100.0]), sigma=sigma)
    tensor([1.], dtype=torch.float64)
    """
    squared = (predicted.double() - true.double()).square().sum(-1)
    scale = area.double() + torch.finfo(torch.float64).eps  # as COCOeval, where an area may be 0
    likeness = torch.exp(-squared / (2 * sigma.double()).square() / scale[:, None] / 2)
    counted = visibility > 0
    return (likeness * counted).sum(-1) / counted.sum(-1)


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
