"""What is replaced in memory enters the id of what it trains, or is refused by name."""

import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial, wraps

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hgnb.data import dataset as augment
from hgnb.data import heatmaps, splits
from hgnb.data.prepared import ROOTS
from hgnb.definitions import PACKAGE, fingerprint
from hgnb.errors import InputError
from hgnb.identity import identified, identity
from hgnb.model import hourglass
from hgnb.model.config import HourglassConfig
from hgnb.training import catalogue, loop, modules, passes
from hgnb.training.experiment import DRAWN_ROOTS, FROZEN_ROOTS, TRAINING_ROOTS, Experiment
from hgnb.training.fit import Start
from hgnb.training.modules import PoseModule
from hgnb.training.parallel import Team

SCALE = 2.0


def replaced(roots):
    return identity(roots).get("replaced", {})


def doubled(output, truth):
    return SCALE * (output - truth).square().mean()


def factor(by):
    return lambda output, truth: by * (output - truth).square().mean()


class Wider(hourglass.Residual):
    def forward(self, x):
        return super().forward(x) * 2


class Twice(PoseModule):
    def _loss(self, output, truth, visibility):
        return 2 * super()._loss(output, truth, visibility)


class Silent(nn.ReLU):
    pass


@wraps(heatmaps.heatmaps)
def wrapped(*args, **kwargs):
    return 2 * heatmaps.heatmaps(*args, **kwargs)


def test_an_untouched_library_has_nothing_replaced():
    assert loop and not replaced((*FROZEN_ROOTS, *DRAWN_ROOTS, *ROOTS, "hgnb.training.experiment.Experiment"))
    assert identity(TRAINING_ROOTS) == {"code": fingerprint(TRAINING_ROOTS)}
    assert identified(TRAINING_ROOTS) == identified(TRAINING_ROOTS) != identified(DRAWN_ROOTS)


@pytest.mark.parametrize(
    ("place", "name", "other", "told"),
    [
        (F, "mse_loss", doubled, "torch.nn.functional.mse_loss"),
        (F, "mse_loss", F.l1_loss, "torch.nn.functional.mse_loss"),
        (modules.PoseModule, "_loss", doubled, "hgnb.training.modules.PoseModule._loss"),
        (modules.PoseModule, "_loss", modules.PoseModule.targets, "hgnb.training.modules.PoseModule._loss"),
        (modules.PoseModule, "optimizer_step", doubled, "hgnb.training.modules.PoseModule.optimizer_step"),
        (modules, "PoseModule", Twice, "hgnb.training.modules.PoseModule"),
        (modules, "heatmaps", wrapped, "hgnb.training.modules.heatmaps"),
        (modules, "augmented", partial(augment.augmented, flip=1.0), "hgnb.training.modules.augmented"),
        (modules, "total", factor(1), "hgnb.training.modules.total"),
        (passes.Reader, "latents", doubled, "hgnb.training.passes.Reader.latents"),
        (loop, "weights", doubled, "hgnb.training.loop.weights"),
        (hourglass, "Residual", Wider, "hgnb.model.hourglass.Residual"),
        (hourglass, "glorot", hourglass.he, "hgnb.model.hourglass.glorot"),
        (hourglass, "norm", doubled, "hgnb.model.hourglass.norm"),
        (nn, "ReLU", Silent, "torch.nn.ReLU"),
        (nn.ReLU, "forward", doubled, "torch.nn.modules.activation.ReLU.forward"),
        (nn.Module, "_call_impl", doubled, "torch.nn.modules.module.Module._call_impl"),
        (torch.optim.RMSprop, "step", doubled, "torch.optim.rmsprop.RMSprop.step"),
        (HourglassConfig, "stride", property(lambda self: 8), "hgnb.model.config.HourglassConfig.stride"),
        (HourglassConfig.check_side, "__code__", doubled.__code__, "hgnb.model.config.HourglassConfig.check_side"),
        (modules.DropRule.__init__, "__defaults__", (0.0, -1, None), "hgnb.training.modules.DropRule.__init__"),
    ],
)  # fmt: skip
def test_what_is_replaced_is_found(monkeypatch, place, name, other, told):
    with monkeypatch.context() as patch:
        patch.setattr(place, name, other)
        assert told in replaced(TRAINING_ROOTS)
    assert not replaced(TRAINING_ROOTS)


def test_what_a_training_does_not_reach_may_be_replaced(monkeypatch):
    monkeypatch.setattr(hourglass.Hourglass, "__repr__", doubled)
    monkeypatch.setattr(loop, "write_aside", doubled)
    monkeypatch.setattr(catalogue, "find", doubled)
    monkeypatch.setattr(splits, "divide", doubled)
    assert "hgnb.data.splits.divide" in replaced(ROOTS) and not replaced(DRAWN_ROOTS)
    assert set(replaced(TRAINING_ROOTS)) == {"hgnb.model.hourglass.Hourglass.__repr__"}


def test_a_replacement_is_told_by_all_that_it_is_made_of(monkeypatch):
    """Its constants, closure, defaults, and the values of the names it uses; the same one is the same."""

    def told(other):
        monkeypatch.setattr(hourglass, "norm", other)
        return replaced(TRAINING_ROOTS)["hgnb.model.hourglass.norm"]

    plain = told(doubled)
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    scaled = told(doubled)
    closures = {told(factor(by)) for by in (1, 1.0, 2, torch.ones(2), torch.zeros(2), nn.ReLU(), {"by": 1})}
    assert told(factor(2)) == told(factor(2))
    defaults = {told(lambda a, b=b: a) for b in (1, 2, (1, 2), F.relu, heatmaps.cells)}
    assert len({plain, scaled} | closures | defaults) == 2 + 7 + 5


def test_what_can_not_be_told_apart_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(hourglass, "norm", factor(threading.Lock()))
    with pytest.raises(InputError, match=r"hgnb\.model\.hourglass\.norm was replaced, and a lock that it uses"):
        replaced(TRAINING_ROOTS)
    monkeypatch.delattr(hourglass, "norm")
    with pytest.raises(InputError, match=r"hgnb\.model\.hourglass\.norm was taken away"):
        replaced(TRAINING_ROOTS)


def test_a_file_that_changed_since_it_was_loaded_is_named(tmp_path):
    """Comments may change while Python runs; what trains may not."""
    package = shutil.copytree(PACKAGE, tmp_path / "hgnb", ignore=shutil.ignore_patterns("__pycache__"))
    code = f"""
from pathlib import Path
from hgnb.errors import InputError
from hgnb.identity import identity
from hgnb.model import hourglass
before, file = identity(["hgnb.model.hourglass.Residual"]), Path({str(package / "model/hourglass.py")!r})
file.write_text("# a comment\\n" + file.read_text())
assert identity(["hgnb.model.hourglass.Residual"]) == before
file.write_text(file.read_text().replace("F.relu_(out)", "F.silu(out)"))
try:
    identity(["hgnb.model.hourglass.Residual"])
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("hgnb.model.hourglass has changed since it was loaded: start Python anew"), (
        done.stdout
    )


def wide_head(config, head=hourglass.Head):
    """A head with more maps within than the library's."""
    return head(replace(config, inner=config.inner + 2))


def test_a_changed_training_gets_a_run_of_its_own(fresh, monkeypatch):
    genuine = fresh.hourglass()
    with monkeypatch.context() as patch:
        patch.setattr(F, "mse_loss", doubled)
        changed = fresh.hourglass()
        assert fresh.hourglass().id == changed.id
    assert changed.id != genuine.id and changed.manifest["config"]["replaced"]
    assert changed.metrics.train_loss.tolist() != genuine.metrics.train_loss.tolist()
    assert fresh.hourglass().id == genuine.id and "replaced" not in genuine.manifest["config"]


def test_a_job_of_another_class_is_refused(fresh, monkeypatch):
    """Where what builds the job is replaced, and not what it is built of."""

    def mine(self, training, team, *_):
        job = plain(self, training, team)
        job.module.network.heads[0].features[3].__class__ = Silent
        return job

    plain = Experiment._pose_job
    monkeypatch.setattr(Experiment, "_pose_job", mine)
    with pytest.raises(InputError, match=r"test_identity\.Silent is no part of what this run is named after"):
        fresh.hourglass()


def test_a_strangers_weights_are_named(fresh, monkeypatch):
    """Seed 7 was trained with a layer of somebody's own; nobody after meets it, and if, it is said whose it is."""
    other = replace(fresh, seed=7)
    with monkeypatch.context() as patch:
        patch.setattr(hourglass, "Head", wide_head)
        stranger = other.hourglass()
    run = other.hourglass()
    assert run.id != stranger.id and other.network(run)
    for name in ("best-val_pck.safetensors", "best-val_pck.ckpt"):
        shutil.copy(stranger.folder / name, run.folder / name)
    best = rf"data/runs/{run.id}/best-val_pck"
    with pytest.raises(InputError, match=rf"{best}\.safetensors holds the weights of another network"):
        other.network(run)
    with pytest.raises(InputError, match=rf"{best}\.safetensors can't be read as .* of another network"):
        catalogue.weights(run.id)
    network = other._pose_job(other.profile.training, Team()).module.network
    with pytest.raises(InputError, match=rf"{best}\.ckpt holds the weights of another network"):
        loop.weights(Start(run, "best-val_pck", False, False, False), network)
