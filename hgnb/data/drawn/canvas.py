"""Drawing solids on a canvas that remembers the depth and the surface of every pixel. 01_dataset.

The nearest surface wins, so that no sorting is needed and hidden joints are known exactly. Colours are found
once, at the end, for the surfaces that won.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hgnb.data.drawn.solids import Part, Rays, Solids

# Where a pixel is asked, (S, 2) as x and y from its centre: no two in one row or column, so that three give an
# upright or level edge four shades, of which a grid of four has three.
SAMPLES = np.array([(-1, 0), (0, 1), (1, -1)]) / 3
Window = tuple[slice, slice]  # rows and columns


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
        # A block twice as long as needed, whose rest nobody touches: the C library gives smaller ones back to the
        # system after every picture, and getting them again costs a tenth of the time.
        shape = len(SAMPLES), height, width
        memory = np.empty((2, 6, np.prod(shape)), np.uint8)[0]
        self.depth = memory[:4].reshape(-1).view(np.float32).reshape(shape)
        self.surface = memory[4:].reshape(-1).view(np.int16).reshape(shape)
        self.depth.fill(-np.inf)
        self.surface.fill(-1)
        self.light = light / np.linalg.norm(light)
        self._paints: list[tuple] = []  # per drawing: its surfaces' gradients, stripes and two colours
        self._numbers: list[tuple[int, int, int]] = []  # per drawing: its first surface, how many, whose
        self._spans: dict[int, list[int]] = {}  # per owner: left, top, right, bottom of all that was drawn

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

    def mask(self, owners: list[int]) -> tuple[np.ndarray, Window]:
        """The pixels of which these owners together hold more than half, in a window that has all of them."""
        window = self._span(owners)
        surface = self.surface[:, *window]
        held = np.zeros(surface.shape, bool)
        for first, count, owner in self._numbers:
            if owner in owners:
                held |= (surface >= first) & (surface < first + count)
        return 2 * held.view(np.uint8).sum(0, dtype=np.uint8) > len(SAMPLES), window

    def _span(self, owners: Iterable[int]) -> Window:
        """Rows and columns that hold what these owners drew."""
        spans: list = [self._spans[owner] for owner in owners if owner in self._spans] or [(0, 0, 0, 0)]
        left, top = (min(span[at] for span in spans) for at in (0, 1))
        right, bottom = (max(low, *(span[at] for span in spans)) for at, low in ((2, left), (3, top)))
        return slice(top, bottom), slice(left, right)

    def draw(self, parts: list[Part], view: View, owner: int = -1) -> None:
        """Put the parts' pixels on the canvas where they are nearer than what it holds."""
        solids, centres = Solids(parts, view.rotation), view.project(np.stack([part.centre for part in parts]))
        boxes = self._boxes(solids, centres, view.scale)
        span = [*np.min(boxes, 0)[:2].tolist(), *np.max(boxes, 0)[2:].tolist()]
        known = self._spans.get(owner, span)
        self._spans[owner] = [*map(min, span[:2], known[:2]), *map(max, span[2:], known[2:])]
        part, gradients = solids.surfaces()
        drawn = sum(count for _, count, _ in self._numbers)
        first = (drawn + np.searchsorted(part, np.arange(len(parts)))).tolist()
        self._paints.append(_paints(parts, part, gradients, centres, view))
        self._numbers.append((drawn, len(part), owner))
        # Samples in metres around the parts' centres, where the polynomials are well conditioned.
        x0, y0, x1, y1 = span
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
        window = self._span(self._spans)
        surface = self.surface[:, *window]
        same = np.logical_and.reduce(surface[1:] == surface[0])
        plain = np.append(~self._table(1).any(1), True)
        inside = self._flat(same & (surface[0] >= 0), window)
        whole = plain.take(self.surface[0].ravel()[inside])
        mixed = np.concatenate([self._flat(~same, window), inside[~whole]])
        for pixels, samples in ((inside[whole], 1), (mixed, len(SAMPLES))):
            self._lay(picture.reshape(3, -1), pixels, samples)

    def _flat(self, where: np.ndarray, window: Window) -> np.ndarray:
        """Positions in a flat picture of where a mask of the window is true."""
        rows, cols = np.divmod(np.flatnonzero(where), where.shape[1])
        return (rows + window[0].start) * self.depth.shape[2] + cols + window[1].start

    def _lay(self, picture: np.ndarray, pixels: np.ndarray, samples: int) -> None:
        """Colours into `picture` (3, N) at flat `pixels`, the mean of their first samples."""
        rows, cols = np.divmod(pixels, self.depth.shape[2])
        depth, surface = (
            np.stack([kept.ravel().take(pixels, mode="clip") for kept in field[:samples]])
            for field in (self.depth, self.surface)
        )
        x, y = (
            np.add.outer(SAMPLES[:samples, at], place).astype(np.float32).ravel()
            for at, place in enumerate((cols, rows))
        )
        with np.errstate(invalid="ignore"):  # where no surface is, the depth is infinite
            colours = self._colours(surface.ravel(), x, y, depth.ravel())
        for plane, colour in zip(picture, colours.reshape(3, samples, -1), strict=True):
            plane[pixels] = colour[0] if samples == 1 else np.where(surface >= 0, colour, plane[pixels]).mean(0)

    def _colours(self, surface: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Shaded colours (3, N) of points on the surfaces; of no meaning where there is none."""
        gradients, stripes, first, second = (self._table(column) for column in range(4))
        surface = surface.astype(np.intp)  # as `take` wants them; -1 is clipped

        def of(table: Any) -> np.ndarray:
            return table.take(surface, mode="clip")

        normal = []
        for a, b, c, d in gradients.reshape(-1, 12).T.copy().reshape(3, 4, -1):
            along = of(a) * x
            along += of(b) * y
            along += of(c) * z
            along += of(d)
            normal.append(along)
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
