"""Counts the persons of COCO's annotations for hgnb.analysis.annotated: benchmarks/annotations.py <path>.

<path>: a folder with the official annotations/person_keypoints_{train,val}2017.json, or an .npz that holds of both
splits `<split>2017_visibility` (N, 17), `_box` (N, 4) centre, width and height in millionths, and `_image` (N,).
Takes a second of the latter. The result goes to results/coco-annotations.json.
"""

import json
import sys
from pathlib import Path

import numpy as np

from hgnb.analysis import annotated

Persons = tuple[np.ndarray, np.ndarray, np.ndarray]  # visibility, boxes, images


def of_arrays(path: Path, split: str) -> Persons:
    """From an .npz."""
    with np.load(path, allow_pickle=False) as held:
        boxes = held[f"{split}2017_box"][:, 2:] / 1e6
        return held[f"{split}2017_visibility"], boxes, held[f"{split}2017_image"]


def of_annotations(folder: Path, split: str) -> Persons:
    """From the official file."""
    content = json.loads((folder / "annotations" / f"person_keypoints_{split}2017.json").read_bytes())
    sizes = {image["id"]: (image["width"], image["height"]) for image in content["images"]}
    persons = [a for a in content["annotations"] if a["num_keypoints"]]
    boxes = [np.divide(a["bbox"][2:], sizes[a["image_id"]]) for a in persons]
    visibility = np.array([a["keypoints"][2::3] for a in persons])
    return visibility, np.array(boxes), np.array([a["image_id"] for a in persons])


def counted(visibility: np.ndarray, boxes: np.ndarray, images: np.ndarray) -> dict:
    """Counts of one split's persons, JSON-able. visibility: (N, K) in {0, 1, 2}; boxes: (N, 2) width and height as
    shares of the photograph's; images: (N,)."""
    labelled, visible = (visibility > 0).sum(1), (visibility == 2).sum(1)
    _, image, size = np.unique(images, return_inverse=True, return_counts=True)
    asked = labelled, visible, boxes.prod(1), size[image]
    kept = {name: ask(*asked) & (labelled > 0) for name, ask in annotated.FILTERS.items()}
    return {
        "photographs": len(size),
        "by_labelled": np.bincount(labelled, minlength=visibility.shape[1] + 1).tolist(),
        "by_keypoint": [(visibility == v).sum(0).tolist() for v in (0, 1, 2)],
        "by_persons": np.bincount(size).tolist(),  # photographs with 0, 1, 2 … of these persons
        "kept": {name: _sums(visibility[rows]) for name, rows in kept.items()},
    }


def _sums(visibility: np.ndarray) -> dict[str, int]:
    return {
        "persons": len(visibility),
        "full": int((visibility > 0).all(1).sum()),
        "visible": int((visibility == 2).sum()),
        "hidden": int((visibility == 1).sum()),
    }


def count(path: Path) -> dict:
    """The whole table."""
    read = of_arrays if path.suffix == ".npz" else of_annotations
    splits = {split: counted(*read(path, split)) for split in annotated.SPLITS}
    return {"credit": annotated.CREDIT, "splits": splits}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    annotated.file().write_text(json.dumps(count(Path(sys.argv[1])), indent=1) + "\n", encoding="utf8")
