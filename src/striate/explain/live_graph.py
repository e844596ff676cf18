"""One layer of a graph listened to while the graph answers: nothing is computed twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from striate.explain.fields import onnx_module
from striate.explain.inside import Layer
from striate.graphs import OnnxGraph
from striate.types import Array

__all__ = ["Overheard"]


class Overheard:
    """The graph in `data` as a `Graph`, which keeps what `layer` gave at its last call.

    For one thread at a time.
    """

    def __init__(self, data: bytes, layer: Layer, *, threads: int = 0) -> None:
        onnx = onnx_module()
        model = onnx.load_model_from_string(data)
        own = tuple(str(one.name) for one in model.graph.output)
        if layer.tensor not in own:
            model.graph.output.append(onnx.ValueInfoProto(name=layer.tensor))
        self._graph = OnnxGraph(model.SerializeToString(), threads=threads)
        self._own, self.layer = own, layer
        self._heard: Array | None = None

    @property
    def input_names(self) -> tuple[str, ...]:
        return self._graph.input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._own

    @property
    def heard(self) -> Array:
        """The layer's values for the last picture, float32 (C, h, w); (C, 1, 1) without a map."""
        assert self._heard is not None, "the graph was not called yet"
        values = self._heard
        return values.reshape(len(values), *self.layer.places_hw)

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        found = self._graph(feeds)
        self._heard = np.asarray(self.layer.arranged(found[self.layer.tensor])[-1], np.float32)
        return {name: found[name] for name in self._own}
