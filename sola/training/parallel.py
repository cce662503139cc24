"""Data parallelism: every process takes its share of a batch, gradients are added up.

`torchrun` starts the processes; a process alone pays nothing for this.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

from sola.data.batches import ExpressionGroup

TIMEOUT = timedelta(hours=24)
"""How long processes wait for the first one: it validates, and computes overlaps, alone."""


@dataclass(frozen=True)
class World:
    """The processes of a training: this one's number, and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process validates and writes."""
        return self.rank == 0

    def share(self, batch: Sequence[ExpressionGroup]) -> list[ExpressionGroup]:
        """This process's part of a batch: expressions split evenly, in order."""
        flat = [(group.video, e) for group in batch for e in group.expressions]
        begin, end = (len(flat) * (self.rank + i) // self.size for i in (0, 1))
        mine: list[ExpressionGroup] = []
        for video, e in flat[begin:end]:
            if mine and mine[-1].video == video:
                mine[-1] = ExpressionGroup(video, (*mine[-1].expressions, e))
            else:
                mine.append(ExpressionGroup(video, (e,)))
        return mine

    def all_reduce_gradients(
        self, parameters: Iterable[Tensor], values: Sequence[float]
    ) -> list[float]:
        """Sums gradients, in place, and some values over all processes."""
        if self.size == 1:
            return list(values)
        leaves = list(parameters)
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in leaves]
        extra = torch.tensor(list(values), dtype=torch.float32, device=grads[0].device)
        flat = torch.cat([*(g.reshape(-1) for g in grads), extra])
        distributed.all_reduce(flat)
        sizes = [*(p.numel() for p in leaves), len(values)]
        *summed, extra = torch.split(flat, sizes)
        for p, grad in zip(leaves, summed, strict=True):
            p.grad = grad.reshape(p.shape)
        return [float(f) for f in extra]

    def broadcast(self, value: Any) -> Any:  # noqa: ANN401 - whatever the first process says
        """What the first process says, on all of them."""
        if self.size == 1:
            return value
        holder = [value]
        distributed.broadcast_object_list(holder)
        return holder[0]


def own_device(device: str) -> str:
    """This process's device: under `torchrun`, "cuda" and "cuda:N" become its own GPU.

    Every process of a machine has a `LOCAL_RANK`; without one the device stays as it is.
    """
    rank = os.environ.get("LOCAL_RANK")
    return f"cuda:{rank}" if rank is not None and device.startswith("cuda") else device


@contextmanager
def joined(device: str) -> Iterator[World]:
    """The world that `torchrun` started this process in; a world of one without it.

    Args:
        device: of this process, see `own_device`. "cuda..." talks through NCCL, all others
            through gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World()
        return
    on_gpu = device.startswith("cuda")
    if on_gpu:  # before anything is sent: NCCL uses the current device
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=TIMEOUT)
    try:
        yield World(distributed.get_rank(), distributed.get_world_size())
        # Gloo may abort a process whose peers have left while it still communicates.
        distributed.barrier()
    finally:
        distributed.destroy_process_group()
