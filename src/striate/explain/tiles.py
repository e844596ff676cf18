"""Many small pictures as one, numbers as grey, and signals as light and dark: for pages and files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from striate.pictures.draw import PAPER
from striate.types import Array, Picture

__all__ = ["grey_tiles", "mosaic", "signal_picture", "signed_grey"]

_GAP = 3
_ALMOST_ALL = 99.5
"""Per cent of a signal's values that are shown in full: a few outliers would make the rest grey."""


def mosaic(
    pictures: Sequence[Picture],
    columns: int,
    *,
    cell: int = 96,
    gap: int = _GAP,
    filling: bool = False,
) -> Picture:
    """`pictures` in a grid of `columns` squares of `cell` pixels, each whole and centred, on paper.

    Small ones are enlarged a whole number of times, or to the whole cell (`filling`); large ones are
    reduced. uint8 (H, W, 3).
    """
    across = max(1, min(columns, len(pictures)))
    down = max(1, -(-len(pictures) // across))
    found = np.empty((down * (cell + gap) - gap, across * (cell + gap) - gap, 3), np.uint8)
    found[:] = PAPER
    for number, picture in enumerate(pictures):
        shown = _fitted(picture, cell, filling=filling)
        top = number // across * (cell + gap) + (cell - shown.shape[0]) // 2
        left = number % across * (cell + gap) + (cell - shown.shape[1]) // 2
        found[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return found


def _fitted(picture: Picture, cell: int, *, filling: bool) -> Picture:
    height, width = picture.shape[:2]
    longest = max(height, width)
    if longest <= cell and not filling:
        times = cell // longest
        return np.repeat(np.repeat(picture, times, axis=0), times, axis=1)
    size = (max(1, round(width * cell / longest)), max(1, round(height * cell / longest)))
    image = Image.fromarray(np.ascontiguousarray(picture))
    how = Image.Resampling.NEAREST if longest <= cell else Image.Resampling.BOX
    return np.array(image.resize(size, how))


def signal_picture(signal: Array) -> Picture:
    """A signal for each pixel, float (h, w, 3), signed, as uint8: grey is none, its largest is full."""
    top = float(np.percentile(np.abs(signal), _ALMOST_ALL)) if signal.size else 0.0
    top = top if top > 0 else float(np.abs(signal).max(initial=0.0))
    share = np.asarray(signal, np.float64) / top if top > 0 else np.zeros(signal.shape)
    return np.rint(127.5 + 127.5 * np.clip(share, -1, 1)).astype(np.uint8)


def signed_grey(values: Array) -> Picture:
    """Numbers (R, C) as grey, uint8 (R, C, 3): mid grey is zero, white the largest size of all."""
    top = float(np.abs(values).max(initial=0.0))
    share = np.asarray(values, np.float64) / top if top > 0 else np.zeros(values.shape)
    grey = np.rint(127.5 + 127.5 * share).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def grey_tiles(values: Array) -> Picture:
    """Numbers (R, C) as grey, uint8 (R, C, 3): black is the lowest, white the highest; even is grey."""
    low, high = float(values.min()), float(values.max())
    share = (np.asarray(values, np.float64) - low) / (high - low) if high > low else values * 0 + 0.5
    return np.repeat(np.rint(255 * share).astype(np.uint8)[:, :, None], 3, axis=2)
