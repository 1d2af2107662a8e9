"""What a notebook cell shows: a figure with its caption and alt text, a table, or a sentence with numbers.

Each object carries its words along as output metadata under the key `hgnb`; `hgnb.book.weave` turns them
into captions, alt texts and MyST tables. Nothing here knows Jupyter: `_repr_mimebundle_` is a protocol.
"""

from dataclasses import dataclass
from io import BytesIO

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure


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
        return {"image/png": png.getvalue(), "text/plain": f"{self.caption}\n{self.alt}"}, {
            "hgnb": {"kind": "figure", "caption": self.caption, "alt": self.alt}
        }


@dataclass(frozen=True)
class Table:
    """A data frame that becomes a numbered table of the book; cells are shown as they are formatted."""

    rows: pd.DataFrame
    caption: str
    name: str  # its label, as "tbl-split"
    classes: str = ""  # of the page's table, for style and script
    tagged: str = ""  # a column whose cells carry their first word as `data-<column>`, to be filtered by

    def markdown(self) -> str:
        """The rows as a MyST table directive, labelled `name`."""
        head = [str(c) for c in self.rows.columns]
        lines = [
            head,
            ["---"] * len(head),
            *[[str(v) for v in row] for row in self.rows.to_numpy(dtype=object)],
        ]
        if self.tagged:
            at = head.index(self.tagged)
            for line in lines[2:]:
                word = line[at].split()[0].strip(":;,.")
                line[at] = f'<span data-{self.tagged}="{word}">{line[at]}</span>'
        body = "\n".join("| " + " | ".join(v.replace("|", "\\|") for v in line) + " |" for line in lines)
        # Tildes, because a caption may hold backticks, which a fence of backticks may not.
        classes = f":class: {self.classes}\n" if self.classes else ""
        return f"~~~{{table}} {self.caption}\n:name: {self.name}\n{classes}\n{body}\n~~~\n"

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
