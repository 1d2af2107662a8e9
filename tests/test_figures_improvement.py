"""Figures of chapter 04: what changed for whom, and what several seeds say of it."""

import re
from dataclasses import replace

import made_up
import matplotlib
import numpy as np
import pytest
import torch
from test_explain import SIDE, persons

from figures import ch04
from figures.chains import Chains
from figures.page import Plate
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig
from hgnb.records import each_dataset
from hgnb.training.networks import ARMS
from hgnb.training.passes import Predictions

matplotlib.use("agg")
SCHEMA = KeypointSchema(("nose", "left_hip", "right_hip"), ((1, 2),))
# Six persons: two gain, one of them more; two lose alike, one with more labels; one stays; one has no label.
VISIBILITY = np.array([[2, 2, 2], [2, 1, 2], [2, 2, 2], [2, 2, 0], [2, 2, 2], [0, 0, 0]])
BEFORE = np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1], [1, 1, 0], [1, 0, 1], [0, 0, 0]], bool)
AFTER = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], bool)


def split_of(visibility: np.ndarray) -> PreparedSplit:
    """Persons whose keypoints all lie in the middle of their crops; two of them share each image."""
    keypoints = np.dstack([np.full((len(visibility), 3, 2), SIDE / 2), visibility])
    return replace(persons(keypoints, np.arange(len(visibility)) // 2), name="test")


def predicted(split: PreparedSplit, hits: np.ndarray) -> Predictions:
    """Points that hit the middle of a map of 10 where they should, and lie in its corner elsewhere."""
    true = torch.full((len(split), 3, 2), 5)
    points = torch.where(torch.from_numpy(hits)[..., None], true, torch.zeros_like(true))
    return Predictions(points, torch.ones(len(split), 3), true, torch.from_numpy(split.visibility), 10)


def test_who_is_shown_follows_the_rule():
    change, labelled = np.array([2, 1, -1, -1, 0, 0]), np.array([3, 3, 3, 2, 3, 0])
    for seed in range(5):  # only ties are left to the lot: of two who lose one, the second has fewer labels
        chosen = ch04.most_changed(change, labelled, seed)
        assert chosen["helped"].tolist() == [0, 1] and chosen["hurt"].tolist() == [2, 3]
    assert ch04.most_changed(change, labelled, 0, count=1)["hurt"].tolist() == [2]


def test_the_persons_shown_are_those_who_changed():
    split = split_of(VISIBILITY)
    made = [predicted(split, hits) for hits in (BEFORE, AFTER)]
    shown = ch04.helped_and_hurt(split, SCHEMA, PckConfig(radius=0.5), made, 0)
    assert len(shown.figure.axes) == 2 * 3 * 2, "below each other: two who gained, two who lost"
    assert "The 2 test persons who gained" in shown.caption and "2 of 6 persons gain keypoints, 2 lose" in shown.alt
    assert shown.figure.axes[2 * 2].get_xlabel() == "0 → 2 of 3"
    assert any(mime.startswith("image/") for mime in shown._repr_mimebundle_()[0])
    same = ch04.helped_and_hurt(split, SCHEMA, PckConfig(), made[:1] * 2, 0)
    assert isinstance(same, Plate) and "No person gained or lost" in same.alt


# Several seeds


def record_of(gain: list[float], longer: list[float], epochs=(3, 2), data="embedded") -> Chains:
    """Made-up seeds: how much the modified network and the one without gain over an original at 0.4."""
    seeds = [
        {name: 0.4 for name in ARMS}
        | {"modified": 0.4 + g, "modified-best-loss": 0.4 + g, "control-longer": 0.4 + w, "longer-best-loss": 0.4 + w}
        for g, w in zip(gain, longer, strict=True)
    ]
    return Chains(made_up.chain(seeds, data=data, best=dict(zip(("val_pck", "val_loss"), epochs, strict=True))))


NOISE = [0.0, 0.004, -0.004, 0.002, -0.002]


@pytest.mark.parametrize(
    ("gain", "longer", "count", "words"),
    [
        (0.06, 0.01, 5, "explanation survives"),
        (0.03, 0.09, 5, "does not survive"),
        (0.05, 0.05, 5, "neither borne out nor refuted"),
        (0.06, 0.01, 4, "not judged: that takes 5 trained networks"),
    ],
)
def test_the_verdict_is_the_ledgers(gain, longer, count, words):
    shifted = [longer - noise / 2 for noise in NOISE][:count]
    record = record_of([gain + noise for noise in NOISE][:count], shifted)
    told = ch04.explanation([record]).text
    assert words in told.split("**")[1] and words in ch04.causes([record]), told


def test_the_paragraph_names_what_would_have_been_found_and_checkpoints():
    small = ch04.explanation([record_of([0.002 + noise for noise in NOISE], [0.001 - noise for noise in NOISE])]).text
    assert re.search(r"0\.0\d+ would have been found with 80 % power and the whole gain is 0\.0020\.\*\*", small)
    told = ch04.explanation([record_of([0.04] * 5, [0.03] * 5)]).text
    assert re.search(r"The difference between the two is 0\.010 \(0\.00\d to 0\.01\d\)", told)
    assert "in 0 of 5 seeds both are one epoch" in told
    assert "5 of 5 seeds the original was at its best in its last epoch" in told
    assert "last epoch" not in ch04.explanation([record_of([0.04] * 5, [0.03] * 5, (2, 2))]).text
    same = ch04.explanation([record_of([0.04] * 5, [0.03] * 5, (3, 3))]).text
    assert "fell on one epoch in every seed: nothing" in same


def test_what_fewer_seeds_say_is_marked():
    levels = {name: 0.4 for name in ARMS} | {"modified": 0.44}
    few = {name: levels[name] for name in ("hourglass", "hourglass-best-loss", "modified", "control-longer")}
    record = Chains(made_up.chain([levels, *[few] * 4], best={"val_pck": 3, "val_loss": 2}))
    told = ch04.explanation([record]).text
    assert re.search(r"isn't judged against one frozen at random weights: 0\.0\d+ .* in 1 of 5 seeds, too few", told)
    large = [x for x in ch04.differences([record], 0, "tiny", "other").figure.axes[0].lines if x.get_markersize() == 6]
    faces = [line.get_markerfacecolor() == "white" for line in large if line.get_marker() == "o"]
    assert faces == [False, False, True, True, False, True, True, False, True, True]


def test_two_datasets_stand_side_by_side():
    both = [
        record_of([0.06 + n for n in NOISE], [0.01] * 5),
        record_of([0.02] * 5, [0.08 + n for n in NOISE], data="b"),
    ]
    spread, differences = ch04.spread(both), ch04.differences(both, 0.03, "tiny", "b")
    assert [ax.get_title() for ax in spread.figure.axes] == ["tiny on embedded", "tiny on b"]
    lines = [line for line in spread.figure.axes[0].lines if len(line.get_xdata()) > 2]
    assert len(lines) == 4 * (5 + 1) and np.allclose(lines[0].get_ydata(), [0, -0.3, -0.2, 0.06])
    assert "Tiny on b: With the autoencoder 5 of 5 seeds start below the original's best and 5 end above" in spread.alt
    hollow = [sum(line.get_markerfacecolor() == "white" for line in ax.lines) for ax in differences.figure.axes]
    assert hollow == [0, 1], "the live run stands beside the record of its own data"
    assert "hollow diamond" in differences.caption and "tiny on embedded, 5 seeds, 2026-01-02" in differences.caption
    assert "hollow diamond" not in ch04.differences(both, 0.03, "smoke", "b").caption
    assert "Tiny on b: Training on" in differences.alt
    told = ch04.explanation(both).text.split("\n\n")
    assert "explanation survives" in told[0] and told[1].startswith("Tiny on b: **") and "does not survive" in told[1]
    assert each_dataset([*both, record_of([0.0] * 5, [0.0] * 5, data="b")]) == both
    assert ch04.ranged(np.array([0.4, np.nan])) == "0.400, 1 of 2 seeds"
    assert ch04.ranged(np.array([0.446, 0.454, np.nan])) == "0.450 (0.446 to 0.454), 2 of 3 seeds"


def test_without_a_record_the_page_says_what_makes_one():
    assert all("make claims" in plate.alt for plate in (ch04.spread([]), ch04.differences([], 0.0, "", "")))
    assert "make claims" in ch04.explanation([]).text and "make claims" in ch04.causes([])
