"""Pictures of the pages: read when a reader comes near them, with their size known before, so that no text jumps."""

import html
import re
from pathlib import Path

IMAGE = re.compile(r'<img (?=[^>]*src="([^"]*_images/[^"]+)")([^>]*)>')


def lazily(site: Path) -> None:
    """Give every picture of the pages of `site` its size, and let all but the first of a page wait."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf8")
        head, start, article = text.partition("<article")
        seen = 0

        def sized(found: re.Match, page: Path = page) -> str:
            nonlocal seen
            seen += 1
            if " loading=" in found[0] or " width=" in found[0]:
                return found[0]
            wait = ' loading="lazy"' if seen > 1 else ""
            return f"<img {found[2].rstrip(' /')}{_size(page.parent / html.unescape(found[1]))}{wait}/>"

        better = head + start + IMAGE.sub(sized, article)
        if better != text:
            page.write_text(better, encoding="utf8")


def _size(file: Path) -> str:
    """Width and height as attributes; none for what has no pixels."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            return f' width="{image.width}" height="{image.height}"'
    except UnidentifiedImageError:
        return ""
