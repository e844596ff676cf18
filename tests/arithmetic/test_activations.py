from __future__ import annotations

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from striate.arithmetic.activations import (
    ACTIVATIONS,
    ActivationName,
    activation,
    plot,
    relu,
    sigmoid,
    softmax,
    softmax_jacobian,
    stack_as_one_layer,
)
from striate.arithmetic.gradient_check import check_gradient
from striate.errors import UnknownNameError, UsageError
from striate.types import Array

TORCH = {
    "linear": lambda x: x * 1,
    "step": lambda x: torch.heaviside(x, torch.ones_like(x)),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky-relu": F.leaky_relu,
    "elu": F.elu,
    "silu": F.silu,
    "gelu": F.gelu,
    "softmax": lambda x: torch.softmax(x, -1),
}
POINTS = np.array([[-800.0, -30.0, -1.5, -1e-9, 0.0], [1e-9, 0.3, 2.0, 40.0, 800.0]])
numbers = arrays(
    np.float64, st.tuples(st.integers(1, 3), st.integers(1, 5)), elements=st.floats(-50, 50)
)


def test_every_name_has_an_activation() -> None:
    assert set(ACTIVATIONS) == set(get_args(ActivationName)) == set(TORCH)
    with pytest.raises(UnknownNameError, match="did you mean 'relu'"):
        activation("rellu")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_gradients_are_torch_s(name: str) -> None:
    upstream = np.linspace(-1, 2, POINTS.size).reshape(POINTS.shape)
    x = torch.tensor(POINTS, requires_grad=True)
    expected = TORCH[name](x)
    found = activation(name)
    np.testing.assert_allclose(found.value(POINTS), expected.detach().numpy(), rtol=1e-12, atol=1e-15)
    if name != "step":  # torch refuses to go back through it
        expected.backward(torch.tensor(upstream))
        assert x.grad is not None
        back = found.backward(POINTS, upstream)
        np.testing.assert_allclose(back, x.grad.numpy(), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("name", [name for name, one in ACTIVATIONS.items() if one.elementwise])
def test_derivatives_pass_the_gradient_check(name: str) -> None:
    x = np.linspace(-3, 3, 12)  # none of them at a corner
    one = activation(name)
    assert check_gradient(one.value, np.diag(one.derivative(x)), x).passed


def test_the_jacobian_of_softmax() -> None:
    x = np.array([0.5, -1.0, 2.0, 0.0])
    assert check_gradient(softmax, softmax_jacobian(x), x).passed
    with pytest.raises(UsageError, match="softmax_jacobian"):
        activation("softmax").derivative(x)
    assert softmax_jacobian(np.zeros((2, 5, 3))).shape == (2, 5, 3, 3)


@settings(deadline=None)
@given(numbers)
def test_softmax_sums_to_one_and_ignores_a_shift(x: Array) -> None:
    shares = softmax(x)
    np.testing.assert_allclose(shares.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(softmax(x + 1000), shares, atol=1e-12)
    np.testing.assert_allclose(softmax(np.stack([x, 0 * x], -1))[..., 0], sigmoid(x), atol=1e-12)


def test_shapes_and_kinds() -> None:
    for one in ACTIVATIONS.values():
        whole = np.arange(-3, 3).reshape(2, 1, 3)
        assert one.value(whole).shape == (2, 1, 3)
        assert one.value(whole).dtype == np.float64
        kept = POINTS.copy()
        one.value(kept)[...] = 7  # the answer is a new array
        assert (kept == POINTS).all()
    assert relu(np.zeros((0, 3))).shape == (0, 3)
    with pytest.raises(UsageError, match="at least one number"):
        softmax(np.zeros((3, 0)))


def test_a_stack_of_linear_layers_is_one_linear_layer(rng: np.random.Generator) -> None:
    sizes = [5, 7, 3, 4]
    layers = [(rng.normal(size=(out, into)), rng.normal(size=out)) for into, out in pairwise(sizes)]
    x = rng.normal(size=5)
    one_by_one, squashed = x, x
    for weight, bias in layers:
        one_by_one = weight @ one_by_one + bias
        squashed = relu(weight @ squashed + bias)
    weight, bias = stack_as_one_layer(layers)
    assert weight.shape == (4, 5)
    np.testing.assert_allclose(weight @ x + bias, one_by_one)
    assert not np.allclose(weight @ x + bias, squashed)  # an activation between them is what it takes
    with pytest.raises(UsageError, match="layer 2 takes 5 numbers, but layer 1 gives 7"):
        stack_as_one_layer([layers[0], layers[0]])
    with pytest.raises(UsageError, match="no layers"):
        stack_as_one_layer([])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_plots(name: str) -> None:
    figure = plot(name, reach=2.0)
    assert len(figure.curves) == 2
    value = figure.curves[0]
    assert (value.x[0], value.x[-1]) == (-2.0, 2.0)
    assert ACTIVATIONS[name].formula in figure.caption


def test_the_line_of_a_step_does_not_climb() -> None:
    y = np.array(plot("step").curves[0].y)
    assert np.isnan(y).sum() == 1
    assert set(y[np.isfinite(y)]) == {0.0, 1.0}
    assert not np.isnan(plot("linear", reach=1e6).curves[0].y).any()
    assert np.isnan(plot("relu").curves[1].y).sum() == 1
