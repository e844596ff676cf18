"""Descriptors: what is around a key point, as a vector that can be compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from striate.errors import UnknownNameError
from striate.features.native import SIFT_RADIUS
from striate.features.opencv import cv2_module
from striate.features.orientation import dominant_angles
from striate.features.plane import Plane, plane_of
from striate.features.points import Keypoints
from striate.features.scalespace import FIRST_SIGMA, LEVELS_PER_OCTAVE
from striate.types import Array, Picture

__all__ = ["DESCRIPTORS", "describe", "is_binary"]

ORB_PATCH, ORB_STEP, ORB_LEVELS = 31, 1.2, 8


def describe(picture: Picture, keypoints: Keypoints, descriptor: str = "sift") -> Array:
    """One row for each key point of `picture`, uint8 (H, W, 3), in their order.

    `descriptor`: "sift", float32 (N, 128), of length 1 and without negatives (Lowe 2004, §6);
    "rootsift", its square root after scaling to sum 1, which compares better (Arandjelović and
    Zisserman 2012); "orb", uint8 (N, 32), 256 bits to be compared by their number of differences. A
    point of any detector can be described; one without direction is turned to its strongest gradient.
    """
    if descriptor not in DESCRIPTORS:
        raise UnknownNameError("descriptor", descriptor, DESCRIPTORS)
    plane = plane_of(picture)
    points_xy = plane.from_original(keypoints.points_xy)
    sigmas = keypoints.scale_px.astype(np.float64) * plane.scale / SIFT_RADIUS
    angles = keypoints.angle_deg.copy()
    unknown = np.isnan(angles)
    if unknown.any():
        angles[unknown] = dominant_angles(plane.levels, points_xy[unknown], sigmas[unknown])
    return DESCRIPTORS[descriptor](plane, points_xy, sigmas, angles)


def is_binary(descriptor: str) -> bool:
    """Whether rows of a descriptor are bits, to be compared by their number of differences."""
    return descriptor == "orb"


def _sift(plane: Plane, points_xy: Array, sigmas: Array, angles: Array) -> Array:
    cv2 = cv2_module()
    points = [
        cv2.KeyPoint(float(x), float(y), float(2 * sigma), float(angle), 0.0, _sift_octave(sigma))
        for (x, y), sigma, angle in zip(points_xy, sigmas, angles, strict=True)
    ]
    rows = _computed(cv2.SIFT_create(enable_precise_upscale=True), plane, points, (128, np.float32))
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    found: Array = rows / np.maximum(norms, 1e-12)
    return found


def _sift_octave(sigma: float) -> int:
    """OpenCV's packed octave and level of the blur nearest to `sigma`: it reads that level."""
    level = round(LEVELS_PER_OCTAVE * math.log2(max(sigma, 1e-6) / FIRST_SIGMA))
    octave = max(-1, (level - 1) // LEVELS_PER_OCTAVE)
    return (octave & 255) | (max(0, level - LEVELS_PER_OCTAVE * octave) << 8)


def _rootsift(plane: Plane, points_xy: Array, sigmas: Array, angles: Array) -> Array:
    rows = _sift(plane, points_xy, sigmas, angles)
    sums = rows.sum(axis=1, keepdims=True)
    found: Array = np.sqrt(rows / np.maximum(sums, 1e-12))
    return found


def _orb(plane: Plane, points_xy: Array, sigmas: Array, angles: Array) -> Array:
    cv2 = cv2_module()
    sizes = 2 * sigmas * SIFT_RADIUS
    octaves = np.rint(np.log(np.maximum(sizes, 1e-6) / ORB_PATCH) / math.log(ORB_STEP)).astype(int)
    octaves = np.clip(octaves, 0, ORB_LEVELS - 1)
    points = [
        cv2.KeyPoint(float(x), float(y), float(size), float(angle), 0.0, int(octave))
        for (x, y), size, angle, octave in zip(points_xy, sizes, angles, octaves, strict=True)
    ]
    return _computed(cv2.ORB_create(edgeThreshold=0), plane, points, (32, np.uint8))


def _computed(extractor: Any, plane: Plane, points: list[Any], row: tuple[int, Any]) -> Array:
    """The rows of `points`; zeros for one that the extractor cannot describe."""
    width, dtype = row
    rows = np.zeros((len(points), width), dtype)
    for index, point in enumerate(points):
        point.class_id = index
    if points:
        kept, found = extractor.compute(plane.levels, points)
        if len(kept):
            rows[[point.class_id for point in kept]] = found
    return rows


DESCRIPTORS: Mapping[str, Callable[[Plane, Array, Array, Array], Array]] = {
    "sift": _sift,
    "rootsift": _rootsift,
    "orb": _orb,
}
"""Name → what describes points of a plane, given their places, sigmas and directions."""
