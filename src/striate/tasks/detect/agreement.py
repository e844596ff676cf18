"""Whether two graphs of a detector answer alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from striate.ops.boxes import iou_xyxy
from striate.tasks.detect.config import DetectFacts
from striate.types import Array

__all__ = ["detection_differences"]

_CLEAR = 1e-3
"""Answers that score less than this above the threshold may be there or not; scores differ by less."""
_SAME_SHARE = 1e-3
"""Part of the input's longer side by which the edges of one and the same answer may differ."""
_NEAR_IOU = 0.01
_UNPAIRED_SHARE, _FLIPPED_SHARE = 0.005, 0.1


def detection_differences(
    own: Mapping[str, Array], answers: Mapping[str, Array], facts: DetectFacts
) -> dict[str, float]:
    """Each clear detection beside that of the other graph: the largest difference of a score, and of an
    edge as a part of the input's longer side.

    `unpaired`: the part of detections, of either graph, that the other lacks; 0 up to half a per cent. A
    hair decides which of two nearly equal answers is dropped: what a better one of the other graph
    overlaps enough counts only where there is more of it than one in ten.
    """
    edges = scores = 0.0
    lost = flipped = clear = 0
    for row in range(len(own["scores"])):
        mine, theirs = (_given(found, row, facts.score_threshold) for found in (own, answers))
        for ours, other in ((mine, theirs), (theirs, mine)):
            sure = ours.take(ours.scores > facts.score_threshold + _CLEAR)
            partner = _partners(sure, other, facts)
            alone = sure.take(partner < 0)
            excused = _overruled(alone, other, facts)
            lost, flipped = lost + int((~excused).sum()), flipped + int(excused.sum())
            clear += len(partner)
            paired, there = sure.take(partner >= 0), other.take(partner[partner >= 0])
            apart = np.abs(paired.boxes - there.boxes)[:, :4] / max(facts.size_hw)
            edges = max(edges, float(apart.max(initial=0.0)))
            scores = max(scores, float(np.abs(paired.scores - there.scores).max(initial=0.0)))
    unpaired = lost + (flipped if flipped > _FLIPPED_SHARE * clear else 0)
    share = unpaired / clear if unpaired > _UNPAIRED_SHARE * clear else 0.0
    return {"boxes": edges, "scores": scores, "unpaired": share}


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """Answers to one picture: boxes (N, 4 or 5), scores (N,), labels (N,)."""

    boxes: Array
    scores: Array
    labels: Array
    full: bool

    def take(self, rows: Array) -> _Given:
        return _Given(self.boxes[rows], self.scores[rows], self.labels[rows], self.full)


def _given(found: Mapping[str, Array], row: int, threshold: float) -> _Given:
    real = found["scores"][row] > threshold
    boxes, scores, labels = (found[name][row][real] for name in ("boxes", "scores", "labels"))
    return _Given(boxes, scores, labels, full=bool(real.all()))


def _partners(ours: _Given, theirs: _Given, facts: DetectFacts) -> Array:
    """For each of ours the same answer among theirs, (N,); −1 where there is none."""
    if not len(ours.scores) or not len(theirs.scores):
        return np.full(len(ours.scores), -1)
    apart = np.abs(ours.boxes[:, None, :4] - theirs.boxes[None, :, :4]).max(axis=2)  # (N, M) pixels
    same = ours.labels[:, None] == theirs.labels[None, :]
    same &= apart <= _SAME_SHARE * max(facts.size_hw)
    cost = np.where(same, apart + np.abs(ours.scores[:, None] - theirs.scores[None, :]), np.inf)
    return np.where(same.any(axis=1), cost.argmin(axis=1), -1)


def _overruled(alone: _Given, theirs: _Given, facts: DetectFacts) -> Array:
    """Whether suppression explains why they lack it: bool (N,)."""
    if not len(alone.scores) or not len(theirs.scores):
        return np.zeros(len(alone.scores), bool)
    over = iou_xyxy(alone.boxes[:, :4], theirs.boxes[:, :4]) >= facts.iou_threshold - _NEAR_IOU
    if facts.nms != "agnostic":
        over &= alone.labels[:, None] == theirs.labels[None, :]
    over &= theirs.scores[None, :] >= alone.scores[:, None] - _CLEAR
    cut_off = theirs.full & (alone.scores <= theirs.scores.min() + _CLEAR)
    found: Array = over.any(axis=1) | cut_off
    return found
