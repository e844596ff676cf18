"""Gradient histograms of cells with 31 numbers each, and filters slid over them.

Felzenszwalb, Girshick, McAllester & Ramanan, "Object detection with discriminatively trained
part-based models", PAMI 32 (2010), section 6.2: 18 signed and 9 unsigned directions and 4 texture
energies instead of 36 times 9 block-normalised numbers, which say the same.
"""

from __future__ import annotations

import numpy as np

from striate.features.opencv import cv2_module
from striate.types import Array, Picture

__all__ = ["CELL", "DEPTH", "cells", "correlate", "direction_of", "padded"]

CELL = 8
"""Side of a cell, pixels of the picture that it is taken from."""
DEPTH = 31

_SIGNED, _UNSIGNED = 18, 9
_CLIP, _EPSILON = 0.2, 1e-4
_TEXTURE = 0.2357
"""Felzenszwalb's weight of the texture energies."""


def cells(picture: Picture) -> Array:
    """`picture`, uint8 (H, W, 3), as float32 (H // 8, W // 8, 31); what fills no cell is left out."""
    rows, columns = picture.shape[0] // CELL, picture.shape[1] // CELL
    if min(rows, columns) == 0:
        return np.zeros((rows, columns, DEPTH), np.float32)
    histogram = _histogram(picture[: rows * CELL, : columns * CELL], rows, columns)
    unsigned = histogram[..., :_UNSIGNED] + histogram[..., _UNSIGNED:]
    norms = _norms((unsigned**2).sum(axis=2))
    found = np.empty((rows, columns, DEPTH), np.float32)
    signed_parts = [np.minimum(histogram * norm, _CLIP) for norm in norms]
    found[..., :_SIGNED] = 0.5 * sum(signed_parts)
    found[..., _SIGNED:27] = 0.5 * sum(np.minimum(unsigned * norm, _CLIP) for norm in norms)
    for index, part in enumerate(signed_parts):
        found[..., 27 + index] = _TEXTURE * part.sum(axis=2)
    return found


def _histogram(picture: Picture, rows: int, columns: int) -> Array:
    """Gradient strength by signed direction, each pixel shared by the four nearest cells."""
    strength, bins = _gradient(picture)
    height, width = strength.shape
    y, x = ((np.arange(size, dtype=np.float32) + 0.5) / CELL - 0.5 for size in (height, width))
    row, column = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    below, right = (y - row).astype(np.float32), (x - column).astype(np.float32)
    # one cell of room on every side takes the share of cells that are not there
    stride = columns + 2
    size = (rows + 2) * stride * _SIGNED
    place = (((row + 1) * stride)[:, None] + (column + 1)) * _SIGNED + bins
    flat = place.ravel()
    total = np.zeros(size)
    for down, part_y in ((0, strength * (1 - below)[:, None]), (1, strength * below[:, None])):
        for across, part_x in ((0, 1 - right), (1, right)):
            ahead = (down * stride + across) * _SIGNED
            shares = np.bincount(flat, weights=(part_y * part_x).ravel(), minlength=size)
            total[ahead:] += shares[: size - ahead]
    found: Array = total.reshape(rows + 2, stride, _SIGNED)[1:-1, 1:-1].astype(np.float32)
    return found


def _gradient(picture: Picture) -> tuple[Array, Array]:
    """Length of the gradient of the strongest channel, and its direction as one of 18."""
    cv2 = cv2_module()
    edge = cv2.BORDER_REPLICATE
    best = np.full(picture.shape[:2], -1.0, np.float32)
    dx, dy = np.zeros_like(best), np.zeros_like(best)
    for plane in cv2.split(np.ascontiguousarray(picture)):
        x = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=1, borderType=edge)
        y = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=1, borderType=edge)
        square = x * x + y * y
        better = square > best
        for kept, new in ((dx, x), (dy, y), (best, square)):
            np.copyto(kept, new, where=better)
    return np.sqrt(best), direction_of(dx, dy)


def direction_of(dx: Array, dy: Array) -> Array:
    """The direction of gradients, float32, as one of 18, int64; `dx` and `dy` may broadcast."""
    turns = np.arctan2(dy, dx) * np.float32(_SIGNED / (2 * np.pi))
    # upright gradients lie exactly between two directions; opposite ones must go to opposite bins
    found: Array = np.ceil(turns - np.float32(0.5001)).astype(np.int64) % _SIGNED
    return found


def _norms(energy: Array) -> list[Array]:
    """One over the length of each of the four blocks of 2 × 2 cells that a cell is in."""
    wide = np.pad(energy, 1, mode="edge")
    blocks = wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:]
    inverse = 1.0 / np.sqrt(blocks + _EPSILON)
    corners = (inverse[1:, 1:], inverse[:-1, 1:], inverse[1:, :-1], inverse[:-1, :-1])
    return [corner[..., None] for corner in corners]


def padded(found: Array, margin: int) -> Array:
    """Cells (H, W, 31) with `margin` empty ones around them: objects that touch the picture's edge."""
    return np.pad(found, ((margin, margin), (margin, margin), (0, 0)))


def correlate(found: Array, filters: Array) -> Array:
    """How well filters (P, h, w, 31) fit at every place of cells (H, W, 31): (P, H-h+1, W-w+1).

    float32; empty where a filter is larger than the cells.
    """
    count, tall, wide, depth = filters.shape
    rows, columns = found.shape[0] - tall + 1, found.shape[1] - wide + 1
    if min(rows, columns) <= 0:
        return np.zeros((count, max(rows, 0), max(columns, 0)), np.float32)
    total = np.zeros((rows * columns, count), np.float32)
    for y in range(tall):
        for x in range(wide):
            part = found[y : y + rows, x : x + columns].reshape(-1, depth)
            total += part @ filters[:, y, x].T
    return total.T.reshape(count, rows, columns)
