"""Histograms over parts of a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.features.vectors.writer import GraphWriter
from striate.types import Array, SizeHW

__all__ = ["code_histograms", "normalised", "pooling_matrix"]


def pooling_matrix(size_hw: SizeHW, grids: Sequence[int]) -> Array:
    """A row a part of each grid, a column a place of a map of `size_hw`: multiplied with a map's values,
    the mean of each part. float32 (parts, h·w).

    `grids`: 1 is the whole, 2 its four quarters, 4 its sixteenths (the spatial pyramid of Lazebnik
    et al. 2006). Grids finer than the map are left out.
    """
    rows = []
    for grid in grids:
        if grid > min(size_hw) and grid > 1:
            continue
        hot = np.eye(grid * grid, dtype=np.float32)[_places(size_hw, grid).ravel()].T
        rows.append(hot / hot.sum(axis=1, keepdims=True))
    return np.concatenate(rows)


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
    """The part that each place lies in, row by row, int64 (h, w)."""
    rows, columns = (
        np.searchsorted([side * (index + 1) // grid for index in range(grid)], np.arange(side), "right")
        for side in size_hw
    )
    found: Array = (rows[:, None] * grid + columns).astype(np.int64)
    return found


def normalised(graph: GraphWriter, vectors: str) -> str:
    """Square roots of shares, then norm 1, along the last of three axes.

    The Hellinger map: a linear model on it compares histograms as distributions, not as points
    (Vedaldi & Zisserman 2012).
    """
    roots = graph.add("Sqrt", [graph.combine("Max", vectors, 0.0)])
    squared = graph.total(graph.add("Mul", [roots, roots]), 2)
    norm = graph.add("Sqrt", [graph.combine("Add", squared, 1e-12)])
    return graph.combine("Div", roots, norm)
