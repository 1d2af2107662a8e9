"""Recorded evidence: whole, sealed, added to by anybody, never mixed."""

import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hgnb import records
from hgnb.errors import InputError

SHARED = {
    "study": "chain", "profile": "small", "data": "embedded", "checksum": "c", "numbers": {"rate": 1e-3},
    "code": {"measures": "f"},
}  # fmt: skip
PERSONS = {"test/ids": np.arange(4), "test/visibility": np.full((4, 3), 2, np.uint8)}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HGNB_HOME", str(tmp_path))
    return tmp_path


def columns(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = {"test_hits": rng.random((4, 3)) > 0.5, "val_loss": rng.random(2), "steps": rng.random(5).astype("f2")}
    return made | {"drop": np.array(seed)}


def add(seed=0, training="hourglass", made=None, **shared):
    facts = {"run": f"{training}-s{seed}", "seconds": 1800.0, "date": "2026-11-29T00:00:00Z"}
    return records.add({**SHARED, **shared}, PERSONS, seed, training, made or columns(seed), facts)


def test_what_was_added_is_read_back_with_its_types():
    for seed in (1, 0):
        add(seed)
        add(seed, "modified", columns(seed + 10))
    record = records.find("chain", "small", "embedded")
    assert [seed.number for seed in record.seeds] == [0, 1]
    for seed in record.seeds:
        for name, column in columns(seed.number).items():
            kept = seed.of("hourglass")[name]
            assert (kept == column).all() and (kept.dtype, kept.shape) == (column.dtype, column.shape)
    assert record.hours == pytest.approx(2) and record.title == "small on embedded, 2 seeds, 2026-11-29"
    assert record.trainings == ["hourglass", "modified"] and (record.persons["test/ids"] == PERSONS["test/ids"]).all()


def test_equal_content_is_equal_bytes():
    file = add(0, "a")
    whole = add(0, "b", columns(1)).read_bytes()
    again = records.Archive.read(file)
    assert records.Archive(again.about, again.columns).packed() == again.packed() == whole
    assert list(again.about["trainings"]) == ["a", "b"]


def test_a_result_added_twice_must_be_the_same():
    before = add().read_bytes()
    assert add().read_bytes() == before
    with pytest.raises(InputError, match=r"s0.npz holds another result of 'hourglass'.*delete that file"):
        add(made=columns(1))
    assert add().read_bytes() == before


@pytest.mark.parametrize("shared", [{"checksum": "d"}, {"numbers": {"rate": 2e-3}}, {"code": {"measures": "g"}}])
def test_another_experiment_is_not_mixed_in(shared):
    add()
    with pytest.raises(InputError, match=f"recorded with other {next(iter(shared))}"):
        add(1, **shared)
    assert len(records.find("chain", "small", "embedded").seeds) == 1


def test_a_failed_training_is_kept_with_its_reason_until_it_ends():
    add()
    records.add_failed(SHARED, PERSONS, 0, "modified", "The loss became inf.")
    assert records.find("chain", "small", "embedded").seeds[0].failed == {"modified": "The loss became inf."}
    add(0, "modified")
    assert records.find("chain", "small", "embedded").seeds[0].failed == {}


def test_many_may_add_at_once():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: add(n % 4, f"t{n // 4}", columns(n)), range(16)))
    record = records.find("chain", "small", "embedded")
    assert [len(seed.trainings) for seed in record.seeds] == [4] * 4


@pytest.mark.parametrize("end", [0, 10, 400, -30])
def test_a_truncated_file_is_named(end):
    file = add()
    file.write_bytes(file.read_bytes()[:end])
    with pytest.raises(InputError, match="results/chain-small-embedded/s0.npz is damaged"):
        records.find("chain", "small", "embedded")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"seconds": 1800.0', b'"seconds": 1.0', "was changed by hand"),
        (b'"format": 1', b'"format": 2', "format 2; this version reads format 1"),
        (None, None, "was changed by hand"),  # another column in its place
    ],
)
def test_a_file_changed_by_hand_is_named(old, new, said):
    file = add()
    with zipfile.ZipFile(file) as held:
        parts = {name: held.read(name) for name in held.namelist()}
    if old:
        assert old in parts["about.json"]
        parts["about.json"] = parts["about.json"].replace(old, new)
    else:
        parts |= records.Archive({}, {"hourglass/test_hits": np.ones((4, 3), bool)}).sealed()[1]
    with zipfile.ZipFile(file, "w") as held:
        for name, part in parts.items():
            held.writestr(name, part)
    with pytest.raises(InputError, match=said):
        records.find("chain", "small", "embedded")


def test_other_persons_and_a_renamed_folder_are_named(home):
    add()
    where = records.place("chain", "small", "embedded")
    kept = (where / "persons.npz").read_bytes()
    records.Archive({}, {"test/ids": np.arange(5)}).write(where / "persons.npz")
    with pytest.raises(InputError, match="other persons"):
        records.find("chain", "small", "embedded")
    (where / "persons.npz").write_bytes(kept)
    where.rename(records.place("chain", "tiny", "embedded"))
    with pytest.raises(InputError, match="results/chain-tiny-embedded holds chain-small-embedded"):
        records.find("chain", "tiny", "embedded")


def test_a_page_shows_its_own_data_then_its_profile_then_most_trainings():
    for data, profile, seeds in (("embedded", "small", 2), ("embedded", "better", 3), ("photos", "tiny", 1)):
        for seed in range(seeds):
            add(seed, data=data, profile=profile)
    names = [r.name for r in records.fitting("chain", "tiny", "embedded")]
    assert names == ["chain-small-embedded", "chain-better-embedded", "chain-tiny-photos"]
    assert records.fitting("chain", "better", "embedded")[0].name == "chain-better-embedded"
    assert [r.data for r in records.each_dataset(records.fitting("chain", "tiny", "photos"))] == ["photos", "embedded"]
