"""Who stands where and what surrounds them: camera, people, wall or sky, floor, shadows and furniture. 01_dataset."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from hgnb.data.drawn.body import POSTURES, Skeleton, draw_pose, skeleton, turn
from hgnb.data.drawn.canvas import Part, View
from hgnb.data.drawn.figure import Look, draw_look, hue

SHARES = dict(  # of the postures; nothing published, chosen so that every class can be learned
    zip(POSTURES, (0.24, 0.15, 0.12, 0.17, 0.08, 0.08, 0.1, 0.06), strict=True)
)
COMPANY = (0.44, 0.27, 0.14, 0.07, 0.04, 0.04)  # how often a picture has one person, two, ... six


@dataclass(frozen=True)
class Stage:
    """The camera and the floor of one image, in pixels and metres."""

    width: int
    height: int
    horizon: float  # row of the horizon
    eye: float  # height of the camera above the floor, metres
    focal: float  # pixels

    def view(self, x: float, scale: float, yaw: float) -> View:
        """Of somebody on the floor, seen at `scale` pixels per metre."""
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
    number: int = -1  # among the picture's people


def draw_actors(rng: np.random.Generator, stage: Stage) -> list[Actor]:
    """One to six people who stand mostly clear of each other."""
    actors, boxes = list[Actor](), list[tuple]()
    count = rng.choice(len(COMPANY), p=COMPANY) + 1
    for _ in range(count):
        posture = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        body = skeleton(draw_pose(posture, rng), rng.normal(1.7, 0.09))
        look, yaw = draw_look(rng), _yaw(rng)
        if posture == "lying":  # across the picture: from the head or the feet nobody could tell
            across = abs(body.frames["root"][0, 1]) > 0.5
            yaw = float(rng.normal(0, 22) + (0 if across else rng.choice((-80, 80))))
        share = rng.uniform(0.38, 0.9) if rng.uniform() < 0.88 else rng.uniform(0.2, 0.34)
        share *= 1 if count < 4 else 0.75  # many people fit in from further away
        allowed = 0.45 if rng.uniform() < 0.25 else 0.08
        reach = _reach(stage, body, yaw)
        for _ in range(25):
            scale = share * stage.height / 1.7  # `share` of the image's height is what 1.7 m would take
            left, top, right, bottom = (scale * side for side in reach)
            edge = (-0.3 if rng.uniform() < 0.12 else 0.02) * (right - left)
            low, high = edge - left, stage.width - edge - right
            x = rng.uniform(min(low, high), max(low, high))
            box = left + x, top + stage.horizon, right + x, bottom + stage.horizon
            covered = [_overlap(box, other) for other in boxes]
            apart = [abs(stage.focal / scale - other.view.distance) > 0.7 for other in actors]
            if all(c <= 0.03 or (c <= allowed and a) for c, a in zip(covered, apart, strict=True)):
                actors.append(Actor(posture, body, look, yaw, stage.view(x, scale, yaw), len(actors)))
                boxes.append(box)
                break
            share *= 0.97
    return actors


def draw_crowd(rng: np.random.Generator, stage: Stage, first: int) -> list[Actor]:
    """A row of people far away, whom nobody annotates one by one; their numbers count from `first`."""
    middle, scale = rng.uniform(0.2, 0.8) * stage.width, rng.uniform(0.1, 0.16) * stage.height / 1.7
    actors = []
    for at in range(rng.integers(4, 8)):
        body, yaw = skeleton(draw_pose("standing", rng), rng.normal(1.7, 0.09)), _yaw(rng)
        view = stage.view(middle + (at - 3) * 0.42 * scale, scale * rng.uniform(0.92, 1.08), yaw)
        actors.append(Actor("standing", body, draw_look(rng), yaw, view, first + at))
    return actors


def _yaw(rng: np.random.Generator) -> float:
    """Mostly towards the camera, some in profile, some from behind; degrees."""
    kind = rng.uniform()
    if kind < 0.68:
        return float(np.clip(rng.normal(0, 30), -60, 60))
    if kind < 0.86:
        return float(rng.choice((-1, 1)) * rng.normal(85, 12))
    return float(rng.normal(180, 25))


def _reach(stage: Stage, body: Skeleton, yaw: float) -> list[float]:
    """Left, top, right and bottom of the joints with some flesh, metres from below the body's middle at the horizon."""
    xy = stage.view(0.0, 1.0, yaw).project(np.stack(list(body.points.values())))[:, :2] - (0, stage.horizon)
    return [*(xy.min(0) - 0.05).tolist(), *(xy.max(0) + 0.05).tolist()]


def _overlap(a: tuple, b: tuple) -> float:
    """Shared area as a part of the smaller box."""
    wide, tall = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    areas = ((right - left) * (bottom - top) for left, top, right, bottom in (a, b))
    return max(wide, 0.0) * max(tall, 0.0) / min(areas)


BLOTCH = 0.0007  # one grey level of the floor's and wall's texture: too little to be seen


def backdrop(rng: np.random.Generator, stage: Stage, actors: list[Actor]) -> np.ndarray:
    """A wall or a sky over a floor, with soft shadows under everybody; (3, H, W) in 0..1, image pixels."""
    w, h = stage.width, stage.height
    # A wall meets the floor well below the horizon; outdoors the floor runs up to it.
    outdoors = rng.uniform() < 0.45
    farthest = min((actor.view.y for actor in actors), default=stage.height)
    edge = stage.horizon
    edge = int(edge if outdoors else edge + rng.uniform(0.3, 0.85) * max(0.0, min(farthest, h) - edge))
    above = np.array(hue(rng, (0.02, 0.18), (0.62, 0.95)))[:, None]
    below = np.array(hue(rng, (0.05, 0.3), (0.35, 0.75)))[:, None]
    if outdoors:
        above = np.array([[0.62], [0.78], [0.93]]) * rng.uniform(0.8, 1.05)
        below = np.array(((0.45, 0.55, 0.30), (0.72, 0.64, 0.50), (0.55, 0.55, 0.56))[rng.integers(3)])[:, None]
    rows = np.arange(h) / h
    column = np.where(np.arange(h) < edge, above * (1.05 - 0.25 * rows), below * (0.75 + 0.35 * rows))
    picture = np.empty((3, h, w), np.float32)
    picture[:] = column.astype(np.float32)[..., None]
    if outdoors:
        _hills(rng, picture, edge, (below * 0.5 + above * 0.25).astype(np.float32))
    else:
        for _ in range(rng.integers(0, 4)):  # pictures, windows, doors
            x, y = rng.integers(0, w), rng.integers(0, max(1, edge))
            wide, tall = rng.integers(w // 16, w // 5), rng.integers(h // 12, h // 3)
            colour = np.array(hue(rng, (0.05, 0.4), (0.7, 1.0)), np.float32)
            picture[:, y : min(edge, y + tall), x : x + wide] *= colour[:, None, None]
    picture += _texture(rng, (w, h))
    for actor in actors:
        _shadow(picture, actor)
    return picture


def _noise(rng: np.random.Generator, cells: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Smooth noise (H, W), about -1 to 1."""
    coarse = Image.fromarray(rng.uniform(-1, 1, cells).astype(np.float32))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))


def _texture(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Blotches (H, W) of two sizes; they are smooth, so most of the way is done on a coarse grid and in bytes."""
    middle = (96, 72)
    blotches = 0.045 * _noise(rng, (5, 7), middle) + 0.02 * _noise(rng, (24, 32), middle)
    grey = np.clip(127.5 + blotches / BLOTCH, 0, 255).astype(np.uint8)
    texture = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR)).astype(np.float32)
    texture -= 127.0
    texture *= BLOTCH
    return texture


def _hills(rng: np.random.Generator, picture: np.ndarray, edge: int, colour: np.ndarray) -> None:
    _, h, w = picture.shape
    ridge = edge - h * 0.08 * (1 + _noise(rng, (1, 6), (w, 1))[0])
    top = max(0, int(ridge.min()))
    if top < edge:
        band = picture[:, top:edge]
        cover = np.clip(np.arange(top, edge, dtype=np.float32)[:, None] - ridge + 0.5, 0, 1)
        band += cover * (colour[:, None] - band)


def _shadow(picture: np.ndarray, actor: Actor) -> None:
    """Darkens the floor around somebody's feet, or all along who lies, as far as one can see it."""
    _, h, w = picture.shape
    x, y, radius = actor.view.x, actor.view.y, 0.32 * actor.view.scale
    wide = radius
    if actor.posture == "lying":
        across = actor.view.project(np.stack(list(actor.body.points.values())))[:, 0]
        x, wide = (across.min() + across.max()) / 2, max(radius, 0.4 * np.ptp(across))
    left, right = (int(np.clip(x + side * 2.3 * wide, 0, w)) for side in (-1, 1))
    top, bottom = (int(np.clip(y + side * 0.7 * radius, 0, h)) for side in (-1, 1))
    across = np.exp(-(((np.arange(left, right) - x) / wide) ** 2))
    along = np.exp(-(((np.arange(top, bottom) - y) / (0.3 * radius)) ** 2))
    picture[:, top:bottom, left:right] *= (1 - 0.4 * np.outer(along, across)).astype(np.float32)


def seat(rng: np.random.Generator, actor: Actor) -> list[Part]:
    """A crate, a stool or a chair under somebody who sits; in the body's own metres."""
    if actor.posture != "sitting":
        return []
    pelvis, colour = actor.body.points["pelvis"], hue(rng, (0.2, 0.5), (0.4, 0.75))
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


def obstacle(rng: np.random.Generator, stage: Stage, actor: Actor) -> tuple[list[Part], View]:
    """A crate or a table between the camera and somebody."""
    distance = actor.view.distance - rng.uniform(0.75, 1.0)
    scale = stage.focal / max(distance, 1.0)
    view = stage.view(actor.view.x + rng.uniform(-0.35, 0.35) * scale, scale, rng.uniform(-35, 35))
    width, height, depth = rng.uniform(0.25, 0.5), rng.uniform(0.45, 0.85), rng.uniform(0.18, 0.26)
    colour = hue(rng, (0.15, 0.5), (0.35, 0.8))

    def block(x: float, y: float, *half: float) -> Part:
        return Part("box", np.array([x, y, 0]), np.diag(half), colour)

    if rng.uniform() < 0.5:
        return [block(0, height / 2, width, height / 2, depth)], view
    legs = [block(x, height / 2, 0.03, height / 2, depth) for x in (-width * 1.2, width * 1.2)]
    return [block(0, height, width * 1.3, 0.03, depth), *legs], view
