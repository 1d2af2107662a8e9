"""Committed records are current; a stale one is named with its reason, and renewed where it comes to the same."""

import dataclasses
import shutil
from pathlib import Path

import made_up
import pytest
from conftest import at_home, lend

from hgnb import records
from hgnb.claims import collect
from hgnb.data.splits import EMBEDDED
from hgnb.errors import InputError
from hgnb.training import recorded
from hgnb.training.experiment import Experiment
from hgnb_book import gather

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = sorted(f for f in (ROOT / "results").iterdir() if f.is_dir())


def test_every_committed_record_is_current(monkeypatch):
    monkeypatch.setenv("HGNB_HOME", str(ROOT))
    told = {fact["record"]: fact["state"] for fact in gather.listed().facts()}
    stale = {name: why for name, why in told.items() if why != "current"}
    assert not stale, f"'hgnb records --renew {next(iter(stale))}' proves it true again, else record it anew: {stale}"


SMOKE = "a194c924f0f6ae1fd9ae3d041705d86016586ea2bc162f002949344a9a6c3794"
OF_PHOTOGRAPHS = [where for where in FOLDERS if not where.name.endswith(EMBEDDED)]


def test_people_are_drawn_and_cropped_to_the_same_bytes(house):
    """Records tell their data by a checksum, not by code: what changes this one makes all of drawn people stale, as
    `hgnb records --renew NAME` says before it trains."""
    assert Experiment.open("smoke", EMBEDDED).prepared().checksum == SMOKE


@pytest.mark.parametrize("where", OF_PHOTOGRAPHS, ids=lambda where: where.name)
def test_photographs_are_read_and_cropped_to_what_was_recorded(where, house, real):
    """The same of data in a folder: crops, keypoints, splits and who is posed how."""
    for lists in ("labels", "splits"):
        shutil.copytree(ROOT / "data" / lists, house / "data" / lists)
    record = records.read(where)
    assert gather.data_differing(record, str(real(record.data))) == []


def test_the_committed_ledgers_are_what_their_records_are_judged_to(monkeypatch):
    """`hgnb claims --recorded --keep` writes them. Of a changed profile's, which are many, one is judged again."""
    monkeypatch.setenv("HGNB_HOME", str(ROOT))
    changed = [where for where in records.folders(collect.STUDY) if "+" in where.name]
    for where in set(records.folders(collect.STUDY)) - set(changed[1:]):
        result = collect.judged(records.read(where))
        assert result.place.read_text(encoding="utf8") == result.text, where.name
    ledgers = {file.stem.removeprefix("claims-") for file in (ROOT / "results").glob("claims-*.json")}
    assert ledgers == {where.name.removeprefix("chain-") for where in records.folders(collect.STUDY)}


@pytest.fixture
def kept(common, fresh, house):
    """The record of one seed's chain, in a home of the test's own."""
    with at_home(common):
        runs = [dataclasses.replace(fresh).hourglass(), dataclasses.replace(fresh).autoencoder()]
    lend(runs)
    return collect.keep(fresh).parent


def restamped(where, **other):
    record = records.read(where)
    records.restamp(where, record.about["code"] | other)


def test_the_list_names_records_their_hours_and_what_is_wrong(kept, house):
    made_up.save(made_up.chain([{"hourglass": 0.4}] * 2, "small", "photos"))
    (kept.parent / "chain-broken-x").mkdir()
    facts = {fact["record"]: fact for fact in gather.listed().facts()}
    assert facts[kept.name]["state"] == "current" and facts[kept.name]["trainings"] == 2
    assert "the code that trains has changed" in facts["chain-small-photos"]["state"]
    assert facts["chain-small-photos"]["command"] == "make claims PROFILE=small DATA=photos SEEDS=2"
    assert facts["chain-broken-x"]["state"] == "results/chain-broken-x holds no seed."
    assert not gather.listed().current


@pytest.mark.parametrize(("part", "said"), [("training", "trains"), ("measures", "measures networks")])
def test_a_record_is_stale_by_what_changed(kept, part, said):
    restamped(kept, **{part: "another"})
    assert recorded.stale(records.read(kept)) == (f"the code that {said} has changed",)


def test_a_stale_record_that_comes_to_the_same_is_current_again(kept, fresh):
    restamped(kept, training="another", measures="another")
    assert recorded.stale(records.read(kept))
    told = gather.renew(kept.name, fresh.data)
    assert "is current: 2 trainings of seed 0 came to the same" in told
    assert recorded.stale(records.read(kept)) == ()


def test_one_that_does_not_is_left_as_it_was_and_says_where_it_differs(kept, fresh):
    archive = records.Archive.read(kept / "s0.npz")
    hits = archive.columns["hourglass/test_hits"].copy()
    hits[0, 0] = ~hits[0, 0]
    about = archive.about | {"code": {"training": "x", "measures": "x"}}
    records.Archive(about, archive.columns | {"hourglass/test_hits": hits}).write(kept / "s0.npz")
    with pytest.raises(InputError, match=r"of 'hourglass', seed 0, test_hits differ"):
        gather.renew(kept.name, fresh.data)
    assert recorded.stale(records.read(kept))
    with pytest.raises(InputError, match="has no seed 7: it has 0"):
        gather.renew(kept.name, fresh.data, seed=7)
    records.Archive(about | {"checksum": "other"}, archive.columns).write(kept / "s0.npz")
    with pytest.raises(InputError, match="of its data, the checksum differ"):
        gather.renew(kept.name, fresh.data)
