"""Two processes train as one with the doubled batch; batch normalisation sees the persons of both."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from conftest import write_coco
from torch import nn

from hgnb.data.dataset import EpochSampler
from hgnb.training import parallel
from hgnb.training.experiment import Experiment
from hgnb.training.runs import Run

ROOT = Path(__file__).resolve().parents[1]


def test_every_person_is_dealt_to_one_process():
    whole, dealt = EpochSampler(21, 8, seed=3), [EpochSampler(21, 4, 3, rank, 2) for rank in (0, 1)]
    for sampler in (whole, *dealt):
        sampler.set_epoch(5)
    for batch, *parts in zip(whole, *dealt, strict=True):
        assert sorted(batch) == sorted([*parts[0], *parts[1]])
        assert batch[0::2] == parts[0] and batch[1::2] == parts[1]
    assert [len(b) for b in dealt[1]] == [4, 4, 2] and len(dealt[0]) == len(whole)


def test_alone_nothing_is_shared(monkeypatch):
    for told in ({}, {"SLURM_NTASKS": "1", "SLURM_PROCID": "0"}):  # one task of SLURM is no team
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        with parallel.team() as team:
            assert (team.rank, team.size, team.leads) == (0, 1, True)
            assert team.agreed("x") == "x" and team.strategy() == {"devices": 1}
    assert parallel.share(3, torch.device("cpu")) == 1.0
    assert float(parallel.total(torch.tensor(2.5))) == 2.5


def _normalise(rank: int, port: int, x: torch.Tensor, weight: torch.Tensor, out: str) -> None:
    """One of two processes: its persons through batch normalisation and back."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    dist.init_process_group("gloo", rank=rank, world_size=2)
    persons = [x[:5], x[5:]][rank].clone().requires_grad_()
    norm = parallel.synchronised(nn.Sequential(nn.BatchNorm2d(3)))
    y = norm(persons)
    (y.square() * weight[: len(y)] * parallel.share(len(y), y.device)).mean((1, 2, 3)).sum().backward()
    torch.save({"y": y.detach(), "grad": persons.grad, **norm.state_dict()}, f"{out}{rank}")
    dist.destroy_process_group()


def test_batch_statistics_are_those_of_all_persons(tmp_path):
    """Five persons here and three there are normalised, and sent back, as the eight of them."""
    torch.manual_seed(0)
    x, weight = torch.randn(8, 3, 4, 4) * 2 + 1, torch.rand(8, 1, 1, 1)
    weight[5:] = weight[:3]  # each process weighs its own persons from the first on
    port = 20000 + os.getpid() % 20000
    torch.multiprocessing.start_processes(
        _normalise, (port, x, weight, str(tmp_path / "part")), nprocs=2, start_method="spawn"
    )
    parts = [torch.load(tmp_path / f"part{rank}") for rank in (0, 1)]
    norm, whole = nn.Sequential(nn.BatchNorm2d(3)), x.clone().requires_grad_()
    y = norm(whole)
    shares = torch.tensor([5 * 2 / 8] * 5 + [3 * 2 / 8] * 3).view(-1, 1, 1, 1)
    (y.square() * weight * shares).mean((1, 2, 3)).sum().backward()
    assert torch.allclose(torch.cat([p["y"] for p in parts]), y.detach(), atol=1e-5)
    assert torch.allclose(torch.cat([p["grad"] for p in parts]), whole.grad, atol=1e-5)
    for name, value in norm.state_dict().items():
        assert all(torch.allclose(p[name], value, atol=1e-6) for p in parts), name


def test_two_processes_train_as_one(house, monkeypatch):
    """The command with two processes against one: the same batches of 8, one epoch, an odd number of persons.

    Biases before a batch normalisation have no gradient but rounding; RMSProp would make steps of it, so its
    epsilon is large here. The profile's two threads give way to the one that is asked for.
    """
    folder = write_coco(house / "dots", {"train2017": 31, "val2017": 9})
    text = (house / "profiles" / "smoke.toml").read_text()
    own = "epochs = 1\nbatch = 8\neps = 1e-2"
    text = text.replace("epochs = 3", own).replace("threads = 1", "threads = 2")
    for name in ("half", "whole"):
        (house / "profiles" / f"{name}.toml").write_text(text)
    command = [sys.executable, "-m", "hgnb.cli", "train", "hourglass", "--profile", "half", "--data", folder]
    command += ["--processes", "2", "--threads", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HGNB_PRECISION": "bf16"}  # which several don't compute in
    done = subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epochs"] == 1, "one of them speaks"
    (run,) = (house / "data" / "runs").glob("hourglass-half-*")
    monkeypatch.setenv("HGNB_PRECISION", "fp32")
    whole = Experiment.open("whole", str(folder)).hourglass()
    assert run.name.rpartition("-")[2] == whole.id.rpartition("-")[2], "the same training by the same name"
    told = Run(run).manifest
    assert (told["processes"], told["threads"], told["precision"]) == (2, 1, "32-true")
    ours, theirs = (table.drop(columns="seconds") for table in (Run(run).metrics, whole.metrics))
    assert np.allclose(ours, theirs, rtol=5e-3, atol=0), (ours, theirs)
    assert np.allclose(Run(run).steps[:3], whole.steps[:3], rtol=1e-3, atol=0), "before rounding has grown"
    ours, theirs = Run(run).validation, whole.validation
    assert np.allclose(ours.loss, theirs.loss, rtol=2e-2, atol=0), "each person at its place"
    assert (ours.hits == theirs.hits).mean() > 0.95


def test_when_one_process_fails_all_end(capfd, tmp_path):
    """The first that failed says why; the others don't outlive it."""
    code = """
import os, sys, time
here, other = (os.path.join(sys.argv[1], name) for name in ("0", "1"))
if os.environ["RANK"] == "1":
    while not os.path.exists(here):
        time.sleep(0.1)
    sys.exit("no memory left")
with open(here, "w") as file:
    file.write(str(os.getpid()))
time.sleep(600)
"""
    assert parallel.together(2, [sys.executable, "-c", code, str(tmp_path)]) == 1
    assert "no memory left" in capfd.readouterr().err
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "0").read_text()), 0)


def test_a_team_that_is_told_to_end_leaves_nobody(tmp_path):
    """SIGTERM to the command ends its processes."""
    child = "import os, sys, time; open(sys.argv[1] + os.environ['RANK'], 'w').write(str(os.getpid())); time.sleep(600)"
    given = [sys.executable, "-c", child, f"{tmp_path}/"]
    code = f"import sys; from hgnb.training.parallel import together; sys.exit(together(2, {given!r}))"
    team = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)})
    pids, until = [tmp_path / rank for rank in "01"], time.monotonic() + 120
    while not all(file.exists() and file.read_text() for file in pids):
        assert time.monotonic() < until and team.poll() is None
        time.sleep(0.1)
    team.terminate()
    assert team.wait(60) == 128 + 15
    for file in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)
