"""Pictures of another size, as graph nodes, to the last bit as `striate.pictures.resize` makes them."""

from __future__ import annotations

import numpy as np

from striate.features.vectors.writer import GraphWriter
from striate.types import Array, SizeHW

__all__ = ["SMALLEST_SCALE", "write_resized"]

SMALLEST_SCALE = 1 / 6
"""Below it Pillow averages blocks of pixels first, which these nodes do not."""

_BITS = 22
"""Pillow's weights are whole numbers: a share times 2 to this power."""


def write_resized(graph: GraphWriter, planes: str, size_hw: SizeHW, to_hw: SizeHW) -> str:
    """`planes`, int32 (B, C, *size_hw) of 0..255, as int32 (B, C, *to_hw), antialiased.

    Pillow's "bilinear": a triangle as wide as two pixels of the smaller picture, across, rounded, then
    down, rounded. A `ValueError` below a sixth of a side.
    """
    if min(to / side for side, to in zip(size_hw, to_hw, strict=True)) < SMALLEST_SCALE:
        raise ValueError(f"{size_hw} to {to_hw}: expected at least a sixth of each side")
    for axis, place in ((3, 1), (2, 0)):
        if size_hw[place] != to_hw[place]:
            planes = _along(graph, planes, size_hw[place], to_hw[place], axis)
    return planes


def _along(graph: GraphWriter, planes: str, size: int, to: int, axis: int) -> str:
    source, weights = taps(size, to)
    shape = [1, 1, 1, 1]
    shape[axis] = to
    total = graph.constant(1 << (_BITS - 1), np.int32)  # to round
    for at, weight in zip(source, weights, strict=True):
        taken = graph.add("Gather", [planes, graph.constant(at, np.int64)], {"axis": axis})
        share = graph.add("Mul", [taken, graph.constant(weight.reshape(shape), np.int32)])
        total = graph.add("Add", [share, total])
    return graph.add("Div", [total, graph.constant(1 << _BITS, np.int32)])


def taps(size: int, to: int) -> tuple[Array, Array]:
    """For each of `to` pixels: which of `size` it is made of, int64 (T, to), and how much, int32."""
    scale = size / to
    reach = max(scale, 1.0)
    middle = (np.arange(to) + 0.5) * scale
    first = np.maximum((middle - reach + 0.5).astype(np.int64), 0)
    last = np.minimum((middle + reach + 0.5).astype(np.int64), size)
    at = first + np.arange(int((last - first).max()))[:, None]  # (T, to)
    share = np.maximum(1.0 - np.abs((at - middle + 0.5) / reach), 0.0) * (at < last)
    whole = (share / share.sum(axis=0) * (1 << _BITS) + 0.5).astype(np.int32)
    used = whole.any(axis=1)
    return np.minimum(at, size - 1)[used], whole[used]
