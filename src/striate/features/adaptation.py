"""Affine shape adaptation: stretch a round window until the gradients in it have no preferred axis.

Lindeberg and Gårding 1997; Mikolajczyk and Schmid, "Scale and affine invariant interest point
detectors", IJCV 2004, §4. Two pictures of a surface from different sides lead to the same patch of it.
"""

from __future__ import annotations

import numpy as np

from striate.features.ellipses import covariance_root
from striate.features.opencv import cv2_module
from striate.features.scalespace import Octave
from striate.types import Array

__all__ = ["adapted"]

ROUNDS = 16
ROUND_ENOUGH = 0.95
"""A window is done when the weaker gradient axis has this share of the stronger one (its root)."""

MOST_STRETCH = 6.0
"""Windows longer than this for their width lie on edges, and have no definite end."""

REACH, SPACING = 12, 0.4
"""A window is read at 25² places, 0.4 sigma apart."""

WINDOW, SHARP = 1.6, 0.7
"""Sigmas of the weight and of the derivatives, both in sigmas of the point."""

CHUNK = 2048


def adapted(octaves: list[Octave], points_xy: Array, sigmas: Array) -> tuple[Array, Array]:
    """Shapes of area π for each point, and which of them settled.

    `points_xy`: (N, 2), pixels of the first octave. `sigmas`: (N,), scale of each point, pixels.
    Returns symmetric matrices of determinant 1, float64 (N, 2, 2), and a mask (N,).
    """
    frames = np.tile(np.eye(2), (len(points_xy), 1, 1))
    settled = np.zeros(len(points_xy), bool)
    # the sharpest level whose blur is still small beside the derivative's own
    source = np.floor(np.log2(np.maximum(sigmas, 1e-6) / 3.2)).astype(int)
    source = np.clip(source, 0, len(octaves) - 1)
    for which in np.unique(source):
        image, step = octaves[which].images[0], octaves[which].step
        rows = np.flatnonzero(source == which)
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            frames[part], settled[part] = _adapt(image, points_xy[part] / step, sigmas[part] / step)
    shapes = covariance_root(frames @ frames.transpose(0, 2, 1))
    return shapes, settled


def _adapt(image: Array, points_xy: Array, sigmas: Array) -> tuple[Array, Array]:
    frames = np.tile(np.eye(2), (len(points_xy), 1, 1))
    settled = np.zeros(len(points_xy), bool)
    active = np.arange(len(points_xy))
    for _ in range(ROUNDS):
        if not len(active):
            break
        moments = _moments(image, points_xy[active], sigmas[active], frames[active])
        values, vectors = np.linalg.eigh(moments)  # (M, 2) ascending
        seen = values[:, 0] > 1e-12
        isotropy = np.sqrt(values[:, 0] / np.maximum(values[:, 1], 1e-12))
        done = seen & (isotropy > ROUND_ENOUGH)
        settled[active[done]] = True
        going = seen & ~done
        active, values, vectors = active[going], values[going], vectors[going]
        inverse_root = (vectors * values[:, None, :] ** -0.5) @ vectors.transpose(0, 2, 1)
        inverse_root /= np.sqrt(np.linalg.det(inverse_root))[:, None, None]  # area stays
        frames[active] = frames[active] @ inverse_root
        spans = np.linalg.svd(frames[active], compute_uv=False)
        active = active[spans[:, 0] < MOST_STRETCH * spans[:, 1]]
    return frames, settled


def _moments(image: Array, points_xy: Array, sigmas: Array, frames: Array) -> Array:
    """The second-moment matrix of the gradient in each window, in the window's own frame, (N, 2, 2)."""
    cv2 = cv2_module()
    steps = np.arange(-REACH, REACH + 1) * SPACING
    y, x = np.meshgrid(steps, steps, indexing="ij")
    places = np.stack([x.ravel(), y.ravel()])  # (2, 625)
    at = points_xy[:, None] + (sigmas[:, None, None] * (frames @ places)).transpose(0, 2, 1)
    maps = at.astype(np.float32)  # (N, 625, 2)
    patches = cv2.remap(image, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    patches = patches.reshape(-1, len(steps), len(steps))
    smooth, slope = _filters(steps)
    gx, gy = smooth @ patches @ slope.T, slope @ patches @ smooth.T
    weight = np.exp(-(x**2 + y**2) / (2 * WINDOW**2))
    xx, xy, yy = ((weight * product).sum(axis=(1, 2)) for product in (gx * gx, gx * gy, gy * gy))
    return np.stack([np.stack([xx, xy], axis=1), np.stack([xy, yy], axis=1)], axis=1)


def _filters(steps: Array) -> tuple[Array, Array]:
    """A Gaussian and its derivative as matrices (25, 25) that act on a column of samples."""
    apart = steps[:, None] - steps[None]
    bell = np.exp(-(apart**2) / (2 * SHARP**2))
    bell /= bell.sum(axis=1, keepdims=True)
    slope = -apart / SHARP**2 * bell
    slope -= slope.mean(axis=1, keepdims=True)  # a constant patch has no slope at its ends either
    return bell.astype(np.float32), slope.astype(np.float32)
