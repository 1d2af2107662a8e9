"""What is left out before axe-core looks at a page hides nothing from it."""

import pytest
from accessibility import PARE, accessible, axe
from browser import chromium, opened

PAGE = """<!doctype html><html lang="en"><title>Code</title>
<style>body {{ background: white; color: black }} .k {{ color: #00008b }} .c {{ color: {colour} }}</style>
<main><h1>Code</h1><div class="input"><div><pre tabindex="0"><span class="k">if</span> x: <span class="k">pass</span>
<span class="c"># a remark</span> <span class="c"># another</span></pre></div></div></main>"""


def test_one_word_of_each_kind_is_enough(tmp_path):
    if not axe():
        pytest.skip("axe-core can't be fetched: whether the pages are accessible isn't known")
    for name, colour in (("dark.html", "#555"), ("pale.html", "#ddd")):
        (tmp_path / name).write_text(PAGE.format(colour=colour))
    with chromium() as browser:
        with opened(browser, tmp_path / "dark.html") as tab:
            words = tab.page.locator("pre").inner_text()
            accessible(tab, "dark")
            assert tab.page.locator("pre span").count() == 2 and tab.page.locator("pre").inner_text() == words
        with opened(browser, tmp_path / "pale.html") as tab:
            tab.page.evaluate(PARE)
            with pytest.raises(AssertionError, match="color-contrast"):
                accessible(tab, "pale")
