"""The exact part of the picture that each unit of a layer of a graph sees.

The graph is cut at the layer and its receptive fields are computed (`arithmetic/receptive_field`), so
that names of layers need not agree; where that does not lead to the layer's own map, they are measured.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.arithmetic.onnx_layers import layers_of_graph
from striate.arithmetic.receptive_field import Span, fields_of, spans_of
from striate.errors import DataError, MissingExtraError, UsageError
from striate.explain.inside import Inside, Layer
from striate.explain.recording import Extent, Recorder, extents
from striate.types import SizeHW

__all__ = ["LayerFields", "fields_of_layer"]


@dataclass(frozen=True, slots=True)
class LayerFields:
    """What the units of `layer` see: pixels by row and by column of its map.

    `size_hw`: of the unit that sees most, padding included. `exact`: False where a unit may see less;
    `measured`: every unit was taken to see what the one in the middle was found to.
    """

    layer: Layer
    size_hw: SizeHW
    exact: bool
    measured: bool
    picture_hw: SizeHW
    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    def of(self, place: tuple[int, int]) -> Extent:
        """What the unit at (row, column) sees; the whole picture where it sees nothing but padding."""
        down, across = self.rows[place[0]], self.columns[place[1]]
        if down.first > down.last or across.first > across.last:
            return Extent(0, 0, *self.picture_hw)
        return Extent(down.first, across.first, down.last + 1, across.last + 1)

    @property
    def whole(self) -> bool:
        """Whether every unit sees the whole picture."""
        height, width = self.picture_hw
        return all(one == (0, height - 1) for one in self.rows) and all(
            one == (0, width - 1) for one in self.columns
        )


def fields_of_layer(data: bytes, inside: Inside, layer: Layer) -> LayerFields:
    """The receptive fields of `layer` of the ONNX graph in `data`, which `inside` was made from."""
    if not layer.is_map:
        height, width = inside.size_hw
        whole = (Span(0, height - 1),), (Span(0, width - 1),)
        return LayerFields(layer, inside.size_hw, True, False, inside.size_hw, *whole)
    return _computed(data, inside, layer) or _measured(inside, layer)


def _computed(data: bytes, inside: Inside, layer: Layer) -> LayerFields | None:
    with tempfile.TemporaryDirectory(prefix="striate-") as folder:
        path = Path(folder) / "cut.onnx"
        path.write_bytes(_cut(data, layer.tensor))
        try:
            network = layers_of_graph(path, input_hwc=(*inside.size_hw, 3))
        except (DataError, UsageError):  # operators that the arithmetic does not know
            return None
    last = network.layers[-1]
    if last.places_hw != layer.places_hw:
        return None
    rows, columns = (tuple(axis[-1]) for axis in spans_of(network))
    field = fields_of(network)[-1]
    return LayerFields(layer, field.size_hw, field.exact, False, inside.size_hw, rows, columns)


def _measured(inside: Inside, layer: Layer) -> LayerFields:
    """As the unit in the middle, moved by the map's mean step, and cut to the picture."""
    middle = extents(Recorder(inside, [layer]))[layer.name]
    rows = _moved(middle.top, middle.bottom, layer.places_hw[0], inside.size_hw[0])
    columns = _moved(middle.left, middle.right, layer.places_hw[1], inside.size_hw[1])
    return LayerFields(layer, middle.size_hw, False, True, inside.size_hw, rows, columns)


def _moved(first: int, end: int, places: int, side: int) -> tuple[Span, ...]:
    found: Sequence[int] = [round((at - places // 2) * side / places) for at in range(places)]
    return tuple(
        Span(min(max(0, first + by), side - 1), max(0, min(side, end + by) - 1)) for by in found
    )


def _cut(data: bytes, tensor: str) -> bytes:
    """The graph as far as `tensor`, which becomes its only output."""
    onnx = _onnx()
    model = onnx.load_model_from_string(data)
    graph, needed, kept = model.graph, {tensor}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(name for name in node.input if name)
            kept.append(onnx.NodeProto.FromString(node.SerializeToString()))
    weights = [one for one in graph.initializer if one.name in needed]
    stored = [onnx.TensorProto.FromString(one.SerializeToString()) for one in weights]
    for field in ("node", "output", "value_info", "initializer"):
        graph.ClearField(field)
    graph.node.extend(kept[::-1])
    graph.initializer.extend(stored)
    graph.output.extend([onnx.ValueInfoProto(name=tensor)])
    return bytes(model.SerializeToString())


def _onnx() -> Any:
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise MissingExtraError("onnx", "train", needed_for="looking inside a run's graph") from error
