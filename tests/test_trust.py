"""What others send: damaged and hostile datasets, photographs and names end in a report or one sentence.

benchmarks/fuzz.py does the same at length, in processes with limits.
"""

import ast
import io
import json
import os
import random
import re
import sys
from pathlib import Path

import pytest
from conftest import write_coco
from PIL import Image
from rich.console import Console

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))
import mutations

from hgnb.data import coco
from hgnb.data.check import check
from hgnb.data.credits import CREDITS, photo_credits, withheld
from hgnb.data.images import UNDECODABLE, DamagedImage, decode
from hgnb.data.intake import plain
from hgnb.data.schema import KeypointSchema
from hgnb.definitions import PACKAGE
from hgnb.errors import InputError
from hgnb.training.prediction import photograph
from hgnb_book.build import cut_off, unfit_name


@pytest.fixture
def few(tmp_path) -> Path:
    """A dataset as small as it can be."""
    return write_coco(tmp_path / "few", {"train2017": 3, "val2017": 2})


TRAIN = "annotations/person_keypoints_train2017.json"


def told(folder: Path) -> str:
    """The printed report, after whatever reads a dataset has read it."""
    page = io.TextIOWrapper(io.BytesIO(), encoding="utf8")  # as a terminal: no lone surrogate passes
    Console(file=page, width=100).print(check(folder))
    page.flush()
    try:
        coco.check(folder)
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000
    return page.buffer.getvalue().decode()


def test_damaged_annotations_end_in_a_report(few):
    file = few / TRAIN
    source = file.read_bytes()
    for seed in range(24):
        _, content = mutations.annotations(source, seed)
        file.write_bytes(content)
        assert told(few).strip(), seed


def test_damaged_pictures_end_in_a_report(few):
    for seed in range(24):
        kind, content = mutations.image((96, 80), seed)
        (few / "train2017/003.png").write_bytes(content)
        report = told(few)
        assert "colour modes" in report
        assert kind not in ("impostor", "bomb") or "undecodable image" in report or "image size" in report


def test_the_mutator_damages():
    """Every kind comes up, the same seed gives the same bytes, and nearly none gives the source back."""
    source = json.dumps({"a": [1, 2, {"b": "text", "c": 3.5}], "d": {"e": [0.5]}}).encode()
    made = [mutations.annotations(source, seed) for seed in range(200)]
    assert made == [mutations.annotations(source, seed) for seed in range(200)]
    assert {kind for kind, _ in made} == set(mutations.JSON)
    assert sum(content == source for _, content in made) < 5
    assert all(mutations.damaged(source, random.Random(seed)) != source for seed in range(100))


def test_a_pipe_is_not_waited_for(few):
    (few / "train2017/001.png").unlink()
    os.mkfifo(few / "train2017/001.png")
    (few / "train2017/002.png").unlink()
    (few / "train2017/002.png").symlink_to("002.png")  # a link to itself
    (few / "train2017/003.png").unlink()
    (few / "train2017/003.png").mkdir()
    assert told(few).count("missing image") >= 3
    with pytest.raises(DamagedImage, match="is no file"):
        decode(few / "train2017/001.png", (96, 80))
    (few / TRAIN).unlink()
    os.mkfifo(few / TRAIN)
    assert "is no file" in " ".join(told(few).split())


def test_a_picture_runs_no_other_program(tmp_path, monkeypatch):
    """Pillow hands PostScript to Ghostscript; a dataset has no use for it."""
    monkeypatch.setattr("subprocess.Popen", lambda *words, **_: pytest.fail(f"started {words}"))
    file = tmp_path / "a.jpg"
    Image.new("RGB", (96, 80)).save(file, "EPS")
    with pytest.raises(DamagedImage, match="it is no image") as damage:
        decode(file, (96, 80))
    assert damage.value.kind == UNDECODABLE
    with pytest.raises(InputError, match="it is no image"):
        photograph(file)


@pytest.mark.parametrize("size", [(13_500, 13_500), (60_000, 60_000), (1, 2**31 - 1)])
def test_bombs_are_refused_unopened(tmp_path, size):
    file = tmp_path / "bomb.png"
    file.write_bytes(mutations.bomb(size))
    with pytest.raises(InputError, match=r"bomb\.png' (has more than 178,956,970 pixels|can't be decoded)"):
        photograph(file)
    with pytest.raises(DamagedImage, match="has more than 89,478,485 pixels"):
        decode(file, size)


HOSTILE = ["<script>alert(1)</script>", "a`b", "a|b", "[x](javascript:alert(1))", "$x$", "a\nb", "{x}", "x" * 100, ""]


@pytest.mark.parametrize("name", HOSTILE)
def test_keypoints_names_are_words(name):
    """They stand in tables, captions and scripts of the book."""
    with pytest.raises(InputError, match="names a keypoint") as error:
        KeypointSchema.from_category({"id": 1, "keypoints": ["nose", name]})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["left_knee", "linkes Knie", "左膝", "knee (left)", "l-knee.2", "genou/gauche"])
def test_names_of_any_language_are_fine(name):
    assert KeypointSchema.from_category({"id": 1, "keypoints": [name]}).names == (name,)


def test_credits_hold_plain_words_and_addresses_of_the_web(tmp_path):
    row = {"id": 7, "flickr_url": "javascript:alert(1)", "licence": "<b>By</b> [x](y)", "licence_url": "https://a.b/c"}
    listed = [row, {**row, "id": 8, "flickr_url": "http://flickr.com/x_1", "licence_url": 'https://a.b/"onclick="x'}]
    (tmp_path / CREDITS[0]).write_text(json.dumps({"images": listed}))
    first, second = photo_credits(tmp_path).values()
    assert first == r"COCO 7, [\<b\>By\</b\> \[x\]\(y\)](https://a.b/c)"
    assert second == r"[COCO 8](http://flickr.com/x_1), \<b\>By\</b\> \[x\]\(y\)"
    for broken in ("{", "[]", '{"images": [{"id": []}]}', "[" * 5000):
        (tmp_path / CREDITS[0]).write_text(broken)
        with pytest.raises(InputError, match=CREDITS[0]):
            photo_credits(tmp_path)


@pytest.mark.parametrize(
    ("licence", "forbids"),
    [
        ("Attribution-NoDerivs License", True), ("CC BY-NC-ND 4.0", True), ("Attribution, No Derivatives", True),
        ("Attribution-NonCommercial License", False), ("CC BY 4.0, Land Berlin", False),
    ],
)  # fmt: skip
def test_a_licence_that_forbids_derivatives_is_known_by_any_of_its_names(licence, forbids):
    assert withheld(licence) is forbids


def test_what_a_file_says_is_quoted_in_one_line():
    assert plain("\x1b[31mred\n\u202eabc") == "�[31mred��abc" and plain("\ud800") == "�"
    assert plain("x" * 99) == "x" * 39 + "…" and plain({"a": [1]}) == "{'a': [1]}" and plain("左膝 é") == "左膝 é"
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    assert plain(deep) == "of type list"
    assert plain(10**5000) == "of type int"


@pytest.mark.parametrize("name", ["a`b", "<img src=x>", "a|b", "$(x)", "a\nb", "x&y"])
def test_a_data_folder_has_a_name_that_pages_can_print(name):
    assert unfit_name(f"/home/{name}")
    assert not unfit_name("/home/<b>/my photos (2) é")


def test_a_part_that_died_is_named():
    events = [{"kind": "start", "what": w, "text": ""} for w in ("dataset", "hourglass", "01_dataset")]
    done = {"kind": "done", "what": "dataset", "text": "1 s"}
    assert cut_off([*events, done]).startswith("hourglass, 01_dataset ended without a word")
    assert cut_off([events[0], done]) == ""


# What could run code that a file brings along, by the name of the call.
UNSAFE = {"eval", "exec", "system", "popen", "Unpickler", "read_pickle", "extractall", "unsafe_load", "full_load"}
MODULES = {"pickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}


def unsafe(code: str) -> list[str]:
    """Calls and imports in Python code that could run what a file says."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            found += [name for name in names if name.split(".")[0] in MODULES]
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            method = isinstance(node.func, ast.Attribute)
            given = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            owner = getattr(node.func.value, "id", "") if method else ""
            harmless = {"eval": method, "system": owner != "os", "popen": owner != "os"}  # a network's, platform's
            if name in UNSAFE and not harmless.get(name):
                found.append(name)
            if (owner, name) == ("torch", "load") and given.get("weights_only") is not True:
                found.append("torch.load")
            if given.get("allow_pickle") or given.get("shell"):
                found.append(name)
    return found


def test_nothing_loads_a_pickle_or_runs_what_a_file_says():
    bad = "import pickle\ntorch.load(f)\nnp.load(f, allow_pickle=True)\nrun(x, shell=True)\neval(s)\nos.system(s)"
    assert unsafe(bad) == ["pickle", "torch.load", "load", "run", "eval", "system"]
    assert unsafe("torch.load(f, weights_only=True)\nnetwork.eval()\nnp.load(f)\nplatform.system()") == []
    for file in PACKAGE.rglob("*.py"):
        assert unsafe(file.read_text(encoding="utf8")) == [], file


MARKUP_WRITERS = re.compile(r"\.(?:inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function")


def test_scripts_write_text_never_markup():
    """What the pages' own scripts show comes from data: set as text, it can't become an element."""
    scripts = sorted((PACKAGE.parent / "book/_static").glob("*.js"))
    assert scripts
    for file in scripts:
        assert not MARKUP_WRITERS.search(file.read_text(encoding="utf8")), file
