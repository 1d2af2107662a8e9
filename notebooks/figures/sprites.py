"""Many small square pictures in one file: what the interactive parts of a page draw from. figures.live."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

WEBP = "image/webp"
LONGEST = 16383  # pixels of a side that WebP can hold


@dataclass(frozen=True)
class Sprites:
    """Pictures of one kind, row after row in a sheet of `columns` cells, each `cell` pixels square."""

    name: str  # what a reader reads under each of them
    cell: int
    columns: int
    count: int
    webp: bytes

    @classmethod
    def of(cls, name: str, pictures: Sequence[np.ndarray], cell: int, quality: int = 70) -> "Sprites":
        """A sheet of pictures, each (h, h, 3) as `square` takes them; ValueError for none, or more than WebP holds."""
        if not pictures:
            raise ValueError(f"there are no pictures for the sheet '{name}'")
        columns = int(np.ceil(np.sqrt(len(pictures))))
        if columns * cell > LONGEST:
            raise ValueError(f"{len(pictures)} pictures of {cell} pixels are more than one WebP holds")
        rows = -(-len(pictures) // columns)
        sheet = Image.new("RGB", (columns * cell, rows * cell), "white")
        for i, picture in enumerate(pictures):
            sheet.paste(square(picture, cell), (i % columns * cell, i // columns * cell))
        file = BytesIO()
        sheet.save(file, format="WebP", quality=quality, method=4)
        return cls(name, cell, columns, len(pictures), file.getvalue())

    def packed(self) -> dict:
        """For the metadata of a notebook's output; the picture lies under its mime type, in base64."""
        layout = {"name": self.name, "cell": self.cell, "columns": self.columns, "count": self.count}
        return {**layout, WEBP: b64encode(self.webp).decode()}


def square(picture: np.ndarray, side: int) -> Image.Image:
    """(h, h, 3) uint8, or float in 0..1 -> a picture of `side` pixels."""
    if picture.dtype != np.uint8:
        picture = np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    image = Image.fromarray(picture)
    smaller = side < image.width
    return image.resize((side, side), Image.Resampling.LANCZOS if smaller else Image.Resampling.BILINEAR)
