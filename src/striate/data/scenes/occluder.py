"""Hedges and hoardings that hide an exact share of a silhouette."""

from __future__ import annotations

import math
import random

import numpy as np

from striate.data.scenes.light import Light
from striate.data.scenes.names import Rgb, stuff_id
from striate.data.scenes.sketch import BALL, FACE, Drawn, ScreenMark
from striate.data.scenes.trace import Silhouette
from striate.types import Array, SizeHW

__all__ = ["occluder_for"]

_LEAF: Rgb = (84, 140, 78)
_PLANKS: tuple[Rgb, ...] = ((214, 74, 62), (242, 238, 228))


Rgba = tuple[int, int, int, int]
Bounds = tuple[float, float, float, float]


def _lit(colour: Rgb, light: Light, tone: float) -> Rgba:
    red, green, blue = (
        min(255, int(c * (a + tone * s)))
        for c, a, s in zip(colour, light.ambient, light.sun, strict=True)
    )
    return red, green, blue, 255


class _Marks:
    """Collects marks given in pixels."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float]] = []
        self.marks: list[ScreenMark] = []

    def box(
        self, x0: float, y0: float, x1: float, y1: float, rgba: Rgba, *, decal: bool = False
    ) -> None:
        start = len(self.points)
        self.points += [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        self.marks.append(ScreenMark(FACE, start, start + 4, 0.0, rgba, "", decal, 0.0))

    def ball(self, x: float, y: float, radius: float, rgba: Rgba) -> None:
        start = len(self.points)
        self.points.append((x, y))
        self.marks.append(ScreenMark(BALL, start, start + 1, radius, rgba, "", True, 0.0))


def _reach(distances: Array, share: float) -> int:
    """How many lines of pixels, counted from one side, hold `share` of them; never all of them.

    `distances`: of every pixel its line, from 0.
    """
    covered = np.concatenate([[0.0], np.cumsum(np.bincount(distances)) / len(distances)])
    nearest = int(np.argmin(np.abs(covered - share)))
    return min(nearest, len(covered) - 2)


def occluder_for(
    shape: Silhouette, share: float, size_hw: SizeHW, light: Light, rng: random.Random
) -> tuple[Drawn, int] | None:
    """Something in front of `shape` that covers `share` of its pixels in the picture, from one side.

    Returns its marks and its stuff class; None when there is nothing to cover. Whole columns (or
    rows, from below) are covered, the more the larger the share, and at least one is left.
    """
    picture, own = shape.inside(size_hw)
    rows, columns = np.nonzero(shape.whole[own])
    side = rng.choice(("left", "right", "left", "right", "below"))
    hedge = rng.random() < 0.55
    if not len(rows):
        return None
    top, left = picture[0].start, picture[1].start
    y0, y1 = float(rows.min() + top), float(rows.max() + top + 1)
    x0, x1 = float(columns.min() + left), float(columns.max() + left + 1)
    margin = 0.08 * max(x1 - x0, y1 - y0) + 1.0
    # The edge lies between two pixels, a little inside of what is to be covered.
    if side == "below":
        edge = rows.max() + top + 1 - _reach(rows.max() - rows, share)
        box = (x0 - margin, edge + 0.1, x1 + margin, y1 + margin * 0.5)
    elif side == "left":
        edge = x0 + _reach(columns - columns.min(), share)
        box = (x0 - margin, y0 - margin * 0.6, edge - 0.4, y1 + margin * 0.4)
    else:
        edge = x1 - _reach(columns.max() - columns, share)
        box = (edge + 0.1, y0 - margin * 0.6, x1 + margin, y1 + margin * 0.4)
    marks = _Marks()
    if hedge:
        _hedge(marks, box, light, rng)
    else:
        _hoarding(marks, box, light)
    drawn = Drawn(np.array(marks.points), tuple(marks.marks), (), box)
    return drawn, stuff_id("vegetation" if hedge else "furniture")


def _hoarding(marks: _Marks, box: Bounds, light: Light) -> None:
    """Striped planks."""
    x0, y0, x1, y1 = box
    marks.box(*box, _lit(_PLANKS[1], light, 0.5))
    step = max(3.0, (y1 - y0) / 7)
    for index in range(0, math.ceil((y1 - y0) / step), 2):
        low = y0 + index * step
        marks.box(x0, low, x1, min(y1, low + step), _lit(_PLANKS[0], light, 0.5), decal=True)


def _hedge(marks: _Marks, box: Bounds, light: Light, rng: random.Random) -> None:
    """A clipped hedge with dabs of leaf."""
    x0, y0, x1, y1 = box
    marks.box(*box, _lit(_LEAF, light, 0.35))
    size = max(0.8, 0.07 * max(x1 - x0, y1 - y0))
    for _ in range(40):
        u, v, shade = rng.random(), rng.random(), rng.random()
        x, y = x0 + size + u * max(0.0, x1 - x0 - 2 * size), y0 + size + v * max(0.0, y1 - y0 - 2 * size)
        marks.ball(x, y, size, _lit((112, 170, 92) if shade > 0.5 else (64, 116, 70), light, 0.35))
