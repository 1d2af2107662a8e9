"""The tables of B1_trust print what the programs in benchmarks/ recorded, and say where they recorded nothing."""

import json

import pytest

from hgnb.figures import trust
from hgnb.figures.plate import Note, Table

MACHINE = {"cpu": "a processor", "cores": 2, "python": "3.11.7", "commit": "0123456789"}
TRIED = {"files": 10, "outcomes": {"types": {"reported": 5, "sound": 2}, "bytes": {"refused": 3}}, "slowest_s": 1.25}
ATTEMPTS = [
    {"bytes": 20_000, "status": 1, "said": ["No room."], "trace": False},
    {"bytes": 400_000, "status": 1, "said": ["A", "B"], "trace": True},
    {"bytes": 2_000_000, "status": 0, "said": "", "trace": False},
]
GROWTH = {"at": {"10": {"seconds": 1, "mib": 5}, "20000": {"seconds": 2.04, "mib": 1234}},
          "slope": {"seconds": 1.01, "mib": 0.2}}  # fmt: skip
CROPS, OKS = {"mutants": 40, "killed": 36}, {"mutants": 10, "killed": 9}
DEATHS = [{"at": ["hourglass", "01_dataset"]}, {"at": ["hourglass"]}]
RECORDS = {
    "fuzz": {
        **{part: {**TRIED, "findings": [], "largest_mib": 0} for part in trust.INPUTS},
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
        "threads": {"profile": "tiny", "pck": {"1": {}, "2": {}}, "apart": {"val": 0.0012, "test": 0.0}, "near": 0.005},
    },
    "load": {"drawn": 250, "persons": {"read": GROWTH, "step": GROWTH}, "rows": {"split": GROWTH}},
    "mutants": {"rooms": {"hgnb.data.crops": CROPS, "hgnb.metrics.oks": OKS}},
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
    "fuzz": trust.inputs, "kill": trust.kills, "twice": trust.twice, "load": trust.load, "mutants": trust.mutants,
    "pages": trust.pages,
}  # fmt: skip
SAID = {
    "fuzz": ["| 10 | 8 | 2 | 0 | 1.25 | – |", "10 s of a processor and 2,048 MiB"],
    "kill": [
        "hourglass (2) and 01_dataset (1) | 0 |", "1,470 results",
        "2 of 3 stopped, 1 with a traceback; the first: “No room.” | 1: 01_dataset",
    ],
    "twice": ["| 1470 | 0 |", "| 30 | 7 |", "val PCK of the hourglass on 1 and 2 threads | 2 | 0.0012 apart"],
    "load": ["read the annotations | 20,000 persons | 2.0 | 1,234 | 1.01 | 0.20", "20,000 annotations"],
    "pages": ["first picture is there | 0.61 | 1 | `03_interpretation`", "shows words | 0.50 | – | `index`", "48 | 80"],
    "mutants": ["`hgnb.data.crops` | 40 | 36 | 90 %", "together | 50 | 45 | 90 %"],
}  # fmt: skip


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
