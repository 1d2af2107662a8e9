"""Profiles, the learning-rate rule, and runs that are neither lost nor repeated."""

import dataclasses
import errno
import io
import json
import math
import re
import shutil

import numpy as np
import pytest
import torch
from rich.console import Console

from figures.ahead import ahead
from hgnb.data.dataset import Batch, loader
from hgnb.data.heatmaps import HeatmapConfig
from hgnb.errors import InputError
from hgnb.metrics import PckConfig
from hgnb.model.hourglass import HourglassConfig
from hgnb.training import catalogue, hardware, loop, profiles, runs
from hgnb.training.experiment import DATASET, Experiment
from hgnb.training.modules import PoseModule
from hgnb.training.networks import STUDIES, fork
from hgnb.training.parallel import Team
from hgnb.training.passes import baselines
from hgnb.training.profiles import FurtherTrainingConfig, TrainingConfig
from hgnb.training.runs import apart, overview


def test_nobody_is_alone_in_a_batch_that_is_normalised(fresh):
    """Where the bottleneck's maps are single pixels a last batch of one has nothing to be normalised by."""
    p, persons = fresh.profile, len(fresh.prepared().split("train"))
    single = dataclasses.replace(p.model, depth=4)
    training = dataclasses.replace(p.training, epochs=1, batch=persons - 1)
    for model, seen in ((single, persons - 1), (p.model, persons)):
        made = dataclasses.replace(fresh, profile=dataclasses.replace(p, model=model, training=training))
        assert made.model().latent_shape(p.data.side)[1:] == ((1, 1) if model is single else (4, 4))
        assert len(made._pose_job(training, Team()).train.dataset) == seen


def test_paper_is_the_thesis(house):
    p = profiles.load("paper")
    assert (p.data.side, p.data.margin, p.data.train_persons) == (256, 0.10, 0)
    assert (p.model.stacks, p.model.depth, p.model.channels, p.model.inner, p.model.stem) == (1, 4, 256, 128, 256)
    assert (p.heatmaps.targets, p.heatmaps.sigma_visible, p.heatmaps.sigma_hidden) == ("thesis", 0.5, 1.0)
    assert (p.pck.normaliser, p.pck.radius) == (0.1, 0.5)
    t = p.training
    assert (t.epochs, t.batch, t.rate, t.alpha, t.drop_after, t.drop_factor) == (50, 16, 2.5e-4, 0.99, 5, 5)
    a = p.autoencoder_training
    assert (a.epochs, a.batch, a.rate, a.momentum, a.halve_every, a.noise) == (100, 16, 5e-4, 0.9, 25, 0.1)
    assert (p.autoencoder.code, p.modified.epochs, p.modified.rate) == (50, 10, 2.5e-4)
    assert (p.analysis.sample, p.analysis.clusters, p.analysis.restarts) == (10_000, tuple(range(2, 11)), 10)


@pytest.mark.parametrize("name", ["smoke", "tiny", "paper"])
def test_every_number_names_its_unit_and_source(house, name):
    profile = profiles.load(name)
    numbers = {key: (value, unit, source) for key, value, unit, source in profiles.rows(profile) if key != "name"}
    assert all(unit and source for _, unit, source in numbers.values())
    assert numbers["training.rate"][:2] == (str(profile.training.rate), "learning rate")
    profile.model.check_side(profile.data.side)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[training]\nepoch = 3", "training.epoch.*training.epochs"),
        ("[trainin]\nepochs = 3", "section 'trainin'.*training"),
        ("[training]\nepochs = 'many'", "training.epochs in odd.toml must be of type int"),
        ("[training]\nepochs = true", "must be of type int"),
        ('[data]\ntest_by = "persons"', "'persons' in data.test_by: did you mean 'person'"),
        ("training", "is not TOML"),
    ],
)
def test_a_profile_with_a_slip_names_the_nearest(house, text, words):
    (house / "profiles" / "odd.toml").write_text(text)
    with pytest.raises(InputError, match=words):
        profiles.load("odd")


def test_paper_takes_its_first_steps_downwards(house):
    """Two RMSProp steps of the thesis's own network at its own size, on two made-up persons."""
    p = profiles.load("paper")
    torch.manual_seed(0)
    module = PoseModule(p.model, p.training, p.heatmaps, p.pck, mean_rgb=np.zeros(3, np.float32), side=p.data.side)
    optimiser = module.configure_optimizers()
    group = optimiser.param_groups[0]
    assert (group["lr"], group["alpha"], group["momentum"]) == (2.5e-4, 0.99, 0)
    crops = torch.randint(0, 256, (2, 256, 256, 3), dtype=torch.uint8)
    batch = Batch(crops, torch.rand(2, 17, 2) * 255, torch.randint(0, 3, (2, 17)).float(), torch.arange(2))
    assert module.targets(batch).shape == (2, 17, 64, 64)
    losses = []
    for _ in range(3):
        optimiser.zero_grad()
        losses.append(module.training_step(batch, 0))
        losses[-1].backward()
        optimiser.step()
    assert losses[0] > losses[1] > losses[2]


def test_the_rate_drops_once_when_the_best_is_five_epochs_old():
    module = PoseModule(
        HourglassConfig(depth=1, channels=4, inner=2, stem=4, keypoints=2), TrainingConfig(), HeatmapConfig(),
        PckConfig(), mean_rgb=np.zeros(3, np.float32), side=16,
    )  # fmt: skip
    group = {"lr": 1.0}
    module.optimizers = lambda: type("O", (), {"param_groups": [group]})
    scores, rates = [0.1, 0.3, 0.2, 0.3, 0.1, 0.2, 0.25, 0.2, 0.4, *[0.1] * 9], []
    for epoch, score in enumerate(scores):
        module._current = epoch
        type(module).current_epoch = property(lambda self: self._current)
        module.row = {"val_pck": score}
        module._age_rate()
        rates.append(group["lr"])
    del type(module).current_epoch
    # The best of epoch 1 (equalled, not beaten, in 3) is five epochs old in epoch 6.
    assert rates == [1.0] * 6 + [0.2] * 12


def test_the_chain_runs_and_is_remembered(chain):
    facts = {name: chain.stage(name) for name in (DATASET, *(one.name for one in STUDIES["chain"].trainings))}
    assert facts["dataset"]["persons"] == {"train": 16, "val": 12, "test": 8}
    for name in ("hourglass", "autoencoder", "modified"):
        run = getattr(chain, name)()
        table = run.metrics
        assert len(table) == run.manifest["config"]["training"]["epochs"] and np.isfinite(table).all(axis=None)
        assert run.manifest["config"]["data"] == chain.prepared().checksum
        before = (run.folder / "last.ckpt").stat().st_mtime_ns
        assert getattr(chain, name)().id == run.id
        assert (run.folder / "last.ckpt").stat().st_mtime_ns == before, "a finished run is not trained again"
    assert 0 <= facts["modified"]["pck"]["test"] <= 1
    json.dumps(facts)
    # The modified network starts from the original's weights, and its autoencoder from the autoencoder's.
    assert chain.modified().manifest["config"]["parents"] == [chain.hourglass().id, chain.autoencoder().id]
    assert chain.network(chain.modified()).hourglasses[0].autoencoder is not None


def test_what_changes_a_result_changes_the_run(chain):
    run = chain._recipe("hourglass", chain.profile.training).id
    other = dataclasses.replace(chain, seed=1)
    assert other._recipe("hourglass", chain.profile.training).id != run
    slower = dataclasses.replace(chain.profile.training, rate=1e-4)
    assert chain._recipe("hourglass", slower).id != run
    analysis = dataclasses.replace(chain.profile, analysis=dataclasses.replace(chain.profile.analysis, sample=7))
    assert dataclasses.replace(chain, profile=analysis)._recipe("hourglass", chain.profile.training).id == run


@pytest.mark.parametrize(
    ("stage", "where", "epoch"),
    [("hourglass", "on_train_epoch_end", 1), ("hourglass", "_write", 2), ("autoencoder", "on_train_epoch_end", 1)],
)
def test_an_interrupted_run_ends_as_if_it_never_was(begun, stage, where, epoch, monkeypatch):
    """Broken off in the middle of an epoch, or between the last one's checkpoint and its tables, the run resumes and
    ends with the same bits."""
    whole = getattr(begun, stage)()
    weights, table, found, steps = _last(whole), whole.metrics.drop(columns="seconds"), whole.validation, whole.steps
    shutil.rmtree(whole.folder)

    hook = getattr(loop.Recorder, where)

    def fall(self, *given):
        if given[-1].current_epoch == epoch:
            raise RuntimeError("power cut")
        hook(self, *given)

    with monkeypatch.context() as power:
        power.setattr(loop.Recorder, where, fall)
        with pytest.raises(RuntimeError, match="power cut"):
            getattr(begun, stage)()
    assert (whole.folder / "last.ckpt").exists() and not (whole.folder / "manifest.json").exists()
    again = getattr(begun, stage)()
    assert again.metrics.drop(columns="seconds").equals(table) and np.array_equal(again.steps, steps)
    assert all(np.array_equal(column, vars(again.validation)[name]) for name, column in vars(found).items())
    assert all(torch.equal(a, b) for a, b in zip(weights.values(), _last(again).values(), strict=True))
    assert not list(again.folder.glob(".*.[0-9]*")), "nothing half-written is left"


def _last(run):
    return torch.load(run.folder / "last.ckpt", weights_only=True)["state_dict"]


def test_best_weights_are_those_of_the_best_epoch(fresh, choice):
    """Whatever a machine chooses: each epoch is judged by what its weights, read again, are found to do."""
    chain, profile, run = fresh, fresh.profile, fresh.hourglass()
    told, (name, value) = run.manifest, choice
    if name == "HGNB_PRECISION":
        assert told["precision"] == hardware.PRECISIONS[value] and told["precision_why"] == name
    if name == "HGNB_THREADS":
        assert told["threads"] == int(value), "a person's number goes before the profile's"
    split, kept = chain.prepared().split("val"), run.validation
    for best in ("val_pck", "val_loss"):
        epoch, reader = run.best_epoch(best) - 1, chain.reader(run, best)
        made = reader.predict(split)
        hits = (made.hits(profile.pck) & (made.visibility > 0)).numpy()
        assert np.array_equal(kept.hits[epoch], hits)
        assert math.isclose(run.metrics.val_pck[epoch], hits.sum() / (split.visibility > 0).sum(), rel_tol=1e-9)
        gaps = reader.heatmaps(split) - _targets(chain, split)
        np.testing.assert_allclose(kept.loss[epoch], (gaps**2).mean((1, 2, 3)), rtol=1e-5)
        assert math.isclose(run.metrics.val_loss[epoch], kept.loss[epoch].mean(dtype=float), rel_tol=1e-9)
    assert kept.hits.dtype == bool and kept.loss.dtype == run.steps.dtype == np.float32


def test_the_faster_precision_is_measured_once_and_kept(tmp_path, monkeypatch):
    """bf16 only where it wins by a tenth; what was measured is read again, and a place that can't be written or holds
    something else is no error."""
    size, calls = hardware.Convolution(2, 4, 8), []
    monkeypatch.delenv("HGNB_PRECISION", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(hardware, "LONGEST", 0.0)
    real = hardware._seconds
    monkeypatch.setattr(hardware, "_seconds", lambda c: calls.append(c) or real(c))
    first = hardware.precision("native", size)
    assert hardware.precision("native", size) == first and calls == [size]
    kept = next((tmp_path / "cache").rglob("*.json")).read_text()
    assert "2 x 4 x 8 x 8 takes" in first.why and hardware.device_name() in kept
    for seconds, name in ((1.09, "fp32"), (1.11, "bf16")):
        monkeypatch.setattr(hardware, "_seconds", lambda c, s=seconds: {"fp32": s, "bf16": 1.0})
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        assert hardware.precision("native", size).name == name
    for spoilt in ("[]", "{", '{"x": 1}'):
        next((tmp_path / "bf16").rglob("*.json")).write_text(spoilt)
        assert hardware.precision("native", size).name == "bf16"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert hardware.precision("native", size).name == "bf16"
    assert hardware.precision("fp32").name == "fp32"


def test_a_choice_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("HGNB_PRECISION", "fp16")
    with pytest.raises(InputError, match="HGNB_PRECISION 'fp16'"):
        hardware.precision("native")
    for words in ("two", "0", "-1"):
        monkeypatch.setenv("HGNB_THREADS", words)
        with pytest.raises(InputError, match="HGNB_THREADS must be a whole number"), hardware.threads(1):
            pass


def test_every_step_s_loss_is_kept(chain):
    """Of all epochs in a row; an epoch's mean weighs a last smaller batch as what it is."""
    for run, batch in ((chain.hourglass(), 4), (chain.autoencoder(), 4)):
        persons = len(chain.prepared().split("train"))
        steps = run.steps.reshape(len(run.metrics), -1)
        sizes = [min(batch, persons - start) for start in range(0, persons, batch)]
        means = (steps * sizes).sum(1) / persons
        np.testing.assert_allclose(means, run.metrics.train_loss, rtol=1e-5)
    assert chain.autoencoder().validation.hits is None
    np.testing.assert_allclose(chain.autoencoder().validation.loss.mean(1), run.metrics.val_loss, rtol=1e-5)


def _targets(experiment, split) -> np.ndarray:
    """(N, K, size, size) of a split, as training makes them."""
    module = experiment._pose_job(experiment.profile.training, Team()).module
    return np.concatenate([module.targets(batch).numpy() for batch in loader(split, 7)])


def test_baselines_against_plain_loops(chain):
    data, p = chain.prepared(), chain.profile
    train, val = data.split("train"), data.split("val")
    lines = baselines(train, val, side=p.data.side, stride=4, maps=p.heatmaps, config=p.pck)
    truth = {}
    for name, split in (("train", train), ("val", val)):
        truth[name] = _targets(chain, split).astype(float)
    assert lines.zero_loss == pytest.approx((truth["val"] ** 2).mean(), rel=1e-5)
    assert lines.mean_map_loss == pytest.approx(((truth["val"] - truth["train"].mean(0)) ** 2).mean(), rel=1e-5)
    right = counted = 0
    for k in range(5):
        seen = train.keypoints[train.visibility[:, k] > 0, k, :2]
        guess = np.floor(seen.astype(float).mean(0) / 4)
        for x, y, v in val.keypoints[:, k]:
            if v:
                counted += 1
                right += np.hypot(*(np.floor(np.array([x, y]) / 4) - guess)) / 1.6 < 0.5
    assert lines.mean_pose_pck == pytest.approx(right / counted)


@pytest.fixture
def dropping(chain) -> Experiment:
    """Nothing is ever found, so the first epoch stays the best and the rate drops after the second."""
    training = TrainingConfig(epochs=3, batch=4, rate=1e-3, drop_after=1)
    profile = dataclasses.replace(chain.profile, training=training, pck=PckConfig(radius=0.0))
    return dataclasses.replace(chain, profile=profile)


def test_checkpoints_are_kept_by_name(dropping):
    run = dropping.hourglass()
    held = {name: run.checkpoint(name) for name in ("last", "drop", "best-val_pck", "best-val_loss")}
    assert {name: c["epoch"] for name, c in held.items() if name != "best-val_loss"} == {
        "last": 2, "drop": 1, "best-val_pck": 0,
    }  # fmt: skip
    assert held["best-val_loss"]["epoch"] == run.best_epoch("val_loss") - 1
    assert held["drop"]["optimizer_states"][0]["param_groups"][0]["lr"] == pytest.approx(1e-3 / 5)
    best = {k.removeprefix("network."): v for k, v in held["best-val_pck"]["state_dict"].items()}
    assert all(torch.equal(best[name], value) for name, value in run.weights().items())
    with pytest.raises(InputError, match="checkpoint 'drp'.*'drop'"):
        run.checkpoint("drp")


@pytest.mark.parametrize("kept", [False, True])
def test_a_warm_start_takes_what_it_is_told_to(dropping, kept, monkeypatch):
    """Weights always; the optimiser's averages, the rate and the memory of its rule only where asked for."""
    parent, first = dropping.hourglass(), {}
    step = PoseModule.training_step

    def look(module, batch, index):
        if not first:
            optimiser = module.optimizers()
            first["lr"] = optimiser.param_groups[0]["lr"]
            first["rule"] = dataclasses.asdict(module.rule)
            first["weights"] = {k: v.clone() for k, v in module.network.state_dict().items()}
            first["averages"] = [v["square_avg"].clone() for v in optimiser.state.values()]
        return step(module, batch, index)

    monkeypatch.setattr(PoseModule, "training_step", look)
    training = FurtherTrainingConfig(epochs=1, batch=4, rate=5e-4, keep_optimiser=kept, keep_rate=kept, keep_rule=kept)
    run = dropping.further("fork", parent, training, checkpoint="drop")
    held = parent.checkpoint("drop")
    assert len(run.metrics) == 1 and run.manifest["config"]["checkpoint"] == "drop"
    assert all(torch.equal(v, held["state_dict"][f"network.{k}"]) for k, v in first["weights"].items())
    assert first["lr"] == pytest.approx(1e-3 / 5 if kept else 5e-4)
    averages = [s["square_avg"] for s in held["optimizer_states"][0]["state"].values()]
    assert len(first["averages"]) == (len(averages) if kept else 0)
    assert all(torch.equal(a, b) for a, b in zip(first["averages"], averages, strict=kept))
    assert first["rule"] == (
        {"best": 0.0, "best_epoch": -2, "dropped": -1} if kept else {"best": -1.0, "best_epoch": -1, "dropped": None}
    )


def test_every_training_that_is_long_enough_can_be_forked(dropping):
    """By the rule's own drop if there is one; else from the epoch that is the thesis's 21 of 50, and says so."""
    p = dropping.profile

    def trained(**numbers) -> tuple[Experiment, dict | None]:
        training = dataclasses.replace(p.training, **numbers)
        made = dataclasses.replace(dropping, profile=dataclasses.replace(p, training=training))
        return made, made.hourglass().manifest.get("drop")

    never, told = trained(drop_after=9)
    held = never.hourglass().checkpoint("drop")
    assert told == {"epoch": 1, "forced": True} and held["epoch"] == 0, "round(0.42 * 3) is 1"
    assert held["optimizer_states"][0]["param_groups"][0]["lr"] == 1e-3
    ours, others = (fork(never, name) for name in ("fork-dropped", "fork-kept"))
    assert ours.metrics.learning_rate[0] * 5 == pytest.approx(others.metrics.learning_rate[0])
    dropped, kept = (run.manifest["config"]["training"] for run in (ours, others))
    assert dropped | {"rate": 0} == kept | {"rate": 0} and dropped["rate"] * 5 == pytest.approx(kept["rate"])
    assert kept["keep_optimiser"] and not kept["keep_rate"], "they differ in the rate alone"
    assert "drop" not in ours.manifest, "a fork isn't forked again"
    later, told = trained()
    assert told == {"epoch": 2, "forced": False} and later.hourglass().checkpoint("drop")["epoch"] == 1
    for made, told in (trained(epochs=1), trained(schedule="cosine")):
        assert told is None and not list(made.hourglass().folder.glob("drop*")) and fork(made, "fork-kept") is None


def test_a_warm_start_with_an_autoencoder_keeps_the_others_averages(chain):
    """Parameters are matched by name: the autoencoder's, which are new, begin without averages."""
    training = FurtherTrainingConfig(epochs=1, batch=4, keep_optimiser=True)
    run = chain.further("grown", chain.hourglass(), training, autoencoders=(chain.autoencoder(),))
    held, before = run.checkpoint("last"), chain.hourglass().checkpoint("best-val_pck")
    steps = {held["parameters"][i]: s["step"] for i, s in held["optimizer_states"][0]["state"].items()}
    taken = {name: step for name, step in steps.items() if ".autoencoder." not in name}
    assert set(taken) == set(before["parameters"]) and len(steps) > len(taken)
    assert {float(s) for s in taken.values()} == {before["global_step"] + 4.0}
    assert {float(s) for n, s in steps.items() if n not in taken} == {4.0}


@pytest.mark.parametrize(("stage", "section"), [("hourglass", "training"), ("autoencoder", "autoencoder_training")])
def test_a_loss_that_is_no_number_stops_the_run(begun, stage, section):
    """It names the step, the rate and the persons; the profile is to blame, so it is said in a sentence."""
    training = dataclasses.replace(getattr(begun.profile, section), rate=1e30)
    wild = dataclasses.replace(begun, profile=dataclasses.replace(begun.profile, **{section: training}))
    told = rf"of {stage}\S* became (nan|inf) in step \d+ \(epoch \d\) at a learning rate of 1e\+30, on the persons .*:"
    finished = sorted(runs.runs_folder().glob("*/manifest.json"))
    with pytest.raises(InputError, match=told) as caught:
        getattr(wild, stage)()
    named = [int(n) for n in str(caught.value).split("persons ")[1].split(":")[0].split(", ")]
    assert len(named) == training.batch and set(named) <= set(wild.prepared().split("train").person_ids.tolist())
    assert sorted(runs.runs_folder().glob("*/manifest.json")) == finished


def test_a_full_disk_loses_no_epoch(fresh, monkeypatch):
    """The second epoch's checkpoint doesn't fit: one sentence, the first epoch stays, the next call goes on."""
    write, calls = runs.os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(descriptor)

    with monkeypatch.context() as disk:
        disk.setattr(runs.os, "fsync", full)
        with pytest.raises(InputError, match="no space left for .* goes on from its last complete epoch"):
            fresh.hourglass()
    (folder,) = runs.runs_folder().glob("hourglass-*")
    assert not list(folder.glob(".*.[0-9]*")) and not (folder / "manifest.json").exists()
    saved = torch.load(folder / "last.ckpt", weights_only=True)["epoch"]
    assert saved < 2, "the test's disk fills before the run is done"
    run = fresh.hourglass()
    assert len(run.metrics) == 3


def test_runs_are_listed(begun):
    run = begun.hourglass()
    other = runs.runs_folder() / "hourglass-begun"
    other.mkdir()
    (other / "recipe.json").write_text((run.folder / "recipe.json").read_text())
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(overview())
    first, second = (line for line in console.export_text().splitlines() if "hourglass-" in line)
    assert run.id in first and "finished" in first and "3 of 3" in first
    assert f"PCK {run.metrics.val_pck.max():.3f}" in first
    assert "unfinished" in second and "0 of 3" in second


def test_runs_of_one_name_are_told_apart():
    one = {"data": "ab" * 32, "training": {"rate": 0.1, "batch": 4}}
    other = {"data": "cd" * 32, "training": {"rate": 0.2, "batch": 4}, "frozen": "random"}
    assert apart(one, [one, other]) == "data abababab, training.rate 0.1"
    assert apart(other, [one, other]) == "data cdcdcdcd, training.rate 0.2, frozen random"
    assert apart(one, [one]) == ""


def test_what_is_ahead_is_told_and_nothing_trained(fresh):
    """Which trainings are done and which are to come; going by a step that is tried, or by finished runs."""
    before = torch.get_rng_state()
    assert re.fullmatch(r"To be trained first.*hourglass \(about \d+ s\).*tried just now\.", ahead(fresh, "hourglass"))
    assert torch.equal(before, torch.get_rng_state()) and not list(runs.runs_folder().glob("*/recipe.json"))
    fresh.hourglass()
    said = ahead(fresh, "hourglass", "few")
    assert re.match(r"Trained already: hourglass \(\d+ s\)\. To be trained first.*finished runs", said)


def test_weights_tell_what_they_belong_to(chain, tmp_path):
    """A weights file alone gives the network back; one without a card is refused."""
    run = chain.modified()
    network, read = catalogue.read(run.folder / "best-val_pck.safetensors")
    assert read.side == chain.profile.data.side and read.autoencoder == chain.profile.autoencoder
    assert read.schema == chain.prepared().schema and read.model == chain.model()
    ours = chain.network(run).state_dict()
    assert all(torch.equal(value, ours[name]) for name, value in network.state_dict().items())
    (tmp_path / "bare.safetensors").write_bytes(catalogue.written(network, None))
    (tmp_path / "noise.safetensors").write_bytes(b"\0" * 100)
    for name in ("bare", "noise", "missing"):
        with pytest.raises(InputError, match=f"{name}.safetensors"):
            catalogue.read(tmp_path / f"{name}.safetensors")


def test_curves_for_tensorboard_where_it_is_installed(begun, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = begun.hourglass()
    curves = EventAccumulator(str(run.folder / "tensorboard"))
    curves.Reload()
    assert [e.step for e in curves.Scalars("val_pck")] == [1, 2, 3]
    for column in ("train_loss", "val_loss", "val_pck", "learning_rate"):
        assert [e.value for e in curves.Scalars(column)] == pytest.approx(run.metrics[column].tolist(), rel=1e-6)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    other = dataclasses.replace(begun, seed=1).hourglass()
    assert not (other.folder / "tensorboard").exists() and len(other.metrics) == 3


def test_a_training_starts_from_another_runs_weights(chain):
    parent = chain.hourglass()
    run = chain.started(parent)
    assert run.id != parent.id and run.manifest["config"]["parents"] == [parent.id]
    assert run.metrics.train_loss[0] < parent.metrics.train_loss[0]
    profile = dataclasses.replace(chain.profile, model=dataclasses.replace(chain.profile.model, channels=24))
    with pytest.raises(InputError, match="has another shape"):
        dataclasses.replace(chain, profile=profile).started(parent)
