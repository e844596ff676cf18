"""Activations: the functions between two linear layers, with their derivatives, stable everywhere.

All take an array of any shape and any real dtype and answer in float64. Where a derivative does not
exist (at the corner of ReLU), the value is the one that torch uses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from striate.errors import UnknownNameError, UsageError
from striate.figures import Curve, Lines
from striate.types import Array

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "ActivationName",
    "activation",
    "plot",
    "relu",
    "sigmoid",
    "softmax",
    "softmax_jacobian",
    "stack_as_one_layer",
    "tanh",
]

ActivationName: TypeAlias = Literal[
    "linear", "step", "sigmoid", "tanh", "relu", "leaky-relu", "elu", "silu", "gelu", "softmax"
]

LEAK = 0.01
"""Slope of leaky ReLU left of zero (Maas et al. 2013)."""


@dataclass(frozen=True, slots=True)
class Activation:
    """A function of one layer's sums.

    `value(x)`: the same shape as x. `backward(x, upstream)`: the gradient with respect to x, where
    `upstream` is the gradient with respect to the value. `elementwise`: each number is treated alone;
    softmax alone is not, it works along the last axis. `formula`, `note`: in text, for people.
    """

    name: ActivationName
    formula: str
    note: str
    value: Callable[[Array], Array]
    backward: Callable[[Array, Array], Array]
    elementwise: bool = True

    def derivative(self, x: Array) -> Array:
        """dvalue/dx of each number on its own, the shape of x; softmax has a Jacobian instead."""
        if not self.elementwise:
            raise UsageError(
                f"{self.name} has no derivative number by number: each output depends on all inputs",
                remedy="call softmax_jacobian(x)",
            )
        return self.backward(x, np.ones(np.shape(x)))


def activation(name: str) -> Activation:
    """The activation of that name; an `UnknownNameError` lists them."""
    if name not in ACTIVATIONS:
        raise UnknownNameError("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), in (0, 1); only e to negative powers is taken, so nothing overflows."""
    x = _floats(x)
    small = np.exp(-np.abs(x))
    found: Array = np.where(x >= 0, 1.0, small) / (1 + small)
    return found


def tanh(x: Array) -> Array:
    """(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), in (−1, 1)."""
    found: Array = np.tanh(_floats(x))
    return found


def relu(x: Array) -> Array:
    """max(0, x): what is positive stays, what is negative is lost."""
    found: Array = np.maximum(_floats(x), 0.0)
    return found


def softmax(x: Array) -> Array:
    """eˣⁱ / Σ eˣʲ along the last axis: positive, sums to 1.

    The largest x is subtracted first, which changes nothing but prevents overflow. An empty last axis
    is a `UsageError`: nothing can sum to 1.
    """
    x = _floats(x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise UsageError(f"softmax of an array of shape {x.shape}", expected="at least one number a row")
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    found: Array = powers / powers.sum(axis=-1, keepdims=True)
    return found


def softmax_jacobian(x: Array) -> Array:
    """∂softmaxᵢ/∂xⱼ = sᵢ(δᵢⱼ − sⱼ): (…, n) → (…, n, n)."""
    share = softmax(x)
    found: Array = share[..., :, None] * (np.eye(share.shape[-1]) - share[..., None, :])
    return found


def stack_as_one_layer(layers: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """The one linear layer (weight, bias) that equals all of `layers`, applied in their order.

    `layers`: (weight (out, in), bias (out,)) each. W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂): without
    an activation between them, ever so many layers are one. A `UsageError` where sizes do not chain.
    """
    if not layers:
        raise UsageError("no layers to stack", expected="at least one (weight, bias)")
    weight, bias = (_floats(part) for part in layers[0])
    for number, (next_weight, next_bias) in enumerate(layers[1:], start=2):
        if np.shape(next_weight)[1] != len(bias):
            raise UsageError(
                f"layer {number} takes {np.shape(next_weight)[1]} numbers, "
                f"but layer {number - 1} gives {len(bias)}",
                expected="as many columns in a weight as the weight before it has rows",
            )
        weight, bias = next_weight @ weight, next_weight @ bias + next_bias
    return weight, bias


def plot(name: str, *, reach: float = 5.0) -> Lines:
    """The activation and its derivative from −reach to reach, as a figure.

    Softmax needs a second number: drawn are both outputs for (x, 0), of which the first is the sigmoid.
    """
    found = activation(name)
    x = np.linspace(-reach, reach, 401)
    if found.elementwise:
        curves = [_curve(name, x, found.value), _curve("derivative", x, found.derivative)]
    else:
        both = found.value(np.stack([x, np.zeros_like(x)], axis=-1)).tolist()
        names = ("first of softmax(x, 0)", "second")
        curves = [
            Curve(one, x.tolist(), list(y))
            for one, y in zip(names, zip(*both, strict=True), strict=True)
        ]
    return Lines(name, f"{found.formula}. {found.note}", curves, "x", "value")


def _curve(name: str, x: Array, function: Callable[[Array], Array]) -> Curve:
    """With a gap at 0 where the function jumps there: the line of a step does not climb."""
    y = function(x)
    below, above = function(np.array([-1e-9, 1e-9]))
    if abs(above - below) > 1e-6:
        y[np.argmax(x >= 0)] = np.nan
    return Curve(name, x.tolist(), y.tolist())


def _floats(x: Array) -> Array:
    return np.asarray(x, dtype=np.float64)


# -- what each does, and how its gradient passes back -----------------------------------------


def _linear(x: Array) -> Array:
    return _floats(x).copy()


def _step(x: Array) -> Array:
    found: Array = np.where(_floats(x) >= 0, 1.0, 0.0)
    return found


def _leaky_relu(x: Array) -> Array:
    x = _floats(x)
    found: Array = np.where(x > 0, x, LEAK * x)
    return found


def _elu(x: Array) -> Array:
    x = _floats(x)
    found: Array = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
    return found


def _silu(x: Array) -> Array:
    found: Array = _floats(x) * sigmoid(x)
    return found


def _normal_below(x: Array) -> Array:
    """Φ(x), the share of the standard normal below x; erfc keeps its digits far to the left."""
    found: Array = np.vectorize(math.erfc, otypes=[np.float64])(-_floats(x) / math.sqrt(2)) / 2
    return found


def _gelu(x: Array) -> Array:
    found: Array = _floats(x) * _normal_below(x)
    return found


def _slope_of_elu(x: Array) -> Array:
    found: Array = np.exp(np.minimum(x, 0))
    return found


def _slope_of_silu(x: Array) -> Array:
    share = sigmoid(x)
    found: Array = share + x * share * (1 - share)
    return found


def _slope_of_gelu(x: Array) -> Array:
    found: Array = _normal_below(x) + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return found


def _slope_of_sigmoid(x: Array) -> Array:
    share = sigmoid(x)
    found: Array = share * (1 - share)
    return found


def _slope_of_tanh(x: Array) -> Array:
    found: Array = 1 - np.tanh(x) ** 2
    return found


def _slope_of_relu(x: Array) -> Array:
    found: Array = np.where(x > 0, 1.0, 0.0)
    return found


def _slope_of_leaky_relu(x: Array) -> Array:
    found: Array = np.where(x > 0, 1.0, LEAK)
    return found


def _through(slope: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    """The backward pass of an elementwise function: its slope times what comes from above."""

    def backward(x: Array, upstream: Array) -> Array:
        return slope(_floats(x)) * upstream

    return backward


def _softmax_backward(x: Array, upstream: Array) -> Array:
    share = softmax(x)
    found: Array = share * (upstream - (upstream * share).sum(axis=-1, keepdims=True))
    return found


ACTIVATIONS: Mapping[str, Activation] = {
    one.name: one
    for one in (
        Activation(
            "linear",
            "x",
            "No activation: layers stacked on it remain one linear layer",
            _linear,
            _through(np.ones_like),
        ),
        Activation(
            "step",
            "1 if x ≥ 0, else 0",
            "Rosenblatt's threshold; its derivative is 0, so nothing can be learnt through it",
            _step,
            _through(np.zeros_like),
        ),
        Activation(
            "sigmoid",
            "1 / (1 + e⁻ˣ)",
            "Squeezes into 0 to 1; its derivative is 1/4 at most and fades on both sides",
            sigmoid,
            _through(_slope_of_sigmoid),
        ),
        Activation(
            "tanh",
            "(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)",
            "A sigmoid around zero, from −1 to 1",
            tanh,
            _through(_slope_of_tanh),
        ),
        Activation(
            "relu",
            "max(0, x)",
            "Keeps what is positive, loses what is negative; the derivative at 0 is taken as 0",
            relu,
            _through(_slope_of_relu),
        ),
        Activation(
            "leaky-relu",
            f"x if x > 0, else {LEAK} x",
            "A ReLU whose left side still lets a little gradient through",
            _leaky_relu,
            _through(_slope_of_leaky_relu),
        ),
        Activation(
            "elu",
            "x if x > 0, else eˣ − 1",
            "A ReLU with a smooth left side that ends at −1 (Clevert et al. 2016)",
            _elu,
            _through(_slope_of_elu),
        ),
        Activation(
            "silu",
            "x / (1 + e⁻ˣ)",
            "x times its sigmoid, also called swish (Hendrycks and Gimpel 2016)",
            _silu,
            _through(_slope_of_silu),
        ),
        Activation(
            "gelu",
            "x Φ(x)",
            "x times the share of a normal distribution below it (Hendrycks and Gimpel 2016)",
            _gelu,
            _through(_slope_of_gelu),
        ),
        Activation(
            "softmax",
            "eˣⁱ / Σ eˣʲ",
            "Shares that sum to 1: for one answer out of several, not for several at once",
            softmax,
            _softmax_backward,
            elementwise=False,
        ),
    )
}
"""Every activation by its name."""
