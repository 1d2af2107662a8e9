"""A body in metres: bone lengths, joint angles and where the joints end up. Drillis & Contini (1966).

The body's axes are x to the person's LEFT, y up, z forward; seen from the front (+z), left is image right.
Bone lengths are fractions of stature H from Drillis & Contini, "Body Segment Parameters" (1966), as others quote
them from Winter, "Biomechanics and Motor Control of Human Movement" (2009), fig. 4.1. Necks, faces and what lies
inside of an outline are ours.
Angles are degrees; every angle is 0 in upright standing with the arms hanging.
"""

import math
from dataclasses import dataclass

import numpy as np

from hgnb.data.drawn.pose import PELVIS, Pose
from hgnb.data.drawn.pose import draw_pose as draw_pose  # poses are asked for where bodies are

KEYPOINTS = (  # COCO's order
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)
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

    def keypoints(self) -> np.ndarray:
        """COCO's 17 keypoints, (17, 3) in metres."""
        return np.stack([self.points[name] for name in KEYPOINTS])


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
    points: dict[str, np.ndarray]
    frames: dict[str, np.ndarray]
    points, frames = {}, {}
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
