"""Average precision and recall from matches, as COCO defines them.

Precision is interpolated: at each of 101 recalls it is the best precision at that recall or a higher
one; average precision is their mean (Everingham et al. 2010; Lin et al. 2014). Classes without
objects have none: NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.metrics.detection.matching import Matches
from striate.metrics.detection.tables import Found, Truth
from striate.types import Array

__all__ = ["RECALLS", "Precision", "average", "interpolated", "measure"]

RECALLS = np.linspace(0.0, 1.0, 101)
KEEP = (1, 10, 100)
"""Answers a picture and class that recall is stated for."""


@dataclass(frozen=True, slots=True, eq=False)
class Precision:
    """T thresholds, K classes, A ranges of size; NaN for classes without objects.

    `precision`: float64 (T, 101, K, A), at rising recall. `recall`: float64 (T, K, A), with up to 100
    answers. `recall_of_few`: float64 (T, K, 3), any size, with up to 1, 10, 100 answers.
    """

    precision: Array
    recall: Array
    recall_of_few: Array


def measure(found: Found, truth: Truth, matches: Matches, classes: int) -> Precision:
    """Precision and recall of every class; the first range of size is taken as all."""
    thresholds, ranges = matches.truth_of.shape[:2]
    right = matches.right
    objects = np.stack([np.bincount(truth.labels[row], minlength=classes) for row in matches.objects])
    precision = np.full((thresholds, len(RECALLS), classes, ranges), np.nan)
    order = np.lexsort((-found.scores, found.labels))
    ends = np.searchsorted(found.labels[order], np.arange(classes + 1))
    for k in range(classes):
        rows = order[ends[k] : ends[k + 1]]
        for a in np.flatnonzero(objects[:, k]):
            for t in range(thresholds):
                curve = interpolated(right[t, a, rows], matches.counted[t, a, rows], objects[a, k])
                precision[t, :, k, a] = curve
    total = np.where(objects > 0, objects, np.nan)  # (A, K)
    hits = _per_class(right, found.labels, classes)  # (T, A, K)
    few = [
        _per_class(right[:, :1, found.ranks < most], found.labels[found.ranks < most], classes)[:, 0]
        for most in KEEP
    ]
    return Precision(
        precision, (hits / total).transpose(0, 2, 1), np.stack(few, axis=2) / total[0][None, :, None]
    )


def interpolated(right: Array, counted: Array, objects: int) -> Array:
    """Precision at `RECALLS`, float64 (101,), of answers best first; 0 where recall is not reached."""
    hits = np.flatnonzero(right)
    true = np.arange(1, len(hits) + 1)
    shown = np.cumsum(counted)[hits]
    best = np.maximum.accumulate((true / shown)[::-1])[::-1]
    where = np.searchsorted(true / objects, RECALLS, "left")
    found: Array = np.append(best, 0.0)[np.minimum(where, len(hits))]
    return found


def _per_class(right: Array, labels: Array, classes: int) -> Array:
    """How many are right, (T, A, K)."""
    return np.array(
        [[np.bincount(labels[row], minlength=classes) for row in ranges] for ranges in right], np.int64
    )


def average(values: Array) -> float:
    """Mean of what is defined; NaN if nothing is."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
