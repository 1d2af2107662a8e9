"""From rendered HTML to the published site: mended names, drawn icons, pictures that wait, links that lead on."""

from io import BytesIO

import numpy as np
import pytest
from links import broken, skipped_levels
from PIL import Image, ImageDraw

from figures import page
from hgnb_book.site import SCRIPT, finish, mended

# as the theme and Font Awesome write them
SHAPES = (
    'var a={"file":[512,512,[],"f15b","M1 1z"],sun:[512,512,[9728],"f185","M2 2z"]},'
    'b={"file":[384,512,[128196,"doc"],"f15b","M3 3z"]}'
)
PAGE = """<html><head><script defer src="../_static/scripts/fontawesome.js?digest=1"></script></head><body>
<i class="theme-switch fa-solid fa-sun                fa-lg" data-mode="light" title="Light"></i>
<i class="fas fa-file"></i><i class="fa-solid fa-unheard-of"></i><i>prose</i>
<img src="../_images/logo.png"><article><p id="here">x</p><img alt="a &amp; b" src="../_images/a.png" />
<img alt="b" src="../_images/b.svg"><figure class="x">
<img alt="c" src="../_images/a.png"><figcaption>C</figcaption></figure>
<div class="pst-scrollable-table-container"><table class="sortable folded table" id="tbl-a">
<caption><span class="caption-number">Table 1 </span><span class="caption-text">All
<code><span>x</span></code> of it: by name.
More.</span><a class="headerlink" href="#tbl-a">#</a></caption><tr><td>1</td></tr></table>
</div></article></body></html>"""


@pytest.fixture
def site(tmp_path):
    for folder in ("_static/scripts", "_images", "_executed"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / SCRIPT).write_text(SHAPES)
    (tmp_path / "_images/b.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    for name in ("a", "logo"):
        Image.new("RGB", (30, 20)).save(tmp_path / f"_images/{name}.png")
    (tmp_path / "_executed/a.html").write_text(PAGE)
    return tmp_path


def test_names_are_what_one_reads():
    button = '<button class="btn search-button-field x" title="Search" aria-label="Search" data-x="1">'
    assert mended(button) == '<button class="btn search-button-field x" data-x="1">'
    assert mended('<i class="theme-switch fa-sun"  title="Light"></i>') == '<i class="theme-switch fa-sun"></i>'
    untouched = '<button class="btn search-button" title="Search" aria-label="Search"><i class="fa-x" title="X"></i>'
    assert mended(untouched) == untouched


def test_no_line_ends_before_a_per_cent():
    assert mended("<p>7.8 % of 3 % a</p>") == "<p>7.8\u00a0% of 3\u00a0% a</p>"
    untouched = (
        "<p>a % b</p><pre>7 % 2</pre><p><code class='x'>7 % 2</code><img alt='7 % of it'></p><script>\n7 % 2\n</script>"
    )
    assert mended(untouched) == untouched


def test_icons_are_drawn_and_pictures_wait_with_their_size(site):
    finish(site)
    text = (site / "_executed/a.html").read_text()
    assert "fontawesome" not in text and not (site / SCRIPT).exists()
    assert '<svg class="icon theme-switch fa-solid fa-sun fa-lg" viewBox="0 0 512 512"' in text
    assert 'data-mode="light"' in text and "M2 2z" in text
    assert 'viewBox="0 0 384 512"' in text and "M3 3z" in text and "M1 1z" not in text  # solid, not regular
    assert '<i class="fa-solid fa-unheard-of"></i><i>prose</i>' in text
    assert '<img src="../_images/logo.png">' in text  # not of the article
    assert '<img alt="a &amp; b" src="../_images/a.png" width="30" height="20"/>' in text  # the first one doesn't wait
    assert '<img alt="b" src="../_images/b.svg" loading="lazy"/>' in text
    # as large as its letters have to be, and leading to itself
    picture = '<img alt="c" src="../_images/a.png" width="16" height="11" loading="lazy"/>'
    assert f'<a class="whole" href="../_images/a.png">{picture}</a><figcaption>' in text
    fold = '<details class="folded"><summary><span class="caption-number">Table 1 </span>All x of it</summary><div'
    assert text.count(fold) == text.count("<details") == text.count("</div></details>") == 1
    finish(site)
    assert (site / "_executed/a.html").read_text() == text


def test_links_that_lead_nowhere_are_found(site):
    (site / "index.html").write_text(
        '<a href="_executed/a.html#here">1</a><a href="_executed/a.html#there">2</a><a href="b.html">3</a>'
        '<a href="#top">4</a><a href="https://example.org/x">5</a><article><h1>A</h1><h3>B</h3><h2>C</h2></article>'
    )
    (site / SCRIPT).unlink()
    assert broken(site) == [
        "index.html: _executed/a.html#there", "index.html: b.html", "index.html: #top",
        "_executed/a.html: ../_static/scripts/fontawesome.js?digest=1",
    ]  # fmt: skip
    assert skipped_levels(site, "index.html") == [(1, 3)]


def png(picture):
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def opened(file):
    return Image.open(BytesIO(file)).convert("RGB")


def test_drawings_keep_every_pixel_with_few_colours():
    drawing = Image.new("RGBA", (400, 300), (255, 255, 255, 0))
    ImageDraw.Draw(drawing).line([(0, 0), (400, 290)], fill=(0, 114, 178, 255), width=7)
    mime, file = page.compact(png(drawing))
    assert mime == "image/png" and len(file) < len(png(drawing))
    white = Image.alpha_composite(Image.new("RGBA", drawing.size, "white"), drawing).convert("RGB")
    assert page.signal_to_noise(opened(file), white) == float("inf")


def test_photographs_keep_their_colours():
    rows, columns = np.mgrid[0:300, 0:400]
    waves = [np.sin(columns / 23 + rows / f) for f in (11, 17, 29)]
    photograph = Image.fromarray(np.uint8(127 + 100 * np.stack(waves, -1)))
    mime, file = page.compact(png(photograph))
    assert mime == "image/jpeg" and len(file) < len(png(photograph)) / 2
    assert opened(file).size == (400, 300)
    assert page.signal_to_noise(opened(file), photograph) > page.FAITHFUL


def test_signal_to_noise_is_that_of_a_hand_made_case():
    one, other = Image.new("RGB", (5, 5), (100, 100, 100)), Image.new("RGB", (5, 5), (110, 90, 110))
    assert page.signal_to_noise(one, other) == pytest.approx(10 * np.log10(255**2 / 100))
