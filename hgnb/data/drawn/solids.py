"""The solids that bodies and things are made of, and where a pixel's ray meets them. 01_dataset.

Ellipsoids, tapered tubes and boxes under a weak-perspective camera: the ray of a pixel runs along z and meets
each in closed form. Blinn, "Ray tracing in vector form" in SIGGRAPH courses (1984), describes the quadric.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

Colour = tuple[float, float, float]  # RGB in 0..1
Hit = tuple[int, np.ndarray, np.ndarray | None]  # surface, its depth (S, H, W), where that counts (None: everywhere)


class Part(NamedTuple):
    """A solid in body metres. Its `axes` (3, 3) have the half-extents as columns; a tube runs along the 2nd."""

    kind: str  # "ellipsoid", "tube" or "box"
    centre: np.ndarray  # of a tube: the middle of its base
    axes: np.ndarray
    colour: Colour
    taper: float = 1.0  # radius at a tube's top by radius at its base
    stripes: tuple[np.ndarray, float, Colour] | None = None  # direction (3,), period in metres, 2nd colour


class Solids:
    """P parts turned to the viewer: what their rays need, worked out for all of them at once.

    Rays run through canvas pixels; lengths along them are metres. Each part has one surface, or a box's three.
    """

    def __init__(self, parts: list[Part], rotation: np.ndarray):
        kinds = [part.kind for part in parts]
        self.tube, self.box = np.array([kind == "tube" for kind in kinds]), np.array([kind == "box" for kind in kinds])
        self.taper = np.array([part.taper for part in parts])
        self.axes = rotation @ np.stack([part.axes for part in parts])  # (P, 3, 3)
        # The axes are orthogonal.
        self.inverse = (self.axes / (self.axes * self.axes).sum(1, keepdims=True)).swapaxes(1, 2)
        self.root, self.plane, self.inward, self.gradients = _quadrics(self.inverse, self.taper, self.tube)

    def extents(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest x, y and z around each part's centre, (P, 3) each, metres."""
        reach = np.sqrt((self.axes**2).sum(2))
        reach[self.box] = np.abs(self.axes[self.box]).sum(2)
        low, high = -reach, reach.copy()
        base, tip = np.sqrt((self.axes[self.tube][..., ::2] ** 2).sum(2)), self.axes[self.tube][..., 1]
        top = self.taper[self.tube, None] * base
        low[self.tube], high[self.tube] = np.minimum(-base, tip - top), np.maximum(base, tip + top)
        return low, high

    def surfaces(self) -> tuple[np.ndarray, np.ndarray]:
        """Of all surfaces, the part (N,) and the gradient (N, 3, 4), linear in metres x, y, z from its centre and 1."""
        part = np.repeat(np.arange(len(self.box)), np.where(self.box, 3, 1))
        gradients = self.gradients[part]
        faces = self.inverse[self.box]  # (B, 3 faces, 3)
        constant = np.zeros((*faces.shape, 4))
        constant[..., 3] = np.sign(faces[..., 2:]) * faces
        gradients[self.box[part]] = constant.reshape(-1, 3, 4)
        return part, gradients


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
    return root, plane, a, gradient[:, :3]


class Rays:
    """Rays to all of P solids.

    They run through xs (P, S, 1, W) and ys (P, S, H, 1), metres from each part's centre, whose depths are z (P,).
    What depends on the column or on the row alone is worked out here, for all parts at once.
    """

    def __init__(self, solids: Solids, xs: np.ndarray, ys: np.ndarray, z: np.ndarray):
        self.inverse = solids.inverse
        coefficients = solids.root.transpose(1, 2, 0), solids.plane.T, self.inverse[:, 1].T, z
        d, b, form, z = (values.astype(np.float32)[..., None, None, None] for values in coefficients)
        self.xs, self.ys, self.z = xs, ys, z.ravel().tolist()
        self.square, self.slope = d[0, 0] * xs * xs, 2 * (d[0, 1] * ys + d[0, 2])
        self.rest = (d[1, 1] * ys + 2 * d[1, 2]) * ys + d[2, 2]
        self.across, self.down = b[0] * xs + (b[2] + z), b[1] * ys
        self.along, self.lengthwise = form[0] * xs - (0.5 + form[2] * z), form[1] * ys
        self.kinds = np.where(solids.box, "box", np.where(solids.tube, "tube", "ellipsoid")).tolist()
        self.inward, self.deep = (solids.inward < 0).tolist(), self.inverse[:, 1, 2].tolist()

    def cast(self, at: int, cols: slice, rows: slice) -> Iterator[Hit]:
        """The rays of these columns and rows to the part at `at`; its surfaces are counted from its first."""
        if self.kinds[at] == "box":
            xs, ys = self.xs[at, :, :, cols], self.ys[at, :, rows]
            return _cast_box(self.inverse[at].tolist(), xs, ys, self.z[at])
        if self.kinds[at] == "tube":
            return self._cast_tube(at, cols, rows)
        return self._cast_ellipsoid(at, cols, rows)

    def _reach(self, at: int, cols: slice, rows: slice) -> np.ndarray:
        """How far the surface is from the middle of the solid; NaN where a ray misses."""
        root = self.slope[at, :, rows] * self.xs[at, :, :, cols]
        root += self.square[at, :, :, cols]
        root += self.rest[at, :, rows]
        return np.sqrt(root, out=root)

    def _cast_ellipsoid(self, at: int, cols: slice, rows: slice) -> Iterator[Hit]:
        depth = self._reach(at, cols, rows)
        depth += self.across[at, :, :, cols]
        depth += self.down[at, :, rows]
        yield 0, depth, None

    def _cast_tube(self, at: int, cols: slice, rows: slice) -> Iterator[Hit]:
        reach, across, down = self._reach(at, cols, rows), self.across[at, :, :, cols], self.down[at, :, rows]
        for add in (np.add, np.subtract) if self.inward[at] else (np.add,):
            # Looking into the tube: its nearer sheet may be cut off, and then the other one shows.
            depth = add(across, reach)
            depth += down
            t = depth * self.deep[at]
            t += self.along[at, :, :, cols]
            t += self.lengthwise[at, :, rows]
            yield 0, depth, np.abs(t, out=t) <= 0.5


def _cast_box(inverse: list, xs: np.ndarray, ys: np.ndarray, z: float) -> Iterator[Hit]:
    """The three faces of a box that look at the viewer, whose centre is at `z`."""
    for i, (along, down, deep) in enumerate(inverse):
        if abs(deep) < 1e-6:
            continue
        depth = (np.sign(deep) - along * xs) / deep + (z - down / deep * ys)
        inside = np.ones(depth.shape, bool)
        for j in {0, 1, 2} - {i}:
            t = depth * inverse[j][2]
            t += inverse[j][0] * xs - inverse[j][2] * z
            t += inverse[j][1] * ys
            inside &= np.abs(t, out=t) <= 1
        yield i, depth, inside
