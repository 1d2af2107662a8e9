"""Latents in a file of their run: resumed after a kill, mended after damage, never stale."""

import dataclasses
import resource

import numpy as np
import pytest
import torch

from hgnb.errors import InputError
from hgnb.training import passes
from hgnb.training.catalogue import read, written
from hgnb.training.passes import Rows


def filled(path, count=10, width=3, batch=4):
    """A file whose row i holds i everywhere."""
    rows = Rows(path, count, width, batch)
    for part in rows.missing():
        rows.write(part, np.repeat(np.arange(part.start, part.stop), width).reshape(-1, width))
    rows.finish()
    return rows


# The file


def test_rows_come_back(tmp_path):
    rows = filled(tmp_path / "a.npy")
    assert rows.missing() == [] and not rows.partial.exists()
    expected = np.repeat(np.arange(10), 3).reshape(10, 3)
    assert (rows.open() == expected).all() and rows.open().dtype == np.float32
    assert (np.load(tmp_path / "a.npy") == expected).all()  # anybody can read it
    assert np.load(tmp_path / "a.npy", mmap_mode="r").shape == (10, 3)


def test_writing_to_the_map_leaves_the_file(tmp_path):
    rows = filled(tmp_path / "a.npy")
    values = torch.from_numpy(rows.open())
    values[:] = -1
    assert rows.missing() == [] and rows.open().min() == 0


@pytest.mark.parametrize("place", [0.3, 0.7])
def test_a_damaged_batch_is_missing_again(tmp_path, place):
    rows = filled(tmp_path / "a.npy", count=100, width=50)
    content = bytearray(rows.path.read_bytes())
    at = len(rows.head) + int(place * 100) * 50 * 4
    content[at] ^= 1
    rows.path.write_bytes(content)
    (wrong,) = rows.missing()
    assert wrong.start <= place * 100 < wrong.stop
    assert not rows.path.exists()  # nobody may read it as if it were whole
    filled(rows.path, count=100, width=50)
    assert rows.missing() == [] and (rows.open()[:, 0] == np.arange(100)).all()


@pytest.mark.parametrize("left", [0, 10, 200, 245])
def test_a_file_cut_short_is_mended(tmp_path, left):
    rows = filled(tmp_path / "a.npy")
    rows.path.write_bytes(rows.path.read_bytes()[:left])
    assert rows.missing()
    filled(rows.path)
    assert rows.missing() == [] and (np.load(rows.path)[:, 1] == np.arange(10)).all()


def test_a_full_disk_is_told_and_costs_nothing(tmp_path):
    rows = Rows(tmp_path / "a.npy", 10, 3, 4)
    rows.write(slice(0, 4), np.zeros((4, 3)))
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (180, most))  # bytes: in the middle of the second batch
    try:
        with pytest.raises(InputError, match=r"no space left for a\.npy"):
            rows.write(slice(4, 8), np.ones((4, 3)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
    assert rows.missing() == [slice(4, 8), slice(8, 10)]


# What is in it


@pytest.fixture
def counted(trained, monkeypatch):
    """(experiment, run, encoded): the list grows by the number of persons of each batch that is encoded."""
    experiment, run = trained
    for file in (run.folder / "latents").glob("*"):
        file.unlink()
    encoded, write = [], passes.Rows.write
    monkeypatch.setattr(
        passes.Rows, "write", lambda self, at, values: encoded.append(len(values)) or write(self, at, values)
    )
    monkeypatch.setattr(passes, "BATCH", 4)
    return experiment, run, encoded


def test_latents_are_encoded_once(counted):
    experiment, run, encoded = counted
    train = experiment.prepared().split("train")
    torch.manual_seed(7)
    kept = experiment.latents(run, "train")
    assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.manual_seed(7)))  # nothing was drawn
    assert sum(encoded) == len(train) and max(encoded) == 4
    direct = experiment.reader(run).latents(train).reshape(len(train), -1)
    assert np.allclose(kept.values, direct, atol=1e-5) and isinstance(kept.values, np.memmap)
    encoded.clear()
    some = experiment.latents(run, "train", np.array([2, 5]))  # the file of all serves any
    assert not encoded and np.allclose(some.of(np.array([2, 5])), direct[[2, 5]], atol=1e-5)
    assert not isinstance(some.of(np.array([2])), np.memmap)


def test_a_sample_has_a_file_of_its_own(counted):
    experiment, run, encoded = counted
    chosen = np.array([1, 3, 4, 8, 9])
    kept = experiment.latents(run, "train", chosen)
    assert encoded == [4, 1] and (kept.positions == chosen).all()
    whole = experiment.latents(run, "train")
    assert np.allclose(kept.of(chosen), whole.of(chosen), atol=1e-5)
    for stranger in (0, 2, 10_000):
        with pytest.raises(ValueError, match="weren't kept"):
            kept.of(np.array([1, stranger]))
    assert len(experiment.latents(run, "val", np.zeros(0, int)).values) == 0


def test_extraction_goes_on_where_it_was_killed(counted, monkeypatch):
    experiment, run, encoded = counted
    persons, write = len(experiment.prepared().split("train")), Rows.write

    def fall(self, rows, values):
        if rows.start >= 8:
            raise KeyboardInterrupt
        write(self, rows, values)

    with monkeypatch.context() as power:
        power.setattr(Rows, "write", fall)
        with pytest.raises(KeyboardInterrupt):
            experiment.latents(run, "train")
    encoded.clear()
    kept = experiment.latents(run, "train")
    assert sum(encoded) == persons - 8 and kept.values.shape[0] == persons
    assert np.isfinite(kept.values).all() and np.ptp(kept.values, axis=0).any()


def test_other_weights_have_other_latents(counted):
    """The file of older weights makes room: it would never be read again."""
    experiment, run, encoded = counted
    before = np.array(experiment.latents(run, "train").values)
    best = run.file()
    content = best.read_bytes()
    try:
        network, card = read(best)
        with torch.no_grad():
            network.heads[0].heatmaps.bias += 3
        best.write_bytes(written(network, card))
        encoded.clear()
        experiment.latents(run, "train")
        assert encoded and len(list((run.folder / "latents").glob("train-*.npy"))) == 1
    finally:
        best.write_bytes(content)
    assert np.array_equal(experiment.latents(run, "train").values, before)


def test_the_autoencoder_learns_from_the_file(counted):
    """It trains on the very latents of chapter 03, and asks for no second pass over the crops."""
    experiment, run, encoded = counted
    short = dataclasses.replace(experiment.profile.autoencoder_training, epochs=1)
    experiment = dataclasses.replace(
        experiment, profile=dataclasses.replace(experiment.profile, autoencoder_training=short)
    )
    for split in ("train", "val"):
        experiment.latents(run, split)
    encoded.clear()
    assert len(experiment.autoencoder().metrics) == 1 and not encoded
