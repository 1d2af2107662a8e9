"""Networks that run in the page: the published pages get the files that their parts load on a click. 00_try_it.

A chapter leaves a part `network` (figures.ch00) that names a run and the digest of the files it exported. Here
these become scripts in `_static/in_page`, beside the runtime. Where one or the other is missing, the part gives way
to a sentence, and the still figure stands for it: a site doesn't fail for that.
"""

import gzip
import html
import json
import re
import tarfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pooch

from figures.exhibit import CROPS, FOLDER, NETWORK, digest
from hgnb.errors import InputError
from hgnb_book.site import upwards

PART = re.compile(r'<div class="live" (data-of="[^"]*" data-part="network") hidden>(.*?)</div>', re.S)
DATA = re.compile(r"<script[^>]*>(.*?)</script>", re.S)
PLACE = "_static/in_page"

# onnxruntime-web runs an ONNX file in a browser: from the npm registry, fetched once and kept by its checksum. Packed
# as a script, because a page opened from a disk may load scripts and nothing else beside it.
VERSION = "1.24.3"  # 1.23 still looks for the address of a wasm that it is handed
URL = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
# the registry's own `dist.integrity`, in hex
CHECKSUM = (
    "sha512:e35743abb7f1b539b45f3184ecdd1dea6f0570e63c116b5403ae4690e8b124f0"
    "7f1bb0c6cc19a20c09d55571f39d1c3d6e0519a5bfb8ff59502bf3cdc46a5bad"
)
TIMEOUT = 30  # seconds without a byte
FILES = {  # by the names that book/_static/network.js asks for
    "module": "package/dist/ort.wasm.min.mjs",
    "glue": "package/dist/ort-wasm-simd-threaded.mjs",
    "wasm": "package/dist/ort-wasm-simd-threaded.wasm",
}
LICENCE = f"""/*!
ONNX Runtime Web {VERSION}, MIT License. Copyright (c) Microsoft Corporation.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
*/
"""


def equip(site: Path, runs: Path) -> list[str]:
    """Gives the pages of `site` their networks from the folder of runs; a sentence for each that gets none."""
    said: list[str] = []
    for page in sorted(site.rglob("*.html")):

        def equipped(found: re.Match, page: Path = page) -> str:
            held = DATA.search(found[2])
            assert held is not None, page.name  # every part carries its data
            data = json.loads(held[1])["data"]
            try:
                files = _files(site, runs / data["run"], data["digest"])
            except InputError as error:
                said.append(f"Page {page.stem} shows pictures in place of the network: {error}")
                return f'<p class="live-missing">The network isn\'t in this page. {html.escape(str(error))}</p>'
            up = upwards(page, site)
            places = [f'data-{name}="{up}{file.relative_to(site).as_posix()}"' for name, file in files.items()]
            size = sum(file.stat().st_size for file in files.values())
            return f'<div class="live" {found[1]} {" ".join(places)} data-bytes="{size}" hidden>{found[2]}</div>'

        text = page.read_text(encoding="utf8")
        if PART.search(text):
            page.write_text(PART.sub(equipped, text), encoding="utf8")
    return said


def _files(site: Path, run: Path, digest: str) -> dict[str, Path]:
    """The scripts of a part, by the names that book/_static/network.js asks for; made where they aren't there yet."""
    return {
        "network": _made(site, f"network-{digest[:12]}.js", lambda: script("network", _network(run, digest))),
        "runtime": _made(site, f"runtime-{VERSION}.js", lambda: script("runtime", runtime(), LICENCE)),
    }


def _made(site: Path, name: str, make: Callable[[], str]) -> Path:
    file = site / PLACE / name
    if not file.is_file():
        text = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf8")
    return file


def _network(run: Path, wanted: str) -> dict[str, bytes]:
    """The network and the pixels of its persons, row by row; InputError where the run's files are others now."""
    import numpy as np  # imported late: a book without such a part doesn't need it

    folder = run / FOLDER
    if not all((folder / name).is_file() for name in (NETWORK, CROPS)) or digest(folder) != wanted:
        raise InputError(f"The files of {run.name} aren't those that the chapter exported: run the chapter again.")
    return {"model": (folder / NETWORK).read_bytes(), "crops": np.load(folder / CROPS).tobytes()}


def runtime() -> dict[str, bytes]:
    """The runtime's files by the names in FILES; InputError where they aren't here and can't be fetched."""
    pooch.get_logger().setLevel("ERROR")
    try:
        archive = pooch.retrieve(
            URL, CHECKSUM, fname=URL.rpartition("/")[2], path=pooch.os_cache("hgnb"),
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
        )  # fmt: skip
    except OSError as error:  # requests' errors are such; so is a cache that can't be written
        remedy = "once it can be, remove site/ and build again"
        raise InputError(f"{URL} can't be fetched ({type(error).__name__}): {remedy}.") from error
    except ValueError as error:  # pooch's word for a checksum that differs
        raise InputError(f"{URL} gave another file than the one whose checksum is known.") from error
    with tarfile.open(archive) as opened:
        return {name: _content(opened, path) for name, path in FILES.items()}


def _content(archive: tarfile.TarFile, path: str) -> bytes:
    file = archive.extractfile(path)
    assert file is not None, path  # a folder; the archive is the one whose checksum is known
    return file.read()


def script(name: str, files: dict[str, bytes], head: str = "") -> str:
    """A script that puts files, zipped and in base64, under a name where network.js finds them."""
    packed = {key: b64encode(gzip.compress(content, 9, mtime=0)).decode() for key, content in files.items()}
    return f"{head}(window.hgnbPacked ??= {{}})[{json.dumps(name)}] = {json.dumps(packed)};\n"
