"""What the programs in benchmarks/ recorded is read or asked for; recorded speeds are printed."""

import json
import re

import pytest
from conftest import ROOT

from figures import chB, measured
from figures.page import Note
from hgnb.errors import InputError


def test_what_was_not_tried_is_asked_for(house):
    with pytest.raises(InputError, match=r"python benchmarks/fuzz\.py"):
        chB.record("fuzz")


def test_words_about_a_record():
    counts = {"hgnb.data.crops": {"mutants": 40, "killed": 36}, "hgnb.metrics.oks": {"mutants": 10, "killed": 9}}
    found = {"rooms": counts, "machine": {"cpu": "a processor", "cores": 2, "commit": "0123456789"}}
    assert chB.machine(found) == "Recorded on 2 cores of a processor, at commit 0123456."
    assert chB.rooms(found, "mutants", "killed")[1:] == [
        ("`hgnb.metrics.oks`", "10", "9", "90 %"), ("together", "50", "45", "90 %"),
    ]  # fmt: skip
    assert chB.quoted(" A\nB \n") == "“B”" and chB.quoted("") == "“nothing”"


@pytest.mark.parametrize(("name", "table"), [("stacks", measured.speed_table), ("speed", measured.beside_table)])
def test_recorded_speeds_are_printed_or_asked_for(house, name, table):
    asked = table()
    assert isinstance(asked, Note) and f"benchmarks/results/{name}.json" in asked.text
    (house / "benchmarks/results").mkdir(parents=True)
    record = json.loads((ROOT / f"benchmarks/results/{name}.json").read_text())
    (house / f"benchmarks/results/{name}.json").write_text(json.dumps(record))
    lines = table().markdown().splitlines()
    rows = record["stacks"] if name == "stacks" else [row for network in record["networks"] for row in network["rows"]]
    assert sum(line.startswith("|") for line in lines) == len(rows) + 2
    assert record["machine"]["cpu"] in "".join(lines)


def test_a_speed_is_a_share_of_its_convolutions_and_a_multiple_of_the_published(house):
    (house / "benchmarks/results").mkdir(parents=True)
    row = {"work": "training", "threads": 2, "precision": "fp32", "gflop_per_s": 80.2, "convolutions": 100.4}
    row |= {"princeton_vl": 50.1, "of_convolutions": 0.799, "times_princeton_vl": 1.601}
    network = {"channels": 64, "side": 128, "batch": 16, "rows": [row]}
    record = {"networks": [network], "seconds_of": "processor", "machine": {"cpu": "a processor", "device": "cpu"}}
    (house / "benchmarks/results/speed.json").write_text(json.dumps(record))
    text = measured.beside_table().markdown()
    assert re.search(r"64, 128 px \|.*training.*2.*fp32.*80.*100.*50.*80 %.*1.60", text), text
    assert "had other work" in text
