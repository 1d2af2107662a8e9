"""Chapter 07's changes: each changes what it names, the loss and the persons follow, the sweep's record holds it."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from hgnb.data.dataset import Batch, augmented
from hgnb.data.heatmaps import HeatmapConfig, heatmaps
from hgnb.errors import InputError
from hgnb.metrics import PckConfig, distances
from hgnb.model.hourglass import HourglassConfig, Residual, StackedHourglass
from hgnb.training import networks, observations, profiles
from hgnb.training.experiment import Experiment
from hgnb.training.fit import balance
from hgnb.training.modules import PoseModule
from hgnb.training.networks import scaled
from hgnb.training.observations import Outcome, People
from hgnb.training.profiles import TrainingConfig

SMALL = HourglassConfig(depth=1, channels=4, inner=2, stem=4, keypoints=3)


def differing(a, b) -> set[str]:
    """The numbers in which two profiles differ, as 'section.key'."""
    pairs = [(f.name, getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.name != "name"]
    return {f"{s}.{f.name}" for s, x, y in pairs for f in fields(x) if getattr(x, f.name) != getattr(y, f.name)}


@pytest.mark.parametrize("name", [one.name for one in networks.BEYOND])
def test_a_change_changes_what_it_names(name):
    """A change makes a difference, and none in a number that it doesn't name."""
    change, profile = networks.get(name), profiles.load("small")
    before = scaled(profile, change.on) if change.on else profile
    if name == networks.THESIS:
        return
    named = {f"{section}.{key}" for section, held in change.numbers.items() for key in held}
    found = differing(before, scaled(profile, name)) - {"training.epochs"}
    assert found and found <= named


def test_the_thesis_is_the_defaults():
    """Under `thesis` targets, loss and optimiser are the thesis's; size, rate and length stay the profile's."""
    made, profile, default = scaled(profiles.load("tiny"), "thesis"), profiles.load("tiny"), profiles.Profile("x")
    assert made.heatmaps == default.heatmaps
    assert made.model.output_gain == 1 and made.model.channels == profile.model.channels
    own = replace(made.training, **{k: getattr(default.training, k) for k in ("epochs", "batch", "rate", "drop_after")})
    assert replace(own, threads=0) == default.training
    assert made.training.rate == profile.training.rate


def dot(x: int, y: int, side: int = 32) -> torch.Tensor:
    image = torch.zeros(1, 3, side, side)
    image[:, :, y, x] = 1
    return image


def test_a_mirrored_person_is_the_mirror_image():
    """Every person mirrored: columns run backwards and left is right, exactly."""
    images, points = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 2) * 31
    v, exchange = torch.tensor([[2.0, 1.0, 0.0]] * 2), torch.tensor([1, 0, 2])
    out, moved, seen = augmented(images, points, v, exchange=exchange, flip=1.0, rotation=0, scaling=0)
    assert torch.allclose(out, images.flip(-1), atol=1e-6)
    expected = points[:, exchange].clone()
    expected[..., 0] = 31 - expected[..., 0]
    assert torch.allclose(moved, expected, atol=1e-4) and torch.equal(seen, v[:, exchange])


@pytest.mark.parametrize("seed", range(6))
def test_keypoints_go_with_their_pixels(seed):
    """A dot in the picture and its keypoint are turned and grown to the same place."""
    torch.manual_seed(seed)
    images, points = dot(21, 13), torch.tensor([[[21.0, 13.0]]])
    how = {"exchange": torch.tensor([0]), "flip": 0.5, "rotation": 40.0, "scaling": 0.2}
    out, moved, seen = augmented(images, points, torch.tensor([[2.0]]), **how)
    weight = out[0, 0] / out[0, 0].sum()
    steps = torch.arange(32.0)
    centre = torch.stack([(weight.sum(0) * steps).sum(), (weight.sum(1) * steps).sum()])
    assert (centre - moved[0, 0]).abs().max() < 0.3 and seen.item() == 2
    assert (moved[0, 0] - points[0, 0]).abs().max() > 0.5, "nothing was moved"


def test_a_keypoint_that_leaves_counts_as_unlabelled():
    torch.manual_seed(1)
    points = torch.tensor([[[0.0, 0.0]]] * 64)
    given = {"exchange": torch.tensor([0]), "flip": 0.0, "rotation": 30.0, "scaling": 0.0}
    _, moved, seen = augmented(torch.zeros(64, 3, 32, 32), points, torch.full((64, 1), 2.0), **given)
    outside = ((moved < -0.5) | (moved > 31.5)).any(-1)
    assert torch.equal(seen == 0, outside) and outside.sum() > 0


def module(**training) -> PoseModule:
    torch.manual_seed(0)
    numbers = {"weights": training.pop("weights", None)}
    config = TrainingConfig(**training)
    return PoseModule(SMALL, config, HeatmapConfig(), PckConfig(), mean_rgb=np.zeros(3, np.float32), side=32, **numbers)


def test_the_loss_by_a_plain_loop():
    """Weights by keypoint, and unlabelled maps left out, against a loop over maps."""
    output, truth = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    v, weights = torch.tensor([[2.0, 0.0, 1.0], [0.0, 0.0, 2.0]]), [0.5, 1.0, 1.5]
    for unlabelled in ("empty", "ignored"):
        made = module(weights=weights, unlabelled=unlabelled)._loss(output, truth, v)
        maps = [
            weights[k] * float((output[n, k] - truth[n, k]).square().mean())
            for n in range(2) for k in range(3) if unlabelled == "empty" or v[n, k] > 0
        ]  # fmt: skip
        assert float(made) == pytest.approx(sum(maps) / 6, rel=1e-5)
    assert float(module()._loss(output, truth, v)) == pytest.approx(float((output - truth).square().mean()))


def test_weights_balance_the_keypoints():
    counted = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 0], [1, 0, 1]], bool)
    weights = balance(counted)
    assert weights.mean() == pytest.approx(1)
    assert (weights * counted.mean(0)).tolist() == pytest.approx([(weights * counted.mean(0))[0]] * 3)
    assert np.isfinite(balance(np.zeros((4, 3), bool))).all()


def test_hidden_keypoints_can_be_left_out():
    v = torch.tensor([[2.0, 1.0, 0.0]])
    batch = Batch(torch.zeros(1, 32, 32, 3, dtype=torch.uint8), torch.full((1, 3, 2), 9.0), v, torch.tensor([0]))
    assert module(least_visibility=2).seen(batch).visibility.tolist() == [[2, 0, 0]]
    assert module().seen(batch).visibility.tolist() == [[2, 1, 0]]


@pytest.mark.parametrize(("name", "value"), [("unlabelled", "some"), ("schedule", "sine")])
def test_an_unknown_word_is_refused(name, value):
    with pytest.raises(InputError, match=name):
        module(**{name: value})


def test_post_activation_ends_in_a_relu():
    """Its latents can't be negative; a pre-activation residual's can."""
    torch.manual_seed(0)
    x = torch.randn(2, 4, 8, 8)
    post = Residual(4, 4, 2, replace(SMALL, activation="post"))
    assert post(x).min() >= 0 > Residual(4, 4, 2, SMALL)(x).min()
    assert [type(layer).__name__ for layer in post.body][:3] == ["Conv2d", "BatchNorm2d", "ReLU"]


def test_he_weights_have_he_variance():
    torch.manual_seed(0)
    weight = StackedHourglass(replace(SMALL, stem=256, init="he")).stem[0].weight
    assert float(weight.detach().var()) == pytest.approx(2 / (3 * 49), rel=0.05)


def test_a_cosine_ends_at_zero_and_a_warm_up_rises(chain):
    """The rate of every epoch's end as its formula says."""
    p = chain.profile
    training = replace(p.training, epochs=3, schedule="cosine", warmup=2)
    run = replace(chain, profile=replace(p, training=training)).hourglass()
    steps = -(-len(chain.prepared().split("train")) // training.batch)
    total = 3 * steps
    last = [(epoch + 1) * steps - 1 for epoch in range(3)]
    expected = [training.rate * 0.5 * (1 + np.cos(np.pi * (s - 2) / (total - 2))) for s in last]
    assert run.metrics.learning_rate.tolist() == pytest.approx(expected)


def test_what_the_thesis_left_is_trained(chain):
    """Each of these runs has the network that its claim asks for, and predicts."""
    runs = {one.name: one.run(chain) for one in networks.LATER}
    made = {name: chain.network(run) for name, run in runs.items()}
    assert not made["without-skips"].hourglasses[0].skips
    assert [len(made[n].hourglasses) for n in ("two-plain", "four-plain", "two-modified")] == [2, 4, 2]
    (narrow,) = made["narrow"].hourglasses
    assert narrow.autoencoder.config == chain.profile.autoencoder
    assert made["straight"].hourglasses[0].autoencoder is None
    for name in ("straight", "narrow"):
        assert not runs[name].manifest["config"]["parents"]
        assert len(runs[name].metrics) == chain.profile.training.epochs + chain.profile.modified.epochs
    codes = [[h.autoencoder.config.code for h in made[n].hourglasses] for n in ("two-modified", "two-modified-25")]
    own = chain.profile.autoencoder.code
    assert codes == [[own, own], [own, own // 2]]
    assert runs["visible-only"].manifest["config"]["training"]["least_visibility"] == 2
    for run in runs.values():
        found = chain.reader(run).predict(chain.prepared().split("val"))
        assert np.isfinite(found.peaks.numpy()).all()


def test_stacked_autoencoders_start_from_their_own(chain):
    """Each hourglass begins with the autoencoder that was learned for its latents."""
    plain = chain.varied("stacks-2")
    first, second = plain.autoencoder(stack=0), plain.autoencoder(stack=1)
    assert first.id != second.id
    parent = plain.hourglass()
    none = replace(plain.profile.modified, epochs=1, rate=0.0, warmup=0)
    run = plain.further("still", parent, none, autoencoders=(first, second))
    held = run.weights()
    for place, own in enumerate((first, second)):
        for name, value in own.weights("val_loss").items():
            assert torch.equal(held[f"hourglasses.{place}.autoencoder.{name}"], value)


def test_an_outcome_is_what_evaluation_says(chain):
    """PCK at the thesis's radius from coded distances, and the silent loss by a loop."""
    varied = chain.varied("peak-1")
    run = varied.hourglass()
    columns, facts = observations.columns(varied, run), observations.facts(varied, run)
    outcome = Outcome("peak-1", 0, facts, columns, People(observations.persons(varied)))
    split, p = varied.prepared().split("test"), varied.profile
    made = varied.reader(run).predict(split)
    hits, labelled = made.hits(p.pck), made.visibility > 0
    value = float((hits & labelled).sum() / labelled.sum())
    assert outcome.curve[observations.AT] == pytest.approx(value)
    assert outcome.pck["all"].value == pytest.approx(value)
    gaps = distances(made.points, made.true, size=made.size, config=p.pck)[labelled]
    assert outcome.curve == pytest.approx([float((gaps < r).double().mean()) for r in observations.RADII])
    val = varied.prepared().split("val")
    loss = [
        float(
            heatmaps(
                torch.from_numpy(val.keypoints[n : n + 1, :, :2]), torch.from_numpy(val.keypoints[n : n + 1, :, 2]),
                side=p.data.side, size=p.data.side // 4, config=p.heatmaps,
            ).square().mean()
        )
        for n in range(len(val))
    ]  # fmt: skip
    assert outcome.silent == pytest.approx(np.mean(loss), rel=1e-4)
    assert set(outcome.decodings) == {w + m for w in ("argmax", "quarter", "dark", "soft") for m in ("", " + mirror")}


def test_a_variants_run_is_opened_again(chain):
    """What `hgnb evaluate` needs: the run's own edition leads back to the same recipe."""
    run = chain.varied("stacks-2").hourglass()
    edition = run.manifest["edition"]
    again = Experiment.open(edition["profile"], edition["data"], edition["seed"], variant=edition["variant"])
    assert again.profile.model.stacks == 2
