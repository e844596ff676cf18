"""Boxes as arrays: forms, overlap, clipping, and non-maximum suppression.

`boxes_xyxy` are (N, 4): left, top, right, bottom in pixels, edges, not pixel centres: a box around
one whole pixel is (0, 0, 1, 1) and its area is 1.
"""

from __future__ import annotations

import numpy as np

from striate.types import Array, SizeHW

__all__ = [
    "area_of_xyxy",
    "clip_xyxy",
    "cxcywh_to_xyxy",
    "iou_xyxy",
    "nms",
    "nms_by_class",
    "overlap_share_xyxy",
    "soft_nms",
    "xywh_to_xyxy",
    "xyxy_to_cxcywh",
    "xyxy_to_xywh",
]

_BLOCK = 256
"""Boxes that are compared with all later ones at a time: a table of 256 rows stays in the cache."""


def xyxy_to_xywh(boxes_xyxy: Array) -> Array:
    """Left, top, width, height, (N, 4)."""
    return np.concatenate([boxes_xyxy[:, :2], boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]], axis=1)


def xywh_to_xyxy(boxes_xywh: Array) -> Array:
    """From left, top, width, height, (N, 4)."""
    return np.concatenate([boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]], axis=1)


def xyxy_to_cxcywh(boxes_xyxy: Array) -> Array:
    """Middle, width, height, (N, 4)."""
    size = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    return np.concatenate([boxes_xyxy[:, :2] + size / 2, size], axis=1)


def cxcywh_to_xyxy(boxes_cxcywh: Array) -> Array:
    """From middle, width, height, (N, 4)."""
    half = boxes_cxcywh[:, 2:] / 2
    return np.concatenate([boxes_cxcywh[:, :2] - half, boxes_cxcywh[:, :2] + half], axis=1)


def area_of_xyxy(boxes_xyxy: Array) -> Array:
    """Areas (N,), square pixels; a box turned inside out has none."""
    size = np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0)
    area: Array = size[:, 0] * size[:, 1]
    return area


def clip_xyxy(boxes_xyxy: Array, size_hw: SizeHW) -> Array:
    """Boxes cut off at the edges of a picture, (N, 4)."""
    height, width = size_hw
    high = np.asarray([width, height, width, height], boxes_xyxy.dtype)
    clipped: Array = np.clip(boxes_xyxy, 0, high)
    return clipped


def iou_xyxy(ours: Array, theirs: Array) -> Array:
    """Intersection over union of each of N boxes with each of M, float64 (N, M), 0..1.

    Where neither box has an area it is 0, and not undefined.

    >>> one, two = np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [5, 5, 6, 6]])
    >>> iou_xyxy(one, two).round(3).tolist()
    [[0.333, 0.0]]
    """
    inter = _intersections(ours, theirs)
    union = area_of_xyxy(ours)[:, None] + area_of_xyxy(theirs)[None, :] - inter
    found: Array = np.divide(inter, union, out=np.zeros(inter.shape), where=union > 0)
    return found


def overlap_share_xyxy(ours: Array, theirs: Array) -> Array:
    """Share of each of our N boxes that lies in each of theirs, (N, M): IoU with a crowd in COCO."""
    inter = _intersections(ours, theirs)
    area = area_of_xyxy(ours)[:, None]
    found: Array = np.divide(inter, area, out=np.zeros(inter.shape), where=area > 0)
    return found


def nms(boxes_xyxy: Array, scores: Array, *, iou_threshold: float) -> Array:
    """Greedy non-maximum suppression: indices of the boxes that stay, best first, int64.

    A box goes if it overlaps a better one that stays by more than `iou_threshold`. Of equal scores
    the earlier box is the better one.
    """
    order = np.argsort(-scores, kind="stable").astype(np.int64, copy=False)
    boxes = boxes_xyxy[order]
    kept: list[Array] = []
    while len(order):  # the best block settles its own affairs, then clears all that come after it
        stay = _first_come(_overlapping(boxes[:_BLOCK], boxes[:_BLOCK], iou_threshold))
        kept.append(order[:_BLOCK][stay])
        rest = slice(_BLOCK, None)
        free = ~_overlapping(boxes[:_BLOCK][stay], boxes[rest], iou_threshold).any(axis=0)
        order, boxes = order[rest][free], boxes[rest][free]
    return np.concatenate(kept) if kept else np.empty(0, np.int64)


def nms_by_class(boxes_xyxy: Array, scores: Array, labels: Array, *, iou_threshold: float) -> Array:
    """The same among boxes of equal label (N,) only; indices, best first."""
    kept = [
        rows[nms(boxes_xyxy[rows], scores[rows], iou_threshold=iou_threshold)]
        for rows in _rows_of_labels(labels)
    ]
    found = np.concatenate(kept) if kept else np.empty(0, np.int64)
    return found[np.lexsort((found, -scores[found]))]


def soft_nms(
    boxes_xyxy: Array,
    scores: Array,
    labels: Array,
    *,
    sigma: float = 0.5,
    score_threshold: float = 0.001,
) -> tuple[Array, Array]:
    """Soft-NMS with a Gaussian (Bodla et al. 2017): overlapped boxes lose score, and are not dropped.

    A box's score is multiplied by exp(−IoU² / `sigma`) for each better one of its label. Returns
    (indices, new scores), best first; boxes below `score_threshold` are left out.
    """
    pairs = [
        _softened(boxes_xyxy, scores, rows, sigma, score_threshold) for rows in _rows_of_labels(labels)
    ]
    if not pairs:
        return np.empty(0, np.int64), np.empty(0, scores.dtype)
    rows, lowered = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    order = np.lexsort((rows, -lowered))
    return rows[order], lowered[order].astype(scores.dtype)


def _intersections(ours: Array, theirs: Array) -> Array:
    """Areas that boxes (N, 4) and (M, 4) share, (N, M)."""
    left, top, right, bottom = (ours[:, edge, None] for edge in range(4))
    width = np.minimum(right, theirs[:, 2])
    width -= np.maximum(left, theirs[:, 0])
    height = np.minimum(bottom, theirs[:, 3])
    height -= np.maximum(top, theirs[:, 1])
    np.maximum(width, 0, out=width)
    np.maximum(height, 0, out=height)
    width *= height
    return width


def _overlapping(ours: Array, theirs: Array, iou_threshold: float) -> Array:
    """Whether two boxes overlap by more than the threshold, bool (N, M), without a division."""
    inter = _intersections(ours, theirs)
    union = area_of_xyxy(ours)[:, None] + area_of_xyxy(theirs)
    union -= inter
    return np.asarray(inter > iou_threshold * union)


def _first_come(overlapping: Array) -> Array:
    """Of N boxes, the best first, which stay, bool (N,): those that overlap none before that stays."""
    stay = np.ones(len(overlapping), bool)
    for row in np.flatnonzero(np.triu(overlapping, 1).any(axis=1)).tolist():
        if stay[row]:
            stay[row + 1 :] &= ~overlapping[row, row + 1 :]
    return stay


def _rows_of_labels(labels: Array) -> list[Array]:
    """The rows of each label, rising."""
    order = np.argsort(labels, kind="stable").astype(np.int64, copy=False)
    ends = np.flatnonzero(np.diff(labels[order])) + 1
    return np.split(order, ends) if len(order) else []


def _softened(
    boxes_xyxy: Array, scores: Array, rows: Array, sigma: float, score_threshold: float
) -> tuple[Array, Array]:
    """Rows of one label in the order they are chosen, and their scores then."""
    left = scores[rows].astype(np.float64)
    chosen: list[int] = []
    final: list[float] = []
    while True:
        alive = left >= score_threshold
        if not alive.all():
            rows, left = rows[alive], left[alive]
        if not len(rows):
            return np.asarray(chosen, np.int64), np.asarray(final, np.float64)
        best = int(np.argmax(left))
        chosen.append(int(rows[best]))
        final.append(float(left[best]))
        overlap = iou_xyxy(boxes_xyxy[rows[best : best + 1]], boxes_xyxy[rows])[0]
        left *= np.exp(-np.square(overlap) / sigma)
        left[best] = -np.inf
