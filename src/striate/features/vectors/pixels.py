"""The plainest feature: every pixel a number."""

from __future__ import annotations

from striate.features.vectors.writer import GraphWriter
from striate.types import SizeHW

__all__ = ["write_pixels"]


def write_pixels(graph: GraphWriter, size_hw: SizeHW) -> tuple[str, int]:
    """Pixels 0..1, plane by plane, row by row, and how many numbers they are."""
    scaled = graph.combine("Mul", graph.planes(), 1 / 255)
    return graph.rows(scaled), size_hw[0] * size_hw[1] * graph.channels
