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
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from pycocotools import mask as coco_mask

from hgnb.data.body import KEYPOINTS, MOTION, POSTURES, Skeleton, draw_pose, skeleton, turn
from hgnb.data.scene import Canvas, Colour, Look, Part, View, dress
from hgnb.errors import InputError

SKELETON = (  # COCO's own list, 1-based
    *([16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13], [6, 7], [6, 8], [7, 9]),
    *([8, 10], [9, 11], [2, 3], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7]),
)
SHARES = dict(  # of the postures; nothing published, chosen so that every class can be learned
    zip(POSTURES, (0.24, 0.15, 0.12, 0.17, 0.08, 0.08, 0.1, 0.06), strict=True)
)
# How far (metres) a joint may lie under the visible surface and still count as seen: the flesh around it.
FLESH = np.array([0.03] + [0.025] * 2 + [0.04] * 2 + [0.1] * 2 + [0.07] * 2 + [0.06] * 2 + [0.14] * 2)
FLESH = np.concatenate([FLESH, [0.09] * 2, [0.08] * 2])
# Contiguous sets that an annotator might have labelled alone: head, upper body, trunk and legs, one half.
SUBSETS = (range(0, 5), range(0, 11), range(5, 17), (0, 1, 3, 5, 7, 9), (5, 6, 11, 12), range(5, 13))
OVERSAMPLING = 2  # canvas pixels per image pixel along a side
JPEG = {"format": "JPEG", "quality": 90, "subsampling": 2, "optimize": False}


@dataclass(frozen=True)
class Stage:
    """The camera and the floor of one image, in canvas pixels and metres."""

    width: int
    height: int
    horizon: float  # row of the horizon
    eye: float  # height of the camera above the floor, metres
    focal: float  # canvas pixels

    def view(self, x: float, scale: float, yaw: float) -> View:
        """Of somebody on the floor, seen at `scale` canvas pixels per metre."""
        pitch = np.degrees(np.arctan((self.height / 2 - self.horizon) / self.focal))
        # The floor's row follows from similar triangles: eye / distance = (row - horizon) / focal.
        row = self.horizon + scale * self.eye
        return View(turn("x", pitch) @ turn("y", yaw), scale, x, row, self.focal / scale)


@dataclass(frozen=True)
class Actor:
    """Somebody placed on the stage."""

    posture: str
    body: Skeleton
    look: Look
    yaw: float
    view: View


def write(
    out: Path,
    *,
    train_images: int,
    val_images: int,
    seed: int = 0,
    width: int = 320,
    height: int = 240,
    processes: int | None = None,
) -> Path:
    """Draw a dataset into the folder `out`, which must be new or empty, and return it.

    The same seed gives the same bytes for any number of processes (None: one a core). The folder is
    written aside and renamed at the end, so an interrupted call leaves no half of a dataset.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"The folder '{out}' isn't empty: name a new one or remove it first.")
    aside = out.with_name(out.name + ".partial")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "annotations").mkdir(parents=True)
    try:
        for split, (name, count) in enumerate((("train", train_images), ("val", val_images))):
            (aside / f"{name}2017").mkdir()
            first = 1 + split * train_images
            draw = partial(_save, aside / f"{name}2017", (seed, split), first, (width, height))
            table = _table(_each(draw, count, processes), first, (width, height), seed)
            (aside / "annotations" / f"person_keypoints_{name}2017.json").write_text(json.dumps(table))
        if out.exists():
            out.rmdir()
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return out


def _each(draw, count: int, processes: int | None) -> list[list[dict]]:
    processes = min(processes or os.cpu_count() or 1, count)
    if processes <= 1:
        return [draw(i) for i in range(count)]
    # Fork where it exists: a script or notebook then needs no `if __name__ == "__main__"`.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    with multiprocessing.get_context(method).Pool(processes) as pool:
        return pool.map(draw, range(count), chunksize=8)


def _save(folder: Path, seed: tuple[int, int], first: int, size: tuple[int, int], index: int) -> list[dict]:
    image, people = draw_image(np.random.default_rng([*seed, index]), *size)
    held = io.BytesIO()
    image.save(held, **JPEG)
    (folder / f"{first + index:012d}.jpg").write_bytes(held.getvalue())
    return people


def _table(drawn: list[list[dict]], first: int, size: tuple[int, int], seed: int) -> dict:
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
            "description": "Drawn people in COCO layout (hgnb.data.synthetic)",
            "seed": seed,
            "year": 2017,
        },
        "licenses": [{"id": 1, "name": "CC0 1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}],
        "categories": [{**person, "keypoints": list(KEYPOINTS), "skeleton": [list(b) for b in SKELETON]}],
        "images": images,
        "annotations": annotations,
    }


def draw_image(rng: np.random.Generator, width: int, height: int) -> tuple[Image.Image, list[dict]]:
    """One picture and the annotations of its people, without their ids."""
    w, h = width * OVERSAMPLING, height * OVERSAMPLING
    stage = Stage(w, h, h * rng.uniform(0.2, 0.42), rng.uniform(1.0, 1.7), 1.3 * h)
    actors = _cast(rng, stage)
    crowd = _crowd(rng, stage) if rng.uniform() < 0.06 else []
    backdrop = _backdrop(rng, stage, [actor.view for actor in actors + crowd])
    canvas = Canvas(backdrop, np.array([rng.uniform(-0.8, 0.8), 0.7, 0.8]))
    for owner, actor in enumerate(actors + crowd):
        for part in dress(actor.body, actor.look) + _seat(rng, actor):
            canvas.draw(part, actor.view, -1 if part.kind == "box" else owner)
    for actor in actors:
        if rng.uniform() < 0.16:
            _furniture(rng, stage, actor, canvas)
    people = [_annotate(rng, canvas, actor, owner) for owner, actor in enumerate(actors)]
    if crowd:
        mask = _mask(canvas.owner >= len(actors))
        people.append({**_region(mask), "iscrowd": 1, "keypoints": [0] * 51, "num_keypoints": 0})
    return _develop(rng, canvas.rgb), [person for person in people if person and person["area"] > 0]


def _cast(rng: np.random.Generator, stage: Stage) -> list[Actor]:
    """One to four people who stand mostly clear of each other."""
    actors, boxes = [], []
    for _ in range(rng.choice((1, 2, 3, 4), p=(0.36, 0.34, 0.2, 0.1))):
        posture = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        body = skeleton(draw_pose(posture, rng), rng.normal(1.7, 0.09))
        look, yaw = _look(rng), _yaw(rng)
        if posture == "lying":  # across the picture: from the head or the feet nobody could tell
            across = abs(body.frames["root"][0, 1]) > 0.5
            yaw = float(rng.normal(0, 22) + (0 if across else rng.choice((-80, 80))))
        share = rng.uniform(0.38, 0.9) if rng.uniform() < 0.88 else rng.uniform(0.2, 0.34)
        allowed = 0.45 if rng.uniform() < 0.25 else 0.08
        for _ in range(25):
            # `share` of the image's height is what 1.7 m would take.
            actor = Actor(posture, body, look, yaw, stage.view(0.0, share * stage.height / 1.7, yaw))
            box = _box(actor)
            reach = box[2] - box[0]
            edge = -0.3 if rng.uniform() < 0.12 else 0.02
            low, high = edge * reach - box[0], stage.width - edge * reach - box[2]
            x = rng.uniform(min(low, high), max(low, high))
            box = box + np.array([x, 0, x, 0])
            apart = [abs(actor.view.distance - other.view.distance) > 0.7 for other in actors]
            covered = [_overlap(box, other) for other in boxes]
            if all(c <= 0.03 or (c <= allowed and a) for c, a in zip(covered, apart, strict=True)):
                actors.append(Actor(posture, body, look, yaw, stage.view(x, actor.view.scale, yaw)))
                boxes.append(box)
                break
            share *= 0.97
    return actors


def _crowd(rng: np.random.Generator, stage: Stage) -> list[Actor]:
    """A row of people far away, whom nobody annotates one by one."""
    middle, scale = rng.uniform(0.2, 0.8) * stage.width, rng.uniform(0.1, 0.16) * stage.height / 1.7
    actors = []
    for at in range(rng.integers(4, 8)):
        body, yaw = skeleton(draw_pose("standing", rng), rng.normal(1.7, 0.09)), _yaw(rng)
        view = stage.view(middle + (at - 3) * 0.42 * scale, scale * rng.uniform(0.92, 1.08), yaw)
        actors.append(Actor("standing", body, _look(rng), yaw, view))
    return actors


def _yaw(rng: np.random.Generator) -> float:
    """Mostly towards the camera, some in profile, some from behind; degrees."""
    kind = rng.uniform()
    if kind < 0.68:
        return float(np.clip(rng.normal(0, 30), -60, 60))
    if kind < 0.86:
        return float(rng.choice((-1, 1)) * rng.normal(85, 12))
    return float(rng.normal(180, 25))


def _box(actor: Actor) -> np.ndarray:
    """Left, top, right and bottom of the joints with some flesh, canvas pixels."""
    xy = actor.view.project(np.stack(list(actor.body.points.values())))[:, :2]
    flesh = 0.05 * actor.view.scale
    return np.concatenate([xy.min(0) - flesh, xy.max(0) + flesh])


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Shared area as a part of the smaller box."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    areas = [np.prod(box[2:] - box[:2]) for box in (a, b)]
    return float(np.prod(np.clip(sides, 0, None)) / min(areas))


def _hue(rng: np.random.Generator, saturation: tuple, value: tuple) -> Colour:
    h, s, v = rng.uniform(0, 6), rng.uniform(*saturation), rng.uniform(*value)
    ramps = np.clip(np.abs((h + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return tuple(v * (1 - s * (1 - ramps)))


SKINS = ((0.96, 0.80, 0.69), (0.90, 0.71, 0.58), (0.78, 0.57, 0.42), (0.62, 0.42, 0.29), (0.42, 0.28, 0.20))
HAIRS = ((0.09, 0.07, 0.06), (0.24, 0.15, 0.09), (0.45, 0.29, 0.15), (0.78, 0.62, 0.36), (0.62, 0.61, 0.60))
CLOTH = ((0.16, 0.20, 0.34), (0.22, 0.22, 0.24), (0.30, 0.38, 0.52), (0.55, 0.47, 0.36), (0.36, 0.38, 0.28))


def _look(rng: np.random.Generator) -> Look:
    def near(colour: Colour) -> Colour:
        return tuple(np.clip(np.array(colour) * rng.uniform(0.9, 1.08) + rng.normal(0, 0.012, 3), 0.02, 1))

    shirt = _hue(rng, (0.15, 0.75), (0.45, 0.95))
    trousers = near(CLOTH[rng.integers(5)]) if rng.uniform() < 0.75 else _hue(rng, (0.2, 0.6), (0.25, 0.7))
    pale = tuple(0.35 * np.array(shirt) + 0.62)
    return Look(
        skin=near(SKINS[rng.integers(5)]),
        hair=near(HAIRS[rng.integers(5)]),
        shirt=shirt,
        trousers=trousers,
        shoes=_hue(rng, (0.0, 0.7), (0.2, 0.9)),
        long_sleeves=rng.uniform() < 0.45,
        long_legs=rng.uniform() < 0.65,
        hairdo=str(rng.choice(("short", "long", "bun", "bald", "cap"), p=(0.4, 0.27, 0.12, 0.08, 0.13))),
        build=rng.uniform(0.9, 1.18),
        second=pale if rng.uniform() < 0.2 else None,
    )


def _seat(rng: np.random.Generator, actor: Actor) -> list[Part]:
    """A crate, a stool or a chair under somebody who sits; in the body's own metres."""
    if actor.posture != "sitting":
        return []
    pelvis, colour = actor.body.points["pelvis"], _hue(rng, (0.2, 0.5), (0.4, 0.75))
    top, middle = pelvis[1] - 0.055 * actor.body.stature, pelvis[2] + 0.06

    def block(x: float, y: float, z: float, *half: float) -> Part:
        return Part("box", np.array([x, y, z]), np.diag(half), colour)

    if rng.uniform() < 0.4:
        return [block(0, top / 2, middle, 0.24, top / 2, 0.2)]
    parts = [block(0, top - 0.025, middle, 0.23, 0.025, 0.21)]
    parts += [block(x, top / 2, middle + z, 0.022, top / 2, 0.022) for x in (-0.2, 0.2) for z in (-0.18, 0.18)]
    if rng.uniform() < 0.6:
        parts += [block(x, top + 0.2, middle - 0.24, 0.022, 0.22, 0.02) for x in (-0.2, 0.2)]
        parts += [block(0, top + 0.33, middle - 0.24, 0.23, 0.1, 0.02)]
    return parts


def _furniture(rng: np.random.Generator, stage: Stage, actor: Actor, canvas: Canvas) -> None:
    """A crate or a table between the camera and somebody."""
    distance = actor.view.distance - rng.uniform(0.75, 1.0)
    scale = stage.focal / max(distance, 1.0)
    view = stage.view(actor.view.x + rng.uniform(-0.35, 0.35) * scale, scale, rng.uniform(-35, 35))
    width, height, depth = rng.uniform(0.25, 0.5), rng.uniform(0.45, 0.85), rng.uniform(0.18, 0.26)
    colour, eye = _hue(rng, (0.15, 0.5), (0.35, 0.8)), np.diag((width, height / 2, depth))
    if rng.uniform() < 0.5:
        canvas.draw(Part("box", np.array([0, height / 2, 0]), eye, colour), view, -1)
        return
    canvas.draw(Part("box", np.array([0, height, 0]), np.diag((width * 1.3, 0.03, depth)), colour), view, -1)
    for x in (-width * 1.2, width * 1.2):
        leg = np.array([x, height / 2, 0])
        canvas.draw(Part("box", leg, np.diag((0.03, height / 2, depth)), colour), view, -1)


def _noise(rng: np.random.Generator, cells: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Smooth noise (H, W), about -1 to 1."""
    coarse = Image.fromarray(rng.uniform(-1, 1, cells).astype(np.float32))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))


def _backdrop(rng: np.random.Generator, stage: Stage, views: list[View]) -> np.ndarray:
    """A wall or a sky over a floor, with soft shadows under everybody; (H, W, 3) in 0..1."""
    w, h = stage.width // OVERSAMPLING, stage.height // OVERSAMPLING
    # A wall meets the floor well below the horizon; outdoors the floor runs up to it.
    outdoors = rng.uniform() < 0.45
    farthest = min((view.y for view in views), default=stage.height) / OVERSAMPLING
    edge = stage.horizon / OVERSAMPLING
    edge = int(edge if outdoors else edge + rng.uniform(0.3, 0.85) * max(0.0, min(farthest, h) - edge))
    above = np.array(_hue(rng, (0.02, 0.18), (0.62, 0.95)))
    below = np.array(_hue(rng, (0.05, 0.3), (0.35, 0.75)))
    if outdoors:
        above = np.array([0.62, 0.78, 0.93]) * rng.uniform(0.8, 1.05)
        below = np.array(((0.45, 0.55, 0.30), (0.72, 0.64, 0.50), (0.55, 0.55, 0.56))[rng.integers(3)])
    rows = np.arange(h)[:, None, None] / h
    picture = np.where(rows * h < edge, above * (1.05 - 0.25 * rows), below * (0.75 + 0.35 * rows))
    picture = np.repeat(picture.astype(np.float32), w, axis=1)
    if outdoors:  # hills
        ridge = edge - h * 0.08 * (1 + _noise(rng, (1, 6), (w, 1))[0])
        hills = (np.arange(h)[:, None] > ridge) & (np.arange(h)[:, None] < edge)
        picture[hills] = below * 0.5 + above * 0.25
    else:
        for _ in range(rng.integers(0, 4)):  # pictures, windows, doors
            x, y = rng.integers(0, w), rng.integers(0, max(1, edge))
            wide, tall = rng.integers(w // 16, w // 5), rng.integers(h // 12, h // 3)
            picture[y : min(edge, y + tall), x : x + wide] *= _hue(rng, (0.05, 0.4), (0.7, 1.0))
    texture = 0.045 * _noise(rng, (5, 7), (w, h)) + 0.02 * _noise(rng, (24, 32), (w, h))
    picture += texture[..., None]
    ys, xs = np.arange(h)[:, None], np.arange(w)
    for view in views:
        radius = 0.32 * view.scale / OVERSAMPLING
        across = np.exp(-(((xs - view.x / OVERSAMPLING) / radius) ** 2))
        along = np.exp(-(((ys - view.y / OVERSAMPLING) / (0.3 * radius)) ** 2))
        picture *= (1 - 0.4 * along * across).astype(np.float32)[..., None]
    canvas = np.empty((h, OVERSAMPLING, w, OVERSAMPLING, 3), np.float32)
    canvas[:] = picture[:, None, :, None]
    return canvas.reshape(stage.height, stage.width, 3)


def _sum_cells(canvas: np.ndarray) -> np.ndarray:
    """Add up the canvas pixels of every image pixel."""
    n = OVERSAMPLING
    return sum(canvas[row::n, col::n] for row in range(n) for col in range(n))


def _develop(rng: np.random.Generator, rgb: np.ndarray) -> Image.Image:
    """Canvas to photograph: average down, tint, blur a little, add the sensor's noise."""
    tint = (rng.uniform(0.88, 1.1) * rng.uniform(0.96, 1.04, 3) / OVERSAMPLING**2).astype(np.float32)
    small = _sum_cells(rgb) * tint
    grain = rng.standard_normal(small.shape[:2], np.float32) * np.float32(rng.uniform(0.004, 0.018))
    small += grain[..., None]
    image = Image.fromarray((np.clip(small, 0, 1) * 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.6))) if rng.uniform() < 0.3 else image


def _mask(canvas: np.ndarray) -> np.ndarray:
    """Image pixels (H, W) of which the owner holds at least half."""
    return _sum_cells(canvas.astype(np.uint8)) * 2 >= OVERSAMPLING**2


def _region(mask: np.ndarray) -> dict:
    """COCO's fields that follow from a mask."""
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {
        "segmentation": {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")},
        "area": float(coco_mask.area(rle)),
        "bbox": [float(n) for n in coco_mask.toBbox(rle)],
    }


def _annotate(rng: np.random.Generator, canvas: Canvas, actor: Actor, owner: int) -> dict:
    """One person's annotation; all coordinates in image pixels, pixel centres at integers."""
    region = _region(_mask(canvas.owner == owner))
    points = visible_joints(canvas, actor, owner)
    labelled = _labelled(rng, points[:, 2], region["bbox"][3] / (canvas.depth.shape[0] / OVERSAMPLING))
    points[~labelled] = 0
    keypoints = [int(n) if at % 3 == 2 else round(float(n), 1) for at, n in enumerate(points.ravel())]
    extras = {"posture": actor.posture, "motion": MOTION[actor.posture], "facing": round(actor.yaw, 1)}
    return {
        **region,
        "iscrowd": 0,
        "keypoints": keypoints,
        "num_keypoints": int((points[:, 2] > 0).sum()),
        **extras,
    }


def visible_joints(canvas: Canvas, actor: Actor, owner: int) -> np.ndarray:
    """Keypoints (17, 3): x, y in image pixels and v: 0 outside of the image, 1 hidden, 2 seen."""
    xyz = actor.view.project(actor.body.keypoints())
    height, width = canvas.depth.shape
    cols, rows = np.round(xyz[:, 0]).astype(int), np.round(xyz[:, 1]).astype(int)
    # Canvas pixel i is centred at (i + 1/2) / oversampling - 1/2 in the image.
    xy = np.round((xyz[:, :2] + 0.5) / OVERSAMPLING - 0.5, 1)
    limit = np.array([width, height]) / OVERSAMPLING - 1
    inside = ((xy >= 0) & (xy <= limit)).all(1)
    cols, rows = np.clip(cols, 0, width - 1), np.clip(rows, 0, height - 1)
    covered = canvas.depth[rows, cols] - xyz[:, 2] > FLESH
    seen = (canvas.owner[rows, cols] == owner) & ~covered
    v = np.where(inside, np.where(seen, 2, 1), 0)
    return np.column_stack([np.where(inside[:, None], xy, 0), v])


def _labelled(rng: np.random.Generator, v: np.ndarray, tall: float) -> np.ndarray:
    """Which keypoints an annotator labels; `tall` is the person's part of the image's height."""
    thorough, lot, subset = rng.uniform() < 0.8, rng.uniform(), SUBSETS[rng.integers(len(SUBSETS))]
    labelled = v > 0
    if not thorough:  # what can't be seen isn't guessed
        labelled &= v == 2
    if (tall < 0.25 and lot < 0.4) or lot < 0.03:
        return np.zeros_like(labelled)
    if lot < 0.18:
        labelled &= np.isin(np.arange(len(v)), list(subset))
    return labelled
