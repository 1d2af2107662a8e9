"""The networks: shapes of the thesis, switches that do what they say, sizes that can't work refused."""

import pytest
import torch

from hgnb.models.autoencoder import Autoencoder, AutoencoderConfig
from hgnb.models.hourglass import HourglassConfig, StackedHourglass

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


def test_latents_can_be_read_and_replaced(network, images):
    with torch.inference_mode():
        latents = network.latents(images)
        assert latents.shape == (2, *SMALL.latent_shape(64)) == (2, 16, 4, 4)
        assert torch.equal(network(images, edit=lambda z: latents), network(images))
        # Without skips the heatmaps are a function of the latents alone.
        swapped = network(images, skips=False, edit=lambda z: z.flip(0))
        assert torch.allclose(swapped, network(images, skips=False).flip(0), atol=1e-6)


def test_gradients_reach_every_parameter(images):
    network = StackedHourglass(HourglassConfig(stacks=2, depth=2, channels=16, inner=8, stem=8, keypoints=5))
    network.insert_autoencoder(AutoencoderConfig(code=6, halvings=1), 64)
    outputs = network.predictions(images)
    assert [o.shape for o in outputs] == [(2, 5, 16, 16)] * 2
    sum(o.square().mean() for o in outputs).backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None]
    assert not silent


def test_sides_that_cannot_be_halved_are_refused(network):
    with pytest.raises(ValueError, match="divisible by 16"):
        network(torch.zeros(1, 3, 72, 72))


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
