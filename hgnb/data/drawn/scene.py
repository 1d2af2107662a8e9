"""Who stands where: camera and floor of one picture, and the people placed on it. 01_dataset."""

from dataclasses import dataclass

import numpy as np

from hgnb.data.drawn.body import Skeleton, skeleton, turn
from hgnb.data.drawn.canvas import View
from hgnb.data.drawn.figure import Look, draw_look
from hgnb.data.drawn.pose import POSTURES, draw_pose

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
    actors: list[Actor]
    boxes: list
    actors, boxes = [], []
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
