"""The exported network: its switches against the network's own, and the file against torch."""

import json
import sys

import numpy as np
import pytest
import torch
from test_cli import hgnb

from hgnb.analysis.components import export_basis
from hgnb.errors import InputError
from hgnb.model.hourglass import AutoencoderConfig, HourglassConfig
from hgnb.training import catalogue
from hgnb.training import export as room
from hgnb.training.export import OUTPUTS, Basis, export, ready


def made(folder, *, stacks=1, autoencoder=None) -> tuple[catalogue.Weights, Basis]:
    """A new network of depth 2 and a random basis of 9 of its 32 latent dimensions."""
    torch.manual_seed(0)
    model = HourglassConfig(stacks=stacks, depth=2, channels=8, inner=4, stem=8, keypoints=3)
    own = catalogue.Card(model, autoencoder, 32, 0.1, "shift", (0.4, 0.5, 0.6), ("nose", "left_hip", "neck"), ((1, 2),))
    file = folder / "own.safetensors"
    file.write_bytes(catalogue.written(own.network(), own))
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(32, 9)))[0].T
    return catalogue.weights(str(file)), Basis(rng.normal(size=32), axes)


def test_an_export_without_its_packages_or_place_is_refused(tmp_path, monkeypatch):
    for place in (tmp_path / "no folder" / "x.onnx", tmp_path):
        with pytest.raises(InputError, match="folder"):
            ready(place)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match="onnx and onnxruntime"):
        ready(tmp_path / "x.onnx")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("stacks", "autoencoder"), [(1, AutoencoderConfig(5, 1)), (2, None)])
def test_a_file_runs_without_torch(tmp_path, stacks, autoencoder):
    """It equals torch in every setting of its switches; names, shapes, free batch and card of the written file."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
    weights, basis = made(tmp_path, stacks=stacks, autoencoder=autoencoder)
    done = export(weights, tmp_path / "own.onnx", basis)
    assert (done.components, done.compared) == (9, 20) and done.worst < 1e-4 and done.size == done.file.stat().st_size
    session = onnxruntime.InferenceSession(tmp_path / "own.onnx", providers=["CPUExecutionProvider"])
    shapes = {i.name: i.shape for i in (*session.get_inputs(), *session.get_outputs())}
    assert shapes["crops"][1:] == [32, 32, 3] and shapes["skips"] == [2] and shapes["keep"] == []
    for persons in (1, 5):
        given = {"crops": np.zeros((persons, 32, 32, 3), np.uint8), "skips": np.ones(2, np.float32)}
        maps, latents = session.run(list(OUTPUTS), {**given, "keep": np.array(3, np.float32)})
        assert maps.shape == (persons, 3, 8, 8) and latents.shape == (persons, 8, 2, 2)
    notes = session.get_modelmeta().custom_metadata_map
    assert json.loads(notes["keypoints"]) == ["nose", "left_hip", "neck"] and json.loads(notes["components"]) == 9
    assert json.loads(notes["hgnb"])["side"] == 32 and notes["sha256"] == weights.sha256
    export(weights, tmp_path / "bare.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "bare.onnx", providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["crops", "skips"]


def test_a_file_that_disagrees_is_not_written(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
    weights, basis = made(tmp_path)
    right = room.expected
    for wrong in (
        lambda w, b, c, skips, keep: right(w, b, c, skips[::-1], keep),
        lambda w, b, c, skips, keep: right(w, b, c, skips, keep if keep < 1 else keep - 1),
    ):
        monkeypatch.setattr(room, "expected", wrong)
        with pytest.raises(RuntimeError, match="differs from torch"):
            export(weights, tmp_path / "own.onnx", basis)
    assert [f.name for f in tmp_path.iterdir()] == ["own.safetensors"]


def test_a_run_exports_its_own_components(trained, tmp_path, monkeypatch, capsys):
    """The basis is that of the run's training latents, and the command hands it over."""
    experiment, run = trained
    basis, crops = export_basis(catalogue.weights(run.id), 4)
    latents = experiment.reader(run).latents(experiment.prepared().split("train"))
    flat = latents.reshape(len(latents), -1).astype(np.float64)
    flat -= flat.mean(0)
    assert crops.shape == (3, 64, 64, 3) and crops.dtype == np.uint8
    np.testing.assert_allclose(np.abs(np.linalg.svd(flat)[2][:4] @ basis.axes.T), np.eye(4), atol=1e-4)
    assert export_basis(catalogue.weights(run.id), 0)[0] is None
    assert export_basis(catalogue.weights(str(run.folder / "best-val_pck.safetensors")), 4) == (None, None)
    pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
    words = ["export", run.id, "--onnx", str(tmp_path / "run.onnx"), "--components", "4"]
    status, out, _ = hgnb(monkeypatch, capsys, *words)
    assert status == 0 and "`keep` of 4 components" in out and (tmp_path / "run.onnx").exists()
