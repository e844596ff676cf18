"""Batch normalisation over all processes: the statistics of the whole batch, also on CPUs (gloo).

torch's own SyncBatchNorm is for graphics processors only, and conversion by it loses the activation
that timm puts inside its normalisation layers.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import Function

from striate.errors import UsageError

__all__ = ["SyncedBatchNorm", "convert_sync"]

_PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def _moments(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(count (), mean (C,), variance (C,), biased) of `values` float32 (B, C, …) over all processes.

    One exchange: each process tells its count, mean and sum of squared deviations, which are then
    combined without cancellation (Chan, Golub & LeVeque 1983).
    """
    channels = values.shape[1]
    dims = [0, *range(2, values.ndim)]
    count = values.numel() // channels
    mean = values.sum(dims) / max(count, 1)
    deviations = (values - _spread(mean, values)).square().sum(dims)
    own = torch.cat([mean.new_tensor([count]), mean, deviations])
    told = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(told, own)
    table = torch.stack(told)  # (processes, 1 + 2 C)
    counts, means, squares = table[:, :1], table[:, 1 : 1 + channels], table[:, 1 + channels :]
    whole = counts.sum()
    common = (counts * means).sum(0) / whole
    variance = (squares + counts * (means - common).square()).sum(0) / whole
    return whole, common, variance


def _spread(vector: Tensor, like: Tensor) -> Tensor:
    """(C,) as (1, C, 1, …)."""
    return vector.view(1, -1, *[1] * (like.ndim - 2))


class _Normalise(Function):
    """(x − mean) / std · weight + bias, with the gradient through the shared mean and variance."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        moments: tuple[Tensor, Tensor, Tensor],
        eps: float,
    ) -> Tensor:
        count, mean, variance = moments
        inverse = torch.rsqrt(variance + eps)
        scaled = (x.float() - _spread(mean, x)) * _spread(inverse, x)
        ctx.save_for_backward(scaled, weight, inverse, count)
        found = scaled if weight is None else scaled * _spread(weight.float(), x)
        found = found if bias is None else found + _spread(bias.float(), x)
        return found.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None, None]:
        scaled, weight, inverse, count = ctx.saved_tensors
        dims = [0, *range(2, scaled.ndim)]
        wide = gradient.float()
        own = torch.stack([wide.sum(dims), (wide * scaled).sum(dims)])  # (2, C)
        shared = own.clone()
        dist.all_reduce(shared)
        by_mean, by_std = (_spread(part / count, scaled) for part in shared)
        factor = inverse if weight is None else inverse * weight.float()
        to_x = (wide - by_mean - scaled * by_std) * _spread(factor, scaled)
        to_weight = None if weight is None else own[1].to(weight.dtype)
        to_bias = own[0].to(gradient.dtype) if ctx.needs_input_grad[2] else None
        return to_x.to(gradient.dtype), to_weight, to_bias, None, None


class SyncedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation of (B, C, …) with the statistics of all processes while training.

    Alone, or in evaluation mode, it is torch's.
    """

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002  (torch's name)
        if input.ndim < 2:
            raise ValueError(f"expected (B, C, …), got {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's name)
        if not (self.training and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(input)
        self._check_input_dim(input)
        with torch.no_grad():
            moments = _moments(input.detach().float())
            self._follow(*moments)
        normalise: Any = _Normalise.apply  # torch leaves it untyped
        found: Tensor = normalise(input, self.weight, self.bias, moments, self.eps)
        return found

    def _follow(self, count: Tensor, mean: Tensor, variance: Tensor) -> None:
        """Running statistics, as torch keeps them (unbiased variance)."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        rate = self.momentum
        if rate is None:
            rate = 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), rate)
        unbiased = variance * count / (count - 1).clamp_min(1)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), rate)


class _SyncedBatchNormAct(SyncedBatchNorm):
    """timm's normalisation with dropping and activation behind it."""

    drop: nn.Module
    act: nn.Module

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's name)
        found: Tensor = self.act(self.drop(super().forward(input)))
        return found


def convert_sync(module: nn.Module) -> nn.Module:
    """`module` with every batch normalisation synchronised; its tensors stay the same objects.

    Layers are replaced in place; the result is `module` itself unless it is such a layer. Raises
    `UsageError` for a kind of batch normalisation that cannot be converted.
    """
    for name, child in module.named_children():
        module._modules[name] = convert_sync(child)
    if isinstance(module, SyncedBatchNorm) or not isinstance(module, nn.modules.batchnorm._BatchNorm):
        return module
    return _converted(module)


def _converted(old: nn.modules.batchnorm._BatchNorm) -> SyncedBatchNorm:
    options = (old.num_features, old.eps, old.momentum, old.affine, old.track_running_stats)
    if type(old) in _PLAIN:
        new = SyncedBatchNorm(*options)
    elif _is_timms(old):
        new = _SyncedBatchNormAct(*options)
        new.drop, new.act = old.get_submodule("drop"), old.get_submodule("act")
    else:
        raise UsageError(
            f"{type(old).__name__} cannot share its statistics between processes",
            remedy="train this network in one process, or choose another --model",
        )
    new.weight, new.bias = old.weight, old.bias
    new.running_mean, new.running_var = old.running_mean, old.running_var
    new.num_batches_tracked = old.num_batches_tracked
    new.train(old.training)
    return new


def _is_timms(module: nn.Module) -> bool:
    try:
        from timm.layers.norm_act import BatchNormAct2d
    except ImportError:
        return False
    return type(module) is BatchNormAct2d
