"""The theme's dozen icons as drawings in the pages, in place of a script of 1.5 MB that holds every icon there is."""

import re
from functools import cache
from pathlib import Path

SCRIPT = "_static/scripts/fontawesome.js"
ICON = re.compile(r'<(i|span) class="([^"]*\bfa[srb]?\b|[^"]*\bfa-solid\b)([^"]*)"([^>]*)></\1>')
NAME = re.compile(r"\bfa-(?!solid\b|lg\b)([a-z-]+)")


def draw(site: Path) -> None:
    """Draw the icons of every page of `site` and drop the script; a site without the script stays as it is."""
    script = site / SCRIPT
    if not script.is_file():
        return
    shapes = script.read_text(encoding="utf8")
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf8")
        drawn = re.sub(r'\s*<script[^>]*src="[^"]*fontawesome\.js[^"]*"></script>', "", text)
        drawn = ICON.sub(lambda found: drawing(found, shapes), drawn)
        if drawn != text:
            page.write_text(drawn, encoding="utf8")
    for file in script.parent.glob("fontawesome.js*"):
        file.unlink()


def drawing(found: re.Match, shapes: str) -> str:
    """An icon's element as SVG with its classes and attributes, which the theme's styles and scripts look for."""
    classes = " ".join((found[2] + found[3]).split())
    name = NAME.search(classes)
    path = shape(name[1], shapes) if name else None
    if path is None:
        return found[0]
    width, height, line = path
    return (
        f'<svg class="icon {classes}" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false"{found[4]}>'
        f'<path fill="currentColor" d="{line}"/></svg>'
    )


@cache  # a site shows a dozen icons some hundred times, and the script is long
def shape(name: str, shapes: str) -> tuple[int, int, str] | None:
    """(width, height, path) of a solid icon in Font Awesome's script: the last of its sets that has the name."""
    held = re.findall(rf'[{{,]"?{re.escape(name)}"?:\[(\d+),(\d+),\[[^]]*\],"[0-9a-f]+","([^"]+)"\]', shapes)
    return (int(held[-1][0]), int(held[-1][1]), held[-1][2]) if held else None
