"""Why the autoencoder helped: made-up networks for which either reason is known to be true, false, or open."""

import matplotlib
import numpy as np
import pytest
import torch
from test_explain import COCO, noisy, persons, scattered
from test_interventions import PCK, world

from figures import ch05, reasons
from hgnb.analysis import clusters, components, interventions, truncation
from hgnb.analysis.misplaced import Misplaced
from hgnb.analysis.truncation import Truncation
from hgnb.errors import InputError
from hgnb.model.hourglass import AutoencoderConfig
from hgnb.stats import Estimate

matplotlib.use("agg")
N = 400


def split_of(seed=0):
    """Persons with 4 to 17 labelled keypoints, two on each photograph."""
    rng = np.random.default_rng(seed)
    keypoints = scattered(N, 17, seed)
    keypoints[..., 2] = rng.permuted(2 * (np.arange(17) < rng.integers(4, 18, N)[:, None]), axis=1)
    return persons(keypoints, images=np.arange(N) // 2)


def pair_of(before, after, off=(0.2, 0.2), seed=0):
    """Networks that find each keypoint with a chance given by person."""
    rng = np.random.default_rng(seed)
    chance = rng.random((N, 17))  # the same keypoints are hard for both
    hits = [chance < np.broadcast_to(np.reshape(p, (-1, 1)), chance.shape) for p in (before, off[0], after, off[1])]
    return reasons.Pair(split_of(), (hits[0], hits[1]), (hits[2], hits[3]))


def wrong_of(flags):
    return Misplaced(flags, np.ones(N, bool), (0.0, 0.0), np.arange(N) // 2)


def test_gains_and_drops_are_those_of_a_plain_loop():
    pair = pair_of(0.5, 0.6, (0.3, 0.2))
    seen = pair.split.visibility > 0
    sums = {name: [(h & seen).sum() / seen.sum() for h in getattr(pair, name)] for name in ("original", "modified")}
    (a, b), (c, d) = sums["original"], sums["modified"]
    assert pair.gain(pair.labelled).value == pytest.approx(c - a)
    assert pair.gain(pair.labelled, skips=False).value == pytest.approx(d - b)
    assert (pair.drop("original").value, pair.drop("modified").value) == pytest.approx((a - b, c - d))
    apart = pair.drops_apart
    assert apart.value == pytest.approx((c - d) - (a - b)) and apart.low < apart.value < apart.high
    assert pair.pck("modified", pair.labelled, skips=False).value == pytest.approx(d)


def test_groups_share_out_what_is_labelled():
    pair, flags = pair_of(0.5, 0.6), np.arange(N) % 3 == 0
    groups = pair.groups(COCO, wrong_of(flags))
    for heading, members in groups.items():
        assert (sum(m.astype(int) for m in members.values()) == pair.labelled).all(), heading
    titles = list(groups["labelled keypoints"])
    assert len(titles) == 3 and titles[0].startswith("4 to ") and titles[-1].endswith(" to 17")
    assert (groups["place in the original"]["misplaced"] == pair.labelled & flags[:, None]).all()


@pytest.mark.parametrize(
    ("counts", "titles"),
    [([14] * 9, ["14"]), ([1, 14, 14, 14, 14, 14], ["1", "14"]), ([1, 2, 3, 4, 5, 6], ["1 to 2", "3 to 4", "5 to 6"])],
)
def test_thirds_keep_equal_counts_together(counts, titles):
    groups = reasons.thirds(np.array(counts))
    assert list(groups) == titles and sum(rows.sum() for rows in groups.values()) == len(counts)


FEWER, MORE, SAME = Estimate(0.1, 0.05, 0.15), Estimate(-0.1, -0.15, -0.05), Estimate(0, -0.05, 0.05)
FLAGS = np.random.default_rng(1).random(N) < 0.3


@pytest.mark.parametrize(
    ("fewer", "before", "after", "verdict"),
    [
        (FEWER, (0.3, 0.6), (0.55, 0.62), reasons.SURVIVES),
        (MORE, (0.3, 0.6), (0.55, 0.62), reasons.FAILS),
        (SAME, (0.3, 0.6), (0.55, 0.62), reasons.OPEN),
        (FEWER, (0.6, 0.3), (0.7, 0.35), reasons.FAILS),  # the misplaced are found better
        (FEWER, (0.3, 0.6), (0.31, 0.9), reasons.FAILS),  # the others gain
        (FEWER, (0.3, 0.6), (0.3, 0.6), reasons.OPEN),  # nobody gains
    ],
)
def test_order_is_the_reason_only_where_the_misplaced_are_worse_and_gain(fewer, before, after, verdict):
    chances = [np.where(FLAGS, *chance) for chance in (before, after)]
    reason = reasons.order(fewer, pair_of(*chances), wrong_of(FLAGS))
    assert reason.verdict == verdict
    assert reason.parts[1].interval.value == pytest.approx(before[1] - before[0], abs=0.05)
    assert reason.parts[2].interval.value == pytest.approx(after[0] - before[0] - after[1] + before[1], abs=0.05)


def cut(chance_49, chance_95, needed=120):
    """The original without components: untouched it finds half of the keypoints."""
    chance, split = np.random.default_rng(0).random((N, 17)), split_of()
    hits = {0: chance < 0.3, 49: chance < chance_49, needed: chance < chance_95}
    return Truncation(hits, chance < 0.5, split.visibility, split.image_ids)


@pytest.mark.parametrize(
    ("chances", "verdict"),
    [
        ((0.55, 0.53), reasons.SURVIVES),
        ((0.45, 0.47), reasons.FAILS),
        ((0.45, 0.53), reasons.FAILS),
        ((0.5, 0.5), reasons.OPEN),
    ],
)
def test_noise_is_the_reason_only_where_taking_it_out_helps(chances, verdict):
    reason = reasons.denoised(cut(*chances), 120)
    assert reason.verdict == verdict
    assert reason.parts[0].interval.value == pytest.approx(chances[0] - 0.5, abs=0.01)


def test_what_was_not_tried_leaves_a_reason_open():
    reason = reasons.denoised(cut(0.55, 0.53), needed=7)
    assert reason.verdict == reasons.OPEN and not np.isfinite(reason.parts[1].interval.value)


def test_the_steps_hold_what_the_thesis_names():
    rng = np.random.default_rng(0)
    parts = components.principal((rng.normal(size=(900, 200)) * np.arange(1, 201) ** -0.5).astype(np.float32))
    needed = parts.needed(reasons.SIGNAL)
    steps = reasons.steps(parts)
    assert {0, 1, 4, 16, 49, needed} == set(steps) and needed > 100 and 64 not in steps
    assert reasons.steps(components.principal(np.zeros((3, 5), np.float32))) == [0]


def test_other_persons_fall_to_the_nearest_centroid_and_are_judged_by_the_whole_groups_cut():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(5, 1, (40, 3)), rng.normal(-5, 1, (40, 3))]).astype(np.float32)
    key = np.r_[rng.integers(12, 18, 40), rng.integers(2, 9, 40)].astype(float)
    group = clusters.clustering(points, np.repeat([1, 0], 40), key, np.arange(80))
    others = np.array([[5, 5, 5], [5, 4, 5], [-5, -5, -5], [-4, -5, -5], [5, 5, 5]], np.float32)
    made = group.placed(others, np.array([16, 3, 4, 15, np.nan]), np.arange(5))
    assert made.flags.tolist() == [False, True, False, True, False]
    assert made.judged.tolist() == [True, True, True, True, False]
    lone = clusters.clustering(points, np.zeros(80, int), key, np.arange(80))
    assert not lone.placed(others, np.full(5, 9.0), np.arange(5)).judged.any()


def test_one_pass_keeps_what_the_search_keeps():
    split, reader, latents = world((5.0, 3.0, 1.5))
    parts = components.principal(latents)
    searched = truncation.truncate(reader, split, truncation.own(split, parts), PCK)
    made = truncation.kept(reader, split, parts, [0, 2, 3, 999], PCK)
    assert made.counts == [0, 2, 3]
    assert all((made.hits[k] == searched.hits[k]).all() for k in made.counts) and (made.whole == searched.whole).all()


def test_codes_are_cut_within_the_autoencoder():
    """All components of the codes leave the network as it is; none gives everybody the mean code's heatmaps."""
    reader, split = noisy(12)
    network = reader.network.eval()
    with pytest.raises(InputError, match="Unknown layer"):
        interventions.layer_of(network.hourglasses[0], interventions.CODE)
    network.insert_autoencoder(AutoencoderConfig(code=6, halvings=1), 64)
    codes = reader.codes(reader.latents(split))
    space = interventions.Space.of(components.principal(codes), reader.device)
    x = network.stem(torch.from_numpy(split.crops).permute(0, 3, 1, 2).float() / 255)
    edits = [None, space.keep(6), space.keep(0), lambda z: torch.as_tensor(codes).mean(0).expand_as(z)]
    with torch.inference_mode():
        whole, every, none, mean = interventions.decodings(network, x, edits, interventions.CODE)
    assert torch.allclose(whole, every, atol=1e-5) and torch.allclose(none, mean, atol=1e-5)
    assert not torch.allclose(whole, none, atol=1e-4)


def test_the_figures_have_a_mark_for_everything_they_show():
    pair = pair_of(np.where(FLAGS, 0.3, 0.6), np.where(FLAGS, 0.55, 0.62), (0.3, 0.1))
    curve, groups = cut(0.55, 0.53), pair.groups(COCO, wrong_of(FLAGS))
    left, right = ch05.kept(dict.fromkeys(ch05.LOOKS, curve)).axes
    assert [line.get_label() for line in left.lines if not line.get_label().startswith("_")] == list(ch05.LOOKS)
    assert len(right.lines) == 2 + 2 * 3 * len(curve.counts)
    gains = {(heading, title): pair.gain(n) for heading, them in groups.items() for title, n in them.items() if n.any()}
    (ax,) = ch05.where(gains, pair.gain(pair.labelled)).axes
    assert [text.get_text() for text in ax.texts] == list(dict.fromkeys(heading for heading, _ in gains))
    assert [label.get_text() for label in ax.get_yticklabels()] == [title for _, title in gains]
