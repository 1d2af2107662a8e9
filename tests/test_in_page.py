"""The network in the page: from a trained run through rendering to Chromium, its answers held against torch's."""

import io
import json
import os
import re
import shutil
from types import SimpleNamespace
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest
import torch
from browser import opened
from PIL import Image
from test_book import chapter, saved, small_book
from test_live import cell

from figures import ch00 as figures
from figures.exhibit import CROPS, Exhibit, chosen, digest
from figures.page import Live, Note
from figures.portraits import Portraits
from hgnb.analysis import components
from hgnb.analysis.skips import hits_of
from hgnb.data.credits import passed_on
from hgnb.errors import InputError
from hgnb.metrics import PckConfig
from hgnb.training import export
from hgnb.training.export import expected
from hgnb_book import in_page, journal, render, weave
from hgnb_book.edition import Edition

TOLERANCE = 1e-4  # of the largest magnitude of the heatmaps; 1e-3 is promised
MB = 1_000_000
START = "Start the network"
KEPT = "Principal components kept"


def made(trained, crops=True):
    """The exhibit of the trained run, its portraits, and figure and part as a notebook's cells show them."""
    experiment, run = trained
    test, sample = experiment.prepared().split("test"), experiment.sample()
    parts = components.principal(experiment.latents(run, "train", sample).of(sample))
    exhibit = Exhibit.of(run, parts, test.take(chosen(test, 0)))
    portraits = Portraits(exhibit.persons, experiment.prepared().schema, experiment.profile.heatmaps)
    answers = figures.answers(exhibit, portraits, PckConfig())
    plate = figures.pictures(answers, portraits, {}, crops=crops)
    return exhibit, portraits, plate, figures.part(exhibit, portraits, PckConfig(), {}, crops=crops)


@pytest.fixture(scope="module")
def once(trained):
    """`made`, for the tests that change nothing of it."""
    pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
    return made(trained)


@pytest.fixture(scope="module")
def page(trained, once):
    """The rendered page and what it was made of."""
    try:
        in_page.runtime()
    except InputError as error:
        if os.environ.get("HGNB_REQUIRE_BROWSER") == "1":
            pytest.fail(str(error))
        pytest.skip(f"browser: {error}")
    exhibit, portraits, plate, part = once
    root = small_book(trained[1].folder.parents[2], "01_a")
    notebook = chapter(cell(plate, "fig-try-it"), cell(part))
    notebook.metadata["language_info"] = {"name": "python"}
    saved(weave.weave(notebook, "01_a", {}), root / "book/_executed/01_a.ipynb")
    render.render(Edition("smoke", "embedded", 0), root)
    return SimpleNamespace(file=root / "site/_executed/01_a.html", exhibit=exhibit, portraits=portraits, part=part)


def started(tab):
    """Starts the network and waits for its first answer; answers come in `window.answers`."""
    tab.page.evaluate(
        "window.answers = []; document.addEventListener('answer', ({ detail }) => answers.push("
        "{ ...detail, heatmaps: [...detail.heatmaps], crop: [...detail.crop] }))"
    )
    tab.page.get_by_role("button", name=START).click()
    return answer(tab)


def answer(tab, **wanted):
    """The page's last answer, once it is one to what is `wanted`; heatmaps as (K, size, size)."""
    texts = {name: json.dumps(value, separators=(",", ":")) for name, value in wanted.items()}
    is_it = "answers.length && Object.entries(wanted).every(([k, v]) => JSON.stringify(answers.at(-1)[k]) === v)"
    tab.page.wait_for_function(f"wanted => {is_it}", arg=texts)
    given = tab.page.evaluate("answers.at(-1)")
    given["heatmaps"] = np.array(given["heatmaps"]).reshape(-1, given["size"], given["size"])
    return SimpleNamespace(**given)


def by_torch(exhibit, person, levels, keep):
    """(K, size, size) of one person."""
    crop = np.array(exhibit.persons.crops[person : person + 1])
    return expected(exhibit.weights, exhibit.basis, crop, levels, keep)[0][0]


def assert_equal(ours, theirs):
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < TOLERANCE * np.abs(theirs).max()


def said(tab):
    return tab.page.locator(".net .live-words strong").text_content()


def size(urls):
    """Bytes of the files that were asked for, each once."""
    files = {url2pathname(urlsplit(url).path) for url in urls if url.startswith("file:")}
    return sum(map(os.path.getsize, files))


def test_heatmaps_are_torchs_under_every_control(page, browser):
    """Persons, skips together and by level, components: by pointer and by keys."""
    exhibit = page.exhibit
    with opened(browser, page.file) as tab:
        tab.page.locator("#fig-try-it img").scroll_into_view_if_needed()
        assert tab.page.locator("#fig-try-it img").is_visible()  # pictures until the reader starts
        assert not [url for url in tab.requests if "in_page" in url]
        assert size(tab.requests) < 2 * MB
        first = started(tab)
        assert not tab.page.locator("#fig-try-it img").is_visible()
        assert size(tab.requests) < 8 * MB
        assert (first.who, first.skips, first.keep) == (0, [1, 1], -1)
        assert first.crop == exhibit.persons.crops[0].flatten().tolist()
        seen = [first.heatmaps]
        assert_equal(first.heatmaps, by_torch(exhibit, 0, (True, True), None))

        tab.page.keyboard.press("ArrowRight")  # the first person has the focus
        assert_equal(answer(tab, who=1).heatmaps, by_torch(exhibit, 1, (True, True), None))
        tab.page.locator(".net-people label").nth(0).click()
        answer(tab, who=0)

        everything = tab.page.get_by_label("all", exact=True)
        everything.uncheck()
        seen.append(answer(tab, skips=[0, 0]).heatmaps)
        assert_equal(seen[-1], by_torch(exhibit, 0, (False, False), None))
        second = tab.page.get_by_label("level 2, 8 × 8")
        second.focus()
        tab.page.keyboard.press("Space")
        seen.append(answer(tab, skips=[0, 1]).heatmaps)
        assert_equal(seen[-1], by_torch(exhibit, 0, (False, True), None))
        assert everything.evaluate("box => box.indeterminate")

        slider = tab.page.get_by_label(KEPT)
        assert slider.get_attribute("aria-valuetext") == "untouched"
        slider.focus()
        tab.page.keyboard.press("Home")
        tab.page.keyboard.press("ArrowRight")
        tab.page.keyboard.press("ArrowRight")
        seen.append(answer(tab, keep=2).heatmaps)
        assert_equal(seen[-1], by_torch(exhibit, 0, (False, True), 2))
        share = round(100 * float(exhibit.ratio[:2].sum()))
        assert slider.get_attribute("aria-valuetext") == f"the first 2: {share} % of the variance"

        tab.page.get_by_role("button", name="As it was trained").click()
        assert_equal(answer(tab, skips=[1, 1], keep=-1).heatmaps, seen[0])
        assert everything.is_checked() and second.is_checked() and brightness(tab) > 128
        for one in range(len(seen)):  # every switch does something
            for other in range(one):
                assert np.abs(seen[one] - seen[other]).max() > 10 * TOLERANCE * np.abs(seen[other]).max()
        assert not tab.complaints
        assert all(url.startswith(("file:", "blob:")) for url in tab.requests)


def test_what_is_said_is_counted_as_pck_counts(page, browser):
    exhibit, schema = page.exhibit, page.portraits.schema
    keypoints = torch.from_numpy(np.array(exhibit.persons.keypoints))
    hits = hits_of(torch.from_numpy(exhibit.heatmaps()), keypoints[..., :2], page.portraits.side, PckConfig())
    labelled = exhibit.persons.visibility > 0
    with opened(browser, page.file) as tab:
        heatmaps = started(tab).heatmaps
        for i in range(len(labelled)):
            tab.page.locator(".net-people label").nth(i).click()
            answer(tab, who=i)
            counted = f"{(hits[i] & labelled[i]).sum()} of {labelled[i].sum()} labelled keypoints found"
            assert said(tab) == f"Person {exhibit.persons.person_ids[i]}: {counted}."
        tab.page.locator(".net-people label").first.click()
        answer(tab, who=0)

        views = tab.page.locator(".net-view")
        before = views.nth(1).screenshot()
        tab.page.get_by_label("Heatmap of").select_option("left hip")
        verdict = {True: "found", False: "missed"}[bool(hits[0, 1])] if labelled[0, 1] else "not labelled"
        assert re.search(rf"; left hip: peak −?[\d.e-]+, {verdict}\.$", said(tab))
        tab.page.wait_for_timeout(200)
        assert views.nth(1).screenshot() != before
        before = views.nth(0).screenshot()
        tab.page.get_by_label("show the annotation").check()
        tab.page.wait_for_timeout(200)
        assert views.nth(0).screenshot() != before

        # a joint is meant by its place in the picture; the same place again lets it go
        tab.page.get_by_label("Heatmap of").select_option("all keypoints")
        size, box = heatmaps.shape[-1], views.nth(0).bounding_box()
        y, x = np.unravel_index(heatmaps[0].argmax(), heatmaps[0].shape)
        place = {"x": (x + 0.5) * box["width"] / size, "y": (y + 0.5) * box["height"] / size}
        views.nth(0).click(position=place)
        assert tab.page.get_by_label("Heatmap of").input_value() != ""
        views.nth(0).click(position=place)
        assert tab.page.get_by_label("Heatmap of").input_value() == ""
        assert schema.titles == tab.page.get_by_label("Heatmap of").locator("option").all_text_contents()[1:]
        assert not tab.complaints


def test_a_photograph_of_ones_own(page, browser, tmp_path):
    """A square under the keys, the slider and the pointer; what lies in it is what the network sees."""
    crop = np.array(page.exhibit.persons.crops[0])
    side = len(crop)
    photo, words = tmp_path / "me.png", tmp_path / "me.txt"
    Image.fromarray(np.hstack([np.full_like(crop, 90), crop])).save(photo)
    words.write_text("no picture")
    with opened(browser, page.file) as tab:
        first, file = started(tab), tab.page.locator("input[type=file]")
        file.set_input_files(words)
        tab.page.get_by_text("This file can't be read as a picture.").wait_for()
        assert tab.page.get_by_role("application").count() == 0
        file.set_input_files(photo)
        middle = answer(tab, who=None).crop
        assert middle == np.hstack([np.full_like(crop, 90), crop])[:, side // 2 : side // 2 + side].flatten().tolist()
        assert said(tab) == "Your photograph."
        board = tab.page.get_by_role("application")
        board.focus()
        for _ in range(12):
            tab.page.keyboard.press("ArrowRight")
        assert_equal(answer(tab, crop=first.crop).heatmaps, first.heatmaps)

        box = board.bounding_box()
        tab.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"])
        tab.page.mouse.down()
        tab.page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
        tab.page.mouse.up()
        tab.page.wait_for_function("answers.at(-1).crop.every(value => value === 90)")  # all to the left
        tab.page.get_by_label("Size of the square").press("Home")
        board.focus()
        tab.page.keyboard.press("+")
        assert tab.page.get_by_label("Size of the square").input_value() == "15"

        tab.page.locator(".net-people label").first.click()
        assert_equal(answer(tab, who=0).heatmaps, first.heatmaps)
        assert tab.page.get_by_role("application").count() == 0
        tab.page.get_by_label("Your photograph", exact=True).check(force=True)  # it is still there
        answer(tab, who=None)
        assert not tab.complaints
        assert all(url.startswith(("file:", "blob:")) for url in tab.requests)


def brightness(tab):
    """Of the paper behind the controls, from 0 to 255."""
    shot = tab.page.locator(".net-controls").screenshot()
    return np.median(np.asarray(Image.open(io.BytesIO(shot)).convert("L")))


def test_phone_that_is_dark(page, browser):
    with opened(browser, page.file, width=390, has_touch=True, color_scheme="dark") as tab:
        tab.page.get_by_role("button", name=START).scroll_into_view_if_needed()
        started(tab)
        tab.page.locator(".net-people label").nth(1).tap()
        answer(tab, who=1)
        tab.page.get_by_label("all", exact=True).tap()
        answer(tab, skips=[0, 0])
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
        for i in range(2):
            box = tab.page.locator(".net-view").nth(i).bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["width"] > 150
        assert brightness(tab) < 128 and not tab.complaints


def test_pictures_stand_where_the_network_cannot_run(page, browser, tmp_path):
    with opened(browser, page.file, java_script_enabled=False) as tab:
        assert tab.page.locator("#fig-try-it img").is_visible()
        assert tab.page.get_by_role("button", name=START).count() == 0
    poor = tmp_path / "poor.html"
    head = "<script>delete window.WebAssembly</script>"
    site = tmp_path / "site"
    shutil.copytree(page.file.parents[1], site)
    poor = site / "_executed/poor.html"
    poor.write_text(page.file.read_text("utf8").replace("<head>", f"<head>{head}", 1), encoding="utf8")
    with opened(browser, poor) as tab:
        assert tab.page.locator("#fig-try-it img").is_visible()
        assert "lacks WebAssembly" in tab.page.locator(".net p").text_content()
        assert tab.page.get_by_role("button", name=START).count() == 0
        assert not tab.complaints
    (network,) = (site / in_page.PLACE).glob("network-*.js")
    network.write_text(in_page.script("network", {"model": b"no model", "crops": b""}), encoding="utf8")
    with opened(browser, site / "_executed/01_a.html") as tab:
        tab.page.get_by_role("button", name=START).click()
        tab.page.get_by_text("The network doesn't run in this browser").wait_for()
        assert tab.page.locator("#fig-try-it img").is_visible()
    network.unlink()
    with opened(browser, site / "_executed/01_a.html") as tab:
        tab.page.get_by_role("button", name=START).click()
        tab.page.get_by_text("its files can't be loaded").wait_for()
        assert tab.page.locator("#fig-try-it img").is_visible()


# Without a browser


def bare(site, part):
    """A page that holds a part as weaving leaves it."""
    words = {"of": part.of, "part": part.part, "data": part.data, "sheets": []}
    site.mkdir()
    (site / "a.html").write_text(f"<p>before</p>{weave._part(words)}<p>after</p>", encoding="utf8")
    return site / "a.html"


def test_site_without_runtime_shows_pictures_and_says_so(trained, once, tmp_path, monkeypatch):
    *_, part = once
    runs = trained[1].folder.parent
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(in_page, "URL", "http://127.0.0.1:9/onnxruntime-web.tgz")
    page = bare(tmp_path / "site", part)
    (sentence,) = in_page.equip(tmp_path / "site", runs)
    assert sentence.startswith("Page a shows pictures") and "can't be fetched" in sentence and "\n" not in sentence
    text = page.read_text("utf8")
    assert re.search(r'^<p>before</p><p class="live-missing">.*</p><p>after</p>$', text)
    assert in_page.equip(tmp_path / "site", runs) == []


def test_runtime_of_another_checksum_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(in_page, "CHECKSUM", "sha512:" + "0" * 128)
    file = tmp_path / "other.tgz"
    file.write_bytes(b"other")

    def other(url, out, _):
        shutil.copy(file, out)

    monkeypatch.setattr(in_page.pooch, "HTTPDownloader", lambda **_: other)
    with pytest.raises(InputError, match="another file"):
        in_page.runtime()
    assert not list((tmp_path / "cache").rglob("*.tgz"))


def test_files_of_another_export_are_refused(trained, once, tmp_path, monkeypatch):
    exhibit, _, _, part = once
    monkeypatch.setattr(in_page, "runtime", lambda: {"wasm": b"wasm"})
    page = bare(tmp_path / "site", part)
    assert in_page.equip(tmp_path / "site", trained[1].folder.parent) == []
    text = page.read_text("utf8")
    total = sum(file.stat().st_size for file in (tmp_path / "site" / in_page.PLACE).iterdir())
    assert f'data-bytes="{total}"' in text and part.data["digest"][:12] in text
    np.save(exhibit.folder / CROPS, np.zeros((1, 64, 64, 3), np.uint8))
    bare(tmp_path / "other", part)
    (sentence,) = in_page.equip(tmp_path / "other", trained[1].folder.parent)
    assert "run the chapter again" in sentence
    made(trained)  # as the other tests found it
    assert digest(exhibit.folder) == part.data["digest"]


def test_persons_that_may_not_be_passed_on_stay_out(trained):
    pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
    exhibit, _, plate, part = made(trained, crops=False)
    assert part.data["persons"] == [] and "Photograph" not in plate.caption
    assert np.load(exhibit.folder / CROPS).shape == (0, 64, 64, 3)
    *_, part = made(trained)
    assert len(part.data["persons"]) == len(exhibit.persons)
    assert passed_on([3, 4], {3: "a", 4: "b", 5: "c"}) and not passed_on([3, 4], {3: "a"})


def test_chapter_goes_on_without_the_packages_of_an_export(trained, monkeypatch):
    def missing(*_):
        raise InputError("An export needs onnx and onnxruntime.")

    monkeypatch.setattr(export, "export", missing)
    *_, part = made(trained)
    assert isinstance(part, Note)
    assert part.text == "The network isn't in this page. An export needs onnx and onnxruntime."


def test_chosen_persons_are_well_labelled(trained):
    test = trained[0].prepared().split("test")
    few = chosen(test, 1, 3)
    assert len(set(few)) == 3 and (test.labelled[few] >= test.keypoints.shape[1] / 2).all()
    everyone = chosen(test, 1, 1000)
    assert sorted(everyone) == list(range(len(test)))


def test_answers_say_what_they_find(once):
    """The share in the alt text is PCK over the persons, counted here once more by hand."""
    exhibit, portraits, plate, _ = once
    maps, keypoints = exhibit.heatmaps(skips=False), np.array(portraits.split.keypoints)
    found = labelled = 0
    for person, points in zip(maps, keypoints, strict=True):
        for one, (x, y, v) in zip(person, points, strict=True):
            row, column = np.unravel_index(one.argmax(), one.shape)
            if v > 0:
                labelled += 1
                found += np.hypot(column - x // 4, row - y // 4) < 0.5 * 0.1 * 16
    assert f"{100 * found / labelled:.0f} % all skips off" in plate.alt
    assert isinstance(figures.part(exhibit, portraits, PckConfig(), {}, crops=True), Live)


def test_note_of_a_build_is_told(tmp_path, monkeypatch, capsys):
    from hgnb_book import workflow

    notes = tmp_path / "journal"
    monkeypatch.setenv(journal.VARIABLE, str(notes))
    journal.tell("note", "Page a shows pictures.")
    (event,), _ = journal.read(notes)
    workflow._say(event)
    assert capsys.readouterr().err.strip() == "! Page a shows pictures."
