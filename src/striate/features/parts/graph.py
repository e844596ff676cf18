"""The search for a part model's objects as graph nodes: the numbers of `search` and `cells`, exactly.

A picture at many sizes, cells of gradients, filters as convolutions, parts that move at a price, boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.features.parts.cells import CELL, direction_of
from striate.features.parts.model import Component
from striate.features.parts.movement import REACH, moves_in_order
from striate.features.parts.search import MARGIN
from striate.features.vectors.gradients import tent
from striate.features.vectors.resized import write_resized
from striate.features.vectors.writer import GraphWriter
from striate.types import Array, SizeHW

__all__ = ["Pyramid", "write_cells", "write_fits"]

_SIGNED, _UNSIGNED = 18, 9
_CLIP, _EPSILON, _TEXTURE = 0.2, 1e-4, 0.2357
_STEEPEST = 255
"""Largest difference of two pixels."""
_NOWHERE = -1e9
"""Score of a place outside."""
_INT32, _INT64, _FLOAT = 6, 7, 1


class Pyramid:
    """The cells of the pictures of `graph` at any size, each written once."""

    def __init__(self, graph: GraphWriter) -> None:
        self.graph = graph
        self._whole = graph.add("Cast", [graph.planes()], {"to": _INT32})
        self._made: dict[SizeHW, str] = {}
        self._padded: dict[tuple[SizeHW, int], str] = {}

    def padded(self, size_hw: SizeHW, margin: int) -> str:
        """Cells (1, 31, H // 8 + 2·margin, W // 8 + 2·margin) of the pictures resized to `size_hw`."""
        key = size_hw, margin
        if key not in self._padded:
            pads = self.graph.integers(0, 0, margin, margin, 0, 0, margin, margin)
            self._padded[key] = self.graph.add("Pad", [self._cells(size_hw), pads])
        return self._padded[key]

    def _cells(self, size_hw: SizeHW) -> str:
        if size_hw not in self._made:
            resized = write_resized(self.graph, self._whole, self.graph.size_hw, size_hw)
            self._made[size_hw] = write_cells(self.graph, resized, size_hw)
        return self._made[size_hw]


def write_cells(graph: GraphWriter, planes: str, size_hw: SizeHW) -> str:
    """`cells.cells` of `planes` (1, 3, *size_hw) of 0..255: float32 (1, 31, H // 8, W // 8)."""
    rows, columns = (side // CELL for side in size_hw)
    held = graph.cut(graph.cut(planes, 2, 0, rows * CELL), 3, 0, columns * CELL)
    histogram = _histogram(graph, graph.add("Cast", [held], {"to": _FLOAT}))
    halves = [graph.cut(histogram, 1, at, at + _UNSIGNED) for at in (0, _UNSIGNED)]
    unsigned = graph.add("Add", halves)
    norms = _norms(graph, graph.total(graph.add("Mul", [unsigned, unsigned]), 1))
    signed_parts, unsigned_parts = (
        graph.combine("Min", graph.combine("Mul", values, norms), _CLIP)
        for values in (histogram, unsigned)
    )  # (4, 18 or 9, rows, columns)
    found = [graph.combine("Mul", graph.total(part, 0), 0.5) for part in (signed_parts, unsigned_parts)]
    texture = graph.combine("Mul", graph.total(signed_parts, 1), _TEXTURE)
    found.append(graph.add("Transpose", [texture], {"perm": [1, 0, 2, 3]}))
    return graph.join(found, 1)


def _histogram(graph: GraphWriter, planes: str) -> str:
    """Gradient strength by signed direction, each pixel shared by the four nearest cells."""
    square, code = _gradient(graph, planes)
    known = graph.add("Gather", [graph.constant(_directions(), np.uint8), code])
    bins = graph.add("Cast", [known], {"to": _INT64})
    depth, off_on = graph.constant(_SIGNED, np.int64), graph.constant([0.0, 1.0])
    hot = graph.add(
        "OneHot", [graph.add("Squeeze", [bins, graph.integers(1)]), depth, off_on], {"axis": 1}
    )
    maps = graph.combine("Mul", hot, graph.add("Sqrt", [square]))  # (B, 18, H, W)
    share = tent(np.arange(2 * CELL) + 0.5 - CELL, CELL)
    kernel = np.tile(np.outer(share, share)[None, None], (_SIGNED, 1, 1, 1))
    how = {"group": _SIGNED, "strides": [CELL, CELL], "pads": [CELL // 2] * 4}
    return graph.add("Conv", [maps, graph.constant(kernel)], how)


def _gradient(graph: GraphWriter, planes: str) -> tuple[str, str]:
    """Squared length (B, 1, H, W) of the gradient of the strongest channel, and its place in the table
    of directions, int64."""
    wide = graph.add("Pad", [planes, graph.integers(0, 0, 1, 1, 0, 0, 1, 1)], {"mode": "edge"})
    found = []
    for axis in (3, 2):
        middle = graph.cut(wide, 5 - axis, 1, -1)
        far, near = graph.cut(middle, axis, 2, 2**31), graph.cut(middle, axis, 0, -2)
        found.append(graph.add("Sub", [far, near]))
    dx, dy = found
    squares = graph.add("Add", [graph.add("Mul", [dx, dx]), graph.add("Mul", [dy, dy])])
    codes = graph.add("Add", [graph.combine("Mul", dy, float(2 * _STEEPEST + 1)), dx])
    best, code = (graph.cut(one, 1, 0, 1) for one in (squares, codes))
    for channel in (1, 2):
        square, other = (graph.cut(one, 1, channel, channel + 1) for one in (squares, codes))
        code = graph.add("Where", [graph.add("Greater", [square, best]), other, code])
        best = graph.add("Max", [square, best])
    first = float(_STEEPEST * (2 * _STEEPEST + 2))
    return best, graph.add("Cast", [graph.combine("Add", code, first)], {"to": _INT64})


def _directions() -> Array:
    """The direction, one of 18, of every gradient there can be: dy, then dx, each -255..255; flat."""
    steps = np.arange(-_STEEPEST, _STEEPEST + 1, dtype=np.float32)
    return direction_of(steps[None, :], steps[:, None]).ravel()


def _norms(graph: GraphWriter, energy: str) -> str:
    """One over the length of each of the four blocks of 2 × 2 cells that a cell is in: (4, 1, H, W)."""
    wide = graph.add("Pad", [energy, graph.integers(0, 0, 1, 1, 0, 0, 1, 1)], {"mode": "edge"})
    blocks = graph.add("Conv", [wide, graph.constant(np.ones((1, 1, 2, 2)))])
    inverse = graph.add("Reciprocal", [graph.add("Sqrt", [graph.combine("Add", blocks, _EPSILON)])])
    # the order of their texture energies
    corners = ((1, 1), (0, 1), (1, 0), (0, 0))
    return graph.join([_shifted(graph, inverse, *corner) for corner in corners], 0)


def _shifted(graph: GraphWriter, value: str, y: int, x: int) -> str:
    """All but the last row or the first (`y` 1), all but the last column or the first."""
    bounds = ((y, x), (2**31 if y else -1, 2**31 if x else -1), (2, 3))
    return graph.add("Slice", [value, *(graph.integers(*one) for one in bounds)])


def write_fits(
    pyramid: Pyramid, components: Sequence[Component], scales: Sequence[float]
) -> tuple[str, str, int]:
    """Scores float32 (N,) of every place at every scale, boxes (4, N) of the objects there in the
    picture's pixels, and N."""
    graph = pyramid.graph
    scores, boxes, count = [], [], 0
    for scale in scales:
        height, width = (max(1, round(side * scale)) for side in graph.size_hw)
        for component in components:
            rows = height // CELL + 2 * MARGIN - component.size_cells[0] + 1
            columns = width // CELL + 2 * MARGIN - component.size_cells[1] + 1
            if min(rows, columns, height // CELL, width // CELL) <= 0:
                continue
            level = _LevelNodes(pyramid, component, (height, width), (rows, columns))
            total, box = level.write()
            scores.append(graph.add("Reshape", [total, graph.integers(-1)]))
            boxes.append(graph.add("Reshape", [box, graph.integers(4, -1)]))
            count += rows * columns
    return graph.join(scores, 0), graph.join(boxes, 1), count


class _LevelNodes:
    """A component at every place of the picture at one size."""

    def __init__(
        self, pyramid: Pyramid, component: Component, size_hw: SizeHW, places_hw: SizeHW
    ) -> None:
        self.pyramid, self.graph, self.component = pyramid, pyramid.graph, component
        self.size_hw, self.places_hw = size_hw, places_hw

    def write(self) -> tuple[str, str]:
        """Total scores (1, 1, rows, columns) and boxes (1, 4, rows, columns)."""
        graph, component = self.graph, self.component
        coarse = self.pyramid.padded(self.size_hw, MARGIN)
        bias = graph.constant([component.bias])
        total = graph.add("Conv", [coarse, graph.constant(_kernels(component.root[None])), bias])
        windows = self._windows()
        cell = [8 * whole / side for whole, side in zip(graph.size_hw, self.size_hw, strict=True)]
        units = np.array([cell[1], cell[0]] * 2)
        if not len(component.parts):
            fixed = (component.corners[0] * units).reshape(1, 4, 1, 1)
            return total, graph.add("Add", [windows, graph.constant(fixed)])
        scores, moves = self._parts()
        total = graph.add("Add", [total, graph.total(scores, 1)])
        weights = component.corners * units  # (1 + 2P, 4)
        kernel = graph.constant(weights[1:].T[:, :, None, None])
        shift = graph.add("Conv", [moves, kernel, graph.constant(weights[0])])
        return total, graph.add("Add", [windows, shift])

    def _windows(self) -> str:
        """Root windows (1, 4, rows, columns) in the picture's pixels: x from columns, y from rows."""
        sides = []
        for axis in (1, 0):
            cell = CELL * self.graph.size_hw[axis] / self.size_hw[axis]
            near = (np.arange(self.places_hw[axis]) - MARGIN) * cell
            edges = np.stack([near, near + self.component.size_cells[axis] * cell])
            held = np.zeros((1, 4, *((1, len(near)) if axis else (len(near), 1))))
            held[0, 1 - axis :: 2] = edges[:, None] if axis else edges[:, :, None]
            sides.append(self.graph.constant(held))
        return self.graph.add("Add", sides)

    def _parts(self) -> tuple[str, str]:
        """Best scores of the parts (1, P, rows, columns), and their moves there (1, 2P, rows, columns):
        all dx, then all dy."""
        graph, component = self.graph, self.component
        count, side = component.parts.shape[:2]
        double = 2 * self.size_hw[0], 2 * self.size_hw[1]
        fine = self.pyramid.padded(double, 2 * MARGIN)
        found = graph.add("Conv", [fine, graph.constant(_kernels(component.parts))])
        tall = double[0] // CELL + 4 * MARGIN - side + 1
        wide = double[1] // CELL + 4 * MARGIN - side + 1
        along, dx = self._nearby(found, 3, (tall, wide))
        best, dy = self._nearby(along, 2, (tall, wide))
        # the way across was found for the row where the part ends up
        row = graph.add("Add", [graph.constant(np.arange(tall).reshape(1, 1, -1, 1), np.int64), dy])
        row = graph.add("Min", [graph.add("Max", [row, graph.integers(0)]), graph.integers(tall - 1)])
        dx = graph.add("GatherElements", [dx, row], {"axis": 2})
        floats = [graph.add("Cast", [one], {"to": _FLOAT}) for one in (dx, dy)]
        every = graph.join([*floats, best], 0)  # (3, P, tall, wide)
        at_anchors = graph.join([self._at(every, index) for index in range(count)], 1)
        moves = graph.add(
            "Reshape",
            [graph.cut(at_anchors, 0, 0, 2), graph.integers(1, 2 * count, *self.places_hw)],
        )
        return graph.cut(at_anchors, 0, 2, 3), moves

    def _at(self, every: str, index: int) -> str:
        """(3, 1, rows, columns): what `every` (3, P, …) says of a part for a root at each place."""
        starts = [index, *self.component.anchors[index].tolist()]
        stops = [index + 1, *(s + 2 * n for s, n in zip(starts[1:], self.places_hw, strict=True))]
        bounds = (starts, stops, (1, 2, 3), (1, 2, 2))
        return self.graph.add("Slice", [every, *(self.graph.integers(*one) for one in bounds)])

    def _nearby(self, scores: str, axis: int, size_hw: SizeHW) -> tuple[str, str]:
        """The best within reach along `axis`, less its price, and the move to it, int64: (1, P, …)."""
        graph, moves = self.graph, np.array(moves_in_order(REACH))
        linear, square = (self.component.prices[:, at] for at in ((0, 1) if axis == 3 else (2, 3)))
        pads = [0] * 8
        pads[axis] = pads[axis + 4] = REACH
        room = graph.add("Pad", [scores, graph.integers(*pads), graph.constant(_NOWHERE)])
        # a filter for each move and part, which takes the score there and its price off
        one_hot = np.arange(-REACH, REACH + 1) == moves[:, None]
        there = np.expand_dims(one_hot, (1, 2) if axis == 3 else (1, 3))  # (moves, 1, 1, 9) or turned
        kernel = np.tile(there, (len(linear), 1, 1, 1))
        price = linear[:, None] * moves + square[:, None] * moves**2
        bias = graph.constant(-price.ravel())
        offered = graph.add("Conv", [room, graph.constant(kernel), bias], {"group": len(linear)})
        tall, wide = size_hw
        every = graph.add("Reshape", [offered, graph.integers(1, len(linear), len(moves), tall, wide)])
        best = graph.add("ReduceMax", [every, graph.integers(2)], {"keepdims": 0})
        which = graph.add("ArgMax", [every], {"axis": 2, "keepdims": 0})
        return best, graph.add("Gather", [graph.constant(moves, np.int64), which])


def _kernels(filters: Array) -> Array:
    """Filters (P, h, w, 31) as a convolution has them, (P, 31, h, w)."""
    return filters.transpose(0, 3, 1, 2)
