"""A network as numbers: its layers in order, what each is made of, and what it costs.

Whoever reads a network (a typed list, a preset, an ONNX graph, a torch module) ends with a `Network`;
whatever is told of one starts from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from striate.arithmetic.reach import Reach
from striate.arithmetic.sizes import Slide

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["BYTES", "PICTURE", "Layer", "Network", "Source", "shape_text"]

BYTES = 4
"""Of a number: float32."""

PICTURE = -1
"""The source of what reads the picture itself."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a layer gets values from: the index of a layer (or `PICTURE`), and which units of it."""

    layer: int
    rows: Reach
    columns: Reach


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    `output`: (H, W, C) of maps, (N,) of a vector, otherwise as the framework has it, without the
    batch. `places_hw`: how many rows and columns of units see different parts of the picture; 1 × 1
    for a vector. `rows`, `columns`: the window that slides, None where none does. `multiply_adds`:
    products of a weight, or of two maps, and a value. `formula`: how `params` come about. `in_place`:
    it overwrites its input, so it needs no memory. `lost_hw`: rows and columns at the end of its
    input that no window covers. `exact`: False where what it sees is only known to be no more.
    """

    name: str
    kind: str
    sources: tuple[Source, ...]
    output: tuple[int, ...]
    places_hw: SizeHW
    rows: Slide | None = None
    columns: Slide | None = None
    groups: int = 1
    params: int = 0
    filter_params: int = 0
    formula: str = ""
    multiply_adds: int = 0
    in_place: bool = False
    lost_hw: SizeHW = (0, 0)
    exact: bool = True

    @property
    def memory_bytes(self) -> int:
        """Of its output for one picture, float32."""
        return 0 if self.in_place else BYTES * prod(self.output)

    @property
    def has_weights(self) -> bool:
        """Whether papers count it as a layer: convolutions and dense layers."""
        return self.kind.startswith(("conv", "dense"))


@dataclass(frozen=True, slots=True)
class Network:
    """Layers in the order in which they run.

    `unused_params`: parameters that the model has and this pass does not use. `notes`: what a reader
    of the numbers should know.
    """

    title: str
    input_hwc: tuple[int, int, int]
    layers: tuple[Layer, ...]
    unused_params: int = 0
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @property
    def output(self) -> tuple[int, ...]:
        """The shape of the last layer's output."""
        return self.layers[-1].output if self.layers else self.input_hwc

    @property
    def params(self) -> int:
        """All parameters that are learnt."""
        return sum(layer.params for layer in self.layers) + self.unused_params

    @property
    def multiply_adds(self) -> int:
        """Of one picture."""
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def memory_bytes(self) -> int:
        """Of all outputs of one picture together, as training keeps them; float32."""
        return sum(layer.memory_bytes for layer in self.layers)

    @property
    def weights_bytes(self) -> int:
        """Of all parameters, float32."""
        return BYTES * self.params

    @property
    def depth(self) -> int:
        """Convolutions and dense layers on the longest path, as papers count: 152 for ResNet-152."""
        depths: list[int] = []
        for layer in self.layers:
            before = (depths[one.layer] for one in layer.sources if one.layer != PICTURE)
            depths.append(max(before, default=0) + layer.has_weights)
        return max(depths, default=0)

    def places_of(self, source: int) -> SizeHW:
        """Rows and columns of layer `source`, or of the picture."""
        return self.input_hwc[:2] if source == PICTURE else self.layers[source].places_hw

    def totals(self) -> dict[str, Any]:
        """Sums over all layers, JSON-ready."""
        return {
            "params": self.params,
            "multiply_adds": self.multiply_adds,
            "weights_bytes": self.weights_bytes,
            "activations_bytes": self.memory_bytes,
            "depth": self.depth,
        }


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as it is typed.

    >>> shape_text((32, 32, 10))
    '32x32x10'
    """
    return "x".join(map(str, shape))
