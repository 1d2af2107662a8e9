"""The whole book with the smallest profile, from an empty folder to pages: on drawn and on real people."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urlparse

import nbformat
import pytest
from accessibility import accessible, axe
from browser import chromium, opened, sound
from links import broken, skipped_levels

from hgnb_book import toc
from hgnb_book.bind import bind
from hgnb_book.pdf import page_numbers

REPOSITORY = Path(__file__).resolve().parents[1]
REAL = Path(os.environ.get("HGNB_REAL_DATA", REPOSITORY.parent / "shared" / "real"))
PARTS = ["Snakefile", "_config.yml", "benchmarks", "book", "notebooks", "profiles", "hgnb", "results"]


def labelled(chapter):
    """What the cells of a chapter's source call their figures."""
    cells = nbformat.read(chapter, as_version=4).cells
    return {c.metadata["mystnb"]["figure"]["name"] for c in cells if "figure" in c.metadata.get("mystnb", {})}


@pytest.fixture
def clone(tmp_path):
    """The repository's sources in a folder of their own, without anything a build made."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    made = shutil.ignore_patterns("_executed", "__pycache__", ".ipynb_checkpoints")
    for part in PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=made)
        else:
            shutil.copy(source, folder / part)
    return folder


def hgnb(clone, *words):
    """Run the command in the clone; the finished process."""
    command = [sys.executable, "-m", "hgnb_book.cli", *words]
    plain = {name: value for name, value in os.environ.items() if name != "HGNB_HOME"}
    plain["PYTHONPATH"] = f"{clone}:{clone / 'book'}:{clone / 'notebooks'}"
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, env=plain, timeout=900)


def pages_hold_their_figures(clone, *, all_drawn):
    site = clone / "site"
    for page in toc.pages(clone / "book/_toc.yml"):
        text = (site / f"{page}.html").read_text(encoding="utf8")
        assert str(clone) not in text
        assert "Traceback" not in text
        if not page.startswith("_executed/"):
            continue
        chapter = Path(page).name
        (offered,) = re.findall(r'class="chapter-tools[ "].*?</div>', text, re.S)
        assert re.search(rf'href="[^"]*_downloads/[^"]*/{chapter}.ipynb"', offered) and "JupyterLab" in offered
        labels = set(re.findall(r' id="((?:fig|tbl)-[^"]+)"', text))
        assert labelled(clone / f"notebooks/{chapter}.ipynb") <= labels, chapter
        for cell in nbformat.read(clone / "book" / f"{page}.ipynb", as_version=4).cells:
            words = cell.metadata.get("mystnb", {})
            if "figure" in words:
                if all_drawn:
                    assert "image" in words, f"{words['figure']['name']} isn't drawn"
                if "image" in words:
                    alts = [html.unescape(alt) for alt in re.findall(r'alt="([^"]*)"', text)]
                    assert words["image"]["alt"] in alts
                    assert re.search(rf'id="{words["figure"]["name"]}".*?<figcaption>.*?caption-text', text, re.S)


def parts_answer(page):
    """The latent map names a person under the keys, the walk one for every step; the pictures are there."""
    with chromium() as browser, opened(browser, page) as tab:
        told = {}
        for figure, keys in (("fig-latent-map", "canvas.live-board"), ("fig-pc-walks", "input[type=range]")):
            part = tab.page.locator(f"#{figure} .live-part")
            part.scroll_into_view_if_needed()
            part.locator(keys).focus()
            told[figure] = set()
            for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"):
                tab.page.keyboard.press(key)
                told[figure].add(part.locator(".live-words strong").first.text_content())
        assert len(told["fig-latent-map"]) > 1
        assert all("Person " in name for names in told.values() for name in names)
        tab.page.wait_for_timeout(500)
        assert len([url for url in tab.requests if url.endswith(".webp")]) == 6
        assert not tab.complaints


def on_paper(clone):
    """The book as one PDF, with a page number for every line of its table of contents."""
    done = hgnb(clone, "pdf")
    assert done.returncode == 0, done.stderr
    numbers = page_numbers((clone / "site/book.pdf").read_bytes())
    contents = bind(clone, clone).partition("</nav>")[0]
    anchors = re.findall(r'class="level-\d" href="#([^"]+)"', contents)
    assert len(anchors) > 50 and set(anchors) <= set(numbers)
    assert [numbers[anchor] for anchor in anchors] == sorted(numbers[anchor] for anchor in anchors)


def search_answers(index):
    """The theme's search field leads to a page of results with links into the book; so does the field of a page."""
    with chromium() as browser:
        with opened(browser, index) as tab:
            tab.page.locator("button.search-button-field:visible").click()
            tab.page.keyboard.type("silhouette")
            icon, field = (tab.page.locator(f"#pst-search-dialog {part}").bounding_box() for part in ("svg", "input"))
            assert icon["x"] + icon["width"] <= field["x"], "the magnifying glass lies over what is searched for"
            tab.page.keyboard.press("Enter")
            # results come one after the other
            found = tab.page.locator("#search-results li", has=tab.page.locator("a[href$='A2_building_blocks.html']"))
            found.first.wait_for()
            # each says where it hits, and leads there
            hit = found.locator(".hit", has=tab.page.get_by_role("link", name="The silhouette", exact=True))
            assert "silhouette" in hit.locator("mark").first.text_content().lower()
            assert hit.locator("a").get_attribute("href") == "_executed/A2_building_blocks.html#the-silhouette"
            assert not tab.complaints
        with opened(browser, index.parent / "questions.html") as tab:
            entries = tab.page.locator("article section section section:visible")
            assert entries.count() == 39
            tab.page.get_by_label("Find on this page").fill("relu range")
            assert [entry.locator("h3").text_content().rstrip("#") for entry in entries.all()] == [
                "6.2 · What does it mean that ReLU keeps the autoencoder “in the same range” as the hourglass?"
            ]
            tab.page.evaluate("location.hash = 'question-1-2'")
            tab.page.wait_for_function("!document.querySelector('article section[hidden]')")


def on_one_screen(page):
    """The first page: what was claimed, what became of it, why and three ways in, on a laptop and on a phone."""
    with chromium() as browser:
        for width, height in ((1280, 800), (390, 844)):
            with opened(browser, page, width=width) as tab:
                bottoms = [
                    tab.page.evaluate(f"document.querySelector('article {part}').getBoundingClientRect().bottom")
                    for part in (".counts", "img.front", ".ways")
                ]
                assert bottoms == sorted(bottoms) and bottoms[-1] <= height, (width, bottoms)


def verdicts_are_the_ledgers(site):
    """As rendered, each claim's first verdict is that of the first ledger that the page shows."""
    page = (site / "_executed/05_discussion.html").read_text(encoding="utf8")
    held = json.loads((REPOSITORY / "results/claims-photos-coco-val2017.json").read_text(encoding="utf8"))
    shown = re.findall(r'id="claim-([cl]\d+)".*?class="verdict (\w+)"', page, re.S)
    assert dict(shown) == {row["id"].lower(): row["verdict"] for row in held["claims"]}


def weighed(tab):
    """Megabytes of its own that a page read before anybody scrolled: its HTML, data and pictures."""
    files = {Path(unquote(urlparse(url).path)) for url in tab.requests if url.startswith("file:")}
    return sum(file.stat().st_size for file in files if "_static" not in file.parts) / 2**20


def looked_at(site, pages):
    """Every page of the book as readers see it, and the theme's own two, on a laptop and on a phone."""
    with chromium() as browser:
        for name in (*pages, "search.html", "genindex.html"):
            with opened(browser, site / name) as tab:
                tab.page.wait_for_timeout(500)
                assert weighed(tab) <= 2, name
                for width in (1280, 390) if name in pages else ():
                    tab.page.set_viewport_size({"width": width, "height": 900})
                    sound(tab, f"{name}, {width} px wide")
                accessible(tab, name)


def test_embedded(clone):
    """Everything once, then nothing, then only what changed."""
    done = hgnb(clone, "book", "--profile", "smoke")
    assert done.returncode == 0, done.stderr
    assert str(clone / "site" / "index.html") in done.stdout
    assert "hourglass" in done.stdout
    pages_hold_their_figures(clone, all_drawn=True)
    pages = [f"{page}.html" for page in toc.pages(clone / "book/_toc.yml")]
    looked_at(clone / "site", pages)
    parts_answer(clone / "site/_executed/03_interpretation.html")
    search_answers(clone / "site/index.html")
    on_one_screen(clone / "site/index.html")
    verdicts_are_the_ledgers(clone / "site")
    assert broken(clone / "site") == []
    assert [page for page in pages if skipped_levels(clone / "site", page)] == []
    assert sum(file.stat().st_size for file in (clone / "site").rglob("*") if file.is_file()) < 80 * 2**20
    on_paper(clone)

    start = time.monotonic()
    again = hgnb(clone, "book", "--profile", "smoke")
    assert again.returncode == 0, again.stderr
    assert "✓" not in again.stderr
    assert time.monotonic() - start < 30  # 5 s on an idle machine; benchmarks measure it

    chapter = clone / "notebooks/B1_trust.ipynb"
    notebook = nbformat.read(chapter, as_version=4)
    notebook.cells[0].source += "\n\nOne more sentence."
    nbformat.write(notebook, chapter)
    again = hgnb(clone, "book", "--profile", "smoke")
    assert again.returncode == 0, again.stderr
    assert re.findall(r"✓ (\S+)", again.stderr) == ["B1_trust", "site"]

    # a chapter that fails: one sentence, and the site of before
    notebook.cells.append(nbformat.v4.new_code_cell('raise ValueError("no elbow")'))
    nbformat.write(notebook, chapter)
    failed = hgnb(clone, "book", "--profile", "smoke")
    assert failed.returncode == 1
    assert re.search(r"^Chapter B1_trust\.ipynb stopped at .*ValueError: no elbow$", failed.stderr, re.M)
    assert "Traceback" not in failed.stderr
    assert "One more sentence." in (clone / "site/_executed/B1_trust.html").read_text(encoding="utf8")
    assert not (clone / "book/_executed/B1_trust.ipynb").exists()

    if not axe():
        pytest.skip("axe-core can't be fetched: whether the pages are accessible isn't known")


def photographs(name):
    """A folder of real data; skips where it is absent, fails where it must not be."""
    folder = REAL / name
    if not folder.is_dir():
        if os.environ.get("HGNB_REQUIRE_REAL") == "1":
            pytest.fail(f"Real data are required, and there is no folder {folder}.")
        pytest.skip(f"real data: there is no folder {folder}")
    return folder


def test_real(clone):
    """COCO's own photographs: few persons with all keypoints, crowds, persons without any."""
    folder = photographs("coco-mini")
    done = hgnb(clone, "book", "--profile", "smoke", "--data", str(folder))
    assert done.returncode == 0, done.stderr
    pages_hold_their_figures(clone, all_drawn=False)
    for page in toc.pages(clone / "book/_toc.yml"):
        text = (clone / "site" / f"{page}.html").read_text(encoding="utf8")
        assert "data <b>coco-mini</b>" in text
        assert str(folder) not in text


def test_another_schema(clone):
    """Fourteen keypoints, one person an image, none hidden: the chapters that read the dataset and both networks."""
    folder, smoke = photographs("lspet"), ("-p", "profile", "smoke")
    chapters = {"01_dataset": ("coco-example", "crops"), "05_discussion": ("clusters-ae", "explained-variance")}
    for chapter, always in chapters.items():
        out = clone / f"{chapter}.ipynb"
        given = [*smoke, "-p", "data", str(folder)]
        done = hgnb(clone, "run", f"notebooks/{chapter}.ipynb", "-o", str(out), "--woven", *given)
        assert done.returncode == 0, done.stderr
        assert {f"fig-{name}" for name in always} <= labelled(out)
        assert str(folder) not in out.read_text(encoding="utf8")


def test_bad_input_is_refused_before_anything_is_written(clone, tmp_path):
    before, empty = sorted(clone.rglob("*.*")), tmp_path / "empty"
    empty.mkdir()
    for words, said in (
        (["--profile", "smok"], "did you mean 'smoke'?"),
        (["--profile", "smoke", "--data", str(empty)], "COCO layout"),
    ):
        done = hgnb(clone, "book", *words)
        assert done.returncode == 1
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    written = [path for path in sorted(clone.rglob("*.*")) if "__pycache__" not in path.parts]
    assert written == [path for path in before if "__pycache__" not in path.parts]
