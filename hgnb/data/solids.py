"""The solids that bodies and things are made of, and where a pixel's ray meets them. 01_dataset.

Ellipsoids, tapered tubes and boxes under a weak-perspective camera: the ray of a pixel runs along z and meets
each in closed form. Blinn, "Ray tracing in vector form" in SIGGRAPH courses (1984), describes the quadric.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]  # RGB in 0..1
Hit = tuple[np.ndarray, np.ndarray | None, np.ndarray]  # depth (H, W), where it counts (None: all), gradient (3, 4)


@dataclass(frozen=True)
class Part:
    """A solid in body metres. Its `axes` (3, 3) have the half-extents as columns; a tube runs along the 2nd."""

    kind: str  # "ellipsoid", "tube" or "box"
    centre: np.ndarray  # of a tube: the middle of its base
    axes: np.ndarray
    colour: Colour
    taper: float = 1.0  # radius at a tube's top by radius at its base
    stripes: tuple[np.ndarray, float, Colour] | None = None  # direction (3,), period in metres, 2nd colour


class Solids:
    """P parts turned to the viewer: what their rays need, worked out for all of them at once."""

    def __init__(self, parts: list[Part], rotation: np.ndarray):
        kinds = [part.kind for part in parts]
        self.tube, self.box = np.array([kind == "tube" for kind in kinds]), np.array([kind == "box" for kind in kinds])
        self.taper = np.array([part.taper for part in parts])
        self.axes = rotation @ np.stack([part.axes for part in parts])  # (P, 3, 3)
        # The axes are orthogonal.
        self.inverse = (self.axes / (self.axes * self.axes).sum(1, keepdims=True)).swapaxes(1, 2)
        self.quadrics = list(zip(*_quadrics(self.inverse, self.taper, self.tube), strict=True))

    def extents(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest x, y and z around each part's centre, (P, 3) each, metres."""
        reach = np.sqrt((self.axes**2).sum(2))
        reach[self.box] = np.abs(self.axes[self.box]).sum(2)
        low, high = -reach, reach.copy()
        base, tip = np.sqrt((self.axes[self.tube][..., ::2] ** 2).sum(2)), self.axes[self.tube][..., 1]
        top = self.taper[self.tube, None] * base
        low[self.tube], high[self.tube] = np.minimum(-base, tip - top), np.maximum(base, tip + top)
        return low, high

    def cast(self, at: int, xs: np.ndarray, ys: np.ndarray) -> Iterator[Hit]:
        """Rays through xs (W,) and ys (H, 1), metres from the centre of the part at `at`, to its surfaces."""
        if self.box[at]:
            return _cast_box(self.inverse[at], xs, ys)
        return _cast_quadric(*self.quadrics[at], self.inverse[at, 1] if self.tube[at] else None, xs, ys)


def _quadrics(inverse: np.ndarray, taper: np.ndarray, tube: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rays along z on sum(sign * form**2) = -constant, each form linear in (x, y, z, 1); for all P parts at once.

    An ellipsoid is qx² + qy² + qz² = 1 in the part's own coordinates q, a tube qx² + qz² = (1 + (taper - 1) qy)².
    The surface is z = plane·(x, y, 1) ± sqrt((x, y, 1)·root·(x, y, 1)). Returns root (P, 3, 3), plane (P, 3),
    a (P,), below 0 where one looks into a tube, and the surface's gradient (P, 3, 4) on (x, y, z, 1).
    """
    forms = np.zeros((len(inverse), 3, 4))
    forms[..., :3] = np.where(tube[:, None, None], inverse[:, [0, 2, 1]], inverse)
    forms[:, 2, :3] *= np.where(tube, taper - 1, 1.0)[:, None]
    forms[:, 2, 3] = tube
    signed = forms * np.where(tube[:, None], [1.0, 1.0, -1.0], 1.0)[..., None]
    gradient = signed.swapaxes(1, 2) @ forms  # (P, 4, 4)
    gradient[:, 3, 3] -= ~tube
    a, b, c = gradient[:, 2, 2], gradient[:, 2][:, [0, 1, 3]], gradient[:, [0, 1, 3]][:, :, [0, 1, 3]]
    a = np.where(np.abs(a) > 1e-6, a, 1e-6)
    root = b[:, :, None] * b[:, None] - a[:, None, None] * c
    root, plane = root / (a * a)[:, None, None], -b / a[:, None]
    return root.astype(np.float32), plane.astype(np.float32), a, gradient[:, :3]


def _cast_quadric(d, b, a: float, gradient, length, xs: np.ndarray, ys: np.ndarray) -> Iterator[Hit]:
    """A quadric's sheets; NaN where a ray misses. `length` (3,): of a tube, the form that is 0..1 along it."""
    root = (2 * d[0, 1] * ys + 2 * d[0, 2]) * xs
    root += d[0, 0] * xs * xs
    root += (d[1, 1] * ys + 2 * d[1, 2]) * ys + d[2, 2]
    np.sqrt(root, out=root)
    across, down = b[0] * xs + b[2], b[1] * ys
    depth = root + across
    depth += down
    if length is None:
        yield depth, None, gradient
        return
    i, j, k = (np.float32(value) for value in length)

    def inside(depth: np.ndarray) -> np.ndarray:
        t = depth * k
        t += i * xs - np.float32(0.5)
        t += j * ys
        return np.abs(t, out=t) <= 0.5

    yield depth, inside(depth), gradient
    if a < 0:  # looking into the tube: its nearer sheet may be cut off, and then the other one shows
        depth = across - root
        depth += down
        yield depth, inside(depth), gradient


def _cast_box(inverse: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> Iterator[Hit]:
    """The three faces of a box that look at the viewer; as `_cast_quadric`."""
    inverse = inverse.astype(np.float32)
    for i in range(3):
        if abs(inverse[i, 2]) < 1e-6:
            continue
        side = np.sign(inverse[i, 2])
        z = (side - inverse[i, 0] * xs) / inverse[i, 2] - inverse[i, 1] / inverse[i, 2] * ys
        inside = np.ones(z.shape, bool)
        for j in {0, 1, 2} - {i}:
            t = z * inverse[j, 2]
            t += inverse[j, 0] * xs
            t += inverse[j, 1] * ys
            inside &= np.abs(t, out=t) <= 1
        yield z, inside, np.column_stack([np.zeros((3, 3)), side * inverse[i]])
