"""Part models of all classes as one graph, and the same search in NumPy, to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.features.parts import PartsModel, detect_parts
from striate.features.parts.graph import Pyramid, write_fits
from striate.features.vectors.writer import GraphWriter
from striate.tasks.detect.config import DetectFacts
from striate.types import Array, Picture

__all__ = ["ClassParts", "found_by_numpy", "score_of", "write_parts_graph"]

_CONSIDERED = 2000
"""Best windows of a class that are looked at more closely, as in `detect_parts`."""
_STEEP = 2.0
"""Scores are the logistic function of so many margins: 0.88 for a window that is surely the object."""
_NEVER_0 = 1e-6
_SOFT_IOU = 0.95
"""Where scores are lowered afterwards, only the same window twice is dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassParts:
    """The part model of a class, `label` among the facts' names, and the sizes at which it searches."""

    label: int
    model: PartsModel
    scales: tuple[float, ...]


def score_of(margins: Array) -> Array:
    """Margins of the support vector machines as scores 0..1; 0.5 is where a model says yes."""
    found: Array = 1.0 / (1.0 + np.exp(-_STEEP * margins))
    return found


def write_parts_graph(
    found: Sequence[ClassParts], facts: DetectFacts, metadata: Mapping[str, Any] | None = None
) -> bytes:
    """The graph of a detector: pictures (B, H, W, 3) → boxes (B, M, 4), scores (B, M), labels (B, M)."""
    graph = GraphWriter(facts.size_hw)
    pyramid = Pyramid(graph)
    boxes, scores, labels = [], [], []
    for one in found:
        margins, places, count = write_fits(pyramid, one.model.components, one.scales)
        most = min(_CONSIDERED, count)
        best, rows = _top(graph, margins, most)
        boxes.append(graph.add("Gather", [places, rows], {"axis": 1}))
        scores.append(graph.add("Sigmoid", [graph.combine("Mul", best, _STEEP)]))
        labels += [one.label] * most
    every = graph.join(boxes, 1), graph.join(scores, 0)
    outputs = _settled(graph, *every, np.array(labels, np.int64), facts)
    most = facts.max_detections
    shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
        "boxes": (np.float32, (most, 4)),
        "scores": (np.float32, (most,)),
        "labels": (np.int64, (most,)),
    }
    told = {name: (outputs[name], *shape) for name, shape in shapes.items()}
    return graph.model_of_each(told, metadata)


def _settled(
    graph: GraphWriter, boxes: str, scores: str, labels: Array, facts: DetectFacts
) -> dict[str, str]:
    """One answer for each object, the best first, M in all: of `boxes` (4, N) and `scores` (N,)."""
    groups = np.zeros_like(labels) if facts.nms == "agnostic" else labels
    masks = (groups == np.unique(groups)[:, None]).astype(np.float32)[None]  # (1, groups, N)
    upright = graph.add("Transpose", [boxes], {"perm": [1, 0]})
    most = facts.max_detections
    overlap = _SOFT_IOU if facts.nms == "soft" else facts.iou_threshold
    chosen = graph.add(
        "NonMaxSuppression",
        [
            graph.add("Unsqueeze", [upright, graph.integers(0)]),
            graph.combine("Mul", graph.constant(masks), scores),
            graph.integers(most),
            graph.constant([overlap]),
            graph.constant([facts.score_threshold]),
        ],
    )
    rows = graph.add("Squeeze", [graph.cut(chosen, 1, 2, 3), graph.integers(1)])
    # free rows at the end: there are M even if nothing is found
    kept = graph.join([graph.add("Gather", [scores, rows]), graph.constant(np.zeros(most))], 0)
    best, order = _top(graph, kept, most)
    held: dict[str, tuple[str, Array]] = {
        "boxes": (graph.add("Gather", [upright, rows]), np.zeros((most, 4), np.float32)),
        "labels": (
            graph.add("Gather", [graph.constant(labels, np.int64), rows]),
            np.zeros(most, np.int64),
        ),
    }
    ends = {"scores": best}
    for name, (value, free) in held.items():
        every = graph.join([value, graph.constant(free, free.dtype)], 0)
        ends[name] = graph.add("Gather", [every, order])
    return ends


def _top(graph: GraphWriter, values: str, count: int) -> tuple[str, str]:
    """The `count` largest of `values` (N,), falling, and their rows."""
    return graph.add_two("TopK", [values, graph.integers(count)])


def found_by_numpy(
    found: Sequence[ClassParts], picture: Picture, facts: DetectFacts
) -> dict[str, Array]:
    """The graph's outputs for one picture, uint8 (*size_hw, 3), with `detect_parts`; per-class only.

    Slow, and of use only as the measure of the graph. Arrays as the graph's, with B = 1.
    """
    lowest = max(facts.score_threshold, _NEVER_0)
    least = float(np.log(lowest / (1 - lowest)) / _STEEP)
    most = facts.max_detections
    boxes, scores, labels = [], [], []
    for one in found:
        seen = detect_parts(
            one.model, picture, least=least, overlap=facts.iou_threshold, limit=most, scales=one.scales
        )
        boxes.append(seen.boxes_xyxy)
        scores.append(score_of(seen.scores))
        labels.append(np.full(len(seen), one.label, np.int64))
    every = np.concatenate(scores)
    order = np.argsort(-every, kind="stable")[:most]
    free = most - len(order)
    return {
        "boxes": np.pad(np.concatenate(boxes)[order], ((0, free), (0, 0)))[None].astype(np.float32),
        "scores": np.pad(every[order], (0, free))[None].astype(np.float32),
        "labels": np.pad(np.concatenate(labels)[order], (0, free))[None],
    }
