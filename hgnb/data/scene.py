"""Who stands where: camera and floor of one picture, and the people placed on it. 01_dataset."""

from dataclasses import dataclass

import numpy as np

from hgnb.data.body import Skeleton, skeleton, turn
from hgnb.data.canvas import View
from hgnb.data.figure import Look, draw_look
from hgnb.data.pose import POSTURES, draw_pose

SHARES = dict(  # of the postures; nothing published, chosen so that every class can be learned
    zip(POSTURES, (0.24, 0.15, 0.12, 0.17, 0.08, 0.08, 0.1, 0.06), strict=True)
)
COMPANY = (0.44, 0.27, 0.14, 0.07, 0.04, 0.04)  # how often a picture has one person, two, ... six


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
    number: int = -1  # among the picture's people


def draw_actors(rng: np.random.Generator, stage: Stage) -> list[Actor]:
    """One to six people who stand mostly clear of each other."""
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
                actors.append(Actor(posture, body, look, yaw, stage.view(x, actor.view.scale, yaw), len(actors)))
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
