"""Occlusion: a grey square goes over the picture, and the answer is watched.

Zeiler & Fergus (2014), section 4.2.
"""

from __future__ import annotations

import numpy as np

from striate.explain.attribution import Asked
from striate.types import Array, PictureArray, SizeHW

__all__ = ["GREY", "occlude", "square_for"]

GREY = 127


def square_for(size_hw: SizeHW) -> tuple[int, int]:
    """Side of the square and its step, pixels: an eighth of the shorter side, half overlapping.

    At least 2 pixels where there are 4, and a 32nd of the longer side.
    """
    side = max(2 if min(size_hw) >= 4 else 1, round(min(size_hw) / 8), round(max(size_hw) / 32))
    return side, max(1, side // 2)


def occlude(asked: Asked, *, square: int = 0, step: int = 0) -> Array:
    """How much the answer falls where each place is covered: float64 (h, w), may be below 0.

    The mean over all squares that cover a place. `square`, `step`: pixels; 0 takes those of
    `square_for`.
    """
    own = square_for(asked.size_hw)
    square, step = square or own[0], step or own[1]
    corners = [
        (y, x)
        for y in _starts(asked.size_hw[0], square, step)
        for x in _starts(asked.size_hw[1], square, step)
    ]

    def make(rows: slice) -> PictureArray:
        chosen = corners[rows]
        found = np.repeat(asked.prepared.pixels[None], len(chosen), axis=0)
        for row, (y, x) in enumerate(chosen):
            found[row, y : y + square, x : x + square] = GREY
        return found

    whole = float(asked(asked.prepared.pixels[None])[0])
    falls = whole - asked.each(len(corners), make)
    total, count = np.zeros(asked.size_hw), np.zeros(asked.size_hw)
    for fall, (y, x) in zip(falls, corners, strict=True):
        total[y : y + square, x : x + square] += fall
        count[y : y + square, x : x + square] += 1
    found: Array = total / np.maximum(count, 1)
    return found


def _starts(side: int, square: int, step: int) -> list[int]:
    """Where squares begin, so that the last one reaches the end, cut off if it must be."""
    beyond = max(0, side - square)
    return [at * step for at in range(-(-beyond // step) + 1)]
