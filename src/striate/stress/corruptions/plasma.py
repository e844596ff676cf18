"""Clouds: height maps by the diamond-square algorithm (Fournier, Fussell & Carpenter 1982)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from striate.stress.corruptions.chance import Chance, uniforms
from striate.types import SizeHW

__all__ = ["plasma"]

Field = NDArray[np.float32]


def plasma(chance: Chance, size_hw: SizeHW, decay: float) -> Field:
    """Height maps float32 (B, h, w), 0 … 1, each cut from a periodic square of side 2ⁿ.

    `decay`: by what the height of the bumps shrinks when their size is halved. As in the published
    code, a bump's height is the square of the nominal one, and least and highest are those of the
    whole square.
    """
    side = 1 << max(max(size_hw) - 1, 1).bit_length()
    drawn = uniforms(chance, (side * side - 1,))
    drawn *= 2.0
    drawn -= 1.0
    heights = np.zeros((len(chance), 1, 1), np.float32)
    wibble, used = 1.0, 0
    for _ in range(int(math.log2(side))):
        cells = heights.shape[1] ** 2
        bumps = drawn[:, used : used + 3 * cells]
        bumps *= wibble * wibble
        heights = _refined(heights, bumps)
        used += 3 * cells
        wibble /= decay
    low = heights.min(axis=(1, 2), keepdims=True)
    span = heights.max(axis=(1, 2), keepdims=True) - low
    found: Field = (heights[:, : size_hw[0], : size_hw[1]] - low) / span
    return found


def _refined(corners: Field, bumps: Field) -> Field:
    """The map with twice as many points a side: `corners` (B, n, n), and three new ones beside each.

    `bumps` (B, 3·n·n): added to the middle of a square, and of its upper and left side.
    """
    count, side, _ = corners.shape
    middle, upper, left = (part.reshape(corners.shape) for part in np.split(bumps, 3, axis=1))
    pairs = corners + np.roll(corners, -1, axis=2)  # along the upper side
    down = corners + np.roll(corners, -1, axis=1)  # along the left side
    middle += (pairs + np.roll(pairs, -1, axis=1)) * np.float32(0.25)
    upper += (pairs + middle + np.roll(middle, 1, axis=1)) * np.float32(0.25)
    left += (down + middle + np.roll(middle, 1, axis=2)) * np.float32(0.25)
    finer = np.empty((count, 2 * side, 2 * side), np.float32)
    finer[:, 0::2, 0::2] = corners
    finer[:, 1::2, 1::2] = middle
    finer[:, 0::2, 1::2] = upper
    finer[:, 1::2, 0::2] = left
    return finer
