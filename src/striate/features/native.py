"""Detectors that OpenCV has: SIFT, ORB, AKAZE, KAZE, FAST, BRISK, brought into one form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.features.opencv import cv2_module
from striate.features.plane import Plane, plane_of
from striate.features.points import Keypoints
from striate.types import Array, Picture

__all__ = ["SIFT_RADIUS", "akaze", "brisk", "fast", "kaze", "orb", "sift"]

SIFT_RADIUS = 2 ** (1 / 2 + 1 / 6)
"""The radius of the spot that SIFT found, for σ = 1. The difference of Gaussians of σ and σ · 2^(1/3)
answers most to a spot of radius √2 · σ · 2^(1/6)."""

SMALLEST_SIDE = 8
"""Under this side the detectors find nothing or fail."""

MOST_POINTS = 20_000
"""ORB wants a number; this one is never reached at working size."""


def sift(picture: Picture) -> Keypoints:
    """SIFT points of `picture`, uint8 (H, W, 3): spots with direction. Lowe 2004.

    A spot with two strong directions gives two points. The doubled first octave maps x to 2x exactly:
    OpenCV's default is a quarter of a pixel off.
    """
    plane = plane_of(picture)
    found = _found(cv2_module().SIFT_create(enable_precise_upscale=True), plane)
    return _keypoints(found, plane, "sift", radius=SIFT_RADIUS / 2, directed=True)


def orb(picture: Picture) -> Keypoints:
    """ORB points of `picture`, uint8 (H, W, 3): FAST corners at eight scales, with direction.

    Rublee and others 2011. `scale_px` is half the patch of 31 pixels that the descriptor reads.
    """
    plane = plane_of(picture)
    found = _found(cv2_module().ORB_create(nfeatures=MOST_POINTS), plane)
    return _keypoints(found, plane, "orb", radius=0.5, directed=True)


def akaze(picture: Picture) -> Keypoints:
    """AKAZE points of `picture`, uint8 (H, W, 3): spots in a scale space that keeps edges.

    Alcantarilla and others 2013.
    """
    plane = plane_of(picture)
    return _keypoints(_found(cv2_module().AKAZE_create(), plane), plane, "akaze", directed=True)


def kaze(picture: Picture) -> Keypoints:
    """KAZE points of `picture`, uint8 (H, W, 3): AKAZE by a slower, finer scheme. Alcantarilla 2012.

    Without direction: OpenCV finds it only together with KAZE's own descriptor.
    """
    plane = plane_of(picture)
    return _keypoints(_found(cv2_module().KAZE_create(), plane), plane, "kaze", directed=False)


def fast(picture: Picture) -> Keypoints:
    """FAST corners of `picture`, uint8 (H, W, 3): a circle of 16 pixels decides. Rosten 2006.

    One scale, no direction.
    """
    plane = plane_of(picture)
    found = _found(cv2_module().FastFeatureDetector_create(threshold=20), plane)
    return _keypoints(found, plane, "fast", directed=False)


def brisk(picture: Picture) -> Keypoints:
    """BRISK points of `picture`, uint8 (H, W, 3): FAST corners across scales. Leutenegger 2011."""
    plane = plane_of(picture)
    return _keypoints(_found(cv2_module().BRISK_create(), plane), plane, "brisk", directed=False)


def _found(detector: Any, plane: Plane) -> Sequence[Any]:
    if plane.flat or min(plane.levels.shape) < SMALLEST_SIDE:
        return ()
    found: Sequence[Any] = detector.detect(plane.levels, None)
    return found


def _keypoints(
    found: Sequence[Any], plane: Plane, kind: str, *, directed: bool, radius: float = 0.5
) -> Keypoints:
    """OpenCV's key points as ours. `radius`: ours for each pixel of OpenCV's `size`, a diameter."""
    rows: Array = np.array(
        [(*one.pt, one.size, one.angle, one.response) for one in found], np.float64
    ).reshape(-1, 5)
    angles = (rows[:, 3] % 360).astype(np.float32)
    angles[angles >= 360] = 0  # 359.999… rounds up to 360 as a float32
    return Keypoints(
        plane.to_original(rows[:, :2]).astype(np.float32),
        (rows[:, 2] * radius / plane.scale).astype(np.float32),
        angles if directed else np.full(len(rows), np.nan, np.float32),
        rows[:, 4].astype(np.float32),
        kind,
    )
