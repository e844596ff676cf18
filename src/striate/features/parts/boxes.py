"""Boxes: overlap, and one detection for each object."""

from __future__ import annotations

import numpy as np

from striate.types import Array

__all__ = ["ious", "keep_best"]


def ious(boxes_a: Array, boxes_b: Array) -> Array:
    """Intersection over union of boxes (N, 4) and (M, 4), absolute x0 y0 x1 y1: float64 (N, M)."""
    a, b = np.asarray(boxes_a, np.float64)[:, None], np.asarray(boxes_b, np.float64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.prod(np.maximum(sides, 0.0), axis=-1)
    area_a, area_b = (np.prod(np.maximum(c[..., 2:] - c[..., :2], 0.0), axis=-1) for c in (a, b))
    union = area_a + area_b - both
    found: Array = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return found


def keep_best(boxes_xyxy: Array, scores: Array, *, most: float) -> Array:
    """Non-maximum suppression: indices of the boxes that overlap no better one by more than `most`.

    The best first; of equal scores the earlier one is the better.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        first, rest = int(order[0]), order[1:]
        kept.append(first)
        shared = ious(boxes_xyxy[first : first + 1], boxes_xyxy[rest])[0]
        order = rest[shared <= most]
    return np.array(kept, np.int64)
