"""Local binary patterns (Ojala et al. 2002): each pixel says which neighbours are not darker."""

from __future__ import annotations

import numpy as np

from striate.features.vectors.grids import code_histograms, normalised
from striate.features.vectors.writer import GraphWriter
from striate.types import Array, SizeHW

__all__ = ["PATTERNS", "pattern_of_code", "write_lbp"]

PATTERNS = 59
"""58 uniform patterns, and one for all others."""
_GRIDS = (1, 4)
# the eight neighbours, anticlockwise from the right; (dy, dx)
NEIGHBOURS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def pattern_of_code() -> Array:
    """Pattern 0..58 of each of the 256 codes: uniform ones, with at most two changes round the circle,
    have one each, all others share the last."""
    codes = np.arange(256)
    bits = (codes[:, None] >> np.arange(8)) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    found = np.full(256, PATTERNS - 1, np.int64)
    found[uniform] = np.arange(uniform.sum())
    return found


def write_lbp(graph: GraphWriter, size_hw: SizeHW) -> tuple[str, int]:
    """Shares of the 59 patterns in the whole picture and its sixteenths, and how many numbers."""
    height, width = size_hw
    if min(size_hw) < 3:  # no pixel has all its neighbours
        corner = graph.cut(graph.cut(graph.grey(), 2, 0, 1), 3, 0, 1)
        return graph.combine("Mul", graph.rows(corner), 0.0), 1
    # whole levels: neighbours that differ only by the rounding of a sum are equal
    grey = graph.add("Round", [graph.grey()])
    middle = _shifted(graph, grey, size_hw, 0, 0)
    code = ""
    for bit, (dy, dx) in enumerate(NEIGHBOURS):
        above = graph.add("GreaterOrEqual", [_shifted(graph, grey, size_hw, dy, dx), middle])
        worth = graph.combine("Mul", graph.add("Cast", [above], {"to": 1}), float(2**bit))
        code = graph.combine("Add", code, worth) if code else worth
    codes = graph.add("Cast", [graph.add("Squeeze", [code, graph.integers(1)])], {"to": 7})
    patterns = graph.add("Gather", [graph.constant(pattern_of_code(), np.int64), codes])
    found, parts = code_histograms(graph, patterns, (height - 2, width - 2), PATTERNS, _GRIDS)
    return graph.rows(normalised(graph, found)), parts * PATTERNS


def _shifted(graph: GraphWriter, grey: str, size_hw: SizeHW, dy: int, dx: int) -> str:
    """All inner pixels' neighbours at (dy, dx): (B, 1, H − 2, W − 2)."""
    rows = graph.cut(grey, 2, 1 + dy, size_hw[0] - 1 + dy)
    return graph.cut(rows, 3, 1 + dx, size_hw[1] - 1 + dx)
