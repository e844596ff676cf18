"""What a new component looks like: the size of its root, where its parts begin, weights and back."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from striate.features.parts.cells import CELL, DEPTH
from striate.features.parts.model import Component
from striate.types import Array

__all__ = ["bare", "from_weights", "lowest_weights", "root_size", "silent", "weights_of", "with_parts"]

_COVERED = 0.8
"""Share of the root that parts cover together (PAMI 2010, section 5.2)."""
_SMALLEST_PART, _LARGEST_PART = 3, 8
_FIRST_PRICE = (0.0, 0.1, 0.0, 0.1)
"""PAMI 2010, section 5.2."""
_LOWEST_PRICE = 0.01


def root_size(boxes_xyxy: Array, cells: int, enlarge: float) -> tuple[int, int]:
    """Cells high and wide: the middle aspect of the boxes, about `cells` of them; fewer where most
    boxes, `enlarge`d as far as allowed, would not fill them."""
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    aspect = float(np.median(sides[:, 0] / sides[:, 1]))  # width over height
    area = float(np.percentile(sides[:, 0] * sides[:, 1], 20)) * enlarge**2 / CELL**2
    count = min(float(cells), max(area, 9.0))
    tall = max(2, round(math.sqrt(count / aspect)))
    return tall, max(2, round(tall * aspect))


def bare(size: tuple[int, int]) -> Component:
    """A component that knows nothing and has no parts."""
    return Component(
        np.zeros((*size, DEPTH), np.float32),
        np.zeros((0, 0, 0, DEPTH), np.float32),
        np.zeros((0, 2), np.int64),
        np.zeros((0, 4), np.float32),
        0.0,
        0.0,
        np.zeros(0, np.float32),
        np.zeros((1, 4), np.float32),
    )


def with_parts(component: Component, count: int) -> Component:
    """`component` with `count` parts, cut where its root at twice the size has most positive weight.

    Greedily, one after another; what a part covers counts no more for the next ones.
    """
    if count == 0:
        return component
    fine = _enlarged(component.root)
    tall, wide = fine.shape[:2]
    side = round(math.sqrt(_COVERED * tall * wide / count))
    side = min(max(_SMALLEST_PART, min(side, _LARGEST_PART)), tall, wide)
    energy = (np.maximum(fine, 0.0) ** 2).sum(axis=2)
    parts, anchors = [], []
    for _ in range(count):
        row, column = _richest(energy, side)
        parts.append(fine[row : row + side, column : column + side])
        anchors.append((row, column))
        energy[row : row + side, column : column + side] = 0.0
    order = sorted(range(count), key=lambda index: anchors[index])
    return replace(
        component,
        parts=np.stack([parts[index] for index in order]).astype(np.float32),
        anchors=np.array([anchors[index] for index in order], np.int64),
        prices=np.tile(np.array(_FIRST_PRICE, np.float32), (count, 1)),
        usual_parts=np.zeros(count, np.float32),
        corners=np.zeros((1 + 2 * count, 4), np.float32),
    )


def silent(component: Component) -> Component:
    """`component` with parts that say nothing and stay where they are: its root decides alone."""
    none = np.zeros_like(component.parts)
    return replace(
        component, parts=none, prices=np.tile(np.array(_FIRST_PRICE, np.float32), (len(none), 1))
    )


def _enlarged(root: Array) -> Array:
    """Twice as high and wide, each cell's weights spread over four with a smooth passage."""
    tall, wide = root.shape[:2]
    y, x = (_passage(size) for size in (tall, wide))
    found: Array = np.einsum("ai,bj,ijk->abk", y, x, root).astype(np.float32)
    return found


def _passage(size: int) -> Array:
    """(2 · size, size): linear interpolation at a quarter of a cell from each middle."""
    at = np.clip((np.arange(2 * size) + 0.5) / 2 - 0.5, 0, size - 1)
    found: Array = np.maximum(1.0 - np.abs(at[:, None] - np.arange(size)), 0.0)
    return found


def _richest(energy: Array, side: int) -> tuple[int, int]:
    """Row and column of the square of `side` with the largest sum."""
    sums = np.zeros((energy.shape[0] + 1, energy.shape[1] + 1))
    sums[1:, 1:] = energy.cumsum(axis=0).cumsum(axis=1)
    squares = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    row, column = np.unravel_index(int(squares.argmax()), squares.shape)
    return int(row), int(column)


def weights_of(component: Component) -> Array:
    """All that is learnt as one vector (D,), in the order of `search.vectors`."""
    pieces = (component.root, component.parts, component.prices, np.array([component.bias], np.float32))
    return np.concatenate([piece.ravel() for piece in pieces]).astype(np.float32)


def from_weights(component: Component, weights: Array) -> Component:
    """`component` with what `weights` (D,) says."""
    ends = np.cumsum([component.root.size, component.parts.size, component.prices.size])
    root, parts, prices, bias = np.split(weights, ends)
    return replace(
        component,
        root=root.reshape(component.root.shape),
        parts=parts.reshape(component.parts.shape),
        prices=prices.reshape(component.prices.shape),
        bias=float(bias[0]),
    )


def lowest_weights(component: Component) -> Array:
    """Bounds (D,): a part's move must cost something, the more the further it is."""
    prices = np.tile([-np.inf, _LOWEST_PRICE, -np.inf, _LOWEST_PRICE], len(component.prices))
    before = np.full(component.root.size + component.parts.size, -np.inf)
    return np.concatenate([before, prices, [-np.inf]])
