"""The pixels of an image file, many at a time. Explained in 01_dataset.

COCO's coordinates count the pixels as they are stored, so an EXIF orientation is ignored; only where the listed
size is that of the turned picture and not of the stored one, the picture is turned.
"""

import contextlib
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from hgnb.data.intake import plain
from hgnb.home import cores

UNDECODABLE, SIZE = "undecodable image", "image size"
# What photographs are kept in; Pillow knows forty more, some of which run other programs.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
MOST = 89_478_485  # pixels: Pillow's own limit, 256 MiB of RGB
DEPTHS = (8, 10, 12, 14, 16)  # bits of a grey
SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
_M = Image.Transpose
BACK = {  # from the upright picture to the stored one, by EXIF orientation
    2: _M.FLIP_LEFT_RIGHT, 3: _M.ROTATE_180, 4: _M.FLIP_TOP_BOTTOM, 5: _M.TRANSPOSE, 6: _M.ROTATE_90,
    7: _M.TRANSVERSE, 8: _M.ROTATE_270,
}  # fmt: skip
AHEAD = 256  # tasks handed to the threads at once: memory stays flat however many follow
Item = TypeVar("Item")
Result = TypeVar("Result")


class DamagedImage(ValueError):
    """An image that can't be used: the kind of fault, and the reason as one sentence's end."""

    def __init__(self, kind: str, reason: str):
        super().__init__(reason)
        self.kind = kind


class Header(NamedTuple):
    """What a file says of itself before its pixels are read."""

    stored: tuple[int, int]  # width, height of the pixels as they lie in the file
    orientation: int  # EXIF's, 1 to 8

    @property
    def upright(self) -> tuple[int, int]:
        """The size that a viewer shows."""
        return self.stored[::-1] if self.orientation in SIDEWAYS else self.stored


class Picture(NamedTuple):
    """An image as RGB, the mode it was stored in, and whether its EXIF orientation was followed."""

    rgb: Image.Image
    mode: str
    turned: bool


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """The picture in `file`; what goes wrong within is a DamagedImage."""
    try:
        if not file.is_file():  # a pipe would be waited for without end
            raise DamagedImage(UNDECODABLE, f"'{plain(file.name)}' can't be decoded: it is no file.")
        with Image.open(file, formats=FORMATS) as image:
            yield image
    except (DamagedImage, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        most = f"{2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels"
        raise DamagedImage(SIZE, f"'{plain(file.name)}' has more than {most}: make it smaller.") from error
    except Exception as error:  # Pillow's readers raise whatever a broken file leads them to
        raise DamagedImage(UNDECODABLE, f"'{plain(file.name)}' can't be decoded: {_brief(error, file)}.") from error


def header(file: Path) -> Header:
    """Size and orientation of the picture in `file`, whose pixels aren't read; else DamagedImage."""
    with _opened(file) as image:
        orientation = _orientation(image)
        upright = image.format == "TIFF" and orientation in SIDEWAYS  # Pillow turns these, and tells their size so
        return Header(image.size[::-1] if upright else image.size, orientation)


def copy(file: Path, to: Path, upright: bool) -> None:
    """A copy of a picture's file; `upright`: one that its EXIF orientation turns is turned and loses it."""
    with contextlib.suppress(Exception):  # what can't be read is copied as it is
        if upright and header(file).orientation > 1:
            with Image.open(file, formats=FORMATS) as image:
                turned = ImageOps.exif_transpose(image)
                turned.save(to, image.format, quality=95, exif=b"")
                return
    shutil.copyfile(file, to)


def _orientation(image: Image.Image) -> int:
    with contextlib.suppress(Exception):  # odd EXIF is nobody's concern
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
        return found if found in range(1, 9) else 1
    return 1


def decode(file: Path, size: tuple[int, int], most: int = MOST) -> Picture:
    """The picture in `file`, whose annotations take it to be `size` (width, height); else DamagedImage.

    `most`: pixels of the largest that is read.
    """
    if size[0] * size[1] > most:
        raise DamagedImage(SIZE, f"'{plain(file.name)}' has more than {most:,} pixels: make it smaller.")
    with _opened(file) as image:
        upright = image.format == "TIFF"  # Pillow turns these, and these alone, and tells their size so
        # odd EXIF in a picture of the right size is nobody's concern
        orientation = _orientation(image) if upright or image.size != size else 1
        stored = image.size[::-1] if upright and orientation in SIDEWAYS else image.size
        turned = stored != size and stored == size[::-1] and orientation in SIDEWAYS
        if stored != size and not turned:
            raise _other_size(file, stored, size)
        image.load()
        rgb = _rgb(image)
        if upright and not turned and orientation in BACK:
            rgb = rgb.transpose(BACK[orientation])
        elif turned and not upright:
            rgb = ImageOps.exif_transpose(rgb)
        if rgb.size != size:
            raise _other_size(file, rgb.size, size)
        return Picture(rgb, image.mode, turned)


def eight_bits(grey: np.ndarray) -> np.ndarray:
    """uint8 of greys of another depth, by the least that holds their greatest: 0 to 1, or 8, 10, 12, 14, 16 bits, more.

    Cameras and scanners keep 10 to 14 bits in files of 16, which read as 16 would be nearly black.
    """
    values = np.nan_to_num(grey.astype(np.float64), posinf=0, neginf=0)
    top = values.max(initial=0)
    if top <= 1 and grey.dtype.kind == "f":
        return (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    bits = next((bits for bits in DEPTHS if top < 2**bits), int(top).bit_length())
    return np.clip(values // 2 ** (bits - 8), 0, 255).astype(np.uint8)


def _other_size(file: Path, real: tuple[int, int], size: tuple[int, int]) -> DamagedImage:
    listed, stored = (" x ".join(map(str, s)) for s in (size, real))
    return DamagedImage(SIZE, f"'{plain(file.name)}' is {stored} pixels, but listed as {listed}.")


def _rgb(image: Image.Image) -> Image.Image:
    """Without a copy where it is RGB already; other depths of grey become 8 bits; transparency is left away."""
    if image.mode.startswith(("I", "F")):
        grey = Image.fromarray(eight_bits(np.asarray(image)))
        grey.info, image = image.info, grey
    return image if image.mode == "RGB" else image.convert("RGB")


def _brief(error: Exception, file: Path) -> str:
    """What went wrong, without this machine's paths."""
    if isinstance(error, UnidentifiedImageError):
        return _impostor(file)
    words = getattr(error, "strerror", None) or str(error).split("\n")[0]
    return plain(words.replace(str(file), file.name).rstrip("."), 120) or type(error).__name__


def _impostor(file: Path) -> str:
    """What a file that no decoder knows is, as far as its first bytes tell, and what mends it."""
    with contextlib.suppress(OSError), file.open("rb") as opened:
        head = opened.read(64)
        if head.startswith(b"version https://git-lfs"):
            return "it is a Git LFS pointer, which 'git lfs pull' replaces by the picture"
        if head[4:8] == b"ftyp":
            return "it is HEIC, AVIF or a video: convert it to JPEG"
    return "it is no image"


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result | DamagedImage]:
    """`function` of every item, or the DamagedImage that it raises, in order: Pillow works outside the GIL."""

    def attempt(item: Item) -> Result | DamagedImage:
        try:
            return function(item)
        except DamagedImage as damage:
            return damage

    rest = iter(items)
    with ThreadPoolExecutor(cores()) as pool:
        while some := list(islice(rest, AHEAD)):
            with warnings.catch_warnings():  # Pillow's, of odd files: what matters of them is a fault
                warnings.simplefilter("ignore")
                made = list(pool.map(attempt, some))
            yield from made
