"""Getting COCO, against a server on this machine that misbehaves in every way a real one does."""

import hashlib
import io
import json
import shutil
import stat
import threading
import time
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from conftest import run_command
from PIL import Image

from hgnb.data import coco
from hgnb.data import download as downloads
from hgnb.data.credits import photo_credits
from hgnb.data.download import CHUNK, download
from hgnb.data.fetch import ARCHIVES, REPUBLISHABLE, TRAIN, VAL, Archive, choose, fetch, unpack
from hgnb.errors import InputError

HASTE = {"TIMEOUT": 1.2, "TRIES": 3, "PAUSE": 0.01, "LONGEST": 0.02}  # a busy machine answers within
LICENCES = {  # as COCO's annotation files list them
    1: "http://creativecommons.org/licenses/by-nc-sa/2.0/",
    2: "http://creativecommons.org/licenses/by-nc/2.0/",
    3: "http://creativecommons.org/licenses/by-nc-nd/2.0/",
    4: "http://creativecommons.org/licenses/by/2.0/",
    5: "http://creativecommons.org/licenses/by-sa/2.0/",
    6: "http://creativecommons.org/licenses/by-nd/2.0/",
    7: "http://flickr.com/commons/usage/",
    8: "http://www.usa.gov/copyright.shtml",
}


@dataclass
class Server:
    """What is served by path, and how the next answers misbehave; `asked` holds (path, Range)."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    drops: list[int] = field(default_factory=list)  # bytes after which the next answers break off
    stalls: int = 0  # answers that stop in the middle without closing
    refusals: list[int] = field(default_factory=list)  # status of the next answers
    ranges: bool = True
    url: str = ""

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@pytest.fixture
def server(monkeypatch):
    """A server on 127.0.0.1 that lives as long as the test."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HGNB_COCO_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in HASTE.items():
        monkeypatch.setattr(downloads, name, value)
    script, over = Server(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self):
            span = self.headers.get("Range")
            script.asked.append((self.path, span))
            if script.refusals or self.path not in script.files:
                self.send_error(script.refusals.pop(0) if script.refusals else 404)
                return
            body, first = script.files[self.path], 0
            if script.ranges and span:
                first = int(span.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body) - first))
            self.end_headers()
            self.give(body[first:])

        def give(self, body):
            if script.stalls:
                script.stalls -= 1
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                over.wait(2)
            elif script.drops:
                self.wfile.write(body[: script.drops.pop(0)])
            else:
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{httpd.server_port}"
    yield script
    over.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join(5)


def photograph(number: int) -> bytes:
    """A JPEG of 48 x 40 pixels."""
    file = io.BytesIO()
    Image.fromarray(np.full((40, 48, 3), number * 7 % 256, np.uint8)).save(file, "JPEG")
    return file.getvalue()


def annotations(ids: range) -> dict:
    """COCO's file with one person an image: licences 1 to 8 in turn, every fifth image without a labelled person."""
    category = {"id": 1, "name": "person", "keypoints": ["nose", "left_hip"], "skeleton": [[1, 2]]}
    person = {"category_id": 1, "iscrowd": 0, "area": 100.0, "bbox": [5, 5, 20, 20], "keypoints": [9, 9, 2, 20, 20, 1]}
    url = "http://images.cocodataset.org/val2017/{:012}.jpg"
    return {
        "info": {"description": "COCO 2017 Dataset"},
        "licenses": [{"id": n, "name": f"Licence {n}", "url": address} for n, address in LICENCES.items()],
        "categories": [category],
        "images": [
            {"id": n, "file_name": f"{n:012}.jpg", "width": 48, "height": 40, "license": n % 8 + 1,
             "coco_url": url.format(n), "flickr_url": f"http://flickr.test/{n}.jpg"}
            for n in ids
        ],
        "annotations": [{**person, "id": n, "image_id": n, "num_keypoints": 2 if n % 5 else 0} for n in ids],
    }  # fmt: skip


def zipped(members: dict[str, bytes], kind: int = stat.S_IFREG) -> bytes:
    """A zip with its folders as members of their own, as COCO's have them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for folder in sorted({name.rpartition("/")[0] for name in members} - {""}):
            archive.mkdir(folder)
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (kind | 0o644) << 16
            archive.writestr(member, content)
    return file.getvalue()


def stand_in(server: Server) -> dict[str, Archive]:
    """Serves a small COCO at `server`; returns its table of archives."""
    train, val = annotations(range(101, 105)), annotations(range(1, 31))
    photographs = {n: photograph(n) for n in (*range(1, 31), *range(101, 105))}
    server.files |= {f"/val2017/{n:012}.jpg": photographs[n] for n in range(1, 31)}
    noise = np.random.default_rng(0).bytes(4 * CHUNK)
    content = {
        "annotations": {
            "annotations/captions_val2017.json": b"{}",
            TRAIN: json.dumps(train).encode(),
            VAL: json.dumps(val).encode(),
        },
        "val2017": {f"val2017/{n:012}.jpg": photographs[n] for n in range(1, 31)},
        "train2017": {f"train2017/{n:012}.jpg": photographs[n] for n in range(101, 105)} | {"train2017/more": noise},
    }
    archives = {}
    for key, members in content.items():
        body = zipped(members)
        server.files[f"/{ARCHIVES[key].path}"] = body
        archives[key] = Archive(ARCHIVES[key].path, hashlib.md5(body).hexdigest(), len(body), len(body))
    return archives


@pytest.fixture
def get(server, tmp_path, monkeypatch):
    """Fetches a set of the small COCO into `tmp_path/coco`."""
    monkeypatch.setenv("HGNB_COCO_URL", server.url)
    monkeypatch.setattr("hgnb.data.fetch.ARCHIVES", stand_in(server))
    monkeypatch.setattr("hgnb.data.fetch.TINY_IMAGES", 12)
    return lambda what: fetch(what, tmp_path / "coco")


def test_val_grows_to_full_in_coco_layout_and_what_is_there_is_not_fetched_again(get, server, tmp_path):
    assert get("val") == [VAL, "val2017"]
    server.asked.clear()
    server.drops = [10**9, CHUNK * 3]
    assert get("full") == [TRAIN, "train2017"]
    assert server.asked[-1][1] == f"bytes={CHUNK * 3}-", "an archive that breaks off is gone on with"
    assert not [path for path in server.paths if path.endswith("/val2017.zip")]
    folder = tmp_path / "coco"
    assert [coco.load(folder, name).counts["images"] for name in ("train", "val")] == [4, 30]
    assert {p.name for p in folder.iterdir()} == {"annotations", "fetched.json", "train2017", "val2017"}
    assert not (folder / "annotations/captions_val2017.json").exists()
    server.asked.clear()
    assert get("full") == get("val") == [] and not server.asked


def test_tiny_holds_only_photographs_that_may_be_shown_again(get, server, tmp_path):
    assert get("tiny")
    folder = tmp_path / "coco"
    splits = {name: json.loads((folder / file).read_text()) for name, file in (("train2017", TRAIN), ("val2017", VAL))}
    images = [image for split in splits.values() for image in split["images"]]
    assert {image["license"] for image in images} <= set(REPUBLISHABLE)
    # by hand: ids 1.. with licence id % 8 + 1 (3 and 6 are ids 2 and 5, modulo 8), without every fifth
    assert sorted(i["id"] for i in images) == [1, 3, 4, 6, 7, 8, 9, 11, 12, 14, 16, 17]
    assert [i["id"] for i in splits["val2017"]["images"]] == [6, 11, 17]
    for name in splits:
        assert {p.image_id for p in coco.load(folder, name).persons} == {i["id"] for i in splits[name]["images"]}
        assert {p.name for p in (folder / name).iterdir()} == {i["file_name"] for i in splits[name]["images"]}
    coco.check(folder)
    credits = json.loads((folder / "ATTRIBUTION.json").read_text())
    assert "val2017" in credits["note"]
    assert credits["images"][0] == {
        "id": 1, "file": "train2017/000000000001.jpg", "licence": "Licence 2", "licence_url": LICENCES[2],
        "flickr_url": "http://flickr.test/1.jpg", "coco_url": "http://images.cocodataset.org/val2017/000000000001.jpg",
    }  # fmt: skip
    assert len(photo_credits(folder)) == 12
    assert "http://flickr.test/1.jpg" in photo_credits(folder)[1]
    assert "| train2017/000000000001.jpg | [Licence 2]" in (folder / "ATTRIBUTION.md").read_text()
    server.asked.clear()
    assert get("tiny") == []
    assert not server.asked
    with pytest.raises(InputError, match=r"there already, from somewhere else"):
        get("val")


def test_photographs_are_chosen_by_the_licence_itself_not_its_number():
    given = annotations(range(1, 9))
    given["licenses"][3]["url"] = LICENCES[6]  # id 4 would be BY
    assert 4 not in {image["license"] for image in choose(given, 9)}
    assert {image["license"] for image in choose(annotations(range(1, 9)), 9)} == {1, 2, 4, 5, 7, 8} - {6}


def test_tiny_goes_on_where_it_stopped(get, server, tmp_path):
    gone = {path: server.files.pop(path) for path in ["/val2017/000000000009.jpg"]}
    with pytest.raises(InputError, match=r"000000000009.jpg answers 404"):
        get("tiny")
    with pytest.raises(InputError, match="not in COCO layout"):
        coco.check(tmp_path / "coco")
    server.files |= gone
    server.asked.clear()
    assert get("tiny")
    assert not [path for path in server.paths if path.endswith(".zip") or path.endswith("001.jpg")]
    assert len(set(server.paths)) == len(server.paths)


def test_a_photograph_of_another_size_or_none_at_all_is_not_kept(get, server, tmp_path):
    server.files["/val2017/000000000003.jpg"] = server.files["/val2017/000000000003.jpg"][:200]
    with pytest.raises(InputError, match=r"000000000003.jpg gave no photograph that can be used .*decoded"):
        get("tiny")
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "PNG")
    server.files["/val2017/000000000003.jpg"] = file.getvalue()
    with pytest.raises(InputError, match=r"9 x 9 pixels, but listed as 48 x 40"):
        get("tiny")
    assert not list((tmp_path / "coco").rglob("*3.jpg*"))


# One file.


@pytest.fixture
def big(server, tmp_path):
    """Gets the file `/big` of five chunks and a bit; what a call asked for, once the file is there, whole."""
    body = server.files["/big"] = np.random.default_rng(1).bytes(5 * CHUNK + 77)

    def get(size: int | None = len(body), **given) -> list[str | None]:
        server.asked.clear()
        download(f"{server.url}/big", tmp_path / "big", size=size, **given)
        assert (tmp_path / "big").read_bytes() == body
        assert [p.name for p in tmp_path.iterdir()] == ["big"]
        return [span for _, span in server.asked]

    return get


def test_a_dropped_connection_is_gone_on_with(server, big, monkeypatch):
    """However often, as long as each attempt brings something."""
    monkeypatch.setattr(downloads, "TRIES", 2)
    server.drops = [2 * CHUNK + 5, CHUNK, CHUNK]
    heard = []
    # what came of a third chunk is asked for again
    wanted = [None, *(f"bytes={n * CHUNK}-" for n in (2, 3, 4))]
    assert big(tick=lambda have, total: heard.append(have)) == wanted
    assert heard == sorted(heard) and heard[-1] == len(server.files["/big"])


@pytest.mark.parametrize("refusals", [[], [416]])  # Range Not Satisfiable
def test_the_next_call_goes_on_where_the_size_is_known(server, big, tmp_path, refusals):
    server.drops = [2 * CHUNK, 0, 0, 0]
    with pytest.raises(InputError, match=r"'big' can't be fetched .* 3 times in a row; run .* after 131,072 bytes"):
        big()
    assert not (tmp_path / "big").exists()
    server.refusals = [*refusals]
    assert big() == [f"bytes={2 * CHUNK}-", *[None] * len(refusals)]
    server.drops = [2 * CHUNK]
    (tmp_path / "big").unlink()
    assert big(size=None) == [None, None], "without a size nothing tells that it is the same file"


def test_a_server_without_range_starts_over_and_is_given_up(server, big, tmp_path):
    server.ranges, server.drops = False, [2 * CHUNK]
    assert len(big()) == 2
    server.files["/other"], server.drops = server.files["/big"], [2 * CHUNK] * 99
    server.asked.clear()
    with pytest.raises(InputError, match="3 times in a row"):
        download(f"{server.url}/other", tmp_path / "other", size=len(server.files["/other"]))
    assert len(server.asked) == 4  # the first brought something


def test_a_stall_times_out_is_asked_again_and_then_given_up(server, big, tmp_path):
    server.stalls = 1
    assert len(big()) == 2
    server.files["/small"], server.stalls = b"0123456789", 99
    start = time.monotonic()
    with pytest.raises(InputError, match=r"nothing came for 1.2 s, 3 times in a row"):
        download(f"{server.url}/small", tmp_path / "small")
    assert time.monotonic() - start < 9 and not (tmp_path / "small").exists()


def test_what_a_server_refuses_is_asked_again_or_said_at_once(server, big, tmp_path):
    server.refusals = [503, 503]
    assert len(big()) == 3
    server.refusals = [503] * 3
    for address, words in (
        (f"{server.url}/big", r"the server answered 503 \(Service Unavailable\), 3 times in a row"),
        (f"{server.url}/none", r"/none answers 404 \(Not Found\)"),
        ("http://127.0.0.1:9/x", "the connection failed, 3 times"),
        ("coco/x", "no usable address"),
    ):
        with pytest.raises(InputError, match=words):
            download(address, tmp_path / "other")
    assert server.paths == ["/big"] * 6 + ["/none"]


# Archives that aren't what they should be.


def test_wrong_bytes_are_not_kept(get, server, tmp_path):
    path = f"/{ARCHIVES['val2017'].path}"
    right = server.files[path]
    server.files[path] = right[:-1] + bytes([right[-1] ^ 1])
    with pytest.raises(InputError, match=r"val2017.zip gave a file with the MD5 .* was deleted"):
        get("val")
    assert not list((tmp_path / "coco").rglob("val2017*"))
    server.files[path] = b"<html>Log in</html>"
    with pytest.raises(InputError, match=r"val2017.zip is 19 bytes where [\d,]+ were expected"):
        get("val")
    server.files[path] = right
    assert get("val") == ["val2017"]


def test_too_little_disk_is_seen_before_anything_is_fetched(get, server, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6, 1000))
    for what in ("tiny", "val", "full"):
        with pytest.raises(InputError, match=r"has 1.0 kB free, and .* are needed"):
            get(what)
    assert not server.asked


@pytest.mark.parametrize("name", ["val2017/../../out.jpg", "val2017//tmp/out.jpg", "val2017/link"])
def test_an_archive_reaches_nowhere_else_and_makes_no_links(tmp_path, name):
    (tmp_path / "bad.zip").write_bytes(zipped({name: b"/etc/passwd"}, stat.S_IFLNK))
    unpack(tmp_path / "bad.zip", tmp_path / "aside", ["val2017"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["aside", "bad.zip"]
    (made,) = (p for p in tmp_path.rglob("*") if not p.is_dir() and p.suffix != ".zip")
    assert made.resolve().is_relative_to(tmp_path / "aside/val2017") and made.read_bytes() == b"/etc/passwd"


def test_a_damaged_archive_is_a_sentence_and_leaves_nothing_that_looks_complete(get, server, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "x")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", full)
        with pytest.raises(InputError, match="No space left on device"):
            get("val")
    assert not (tmp_path / "coco/val2017").exists()
    assert not (tmp_path / "coco/annotations").exists()
    assert get("val")
    (tmp_path / "cut.zip").write_bytes(zipped({"val2017/1.jpg": b"1" * 99})[:-40])
    with pytest.raises(InputError, match="can't be unpacked"):
        unpack(tmp_path / "cut.zip", tmp_path / "aside", ["val2017"])


def test_what_somebody_else_put_there_is_left_alone_and_what_went_missing_noticed(get, server, tmp_path):
    (tmp_path / "coco/val2017").mkdir(parents=True)
    with pytest.raises(InputError, match=r"val2017' is there already, from somewhere else"):
        get("val")
    assert not server.asked
    (tmp_path / "coco/val2017").rmdir()
    get("val")
    next((tmp_path / "coco/val2017").iterdir()).unlink()
    with pytest.raises(InputError, match="has 29 of the 30 files"):
        get("val")


def test_the_command_says_one_sentence(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HGNB_COCO_URL", server.url + "/")
    (tmp_path / "file").write_text("")
    for words, said in (
        (["tiny", "--out", str(tmp_path / "coco")], "/annotations/annotations_trainval2017.zip answers 404"),
        (["vall", "--out", str(tmp_path / "coco")], "did you mean 'val'?"),
        (["val", "--out", str(tmp_path / "file")], "can't be written"),
    ):
        assert run_command("data", "fetch", *words) == 1
        err = [line for line in capsys.readouterr().err.splitlines() if "━" not in line and line.strip()]
        assert len(err) == 1
        assert said in err[0]
