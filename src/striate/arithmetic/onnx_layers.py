"""The layers of an ONNX graph, read without running it.

What depends on constants alone (shapes, mostly) is computed; all else is followed by shape. `onnx` is
imported when a graph is read.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from striate.arithmetic.axes import Axes, Shape
from striate.arithmetic.layers import Network
from striate.arithmetic.onnx_nodes import Constant, Node, Weights
from striate.arithmetic.onnx_operations import HANDLERS, POINTWISE
from striate.arithmetic.tracing import Tracer
from striate.arithmetic.values import Value
from striate.errors import DataError, MissingExtraError, UsageError

__all__ = ["layers_of_graph"]

_SMALL = 10_000
"""Numbers up to which a constant is computed; larger ones are weights, whose shape is enough."""
_CHANNELS = (1, 3, 4)


def layers_of_graph(
    path: str | os.PathLike[str],
    *,
    input_hwc: tuple[int, int, int] | None = None,
    title: str = "",
) -> Network:
    """The network in the ONNX file `path`, for one picture.

    `input_hwc`: where the graph leaves the size open. Errors: `DataError` for a file that is no ONNX
    graph of one picture, `UsageError` for a size that it does not take, `MissingExtraError` without
    the package onnx.
    """
    onnx = _onnx()
    file = Path(path)
    try:
        model = onnx.load(str(file), load_external_data=False)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {file}") from error
    except Exception as error:  # of protobuf, which is not ours to name
        raise DataError(
            f"{file.name} is not an ONNX graph: {str(error).splitlines()[0] if str(error) else error!r}"
        ) from error
    try:
        return _Reader(onnx, model, input_hwc, title or file.name).read()
    except onnx.shape_inference.InferenceError as error:
        raise UsageError(
            f"a picture of that size does not run through {file.name}: {str(error).splitlines()[0]}",
            remedy="give another --input",
        ) from error


def _onnx() -> Any:
    """By name, since it is an extra: what has no graph to read does not need it."""
    try:
        found = importlib.import_module("onnx")
        importlib.import_module("onnx.shape_inference")
        importlib.import_module("onnx.reference")
    except ImportError as error:
        raise MissingExtraError("onnx", "train", needed_for="reading the layers of a graph") from error
    return found


class _Reader:
    """Walks the nodes in order and knows of each tensor its type, and what it is."""

    def __init__(
        self, onnx: Any, model: Any, input_hwc: tuple[int, int, int] | None, title: str
    ) -> None:
        self.onnx, self.graph, self.title = onnx, model.graph, title
        self.opsets = {one.domain: one.version for one in model.opset_import}
        self.imports, self.ir_version = list(model.opset_import), model.ir_version
        self.types: dict[str, Any] = {}
        self.known: dict[str, Value | Constant] = {}
        self.tensors: dict[str, Any] = {}
        self.sizes = self._initializers()
        self.weights = Weights(self.sizes)
        self.chosen: set[str] = set()
        self.tracer = self._enter(input_hwc)

    def read(self) -> Network:
        """Follow all nodes."""
        for node in self.graph.node:
            if any(name in self.chosen for name in node.input):
                self._choose(node)
            elif any(isinstance(self.known.get(name), Value) for name in node.input):
                self._follow(node)
            else:
                self._compute(node)
        if not self.tracer.layers:
            raise DataError(f"{self.title} has no layers that depend on its picture")
        network = self.tracer.build(self.title, notes=(_FOLDED,))
        return replace(network, layers=_without_common_scope(network))

    # -- what comes in ------------------------------------------------------------------------

    def _initializers(self) -> dict[str, int]:
        """All weights; of those that can be learnt, how many numbers they are."""
        floats = {
            self.onnx.TensorProto.FLOAT,
            self.onnx.TensorProto.FLOAT16,
            self.onnx.TensorProto.BFLOAT16,
            self.onnx.TensorProto.DOUBLE,
        }
        sizes = {}
        for tensor in self.graph.initializer:
            shape = tuple(tensor.dims)
            learnt = tensor.data_type in floats
            if learnt:
                sizes[tensor.name] = prod(shape)
            inside = tensor.data_location != self.onnx.TensorProto.EXTERNAL
            values = None
            if prod(shape) <= _SMALL and inside:
                values = self.onnx.numpy_helper.to_array(tensor)
                self.tensors[tensor.name] = tensor
            weights = frozenset({tensor.name}) if learnt else frozenset()
            self.known[tensor.name] = Constant(shape, values, weights)
            self.types[tensor.name] = self.onnx.helper.make_tensor_type_proto(tensor.data_type, shape)
        return sizes

    def _enter(self, input_hwc: tuple[int, int, int] | None) -> Tracer:
        inputs = [one for one in self.graph.input if one.name not in self.known]
        pictures = [one for one in inputs if len(one.type.tensor_type.shape.dim) == 4]
        if len(pictures) != 1:
            shapes = [f"{one.name} {_dims(one)}" for one in inputs]
            raise DataError(
                f"the inputs of {self.title} are {', '.join(shapes) or 'none'}",
                expected="one input of four dimensions: a batch of pictures",
            )
        (picture,) = pictures
        for other in inputs:
            if other is not picture:  # proposals beside the picture, say
                self._beside(other)
        dims = _dims(picture)
        last = dims[3] in _CHANNELS and dims[1] not in _CHANNELS
        size = _size(dims, last, input_hwc, self.title)
        height, width, channels = size
        shape: Shape = (1, height, width, channels) if last else (1, channels, height, width)
        axes = Axes(1, 2, (height, width)) if last else Axes(2, 3, (height, width))
        tracer = Tracer(size)
        self.known[picture.name] = tracer.picture(shape, axes)
        kind = picture.type.tensor_type.elem_type
        self.types[picture.name] = self.onnx.helper.make_tensor_type_proto(kind, shape)
        return tracer

    def _beside(self, given: Any) -> None:
        """A further input: of its size, with one row for open dimensions."""
        shape = tuple(1 if dim is None else dim for dim in _dims(given))
        kind = given.type.tensor_type.elem_type
        self.types[given.name] = self.onnx.helper.make_tensor_type_proto(kind, shape)
        self.known[given.name] = Constant(shape, None, frozenset())

    # -- nodes --------------------------------------------------------------------------------

    def _compute(self, node: Any) -> None:
        """What depends on constants alone."""
        inputs = [self.known.get(name) for name in node.input]
        if node.op_type == "Identity" and node.input[0] in self.sizes:
            self._twin(node)  # an exporter's way to store equal weights once
            return
        if node.op_type in ("Shape", "Size"):
            self._infer(node)
            self._measure(node)
            return
        weights = frozenset().union(*(one.weights for one in inputs if isinstance(one, Constant)))
        ready = all(name in self.tensors or not name for name in node.input)
        self._infer(node)
        small = all(prod(self._shape(name)) <= _SMALL for name in node.output)
        if ready and small:
            run = self.onnx.reference.ReferenceEvaluator(node, opsets=self.opsets)
            arrays = {name: self._array(name) for name in node.input if name}
            for name, array in zip(node.output, run.run(None, arrays), strict=True):
                self._keep(name, np.asarray(array), weights)
            return
        for name in node.output:
            self.known[name] = Constant(self._shape(name), None, weights)

    def _twin(self, node: Any) -> None:
        """Equal numbers are one weight, used twice: a head that sees several maps. If all are ones or
        zeros, they are weights of their own: two layers before training.
        """
        (first,), (name,) = node.input, node.output
        given = self.known[first]
        assert isinstance(given, Constant)
        self.types[name] = self.types[first]
        weights = given.weights
        if self._all_alike(first):
            weights, self.sizes[name] = frozenset({name}), self.sizes[first]
        self.known[name] = Constant(given.shape, given.values, weights)
        if first in self.tensors:
            self.tensors[name] = self.tensors[first]

    def _all_alike(self, name: str) -> bool:
        tensor = next((one for one in self.graph.initializer if one.name == name), None)
        if tensor is None or tensor.data_location == self.onnx.TensorProto.EXTERNAL:
            return False
        values = self.onnx.numpy_helper.to_array(tensor)
        return bool((values == values.flat[0]).all()) if values.size else True

    def _keep(self, name: str, array: Any, weights: frozenset[str] = frozenset()) -> None:
        self.known[name] = Constant(tuple(array.shape), array, weights)
        self.tensors[name] = self.onnx.numpy_helper.from_array(array, name)

    def _array(self, name: str) -> Any:
        found = self.known[name]
        assert isinstance(found, Constant)
        return found.values

    def _choose(self, node: Any) -> None:
        """What depends on how many answers there were: no layer, until they are written into a table."""
        table = node.input[0]
        if node.op_type not in _WRITERS or table in self.chosen:
            self.chosen.update(node.output)
            return
        self.types[node.output[0]] = self.types[table]
        written = [
            one for one in (self.known.get(name) for name in node.input) if isinstance(one, Value)
        ]
        if not written:  # an empty table that only remembers what was chosen
            self.known[node.output[0]] = Constant(self._shape(table), None, frozenset())
            return
        kind = node.op_type.lower()
        self.known[node.output[0]] = self.tracer.unknown(kind, written, self._shape(table), name=kind)

    def _measure(self, node: Any) -> None:
        """The size of a tensor, as a tensor."""
        found = self.known[node.input[0]]
        shape = np.array(found.shape, np.int64)
        if node.op_type == "Size":
            shape = np.array(prod(found.shape), np.int64)
        else:
            read = _attributes(self.onnx, node)
            shape = shape[read.get("start", 0) : read.get("end")]
        self._keep(node.output[0], shape)

    def _follow(self, node: Any) -> None:
        """What depends on the picture."""
        self._infer(node)
        if node.op_type in _CHOOSERS:
            self.chosen.update(node.output)
            return
        if node.op_type in ("Shape", "Size"):
            self._measure(node)
            return
        outputs = [name for name in node.output if name]
        one = Node(
            op=node.op_type
            if not node.domain or node.domain == "ai.onnx"
            else f"{node.domain}.{node.op_type}",
            scope=_scope(node.name),
            inputs=tuple(self.known.get(name) for name in node.input),
            attributes=_attributes(self.onnx, node),
            shapes=tuple(self._shape(name) for name in outputs),
        )
        found_values = self._handle(one)
        many = found_values if isinstance(found_values, list) else [found_values] * len(outputs)
        for name, value in zip(outputs, many, strict=True):
            self.known[name] = value

    def _handle(self, node: Node) -> Value | list[Value]:
        handle = HANDLERS.get(node.op)
        usual = bool(node.inputs) and isinstance(node.inputs[0], Value)
        if handle is not None and (usual or node.op in _ANYWHERE):
            return handle(self.tracer, self.weights, node)
        kind = node.op.lower()
        return self.tracer.unknown(kind, node.values, node.shape, name=node.name(kind))

    def _infer(self, node: Any) -> None:
        """Types of the outputs, by onnx's own inference for this one node."""
        version = self.opsets.get(node.domain, self.opsets.get("", 1))
        try:
            schema = self.onnx.defs.get_schema(node.op_type, version, node.domain)
        except self.onnx.defs.SchemaError as error:
            raise DataError(
                f"{self.title} has an operator that ONNX does not define: {node.domain}.{node.op_type}"
            ) from error
        types = {name: self.types[name] for name in node.input if name}
        data = {name: self.tensors[name] for name in node.input if name in self.tensors}
        found = self.onnx.shape_inference.infer_node_outputs(
            schema, node, types, data, opset_imports=self.imports, ir_version=self.ir_version
        )
        self.types.update(found)

    def _is_open(self, name: str) -> bool:
        """Whether the sizes of a tensor are not known."""
        found = self.types[name].tensor_type if name in self.types else None
        return (
            found is None
            or not found.HasField("shape")
            or any(not dim.HasField("dim_value") for dim in found.shape.dim)
        )

    def _shape(self, name: str) -> Shape:
        found = self.types[name].tensor_type if name in self.types else None
        dims = [dim.dim_value for dim in found.shape.dim] if found is not None else []
        if self._is_open(name):
            raise DataError(
                f"the shape of {name} in {self.title} depends on values, not on sizes alone",
                expected="a graph whose shapes follow from its input's",
            )
        return tuple(dims)


_ANYWHERE = POINTWISE | {"Concat", "MatMul", "Gemm", "Conv", "ConvTranspose", "Gather", "Einsum"}
"""Operators any of whose inputs may be the one that depends on the picture."""
_CHOOSERS = {"NonMaxSuppression", "NonZero", "Unique"}
"""Operators that answer as many rows as they find."""
_WRITERS = {"ScatterElements", "ScatterND"}
_FOLDED = "read from the exported graph: normalisation may be folded into the weights before it"


def _dims(value: Any) -> list[int | None]:
    """The input's dimensions; None for those that are open."""
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.dim_value > 0 else None for dim in dims]


def _size(
    dims: list[int | None], last: bool, given: tuple[int, int, int] | None, title: str
) -> tuple[int, int, int]:
    """The input's height, width and channels: the graph's own, completed by what was given."""
    own = (dims[1], dims[2], dims[3]) if last else (dims[2], dims[3], dims[1])
    if given is not None:
        if any(mine not in (None, theirs) for mine, theirs in zip(own, given, strict=True)):
            raise UsageError(
                f"{title} does not take {given[0]}×{given[1]}×{given[2]}",
                expected="×".join("any" if one is None else str(one) for one in own),
            )
        return given
    height, width, channels = own
    if height is None or width is None or channels is None:
        raise UsageError(
            f"{title} leaves the size of its input open", expected="--input HEIGHTxWIDTHxCHANNELS"
        )
    return height, width, channels


def _attributes(onnx: Any, node: Any) -> dict[str, Any]:
    """Numbers, lists of numbers and texts by name."""
    found = {}
    for one in node.attribute:
        value = onnx.helper.get_attribute_value(one)
        found[one.name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return found


def _scope(name: str) -> str:
    """`/model/layer1/layer1.0/conv1/Conv` as `model.layer1.0.conv1`."""
    parts = [part for part in name.split("/")[:-1] if part]
    found: list[str] = []
    for index, part in enumerate(parts):
        if index + 1 < len(parts) and parts[index + 1].startswith(f"{part}."):
            continue
        found.append(part)
    return ".".join(found)


def _without_common_scope(network: Network) -> tuple[Any, ...]:
    """Layers without the words that all longer names start with."""
    names = [layer.name.split(".") for layer in network]
    shared = 0
    while len({tuple(name[: shared + 1]) for name in names if len(name) > shared + 1}) == 1:
        shared += 1
        prefix = next(name[:shared] for name in names if len(name) > shared)
    if not shared:
        return network.layers
    cut = len(".".join(prefix)) + 1
    start = ".".join(prefix) + "."
    return tuple(
        replace(layer, name=layer.name[cut:]) if layer.name.startswith(start) else layer
        for layer in network
    )
