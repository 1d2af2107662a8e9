"""Lighter hourglasses: trainings by name, PCKh by a plain loop, times, records, claims on made-up evidence."""

import json
import re
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from conftest import ROOT, at_home
from hypothesis import given
from hypothesis import strategies as st
from made_up import outcomes
from scipy import stats

from figures import ch06, fronts, stand
from figures.page import Note, Plate
from hgnb.claims import on_lighter
from hgnb.claims.ledger import judge_lighter
from hgnb.claims.on_lighter import CLAIMS, CONTROL, Recorded
from hgnb.data.drawn.annotate import MPII16
from hgnb.errors import InputError
from hgnb.metrics.keypoints_found import Share
from hgnb.metrics.pckh import joint_groups
from hgnb.model import cost
from hgnb.model.hourglass import build
from hgnb.training import networks, observations, profiles, speed
from hgnb.training.experiment import Experiment
from hgnb.training.observations import Outcomes, People
from hgnb.training.speed import Timed, Times
from hgnb_book.gather import gather

TOY = profiles.LighterConfig(timed_side=64, timed_divisor=32, timed_batch=2, timed_repeats=2)


def test_every_training_that_a_table_or_claim_names_is_there():
    known = {one.name for one in networks.LIGHTER}
    assert known >= {*ch06.REPORT, *ch06.REPORT_LONG}
    asked = {CONTROL, "newell-adam", "newell-adam-batch-6", "blocks-2"}
    for claim in CLAIMS:
        wanted = getattr(claim.gather, "keywords", {})
        asked |= {name for pair in wanted.get("accuracy", {}).values() for name in pair}
        asked |= {name for ratio in wanted.get("ratios", {}).values() for _, name in ratio}
    assert len(asked) > 15 and asked <= known


def test_a_case_changes_what_its_name_says_and_nothing_else(house):
    base, adam = (Experiment.open("tiny", "embedded", 0, variant=n).profile for n in ("newell", "newell-adam"))
    assert replace(adam, training=base.training) == base
    assert replace(adam.training, optimiser="rmsprop") == base.training
    assert (base.embedded.schema, base.heatmaps.targets, base.training.batch) == ("mpii16", "peak", 20)
    inner = Experiment.open("tiny", "embedded", 0, variant="inner-64").profile
    assert replace(inner, model=base.model) == base and inner.model.inner == base.model.inner // 2
    long = Experiment.open("tiny", "embedded", 0, variant="newell-long").profile
    assert long.training.epochs == base.lighter.long_epochs > base.training.epochs
    plain = profiles.load("tiny")
    two = Experiment.open("tiny", "embedded", 0, variant="stacks-2").profile
    assert replace(two, model=plain.model) == plain and two.model.stacks == 2, "the thesis's keep the profile's size"
    with pytest.raises(InputError, match="trained parts"):
        Experiment.open("tiny", "embedded", 0, variant="two-modified")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Two small networks, trained for a moment in a home of their own: (what they showed, an experiment of them)."""
    home = tmp_path_factory.mktemp("swept")
    for part in ("hgnb", "profiles"):
        (home / part).mkdir()
    text = (ROOT / "profiles/smoke.toml").read_text()
    (home / "profiles/smoke.toml").write_text(re.sub(r"cases = .*", 'cases = ["newell-4", "newell-2"]', text))
    with at_home(home):
        experiment = Experiment.open("smoke", "embedded", 0, variant="newell-4")
        yield observations.live("lighter", "smoke", "embedded", 0), experiment


def test_pckh_against_a_plain_loop(swept):
    made, experiment = swept
    outcome = made.of("newell-4")[0]
    split, names = experiment.prepared().split("test"), list(MPII16.names)
    network, mean = experiment.network(experiment.hourglass()).eval(), experiment.prepared().mean_rgb
    neck, top = names.index("upper_neck"), names.index("head_top")
    found = dict.fromkeys(joint_groups(names), 0)
    counted, by_image = dict(found), {int(i): 0 for i in np.unique(split.image_ids)}
    for person in range(len(split)):
        image = torch.from_numpy(split.crops[person] / 255 - mean).permute(2, 0, 1)[None].float()
        with torch.inference_mode():
            maps = network(image)[0].numpy()
        truth = split.keypoints[person].astype(float)
        if truth[neck, 2] == 0 or truth[top, 2] == 0:
            continue
        head = np.hypot(*(truth[neck, :2] - truth[top, :2]))
        for group, joints in joint_groups(names).items():
            for k in joints:
                if truth[k, 2] == 0:
                    continue
                row, column = np.unravel_index(maps[k].argmax(), maps[k].shape)
                x, y = 4 * column + 1.5, 4 * row + 1.5  # the middle of four pixels
                hit = np.hypot(x - truth[k, 0], y - truth[k, 1]) <= head / 2
                counted[group] += 1
                found[group] += int(hit)
                by_image[int(split.image_ids[person])] += int(hit)
    assert made.people.measure == "PCKh@0.5" and sum(counted.values()) > 100
    assert {g: (s.found, s.counted) for g, s in outcome.groups.items()} == {g: (found[g], counted[g]) for g in found}
    assert outcome.mean == Share(sum(found.values()), sum(counted.values()))
    assert list(outcome.by_image) == [by_image[i] for i in sorted(by_image)]
    assert sum(made.people.counted) == outcome.mean.counted
    assert len(outcome.by_stack) == 2 and outcome.by_stack[-1] == pytest.approx(outcome.mean.value, abs=1e-4)


def test_the_mean_pose_is_counted_as_the_networks_are(swept):
    made, experiment = swept
    lowest, names = ch06.floor(made, experiment), list(MPII16.names)
    train, test = (experiment.prepared().split(s) for s in ("train", "test"))
    neck, top = names.index("upper_neck"), names.index("head_top")
    for group, joints in joint_groups(names).items():
        found = counted = 0
        for k in joints:
            x, y = train.keypoints[train.keypoints[:, k, 2] > 0, k, :2].mean(0)
            for truth in test.keypoints.astype(float):
                if truth[neck, 2] and truth[top, 2] and truth[k, 2]:
                    head = np.hypot(*(truth[neck, :2] - truth[top, :2]))
                    counted, found = counted + 1, found + (np.hypot(x - truth[k, 0], y - truth[k, 1]) <= head / 2)
        assert lowest.groups[group] == Share(found, counted)
    assert sum(lowest.by_image) == lowest.mean.found > 0
    other = Outcomes(replace(made.record, about=made.record.about | {"checksum": "of other persons"}))
    assert ch06.floor(other, experiment) is None
    assert ch06.floor(Outcomes(replace(made.record, about=made.record.about | {"data": "x"})), experiment) is None


def test_a_record_holds_what_was_measured(swept, tmp_path):
    made, experiment = swept
    about = observations.shared("lighter", experiment)
    plain = Experiment.open("smoke", "embedded")
    for name in made.names:
        gather("lighter", plain, name, plain.varied(name).hourglass())
    again = observations.found("lighter", "smoke", "embedded")
    assert again.names == made.names and again.record.title.startswith("smoke on embedded, 1 seed")
    for name in made.names:
        (one,), (other,) = again.of(name), made.of(name)
        assert (one.mean, one.groups, one.by_stack) == (other.mean, other.groups, other.by_stack)
        assert np.array_equal(one.val_loss, other.val_loss) and np.array_equal(one.points, other.points)
    assert np.array_equal(again.people.crops, made.people.crops)
    assert observations.is_recorded(about, 0, "newell-4", experiment.hourglass())
    persons = {name: column for name, column in made.record.persons.items() if name != "crops"}
    other = Outcomes(replace(made.record, persons=persons))
    assert isinstance(ch06.samples(other), Note), "other people's photographs stay where they are"


def test_data_without_a_head_are_measured_by_pck(house, coco_folder):
    experiment = Experiment.open("smoke", str(coco_folder), 0, variant="newell-2")
    people = People(observations.persons(experiment))
    assert people.measure == "PCK" and sum(people.counted) > 0
    groups = joint_groups(experiment.prepared().schema.names)
    assert [name for name, joints in groups.items() if joints] == ["head", "hip", "knee"]


def test_times_count_what_the_network_has():
    names = ("newell", "inner-64", "newell-2", "newell-adam")
    times = stand.timed(TOY, [networks.get(n) for n in names])
    for name in names:
        timed = times.cases[name]
        network = build(replace(networks.get(name).described.narrowed(32), keypoints=16), 64)
        assert timed.parameters == sum(p.numel() for p in network.parameters())
        assert timed.gflop == pytest.approx(sum(c.gflop for c in cost.costs(network, 64)), abs=5e-4)
        assert len(timed.training) == len(timed.inference) == 2 and min(timed.training + timed.inference) > 0
        assert (timed.seconds("with loading") > timed.seconds("training")).all()
    assert times.cases["newell-2"].seconds("training").max() < times.cases["newell"].seconds("training").min()
    assert Times.read(json.loads(json.dumps(times.facts()))) == times


def test_each_turn_has_an_order_of_its_own(monkeypatch):
    """So that what a machine does to the network that comes first hits each in turn."""
    ran, names = [], ("newell", "inner-64", "stacks-6", "newell-2")
    monkeypatch.setattr(stand.Stand, "turn", lambda self, _: ran.append(self.case.name) or (1.0, 1.0, 1.0))
    times = stand.timed(TOY, [networks.get(n) for n in names], turns=4)
    orders = [ran[i : i + 4] for i in range(1, 17, 4)]  # behind the one that warms up
    assert all(sorted(order) == sorted(names) for order in orders)
    assert len({order[0] for order in orders}) > 1 and times.shuffled


# --- claims on made-up evidence


def made_up(accuracies: dict[str, list], images: int = 20, joints: int = 50, early: dict | None = None) -> Outcomes:
    """A record whose trainings have these accuracies, one a seed: a share, or one for each image. `early`: behind a
    first hourglass, by training and seed."""

    def hit(shares):
        found = np.arange(joints) < np.round(np.broadcast_to(shares, images) * joints)[:, None]
        return np.where(found, 0, 40).astype(np.uint8).reshape(-1, 1)

    facts = {"run": "r", "seconds": 1.0, "date": "2026-11-29", "device": "a machine", "parameters": 1, "epochs": 1}
    made = {(n, s): (facts, {"heads": hit(share)}) for n, each in accuracies.items() for s, share in enumerate(each)}
    for name, each in (early or {}).items():
        for s, share in enumerate(each):
            made[name, s][1]["earlier"] = hit(share)[None]
    numbers = {"lighter": asdict(TOY) | {"stack_divisor": 2}, "lighter_training": {"epochs": 3}}
    return outcomes("lighter", made, np.repeat(np.arange(images), joints), [9, 9, 9], head=True, numbers=numbers)


def took(seconds: dict[str, tuple[float, ...]], batch: int = 6, loading: float = 0.1) -> Times:
    """Times whose training steps take these seconds in each turn."""
    held = {
        name: Timed(name, batch, turns, (loading,) * len(turns), turns, 10, 1.0, 1.0) for name, turns in seconds.items()
    }
    return Times("a machine", 1, 256, len(next(iter(seconds.values()))), held)


def rows(trained: Outcomes | None, times: Times | None, **others):
    """The ledger's rows for L1 to L15 on a sweep and times."""
    parts = dict(zip(speed.PARTS, (times, others.get("large"), others.get("precision")), strict=True))
    return {row.id: row for row in judge_lighter(Recorded(trained, parts))}


BASE = [0.60, 0.62, 0.64, 0.60, 0.62]
LESS, MORE = (
    [v + sign * step for v, step in zip(BASE, (0.04, 0.05, 0.04, 0.03, 0.04), strict=True)] for sign in (-1, 1)
)
ALIKE = [v + step for v, step in zip(BASE, (0.001, -0.001, 0, 0.001, -0.001), strict=True)]
POOR = [v - 0.3 - 0.01 * n for n, v in enumerate(BASE)]
TURNS = np.random.default_rng(0).normal(1, 0.02, 12)  # of a machine that isn't quite even


@pytest.mark.parametrize(
    ("claim", "accuracies", "expected"),
    [
        ("L3", {"stacks-6-inner-64-modules-4": LESS, "newell": BASE}, "holds"),
        ("L3", {"stacks-6-inner-64-modules-4": BASE, "newell": BASE}, "undecided"),  # not one keypoint differs
        ("L3", {"stacks-6-inner-64-modules-4": LESS[:4], "newell": BASE}, "needs"),  # four paired seeds
        ("L3", {"stacks-6-inner-64-modules-4": LESS, "newell": BASE, "newell-2": BASE[::-1]}, "needs"),  # the control
        ("L4", {"inner-64-layer-norm": LESS, "inner-64": BASE, "newell": BASE}, "holds"),
        ("L5", {"inner-64-depths-falling": MORE, "inner-64-depths-rising": BASE, "newell": BASE}, "holds"),
        ("L10", {"depths-rising": LESS, "depths-falling": LESS, "newell": BASE}, "holds"),
        ("L11", {"newell": BASE, "newell-batch-6": MORE}, "fails"),
        ("L12", {"blocks-2": LESS, "newell": BASE}, "holds"),
        ("L13", {"stacks-6-long": ALIKE, "blocks-4-long": ALIKE, "newell-long": BASE, "newell": BASE}, "holds"),
    ],
)
def test_claims_about_accuracy(claim, accuracies, expected):
    row = rows(made_up({"newell-2": POOR} | accuracies, joints=1000), None)[claim]
    assert row.verdict == expected, row
    if expected == "needs":
        lacking = len(accuracies.get("stacks-6-inner-64-modules-4", ()))
        wanted = (
            f"5 seeds, {lacking} are there: `make lighter SEEDS=5`" if lacking < 5 else "eight hourglasses must beat"
        )
        assert wanted in row.reason


def timed(**factors: float) -> Times:
    """Twelve turns in which networks take so many seconds, give or take what the machine does in a turn."""
    rng = np.random.default_rng(1)
    return took({
        name.replace("_", "-"): tuple(of * TURNS * rng.normal(1, 0.01, 12)) for name, of in factors.items()
    })  # fmt: skip


def test_claims_about_speed():
    trained = {"newell-2": POOR, "inner-64": LESS, "stacks-6": ALIKE, "blocks-4": MORE, "newell": BASE}
    both = made_up(trained, joints=1000)
    times = timed(newell=3, inner_64=1.5, stacks_6=1.5, blocks_4=4.5, depths_rising=3, depths_falling=2.9)
    found = rows(both, times)
    assert [found[c].verdict for c in ("L1", "L2", "L6", "L14", "L15")] == ["holds", "holds", "fails", "fails", "holds"]
    assert re.fullmatch(r"−4\.0 .*points; time 0\.50 \(.*\(training\); time .*\(with loading\)", found["L1"].measured)
    # Six hourglasses are faster, but without the accuracy of eight.
    assert rows(made_up(trained | {"stacks-6": LESS}, joints=1000), times)["L2"].verdict == "fails"
    assert rows(both, timed(newell=1.5, inner_64=3))["L1"].verdict == "fails"
    few = took({name: (3.0, 3.1, 2.9) for name in ("newell", "inner-64")})
    assert "times of `inner-64` in 10 turns, 3 are there" in rows(both, few)["L1"].reason
    assert "in 10 turns, 0 are there" in rows(both, timed(newell=3))["L1"].reason
    slow = timed(newell=3, depths_rising=3, depths_falling=2)
    assert rows(None, slow)["L15"].verdict == "fails", "a third of the time is no little"


def test_a_larger_batch_is_compared_by_the_person():
    small = took({"newell": tuple(3 * TURNS)}, 6)
    quick, slow = (took({"newell": tuple(of * TURNS[::-1])}, 20, loading=0.3) for of in (7, 12))
    told = [rows(None, small, large=large)["L7"].verdict for large in (quick, slow, None)]
    assert told == ["holds", "fails", "needs"]


def test_fluctuations_are_those_of_the_loss():
    """L8: with Adam a loss that jumps at the small batch and falls evenly at the large one."""
    made = made_up({"newell-adam": BASE, "newell-adam-batch-6": BASE}, joints=100)
    rng, even = np.random.default_rng(2), np.exp(-0.01 * np.arange(300))
    for one in made.all:
        wild = 0.3 if one.name == "newell-adam-batch-6" else 0.05
        one.columns["steps/train_loss"] = even * np.exp(wild * rng.standard_normal(300))
    quicker = timed(newell=3, newell_adam=4)
    assert on_lighter.jumps(even, 20) == pytest.approx(0, abs=1e-12), "a steady fall is no fluctuation"
    persons = np.exp(0.2 * rng.standard_normal(60 * 400))  # losses of persons that no training changes
    by_batch = [on_lighter.jumps(persons.reshape(-1, batch).mean(1), batch) for batch in (20, 6)]
    assert by_batch[0] == pytest.approx(by_batch[1], rel=1e-9), "a mean over fewer persons is no fluctuation"
    assert on_lighter.fluctuation(Recorded(made, {speed.PARTS[0]: quicker}))["jumps"].high < 0
    assert rows(made, quicker)["L8"].verdict == "holds"
    assert rows(made, timed(newell=4, newell_adam=3))["L8"].verdict == "fails"


def test_two_blocks_weigh_more_and_it_is_said():
    row = rows(made_up({"newell-2": POOR, "blocks-2": LESS, "newell": BASE}), timed(newell=3, blocks_2=4))["L12"]
    assert "M parameters against" in row.measured


def test_times_of_other_turns_are_compared_as_welch_does():
    first, second = np.array([1.0, 1.3, 1.2, 1.4]), np.array([1.0, 1.0, 1.1, 1.0])
    test = stats.ttest_ind(np.log(first), np.log(second), equal_var=False)
    assert on_lighter.unpaired(first, second).low == pytest.approx(test.confidence_interval().low)


def test_a_difference_is_of_pairs():
    """Images on which both do the same add nothing to a difference, whatever the level."""
    rng = np.random.default_rng(3)
    level = rng.uniform(0.2, 0.8, (5, 20))
    gap = rng.normal(0.1, 0.01, (5, 20))
    made = made_up({"newell": list(level), "inner-64": list(level - gap)}, joints=1000)
    found, alone = on_lighter.gain(made, "inner-64", "newell"), on_lighter.accuracy(made, "newell")
    assert found.value == pytest.approx(-gap.mean(), abs=1e-3) and found.error < 0.1 * alone.error
    assert (found.seeds, found.photographs) == (5, 20)
    assert not on_lighter.gain(made, "inner-64", "blocks-4").known


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=9))
def test_the_front_against_its_definition(points):
    costs, gains = (np.array(column, float) for column in zip(*points, strict=True))

    def beaten(i: int) -> bool:
        return any(
            costs[j] <= costs[i] and gains[j] >= gains[i] and (costs[j], gains[j]) != (costs[i], gains[i])
            for j in range(len(costs))
        )

    assert fronts.front(costs, gains).tolist() == [not beaten(i) for i in range(len(costs))]
    assert not fronts.front(costs, gains * np.nan).any(), "what was not trained is on none"


# --- Pareto fronts under other seeds and images


STEADY = [0.5, 0.5]


def placed(accuracies: dict[str, list[float]], seconds: dict[str, float]):
    """(sweep, points) of networks with these accuracies by seed and these seconds a step."""
    made = made_up(accuracies)
    return made, fronts.points(made, took({name: (s, s) for name, s in seconds.items()}))


@pytest.mark.parametrize(
    ("dearer", "chance"),
    [
        ([0.6, 0.6], 1.0),
        ([0.4, 0.4], 0.0),
        ([0.5, 0.5], 0.0),  # as accurate and dearer
        ([0.4, 0.6], 0.25),  # both draws must be the better of two seeds
    ],
)
def test_chances_by_hand(dearer, chance):
    made, points = placed({"newell-2": STEADY, "newell": dearer}, {"newell-2": 1.0, "newell": 2.0})
    found = fronts.chances(made, points, 2000)
    assert found.loc["newell", "training"] == pytest.approx(chance, abs=0.03)
    assert found.loc["newell-2", "training"] == 1, "nothing is cheaper"


def test_images_are_drawn_for_all_networks_alike():
    """One is better on every image by the same: no draw of images turns that round, however much images differ."""
    base = np.random.default_rng(0).integers(0, 40, 20)
    made = made_up({"newell-2": [base / 50], "newell": [(base + 1) / 50]})
    shares = {o.name: o.by_image.sum() / 1000 for o in made.all}
    points = fronts.points(made, took({"newell-2": (1.0, 1.0), "newell": (2.0, 2.0)}))
    assert shares["newell"] > shares["newell-2"] and fronts.chances(made, points, 2000).loc["newell", "training"] == 1


def test_a_place_is_held_against_the_best_that_is_no_dearer():
    levels = {"newell": 0.6, "inner-64": 0.5, "separable": 0.54, "newell-2": 0.3, "shared": 0.2}
    made, points = placed(
        {name: [value] * 5 for name, value in levels.items()},
        {"newell": 4.0, "inner-64": 2.0, "separable": 3.0, "newell-2": 1.0, "shared": 1.5},
    )
    found = {p.case: p for p in fronts.places(made, points, 200) if p.cost == "training"}
    assert set(found) == {"separable", "newell-2", "shared"}, "the report's networks are not ours"
    assert found["separable"].rival == "inner-64" and found["separable"].gap.value == pytest.approx(0.04)
    assert (found["separable"].share, found["separable"].verdict) == (0.75, "on it")
    assert found["newell-2"].rival is None and found["newell-2"].verdict == "cheapest"
    assert found["shared"].rival == "newell-2" and found["shared"].verdict == "behind it"
    made, points = placed(
        {"newell": [0.6], "newell-2": [0.3], "shared": [0.2]}, {"newell": 4, "newell-2": 1, "shared": 2}
    )
    few = {p.case: p.verdict for p in fronts.places(made, points, 200) if p.cost == "training"}
    assert few == {"newell-2": "cheapest", "shared": "open, one seed"}


def test_costs_are_shares_within_turns():
    """A machine twice as slow in one turn changes no share; another optimiser is no network of its own."""
    seconds = {"newell": (2.0, 4.0, 2.0), "newell-2": (1.0, 2.0, 0.25), "newell-adam": (9.0, 9.0, 9.0)}
    points = fronts.points(None, took(seconds))
    assert dict(zip(points.case, points.training, strict=True)) == pytest.approx(
        {"newell": 1, "newell-2": (1 / 32) ** (1 / 3)}
    )


def test_reading_early_is_paired_by_seed_and_image():
    levels = {"newell": [0.5] * 3, "newell-2": [0.4, 0.42, 0.5]}
    made = made_up(levels, early={"newell": [0.30, 0.35, 0.40]}, joints=100)
    found = fronts.early(made, "newell", "newell-2", 1)
    assert (found.value, found.seeds) == (pytest.approx(-0.09), 3)
    plate = ch06.exits(made)
    assert isinstance(plate, Plate) and "number 1 −9.0 (" in plate.caption and "luck" not in plate.caption
    shares, base = np.arange(20) / 100, np.random.default_rng(0).integers(0, 80, 20) / 100
    alone = made_up(
        {"newell": [0.3], "newell-2": [base], "stacks-6": [0.2]}, early={"newell": [base + shares]}, joints=100
    )
    low, high = stats.t.interval(0.95, 19, shares.mean(), stats.sem(shares))
    found = fronts.early(alone, "newell", "newell-2", 1)
    assert (found.value, found.low, found.high) == pytest.approx((shares.mean(), low, high))
    assert "don't even rise" in ch06.exits(alone).caption
    assert fronts.early(alone, "newell", "newell-4", 1) is None


def test_accuracies_stand_in_the_table_with_their_intervals():
    made = made_up({"newell": [0.40, 0.44, 0.48, 0.42, 0.46]})
    assert ch06.row("newell", None, made)[-1] == "44.0 (40.1 to 47.9), 5 seeds"
    assert ch06.row("inner-64", None, made)[-1] == ch06.DASH


def test_a_row_has_the_times_of_its_own_network_and_training():
    times = took({"newell": (6.0, 6.0), "newell-adam": (12.0, 12.0), "stacks-6": (3.0, 3.0)})
    names = ("newell-long", "newell-batch-6", "newell-adam-batch-6", "stacks-6-long", "newell-bf16", "dropout")
    assert [ch06.row(n, times, None)[3] for n in names] == ["1,000", "1,000", "2,000", "500", ch06.DASH, ch06.DASH]


# --- figures


def test_bottlenecks_say_what_they_cost():
    plate = ch06.bottlenecks(("newell", "inner-64"))
    assert isinstance(plate, Plate) and "0.33 of the original" in plate.alt


def test_stacks_have_the_sizes_of_their_depths():
    assert ch06.sizes("depths-rising", 128) == [(32, 8)] * 3 + [(32, 4)] * 3 + [(32, 2)] * 2
    assert len(ch06.sizes("shared", 128)) == 8


def test_a_page_without_a_sweep_says_so():
    times = took({n: (1.0, 1.1, 1.2) for n in ("newell", "inner-64", "stacks-6", "blocks-4")})
    points = fronts.points(None, times)
    assert isinstance(ch06.tradeoff(points, times, None), Note) and isinstance(ch06.exits(None), Note)
    assert "No sweep" in ch06.trained_at(None) and ch06.live(points, None) is None
    cells = ch06.row("newell", times, None)
    assert cells[:3] == ["18", "83.18", "1.2"], "the report's numbers stand there all the same"
    assert cells[-1] == ch06.DASH
    assert all(row.verdict == "needs" for row in rows(None, times).values())


def test_every_trained_network_answers_in_the_interactive_part():
    times = took({n: (1.0 + i, 1.1 + i) for i, n in enumerate(("newell-2", "inner-64", "newell"))})
    made = made_up({"newell": [0.5], "newell-2": [0.4], "inner-64": [0.3]})
    points = fronts.points(made, times)
    data = ch06.live(points, made).data
    bare = [name.partition(" · ")[2] or name for name in data["names"]]  # without the figure's letters
    assert bare == [networks.get(n).title for n in times.cases] and data["names"][2].startswith("A · ")
    (x, y), axes = data["points"][1], data["axes"]
    share = np.sqrt(2 / 3 * 2.1 / 3.1)
    assert axes[0]["low"] + x * (axes[0]["high"] - axes[0]["low"]) == pytest.approx(share, abs=1e-3)
    assert axes[1]["low"] + y * (axes[1]["high"] - axes[1]["low"]) == pytest.approx(30, abs=0.01)
    on = dict(zip(times.cases, data["facts"], strict=True))
    assert "on the front" in on["newell"] and "on the front of training" in on["newell-2"]
    assert "front of training" not in on["inner-64"], "two of Newell's are faster and better"
    assert isinstance(ch06.tradeoff(points, times, made), Plate)
