"""What counts as misread: of classes, of boxes, of angles. Each rule is also told in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from striate.data.meshes.rotation import angle_between_deg, angles_to_matrix
from striate.explain.judging import label_of
from striate.metrics.regression import wrap_degrees
from striate.ops.boxes import iou_xyxy
from striate.ops.rotated import upright_xyxy
from striate.stress.poses import Answers, Poses
from striate.types import Array

__all__ = [
    "ANGLES",
    "LEAST_IOU",
    "MISPLACED",
    "MISSED",
    "TOLERANCE_DEG",
    "UNSEEN",
    "Rule",
    "answers_in_angles",
    "answers_in_boxes",
    "answers_in_classes",
    "hidden",
    "overlaps_with",
    "rule_of_angles",
    "rule_of_boxes",
    "rule_of_classes",
]

ANGLES = ("yaw", "pitch", "roll")
TOLERANCE_DEG = 15.0
LEAST_IOU = 0.5
MISSED = "not found"
MISPLACED = "misplaced"
UNSEEN = "nothing to see"
_NEAR_IOU = 0.1
"""Overlap from which an answer is about the object, if wrongly placed (TIDE, Bolya et al. 2020)."""
_LEAST = 1e-7
_NEVER = -1e3
"""Loss of a pose that shows nothing: a search turns away from it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """In words: which poses are `misread`, what searches have `raised`, what is `drawn` on pictures."""

    misread: str
    raised: str
    drawn: str = ""


def hidden(answers: Answers, boxes_xyxy: Array) -> Answers:
    """`answers`, but a pose that shows nothing (NaN in its row of (N, 4)) is not misread, whatever is
    said."""
    rows = np.asarray(np.isnan(boxes_xyxy).any(axis=1))
    said = tuple(UNSEEN if row else word for row, word in zip(rows.tolist(), answers.said, strict=True))
    return replace(
        answers,
        said=said,
        wrong=answers.wrong & ~rows,
        sure=np.where(rows, 0.0, answers.sure),
        loss=np.where(rows, _NEVER, answers.loss),
    )


# -- classes ----------------------------------------------------------------------------------


def rule_of_classes(truth: str) -> Rule:
    """Of a classifier."""
    return Rule(
        f"a pose is misread where the answer is not {truth}",
        f"log p of the likeliest other class − log p of {truth}",
    )


def answers_in_classes(results: Sequence[Any], column: int) -> Answers:
    """Of a classifier; class `column` is right. The loss is log p(best other class) − log p(it)."""
    scores = np.stack([one.probabilities for one in results]).astype(np.float64)  # (N, K)
    logs = np.log(np.maximum(scores, _LEAST))
    others = np.delete(logs, column, axis=1).max(axis=1, initial=np.log(_LEAST))
    return Answers(
        said=tuple(label_of(one) for one in results),
        wrong=np.array([set(one.labels) != {one.names[column]} for one in results]),
        known=np.array([bool(one.known) for one in results]),
        sure=np.array([one.score for one in results], np.float64),
        loss=others - logs[:, column],
        off=np.zeros((len(results), 0)),
    )


# -- boxes ------------------------------------------------------------------------------------


def rule_of_boxes(truth: str, show_from: float) -> Rule:
    """Of a detector that shows answers from a score of `show_from`."""
    return Rule(
        f"a pose is misread where no box of the class {truth} overlaps the object's own box with an IoU "
        f"of {LEAST_IOU} or more; boxes count from a score of {show_from:.2f}, from which the run shows "
        "them",
        f"1 − the greatest score × IoU of any box of the class {truth}, shown or not",
        "Solid boxes are what the run shows: blue ones are right, vermilion ones wrong. The dashed one "
        "is the object's own: white where it is found, yellow where it is not.",
    )


def answers_in_boxes(
    results: Sequence[Any], boxes_xyxy: Array, column: int, show_from: float
) -> Answers:
    """Of a detector; class `column` is right. `boxes_xyxy` (N, 4): of what is seen of the object.

    What is said of a misread pose: the class of the best box that does overlap; else that the right
    class was misplaced; else that it was not found. `sure` is that box's score, where nothing was found
    the loss. The loss is 1 − the greatest score × IoU of any box of the right class, shown or not.
    """
    judged = [_judged(one, box, column, show_from) for one, box in zip(results, boxes_xyxy, strict=True)]
    said, wrong, sure, loss = zip(*judged, strict=True)
    return Answers(
        said=said,
        wrong=np.array(wrong, bool),
        known=np.ones(len(judged), bool),
        sure=np.array(sure, np.float64),
        loss=np.array(loss, np.float64),
        off=np.zeros((len(judged), 0)),
    )


def overlaps_with(result: Any, box_xyxy: Array) -> Array:
    """IoU of each of a picture's answers with a box, float64 (D,); of turned ones the upright box
    around them counts."""
    boxes = result.boxes_xyxy.astype(np.float64)
    if result.angles_deg is not None:
        boxes = upright_xyxy(boxes, result.angles_deg)
    return iou_xyxy(boxes, np.nan_to_num(box_xyxy)[None])[:, 0]


def _judged(
    result: Any, box_xyxy: Array, column: int, show_from: float
) -> tuple[str, bool, float, float]:
    """What is said, whether that is wrong, how sure, and the loss."""
    iou = overlaps_with(result, box_xyxy)
    own, shown = result.labels == column, result.scores >= np.float32(show_from)
    loss = 1 - float((result.scores * iou)[own].max(initial=0.0))
    name = result.names[column]
    for rows, word, wrong in (
        (own & shown & (iou >= LEAST_IOU), name, False),
        (shown & (iou >= LEAST_IOU), "", True),
        (own & shown & (iou >= _NEAR_IOU), MISPLACED, True),
    ):
        if rows.any():  # best first
            best = int(rows.argmax())
            return word or result.names[result.labels[best]], wrong, float(result.scores[best]), loss
    return MISSED, True, loss, loss


# -- angles -----------------------------------------------------------------------------------


def rule_of_angles(which: Sequence[int]) -> Rule:
    """Of a run for numbers; `which` of `ANGLES` it gives."""
    kind = "the turn between pose and answer" if len(set(which)) == 3 else "the mean error of the angles"
    return Rule(f"a pose is misread where {kind} is more than {TOLERANCE_DEG:g}°", kind)


def answers_in_angles(results: Sequence[Any], which: Sequence[int], poses: Poses) -> Answers:
    """Of a run for numbers, column k of which is angle `which[k]`; `sure` is the error, degrees."""
    values = np.stack([one.values for one in results])  # (N, K)
    off = np.abs(wrap_degrees(values - poses.angles_deg[:, which]))
    error = _apart(values, which, poses) if len(set(which)) == 3 else off.mean(axis=1)
    return Answers(
        said=tuple(_in_words(one.names, row) for one, row in zip(results, values.tolist(), strict=True)),
        wrong=error > TOLERANCE_DEG,
        known=np.ones(len(values), bool),
        sure=error,
        loss=error - TOLERANCE_DEG,
        off=off,
    )


def _in_words(names: Sequence[str], values: Sequence[float]) -> str:
    # rounded first: round makes no −0
    words = (str(round(value)).replace("-", "−") for value in values)
    return ", ".join(f"{name} {word}°" for name, word in zip(names, words, strict=True))


def _apart(values: Array, which: Sequence[int], poses: Poses) -> Array:
    """The turn between what was said and what is, degrees (N,)."""
    ordered = values[:, [list(which).index(angle) for angle in range(3)]]
    return angle_between_deg(angles_to_matrix(*ordered.T), poses.turns)
