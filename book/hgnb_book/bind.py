"""All pages of a rendered site as one document that can be printed: cover, table of contents, chapters.

Every page's anchors get the page's name in front, so that links between pages become links within the document.
Beautiful Soup comes with Jupyter Book's theme.
"""

import html
import os
import re
from dataclasses import dataclass
from pathlib import Path

from hgnb.errors import InputError
from hgnb_book.toc import Part, parts

# what only a screen has a use for; a cell whose input is folded away stays without it
SCREEN = (
    "script, .headerlink, .live, .live-part, .toctree-wrapper, .chapter-tools, details.hide.above-input, "
    "details.folded > summary, .only-screen, .find-on-page"
)
MATHJAX = '<script src="{static}/mathjax/tex-chtml.js"></script>'
SETTINGS = 'window.MathJax = {"options": {"processHtmlClass": "tex2jax_process|mathjax_process|math|output_area"}}'


@dataclass(frozen=True)
class Heading:
    """A line of the printed table of contents."""

    anchor: str
    title: str
    level: int  # 1 a chapter, 2 a section


def bind(root: Path, folder: Path) -> str:
    """The site of `root` as a document that lies in `folder`; InputError where there is no whole site."""
    site = root / "site"
    listed = parts(root / "book" / "_toc.yml")
    pages = [page for part in listed for page in part.pages]
    for page in pages:
        if not (site / f"{page}.html").is_file():
            raise InputError(f"There is no page {page}.html in {site} to print: run 'hgnb book' first.")
    articles = {page: _article(site, page, pages, folder) for page in pages}
    headings = {page: _headings(article, page) for page, article in articles.items()}
    # not in _static: Jupyter Book gives every page all styles that lie there
    style = (root / "book" / "print.css").read_text(encoding="utf8")
    start = (site / f"{pages[0]}.html").read_text(encoding="utf8")
    edition = re.search(r'<p class="edition">(.*?)</p>', start, re.S)
    return "\n".join(
        [
            _head(headings[pages[0]][0].title, os.path.relpath(site / "_static", folder), style, headings),
            _cover(site, headings[pages[0]][0].title, edition[1] if edition else ""),
            _contents(listed, headings),
            *(f'<main class="{_class(page)}">{articles[page]}</main>' for page in pages),
            "</body></html>",
        ]
    )


def _article(site: Path, page: str, pages: list[str], folder: Path):
    """The article of a page, its anchors and links made those of the whole document."""
    from bs4 import BeautifulSoup

    article = BeautifulSoup((site / f"{page}.html").read_text(encoding="utf8"), "html.parser").select_one("article")
    for thing in article.select(SCREEN):
        thing.decompose()
    for thing in article.select("details"):
        thing["open"] = ""
    here = (site / page).parent
    for thing in article.select("[id]"):
        thing["id"] = anchor(page, thing["id"])
    for image in article.select("img"):
        image["src"] = os.path.relpath(here / image["src"], folder)
        image.attrs.pop("loading", None)  # a page that is printed isn't scrolled through
    for link in article.select("a[href]"):
        if re.match(r"[a-z]+:", link["href"]):
            continue
        file, _, name = link["href"].partition("#")
        target = os.path.relpath(here / file, site).removesuffix(".html") if file else page
        if target in pages:
            link["href"] = "#" + (anchor(target, name) if name else anchor(target))
        else:
            link.unwrap()  # a download lies beside the site, not in the print
    article["id"] = anchor(page)
    return article


def anchor(page: str, name: str = "") -> str:
    """The name of a page, or of a place in it, in the whole document."""
    return f"{_class(page)}--{name}" if name else _class(page)


def _class(page: str) -> str:
    return "page-" + re.sub(r"\W+", "-", Path(page).name)


def _headings(article, page: str) -> list[Heading]:
    """Title and sections; the title stands for the page, whose anchor is the article's."""
    found = []
    for line in article.select("h1, h2"):
        name = anchor(page) if line.name == "h1" else line.find_parent("section")["id"]
        found.append(Heading(name, " ".join(line.get_text().split()), int(line.name[1])))
    return found


def _head(title: str, static: str, style: str, headings: dict[str, list[Heading]]) -> str:
    """Title, styles and MathJax; the title of a chapter runs along its pages."""
    running = "\n".join(
        f"@page {_class(page)} {{ @top-center {{ content: {_quoted(found[0].title)}; }} }}\n"
        f"main.{_class(page)} {{ page: {_class(page)}; }}"
        for page, found in headings.items()
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<link rel="stylesheet" href="{static}/pygments.css"><style>{style}\n{running}</style>'
        f"<script>{SETTINGS}</script>{MATHJAX.format(static=static)}</head><body>"
    )


def _quoted(words: str) -> str:
    """As a string of CSS within HTML's style element."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ") + '"'


def _cover(site: Path, title: str, edition: str) -> str:
    logo = (site / "_static" / "logo.svg").read_text(encoding="utf8")
    return (
        f'<section class="cover">{logo}<p class="title">{html.escape(title)}</p>'
        "<p>2D human pose estimation with a stacked hourglass network,<br>and explainable AI on its latent space</p>"
        f'<p class="edition">{edition}</p></section>'
    )


def _contents(listed: list[Part], headings: dict[str, list[Heading]]) -> str:
    lines = []
    for part in listed:
        lines += [f'<p class="part">{html.escape(part.caption)}</p>'] if part.caption else []
        for page in part.pages:
            for found in headings[page]:
                name = html.escape(found.anchor)
                words = f"<span>{html.escape(found.title)}</span>"
                page_number = f'<i data-page="{name}">000</i>'
                lines.append(f'<a class="level-{found.level}" href="#{name}">{words}{page_number}</a>')
    return f'<nav class="contents"><h1>Contents</h1>{"".join(lines)}</nav>'
