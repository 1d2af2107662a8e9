"""Files that a disk or a person has changed: found out and made again, or refused by name; never taken for sound."""

import random
import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))
from mutations import damaged

from hgnb.data.prepared import opened, prepare, sealed
from hgnb.data.splits import DataConfig
from hgnb.errors import InputError
from hgnb.model.hourglass import HourglassConfig, StackedHourglass
from hgnb.training import catalogue
from hgnb.training.runs import Run


def spoil(file: Path, seed: int) -> bytes:
    """Changes a file somewhere; what it held before."""
    before = file.read_bytes()
    file.write_bytes(damaged(before, random.Random(seed)))
    return before


def test_a_seal_tells_every_change():
    text = sealed({"a": [1, 2.5, None], "ü": {"b": (1, 2)}})
    assert opened(text) == {"a": [1, 2.5, None], "ü": {"b": [1, 2]}}
    for at in range(len(text)):
        changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        with pytest.raises(ValueError):
            opened(changed)
    for other in ("[]", "{}", '"seal"', text.replace("null", "0")):
        with pytest.raises(ValueError):
            opened(other)


@pytest.mark.parametrize("name", ["manifest.json", "train.npy", "val.npz", "test.npy", "train.npz"])
def test_prepared_crops_that_were_changed_are_made_again(coco_folder, tmp_path, name):
    config, cache = DataConfig(side=32), tmp_path / "cache"
    first = prepare(coco_folder, config, cache)
    whole = {file.name: file.read_bytes() for file in first.folder.iterdir()}
    for seed in range(3):
        spoil(first.folder / name, seed)
        again = prepare(coco_folder, config, cache)
        assert again.checksum == first.checksum
        assert again.split("train").keypoints.tobytes() == first.split("train").keypoints.tobytes()
        assert (again.folder / "train.npy").read_bytes() == whole["train.npy"]
    (first.folder / name).unlink()
    assert prepare(coco_folder, config, cache).checksum == first.checksum


@pytest.fixture
def weights(tmp_path) -> Path:
    """A weights file of a small network."""
    torch.manual_seed(0)
    model = HourglassConfig(depth=2, channels=8, inner=4, stem=4, keypoints=3)
    names = ("nose", "left_hip", "right_hip")
    held = catalogue.Card(model, None, 32, 0.1, "shift", (0.5, 0.4, 0.3), names, ((0, 1),))
    file = tmp_path / "best.safetensors"
    file.write_bytes(catalogue.written(StackedHourglass(model), held))
    return file


def test_weights_that_were_changed_are_refused_by_name(weights):
    """A flipped bit in a tensor too, which safetensors itself doesn't see."""
    network, held = catalogue.read(weights)
    assert held.keypoints == ("nose", "left_hip", "right_hip") and held.mean_rgb == (0.5, 0.4, 0.3)
    for seed in range(30):
        before = spoil(weights, seed)
        with pytest.raises(InputError, match=r"best\.safetensors (can't be read|holds weights but not)"):
            catalogue.read(weights)
        weights.write_bytes(before)
    again, _ = catalogue.read(weights)
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("name", ["last.ckpt", "best-val_pck.safetensors"])
def test_a_run_whose_weights_were_changed_is_refused_by_name(trained, name):
    """A bit within a tensor too: torch and safetensors read it as if nothing were."""
    _, run = trained
    read = {"last.ckpt": lambda r: r.checkpoint("last"), "best-val_pck.safetensors": lambda r: r.weights()}[name]
    for seed in range(6):
        before = spoil(run.folder / name, seed)
        with pytest.raises(InputError, match=f"data/runs/{run.id}/{name} is damaged"):
            read(Run(run.folder))
        (run.folder / name).write_bytes(before)
    assert read(Run(run.folder))


@pytest.mark.parametrize("name", ["manifest.json", "metrics.csv"])
def test_a_run_whose_tables_are_cut_off_is_refused_by_name(trained, name):
    _, run = trained
    before = (run.folder / name).read_bytes()
    for content in (b"", b"\xff\xfe\x00"):
        (run.folder / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name} is damaged"):
            len(Run(run.folder).manifest if name == "manifest.json" else Run(run.folder).metrics)
    (run.folder / name).write_bytes(before)
