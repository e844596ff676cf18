"""The grey plane that detectors work on, and the way back to the original picture's pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.features.opencv import cv2_module
from striate.pictures import resize
from striate.types import Array, Picture, PictureArray, SizeHW, check_picture

__all__ = ["WORK_SIDE", "Plane", "plane_of", "work_scale"]

WORK_SIDE = 1600
"""The longest side, pixels, that a detector looks at; a larger picture is scaled down to it first.

On twelve megapixels SIFT alone takes ten seconds and 3 GB, and its finest octaves see the noise of the
sensor; at this size it takes half a second."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A grey picture at working size.

    `levels`: uint8 (h, w), 0.299 R + 0.587 G + 0.114 B. `scale_yx`: its pixels for one of the original,
    at most 1.
    """

    levels: PictureArray
    scale_yx: tuple[float, float]

    @property
    def scale(self) -> float:
        """Pixels of the plane for one of the original, for lengths in any direction."""
        return float((self.scale_yx[0] * self.scale_yx[1]) ** 0.5)

    def to_original(self, points_xy: Array) -> Array:
        """Points of the plane as points of the original, float64; pixel centres are whole numbers."""
        scale_xy = np.array(self.scale_yx[::-1])
        found: Array = (np.asarray(points_xy, np.float64) + 0.5) / scale_xy - 0.5
        return found

    def from_original(self, points_xy: Array) -> Array:
        """Points of the original as points of the plane, float64."""
        scale_xy = np.array(self.scale_yx[::-1])
        found: Array = (np.asarray(points_xy, np.float64) + 0.5) * scale_xy - 0.5
        return found

    @property
    def flat(self) -> bool:
        """Whether all pixels are equal (one pixel is): nothing can be found."""
        return bool(self.levels.min() == self.levels.max())


def plane_of(picture: Picture, *, longest: int = WORK_SIDE) -> Plane:
    """`picture`, uint8 (H, W, 3), as a grey plane whose longer side is at most `longest` pixels."""
    height, width = check_picture(picture).shape[:2]
    size = _work_size((height, width), longest)
    small = resize(picture, size)
    cv2 = cv2_module()
    levels: PictureArray = cv2.cvtColor(np.ascontiguousarray(small), cv2.COLOR_RGB2GRAY)
    return Plane(levels, (size[0] / height, size[1] / width))


def work_scale(size_hw: SizeHW, longest: int = WORK_SIDE) -> float:
    """Pixels at working size for one of a picture of `size_hw`, at most 1."""
    return min(1.0, longest / max(size_hw))


def _work_size(size_hw: SizeHW, longest: int) -> SizeHW:
    scale = work_scale(size_hw, longest)
    return max(1, round(size_hw[0] * scale)), max(1, round(size_hw[1] * scale))
