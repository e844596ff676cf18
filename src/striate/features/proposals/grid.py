"""Sliding windows of several sizes and shapes: what proposals are measured against."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.features.proposals.types import Proposals
from striate.randomness import hash64, permutation
from striate.types import Array, SizeHW

__all__ = ["ASPECTS", "GridSettings", "all_boxes", "propose_grid", "window_count"]

ASPECTS = (0.5, 1.0, 2.0)
"""Width over height."""

_SMALLEST = 8
"""No side of a window is shorter, pixels, where the picture allows it."""


@dataclass(frozen=True, slots=True)
class GridSettings:
    """Which windows there are.

    `overlap`: IoU of a window with its neighbour, beside or below. `octaves`: window areas halve twice
    an octave, from the whole picture down to sides 2^−octaves of it. `aspects`: width over height.
    """

    overlap: float = 0.65
    octaves: int = 4
    aspects: tuple[float, ...] = ASPECTS

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < 1:
            raise ValueError(f"overlap is {self.overlap}; expected from 0 to less than 1")


def window_count(size_hw: SizeHW, settings: GridSettings | None = None) -> int:
    """How many windows a sliding window has to look at in a picture of this size."""
    cells = _cells(size_hw, settings or GridSettings())
    return sum(rows * columns for _, rows, columns in cells)


def all_boxes(size_hw: SizeHW) -> int:
    """How many boxes with whole-pixel edges there are at all.

    >>> all_boxes((480, 640))
    23679052800
    """
    height, width = size_hw
    return height * (height + 1) // 2 * (width * (width + 1) // 2)


def propose_grid(
    size_hw: SizeHW, *, most: int, seed: int = 0, settings: GridSettings | None = None
) -> Proposals:
    """Windows of a picture of `size_hw`, at most `most`.

    Where the settings give more than that, windows of all sizes overlap less. The order takes one of
    each size and shape in turn, the largest first, at places drawn with `seed`, so that any first part
    of it is spread over sizes and places.
    """
    chosen = settings or GridSettings()
    found = window_count(size_hw, chosen)
    cells = _thinned(size_hw, chosen, most)
    boxes, turns = [], []
    for number, (window, rows, columns) in enumerate(cells):
        order = permutation(hash64(seed, number, "grid"), 0, rows * columns)
        boxes.append(_placed(size_hw, window, rows, columns)[order])
        turns.append(np.arange(rows * columns) + number / len(cells))
    rank = np.argsort(np.concatenate(turns), kind="stable")
    ordered = _distinct(np.concatenate(boxes)[rank])[:most]
    scores = 1 / (1 + np.arange(len(ordered)))
    return Proposals(ordered.astype(np.float32), scores.astype(np.float32), found)


Cell = tuple[tuple[float, float], int, int]
"""(height, width) of a window, and how many rows and columns of them there are."""


def _cells(size_hw: SizeHW, settings: GridSettings) -> list[Cell]:
    """All sizes and shapes that fit into the picture, the largest first."""
    height, width = size_hw
    found: dict[tuple[float, float], tuple[int, int]] = {}
    for step in range(2 * settings.octaves + 1):
        side = math.sqrt(height * width) * 2 ** (-step / 2)
        for aspect in settings.aspects:
            window = (
                min(height, max(side / math.sqrt(aspect), _SMALLEST)),
                min(width, max(side * math.sqrt(aspect), _SMALLEST)),
            )
            found[window] = tuple(  # type: ignore[assignment]  # two of them
                _places(all_of_it, part, settings.overlap)
                for all_of_it, part in zip(size_hw, window, strict=True)
            )
    return [(window, rows, columns) for window, (rows, columns) in found.items()]


def _places(length: float, window: float, overlap: float) -> int:
    """How many windows in a row: a shift by s of a window w leaves an IoU of (w − s) / (w + s)."""
    step = max(window * (1 - overlap) / (1 + overlap), 1.0)
    return 1 + math.ceil((length - window) / step - 1e-9)


def _thinned(size_hw: SizeHW, settings: GridSettings, most: int) -> list[Cell]:
    """The windows of the greatest overlap, up to that of the settings, that are at most `most`."""
    cells = _cells(size_hw, settings)
    if sum(rows * columns for _, rows, columns in cells) <= most:
        return cells
    low, high = 0.0, settings.overlap
    best = _cells(size_hw, GridSettings(low, settings.octaves, settings.aspects))
    for _ in range(20):
        middle = (low + high) / 2
        cells = _cells(size_hw, GridSettings(middle, settings.octaves, settings.aspects))
        if sum(rows * columns for _, rows, columns in cells) <= most:
            low, best = middle, cells
        else:
            high = middle
    return best


def _placed(size_hw: SizeHW, window: tuple[float, float], rows: int, columns: int) -> Array:
    """Windows in even steps from edge to edge of the picture, (rows · columns, 4); one stands in the
    middle."""
    tops, lefts = (
        np.linspace(0, length - part, count) if count > 1 else np.array([(length - part) / 2])
        for length, part, count in zip(size_hw, window, (rows, columns), strict=True)
    )
    left, top = (one.ravel() for one in np.meshgrid(lefts, tops))
    return np.stack([left, top, left + window[1], top + window[0]], axis=1)


def _distinct(boxes: Array) -> Array:
    """Each box once, in its first place."""
    _, first = np.unique(boxes, axis=0, return_index=True)
    found: Array = boxes[np.sort(first)]
    return found
