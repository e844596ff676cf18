"""Pictures moved in known ways: shifted, turned and scaled about their middle, a whole batch at once."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np

from striate.pictures.resize import PAD_GREY
from striate.types import Array, PictureArray, SizeHW

__all__ = ["Border", "affine", "scaled", "shifted", "turned"]

Border: TypeAlias = Literal["reflect", "grey"]
"""What comes in from beyond the edge: the picture mirrored, its edge pixels twice; or grey 127."""


def shifted(
    pictures: PictureArray, down: int, right: int, *, border: Border = "reflect"
) -> PictureArray:
    """`pictures` uint8 (B, h, w, 3) moved by whole pixels; exact, nothing is resampled."""
    rows, columns = (
        _place(np.arange(side) - by, side, border)
        for side, by in ((pictures.shape[1], down), (pictures.shape[2], right))
    )
    found: PictureArray = pictures[:, rows[0]][:, :, columns[0]]
    if border == "grey":
        inside = rows[1][:, None] & columns[1][None]
        found = np.where(inside[None, :, :, None], found, np.uint8(PAD_GREY))
    return np.ascontiguousarray(found)


def turned(pictures: PictureArray, angle_deg: float, *, border: Border = "reflect") -> PictureArray:
    """`pictures` uint8 (B, h, w, 3) turned counter-clockwise about the middle, bilinear.

    Multiples of 180°, and of 90° for square pictures, move pixels without changing them.
    """
    turn = math.radians(angle_deg)
    cos, sin = (round(one, 12) for one in (math.cos(turn), math.sin(turn)))
    # the place that a pixel comes from: turned back; y points down
    return affine(pictures, np.array([[cos, sin], [-sin, cos]]), border=border)


def scaled(pictures: PictureArray, factor: float, *, border: Border = "reflect") -> PictureArray:
    """`pictures` uint8 (B, h, w, 3), what they show made `factor` times as large about the middle.

    Bilinear; smaller ones are averaged first, so that nothing flickers.
    """
    if not factor > 0:
        raise ValueError(f"scale factor is {factor}; expected above 0")
    samples = max(1, math.ceil(1 / factor - 1e-9))
    return affine(pictures, np.eye(2) / factor, border=border, samples=samples)


def affine(
    pictures: PictureArray, matrix: Array, *, border: Border = "reflect", samples: int = 1
) -> PictureArray:
    """Each pixel at (y, x) from the middle takes the value at `matrix` · (y, x) from it, bilinear.

    `samples`: each pixel averages so many by so many places within it.
    """
    size_hw: SizeHW = (pictures.shape[1], pictures.shape[2])
    total = np.zeros((len(pictures), *size_hw, 3), np.float32)
    steps = (np.arange(samples) + 0.5) / samples - 0.5
    for down in steps.tolist():
        for right in steps.tolist():
            total += _sampled(pictures, matrix, (down, right), border)
    return np.clip(np.rint(total / samples**2), 0, 255).astype(np.uint8)


def _sampled(pictures: PictureArray, matrix: Array, nudge: tuple[float, float], border: Border) -> Array:
    """Float32 (B, h, w, 3): the four pixels around each place, weighed."""
    height, width = pictures.shape[1:3]
    y = (np.arange(height) - (height - 1) / 2 + nudge[0])[:, None]
    x = (np.arange(width) - (width - 1) / 2 + nudge[1])[None]
    from_y = np.round(matrix[0, 0] * y + matrix[0, 1] * x + (height - 1) / 2, 9)
    from_x = np.round(matrix[1, 0] * y + matrix[1, 1] * x + (width - 1) / 2, 9)
    top, left = np.floor(from_y).astype(np.int64), np.floor(from_x).astype(np.int64)
    found = np.zeros((len(pictures), height, width, 3), np.float32)
    for by_y, by_x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = np.abs(1 - by_y - (from_y - top)) * np.abs(1 - by_x - (from_x - left))  # (h, w)
        if not weight.any():
            continue
        rows, row_inside = _place(top + by_y, height, border)
        columns, column_inside = _place(left + by_x, width, border)
        values = pictures[:, rows, columns].astype(np.float32)
        if border == "grey":
            values[:, ~(row_inside & column_inside)] = PAD_GREY
        found += values * weight[None, :, :, None].astype(np.float32)
    return found


def _place(index: Array, side: int, border: Border) -> tuple[Array, Array]:
    """Indices within 0 … side − 1 for any, and which were inside before.

    >>> _place(np.array([-2, -1, 0, 2, 3, 4]), 3, "reflect")[0].tolist()
    [1, 0, 0, 2, 2, 1]
    """
    inside = (index >= 0) & (index < side)
    if border == "grey":
        return np.clip(index, 0, side - 1), inside
    folded = index % (2 * side)
    return np.where(folded < side, folded, 2 * side - 1 - folded), inside
