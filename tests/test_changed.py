"""Somebody's own network, loss, numbers and measure: trained, kept apart, evaluated, used and exported."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from test_cli import hgnb
from torch import nn

from hgnb.errors import InputError
from hgnb.model import cost
from hgnb.training.catalogue import weights
from hgnb.training.export import export

PAGE = Path(__file__).parents[1] / "book" / "bring_your_own.md"
SMALL = """

def small(keypoints):
    return build(keypoints, (8, 8, 16, 16), 16)
"""


def absolute(output, truth):
    return (output - truth).abs().mean()


def squared(output, truth):
    return F.mse_loss(output, truth)


class Tiny(nn.Module):
    """Three convolutions."""

    def __init__(self, keypoints):
        super().__init__()
        self.row = nn.Sequential(nn.Conv2d(3, 8, 8, 4, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, keypoints, 1))

    def forward(self, x):
        return self.row(x)


@pytest.fixture
def short(trained):
    """The experiment of the shared run with a single epoch."""
    experiment, _ = trained
    one = replace(experiment.profile.training, epochs=1)
    return replace(experiment, profile=replace(experiment.profile, training=one))


@pytest.fixture
def simple(tmp_path, monkeypatch):
    """A folder with the network of the page "Bring your own", in which one stands; and a narrower one."""
    shown = PAGE.read_text(encoding="utf8").split("```python\n")[1].split("```")[0]
    (tmp_path / "simple_baseline.py").write_text(shown + SMALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield "simple_baseline:small"
    sys.modules.pop("simple_baseline", None)


def test_a_change_has_an_id_of_its_own_and_the_unchanged_keeps_its(trained):
    """Each part of a change is in the id; the same change has the same; a measure alone shares the unchanged run."""
    experiment, run = trained

    def of(other):
        return other._recipe("hourglass", other.profile.training).id

    ids = [
        of(experiment.changed("mine", **change))
        for change in (
            {"training": {"optimiser": "sgd"}}, {"loss": absolute}, {"loss": squared}, {"network": Tiny},
            {"loss": nn.SmoothL1Loss(beta=0.1)}, {"loss": nn.SmoothL1Loss(beta=0.2)}, {"loss": lambda a, b: a.mean()},
        )
    ]  # fmt: skip
    assert len({run.id, *ids}) == 8 and all(i.startswith("mine-") for i in ids)
    assert of(experiment.changed("mine", loss=absolute)) == ids[1]
    assert of(experiment) == of(experiment.changed("mine", metrics={"m": max})) == run.id
    both = experiment.changed("a", loss=absolute).changed("mine", training={"optimiser": "sgd"})
    assert both.change.loss is absolute and of(both) not in ids
    for wrong, said in (
        ({"training": {"optimizer": "sgd"}}, "training.optimiser"),
        ({"trainin": {}}, "training"),
        ({"training": {"rate": "fast"}}, "training.rate"),
    ):
        with pytest.raises(InputError, match=said):
            experiment.changed("mine", **wrong)
    with pytest.raises(InputError, match="name"):
        experiment.changed("my/own", loss=absolute)


def test_loss_optimiser_and_measure_do_what_they_say(short):
    """Training minimises the loss, validation stays the mean square, the optimiser is the one that was named."""
    from hgnb.training.modules import ChangedModule
    from hgnb.training.parallel import Team

    zero = short.changed("zero", loss=lambda output, truth: 0 * output.sum(), training={"optimiser": "sgd"})
    module = zero._pose_job(zero.profile.training, Team()).module
    assert isinstance(module, ChangedModule) and isinstance(module.configure_optimizers(), torch.optim.SGD)
    run = zero.hourglass()
    assert (run.steps == 0).all() and run.metrics.val_loss[0] > 0
    persons = len(short.prepared().split("test"))
    scored = zero.changed("zero", metrics={"persons": lambda made: len(made.points)})
    assert scored.scores(run)["persons"] == persons and scored.outcome("hourglass", run)["persons"]["test"] == persons
    assert zero.few().id.startswith("zero-few-")


def test_a_network_of_ones_own_is_trained_and_read(short, monkeypatch):
    """From a notebook: trained, remembered, read, started from, costed; what needs a bottleneck says so."""
    mine = short.changed("mine", network=Tiny)
    run = mine.hourglass()
    assert run.id.startswith("mine-") and mine.hourglass().id == run.id
    network = mine.network(run)
    assert isinstance(network.backbone, Tiny) and short.network(run).backbone is not network.backbone
    (part,) = cost.costs(network, short.profile.data.side)
    assert part.part == "network" and part.parameters == sum(p.numel() for p in network.parameters())
    assert 0 <= mine.scores(run)["PCK"] <= 1 and mine.started(run).manifest["config"]["parents"] == [run.id]
    for needs in (
        mine.autoencoder, mine.modified, lambda: mine.latents(run, "train"), lambda: network.hourglasses,
        lambda: mine.reader(run).predict(mine.prepared().split("test"), skips=False), lambda: short.started(run),
    ):  # fmt: skip
        with pytest.raises(InputError) as told:
            needs()
        assert str(told.value).count(". ") == 0
    with pytest.raises(InputError, match="shape"):
        short.changed("wrong", network=lambda keypoints: nn.Conv2d(3, keypoints, 1)).hourglass()


def test_simple_baseline_from_the_command_line(simple, trained, tmp_path, monkeypatch, capsys):
    """`--model`: trained, evaluated, used for a prediction and exported by a person who wrote 30 lines."""
    experiment, _ = trained
    from simple_baseline import build

    resnet = build(17)
    assert resnet(torch.zeros(1, 3, 64, 64)).shape == (1, 17, 16, 16)
    assert 15e6 < sum(p.numel() for p in resnet.parameters()) < 16e6  # Xiao et al.: ResNet-18's 11 and the way up
    profile = experiment.profile.name
    words = ["train", "hourglass", "--profile", profile, "--data", experiment.data, "--model", simple]
    status, out, err = hgnb(monkeypatch, capsys, *words)
    assert status == 0, err
    run = json.loads(out)["run"]
    assert run.startswith("simple_baseline.small-")
    status, out, _ = hgnb(monkeypatch, capsys, "evaluate", run, "--json")
    assert status == 0 and json.loads(out)["pck"]["counted"] > 0
    Image.new("RGB", (90, 120), "teal").save(tmp_path / "photo.png")
    status, out, _ = hgnb(monkeypatch, capsys, "predict", run, str(tmp_path / "photo.png"), "--json")
    assert status == 0 and len(json.loads(out)["persons"][0]["keypoints"]) == 5
    status, _, err = hgnb(monkeypatch, capsys, "train", "modified", "--profile", profile, "--model", simple)
    assert status and "--model" in err
    status, _, err = hgnb(monkeypatch, capsys, *words[:-1], "simple_baseline:nothing")
    assert status and "simple_baseline:nothing" in err
    pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
    done = export(weights(run), tmp_path / "own.onnx", None, np.zeros((2, 64, 64, 3), np.uint8))
    assert done.compared == 1 and done.worst < 1e-4
    status, out, _ = hgnb(monkeypatch, capsys, "export", run, "--onnx", str(tmp_path / "cli.onnx"))
    assert status == 0 and "no `keep`" in out
