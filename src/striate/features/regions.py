"""Affine-covariant regions: MSER, Harris-Affine and Hessian-Affine.

Seen from another side, a flat surface is squeezed; these ellipses are squeezed with it. Compared in
Mikolajczyk and others, "A comparison of affine region detectors", IJCV 2005.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from striate.errors import UnknownNameError
from striate.features.adaptation import adapted
from striate.features.blobs import log_responses
from striate.features.corners import harris_response
from striate.features.ellipses import Regions, covariance_root
from striate.features.extrema import between_pixels, peaks_2d, peaks_3d, refined
from striate.features.opencv import cv2_module
from striate.features.plane import Plane, plane_of
from striate.features.points import Keypoints
from striate.features.scalespace import FIRST_SIGMA, LEVELS_PER_OCTAVE, Octave, scale_space
from striate.types import Array, Picture, PictureArray

__all__ = ["REGION_DETECTORS", "find_regions", "harris_affine", "hessian_affine", "mser", "mser_points"]

HARRIS_THRESHOLD = 1e-5
HESSIAN_THRESHOLD = 2e-3
MOST_SEEDS = 4000
"""Points that are adapted, strongest first: each costs about a quarter of a millisecond."""


def find_regions(picture: Picture, kind: str, *, limit: int | None = None) -> Regions:
    """The regions of `kind` in `picture`, uint8 (H, W, 3), strongest first, at most `limit`.

    `kind`: one of `REGION_DETECTORS`. Empty for a picture without contrast.
    """
    if kind not in REGION_DETECTORS:
        raise UnknownNameError("region detector", kind, REGION_DETECTORS)
    found = REGION_DETECTORS[kind](picture)
    return found.strongest(len(found) if limit is None else limit)


def mser(picture: Picture) -> Regions:
    """Maximally stable extremal regions of `picture`, uint8 (H, W, 3), light and dark ones.

    Connected areas that hardly change while a threshold moves by five grey levels (Matas and others
    2002), each as the ellipse of the same second moments. `response` is its difference in grey
    level from the rest of its box.
    """
    plane = plane_of(picture)
    if plane.flat or min(plane.levels.shape) < 4:
        return Regions.empty("mser")
    cv2 = cv2_module()
    most = max(60, round(0.2 * plane.levels.size))
    pixels, boxes = cv2.MSER_create(5, 30, most).detectRegions(plane.levels)  # delta, least, most area
    if not len(pixels):
        return Regions.empty("mser")
    centres = np.array([one.mean(axis=0) for one in pixels])
    spreads = np.array([np.cov(one.T, bias=True) for one in pixels]) + np.eye(2) / 12  # pixels are wide
    contrast = _contrast(plane.levels, pixels, boxes)
    shapes = 2 * covariance_root(spreads)  # a full ellipse has a quarter of its axes' squares
    order = np.unique(
        np.round(np.column_stack([centres, shapes.reshape(-1, 4)]), 1), axis=0, return_index=True
    )[1]
    return _regions(plane, centres[order], shapes[order], contrast[order], "mser")


def mser_points(picture: Picture) -> Keypoints:
    """`mser`, each region as the disc of the same area."""
    return mser(picture).circles()


def _contrast(levels: PictureArray, pixels: tuple[Array, ...], boxes: Array) -> Array:
    """How far the mean of each region is from the mean of the rest of its box, grey levels."""
    cv2 = cv2_module()
    sums = cv2.integral(levels)
    found = []
    for (x, y, w, h), own in zip(boxes.tolist(), pixels, strict=True):
        inside = float(levels[own[:, 1], own[:, 0]].sum(dtype=np.int64))
        whole = sums[y + h, x + w] - sums[y, x + w] - sums[y + h, x] + sums[y, x]
        rest = max(1, w * h - len(own))
        found.append(abs(inside / len(own) - (whole - inside) / rest))
    return np.array(found)


def harris_affine(picture: Picture, *, threshold: float = HARRIS_THRESHOLD) -> Regions:
    """Corners of `picture`, uint8 (H, W, 3), at the scale where the Laplacian is strongest, with their
    shape (Mikolajczyk and Schmid 2004). The ellipse is three sigmas of the window."""
    return _affine(picture, "harris-affine", _harris_seeds, threshold, radius=3.0)


def hessian_affine(picture: Picture, *, threshold: float = HESSIAN_THRESHOLD) -> Regions:
    """Spots of `picture`, uint8 (H, W, 3), where the determinant of the Hessian is strongest across
    place and scale, with their shape (Mikolajczyk and Schmid 2004). The ellipse is the spot, √2 σ."""
    return _affine(picture, "hessian-affine", _hessian_seeds, threshold, radius=2**0.5)


Seeds = Callable[[Octave, float], tuple[Array, Array]]
"""From an octave and a threshold: places (N, 3) as (level, row, column), and responses (N,)."""


def _affine(picture: Picture, kind: str, find: Seeds, threshold: float, *, radius: float) -> Regions:
    if not threshold > 0:
        raise ValueError(f"threshold is {threshold}; expected a number above 0")
    plane = plane_of(picture)
    octaves = [] if plane.flat else scale_space(plane.levels)
    rows = [np.zeros((0, 4))]
    for octave in octaves:
        at, strength = find(octave, threshold)
        places = at[:, 2:0:-1] * octave.step
        rows.append(np.column_stack([places, octave.sigma(at[:, 0]), strength]))
    seeds = np.concatenate(rows)  # (N, 4): x, y, sigma, response
    seeds = seeds[np.argsort(-seeds[:, 3], kind="stable")[:MOST_SEEDS]]
    if not len(seeds):
        return Regions.empty(kind)
    shapes, settled = adapted(octaves, seeds[:, :2], seeds[:, 2])
    seeds, shapes = seeds[settled], shapes[settled]
    shapes = shapes * (seeds[:, 2] * radius)[:, None, None]
    return _regions(plane, seeds[:, :2], shapes, seeds[:, 3], kind)


def _hessian_seeds(octave: Octave, threshold: float) -> tuple[Array, Array]:
    cv2 = cv2_module()
    images = octave.images[: LEVELS_PER_OCTAVE + 2]
    sigmas = FIRST_SIGMA * 2 ** (np.arange(len(images)) / LEVELS_PER_OCTAVE)
    responses = []
    for sigma, image in zip(sigmas, images, strict=True):
        xx, yy, xy = (
            cv2.Sobel(image, cv2.CV_32F, *order, ksize=3, scale=scale)
            for order, scale in (((2, 0), 1 / 4), ((0, 2), 1 / 4), ((1, 1), 1 / 4))
        )
        responses.append(sigma**4 * (xx * yy - xy * xy))
    stacked = np.stack(responses)
    at, strength, _ = refined(stacked, peaks_3d(stacked, threshold=threshold))
    return at, strength


def _harris_seeds(octave: Octave, threshold: float) -> tuple[Array, Array]:
    """Corners of each level that the Laplacian prefers to the levels below and above."""
    sigmas = FIRST_SIGMA * 2 ** (np.arange(LEVELS_PER_OCTAVE + 3) / LEVELS_PER_OCTAVE)
    strengths = np.abs(log_responses(octave))
    found, responses = [np.zeros((0, 3))], [np.zeros(0)]
    for level in range(1, LEVELS_PER_OCTAVE + 1):
        # derivatives at 0.63 of the window's sigma
        window = sigmas[level]
        image = octave.images[max(0, level - 2)]
        response = window**4 * harris_response(image, sigma=window)
        corners = peaks_2d(response, threshold=threshold, radius=max(1, round(window / 2)))
        row, column = corners.T
        own = strengths[level, row, column]
        beside = np.maximum(strengths[level - 1, row, column], strengths[level + 1, row, column])
        at, strength, origin = between_pixels(response, corners)
        chosen = (own > beside)[origin]
        found.append(np.column_stack([np.full(len(at), level), at])[chosen])
        responses.append(strength[chosen])
    return np.concatenate(found), np.concatenate(responses)


def _regions(plane: Plane, points_xy: Array, shapes: Array, response: Array, kind: str) -> Regions:
    return Regions(
        plane.to_original(points_xy).astype(np.float32),
        (shapes / plane.scale).astype(np.float32),
        response.astype(np.float32),
        kind,
    )


REGION_DETECTORS: Mapping[str, Callable[[Picture], Regions]] = {
    "mser": mser,
    "harris-affine": harris_affine,
    "hessian-affine": hessian_affine,
}
"""Name → what finds regions of that kind."""
