"""One training on several processes: who one is among them, and what they have to agree upon.

torchrun and SLURM start the same command once for each device; Lightning's own classes find out which. Each
process takes its share of every batch, so a batch is `training.batch` persons for each of them. Gradients are
averaged by DistributedDataParallel; counts, losses and the statistics of batch normalisation are summed here.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

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
