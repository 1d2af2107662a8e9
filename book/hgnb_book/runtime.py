"""What runs an ONNX file in a browser: onnxruntime-web from the npm registry, fetched once and kept by its checksum.

Packed as a script, because a page opened from a disk may load scripts and nothing else beside it.
"""

import gzip
import json
import tarfile
from base64 import b64encode

import pooch

from hgnb.errors import InputError

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
