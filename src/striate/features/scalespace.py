"""Gaussian scale space: one picture at all blurs, each octave on half as many pixels (Lowe 2004, §3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.features.opencv import cv2_module
from striate.types import Array, PictureArray

__all__ = ["FIRST_SIGMA", "LEVELS_PER_OCTAVE", "Octave", "blurred", "scale_space"]

FIRST_SIGMA = 1.6
"""Blur of the first level of each octave, in pixels of that octave."""

LEVELS_PER_OCTAVE = 3
"""Steps in which blur doubles; Lowe found most repeatable points with three."""

CAMERA_SIGMA = 0.5
"""Blur that a sharp photograph has already, pixels."""

SMALLEST_SIDE = 8
"""An octave with a shorter side holds nothing that its borders do not disturb."""


@dataclass(frozen=True, slots=True)
class Octave:
    """Six levels of one size. `images`: float32 (6, h, w), 0 to 1, where pixel (y, x) is pixel
    (y · step, x · step) of the whole picture. Level i has blur `FIRST_SIGMA` · 2^(i/3) pixels of the
    octave: the first and the last three overlap with the neighbours, so that extrema across scale
    are found in all of them.
    """

    images: Array
    step: int

    def sigma(self, level: Array | float) -> Array:
        """Blur of a level (a fraction lies between two), pixels of the whole picture."""
        return np.asarray(self.step * FIRST_SIGMA * 2.0 ** (np.asarray(level) / LEVELS_PER_OCTAVE))


def scale_space(levels: PictureArray, *, most_octaves: int = 16) -> list[Octave]:
    """The octaves of a grey picture, uint8 (H, W), down to a side of 8 pixels."""
    image: Array = levels.astype(np.float32) / 255
    base = blurred(image, _added(CAMERA_SIGMA, FIRST_SIGMA))
    found: list[Octave] = []
    while min(base.shape) >= SMALLEST_SIDE and len(found) < most_octaves:
        images = [base]
        for level in range(1, LEVELS_PER_OCTAVE + 3):
            before, after = (FIRST_SIGMA * 2 ** (one / LEVELS_PER_OCTAVE) for one in (level - 1, level))
            images.append(blurred(images[-1], _added(before, after)))
        found.append(Octave(np.stack(images), 2 ** len(found)))
        base = np.ascontiguousarray(images[LEVELS_PER_OCTAVE][::2, ::2])
    return found


def blurred(image: Array, sigma: float) -> Array:
    """`image`, float32 (h, w), under a Gaussian of `sigma` pixels; borders are mirrored."""
    cv2 = cv2_module()
    side = 2 * math.ceil(4 * sigma) + 1
    found: Array = cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REFLECT_101)
    return found


def _added(before: float, after: float) -> float:
    """The blur that takes a picture from one blur to the next: variances add."""
    return math.sqrt(after**2 - before**2)
