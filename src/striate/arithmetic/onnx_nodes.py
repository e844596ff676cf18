"""One operator of an ONNX graph, as it is known while the graph is followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from striate.arithmetic.axes import Shape
from striate.arithmetic.values import Value
from striate.types import Array

__all__ = ["Constant", "Node", "Weights"]

_MODULES = frozenset(
    {
        "Conv", "ConvTranspose", "Gemm", "BatchNormalization", "LayerNormalization",
        "InstanceNormalization", "GroupNormalization", "MaxPool", "AveragePool", "Relu", "LeakyRelu",
        "PRelu", "Elu", "HardSwish", "HardSigmoid", "Clip", "Gelu", "GlobalAveragePool",
    }
)  # fmt: skip
"""Operators that are modules of their own where networks are written."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor that does not depend on the picture. `values`: None where it is large.

    `weights`: names of the initializers that it is made of.
    """

    shape: Shape
    values: Array | None
    weights: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: its inputs as they are known (None for one left out), and its output shapes."""

    op: str
    scope: str
    inputs: tuple[Value | Constant | None, ...]
    attributes: Mapping[str, Any]
    shapes: tuple[Shape, ...]

    @property
    def shape(self) -> Shape:
        """Of the first output."""
        return self.shapes[0]

    @property
    def values(self) -> list[Value]:
        """The inputs that depend on the picture."""
        return [one for one in self.inputs if isinstance(one, Value)]

    @property
    def constants(self) -> list[Constant]:
        """The inputs that do not."""
        return [one for one in self.inputs if isinstance(one, Constant)]

    @property
    def first(self) -> Value:
        """The first input, which depends on the picture."""
        found = self.inputs[0]
        assert isinstance(found, Value), self.op
        return found

    def numbers(self, index: int) -> list[int] | None:
        """Input `index` as whole numbers, if it is a known constant."""
        if index >= len(self.inputs):
            return None
        found = self.inputs[index]
        if not isinstance(found, Constant) or found.values is None:
            return None
        return [int(one) for one in found.values.reshape(-1)]

    def name(self, kind: str) -> str:
        """That of the scope; an operation that is no module of its own is named too."""
        if self.op in _MODULES:
            return self.scope or kind
        return f"{self.scope}.{kind}" if self.scope else kind


class Weights:
    """Counts what is learnt, each initializer once."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self._counted: set[str] = set()

    def take(self, *constants: Constant | Value | None) -> int:
        """Numbers behind these constants that were not counted before."""
        fresh: set[str] = set()
        for one in constants:
            if isinstance(one, Constant):
                fresh |= one.weights - self._counted
        self._counted |= fresh
        return sum(self._sizes[name] for name in fresh)
