"""From the graph's outputs to answers in original pixels, and scores made honest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.data.boxes.truth import Boxes
from striate.errors import RunError
from striate.ops.boxes import clip_xyxy, iou_xyxy, overlap_share_xyxy, soft_nms
from striate.ops.rotated import iou_rotated, nms_rotated
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.types import Detections
from striate.types import Array, Prepared

__all__ = ["answers_from", "calibrated_facts", "honest"]

_OUTPUTS = ("boxes", "scores", "labels")
_NEVER_0 = 1e-6


def answers_from(
    outputs: Mapping[str, Array], prepared: Sequence[Prepared], facts: DetectFacts
) -> list[Detections]:
    """One answer a picture: boxes in its own pixels, within it, honest scores."""
    missing = [name for name in _OUTPUTS if name not in outputs]
    if missing:
        raise RunError(
            f"the graph has no output {missing[0]!r} but {', '.join(outputs)}",
            expected="the graph of a detector",
            remedy="export the run again",
        )
    boxes, scores, labels = (np.asarray(outputs[name]) for name in _OUTPUTS)
    return [
        _answer(boxes[row], scores[row], labels[row], one, facts) for row, one in enumerate(prepared)
    ]


def _answer(
    boxes: Array, scores: Array, labels: Array, prepared: Prepared, facts: DetectFacts
) -> Detections:
    real = scores > max(0.0, facts.score_threshold)
    boxes, scores, labels = boxes[real], scores[real], labels[real].astype(np.int64)
    if facts.oriented:
        return _turned_answer(boxes, scores, labels, prepared, facts)
    if facts.nms == "soft" and len(scores):
        rows, scores = soft_nms(boxes, scores, labels, score_threshold=facts.score_threshold)
        boxes, labels = boxes[rows], labels[rows]
    (scale_y, scale_x), (offset_y, offset_x) = prepared.scale_yx, prepared.offset_yx
    own = (boxes - (offset_x, offset_y, offset_x, offset_y)) / (scale_x, scale_y, scale_x, scale_y)
    own = clip_xyxy(own, prepared.size_hw)
    filled = (own[:, 2] > own[:, 0]) & (own[:, 3] > own[:, 1])
    told = honest(scores[filled], facts).astype(np.float32)
    order = np.argsort(-told, kind="stable")
    return Detections(
        facts.names,
        own[filled][order].astype(np.float32),
        told[order],
        labels[filled][order],
    )


def _turned_answer(
    boxes: Array, scores: Array, labels: Array, prepared: Prepared, facts: DetectFacts
) -> Detections:
    """Turned boxes: (N, 5) in input pixels, the last an angle; overlaps are settled here."""
    groups = np.zeros_like(labels) if facts.nms == "agnostic" else labels
    kept = [
        rows[
            nms_rotated(boxes[rows, :4], boxes[rows, 4], scores[rows], iou_threshold=facts.iou_threshold)
        ]
        for rows in (np.flatnonzero(groups == group) for group in np.unique(groups))
    ]
    rows = np.concatenate(kept) if kept else np.empty(0, np.int64)
    rows = rows[np.argsort(-scores[rows], kind="stable")][: facts.max_detections]
    (scale_y, scale_x), (offset_y, offset_x) = prepared.scale_yx, prepared.offset_yx
    own = boxes[rows, :4] - (offset_x, offset_y, offset_x, offset_y)
    own = own / (scale_x, scale_y, scale_x, scale_y)
    middle = (own[:, :2] + own[:, 2:]) / 2
    inside = ((middle >= 0) & (middle <= prepared.size_hw[::-1])).all(axis=1)
    inside &= (own[:, 2:] > own[:, :2]).all(axis=1)
    told = honest(scores[rows], facts).astype(np.float32)
    return Detections(
        facts.names,
        own[inside].astype(np.float32),
        told[inside],
        labels[rows][inside],
        angles_deg=boxes[rows, 4][inside].astype(np.float32),
    )


def honest(scores: Array, facts: DetectFacts) -> Array:
    """Raw scores as the share of right answers among those that score alike; order is kept.

    Beta calibration (Kull, Silva Filho & Flach 2017): logit p = a·ln s − b·ln(1 − s) + c.
    """
    if not facts.score_curve:
        return scores
    a, b, c = facts.score_curve
    found = np.clip(scores.astype(np.float64), _NEVER_0, 1 - _NEVER_0)
    told: Array = 1 / (1 + np.exp(-(a * np.log(found) - b * np.log1p(-found) + c)))
    return told


def calibrated_facts(
    answers: Sequence[Detections], targets: Sequence[Boxes], facts: DetectFacts, show_from: float
) -> DetectFacts:
    """`facts` with the curve that makes scores honest, from uncalibrated answers on validation pictures.

    `show_from`: the raw score of the best F1. An answer is right if it overlaps an object of its class
    that no better answer has taken by at least half.
    """
    told = [_judged(answer, boxes) for answer, boxes in zip(answers, targets, strict=True)]
    scores = np.concatenate([np.empty(0), *(answer.scores for answer in answers)])
    right, counted = (
        np.concatenate([np.empty(0, bool), *(one[part] for one in told)]) for part in (0, 1)
    )
    curve = _fitted(scores[counted], right[counted])
    known = facts.model_copy(update={"score_curve": curve})
    shown = float(honest(np.asarray([show_from]), known)[0])
    return known.model_copy(update={"show_from": round(shown, 4)})


def _judged(answer: Detections, boxes: Boxes) -> tuple[Array, Array]:
    """Whether each detection, best first, finds an object that is still free, and whether it counts.

    bool (N,) each. What lies on a crowd, or on an object too hard to count, is neither right nor wrong.
    """
    found_xyxy = answer.boxes_xyxy.astype(np.float64)
    true_xyxy = np.asarray([box.box_xyxy for box in boxes], np.float64).reshape(-1, 4)
    if answer.angles_deg is None:
        overlap = iou_xyxy(found_xyxy, true_xyxy)
        covered = overlap_share_xyxy(found_xyxy, true_xyxy)
    else:
        angles = np.asarray([box.angle_deg for box in boxes], np.float64)
        overlap = iou_rotated(found_xyxy, answer.angles_deg.astype(np.float64), true_xyxy, angles)
        covered = overlap
    labels = np.asarray([box.label for box in boxes])
    found = np.zeros(len(answer), bool)
    real = np.asarray([not (box.crowd or box.difficult) for box in boxes], bool)
    free = real.copy()
    counted = np.ones(len(answer), bool)
    for row, name in enumerate(answer.label_names()):
        open_to = np.where(free & (labels == name), overlap[row], 0.0) if len(boxes) else np.empty(0)
        if len(open_to) and open_to.max() >= 0.5:
            free[int(open_to.argmax())] = False
            found[row] = True
        elif len(boxes):
            counted[row] = np.where(~real & (labels == name), covered[row], 0.0).max() < 0.5
    return found, counted


def _fitted(scores: Array, right: Array) -> tuple[float, float, float] | tuple[()]:
    """a, b, c of the curve; () where there is nothing to learn from."""
    if right.sum() < 10 or (~right).sum() < 10:
        return ()
    from scipy.optimize import minimize

    clipped = np.clip(scores.astype(np.float64), _NEVER_0, 1 - _NEVER_0)
    columns = np.stack([np.log(clipped), -np.log1p(-clipped), np.ones_like(clipped)])
    signs = np.where(right, 1.0, -1.0)

    def loss(weights: Array) -> tuple[float, Array]:
        margins = signs * (weights @ columns)
        slopes = -signs / (1 + np.exp(np.clip(margins, -60, 60)))
        return float(np.logaddexp(0, -margins).mean()), columns @ slopes / len(signs)

    # both slopes at least 0: a better score is never worth less
    start, bounds = np.asarray([1.0, 1.0, 0.0]), [(0.0, None), (0.0, None), (None, None)]
    solved = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    a, b, c = (float(value) for value in solved.x)
    return (a, b, c) if a + b > 1e-3 else ()
