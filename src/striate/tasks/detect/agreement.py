"""Whether two graphs of a detector answer alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from striate.tasks.detect.config import DetectFacts
from striate.types import Array

__all__ = ["detection_differences"]

_CLEAR = 1e-3
"""Answers that score less than this above the threshold may be there or not."""
_SAME_PX = 2.0
"""Input pixels by which the edges of one and the same answer may differ."""
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
        mine, theirs = (_given(found, row, facts.score_threshold) for found in (own, answers))
        for ours, other in ((mine, theirs), (theirs, mine)):
            sure = ours[1] > facts.score_threshold + _CLEAR
            partner = _partners((ours[0][sure], ours[2][sure]), (other[0], other[2]))
            paired = partner >= 0
            lost, clear = lost + int((~paired).sum()), clear + len(partner)
            there = partner[paired]
            apart = np.abs(ours[0][sure][paired] - other[0][there])[:, :4] / max(facts.size_hw)
            edges = max(edges, float(apart.max(initial=0.0)))
            gaps = np.abs(ours[1][sure][paired] - other[1][there])
            scores = max(scores, float(gaps.max(initial=0.0)))
    share = lost / clear if lost > _UNPAIRED_SHARE * clear else 0.0
    return {"boxes": edges, "scores": scores, "unpaired": share}


def _given(found: Mapping[str, Array], row: int, threshold: float) -> tuple[Array, Array, Array]:
    real = found["scores"][row] > threshold
    return found["boxes"][row][real], found["scores"][row][real], found["labels"][row][real]


def _partners(ours: tuple[Array, Array], theirs: tuple[Array, Array]) -> Array:
    """For each of our boxes (N, D) with labels (N,) the nearest of theirs with its label; −1 for none."""
    if not len(ours[1]) or not len(theirs[1]):
        return np.full(len(ours[1]), -1)
    apart = np.abs(ours[0][:, None, :4] - theirs[0][None, :, :4]).max(axis=2)  # (N, M) pixels
    apart = np.where(ours[1][:, None] == theirs[1][None, :], apart, np.inf)
    return np.where(apart.min(axis=1) <= _SAME_PX, apart.argmin(axis=1), -1)
