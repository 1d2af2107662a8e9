"""The finished book: served on this machine, and packed for an archive with the records and weights it rests on."""

import hashlib
import json
import webbrowser
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

from hgnb.errors import InputError
from hgnb.home import home, located, sha256
from hgnb_book.edition import Edition, private_folders, published
from hgnb_book.weave import relative

SUMS = "SHA256SUMS"  # in the archive: what `sha256sum -c` reads
# what stands for itself: how to cite it, on which terms, what was recorded, and the network that comes with the library
KEPT = ("CITATION.cff", "LICENSE", "LICENSE-text", "README.md", "results/**/*", "hgnb/weights/*")
OF_A_RUN = ("manifest.json", "metrics.csv", "validation.npz", "steps.npz", "*.safetensors")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP knows: the same files make the same archive


def serve(site: Path | None = None, port: int = 0, browser: bool = True) -> None:
    """Serves the folder of a book, site/ if not given, to this machine alone until it is interrupted."""
    folder = located(site) if site else home() / "site"
    if not (folder / "index.html").is_file():
        raise InputError(f"There is no book in '{folder}': build one with 'hgnb book', or name the folder of another.")
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder))) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        print(f"{address} shows {folder}; Ctrl-C ends it.", flush=True)
        if browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args) -> None:
        """Says nothing of each file."""


def pack(root: Path, out: Path | None = None) -> tuple[Path, str]:
    """Writes the book in site/, the records, the released network and the runs of this edition into a ZIP file.

    Returns the file and its SHA-256. Inside, SHA256SUMS has a line for each file; what names folders of this machine
    is made relative. The same content gives the same file. InputError where there is no book.
    """
    edition = _edition(root)
    out = out or root / f"hgnb-{version('hgnb')}-{edition.slug}.zip"
    private, sums = private_folders(root, edition.data), []
    aside = out.with_name(f".{out.name}.part")
    try:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, file in sorted(_files(root, edition)):
                content = file.read_bytes()
                if file.name == "manifest.json":
                    content = json.dumps(relative(json.loads(content), private), indent=1).encode()
                sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}")
                archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
            archive.writestr(zipfile.ZipInfo(SUMS, EPOCH), "\n".join(sums) + "\n", zipfile.ZIP_DEFLATED)
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)
    return out, sha256(out)


def _edition(root: Path) -> Edition:
    """The edition that site/ holds."""
    told = published(root)
    for file in root.glob("data/stamps/*/.edition.json"):
        asked = json.loads(file.read_text(encoding="utf8"))
        edition = Edition(asked["profile"], asked["data"], asked["seed"])
        if str(edition) == told:
            return edition
    raise InputError("There is no book of this folder's runs in site/ to pack: run 'hgnb book' first.")


def _files(root: Path, edition: Edition) -> Iterator[tuple[str, Path]]:
    """Names in the archive, and files."""
    for pattern in (*KEPT, "site/**/*"):
        yield from ((file.relative_to(root).as_posix(), file) for file in root.glob(pattern) if file.is_file())
    for stamp in edition.stamps(root).glob("[!.]*.json"):
        if run := json.loads(stamp.read_text(encoding="utf8")).get("run"):
            folder = root / "data" / "runs" / run
            yield from ((f"runs/{run}/{file.name}", file) for kind in OF_A_RUN for file in folder.glob(kind))
