"""The network that comes with the library: how it is made, what its manifest says, what the model card shows of it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import ROOT

from hgnb.data.heatmaps import cells
from hgnb.data.schema import unmirrored
from hgnb.errors import InputError
from hgnb.metrics import PckConfig, found, peaks
from hgnb.training import catalogue
from hgnb.training.evaluation import evaluate
from hgnb.training.passes import Reader
from hgnb_book import model_card, release


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where the released weights lie, in a folder of the test's own."""
    file = tmp_path / "weights" / "released.safetensors"
    monkeypatch.setattr(catalogue, "RELEASED_FILE", file)
    monkeypatch.setattr(release, "RELEASED_FILE", file)
    monkeypatch.setattr(model_card, "RELEASED_FILE", file)
    return file


def test_a_release_is_the_runs_weights_and_what_they_find(trained, place, tmp_path):
    experiment, run = trained
    assert "without released weights" in model_card.page()
    made = release.release(catalogue.weights(run.id), str(experiment.folder))
    assert made == json.loads(place.with_suffix(".json").read_text())
    assert place.read_bytes() == (run.folder / catalogue.BEST).read_bytes()
    loaded = catalogue.weights("released")
    assert (loaded.name, loaded.sha256, loaded.decoding) == ("released", made["sha256"], made["decoding"])
    own = evaluate(loaded, "test", data=str(experiment.folder))
    assert made["pck"]["cells"]["value"] == round(own.pck.value, 4) and made["oks"]["mean"] == own.oks[0]
    split, schema = experiment.prepared().split("test"), loaded.card.schema
    reader = Reader(loaded.network, np.asarray(loaded.card.mean_rgb, np.float32))
    seen = reader.heatmaps(replace(split, crops=split.crops[:, :, ::-1].copy()))
    guess = peaks(torch.from_numpy((reader.heatmaps(split) + unmirrored(seen, schema)) / 2))[0]
    size = split.crops.shape[1] // 4
    true = cells(torch.from_numpy(split.keypoints[..., :2]), split.crops.shape[1], size)
    hits = found(guess, true, size=size, config=PckConfig())[torch.from_numpy(split.visibility > 0)]
    assert made["pck"]["cells_mirrored"]["value"] == round(float(hits.double().mean()), 4)
    counted = own.pck.counted
    for parts in ("by_keypoint", "by_visibility", "by_side"):
        shares = [share for share in made[parts].values() if share["counted"]]
        assert sum(share["counted"] for share in shares) == counted
        hit = sum(share["value"] * share["counted"] for share in shares)
        assert hit == pytest.approx(made["pck"]["mirrored"]["value"] * counted, abs=0.01 * len(shares))
    (training,) = made["trainings"]
    assert training["command"] == "hgnb train hourglass --profile smoke --data dots"
    assert training["photographs"] == {"dots": experiment.prepared().manifest["images"]["train"]}
    shown = model_card.page()
    assert f"{made['pck']['mirrored']['value']:.3f}" in shown and training["command"] in shown


def test_what_cannot_be_released_is_one_sentence(trained, place, tmp_path):
    experiment, run = trained
    file = shutil.copy(run.folder / catalogue.BEST, tmp_path / "own.safetensors")
    with pytest.raises(InputError, match="nobody knows how it was trained"):
        release.release(catalogue.weights(str(file)), str(experiment.folder))
    assert not place.exists()


def test_the_weights_that_come_with_the_library_are_those_of_their_manifest():
    if not catalogue.RELEASED_FILE.is_file():
        pytest.skip("no weights are released yet")
    held = json.loads(catalogue.RELEASED_FILE.with_suffix(".json").read_text())
    loaded = catalogue.weights("released")  # refuses a file of another checksum
    assert catalogue.RELEASED_FILE.stat().st_size == held["bytes"] <= 8_000_000
    assert loaded.decoding in ("argmax", "quarter", "dark", "soft")
    for training in held["trainings"]:
        words = training["command"].split()
        assert (ROOT / "profiles" / f"{words[words.index('--profile') + 1]}.toml").is_file()
