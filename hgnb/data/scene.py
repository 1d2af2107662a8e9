"""Drawing a body: solids cast on a canvas that remembers the depth and the owner of every pixel.

Every solid is a quadric (ellipsoid or tapered tube) or a box under a weak-perspective camera, so that the ray
of a pixel meets it in closed form; the nearest surface wins. Blinn, "Ray tracing in vector form" in SIGGRAPH
courses (1984), describes the quadric; no mesh and no sorting is needed, and hidden joints are known exactly.
"""

from dataclasses import dataclass

import numpy as np

from hgnb.data.body import FOOT, HAND, SIDES, Skeleton

Colour = tuple[float, float, float]  # RGB in 0..1


@dataclass(frozen=True)
class Part:
    """A solid in body metres. Its `axes` (3, 3) have the half-extents as columns; a tube runs along the 2nd."""

    kind: str  # "ellipsoid", "tube" or "box"
    centre: np.ndarray  # of a tube: the middle of its base
    axes: np.ndarray
    colour: Colour
    taper: float = 1.0  # radius at a tube's top by radius at its base
    stripes: tuple[np.ndarray, float, Colour] | None = None  # direction (3,), period in metres, 2nd colour


@dataclass(frozen=True)
class View:
    """From body metres to canvas pixels: rotate, scale and shift. +z of the rotated body is to the viewer."""

    rotation: np.ndarray  # (3, 3)
    scale: float  # canvas pixels per metre
    x: float  # canvas pixel of the body's origin, which stands on the floor
    y: float
    distance: float  # metres from the camera

    def project(self, points: np.ndarray) -> np.ndarray:
        """Body points (N, 3) to (N, 3): x and y in canvas pixels, z in metres towards the viewer."""
        seen = points @ self.rotation.T
        xy = np.array([self.x, self.y]) + seen[:, :2] * (self.scale, -self.scale)
        return np.concatenate([xy, seen[:, 2:] - self.distance], axis=1)


class Canvas:
    """`rgb` (H, W, 3), `depth` (H, W) in metres towards the viewer, `owner` (H, W): -1 where nobody is."""

    def __init__(self, background: np.ndarray, light: np.ndarray):
        height, width, _ = background.shape
        self.rgb = background.astype(np.float32)
        self.depth = np.full((height, width), -np.inf, np.float32)
        self.owner = np.full((height, width), -1, np.int16)
        self.light = light / np.linalg.norm(light)

    def draw(self, part: Part, view: View, owner: int) -> None:
        """Paint the part's pixels that are nearer than what the canvas holds."""
        axes = view.rotation @ part.axes
        seen = view.rotation @ part.centre
        x, y, z = view.x + view.scale * seen[0], view.y - view.scale * seen[1], seen[2] - view.distance
        low, high = _extent(part, axes)
        height, width = self.depth.shape
        left, right = max(0, int(x + low[0] * view.scale)), min(width, int(x + high[0] * view.scale) + 2)
        top, bottom = max(0, int(y - high[1] * view.scale)), min(height, int(y - low[1] * view.scale) + 2)
        if left >= right or top >= bottom:
            return
        # Pixels in metres around the part's centre, where the polynomials below are well conditioned.
        xs = ((np.arange(left, right) - x) / view.scale).astype(np.float32)
        ys = ((y - np.arange(top, bottom)) / view.scale).astype(np.float32)
        inverse = (axes / (axes * axes).sum(0)).T  # the axes are orthogonal
        cast = _cast_box if part.kind == "box" else _cast_quadric
        for rows, cols, depth, forms in cast(part, inverse, xs, ys):
            at = (rows + top) * width + (cols + left)
            nearer = np.flatnonzero(depth + np.float32(z) > self.depth.ravel()[at])
            rows, cols, depth, at = rows[nearer], cols[nearer], depth[nearer], at[nearer]
            self.depth.ravel()[at] = depth + np.float32(z)
            self.owner.ravel()[at] = owner
            spot = np.stack([xs[cols], ys[rows], depth])
            colour = np.asarray(part.colour, np.float32)[:, None]
            if part.stripes:
                direction, period, second = part.stripes
                along = (view.rotation @ direction).astype(np.float32) @ spot + np.float32(part.centre @ direction)
                colour = np.where(along / period % 1 < 0.5, colour, np.asarray(second, np.float32)[:, None])
            # The gradient of the surface's equation, itself linear in the spot.
            normal = forms[:, :3].astype(np.float32) @ spot + forms[:, 3:].astype(np.float32)
            self.rgb.reshape(-1, 3)[at] = (colour * self._shade(normal)).T

    def _shade(self, normal: np.ndarray) -> np.ndarray:
        """Lambert's cosine wrapped around the terminator, a little darker where the surface turns away."""
        x, y, z = normal
        a, b, c = self.light.astype(np.float32)
        size = np.sqrt(x * x + y * y + z * z)
        lambert = np.maximum(a * x + b * y + c * z, -0.66 * size)
        return (0.70 + 0.37 * lambert / size) * (0.78 + 0.22 * z / size)


def _extent(part: Part, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the part's bounding box around its centre, metres."""
    if part.kind == "box":
        half = np.abs(axes).sum(1)
        return -half, half
    if part.kind == "ellipsoid":
        half = np.sqrt((axes**2).sum(1))
        return -half, half
    half, tip = np.sqrt(axes[:, 0] ** 2 + axes[:, 2] ** 2), axes[:, 1]
    return np.minimum(-half, tip - part.taper * half), np.maximum(half, tip + part.taper * half)


def _cast_quadric(part: Part, inverse: np.ndarray, xs: np.ndarray, ys: np.ndarray):
    """Rays along z on sum(sign * form**2) = -constant, each form linear in (x, y, z, 1).

    Yields rows, columns and depths of the hits, and the surface's gradient (3, 4) on (x, y, z, 1).
    """
    if part.kind == "ellipsoid":  # qx² + qy² + qz² = 1 in the part's own coordinates q
        forms, sign, constant = np.column_stack([inverse, np.zeros(3)]), np.array([1.0, 1.0, 1.0]), -1.0
    else:  # qx² + qz² = (1 + (taper - 1) qy)²
        k = part.taper - 1
        forms = np.column_stack([inverse[[0, 2, 1]] * [[1], [1], [k]], [0, 0, 1]])
        sign, constant = np.array([1.0, 1.0, -1.0]), 0.0
    flat, g = forms[:, [0, 1, 3]], forms[:, 2]  # a form is flat·(x, y, 1) + g z
    a = float(sign @ g**2)
    a = a if abs(a) > 1e-6 else 1e-6
    b = (sign * g) @ flat
    c = (flat.T * sign) @ flat
    c[2, 2] += constant
    d = (np.outer(b, b) - a * c).astype(np.float32)
    x, y = xs[None, :], ys[:, None]
    root = (d[1, 1] * y + 2 * d[1, 2]) * y + d[2, 2] + (2 * (d[0, 1] * y + d[0, 2]) + d[0, 0] * x) * x
    rows, cols = np.nonzero(root > 0)
    x, y, root = xs[cols], ys[rows], np.sqrt(root[rows, cols])
    b = (b[0] * x + b[1] * y + b[2]).astype(np.float32)
    z = ((root if a > 0 else -root) - b) / np.float32(a)
    if part.kind == "tube":
        t = (inverse[1, 0] * x + inverse[1, 1] * y).astype(np.float32)
        inside = np.abs(t + inverse[1, 2] * z - 0.5) <= 0.5
        if a < 0:  # looking into the tube: its nearer sheet may be cut off, and then the other one shows
            z = np.where(inside, z, (root - b) / np.float32(a))
            inside = np.abs(t + inverse[1, 2] * z - 0.5) <= 0.5
        rows, cols, x, y, z = rows[inside], cols[inside], x[inside], y[inside], z[inside]
    yield rows, cols, z, (forms[:, :3].T * sign) @ forms


def _cast_box(part: Part, inverse: np.ndarray, xs: np.ndarray, ys: np.ndarray):
    """The three faces of a box that look at the viewer."""
    x, y = xs[None, :], ys[:, None]
    for i in range(3):
        if abs(inverse[i, 2]) < 1e-6:
            continue
        side = np.sign(inverse[i, 2])
        z = (side - inverse[i, 0] * x - inverse[i, 1] * y) / inverse[i, 2]
        inside = np.ones(z.shape, bool)
        for j in {0, 1, 2} - {i}:
            inside &= np.abs(inverse[j, 0] * x + inverse[j, 1] * y + inverse[j, 2] * z) <= 1
        rows, cols = np.nonzero(inside)
        z = z[rows, cols].astype(np.float32)
        yield rows, cols, z, np.column_stack([np.zeros((3, 3)), side * inverse[i]])


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
    """The solids of a person. Girths are fractions of stature, near the means of adults' circumferences."""
    figure = _Figure(body, look)
    figure.torso()
    figure.head()
    for side, sign in SIDES:
        figure.arm(side)
        figure.leg(side, sign)
    return figure.parts


class _Figure:
    def __init__(self, body: Skeleton, look: Look):
        self.body, self.look, self.parts = body, look, []

    def egg(self, at: np.ndarray, frame: np.ndarray, half: tuple, colour: Colour, **more) -> None:
        axes = frame * (np.array(half) * self.body.stature)
        self.parts.append(Part("ellipsoid", at, axes, colour, **more))

    def ball(self, at: np.ndarray, radius: float, colour: Colour) -> None:
        self.egg(at, np.eye(3), (radius, radius, radius), colour)

    def tube(self, a: np.ndarray, b: np.ndarray, half: tuple, taper: float, frame, colour, **more) -> None:
        """From `a` to `b`; `half` is the base's half width and depth, along the frame's x and z."""
        along = b - a
        unit = along / np.linalg.norm(along)
        across = frame[:, 0] - unit * (frame[:, 0] @ unit)
        across /= np.linalg.norm(across)
        width, depth = np.array(half) * self.body.stature
        axes = np.stack([across * width, along, np.cross(across, unit) * depth], axis=1)
        self.parts.append(Part("tube", a, axes, colour, taper, **more))

    def limb(self, a: np.ndarray, b: np.ndarray, base: float, top: float, frame, colour: Colour) -> None:
        """A round tube that ends in a ball; the one that it starts from is drawn by whom it hangs on."""
        self.tube(a, b, (base, base), top / base, frame, colour)
        self.ball(b, top, colour)

    def torso(self) -> None:
        look, point, frame = self.look, self.body.points, self.body.frames
        w, h = look.build, self.body.stature
        pelvis, lumbar, thorax = frame["pelvis"], frame["lumbar"], frame["thorax"]
        cloth = {"colour": look.shirt}
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

        def feature(at: tuple, half: tuple, colour: Colour) -> None:
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
