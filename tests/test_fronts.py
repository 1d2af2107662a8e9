"""Pareto fronts under other seeds and images, by hand-made cases; which recorded sweep a page shows."""

import numpy as np
import pytest
from scipy import stats
from test_lighter import made_up, took

from figures import ch06, fronts
from figures.page import Plate
from hgnb.claims import on_lighter

STEADY = [0.5, 0.5]


def placed(accuracies: dict[str, list[float]], seconds: dict[str, float]):
    """(sweep, points) of networks with these accuracies by seed and these seconds a step."""
    made = made_up(accuracies)
    return made, fronts.points(made, took({name: (s, s) for name, s in seconds.items()}))


def test_an_accuracy_has_students_interval_over_seeds():
    """All images alike leave the seeds as the only error."""
    values = [0.40, 0.44, 0.48, 0.42, 0.46]
    found = on_lighter.accuracy(made_up({"newell": values}), "newell")
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((np.mean(values), low, high))


def test_an_accuracy_has_the_images_error_too():
    """One seed, half of the images all found and half none: the standard error of a share of 20."""
    found = on_lighter.accuracy(made_up({"newell": [(1, 0) * 10]}), "newell")
    assert found.value == 0.5 and found.error == pytest.approx(np.sqrt(0.25 / 19))


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
    assert found["newell-2"].rival is None and found["newell-2"].verdict == "on it"
    assert found["shared"].rival == "newell-2" and found["shared"].verdict == "behind it"


def test_reading_early_is_paired_by_seed():
    levels = {"newell": [0.5] * 3, "newell-2": [0.4, 0.42, 0.5]}
    made = made_up(levels, early={"newell": [0.30, 0.35, 0.40]}, joints=100)
    gaps = np.array([-0.10, -0.07, -0.10])
    low, high = stats.t.interval(0.95, 2, gaps.mean(), stats.sem(gaps))
    found = fronts.early(made, "newell", "newell-2", 1)
    assert (found.value, found.low, found.high) == pytest.approx((gaps.mean(), low, high))
    plate = ch06.exits(made)
    assert isinstance(plate, Plate) and "number 1 −9.0 (" in plate.caption


def test_accuracies_stand_in_the_table_with_their_intervals():
    made = made_up({"newell": [0.40, 0.44, 0.48, 0.42, 0.46]})
    assert ch06.row("newell", None, made)[-1] == "44.0 (40.1 to 47.9), 5 seeds"
    assert ch06.row("inner-64", None, made)[-1] == ch06.DASH
