"""Networks that run in the page: the published pages get the files that their parts load on a click. 00_try_it.

A chapter leaves a part `network` (figures.ch00) that names a run and the digest of the files it exported. Here
these become scripts in `_static/in_page`, beside the runtime. Where one or the other is missing, the part gives way
to a sentence, and the still figure stands for it: a site doesn't fail for that.
"""

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

from hgnb.analysis.exhibited import CROPS, FOLDER, NETWORK, digest
from hgnb.errors import InputError
from hgnb_book.runtime import LICENCE, VERSION, runtime, script

PART = re.compile(r'<div class="live" (data-of="[^"]*" data-part="network") hidden>(.*?)</div>', re.S)
DATA = re.compile(r"<script[^>]*>(.*?)</script>", re.S)
PLACE = "_static/in_page"


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
            up = "../" * (len(page.relative_to(site).parts) - 1)
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
