"""What detectors find, key points and elliptical regions alike: places, shapes, descriptors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.errors import UnknownNameError
from striate.features.ellipses import Regions
from striate.features.keypoints import DETECTORS, describe, detect
from striate.features.native import SIFT_RADIUS
from striate.features.opencv import cv2_module
from striate.features.plane import Plane, plane_of
from striate.features.points import Keypoints
from striate.features.regions import REGION_DETECTORS, find_regions
from striate.features.repeatability.regions import circles
from striate.types import Array, Picture

__all__ = ["KINDS", "Spots", "describe_spots", "find_spots"]

KINDS: tuple[str, ...] = tuple(dict.fromkeys([*DETECTORS, *REGION_DETECTORS]))
"""All detectors that can be tested. MSER and the affine ones as ellipses, the others as circles."""

_REACH = 3.0
"""A region is described with three times its size around it (IJCV 2005, section 4.2)."""
_RADIUS, _TILE = 10, 31
"""The patch of a region: its reach, and its side with room for any turn, pixels."""
_SIGMA = _RADIUS / 6
"""SIFT reads four by four squares of 3 σ: 6 σ on each side of the middle."""


@dataclass(frozen=True, slots=True)
class Spots:
    """`points_xy`: float64 (N, 2), centres; `shapes`: float64 (N, 2, 2), see `regions`; `source`: as
    the detector gave them."""

    points_xy: Array
    shapes: Array
    source: Keypoints | Regions

    @classmethod
    def of(cls, source: Keypoints | Regions) -> Spots:
        """Circles of the key points' radii, or the regions' ellipses."""
        if isinstance(source, Keypoints):
            return cls(source.points_xy.astype(np.float64), circles(source.scale_px), source)
        root = source.shapes.astype(np.float64)
        return cls(source.points_xy.astype(np.float64), root @ root.transpose(0, 2, 1), source)

    def __len__(self) -> int:
        return len(self.points_xy)


def find_spots(picture: Picture, kind: str, *, limit: int) -> Spots:
    """The `limit` strongest that `kind`, one of `KINDS`, finds in `picture`, uint8 (H, W, 3)."""
    if kind not in KINDS:
        raise UnknownNameError("detector", kind, KINDS)
    if kind in REGION_DETECTORS:
        return Spots.of(find_regions(picture, kind, limit=limit))
    return Spots.of(detect(picture, kind, limit=limit))


def describe_spots(picture: Picture, spots: Spots) -> Array:
    """SIFT of each, float32 (N, 128). Ellipses are made round first, as in the protocol."""
    if isinstance(spots.source, Keypoints):
        return describe(picture, spots.source)
    return _described(picture, spots)


def _described(picture: Picture, spots: Spots) -> Array:
    """All patches side by side in one picture, each with one key point in its middle."""
    if not len(spots):
        return np.zeros((0, 128), np.float32)
    patches = _patches(plane_of(picture), spots)
    across = math.ceil(math.sqrt(len(patches)))
    sheet = np.zeros((across * across, _TILE, _TILE), np.uint8)
    sheet[: len(patches)] = patches
    drawn = sheet.reshape(across, across, _TILE, _TILE).swapaxes(1, 2).reshape(across * _TILE, -1)
    row, column = np.divmod(np.arange(len(patches)), across)
    middles = np.stack([column, row], axis=1) * _TILE + _TILE // 2
    count = len(patches)
    points = Keypoints(
        middles.astype(np.float32),
        np.full(count, _SIGMA * SIFT_RADIUS, np.float32),
        np.full(count, np.nan, np.float32),
        np.ones(count, np.float32),
        spots.source.kind,
    )
    return describe(np.repeat(drawn[..., None], 3, axis=2), points)


def _patches(plane: Plane, spots: Spots) -> Array:
    """The surroundings of each region with the ellipse drawn round, uint8 (N, 31, 31).

    Read from a copy of the plane that is shrunk so far that its pixels are about as large as the
    patch's, so that nothing between them is missed.
    """
    cv2 = cv2_module()
    frames = np.linalg.cholesky(spots.shapes) * (plane.scale * _REACH / _RADIUS)
    levels = np.log2(np.maximum(np.linalg.det(frames), 1.0)) / 2
    smaller = _pyramid(plane.levels, int(levels.max()))
    steps = np.arange(_TILE) - _TILE // 2
    grid = np.stack([part.ravel() for part in np.meshgrid(steps, steps)])  # (2, 961)
    found = np.zeros((len(spots), _TILE, _TILE), np.uint8)
    centres = plane.from_original(spots.points_xy)
    for row in range(len(spots)):
        level = min(int(levels[row]), len(smaller) - 1)
        at = (centres[row][:, None] + frames[row] @ grid) / 2**level
        x, y = at.astype(np.float32).reshape(2, _TILE, _TILE)
        found[row] = cv2.remap(smaller[level], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return found


def _pyramid(levels: Array, depth: int) -> list[Array]:
    """Each half the size of the one before; pixel (x, y) is pixel (2x, 2y) before it."""
    cv2 = cv2_module()
    found = [levels]
    while len(found) <= depth and min(found[-1].shape) >= 4:
        found.append(cv2.pyrDown(found[-1]))
    return found
