"""What a built site weighs, how soon a page shows something, and how long it is: every page, opened from disk in
headless Chromium.

python benchmarks/pages.py [folder of the site]: `site` if not given. For each page the megabytes that it reads before
anybody scrolls, its own (HTML, data, pictures) and the theme's, the seconds until its first words are painted and
until its first picture is there, each the median of some visits with nothing cached; and the pixels from its top to
its end on a laptop and on a phone. The result goes to benchmarks/results/pages.json.
"""

import json
import re
import statistics
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

from book import ROOT, machine
from hgnb_book import pdf

VISITS = 3
LIMITS = {"own_mb": 2, "all_mb": 8, "picture_s": 1, "site_mb": 80}
WIDTHS = {"laptop_px": 1280, "phone_px": 390}
WATCH = """document.addEventListener("load", e => {
    if (e.target.tagName === "IMG" && e.target.closest("article")) window.firstPicture ??= performance.now();
}, true)"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def visited(browser, page: Path) -> dict:
    """One visit, in a context of its own: nothing is cached."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    context.add_init_script(WATCH)
    tab, files = context.new_page(), set()
    tab.on("request", lambda r: files.add(r.url))
    tab.goto(page.as_uri(), wait_until="load")
    tab.wait_for_timeout(300)
    seen = {"painted_s": tab.evaluate(PAINTED), "picture_s": tab.evaluate("window.firstPicture ?? null")}
    context.close()
    read = {Path(unquote(urlparse(url).path)) for url in files if url.startswith("file:")}
    sizes = {file: file.stat().st_size / 2**20 for file in read if file.is_file()}
    own = sum(size for file, size in sizes.items() if "_static" not in file.parts)
    return {"own_mb": own, "all_mb": sum(sizes.values())} | {k: v and v / 1000 for k, v in seen.items()}


def lengths(browser, page: Path) -> dict:
    """Pixels from top to end with all pictures there, for each of the widths."""
    context = browser.new_context(offline=True)
    tab, found = context.new_page(), {}
    tab.goto(page.as_uri(), wait_until="load")
    tab.evaluate("[...document.images].forEach(i => i.loading = 'eager')")
    tab.wait_for_function("[...document.images].every(i => i.complete)")
    for key, width in WIDTHS.items():
        tab.set_viewport_size({"width": width, "height": 900})
        tab.wait_for_timeout(500)
        found[key] = tab.evaluate("document.documentElement.scrollHeight")
    context.close()
    return found


def measured(browser, page: Path) -> dict:
    """The median of some visits, and how long the page is; a page without pictures has no time to its first."""
    visits = [visited(browser, page) for _ in range(VISITS)]
    return lengths(browser, page) | {
        key: round(statistics.median(values), 3) if (values := [v[key] for v in visits if v[key] is not None]) else None
        for key in visits[0]
    }


def main() -> None:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "site").resolve()
    pages = sorted(p for p in site.rglob("*.html") if "_static" not in p.parts)
    with pdf.browser() as browser:
        found = {p.relative_to(site).as_posix(): measured(browser, p) for p in pages}
    edition = re.search(r"profile <b>(\S+?)</b>", (site / "index.html").read_text(encoding="utf8"))
    whole = sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) / 2**20
    result = {
        "profile": edition[1] if edition else None, "visits": VISITS, "limits": LIMITS, "site_mb": round(whole, 1),
        "pages": found, "machine": machine(),
    }  # fmt: skip
    out = ROOT / "benchmarks" / "results" / "pages.json"
    out.write_text(json.dumps(result, indent=1) + "\n")
    for key in ("own_mb", "all_mb", "painted_s", "picture_s", *WIDTHS):
        name, most = max(((n, p[key]) for n, p in found.items() if p[key] is not None), key=lambda pair: pair[1])
        print(f"largest {key}: {most} ({name}), limit {LIMITS.get(key, 'none')}")
    print(f"the site: {whole:.1f} MB, limit {LIMITS['site_mb']}")


if __name__ == "__main__":
    main()
