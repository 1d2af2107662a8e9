"""Poses: the angles of a body's joints, and how eight postures draw them. 01_dataset.

Angles are degrees; every angle is 0 in upright standing with the arms hanging.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

MOTION = {
    **dict.fromkeys(("standing", "sitting", "crouching", "reaching", "lying"), "stationary"),
    **dict.fromkeys(("walking", "running", "jumping"), "moving"),
}


# How far joints turn, degrees; a knee at 0 is straight. Means of shoulders and elbows, rounded to a degree, are those
# of Boone & Azen, "Normal range of motion of joints in male subjects" (1979), as tables in textbooks of goniometry give
# them. Hips, knees and the added twice a standard deviation are of that paper's order, not copied from its table. Trunk
# and neck are of the order of the American Academy of Orthopaedic Surgeons' normal ranges, rounded.
LIMITS = {
    "shoulder_flexion": (-62.3 - 2 * 9.5, 166.7 + 2 * 4.7),
    "shoulder_abduction": (0.0, 184.0 + 2 * 7.0),
    "shoulder_inward": (-103.7 - 2 * 8.5, 68.8 + 2 * 4.6),
    "elbow": (-0.6 - 2 * 3.1, 142.9 + 2 * 5.6),
    "hip_flexion": (-9.8 - 2 * 6.8, 122.3 + 2 * 6.1),  # against the pelvis
    "hip_abduction": (-26.9 - 2 * 4.1, 45.9 + 2 * 9.3),
    "hip_inward": (-47.2 - 2 * 6.3, 47.3 + 2 * 6.0),
    "knee": (0.0, 142.5 + 2 * 5.4),
    "trunk_flexion": (-25.0, 80.0),  # of the thorax against the pelvis
    "trunk_side": (-35.0, 35.0),
    "trunk_twist": (-45.0, 45.0),
    "neck_flexion": (-45.0, 45.0),
    "neck_twist": (-60.0, 60.0),
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

    def angles(self) -> dict[str, tuple[float, ...]]:
        """Every joint's angles under the names of `LIMITS`."""
        named: dict[str, tuple[float, ...]] = {"elbow": self.elbows, "knee": self.knees}
        for joint, turns in (("shoulder", self.shoulders), ("hip", self.hips)):
            for part, values in zip(("flexion", "abduction", "inward"), zip(*turns, strict=True), strict=True):
                named[f"{joint}_{part}"] = values
        named["hip_flexion"] = tuple(flexion + PELVIS * self.lean for flexion in named["hip_flexion"])
        trunk = {"flexion": (1 - PELVIS) * self.lean, "side": (1 - PELVIS) * self.side, "twist": self.twist}
        neck = {"flexion": self.head[0], "twist": self.head[1]}
        parts = (("trunk", trunk), ("neck", neck))
        return named | {f"{joint}_{part}": (value,) for joint, turns in parts for part, value in turns.items()}

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
        hips=hips,
        knees=knees,
        flat=(0.15, 0.0),
        shoulders=shoulders,
        elbows=elbows,
        lean=u(8, 18),
        twist=-u(8, 18),
        lift=u(0.0, 0.04),
    )


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
        hips=hips,
        knees=knees,
        flat=(0, 0),
        shoulders=arms,
        elbows=(u(5, 40), u(5, 40)),
        lean=u(0, 12),
        lift=lift,
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
