"""Damage drawn by a seed: what people, programs and disks may do to annotation and image files. For fuzz.py and tests.

A mutation is `(kind, content)`; the same seed and source give the same one.
"""

import copy
import io
import json
import random
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

RAW = "@@{}@@"  # a placeholder for what json.dumps can't write
ODD = (None, True, False, 0, -1, 1.5, "", "7", [], {}, [[]], [None], {"id": 1}, [0, 0, 0, 0])
EXTREME = (
    float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 5e-324, -0.0, 0.1, 2**31, 2**53 + 1, 2**63 - 1, 2**63,
    -(2**63) - 1, 10**30, -(10**400), RAW.format("1e400"), RAW.format("-1e-400"), RAW.format("9" * 5000),
)  # fmt: skip
STRANGE = (
    "\ud800", "\x00", "\x1b[31m\x1b]0;title\x07", "a\nb\r\tc",
    "\u202egnp.exe", "é" * 300, "[bold red]x[/]", "[/nothing]",
    "<script>alert(1)</script>", "../../etc/passwd", "/etc/passwd", "C:\\x", "con.png", ".", "..", "x" * 5000, "\ufeff",
    "{0} {x} %s %(a)s", "$(reboot)", "`id`", "\U0010ffff", "𝔘𝔫𝔦", "a/b/c/" * 2000,
)  # fmt: skip
DEPTHS = (50, 300, 700, 900, 940, 960, 980, 5_000, 100_000)


def annotations(source: bytes, seed: int) -> tuple[str, bytes]:
    """A damaged copy of a COCO annotation file; up to three damages of one kind."""
    rng = random.Random(seed)
    kind = rng.choice(list(JSON))
    if kind == "bytes":
        return kind, _bytes(source, rng)
    content = json.loads(source)
    for _ in range(rng.randint(1, 3)):
        spot = _spot(content, rng)
        if spot:
            JSON[kind](*spot, rng)
    return kind, _written(content)


def _written(content) -> bytes:
    """As JSON, with placeholders replaced by what they stand for."""
    first, last = (json.dumps(part).strip('"') for part in RAW.split("{}"))
    parts = json.dumps(content).split(f'"{first}')
    text = parts[0]
    for part in parts[1:]:
        raw, _, rest = part.partition(f'{last}"')
        text += _nested(raw) + rest
    return text.encode()


def _nested(raw: str) -> str:
    """`deep 300 [` as three hundred brackets; anything else as it is."""
    if not raw.startswith("deep "):
        return raw
    _, depth, bracket = raw.split()
    return {"[": "[" * int(depth) + "]" * int(depth), "{": '{"a":' * int(depth) + "1" + "}" * int(depth)}[bracket]


def _spot(content, rng: random.Random):
    """(container, key) somewhere in the content; each level is as likely as the next, however many numbers it holds."""
    spot = None
    while isinstance(content, dict | list) and content:
        key = rng.choice(list(content) if isinstance(content, dict) else range(len(content)))
        spot, content = (content, key), content[key]
        if rng.random() < 0.25:
            break
    return spot


def _structure(place, key, rng: random.Random) -> None:
    value = place[key]
    move = rng.randrange(4)
    if move == 0:
        del place[key]
    elif move == 1:
        place[key] = rng.choice([[value], {"x": value}, [value, value]])
    elif move == 2 and isinstance(place, list):
        place.insert(key, value)
    elif isinstance(place, dict):
        place[rng.choice([f"{key} ", key.upper(), *STRANGE])] = place.pop(key)
    else:
        rng.shuffle(place)


def _types(place, key, rng: random.Random) -> None:
    place[key] = copy.deepcopy(rng.choice(ODD))  # a later damage may go inside


def _numbers(place, key, rng: random.Random) -> None:
    place[key] = rng.choice(EXTREME)


def _unicode(place, key, rng: random.Random) -> None:
    if isinstance(place, dict) and rng.random() < 0.2:
        place[rng.choice(STRANGE)] = place.pop(key)
    else:
        place[key] = rng.choice(STRANGE)


def _nesting(place, key, rng: random.Random) -> None:
    place[key] = RAW.format(f"deep {rng.choice(DEPTHS)} {rng.choice('[{')}")


def _sizes(place, key, rng: random.Random) -> None:
    value = place[key]
    # at most some megabytes: a large file takes its time, which is no hang
    times = min(rng.choice([2, 100, 50_000]), 1 + 3_000_000 // len(json.dumps(value)))
    if isinstance(value, list | str):
        place[key] = value * times
    else:
        place[key] = rng.choice([[value] * times, "9" * times, {str(i): value for i in range(times)}])


def _bytes(source: bytes, rng: random.Random) -> bytes:
    other = rng.randrange(6)
    if other == 0:
        return rng.choice(
            [b"", b"null", b"[]", b"{}", b"\xff\xfe", b"\x00" * 100, source * 2, source[:-1] + b"," + source]
        )
    if other == 1:
        return source.decode().encode(rng.choice(["utf-16", "utf-32", "utf-8-sig", "utf-16-le", "cp037"]))
    return damaged(source, rng)


JSON: dict[str, Callable] = {
    "structure": _structure,
    "types": _types,
    "numbers": _numbers,
    "unicode": _unicode,
    "nesting": _nesting,
    "sizes": _sizes,
    "bytes": _bytes,
}


def damaged(source: bytes, rng: random.Random) -> bytes:
    """Bytes cut off, flipped, zeroed, doubled or made up somewhere; never those of the source."""
    content = bytearray(source)
    at, length = rng.randrange(len(source)), min(len(source), rng.choice([1, 4, 64, 4096]))
    move = rng.randrange(5)
    if move == 0:
        del content[at:]
    elif move == 1:
        for _ in range(rng.choice([1, 1, 3, 30])):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    elif move == 2:
        content[at : at + length] = bytes(len(content[at : at + length]))
    elif move == 3:
        content[at:at] = content[at : at + length]
    else:
        content[at : at + length] = rng.randbytes(length)
    return bytes(content) if content != source else source[: len(source) // 2]


FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM")
IMPOSTORS = (
    b"", b"\n", b"<html>404</html>", b"PK\x03\x04" + bytes(60), b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 96 80\n",
    b"<svg xmlns='http://www.w3.org/2000/svg' width='96' height='80'/>", b"8BPS\x00\x01" + bytes(40), b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x00\x00\x00\x00WEBPVP8 ", b"II*\x00\x08\x00\x00\x00", b"P6 96 80 255\n",
)  # fmt: skip


def image(size: tuple[int, int], seed: int) -> tuple[str, bytes]:
    """A damaged image file of `size` (width, height): the kind says which format it was, or what it pretends."""
    rng = random.Random(seed)
    move = rng.random()
    if move < 0.1:
        return "impostor", rng.choice(IMPOSTORS)
    if move < 0.2:
        return "bomb", bomb(
            rng.choice([(9_000, 9_000), (13_000, 13_000), (60_000, 60_000), (2**31 - 1, 1), (1, 2**31 - 1)])
        )
    kind = rng.choice(FORMATS)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8)
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = rng.choice([1, 6, 8, 99])
    Image.fromarray(pixels // 32 * 32).save(
        file, kind, **({"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "TIFF") else {})
    )
    content = file.getvalue()
    for _ in range(rng.randint(1, 2)):
        content = damaged(content, rng) if content else content
    return kind, content


def bomb(size: tuple[int, int]) -> bytes:
    """A sound PNG of one colour with so many pixels, as few bytes as they can be; the very large ones break off."""
    width, height = size
    row = bytes(1 + -(-width // 8)) if width < 10**6 else b""
    rows = min(height, 20_000)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
