"""Pictures resampled: by a matrix each, or by a field of places each; without aliasing, and fast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from striate.features.opencv import cv2_module
from striate.types import Array, PictureArray, SizeHW

__all__ = ["Border", "Projective", "about_middle", "grid", "rim_colours", "warp", "warp_field"]

Border: TypeAlias = Literal["mirror", "rim"]
"""What comes in from beyond the edge: the picture mirrored, its edge pixels twice; or one colour, the
median of its outermost pixels. A mirror keeps photographs natural, and shows parts of things twice: it
is for answers about the whole picture. The rim's colour adds no thing: it is for answers about places,
and wherever much comes in."""

_SHARP_TO = 1.7
"""Up to so many source pixels a pixel, cubic interpolation alone does not alias visibly."""

_MOST_SAMPLES = 4
_LOOKED_AT = 7


@dataclass(frozen=True, slots=True, eq=False)
class Projective:
    """A move by a matrix float64 (3, 3) on (x, y, 1), continuous pixels."""

    matrix: Array

    def __call__(self, points: Array) -> Array:
        moved = np.asarray(points, np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]
        # behind the camera is nowhere: very far out
        found: Array = moved[:, :2] / np.maximum(moved[:, 2:], 1e-9)
        return found


def about_middle(matrices: Array, size_hw: SizeHW) -> Array:
    """Matrices (B, 3, 3) of (x, y) from the picture's middle as matrices of (x, y) in the picture."""
    to, back = np.eye(3), np.eye(3)
    to[:2, 2] = -size_hw[1] / 2, -size_hw[0] / 2
    back[:2, 2] = size_hw[1] / 2, size_hw[0] / 2
    found: Array = back @ matrices @ to
    return found


def rim_colours(pictures: PictureArray) -> Array:
    """The median colour of the outermost pixels, uint8 (B, 3)."""
    sides = [pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]]
    rim = np.sort(np.concatenate(sides, axis=1), axis=1)  # (B, 2h + 2w, 3)
    found: Array = rim[:, rim.shape[1] // 2]
    return found


def warp(pictures: PictureArray, matrices: Array, border: Border) -> PictureArray:
    """`pictures` uint8 (B, h, w, 3), each carried by its matrix (3, 3) from old places to new ones.

    Cubic interpolation; where much is squeezed into a pixel, the mean of up to 4 × 4 places in it.
    """
    cv2 = cv2_module()
    height, width = pictures.shape[1:3]
    found = np.empty_like(pictures)
    inverse = np.linalg.inv(matrices)
    samples = _samples(inverse, (height, width))
    rims = rim_colours(pictures).tolist() if border == "rim" and len(pictures) else None
    half = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    for row, count in enumerate(samples.tolist()):
        fine = np.array([[1 / count, 0, 0.5 / count], [0, 1 / count, 0.5 / count], [0, 0, 1]])
        flags = (cv2.INTER_CUBIC if count == 1 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
        mode, value = _border(cv2, rims, row)
        size = (width * count, height * count)
        large = cv2.warpPerspective(
            pictures[row], half @ inverse[row] @ fine, size, None, flags, mode, value
        )
        found[row] = _reduced(cv2, large, (height, width), count)
    return found


def warp_field(
    pictures: PictureArray, sources: Callable[[slice, int], Array], samples: int, border: Border
) -> PictureArray:
    """`pictures` uint8 (B, h, w, 3), each place taken from another.

    `sources(rows, samples)`: float32 (b, h · samples, w · samples, 2), (x, y) in continuous pixels:
    where the places of `grid` come from. It is asked for some pictures at a time.
    """
    cv2 = cv2_module()
    height, width = pictures.shape[1:3]
    found = np.empty_like(pictures)
    rims = rim_colours(pictures).tolist() if border == "rim" and len(pictures) else None
    how = cv2.INTER_CUBIC if samples == 1 else cv2.INTER_LINEAR
    step = max(1, (1 << 20) // (height * width * samples**2))
    for start in range(0, len(pictures), step):
        rows = slice(start, min(start + step, len(pictures)))
        places = np.asarray(sources(rows, samples) - np.float32(0.5), np.float32)
        for row, place in zip(range(rows.start, rows.stop), places, strict=True):
            mode, value = _border(cv2, rims, row)
            large = cv2.remap(pictures[row], place, None, how, None, mode, value)
            found[row] = _reduced(cv2, large, (height, width), samples)
    return found


def grid(size_hw: SizeHW, samples: int = 1) -> tuple[Array, Array]:
    """The middles of pixels, or of their parts: y (h · samples,) and x (w · samples,), float64."""
    y, x = ((np.arange(side * samples) + 0.5) / samples for side in size_hw)
    return y, x


def _border(cv2: Any, rims: list[list[int]] | None, row: int) -> tuple[int, tuple[int, ...]]:
    if rims is None:
        return cv2.BORDER_REFLECT, (0, 0, 0)
    return cv2.BORDER_CONSTANT, tuple(rims[row])


def _reduced(cv2: Any, large: Array, size_hw: SizeHW, samples: int) -> Array:
    if samples == 1:
        return large
    found: Array = cv2.resize(large, size_hw[::-1], interpolation=cv2.INTER_AREA)
    return found


def _samples(inverse: Array, size_hw: SizeHW) -> Array:
    """How many places a pixel side are averaged, int64 (B,), from the most that is squeezed anywhere."""
    y, x = np.meshgrid(*(np.linspace(0, side, _LOOKED_AT) for side in size_hw), indexing="ij")
    mapped = inverse @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])  # (B, 3, P)
    depth = np.maximum(np.abs(mapped[:, 2:]), 1e-9)
    place = mapped[:, :2] / depth
    # derivative of a projection: (column − place · last row) / depth
    slopes = (inverse[:, :2, :2, None] - place[:, :, None] * inverse[:, 2:, :2, None]) / depth[:, None]
    stretch = np.sqrt(np.square(slopes).sum(axis=1)).max(axis=1)  # (B, P)
    limits = np.array([[size_hw[1]], [size_hw[0]]])
    inside = ((place >= 0) & (place <= limits)).all(axis=1)  # beyond it there is only border
    most = np.where(inside, stretch, 1.0).max(axis=1, initial=1.0)
    count: Array = np.clip(np.ceil(most / _SHARP_TO - 1e-9), 1, _MOST_SAMPLES)
    return count.astype(np.int64)
