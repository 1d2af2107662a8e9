"""Every link of a rendered site leads to something in it: a page, a file, an anchor."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

HERE = re.compile(r"^(?![a-z][a-z0-9+.-]*:|//)")  # no scheme, no host


class _Page(HTMLParser):
    """Anchors and links of a page; the heading levels in their order."""

    def __init__(self, text: str):
        super().__init__()
        self.anchors, self.links, self.levels = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.anchors |= {named[key] for key in ("id", "name") if named.get(key)}
        self.links += [named[key] for key in ("href", "src") if named.get(key)]
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))


def broken(site: Path) -> list[str]:
    """Links that lead nowhere, and what a page loads from elsewhere, as 'page: link'."""
    pages = {p: _Page(p.read_text(encoding="utf8")) for p in site.rglob("*.html") if "_static" not in p.parts}
    found = []
    for path, page in pages.items():
        for link in page.links:
            if not HERE.match(link):
                continue
            file, _, name = link.partition("#")
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            missing = not target.exists() or (name and target in pages and unquote(name) not in pages[target].anchors)
            if missing:
                found.append(f"{path.relative_to(site)}: {link}")
    return found


def skipped_levels(site: Path, page: str) -> list[tuple[int, int]]:
    """Places of a page's article where a heading is more than one level below the one before it."""
    text = (site / page).read_text(encoding="utf8")
    levels = _Page(text.partition("<article")[2].partition("</article>")[0]).levels
    return [(a, b) for a, b in zip([0, *levels], levels, strict=False) if b > a + 1]
