"""Where the places of a map lie in the picture: the centres of their receptive fields, from the graph.

Bilinear interpolation between these centres, not between the corners of the picture, is what Bau et al.
(Network Dissection, CVPR 2017, 2.2) anchor activation maps by: a stride of 2 after a padding of 1 lies
half a pixel off what stretching the map would give.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.errors import MissingExtraError
from striate.explain.inside import Layer
from striate.types import SizeHW

__all__ = ["FieldGrid", "field_grids", "onnx_module"]


@dataclass(frozen=True, slots=True)
class FieldGrid:
    """The place (r, c) of a map sees the picture around `start_yx + (r, c) * step_yx`, in pixels of the
    network's input; (0, 0) is its upper left corner, (0.5, 0.5) the middle of its first pixel."""

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


def field_grids(data: bytes, layers: Sequence[Layer], size_hw: SizeHW) -> dict[str, FieldGrid]:
    """The grid of each of `layers`, by name, for the graph in `data` with input `size_hw`.

    Followed through convolutions, pooling and what leaves places alone. Where the way is lost (a graph
    that reshapes), the map is laid evenly over the input.
    """
    onnx = onnx_module()
    model = onnx.load_model_from_string(data)
    known = _follow(model.graph)
    found = {}
    for layer in layers:
        grid = known.get(layer.tensor)
        if grid is None or not grid.fits(layer.places_hw, size_hw):
            grid = FieldGrid.stretched(layer.places_hw, size_hw)
        found[layer.name] = grid
    return found


def onnx_module() -> Any:
    """The package onnx; a `MissingExtraError` without it."""
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise MissingExtraError("onnx", "train", needed_for="looking inside a run's graph") from error


def _follow(graph: Any) -> dict[str, FieldGrid]:
    shapes = {one.name: tuple(one.dims) for one in graph.initializer}
    pictures = next(one.name for one in graph.input if one.name not in shapes)
    known = {pictures: FieldGrid((0.5, 0.5), (1.0, 1.0))}
    for node in graph.node:
        before = [known[name] for name in node.input if name in known]
        if not before:
            continue
        kernel = shapes.get(node.input[1], ()) if len(node.input) > 1 else ()
        grid = _after(node, before, kernel[2:])
        known.update(dict.fromkeys(node.output, grid))
    return known


def _after(node: Any, before: Sequence[FieldGrid], kernel: Sequence[int]) -> FieldGrid:
    attributes = {one.name: one for one in node.attribute}
    if node.op_type in ("Conv", "MaxPool", "AveragePool", "LpPool"):
        return _window(before[0], attributes, kernel)
    if node.op_type == "ConvTranspose":
        return _spread(before[0], attributes, kernel)
    # branches that meet on one grid; of several (an upsampled map and a finer one) the finest is meant
    return min(before, key=lambda one: one.step_yx)


def _numbers(attributes: Mapping[str, Any], name: str, usual: Sequence[int]) -> list[int]:
    return [int(one) for one in attributes[name].ints] if name in attributes else list(usual)


def _shape(
    attributes: Mapping[str, Any], weights: Sequence[int]
) -> tuple[list[int], list[int], list[float]]:
    """Kernel with its dilation, strides, and what is padded before. `weights`: the kernel's sides where
    the operator does not tell them."""
    kernel = _numbers(attributes, "kernel_shape", weights or (1, 1))
    strides = _numbers(attributes, "strides", (1, 1))
    dilations = _numbers(attributes, "dilations", (1, 1))
    wide = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    pads: list[float] = [float(one) for one in _numbers(attributes, "pads", (0, 0, 0, 0))[:2]]
    auto = attributes["auto_pad"].s.decode() if "auto_pad" in attributes else "NOTSET"
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        whole = [max(w - s, 0) for w, s in zip(wide, strides, strict=True)]
        pads = [float(-(-one // 2) if auto == "SAME_LOWER" else one // 2) for one in whole]
    return wide, strides, pads


def _window(grid: FieldGrid, attributes: Mapping[str, Any], kernel: Sequence[int]) -> FieldGrid:
    wide, strides, pads = _shape(attributes, kernel)
    start = [
        first + step * ((w - 1) / 2 - pad)
        for first, step, w, pad in zip(grid.start_yx, grid.step_yx, wide, pads, strict=True)
    ]
    step = [one * stride for one, stride in zip(grid.step_yx, strides, strict=True)]
    return FieldGrid((start[0], start[1]), (step[0], step[1]))


def _spread(grid: FieldGrid, attributes: Mapping[str, Any], kernel: Sequence[int]) -> FieldGrid:
    wide, strides, pads = _shape(attributes, kernel)
    step = [one / stride for one, stride in zip(grid.step_yx, strides, strict=True)]
    start = [
        first + one * (pad - (w - 1) / 2)
        for first, one, w, pad in zip(grid.start_yx, step, wide, pads, strict=True)
    ]
    return FieldGrid((start[0], start[1]), (step[0], step[1]))
