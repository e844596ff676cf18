"""What is taken for what, when only answers from a score on are shown."""

from __future__ import annotations

import numpy as np

from striate.metrics.detection.matching import Matches
from striate.metrics.detection.tables import Found, Pairs, Truth
from striate.types import Array

__all__ = ["confusion_with_background", "most_confused"]

_IOU = 0.5


def confusion_with_background(
    found: Found, truth: Truth, pairs: Pairs, matches: Matches, *, classes: int, score_from: float
) -> Array:
    """Counts, int64 (K + 1, K + 1): row = what is there, column = what was found, last = nothing.

    Answers of at least `score_from` are first paired with objects of their class (the matches at an
    IoU of 0.5), so the diagonal is what precision and recall count as right; then what is left with
    objects of other classes, the largest overlap first. What remains is background. Crowds, and
    answers about them, are left out.
    """
    shown = found.scores >= score_from
    right = matches.right[0, 0] & shown
    wrong = matches.counted[0, 0] & shown & ~right
    free = matches.objects[0].copy()
    free[matches.truth_of[0, 0][right]] = False
    counts = np.zeros((classes + 1, classes + 1), np.int64)
    np.add.at(counts, (found.labels[right], found.labels[right]), 1)
    left = pairs.take((pairs.iou >= _IOU) & wrong[pairs.found] & free[pairs.truth])
    order = np.argsort(-left.iou, kind="stable")
    for row, it in zip(left.found[order].tolist(), left.truth[order].tolist(), strict=True):
        if wrong[row] and free[it]:
            wrong[row] = free[it] = False
            counts[truth.labels[it], found.labels[row]] += 1
    counts[classes, :classes] = np.bincount(found.labels[wrong], minlength=classes)
    counts[:classes, classes] = np.bincount(truth.labels[free], minlength=classes)
    return counts


def most_confused(counts: Array, most: int) -> list[tuple[int, int, int]]:
    """The largest entries off the diagonal as (row, column, count), the largest first."""
    rest = counts * (1 - np.eye(len(counts), dtype=np.int64))
    order = np.argsort(-rest, axis=None, kind="stable")[:most]
    rows, columns = np.unravel_index(order, rest.shape)
    found = zip(rows.tolist(), columns.tolist(), rest[rows, columns].tolist(), strict=True)
    return [one for one in found if one[2]]
