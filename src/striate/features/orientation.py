"""The direction of a key point: where most of the gradient around it points (Lowe 2004, §5)."""

from __future__ import annotations

import numpy as np

from striate.features.opencv import cv2_module
from striate.features.scalespace import FIRST_SIGMA, LEVELS_PER_OCTAVE, Octave, scale_space
from striate.types import Array, PictureArray

__all__ = ["dominant_angles"]

BINS = 36
WINDOW = 1.5
"""Sigma of the window in which directions are counted, in sigmas of the point."""

SPACING = 0.5
REACH = 9
"""The window is read at (2 · 9 + 1)² places, half a sigma apart: out to three sigmas of itself."""

CHUNK = 4096
"""Points at a time, to bound memory."""


def dominant_angles(levels: PictureArray, points_xy: Array, sigmas: Array) -> Array:
    """The strongest gradient direction at each point, float32 (N,), degrees in [0, 360), clockwise.

    `levels`: uint8 (h, w). `points_xy`: (N, 2), pixels of it. `sigmas`: (N,), blur at which each point
    is looked at. 0 where there is no gradient at all.
    """
    octaves = scale_space(levels)
    angles = np.zeros(len(points_xy), np.float32)
    if not octaves:
        return angles
    level = np.rint(LEVELS_PER_OCTAVE * np.log2(np.maximum(sigmas, 1e-6) / FIRST_SIGMA)).astype(int)
    octave = np.clip(level // LEVELS_PER_OCTAVE, 0, len(octaves) - 1)
    level = np.clip(level - LEVELS_PER_OCTAVE * octave, 0, LEVELS_PER_OCTAVE)
    for which, inside in {(int(o), int(i)) for o, i in zip(octave, level, strict=True)}:
        rows = np.flatnonzero((octave == which) & (level == inside))
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            angles[part] = _angles(octaves[which], inside, points_xy[part], sigmas[part])
    return angles


def _angles(octave: Octave, level: int, points_xy: Array, sigmas: Array) -> Array:
    cv2 = cv2_module()
    image = octave.images[level]
    dx, dy = (cv2.Sobel(image, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    steps = np.arange(-REACH, REACH + 1) * SPACING  # in sigmas
    y, x = np.meshgrid(steps, steps, indexing="ij")
    weight = np.exp(-(x**2 + y**2) / (2 * WINDOW**2)).ravel()
    at = points_xy[:, None] + sigmas[:, None, None] * np.stack([x.ravel(), y.ravel()], axis=1)
    maps = (at / octave.step).astype(np.float32)  # (N, 361, 2)
    gx, gy = (
        cv2.remap(one, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        for one in (dx, dy)
    )
    strength = np.hypot(gx, gy) * weight
    return _strongest(np.degrees(np.arctan2(gy, gx)) % 360, strength)


def _strongest(angles: Array, strength: Array) -> Array:
    """The peak of each row's histogram, refined by a parabola. `angles`, `strength`: (N, M)."""
    count = len(angles)
    place = angles * (BINS / 360)  # each vote is shared by the two bins beside it
    lower = np.floor(place).astype(int)
    share = place - lower
    offset = np.arange(count)[:, None] * BINS
    votes: Array = np.bincount(
        (offset + lower % BINS).ravel(), (strength * (1 - share)).ravel(), count * BINS
    )
    votes += np.bincount((offset + (lower + 1) % BINS).ravel(), (strength * share).ravel(), count * BINS)
    histogram: Array = votes.reshape(count, BINS)
    for _ in range(2):  # smoothed as in SIFT's published code
        histogram = (np.roll(histogram, 1, axis=1) + 2 * histogram + np.roll(histogram, -1, axis=1)) / 4
    best = histogram.argmax(axis=1)
    rows = np.arange(count)
    left, here, right = (histogram[rows, (best + step) % BINS] for step in (-1, 0, 1))
    bend = left - 2 * here + right
    shift = np.where(bend < 0, (left - right) / (2 * np.where(bend < 0, bend, -1)), 0)
    found: Array = ((best + shift) * (360 / BINS) % 360).astype(np.float32)
    found[found >= 360] = 0
    return found
