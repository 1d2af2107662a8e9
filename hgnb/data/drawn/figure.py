"""A person's solids: girths, clothes, skin and hair of many kinds, hung on a skeleton. 01_dataset."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hgnb.data.drawn.body import FOOT, HAND, SIDES, Skeleton, cross
from hgnb.data.drawn.canvas import Colour, Part

ROUND = np.eye(3)


@dataclass(frozen=True)
class Look:
    """How a person is built and dressed."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    long_sleeves: bool
    long_legs: bool
    hairdo: str  # "short", "long", "bun", "bald" or "cap"
    build: float  # 1: average girth
    second: Colour | None = None  # of a striped shirt


def dress(body: Skeleton, look: Look) -> list[Part]:
    """The solids of a person. Girths are fractions of stature, made by eye after adults' girths."""
    figure = _Figure(body, look)
    figure.torso()
    figure.head()
    for side, sign in SIDES:
        figure.arm(side)
        figure.leg(side, sign)
    return figure.parts()


class _Figure:
    def __init__(self, body: Skeleton, look: Look):
        self.body, self.look = body, look
        self.made: list[Part] = []

    def egg(self, at: np.ndarray, frame: np.ndarray, half: tuple, colour: Colour, stripes=None) -> None:
        axes = frame * (np.array(half) * self.body.stature)
        self.made.append(Part("ellipsoid", at, axes, colour, stripes=stripes))

    def ball(self, at: np.ndarray, radius: float, colour: Colour) -> None:
        self.egg(at, ROUND, (radius, radius, radius), colour)

    def tube(self, a: np.ndarray, b: np.ndarray, half: tuple, taper: float, frame, colour, stripes=None) -> None:
        """From `a` to `b`; `half` is the base's half width and depth, along the frame's x and z."""
        along, across, (wide, deep) = b - a, frame[:, 0], np.array(half) * self.body.stature
        unit = along / np.sqrt((along * along).sum())
        across = across - unit * (across * unit).sum()
        across = across / np.sqrt((across * across).sum())
        axes = np.stack([across * wide, along, cross(across, unit) * deep], axis=1)
        self.made.append(Part("tube", a, axes, colour, taper, stripes))

    def parts(self) -> list[Part]:
        """All of them, in the order in which the first is seen where two are equally near."""
        return sorted(self.made, key=lambda part: part.kind)

    def limb(self, a: np.ndarray, b: np.ndarray, base: float, top: float, frame, colour: Colour) -> None:
        """A round tube that ends in a ball; the one that it starts from is drawn by whom it hangs on."""
        self.tube(a, b, (base, base), top / base, frame, colour)
        self.ball(b, top, colour)

    def torso(self) -> None:
        look, point, frame = self.look, self.body.points, self.body.frames
        w, h = look.build, self.body.stature
        pelvis, lumbar, thorax = frame["pelvis"], frame["lumbar"], frame["thorax"]
        cloth: dict[str, Any] = {"colour": look.shirt}
        if look.second:
            cloth["stripes"] = thorax[:, 1], 0.09, look.second
        up = pelvis[:, 1] * h
        self.egg(point["pelvis"] + 0.008 * up, pelvis, (0.094 * w, 0.072, 0.068 * w), look.trousers)
        belt = point["pelvis"] + 0.03 * up
        self.tube(belt, point["waist"], (0.092 * w, 0.066 * w), 0.9, lumbar, **cloth)
        self.egg(point["waist"], lumbar, (0.083 * w, 0.045, 0.06 * w), **cloth)
        top = point["chest"] - thorax[:, 1] * 0.03 * h
        self.tube(point["waist"], top, (0.083 * w, 0.06 * w), 1.2, thorax, **cloth)
        self.egg(top, thorax, (0.1 * w, 0.042, 0.072 * w), **cloth)
        self.egg(point["chest"] - thorax[:, 1] * 0.004 * h, thorax, (0.108, 0.04, 0.052), **cloth)
        self.limb(point["chest"] - thorax[:, 1] * 0.02 * h, point["neck"], 0.036, 0.031, thorax, look.skin)
        self.egg(point["chest"] + thorax[:, 1] * 0.006 * h, thorax, (0.07, 0.036, 0.043), **cloth)

    def head(self) -> None:
        look, point, frame = self.look, self.body.points, self.body.frames["head"]

        def feature(at: tuple, half: tuple, colour: Any) -> None:
            self.egg(point["head"] + frame @ at * self.body.stature, frame, half, colour)

        dark = tuple(0.55 * c for c in look.hair)
        lips = (0.75 * look.skin[0] + 0.08, 0.5 * look.skin[1], 0.5 * look.skin[2])
        self.limb(point["neck"], point["head"] - frame[:, 1] * 0.02, 0.03, 0.03, frame, look.skin)
        feature((0, 0, 0), (0.044, 0.066, 0.053), look.skin)
        feature((0, -0.034, 0.012), (0.034, 0.034, 0.036), look.skin)  # the jaw
        feature((0, -0.012, 0.052), (0.009, 0.015, 0.015), look.skin)  # the nose
        feature((0, -0.036, 0.043), (0.016, 0.005, 0.007), lips)
        for sign in (1, -1):
            feature((sign * 0.045, -0.008, -0.004), (0.007, 0.017, 0.012), look.skin)
            feature((sign * 0.019, 0.004, 0.044), (0.0115, 0.0075, 0.0075), (0.97, 0.96, 0.94))
            feature((sign * 0.019, 0.004, 0.0485), (0.0055, 0.0065, 0.0045), (0.13, 0.09, 0.07))
            feature((sign * 0.019, 0.019, 0.045), (0.013, 0.0035, 0.005), dark)
        if look.hairdo == "bald":
            return
        feature((0, 0.018, -0.014), (0.0485, 0.057, 0.05), look.hair)
        if look.hairdo != "cap":
            feature((0, 0.046, 0.008), (0.04, 0.028, 0.043), look.hair)
        if look.hairdo == "long":
            feature((0, -0.03, -0.028), (0.05, 0.075, 0.034), look.hair)
        if look.hairdo == "bun":
            feature((0, 0.055, -0.045), (0.026, 0.026, 0.026), look.hair)
        if look.hairdo == "cap":
            feature((0, 0.034, -0.008), (0.052, 0.05, 0.059), look.shoes)
            feature((0, 0.032, 0.055), (0.036, 0.006, 0.032), look.shoes)

    def arm(self, side: str) -> None:
        look, point, frame = self.look, self.body.points, self.body.frames
        thorax = frame["thorax"]
        shoulder, elbow, wrist = (point[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
        upper, fore, w = frame[f"{side}_upper"], frame[f"{side}_fore"], 0.5 + 0.5 * look.build
        sleeve = look.shirt if look.long_sleeves else look.skin
        self.limb(shoulder, elbow, 0.029 * w, 0.023 * w, upper, sleeve)
        self.limb(elbow, wrist, 0.024 * w, 0.0165, fore, sleeve)
        self.ball(shoulder - thorax[:, 1] * 0.006 * self.body.stature, 0.034 * w, look.shirt)
        if not look.long_sleeves:
            self.limb(shoulder, 0.45 * shoulder + 0.55 * elbow, 0.034 * w, 0.03 * w, upper, look.shirt)
        half = (0.012, 0.5 * HAND, 0.023)
        self.egg(point[f"{side}_hand"], fore, half, look.skin)

    def leg(self, side: str, sign: float) -> None:
        look, point, frame = self.look, self.body.points, self.body.frames
        hip, knee, ankle = (point[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        thigh, shank, foot = (frame[f"{side}_{name}"] for name in ("thigh", "shank", "foot"))
        h, w = self.body.stature, 0.5 + 0.5 * look.build
        cloth = look.trousers if look.long_legs else look.skin
        self.ball(hip, 0.053 * w, look.trousers)
        self.limb(hip, knee, 0.053 * w, 0.035 * w, thigh, cloth)
        self.limb(knee, ankle, 0.033 * w, 0.024, shank, cloth)
        calf = 0.7 * knee + 0.3 * ankle - shank[:, 2] * 0.008 * h
        self.egg(calf, shank, (0.033 * w, 0.07, 0.033 * w), cloth)
        if not look.long_legs:
            self.limb(hip, 0.25 * hip + 0.75 * knee, 0.057 * w, 0.046 * w, thigh, look.trousers)
        middle = ankle + foot @ (0, -0.021, 0.24 * FOOT) * h
        self.egg(middle, foot, (0.027, 0.02, 0.5 * FOOT), look.shoes)
        self.egg(ankle + foot @ (0, -0.016, -0.004) * h, foot, (0.025, 0.026, 0.032), look.shoes)


def hue(rng: np.random.Generator, saturation: tuple, value: tuple) -> Colour:
    """A colour of any hue, with saturation and value (0..1) from the given ranges."""
    h, s, v = rng.uniform(0, 6), rng.uniform(*saturation), rng.uniform(*value)
    ramps = np.clip(np.abs((h + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return tuple(v * (1 - s * (1 - ramps)))


SKINS = ((0.96, 0.80, 0.69), (0.90, 0.71, 0.58), (0.78, 0.57, 0.42), (0.62, 0.42, 0.29), (0.42, 0.28, 0.20))
HAIRS = ((0.09, 0.07, 0.06), (0.24, 0.15, 0.09), (0.45, 0.29, 0.15), (0.78, 0.62, 0.36), (0.62, 0.61, 0.60))
CLOTH = ((0.16, 0.20, 0.34), (0.22, 0.22, 0.24), (0.30, 0.38, 0.52), (0.55, 0.47, 0.36), (0.36, 0.38, 0.28))


def draw_look(rng: np.random.Generator) -> Look:
    """Somebody's build and clothes."""

    def near(colour: Colour) -> Colour:
        return tuple(np.clip(np.array(colour) * rng.uniform(0.9, 1.08) + rng.normal(0, 0.012, 3), 0.02, 1))

    shirt = hue(rng, (0.15, 0.75), (0.45, 0.95))
    trousers = near(CLOTH[rng.integers(5)]) if rng.uniform() < 0.75 else hue(rng, (0.2, 0.6), (0.25, 0.7))
    pale = tuple(0.35 * np.array(shirt) + 0.62)
    return Look(
        skin=near(SKINS[rng.integers(5)]),
        hair=near(HAIRS[rng.integers(5)]),
        shirt=shirt,
        trousers=trousers,
        shoes=hue(rng, (0.0, 0.7), (0.2, 0.9)),
        long_sleeves=rng.uniform() < 0.45,
        long_legs=rng.uniform() < 0.65,
        hairdo=str(rng.choice(("short", "long", "bun", "bald", "cap"), p=(0.4, 0.27, 0.12, 0.08, 0.13))),
        build=rng.uniform(0.9, 1.18),
        second=pale if rng.uniform() < 0.2 else None,
    )
