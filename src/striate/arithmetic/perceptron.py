"""The perceptron: a weighted sum, a bias, an activation; and Rosenblatt's rule to learn it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from striate.arithmetic.activations import ActivationName, activation
from striate.errors import UsageError
from striate.types import Array

__all__ = ["GATES", "GATE_INPUTS", "Correction", "Learning", "Perceptron", "learn"]

GATE_INPUTS: tuple[tuple[int, int], ...] = ((0, 0), (0, 1), (1, 0), (1, 1))
GATES: Mapping[str, tuple[int, ...]] = {"and": (0, 0, 0, 1), "or": (0, 1, 1, 1), "xor": (0, 1, 1, 0)}
"""Truths for `GATE_INPUTS`. A line parts the ones from the zeros of AND and of OR, none those of XOR."""


@dataclass(frozen=True, slots=True)
class Perceptron:
    """activation(Σ xᵢ wᵢ + b): `weights` (n,), `bias` b."""

    weights: Array
    bias: float = 0.0
    activation: ActivationName = "step"

    def __post_init__(self) -> None:
        activation(self.activation)
        if np.ndim(self.weights) != 1 or np.size(self.weights) == 0:
            raise UsageError(
                f"weights of shape {np.shape(self.weights)}", expected="one for each input, (n,)"
            )

    def sums(self, x: Array) -> Array:
        """Σ xᵢ wᵢ + b: (…, n) → (…)."""
        x = np.asarray(x, dtype=np.float64)
        if x.ndim == 0 or x.shape[-1] != len(self.weights):
            raise UsageError(
                f"{x.shape[-1] if x.ndim else 'one bare'} inputs for {len(self.weights)} weights",
                expected="as many inputs as weights",
            )
        found: Array = x @ np.asarray(self.weights, dtype=np.float64) + self.bias
        return found

    def __call__(self, x: Array) -> Array:
        """The answer, (…, n) → (…)."""
        return activation(self.activation).value(self.sums(x))

    def gradients(self, x: Array) -> tuple[Array, Array, Array]:
        """Of the answer to one x (n,), with respect to x, to the weights and to the bias."""
        slope = activation(self.activation).derivative(self.sums(x))
        by_weights: Array = slope * np.asarray(x, dtype=np.float64)
        by_x: Array = slope * np.asarray(self.weights, dtype=np.float64)
        return by_x, by_weights, slope


@dataclass(frozen=True, slots=True)
class Correction:
    """One row that was answered wrongly, and the weights after the correction.

    `error`: truth − answer, 1 or −1. `epoch` from 1, `row` from 0.
    """

    epoch: int
    row: int
    error: int
    weights: tuple[float, ...]
    bias: float


@dataclass(frozen=True, slots=True)
class Learning:
    """What came of it. `converged`: a whole epoch without a mistake. `mistakes`: how many in each
    epoch."""

    perceptron: Perceptron
    converged: bool
    mistakes: tuple[int, ...]
    corrections: tuple[Correction, ...]


def learn(x: Array, truth: Array, *, rate: float = 1.0, epochs: int = 100) -> Learning:
    """Rosenblatt's rule (1958): after each wrong answer w ← w + rate · error · x, b ← b + rate · error.

    `x` (rows, n), `truth` (rows,) of 0 and 1. It starts from zeros, passes the rows in their order, and
    stops after an epoch without a mistake, which comes if and only if a line (plane) can part the two
    (Novikoff 1962); else after `epochs`.
    """
    x, truth = np.asarray(x, dtype=np.float64), np.asarray(truth)
    if x.ndim != 2 or x.size == 0 or truth.shape != (len(x),) or not np.isin(truth, (0, 1)).all():
        raise UsageError(
            f"inputs of shape {x.shape} with truths {truth.tolist()[:8]}",
            expected="rows of numbers, and a 0 or a 1 for each row",
        )
    if rate <= 0 or epochs < 1:
        raise UsageError(f"rate {rate} and {epochs} epochs", expected="a rate above 0, epochs from 1")
    found = Perceptron(np.zeros(x.shape[1]))
    mistakes: list[int] = []
    corrections: list[Correction] = []
    while len(mistakes) < epochs and (not mistakes or mistakes[-1]):
        before = len(corrections)
        for row in range(len(x)):
            error = int(truth[row]) - int(found(x[row]))
            if error:
                found = _corrected(found, rate * error, x[row])
                weights = tuple(float(one) for one in found.weights)
                corrections.append(Correction(len(mistakes) + 1, row, error, weights, found.bias))
        mistakes.append(len(corrections) - before)
    return Learning(found, mistakes[-1] == 0, tuple(mistakes), tuple(corrections))


def _corrected(one: Perceptron, change: float, x: Array) -> Perceptron:
    return Perceptron(one.weights + change * x, one.bias + change, one.activation)
