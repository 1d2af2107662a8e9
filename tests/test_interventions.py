"""Latents replaced, components kept and removed: networks built so that the answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_explain import COCO, SIDE, SIZE, noisy, persons

from hgnb.analysis import components, interventions, skips, truncation
from hgnb.analysis.interventions import Space
from hgnb.errors import InputError
from hgnb.metrics import PckConfig

PCK = PckConfig()


def factors_of(n, deviations, seed=0):
    """Whole factors, so that a decoder that rounds them knows them again, and latents that hold them."""
    rng = np.random.default_rng(seed)
    whole = np.round(np.clip(rng.normal(size=(n, len(deviations))) * deviations, -7, 7))
    axes = np.linalg.qr(rng.normal(size=(40, 40)))[0][: len(deviations)]
    return whole, (whole @ axes + 0.01 * rng.normal(size=(n, 40))).astype(np.float32), axes


class Planted:
    """A hourglass that looks its latents up by person and puts keypoint k where factor k of them says."""

    def __init__(self, latents, axes, skips=False):
        self.latents, self.axes = torch.from_numpy(latents), torch.from_numpy(axes).float()
        self.by_skips, self.encoded = skips, 0

    def encode(self, images):
        self.encoded += 1
        latents = self.latents[(images[:, 0, 0, 0] * 255).round().long()]
        return latents[:, :, None, None], [latents]

    def decode(self, latents, branches, on):
        factors = (branches[0] if self.by_skips else latents.flatten(1)) @ self.axes.T
        columns = torch.full((len(factors), 17), SIZE // 2)
        columns[:, : factors.shape[1]] += factors.round().long()
        maps = torch.zeros(len(factors), 17, SIZE, SIZE)
        maps.scatter_(3, columns.clamp(0, SIZE - 1)[:, :, None, None].expand(-1, -1, SIZE, 1), 1)
        return maps * (torch.arange(SIZE) == 3)[:, None]


def world(deviations, n=120, skips=False):
    """Persons whose n-th crop holds the number n, a reader that finds all of their keypoints, and their latents."""
    whole, latents, axes = factors_of(n, deviations)
    keypoints = np.full((n, 17, 3), 2.0)
    cells = np.full((n, 17, 2), (SIZE // 2, 3))
    cells[:, : len(deviations), 0] += whole.astype(int)
    keypoints[..., :2] = (cells + 0.5) * SIDE / SIZE
    split = persons(keypoints, images=np.arange(n) // 2)
    split.crops[:, 0, 0] = np.arange(n)[:, None]
    network = SimpleNamespace(
        hourglasses=[Planted(latents, axes, skips)], heads=[lambda x: (None, x)], stem=lambda images: images
    )
    reader = SimpleNamespace(network=network, device=torch.device("cpu"), mean_rgb=torch.zeros(3), batch=32)
    return split, reader, latents


def test_the_knee_is_where_the_factors_end():
    split, reader, latents = world((5.0, 3.0, 1.5))
    made = truncation.truncate(reader, split, truncation.own(split, components.principal(latents)), PCK)
    assert made.full.value == 1 and made.smallest() == 3 and made.counts[:5] == [0, 1, 2, 3, 4]
    lost = [made.lost(k).value for k in (0, 1, 2, 3, 40)]
    assert lost[0] > lost[1] > lost[2] > 0.01 and lost[3:] == [0, 0]
    assert made.lost(2).low > 0 and made.pck(2).value == pytest.approx(1 - lost[2])


def test_the_knee_is_found_between_powers_of_two():
    split, reader, latents = world(np.linspace(5, 3, 11))
    made = truncation.truncate(reader, split, truncation.own(split, components.principal(latents)), PCK)
    assert made.smallest() == 11 and 10 in made.counts and not made.enough(10)
    assert truncation.doubling(40) == [0, 1, 2, 4, 8, 16, 32, 40] and truncation.doubling(0) == [0]


def test_hits_are_those_of_a_plain_loop():
    """Person by person: latents projected by hand, decoded, compared with the truth."""
    split, reader, latents = world((5.0, 3.0, 1.5), n=20)
    parts, hourglass = components.principal(latents), reader.network.hourglasses[0]
    space = Space.of(parts, reader.device)
    kept, without = interventions.intervene(reader, split, PCK, [space.keep(2), space.remove(1)])
    for i, latent in enumerate(latents):
        z = parts.axes @ (latent - parts.mean)
        for hits, point in (
            (kept, parts.mean + sum(z[j] * parts.axes[j] for j in range(2))),
            (without, latent - z[0] * parts.axes[0]),
        ):
            maps = hourglass.decode(torch.as_tensor(point, dtype=torch.float32)[None], [None], True)[0].numpy()
            for k in range(17):
                y, x = np.unravel_index(maps[k].argmax(), maps[k].shape)
                truth = np.floor(split.keypoints[i, k, :2] * SIZE / SIDE)
                assert hits[i, k] == (np.hypot(x - truth[0], y - truth[1]) < 0.05 * SIZE)


def test_components_of_the_other_half_do_as_well_where_the_structure_is_real():
    split, reader, latents = world((5.0, 3.0, 1.5))
    folds = truncation.exchanged(split, latents, seed=0)
    rows = np.sort(np.concatenate([rows for rows, _ in folds]))
    assert rows.tolist() == list(range(120))
    for own, parts in folds:  # nobody shaped the components that are kept of him, nor did his neighbour in the picture
        others = np.setdiff1d(rows, own)
        assert np.allclose(parts.mean, latents[others].mean(0), atol=1e-4)
        assert not set(split.image_ids[own]) & set(split.image_ids[others])
    made = truncation.truncate(reader, split, folds, PCK)
    assert made.smallest() == 3
    noise = np.random.default_rng(0).normal(size=latents.shape).astype(np.float32)
    assert max(truncation.truncate(reader, split, truncation.exchanged(split, noise, 0), PCK).counts) < 60


def test_skips_that_carry_everything_need_no_component():
    split, reader, latents = world((5.0, 3.0), skips=True)
    parts = components.principal(latents)
    made = truncation.truncate(reader, split, truncation.own(split, parts), PCK)
    assert made.smallest() == 0 and all(made.lost(k).value == 0 for k in made.counts)
    assert {d.value for d in truncation.removed(reader, split, parts, (1, 2, 99), PCK).values()} == {0}


def test_removing_one_component_costs_its_keypoints():
    split, reader, latents = world((6.0, 2.0))
    drops = truncation.removed(reader, split, components.principal(latents), (1, 2, 3, 7, 99), PCK)
    assert list(drops) == [1, 2, 3, 7] and drops[1].low > 0.03 and drops[2].low > 0.02
    assert drops[3].value == drops[7].value == 0


def test_each_person_is_encoded_once():
    split, reader, latents = world((5.0, 3.0), n=60)
    space = Space.of(components.principal(latents), reader.device)
    interventions.intervene(reader, split, PCK, [space.keep(k) for k in range(20)])
    assert reader.network.hourglasses[0].encoded == 2  # batches of 32


@pytest.mark.parametrize("n", [0, 1, 3])
def test_too_few_persons_for_halves(n):
    split, _, latents = world((5.0, 3.0), n=8)
    assert truncation.exchanged(split.take(np.arange(n)), latents[:n], 0) == []


# A real network


@pytest.fixture
def real_network():
    return noisy(6, 4)


LAYERS = ("encoder.0", "bottleneck", "skips.0", "skips.1", "decoder.0")


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_can_be_read_and_replaced(real_network, layer):
    reader, split = real_network
    whole = reader.predict(split).hits(PCK).numpy()
    given = interventions.outputs(reader, split, layer)
    assert len(given) == 6 and given.ndim == 2
    parts = components.principal(given)
    space = Space.of(parts, reader.device)
    edits = [lambda x: x, space.keep(len(parts))]
    same, kept = interventions.intervene(reader, split, PCK, edits, layer)
    assert (same == whole).all() and (kept == whole).all()
    maps = [
        list(interventions.decodings(reader.network, torch.ones(2, 8, 16, 16), [None, edit], layer))
        for edit in (space.keep(len(parts)), lambda x: 0 * x)
    ]
    assert not torch.allclose(*maps[1])  # the layer matters, and the hook is gone again:
    assert (interventions.intervene(reader, split, PCK, [None])[0] == whole).all()


def test_a_silent_skip_is_a_switch_turned_off(real_network):
    reader, split = real_network
    silent = interventions.intervene(reader, split, PCK, [lambda x: 0 * x], "skips.0")[0]
    assert (silent == reader.predict(split, skips=[False, True]).hits(PCK).numpy()).all()
    zero = interventions.intervene(reader, split, PCK, [lambda x: 0 * x])[0]
    assert (zero == reader.predict(split, edit=lambda x: 0 * x).hits(PCK).numpy()).all()


def test_the_bottleneck_is_the_latents(real_network):
    reader, split = real_network
    assert np.allclose(interventions.outputs(reader, split), reader.latents(split).reshape(6, -1))


def test_a_layer_that_is_not_there_names_the_nearest(real_network):
    reader, split = real_network
    with pytest.raises(InputError, match="encoder.0"):
        interventions.intervene(reader, split, PCK, [lambda x: x], "encoder.7")


def test_a_persons_own_point_decodes_to_the_persons_heatmaps(real_network):
    reader, split = real_network
    points = reader.latents(split).reshape(6, -1)
    for person in (0, 3):
        maps = interventions.decoded(reader, points, split.take(np.array([person])))
        assert maps.shape == (6, 17, 16, 16)
        whole = reader.heatmaps(split.take(np.array([person])))[0]
        assert np.allclose(maps[person], whole, atol=1e-5)


def test_of_several_stacks_the_first_is_studied():
    reader, split = noisy(5, stacks=2)
    study = skips.study(reader, split, COCO, PCK)
    images = torch.from_numpy(split.crops).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        first = reader.network.eval().predictions(images)[0]
    peak = first.flatten(2).argmax(-1).numpy()
    truth = np.floor(split.keypoints[..., :2] * SIZE / SIDE)
    gap = np.stack([peak % SIZE, peak // SIZE], -1) - truth
    assert (study.on == (np.linalg.norm(gap, axis=-1) < 0.05 * SIZE)).all()
    assert len(study.alone) == 2


def test_a_network_without_skips_has_none_to_switch_off():
    study = skips.study(*noisy(skips=False), COCO, PCK)
    assert study.alone == () and study.levels == () and (study.on == study.off).all()


# Redundancy by channels


def test_three_planted_channels_are_enough():
    rng = np.random.default_rng(0)
    maps = np.einsum("npk,kc->ncp", rng.normal(size=(20, 36, 3)), rng.normal(size=(3, 10))) + 5
    flat = maps.reshape(20, -1).astype(np.float32)
    parts = components.principal(truncation.points(flat, 10, seed=0))
    assert parts.needed(1 - 1e-6) == 3 and parts.latents.shape == (20 * 36, 10)
    x = torch.from_numpy(flat)
    assert torch.allclose(truncation.keep(parts, 3, x.device)(x), x, atol=1e-3)
    assert not torch.allclose(truncation.keep(parts, 2, x.device)(x), x, atol=1e-1)
    none = truncation.keep(parts, 0, x.device)(x).reshape(20, 10, 36)
    assert torch.allclose(none, torch.from_numpy(parts.mean).float()[:, None].expand_as(none))


def test_kept_components_by_a_plain_loop():
    rng = np.random.default_rng(1)
    flat = rng.normal(size=(4, 5 * 9)).astype(np.float32)
    parts = components.principal(rng.normal(size=(60, 5)))
    made = truncation.keep(parts, 2, torch.device("cpu"))(torch.from_numpy(flat)).numpy().reshape(4, 5, 9)
    for person in range(4):
        for pixel in range(9):
            x = flat.reshape(4, 5, 9)[person, :, pixel] - parts.mean
            want = parts.mean + sum((x @ w) * w for w in parts.axes[:2])
            assert made[person, :, pixel] == pytest.approx(want, abs=1e-5)


def test_sampled_points_are_pixels_of_their_person():
    flat = np.arange(3 * 2 * 100, dtype=np.float32).reshape(3, 200)
    found = truncation.points(flat, 2, seed=4, pixels=7).reshape(3, 7, 2)
    for person in range(3):
        assert (found[person, :, 1] - found[person, :, 0] == 100).all(), "both channels of one pixel"
        assert len(set(found[person, :, 0])) == 7 and (found[person, :, 0] // 200 == person).all()


def test_every_part_with_everything_kept_is_the_network():
    reader, split = noisy(12, 5, stem=8)
    parts = list(truncation.study(reader, split, split, PCK))
    names = ["encoder.0", "bottleneck", "skips.0", "skips.1", "decoder.0"]
    assert [p.name for p in parts] == names
    assert [p.title for p in parts][:3] == ["encoder, level 1", "bottleneck", "skip, level 1"]
    for part in parts:
        assert part.kept.counts == [0, 1, 2, 4, 8]
        assert (part.kept.hits[8] == part.kept.whole).mean() > 0.98, "but for rounding, nothing is replaced"
        layer = interventions.layer_of(reader.network.hourglasses[0], part.name)
        assert not layer._forward_hooks, "the network is left as it was"
