"""Latents steered, probed and compared, on networks and numbers whose answer is known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_explain import persons

from figures import ch08
from hgnb import records
from hgnb.analysis import depths, steering
from hgnb.analysis.distances import centroids
from hgnb.claims import steered
from hgnb.claims.evidence import Seeds, Seen
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig

JOINTS = ("shoulder", "hip", "knee", "ankle")
SCHEMA = KeypointSchema(tuple(f"{side}_{joint}" for joint in JOINTS for side in ("left", "right")), ())
STANDING = np.array([[26, 10], [38, 10], [28, 26], [36, 26], [28, 40], [36, 40], [28, 56], [36, 56]], float)
RAISED = np.array([[0, 0], [0, 0], [0, 0], [0, 0], [0, -7], [0, -7], [0, 0], [0, 0]], float)  # the knees: thighs level


class Puppet(torch.nn.Module):
    """Draws a standing person whose knees rise by the first of three latents; the others do nothing."""

    def encode(self, x):
        return x.mean((2, 3))[:, :, None, None], [x]

    def decode(self, latents, branches, skips):
        return latents

    def maps(self, latents):
        at = torch.tensor(STANDING) + latents[:, 0, 0, 0, None, None] * torch.tensor(RAISED)
        grid = torch.arange(64.0)
        near = [(grid - at[:, :, axis, None]) ** 2 for axis in (0, 1)]
        return torch.exp(-(near[0][:, :, None, :] + near[1][:, :, :, None]) / 8).float()


@pytest.fixture
def reader():
    puppet = Puppet()
    network = SimpleNamespace(stem=lambda x: x, hourglasses=[puppet], heads=[lambda x: (x, puppet.maps(x))])
    return SimpleNamespace(network=network, device="cpu", batch=4, mean_rgb=torch.zeros(3))


@pytest.fixture
def six():
    """Persons who stand, on black."""
    return persons(np.concatenate([np.tile(STANDING, (6, 1, 1)), np.full((6, 8, 1), 2.0)], -1))


@pytest.mark.parametrize("branches", steering.BRANCHES)
def test_a_direction_that_raises_the_knees_seats_and_another_does_not(reader, six, branches):
    ways = np.array([[0.5, 0, 0], [0, 0.5, 0.5]])
    scores, found = steering.steer(reader, six, SCHEMA, PckConfig(), "sitting", ways, branches)
    assert scores.shape == found.shape == (2, len(steering.STEPS), len(six))
    seated = steered.slopes(scores, np.array([1, 1])).mean(1)
    assert seated[0] > 0.1 and seated[1] == 0
    assert (found[1] == 8).all() and (found[0, 0] == 6).all() and (found[0, 4] == 8).all()  # four steps lose the knees


def test_confident_maps_are_counted(reader, six):
    scores, found = steering.steer(reader, six, SCHEMA, PckConfig(), "confident", np.zeros((1, 3)), "own")
    assert (scores == 8).all() and (found == 8).all()


def test_ways_by_lot_are_as_long_and_lead_from_person_to_person():
    latents = np.array([[0.0, 0, 0], [3, 0, 0], [0, 4, 0]])
    ways = steering.by_lot(np.array([0, 0, 2.0]), latents, seed=1)
    assert ways.shape == (steering.LOTS, 3) and np.allclose(np.linalg.norm(ways, axis=1), 2)
    assert (ways[:, 2] == 0).all()


def test_a_way_counts_upwards_where_the_trait_rises():
    latents = np.array([[0.0, 0], [1, 0], [2, 1], [9, 9]])
    trait = np.array([0.0, 1, 2, np.nan])  # who shows nothing has no say
    assert steering.signs(np.array([[1.0, 0], [-1, 0]]), latents, trait).tolist() == [1, -1]


def test_the_three_directions():
    latents, labels = np.array([[0.0, 0], [0, 2], [4, 0], [4, 2]]), np.array([0, 0, 1, 1])
    one, two, three = steering.directions(latents, np.array([0, 1.0]), labels, (latents, labels))
    assert (one.trait, two.trait, three.trait) == ("sitting", "motion", "confident")
    assert np.allclose(two.way, [2, 0]) and np.allclose(2 * three.way, np.diff(centroids(latents, labels), axis=0))
    assert len(steering.directions(latents, np.array([0, 1.0]), None, None)) == 1


def test_slopes_are_those_of_a_line():
    steps = np.array(steering.STEPS)
    line = 3 * steps[None, :, None] + np.array([[[5.0, -5.0]]])
    line[0, np.abs(steps) > 2] = 99  # beyond two steps nothing is asked
    assert np.allclose(steered.slopes(line, np.array([-1])), -3)


def test_at_equal_loss_the_dearer_way_goes_less_far():
    """Both change the trait by 1 a step; the second loses twice as many of 100 keypoints: 5 % after half the way."""
    steps = np.array(steering.STEPS)
    scores = np.tile(steps[None, :, None], (3, 1, 2)).astype(float)
    lost = np.array([2.5, 5.0, 0.0])[:, None] * np.abs(steps)
    found = np.repeat((100 - lost)[..., None] / 2, 2, axis=2)
    assert np.allclose(steered.at_equal_loss(scores, found, np.ones(3)), [[2, 2], [1, 1], [4, 4]])


def test_a_probe_reads_what_is_there_and_nothing_else():
    rng = np.random.default_rng(0)
    classes, images = rng.integers(0, 2, 300).astype(float), np.arange(300) // 2
    noise = rng.normal(size=(300, 40))
    told = noise + np.outer(classes, np.eye(40)[0]) * 4
    hits = [(np.sign(depths.probed(x, classes, images)) / 2 + 0.5 == classes).mean() for x in (told, noise)]
    assert hits[0] > 0.9 and 0.4 < hits[1] < 0.6
    classes[:50] = np.nan
    assert np.isnan(depths.probed(told, classes, images)[:50]).all()
    assert np.isnan(depths.probed(told, np.where(np.arange(300) < 295, 0.0, 1.0), images)).all()


def test_likeness_knows_turns_and_does_not_grow_with_dimensions():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 300))
    turned = 2 * x @ np.linalg.qr(rng.normal(size=(300, 300)))[0] + 1
    assert depths.alike(x, turned) == pytest.approx(1)
    assert abs(depths.alike(x, rng.normal(size=(80, 300)))) < 0.05  # the biased estimate says 0.79


def recorded(pull, competent=True, seeds=5):
    """Seeds whose first way changes the trait by `pull` a step, and the ways by lot by up to 1."""
    rng, steps, count = np.random.default_rng(2), np.array(steering.STEPS), 60
    labelled = np.ones((count, 8), bool)
    people = SimpleNamespace(mean_pose_hits=lambda split: ~labelled)
    made = []
    for number in range(seeds):
        slopes = np.concatenate([[pull], np.linspace(-1, 1, steering.LOTS)])[:, None, None]
        scores = slopes * steps[:, None] + rng.normal(0, 0.1, (1 + steering.LOTS, 1, count)) * steps[:, None]
        columns = {"steered/persons": np.arange(count), "test_hits": labelled & (rng.random((count, 8)) < 0.9)}
        columns["test_hits"] &= competent
        for name in steered.TRAITS:
            for branches in steering.BRANCHES:
                found = np.full(scores.shape, 8) - (np.abs(steps) > 2)[:, None]
                held = {"scores": scores, "found": found, "signs": np.ones(len(scores))}
                columns |= {f"steered/{name}/{branches}/{key}": value for key, value in held.items()}
        columns = {f"hourglass/{key}": value for key, value in columns.items()}
        made.append(Seen(people, SimpleNamespace(number=number, trainings={"hourglass": {}}, columns=columns)))
    split = persons(np.full((count, 8, 3), 2.0), np.arange(count) // 2)
    people.split = lambda name: split
    return Seeds(people, tuple(made))


@pytest.mark.parametrize(("pull", "verdict"), [(1.5, "holds"), (0.3, "fails"), (1.0, "undecided")])
def test_an_interpretation_holds_where_its_direction_beats_every_lot(pull, verdict):
    for one in steered.judged(recorded(pull)):
        assert one.verdict == verdict
        assert one.readings["own", False].change.value == pytest.approx(pull, abs=0.05)
        assert one.readings["mean", True].by_seed.shape == (5, 1 + steering.LOTS)


def test_what_knows_nothing_is_not_judged():
    assert {(one.verdict, one.reason[:34]) for one in steered.judged(recorded(1.5, competent=False))} == {
        ("needs", "a network that knows something: te")
    }
    assert all("seeds" in one.reason for one in steered.judged(recorded(1.5, seeds=3)))


def test_a_direction_that_a_record_lacks_is_named():
    seeds = recorded(1.5)
    for one in seeds.all:
        del one.seed.columns["hourglass/steered/motion/mean/signs"]
    motion = {one.direction: one for one in steered.judged(seeds)}["motion"]
    assert motion.verdict == "needs" and "`hgnb claims --keep`" in motion.reason and not motion.readings


@pytest.fixture(scope="module")
def chain():
    return ch08.recorded("drawn", "embedded")[-1]


def test_the_page_shows_a_record(chain):
    seeds = ch08.of(chain)
    verdicts = steered.judged(seeds)
    plates = [ch08.strips(verdicts), ch08.probed(seeds), ch08.likeness(seeds)]
    assert all(plate.caption and "nan" not in plate.alt for plate in plates)
    assert len(ch08.table(verdicts).rows) == 12 and "random weights" in ch08.added(seeds)
    said = ch08.survived(verdicts).text
    assert all(f"**{one.verdict}**" in said for one in verdicts) and "drawn people" in ch08.came([chain]).text


def test_the_page_says_what_a_record_lacks_and_what_makes_it(chain):
    new = ("steered", "probes", "likeness")
    old = [replace(s, columns={k: v for k, v in s.columns.items() if k.split("/")[1] not in new}) for s in chain.seeds]
    seeds = ch08.of(records.Record(chain.about, tuple(old), chain.persons))
    verdicts = steered.judged(seeds)
    said = [ch08.strips(verdicts).alt, ch08.table(verdicts).text, ch08.survived(verdicts).text]
    said += [ch08.probed(seeds).alt, ch08.added(seeds), ch08.likeness(seeds).alt, ch08.said_alike(seeds)]
    assert all("`hgnb claims --keep`" in words for words in said)
    none = [ch08.strips([]).alt, ch08.table([]).text, ch08.survived([]).text, ch08.came([]).text]
    none += [
        ch08.survivals([], []).text,
        ch08.probed(None).alt,
        ch08.added(None),
        ch08.likeness(None).alt,
        ch08.said_alike(None),
    ]
    assert all("`make claims SEEDS=5`" in words for words in none)


@pytest.mark.parametrize(
    ("low", "high", "verdict", "lesson"),
    [
        (0.1, 0.3, "holds", "the rule can be met"),
        (-0.1, 0.1, "undecided", "a way that works doesn't fail by it"),
        (-0.3, -0.1, "fails", "*fails* says nothing here"),
    ],
)
def test_what_the_rule_says_hangs_on_a_way_that_is_known_to_work(low, high, verdict, lesson):
    made = {"value": (low + high) / 2, "low": low, "high": high}
    readings = [
        {"whose": w, "equal": e, "change": made, "largest": made} for w in ("own", "mean") for e in (False, True)
    ]
    rows = [
        {"direction": d, "way": way, "verdict": verdict if way == "found" else "undecided", "readings": readings}
        for way in ch08.WAYS for d in ch08.TITLES
    ]  # fmt: skip
    held = {"rows": rows, "seeds": 5, "persons": 200, "profile": "drawn", "code": ""}
    told = ch08.controlled(held)
    assert lesson in told and told.count("of 12 readings") == 3
    assert f"clearly above the largest way by lot in {12 * (low > 0)} of 12" in told
    table = ch08.controls(held)
    assert len(table.rows) == 9 and "Stale" in table.caption and "benchmarks/steered.py" in ch08.controls({}).text
