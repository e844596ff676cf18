"""Where a point of a picture goes: affine matrices in pixels. NumPy only, for boxes and points too.

Coordinates are continuous, x to the right and y down: pixel (row i, column j) covers
[j, j+1) × [i, i+1), its centre is (j + 0.5, i + 0.5), and the box of a whole picture is
(0, 0, W, H). A matrix (2, 3) takes (x, y, 1) of the original to (x, y) of the result.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from striate.types import Array, SizeHW

__all__ = ["about_middle", "compose_affine", "invert_affine", "then", "warp_points"]


def compose_affine(
    size_hw: SizeHW,
    *,
    centre_xy: Array,
    angle_deg: Array,
    zoom_xy: Array,
    flip_xy: Array,
    shift_xy: Array,
) -> Array:
    """Matrices float64 (B, 2, 3): `centre_xy` to the middle, then turned, zoomed, mirrored, shifted.

    `centre_xy` (B, 2) pixels of the original; `angle_deg` (B,) clockwise as seen; `zoom_xy` (B, 2),
    above 1 enlarges; `flip_xy` bool (B, 2); `shift_xy` (B, 2) pixels. The result has the same size.
    """
    angle = np.deg2rad(angle_deg)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=-1)
    stretch = np.where(flip_xy, -zoom_xy, zoom_xy)  # (B, 2)
    linear = stretch[:, :, None] * turn.reshape(-1, 2, 2)  # (B, 2, 2)
    middle_xy = np.array([size_hw[1] / 2, size_hw[0] / 2])
    offset = middle_xy + shift_xy - np.einsum("bij,bj->bi", linear, centre_xy)
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def about_middle(size_hw: SizeHW, linear: Array, shift_xy: Array) -> Array:
    """Matrices float64 (B, 2, 3): `linear` (B, 2, 2) about the middle, then `shift_xy` (B, 2) pixels."""
    middle_xy = np.array([size_hw[1] / 2, size_hw[0] / 2])
    offset = middle_xy + shift_xy - linear @ middle_xy
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def then(first: Array, second: Array) -> Array:
    """`first`, and `second` of what it gives: matrices (B, 2, 3)."""
    linear = second[:, :, :2] @ first[:, :, :2]
    offset = second[:, :, :2] @ first[:, :, 2:] + second[:, :, 2:]
    return np.concatenate([linear, offset], axis=2)


def invert_affine(matrix: Array) -> Array:
    """The way back: float64 (B, 2, 3) for (B, 2, 3)."""
    linear = np.linalg.inv(matrix[:, :, :2])
    return np.concatenate([linear, -linear @ matrix[:, :, 2:]], axis=2)


def warp_points(points_xy: ArrayLike, matrix: Array) -> Array:
    """Points (…, N, 2) in continuous pixels, taken along by `matrix` (…, 2, 3); float64.

    Boxes: warp the four corners, take the smallest and largest x and y.
    """
    points = np.asarray(points_xy, np.float64)
    moved: Array = points @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]
    return moved
