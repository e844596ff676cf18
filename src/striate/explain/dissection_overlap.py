"""Where a unit is active, at the size of a mask: bilinear, and only near places that are active.

A value between four places is a weighed mean of theirs, so it exceeds a threshold only where one of the
four does. With a threshold at the top half per cent, that spares nearly all the work, and is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from striate.types import Array

__all__ = ["AxisCells", "active_pixels", "count_labels", "partners", "resampled"]

_MOST_VALUES = 1 << 20
"""Interpolated at once: they stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class AxisCells:
    """The pixels of one axis by the cell that they lie in: between which two places of the map.

    Cell 0 lies before the first place and cell n behind the last of n. `pixels` (n + 1, K): pixel
    numbers; `shares` (n + 1, K) float32: how far each is on its way to the later place, NaN where
    there is no further pixel.
    """

    places: int
    pixels: Array
    shares: Array

    @classmethod
    def of(cls, positions: Array, places: int) -> AxisCells:
        """`positions`: of each pixel on the map, ascending, in places: 0 is the first one's middle."""
        cell = (np.floor(positions).astype(np.int64) + 1).clip(0, places)
        counts = np.bincount(cell, minlength=places + 1)
        firsts = np.cumsum(counts) - counts
        column = np.arange(max(1, int(counts.max())))
        there = column < counts[:, None]
        pixels = np.where(there, firsts[:, None] + column, 0)
        between = (positions - np.floor(positions)).astype(np.float32)
        shares = np.where(there, between[pixels], np.float32(np.nan))
        return cls(places, pixels, shares)

    @property
    def filled(self) -> Array:
        """bool (n + 1,): whether a cell holds any pixel."""
        found: Array = ~np.isnan(self.shares[:, 0])
        return found


def active_pixels(
    values: Array, thresholds: Array, rows: AxisCells, columns: AxisCells
) -> Iterator[tuple[Array, Array, Array]]:
    """Pixels at which units exceed their thresholds: (unit, row, column), each int (n,), in parts.

    `values`: float32 (C, h, w). Beyond the outer places the nearest value counts.
    """
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)), mode="edge")  # (C, h + 2, w + 2)
    above = padded > thresholds[:, None, None]
    near = above[:, :-1] | above[:, 1:]
    near = (near[:, :, :-1] | near[:, :, 1:]) & (rows.filled[:, None] & columns.filled)
    unit, row, column = np.nonzero(near)  # cells with an active corner
    step = max(1, _MOST_VALUES // (rows.shares.shape[1] * columns.shares.shape[1]))
    for start in range(0, len(unit), step):
        part = slice(start, start + step)
        yield _within(padded, thresholds, (unit[part], row[part], column[part]), rows, columns)


def _within(
    padded: Array,
    thresholds: Array,
    cells: tuple[Array, Array, Array],
    rows: AxisCells,
    columns: AxisCells,
) -> tuple[Array, Array, Array]:
    unit, row, column = cells
    down, across = rows.shares[row], columns.shares[column]  # (n, Ky), (n, Kx)
    left = _between(padded[unit, row, column], padded[unit, row + 1, column], down)
    right = _between(padded[unit, row, column + 1], padded[unit, row + 1, column + 1], down)
    found = left[:, :, None] + (right - left)[:, :, None] * across[:, None, :]  # (n, Ky, Kx)
    at, y, x = np.nonzero(found > thresholds[unit][:, None, None])  # NaN is never above
    return unit[at], rows.pixels[row[at], y], columns.pixels[column[at], x]


def _between(first: Array, second: Array, shares: Array) -> Array:
    found: Array = first[:, None] + (second - first)[:, None] * shares
    return found


def count_labels(firsts: Array, labels: Array, channels: int, kinds: int) -> Array:
    """How often each unit meets each label, int (C, kinds).

    `firsts`: the unit of each pixel times `kinds`. `labels`: its label, below `kinds`.
    """
    counts = np.bincount(firsts + labels, minlength=channels * kinds)
    return counts.reshape(channels, kinds)


def partners(count: int, rounds: int, seed: int) -> Array:
    """int (R, N): for each picture another one, each used once a round."""
    rng = np.random.default_rng(seed)
    found = np.empty((rounds, count), np.int64)
    for row in found:
        order = rng.permutation(count)
        row[order] = np.roll(order, -1)
    return found


def resampled(labels: Array, shape: tuple[int, ...]) -> Array:
    """`labels` at another size, each pixel the nearest one."""
    if labels.shape == shape:
        return labels
    rows, columns = (
        ((np.arange(now) + 0.5) * was / now).astype(np.int64)
        for now, was in zip(shape, labels.shape, strict=True)
    )
    found: Array = labels[np.ix_(rows, columns)]
    return found
