"""A net of two layers, and every number of one pass through it: its boards and its drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from striate.arithmetic.activations import ActivationName, softmax
from striate.arithmetic.backpropagation import Activate, Dense, Network, Pass
from striate.arithmetic.steps import Board, Cell, Edge, Graph, Node, row_of
from striate.types import Array

__all__ = ["TwoLayers", "Values", "boards_of", "graph_of", "values_of"]

Values: TypeAlias = dict[str, Array]
"""Every number of a pass, by the name of its board."""


@dataclass(frozen=True, slots=True)
class TwoLayers:
    """scores = W₂ · activation(W₁ x + b₁) + b₂: `w1` (hidden, inputs), `b1` (hidden,), `w2` (classes,
    hidden), `b2` (classes,)."""

    w1: Array
    b1: Array
    w2: Array
    b2: Array
    activation: ActivationName = "relu"

    @property
    def network(self) -> Network:
        """The same as layers."""
        hidden, last = Dense(self.w1, self.b1), Dense(self.w2, self.b2)
        return Network((hidden, Activate(self.activation), last))


_TITLES: tuple[tuple[str, str, str], ...] = (
    ("x", "input x", "given"),
    ("W1", "weights W₁", "given"),
    ("b1", "biases b₁", "given"),
    ("W2", "weights W₂", "given"),
    ("b2", "biases b₂", "given"),
    ("z1", "sums z₁", "forward"),
    ("a1", "hidden a₁", "forward"),
    ("z2", "scores z₂", "forward"),
    ("p", "shares p", "forward"),
    ("L", "loss L", "forward"),
    ("dz2", "∂L/∂z₂", "backward"),
    ("dW2", "∂L/∂W₂", "backward"),
    ("db2", "∂L/∂b₂", "backward"),
    ("da1", "∂L/∂a₁", "backward"),
    ("dz1", "∂L/∂z₁", "backward"),
    ("dW1", "∂L/∂W₁", "backward"),
    ("db1", "∂L/∂b₁", "backward"),
    ("dx", "∂L/∂x", "backward"),
    ("nW2", "new W₂", "after the step"),
    ("nb2", "new b₂", "after the step"),
    ("nW1", "new W₁", "after the step"),
    ("nb1", "new b₁", "after the step"),
)


def boards_of(values: Values) -> tuple[Board, ...]:
    """What is given, then what is found forward, backward and after the step."""
    boards = []
    for name, title, group in _TITLES:
        value = values[name]
        if value.ndim == 1:
            boards.append(row_of(name, title, value, given=group == "given", group=group))
        else:
            boards.append(Board(name, title, value, group == "given", group=group))
    return tuple(boards)


def values_of(x: Array, net: TwoLayers, found: Pass, after: Network) -> Values:
    """Every number of the pass, by the name of its board."""
    z1, a1, z2 = (one[0] for one in found.values[1:])
    dx, dz1, da1, dz2 = (one[0] for one in found.gradients)
    first, _, last = found.parameters
    new_first, _, new_last = (layer.parameters for layer in after.layers)
    return {
        "x": x, "W1": net.w1, "b1": net.b1, "W2": net.w2, "b2": net.b2,
        "z1": z1, "a1": a1, "z2": z2, "p": softmax(z2), "L": np.array([found.loss]),
        "dz2": dz2, "dW2": last["weight"], "db2": last["bias"], "da1": da1, "dz1": dz1,
        "dW1": first["weight"], "db1": first["bias"], "dx": dx,
        "nW2": new_last["weight"], "nb2": new_last["bias"],
        "nW1": new_first["weight"], "nb1": new_first["bias"],
    }  # fmt: skip


def graph_of(inputs: int, hidden: int, classes: int) -> Graph | None:
    """The net as nodes; None for one too large to be drawn."""
    if max(inputs, hidden, classes) > 6:
        return None
    tall = max(inputs, hidden, classes) - 1
    columns = ((inputs, "x", "x", "dx"), (hidden, "h", "a1", "da1"), (classes, "z", "z2", "dz2"))
    nodes = [
        Node(f"{letter}{i}", column, (tall - count + 1) / 2 + i, Cell(value, 0, i), Cell(slope, 0, i))
        for column, (count, letter, value, slope) in enumerate(columns)
        for i in range(count)
    ]
    nodes.append(Node("loss", 3, tall / 2, Cell("L", 0, 0)))
    edges = [
        Edge(i, inputs + j, (Cell("W1", j, i), Cell("dW1", j, i)))
        for j in range(hidden)
        for i in range(inputs)
    ]
    edges += [
        Edge(inputs + j, inputs + hidden + k, (Cell("W2", k, j), Cell("dW2", k, j)))
        for k in range(classes)
        for j in range(hidden)
    ]
    last, loss = len(nodes) - 1, Cell("L", 0, 0)
    edges += [Edge(inputs + hidden + k, last, (loss, Cell("dz2", 0, k))) for k in range(classes)]
    return Graph(
        "In each node its value, beneath it the gradient of the loss.", tuple(nodes), tuple(edges)
    )
