"""Corners: where a small window changes in every direction it is moved (Harris; Shi and Tomasi)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate.features.extrema import between_pixels, peaks_2d
from striate.features.opencv import cv2_module
from striate.features.plane import plane_of
from striate.features.points import Keypoints
from striate.features.scalespace import blurred
from striate.types import Array, Picture

__all__ = ["harris", "harris_response", "shi_tomasi", "shi_tomasi_response", "structure_tensor"]

WINDOW_SIGMA = 1.5
"""Sigma of the window in which change is summed, pixels."""

HARRIS_K = 0.05
"""Weight of the squared trace; Harris and Stephens' usual range is 0.04 to 0.06."""

LEAST_SHARE = 0.01
"""Corners below this share of the strongest one are left out."""

CORNER_RADIUS = 3 * WINDOW_SIGMA


def structure_tensor(image: Array, sigma: float) -> tuple[Array, Array, Array]:
    """The second-moment matrix of the gradient at each pixel: (xx, xy, yy), each float32 (h, w).

    `image`: float32 (h, w). Gradients are Sobel's divided by 8, weighted by a Gaussian of `sigma`.
    """
    cv2 = cv2_module()
    dx, dy = (cv2.Sobel(image, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1)))
    return blurred(dx * dx, sigma), blurred(dx * dy, sigma), blurred(dy * dy, sigma)


def harris_response(image: Array, *, sigma: float = WINDOW_SIGMA, k: float = HARRIS_K) -> Array:
    """det(M) − k · trace(M)², float32 (h, w): positive on corners, negative on edges.

    `image`: float32 (h, w), 0 to 1. Harris and Stephens, "A combined corner and edge detector", 1988.
    """
    xx, xy, yy = structure_tensor(image, sigma)
    found: Array = xx * yy - xy * xy - k * (xx + yy) ** 2
    return found


def shi_tomasi_response(image: Array, *, sigma: float = WINDOW_SIGMA) -> Array:
    """The smaller eigenvalue of M, float32 (h, w): the change in the direction that changes least.

    `image`: float32 (h, w), 0 to 1. Shi and Tomasi, "Good features to track", 1994.
    """
    xx, xy, yy = structure_tensor(image, sigma)
    found: Array = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
    return found


def harris(picture: Picture, *, k: float = HARRIS_K, least_share: float = LEAST_SHARE) -> Keypoints:
    """Harris corners of `picture`, uint8 (H, W, 3), to a fraction of a pixel, without direction.

    `least_share`: of the strongest response, below which a corner is left out.
    """
    return _corners(picture, "harris", lambda image: harris_response(image, k=k), least_share)


def shi_tomasi(picture: Picture, *, least_share: float = LEAST_SHARE) -> Keypoints:
    """Shi-Tomasi corners of `picture`, uint8 (H, W, 3), to a fraction of a pixel, without direction."""
    return _corners(picture, "shi-tomasi", shi_tomasi_response, least_share)


def _corners(
    picture: Picture, kind: str, respond: Callable[[Array], Array], least_share: float
) -> Keypoints:
    if not 0 < least_share <= 1:
        raise ValueError(f"least_share is {least_share}; expected a number above 0, at most 1")
    plane = plane_of(picture)
    if plane.flat or min(plane.levels.shape) < 3:
        return Keypoints.empty(kind)
    response = respond(plane.levels.astype(np.float32) / 255)
    threshold = max(float(response.max()) * least_share, 1e-9)
    places = peaks_2d(response, threshold=threshold, radius=2)
    at, strength, _ = between_pixels(response, places)
    count = len(at)
    return Keypoints(
        plane.to_original(at[:, ::-1]).astype(np.float32),
        np.full(count, CORNER_RADIUS / plane.scale, np.float32),
        np.full(count, np.nan, np.float32),
        strength.astype(np.float32),
        kind,
    )
