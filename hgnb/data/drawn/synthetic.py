"""The embedded dataset: drawn people in COCO layout, free to share and exact to the joint. Thesis 4; 01_dataset.

It stands in for COCO Keypoints 2017 (Lin et al., 2014) where nothing can be downloaded: the same files, the
same fields, the same gaps (cut, hidden and sparsely annotated people, crowds). On top of COCO's fields every
person carries the truth that photographs lack: `posture`, `motion` ("stationary" or "moving") and `facing`,
the heading in degrees: 0 to the camera, 90 to the image's right, 180 away. Visibility is measured on the
drawing and never decided by lot; what an annotator would have left out is.
"""

import io
import json
import multiprocessing
import os
import sys
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from hgnb.data.drawn.annotate import COCO17, LABELLINGS, LAYOUTS, Labeller, Layout, annotate, coco, describe
from hgnb.data.drawn.canvas import Canvas
from hgnb.data.drawn.figure import dress
from hgnb.data.drawn.scene import Stage, backdrop, draw_actors, draw_crowd, obstacle, seat
from hgnb.errors import unknown
from hgnb.home import new_folder

# Fork where it is safe: a script or notebook then needs no `if __name__ == "__main__"`. macOS has it, but Apple's
# libraries don't survive it.
START = "fork" if sys.platform == "linux" else "spawn"
JPEG = {"format": "JPEG", "quality": 90, "subsampling": 2, "optimize": False}


def write(
    out: Path,
    *,
    train_images: int,
    val_images: int,
    seed: int = 0,
    width: int = 320,
    height: int = 240,
    processes: int | None = None,
    schema: str = "coco17",
    labelling: str = "coco",
) -> Path:
    """Draw a dataset into the folder `out`, which must be new or empty, and return it.

    `schema`: "coco17", or "mpii16" for MPII's joints. `labelling`: "coco", where people have as few keypoints as
    COCO's, or "generous", where most are labelled in full. Both leave the pictures as they are.
    The same seed gives the same bytes for any number of processes (None: one a core). The folder is
    written aside and renamed at the end, so an interrupted call leaves no half of a dataset.
    """
    style = _one_of(LAYOUTS, "schema", schema), _one_of(LABELLINGS, "labelling", labelling)
    with new_folder(Path(out)) as aside:
        (aside / "annotations").mkdir()
        for split, (name, count) in enumerate((("train", train_images), ("val", val_images))):
            (aside / f"{name}2017").mkdir()
            first = 1 + split * train_images
            draw = partial(_save, aside / f"{name}2017", (seed, split), first, (width, height), style)
            table = _table(_each(draw, count, processes), first, (width, height), seed, style[0])
            (aside / "annotations" / f"person_keypoints_{name}2017.json").write_text(json.dumps(table))
    return Path(out)


def _one_of(choices: dict, what: str, name: str):
    if name not in choices:
        raise unknown(what, name, choices)
    return choices[name]


def _each(draw, count: int, processes: int | None) -> list[list[dict]]:
    processes = min(processes or os.cpu_count() or 1, count)
    if processes <= 1:
        return [draw(i) for i in range(count)]
    with multiprocessing.get_context(START).Pool(processes) as pool:
        return pool.map(draw, range(count), chunksize=8)


def _save(folder: Path, seed: tuple, first: int, size: tuple, style: tuple, index: int) -> list[dict]:
    image, people = draw_image(np.random.default_rng([*seed, index]), *size, *style)
    held = io.BytesIO()
    image.save(held, **JPEG)
    (folder / f"{first + index:012d}.jpg").write_bytes(held.getvalue())
    return people


def _table(drawn: list[list[dict]], first: int, size: tuple[int, int], seed: int, layout: Layout) -> dict:
    """COCO's tables, with ids that don't collide between the splits."""
    images, annotations = [], []
    for image_id, people in enumerate(drawn, first):
        name = f"{image_id:012d}.jpg"
        images.append({"id": image_id, "file_name": name, "width": size[0], "height": size[1], "license": 1})
        for at, person in enumerate(people):
            annotations.append({"id": 100 * image_id + at, "image_id": image_id, "category_id": 1, **person})
    person = {"id": 1, "name": "person", "supercategory": "person"}
    return {
        "info": {
            # part of the data, which are told apart by their bytes: stays as it was first written
            "description": "Drawn people in COCO layout (hgnb.data.synthetic)",
            "seed": seed,
            "year": 2017,
        },
        "licenses": [{"id": 1, "name": "CC0 1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}],
        "categories": [{**person, "keypoints": list(layout.names), "skeleton": [list(b) for b in layout.skeleton]}],
        "images": images,
        "annotations": annotations,
    }


def draw_image(
    rng: np.random.Generator, width: int, height: int, layout: Layout = COCO17, labelled: Labeller = coco
) -> tuple[Image.Image, list[dict]]:
    """One picture and the annotations of its people, without their ids."""
    stage = Stage(width, height, height * rng.uniform(0.2, 0.42), rng.uniform(1.0, 1.7), 1.3 * height)
    actors = draw_actors(rng, stage)
    crowd = draw_crowd(rng, stage, len(actors)) if rng.uniform() < 0.06 else []
    picture = backdrop(rng, stage, actors + crowd)
    canvas = Canvas(width, height, np.array([rng.uniform(-0.8, 0.8), 0.7, 0.8]))
    for actor in actors + crowd:
        canvas.draw(dress(actor.body, actor.look), actor.view, actor.number)
        if actor.posture == "sitting":
            canvas.draw(seat(rng, actor), actor.view)
    for actor in actors:
        if rng.uniform() < 0.16:
            canvas.draw(*obstacle(rng, stage, actor))
    canvas.paint(picture)
    image = _develop(rng, picture)
    people = [annotate(rng, canvas, actor, layout, labelled) for actor in actors]
    if crowd:
        region = describe(canvas.mask([actor.number for actor in crowd]))
        people.append({**region, "iscrowd": 1, "keypoints": [0] * 3 * len(layout.names), "num_keypoints": 0})
    return image, [person for person in people if person["area"] > 0]


@cache
def _grain() -> np.ndarray:
    """Sensor noise of deviation 1; every picture takes another piece of it."""
    return np.random.default_rng(0).standard_normal(1 << 20, np.float32)


def _develop(rng: np.random.Generator, picture: np.ndarray) -> Image.Image:
    """From (3, H, W) in 0..1 to a photograph: tint, sensor noise, a little blur."""
    tint = 255 * rng.uniform(0.88, 1.1) * rng.uniform(0.96, 1.04, 3)
    sigma, start, size = 255 * rng.uniform(0.004, 0.018), rng.integers(1 << 19), picture[0].size
    grain = sigma * np.resize(_grain()[start : start + size], size).reshape(picture[0].shape)
    planes = []
    for plane, factor in zip(picture, tint.tolist(), strict=True):
        plane *= factor
        plane += grain
        planes.append(Image.fromarray(np.clip(plane, 0, 255, out=plane).astype(np.uint8)))
    image = Image.merge("RGB", planes)
    if rng.uniform() >= 0.3:
        return image
    # A box of radius r < 1 weighs a pixel's neighbours by r and itself by 1.
    return image.filter(ImageFilter.BoxBlur(float(np.exp(-0.5 / rng.uniform(0.3, 0.6) ** 2))))
