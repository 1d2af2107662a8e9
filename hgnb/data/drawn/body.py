"""A body in metres: how eight postures draw joint angles, and where the joints end up. Drillis & Contini (1966).

The body's axes are x to the person's LEFT, y up, z forward; seen from the front (+z), left is image right.
Bone lengths are fractions of stature H from Drillis & Contini, "Body Segment Parameters" (1966), as others quote
them from Winter, "Biomechanics and Motor Control of Human Movement" (2009), fig. 4.1. Necks, faces and what lies
inside of an outline are ours.
Angles are degrees; every angle is 0 in upright standing with the arms hanging.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

MOTION = {
    **dict.fromkeys(("standing", "sitting", "crouching", "reaching", "lying"), "stationary"),
    **dict.fromkeys(("walking", "running", "jumping"), "moving"),
}
PELVIS = 0.3  # the pelvis' part of the trunk's lean


@dataclass(frozen=True)
class Pose:
    """Joint angles in degrees; pairs are (left, right), triples (flexion, abduction, inward rotation)."""

    root: tuple[float, float] = (0.0, 0.0)  # pitch (forward +) and roll (to the person's right +) of all
    lean: float = 0.0  # of the trunk, forward
    side: float = 0.0  # of the trunk, to the right
    twist: float = 0.0  # of the thorax, to the left
    head: tuple[float, float] = (0.0, 0.0)  # pitch (down +), yaw (to the left +)
    hips: tuple = ((0.0, 4.0, -6.0), (0.0, 4.0, -6.0))
    knees: tuple[float, ...] = (3.0, 3.0)
    flat: tuple[float, float] = (1.0, 1.0)  # 1: the sole is level; 0: the foot follows the shank
    shoulders: tuple = ((0.0, 8.0, 10.0), (0.0, 8.0, 10.0))
    elbows: tuple[float, float] = (12.0, 12.0)
    lift: float = 0.0  # of the lowest point above the floor, fraction of stature

    def mirrored(self) -> "Pose":
        """The same pose with left and right exchanged."""
        pairs = ("hips", "knees", "flat", "shoulders", "elbows")
        swapped = {name: getattr(self, name)[::-1] for name in pairs}
        root, head = (self.root[0], -self.root[1]), (self.head[0], -self.head[1])
        return replace(self, **swapped, root=root, head=head, side=-self.side, twist=-self.twist)


# Postures. Each draws a pose; the first of a pair leads, and half of the drawn poses are mirrored.
Arms = tuple[tuple, tuple[float, float]]


def _idle_arms(rng: np.random.Generator) -> Arms:
    """Shoulders and elbows of somebody with nothing to do: hanging, on the hips, folded, or at an ear."""
    u = rng.uniform

    def hanging() -> tuple:
        return (u(-12, 14), u(6, 18), u(0, 40)), u(6, 35)

    def on_hip() -> tuple:
        return (u(-18, -5), u(38, 50), u(64, 77)), u(84, 100)

    def at_ear() -> tuple:
        return (u(25, 45), u(10, 25), u(15, 30)), u(135, 145)

    def holding() -> tuple:
        return (u(5, 30), u(4, 14), u(20, 40)), u(75, 105)

    kind = rng.choice(5, p=(0.45, 0.15, 0.15, 0.1, 0.15))
    pair = ((hanging, hanging), (on_hip, on_hip), (hanging, on_hip), (hanging, at_ear), (holding, holding))
    (first, a), (second, b) = (draw() for draw in pair[kind])
    return (first, second), (a, b)


def _standing(rng: np.random.Generator) -> Pose:
    u = rng.uniform
    shoulders, elbows = _idle_arms(rng)
    hips = ((u(-4, 8), u(2, 9), u(-14, -2)), (u(-6, 4), u(2, 9), u(-14, -2)))
    knees = (u(2, 14), u(1, 6))
    return Pose(hips=hips, knees=knees, shoulders=shoulders, elbows=elbows, lean=u(-3, 6), side=u(-4, 4))


def _walking(rng: np.random.Generator) -> Pose:
    u = rng.uniform
    step, swing = u(20, 31), u(18, 34)
    hips = ((step, u(0, 3), -4.0), (-0.75 * step, u(0, 3), -6.0))
    shoulders = ((-swing, u(4, 9), 8.0), (swing, u(4, 9), 12.0))
    elbows = (u(10, 25), u(20, 45))
    knees, flat = (u(4, 16), u(14, 45)), (u(0.2, 0.5), u(0.0, 0.35))
    return Pose(hips=hips, knees=knees, flat=flat, shoulders=shoulders, elbows=elbows, lean=u(1, 7), twist=-u(4, 12))


def _running(rng: np.random.Generator) -> Pose:
    u = rng.uniform
    hips = ((u(48, 75), u(0, 4), 0.0), (-u(8, 25), u(0, 4), 0.0))
    shoulders = ((-u(35, 60), u(8, 16), 5.0), (u(28, 52), u(6, 14), 18.0))
    elbows, knees = (u(75, 100), u(80, 110)), (u(60, 95), u(25, 85))
    return Pose(
        hips=hips, knees=knees, flat=(0.15, 0.0), shoulders=shoulders, elbows=elbows, lean=u(8, 18), twist=-u(8, 18),
        lift=u(0.0, 0.04),
    )  # fmt: skip


def _sitting(rng: np.random.Generator) -> Pose:
    u = rng.uniform
    thigh, spread = u(82, 92), u(4, 15)
    hips = ((thigh, spread, -spread), (thigh + u(-3, 3), u(4, 15), -10.0))
    knees = (u(70, 96), u(76, 100))
    on_lap = ((u(18, 34), u(6, 15), u(10, 28)), (u(18, 34), u(6, 15), u(10, 28)))
    idle = _idle_arms(rng)
    shoulders, elbows = (on_lap, (u(45, 72), u(45, 72))) if u() < 0.6 else idle
    return Pose(hips=hips, knees=knees, shoulders=shoulders, elbows=elbows, lean=u(-8, 18), side=u(-4, 4))


def _crouching(rng: np.random.Generator) -> Pose:
    u = rng.uniform
    hips = tuple((u(98, 116), u(8, 20), u(-22, -8)) for _ in (0, 1))
    knees = tuple(flexion[0] + u(18, 28) for flexion in hips)
    shoulders = tuple((u(45, 75), u(2, 16), u(5, 30)) for _ in (0, 1))
    elbows = (u(25, 80), u(25, 80))
    return Pose(hips=hips, knees=knees, shoulders=shoulders, elbows=elbows, lean=u(25, 45), head=(-20.0, 0.0))


def _jumping(rng: np.random.Generator) -> Pose:
    u, lift = rng.uniform, rng.uniform(0.07, 0.22)
    if u() < 0.5:  # a star jump
        hips = ((u(0, 8), u(20, 34), -5.0), (u(0, 8), u(20, 34), -5.0))
        arms = ((u(0, 15), u(110, 150), 0.0), (u(0, 15), u(110, 150), 0.0))
        return Pose(hips=hips, knees=(6.0, 6.0), flat=(0, 0), shoulders=arms, elbows=(15, 15), lift=lift)
    tuck = u(35, 85)
    hips = ((tuck, u(2, 10), 0.0), (tuck - u(0, 60), u(2, 10), 0.0))
    arms = ((u(120, 170), u(10, 30), 0.0), (u(110, 170), u(10, 30), 0.0))
    knees = (u(70, 110), u(60, 105))
    return Pose(
        hips=hips, knees=knees, flat=(0, 0), shoulders=arms, elbows=(u(5, 40), u(5, 40)), lean=u(0, 12), lift=lift
    )


def _reaching(rng: np.random.Generator) -> Pose:
    pose, u = _standing(rng), rng.uniform
    kind = rng.choice(3)
    if kind == 0:  # up, with one arm or both
        first = (u(140, 172), u(4, 20), 0.0)
        second = (u(140, 172), u(4, 20), 0.0) if u() < 0.5 else pose.shoulders[1]
        return replace(pose, shoulders=(first, second), elbows=(u(4, 25), u(4, 25)), head=(-14.0, 0.0))
    if kind == 1:  # forwards or to the side
        # Not straight ahead: an arm that points at the camera looks like one that hangs.
        first = (u(70, 95), u(25, 50), 0.0) if u() < 0.5 else (u(0, 20), u(75, 98), 0.0)
        return replace(pose, shoulders=(first, pose.shoulders[1]), elbows=(u(3, 20), pose.elbows[1]), lean=u(2, 12))
    arms = ((u(85, 115), u(2, 12), 0.0), (u(70, 110), u(2, 12), 0.0))  # down to the floor
    hips = tuple((u(14, 26), u(4, 10), -6.0) for _ in (0, 1))
    knees = (u(22, 38), u(22, 38))
    return replace(pose, hips=hips, knees=knees, lean=u(65, 90), shoulders=arms, elbows=(10.0, 18.0), head=(-20.0, 0))


def _lying(rng: np.random.Generator) -> Pose:
    u = rng.uniform
    bend = u(0, 55)
    hips = ((bend, u(2, 10), 0.0), (u(0, 30), u(2, 10), 0.0))
    knees = (2 * bend + u(0, 8), u(0, 35))  # the sole of a bent leg rests on the floor
    shoulders: tuple = ((u(-8, 12), u(12, 70), 0.0), (u(-8, 12), u(12, 150), 0.0))
    root = ((-90.0, 0.0), (0.0, 90.0), (90.0, 0.0))[rng.choice(3, p=(0.45, 0.4, 0.15))]
    if root[1]:  # on one side, the arms before the chest
        shoulders = tuple((u(20, 95), u(0, 12), 0.0) for _ in (0, 1))
    if root[0] > 0:  # face down: no knee can bend into the floor
        hips = ((u(0, 3), u(3, 12), 0.0), (u(0, 3), u(3, 12), 0.0))
        knees, shoulders = (u(0, 30), u(0, 12)), ((u(0, 8), u(15, 60), 0.0), (u(0, 8), u(100, 150), 0.0))
    return Pose(root=root, hips=hips, knees=knees, flat=(0, 0), shoulders=shoulders, elbows=(u(10, 60), u(10, 60)))


POSTURES: dict[str, Callable[[np.random.Generator], Pose]] = {
    "standing": _standing,
    "walking": _walking,
    "running": _running,
    "sitting": _sitting,
    "crouching": _crouching,
    "jumping": _jumping,
    "reaching": _reaching,
    "lying": _lying,
}


def draw_pose(posture: str, rng: np.random.Generator) -> Pose:
    """One pose of the named posture (a key of `POSTURES`)."""
    pose = POSTURES[posture](rng)
    pitch, yaw = pose.head
    pose = replace(pose, head=(pitch + rng.uniform(-8, 10), float(np.clip(yaw + rng.normal(0, 16), -55, 55))))
    return pose.mirrored() if rng.uniform() < 0.5 else pose


SIDES = (("left", 1.0), ("right", -1.0))

# Fractions of stature, after Winter (2009), fig. 4.1, but for the neck, which it has at 0.052.
UPPER_ARM, FOREARM, HAND = 0.186, 0.146, 0.108
THIGH, SHANK, FOOT, ANKLE_HEIGHT = 0.245, 0.246, 0.152, 0.039
TRUNK = 0.818 - 0.530  # hip joint to shoulder joint
NECK, HEAD_CENTRE = 0.060, 0.936 - 0.818  # above the shoulder line
# The figure gives breadths of the outline (0.259 and 0.191); joint centres lie inside of it.
SHOULDER_HALF, HIP_HALF = 0.105, 0.054


@dataclass(frozen=True)
class Skeleton:
    """A posed body: `points` (3,) in metres and `frames` (3, 3), whose columns are a bone's x, y and z."""

    stature: float
    points: dict[str, np.ndarray]
    frames: dict[str, np.ndarray]


def turn(axis: str, degrees: float) -> np.ndarray:
    """Right-handed rotation (3, 3) about the axis x, y or z."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    if axis == "x":
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    if axis == "y":
        return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cross product of two vectors (3,); NumPy's own takes twenty times as long on one pair."""
    (x, y, z), (u, v, w) = a.tolist(), b.tolist()
    return np.array([y * w - z * v, z * u - x * w, x * v - y * u])


def ball(angles: tuple[float, float, float], sign: float) -> np.ndarray:
    """Rotation of a hip or shoulder; `sign` is 1 on the left and -1 on the right."""
    flexion, abduction, inward = angles
    return turn("x", -flexion) @ turn("z", sign * abduction) @ turn("y", -sign * inward)


def skeleton(pose: Pose, stature: float) -> Skeleton:
    """Forward kinematics from the pelvis outwards, then down (or up) to the floor at y = 0."""
    points, frames = dict[str, np.ndarray](), dict[str, np.ndarray]()
    root = turn("x", pose.root[0]) @ turn("z", -pose.root[1])
    pelvis = root @ turn("x", PELVIS * pose.lean) @ turn("z", -PELVIS * pose.side)
    lumbar = root @ turn("x", 0.7 * pose.lean) @ turn("z", -0.7 * pose.side) @ turn("y", 0.5 * pose.twist)
    thorax = root @ turn("x", pose.lean) @ turn("z", -pose.side) @ turn("y", pose.twist)
    head = thorax @ turn("y", pose.head[1]) @ turn("x", pose.head[0])
    frames.update(root=root, pelvis=pelvis, lumbar=lumbar, thorax=thorax, head=head)

    points["pelvis"] = np.zeros(3)
    points["waist"] = points["pelvis"] + lumbar @ (0, 0.38 * TRUNK, 0)
    points["chest"] = points["waist"] + thorax @ (0, 0.62 * TRUNK, 0)  # midpoint of the shoulders
    points["neck"] = points["chest"] + thorax @ (0, NECK, 0.006)
    points["head"] = points["neck"] + head @ (0, HEAD_CENTRE - NECK, 0.012)
    # A face's landmarks as fractions of stature from the head's centre.
    points["nose"] = points["head"] + head @ (0, -0.014, 0.060)
    points["head_top"] = points["head"] + head @ (0, 0.061, 0)  # a centimetre under the crown
    for side, sign in SIDES:
        points[f"{side}_eye"] = points["head"] + head @ (sign * 0.019, 0.004, 0.046)
        points[f"{side}_ear"] = points["head"] + head @ (sign * 0.045, -0.008, -0.004)
        _arm(points, frames, pose, side, sign)
        _leg(points, frames, pose, side, sign)

    low = min(points[name][1] - radius for name, radius in TOUCHING.items())
    rise = np.array([0.0, pose.lift - low, 0.0])
    return Skeleton(stature, {name: (at + rise) * stature for name, at in points.items()}, frames)


# What may touch the floor, with its radius as a fraction of stature.
TOUCHING = {"pelvis": 0.058, "chest": 0.06, "head": 0.058} | {
    f"{side}_{name}": radius
    for side, _ in SIDES
    for name, radius in {"knee": 0.032, "elbow": 0.024, "hand": 0.02, "heel": 0.0, "toe": 0.0}.items()
}


def _arm(points: dict, frames: dict, pose: Pose, side: str, sign: float) -> None:
    at = 0 if sign > 0 else 1
    upper = frames["thorax"] @ ball(pose.shoulders[at], sign)
    fore = upper @ turn("x", -pose.elbows[at])
    shrug = 0.03 * max(0.0, max(pose.shoulders[at][:2]) - 90) / 90  # the shoulder rises with the arm
    points[f"{side}_shoulder"] = points["chest"] + frames["thorax"] @ (sign * SHOULDER_HALF, shrug, 0)
    points[f"{side}_elbow"] = points[f"{side}_shoulder"] - upper[:, 1] * UPPER_ARM
    points[f"{side}_wrist"] = points[f"{side}_elbow"] - fore[:, 1] * FOREARM
    points[f"{side}_hand"] = points[f"{side}_wrist"] - fore[:, 1] * 0.4 * HAND
    frames[f"{side}_upper"], frames[f"{side}_fore"] = upper, fore


def _leg(points: dict, frames: dict, pose: Pose, side: str, sign: float) -> None:
    at = 0 if sign > 0 else 1
    thigh = frames["root"] @ ball(pose.hips[at], sign)
    shank = thigh @ turn("x", pose.knees[at])
    points[f"{side}_hip"] = points["pelvis"] + frames["pelvis"] @ (sign * HIP_HALF, 0, 0)
    points[f"{side}_knee"] = points[f"{side}_hip"] - thigh[:, 1] * THIGH
    points[f"{side}_ankle"] = points[f"{side}_knee"] - shank[:, 1] * SHANK
    frames[f"{side}_thigh"], frames[f"{side}_shank"] = thigh, shank
    frames[f"{side}_foot"] = foot = _sole(shank, pose.flat[at])
    points[f"{side}_heel"] = points[f"{side}_ankle"] + foot @ (0, -ANKLE_HEIGHT, -0.25 * FOOT)
    points[f"{side}_toe"] = points[f"{side}_ankle"] + foot @ (0, -ANKLE_HEIGHT, 0.75 * FOOT)


def _sole(shank: np.ndarray, flat: float) -> np.ndarray:
    """The foot's frame: between the shank's and a level one with the same heading."""
    up = (1 - flat) * shank[:, 1] + flat * np.array([0.0, 1.0, 0.0])
    up = up / np.linalg.norm(up)
    across = cross(up, shank[:, 2])
    across = across / np.linalg.norm(across)
    return np.stack([across, up, cross(across, up)], axis=1)
