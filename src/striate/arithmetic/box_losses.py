"""How far a box is from the true one: L2, L2 beside a class, and intersection over union.

A box is four numbers on the last axis. For L2 any four (x, y, w, h in the decks); for IoU
`boxes_xyxy`: left, top, right, bottom. Over leading axes the mean is taken. Float64 throughout.
"""

from __future__ import annotations

import numpy as np

from striate.arithmetic.losses import (
    categorical_cross_entropy,
    categorical_cross_entropy_gradient,
)
from striate.arithmetic.pairing import paired, rows_of
from striate.errors import UsageError
from striate.types import Array

__all__ = [
    "box_l2",
    "box_l2_gradient",
    "iou",
    "iou_gradient",
    "iou_loss",
    "iou_loss_gradient",
    "jaccard",
    "multitask",
    "multitask_gradient",
]


def box_l2(truth: Array, predicted: Array) -> float:
    """Σ (b̂ − b)² over the four numbers of a box, mean over boxes: (…, 4) each."""
    truth, predicted = _boxes(truth, predicted)
    return float(((predicted - truth) ** 2).sum() / rows_of(truth))


def box_l2_gradient(truth: Array, predicted: Array) -> Array:
    """2 (b̂ − b), over the number of boxes."""
    truth, predicted = _boxes(truth, predicted)
    found: Array = 2 * (predicted - truth) / rows_of(truth)
    return found


def multitask(
    labels: Array, logits: Array, boxes: Array, predicted: Array, *, weight: float = 1.0
) -> float:
    """Softmax loss of the class + `weight` × L2 loss of the box: one number to make small.

    `labels` (…), `logits` (…, classes), `boxes` and `predicted` (…, 4).
    """
    return categorical_cross_entropy(labels, logits) + weight * box_l2(boxes, predicted)


def multitask_gradient(
    labels: Array, logits: Array, boxes: Array, predicted: Array, *, weight: float = 1.0
) -> tuple[Array, Array]:
    """The gradients with respect to `logits` and to `predicted`."""
    return (
        categorical_cross_entropy_gradient(labels, logits),
        weight * box_l2_gradient(boxes, predicted),
    )


def jaccard(one: Array, other: Array) -> float:
    """|A ∩ B| / |A ∪ B| of two masks, boolean arrays of one shape; 1 for two empty ones."""
    one, other = np.asarray(one, dtype=bool), np.asarray(other, dtype=bool)
    if one.shape != other.shape:
        raise UsageError(f"masks of shapes {one.shape} and {other.shape}", expected="one shape")
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


def iou(boxes_xyxy: Array, others_xyxy: Array) -> Array:
    """Intersection over union of each box with the one in its place, 0 to 1: (…, 4) twice → (…).

    Two boxes without area have 0. A `UsageError` where a right end lies left of its left end.
    """
    both, union = _overlap(boxes_xyxy, others_xyxy)[:2]
    found: Array = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return found


def iou_gradient(boxes_xyxy: Array, others_xyxy: Array) -> Array:
    """∂IoU/∂box of each first box, (…, 4).

    Boxes that do not touch have 0 everywhere: IoU cannot say where to move. Where two edges coincide
    both one-sided slopes are averaged, a subgradient, and the one that torch takes.
    """
    both, union, wide_high = _overlap(boxes_xyxy, others_xyxy)
    boxes, others = (np.asarray(one, dtype=np.float64) for one in (boxes_xyxy, others_xyxy))
    sizes = boxes[..., 2:] - boxes[..., :2]
    area_slope = np.concatenate([-sizes[..., ::-1], sizes[..., ::-1]], axis=-1)
    touch = np.all(wide_high > 0, axis=-1, keepdims=True)
    reach = np.where(touch, wide_high, 0.0)[..., ::-1]
    starts = -reach * _moves(boxes[..., :2], others[..., :2])
    ends = reach * _moves(-boxes[..., 2:], -others[..., 2:])
    both_slope = np.concatenate([starts, ends], axis=-1)
    union_slope = area_slope - both_slope
    above = both_slope * union[..., None] - both[..., None] * union_slope
    below = (union**2)[..., None]
    found: Array = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return found


def iou_loss(boxes_xyxy: Array, predicted_xyxy: Array) -> float:
    """1 − IoU, mean over boxes (Jaccard distance)."""
    return float(np.mean(1 - iou(predicted_xyxy, boxes_xyxy)))


def iou_loss_gradient(boxes_xyxy: Array, predicted_xyxy: Array) -> Array:
    """With respect to the predicted boxes; see `iou_gradient` for where it is a subgradient."""
    slopes = iou_gradient(predicted_xyxy, boxes_xyxy)
    return -slopes / rows_of(slopes)


def _overlap(boxes_xyxy: Array, others_xyxy: Array) -> tuple[Array, Array, Array]:
    """Areas of intersection and union (…), and width and height of the intersection (…, 2), which are
    negative where there is a gap."""
    boxes, others = _boxes(boxes_xyxy, others_xyxy)
    for one in (boxes, others):
        if (one[..., 2:] < one[..., :2]).any():
            raise UsageError(
                "a box ends left of or above where it begins", expected="left, top, right, bottom"
            )
    ends = np.minimum(boxes[..., 2:], others[..., 2:])
    sides = ends - np.maximum(boxes[..., :2], others[..., :2])
    both = np.maximum(sides, 0).prod(axis=-1)
    areas = [(one[..., 2:] - one[..., :2]).prod(axis=-1) for one in (boxes, others)]
    return both, areas[0] + areas[1] - both, sides


def _moves(own: Array, other: Array) -> Array:
    """Whether max(own, other) moves with `own`: 1, 0, or a half where they are equal."""
    found: Array = np.where(own == other, 0.5, own > other)
    return found


def _boxes(one: Array, other: Array) -> list[Array]:
    found = paired(boxes=one, others=other)
    if found[0].shape[-1] != 4:
        raise UsageError(
            f"boxes of shape {found[0].shape}", expected="four numbers a box on the last axis"
        )
    return found
