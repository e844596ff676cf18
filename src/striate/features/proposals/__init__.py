"""Region proposals: boxes that may hold an object, before anyone knows of which class."""

from __future__ import annotations

from striate.features.proposals.grid import GridSettings, all_boxes, window_count
from striate.features.proposals.propose import propose, propose_many
from striate.features.proposals.recall import COUNTS, IOUS, RecallCurve, best_overlaps, recall_curve
from striate.features.proposals.types import METHODS, Method, Proposals

__all__ = [
    "COUNTS",
    "IOUS",
    "METHODS",
    "GridSettings",
    "Method",
    "Proposals",
    "RecallCurve",
    "all_boxes",
    "best_overlaps",
    "propose",
    "propose_many",
    "recall_curve",
    "window_count",
]
