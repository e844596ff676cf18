"""Histograms of oriented gradients (Dalal & Triggs 2005): the vector, and the picture of it."""

from __future__ import annotations

import math

import numpy as np

from striate.errors import UsageError
from striate.features.opencv import cv2_module
from striate.features.vectors.hog import BINS, cell_for
from striate.types import Array, Picture, SizeHW, check_picture

__all__ = ["hog", "hog_cells", "hog_picture"]

_GLYPH = 28
"""Side of a cell in the drawing, pixels."""
_LONGEST = 1600
_INK, _PAPER = (255, 196, 64), 0.35


def hog(picture: Picture, *, cell: int = 0) -> Array:
    """The vector float32 (D,) of `picture`: blocks of 2×2 cells of 9 directions, each clipped to norm 1.

    `cell`: side of a cell in pixels, by default an eighth of the shorter side. Pixels that fill no cell
    are left out evenly at both ends. Empty where not even 2×2 cells fit.
    """
    height, width = check_picture(picture).shape[:2]
    cell = _cell((height, width), cell)
    down, right = height // cell, width // cell
    if min(down, right) < 2:
        return np.zeros(0, np.float32)
    top, left = (height - down * cell) // 2, (width - right * cell) // 2
    part = np.ascontiguousarray(picture[top : top + down * cell, left : left + right * cell])
    size = (right * cell, down * cell)
    describer = cv2_module().HOGDescriptor(
        size, (2 * cell, 2 * cell), (cell, cell), (cell, cell), BINS, 1, -1, 0, 0.2, False, 64, False
    )
    found: Array = describer.compute(part).ravel()
    return found


def hog_cells(picture: Picture, *, cell: int = 0) -> Array:
    """Strength of the 9 directions in each cell, float32 (rows, columns, 9): the mean over the blocks
    that a cell is in. Empty where not even 2×2 cells fit."""
    height, width = check_picture(picture).shape[:2]
    cell = _cell((height, width), cell)
    down, right = height // cell, width // cell
    vector = hog(picture, cell=cell)
    if not len(vector):
        return np.zeros((0, 0, BINS), np.float32)
    # OpenCV's order: blocks column by column, their cells column by column
    blocks = vector.reshape(right - 1, down - 1, 2, 2, BINS).transpose(1, 0, 3, 2, 4)
    total = np.zeros((down, right, BINS), np.float32)
    times = np.zeros((down, right, 1), np.float32)
    for y in range(2):
        for x in range(2):
            total[y : y + down - 1, x : x + right - 1] += blocks[:, :, y, x]
            times[y : y + down - 1, x : x + right - 1] += 1
    found: Array = total / times
    return found


def hog_picture(picture: Picture, *, cell: int = 0) -> Picture:
    """`picture`, darkened, with a star of strokes in each cell: along the edges, as bright as strong."""
    from PIL import Image, ImageDraw

    from striate.pictures.resize import resize

    cells = hog_cells(picture, cell=cell)
    if not cells.size:
        return picture
    side = _cell((picture.shape[0], picture.shape[1]), cell)
    down, right = cells.shape[:2]
    glyph = max(8, min(_GLYPH, _LONGEST // max(down, right)))
    top, left = (picture.shape[0] - down * side) // 2, (picture.shape[1] - right * side) // 2
    part = picture[top : top + down * side, left : left + right * side]
    canvas = Image.fromarray((resize(part, (down * glyph, right * glyph)) * _PAPER).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    strength = cells / max(float(np.quantile(cells.max(axis=2), 0.98)), 1e-6)
    for row, column, index in np.argwhere(strength > 0.08):
        share = min(1.0, float(strength[row, column, index]))
        # bin k's gradient points (k + ½)·20°; the edge runs across it
        angle = (index + 0.5) * math.pi / BINS + math.pi / 2
        reach = 0.46 * glyph * math.sqrt(share)
        x, y = (column + 0.5) * glyph, (row + 0.5) * glyph
        dx, dy = reach * math.cos(angle), reach * math.sin(angle)
        shade = tuple(round(part * (0.25 + 0.75 * share)) for part in _INK)
        draw.line([(x - dx, y - dy), (x + dx, y + dy)], fill=shade, width=max(1, glyph // 12))
    return np.asarray(canvas)


def _cell(size_hw: SizeHW, cell: int) -> int:
    if cell < 0:
        raise UsageError(f"a HOG cell of {cell} px", expected="a side from 1 px, or 0 for the default")
    return cell or cell_for(size_hw)
