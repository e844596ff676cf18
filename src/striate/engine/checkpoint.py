"""The whole state of training as tensors (safetensors) and JSON, and back: never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

__all__ = ["State", "read_state", "write_state"]


class State:
    """What is saved: the module, the optimizer, the moving average and the best weights so far."""

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        average: nn.Module | None,
        best: Mapping[str, Tensor] | None,
    ) -> None:
        self.module, self.optimizer, self.average, self.best = module, optimizer, average, best

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by a name that says whose it is."""
        found = {f"model.{name}": value for name, value in self.module.state_dict().items()}
        if self.average is not None:
            found |= {f"average.{name}": v for name, v in self.average.state_dict().items()}
        if self.best is not None:
            found |= {f"best.{name}": value for name, value in self.best.items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            found |= {
                f"optimizer.{index}.{slot}": value
                for slot, value in slots.items()
                if isinstance(value, Tensor)
            }
        return found


def write_state(state: State, path: Path) -> None:
    """Write all tensors to `path` (contiguous copies on the CPU; shared storage is written twice)."""
    save_file({name: v.detach().cpu().contiguous().clone() for name, v in state.tensors().items()}, path)


def read_state(path: Path, state: State) -> dict[str, Tensor] | None:
    """Restore the module, optimizer and average from `path`; returns the best weights, if any."""
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "best": {}, "optimizer": {}}
    for name, value in load_file(path).items():
        owner, _, rest = name.partition(".")
        parts[owner][rest] = value
    state.module.load_state_dict(parts["model"])
    if state.average is not None:
        state.average.load_state_dict(parts["average"])
    _restore_optimizer(state.optimizer, parts["optimizer"])
    return parts["best"] or None


def _restore_optimizer(optimizer: torch.optim.Optimizer, saved: Mapping[str, Tensor]) -> None:
    whole = optimizer.state_dict()
    slots: dict[int, dict[str, Any]] = {}
    for name, value in saved.items():
        index, _, slot = name.partition(".")
        slots.setdefault(int(index), {})[slot] = value
    # torch casts restored slots to the parameter's device and dtype, but for the step count
    optimizer.load_state_dict({"state": slots, "param_groups": whole["param_groups"]})
