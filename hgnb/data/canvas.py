"""Drawing solids on a canvas that remembers the depth and the surface of every pixel. 01_dataset.

The nearest surface wins, so that no sorting is needed and hidden joints are known exactly. Colours are found
once, at the end, for the surfaces that won.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hgnb.data.solids import Part, Solids

OVERSAMPLING = 2  # canvas pixels per image pixel along a side


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
        return seen * (self.scale, -self.scale, 1.0) + (self.x, self.y, -self.distance)


class Canvas:
    """`depth` (H, W) in metres towards the viewer; `surface` (H, W) numbers the surfaces drawn, -1 for none."""

    def __init__(self, width: int, height: int, light: np.ndarray):
        self.depth = np.full((height, width), -np.inf, np.float32)
        self.surface = np.full((height, width), -1, np.int16)
        self.light = light / np.linalg.norm(light)
        self._paints: list[tuple] = []  # per surface: gradient, stripe, two colours, owner
        self._spans: dict[int, list[int]] = {}  # per owner: left, top, right, bottom of all that was drawn

    def owners(self, rows=slice(None), cols=slice(None)) -> np.ndarray:
        """Whose the pixels are; -1 where nobody is, and on things."""
        return np.array([*(owner for *_, owner in self._paints), -1])[self.surface[rows, cols]]

    def mask(self, owners: list[int]) -> np.ndarray:
        """Image pixels (h, w) of which these owners together hold at least half."""
        n = OVERSAMPLING
        mask = np.zeros([side // n for side in self.depth.shape], bool)
        window, canvas_window = self._span(owners)
        held = np.array([*(owner in owners for *_, owner in self._paints), False])[self.surface[canvas_window]]
        cells = sum(held[row::n, col::n].view(np.uint8) for row in range(n) for col in range(n))
        mask[window] = 2 * cells >= n * n
        return mask

    def _span(self, owners: Iterable[int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Rows and columns that hold what these owners drew: in the image and on the canvas."""
        n, spans = OVERSAMPLING, [self._spans[owner] for owner in owners if owner in self._spans] or [(0, 0, 0, 0)]
        left, top = (min(span[at] for span in spans) // n for at in (0, 1))
        right, bottom = (max(-(-max(span[at] for span in spans) // n), low) for at, low in ((2, left), (3, top)))
        return (slice(top, bottom), slice(left, right)), (slice(top * n, bottom * n), slice(left * n, right * n))

    def draw(self, parts: list[Part], view: View, owner: int = -1) -> None:
        """Put the parts' pixels on the canvas where they are nearer than what it holds."""
        height, width = self.depth.shape
        solids, centres = Solids(parts, view.rotation), view.project(np.stack([part.centre for part in parts]))
        low, high = (view.scale * extent for extent in solids.extents())
        x, y, _ = centres.T
        boxes = np.stack([x + low[:, 0], y - high[:, 1], x + high[:, 0] + 2, y - low[:, 1] + 2], 1)
        boxes = np.clip(boxes, 0, [width, height, width, height]).astype(int).tolist()
        span = [*np.min(boxes, 0)[:2].tolist(), *np.max(boxes, 0)[2:].tolist()]
        known = self._spans.get(owner, span)
        self._spans[owner] = [*map(min, span[:2], known[:2]), *map(max, span[2:], known[2:])]
        with np.errstate(invalid="ignore"):  # a root below 0 is NaN, and NaN is nearer than nothing
            for at, (part, (x, y, z), box) in enumerate(zip(parts, centres, boxes, strict=True)):
                left, top, right, bottom = box
                if left >= right or top >= bottom:
                    continue
                # Pixels in metres around the part's centre, where the polynomials are well conditioned.
                xs = ((np.arange(left, right) - x) / view.scale).astype(np.float32)
                ys = ((y - np.arange(top, bottom)) / view.scale).astype(np.float32)[:, None]
                window = slice(top, bottom), slice(left, right)
                for depth, inside, gradient in solids.cast(at, xs, ys):
                    depth += np.float32(z)
                    nearer = depth > self.depth[window]
                    if inside is not None:
                        nearer &= inside
                    np.copyto(self.depth[window], depth, where=nearer)
                    np.copyto(self.surface[window], len(self._paints), where=nearer)
                    self._paints.append((*_paint(part, gradient, (x, y, z), view), owner))

    def paint(self, picture: np.ndarray) -> None:
        """Lay the drawing, averaged down, over `picture` (3, h, w) in 0..1."""
        if not self._paints:
            return
        n, (window, area) = OVERSAMPLING, self._span(self._spans)
        picture, corners = picture[:, *window], self.surface[area]
        corners = [corners[row::n, col::n] for row in range(n) for col in range(n)]
        striped = np.array([*(stripe is not None for _, stripe, *_ in self._paints), False])
        whole = np.logical_and.reduce([corner == corners[0] for corner in corners[1:]])
        if striped.any():
            whole &= ~striped[corners[0]]
        self._paint_whole(picture, area, *np.nonzero(whole & (corners[0] >= 0)))
        self._paint_mixed(picture, area, *np.nonzero(~whole))

    def _paint_whole(self, picture: np.ndarray, area: tuple, rows: np.ndarray, cols: np.ndarray) -> None:
        """Where one surface fills an image pixel, its colours change little: the middle speaks for them."""
        n, (down, right) = OVERSAMPLING, area
        depth, middle = self.depth[area], np.float32((n - 1) / 2)
        z = (depth[n * rows, n * cols] + depth[n * rows + n - 1, n * cols + n - 1]) / 2
        spot = n * cols + middle + right.start, n * rows + middle + down.start, z
        picture[:, rows, cols] = self._colours(self.surface[area][n * rows, n * cols], *spot)

    def _paint_mixed(self, picture: np.ndarray, area: tuple, rows: np.ndarray, cols: np.ndarray) -> None:
        """Elsewhere every canvas pixel is asked."""
        n, (down, right) = OVERSAMPLING, area
        y = (n * rows + np.arange(n).repeat(n)[:, None]).ravel() + down.start
        x = (n * cols + np.tile(np.arange(n), n)[:, None]).ravel() + right.start
        surface = self.surface[y, x]
        with np.errstate(invalid="ignore"):  # where no surface is, the depth is infinite
            colours = self._colours(surface, x, y, self.depth[y, x]).reshape(3, n * n, -1)
        held = surface.reshape(n * n, -1) >= 0
        picture[:, rows, cols] = np.where(held, colours, picture[:, None, rows, cols]).mean(1)

    def _colours(self, surface: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Shaded colours (3, N) of canvas pixels; of no meaning where there is no surface."""
        gradients, stripes, first, second, _ = zip(*self._paints, strict=True)
        x, y = x.astype(np.float32), y.astype(np.float32)
        table = np.array(gradients, np.float32).reshape(-1, 12).T.copy()  # (12, surfaces)
        normal = []
        for a, b, c, d in table.reshape(3, 4, -1):
            along = a[surface] * x
            along += b[surface] * y
            along += c[surface] * z
            along += d[surface]
            normal.append(along)
        colours = np.array(first, np.float32).T.copy()[:, surface]
        striped = np.array([stripe is not None for stripe in stripes])
        if striped.any():
            which = np.flatnonzero(striped[surface])
            table = np.array([(0, 0, 0, 0) if stripe is None else stripe for stripe in stripes], np.float32)
            a, b, c, d = table[surface[which]].T
            which = which[(a * x[which] + b * y[which] + c * z[which] + d) % 1 >= 0.5]
            colours[:, which] = np.array(second, np.float32).T[:, surface[which]]
        colours *= _shade(normal, self.light.astype(np.float32))
        return colours


def _shade(normal: list[np.ndarray], light: np.ndarray) -> np.ndarray:
    """Lambert's cosine wrapped around the terminator, a little darker where the surface turns away."""
    x, y, z = normal
    size = np.sqrt(x * x + y * y + z * z)
    lambert = np.maximum((light[0] * x + light[1] * y + light[2] * z) / size, np.float32(-0.66))
    return (0.70 + 0.37 * lambert) * (0.78 + 0.22 * (z / size))


def _paint(part: Part, gradient: np.ndarray, centre: tuple, view: View) -> tuple:
    """A surface's gradient (3, 4) and stripes (4,), both linear in canvas pixel, row, depth and 1; two colours."""
    x, y, z = centre
    metres = np.array([[1, 0, 0, -x], [0, -1, 0, y], [0, 0, view.scale, -z * view.scale]]) / view.scale
    gradient = gradient[:, :3] @ metres + gradient[:, 3:] * (0, 0, 0, 1)
    if not part.stripes:
        return gradient, None, part.colour, part.colour
    direction, period, second = part.stripes
    along = (view.rotation @ direction) @ metres + (0, 0, 0, part.centre @ direction)
    return gradient, along / period, part.colour, second
