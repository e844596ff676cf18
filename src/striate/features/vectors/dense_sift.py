"""SIFT descriptors on a grid (Lowe 2004; dense and upright as in Bosch et al. 2007), as graph nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.features.vectors.gradients import central_differences, orientation_maps, tent
from striate.features.vectors.writer import GraphWriter
from striate.types import SizeHW

__all__ = ["DESCRIPTOR", "Grid", "grids_for", "write_descriptors"]

BINS, CELLS = 8, 4
DESCRIPTOR = CELLS * CELLS * BINS
"""Numbers of a descriptor: 4×4 cells of 8 directions."""
_FLAT = 0.5
"""Levels a pixel of gradient below which a patch has no texture worth a direction."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where descriptors are taken: cells of `cell` pixels, every `step` pixels.

    `step` divides `cell`, so that neighbouring descriptors share their cells.
    """

    cell: int
    step: int

    def count_hw(self, size_hw: SizeHW) -> SizeHW:
        """Rows and columns of descriptors in a picture of `size_hw`; 0 where none fits."""
        span = self.cell * (CELLS + 1)
        rows, columns = (max(0, (side - span) // self.step + 1) for side in size_hw)
        return rows, columns


def grids_for(size_hw: SizeHW) -> tuple[Grid, ...]:
    """Two sizes of patch, an eighth and a quarter of the shorter side or so, as far as they fit.

    >>> grids_for((128, 160))
    (Grid(cell=4, step=4), Grid(cell=8, step=4))
    >>> grids_for((28, 28))
    (Grid(cell=2, step=2), Grid(cell=4, step=2))
    """
    shorter = min(size_hw)
    small = max(1, 2 * round(shorter / 64)) if shorter >= 24 else 1
    grids = (Grid(small, small), Grid(2 * small, small))
    return tuple(grid for grid in grids if min(grid.count_hw(size_hw)) > 0)


def write_descriptors(graph: GraphWriter, size_hw: SizeHW, grid: Grid) -> str:
    """RootSIFT descriptors (B, 128, rows, columns); all 0 where the patch is flat.

    Square roots of shares that sum to 1 (Arandjelović & Zisserman 2012): their dot product compares
    histograms.
    """
    dx, dy = central_differences(graph, graph.grey(), size_hw)
    maps = orientation_maps(graph, dx, dy, bins=BINS, signed=True)
    at = np.arange(2 * grid.cell, dtype=np.float64) + 0.5 - grid.cell
    share = tent(at, grid.cell)
    kernel = np.tile(np.outer(share, share)[None, None], (BINS, 1, 1, 1)) / grid.cell**2
    strides = {"strides": [grid.step, grid.step], "group": BINS}
    cells = graph.add("Conv", [maps, graph.constant(kernel)], strides)
    rows, columns = grid.count_hw(size_hw)
    apart = grid.cell // grid.step
    parts = []
    for row in range(CELLS):
        band = graph.cut(cells, 2, row * apart, row * apart + rows)
        for column in range(CELLS):
            part = graph.cut(band, 3, column * apart, column * apart + columns)
            parts.append(graph.combine("Mul", part, float(_bell(row) * _bell(column))))
    return _root(graph, graph.join(parts, 1))


def _bell(index: int) -> float:
    """A Gaussian of half the descriptor's width over its cells, as Lowe's."""
    return float(np.exp(-((index - (CELLS - 1) / 2) ** 2) / (2 * (CELLS / 2) ** 2)))


def _root(graph: GraphWriter, descriptors: str) -> str:
    """Clipped at a fifth of their norm, as shares, square-rooted."""
    squared = graph.total(graph.add("Mul", [descriptors, descriptors]), 1)
    norm = graph.add("Sqrt", [graph.combine("Add", squared, 1e-12)])
    clipped = graph.add("Min", [descriptors, graph.combine("Mul", norm, 0.2)])
    total = graph.total(clipped, 1)
    shares = graph.combine("Div", clipped, graph.combine("Max", total, 1e-6))
    textured = graph.add("Cast", [graph.combine("Greater", total, _FLAT)], {"to": 1})
    return graph.combine("Mul", graph.add("Sqrt", [shares]), textured)
