"""Figures of chapter 04: what changed for whom, and what several seeds say of it."""

import re

import made_up
import matplotlib
import numpy as np
import pytest
import torch

from figures import controls
from figures.improvement import Changes, gains, helped_and_hurt
from figures.page import Note, Plate, Table
from hgnb.claims.evidence import Chains, each_dataset
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig
from hgnb.training.networks import ARMS
from hgnb.training.passes import Predictions

matplotlib.use("agg")
SCHEMA = KeypointSchema(("nose", "left_hip", "right_hip"), ((1, 2),))


def split_of(visibility: np.ndarray) -> PreparedSplit:
    """Persons on grey crops of 40 px, whose keypoints all lie in the middle; two of them share each image."""
    n = len(visibility)
    keypoints = np.full((n, 3, 3), 20.0, np.float32)
    keypoints[..., 2] = visibility
    ids = np.arange(n)
    empty = np.full(n, "")
    return PreparedSplit(
        "test",
        np.full((n, 40, 40, 3), 90, np.uint8),
        keypoints,
        np.tile((0, 0, 40), (n, 1)),
        ids,
        ids // 2,
        empty,
        empty,
    )


def predicted(split: PreparedSplit, hits: np.ndarray) -> Predictions:
    """Points that hit the middle of a map of 10 where they should, and lie in its corner elsewhere."""
    true = torch.full((len(split), 3, 2), 5)
    points = torch.where(torch.from_numpy(hits)[..., None], true, torch.zeros_like(true))
    return Predictions(points, torch.ones(len(split), 3), true, torch.from_numpy(split.visibility), 10)


@pytest.fixture
def changes() -> Changes:
    """Six persons: two gain, one of them more; two lose alike, one with more labels; one stays; one has no label."""
    visibility = np.array([[2, 2, 2], [2, 1, 2], [2, 2, 2], [2, 2, 0], [2, 2, 2], [0, 0, 0]])
    before = np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1], [1, 1, 0], [1, 0, 1], [0, 0, 0]], bool)
    after = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
    split = split_of(visibility)
    return Changes(split, SCHEMA, PckConfig(radius=0.5), predicted(split, before), predicted(split, after))


def test_who_is_shown_follows_the_rule(changes):
    assert changes.most(0)["helped"].tolist() == [0, 1]
    assert changes.most(0)["hurt"].tolist() == [2, 3]  # both lose one; the second has more labelled keypoints
    assert changes.most(0, count=1)["hurt"].tolist() == [2]
    assert all(changes.most(seed)["hurt"].tolist() == [2, 3] for seed in range(5)), "only ties are left to the lot"


def test_gains_by_keypoint_count_labelled_ones(changes):
    rows = changes.by_keypoint()
    # the right hip is labelled on four persons; the fourth person's hit there is no hit
    assert [row[:2] for row in rows] == [pytest.approx(p) for p in ((4 / 5, 4 / 5), (2 / 5, 3 / 5), (3 / 4, 3 / 4))]
    assert [row[2].value for row in rows] == pytest.approx([0, 1 / 5, 0])
    assert all(row[2].low <= row[2].value <= row[2].high for row in rows)


def test_the_figures_state_what_they_show(changes):
    plate = gains(changes)
    assert "left hip moves most, by 0.200" in plate.alt
    shown = helped_and_hurt(changes, 0)
    assert len(shown.figure.axes) == 2 * 3 * 2, "below each other: two who gained, two who lost"
    assert "The 2 test persons who gained" in shown.caption and "2 of 6 persons gain keypoints, 2 lose" in shown.alt
    assert shown.figure.axes[2 * 2].get_xlabel() == "0 → 2 of 3"
    for words in (plate, shown):
        assert any(mime.startswith("image/") for mime in words._repr_mimebundle_()[0])


def test_nobody_changed():
    split = split_of(np.full((4, 3), 2))
    made = predicted(split, np.ones((4, 3), bool))
    same = Changes(split, SCHEMA, PckConfig(), made, made)
    assert isinstance(helped_and_hurt(same, 0), Plate) and "0 of 3 keypoints gain" in gains(same).alt


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
        (0.05, 0.05, 5, "is not borne out"),
        (0.0, 0.0, 5, "no clear gain to explain here"),
        (-0.05, 0.0, 5, "no gain to explain here"),
        (0.06, 0.01, 4, "Undecided: 4 seeds"),
    ],
)
def test_the_verdict_follows_the_rule(gain, longer, count, words):
    shifted = [longer - noise / 2 for noise in NOISE][:count]
    record = record_of([gain + noise for noise in NOISE][:count], shifted)
    told = controls.explanation([record]).text
    assert words in told.split("**")[1], told


def test_the_paragraph_names_shares_and_checkpoints():
    told = controls.explanation([record_of([0.04] * 5, [0.03] * 5)]).text
    assert "longer training alone comes to 75 % of the gain" in told
    assert re.search(r"The difference between the two is 0\.010 \(0\.00\d to 0\.01\d\)", told)
    assert "in 0 of 5 seeds both are one epoch" in told
    assert "5 of 5 seeds the original was at its best in its last epoch" in told
    assert "last epoch" not in controls.explanation([record_of([0.04] * 5, [0.03] * 5, (2, 2))]).text
    assert (
        "fell on one epoch in every seed: nothing"
        in controls.explanation([record_of([0.04] * 5, [0.03] * 5, (3, 3))]).text
    )


def test_seeds_are_drawn_and_listed():
    record = record_of([0.05 + n for n in NOISE], [0.02] * 5)
    spread, differences = controls.spread([record]), controls.differences([record], {"modified": 0.03}, "embedded")
    assert len(spread.figure.axes[0].lines) == 5 * 5
    assert "5 of 5 seeds start below the original's best and 5 end above" in spread.alt
    assert [t.get_text() for t in differences.figure.axes[0].get_yticklabels()][4] == "modified − trained on"
    assert "hollow diamond" in differences.caption and "tiny on embedded, 5 seeds, 2026-01-02" in differences.caption
    table = controls.arms_table([record])
    assert isinstance(table, Table) and len(table.rows) == len(ARMS)
    assert table.rows["Test PCK"][1] == "0.450 (0.446 to 0.454)"
    for plate in (spread, differences):
        assert any(mime.startswith("image/") for mime in plate._repr_mimebundle_()[0])


def test_two_datasets_stand_side_by_side():
    both = [
        record_of([0.06 + n for n in NOISE], [0.01] * 5),
        record_of([0.02] * 5, [0.08 + n for n in NOISE], data="b"),
    ]
    spread, differences = controls.spread(both), controls.differences(both, {"modified": 0.03}, "b")
    assert [ax.get_title() for ax in spread.figure.axes] == ["tiny on embedded", "tiny on b"]
    hollow = [sum(line.get_markerfacecolor() == "white" for line in ax.lines) for ax in differences.figure.axes]
    assert hollow == [0, 1], "the live run stands beside the record of its own data"
    assert "hollow diamond" not in controls.differences(both, {"modified": 0.03}, "another").caption
    assert "Tiny on b: Training on" in differences.alt and "Tiny on b: With the autoencoder" in spread.alt
    rows = controls.arms_table(both).rows
    assert list(rows.columns[2:]) == [
        f"{split} PCK, tiny on {data}" for data in ("embedded", "b") for split in ("Validation", "Test")
    ]
    told = controls.explanation(both).text.split("\n\n")
    assert "explanation survives" in told[0] and told[1].startswith("Tiny on b: **") and "does not survive" in told[1]
    twice = [*both, record_of([0.0] * 5, [0.0] * 5, data="b")]
    assert each_dataset(twice) == both


def test_without_a_record_the_page_says_what_makes_one():
    assert "make claims" in controls.spread([]).caption and "make claims" in controls.differences([]).alt
    for note in (controls.arms_table([]), controls.explanation([]), controls.about([])):
        assert isinstance(note, Note) and "make claims" in note.text
