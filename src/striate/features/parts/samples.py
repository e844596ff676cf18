"""Windows to learn from: marked objects where the model sees them best, and the hardest mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.features.parts.boxes import ious, keep_best
from striate.features.parts.cells import CELL, cells
from striate.features.parts.model import Component
from striate.features.parts.search import Fits, fit, levels, scales_of, vectors, width_of
from striate.pictures import resize
from striate.types import Array, Picture

__all__ = ["Example", "hard_windows", "random_windows", "seen_best", "warped"]

SAME, APART = 0.7, 0.3
"""Overlap with the mark from which a window is the object, and up to which it is not."""

_AROUND = 0.6
"""How much of the picture beside an object is looked at, in its own sizes."""
_STEPS = (-0.4, -0.2, 0.0, 0.2, 0.4)
"""Sizes at which an object is looked for, in halvings around the one that fits its mark."""
_INTERVAL = 3
"""Sizes for each halving in which mistakes are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A picture, uint8 (H, W, 3), and all objects marked in it, (N, 4)."""

    picture: Picture
    boxes_xyxy: Array


def warped(example: Example, box: Array, size: tuple[int, int]) -> Array:
    """The cells of `box` brought to `size` cells, float32 (h, w, 31), with its surroundings to compare
    brightness with."""
    height, width = example.picture.shape[:2]
    room = (box[2:] - box[:2]) / (size[1], size[0])  # one cell's worth of the picture
    left, top = np.floor(np.maximum(box[:2] - room, 0)).astype(int)
    right, bottom = np.ceil(np.minimum(box[2:] + room, (width, height))).astype(int)
    scale = CELL / room
    shape = (max(1, round((bottom - top) * scale[1])), max(1, round((right - left) * scale[0])))
    found = np.pad(
        cells(resize(np.ascontiguousarray(example.picture[top:bottom, left:right]), shape)),
        ((0, size[0] + 2), (0, size[1] + 2), (0, 0)),
    )
    row = round((box[1] - top) * scale[1] / CELL)
    column = round((box[0] - left) * scale[0] / CELL)
    return found[row : row + size[0], column : column + size[1]]


def seen_best(
    example: Example, box: Array, component: Component, *, enlarge: float
) -> tuple[Array, Array] | None:
    """Where `component` sees the object of `box` best: its vector (D,) and its window.

    Among windows that overlap the mark by at least 0.7; if there is none, the one that overlaps most.
    None for an object that stays too small even `enlarge`d.
    """
    part, corner = _surroundings(example.picture, box)
    marked = np.asarray(box, np.float64) - np.tile(corner, 2)
    sides = marked[2:] - marked[:2]
    area = component.size_cells[0] * component.size_cells[1] * CELL**2
    middle = math.sqrt(area / float(sides.prod()))
    scales = [middle * 2.0**step for step in _STEPS if middle * 2.0**step <= enlarge * 1.001]
    best: tuple[tuple[bool, float], Fits, int, int] | None = None
    for level in levels(part, scales, parts=len(component.parts) > 0):
        fits = fit(level, component)
        if not fits.total.size:
            continue
        row, column = (one.ravel() for one in np.indices(fits.total.shape))
        shared = ious(fits.boxes(row, column), marked[None])[:, 0]
        same = shared >= SAME
        merit = np.where(same, fits.total.ravel(), -np.inf) if same.any() else shared
        at = int(merit.argmax())
        key = (bool(same.any()), float(merit[at]))
        if best is None or key > best[0]:
            best = key, fits, int(row[at]), int(column[at])
    if best is None:
        return None
    _, fits, y, x = best
    place = np.array([y]), np.array([x])
    window = fits.boxes(*place)[0] + np.tile(corner, 2)
    return vectors(fits, *place)[0], window


def _surroundings(picture: Picture, box: Array) -> tuple[Picture, Array]:
    """The part of the picture around an object, and its upper left corner (x, y)."""
    height, width = picture.shape[:2]
    room = _AROUND * (box[2:] - box[:2]) + 8
    left, top = np.floor(np.maximum(box[:2] - room, 0)).astype(int)
    right, bottom = np.ceil(np.minimum(box[2:] + room, (width, height))).astype(int)
    return np.ascontiguousarray(picture[top:bottom, left:right]), np.array([left, top], np.float64)


def random_windows(
    examples: Sequence[Example],
    component: Component,
    count: int,
    *,
    first: float,
    rng: np.random.Generator,
) -> Array:
    """Vectors (N, D) of about `count` windows anywhere that hardly touch a marked object."""
    found = []
    each = -(-count // max(1, len(examples)))
    for example in examples:
        scales = _scales(example, component, first)
        if not scales:
            continue
        chosen = rng.choice(scales, size=min(2, len(scales)), replace=False)
        for level in levels(example.picture, [float(one) for one in chosen], parts=False):
            fits = fit(level, component)
            row, column = (one.ravel() for one in np.indices(fits.total.shape))
            far = np.flatnonzero(_apart(fits, row, column, example))
            take = rng.permutation(far)[: -(-each // 2)]
            found.append(vectors(fits, row[take], column[take]))
    return np.concatenate([*found, np.zeros((0, width_of(component)), np.float32)])


def hard_windows(
    example: Example, component: Component, *, first: float, each: int, least: float
) -> Array:
    """Vectors (N, D) of up to `each` windows without an object that score the most, above `least`."""
    rows: list[tuple[Fits, int, int]] = []
    boxes, scores = [np.zeros((0, 4))], [np.zeros(0)]
    scales = _scales(example, component, first)
    for level in levels(example.picture, scales, parts=len(component.parts) > 0):
        fits = fit(level, component)
        row, column = np.nonzero(fits.total > least)
        far = _apart(fits, row, column, example)
        row, column = row[far], column[far]
        top = np.argsort(-fits.total[row, column], kind="stable")[: 3 * each]
        row, column = row[top], column[top]
        rows += [(fits, y, x) for y, x in zip(row.tolist(), column.tolist(), strict=True)]
        boxes.append(fits.boxes(row, column))
        scores.append(fits.total[row, column])
    kept = keep_best(np.concatenate(boxes), np.concatenate(scores), most=0.7)[:each]
    chosen = [rows[index] for index in kept.tolist()]
    found = [vectors(fits, np.array([y]), np.array([x])) for fits, y, x in chosen]
    return np.concatenate(found) if found else np.zeros((0, width_of(component)), np.float32)


def _scales(example: Example, component: Component, first: float) -> list[float]:
    size = example.picture.shape[0], example.picture.shape[1]
    return scales_of(size, [component], first, _INTERVAL)


def _apart(fits: Fits, row: Array, column: Array, example: Example) -> Array:
    """bool (N,): the window overlaps no marked object by more than 0.3, and lies half in the picture."""
    boxes = fits.boxes(row, column)
    height, width = example.picture.shape[:2]
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    within: Array = np.all((middle >= 0) & (middle <= (width, height)), axis=1)
    if not len(example.boxes_xyxy):
        return within
    found: Array = within & (ious(boxes, example.boxes_xyxy).max(axis=1) <= APART)
    return found
