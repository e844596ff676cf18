"""A picture at many sizes, and how well a component fits at each place of each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from striate.features.parts.cells import CELL, cells, correlate, padded
from striate.features.parts.model import Component
from striate.features.parts.movement import best_nearby, moved
from striate.pictures import resize
from striate.types import Array, Picture, SizeHW

__all__ = ["MARGIN", "Fits", "Level", "fit", "levels", "scales_of", "vectors", "width_of"]

MARGIN = 2
"""Empty cells around a picture: an object may reach so far beyond the edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The cells of a picture at one size. `coarse`: for root filters; `fine`: for parts, at twice the
    size. `scale_yx`: its pixels for one of the picture's."""

    coarse: Array
    fine: Array
    scale_yx: tuple[float, float]

    def boxes(self, row: Array, column: Array, size: tuple[int, int], *, finer: int = 1) -> Array:
        """Corners of windows of `size` cells in the picture's pixels, float64 (…, 4). `finer`: 2 for
        places in the fine cells."""
        y, x = (CELL / finer / scale for scale in self.scale_yx)
        top, left = (row - MARGIN * finer) * y, (column - MARGIN * finer) * x
        return np.stack([left, top, left + size[1] * x, top + size[0] * y], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """A component at every place of a level. `total`, `root`: (H, W), with bias and without. `parts`,
    `dy`, `dx`: (P, H, W), the best score of each part near its anchor, and its move there."""

    level: Level
    component: Component
    total: Array
    root: Array
    parts: Array
    dy: Array
    dx: Array

    def boxes(self, row: Array, column: Array) -> Array:
        """Root windows at places (N,), in the picture's pixels, (N, 4)."""
        return self.level.boxes(row, column, self.component.size_cells)

    def objects(self, row: Array, column: Array) -> Array:
        """Boxes of the objects at places (N,): the root windows, corrected by where the parts went."""
        moves = np.stack([self.dx[:, row, column].T, self.dy[:, row, column].T], axis=1)
        known = np.column_stack([np.ones(len(row)), moves.reshape(len(row), -1)])
        windows = self.boxes(row, column)
        tall, wide = self.component.size_cells
        cell = (windows[:, 2:] - windows[:, :2]) / (wide, tall)
        found: Array = windows + known @ self.component.corners * np.tile(cell, 2)
        return found

    def part_places(self, row: Array, column: Array) -> tuple[Array, Array]:
        """Row and column (N, P) of the parts in the fine cells, for roots at places (N,)."""
        y, x = self.component.anchors.T
        dy, dx = self.dy[:, row, column].T, self.dx[:, row, column].T
        return 2 * row[:, None] + y + dy, 2 * column[:, None] + x + dx

    def part_boxes(self, row: Array, column: Array) -> Array:
        """Windows of the parts in the picture's pixels, (N, P, 4)."""
        side = self.component.parts.shape[1]
        return self.level.boxes(*self.part_places(row, column), (side, side), finer=2)

    def prices(self, row: Array, column: Array) -> Array:
        """What the parts' moves cost, (N, P)."""
        moves = moved(self.dy[:, row, column].T, self.dx[:, row, column].T)
        found: Array = np.einsum("npk,pk->np", moves, self.component.prices)
        return found


def scales_of(
    size_hw: SizeHW, components: Sequence[Component], first: float, interval: int
) -> list[float]:
    """Sizes to search, from `first` down to where no root filter fits, `interval` for each halving."""
    tall = min(one.size_cells[0] for one in components)
    wide = min(one.size_cells[1] for one in components)
    found: list[float] = []
    while len(found) < 200:
        scale = first * 2.0 ** (-len(found) / interval)
        rows, columns = (round(side * scale) // CELL + 2 * MARGIN for side in size_hw)
        if rows < tall or columns < wide:
            break
        found.append(scale)
    return found


def levels(picture: Picture, scales: Sequence[float], *, parts: bool) -> Iterator[Level]:
    """`picture`, uint8 (H, W, 3), at each of `scales`; without `parts` the fine cells are empty."""
    height, width = picture.shape[:2]
    for scale in scales:
        tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
        coarse = padded(cells(resize(picture, (tall, wide))), MARGIN)
        fine = coarse[:0, :0]
        if parts:
            fine = padded(cells(resize(picture, (2 * tall, 2 * wide))), 2 * MARGIN)
        yield Level(coarse, fine, (tall / height, wide / width))


def fit(level: Level, component: Component) -> Fits:
    """`component` at every place of `level` where its root lies on the cells."""
    root = correlate(level.coarse, component.root[None])[0]
    rows, columns = root.shape
    count = len(component.parts)
    shape = (count, rows, columns)
    parts, dy, dx = np.zeros(shape, np.float32), np.zeros(shape, np.int8), np.zeros(shape, np.int8)
    found = correlate(level.fine, component.parts) if count and root.size else parts
    for index in range(count if root.size else 0):
        place = np.s_[
            component.anchors[index, 0] : component.anchors[index, 0] + 2 * rows : 2,
            component.anchors[index, 1] : component.anchors[index, 1] + 2 * columns : 2,
        ]
        best = best_nearby(found[index], component.prices[index])
        parts[index], dy[index], dx[index] = (one[place] for one in best)
    total = root + parts.sum(axis=0) + np.float32(component.bias)
    return Fits(level, component, total, root, parts, dy, dx)


def vectors(fits: Fits, row: Array, column: Array) -> Array:
    """What the filters saw at places (N,), float32 (N, D), in the order of `weights`: root cells, cells
    of each part, minus each part's (dx, dx², dy, dy²), and 1 for the bias."""
    component, level = fits.component, fits.level
    tall, wide = component.size_cells
    side = component.parts.shape[1]
    part_row, part_column = fits.part_places(row, column)
    moves = moved(fits.dy[:, row, column].T, fits.dx[:, row, column].T)
    found = []
    for index, (y, x) in enumerate(zip(row.tolist(), column.tolist(), strict=True)):
        pieces = [level.coarse[y : y + tall, x : x + wide].ravel()]
        for v, u in zip(part_row[index].tolist(), part_column[index].tolist(), strict=True):
            pieces.append(level.fine[v : v + side, u : u + side].ravel())
        found.append(np.concatenate([*pieces, -moves[index].ravel(), np.ones(1, np.float32)]))
    return np.stack(found) if found else np.zeros((0, width_of(component)), np.float32)


def width_of(component: Component) -> int:
    """How many numbers a component has: the length of its vectors."""
    return component.root.size + component.parts.size + component.prices.size + 1
