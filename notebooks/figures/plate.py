"""What a notebook cell shows: a figure with its caption and alt text, a table, a sentence with numbers, or the
interactive part of a figure.

Each object carries its words along as output metadata under the key `hgnb`; the book's build turns them
into captions, alt texts and MyST tables. Nothing here knows Jupyter: `_repr_mimebundle_` is a protocol.
"""

import json
import re
from dataclasses import dataclass
from io import BytesIO

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures.compact import compact
from figures.sprites import Sprites

NUMBER = re.compile(r"[-−+]?[\d.,]*\d(?:\s?%)?|–|")  # a column of such cells is set flush right
RANGE = re.compile(r"\((\S+) to (\S+)\)")  # an interval isn't broken across lines
UNBROKEN = "(\\1\u00a0to\u00a0\\2)"
LONG = 4  # rows from which on a table can be sorted


@dataclass(frozen=True)
class Plate:
    """A figure with the words that belong to it; `alt` states the finding for who can't see it."""

    figure: Figure
    caption: str
    alt: str
    dpi: int = 160

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

    @property
    def classes(self) -> str:
        """What book/_static/hgnb.js makes of the table: it sorts by a click, and offers filters by column."""
        by = [f"filter-{list(self.rows.columns).index(column)}" for column in self.filters]
        return " ".join((["sortable"] if len(self.rows) >= LONG else []) + by)

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
        html = f"<p><em>{self.caption}</em></p>" + self.rows.to_html(index=False, border=0)
        return {
            "text/markdown": self.markdown(),
            "text/html": html,
            "text/plain": self.rows.to_string(index=False),
        }, {"hgnb": {"kind": "table", "caption": self.caption, "name": self.name}}


@dataclass(frozen=True)
class Note:
    """A sentence of the page whose numbers come from the run; Markdown with MyST roles."""

    text: str

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/markdown": self.text, "text/plain": self.text}, {"hgnb": {"kind": "note"}}


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
