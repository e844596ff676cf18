"""Edge boxes (Zitnick & Dollár, ECCV 2014): a window that holds whole contours likely holds an object.

The authors take edges from a structured forest, a file of its own. Here they are gradients: at two
scales, over colour, thinned to crests along the direction of the gradient. OpenCV scores the windows.
"""

from __future__ import annotations

import math

import numpy as np

from striate.features.opencv import cv2_module
from striate.features.proposals.types import Proposals
from striate.pictures import resize
from striate.types import Array, Picture, check_picture

__all__ = ["edge_boxes", "edge_map"]

LONGEST = 640
"""Larger pictures are scaled down to this side first."""

SIGMAS = (1.0, 2.0)
"""Blurs, pixels, before the gradient is taken."""

STEP, SUPPRESSION = 0.65, 0.65
"""The authors' α and β: overlap of neighbouring windows, and above which of two the worse goes. They
advise β = δ + 0.05 for boxes that shall reach an IoU of δ; this is for 0.6."""

_NOISE = 1e-4
"""Slopes below a grey level over forty pixels are none."""

SMALLEST_SHARE = 1 / 300
"""Of the picture, for a window: the authors' 1000 pixels in a picture of 640 × 480."""

_SMALLEST_SIDE = 8
"""Under this side there are no contours to speak of, and OpenCV's search fails."""


def edge_boxes(picture: Picture, *, most: int) -> Proposals:
    """Windows of `picture`, uint8 (H, W, 3), best first. Nothing in it is random.

    A picture without edges, or with a side under 8 pixels, has none.
    """
    height, width = check_picture(picture).shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    small = resize(picture, (max(1, round(height * scale)), max(1, round(width * scale))))
    rows = _windows(small, most) if min(small.shape[:2]) >= _SMALLEST_SIDE else np.empty((0, 5))
    back = np.array([width / small.shape[1], height / small.shape[0]] * 2)
    boxes = np.clip(rows[:, :4] * back, 0, [width, height] * 2).astype(np.float32)
    keep = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    order = np.argsort(-rows[keep, 4], kind="stable")
    return Proposals(boxes[keep][order], rows[keep, 4][order].astype(np.float32), int(keep.sum()))


def edge_map(picture: Picture) -> tuple[Array, Array]:
    """Strength of edges, float32 (H, W) from 0 to 1 and 0 off their crests; and the direction across
    them, float32 (H, W), radians from 0 to less than π, x to y.

    Of the two scales and three colour planes (Lab), the steepest counts at each pixel; slopes of the
    coarser scale are multiplied by the ratio of scales, as edges of any blur should count alike.
    """
    cv2 = cv2_module()
    planes = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB).astype(np.float32)
    slopes = []
    for sigma in SIGMAS:
        soft = cv2.GaussianBlur(planes, (0, 0), sigma)
        weight = sigma / SIGMAS[0] / 8 / 255
        pair = [cv2.Sobel(soft, cv2.CV_32F, *order, ksize=3, scale=weight) for order in ((1, 0), (0, 1))]
        slopes.append(np.stack(pair))  # (2, H, W, 3)
    every = np.concatenate(slopes, axis=3)
    steepest = np.argmax((every**2).sum(axis=0), axis=2)[None, ..., None]
    dx, dy = np.take_along_axis(every, steepest, axis=3)[..., 0]
    strength = cv2.magnitude(dx, dy)
    across = (np.arctan2(dy, dx) % np.float32(math.pi)).astype(np.float32)
    across[across >= np.float32(math.pi)] = 0
    return _levelled(_crests(strength, dx, dy)), across


def _windows(picture: Picture, most: int) -> Array:
    """left, top, right, bottom, score of windows, (N, 5)."""
    strength, across = edge_map(picture)
    if not strength.any():
        return np.empty((0, 5))
    least = max(_SMALLEST_SIDE**2, strength.size * SMALLEST_SHARE)
    finder = cv2_module().ximgproc.createEdgeBoxes(
        alpha=STEP, beta=SUPPRESSION, maxBoxes=most, minBoxArea=least
    )
    boxes, scores = finder.getBoundingBoxes(strength, across)
    if not len(boxes):
        return np.empty((0, 5))
    left, top, width, height = np.asarray(boxes, np.float64).T
    return np.stack([left, top, left + width, top + height, np.ravel(scores)], axis=1)


def _crests(strength: Array, dx: Array, dy: Array) -> Array:
    """`strength` where it is the greatest along the gradient, half a step and a step away; else 0."""
    cv2 = cv2_module()
    rows, columns = np.mgrid[: strength.shape[0], : strength.shape[1]].astype(np.float32)
    length = np.maximum(strength, 1e-12)
    crest = strength > _NOISE
    for way in (-1.0, 1.0):
        beside = cv2.remap(
            strength,
            columns + way * dx / length,
            rows + way * dy / length,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        crest &= strength >= beside
    return np.where(crest, strength, np.float32(0))


def _levelled(crests: Array) -> Array:
    """From 0 to 1: what is as strong as the strongest hundredth of crests is 1."""
    found = crests[crests > 0]
    top = float(np.quantile(found, 0.99)) if len(found) else 0.0
    if not top:
        return crests
    levelled: Array = np.minimum(crests / np.float32(top), np.float32(1))
    return levelled
