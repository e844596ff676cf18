"""How good a detector is: average precision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.features.parts.boxes import ious
from striate.types import Array

__all__ = ["average_precision"]


def average_precision(
    found: Sequence[tuple[Array, Array]], truths_xyxy: Sequence[Array], *, overlap: float = 0.5
) -> float:
    """The area under precision over recall, 0 to 1; NaN where no object is marked at all.

    `found`: for each picture boxes (N, 4) and their scores (N,); `truths_xyxy`: (M, 4) of each. A box is
    right if it shares at least `overlap` (intersection over union) with an object that no better one
    has taken; precision is made monotone first (PASCAL VOC 2010, Everingham et al., IJCV 2010).
    """
    objects = sum(len(one) for one in truths_xyxy)
    if objects == 0:
        return float("nan")
    scores, rights = [np.zeros(0)], [np.zeros(0, np.bool_)]
    for (boxes, own), truths in zip(found, truths_xyxy, strict=True):
        order = np.argsort(-own, kind="stable")
        scores.append(own[order])
        rights.append(_right(boxes[order], truths, overlap))
    every, right = np.concatenate(scores), np.concatenate(rights)
    right = right[np.argsort(-every, kind="stable")]
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * right).sum() / objects)  # recall grows by one object at each hit


def _right(boxes: Array, truths: Array, overlap: float) -> Array:
    """bool (N,) of boxes from the best to the worst: each object is found once."""
    shared = ious(boxes, truths)
    taken: set[int] = set()
    found = np.zeros(len(boxes), np.bool_)
    for row in range(len(boxes) if len(truths) else 0):
        best = int(shared[row].argmax())
        if shared[row, best] >= overlap and best not in taken:
            taken.add(best)
            found[row] = True
    return found
