"""What a build finds on this machine: an unwritable home, folders that no page may show, an earlier site."""

import os
from pathlib import Path

from hgnb.data.config import EMBEDDED
from hgnb_book.edition import resolved

PUBLISHED = "edition.txt"  # in the site: which book it is


def homely(root: Path) -> None:
    """Gives this process and its children a home of their own where the person's can't be written to, as in containers:
    Snakemake, Jupyter and matplotlib keep caches there."""
    if not os.access(Path.home(), os.W_OK):
        own = root / "data" / ".home"
        own.mkdir(parents=True, exist_ok=True)
        os.environ["HOME"] = str(own)
        for name in [name for name in os.environ if name.startswith("XDG_") and name.endswith("_HOME")]:
            del os.environ[name]


def private_folders(root: Path, data: str = EMBEDDED) -> dict[str, str]:
    """Absolute folders that no page may show, each with what stands there instead; longest first."""
    home = str(Path.home())
    folders = {str(root): "", str(root.resolve()): ""}
    if data != EMBEDDED:
        folders |= {
            str(Path(resolved(data)).parent): "",
            os.path.dirname(os.path.abspath(data)): "",
        }
    folders.setdefault(home, "~")
    folders = {folder: name for folder, name in folders.items() if len(Path(folder).parts) > 1}
    return dict(sorted(folders.items(), key=lambda item: -len(item[0])))


def published(root: Path) -> str:
    """Which edition of the book `site/` holds, in words; '' where it holds none, or doesn't say."""
    note = root / "site" / PUBLISHED
    return note.read_text(encoding="utf8").strip() if note.is_file() else ""
