"""Tables as the book prints them, and the networks of fig-later from a record whose numbers are known."""

import json

import numpy as np
import pandas as pd
import pytest

from hgnb.figures import future
from hgnb.figures.plate import Table
from hgnb.training import recorded
from hgnb.training.experiment import Experiment
from hgnb.training.networks import LATER


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
def records(house):
    """Two records of the same data: the better model's with more seeds, and one that has the later networks."""
    (house / "results").mkdir()
    rng = np.random.default_rng(0)
    for profile, seeds in ((recorded.BETTER, 6), ("small", 5)):
        held = [
            {
                "arms": {name: {"test": [float(v)]} for name, v in zip(
                    ("hourglass", "control-longer", "modified"), 0.2 + 0.01 * rng.normal(size=3), strict=True)},
                "later": {one.name: {"test": 0.1 + 0.01 * seed} for one in LATER},
            }
            for seed in range(seeds)
        ]  # fmt: skip
        for seed in held if profile == recorded.BETTER else []:
            del seed["later"]
        manifest = {"profile": profile, "data": "embedded", "date": "2026-11-21T00:00:00Z"}
        file = house / "results" / f"seeds-{profile}-embedded.json"
        file.write_text(json.dumps({"manifest": manifest, "seeds": held}))
    return recorded.beside(Experiment.open("tiny", "embedded"))


def test_the_thesis_stands_before_the_better_model(records):
    assert [r.manifest["profile"] for r in records] == ["small", recorded.BETTER], "though this one has more seeds"


def test_the_networks_left_for_later(records):
    judged = future.judged(records)
    assert [r.manifest["profile"] for r in judged] == ["small"]
    assert records[1].later("narrow", "test").size == 0
    assert future.reached(judged[0], "narrow") == pytest.approx([0.1, 0.11, 0.12, 0.13, 0.14])
    shown = future.later(judged)
    assert "modified from the first step 0.120" in shown.alt and "small on embedded, 5 seeds" in shown.caption
    told = future.narrower(judged).text
    gap = judged[0].values("modified", "test") - judged[0].later("narrow", "test")
    assert "worth having" in told and f"{gap.mean():.3f}" in told
    assert "can't be told from a wide one, both in one go: 0.000 (0.000 to 0.000)" in told
    assert "Not trained" not in shown.caption
    assert "make claims" in future.narrower([]).text and "make claims" in future.later([]).caption


def test_a_network_that_could_not_be_trained_is_counted_out_and_named(records):
    (record,) = future.judged(records)
    record.seeds[4]["later"].pop("narrow")
    assert np.isnan(record.later("narrow", "test")).tolist() == [False, False, False, False, True]
    shown = future.later([record])
    assert "modified from the first step 0.115" in shown.alt
    assert (
        "Not trained to the end on embedded, in so many seeds: modified from the first step (1 of 5)." in shown.caption
    )
    assert "nan" not in future.narrower([record]).text and "–" not in future.narrower([record]).text
