"""A map of numbers as a picture: one hue from paper to ink, so that it reads in print and in grey."""

from __future__ import annotations

import numpy as np

from striate.pictures.draw import PAPER
from striate.pictures.palette import BLUE, INK
from striate.types import Array, Picture

__all__ = ["shaded"]

_STOPS = (0.0, 0.6, 1.0)


def shaded(values: Array) -> Picture:
    """`values` (R, C), at least 0, as uint8 (R, C, 3): 0 is paper, the largest is ink, blue between."""
    top = float(np.max(values, initial=0.0))
    share = np.asarray(values, np.float64) / top if top > 0 else np.zeros(np.shape(values))
    levels = np.array([PAPER, BLUE, INK], np.float64)
    bands = [np.interp(share, _STOPS, levels[:, band]) for band in range(3)]
    return np.rint(np.stack(bands, axis=-1)).astype(np.uint8)
