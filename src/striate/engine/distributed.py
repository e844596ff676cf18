"""Several processes as one: started by torchrun, joined by DDP, invisible to everything else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from striate.engine.plan import Plan
from striate.nn.norm import convert_sync

__all__ = [
    "Place",
    "all_processes_agree",
    "place_from_environment",
    "process_group",
    "share_json",
    "wait",
    "wrap",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Which process this is, of how many; rank 0 reads, writes and talks."""

    rank: int = 0
    local_rank: int = 0
    world_size: int = 1


def place_from_environment() -> Place:
    """What torchrun told this process."""
    get = os.environ.get
    return Place(int(get("RANK", "0")), int(get("LOCAL_RANK", "0")), int(get("WORLD_SIZE", "1")))


@contextmanager
def process_group() -> Iterator[Place]:
    """Join the other processes for the duration; alone, do nothing."""
    place = place_from_environment()
    if place.world_size == 1:
        yield place
        return
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    # rank 0 may decode a large folder while the others wait
    dist.init_process_group(backend, timeout=timedelta(hours=6))
    try:
        yield place
    finally:
        dist.destroy_process_group()


def wrap(module: nn.Module, plan: Plan, *, compiled: bool) -> nn.Module:
    """`module` for training: statistics and gradients shared by all processes, compiled if planned."""
    if plan.world_size > 1:
        device_ids = [torch.device(plan.device)] if plan.device.startswith("cuda") else None
        module = nn.parallel.DistributedDataParallel(convert_sync(module), device_ids=device_ids)
    if not compiled:
        return module
    return torch.compile(module)  # type: ignore[return-value]  # a module, typed as a callable


def all_processes_agree(flag: bool) -> bool:
    """True everywhere as soon as it is true for one process."""
    if not dist.is_initialized():
        return flag
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    value = torch.tensor([int(flag)], device=device)
    dist.all_reduce(value, op=dist.ReduceOp.MAX)
    return bool(value.item())


def share_json(value: Any) -> Any:
    """Rank 0's JSON-ready `value` in every process (torch's own object broadcast would pickle it)."""
    if not dist.is_initialized():
        return value
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    text = json.dumps(value).encode()
    length = torch.tensor([len(text)], device=device)
    dist.broadcast(length, src=0)
    # only rank 0's bytes count; the others offer room for them
    content = text if dist.get_rank() == 0 else bytes(int(length.item()))
    data = torch.frombuffer(bytearray(content), dtype=torch.uint8).to(device)
    dist.broadcast(data, src=0)
    return json.loads(bytes(data.cpu().numpy()))


def wait() -> None:
    """Until every process is here."""
    if dist.is_initialized():
        dist.barrier()
