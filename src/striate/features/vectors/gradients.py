"""Gradients and their directions, as graph nodes; HOG and dense SIFT are histograms of these."""

from __future__ import annotations

import math

import numpy as np

from striate.features.vectors.writer import GraphWriter
from striate.types import Array, SizeHW

__all__ = ["central_differences", "orientation_maps", "strongest_channel", "tent"]

_TINY = 1e-6


def central_differences(graph: GraphWriter, planes: str, size_hw: SizeHW) -> tuple[str, str]:
    """(dx, dy) of `planes` (B, C, *size_hw): right minus left, below minus above; 0 at the border.

    The border is mirrored without repeating its pixel, so that no edge appears there.
    """
    height, width = size_hw
    found = []
    for axis, side in ((3, width), (2, height)):
        if side < 3:
            found.append(graph.combine("Mul", planes, 0.0))
            continue
        after, before = graph.cut(planes, axis, 2, side), graph.cut(planes, axis, 0, side - 2)
        inner = graph.combine("Sub", after, before)
        pads = [0] * 8
        pads[axis] = pads[axis + 4] = 1
        found.append(graph.add("Pad", [inner, graph.integers(*pads)]))
    return found[0], found[1]


def strongest_channel(graph: GraphWriter, dx: str, dy: str) -> tuple[str, str]:
    """(dx, dy) (B, 1, H, W) of the channel whose gradient is longest at each pixel."""
    squares = [graph.add("Mul", [one, one]) for one in (dx, dy)]
    squared = graph.combine("Add", squares[0], squares[1])
    best = graph.add("ArgMax", [squared], {"axis": 1, "keepdims": 1})
    return (
        graph.add("GatherElements", [dx, best], {"axis": 1}),
        graph.add("GatherElements", [dy, best], {"axis": 1}),
    )


def orientation_maps(
    graph: GraphWriter, dx: str, dy: str, *, bins: int, signed: bool, shift: float = 0.0
) -> str:
    """Gradient length shared between the two nearest of `bins` directions: (B, bins, H, W).

    Directions span half a turn, a full one if `signed`. Bin k has its middle at (k + `shift`) bins.
    """
    turn = 2 * math.pi if signed else math.pi
    squares = [graph.add("Mul", [one, one]) for one in (dx, dy)]
    length = graph.add("Sqrt", [graph.combine("Add", squares[0], squares[1])])
    where = graph.combine("Sub", graph.combine("Mul", _angle(graph, dx, dy, signed), bins / turn), shift)
    middles = graph.constant(np.arange(bins, dtype=np.float32).reshape(1, bins, 1, 1))
    apart = graph.add("Abs", [graph.combine("Sub", where, middles)])
    # the scale is a circle; an angle may lie one turn off either end of it
    around = graph.add("Abs", [graph.combine("Sub", apart, float(bins))])
    share = graph.add(
        "Relu", [graph.combine("Sub", graph.constant(1.0), graph.add("Min", [apart, around]))]
    )
    return graph.combine("Mul", share, length)


def _angle(graph: GraphWriter, dx: str, dy: str, signed: bool) -> str:
    """Angle of (dx, dy), radians from −π/2: up to 3π/2 if `signed`, else modulo half a turn."""
    flat = graph.add("Cast", [graph.combine("Equal", dx, 0.0)], {"to": 1})
    safe = graph.combine("Add", dx, graph.combine("Mul", flat, _TINY))
    angle = graph.add("Atan", [graph.combine("Div", dy, safe)])
    if signed:
        left = graph.add("Cast", [graph.combine("Less", dx, 0.0)], {"to": 1})
        return graph.combine("Add", angle, graph.combine("Mul", left, math.pi))
    below = graph.add("Cast", [graph.combine("Less", angle, 0.0)], {"to": 1})
    return graph.combine("Add", angle, graph.combine("Mul", below, math.pi))


def tent(offsets: Array, side: float) -> Array:
    """Bilinear share of a cell of `side` for pixels that lie `offsets` from its middle."""
    return np.maximum(0.0, 1.0 - np.abs(offsets) / side)
