"""What of this machine a build may not rely on or show: a home that can't be written to, the folders' names."""

import os
from pathlib import Path

from hgnb.recording.edition import EMBEDDED, resolved


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
