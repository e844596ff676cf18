"""Look at the inner layers of a graph: a copy in memory whose outputs they are, run as it is used.

The package `onnx` reads and writes that copy; it is imported when a graph is opened.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from striate.errors import DataError, MissingExtraError, UnknownNameError, UsageError
from striate.explain.operators import Operator, Tap, taps
from striate.graphs import OnnxGraph
from striate.types import Array, PictureArray, SizeHW

__all__ = ["Inside", "Layer", "Unit", "Watch", "call_size"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: `shape` of its values for one picture, (C, h, w) or (C,).

    `tensor`: its name in the graph. `transposed`: stored there as (h, w, C).
    """

    name: str
    kind: str
    tensor: str
    shape: tuple[int, ...]
    is_activation: bool = False
    transposed: bool = False

    @property
    def channels(self) -> int:
        return self.shape[0]

    @property
    def places_hw(self) -> SizeHW:
        """Rows and columns of its map; (1, 1) without a map."""
        return (self.shape[1], self.shape[2]) if len(self.shape) == 3 else (1, 1)

    @property
    def is_map(self) -> bool:
        """Whether it has several places."""
        return max(self.places_hw) > 1

    @property
    def centre(self) -> tuple[int, int]:
        """Row and column of the place in its middle."""
        return self.places_hw[0] // 2, self.places_hw[1] // 2

    def arranged(self, values: Array) -> Array:
        """What the graph gave, as (B, C) or (B, C, h, w)."""
        found = values.transpose(0, 3, 1, 2) if self.transposed else values
        return found.reshape(len(found), *self.shape)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain tuning RUN --list --json`."""
        return {
            "layer": self.name,
            "kind": self.kind,
            "channels": self.channels,
            "shape": list(self.shape),
        }


@dataclass(frozen=True, slots=True)
class Unit:
    """One channel of a layer, at one place of its map."""

    layer: Layer
    channel: int
    place: tuple[int, int]

    @property
    def name(self) -> str:
        """As it is typed: LAYER:CHANNEL, with @ROW,COLUMN where it is not the place in the middle."""
        at = "" if self.place == self.layer.centre else f"@{self.place[0]},{self.place[1]}"
        return f"{self.layer.name}:{self.channel}{at}"


class Inside:
    """The layers of the ONNX graph in `data`, which takes pictures uint8 (B, h, w, 3).

    `threads` of one call; 0 lets the runtime choose. A `DataError` for a graph of another form,
    `MissingExtraError` without the package onnx.
    """

    def __init__(self, data: bytes, *, threads: int = 0) -> None:
        self._onnx = _onnx()
        self._threads = threads
        self._model = self._onnx.load_model_from_string(data)
        graph = self._model.graph
        stored = {one.name for one in graph.initializer}
        inputs = [one for one in graph.input if one.name not in stored]
        if len(inputs) != 1:
            raise DataError(f"the graph has {len(inputs)} inputs", expected="one: the pictures")
        self.input_name = str(inputs[0].name)
        sides = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim]
        if len(sides) != 4 or sides[3] != 3 or min(sides[1:3]) < 1:
            raise DataError(
                f"the graph takes arrays of the form {sides}",
                expected="pictures (batch, height, width, 3) of a size that is fixed",
            )
        self.size_hw: SizeHW = (sides[1], sides[2])
        self.output_names = tuple(str(one.name) for one in graph.output)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Those with a number for each channel, or a map of them, in the graph's order."""
        nodes = [
            Operator(node.op_type, node.name, tuple(node.input), tuple(node.output))
            for node in self._model.graph.node
        ]
        found = taps(nodes, self.input_name, self.output_names)
        probe = np.zeros((1, *self.size_hw, 3), np.uint8)
        values = self._graph([tap.tensor for tap in found])({self.input_name: probe})
        last = self._channels_last(nodes)
        made = (_layer(tap, values[tap.tensor], transposed=tap.tensor in last) for tap in found)
        return tuple(layer for layer in made if layer is not None)

    @property
    def features(self) -> Layer:
        """What the last layer with weights sees; where there is none, the first output."""
        weighing = [at for at, one in enumerate(self.layers) if one.kind == "dense"]
        named = [one for one in self.layers if one.name == "features"]
        if named:
            return named[-1]
        flat = [
            one
            for one in self.layers[: weighing[-1] if weighing else None]
            if not one.is_map and one.tensor not in self.output_names
        ]
        return flat[-1] if flat else self.layer(self.output_names[0])

    def layer(self, name: str) -> Layer:
        """By its name or, where only one has it, the end of one; else the choices are listed.

        A module of torch, `backbone.model.stage3` or `stage3`, is the last layer of the graph within it.
        """
        exact = [one for one in self.layers if name in (one.name, one.tensor)]
        ending = [one for one in self.layers if one.name.endswith(f".{name}")]
        if exact or len(ending) == 1:
            return (exact or ending)[0]
        module = name.removeprefix("backbone.").removeprefix("model.")  # which the graph leaves out
        if within := [one for one in self.layers if f"{one.name}.".startswith(f"{module}.")]:
            return within[-1]
        raise UnknownNameError("layer", name, [one.name for one in self.layers])

    def unit(self, text: str) -> Unit:
        """LAYER:CHANNEL or LAYER:CHANNEL@ROW,COLUMN; the place in the middle by default."""
        name, _, rest = text.rpartition(":")
        channel, _, place = rest.partition("@")
        if not name or not channel.isdecimal():
            choices = ", ".join(f"{one.name}:0 to {one.channels - 1}" for one in self.layers[:12])
            raise UsageError(
                f"unit {text!r} names no channel of a layer",
                expected=f"LAYER:CHANNEL, one of {choices}{' …' if len(self.layers) > 12 else ''}",
            )
        layer = self.layer(name)
        if int(channel) >= layer.channels:
            raise UsageError(
                f"layer {layer.name} has no channel {channel}",
                expected=f"{layer.name}:0 to {layer.name}:{layer.channels - 1}",
            )
        return Unit(layer, int(channel), _place(layer, place) if place else layer.centre)

    def watch(self, layers: Sequence[Layer]) -> Watch:
        """A graph that answers with the values of these layers, and computes nothing else."""
        return Watch(self._graph([one.tensor for one in layers]), self.input_name, tuple(layers))

    def _graph(self, tensors: Sequence[str]) -> OnnxGraph:
        model = self._onnx.ModelProto()
        model.CopyFrom(self._model)
        needed = set(tensors)
        kept = []
        for node in reversed(model.graph.node):
            if needed.intersection(node.output):
                needed.update(name for name in node.input if name)
                kept.append(node)
        kept = [self._onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(kept)]
        weights = [one for one in self._model.graph.initializer if one.name in needed]
        for field in ("node", "output", "value_info", "initializer"):
            model.graph.ClearField(field)
        model.graph.node.extend(kept)
        model.graph.initializer.extend(weights)
        model.graph.output.extend(
            self._onnx.ValueInfoProto(name=name) for name in dict.fromkeys(tensors)
        )
        return OnnxGraph(model.SerializeToString(), threads=self._threads)

    def _channels_last(self, nodes: Sequence[Operator]) -> set[str]:
        """Tensors whose channels lie on the last of four axes."""
        turns = {
            node.output[0]: list(one.ints)
            for node in self._model.graph.node
            if node.op_type == "Transpose"
            for one in node.attribute
        }
        last = {self.input_name}
        for node in nodes:
            if node.kind == "Transpose":
                if turns.get(node.outputs[0]) == [0, 2, 3, 1]:
                    last.add(node.outputs[0])
            elif node.kind not in _FIRST and last.intersection(node.inputs):
                last.update(node.outputs)
        return last


@dataclass(frozen=True, slots=True)
class Watch:
    """Plays pictures to some layers."""

    graph: OnnxGraph
    input_name: str
    layers: tuple[Layer, ...]

    def __call__(self, pixels: PictureArray) -> dict[str, Array]:
        """Values by layer name, float32 (B, C) or (B, C, h, w), for all of `pixels` at once."""
        found = self.graph({self.input_name: np.ascontiguousarray(pixels)})
        return {one.name: one.arranged(found[one.tensor]) for one in self.layers}

    def each(self, pixels: PictureArray) -> Iterator[tuple[slice, dict[str, Array]]]:
        """The same for any number of pictures, a few at a time: rows of `pixels`, and their values."""
        step = call_size(pixels.shape[1:3])
        for start in range(0, len(pixels), step):
            rows = slice(start, min(len(pixels), start + step))
            yield rows, self(pixels[rows])


def call_size(size_hw: tuple[int, ...]) -> int:
    """Pictures a call whose inner layers are all held: fewer of larger ones."""
    return max(4, min(128, _CALL_PIXELS // (size_hw[0] * size_hw[1])))


_CALL_PIXELS = 32 * 128 * 128
_FIRST = frozenset(
    {"Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool",
     "BatchNormalization", "InstanceNormalization", "GroupNormalization", "Reshape", "Flatten"}
)  # fmt: skip
"""Operators whose channels are always the second axis, or are no longer told apart."""


def _onnx() -> Any:
    """By name, since it is an extra: who does not look inside does not need it."""
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise MissingExtraError("onnx", "train", needed_for="looking inside a run's graph") from error


def _layer(tap: Tap, values: Array, *, transposed: bool) -> Layer | None:
    """None for what is neither numbers a channel nor a map of them."""
    if values.ndim not in (2, 4) or values.dtype.kind != "f":
        return None
    shape = values.shape[1:]
    turned = transposed and values.ndim == 4
    if turned:
        shape = (shape[2], shape[0], shape[1])
    if len(shape) == 3 and shape[1:] == (1, 1):
        shape = shape[:1]
    return Layer(tap.name, tap.kind, tap.tensor, tuple(shape), tap.is_activation, turned)


def _place(layer: Layer, text: str) -> tuple[int, int]:
    parts = text.split(",")
    height, width = layer.places_hw
    good = len(parts) == 2 and all(part.strip().isdecimal() for part in parts)
    if good and int(parts[0]) < height and int(parts[1]) < width:
        return int(parts[0]), int(parts[1])
    raise UsageError(
        f"layer {layer.name} has no place {text!r}",
        expected=f"@ROW,COLUMN up to @{height - 1},{width - 1}",
    )
