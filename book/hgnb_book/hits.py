"""Where a search hits: what each section of the book says, for the page that lists results (book/search.js)."""

import json
import re
from pathlib import Path

NO_TEXT = "script, .headerlink, .live, .live-part, .chapter-tools, details.hide, .toctree-wrapper, div.math"
SOURCE = Path(__file__).resolve().parents[1] / "search.js"  # not in _static: every page would get it
SCRIPT = "_static/hits.js"


def write(site: Path, pages: list[str]) -> None:
    """Gives the search page of `site` the sections of `pages` and the script that shows them below the results."""
    sections = {f"{page}.html": _sections(site / f"{page}.html") for page in pages}
    data = json.dumps(sections, ensure_ascii=False, separators=(",", ":"))
    (site / SCRIPT).write_text(f"const sections = {data};\n{SOURCE.read_text(encoding='utf8')}", encoding="utf8")
    search = site / "search.html"
    text = search.read_text(encoding="utf8")
    search.write_text(text.replace("</body>", f'<script src="{SCRIPT}"></script></body>'), encoding="utf8")


def _sections(page: Path) -> list[tuple[str, str, str]]:
    """(anchor, heading, text without that of sections within it) of each section of a page, in its order."""
    from bs4 import BeautifulSoup

    article = BeautifulSoup(page.read_text(encoding="utf8"), "html.parser").select_one("article")
    for thing in article.select(NO_TEXT):
        thing.decompose()
    for term in article.select("dt"):
        term.append(" ")  # what it means follows without one
    found = []
    for section in reversed(article.select("section[id]")):  # those within another one first
        heading = section.find(["h1", "h2", "h3", "h4"])
        title = _plain(heading.extract()) if heading else ""
        found.append((section["id"], title, _plain(section)))
        section.extract()
    return found[::-1]


def _plain(element) -> str:
    return " ".join(re.sub(r"\\[()]", "", element.get_text()).split())  # formulas in a line without their brackets
