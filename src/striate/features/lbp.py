"""Local binary patterns (Ojala et al. 2002): the vector, and the picture of it."""

from __future__ import annotations

import numpy as np

from striate.features.vectors.lbp import NEIGHBOURS, PATTERNS, pattern_of_code
from striate.types import Array, Picture, check_picture

__all__ = ["lbp", "lbp_codes", "lbp_picture"]


def lbp_codes(picture: Picture) -> Array:
    """The code 0..255 of each inner pixel, uint8 (H − 2, W − 2): bit k says that neighbour k, counted
    anticlockwise from the right, is not darker. Empty for pictures under 3 px."""
    check_picture(picture)
    grey = np.rint(picture @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.int16)
    height, width = grey.shape
    if min(height, width) < 3:
        return np.zeros((0, 0), np.uint8)
    middle = grey[1:-1, 1:-1]
    found = np.zeros(middle.shape, np.uint8)
    for bit, (dy, dx) in enumerate(NEIGHBOURS):
        beside = grey[1 + dy : height - 1 + dy, 1 + dx : width - 1 + dx]
        found |= (beside >= middle).astype(np.uint8) << bit
    return found


def lbp(picture: Picture) -> Array:
    """Shares float32 (59,) of the 58 uniform patterns, and of all others, in the picture."""
    patterns = pattern_of_code()[lbp_codes(picture)].ravel()
    counts = np.bincount(patterns, minlength=PATTERNS).astype(np.float32)
    return counts / max(1.0, float(counts.sum()))


def lbp_picture(picture: Picture) -> Picture:
    """The codes as grey levels: flat parts white, edges and spots dark, whatever the light."""
    codes = lbp_codes(picture)
    if not codes.size:
        return picture
    return np.repeat(np.pad(codes, 1, mode="edge")[:, :, None], 3, axis=2)
