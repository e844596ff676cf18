"""Parameter groups, the optimizer, and its learning rate at a step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from striate.engine.plan import Plan

__all__ = ["make_optimizer", "set_learning_rate"]


def make_optimizer(
    module: nn.Module, plan: Plan, is_head: Callable[[str], bool]
) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum or AdamW over the parameters that are trained.

    Matrices and kernels decay, vectors (biases, norms) do not unless they learn faster. Every group
    carries `scale`, its learning rate as a part of the plan's: bodies with loaded weights move slower
    than new heads.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((parameter.ndim > 1, is_head(name)), []).append(parameter)
    described = [
        {"params": parameters, "lr": plan.lr, **_manner(plan, matrices=matrices, head=head)}
        for (matrices, head), parameters in groups.items()
    ]
    if plan.optimizer == "sgd":
        return torch.optim.SGD(described, lr=plan.lr, momentum=plan.momentum, nesterov=plan.momentum > 0)
    # fused AdamW exists for CPU and CUDA and halves the cost of its many small kernels
    return torch.optim.AdamW(described, lr=plan.lr, betas=(plan.momentum, 0.99), fused=True)


def _manner(plan: Plan, *, matrices: bool, head: bool) -> dict[str, float]:
    """Decay and learning-rate scale of a group."""
    scale = 1.0 if head else plan.backbone_lr_scale
    if matrices:
        return {"weight_decay": plan.weight_decay, "scale": scale}
    if head or plan.bias_lr_scale == 1.0:
        return {"weight_decay": 0.0, "scale": scale}
    # fast biases shrink as slowly as the weights do
    return {"weight_decay": plan.weight_decay / plan.bias_lr_scale, "scale": scale * plan.bias_lr_scale}


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give every group `lr` times its scale."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["scale"]
