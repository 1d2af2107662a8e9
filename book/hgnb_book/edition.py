"""Which profile, data and seed: what a build is called, where its stamps lie, and what it finds on this machine: an
unwritable home, folders that no page may show, an earlier site.
"""

import hashlib
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from hgnb.data.splits import EMBEDDED
from hgnb.home import located

PUBLISHED = "edition.txt"  # in the site: which book it is


def resolved(data: str) -> str:
    """The data as every process of a build names them, whatever folder it runs in."""
    return EMBEDDED if data == EMBEDDED else str(located(data))


@dataclass(frozen=True)
class Edition:
    """One build of the book: which numbers, which data, which seed."""

    profile: str
    data: str  # "embedded", or a folder in COCO layout
    seed: int

    def __str__(self) -> str:
        return f"{self.profile} on {self.data_name}, seed {self.seed}"

    @property
    def data_name(self) -> str:
        """What pages call the data: the folder's name, never its path."""
        return Path(resolved(self.data)).name

    @property
    def slug(self) -> str:
        """Its name in files."""
        return f"{self.profile}-{self._slug()}-{self.seed}"

    def stamps(self, root: Path) -> Path:
        """The folder of this edition's stamps, one JSON file a finished stage."""
        return root / "data" / "stamps" / self.slug

    def recorded(self, root: Path, study: str) -> Path:
        """The folder of a study's stamps, one JSON file a training, whatever its seed."""
        return root / "data" / "stamps" / f"{study}-{self.profile}-{self._slug()}"

    def numbers(self, root: Path) -> dict[str, dict]:
        """The files that its numbers are written in, by their path in the repository, the profile's own first.

        Read without checking, which takes torch: those that can't be read have nothing in them.
        """
        found: dict[str, dict] = {}
        name = self.profile.partition("+")[0]
        while name and (file := f"profiles/{name}.toml") not in found:
            try:
                found[file] = tomllib.loads((root / file).read_text(encoding="utf8"))
            except (OSError, ValueError):
                found[file] = {}
            name = found[file].get("like", "")
        return found

    def _slug(self) -> str:
        if self.data == EMBEDDED:
            return EMBEDDED
        plain = re.sub(r"[^A-Za-z0-9_.]+", "-", self.data_name)
        # two folders of one name stay two editions
        return f"{plain}-{hashlib.sha256(resolved(self.data).encode()).hexdigest()[:8]}"


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
        folders |= {str(Path(resolved(data)).parent): "", os.path.dirname(os.path.abspath(data)): ""}
    folders.setdefault(home, "~")
    folders = {folder: name for folder, name in folders.items() if len(Path(folder).parts) > 1}
    return dict(sorted(folders.items(), key=lambda item: -len(item[0])))


def published(root: Path) -> str:
    """Which edition of the book `site/` holds, in words; '' where it holds none, or doesn't say."""
    note = root / "site" / PUBLISHED
    return note.read_text(encoding="utf8").strip() if note.is_file() else ""
