from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from striate.arithmetic.backpropagation import (
    Activate,
    Convolution,
    Dense,
    Flatten,
    LossName,
    Network,
    Pool,
    check_network,
    run_pass,
    sgd_step,
)
from striate.errors import UnknownNameError, UsageError
from striate.types import Array


def both(rng: np.random.Generator) -> tuple[Network, nn.Sequential, Array, Array]:
    """The same small network here and in torch, pictures (not square), and labels."""
    theirs = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, groups=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 3, (2, 3), dilation=(1, 2), bias=True),
        nn.Tanh(),
        nn.AvgPool2d((2, 1)),
        nn.Flatten(),
        nn.Linear(3 * 1 * 1, 5),
        nn.SiLU(),
        nn.Linear(5, 3),
    ).double()
    weights = [one.detach().numpy() for one in theirs.parameters()]
    ours = Network(
        (
            Convolution(weights[0], weights[1], padding="same", groups=2),
            Activate("relu"),
            Pool("max", 2),
            Convolution(weights[2], weights[3], dilation=(1, 2)),
            Activate("tanh"),
            Pool("average", (2, 1)),
            Flatten(),
            Dense(weights[4], weights[5]),
            Activate("silu"),
            Dense(weights[6], weights[7]),
        )
    )
    return ours, theirs, rng.normal(size=(4, 2, 6, 10)), rng.integers(0, 3, 4)


def test_values_gradients_and_a_step_are_torch_s(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    ours, theirs, x, labels = both(rng)
    found = run_pass(ours, x, labels)
    tensor = torch.tensor(x, requires_grad=True)
    nodes = [tensor]
    for layer in theirs:
        nodes.append(layer(nodes[-1]))
        nodes[-1].retain_grad()
    loss = nn.functional.cross_entropy(nodes[-1], torch.tensor(labels))
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1)
    loss.backward()
    assert found.loss == pytest.approx(loss.item())
    for value, gradient, node in zip(found.values, found.gradients, nodes, strict=True):
        assert node.grad is not None
        np.testing.assert_allclose(value, node.detach().numpy(), atol=1e-12)
        np.testing.assert_allclose(gradient, node.grad.numpy(), atol=1e-12)
    flat = [slope for one in found.parameters for slope in one.values()]
    for slope, parameter in zip(flat, theirs.parameters(), strict=True):
        assert parameter.grad is not None
        np.testing.assert_allclose(slope, parameter.grad.numpy(), atol=1e-12)
    after = sgd_step(ours, found, rate=0.1)
    before = {name: value.copy() for name, value in ours.layers[0].parameters.items()}
    optimizer.step()
    stepped = [value for one in after.layers for value in one.parameters.values()]
    for value, parameter in zip(stepped, theirs.parameters(), strict=True):
        np.testing.assert_allclose(value, parameter.detach().numpy(), atol=1e-12)
    assert run_pass(after, x, labels).loss < found.loss
    assert set(before) == {"weight", "bias"}


def test_the_gradient_check_passes_everywhere(rng: np.random.Generator) -> None:
    torch.manual_seed(1)
    ours, _, x, labels = both(rng)
    checks = check_network(ours, x[:1], labels[:1])
    expected = {f"{place}.{name}" for place in (1, 4, 8, 10) for name in ("weight", "bias")}
    assert set(checks) == {"input"} | expected
    for name, check in checks.items():
        assert check.passed, f"{name}: {check}"


@pytest.mark.parametrize(
    ("loss", "make"),
    [
        ("mse", lambda rng: rng.normal(size=(3, 2))),
        ("cross-entropy", lambda rng: rng.integers(0, 2, 3)),
        ("binary-cross-entropy", lambda rng: rng.integers(0, 2, (3, 2))),
    ],
)
def test_every_loss_is_learnt(
    loss: LossName, make: Callable[[np.random.Generator], Array], rng: np.random.Generator
) -> None:
    layers = (
        Dense(rng.normal(size=(8, 4)), np.zeros(8)),
        Activate("tanh"),
        Dense(rng.normal(size=(2, 8)), np.zeros(2)),
    )
    network, x, truth = Network(layers), rng.normal(size=(3, 4)), make(rng)
    assert all(check.passed for check in check_network(network, x, truth, loss).values())
    first = run_pass(network, x, truth, loss).loss
    for _ in range(60):
        network = sgd_step(network, run_pass(network, x, truth, loss), rate=0.1)
    assert run_pass(network, x, truth, loss).loss < 0.2 * first


def test_a_wrong_backward_pass_is_caught(rng: np.random.Generator) -> None:
    class Wrong(Dense):
        def backward(self, x: Array, upstream: Array) -> tuple[Array, dict[str, Array]]:
            return upstream @ self.weight, {"weight": upstream.T @ x, "bias": upstream.mean(axis=0)}

    network = Network((Wrong(rng.normal(size=(3, 4)), np.zeros(3)),))
    checks = check_network(network, rng.normal(size=(5, 4)), rng.integers(0, 3, 5))
    assert checks["1.weight"].passed
    assert not checks["1.bias"].passed


def test_what_cannot_be_is_said(rng: np.random.Generator) -> None:
    dense = Network((Dense(np.ones((2, 3)), np.zeros(2)),))
    with pytest.raises(UsageError, match=r"Flatten\(\) before it"):
        dense.forward(np.ones((1, 1, 1, 3)))
    with pytest.raises(UsageError, match=r"\(batch, 3\)"):
        dense.forward(np.ones((1, 4)))
    with pytest.raises(UnknownNameError, match="cross-entropy"):
        run_pass(dense, np.ones((1, 3)), np.zeros(1), "hinge")  # type: ignore[arg-type]
