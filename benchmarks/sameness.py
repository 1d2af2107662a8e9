"""What a build came to, piece by piece, so that two builds can be held against each other. For kill.py and twice.py.

A piece is the digest of one result: of a stage's stamp, a run's table of epochs or weights, prepared crops, or what a
chapter's cell shows: its picture by pixels, its text and the data of an interactive part. Times can't be equal, so
they are taken out where they stand alone, and cells that show little else are listed in `TIMED`.
"""

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from PIL import Image

# keys of JSON, columns of tables; the name of the folder with prepared crops has a hash of when the files were written
TIMES = ("seconds", "started", "date", "folder")
# cells whose figures, tables and sentences hold measured times
TIMED = re.compile(r"06_lighter_hourglasses/|/ahead")
MINUTES = re.compile(r"(?<!\S)\d\S{0,40} min(?:utes)?\b")  # how long a training took, in a sentence or a table
PICTURES = ("image/png", "image/jpeg")  # as figures.page writes them
SHOWN = ("text/markdown", "text/html", "text/plain")


def pieces(root: Path) -> dict[str, str]:
    """Digests by name of everything that the builds in `root` came to."""
    return {name: hashlib.sha256(content).hexdigest()[:16] for name, content in _all(root)}


def unequal(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """Names of the pieces that are not the same in both, times aside."""
    return sorted(n for n in first.keys() | second.keys() if first.get(n) != second.get(n) and not TIMED.search(n))


def timed(names: Iterable[str]) -> list[str]:
    """Those that hold times, which no two builds share."""
    return sorted(n for n in names if TIMED.search(n))


def _all(root: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(root.glob("data/stamps/*/[!.]*.json")):
        content = json.loads(file.read_text(encoding="utf8"))
        yield f"{file.parent.name}/{file.stem}", json.dumps(_timeless(content), sort_keys=True).encode()
    for run in sorted(root.glob("data/runs/*/manifest.json")):
        table = pd.read_csv(run.with_name("metrics.csv")).drop(columns="seconds")
        yield f"{run.parent.name}/metrics", table.to_csv().encode()
        for weights in sorted(run.parent.glob("*.safetensors")):
            yield f"{run.parent.name}/{weights.stem}", weights.read_bytes()
    for manifest in sorted(root.glob("data/prepared/*/manifest.json")):
        told = json.loads(manifest.read_text())
        # chapter 02's few persons come from the same folder at the same side: settings tell the two apart
        settings = hashlib.sha256(json.dumps(told["config"], sort_keys=True).encode()).hexdigest()[:8]
        yield f"prepared/{manifest.parent.name.rpartition('-')[0]}-{settings}", told["checksum"].encode()
    for file in sorted(root.glob("book/_executed/*.ipynb")):
        for cell in nbformat.read(file, as_version=4).cells:
            label = cell.metadata.get("mystnb", {}).get("figure", {}).get("name") or cell.id
            for at, output in enumerate(cell.get("outputs", [])):
                yield f"{file.stem}/{label}{f'.{at}' if at else ''}", _shown(output)


def _timeless(content):
    if isinstance(content, dict):
        return {key: _timeless(value) for key, value in content.items() if key not in TIMES}
    return [_timeless(value) for value in content] if isinstance(content, list) else content


def _shown(output) -> bytes:
    """What a reader sees of an output."""
    data = output.get("data", {})
    for kind in PICTURES:
        if kind in data:
            pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data[kind]))).convert("RGBA"))
            return repr(pixels.shape).encode() + pixels.tobytes()
    kept = {kind: data[kind] for kind in SHOWN if kind in data} or {"text": output.get("text", "")}
    return MINUTES.sub("… min", json.dumps(kept, sort_keys=True)).encode()
