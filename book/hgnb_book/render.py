"""Jupyter Book over the executed chapters: warnings are errors, and a site is published whole or not at all.

Pages are built in `_build/`, from nothing, and become `site/` only when all of them are sound.
"""

import html
import os
import platform
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hgnb.data.splits import EMBEDDED
from hgnb.errors import InputError
from hgnb_book import chapter, hits, imports, in_page, journal, reference, rules, toc
from hgnb_book.chapter import ANSI
from hgnb_book.edition import PUBLISHED, Edition
from hgnb_book.site import finish

WARNING = re.compile(r"(?:WARNING|ERROR|CRITICAL|SEVERE)")
PARTS = {"front", "answers", "conclusion"}  # tags of cells whose outputs other pages show, too
VERSIONS = (
    "torch", "lightning", "numpy", "scipy", "scikit-learn", "umap-learn", "pandas", "matplotlib", "seaborn", "Pillow",
    "pycocotools", "papermill", "jupyter-book", "sphinx", "snakemake",
)  # fmt: skip
# LICENSE-text and LICENSE
LICENCES = (
    '<p class="licence">Text and figures <a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>, '
    'code <a href="https://opensource.org/license/mit">MIT</a>, photographs as credited.</p>'
)


class RenderError(InputError):
    """A page can't be rendered; the message names it and the first warning."""


def render(edition: Edition, root: Path) -> Path:
    """Build the pages of `root`/book and publish them; returns the path of the site's index.html."""
    with journal.told("site"):
        build, site = root / "_build" / "book", root / "site"
        built = build / "_build" / "html"
        pages = toc.pages(root / "book" / "_toc.yml")
        _recover(site)
        shutil.rmtree(build, ignore_errors=True)
        write_parts(root, edition)
        try:
            _jupyter_book(root, _config(root, build, edition))
            for page in pages:
                if not (built / f"{page}.html").is_file():
                    raise RenderError(f"Page {page} of the table of contents wasn't rendered.")
            _publish(built, site, edition, pages)
        finally:
            shutil.rmtree(build, ignore_errors=True)
        return site / "index.html"


def _jupyter_book(root: Path, config: Path) -> None:
    start = f"import sys; sys.modules[{chapter.GRAMMAR!r}] = None; from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", "book"]
    command += ["--config", str(config), "--path-output", str(config.parent), "-W", "-n", "--keep-going"]
    # the colours and the line width of a terminal would cut the warnings that are quoted below
    plain = os.environ | {"NO_COLOR": "1", "COLUMNS": "1000", "TERM": "dumb", "PYTHONIOENCODING": "utf8"}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf8", env=plain)
    log = root / "data" / "render.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(done.stdout + done.stderr, encoding="utf8")
    if done.returncode:
        raise RenderError(_sentence(done.stdout + done.stderr, root))


def _sentence(log: str, root: Path) -> str:
    """What went wrong, from Sphinx's log: the first page with a warning, and how many more there are."""
    lines = [relative.strip() for relative in ANSI.sub("", log).replace(f"{root}{os.sep}", "").splitlines()]
    found = list(dict.fromkeys(line for line in lines if WARNING.search(line) and "treated as errors" not in line))
    if not found:
        said = [line for line in lines if line and not set(line) <= set("=-")]
        return f"Jupyter Book couldn't render the pages: {' '.join(said[-2:])}"
    where, _, what = found[0].partition(": ")
    if not what or WARNING.match(where):
        where, what = "", found[0]
    # MyST-NB counts lines of a notebook as 10000 × cell + line
    where = re.sub(r"(\.ipynb):(\d+)$", lambda m: f"{m[1]}, cell {int(m[2]) // 10000},", where)
    what = re.sub(r"^[A-Z]+: ", "", what)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"Page {where or 'of the book'} can't be rendered: {what}{more}"


def _config(root: Path, build: Path, edition: Edition) -> Path:
    """_config.yml with the footer of this edition, written into `build`."""
    import yaml

    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))
    facts = {
        "profile": edition.profile,
        "data": f"{edition.data_name}, drawn people" if edition.data == EMBEDDED else edition.data_name,
        "seed": edition.seed,
        "built": date.today(),
        "version": _version("hgnb"),
    }
    footer = " · ".join(f"{name} <b>{html.escape(str(value))}</b>" for name, value in facts.items())
    config.setdefault("html", {})["extra_footer"] = f'<p class="edition">{footer}</p>{LICENCES}'
    build.mkdir(parents=True, exist_ok=True)
    path = build / "config.yml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf8")
    return path


def write_parts(root: Path, edition: Edition) -> None:
    """Write what pages are made of besides chapters: what built the book (device, versions, seconds a chapter), what
    the model card tells of the released network, the reference, the rules of the claims, who knows whom, and what pages
    show of chapters."""
    from hgnb_book import model_card  # torch takes seconds to load

    parts = {
        "environment.md": environment(root, edition),
        "released.md": model_card.page(),
        "reference.md": reference.page(),
        "rules.md": rules.page(),
        "rooms.md": imports.drawn(),
    }
    executed = root / "book" / "_executed"
    executed.mkdir(parents=True, exist_ok=True)
    files = {name: text.encode() for name, text in parts.items()} | lent(executed)
    for name, held in files.items():
        (executed / name).write_bytes(held)


def lent(executed: Path) -> dict[str, bytes]:
    """What pages show of chapters: outputs of cells that are tagged with a part's name, as Markdown to include, and the
    pictures in them."""
    files: dict[str, bytes] = {}
    for notebook in sorted(executed.glob("*.ipynb")):
        for cell in chapter.read(notebook).cells:
            for part in PARTS & set(cell.metadata.get("tags", [])):
                for output in cell.get("outputs", []):
                    text = output.get("data", {}).get("text/markdown", "")
                    for mime, picture in output.get("data", {}).items():
                        if mime.startswith("image/"):
                            name = f"{part}.{mime.partition('/')[2]}"
                            files[name] = b64decode(picture)
                            alt = cell.metadata["mystnb"]["image"]["alt"]
                            text = f"```{{image}} _executed/{name}\n:alt: {alt}\n:class: {part}\n```"
                    files[f"{part}.md"] = files.get(f"{part}.md", b"") + f"{text}\n\n".encode()
    return files


def environment(root: Path, edition: Edition) -> str:
    """What built the book, as a table."""
    from hgnb.training.hardware import processor

    facts = {
        "Profile, data, seed": f"{edition.profile}, {edition.data_name}, {edition.seed}",
        "Processor": f"{processor()}, {os.cpu_count()} cores",
        "System": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "Versions": ", ".join(f"{name} {number}" for name in VERSIONS if (number := _version(name))),
        "Chapters": ", ".join(f"{name} {seconds:.0f} s" for name, seconds in _seconds(root).items()),
    }
    rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items() if value)
    return f"| What | This build |\n| --- | --- |\n{rows}\n"


def _seconds(root: Path) -> dict[str, float]:
    found = {}
    for path in sorted((root / "book" / "_executed").glob("*.ipynb")):
        metadata = chapter.read(path).metadata.get("hgnb", {})
        if "seconds" in metadata:
            found[path.stem] = metadata["seconds"]
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _publish(built: Path, site: Path, edition: Edition, pages: list[str]) -> None:
    """Finish the pages in `built`, which say of which edition they are, and put them in the place of `site`."""
    for sentence in in_page.equip(built, site.parent / "data" / "runs"):
        journal.tell("note", sentence)
        print(sentence, file=sys.stderr)
    finish(built)
    hits.write(built, pages)
    (built / PUBLISHED).write_text(f"{edition}\n", encoding="utf8")
    old = site.with_name("site.old")
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        site.rename(old)
    built.rename(site)
    shutil.rmtree(old, ignore_errors=True)


def _recover(site: Path) -> None:
    """Put the old site back if the machine stopped between the two renames."""
    old = site.with_name("site.old")
    if old.exists() and not site.exists():
        old.rename(site)
