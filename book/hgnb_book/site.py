"""From rendered HTML to pages that are published: what the theme leaves amiss for a reader who listens or walks by keys
is mended, its dozen icons are drawn in place of a script of 1.5 MB that holds every icon there is, and pictures are
read when a reader comes near them, with their size known before, so that no text jumps.
"""

import hashlib
import html
import re
from base64 import b64decode
from functools import cache
from pathlib import Path

# Each found by axe-core on the theme's own pages (tests/accessibility.py runs it on ours).
MENDS = (
    # a name that isn't the text one sees: who says "click Search Ctrl+K" isn't understood
    (r'(<button class="btn search-button-field[^>]*?) title="Search" aria-label="Search"', r"\1"),
    (r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"', r"\1"),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # content outside of every landmark
    (r'<div id="pst-primary-sidebar"', '<div id="pst-primary-sidebar" role="complementary" aria-label="The book"'),
    # a list whose children aren't items, of a deprecated role
    (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
    (r' role="doc-biblioentry"', ""),
)
# what a reader copies, a script reads or a tag says stays as it is
PERCENT = re.compile(r"<(pre|code|script|style)\b.*?</\1>|<[^>]*>|(?<=[\d)]) %", re.S)
SHEET = re.compile(r'"data:image/webp;base64,([A-Za-z0-9+/=]+)"')  # in the data of an interactive part
IMAGE = re.compile(r'(<figure\b[^>]*>\s*)?<img (?=[^>]*src="([^"]*_images/[^"]+)")([^>]*)>')
# Pixels of a page for one of a figure: figures are drawn for 160 dots an inch, and their letters of 10 points become
# as large as those of a caption, in a narrow figure as in a wide one.
SCALE = 0.55
FOLDED = re.compile(
    r'<div class="pst-scrollable-table-container"><table class="[^"]*\bfolded\b[^"]*"[^>]*>\s*'
    r'<caption>(<span class="caption-number">.*?</span>)?<span class="caption-text">(.*?)</span>'
    r"(?:<a class=\"headerlink\".*?</a>)?</caption>.*?</table>\s*</div>",
    re.S,
)
SENTENCE = re.compile(r"^.*?[.;:](?=\s|$)", re.S)  # its first, or the first part of it
SCRIPT = "_static/scripts/fontawesome.js"
ICON = re.compile(r'<(i|span) class="([^"]*\bfa[srb]?\b|[^"]*\bfa-solid\b)([^"]*)"([^>]*)></\1>')
NAME = re.compile(r"\bfa-(?!solid\b|lg\b)([a-z-]+)")


def finish(site: Path) -> None:
    """Rewrites the pages of `site` and drops the script of icons; a second time changes nothing."""
    script = site / SCRIPT
    shapes = script.read_text(encoding="utf8") if script.is_file() else ""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf8")
        better = sized(folded(mended(drawn(lifted(text, page, site), shapes))), page)
        if better != text:
            page.write_text(better, encoding="utf8")
    for file in script.parent.glob("fontawesome.js*"):
        file.unlink()


def mended(text: str) -> str:
    """A page's HTML with the theme's faults mended, and no line's end between a number and its per cent."""
    for pattern, better in MENDS:
        text = re.sub(pattern, better, text)
    return PERCENT.sub(lambda found: "\u00a0%" if found[0] == " %" else found[0], text)


def folded(text: str) -> str:
    """Long tables that are looked up rather than read (figures.page.Table) behind their number and what they show; a
    link to one opens it, without a script."""

    def closed(found: re.Match) -> str:
        words = " ".join(re.sub("<[^>]+>", "", found[2]).split())
        title = SENTENCE.match(words)
        return (
            f'<details class="folded"><summary>{found[1] or ""}{(title[0] if title else words).rstrip(".;:")}</summary>'
            f"{found[0]}</details>"
        )

    # a table that stands in its fold already is left there
    return re.sub(r"(?<!</summary>)" + FOLDED.pattern, closed, text, flags=re.S)


def lifted(text: str, page: Path, site: Path) -> str:
    """Pictures of interactive parts move from a page into files."""

    def file(found: re.Match) -> str:
        picture = b64decode(found[1])
        name = f"_images/{hashlib.sha256(picture).hexdigest()}.webp"
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_bytes(picture)
        return f'"{upwards(page, site)}{name}"'

    return SHEET.sub(file, text)


def upwards(page: Path, site: Path) -> str:
    """From a page to its site's folder."""
    return "../" * (len(page.relative_to(site).parts) - 1)


def sized(text: str, page: Path) -> str:
    """Every picture of an article with its size, and all but the first waiting; that of a figure leads to the picture
    by itself, which a phone shows as large as one likes."""
    head, start, article = text.partition("<article")
    seen = 0

    def written(found: re.Match) -> str:
        nonlocal seen
        seen += 1
        if " loading=" in found[0] or " width=" in found[0]:
            return found[0]
        figure, source, attributes = found.groups()
        wait = ' loading="lazy"' if seen > 1 else ""
        scale = SCALE if figure else 1
        picture = f"<img {attributes.rstrip(' /')}{_size(page.parent / html.unescape(source), scale)}{wait}/>"
        return f'{figure}<a class="whole" href="{source}">{picture}</a>' if figure else picture

    return head + start + IMAGE.sub(written, article)


def _size(file: Path, scale: float) -> str:
    """Width and height as attributes; none for what has no pixels."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            return f' width="{round(scale * image.width)}" height="{round(scale * image.height)}"'
    except UnidentifiedImageError:
        return ""


def drawn(text: str, shapes: str) -> str:
    """Icons as SVG with their classes and attributes, which the theme's styles and scripts look for; `shapes`: Font
    Awesome's script."""

    def icon(found: re.Match) -> str:
        classes = " ".join((found[2] + found[3]).split())
        name = NAME.search(classes)
        shape = _shape(name[1], shapes) if name else None
        if shape is None:
            return found[0]
        width, height, line = shape
        return (
            f'<svg class="icon {classes}" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false"'
            f'{found[4]}><path fill="currentColor" d="{line}"/></svg>'
        )

    if not shapes:
        return text
    return ICON.sub(icon, re.sub(r'\s*<script[^>]*src="[^"]*fontawesome\.js[^"]*"></script>', "", text))


@cache  # a site shows a dozen icons some hundred times, and the script is long
def _shape(name: str, shapes: str) -> tuple[str, str, str] | None:
    """(width, height, path) of a solid icon in Font Awesome's script: the last of its sets that has the name."""
    held = re.findall(rf'[{{,]"?{re.escape(name)}"?:\[(\d+),(\d+),\[[^]]*\],"[0-9a-f]+","([^"]+)"\]', shapes)
    return held[-1] if held else None
