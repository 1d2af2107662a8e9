"""The tables of B1_trust print what the programs in benchmarks/ recorded, and say where they recorded nothing."""

import json
import re

import pytest
from conftest import ROOT

from figures import measured
from figures.page import Note, Table
from figures.trust import tables, told

MACHINE = {"cpu": "a processor", "cores": 2, "python": "3.11.7", "commit": "0123456789"}
TRIED = {"files": 10, "outcomes": {"types": {"reported": 5, "sound": 2}, "bytes": {"refused": 3}}, "slowest_s": 1.25}
ATTEMPTS = [
    {"bytes": 20_000, "status": 1, "said": ["No room."], "trace": False},
    {"bytes": 400_000, "status": 1, "said": ["A", "B"], "trace": True},
    {"bytes": 2_000_000, "status": 0, "said": "", "trace": False},
]
GROWTH = {"at": {"10": {"seconds": 1, "mib": 5}, "20000": {"seconds": 2.04, "mib": 1234}},
          "slope": {"seconds": 1.01, "mib": -0.001}}  # fmt: skip
STEEPER = GROWTH | {"slope": {"seconds": 1.02, "mib": 0.2}}
CROPS, OKS = {"mutants": 40, "killed": 36}, {"mutants": 10, "killed": 9}
DEATHS = [{"at": ["hourglass", "01_dataset"]}, {"at": ["hourglass"]}]
RECORDS = {
    "fuzz": {
        **{part: {**TRIED, "findings": [], "largest_mib": 0} for part in tables.INPUTS},
        "limits": {"seconds": 10, "mib": 2048},
    },
    "kill": {
        "pieces": 1500, "timed": ["x"] * 30, "builds": [{"kills": DEATHS, "unequal": []}],
        "two_at_once": {"said": "Another build is running.", "unequal": []},
        "full_disk": {"attempts": ATTEMPTS, "unequal": ["01_dataset/fig-crops"]},
        "read_only": {"said": ["It can't be written."]},
    },
    "twice": {
        "profile": "smoke", "cores": [1, 2], "pieces": 1500, "unequal": [], "timed": ["x"] * 30,
        "timed_unequal": ["x"] * 7,
        "threads": {
            "near": 0.005,
            "profiles": {
                "best-1": {
                    "trained": {"1": {}, "2": {}}, "apart": {"val": 0.0012, "test": 0.0, "measured": 0.0},
                    "machine": MACHINE,
                },
                "best-5": {
                    "trained": {"1": {}}, "apart": {"val": 0.0, "test": 0.0041, "measured": 0.0001},
                    "machine": MACHINE | {"commit": "f" * 40},
                },
            },
        },
    },
    "load": {"drawn": 250, "persons": {"read": GROWTH, "step": GROWTH}, "rows": {"split": STEEPER}},
    "mutants": {"rooms": {"hgnb.data.crops": CROPS, "hgnb.metrics.oks": OKS}},
    "covered": {
        "tests": 1500,
        "rooms": {"hgnb.data": {"lines": 2000, "run": 1900}, "hgnb.cli": {"lines": 500, "run": 350}},
    },
    "coverage": {
        "repetitions": 1000, "family": 8,
        "tried": [
            {"shape": "normal", "seeds": 5, "photographs": 2000, "covered": {"PCK": 0.951, "AUC": 0.948},
             "family_errs": 0.043},
            {"shape": "skewed", "seeds": 13, "photographs": 50, "covered": {"PCK": 0.937, "AUC": 0.964},
             "family_errs": 0.049},
        ],
        "power": [{"seeds": 5, "photographs": 2000, "effect": 0.03, "found": 0.79}],
    },
    "pages": {
        "profile": "tiny", "visits": 3, "site_mb": 47.6,
        "limits": {"own_mb": 2, "all_mb": 8, "picture_s": 1, "site_mb": 80},
        "pages": {
            "index.html": {"own_mb": 0.1, "all_mb": 1.0, "painted_s": 0.5, "picture_s": None},
            "_executed/03_interpretation.html": {"own_mb": 0.4, "all_mb": 2.5, "painted_s": 0.4, "picture_s": 0.61},
        },
    },
}  # fmt: skip
TABLES = {
    "fuzz": tables.inputs, "kill": tables.kills, "twice": tables.twice, "load": tables.load, "mutants": tables.mutants,
    "covered": tables.covered, "pages": tables.pages, "coverage": tables.coverage,
}  # fmt: skip
SAID = {
    "fuzz": ["| 10 | 8 | 2 | 0 | 1.25 | – |", "10 s of a processor and 2,048 MiB"],
    "kill": [
        "hourglass (2) and 01_dataset (1) | 0 |", "1,470 results",
        "2 of 3 stopped, 1 with a traceback; the first: “No room.” | 1: 01_dataset",
    ],
    "twice": [
        "| 1470 | 0 |", "| 30 | 7 |", "`best-1` trained on 1 and 2 threads, PCK on validation | 2 | 0.0012 apart",
        "`best-5` trained once, its PCK on test measured on 1 threads | 1 | 0.0001 apart",
        "Trained: `best-1` at 0123456 and `best-5` at fffffff.",
    ],
    "load": ["read the annotations | 20,000 persons | 2.0 | 1,234 | 1.01 | 0.00", "20,000 annotations"],
    "pages": ["first picture is there | 0.61 | 1 | `03_interpretation`", "shows words | 0.50 | – | `index`", "48 | 80"],
    "coverage": [
        "| normal | 5 | 2,000 | 94.8 % (AUC) | 95.1 % (PCK) | 4.3 % |",
        "How many of 1,000 intervals", "the most of 2;", "families of 8 claims",
    ],
    "mutants": ["`hgnb.data.crops` | 40 | 36 | 90 %", "together | 50 | 45 | 90 %"],
    "covered": ["`hgnb.data` | 2,000 | 1,900 | 95 %", "together | 2,500 | 2,250 | 90 %", "one of 1,500 tests"],
}  # fmt: skip


LEARNED = {
    "fuzz": "Of 30 damaged files none led to",
    "kill": "One build, killed 2 times in all and then left alone, came to no other results",
    "twice": "Builds on 1 and 2 cores are equal in 1,470 of 1,470 results that show no measured time; trained on other "
    "numbers of threads, a network's PCK moved by up to 0.0012 (`best-1`) and 0.0041 (`best-5`), less than the 0.005 "
    "that was allowed; measured on them, by up to 0.0001",
    "load": "“read and split” grows the fastest in time: with the number of annotations to the power of 1.02",
    "mutants": "Of 50 small changes of the code the tests notice 45, 90 %",
    "covered": "run 90 % of the library's 2,500 lines",
    "coverage": "in 93.7 % to 96.4 % of 1,000 draws, whatever the number of seeds and photographs; a family of claims "
    "that are all exactly at their limits decides any in 4.3 % to 4.9 %; an effect that is said to be found with 80 % "
    "power is found in 79 % to 79 %",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_record_is_printed_or_asked_for(house, name):
    asked = TABLES[name]()
    assert isinstance(asked, Note) and f"python benchmarks/{name}.py" in asked.text
    (house / "benchmarks/results").mkdir(parents=True)
    (house / f"benchmarks/results/{name}.json").write_text(json.dumps(RECORDS[name] | {"machine": MACHINE}))
    table = TABLES[name]()
    assert isinstance(table, Table) and table.name.startswith("tbl-trust-")
    text = table.markdown()
    assert "2 cores of a processor, at commit 0123456." in text
    for words in SAID[name]:
        assert words in text, text


def test_what_is_recorded_is_summed_up(house):
    """A sentence for each record, and none for what was not tried."""
    assert told.learned().text == "Nothing has been tried here yet."
    (house / "benchmarks/results").mkdir(parents=True)
    for count, name in enumerate(LEARNED, 1):
        (house / f"benchmarks/results/{name}.json").write_text(json.dumps(RECORDS[name]))
        lines = told.learned().text.splitlines()
        assert len(lines) == count and all(line.startswith("- ") and line.endswith(".") for line in lines)
        assert sum(LEARNED[name] in line for line in lines) == 1, lines


def test_a_failure_is_summed_up_as_one(house):
    (house / "benchmarks/results").mkdir(parents=True)
    spoilt = {
        "kill": {**RECORDS["kill"], "builds": [{"kills": DEATHS, "unequal": ["a", "b"]}] * 2},
        "twice": {**RECORDS["twice"], "unequal": ["a"], "threads": {**RECORDS["twice"]["threads"], "near": 0.001}},
    }
    for name, record in spoilt.items():
        (house / f"benchmarks/results/{name}.json").write_text(json.dumps(record))
    text = told.learned().text
    assert "2 builds, killed 4 times in all and then left alone, came to 4 other results" in text
    assert "are equal in 1,469 of 1,470" in text and "0.0041 (`best-5`), not less than the 0.001" in text


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
