"""A figure's picture in the smallest of three forms that shows no difference: few colours, JPEG, or as it was."""

from io import BytesIO

import numpy as np
from PIL import Image

COLOURS = 256
# dB of peak signal to noise: lines and flat colours lose nothing with 256 of them, photographs and soft heatmaps
# do, and get a JPEG with all of its colour, whose loss lies in the grain
FAITHFUL = 40
QUALITY = 90


def compact(png: bytes) -> tuple[str, bytes]:
    """(mime type, file) of the picture in `png`, with as many pixels; what was see-through becomes white."""
    with Image.open(BytesIO(png)) as image:
        layered = image.convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    faithful = signal_to_noise(picture, few.convert("RGB")) >= FAITHFUL
    kind, file = ("png", _saved(few, "PNG", optimize=True)) if faithful else ("jpeg", _jpeg(picture))
    return (f"image/{kind}", file) if len(file) < len(png) else ("image/png", png)


def signal_to_noise(one: Image.Image, other: Image.Image) -> float:
    """Peak signal-to-noise ratio of two RGB pictures, in dB; infinite for equal ones."""
    error = np.mean((np.asarray(one, dtype=np.float32) - np.asarray(other, dtype=np.float32)) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def _jpeg(picture: Image.Image) -> bytes:
    return _saved(picture, "JPEG", quality=QUALITY, subsampling=0, optimize=True, progressive=True)


def _saved(picture: Image.Image, kind: str, **how) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()
