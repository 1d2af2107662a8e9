"""Tables as the book prints them, and the networks of fig-later from a record whose numbers are known."""

import made_up
import numpy as np
import pandas as pd
import pytest

from figures import controls, future
from figures.page import Table
from hgnb import records
from hgnb.claims import evidence
from hgnb.training import networks


def test_numbers_stand_flush_right_and_intervals_unbroken():
    rows = pd.DataFrame({
        "of": ["1", "2"], "persons": ["1,900", "–"], "share": ["71.0 %", "−3 %"], "PCK": ["0.5 (0.4 to 0.6)", "–"],
        "network": ["8 stacks", "3"],
    })  # fmt: skip
    lines = Table(rows, "Some.", "tbl-some").markdown().splitlines()
    head = lines.index("| of | persons | share | PCK | network |")
    assert lines[head + 1] == "| --- | --: | --: | --- | --- |"
    assert any("0.5 (0.4\u00a0to\u00a00.6)" in line for line in lines)
    assert "| --- | --: | --: | --: | --: |" in Table(rows.iloc[:0], "None.", "tbl-none").markdown()


@pytest.fixture
def recorded(house):
    """Two records of the same data: the better model's with more seeds, and one that has the later networks."""
    rng = np.random.default_rng(0)
    for profile, seeds in (("better", 6), ("small", 5)):
        held = []
        for seed in range(seeds):
            levels = 0.2 + 0.01 * rng.normal(size=3)
            arms = dict(zip(("hourglass", "control-longer", "modified"), map(float, levels), strict=True))
            later = {one.name: 0.1 + 0.01 * seed for one in networks.LATER} if profile == "small" else {}
            held.append(arms | later)
        made_up.save(made_up.chain(held, profile))
    return evidence.beside("tiny", "embedded")


def test_the_thesis_stands_before_the_better_model(recorded):
    assert [r.record.profile for r in recorded] == ["small", "better"], "though this one has more trainings"


def test_the_networks_left_for_later(recorded):
    judged = future.judged(recorded)
    assert [r.record.profile for r in judged] == ["small"]
    assert judged[0].values("narrow", "test") == pytest.approx([0.1, 0.11, 0.12, 0.13, 0.14])
    shown = future.later(judged)
    assert "modified from the first step 0.120" in shown.alt and "small on embedded, 5 seeds" in shown.caption
    told = future.narrower(judged).text
    gap = judged[0].values("modified", "test") - judged[0].values("narrow", "test")
    assert "worth having" in told and f"{gap.mean():.3f}" in told
    assert "can't be told from a wide one, both in one go: 0.000" in told
    assert "Not trained" not in shown.caption
    assert "make claims" in future.narrower([]).text and "make claims" in future.later([]).caption


def test_a_network_that_could_not_be_trained_is_counted_out_and_named(recorded):
    (record,) = future.judged(recorded)
    record.seeds[4].trainings.pop("narrow")
    assert np.isnan(record.values("narrow", "test")).tolist() == [False, False, False, False, True]
    shown = future.later([record])
    assert "modified from the first step 0.115" in shown.alt
    assert (
        "Not trained to the end on embedded, in so many seeds: modified from the first step (1 of 5)." in shown.caption
    )
    assert "nan" not in future.narrower([record]).text and "–" not in future.narrower([record]).text


def test_the_failed_are_named_with_their_seed(recorded):
    record = recorded[0].record
    records.add_failed(record.about, record.persons, 0, "control-random", "The loss became inf.")
    note = controls.about([evidence.beside("tiny", "embedded")[0]]).text
    assert "failed: control-random (seed 0)" in note and "**Stale**" in note, "made-up code is no code of today's"
