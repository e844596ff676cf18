"""Colour histograms: how much of each hue, saturation and brightness, and roughly where."""

from __future__ import annotations

from striate.features.vectors.grids import code_histograms, normalised
from striate.features.vectors.writer import GraphWriter
from striate.types import SizeHW

__all__ = ["HUES", "SATURATIONS", "VALUES", "write_colour"]

HUES, SATURATIONS, VALUES = 12, 3, 3
"""Joint bins of the hexcone model (Smith 1978). Hue is a circle."""
_GRIDS = (1, 2)


def write_colour(graph: GraphWriter, size_hw: SizeHW) -> tuple[str, int]:
    """Shares of the 108 joint bins in the whole picture and its quarters, and how many numbers."""
    bins = graph.add("Squeeze", [_bins(graph), graph.integers(1)])
    depth = HUES * SATURATIONS * VALUES
    codes = graph.add("Cast", [bins], {"to": 7})
    found, parts = code_histograms(graph, codes, size_hw, depth, _GRIDS)
    return graph.rows(normalised(graph, found)), parts * depth


def _bins(graph: GraphWriter) -> str:
    """The joint bin of each pixel, float (B, 1, H, W)."""
    planes = graph.planes()
    # of a grey picture all three are the one plane
    at = range(3) if graph.channels == 3 else (0, 0, 0)
    red, green, blue = (graph.cut(planes, 1, index, index + 1) for index in at)
    most = graph.add("Max", [red, green, blue])
    spread = graph.combine("Sub", most, graph.add("Min", [red, green, blue]))
    hue = _hue(graph, (red, green, blue), most, spread)
    saturation = graph.combine("Div", spread, graph.combine("Max", most, 1.0))
    parts = [
        _level(graph, hue, HUES),
        _level(graph, saturation, SATURATIONS),
        _level(graph, graph.combine("Mul", most, 1 / 255), VALUES),
    ]
    joint = graph.combine("Add", graph.combine("Mul", parts[0], float(SATURATIONS)), parts[1])
    return graph.combine("Add", graph.combine("Mul", joint, float(VALUES)), parts[2])


def _hue(graph: GraphWriter, rgb: tuple[str, str, str], most: str, spread: str) -> str:
    """Hue 0..1, (B, 1, H, W); 0 where there is no colour."""
    red, green, blue = rgb
    divisor = graph.combine("Max", spread, 1.0)
    found = ""
    # from blue to red, so that the first of equal channels decides
    for base, (high, low) in ((4.0, (red, green)), (2.0, (blue, red)), (6.0, (green, blue))):
        sixths = graph.combine("Div", graph.combine("Sub", high, low), divisor)
        here = graph.combine("Add", sixths, base)
        owner = {4.0: blue, 2.0: green, 6.0: red}[base]
        found = graph.add("Where", [graph.add("Equal", [owner, most]), here, found]) if found else here
    turns = graph.combine("Mul", found, 1 / 6)
    coloured = graph.combine("Greater", spread, 0.0)
    wrapped = graph.combine("Sub", turns, graph.add("Floor", [turns]))
    return graph.add("Where", [coloured, wrapped, graph.constant(0.0)])


def _level(graph: GraphWriter, value: str, count: int) -> str:
    """Which of `count` equal parts of 0..1 a value lies in."""
    scaled = graph.add("Floor", [graph.combine("Mul", value, float(count))])
    return graph.combine("Min", graph.combine("Max", scaled, 0.0), float(count - 1))
