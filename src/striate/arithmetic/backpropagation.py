"""A small sequential network whose every value and every gradient can be looked at.

Forward, each layer turns its input into its output; backward, each turns the gradient of its output
into that of its input and of its parameters (the chain rule, layer by layer). Nothing is changed in
place: a step of SGD gives a new network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, Self, TypeAlias

import numpy as np

from striate.arithmetic.activations import ActivationName, activation
from striate.arithmetic.convolution import Padding, conv2d, conv2d_backward
from striate.arithmetic.gradient_check import GradientCheck, check_gradient
from striate.arithmetic.losses import (
    binary_cross_entropy_of_logits,
    binary_cross_entropy_of_logits_gradient,
    categorical_cross_entropy,
    categorical_cross_entropy_gradient,
    mean_squared_error,
    mean_squared_error_gradient,
)
from striate.arithmetic.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from striate.arithmetic.windows import Fit, Pair
from striate.errors import UnknownNameError, UsageError
from striate.types import Array

__all__ = [
    "LOSSES",
    "Activate",
    "Convolution",
    "Dense",
    "Flatten",
    "Layer",
    "LossName",
    "Network",
    "Pass",
    "Pool",
    "check_network",
    "run_pass",
    "sgd_step",
]

LossName: TypeAlias = Literal["mse", "cross-entropy", "binary-cross-entropy"]
LossPair: TypeAlias = tuple[Callable[[Array, Array], float], Callable[[Array, Array], Array]]

LOSSES: Mapping[str, LossPair] = {
    "mse": (mean_squared_error, mean_squared_error_gradient),
    "cross-entropy": (categorical_cross_entropy, categorical_cross_entropy_gradient),
    "binary-cross-entropy": (
        binary_cross_entropy_of_logits,
        binary_cross_entropy_of_logits_gradient,
    ),
}
"""Value and gradient of (truth, output). Cross-entropies take logits: softmax, sigmoid are in them."""

Parameters: TypeAlias = Mapping[str, Array]


class Layer(Protocol):
    """One layer. The first axis of everything is the batch."""

    @property
    def parameters(self) -> Parameters:
        """What is learnt, by name."""
        ...

    def forward(self, x: Array) -> Array:
        """The output for input `x`."""
        ...

    def backward(self, x: Array, upstream: Array) -> tuple[Array, Parameters]:
        """The gradients with respect to x and to the parameters, given that of the output."""
        ...

    def with_parameters(self, parameters: Parameters) -> Self:
        """The same layer with other parameters."""
        ...


@dataclass(frozen=True, slots=True)
class Dense:
    """x Wᵀ + b: `weight` (outputs, inputs), `bias` (outputs,); x (B, inputs)."""

    weight: Array
    bias: Array

    @property
    def parameters(self) -> Parameters:
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x: Array) -> Array:
        if x.ndim != 2 or x.shape[1] != self.weight.shape[1]:
            raise UsageError(
                f"an input of shape {x.shape} for a dense layer of {self.weight.shape[1]} inputs",
                expected=f"(batch, {self.weight.shape[1]})",
                remedy="put Flatten() before it" if x.ndim > 2 else "",
            )
        found: Array = x @ self.weight.T + self.bias
        return found

    def backward(self, x: Array, upstream: Array) -> tuple[Array, Parameters]:
        return upstream @ self.weight, {"weight": upstream.T @ x, "bias": upstream.sum(axis=0)}

    def with_parameters(self, parameters: Parameters) -> Self:
        return replace(self, weight=parameters["weight"], bias=parameters["bias"])


@dataclass(frozen=True, slots=True)
class Convolution:
    """`conv2d` as a layer: `weight` (outputs, inputs / groups, h, w), `bias` (outputs,)."""

    weight: Array
    bias: Array
    stride: Pair = 1
    padding: Padding = 0
    dilation: Pair = 1
    groups: int = 1
    fit: Fit = "exact"

    @property
    def parameters(self) -> Parameters:
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x: Array) -> Array:
        return conv2d(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            fit=self.fit,
        )

    def backward(self, x: Array, upstream: Array) -> tuple[Array, Parameters]:
        found = conv2d_backward(
            upstream,
            x,
            self.weight,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            fit=self.fit,
        )
        return found.x, {"weight": found.weight, "bias": found.bias}

    def with_parameters(self, parameters: Parameters) -> Self:
        return replace(self, weight=parameters["weight"], bias=parameters["bias"])


@dataclass(frozen=True, slots=True)
class Pool:
    """Max or average pooling as a layer."""

    kind: Literal["max", "average"]
    size: Pair
    stride: Pair | None = None
    padding: Pair = 0
    fit: Fit = "exact"

    @property
    def parameters(self) -> Parameters:
        return {}

    def forward(self, x: Array) -> Array:
        pool = max_pool2d if self.kind == "max" else avg_pool2d
        return pool(x, self.size, stride=self.stride, padding=self.padding, fit=self.fit)

    def backward(self, x: Array, upstream: Array) -> tuple[Array, Parameters]:
        back = max_pool2d_backward if self.kind == "max" else avg_pool2d_backward
        found = back(upstream, x, self.size, stride=self.stride, padding=self.padding, fit=self.fit)
        return found, {}

    def with_parameters(self, parameters: Parameters) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class Activate:
    """An activation as a layer."""

    name: ActivationName

    @property
    def parameters(self) -> Parameters:
        return {}

    def forward(self, x: Array) -> Array:
        return activation(self.name).value(x)

    def backward(self, x: Array, upstream: Array) -> tuple[Array, Parameters]:
        return activation(self.name).backward(x, upstream), {}

    def with_parameters(self, parameters: Parameters) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class Flatten:
    """(B, C, H, W) → (B, C · H · W)."""

    @property
    def parameters(self) -> Parameters:
        return {}

    def forward(self, x: Array) -> Array:
        return x.reshape(len(x), -1)

    def backward(self, x: Array, upstream: Array) -> tuple[Array, Parameters]:
        return upstream.reshape(x.shape), {}

    def with_parameters(self, parameters: Parameters) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class Network:
    """Layers, one after the other."""

    layers: Sequence[Layer]

    def forward(self, x: Array) -> tuple[Array, ...]:
        """The input and the output of each layer, in order: one more than there are layers."""
        values = [np.asarray(x, dtype=np.float64)]
        for layer in self.layers:
            values.append(layer.forward(values[-1]))
        return tuple(values)

    def backward(
        self, values: Sequence[Array], upstream: Array
    ) -> tuple[tuple[Array, ...], tuple[Parameters, ...]]:
        """Gradients of all `values` (the same shapes), and of each layer's parameters, given that of
        the last value."""
        nodes, parameters = [upstream], []
        for layer, x in zip(reversed(self.layers), reversed(values[:-1]), strict=True):
            by_x, by_parameters = layer.backward(x, nodes[-1])
            nodes.append(by_x)
            parameters.append(by_parameters)
        return tuple(reversed(nodes)), tuple(reversed(parameters))


@dataclass(frozen=True, slots=True)
class Pass:
    """One forward and backward pass.

    `values[0]` is the input, `values[i]` the output of layer i, from 1. `gradients[i]` is
    ∂loss/∂values[i]. `parameters[i]` holds ∂loss/∂ each parameter of layer i + 1.
    """

    loss: float
    values: tuple[Array, ...] = field(repr=False)
    gradients: tuple[Array, ...] = field(repr=False)
    parameters: tuple[Parameters, ...] = field(repr=False)


def run_pass(network: Network, x: Array, truth: Array, loss: LossName = "cross-entropy") -> Pass:
    """Forward to the loss and back to the input. `truth`: labels (B,) for "cross-entropy", else numbers
    of the shape of the output."""
    value, gradient = _loss(loss)
    values = network.forward(x)
    nodes, parameters = network.backward(values, gradient(truth, values[-1]))
    return Pass(value(truth, values[-1]), values, nodes, parameters)


def sgd_step(network: Network, found: Pass, rate: float) -> Network:
    """The network after one step against the gradient: p − rate · ∂loss/∂p for every parameter."""
    return Network(
        tuple(
            layer.with_parameters(
                {name: value - rate * slopes[name] for name, value in layer.parameters.items()}
            )
            for layer, slopes in zip(network.layers, found.parameters, strict=True)
        )
    )


def check_network(
    network: Network, x: Array, truth: Array, loss: LossName = "cross-entropy"
) -> dict[str, GradientCheck]:
    """Check the gradient of the input and of every parameter: "input", "1.weight", "1.bias", …"""
    value, _ = _loss(loss)
    found = run_pass(network, x, truth, loss)

    def at_input(moved: Array) -> float:
        return value(truth, network.forward(moved)[-1])

    checks = {"input": check_gradient(at_input, found.gradients[0], x)}
    for place, layer in enumerate(network.layers):
        for name, values in layer.parameters.items():

            def at(moved: Array, place: int = place, layer: Layer = layer, name: str = name) -> float:
                other = layer.with_parameters({**layer.parameters, name: moved})
                layers = [*network.layers[:place], other, *network.layers[place + 1 :]]
                return value(truth, Network(layers).forward(x)[-1])

            checks[f"{place + 1}.{name}"] = check_gradient(at, found.parameters[place][name], values)
    return checks


def _loss(name: str) -> LossPair:
    if name not in LOSSES:
        raise UnknownNameError("loss", name, LOSSES)
    return LOSSES[name]
