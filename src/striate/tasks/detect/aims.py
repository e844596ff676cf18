"""What of a detector's answer is explained: one object.

How much of it is left in other detections is the similarity of D-RISE (Petsiuk et al. 2021): overlap ×
score, the best over all detections of its class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.errors import UsageError
from striate.ops.boxes import iou_xyxy
from striate.task import Aim
from striate.tasks.detect.types import Detections
from striate.types import Array, Prepared

__all__ = ["aim_of", "likeness", "pull_of"]


def aim_of(answer: Detections, prepared: Prepared, wish: str) -> Aim | None:
    """Detection number `wish`, from 1, best first; or the best one of the class `wish`.

    By default the best one; None where nothing was found. A turned box counts by its upright frame.
    """
    row = _row(answer, wish)
    if row is None:
        return None
    (scale_y, scale_x), (offset_y, offset_x) = prepared.scale_yx, prepared.offset_yx
    left, top, right, bottom = (float(edge) for edge in answer.boxes_xyxy[row])
    box = (
        left * scale_x + offset_x,
        top * scale_y + offset_y,
        right * scale_x + offset_x,
        bottom * scale_y + offset_y,
    )
    score = float(answer.scores[row])
    name = answer.label_names()[row]
    return Aim(name, int(answer.labels[row]), score, f"score {score:.2f}", box_xyxy=box)


def _row(answer: Detections, wish: str) -> int | None:
    if wish and not wish.isdecimal():
        if wish not in answer.names:
            raise UsageError(
                f"{wish!r} is neither a detection nor a class",
                expected=f"a number from 1, or one of {', '.join(answer.names)}",
            )
        rows = np.flatnonzero(answer.labels == answer.names.index(wish))
        return int(rows[0]) if len(rows) else None
    number = int(wish or 1)
    if number < 1:
        raise UsageError(f"detection {wish} was asked for", expected="a number from 1, best first")
    return number - 1 if number <= len(answer) else None


def pull_of(outputs: Mapping[str, Array], aims: Sequence[Aim]) -> Array:
    """The best overlap × score of each picture's object, float64 (B,)."""
    scores = np.asarray(outputs["scores"], np.float64)
    found: Array = (likeness(outputs, aims) * scores).max(axis=1, initial=0.0)
    return found


def likeness(outputs: Mapping[str, Array], aims: Sequence[Aim]) -> Array:
    """The overlap of every detection with its picture's object, 0 for other classes: float64 (B, M)."""
    boxes, labels = np.asarray(outputs["boxes"], np.float64), np.asarray(outputs["labels"])
    found = np.zeros(labels.shape)
    for row, aim in enumerate(aims):
        assert aim.box_xyxy is not None
        target = np.asarray([aim.box_xyxy], np.float64)
        found[row] = iou_xyxy(boxes[row, :, :4], target)[:, 0] * (labels[row] == aim.index)
    return found
