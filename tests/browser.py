"""A page as a reader sees it: opened from disk in headless Chromium, with the network off."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

CHROMIUM = os.environ.get("HGNB_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 120_000  # milliseconds: a machine may be busy with other tests
NAMELESS = """[...document.querySelectorAll("button, a[href], input")].filter(e => e.offsetParent &&
    !(e.textContent.trim() || e.getAttribute("aria-label") || e.title || e.placeholder
      || [...(e.labels ?? [])].some(l => l.textContent.trim()) || e.querySelector("img[alt]")))
    .map(e => e.outerHTML.slice(0, 120))"""
# headings whose link, which is seen only when one points at it, takes a line of its own
GAPPED = """[...document.querySelectorAll("article :is(h2, h3, h4) > .headerlink")].filter(link => {
    const tall = link.parentElement.offsetHeight;
    link.style.display = "none";
    const alone = link.parentElement.offsetHeight;
    link.style.display = "";
    return tall > alone;
}).map(link => link.parentElement.textContent)"""
# tables that a phone doesn't show whole: they stand as lists of their rows there
CUT = """[...document.querySelectorAll("article .pst-scrollable-table-container")]
    .filter(box => innerWidth < 500 && box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
    .map(box => box.innerText.slice(0, 60))"""
PICTURES = "[...document.images].map(i => [i.src, i.complete && i.naturalWidth > 0, i.alt])"


@contextmanager
def chromium() -> Iterator:
    """A browser; skips where there is none, fails where there must be one."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("HGNB_REQUIRE_BROWSER") == "1":
            pytest.fail(f"A browser is required, and there is no Chromium at {CHROMIUM}.")
        pytest.skip(f"browser: there is no Chromium at {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser, file: Path, *, width: int = 1280, **view) -> Iterator[SimpleNamespace]:
    """The page of a file with the network off; `complaints` and `requests` of it fill as it lives.

    `view`: color_scheme, java_script_enabled, has_touch as playwright's new_context takes them.
    """
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900}, **view)
    context.set_default_timeout(PATIENCE)
    page, complaints, requests = context.new_page(), [], []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.on("requestfailed", lambda r: complaints.append(f"not loaded: {r.url}"))
    page.on("request", lambda r: requests.append(r.url))
    page.goto(file.as_uri(), wait_until="load")
    yield SimpleNamespace(page=page, complaints=complaints, requests=requests)
    context.close()


def _seen(tab) -> dict:
    """What an open page shows: complaints, pictures, formulas, names, and by how much it is too wide."""
    page = tab.page
    # pictures wait until a reader comes near them
    page.evaluate("[...document.images].forEach(i => i.loading = 'eager')")
    page.wait_for_function("[...document.images].every(i => i.complete)")
    page.wait_for_timeout(500)
    if page.query_selector("span.math, div.math"):
        page.wait_for_selector("mjx-container", timeout=20_000)
    return {
        "complaints": tab.complaints,
        "pictures": page.evaluate(PICTURES),
        "formulas": [page.locator("span.math, div.math").count(), page.locator("mjx-container").count()],
        "nameless": page.evaluate(NAMELESS),
        "gapped": page.evaluate(GAPPED),
        "cut": page.evaluate(CUT),
        "overhang": page.evaluate("document.documentElement.scrollWidth - innerWidth"),
    }


def sound(tab, name: str) -> None:
    """Assert that an open page shows its pictures and formulas, names every button, and fits its screen."""
    seen = _seen(tab)
    assert not seen["complaints"], name
    assert not [picture for picture in seen["pictures"] if not (picture[1] and picture[2])], name
    assert seen["formulas"][0] == seen["formulas"][1], name
    assert not seen["nameless"], name
    assert not seen["gapped"], name
    assert not seen["cut"], name
    assert seen["overhang"] <= 0, f"{name} is wider than its screen"


def in_browser(index: Path, *pages: str) -> None:
    """Assert that pages are sound; each is loaded once and then made as narrow as a phone."""
    with chromium() as browser:
        for name in pages:
            with opened(browser, index.parent / name) as tab:
                for width in (1280, 390):
                    tab.page.set_viewport_size({"width": width, "height": 900})
                    sound(tab, f"{name}, {width} px wide")
