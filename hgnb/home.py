"""Where the book lives on this machine: profiles, data and runs are found from here; and files that are whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hgnb.errors import InputError


def home() -> Path:
    """`$HGNB_HOME`, or the nearest folder from here upwards that holds `profiles/` and the `hgnb` package."""
    if place := os.environ.get("HGNB_HOME"):
        return Path(place)
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / "profiles").is_dir() and (folder / "hgnb").is_dir():
            return folder
    raise InputError(f"'{here}' isn't inside the book's repository (no profiles/ and hgnb/ found): go there first.")


def located(name: str | Path) -> Path:
    """Where a path that a person gave leads: a relative one from the working folder, else from the repository."""
    path = Path(name).expanduser()
    if path.is_absolute() or path.exists():
        return path.resolve()
    inside = home() / path
    if inside.exists():
        return inside.resolve()
    raise InputError(f"There is no '{name}': it was looked for from '{Path.cwd()}' and from the repository '{home()}'.")


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside a file and renames, so that it is never half written; its folder is made."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        aside.write_bytes(content)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder aside that becomes `out` once all is written into it, and is gone where that fails.

    InputError where something is there already, but for an empty folder.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"'{out}' is there already and not empty: name a new folder.")
    aside = out.with_name(out.name + ".partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        yield aside
        if out.exists():
            out.rmdir()
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
