"""The processes that train together; alone, all of it does nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class Peers:
    """This process among those that train together: its ``rank`` of ``world``, and where it computes."""

    rank: int = 0
    world: int = 1

    @classmethod
    def joined(cls) -> Peers:
        """Join the processes that the environment names (as torchrun sets it)."""
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return cls(distributed.get_rank(), distributed.get_world_size())

    def leave(self) -> None:
        """Wait for the others and part: a process that tears down early takes the others with it."""
        distributed.barrier()
        distributed.destroy_process_group()

    @property
    def device(self) -> torch.device:
        """Return the GPU of this process if there is one, else the CPU."""
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())

    def sharing(self, network: nn.Module) -> nn.Module:
        """Return the network with gradients averaged over the processes after each backward pass."""
        if self.world == 1:
            return network
        return nn.parallel.DistributedDataParallel(network)

    def sum(self, value: float) -> float:
        """Return the sum of the processes' values."""
        if self.world == 1:
            return value
        total = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.all_reduce(total)
        return float(total)

    def told(self, value: float) -> float:
        """Return the value that the first process has, so that all decide alike."""
        if self.world == 1:
            return value
        first = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(first, 0)
        return float(first)
