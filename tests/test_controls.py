"""The modified hourglass and its controls: alike in everything but what is in the bottleneck."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
import torch
from conftest import at_home, lend
from sklearn.decomposition import PCA

from figures.chains import Chains
from hgnb import records
from hgnb.claims import collect
from hgnb.model.hourglass import Autoencoder, AutoencoderConfig
from hgnb.training.fit import freeze, shaped
from hgnb.training.loop import Watch
from hgnb.training.networks import ARMS, RIVALS


def test_all_further_trainings_start_alike(begun, monkeypatch):
    """From one checkpoint: the same persons in the same order, an empty optimiser, the same rates; the frozen stays."""
    seen = {}

    def look(_, trainer, module, batch, index):
        optimiser = module.optimizers()
        network = module.network
        if index == 0:
            seen["averages"] = len(optimiser.state)
            seen["weights"] = {n: v.clone() for n, v in network.state_dict().items() if ".autoencoder." not in n}
            seen["waist"] = _waist(network.state_dict())
        seen.setdefault("persons", []).append(batch.index.tolist())
        seen.setdefault("rates", []).append(optimiser.param_groups[0]["lr"])

    parent, held = begun.hourglass(), {}
    begun.autoencoder()
    monkeypatch.setattr(Watch, "on_train_batch_start", look, raising=False)  # no part of what a run is named after
    for name in ("modified", "control-longer", "control-random", "control-projection"):
        seen.clear()
        run = begun.arm(ARMS[name])
        held[name] = {**seen, "end": _waist(run.checkpoint("last")["state_dict"])}
        assert run.manifest["config"]["training"] == json.loads(json.dumps(dataclasses.asdict(begun.profile.modified)))

    start = parent.checkpoint("best-val_pck")["state_dict"]
    first = held["modified"]
    assert len(first["persons"]) == 4 and sorted(itertools.chain(*first["persons"])) == list(range(16))
    for name, arm in held.items():
        assert arm["averages"] == 0, name
        assert arm["persons"] == first["persons"] and arm["rates"] == first["rates"], name
        assert all(torch.equal(v, start[f"network.{n}"]) for n, v in arm["weights"].items()), name
        still = {n for n, v in arm["waist"].items() if torch.equal(v, arm["end"][n])}
        assert still == (set() if name == "modified" else set(arm["waist"])), name
    assert not held["control-longer"]["waist"] and held["control-random"]["waist"]
    trained = begun.autoencoder().weights("val_loss")
    assert all(torch.equal(v, trained[n.split(".autoencoder.")[1]]) for n, v in first["waist"].items())


def _waist(state: dict) -> dict:
    return {n.removeprefix("network."): v.clone() for n, v in state.items() if ".autoencoder." in n}


@pytest.mark.parametrize("persons", [5, 40, 200])
def test_a_projection_is_scikit_learns(persons):
    """There and back through two linear layers, on persons it was not fitted on; with fewer persons than code too."""
    rng = np.random.default_rng(1)
    latents = rng.normal(2, 3, (persons, 6, 4, 4)) * np.linspace(0.1, 2, 96).reshape(6, 4, 4)
    others = torch.from_numpy(rng.normal(2, 3, (7, 6, 4, 4))).float()
    config = shaped(AutoencoderConfig(code=10, halvings=1), "projection")
    autoencoder = Autoencoder((6, 4, 4), config)
    freeze(autoencoder, "projection", lambda: latents.astype(np.float32))
    pca = PCA(min(10, persons - 1)).fit(latents.reshape(persons, -1))
    flat = others.flatten(1).numpy()
    with torch.no_grad():
        codes, back = autoencoder.encode(others).numpy(), autoencoder(others)
    assert back.shape == others.shape
    assert np.allclose(back.flatten(1).numpy(), pca.inverse_transform(pca.transform(flat)), atol=2e-4)
    if persons > 10:  # the sign of a component is arbitrary
        assert np.allclose(np.abs(codes), np.abs(pca.transform(flat)), atol=2e-4)
    else:
        assert not codes[:, persons - 1 :].any()
    assert not any(p.requires_grad for p in autoencoder.parameters())


def test_a_frozen_autoencoder_is_read_back_in_its_shape(chain):
    """The projection of a run, from its weights: what comes out is what scikit-learn makes of the latents."""
    run = chain.arm(ARMS["control-projection"])
    split = chain.prepared().split("train")
    latents = chain.reader(chain.hourglass()).latents(split)
    inserted = chain.network(run).hourglasses[0].autoencoder
    flat = latents.reshape(len(latents), -1).astype(float)
    pca = PCA(chain.profile.autoencoder.code).fit(flat)
    with torch.no_grad():
        back = inserted(torch.from_numpy(latents)).flatten(1).numpy()
    assert inserted.config.halvings == 0
    assert np.allclose(back, pca.inverse_transform(pca.transform(flat)), atol=1e-3 * np.abs(flat).max())


def test_one_epoch_under_two_names_is_trained_once(begun):
    """Best PCK and lowest loss may fall on one epoch; else the other checkpoint is carried through."""
    parent = begun.hourglass()
    both = parent.best_epoch("val_pck"), parent.best_epoch("val_loss")
    longer, other = begun.arm(ARMS["control-longer"]), begun.arm(ARMS["longer-best-loss"])
    assert (longer.id == other.id) == (both[0] == both[1])
    table = parent.metrics.assign(val_loss=range(len(parent.metrics)), val_pck=range(len(parent.metrics)))
    table.to_csv(parent.folder / "metrics.csv", index=False)  # now the first has the lowest loss, the last the best PCK
    held = begun.arm(ARMS["modified-best-loss"]).manifest["config"]
    assert held["checkpoint"] == "best-val_loss"
    autoencoder = begun.autoencoder("val_loss")
    assert held["parents"] == [parent.id, autoencoder.id]
    assert autoencoder.manifest["config"]["checkpoint"] == "best-val_loss" and autoencoder.id != begun.autoencoder().id


def test_a_record_of_seeds_counts_by_hand(common, fresh, house):
    """What `hgnb claims --keep` adds, against plain loops over the networks' predictions."""
    opened = fresh
    with at_home(common):
        runs = [run for seed in (0, 1) for run in _chain(dataclasses.replace(opened, seed=seed))]
    lend(runs)
    where = collect.keep(opened).parent
    made = Chains(records.read(where))
    assert [one.number for one in made.seeds] == [0, 1] and str(house) not in str(made.record.about)
    split = opened.prepared().split("test")
    predicted = opened.reader(opened.modified()).predict(split)
    right = counted = 0
    for person in range(len(split)):
        for k in range(split.keypoints.shape[1]):
            if split.keypoints[person, k, 2] > 0:
                counted += 1
                gap = (predicted.points[person, k] - predicted.true[person, k]).double()
                right += float(gap.norm()) < 0.5 * 0.1 * predicted.size
    assert made.values("modified", "test")[0] == pytest.approx(right / counted)
    gain = made.values("modified", "test") - made.values("hourglass", "test")
    assert [d.value for d in made.differences("modified", "hourglass", "test")] == pytest.approx(gain)
    assert made.difference("modified", "hourglass", "test").value == pytest.approx(gain.mean())
    assert made.stale == ()
    with (house / "profiles/dots.toml").open("a") as profile:
        profile.write("[pck]\nradius = 0.4\n")
    assert Chains(records.read(where)).stale == ("the profile dots has changed",)


def _chain(opened):
    return opened.hourglass(), opened.autoencoder(), opened.modified()


def test_every_rival_can_be_trained_by_name(chain):
    for name in RIVALS:
        assert chain.stage(name)["run"] == chain.arm(ARMS[name]).id
