"""The book's table of contents, `book/_toc.yml`: which pages there are, in which parts and which order."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from hgnb.errors import InputError


@dataclass
class Part:
    """Pages under one caption, as paths in `book` without suffix."""

    caption: str
    pages: list[str] = field(default_factory=list)


def parts(toc: Path) -> list[Part]:
    """The parts that the file `toc` lists; the first, without a caption, is the book's first page."""
    import yaml

    try:
        listed = yaml.safe_load(toc.read_text(encoding="utf8"))
    except FileNotFoundError as error:
        raise InputError(f"There is no table of contents at {toc}.") from error
    found = [Part("", [listed["root"]])]
    for part in listed.get("parts", [listed]):
        found.append(Part(part.get("caption", ""), _pages(part)))
    return [Part(part.caption, [re.sub(r"\.(md|ipynb)$", "", page) for page in part.pages]) for part in found]


def pages(toc: Path) -> list[str]:
    """All pages that the file `toc` lists, in its order."""
    return [page for part in parts(toc) for page in part.pages]


def _pages(entry: dict) -> list[str]:
    own = [entry["file"]] if "file" in entry else []
    return own + [page for key in ("chapters", "sections") for child in entry.get(key, []) for page in _pages(child)]
