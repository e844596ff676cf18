from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.arithmetic.activations import ActivationName
from striate.arithmetic.gradient_check import check_gradient
from striate.arithmetic.perceptron import GATE_INPUTS, GATES, Perceptron, learn
from striate.errors import UnknownNameError, UsageError
from striate.types import Array

X = np.array(GATE_INPUTS)


def test_a_sum_by_hand() -> None:
    one = Perceptron(np.array([0.5, -1.0, 2.0]), bias=0.25, activation="linear")
    assert one(np.array([2.0, 1.0, 0.5])) == 0.5 * 2 - 1 * 1 + 2 * 0.5 + 0.25
    assert one(np.ones((4, 5, 3))).shape == (4, 5)
    assert Perceptron(np.array([1.0, 1.0]), -1.5)(X).tolist() == [0, 0, 0, 1]  # AND


@pytest.mark.parametrize("name", [n for n in get_args(ActivationName) if n not in ("softmax", "step")])
def test_its_gradients_pass_the_check(name: ActivationName) -> None:
    x, weights, bias = np.array([0.3, -1.2]), np.array([0.7, 0.4]), 0.1
    by_x, by_weights, by_bias = Perceptron(weights, bias, name).gradients(x)
    assert check_gradient(Perceptron(weights, bias, name), by_x, x).passed
    assert check_gradient(lambda a: Perceptron(a, bias, name)(x), by_weights, weights).passed
    assert check_gradient(
        lambda a: Perceptron(weights, float(a), name)(x), by_bias, np.array(bias)
    ).passed


@pytest.mark.parametrize("gate", ["and", "or"])
def test_and_and_or_are_learnt(gate: str) -> None:
    found = learn(X, np.array(GATES[gate]))
    assert found.converged
    assert found.perceptron(X).tolist() == list(GATES[gate])
    assert found.mistakes[-1] == 0
    assert sum(found.mistakes) == len(found.corrections)
    assert found.corrections[-1].weights == tuple(found.perceptron.weights)


def test_xor_is_not() -> None:
    found = learn(X, np.array(GATES["xor"]), epochs=500)
    assert not found.converged
    assert len(found.mistakes) == 500
    assert (found.perceptron(X) != GATES["xor"]).any()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_a_plane_parts_is_learnt(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, weights = rng.normal(size=(30, 3)), rng.normal(size=3)
    sums = x @ weights + 0.3
    apart: Array = np.abs(sums) > 0.2
    x, truth = x[apart], (sums[apart] >= 0).astype(int)
    if len(x):
        found = learn(x, truth, epochs=5000)
        assert found.converged
        assert (found.perceptron(x) == truth).all()


def test_the_rule_by_hand() -> None:
    found = learn(np.array([[2.0, -1.0]]), np.array([0]), rate=0.5)  # step(0) is 1: wrong once
    assert [(one.epoch, one.row, one.error, one.weights, one.bias) for one in found.corrections] == [
        (1, 0, -1, (-1.0, 0.5), -0.5)
    ]
    assert found.mistakes == (1, 0)


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(UsageError, match="as many inputs as weights"):
        Perceptron(np.ones(2))(np.ones(3))
    with pytest.raises(UsageError, match="one for each input"):
        Perceptron(np.ones((2, 2)))
    with pytest.raises(UnknownNameError):
        Perceptron(np.ones(2), activation="stop")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a 0 or a 1"):
        learn(X, np.array([0, 1, 2, 0]))
    with pytest.raises(UsageError, match="rows of numbers"):
        learn(np.zeros((0, 2)), np.zeros(0))
    with pytest.raises(UsageError, match="above 0"):
        learn(X, np.array([0, 0, 0, 1]), rate=0)
