"""A forward pass whose nonlinearities send their signal back by another rule than their derivative."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
        torch.sigmoid, torch.sigmoid_, torch.softmax,
        Tensor.sigmoid, Tensor.sigmoid_, Tensor.softmax,
    }
)  # fmt: skip
"""Shares, which other values may be multiplied by."""
_PRODUCTS: frozenset[Callable[..., Any]] = frozenset(
    {
        torch.mul, torch.multiply, torch.matmul, torch.bmm, torch.einsum,
        Tensor.mul, Tensor.mul_, Tensor.multiply, Tensor.multiply_, Tensor.matmul, Tensor.bmm,
    }
)  # fmt: skip
_WEIGHED: frozenset[Callable[..., Any]] = frozenset(
    {
        F.linear, F.conv1d, F.conv2d, F.conv3d, F.conv_transpose2d, F.batch_norm, F.layer_norm,
        F.group_norm, F.instance_norm, torch.matmul, torch.bmm, torch.einsum, Tensor.matmul, Tensor.bmm,
    }
)  # fmt: skip
"""What makes new values of shares: a network whose nonlinearities are sigmoids is not all gates."""
_FORMED: frozenset[Callable[..., Any]] = frozenset(
    {Tensor.expand_as, Tensor.view_as, Tensor.reshape_as, Tensor.type_as}
)
"""What takes no more than a form from its second argument."""
_ATTENTION: frozenset[Callable[..., Any]] = frozenset(
    {F.scaled_dot_product_attention, F.multi_head_attention_forward}
)
"""A softmax of query and key, by which the value is multiplied, all in one call."""


class Nonlinear(TorchFunctionMode):
    """While it is entered, nonlinearities answer as ever and send signals back by `backward`.

    `hold_gates`: sigmoids and softmaxes by which other values of the picture are multiplied send none:
    squeeze and excitation, and attention, also in one call of torch (query and key send nothing then).
    Those that multiply nothing, such as the score of a detection, send theirs by derivative.
    """

    def __init__(self, backward: Backward, *, hold_gates: bool = False) -> None:
        super().__init__()
        self._backward, self._hold = backward, hold_gates
        self._gates: dict[int, Tensor] = {}  # held on to, so that no other tensor takes the number

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given: dict[str, Any] = dict(kwargs or {})
        if func in _BENT:
            entered: Tensor = args[0] if args else given.pop("input")
            # a copy, since some of them write over what they are given
            left = func(entered.detach().clone(), *args[1:], **given)
            return _Bent.apply(entered, left, self._backward)
        if not self._hold:
            return func(*args, **given)
        return self._holding(func, args, given)

    def _holding(self, func: Callable[..., Any], args: Sequence[Any], given: dict[str, Any]) -> Any:
        if func in _ATTENTION:
            still = [one.detach() for one in args[:2]]
            asked = {name: given[name].detach() for name in ("query", "key") if name in given}
            return func(*still, *args[2:], **(given | asked))
        seen = args[:1] if func in _FORMED else (*args, *given.values())
        alive = [one for one in _tensors(seen) if one.requires_grad]
        gates = [one for one in alive if id(one) in self._gates]
        if func in _PRODUCTS and 0 < len(gates) < len(alive):
            named = {name: self._held(one) for name, one in given.items()}
            return func(*(self._held(one) for one in args), **named)
        found = func(*args, **given)
        if func in _GATES or (gates and len(gates) == len(alive) and func not in _WEIGHED):
            self._gates.update((id(one), one) for one in _tensors((found,)) if one.requires_grad)
        return found

    def _held(self, one: Any) -> Any:
        if isinstance(one, list | tuple):
            return [self._held(each) for each in one]
        return one.detach() if id(one) in self._gates else one


def _tensors(given: Sequence[Any]) -> Iterator[Tensor]:
    for one in given:
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, list | tuple):
            yield from _tensors(one)


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
