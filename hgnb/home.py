"""Where the book lives on this machine: profiles, data and runs are found from here; and files that are whole."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hgnb.errors import InputError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # a disk, a quota, or the largest file that a system allows


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


def cores() -> int:
    """Of the processor, those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def sha256(file: Path) -> str:
    """Of what a file holds, in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def write_whole(path: Path, content: bytes, then: str = "what stood there before still does") -> None:
    """Writes beside a file and renames, so that it is never half written, also after a crash; its folder is made.

    InputError on a full disk; `then` as below.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with full_disk_told(path, len(content), then), open(aside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
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


@contextmanager
def full_disk_told(path: Path, size: int, then: str) -> Iterator[None]:
    """A disk without room for the `size` bytes of `path` is an InputError that says what happens `then`."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise InputError(
            f"There is no space left for {path.name} ({size / 1e6:.0f} MB): make some and call again, {then}."
        ) from error
