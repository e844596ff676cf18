"""Elastic deformation: every point is carried a little way, neighbours alike; small sets turn it too.

Source: Simard, Steinkraus & Platt 2003, with the constants of the sets (`tables`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.features.opencv import cv2_module
from striate.stress.changes import Move
from striate.stress.corruptions.blur import gaussian_taps
from striate.stress.corruptions.chance import Chance, uniforms
from striate.stress.corruptions.finish import floored
from striate.stress.corruptions.tables import Parameters, ParameterSet
from striate.types import Array, PictureArray, SizeHW

__all__ = ["Deformation", "carriers", "deform", "deformations"]

_STEPS, _DAMPING = 12, 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Deformation:
    """First `affine` float64 (2, 3), which carries points; then p shows what lies at p + `shift_xy`.

    `shift_xy`: float32 (h, w, 2), pixels.
    """

    affine: Array
    shift_xy: NDArray[np.float32]

    def shown(self) -> Any:
        """A search tree (`scipy.spatial.cKDTree`) of what each pixel shows, row by row."""
        from scipy.spatial import cKDTree

        height, width = self.shift_xy.shape[:2]
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)
        return cKDTree((grid + self.shift_xy).reshape(-1, 2))

    def carry(self, points_xy: Array, shown: Any = None) -> Array:
        """Where points (N, 2), continuous coordinates, lie afterwards. `shown`: `shown()`, if at hand.

        The shift is inverted by looking for the pixel that shows what is nearest to the point, and a
        few steps from there; where the deformation folds, one of the places that show the point.
        """
        if not len(points_xy):
            return np.zeros((0, 2))
        height, width = self.shift_xy.shape[:2]
        wanted = np.asarray(points_xy, np.float64) - 0.5  # now whole at a pixel's middle
        wanted = wanted @ self.affine[:, :2].T + self.affine[:, 2]
        inside = np.clip(wanted, 0.0, (width - 1, height - 1))
        _, nearest = (self.shown() if shown is None else shown).query(inside)
        rows, columns = np.divmod(nearest, width)
        places = self._refined(np.stack([columns, rows], axis=1).astype(np.float64), inside)
        found: Array = places + (wanted - inside) + 0.5
        return found

    def _refined(self, places: Array, wanted: Array) -> Array:
        """Of a few damped steps from `places` (N, 2), those that show what is nearest to `wanted`."""
        from scipy.ndimage import map_coordinates

        best, least = places, np.full(len(places), np.inf)
        for _ in range(_STEPS):
            shifts = [
                map_coordinates(self.shift_xy[..., axis], places[:, ::-1].T, order=1, mode="nearest")
                for axis in (0, 1)
            ]
            missed = wanted - places - np.stack(shifts, axis=1)
            error = np.hypot(missed[:, 0], missed[:, 1])
            closer = (error < least)[:, None]
            best, least = np.where(closer, places, best), np.minimum(error, least)
            places = places + _DAMPING * missed
        return best

    @property
    def turns(self) -> bool:
        """Whether there is an affine part at all."""
        return not np.array_equal(self.affine, np.eye(2, 3))


def carriers(found: Sequence[Deformation]) -> tuple[Move, ...]:
    """`carry` of each. A truth asks more than once in a row: the last search tree is kept.

    Only the last: a tree is several times as large as its picture.
    """

    @lru_cache(maxsize=1)
    def shown(row: int) -> Any:
        return found[row].shown()

    def carrier(row: int) -> Move:
        return lambda points: found[row].carry(points, shown(row) if len(points) else None)

    return tuple(carrier(row) for row in range(len(found)))


def deformations(
    size_hw: SizeHW, parameters: Parameters, which: ParameterSet, chance: Chance
) -> list[Deformation]:
    """One a picture. Parameters: how far, how smooth, how much it turns, as fractions of the sides."""
    height, width = size_hw
    far, smooth, turn = parameters
    side = (height * width) ** 0.5
    photo = which == "imagenet"
    # photos: noise of ±0.005·h, enlarged by 12.5 … 30; small sets: noise of ±1, by a part of the side
    reach = far * (height if photo else side)
    sigmas = (smooth * width, smooth * height) if photo else (smooth * side, smooth * side)
    noise = uniforms(chance, (2, height, width))
    noise *= 2.0 * reach
    noise -= reach
    affines = [_affine(size_hw, turn * side, one) for one in chance]
    return [
        Deformation(affine, _smooth(one, sigmas, reach))
        for affine, one in zip(affines, noise, strict=True)
    ]


def deform(pictures: PictureArray, found: list[Deformation]) -> PictureArray:
    """The pictures uint8 (B, h, w, 3) as their deformations show them; edges are mirrored."""
    cv2 = cv2_module()
    height, width = pictures.shape[1:3]
    columns = np.arange(width, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    values = np.empty(pictures.shape, np.float32)
    for picture, one, into in zip(pictures, found, values, strict=True):
        source = picture.astype(np.float32)
        if one.turns:
            source = cv2.warpAffine(
                source, one.affine, (width, height), borderMode=cv2.BORDER_REFLECT_101
            )
        across, down = columns + one.shift_xy[..., 0], rows + one.shift_xy[..., 1]
        cv2.remap(source, across, down, cv2.INTER_LINEAR, into, cv2.BORDER_REFLECT)
    return floored(values)


def _smooth(
    noise: NDArray[np.float32], sigmas_xy: tuple[float, float], reach: float
) -> NDArray[np.float32]:
    """Noise (2, h, w) as shifts (h, w, 2)."""
    cv2 = cv2_module()
    if reach == 0.0:
        return np.zeros((*noise.shape[1:], 2), np.float32)
    across, down = (gaussian_taps(sigma, 3.0) for sigma in sigmas_xy)
    found: NDArray[np.float32] = cv2.sepFilter2D(
        noise.transpose(1, 2, 0), cv2.CV_32F, across, down, None, (-1, -1), 0.0, cv2.BORDER_REFLECT
    )
    return found


def _affine(size_hw: SizeHW, reach: float, one: np.random.Generator) -> Array:
    """Three points about the middle, each moved by up to `reach` pixels along x and along y."""
    if reach == 0.0:
        return np.eye(2, 3)
    centre = np.array([size_hw[1] // 2, size_hw[0] // 2], np.float32)
    third = max(min(size_hw) // 3, 1)
    before = centre + np.array([[third, third], [third, -third], [-third, -third]], np.float32)
    after = before + one.uniform(-reach, reach, (3, 2)).astype(np.float32)
    found: Array = cv2_module().getAffineTransform(before, after)
    return found
