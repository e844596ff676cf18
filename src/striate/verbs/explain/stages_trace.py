"""What the graph of a region detector tells of its regions, followed from a proposal to an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.ops.boxes import clip_xyxy
from striate.ops.deltas import deltas_from_boxes
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.decode import honest
from striate.tasks.detect.types import Detections
from striate.types import Array, Prepared

__all__ = ["GOOD", "Step", "Trace", "Traced", "delta_words"]

GOOD = 0.05
"""A region is good where it need not move or change by this part of its own width and height."""
_SAME_PX = 0.05
"""Two boxes of one graph are the same box below this."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One look at one region: where it was, and what the network did to it.

    `delta` (4,): dx, dy, dw, dh in the deck's form; `score`: of the label that was kept.
    """

    look: int
    region_xyxy: Array
    adjusted_xyxy: Array
    delta: Array
    score: float

    @property
    def good(self) -> bool:
        """Whether the region lay well already."""
        return bool((np.abs(self.delta) < GOOD).all())

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the delta in words."""
        return {
            "look": self.look,
            "region_xyxy": _edges(self.region_xyxy),
            "score": round(self.score, 4),
            "delta": [round(float(one), 4) for one in self.delta],
            "words": delta_words(self.delta),
            "good": self.good,
            "adjusted_xyxy": _edges(self.adjusted_xyxy),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A detection that was kept, and the looks that led to it, from the proposal on."""

    label: str
    number: int
    score: float
    box_xyxy: Array
    steps: tuple[Step, ...]

    @property
    def looks_until_good(self) -> int | None:
        """The first look that found its region good; None where none did."""
        return next((step.look for step in self.steps if step.good), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the last look's region, delta and words, and all looks."""
        return {
            "label": self.label,
            "score": round(self.score, 4),
            "box_xyxy": _edges(self.box_xyxy),
            "proposal_xyxy": _edges(self.steps[0].region_xyxy),
            **{k: v for k, v in self.steps[-1].to_dict().items() if k != "score"},
            "looks_until_good": self.looks_until_good,
            "steps": [step.to_dict() for step in self.steps],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a graph tells of its regions, in pixels of the picture.

    `regions_xyxy` (R, 4), `scores` (R, K), honest, `boxes_xyxy` (R, K, 4); `look` (R,): 1 for proposals;
    `real` bool (R,): whether there is a region.
    """

    facts: DetectFacts
    prepared: Prepared
    regions_xyxy: Array
    scores: Array
    boxes_xyxy: Array
    look: Array
    real: Array

    @classmethod
    def of(cls, outputs: Sequence[Array], prepared: Prepared, facts: DetectFacts, first: int) -> Trace:
        """`outputs`: regions (R, 4), scores (R, K), boxes (R, K, 4); `first` of them are proposals."""
        regions, scores, boxes = (one.astype(np.float64) for one in outputs)
        scale, offset = np.array(prepared.scale_yx)[::-1], np.array(prepared.offset_yx)[::-1]
        again = max(1, (len(regions) - first) // max(1, facts.looks - 1))
        return cls(
            facts,
            prepared,
            (regions - np.tile(offset, 2)) / np.tile(scale, 2),
            honest(scores, facts) * (scores > 0),
            (boxes - np.tile(offset, 2)) / np.tile(scale, 2),
            np.where(np.arange(len(regions)) < first, 1, 2 + (np.arange(len(regions)) - first) // again),
            np.all(regions[:, 2:] > regions[:, :2], axis=1),
        )

    def proposals_xyxy(self) -> Array:
        """Regions of the first look, best first, (P, 4)."""
        return clip_xyxy(self.regions_xyxy[(self.look == 1) & self.real], self.prepared.size_hw)

    def judged(self) -> Detections:
        """Regions of the first look that some class likes, best first, unmoved."""
        scores, labels = self.scores.max(axis=1), self.scores.argmax(axis=1)
        rows = np.flatnonzero((self.look == 1) & self.real & (scores >= self.facts.show_from))
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        return Detections(
            self.facts.names,
            clip_xyxy(self.regions_xyxy[rows], self.prepared.size_hw).astype(np.float32),
            scores[rows].astype(np.float32),
            labels[rows].astype(np.int64),
        )

    def traced(self, kept: Detections, number: int) -> Traced:
        """How detection `number` of the answer came about."""
        label, box = int(kept.labels[number]), kept.boxes_xyxy[number].astype(np.float64)
        row: int | None = self._row_of(label, box)
        steps: list[Step] = []
        moved_by = label
        while row is not None:
            steps.insert(0, self._step(row, moved_by, label))
            row = self._parent(row)
            if row is not None:
                moved_by = int(self.scores[row].argmax())
        return Traced(self.facts.names[label], label, float(kept.scores[number]), box, tuple(steps))

    def _row_of(self, label: int, box_xyxy: Array) -> int:
        """The region whose box of class `label` is the detection's, the likeliest of equal ones."""
        own = clip_xyxy(self.boxes_xyxy[:, label], self.prepared.size_hw)
        far = np.where(self.real, np.abs(own - box_xyxy).max(axis=1), np.inf)
        same = np.flatnonzero(far <= far.min() + _SAME_PX)
        return int(same[self.scores[same, label].argmax()])

    def _parent(self, row: int) -> int | None:
        """The region of the look before that was moved to where region `row` is."""
        before = np.flatnonzero((self.look == self.look[row] - 1) & self.real)
        if not len(before):
            return None
        moved = self.boxes_xyxy[before, self.scores[before].argmax(axis=1)]
        far = np.abs(moved - self.regions_xyxy[row]).max(axis=1)
        return int(before[far.argmin()]) if far.min() <= _SAME_PX else None

    def _step(self, row: int, moved_by: int, label: int) -> Step:
        region, moved = self.regions_xyxy[row], self.boxes_xyxy[row, moved_by]
        return Step(
            int(self.look[row]),
            region,
            moved,
            deltas_from_boxes(region[None], moved[None], form="deck")[0],
            float(self.scores[row, label]),
        )


def delta_words(delta: Array) -> str:
    """What dx, dy, dw and dh in the deck's form say of a region; "good" where all are small.

    >>> delta_words(np.array([0.25, 0, 0, 0])), delta_words(np.array([0, 0, -0.125, 0.01]))
    ('too far left by 0.25 of its width', 'too wide by 0.12 of its width')
    """
    names = (
        ("too far right", "too far left", "width"),
        ("too low", "too high", "height"),
        ("too wide", "too narrow", "width"),
        ("too tall", "too short", "height"),
    )
    found = [
        f"{below if value < 0 else above} by {abs(value):.2f} of its {side}"
        for value, (below, above, side) in zip(delta.tolist(), names, strict=True)
        if abs(value) >= GOOD
    ]
    return ", ".join(found) or "good"


def _edges(box: Array) -> list[float]:
    return [round(float(edge), 2) for edge in box]
