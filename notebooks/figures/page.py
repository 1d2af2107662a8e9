"""The kit of every chapter: what a cell shows (a figure, a table, a sentence, an interactive part), the wording of its
numbers, and its pictures.

Each object carries its words along as output metadata under the key `hgnb`; the book's build turns them
into captions, alt texts and MyST tables. What `Table` and `Note` show in JupyterLab is MyST's Markdown as well, which
jupyterlab-myst renders.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from figures.watching import waiting
from figures.watching import watched as watched  # chapters take it from here
from hgnb.data.coco import Person
from hgnb.data.credits import withheld
from hgnb.data.images import DamagedImage, decode
from hgnb.drawing import GREY, INK, SIDES, style
from hgnb.stats import Estimate

NUMBER = re.compile(r"[-−+]?[\d.,]*\d(?:\s?%)?|–|")  # a column of such cells is set flush right
RANGE = re.compile(r"\((\S+) to (\S+)\)")  # an interval isn't broken across lines
UNBROKEN = "(\\1\u00a0to\u00a0\\2)"
LONG = 4  # rows from which on a table can be sorted
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
COLOURS = 256
# dB of peak signal to noise: lines and flat colours lose nothing with 256 of them, photographs and soft heatmaps
# do, and get a JPEG with all of its colour, whose loss lies in the grain
FAITHFUL = 40
JPEG = {"quality": 90, "subsampling": 0, "optimize": True, "progressive": True}
WEBP = "image/webp"
LONGEST = 16383  # pixels of a side that WebP can hold


@dataclass(frozen=True)
class Plate:
    """A figure with the words that belong to it; `alt` states the finding for who can't see it."""

    figure: Figure
    caption: str
    alt: str
    dpi: int = 160

    def _ipython_display_(self):
        """In JupyterLab the caption stands below the figure; elsewhere `_repr_mimebundle_` is asked."""
        if not waiting():
            raise NotImplementedError
        from IPython.display import display

        picture, words = self._repr_mimebundle_()
        display(picture, metadata=words, raw=True)
        display({"text/markdown": self.caption}, raw=True)

    def _repr_mimebundle_(self, include=None, exclude=None):
        png = BytesIO()
        self.figure.savefig(png, format="png", dpi=self.dpi, bbox_inches="tight", pad_inches=0.08)
        plt.close(self.figure)  # or inline backends show it a second time
        mime, picture = compact(png.getvalue())
        return {mime: picture, "text/plain": f"{self.caption}\n{self.alt}"}, {
            "hgnb": {"kind": "figure", "caption": self.caption, "alt": self.alt}
        }


@dataclass(frozen=True)
class Table:
    """A data frame that becomes a numbered table of the book; cells are shown as they are formatted."""

    rows: pd.DataFrame
    caption: str
    name: str  # its label, as "tbl-split"
    filters: tuple[str, ...] = ()  # columns by whose values the reader may choose rows
    folded: bool = False  # the page shows its number and the first sentence of its caption until a reader opens it

    @property
    def classes(self) -> str:
        """What the page makes of the table: it sorts by a click, offers filters by column, and is folded away
        (book/_static/hgnb.js, hgnb_book.site)."""
        by = [f"filter-{list(self.rows.columns).index(column)}" for column in self.filters]
        return " ".join((["sortable"] if len(self.rows) >= LONG else []) + by + ["folded"] * self.folded)

    def markdown(self) -> str:
        """The rows as a MyST table directive, labelled `name`."""
        head = [str(c) for c in self.rows.columns]
        cells = [[RANGE.sub(UNBROKEN, str(v)) for v in row] for row in self.rows.to_numpy(dtype=object)]
        flush = [n > 0 and all(NUMBER.fullmatch(row[n]) for row in cells) for n in range(len(head))]
        lines = [head, ["--:" if right else "---" for right in flush], *cells]
        body = "\n".join("| " + " | ".join(v.replace("|", "\\|") for v in line) + " |" for line in lines)
        # Tildes, because a caption may hold backticks, which a fence of backticks may not.
        options = f":name: {self.name}\n" + (f":class: {self.classes}\n" if self.classes else "")
        return f"~~~{{table}} {self.caption}\n{options}\n{body}\n~~~\n"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/markdown": self.markdown(), "text/plain": self.rows.to_string(index=False)}, {
            "hgnb": {"kind": "table", "caption": self.caption, "name": self.name}
        }


@dataclass(frozen=True)
class Note:
    """A sentence of the page whose numbers come from the run; Markdown with MyST roles."""

    text: str

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/markdown": self.text, "text/plain": self.text}, {"hgnb": {"kind": "note"}}


@dataclass(frozen=True)
class Sprites:
    """Small pictures of one kind, row after row in a sheet of `columns` cells, each `cell` pixels square."""

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
        return cls(name, cell, columns, len(pictures), _saved(sheet, "WebP", quality=quality, method=4))

    def packed(self) -> dict:
        """For the metadata of a notebook's output; the picture lies under its mime type, in base64."""
        layout = {"name": self.name, "cell": self.cell, "columns": self.columns, "count": self.count}
        return {**layout, WEBP: b64encode(self.webp).decode()}


@dataclass(frozen=True)
class Live:
    """The interactive part of a figure of the same chapter; the figure itself stays for print and without a script.

    `data` is JSON of finite numbers and plain text, never markup.
    """

    of: str  # the figure's label
    part: str  # who shows it: a name in `parts` of book/_static/hgnb.js
    data: dict
    sheets: tuple[Sprites, ...] = ()

    def __post_init__(self):
        json.dumps(self.data, allow_nan=False)  # ValueError here, not a page whose script can't read its data

    def _repr_mimebundle_(self, include=None, exclude=None):
        words = {"kind": "live", "of": self.of, "part": self.part, "data": self.data}
        return {"text/plain": f"In the rendered page {self.of} answers to pointer, touch and keyboard."}, {
            "hgnb": {**words, "sheets": [sheet.packed() for sheet in self.sheets]}
        }


# Words


def number(value: float, digits: int = 2) -> str:
    """'0.43', or a dash."""
    value = round(value, digits) + 0.0  # no minus before a zero
    return f"{value:.{digits}f}".replace("-", "−") if np.isfinite(value) else "–"


def percent(value: float, digits: int = 0) -> str:
    """'37 %', or a dash."""
    return f"{number(100 * float(value), digits)} %" if np.isfinite(value) else "–"


def signed(value: float, digits: int = 3) -> str:
    """'+0.034' or '−0.034', or a dash."""
    text = number(value, digits)
    return f"+{text}" if round(value, digits) > 0 else text


def small(value: float) -> str:
    """'5.15·10⁻⁵'."""
    digits, power = f"{value:.2e}".split("e")
    return f"{digits}·10{str(int(power)).translate(RAISED)}"


def precision(name: str) -> str:
    """'float32' for what Lightning calls '32-true'."""
    return {"32-true": "float32", "bf16-mixed": "bfloat16"}.get(name, name)


def verdict(interval: Estimate, positive: str, negative: str, neither: str) -> str:
    """Which of three words an interval of a difference deserves."""
    if interval.low > 0:
        return positive
    return negative if interval.high < 0 else neither


def capital(words: str) -> str:
    """With a capital letter first."""
    return words[:1].upper() + words[1:]


def listed(words: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def cited(source: str) -> str:
    """'report, case 2': what the code calls source 004 is the report to readers."""
    return source.replace("004", "report")


def credited(caption: str, credits: Mapping[int, str], image_ids: Iterable[int]) -> str:
    """A caption with the credits of the images whose ids these are, each once; as it is where none is known."""
    known = [credits[number] for number in dict.fromkeys(map(int, image_ids)) if number in credits]
    if not known:
        return caption
    return f"{caption} {'Photograph' if len(known) == 1 else 'Photographs'}: {'; '.join(known)}."


def nothing(words: str, caption: str = "", alt: str = "") -> Plate:
    """A small figure that says why there is nothing to draw, as do its caption and alt text where they are left out."""
    with style():
        figure, ax = plt.subplots(figsize=(6, 1.2))
        ax.text(0.5, 0.5, words.replace("`", ""), ha="center", va="center", color=INK, wrap=True)
        ax.axis("off")
    return Plate(figure, caption or words, alt or words)


# Pictures


def sides_legend(figure: Figure) -> None:
    """Below a figure: how the bones of each side are drawn, and a hidden joint."""
    lines = [plt.Line2D([], [], linewidth=2.2, label=side, **look) for side, look in SIDES.items()]
    lines.append(plt.Line2D([], [], marker="o", linestyle="", color=GREY, markerfacecolor="white", label="hidden"))
    figure.legend(handles=lines, loc="outside lower center", ncol=4, fontsize=9)


def opened(persons: Iterable[Person]) -> Iterator[tuple[Person, Image.Image]]:
    """Each person with the RGB image it is on, as long as they are asked for.

    Passed over are damaged images, and photographs that may not be cropped and drawn on.
    """
    for person in persons:
        if withheld(person.licence):
            continue
        with suppress(DamagedImage):
            yield person, decode(person.file, person.image_size).rgb


def square(picture: np.ndarray, side: int) -> Image.Image:
    """(h, h, 3) uint8, or float in 0..1 -> a picture of `side` pixels."""
    if picture.dtype != np.uint8:
        picture = np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    image = Image.fromarray(picture)
    smaller = side < image.width
    return image.resize((side, side), Image.Resampling.LANCZOS if smaller else Image.Resampling.BILINEAR)


def compact(png: bytes) -> tuple[str, bytes]:
    """(mime type, file) of the picture in `png` in the smallest of three forms that shows no difference: few colours,
    JPEG, or as it was; with as many pixels, and white where it was see-through."""
    with Image.open(BytesIO(png)) as image:
        layered = image.convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    faithful = signal_to_noise(picture, few.convert("RGB")) >= FAITHFUL
    kind, file = ("png", _saved(few, "PNG", optimize=True)) if faithful else ("jpeg", _saved(picture, "JPEG", **JPEG))
    return (f"image/{kind}", file) if len(file) < len(png) else ("image/png", png)


def signal_to_noise(one: Image.Image, other: Image.Image) -> float:
    """Peak signal-to-noise ratio of two RGB pictures, in dB; infinite for equal ones."""
    error = np.mean((np.asarray(one, dtype=np.float32) - np.asarray(other, dtype=np.float32)) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def _saved(picture: Image.Image, kind: str, **how) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()
