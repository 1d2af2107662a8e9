"""Interactive parts, from made-up persons through weaving and rendering to a page in a browser."""

import io
import json
import re
import shutil
from base64 import b64encode

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from browser import opened
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from test_book import chapter, saved, small_book
from test_explain import COCO, SIDE, persons, planted, scattered

from figures import ch03, clustering, live
from figures.page import Live, Note, Plate, Sprites, Table
from figures.portraits import Portraits
from hgnb.analysis import components
from hgnb.data.heatmaps import HeatmapConfig
from hgnb_book import render, weave
from hgnb_book.chapter import ChapterError
from hgnb_book.edition import Edition

N, STEPS = 60, tuple(np.linspace(-3, 3, 7))
HOSTILE = '</script><img src=x onerror="throw 1"> & <b>sitting'
MAP = "#fig-latent-map"
TRADE_OFF = {
    "axes": [{"label": "ms", "low": 10, "high": 30}, {"label": "PCK", "low": 0.5, "high": 0.7}],
    "points": [[0, 0], [0.5, 0.8], [1, 1]], "dots": [], "names": ["one", "two", "three"], "facts": ["a", "b", "c"],
    "stamp": None, "noun": "network",
}  # fmt: skip
COLOURS = np.random.default_rng(0).integers(0, 256, (N, 3)).astype(np.uint8)


def crowd():
    """N persons, each crop of one colour, with hostile words for a posture, and latents of planted factors."""
    given = persons(scattered(N), posture=HOSTILE)
    given.crops[:] = COLOURS[:, None, None]
    return Portraits(given, COCO, HeatmapConfig()), components.principal(planted(N)[0])


def pictured(parts, count=40):
    """The persons of the still map, then others."""
    stamped = clustering.stamped(parts)
    return np.concatenate([stamped, np.setdiff1d(np.arange(N), stamped)])[:count]


def shown(value):
    """The output of a cell that shows `value`, as a kernel sends it."""
    data, metadata = value._repr_mimebundle_()
    data = {mime: b64encode(v).decode() if isinstance(v, bytes) else v for mime, v in data.items()}
    return new_output("display_data", data, metadata=metadata)


def cell(value, label=None):
    made = new_code_cell("...", metadata={"mystnb": {"figure": {"name": label}}} if label else {})
    made.outputs = [shown(value)]
    return made


def notebook():
    """A page with a map, a walk, a figure without its part, and a table that sorts and filters."""
    portraits, parts = crowd()
    everyone = np.arange(N)
    chosen = pictured(parts)
    predicted = np.random.default_rng(1).random((40, 17, SIDE // 4, SIDE // 4))
    decoded = np.random.default_rng(2).random((2, 7, 17, SIDE // 4, SIDE // 4))
    paths = components.walks(parts, everyone, (1, 2), STEPS)
    still = clustering.latent_map(parts, everyone, portraits, clustering.stamped(parts))
    rows_of_walks = ch03.walks(paths, STEPS, portraits, decoded)
    values = ["1,200", "−3.5\u00a0%", "–", "9.0·10³"]
    rows = {"claim": ["C1", "C2", "C10", "C11"], "value": values, "says": ["no", "yes"] * 2}
    page = chapter(
        cell(Plate(still, "A map.", "A cloud."), "fig-latent-map"),
        cell(clustering.person_map(parts, chosen, everyone, portraits, predicted)),
        cell(Plate(rows_of_walks, "Walks.", "Few differ."), "fig-pc-walks"),
        cell(ch03.slider(paths, STEPS, portraits, decoded)),
        cell(Note("There are too few persons."), "fig-undrawn"),
        cell(Plate(plt.figure(figsize=(2, 1)), "A trade-off.", "Faster is worse."), "fig-trade-off"),
        cell(Live("fig-trade-off", "scatter", TRADE_OFF)),
        cell(Live("fig-undrawn", "scatter", {})),
        cell(Table(pd.DataFrame(rows), "Claims.", "tbl-claims", filters=("says",))),
        cell(Table(pd.DataFrame({"n": range(60)}), "Many rows.", "tbl-long")),
    )
    page.metadata["language_info"] = {"name": "python"}  # a kernel says so
    return page


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The rendered page."""
    root = small_book(tmp_path_factory.mktemp("a book"), "01_a")
    saved(weave.weave(notebook(), "01_a", {}), root / "book/_executed/01_a.ipynb")
    render.render(Edition("smoke", "embedded", 0), root)
    return root / "site/_executed/01_a.html"


@pytest.fixture
def tab(file, browser):
    """The page, open; nothing may have gone wrong on it when the test ends."""
    with opened(browser, file) as found:
        yield found
        assert not found.complaints


def data(file, part):
    """What the page gives to the script for the part."""
    found = re.search(rf'data-part="{part}" hidden><script[^>]*>(.*?)</script>', file.read_text("utf8"), re.S)
    return json.loads(found[1])


def loaded(page):
    """The map's box on the screen, once the pictures are there."""
    board = page.locator(f"{MAP} .live-board")
    board.scroll_into_view_if_needed()
    page.wait_for_timeout(600)
    return board


def place(board, point):
    """Where a point in 0..1 lies on the board: EDGE and MARGIN of book/_static/hgnb.js."""
    box = board.bounding_box()
    width, height = box["width"] - 56 - 8, box["height"] - 8 - 40
    u, v = ((c + 0.07) / 1.14 for c in point)
    return {"x": 56 + u * width, "y": 8 + (1 - v) * height}


def words(page, card=0):
    return page.locator(f"{MAP} .live-cards .live-words").nth(card).text_content()


def colour(canvas):
    """Mean colour in the middle of what a canvas shows."""
    picture = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), dtype=float)
    h, w = picture.shape[:2]
    return picture[h // 3 : -h // 3, w // 3 : -w // 3].mean((0, 1))


def paper(board):
    """Brightness of a board's empty corner."""
    return np.asarray(Image.open(io.BytesIO(board.screenshot())).convert("L"))[12:60, 60:100].mean()


def crop_of(name):
    return COLOURS[int(name.split()[1])]


def test_page_is_light_and_its_pictures_lie_beside_it(file):
    text = file.read_text(encoding="utf8")
    assert "data:image/webp" not in text
    assert len(text) < 250_000
    sources = [sheet["source"] for part in ("scatter", "walk") for sheet in data(file, part)["sheets"]]
    assert len(sources) == 6
    for source in sources:
        assert Image.open(file.parent / source).format == "WEBP"


def test_hover_shows_and_click_keeps(file, tab):
    names = data(file, "scatter")["data"]["names"]
    points = data(file, "scatter")["data"]["points"]
    board = loaded(tab.page)
    assert names[0] in words(tab.page) and paper(board) > 128  # an example, before anybody points
    assert HOSTILE in words(tab.page) and tab.page.locator("img[src=x]").count() == 0, "words of data stay words"
    for i in (2, 1):
        board.hover(position=place(board, points[i]))
        assert words(tab.page).startswith(names[i] + "17 of 17 keypoints labelled")
        tab.page.wait_for_timeout(50)
        seen = colour(tab.page.locator(f"{MAP} .live-cards canvas").first)
        assert np.abs(seen - crop_of(names[i])).max() < 12
    board.click(position=place(board, points[1]))
    assert words(tab.page).startswith(f"Kept: {names[1]}")
    board.hover(position=place(board, points[3]))
    assert words(tab.page).startswith(f"Kept: {names[1]}")
    assert words(tab.page, 1).startswith(names[3])
    assert tab.page.locator(f"{MAP} .live-card:visible").count() == 2  # kept, pointed at
    board.click(position=place(board, points[1]))
    assert words(tab.page).startswith(names[1])
    assert tab.page.locator(f"{MAP} .live-card:visible").count() == 1
    assert all(url.startswith("file:") for url in tab.requests)


def test_points_need_no_pictures(tab):
    part = tab.page.locator("#fig-trade-off .live-part")
    part.scroll_into_view_if_needed()
    board = part.locator(".live-board")
    board.hover(position=place(board, (0.5, 0.8)))
    assert part.locator(".live-words").first.text_content() == "twob"
    assert part.locator(".live-card canvas").count() == 0
    assert "picture" not in part.locator(".live-hint").text_content()
    assert tab.page.locator("#fig-trade-off img").is_visible(), "its lines and letters are not on the map"


def test_arrow_keys_walk_over_the_points(file, tab):
    given = data(file, "scatter")["data"]
    where = dict(zip(given["names"], given["points"], strict=True))
    board = loaded(tab.page)
    board.focus()

    def here():
        return tab.page.locator(f"{MAP} .live-cards strong").first.text_content()

    tab.page.keyboard.press("ArrowRight")
    for key, axis, sign in [("Right", 0, 1), ("Left", 0, -1), ("Up", 1, 1), ("Down", 1, -1)]:
        before = where[here()]
        tab.page.keyboard.press(f"Arrow{key}")
        gone = sign * (where[here()][axis] - before[axis])
        assert gone > 0, key
    tab.page.keyboard.press("Enter")
    assert words(tab.page).startswith("Kept: ")
    tab.page.keyboard.press("Escape")
    assert not words(tab.page).startswith("Kept: ")
    shots = []
    for key in ("+", "0"):
        tab.page.keyboard.press(key)
        tab.page.wait_for_timeout(100)
        shots.append((board.screenshot(), tab.page.locator(MAP).get_by_label("Zoom out").is_disabled()))
    assert shots[0][0] != shots[1][0]
    assert [disabled for _, disabled in shots] == [False, True]
    assert tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_zoomed_map_is_dragged_and_the_page_is_not_scrolled_by_it(file, tab):
    given = data(file, "scatter")["data"]
    board = loaded(tab.page)
    centre = place(board, (0.5, 0.5))
    box = board.bounding_box()
    x, y = box["x"] + centre["x"], box["y"] + centre["y"]
    tab.page.mouse.move(x, y)
    before = tab.page.evaluate("scrollY")
    tab.page.keyboard.down("Control")
    tab.page.mouse.wheel(0, -200 * np.log(2))  # twice as large around the pointer
    tab.page.keyboard.up("Control")
    assert tab.page.evaluate("scrollY") == before
    tab.page.mouse.down()
    tab.page.mouse.move(x + 40, y - 30, steps=4)
    tab.page.mouse.up()
    assert not words(tab.page).startswith("Kept")  # a drag is no click
    # half the extent is seen; the drag moved it by as many pixels
    nearest = min(given["points"], key=lambda p: np.hypot(p[0] - 0.5, p[1] - 0.5))
    moved = place(board, [0.5 + 2 * (c - 0.5) for c in nearest])
    board.hover(position={"x": moved["x"] + 40, "y": moved["y"] - 30})
    assert words(tab.page).startswith(given["names"][given["points"].index(nearest)])


def test_slider_walks(file, tab):
    given = data(file, "walk")["data"]
    loaded(tab.page)
    part, slider = tab.page.locator(".live-walk"), tab.page.locator(".live-walk input[type=range]")
    part.scroll_into_view_if_needed()
    assert slider.get_attribute("aria-valuetext") == "c = 0.0"
    slider.focus()
    tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "c = −2.0"
    met = given["ways"][0]["met"][1]
    assert part.locator(".live-words").text_content() == f"Nearest: {met['name']}{met['facts']}"
    assert part.locator("p[aria-live=polite]").count() == 1
    tab.page.wait_for_timeout(300)
    assert np.abs(colour(part.locator(".live-card canvas").first) - crop_of(met["name"])).max() < 12
    assert part.locator(".live-picture").all_text_contents() == [live.CROP, live.TRUTH, "the point, decoded"]
    part.get_by_text("PC 2", exact=True).click()
    assert "PC 2, c = −2.0" in part.locator("output").text_content()
    part.locator(".live-strip > span").last.click()
    met = given["ways"][1]["met"][-1]
    assert part.locator(".live-words").text_content() == f"Nearest: {met['name']}{met['facts']}"
    assert slider.input_value() == "6"
    assert tab.page.locator("#fig-pc-walks img").is_visible()  # the rows beside one another stay


def test_without_a_script_and_on_paper_the_figures_stand(file, browser):
    still = "#fig-latent-map img"
    with opened(browser, file, java_script_enabled=False) as tab:
        assert tab.page.locator(still).is_visible()
        assert tab.page.locator(".live:visible").count() == 0
    with opened(browser, file) as tab:
        assert not tab.page.locator(still).is_visible()
        tab.page.emulate_media(media="print")
        assert tab.page.locator(still).is_visible()
        assert tab.page.locator(".live-part:visible, .live-filters:visible").count() == 0


def test_pictures_that_are_missing_bring_the_figure_back(file, browser, tmp_path):
    broken = tmp_path / "site"
    shutil.copytree(file.parents[1], broken)
    for sheet in (broken / "_images").glob("*.webp"):
        sheet.unlink()
    with opened(browser, broken / "_executed/01_a.html") as tab:
        tab.page.locator("#fig-latent-map").scroll_into_view_if_needed()
        tab.page.wait_for_timeout(500)
        assert tab.page.locator("#fig-latent-map img").is_visible()
        assert tab.page.locator("#fig-latent-map .live-part").count() == 0


def test_phone_that_is_dark(file, browser):
    given = data(file, "scatter")["data"]
    with opened(browser, file, width=390, has_touch=True, color_scheme="dark") as tab:
        board = loaded(tab.page)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
        board.tap(position=place(board, given["points"][4]))
        assert words(tab.page).startswith(f"Kept: {given['names'][4]}")
        for name in (".live-board", ".live-card >> nth=0"):
            box = tab.page.locator(f"{MAP} {name}").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert paper(board) < 128 and not tab.complaints


def test_table_sorts_and_filters(tab):
    table = tab.page.locator("#tbl-claims")

    def column(n):
        return [row.locator("td").nth(n).text_content().strip() for row in table.locator("tbody tr:visible").all()]

    value = table.locator("th").nth(1)
    value.locator("button").click()
    assert column(1) == ["−3.5\u00a0%", "1,200", "9.0·10³", "–"]
    assert value.get_attribute("aria-sort") == "ascending"
    value.locator("button").click()
    assert column(1) == ["9.0·10³", "1,200", "−3.5\u00a0%", "–"]
    table.locator("th button").first.focus()
    tab.page.keyboard.press("Enter")
    assert column(0) == ["C1", "C2", "C10", "C11"]
    assert value.get_attribute("aria-sort") is None
    tab.page.get_by_label("says").select_option("yes")
    assert column(0) == ["C2", "C11"]
    assert "2 of 4 rows" in tab.page.locator(".live-filters").text_content()


def test_long_table_scrolls_within_itself(tab):
    box = tab.page.locator("div.long")
    assert box.locator("#tbl-long").count() == box.count() == 1
    height = "e => [e.scrollHeight, e.clientHeight]"
    whole, seen = box.evaluate(height)
    assert seen <= 0.8 * 900 < whole
    box.focus()
    tab.page.keyboard.press("End")
    tab.page.wait_for_timeout(300)
    head, last = (tab.page.locator(f"#tbl-long {row}").bounding_box() for row in ("th", "tbody tr >> nth=-1"))
    frame = box.bounding_box()
    assert abs(head["y"] - frame["y"]) < 3 and last["y"] + last["height"] <= frame["y"] + frame["height"] + 1
    tab.page.emulate_media(media="print")
    whole, seen = box.evaluate(height)
    assert whole == seen


# Without a browser


def test_sheet_holds_each_picture_in_its_cell():
    pictures = [np.full((5, 5, 3), v) for v in np.linspace(0, 1, 7)]
    sheet = Sprites.of("crop", pictures, 16)
    image = np.asarray(Image.open(io.BytesIO(sheet.webp)).convert("RGB"), dtype=float)
    assert image.shape == (48, 48, 3) and sheet.columns == 3
    for i, picture in enumerate(pictures):
        row, column = divmod(i, 3)
        middle = image[16 * row + 4 : 16 * row + 12, 16 * column + 4 : 16 * column + 12].mean()
        assert abs(middle - 255 * picture.mean()) < 4
    with pytest.raises(ValueError, match="no pictures"):
        Sprites.of("crop", [], 16)
    with pytest.raises(ValueError, match="4 pictures of 9000"):
        Sprites.of("crop", pictures[:4], 9000)


def test_data_that_a_page_cannot_read_are_refused():
    with pytest.raises(ValueError):
        Live("fig-a", "scatter", {"points": [float("nan")]})


def test_part_needs_its_figure():
    with pytest.raises(ChapterError, match=r"01_a, code cell 2, below.*'Part 1'.*no figure 'fig-nowhere'"):
        weave.weave(chapter(cell(Live("fig-nowhere", "scatter", {}))), "01_a", {})


def test_map_shows_each_person_where_the_figure_does():
    portraits, parts = crowd()
    chosen, unit = pictured(parts), clustering.in_unit(parts)[2]
    maps = np.random.default_rng(0).random((40, 17, 16, 16))
    made = clustering.person_map(parts, chosen, np.arange(N), portraits, maps)
    assert np.allclose(made.data["points"], unit[chosen], atol=1e-4)
    assert len(made.data["dots"]) == N - 40
    assert [sheet.count for sheet in made.sheets] == [40, 40, 40]
    none = clustering.stamped(components.principal(np.zeros((3, 4))))
    assert clustering.person_map(parts, none, np.arange(3), portraits, none) is None


def test_walk_files_a_picture_once():
    portraits, parts = crowd()
    paths = components.walks(parts, np.arange(N), (1, 2, 3), STEPS)
    made = ch03.slider(paths, STEPS, portraits, np.zeros((3, len(STEPS), 17, 16, 16)))
    different = len({int(p) for path in paths for p in path.persons})
    assert [sheet.count for sheet in made.sheets] == [different, different, 1]
    first = made.data["ways"][0]["met"]
    for met, person, before in zip(first, paths[0].persons, [None, *paths[0].persons], strict=False):
        assert met["name"] == f"Person {person}"
        assert met["facts"].endswith("the same as one step before") == (person == before)
    assert ch03.slider([], STEPS, portraits, np.zeros(0)) is None


def test_credit_of_a_photograph_is_told_in_plain_words():
    portraits, _ = crowd()
    told = live.facts(portraits, 3, {3: "[COCO 3](https://flickr.com/x), [CC BY 2.0](https://cc.org)"})
    assert told == f"17 of 17 keypoints labelled, {HOSTILE}, COCO 3, CC BY 2.0"
