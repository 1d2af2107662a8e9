"""The networks: shapes of the thesis, switches that do what they say, sizes that can't work refused."""

from dataclasses import replace

import psutil
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from figures import architecture
from hgnb.errors import InputError
from hgnb.model import cost
from hgnb.model.config import HourglassConfig
from hgnb.model.hourglass import Autoencoder, AutoencoderConfig, Residual, StackedHourglass, build, fold, look
from hgnb.training import networks

SMALL = HourglassConfig(depth=2, channels=16, inner=8, stem=8, keypoints=5)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return StackedHourglass(SMALL).eval()


@pytest.fixture
def images():
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_the_thesis_network_has_its_shapes():
    network = StackedHourglass(HourglassConfig()).eval()
    with torch.inference_mode():
        image = torch.zeros(1, 3, 256, 256)
        assert network(image).shape == (1, 17, 64, 64)
        assert network.latents(image).shape == (1, 256, 4, 4)
    hourglass = network.hourglasses[0]
    assert (
        len(hourglass.skips),
        len(hourglass.encoder),
        len(hourglass.bottleneck),
        len(hourglass.decoder),
    ) == (4, 3, 3, 3)
    convolutions = [m for m in hourglass.skips[0].modules() if isinstance(m, torch.nn.Conv2d)]
    assert [(c.in_channels, c.out_channels, c.kernel_size) for c in convolutions] == [
        (256, 128, (1, 1)), (128, 128, (3, 3)), (128, 256, (1, 1)),
    ]  # fmt: skip
    assert network.stem[0].out_channels == 256 and network.stem[0].stride == (2, 2)


def test_weights_are_glorot_normal():
    weight = StackedHourglass(HourglassConfig()).heads[0].features[1].weight  # 256 x 256, 1 x 1
    assert weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.02)
    assert StackedHourglass(SMALL).heads[0].heatmaps.bias.abs().max() == 0


def test_a_skip_that_is_off_contributes_nothing(network, images):
    """Off must equal a skip whose output is zero, level by level, and nothing else may change."""
    with torch.inference_mode():
        for level in range(2):
            switched = network(images, skips=[i != level for i in range(2)])
            hook = network.hourglasses[0].skips[level].register_forward_hook(lambda m, i, o: torch.zeros_like(o))
            assert torch.equal(switched, network(images))
            hook.remove()
            assert not torch.equal(switched, network(images))
        assert torch.equal(network(images, skips=False), network(images, skips=[False, False]))
        with pytest.raises(ValueError, match="2, one for each level"):
            network(images, skips=[True])


def plainly(network, images):
    """Heatmaps of one hourglass by the definition, every sum and ReLU into memory of its own."""

    def rectified(layers, x):
        for layer in layers:
            x = x.relu() if isinstance(layer, nn.ReLU) else through(layer, x)
        return x

    def through(module, x):
        if isinstance(module, Residual):
            x = module.shortcut(x) + rectified(module.body, x)
            return x.relu() if module.post else x
        return rectified(module, x) if isinstance(module, nn.Sequential) else module(x)

    hourglass, head = network.hourglasses[0], network.heads[0]
    branches = [through(network.stem, images)]
    for residual in hourglass.encoder:
        branches.append(through(residual, F.max_pool2d(branches[-1], 2)))
    x = through(hourglass.bottleneck, F.max_pool2d(branches[-1], 2))
    for level in reversed(range(hourglass.depth)):
        x = F.interpolate(x, scale_factor=2.0) + through(hourglass.skips[level], branches[level])
        x = through(hourglass.decoder[level - 1], x) if level else x
    return through(nn.Sequential(head.features, head.heatmaps), x)


@pytest.mark.parametrize("change", [{}, {"activation": "post"}, {"norm": "layer"}, {"modules": (2, 2, 2)}])
def test_what_is_computed_in_place_gives_the_same_maps_and_gradients(images, change):
    network = StackedHourglass(replace(SMALL, **change))
    found = []
    for forward in (network, lambda x: plainly(network, x)):
        network.zero_grad()
        maps = forward(images)
        maps.square().mean().backward()
        found.append([maps.detach(), *(p.grad for p in network.parameters())])
    assert len(found[0]) > 50
    torch.testing.assert_close(found[0], found[1])


def test_no_switch_changes_the_tensors_that_it_is_given(network, images):
    """What an edit sees and what it hands back stay as they are while the rest is computed in place."""
    seen, given, before = [], torch.randn(2, *SMALL.latent_shape(64)), images.clone()
    with torch.inference_mode():
        latents, kept = network.latents(images), given.clone()
        network(images, edit=lambda z: seen.append(z) or given)
        assert torch.equal(seen[0], latents) and torch.equal(given, kept) and torch.equal(images, before)


def test_latents_can_be_read_and_replaced(network, images):
    with torch.inference_mode():
        latents = network.latents(images)
        assert latents.shape == (2, *SMALL.latent_shape(64)) == (2, 16, 4, 4)
        assert torch.equal(network(images, edit=lambda z: latents), network(images))
        # Without skips the heatmaps are a function of the latents alone.
        swapped = network(images, skips=False, edit=lambda z: z.flip(0))
        assert torch.allclose(swapped, network(images, skips=False).flip(0), atol=1e-6)


@pytest.mark.parametrize(("shape", "halvings"), [((256, 4, 4), 2), ((64, 4, 4), 1), ((16, 3, 3), 0)])
def test_the_autoencoder_mirrors_itself(shape, halvings):
    autoencoder = Autoencoder(shape, AutoencoderConfig(code=50, halvings=halvings))
    latents = torch.randn(3, *shape)
    assert autoencoder.encode(latents).shape == (3, 50)
    assert autoencoder(latents).shape == latents.shape
    sizes = [tuple(p.shape) for p in autoencoder.encoder.parameters() if p.ndim > 1]
    back = [tuple(p.shape) for p in autoencoder.decoder.parameters() if p.ndim > 1][::-1]
    assert [(b, a, *rest) for a, b, *rest in sizes] == back
    assert (autoencoder(latents) < 0).any(), "the output stays signed"


@pytest.mark.parametrize("name", [one.name for one in networks.TRAININGS if one.network and not one.training])
def test_every_named_network_runs_and_learns(name):
    """At a sixteenth of its width, with its own structure: shapes, and a gradient for every parameter."""
    torch.manual_seed(0)
    one = networks.get(name)
    config = one.described.narrowed(16)
    network = build(config, 64, one.autoencoders)
    outputs = network.predictions(torch.randn(2, 3, 64, 64))
    assert [o.shape for o in outputs] == [(2, 17, 16, 16)] * config.stacks
    sum(o.square().mean() for o in outputs).backward()
    assert not [n for n, p in network.named_parameters() if p.grad is None]
    for stack in range(config.stacks):
        hourglass = network.hourglass(stack)
        latents = network.eval().latents(torch.zeros(1, 3, 64, 64), stack)
        assert latents.shape[1:] == config.latent_shape(64, stack)
        assert (hourglass.autoencoder is not None) == bool(one.autoencoders)


def test_the_named_networks_are_those_of_the_sources():
    assert networks.get("hourglass").network == HourglassConfig()
    network = build(networks.get("newell").described.narrowed(32), 64)
    # Newell et al., sec. 3.2: 7x7 with 64 maps, three residuals to 256; 13 residuals an hourglass, one in each head.
    assert sum(isinstance(m, Residual) for m in network.stem) == 3
    assert sum(isinstance(m, Residual) for m in network.modules()) == 3 + 8 * (13 + 1)
    four = build(networks.get("modules-4").described.narrowed(32), 64)
    assert sum(isinstance(m, Residual) for m in four.modules()) == 3 + 8 * (13 + 4 + 1)
    assert networks.get("inner-64-depths-falling").described.levels == (4, 4, 3, 3, 3, 3, 2, 2)
    assert networks.get("inner-64-depths-rising").described.levels == (2, 2, 2, 3, 3, 3, 4, 4)
    two = build(networks.get("two-modified-25").described.narrowed(8), 64, networks.get("two-modified-25").autoencoders)
    assert [h.autoencoder.config.code for h in two.hourglasses] == [50, 25]
    with pytest.raises(InputError, match="did you mean 'inner-64'"):
        networks.get("iner-64")


def residual_parameters(c_in: int, c_out: int, inner: int) -> int:
    """Norms, convolutions with biases, and the shortcut's convolution where the width changes."""
    body = 2 * c_in + (c_in + 1) * inner + 2 * inner + (9 * inner + 1) * inner + 2 * inner + (inner + 1) * c_out
    return body + (0 if c_in == c_out else (c_in + 1) * c_out)


@pytest.mark.parametrize(("channels", "inner", "stem", "depth"), [(256, 128, 256, 4), (64, 32, 16, 3)])
def test_parameters_against_a_formula(channels, inner, stem, depth):
    config = HourglassConfig(channels=channels, inner=inner, stem=stem, depth=depth)
    c = channels
    expected = (7 * 7 * 3 + 1) * stem + 2 * stem + residual_parameters(stem, c, min(inner, stem // 2))
    # depth skips, depth - 1 residuals down and up, three in the bottleneck, one in the head
    expected += (3 * depth - 2 + 3 + 1) * residual_parameters(c, c, inner)
    expected += (c + 1) * c + 2 * c + (c + 1) * 17
    network = StackedHourglass(config)
    assert sum(p.numel() for p in network.parameters()) == expected
    assert sum(p.parameters for p in cost.costs(network, 64)) == expected


def test_depths_differ_by_stack(images):
    config = replace(SMALL, stacks=3, depths=(1, 3, 2))
    network = StackedHourglass(config).eval()
    assert [len(h.skips) for h in network.hourglasses] == [1, 3, 2]
    shapes = [tuple(network.latents(images, i).shape[1:]) for i in range(3)]
    assert shapes == [config.latent_shape(64, i) for i in range(3)] == [(16, 8, 8), (16, 2, 2), (16, 4, 4)]
    assert network(torch.zeros(1, 3, 96, 96)).shape == (1, 5, 24, 24)
    with pytest.raises(ValueError, match="divisible by 32"):
        network(torch.zeros(1, 3, 48, 48))
    network.insert_autoencoder([AutoencoderConfig(code=n, halvings=1) for n in (7, 6, 5)], 64)
    assert network(images).shape == (2, 5, 16, 16)
    with pytest.raises(InputError, match="2 autoencoders"):
        network.insert_autoencoder([AutoencoderConfig()] * 2, 64)


def test_latents_of_the_second_stack_are_those_it_decodes(images):
    network = StackedHourglass(replace(SMALL, stacks=2)).eval()
    seen = []
    with torch.inference_mode():
        network(images, edit=lambda z: seen.append(z) or z)
        assert all(torch.equal(network.latents(images, i), seen[i]) for i in range(2))


def test_a_network_without_skips_is_one_whose_skips_are_off(images):
    config = replace(SMALL, stacks=2)
    whole, without = StackedHourglass(config).eval(), StackedHourglass(replace(config, skips=False)).eval()
    assert not [name for name, _ in without.named_parameters() if ".skips." in name]
    shared = {k: v for k, v in whole.state_dict().items() if ".skips." not in k}
    without.load_state_dict(shared)  # strict: nothing but the skips is missing
    with torch.inference_mode():
        assert torch.equal(without(images), whole(images, skips=False))
        assert not torch.equal(without(images), whole(images))
        with pytest.raises(ValueError, match="one flag or 0"):
            without(images, skips=[True, True])


def test_a_shared_hourglass_is_the_same_weights_in_every_place(images):
    shared = StackedHourglass(replace(SMALL, stacks=3, shared=True)).eval()
    copies = StackedHourglass(replace(SMALL, stacks=3)).eval()
    state = shared.state_dict()
    held = {k: state["hourglasses.0." + k.split(".", 2)[2]] if k.startswith("hourglasses.") else state[k]
            for k in copies.state_dict()}  # fmt: skip
    copies.load_state_dict(held)
    with torch.inference_mode():
        for alone, of in zip(shared.predictions(images), copies.predictions(images), strict=True):
            assert torch.equal(alone, of)
    one, three = (sum(p.numel() for p in n.hourglasses.parameters()) for n in (shared, copies))
    assert three == 3 * one
    # Stored once, and counted as often as it is passed.
    counts = [{c.part: c for c in cost.costs(n, 64)} for n in (shared, copies)]
    assert counts[0]["bottleneck"].macs == counts[1]["bottleneck"].macs
    assert counts[0]["bottleneck"].parameters * 3 == counts[1]["bottleneck"].parameters


def test_a_separable_kernel_is_a_convolution_of_rank_one_between_maps():
    """Depthwise then 1x1 is the convolution whose kernel is their product; and its weights are c * (9 + c)."""
    depthwise, mix = look(6, 10, 3, True)
    x = torch.randn(2, 6, 8, 8)
    kernel = mix.weight * depthwise.weight.transpose(0, 1)  # (10, 6, 1, 1) * (1, 6, 3, 3)
    whole = nn.functional.conv2d(x, kernel, mix.bias, padding=1)
    assert torch.allclose(mix(depthwise(x)), whole, atol=1e-5)
    assert depthwise.weight.numel() + mix.weight.numel() == 6 * 9 + 6 * 10
    network = StackedHourglass(replace(SMALL, separable=True))
    kinds = {m.kernel_size[0] for m in network.hourglasses.modules() if isinstance(m, nn.Conv2d) and m.groups == 1}
    assert kinds == {1}, "no full kernel looks around"


def test_a_shortened_stack_keeps_its_order_of_depths():
    half = {
        n: networks.get(n).described.shortened(2) for n in ("depths-rising", "depths-falling", "stacks-6", "newell")
    }
    assert [m.stacks for m in half.values()] == [4, 4, 3, 4]
    assert half["depths-rising"].levels == (2, 3, 3, 4) and half["depths-falling"].levels == (4, 3, 3, 2)
    with pytest.raises(InputError, match="6 hourglasses can't be divided by 4"):
        networks.get("stacks-6").described.shortened(4)


def test_kernels_say_how_a_residual_looks():
    for kernels in ((1, 3, 1), (1, 3, 3, 1), (1, 3, 1, 1), (1, 3)):
        residual = Residual(6, 10, 4, replace(SMALL, kernels=kernels))
        convolutions = [m for m in residual.body if isinstance(m, nn.Conv2d)]
        assert tuple(c.kernel_size[0] for c in convolutions) == kernels
        assert [c.out_channels for c in convolutions] == [4] * (len(kernels) - 1) + [10]
        assert residual(torch.zeros(2, 6, 5, 5)).shape == (2, 10, 5, 5)


def test_layer_norm_does_not_see_the_batch(images):
    """In training a crop's residual says the same alone as among others; with batch norm it doesn't."""
    x = torch.randn(4, 16, 8, 8)
    for norm, alike in (("layer", True), ("batch", False)):
        residual = Residual(16, 16, 8, replace(SMALL, norm=norm)).train()
        assert torch.allclose(residual(x)[:1], residual(x[:1]), atol=1e-5) == alike
    norm = Residual(16, 16, 8, replace(SMALL, norm="layer")).body[0]
    assert torch.allclose(norm(x), nn.functional.layer_norm(x, x.shape[1:]), atol=1e-5)
    blocks = [m for m in StackedHourglass(replace(SMALL, norm="layer")).hourglasses.modules()]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in blocks)


def test_dropout_silences_whole_maps_in_training_alone():
    residual = Residual(16, 16, 64, replace(SMALL, dropout=0.25))
    assert isinstance(residual.body[-2], nn.Dropout2d) and isinstance(residual.body[-1], nn.Conv2d)
    factors = []
    residual.body[-2].register_forward_hook(lambda m, i, o: factors.append(o.sum((2, 3)) / i[0].sum((2, 3))))
    x = torch.randn(8, 16, 6, 6)
    residual.train()(x)
    silent = factors[0] == 0  # (8, 64): by map
    assert torch.allclose(factors[0][~silent], torch.tensor(1 / 0.75)), "those that stay are louder"
    assert silent.float().mean().item() == pytest.approx(0.25, abs=0.08)
    assert torch.equal(residual.eval()(x), residual(x))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"depths": (2, 3)}, "2 hourglasses, but stacks is 1"),
        ({"norm": "bach"}, "did you mean 'batch'"),
        ({"kernels": (1, 2, 1)}, "odd"),
        ({"modules": (1, 1)}, "skip, down and up"),
        ({"stacks": 0}, "stacks must be whole"),
        ({"dropout": 1.0}, "below 1"),
        ({"stacks": 2, "depths": (2, 3), "shared": True}, "several depths"),
    ],
)
def test_shapes_that_no_network_has_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        HourglassConfig(**change)


def test_folding_changes_nothing_but_speed(images):
    network = StackedHourglass(replace(SMALL, stacks=2)).train()
    with torch.no_grad():
        for _ in range(3):  # running statistics and affine weights that are not their start
            network(images)
        for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.weight.uniform_(0.5, 2)
            norm.bias.normal_()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    folded = fold(network)
    assert network.training and all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    # What stays is the first norm of each residual: it follows a sum.
    residuals = sum(isinstance(m, Residual) for m in folded.modules())
    assert sum(isinstance(m, nn.BatchNorm2d) for m in folded.modules()) == residuals
    with torch.inference_mode():
        expected = network.eval()(images)
        assert (folded(images) - expected).abs().max() <= 1e-5 * expected.abs().max()
        assert torch.allclose(folded.latents(images), network.latents(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["hourglass", "two-modified", "blocks-4", "without-skips", "shared-separable"])
def test_operations_against_torch(name):
    network = build(networks.get(name).described.narrowed(8), 64).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    network.train()
    assert 2 * sum(c.macs for c in cost.costs(network, 64)) == counter.get_total_flops()
    assert network.training, "a count leaves the network as it was"


def test_kept_maps_of_one_residual_by_hand():
    """A residual's norms keep their inputs and its convolutions theirs, which ReLU made in place."""
    network = StackedHourglass(SMALL)
    deeper = StackedHourglass(replace(SMALL, bottleneck=4))
    added = cost.kept_bytes(deeper, 64) - cost.kept_bytes(network, 64)
    maps = (16 + 16 + 8 + 8 + 8 + 8) * 4 * 4  # before and after each of three norms, on a 4x4 map
    assert added == 4 * maps


def test_counting_kept_maps_frees_them_again():
    """A graph that a hook hands its own tensors back to holds itself: each count would stay in memory."""
    network, own = build(networks.get("hourglass").described.narrowed(8), 256), psutil.Process()
    kept = [cost.kept_bytes(network, 256) for _ in range(2)][-1]
    before = own.memory_full_info().uss
    for _ in range(6):
        cost.kept_bytes(network, 256)
    assert kept > 10 * 2**20
    assert own.memory_full_info().uss - before < 2 * kept


@pytest.mark.parametrize("name", ["hourglass", "modified", "newell"])
def test_the_cost_table_counts_the_network_that_is_drawn(name):
    """Every step of fig-architecture has the shape that the count of operations saw."""
    network = build(networks.get(name).described.narrowed(16), 128)
    seen = {name: (tuple(before[1:]), tuple(after[1:])) for name, before, after, _ in cost.layers(network, 128)}
    steps = [s for s in architecture.hourglass_steps(network, 128) if s.kind != "pooling"]
    assert len(steps) >= 15
    for step in steps:
        inside = [shapes for layer, shapes in seen.items() if f"{layer}.".startswith(f"{step.name}.")]
        assert step.before in [before for before, _ in inside]
        assert step.after in [after for _, after in inside]
    rows = architecture.cost_table(network, 128, "tiny").rows
    assert rows.iloc[-1, 0] == "whole network"
    assert rows.iloc[-1, 1] == f"{sum(p.numel() for p in network.parameters()):,}"
