"""A forward pass whose nonlinearities send their signal back by another rule than their derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

__all__ = ["Backward", "Nonlinear", "rectified", "redirected"]

Backward = Callable[[Tensor, Tensor], Tensor]
"""(input of the nonlinearity, signal from above) → signal to the layer below."""

_BENT: frozenset[Callable[..., Any]] = frozenset(
    {
        F.relu, F.relu_, F.relu6, F.leaky_relu, F.leaky_relu_, F.elu, F.elu_, F.selu, F.celu, F.gelu,
        F.silu, F.mish, F.hardswish, F.hardtanh, F.softplus, F.prelu, F.rrelu, F.tanh,
        torch.relu, torch.relu_, torch.tanh, torch.selu, torch.celu, torch.prelu,
        Tensor.relu, Tensor.relu_, Tensor.tanh,
    }
)  # fmt: skip
"""One value in, one value out, and small values are held back."""
_GATES: frozenset[Callable[..., Any]] = frozenset(
    {
        F.sigmoid, F.hardsigmoid, F.softmax,
        torch.sigmoid, torch.softmax, Tensor.sigmoid, Tensor.softmax,
    }
)  # fmt: skip
"""What other values are multiplied by."""


class Nonlinear(TorchFunctionMode):
    """While it is entered, nonlinearities answer as ever and send signals back by `backward`.

    `hold_gates`: sigmoids and softmaxes, by which other values are multiplied, send none.
    """

    def __init__(self, backward: Backward, *, hold_gates: bool = False) -> None:
        super().__init__()
        self._backward, self._hold = backward, hold_gates

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func in _BENT:
            entered: Tensor = args[0] if args else given.pop("input")
            # a copy, since some of them write over what they are given
            left = func(entered.detach().clone(), *args[1:], **given)
            return _Bent.apply(entered, left, self._backward)
        found = func(*args, **given)
        return found.detach() if self._hold and func in _GATES else found


class _Bent(torch.autograd.Function):
    """`left`, as if it were made from `entered`."""

    @staticmethod
    def forward(ctx: Any, entered: Tensor, left: Tensor, backward: Backward) -> Tensor:
        ctx.save_for_backward(entered)
        ctx.rule = backward
        return left.view_as(left)

    @staticmethod
    def backward(ctx: Any, *signals: Tensor) -> tuple[Tensor, None, None]:
        (entered,) = ctx.saved_tensors
        return ctx.rule(entered, signals[0]), None, None


def rectified(entered: Tensor, signal: Tensor) -> Tensor:
    """What a deconvolutional network does: the signal itself is rectified, whatever went in."""
    return signal.clamp_min(0)


def redirected(entered: Tensor, signal: Tensor) -> Tensor:
    """A silent unit may be woken: a signal that asks for more passes where ReLU would hold it back.

    Signals are gradients of a loss: those below zero ask for more (after lucid's "redirected ReLU").
    """
    return torch.where((entered > 0) | (signal < 0), signal, torch.zeros_like(signal))
