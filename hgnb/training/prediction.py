"""Keypoints of persons in a photograph of one's own. Explained in 02_experiment; `hgnb predict`.

The photograph is taken as a person sees it: an EXIF orientation is followed, and boxes and keypoints count pixels of
the upright picture (unlike in a dataset, whose annotations count stored pixels). Greys, palettes and CMYK become RGB.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from hgnb.data.crops import CropTransform, square_of_box
from hgnb.data.images import DamagedImage, decode, header
from hgnb.data.intake.annotations import BOX_SLACK
from hgnb.data.schema import KeypointSchema, unmirrored
from hgnb.errors import InputError
from hgnb.metrics import peaks
from hgnb.metrics.decoding import decoded
from hgnb.training.catalogue import RELEASED, Weights
from hgnb.training.passes import Reader

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")  # of a folder's files, these
MOST = 178_956_970  # pixels of a photograph: phones make 108 million, Pillow refuses more than these


@dataclass(frozen=True)
class Prediction:
    """The keypoints of P persons in one photograph."""

    photograph: Image.Image  # RGB, upright
    name: str
    schema: KeypointSchema
    weights: str
    sha256: str  # of the weights' file
    boxes: np.ndarray  # (P, 4): x, y, w, h in pixels of the photograph
    squares: list[CropTransform]
    crops: np.ndarray  # (P, side, side, 3) uint8
    heatmaps: np.ndarray  # (P, K, side/4, side/4)
    points: np.ndarray  # (P, K, 2) as (x, y), pixels of the photograph, pixel centres at integers
    confidence: np.ndarray  # (P, K): the heatmaps' peaks

    def facts(self) -> dict:
        """JSON-able."""
        return {
            "weights": self.weights,
            "sha256": self.sha256,
            "photograph": self.name,
            "size": list(self.photograph.size),
            "persons": [self._person(i) for i in range(len(self.boxes))],
        }

    def _person(self, i: int) -> dict:
        square, rows = self.squares[i], zip(self.schema.names, self.points[i], self.confidence[i], strict=True)
        return {
            "box": self.boxes[i].tolist(),
            "square": [square.x, square.y, square.side],
            "keypoints": [
                {"name": name, "x": float(x), "y": float(y), "confidence": float(peak)} for name, (x, y), peak in rows
            ],
        }

    def __rich_console__(self, console, options):
        from rich.table import Table

        for i, box in enumerate(self.boxes):
            title = f"{self.name}, person {i + 1}: box {', '.join(f'{v:g}' for v in box)}"
            table = Table("keypoint", "x", "y", "confidence", title=title, title_justify="left")
            for title, (x, y), peak in zip(self.schema.titles, self.points[i], self.confidence[i], strict=True):
                table.add_row(title, f"{x:.1f}", f"{y:.1f}", f"{peak:.3g}")
            yield table


def predict(weights: Weights, file: Path, boxes: Sequence[str] = (), *, mirrored: bool = False) -> Prediction:
    """Each box 'x,y,w,h' is a person, cropped as in training but centred on the box; none: the whole picture.

    A keypoint is the centre of its heatmap's highest cell, or a point near it as `weights.decoding` says, mapped back
    through the crop. `mirrored`: heatmaps are the
    mean of those of the crop and of its mirror image, as Newell et al. have it (sec. 4.1); it costs twice the time.

    >>> photograph = home() / "book/_static/page.png"
    >>> predict(weights("released"), photograph, ["100,100,200,400"]).points.shape
    (1, 17, 2)
    """
    image, card = photograph(file), weights.card
    given = np.array([parse_box(text, image.size) for text in boxes] or [(0, 0, *image.size)], dtype=np.float64)
    squares = [square_of_box(box, image.size, size=card.side, margin=card.margin, rule=card.rule) for box in given]
    crops = np.stack([s.apply(image) for s in squares])
    reader, nobody = Reader(weights.network, np.asarray(card.mean_rgb, np.float32)), (len(card.keypoints), 3)
    maps = reader.heatmaps(Crops(crops, np.zeros((len(crops), *nobody), np.float32)))
    if mirrored:
        seen = reader.heatmaps(
            Crops(np.ascontiguousarray(crops[:, :, ::-1]), np.zeros((len(crops), *nobody), np.float32))
        )
        maps = (maps + unmirrored(seen, card.schema)) / 2
    found, values = decoded(torch.from_numpy(maps))[weights.decoding].double(), peaks(torch.from_numpy(maps))[1]
    size = maps.shape[-1]
    points = [CropTransform(s.x, s.y, s.side, size).to_image(p) for s, p in zip(squares, found.numpy(), strict=True)]
    return Prediction(
        image, file.name, card.schema, weights.name, weights.sha256, given, squares, crops, maps,
        np.stack(points), values.numpy(),
    )  # fmt: skip


@dataclass(frozen=True)
class Crops:
    """Crops of which nobody knows the keypoints, for a Reader."""

    crops: np.ndarray
    keypoints: np.ndarray


def asked(words: Sequence[str]) -> tuple[str, list[Path]]:
    """What was typed -> the network's name and the photographs, a folder's own in order of name.

    The first word may name a network: a run, a weights file, 'released'. Without one it is the released network.
    InputError for a folder without a photograph.
    """
    first = Path(words[0]).expanduser()
    picture = first.suffix.lower() in PICTURES or (first.is_dir() and not (first / "manifest.json").is_file())
    network, rest = (RELEASED, words) if picture or len(words) == 1 else (words[0], words[1:])
    files: list[Path] = []
    for path in (Path(word).expanduser() for word in rest):
        inside = sorted(f for f in path.iterdir() if f.suffix.lower() in PICTURES) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"The folder '{path}' holds no photograph (a file that ends with {', '.join(PICTURES)}).")
        files += inside
    return network, files


def photograph(file: Path) -> Image.Image:
    """The picture in a file as RGB, upright; InputError where there is none, or one too large to be a photograph."""
    if not file.is_file():
        raise InputError(f"There is no image '{file}'.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # phones make more than Pillow expects
            return ImageOps.exif_transpose(decode(file, header(file).stored, MOST).rgb)
    except DamagedImage as error:
        raise InputError(str(error)) from error


def parse_box(text: str, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """'x,y,w,h' as four numbers inside a picture of `size` (width, height), give or take a pixel of rounding."""
    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"The box '{text}' must be four numbers with commas between: x,y,w,h.") from error
    if not np.isfinite([x, y, w, h]).all() or w <= 0 or h <= 0:
        raise InputError(f"The box '{text}' must have finite numbers and a positive width and height.")
    right, bottom = x + w, y + h
    if x < -BOX_SLACK or y < -BOX_SLACK or right > size[0] + BOX_SLACK or bottom > size[1] + BOX_SLACK:
        raise InputError(f"The box '{text}' reaches out of the picture, which is {size[0]} x {size[1]} pixels.")
    if right <= 0 or bottom <= 0 or x >= size[0] or y >= size[1]:
        raise InputError(f"The box '{text}' lies outside the picture, which is {size[0]} x {size[1]} pixels.")
    return x, y, w, h
