"""A model as named compiled graphs: arrays in, arrays out, whatever runs them.

A `Graph` is one compiled function; `Graphs` maps names to them (a classifier has one, `main`; a
captioner has two). ONNX Runtime is the default, OpenVINO an extra, torch joins during training
(`striate.nn.torch_graphs`). Graph files are trusted only after their hash was checked by
`striate.runs`; external data and foreign operators are refused here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from striate.errors import MissingExtraError, RunError, UnknownNameError
from striate.types import Array

__all__ = ["BACKENDS", "Backend", "Graph", "Graphs", "collect_outputs", "load_graph", "openvino_core"]

_CALL_PIXELS = 64 * 128 * 128

Backend = Literal["onnxruntime", "openvino"]


@runtime_checkable
class Graph(Protocol):
    """One compiled function from named arrays to named arrays."""

    @property
    def input_names(self) -> tuple[str, ...]: ...

    @property
    def output_names(self) -> tuple[str, ...]: ...

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run it. Every array has its batch on axis 0."""
        ...


Graphs: TypeAlias = Mapping[str, Graph]


class OnnxGraph:
    """An ONNX file, or the bytes of one, run by ONNX Runtime.

    `threads`: threads of one call; 0 lets the runtime choose (one a core).
    """

    def __init__(self, source: Path | bytes, *, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                source if isinstance(source, bytes) else str(source),
                options,
                providers=["CPUExecutionProvider"],
            )
        except Exception as error:  # ONNX Runtime raises a dozen private types
            name = "this" if isinstance(source, bytes) else source.name
            raise RunError(
                f"{name} is not a graph that ONNX Runtime can run: {str(error).splitlines()[0]}",
                remedy="export the run again, or restore the file",
            ) from error
        self._outputs = tuple(node.name for node in self._session.get_outputs())
        self._inputs = tuple(node.name for node in self._session.get_inputs())
        said = self._session.get_modelmeta().custom_metadata_map
        self.metadata: dict[str, Any] = {key: _from_text(value) for key, value in said.items()}
        """What the file says of itself."""

    @property
    def input_names(self) -> tuple[str, ...]:
        return self._inputs

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._outputs

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        return dict(zip(self._outputs, self._session.run(None, dict(feeds)), strict=True))


def _from_text(value: str) -> Any:
    """A list or mapping that was written as JSON; any other text as it is."""
    if not value.startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except ValueError:  # a foreign file may say what it likes
        return value


class OpenVinoGraph:
    """An ONNX file run by OpenVINO (extra `openvino`): two to four times faster on Intel CPUs.

    `precise` keeps float32 on processors where OpenVINO would fall back to bfloat16, so that the
    answer stays that of ONNX Runtime.
    """

    def __init__(self, path: Path, *, threads: int = 0, precise: bool = True) -> None:
        core = openvino_core(needed_for="the OpenVINO backend")
        properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if precise:
            properties["INFERENCE_PRECISION_HINT"] = "f32"
        if threads:
            properties["INFERENCE_NUM_THREADS"] = threads
        self._compiled = core.compile_model(core.read_model(str(path)), "CPU", properties)
        self._outputs = tuple(port.get_any_name() for port in self._compiled.outputs)
        self._inputs = tuple(port.get_any_name() for port in self._compiled.inputs)

    @property
    def input_names(self) -> tuple[str, ...]:
        return self._inputs

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._outputs

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        found = self._compiled(dict(feeds))
        return {name: found[name] for name in self._outputs}


def openvino_core(*, needed_for: str) -> Any:
    """The OpenVINO core of this process; `MissingExtraError` naming `needed_for` without the package."""
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError("openvino", "openvino", needed_for=needed_for) from error
    return _kept_core(openvino.Core)


@cache
def _kept_core(make: Callable[[], Any]) -> Any:
    """One core, never given up.

    On processors with AMX its CPU plugin puts the signal stack of the thread into memory of its own,
    and frees that memory when the last core goes: the next Ctrl-C would then end the process.
    """
    return make()


BACKENDS: dict[str, type[OnnxGraph] | type[OpenVinoGraph]] = {
    "onnxruntime": OnnxGraph,
    "openvino": OpenVinoGraph,
}


def _pictures_alone(pixels: Array) -> Mapping[str, Array]:
    return {"pictures": pixels}


def collect_outputs(
    graph: Graph,
    pixels: Array,
    *,
    batch: int = 0,
    feeds: Callable[[Array], Mapping[str, Array]] = _pictures_alone,
) -> dict[str, Array]:
    """Outputs of `graph` for all of `pixels` uint8 (N, H, W, 3), joined along axis 0.

    `batch`: pictures a call; 0 takes fewer of larger ones, so that activations fit in memory. `feeds`:
    the inputs for some pictures, where the graph has more than `pictures`.
    """
    batch = batch or max(16, min(256, _CALL_PIXELS // (pixels.shape[1] * pixels.shape[2])))
    starts = range(0, max(1, len(pixels)), batch)
    parts = [graph(feeds(np.ascontiguousarray(pixels[at : at + batch]))) for at in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def load_graph(path: Path, *, backend: Backend = "onnxruntime", threads: int = 0) -> Graph:
    """The graph in `path`, ready to run."""
    if backend not in BACKENDS:
        raise UnknownNameError("backend", backend, BACKENDS)
    return BACKENDS[backend](path, threads=threads)
