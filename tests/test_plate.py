"""Tables as the book prints them, and the networks of fig-later from a record whose numbers are known."""

import made_up
import numpy as np
import pandas as pd
import pytest

from figures import ch07, chains
from figures.page import Table
from hgnb import records
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
    return chains.beside("tiny", "embedded")


def test_the_networks_left_for_later(recorded):
    (record,) = ch07.later("tiny", "embedded")
    assert record.record.profile == "small", "the better model has none of them"
    assert record.values("narrow", "test") == pytest.approx([0.1, 0.11, 0.12, 0.13, 0.14])
    record.seeds[4].trainings.pop("narrow")
    assert np.isnan(record.values("narrow", "test")).tolist() == [False, False, False, False, True]
    assert record.level("narrow", "test").value == pytest.approx(0.115), "counted out where it is missing"


def test_a_record_of_one_network_left_for_later_is_shown(house):
    made_up.save(made_up.chain([{"hourglass": 0.3, "modified": 0.3, "without-skips": 0.1}] * 5, "small"))
    assert [chain.name for chain in ch07.later("tiny", "embedded")] == ["small on embedded"]


def test_the_failed_are_named_with_their_seed(recorded):
    record = recorded[0].record
    records.add_failed(record.about, record.persons, 0, "control-random", "The loss became inf.")
    chain = chains.beside("tiny", "embedded")[0]
    assert chain.failed == ["control-random (seed 0)"] and chain.stale, "made-up code is no code of today's"
