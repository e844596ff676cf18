"""Blobs: round spots, lighter or darker than what is around them, at every size.

A spot is an extremum of the Laplacian of the blurred picture across place and scale (Lindeberg 1998).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate.features.extrema import peaks_3d, refined
from striate.features.opencv import cv2_module
from striate.features.plane import plane_of
from striate.features.points import Keypoints
from striate.features.scalespace import FIRST_SIGMA, LEVELS_PER_OCTAVE, Octave, scale_space
from striate.types import Array, Picture

__all__ = ["dog", "dog_responses", "log", "log_responses"]

THRESHOLD = 0.05
"""Least response. A disc that differs by c from its ground (0 to 1) has 0.74 c: 17 grey levels."""

EDGE_RATIO = 10.0
"""A ridge bends much in one direction only: spots with a ratio above this are left out (Lowe 2004)."""

STEP = 2 ** (1 / LEVELS_PER_OCTAVE)


def log_responses(octave: Octave) -> Array:
    """σ² times the Laplacian of the first five levels, float32 (5, h, w); dark spots are positive."""
    cv2 = cv2_module()
    images = octave.images[: LEVELS_PER_OCTAVE + 2]
    sigmas = FIRST_SIGMA * STEP ** np.arange(len(images))
    border = cv2.BORDER_REFLECT_101
    return np.stack(
        [
            sigma**2 * cv2.Laplacian(image, cv2.CV_32F, borderType=border)
            for sigma, image in zip(sigmas, images, strict=True)
        ]
    )


def dog_responses(octave: Octave) -> Array:
    """The differences of neighbouring levels over k − 1, which approximates σ² times the Laplacian
    (Lowe 2004, eq. 1), float32 (5, h, w). Response i stands for level i + 1/2."""
    found: Array = np.diff(octave.images, axis=0) / np.float32(STEP - 1)
    return found


def log(picture: Picture, *, threshold: float = THRESHOLD) -> Keypoints:
    """Spots of `picture`, uint8 (H, W, 3), by the Laplacian of Gaussian, light and dark ones.

    `scale_px` is the radius of the spot, √2 σ; the direction is not known; `response` is 0.74 times
    the contrast of a disc (0 to 1). `threshold`: the least response.
    """
    return _spots(picture, "log", log_responses, threshold, between=0.0)


def dog(picture: Picture, *, threshold: float = THRESHOLD) -> Keypoints:
    """Spots of `picture`, uint8 (H, W, 3), by the difference of Gaussians: `log`, a little faster."""
    return _spots(picture, "dog", dog_responses, threshold, between=0.5)


def _spots(
    picture: Picture,
    kind: str,
    respond: Callable[[Octave], Array],
    threshold: float,
    *,
    between: float,
) -> Keypoints:
    if not threshold > 0:
        raise ValueError(f"threshold is {threshold}; expected a number above 0")
    plane = plane_of(picture)
    spots = [np.zeros((0, 4))]
    for octave in [] if plane.flat else scale_space(plane.levels):
        responses = respond(octave)
        for signed in (responses, -responses):
            at, strength = _peaks(signed, threshold)
            radius = np.sqrt(2) * octave.sigma(at[:, 0] + between)
            spots.append(np.column_stack([at[:, 2:0:-1] * octave.step, radius, strength]))
    found = np.concatenate(spots)  # (N, 4): x, y, radius, strength
    return Keypoints(
        plane.to_original(found[:, :2]).astype(np.float32),
        (found[:, 2] / plane.scale).astype(np.float32),
        np.full(len(found), np.nan, np.float32),
        found[:, 3].astype(np.float32),
        kind,
    )


def _peaks(responses: Array, threshold: float) -> tuple[Array, Array]:
    """Places (N, 3) as (level, row, column), refined, and their responses; without ridges."""
    at, strength, _ = refined(responses, peaks_3d(responses, threshold=threshold * 0.8))
    pixels = np.clip(np.rint(at).astype(int), (0, 1, 1), np.array(responses.shape) - (1, 2, 2))
    kept = (strength > threshold) & ~_on_ridge(responses, pixels)
    return at[kept], strength[kept]


def _on_ridge(responses: Array, places: Array) -> Array:
    """Whether the response bends `EDGE_RATIO` times more across than along (Lowe 2004, §4.1)."""
    level, row, column = places.T
    here = responses[level, row, column]
    yy = responses[level, row + 1, column] + responses[level, row - 1, column] - 2 * here
    xx = responses[level, row, column + 1] + responses[level, row, column - 1] - 2 * here
    xy = (
        responses[level, row + 1, column + 1]
        - responses[level, row + 1, column - 1]
        - responses[level, row - 1, column + 1]
        + responses[level, row - 1, column - 1]
    ) / 4
    determinant = xx * yy - xy * xy
    found: Array = (xx + yy) ** 2 * EDGE_RATIO >= (EDGE_RATIO + 1) ** 2 * determinant
    return found
