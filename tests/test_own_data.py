"""A folder of one's own in place of the embedded data: *Run All Cells*, as a reader in JupyterLab does it."""

import os
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from figures.watching import SESSION
from hgnb_book.execute import own_kernel

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def run_all(house, monkeypatch):
    """Runs all cells of a chapter with a folder of one's own; each cell's outputs as (text, metadata)."""
    parts = [REPOSITORY, REPOSITORY / "book", REPOSITORY / "notebooks"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, parts)))
    monkeypatch.setenv(SESSION, "chapter.ipynb")

    def run(chapter: str, folder: Path) -> list[list]:
        notebook = nbformat.read(REPOSITORY / "notebooks" / f"{chapter}.ipynb", as_version=4)
        (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
        typed = cell.source.replace('data = "embedded"', f'data = "{folder}"').replace('"tiny"', '"smoke"')
        assert typed != cell.source
        cell.source = typed
        with own_kernel() as kernel:
            NotebookClient(notebook, kernel_name=kernel, timeout=600).execute(cwd=house)
        return [[shown(output) for output in cell.outputs] for cell in notebook.cells if cell.cell_type == "code"]

    return run


def shown(output) -> tuple[str, str]:
    """What a cell shows: the kind, and its words."""
    data = output.get("data", {})
    if picture := next((mime for mime in data if mime.startswith("image/")), None):
        return picture, ""
    return output.output_type, data.get("text/markdown") or output.get("text", "")


def roboflow(source: Path, folder: Path) -> Path:
    """The same photographs as Roboflow exports them: pictures and annotations of a split in one folder."""
    for split, ours in (("train", "train"), ("valid", "val")):
        shutil.copytree(source / f"{ours}2017", folder / split)
        annotations = source / "annotations" / f"person_keypoints_{ours}2017.json"
        shutil.copy(annotations, folder / split / "_annotations.coco.json")
    return folder


@pytest.mark.parametrize("shape", ["coco", "roboflow"])
def test_run_all_on_a_folder_of_ones_own(real, run_all, house, tmp_path, shape):
    """What is trained is said before it is; two chapters share a training; every figure has its caption below."""
    folder = real("coco-mini") if shape == "coco" else roboflow(real("coco-mini"), tmp_path / "people of mine")
    cells = run_all("03_interpretation", folder)
    said = [[words for _, words in outputs if "o be trained first" in words] for outputs in cells]
    (announced,) = [number for number, found in enumerate(said) if found]
    bars = [n for n, outputs in enumerate(cells) for kind, words in outputs if kind == "stream" and "epoch" in words]
    assert "hourglass (about " in said[announced][0] and announced < min(bars)
    outputs = [output for outputs in cells for output in outputs]
    figures = [number for number, (kind, _) in enumerate(outputs) if kind.startswith("image/")]
    assert len(figures) > 8 and all(outputs[number + 1][1] for number in figures)
    again = [words for outputs in run_all("02_experiment", folder) for _, words in outputs if "rained already" in words]
    assert again and "hourglass (" in again[0]
    (run,) = (house / "data/runs").glob("hourglass-smoke-*")
    assert folder.name in run.name
