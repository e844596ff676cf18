"""Every answer of an evaluation with its verdict, for the pictures of a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.data.boxes.truth import Boxes
from striate.metrics.detection.errors import BACKGROUND_IOU, KINDS, Causes, causes_of
from striate.metrics.detection.matching import ANY_SIZE, match
from striate.metrics.detection.tables import Found, Pairs, Truth, overlaps
from striate.task import Evidence
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.metrics import tables_of
from striate.tasks.detect.types import Detections
from striate.types import Array

__all__ = ["Judged", "judge"]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Answers and truths with what became of them at an overlap of 0.5.

    `right`, `counted`, `shown`: bool (D,), the last for answers that people see. `objects`: bool (G,),
    truths that count. `unfound`: bool (G,), those that no shown answer is right about. `iou`: float64
    (D,), the most that each answer overlaps an object of its class. `causes`: why answers are wrong.
    `near`: int64 (D,), the object that it is wrong about: of another class if the class is wrong, else
    of its own; −1 for none.
    """

    evidence: Evidence[Boxes, Detections]
    names: tuple[str, ...]
    found: Found
    truth: Truth
    right: Array
    counted: Array
    shown: Array
    objects: Array
    unfound: Array
    iou: Array
    causes: Causes
    near: Array


def judge(evidence: Evidence[Boxes, Detections], facts: DetectFacts) -> Judged:
    """The evaluated answers, judged as the metrics judge them."""
    targets = evidence.dataset.targets
    found, truth = tables_of(evidence.predictions, targets, facts.names, oriented=facts.oriented)
    pairs = overlaps(found, truth, floor=BACKGROUND_IOU)
    matches = match(found, truth, pairs, ious=(0.5,), sizes=(ANY_SIZE,))
    right, counted = matches.right[0, 0], matches.counted[0, 0]
    shown = found.scores >= float(np.float32(evidence.metrics["score_from"]))
    unfound = matches.objects[0].copy()
    unfound[matches.truth_of[0, 0][right & shown]] = False
    causes = causes_of(found, truth, pairs, matches)
    same = found.labels[pairs.found] == truth.labels[pairs.truth]
    real = ~truth.crowd[pairs.truth]
    own, iou = _nearest(pairs.take(same & real), len(found))
    other, _ = _nearest(pairs.take(~same & real), len(found))
    named_wrong = np.isin(causes.kind, (KINDS.index("class"), KINDS.index("both")))
    return Judged(
        evidence,
        facts.names,
        found,
        truth,
        right,
        counted,
        shown,
        matches.objects[0],
        unfound,
        iou,
        causes,
        np.where(named_wrong, other, own),
    )


def _nearest(pairs: Pairs, count: int) -> tuple[Array, Array]:
    """The object that each of `count` answers overlaps most, −1 for none, and by how much."""
    near, iou = np.full(count, -1, np.int64), np.zeros(count)
    order = np.argsort(pairs.iou, kind="stable")  # the largest is written last and stays
    near[pairs.found[order]], iou[pairs.found[order]] = pairs.truth[order], pairs.iou[order]
    return near, iou
