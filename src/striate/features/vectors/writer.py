"""A graph under construction: nodes are added one by one, names are made up, constants are shared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from striate.types import Array, SizeHW

__all__ = ["OPSET", "GraphWriter"]

OPSET, ML_OPSET = 18, 3
PICTURES = "pictures"


class GraphWriter:
    """Collects the nodes of one ONNX graph that takes uint8 "pictures" (B, H, W, 3).

    `channels`: 1 to look at them in grey.
    """

    def __init__(self, size_hw: SizeHW, channels: Literal[1, 3] = 3) -> None:
        self.size_hw, self.channels = size_hw, channels
        self._nodes: list[Any] = []
        self._planes, self._luminance = "", ""
        self._constants: dict[tuple[str, tuple[int, ...], bytes], tuple[str, Array]] = {}

    def constant(self, value: Array | float | Sequence[float], dtype: Any = np.float32) -> str:
        """The name of a constant; equal constants are one."""
        array = np.ascontiguousarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        return self._constants.setdefault(key, (f"c{len(self._constants)}", array))[0]

    def integers(self, *values: int) -> str:
        """A constant vector of int64: axes, shapes, bounds."""
        return self.constant(values, np.int64)

    def add(
        self,
        operation: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Any] | None = None,
        *,
        domain: str = "",
        name: str = "",
    ) -> str:
        """A node with one output; the output's name, made up unless given."""
        from onnx import helper

        output = name or f"v{len(self._nodes)}"
        made = helper.make_node(operation, list(inputs), [output], domain=domain, **(attributes or {}))
        self._nodes.append(made)
        return output

    def add_two(
        self, operation: str, inputs: Sequence[str], attributes: Mapping[str, Any] | None = None
    ) -> tuple[str, str]:
        """A node with two outputs."""
        from onnx import helper

        outputs = [f"v{len(self._nodes)}", f"v{len(self._nodes)}_2"]
        self._nodes.append(helper.make_node(operation, list(inputs), outputs, **(attributes or {})))
        return outputs[0], outputs[1]

    # -- what comes up everywhere ---------------------------------------------------------------

    def combine(self, operation: str, left: str, right: str | float) -> str:
        """A node of two inputs, the second of which may be a number: "Add", "Mul", "Max" …"""
        return self.add(operation, [left, right if isinstance(right, str) else self.constant(right)])

    def cut(self, value: str, axis: int, start: int, stop: int, step: int = 1) -> str:
        """`value[start:stop:step]` along `axis`; a large `stop` means the end."""
        bounds = [self.integers(one) for one in (start, stop, axis, step)]
        return self.add("Slice", [value, *bounds])

    def total(self, value: str, axis: int, *, keep: bool = True) -> str:
        """Sum along `axis`."""
        return self.add("ReduceSum", [value, self.integers(axis)], {"keepdims": int(keep)})

    def join(self, values: Sequence[str], axis: int) -> str:
        """Concatenation along `axis`; one value stays itself."""
        return values[0] if len(values) == 1 else self.add("Concat", values, {"axis": axis})

    def rows(self, value: str) -> str:
        """(B, …) → (B, D), row-major."""
        return self.add("Flatten", [value], {"axis": 1})

    def planes(self) -> str:
        """The pictures as float32 (B, C, H, W), 0..255."""
        return self.grey() if self.channels == 1 else self._colours()

    def grey(self) -> str:
        """Luminance float32 (B, 1, H, W), 0..255 (ITU-R BT.601, as `Image.convert("L")`)."""
        if not self._luminance:
            weights = np.array([0.299, 0.587, 0.114], np.float32).reshape(1, 3, 1, 1)
            self._luminance = self.add("Conv", [self._colours(), self.constant(weights)])
        return self._luminance

    def _colours(self) -> str:
        if not self._planes:
            floats = self.add("Cast", [PICTURES], {"to": 1})
            self._planes = self.add("Transpose", [floats], {"perm": [0, 3, 1, 2]})
        return self._planes

    # -- the end --------------------------------------------------------------------------------

    def model(self, outputs: Mapping[str, int], metadata: Mapping[str, Any] | None = None) -> bytes:
        """The finished file. `outputs`: columns of each output (B, columns), by name."""
        from onnx import TensorProto, helper

        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", columns])
            for name, columns in outputs.items()
        ]
        graph = helper.make_graph(self._nodes, "striate", [self._input()], ends, self._held())
        return self._file(graph, metadata)

    def model_of_each(
        self,
        outputs: Mapping[str, tuple[str, Any, tuple[int, ...]]],
        metadata: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The finished file, whose nodes see the pictures of a batch one after another, each as a batch
        of one: the memory for one is enough.

        `outputs`: value, dtype and shape of what is told of a picture, by name.
        """
        from onnx import TensorProto, helper

        height, width = self.size_hw
        one, inner = "picture", f"{PICTURES}_1"
        nodes = [helper.make_node("Unsqueeze", [one, self.integers(0)], [inner])]
        for node in self._nodes:
            copied = type(node).FromString(node.SerializeToString())
            copied.input[:] = [inner if name == PICTURES else name for name in node.input]
            nodes.append(copied)
        kinds = {
            name: (helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
            for name, (_, dtype, shape) in outputs.items()
        }
        body = helper.make_graph(
            nodes,
            "one_picture",
            [helper.make_tensor_value_info(one, TensorProto.UINT8, [height, width, 3])],
            [helper.make_tensor_value_info(outputs[name][0], *kinds[name]) for name in outputs],
            self._held(),
        )
        scan = helper.make_node("Scan", [PICTURES], list(outputs), num_scan_inputs=1, body=body)
        ends = [
            helper.make_tensor_value_info(name, kind, ["batch", *shape])
            for name, (kind, shape) in kinds.items()
        ]
        return self._file(helper.make_graph([scan], "striate", [self._input()], ends), metadata)

    def _input(self) -> Any:
        from onnx import TensorProto, helper

        height, width = self.size_hw
        return helper.make_tensor_value_info(PICTURES, TensorProto.UINT8, ["batch", height, width, 3])

    def _held(self) -> list[Any]:
        from onnx import numpy_helper

        return [numpy_helper.from_array(array, name) for name, array in self._constants.values()]

    def _file(self, graph: Any, metadata: Mapping[str, Any] | None) -> bytes:
        from onnx import checker, helper

        domains = {"": OPSET} | (
            {"ai.onnx.ml": ML_OPSET} if any(n.domain == "ai.onnx.ml" for n in self._nodes) else {}
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in domains.items()]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="striate")
        for key, value in (metadata or {}).items():
            entry = made.metadata_props.add()
            entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
        checker.check_model(made)
        found: bytes = made.SerializeToString()
        return found
