"""The book on paper: the bound document printed by Chromium, twice, because only a print knows its page numbers."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hgnb.errors import InputError
from hgnb.home import write_whole
from hgnb_book.bind import bind

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]  # a page of our own, with no network
PATIENCE = 600_000  # milliseconds for all formulas and pictures of the book
READY = """async () => {
    await MathJax.startup.promise;
    await document.fonts.ready;
    await Promise.all([...document.images].map(image => image.decode().catch(() => {
        throw new Error(`${image.getAttribute("src")} can't be shown`);
    })));
}"""
# What print.css leaves of A4 between its margins; the paddings of a table go with the size of its letters.
FITTED = """() => {
    document.body.style.width = "170mm";
    for (const table of document.querySelectorAll("main table")) {
        const share = table.closest("main").clientWidth / table.offsetWidth;
        if (share < 1) table.style.fontSize = `${0.99 * share * parseFloat(getComputedStyle(table).fontSize)}px`;
    }
    document.body.style.width = "";
}"""
NUMBERED = """pages => document.querySelectorAll("i[data-page]").forEach(
    place => { place.textContent = pages[place.dataset.page] ?? ""; })"""


def pdf(root: Path, out: Path | None = None) -> tuple[Path, int]:
    """Print the site of `root` to `out`, site/book.pdf if not given; the file and how many pages it has.

    InputError where there is no site, no browser or no playwright.
    """
    out = out or root / "site" / "book.pdf"
    with tempfile.TemporaryDirectory() as name, browser() as opened:
        folder = Path(name).resolve()
        page = opened.new_context(offline=True).new_page()
        page.set_default_timeout(PATIENCE)
        file = folder / "book.html"
        file.write_text(bind(root.resolve(), folder), encoding="utf8")
        page.goto(file.as_uri(), wait_until="load")
        page.evaluate(READY)
        fit_tables(page)
        write_numbers(page, page_numbers(_printed(page)))
        printed = _printed(page)
    write_whole(out, printed)
    return out, len(_pages(printed))


def _printed(page) -> bytes:
    return page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)


def write_numbers(page, pages: dict[str, int]) -> None:
    """Writes page numbers, by anchor, into the table of contents of the open document."""
    page.evaluate(NUMBERED, pages)


def fit_tables(page) -> None:
    """Sets tables of the open document that are wider than the paper in smaller letters."""
    page.evaluate(FITTED)


def page_numbers(printed: bytes) -> dict[str, int]:
    """The page, from 1, of every anchor that a link leads to, read from a PDF as Chromium writes it."""
    number = {page: i for i, page in enumerate(_pages(printed), 1)}
    found = re.findall(rb"/([\w-]+) \[(\d+) 0 R /XYZ", printed)
    return {name.decode(): number[int(page)] for name, page in found if int(page) in number}


def _pages(printed: bytes) -> list[int]:
    """Numbers of the PDF's page objects in their order; a node of the page tree holds pages and nodes."""
    tree = {
        int(number): [int(kid) for kid in re.findall(rb"(\d+) 0 R", kids)]
        for number, kids in re.findall(rb"(\d+) 0 obj\s*<</Type /Pages\b[^>]*?/Kids \[([^]]*)\]", printed)
    }
    roots = set(tree) - {kid for kids in tree.values() for kid in kids}

    def leaves(node: int) -> list[int]:
        return [leaf for kid in tree[node] for leaf in leaves(kid)] if node in tree else [node]

    return [leaf for root in sorted(roots) for leaf in leaves(root)]


@contextmanager
def browser() -> Iterator:
    """Chromium or one of its kin, from HGNB_CHROMIUM, the system, or as playwright installs it."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise InputError("Printing needs playwright: run 'pip install playwright'.") from error
    there = os.environ.get("HGNB_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as play:
        try:
            browser = play.chromium.launch(executable_path=there, args=FLAGS)
        except Error as error:
            raise InputError(
                "Printing needs Chromium or Chrome: install one, name it in HGNB_CHROMIUM, "
                "or run 'playwright install chromium'."
            ) from error
        try:
            yield browser
        finally:
            browser.close()
