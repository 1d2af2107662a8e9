"""What the programs in benchmarks/ recorded is read or asked for."""

import pytest

from figures import chB
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
