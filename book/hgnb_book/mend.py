"""What the theme leaves amiss for a reader who listens to a page or walks it by keys, mended in the rendered HTML.

And no line ends between a number and its per cent.
"""

import re
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


def mend(site: Path) -> None:
    """Rewrite the pages of `site` that have something to mend."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf8")
        mended = mended_page(text)
        if mended != text:
            page.write_text(mended, encoding="utf8")


def mended_page(text: str) -> str:
    """A page's HTML, mended."""
    for pattern, better in MENDS:
        text = re.sub(pattern, better, text)
    return PERCENT.sub(lambda found: "\u00a0%" if found[0] == " %" else found[0], text)
