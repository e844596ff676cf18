"""Moves that no affine matrix can tell: the tilt of a plane, and elastic distortion. NumPy only.

Both are told in pixels of the result. They come after the affine part of a plan: perspective first,
elastic last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.nn.augment.dice import Dice
from striate.types import Array, SizeHW

__all__ = ["Elastic", "draw_elastic", "draw_perspective", "project"]

WAVES = 3
"""Half waves along a side, at most: lower than what would tear small things apart."""
_STEEPEST = 0.6
"""Largest slope of an elastic field: below 1 it never folds, and can be inverted by iteration."""
_NEAREST = 0.05
"""Least depth that a point is projected from; what lies behind the eye goes far out instead."""
_ROUNDS = 40


def draw_perspective(strength: float, size_hw: SizeHW, dice: Dice) -> Array:
    """Homographies float64 (B, 3, 3): each corner moves inwards by up to `strength` of half a side."""
    height, width = size_hw
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [width / 2, height / 2]
    parts = strength * dice.uniforms("perspective", 8).reshape(-1, 4, 2)
    return _homography(corners, corners + parts * inwards)


def _homography(start: Array, end: Array) -> Array:
    """What takes four points (4, 2) to (B, 4, 2): (B, 3, 3), the last entry 1."""
    count = len(end)
    rows, values = np.zeros((count, 8, 8)), end.reshape(count, 8)
    x, y = start.T
    for axis in range(2):
        block = rows[:, axis::2]
        block[:, :, 3 * axis], block[:, :, 3 * axis + 1], block[:, :, 3 * axis + 2] = x, y, 1.0
        block[:, :, 6], block[:, :, 7] = -x * end[:, :, axis], -y * end[:, :, axis]
    found = np.linalg.solve(rows, values[:, :, None])[:, :, 0]
    return np.concatenate([found, np.ones((count, 1))], axis=1).reshape(count, 3, 3)


def project(points_xy: Array, homography: Array) -> Array:
    """Points (B, N, 2) through (B, 3, 3)."""
    moved = points_xy @ np.swapaxes(homography[:, :, :2], 1, 2) + homography[:, None, :, 2]
    depth = np.maximum(moved[..., 2:], _NEAREST)
    found: Array = moved[..., :2] / depth
    return found


@dataclass(frozen=True, slots=True)
class Elastic:
    """A displacement that vanishes at the border, as a sum of sines.

    At (x, y) of the result the picture shows what lay, before, at (x, y) + Σ weight · sin(π j x / W) ·
    sin(π k y / H), with j, k = 1 … `WAVES`. `weights`: float64 (B, 2, WAVES, WAVES), pixels along x and
    along y.
    """

    size_hw: SizeHW
    weights: Array

    def take(self, rows: Array | slice) -> Elastic:
        """Of some pictures."""
        return Elastic(self.size_hw, self.weights[rows])

    def displaced(self, points_xy: Array) -> Array:
        """Where places (B, N, 2) of the result take their content from."""
        found: Array = points_xy + self._by(points_xy)
        return found

    def follow(self, points_xy: Array) -> Array:
        """Where content at (B, N, 2) goes: the inverse of `displaced`, to far below a pixel."""
        found = points_xy
        for _ in range(_ROUNDS):
            found = points_xy - self._by(found)
        return found

    def _by(self, points_xy: Array) -> Array:
        height, width = self.size_hw
        waves = np.pi * np.arange(1, WAVES + 1)
        # beyond the border nothing is displaced
        along = np.sin(waves * np.clip(points_xy[..., :1] / width, 0, 1))  # (B, N, WAVES)
        down = np.sin(waves * np.clip(points_xy[..., 1:] / height, 0, 1))
        found: Array = np.einsum("bcjk,bnj,bnk->bnc", self.weights, along, down)
        return found


def draw_elastic(strength: float, size_hw: SizeHW, dice: Dice) -> Elastic:
    """Fields whose root mean square is up to `strength` of the shorter side.

    Simard et al. 2003 smooth a field of noise; a few waves say the same with numbers that points can
    follow exactly. A field that would fold is made weaker.
    """
    count = len(dice)
    drawn = dice.spread("elastic", 2 * WAVES * WAVES).reshape(count, 2, WAVES, WAVES)
    level = strength * min(size_hw) * dice.uniforms("elastic-level", 1)
    energy = np.sqrt((drawn**2).sum(axis=(1, 2, 3)) / 4)  # a product of two sines: 1/4 in the mean
    weights = drawn * (level[:, 0] / np.maximum(energy, 1e-12))[:, None, None, None]
    steep = _steepest(weights, size_hw)
    weaker = np.minimum(1.0, _STEEPEST / np.maximum(steep, 1e-12))
    return Elastic(size_hw, weights * weaker[:, None, None, None])


def _steepest(weights: Array, size_hw: SizeHW) -> Array:
    """A bound (B,) of the slopes: the largest of sums over the four partial derivatives on a lattice."""
    places = np.linspace(0.0, 1.0, 4 * WAVES + 1)
    waves = np.pi * np.arange(1, WAVES + 1)
    sines, slopes = np.sin(waves * places[:, None]), waves * np.cos(waves * places[:, None])
    across = np.einsum("bcjk,xj,yk->bcxy", weights, slopes, sines) / size_hw[1]
    down = np.einsum("bcjk,xj,yk->bcxy", weights, sines, slopes) / size_hw[0]
    found: Array = np.sqrt((across**2 + down**2).sum(axis=1)).max(axis=(1, 2), initial=0.0)
    return found * 1.05  # between the places of the lattice
