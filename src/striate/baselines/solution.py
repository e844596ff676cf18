"""A fitted learner: how it scores, in NumPy or by its library, and as graph nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from striate.features.vectors.writer import GraphWriter
from striate.types import Array

__all__ = ["Budget", "Dense", "Scale", "Solution"]


class Solution(Protocol):
    """What a learner found. Scores are logits of classes or labels, or the numbers themselves."""

    @property
    def said(self) -> str:
        """What was chosen and on what grounds, one sentence."""
        ...

    def scores(self, vectors: Array) -> Array:
        """(N, K) for vectors (N, D), by the library that fitted it."""
        ...

    def write(self, graph: GraphWriter, vectors: str) -> str:
        """The same as nodes: the name of the scores (B, K)."""
        ...


class Budget(Protocol):
    """Says when time is up. A learner asks between its steps, and then keeps what it has."""

    def __call__(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and spread of each number of a vector."""

    mean: Array
    std: Array

    @classmethod
    def of(cls, vectors: Array) -> Scale:
        """Of `vectors` (N, D); numbers that never change keep their size."""
        std = vectors.std(axis=0, dtype=np.float64)
        # a number that hardly ever changes must not become a loud one when it does
        floor = max(1e-8, 1e-3 * float(std.max(initial=0.0)))
        return cls(
            vectors.mean(axis=0, dtype=np.float64).astype(np.float32),
            np.where(std > floor, std, max(floor, 1.0 if floor <= 1e-8 else floor)).astype(np.float32),
        )

    def apply(self, vectors: Array) -> Array:
        """(x − mean) / std, float32."""
        found: Array = vectors - self.mean
        found /= self.std
        return found


@dataclass(frozen=True, slots=True)
class Dense:
    """Layers of weights (outputs, inputs) and bias, with a ReLU between; a linear model has one.

    The first layer takes vectors as they are: the scale is folded into it.
    """

    layers: Sequence[tuple[Array, Array]]
    said: str = ""

    @classmethod
    def folded(cls, layers: Sequence[tuple[Array, Array]], scale: Scale, said: str) -> Dense:
        """From layers that were fitted on scaled vectors."""
        weight, bias = (part.astype(np.float64) for part in layers[0])
        first = weight / scale.std
        moved = bias - first @ scale.mean.astype(np.float64)
        rest = [(w.astype(np.float32), b.astype(np.float32)) for w, b in layers[1:]]
        return cls([(first.astype(np.float32), moved.astype(np.float32)), *rest], said)

    def scores(self, vectors: Array) -> Array:
        """(N, K)."""
        value = vectors
        for index, (weight, bias) in enumerate(self.layers):
            value = (np.maximum(value, 0) if index else value) @ weight.T + bias
        return value

    def write(self, graph: GraphWriter, vectors: str) -> str:
        """The nodes."""
        value = vectors
        for index, (weight, bias) in enumerate(self.layers):
            value = graph.add("Relu", [value]) if index else value
            parts = [value, graph.constant(weight), graph.constant(bias)]
            value = graph.add("Gemm", parts, {"transB": 1})
        return value
