"""The exact part of the picture that each unit of a layer of a graph sees, and where its middle lies.

The graph is cut at the layer and its receptive fields are computed (`arithmetic/receptive_field`), so
that names of layers need not agree; where that does not lead to the layer's own map, they are measured,
and the map is laid evenly over the picture.
"""

from __future__ import annotations

import importlib
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from striate.arithmetic.layers import PICTURE, Network
from striate.arithmetic.onnx_layers import layers_of_graph
from striate.arithmetic.reach import Reach
from striate.arithmetic.receptive_field import Span, fields_of, spans_of
from striate.errors import DataError, MissingExtraError, UsageError
from striate.explain.inside import Inside, Layer
from striate.explain.recording import Extent, Recorder, extents
from striate.types import SizeHW

__all__ = ["FieldGrid", "LayerFields", "fields_of_layer", "grids_of_layers", "onnx_module"]

_LARGE = 80_000
"""Bytes of weights whose shape is enough: the arithmetic reads the numbers of smaller ones."""


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
    network = _network(_without_weights(data), inside, layer)
    if network is None or network.layers[-1].places_hw != layer.places_hw:
        return None
    rows, columns = (tuple(axis[-1]) for axis in spans_of(network))
    field = fields_of(network)[-1]
    return LayerFields(layer, field.size_hw, field.exact, False, inside.size_hw, rows, columns)


def _network(model: Any, inside: Inside, layer: Layer) -> Network | None:
    """The graph as far as `layer`; None where it has operators that the arithmetic does not know."""
    with tempfile.TemporaryDirectory(prefix="striate-") as folder:
        path = Path(folder) / "cut.onnx"
        path.write_bytes(_cut(model, layer.tensor))
        try:
            return layers_of_graph(path, input_hwc=(*inside.size_hw, 3))
        except (DataError, UsageError):
            return None


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


# -- where the middle of a field lies ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldGrid:
    """The place (r, c) of a map sees the picture around `start_yx + (r, c) * step_yx`, in pixels of the
    network's input; (0, 0) is its upper left corner, (0.5, 0.5) the middle of its first pixel.

    Network dissection anchors maps by these middles (Bau et al., CVPR 2017, 2.2): a stride of 2 after a
    padding of 1 lies half a pixel off what stretching the map would give.
    """

    start_yx: tuple[float, float]
    step_yx: tuple[float, float]

    @classmethod
    def stretched(cls, places_hw: SizeHW, size_hw: SizeHW) -> FieldGrid:
        """The map laid evenly over the whole input."""
        step = (size_hw[0] / places_hw[0], size_hw[1] / places_hw[1])
        return cls((step[0] / 2, step[1] / 2), step)

    def fits(self, places_hw: SizeHW, size_hw: SizeHW) -> bool:
        """Whether a map of so many places lies about the middle of the input, and within it."""
        for start, step, places, side in zip(
            self.start_yx, self.step_yx, places_hw, size_hw, strict=True
        ):
            last = start + (places - 1) * step
            off = abs(start + last - side) / 2
            if step <= 0 or off > max(step, 1.0) or start < -2 * step or last > side + 2 * step:
                return False
        return True


def grids_of_layers(data: bytes, inside: Inside, layers: Sequence[Layer]) -> dict[str, FieldGrid]:
    """Where the places of `layers` of the graph in `data` lie, by name.

    Followed through everything that moves them; laid evenly over the input where the way is lost.
    """
    model = _without_weights(data)
    return {one.name: _grid(_network(model, inside, one), one, inside.size_hw) for one in layers}


def _grid(network: Network | None, layer: Layer, size_hw: SizeHW) -> FieldGrid:
    if network is not None:
        down, across = (_line(network, axis) for axis in (0, 1))
        start, step = (tuple(map(float, pair)) for pair in zip(down[:2], across[:2], strict=True))
        grid = FieldGrid((start[0], start[1]), (step[0], step[1]))
        if (down.places, across.places) == layer.places_hw and grid.fits(layer.places_hw, size_hw):
            return grid
    return FieldGrid.stretched(layer.places_hw, size_hw)


class _Line(NamedTuple):
    """Where unit 0 lies on one axis, the step from one to the next, and how many there are."""

    start: Fraction
    step: Fraction
    places: int


def _line(network: Network, axis: int) -> _Line:
    """Of the last layer's units, or of those before them that had places."""
    found: list[_Line] = []
    for layer in network:
        places = layer.places_hw[axis]
        ways = [
            _moved_on(
                _Line(Fraction(1, 2), Fraction(1), network.input_hwc[axis])
                if source.layer == PICTURE
                else found[source.layer],
                source.columns if axis else source.rows,
                network.places_of(source.layer)[axis],
                places,
            )
            for source in layer.sources
        ]
        # of several ways (an upsampled map and a finer one) the finest is meant
        found.append(min(ways, key=lambda one: (one.places != places, one.step)))
    return found[-1]


def _moved_on(line: _Line, reach: Reach, before: int, after: int) -> _Line:
    """Through one layer. What looks at everything leaves the line as it was: a normalisation gives the
    map back with its places, though it may have lost them on the way."""
    if not reach.step or line.places != before:
        return line
    start = line.start + line.step * _middle(reach)
    return _Line(start, line.step * Fraction(reach.step, reach.per), after)


def _middle(reach: Reach) -> Fraction:
    """What unit 0 sees, in the middle, where rounding down is made up for: it favours the first ones."""
    common = math.gcd(reach.step, reach.per)
    rounding = reach.per - common + reach.low % common + reach.high % common
    return Fraction(reach.low + reach.high - rounding, 2 * reach.per)


# -- the graph --------------------------------------------------------------------------------


def _without_weights(data: bytes) -> Any:
    """The model, of whose large weights only the shapes are kept: copied for many layers in no time."""
    model = onnx_module().load_model_from_string(data)
    for one in model.graph.initializer:
        if len(one.raw_data) > _LARGE:
            one.ClearField("raw_data")
    return model


def _cut(model: Any, tensor: str) -> bytes:
    """The graph as far as `tensor`, which becomes its only output."""
    onnx = onnx_module()
    graph, needed, kept = model.graph, {tensor}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(name for name in node.input if name)
            kept.append(node)
    found = onnx.ModelProto(
        ir_version=model.ir_version, opset_import=model.opset_import, functions=model.functions
    )
    found.graph.input.extend(graph.input)
    found.graph.node.extend(kept[::-1])
    found.graph.initializer.extend(one for one in graph.initializer if one.name in needed)
    found.graph.output.extend([onnx.ValueInfoProto(name=tensor)])
    return bytes(found.SerializeToString())


def onnx_module() -> Any:
    """The package onnx; a `MissingExtraError` without it."""
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise MissingExtraError("onnx", "train", needed_for="looking inside a run's graph") from error
