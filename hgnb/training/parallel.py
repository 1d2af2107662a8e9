"""One training on several processes: who one is among them, and what they have to agree upon.

torchrun, SLURM and `together` start the same command once for each device or core; Lightning's own classes find out
which. Each process takes its share of every batch, so the number of processes changes rounding, and what augmentation,
dropout and noise draw, but not the training: its id doesn't name it, its manifest does. Gradients are averaged by
DistributedDataParallel; counts, losses and the statistics of batch normalisation are summed here.

On the cores of one machine this doesn't pay: at 64 channels 38 norms exchange 190 times a step, and two processes train
0.19 times as fast as two threads; exchanges that cost nothing would come to 1.22 times, twice what one thread does
(benchmarks/results/cores.json).
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

GRACE = 5  # seconds between asking a process to end and ending it
STARTED = {"RANK", "SLURM_NTASKS"}  # torchrun and SLURM tell every process of theirs


@dataclass(frozen=True)
class Team:
    """The processes that train together: this one's number, and how many there are in all and on a machine."""

    rank: int = 0
    size: int = 1
    devices: int = 1
    machines: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def strategy(self) -> dict[str, Any]:
        """What Lightning's Trainer has to be told."""
        if self.size == 1:
            return {"devices": 1}
        from lightning.pytorch.strategies import DDPStrategy

        return {"devices": self.devices, "num_nodes": self.machines, "strategy": DDPStrategy()}

    def agreed(self, value: Any) -> Any:
        """The leader's value, for all; every process has to call this."""
        if self.size == 1:
            return value
        held = [value]
        dist.broadcast_object_list(held, src=0)
        return held[0]


def together(processes: int, command: Sequence[str]) -> int:
    """Runs a command once for each of so many processes on this machine, as torchrun does, and gives its exit status.

    When one ends badly, or this one is asked to (SIGTERM, Ctrl-C), all end; the first that failed says why.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    size = str(processes)
    shared = {
        "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        "TORCHELASTIC_RUN_ID": str(port), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }  # fmt: skip
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    started: list[subprocess.Popen] = []
    with tempfile.TemporaryDirectory() as folder:
        said = [open(f"{folder}/{rank}", "w+", encoding="utf8", errors="replace") for rank in range(processes)]  # noqa: SIM115
        try:
            for rank, words in enumerate(said):
                own = os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
                out = None if rank == 0 else subprocess.DEVNULL
                started.append(subprocess.Popen(command, env=own, stdout=out, stderr=words, preexec_fn=BOUND))
            first = _first_failed(started)
        finally:
            _ended(started)
            signal.signal(signal.SIGTERM, before)
            for words in said:
                words.seek(0)
        print(said[first or 0].read(), end="", file=sys.stderr)
        for words in said:
            words.close()
    status = started[first or 0].returncode
    return status if status >= 0 else 128 - status


def _bound() -> None:
    """A process that a team's was started by takes it along when it dies."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


BOUND = _bound if sys.platform == "linux" else None  # others can't, and Windows refuses to be given anything to call


def _first_failed(started: list[subprocess.Popen]) -> int | None:
    """Waits for all; the number of the first that ends badly, at once."""
    while True:
        statuses = [process.poll() for process in started]
        for rank, status in enumerate(statuses):
            if status:
                return rank
        if None not in statuses:
            return None
        time.sleep(0.05)


def _ended(started: list[subprocess.Popen]) -> None:
    """Ends those that still run; who has ended isn't asked again."""
    for process in started:
        process.terminate()
    until = time.monotonic() + GRACE
    for process in started:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, until - time.monotonic()))
        process.kill()
        process.wait()


@contextmanager
def team() -> Iterator[Team]:
    """The processes this one was started with, connected within the block; alone it is a team of one."""
    if not STARTED & os.environ.keys():  # without loading Lightning
        yield Team()
        return
    from lightning.fabric.plugins.environments import SLURMEnvironment as slurm
    from lightning.fabric.plugins.environments import TorchElasticEnvironment as elastic

    kind = next((kind for kind in (elastic, slurm) if kind.detect()), None)
    environment = kind() if kind else None
    if environment is None or environment.world_size() == 1:
        yield Team()
        return
    size = environment.world_size()
    machines = environment.num_nodes if kind is slurm else size // int(os.environ["LOCAL_WORLD_SIZE"])
    found = Team(environment.global_rank(), size, size // machines, machines)
    os.environ.setdefault("MASTER_ADDR", environment.main_address)
    os.environ.setdefault("MASTER_PORT", str(environment.main_port))
    if torch.cuda.is_available():
        torch.cuda.set_device(environment.local_rank())
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, rank=found.rank, world_size=size)
    try:
        yield found
    finally:
        dist.destroy_process_group()


def total(value: Tensor) -> Tensor:
    """The sum of every process's `value`; alone, the value itself."""
    if dist.is_available() and dist.is_initialized():
        value = value.clone()
        dist.all_reduce(value)
    return value


def gathered(index: Tensor, rows: Tensor) -> Tensor:
    """(N, ...): the rows (n, ...) of all processes, each at its place in `index` (n,), which counts from 0 to N - 1."""
    persons = int(total(torch.tensor(len(index), device=index.device)))
    kind = torch.uint8 if rows.dtype is torch.bool else rows.dtype  # what can be summed
    whole = rows.new_zeros((persons, *rows.shape[1:]), dtype=kind)
    whole[index] = rows.detach().to(kind)
    return total(whole).to(rows.dtype)


def share(persons: int, device: torch.device) -> float:
    """What a mean over `persons` must be weighted with, so that the team's average is the mean over all persons."""
    if not (dist.is_available() and dist.is_initialized()):
        return 1.0
    return persons * dist.get_world_size() / float(total(torch.tensor(float(persons), device=device)))


def synchronised(network: nn.Module) -> nn.Module:
    """The network with batch statistics taken over all processes; its parameters and their names stay."""
    if torch.cuda.is_available():
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = _TeamBatchNorm
    return network


class _Summed(torch.autograd.Function):
    """The sum over all processes, and back: every process's gradient reaches every other's summand."""

    @staticmethod
    def forward(_, value: Tensor) -> Tensor:
        return total(value)

    @staticmethod
    def backward(_, gradient: Tensor) -> Tensor:
        return total(gradient)


class _TeamBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the persons of all processes, for CPUs: torch's own synchronised one wants GPUs."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        count = total(torch.tensor(x.numel() // x.shape[1], dtype=torch.float64))
        mean = (_Summed.apply(x.sum((0, 2, 3), dtype=torch.float64)) / count).to(x.dtype)
        centred = x - mean.view(1, -1, 1, 1)
        variance = (_Summed.apply(centred.square().sum((0, 2, 3), dtype=torch.float64)) / count).to(x.dtype)
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * float(count / (count - 1)), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
