"""The files of an exhibit, by name and digest: a page that is rendered asks for no more, and loads no network."""

import hashlib
from pathlib import Path

FOLDER, NETWORK, CROPS = "page", "network.onnx", "crops.npy"  # in the run's folder


def digest(folder: Path) -> str:
    """SHA-256 of the files in a page's folder: a page names the very ones that it was made with."""
    held = hashlib.sha256()
    for name in (NETWORK, CROPS):
        held.update((folder / name).read_bytes())
    return held.hexdigest()
