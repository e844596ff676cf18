"""Regions that follow the picture when it is slanted: ellipses, and how much two of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from striate.features.points import Keypoints
from striate.types import Array

__all__ = ["Regions", "covariance_root", "overlap"]

GRID = 64
"""Shared area is counted on GRID² points; on 64² it is right to about 1 %."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Elliptical regions of one picture, in the original picture's pixels.

    `points_xy`: float32 (N, 2), their centres; pixel centres are whole numbers. `shapes`: float32
    (N, 2, 2), symmetric and positive: the region is the centre plus `shape` times the unit disc, so the
    eigenvalues of `shape` are the half axes in pixels. `response`: float32 (N,), strength within one
    kind. `kind`: the detector. A `ValueError` where shapes, types or ranges are others.
    """

    points_xy: Array
    shapes: Array
    response: Array
    kind: str

    def __post_init__(self) -> None:
        count = len(self.points_xy)
        wanted = {"points_xy": (count, 2), "shapes": (count, 2, 2), "response": (count,)}
        for name, shape in wanted.items():
            given: Array = getattr(self, name)
            if given.dtype != np.float32 or given.shape != shape or not np.isfinite(given).all():
                raise ValueError(
                    f"{name} is {given.dtype} {given.shape}; expected finite float32 {shape}"
                )
        if count and np.linalg.eigvalsh(self.shapes).min() <= 0:
            raise ValueError("shapes holds a matrix that is not positive: a region without area")

    @classmethod
    def empty(cls, kind: str) -> Self:
        """No regions."""
        points, shapes, response = (np.zeros(size, np.float32) for size in ((0, 2), (0, 2, 2), 0))
        return cls(points, shapes, response, kind)

    def __len__(self) -> int:
        return len(self.points_xy)

    @property
    def axes_px(self) -> Array:
        """The half axes, longer first, (N, 2), pixels."""
        found: Array = np.linalg.eigvalsh(self.shapes)[:, ::-1]
        return found

    @property
    def angle_deg(self) -> Array:
        """The direction of the longer axis, (N,), degrees in [0, 180), clockwise from the x axis."""
        along = np.linalg.eigh(self.shapes)[1][:, :, 1]
        found: Array = np.degrees(np.arctan2(along[:, 1], along[:, 0])) % 180
        return found

    def take(self, rows: Array) -> Self:
        """The regions that `rows` (indices, or a mask) picks, in its order."""
        return type(self)(self.points_xy[rows], self.shapes[rows], self.response[rows], self.kind)

    def strongest(self, n: int) -> Self:
        """The `n` regions of the highest response, strongest first; equal ones from the upper left."""
        if n < 0:
            raise ValueError(f"asked for the {n} strongest regions; expected a number from 0")
        x, y = self.points_xy.T
        return self.take(np.lexsort((x, y, -self.response))[:n])

    def warped(self, matrix: Array) -> Self:
        """Where the regions go under an affine map, (2, 3) or (3, 3), of points (x, y)."""
        if np.shape(matrix) not in ((2, 3), (3, 3)):
            raise ValueError(f"matrix is {np.shape(matrix)}; expected (2, 3) or (3, 3)")
        turn, shift = np.asarray(matrix, np.float64)[:2, :2], np.asarray(matrix)[:2, 2]
        moved = turn @ self.shapes.astype(np.float64)
        shapes = covariance_root(moved @ moved.transpose(0, 2, 1))
        points = self.points_xy @ turn.T + shift
        return type(self)(points.astype(np.float32), shapes.astype(np.float32), self.response, self.kind)

    def circles(self) -> Keypoints:
        """Each region as the disc of the same area, without direction."""
        radius = np.sqrt(np.linalg.det(self.shapes.astype(np.float64)))
        return Keypoints(
            self.points_xy,
            radius.astype(np.float32),
            np.full(len(self), np.nan, np.float32),
            self.response,
            self.kind,
        )

    def to_dict(self) -> dict[str, object]:
        """For `--json`: a column each."""
        return {
            "kind": self.kind,
            "count": len(self),
            "points_xy": np.round(self.points_xy.astype(float), 2).tolist(),
            "axes_px": np.round(self.axes_px.astype(float), 2).tolist(),
            "angle_deg": np.round(self.angle_deg.astype(float), 2).tolist(),
            "response": [float(f"{value:.5g}") for value in self.response.tolist()],
        }


def covariance_root(matrices: Array) -> Array:
    """The symmetric square root of symmetric positive matrices (N, 2, 2)."""
    values, vectors = np.linalg.eigh(matrices)
    roots = np.sqrt(np.maximum(values, 0))
    found: Array = (vectors * roots[:, None, :]) @ vectors.transpose(0, 2, 1)
    return found


def overlap(one: Regions, other: Regions, *, radius_px: float | None = None) -> Array:
    """Intersection over union of each region of `one` with the one in the same row of `other`, (N,).

    1 less this is the overlap error of Mikolajczyk and others, "A comparison of affine region
    detectors", IJCV 2005, §3. `radius_px`: first bring the region of `one` to this radius and the other
    by the same factor, as they do (30) so that large regions are not favoured; None to leave sizes.
    """
    if len(one) != len(other):
        raise ValueError(f"{len(one)} regions and {len(other)}: expected one beside each")
    first, second = one.shapes.astype(np.float64), other.shapes.astype(np.float64)
    if radius_px is not None:
        factor = radius_px / np.sqrt(np.linalg.det(first))
        first, second = first * factor[:, None, None], second * factor[:, None, None]
    shift = other.points_xy.astype(np.float64) - one.points_xy
    disc = _disc()
    # the points of the first region, seen by the second one as a unit disc
    seen = np.linalg.solve(second, first) @ disc - np.linalg.solve(second, shift[..., None])
    shared = ((seen**2).sum(axis=1) <= 1).mean(axis=1) * np.linalg.det(first)
    found: Array = shared / (np.linalg.det(first) + np.linalg.det(second) - shared)
    return found


def _disc() -> Array:
    """Points spread evenly over the unit disc, (2, M): equal areas of rings and angles."""
    ring = np.sqrt((np.arange(GRID) + 0.5) / GRID)
    angle = 2 * np.pi * (np.arange(GRID) + 0.5) / GRID
    radius, turn = (part.ravel() for part in np.meshgrid(ring, angle, indexing="ij"))
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)])
