"""axe-core on the rendered pages: contrast, names, roles, headings and landmarks as a browser shows them.

The script comes from the npm registry, at one version whose hash is known, and stays in the user's cache.
"""

import os
import tarfile
from functools import cache
from itertools import product

import pooch
import pytest

AXE = "https://registry.npmjs.org/axe-core/-/axe-core-4.14.1.tgz"
HASH = "sha256:e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
# Formulas are MathJax's: their thousands of boxes take minutes and hold no text of ours. Words of code look alike, kind
# by kind: of each, one is left for each place that holds code, seen or folded away.
PARE = """() => {
    document.querySelectorAll("mjx-container").forEach(formula => formula.replaceChildren());
    const met = new Set();
    document.querySelectorAll("pre span[class]").forEach(word => {
        const place = word.closest("pre").parentElement.parentElement.className;
        const kind = [word.className, place, word.checkVisibility()].join();
        if (met.has(kind)) word.replaceWith(...word.childNodes);
        met.add(kind);
    });
}"""
RUN = """async () => (await axe.run({exclude: [["mjx-container"]]}, {resultTypes: ["violations"]})).violations
    .map(v => [v.id, v.impact, v.nodes.map(n => n.html.slice(0, 200))])"""


@cache
def axe() -> str:
    """The script; empty where it can't be had, and a failure where HGNB_REQUIRE_AXE says it must be."""
    try:
        archive = pooch.retrieve(AXE, HASH, path=pooch.os_cache("hgnb-tests"), progressbar=False)
    except OSError as error:  # requests' own are; another hash is a ValueError, and no reason to go on without
        if os.environ.get("HGNB_REQUIRE_AXE") == "1":
            pytest.fail(f"axe-core is required and can't be fetched: {error}")
        return ""
    with tarfile.open(archive) as content:
        return content.extractfile("package/axe.min.js").read().decode()


def accessible(tab, name: str) -> None:
    """Assert that axe-core, where it can be had, finds nothing on an open page in the light and in the dark, on a
    laptop and on a phone; its formulas are gone afterwards."""
    if axe():
        tab.page.evaluate(PARE)
        tab.page.evaluate(axe())
        for scheme, width in product(("light", "dark"), (1280, 390)):
            tab.page.emulate_media(color_scheme=scheme)
            tab.page.set_viewport_size({"width": width, "height": 900})
            tab.page.wait_for_timeout(600)  # the theme answers to a new width after 300
            found = tab.page.evaluate(RUN)
            assert not found, f"{name}, {width} px wide, {scheme}: {found}"
