"""Whether two graphs of a detector answer alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from striate.ops.boxes import iou_xyxy
from striate.tasks.detect.config import DetectFacts
from striate.types import Array

__all__ = ["detection_differences"]

_CLEAR = 1e-3
"""Answers that score less than this above the threshold may be there or not."""
_SAME_IOU = 0.9
_UNPAIRED_SHARE = 0.005
"""A hair decides which of two nearly equal answers is dropped."""


def detection_differences(
    own: Mapping[str, Array], answers: Mapping[str, Array], facts: DetectFacts
) -> dict[str, float]:
    """Each detection beside the nearest of its class: the largest difference of a score, and of an edge
    as a part of the input's longer side.

    `unpaired`: the part of clear detections that have no partner, where that is more than a hair; 0
    else.
    """
    edges = scores = 0.0
    lost = clear = 0
    for row in range(len(own["scores"])):
        mine, theirs = (_clear(found, row, facts.score_threshold) for found in (own, answers))
        pairs, unpaired = _paired(mine, theirs)
        lost, clear = lost + unpaired, clear + len(mine[1])
        for ours, other in pairs:
            apart = np.abs(mine[0][ours] - theirs[0][other])[:4].max() / max(facts.size_hw)
            edges = max(edges, float(apart))
            scores = max(scores, abs(float(mine[1][ours]) - float(theirs[1][other])))
    share = lost / clear if lost > _UNPAIRED_SHARE * clear else 0.0
    return {"boxes": edges, "scores": scores, "unpaired": share}


def _clear(found: Mapping[str, Array], row: int, threshold: float) -> tuple[Array, Array, Array]:
    real = found["scores"][row] > threshold + _CLEAR
    return found["boxes"][row][real], found["scores"][row][real], found["labels"][row][real]


def _paired(
    mine: tuple[Array, Array, Array], theirs: tuple[Array, Array, Array]
) -> tuple[list[tuple[int, int]], int]:
    """Pairs (ours, theirs) of a class that overlap almost wholly, and how many of ours have none."""
    overlap = iou_xyxy(mine[0][:, :4], theirs[0][:, :4]) * (mine[2][:, None] == theirs[2][None, :])
    if not overlap.size:
        return [], len(mine[1])
    nearest = overlap.argmax(axis=1)
    good = np.flatnonzero(overlap.max(axis=1) >= _SAME_IOU)
    return [(int(row), int(nearest[row])) for row in good], len(mine[1]) - len(good)
