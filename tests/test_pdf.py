"""The book on paper: a small site bound and printed, its links, page numbers and outline read back."""

import re
import shutil
from pathlib import Path

import pytest
from browser import CHROMIUM, chromium, opened

from hgnb.errors import InputError
from hgnb_book import bind, pdf

REPOSITORY = Path(__file__).resolve().parents[1]
LONG = "<p>A line of text that fills some of a page.</p>" * 200
FIRST = """<section id="start"><h1>A small <em>book</em><a class="headerlink" href="#start">#</a></h1>
<p>See <a href="_executed/01_a.html#tbl-x">a table</a>, <a href="_executed/01_a.html">a chapter</a>,
<a href="https://example.org/">a site</a> and <a href="_downloads/a.ipynb">a file</a>.</p></section>"""
SECOND = """<section id="one"><h1>1. “One”</h1><img src="../_images/dot.svg" alt="a dot" loading="lazy">
<img src="../_images/wide.svg" alt="a bar" width="3000" height="300">
<p><span class="math notranslate nohighlight">\\(x^2\\)</span> <a href="#one">here</a>
<a href="../index.html">home</a></p>
<script>document.body.remove()</script><details class="hide above-input"><p>code</p></details>
<div class="find-on-page">Find words</div>%s
<section id="far"><h2>1.1. Far away</h2><table id="tbl-x"><tr><td>x</td></tr></table></section></section>"""


@pytest.fixture
def root(tmp_path):
    """A site of two pages as the theme writes them, with the book's own print style and MathJax."""
    sphinx_mathjax = pytest.importorskip("sphinx-mathjax-offline")
    mathjax = next(Path(sphinx_mathjax.__file__).parent.rglob("tex-chtml.js")).parent
    site = tmp_path / "a book" / "site"
    for folder in ("_executed", "_static", "_images"):
        (site / folder).mkdir(parents=True)
    (site.parent / "book").mkdir()
    (site.parent / "book/_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts:\n"
        "  - caption: Chapters & more\n    chapters:\n      - file: _executed/01_a\n"
    )
    for name, article in (("index", FIRST), ("_executed/01_a", SECOND % LONG)):
        page = f'<html><body><article class="bd-article">{article}</article><p class="edition">seed <b>3</b></p></body>'
        (site / f"{name}.html").write_text(page, encoding="utf8")
    dot = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4" cx="4" cy="4"/></svg>'
    for file in ("_images/dot.svg", "_static/logo.svg"):
        (site / file).write_text(dot)
    wide = '<svg xmlns="http://www.w3.org/2000/svg" width="3000" height="300"><rect width="3000" height="300"/></svg>'
    (site / "_images/wide.svg").write_text(wide)
    shutil.copy(REPOSITORY / "book/print.css", site.parent / "book")
    (site / "_static/pygments.css").write_text("")
    (site / "_static/mathjax").symlink_to(mathjax)
    return site.parent


def test_links_stay_in_the_document(root):
    document = bind.bind(root, root / "print")
    contents, _, main = document.partition("</nav>")
    assert re.findall(r'class="level-(\d)" href="#([^"]+)"><span>([^<]+)', contents) == [
        ("1", "page-index", "A small book"), ("1", "page-01_a", "1. “One”"), ("2", "page-01_a--far", "1.1. Far away"),
    ]  # fmt: skip
    assert re.findall(r'href="([^"]+)"', main) == [
        "#page-01_a--tbl-x", "#page-01_a", "https://example.org/", "#page-01_a--one", "#page-index",
    ]  # fmt: skip
    anchors = set(re.findall(r'id="([^"]+)"', document))
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', document)} <= anchors
    assert not [words for words in ("document.body.remove", "above-input", "Find words") if words in main]
    assert 'src="../site/_images/dot.svg"' in main
    assert "Chapters &amp; more" in document


def test_numbers_stand_beside_the_lines_of_the_table_of_contents(root):
    file = root / "book.html"
    file.write_text(bind.bind(root, root), encoding="utf8")
    with chromium() as browser, opened(browser, file) as tab:
        pdf.write_numbers(tab.page, {"page-01_a": 7, "page-elsewhere": 9})
        assert tab.page.locator("nav.contents a").all_text_contents() == ["A small book", "1. “One”7", "1.1. Far away"]


def test_the_book_is_printed_with_the_page_numbers_of_its_outline(root):
    if not Path(CHROMIUM).exists():
        pytest.skip(f"browser: there is no Chromium at {CHROMIUM}")
    file, count = pdf.pdf(root)
    printed = file.read_bytes()
    assert file == root / "site/book.pdf"
    assert [path.name for path in (root / "site").glob("*.pdf*")] == ["book.pdf"]
    number = {page: i for i, page in enumerate(pdf._pages(printed), 1)}
    assert count == len(number) == len(re.findall(rb"/Type /Page\b", printed)) > 6
    # the outline is made of the headings themselves, not of the links that page numbers are read from
    outline = [
        number[int(page)] for page in re.findall(rb"/Title [^\n]*\n(?:/[A-Z]\w+ [^\n]*\n)*?/Dest \[(\d+) 0 R", printed)
    ]
    numbers = pdf.page_numbers(printed)
    assert sorted(outline) == [2, *(numbers[name] for name in ("page-index", "page-01_a", "page-01_a--far"))]
    assert numbers["page-index"] == 3 and numbers["page-01_a"] == 4 < numbers["page-01_a--far"] == count


def test_a_wide_picture_takes_no_more_height_than_it_needs(root):
    document = root / "print.html"
    document.write_text(bind.bind(root, root), encoding="utf8")
    with chromium() as browser:
        page = browser.new_context(offline=True, viewport={"width": 700, "height": 900}).new_page()
        page.emulate_media(media="print")
        page.goto(document.as_uri())
        box = page.locator("img[alt='a bar']").bounding_box()
        width = page.locator("main").first.evaluate("main => main.clientWidth")  # the viewport's less any scroll bar's
    assert width <= 700 and box["width"] == pytest.approx(width, abs=1)
    assert box["width"] / box["height"] == pytest.approx(10, rel=0.02)


def test_a_wide_table_fits_the_paper(root):
    """A table whose cells can't be broken is set smaller; one that fits keeps its letters."""
    row = "<tr>%s</tr>" % ("<td>0.01\u00a0to\u00a00.02</td>" * 12)
    page = root / "site/_executed/01_a.html"
    page.write_text(page.read_text().replace("</article>", f'<table id="wide">{row}</table></article>'))
    document = root / "print.html"
    document.write_text(bind.bind(root, root), encoding="utf8")
    size = "table => parseFloat(getComputedStyle(table).fontSize)"
    with chromium() as browser:
        tab = browser.new_context(offline=True, viewport={"width": 643, "height": 900}).new_page()
        tab.goto(document.as_uri())
        wide, small = (tab.locator(f"[id='page-01_a--{name}']") for name in ("wide", "tbl-x"))
        before = wide.evaluate(size)
        assert wide.bounding_box()["width"] > 643
        pdf.fit_tables(tab)
        assert wide.bounding_box()["width"] <= 643
        assert small.evaluate(size) == before > wide.evaluate(size) > before / 2


def test_a_head_stays_with_its_rows_and_a_formula_with_its_words(tmp_path):
    """However full the page above is: alone at its foot, a head or the words before a formula say nothing."""
    table = '<table><caption id="a%s">A caption</caption><thead><tr><th>Head</th></tr></thead><tbody>%s</tbody></table>'
    words = '<p id="a%s">It is</p><div class="math" style="height: 12mm">%s</div>'
    made, places = [], []
    for top in range(230, 250, 2):  # of the 255 mm between the margins
        for kind, (form, second) in enumerate([(table, '<tr><td id="b%s">1</td></tr>'), (words, '<i id="b%s"></i>')]):
            place = f"{top}-{kind}"
            made.append(f'<div style="break-before: page; height: {top}mm"></div>' + form % (place, second % place))
            places.append(place)
    links = "".join(f'<a href="#a{place}">a</a><a href="#b{place}">b</a>' for place in places)
    style = (REPOSITORY / "book/print.css").read_text()
    (tmp_path / "page.html").write_text(f"<style>{style}</style>{links}{''.join(made)}")
    with chromium() as browser, opened(browser, tmp_path / "page.html") as tab:
        numbers = pdf.page_numbers(pdf._printed(tab.page))
    assert [place for place in places if numbers[f"a{place}"] != numbers[f"b{place}"]] == []
    assert len(set(numbers.values())) > len(places) / 2


def test_nothing_to_print_is_one_sentence(root):
    (root / "site/_executed/01_a.html").unlink()
    with pytest.raises(InputError, match=r"no page _executed/01_a.html .*run 'hgnb book' first"):
        bind.bind(root, root)


def test_no_browser_is_one_sentence(root, monkeypatch):
    monkeypatch.setenv("HGNB_CHROMIUM", str(root / "nothing"))
    with pytest.raises(InputError, match="needs Chromium"):
        pdf.pdf(root)


def test_pages_are_counted_through_a_tree():
    tree = b"1 0 obj\n<</Type /Pages\n/Count 3\n/Kids [5 0 R 2 0 R]>>\nendobj\n"
    tree += b"2 0 obj\n<</Type /Pages\n/Kids [9 0 R 4 0 R]>>"
    assert pdf._pages(tree) == [5, 9, 4]
    assert pdf.page_numbers(tree + b"\n<</a--b [4 0 R /XYZ 1 2 0]\n/c [5 0 R /XYZ 1 2 0]>>") == {"a--b": 3, "c": 1}
