"""What every layer of a graph makes of one picture, and the filters of its convolutions."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import MissingExtraError
from striate.explain.inside import Inside, Layer
from striate.types import Array, PictureArray

__all__ = ["Filters", "LayerMaps", "filters_of", "maps_of"]


@dataclass(frozen=True, slots=True, eq=False)
class LayerMaps:
    """Some channels of a layer for one picture, strongest first.

    `channels` (K,), `maps` (K, h, w), or (K, 1, 1) for a layer without places. `low`, `high`: of all
    channels. `awake`: the share of all values above zero.
    """

    layer: Layer
    channels: tuple[int, ...]
    maps: Array
    low: float
    high: float
    awake: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            **self.layer.to_dict(),
            "low": self.low,
            "high": self.high,
            "awake": self.awake,
            "strongest": [
                {"channel": one, "highest": float(values.max()), "mean": float(values.mean())}
                for one, values in zip(self.channels, self.maps, strict=True)
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Filters:
    """The filters of a convolution, float (K, C, h, w), as the graph holds them.

    A batch normalisation that follows may have been folded into them by the exporter. `sees_picture`:
    whether they weigh colours or grey, not other maps.
    """

    layer: Layer
    weights: Array
    sees_picture: bool = False


def maps_of(inside: Inside, pixels: PictureArray, *, at_most: int = 64) -> list[LayerMaps]:
    """All layers of `inside` for one picture, uint8 (h, w, 3), in the graph's order.

    `at_most` channels of each: those with the highest values.
    """
    values = inside.watch(inside.layers)(pixels[None])
    return [_strongest(one, values[one.name][0], at_most) for one in inside.layers]


def _strongest(layer: Layer, values: Array, at_most: int) -> LayerMaps:
    maps = values if values.ndim == 3 else values[:, None, None]
    order = np.argsort(-maps.max(axis=(1, 2)), kind="stable")[:at_most]
    return LayerMaps(
        layer,
        tuple(order.tolist()),
        maps[order],
        float(maps.min()),
        float(maps.max()),
        float((maps > 0).mean()),
    )


def filters_of(data: bytes, inside: Inside) -> list[Filters]:
    """The filters of each convolution of the ONNX graph in `data`, which `inside` was made from.

    Windows of one pixel are left out: there is nothing to see in them.
    """
    onnx = _onnx()
    graph = onnx.load_model_from_string(data).graph
    stored = {one.name: one for one in graph.initializer}
    weighed = _weighed(graph.node)
    found = []
    for node in graph.node:
        layers = [one for one in inside.layers if one.tensor in node.output]
        if node.op_type != "Conv" or not layers or node.input[1] not in stored:
            continue
        weights = np.asarray(onnx.numpy_helper.to_array(stored[node.input[1]]), np.float32)
        if weights.ndim == 4 and max(weights.shape[2:]) > 1:
            sees = node.input[0] not in weighed and weights.shape[1] in (1, 3)
            found.append(Filters(layers[0], weights, sees))
    return found


def _weighed(nodes: Sequence[Any]) -> set[str]:
    """Tensors that a layer with weights had a part in: no pictures any more."""
    found: set[str] = set()
    for node in nodes:  # a graph's nodes stand in the order in which they run
        if node.op_type in _WEIGHING or found.intersection(node.input):
            found.update(node.output)
    return found


_WEIGHING = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})


def _onnx() -> Any:
    try:
        importlib.import_module("onnx.numpy_helper")
        return importlib.import_module("onnx")
    except ImportError as error:
        raise MissingExtraError("onnx", "train", needed_for="reading filters") from error
