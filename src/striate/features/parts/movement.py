"""Where a part may go: the best place near its anchor, at a price that grows with the distance.

The generalised distance transform of Felzenszwalb & Huttenlocher ("Distance transforms of sampled
functions", 2012), bounded to a few cells as in the fifth release of the authors' detector: the price
makes longer ways useless.
"""

from __future__ import annotations

import numpy as np

from striate.types import Array

__all__ = ["REACH", "best_nearby", "moved", "moves_in_order"]

REACH = 4
"""How far a part may move from its anchor on either axis, in its own cells."""


def best_nearby(scores: Array, price: Array, *, reach: int = REACH) -> tuple[Array, Array, Array]:
    """max over |dy|, |dx| <= `reach` of scores[y + dy, x + dx] - price · (dx, dx², dy, dy²).

    `scores`: float32 (H, W). `price`: (4,), the second and fourth at least 0. Returns the maximum, and
    dy and dx of its place (int8), each (H, W); of equal places, the nearest above and left is taken
    first. The price of both axes adds up, so that it is done one axis after the other.
    """
    along, dx = _one_axis(scores, float(price[0]), float(price[1]), reach, axis=1)
    best, dy = _one_axis(along, float(price[2]), float(price[3]), reach, axis=0)
    # the way across was found for the row where the part ends up
    row = np.arange(scores.shape[0])[:, None] + dy
    return best, dy, np.take_along_axis(dx, np.clip(row, 0, len(scores) - 1), axis=0)


def _one_axis(
    scores: Array, linear: float, square: float, reach: int, *, axis: int
) -> tuple[Array, Array]:
    size = scores.shape[axis]
    best = np.full(scores.shape, -np.inf, np.float32)
    step = np.zeros(scores.shape, np.int8)
    for move in moves_in_order(reach):
        if abs(move) >= size and move:
            continue
        to: list[slice] = [slice(None), slice(None)]
        source: list[slice] = [slice(None), slice(None)]
        to[axis] = slice(max(0, -move), size - max(0, move))
        source[axis] = slice(max(0, move), size - max(0, -move))
        offered = scores[tuple(source)] - np.float32(linear * move + square * move * move)
        here = best[tuple(to)]
        better = offered > here
        here[better] = offered[better]
        step[tuple(to)][better] = move
    return best, step


def moves_in_order(reach: int) -> list[int]:
    """Moves from the nearest to the furthest: of equally good places the first is taken.

    >>> moves_in_order(2)
    [0, -1, 1, -2, 2]
    """
    return sorted(range(-reach, reach + 1), key=abs)


def moved(dy: Array, dx: Array) -> Array:
    """(dx, dx², dy, dy²) of moves, float32 (…, 4)."""
    return np.stack([dx, dx * dx, dy, dy * dy], axis=-1).astype(np.float32)
