"""Histograms over parts of a picture: a map of memberships becomes one histogram a part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.features.vectors.writer import GraphWriter
from striate.types import Array, SizeHW

__all__ = ["code_histograms", "histograms", "normalised"]


def histograms(
    graph: GraphWriter, shares: str, size_hw: SizeHW, grids: Sequence[int]
) -> tuple[str, int]:
    """Mean of `shares` (B, K, h, w) over each part of each grid: (B, parts, K), and the parts.

    `grids`: 1 is the whole, 2 its four quarters, 4 its sixteenths (the spatial pyramid of Lazebnik
    et al. 2006). Grids finer than the map are left out.
    """
    height, width = size_hw
    found = []
    for grid in grids:
        if grid > min(height, width) and grid > 1:
            continue
        for row in range(grid):
            strip = _band(graph, shares, 2, height, row, grid)
            for column in range(grid):
                part = _band(graph, strip, 3, width, column, grid)
                found.append(graph.add("ReduceMean", [part, graph.integers(2, 3)], {"keepdims": 0}))
    axis = graph.integers(1)
    return graph.join([graph.add("Unsqueeze", [one, axis]) for one in found], 1), len(found)


def code_histograms(
    graph: GraphWriter, codes: str, size_hw: SizeHW, depth: int, grids: Sequence[int]
) -> tuple[str, int]:
    """How often each code 0..depth − 1 of `codes` int64 (B, h, w) occurs in each part of each grid, as
    shares: (B, parts, depth), and the parts."""
    flat = graph.rows(codes)
    batch = graph.cut(graph.add("Shape", [flat]), 0, 0, 1)
    one = graph.constant(np.ones((1, size_hw[0] * size_hw[1]), np.float32))
    ones = graph.add("Expand", [one, graph.join([batch, graph.integers(1)], 0)])
    found, parts = [], 0
    for grid in grids:
        if grid > min(size_hw) and grid > 1:
            continue
        place = _places(size_hw, grid)
        counts = np.bincount(place.ravel(), minlength=grid * grid).astype(np.float32)
        at = graph.add("Add", [flat, graph.constant(place.reshape(1, -1) * depth, np.int64)])
        zeros = graph.constant(np.zeros((1, grid * grid * depth), np.float32))
        empty = graph.add("Expand", [zeros, graph.join([batch, graph.integers(1)], 0)])
        filled = graph.add("ScatterElements", [empty, at, ones], {"axis": 1, "reduction": "add"})
        shape = graph.integers(-1, grid * grid, depth)
        shares = graph.constant((1 / counts).reshape(1, -1, 1))
        found.append(graph.add("Mul", [graph.add("Reshape", [filled, shape]), shares]))
        parts += grid * grid
    return graph.join(found, 1), parts


def _places(size_hw: SizeHW, grid: int) -> Array:
    """The part that each pixel lies in, row by row, int64 (h, w); the parts that `histograms` takes."""
    rows, columns = (
        np.searchsorted([side * (index + 1) // grid for index in range(grid)], np.arange(side), "right")
        for side in size_hw
    )
    found: Array = (rows[:, None] * grid + columns).astype(np.int64)
    return found


def _band(graph: GraphWriter, value: str, axis: int, side: int, index: int, count: int) -> str:
    if count == 1:
        return value
    return graph.cut(value, axis, side * index // count, side * (index + 1) // count)


def normalised(graph: GraphWriter, vectors: str) -> str:
    """Square roots of shares, then norm 1, along the last of three axes.

    The Hellinger map: a linear model on it compares histograms as distributions, not as points
    (Vedaldi & Zisserman 2012).
    """
    roots = graph.add("Sqrt", [graph.combine("Max", vectors, 0.0)])
    squared = graph.total(graph.add("Mul", [roots, roots]), 2)
    norm = graph.add("Sqrt", [graph.combine("Add", squared, 1e-12)])
    return graph.combine("Div", roots, norm)
