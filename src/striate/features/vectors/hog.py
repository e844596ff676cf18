"""Histograms of oriented gradients (Dalal & Triggs 2005), the numbers of OpenCV's `HOGDescriptor`."""

from __future__ import annotations

import numpy as np

from striate.features.vectors.gradients import (
    central_differences,
    orientation_maps,
    strongest_channel,
    tent,
)
from striate.features.vectors.writer import GraphWriter
from striate.types import Array, SizeHW

__all__ = ["BINS", "cell_for", "write_hog"]

BINS = 9
_CLIP, _CELLS_ACROSS = 0.2, 8
_ROUND_1, _ROUND_2 = 0.1, 1e-3  # what keeps OpenCV's norms off 0: a tenth a number, then a thousandth


def cell_for(size_hw: SizeHW) -> int:
    """Side of a cell, pixels: about eight cells along the shorter side, at least 4 px where four fit.

    >>> cell_for((28, 28)), cell_for((128, 128)), cell_for((8, 8)), cell_for((3, 9))
    (4, 16, 2, 1)
    """
    shorter = min(size_hw)
    return max(1, min(shorter // 4, max(4, 2 * round(shorter / (2 * _CELLS_ACROSS)))))


def write_hog(graph: GraphWriter, size_hw: SizeHW, *, cell: int = 0) -> tuple[str, int]:
    """The vectors of all blocks of 2×2 cells, and their length. `cell`: its side, 0 for `cell_for`."""
    cell = cell or cell_for(size_hw)
    across = [side // cell for side in size_hw]
    if min(across) < 2:  # too thin for a block: no gradient histogram, one 0
        return graph.combine(
            "Mul", graph.rows(graph.cut(graph.cut(graph.grey(), 2, 0, 1), 3, 0, 1)), 0.0
        ), 1
    planes = graph.planes()
    for axis, (side, count) in enumerate(zip(size_hw, across, strict=True)):
        start = (side - count * cell) // 2  # cells that do not fit are lost evenly at both ends
        if side != count * cell:
            planes = graph.cut(planes, axis + 2, start, start + count * cell)
    within = (across[0] * cell, across[1] * cell)
    dx, dy = central_differences(graph, planes, within)
    if graph.channels > 1:
        dx, dy = strongest_channel(graph, dx, dy)
    maps = orientation_maps(graph, dx, dy, bins=BINS, signed=False, shift=0.5)
    kernels = np.tile(_block_kernels(cell), (BINS, 1, 1, 1)).astype(np.float32)
    blocks = graph.add("Conv", [maps, graph.constant(kernels)], {"strides": [cell, cell], "group": BINS})
    down, right = across[0] - 1, across[1] - 1
    shape = graph.integers(-1, BINS, 4, down, right)
    # OpenCV's order: blocks column by column, in each the cells column by column, in each the bins
    apart = graph.add("Transpose", [graph.add("Reshape", [blocks, shape])], {"perm": [0, 4, 3, 2, 1]})
    vectors = graph.add("Reshape", [apart, graph.integers(-1, right * down, 4 * BINS)])
    return graph.rows(_clipped(graph, vectors)), right * down * 4 * BINS


def _clipped(graph: GraphWriter, vectors: str) -> str:
    """L2-Hys: norm 1, nothing above 0.2, norm 1 again."""
    once = graph.combine("Div", vectors, _norm(graph, vectors, 4 * BINS * _ROUND_1))
    clipped = graph.combine("Min", once, _CLIP)
    return graph.combine("Div", clipped, _norm(graph, clipped, _ROUND_2))


def _norm(graph: GraphWriter, vectors: str, off_zero: float) -> str:
    squared = graph.total(graph.add("Mul", [vectors, vectors]), 2)
    return graph.combine("Add", graph.add("Sqrt", [squared]), off_zero)


def _block_kernels(cell: int) -> Array:
    """What each pixel of a block gives to its four cells: (4, 1, 2c, 2c), cells column by column.

    A Gaussian of half a cell's side over the block, times the bilinear share of each cell. The
    Gaussian's middle is a pixel's corner in OpenCV, the cells' are pixel middles; so are they here.
    """
    at = np.arange(2 * cell, dtype=np.float64)
    sigma = 2 * 2 * cell / 8
    bell = np.exp(-((at - cell) ** 2) / (2 * sigma**2))
    shares = [tent(at + 0.5 - (index + 0.5) * cell, cell) * bell for index in range(2)]
    return np.stack([np.outer(shares[y], shares[x]) for x in range(2) for y in range(2)])[:, None]
