"""How many of the objects are among the proposals: the ceiling of any detector that classifies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.ops.boxes import iou_xyxy
from striate.types import Array

__all__ = ["COUNTS", "IOUS", "RecallCurve", "best_overlaps", "recall_curve"]

COUNTS = (10, 100, 300, 1000, 2000)
IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(frozen=True, slots=True, eq=False)
class RecallCurve:
    """Share of objects that are found, by how many proposals are taken and how well they must fit.

    `recall`: float64 (counts, ious), 0 to 1; NaN where there are no objects. `objects`: how many.
    """

    counts: tuple[int, ...]
    ious: tuple[float, ...]
    recall: Array
    objects: int

    def average(self) -> list[float]:
        """Average recall for each count: the mean over `ious` (Hosang et al., PAMI 2016)."""
        return [float(value) for value in self.recall.mean(axis=1)]

    def at(self, count: int, iou: float) -> float:
        """The recall of one of `counts` at one of `ious`."""
        return float(self.recall[self.counts.index(count), self.ious.index(iou)])

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        rounded = [[round(value, 6) for value in row] for row in self.recall.tolist()]
        return {
            "objects": self.objects,
            "counts": list(self.counts),
            "ious": list(self.ious),
            "recall": rounded,
            "average_recall": [round(value, 6) for value in self.average()],
        }


def recall_curve(
    proposals: Sequence[Array],
    truths: Sequence[Array],
    *,
    ious: Sequence[float] = IOUS,
    counts: Sequence[int] = COUNTS,
) -> RecallCurve:
    """The recall of proposals (N, 4), best first, against true boxes (M, 4), of each picture.

    An object is found if the first `count` proposals hold one that overlaps it by an IoU of at least
    `iou`. As is usual, one proposal may find two objects. Pictures without objects change nothing.
    """
    overlaps = best_overlaps(proposals, truths, counts)
    return curve_of(overlaps, ious=ious, counts=counts)


def curve_of(overlaps: Array, *, ious: Sequence[float], counts: Sequence[int]) -> RecallCurve:
    """The curve of what `best_overlaps` found for `counts`."""
    objects = len(overlaps)
    found = overlaps[:, :, None] >= np.asarray(ious) - 1e-9  # (objects, counts, ious)
    recall = found.mean(axis=0) if objects else np.full(found.shape[1:], np.nan)
    return RecallCurve(tuple(counts), tuple(ious), recall, objects)


def best_overlaps(proposals: Sequence[Array], truths: Sequence[Array], counts: Sequence[int]) -> Array:
    """Best IoU of each object of all pictures with the first so many proposals: (objects, counts)."""
    rows = [
        _best(boxes, objects, counts)
        for boxes, objects in zip(proposals, truths, strict=True)
        if len(objects)
    ]
    return np.concatenate(rows) if rows else np.empty((0, len(counts)))


def _best(boxes: Array, objects: Array, counts: Sequence[int]) -> Array:
    overlaps = iou_xyxy(np.asarray(objects, np.float64), np.asarray(boxes, np.float64))
    ones = [overlaps[:, :count].max(axis=1, initial=0.0) for count in counts]
    return np.stack(ones, axis=1)
