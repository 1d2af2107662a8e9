"""The book's table of contents, `book/_toc.yml`: which pages there are, in which parts and which order."""

from dataclasses import dataclass
from pathlib import Path

from hgnb.errors import InputError


@dataclass
class Part:
    """Pages under one caption, as paths in `book` without suffix."""

    caption: str
    pages: list[str]


def parts(toc: Path) -> list[Part]:
    """The parts that the file `toc` lists; the first, without a caption, is the book's first page."""
    from sphinx_external_toc.parsing import parse_toc_yaml

    if not toc.is_file():
        raise InputError(f"There is no table of contents at {toc}.")
    first = parse_toc_yaml(toc).root
    return [Part("", [first.docname]), *(Part(part.caption or "", list(part.files())) for part in first.subtrees)]


def pages(toc: Path) -> list[str]:
    """All pages that the file `toc` lists, in its order."""
    return [page for part in parts(toc) for page in part.pages]
