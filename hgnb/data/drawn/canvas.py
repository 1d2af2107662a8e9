"""Drawing solids on a canvas that remembers the depth and the surface of every pixel. 01_dataset.

Bodies and things are ellipsoids, tapered tubes and boxes under a weak-perspective camera: the ray of a pixel runs along
z and meets each in closed form. Blinn, "Ray tracing in vector form" in SIGGRAPH courses (1984), describes the quadric.
The nearest surface wins, so that no sorting is needed and hidden joints are known exactly. Colours are found
once, at the end, for the surfaces that won.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

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
        self.box, self.tube = solids.box.tolist(), solids.tube.tolist()
        self.inward, self.deep = (solids.inward < 0).tolist(), self.inverse[:, 1, 2].tolist()

    def cast(self, at: int, cols: slice, rows: slice) -> Iterator[Hit]:
        """The rays of these columns and rows to the part at `at`; its surfaces are counted from its first."""
        wide, tall = np.s_[at, :, :, cols], np.s_[at, :, rows]
        if self.box[at]:
            yield from _cast_box(self.inverse[at].tolist(), self.xs[wide], self.ys[tall], self.z[at])
            return
        # how far the surface is from the middle of the solid; NaN where a ray misses
        reach = np.sqrt(self.slope[tall] * self.xs[wide] + self.square[wide] + self.rest[tall])
        # Looking into a tube: its nearer sheet may be cut off, and then the other one shows.
        for side in (np.add, np.subtract) if self.tube[at] and self.inward[at] else (np.add,):
            depth = side(self.across[wide], reach) + self.down[tall]
            length = depth * self.deep[at] + self.along[wide] + self.lengthwise[tall] if self.tube[at] else None
            yield 0, depth, None if length is None else np.abs(length) <= 0.5


def _cast_box(inverse: list, xs: np.ndarray, ys: np.ndarray, z: float) -> Iterator[Hit]:
    """The three faces of a box that look at the viewer, whose centre is at `z`."""
    for i, (along, down, deep) in enumerate(inverse):
        if abs(deep) < 1e-6:
            continue
        depth = (np.sign(deep) - along * xs) / deep + (z - down / deep * ys)
        inside = np.ones(depth.shape, bool)
        for x, y, t in (row for j, row in enumerate(inverse) if j != i):
            inside &= np.abs(depth * t + (x * xs - t * z) + y * ys) <= 1
        yield i, depth, inside


# Where a pixel is asked, (S, 2) as x and y from its centre: no two in one row or column, so that three give an
# upright or level edge four shades, of which a grid of four has three.
SAMPLES = np.array([(-1, 0), (0, 1), (1, -1)]) / 3


@dataclass(frozen=True)
class View:
    """From body metres to pixels: rotate, scale and shift. +z of the rotated body is to the viewer."""

    rotation: np.ndarray  # (3, 3)
    scale: float  # pixels per metre
    x: float  # pixel of the body's origin, which stands on the floor
    y: float
    distance: float  # metres from the camera

    def project(self, points: np.ndarray) -> np.ndarray:
        """Body points (N, 3) to (N, 3): x and y in pixels, z in metres towards the viewer."""
        seen = points @ self.rotation.T
        return seen * (self.scale, -self.scale, 1.0) + (self.x, self.y, -self.distance)


class Canvas:
    """`depth` (S, H, W) in metres towards the viewer; `surface` (S, H, W) numbers those drawn, -1 for none."""

    def __init__(self, width: int, height: int, light: np.ndarray):
        shape = len(SAMPLES), height, width
        self.depth, self.surface = np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int16)
        self.light = light / np.linalg.norm(light)
        self._paints: list[tuple] = []  # per drawing: its surfaces' gradients, stripes and two colours
        self._numbers: list[tuple[int, int, int]] = []  # per drawing: its first surface, how many, whose

    def _table(self, column: int) -> np.ndarray:
        return np.concatenate([paint[column] for paint in self._paints], dtype=np.float32, casting="same_kind")

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Depth and owner, (N,) each, where the picture was asked nearest to points (N, 2); -1 where nobody is."""
        height, width = self.depth.shape[1:]
        cells = np.clip(np.round(points), 0, (width - 1, height - 1)).astype(int)
        sample = np.square((points - cells)[:, None] - SAMPLES).sum(2).argmin(1)
        spot = sample, cells[:, 1], cells[:, 0]
        _, counts, owners = zip(*self._numbers, strict=True)
        return self.depth[spot], np.append(np.repeat(owners, counts), -1)[self.surface[spot]]

    def mask(self, owners: list[int]) -> np.ndarray:
        """The pixels (H, W) of which these owners together hold more than half."""
        held = np.zeros(self.surface.shape, bool)
        for first, count, owner in self._numbers:
            if owner in owners:
                held |= (self.surface >= first) & (self.surface < first + count)
        return 2 * held.view(np.uint8).sum(0, dtype=np.uint8) > len(SAMPLES)

    def draw(self, parts: list[Part], view: View, owner: int = -1) -> None:
        """Put the parts' pixels on the canvas where they are nearer than what it holds."""
        solids, centres = Solids(parts, view.rotation), view.project(np.stack([part.centre for part in parts]))
        boxes = self._boxes(solids, centres, view.scale)
        part, gradients = solids.surfaces()
        drawn = sum(count for _, count, _ in self._numbers)
        first = (drawn + np.searchsorted(part, np.arange(len(parts)))).tolist()
        self._paints.append(_paints(parts, part, gradients, centres, view))
        self._numbers.append((drawn, len(part), owner))
        # Samples in metres around the parts' centres, where the polynomials are well conditioned.
        (x0, y0), (x1, y1) = np.min(boxes, 0)[:2].tolist(), np.max(boxes, 0)[2:].tolist()
        xs = (np.arange(x0, x1) + SAMPLES[:, :1] - centres[:, 0, None, None]) / view.scale
        ys = (centres[:, 1, None, None] - np.arange(y0, y1) - SAMPLES[:, 1:]) / view.scale
        rays = Rays(solids, xs.astype(np.float32)[:, :, None], ys.astype(np.float32)[..., None], centres[:, 2])
        with np.errstate(invalid="ignore"):  # a root below 0 is NaN, and NaN is nearer than nothing
            for at, (left, top, right, bottom) in enumerate(boxes.tolist()):
                if left >= right or top >= bottom:
                    continue
                held, numbers = (kept[:, top:bottom, left:right] for kept in (self.depth, self.surface))
                cols, rows = slice(left - x0, right - x0), slice(top - y0, bottom - y0)
                for surface, depth, inside in rays.cast(at, cols, rows):
                    nearer = depth > held
                    if inside is not None:
                        nearer &= inside
                    np.copyto(held, depth, where=nearer)
                    np.copyto(numbers, first[at] + surface, where=nearer)

    def _boxes(self, solids: Solids, centres: np.ndarray, scale: float) -> np.ndarray:
        """Left, top, right and bottom (P, 4) of the pixels with a sample that may hit a part; ends are open."""
        height, width = self.depth.shape[1:]
        low, high = (scale * extent for extent in solids.extents())
        x, y, _ = centres.T
        reach = np.abs(SAMPLES).max()
        nearest = np.stack([x + low[:, 0], y - high[:, 1]], 1) - reach
        farthest = np.stack([x + high[:, 0], y - low[:, 1]], 1) + reach
        boxes = np.hstack([np.ceil(nearest), np.floor(farthest) + 1])
        return np.clip(boxes, 0, [width, height, width, height]).astype(int)

    def paint(self, picture: np.ndarray) -> None:
        """Lay the drawing, averaged over the samples, over `picture` (3, H, W).

        Where one surface fills a pixel, its colours change little: the first sample speaks for all.
        """
        if not self._paints:
            return
        same = np.logical_and.reduce(self.surface[1:] == self.surface[0])
        inside = np.flatnonzero(same & (self.surface[0] >= 0))
        plain = np.append(~self._table(1).any(1), True)
        whole = plain.take(self.surface[0].ravel()[inside])
        mixed = np.concatenate([np.flatnonzero(~same), inside[~whole]])
        for pixels, samples in ((inside[whole], 1), (mixed, len(SAMPLES))):
            self._lay(picture.reshape(3, -1), pixels, samples)

    def _lay(self, picture: np.ndarray, pixels: np.ndarray, samples: int) -> None:
        """Colours into `picture` (3, N) at flat `pixels`, the mean of their first samples."""
        rows, cols = np.divmod(pixels, self.depth.shape[2])
        depth, surface = (field[:samples].reshape(samples, -1)[:, pixels] for field in (self.depth, self.surface))
        x, y = (np.add.outer(at, place).ravel() for at, place in zip(SAMPLES[:samples].T, (cols, rows), strict=True))
        with np.errstate(invalid="ignore"):  # where no surface is, the depth is infinite
            colours = self._colours(surface.ravel(), x.astype(np.float32), y.astype(np.float32), depth.ravel())
        for plane, colour in zip(picture, colours.reshape(3, samples, -1), strict=True):
            plane[pixels] = colour[0] if samples == 1 else np.where(surface >= 0, colour, plane[pixels]).mean(0)

    def _colours(self, surface: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Shaded colours (3, N) of points on the surfaces; of no meaning where there is none."""
        gradients, stripes, first, second = (self._table(column) for column in range(4))
        surface = surface.astype(np.intp)  # as `take` wants them; -1 is clipped

        def of(table: Any) -> np.ndarray:
            return table.take(surface, mode="clip")

        planes = gradients.reshape(-1, 12).T.copy().reshape(3, 4, -1)
        normal = [of(a) * x + of(b) * y + of(c) * z + of(d) for a, b, c, d in planes]
        colours = np.stack([of(plane) for plane in first.T.copy()])
        striped = stripes.any(1)
        if striped.any():
            which = np.flatnonzero(of(striped))
            a, b, c, d = stripes[surface[which]].T
            which = which[(a * x[which] + b * y[which] + c * z[which] + d) % 1 >= 0.5]
            colours[:, which] = second[surface[which]].T
        colours *= _shade(normal, self.light.astype(np.float32))
        return colours


def _shade(normal: list[np.ndarray], light: np.ndarray) -> np.ndarray:
    """Lambert's cosine wrapped around the terminator, a little darker where the surface turns away."""
    x, y, z = normal
    size = np.sqrt(x * x + y * y + z * z)
    lambert = np.maximum((light[0] * x + light[1] * y + light[2] * z) / size, np.float32(-0.66))
    return (0.70 + 0.37 * lambert) * (0.78 + 0.22 * (z / size))


def _paints(parts: list[Part], part: np.ndarray, gradients: np.ndarray, centres, view: View) -> tuple:
    """Of N surfaces: gradients (N, 3, 4) and stripes (N, 4), linear in column, row, depth and 1; two colours."""
    metres = np.zeros((len(parts), 3, 4))  # from a part's centre
    metres[:, (0, 1, 2), (0, 1, 2)] = 1 / view.scale, -1 / view.scale, 1
    metres[..., 3] = centres * (-1 / view.scale, 1 / view.scale, -1)
    turned = gradients[..., :3] @ metres[part]
    turned[..., 3] += gradients[..., 3]
    stripes, second = np.zeros((len(parts), 4)), [one.colour for one in parts]
    for at, one in enumerate(parts):
        if one.stripes:
            direction, period, second[at] = one.stripes
            stripes[at] = ((view.rotation @ direction) @ metres[at] + (0, 0, 0, one.centre @ direction)) / period
    first = np.array([one.colour for one in parts])
    return turned, stripes[part], first[part], np.array(second)[part]
