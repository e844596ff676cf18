"""Boxes as truths: from files to records, and what a detector learns of them before training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from striate.data.boxes.truth import Boxes
from striate.data.dataset import Dataset
from striate.data.inputs import size_from_text
from striate.errors import LabelError, PictureError
from striate.ops.rotated import upright_xyxy
from striate.tasks.detect.config import DetectConfig, DetectFacts
from striate.types import Array, SizeHW

__all__ = ["align_boxes", "arrays_of_boxes", "choose_input", "learn_facts", "read_source"]

_LOOKED_AT = 60
_SMALL_OBJECT = 36.0
"""Input pixels to which the smaller objects (the tenth percentile) are brought: over four places of the
finest map, which halves the sides of a picture three times."""
_SHORTEST, _LONGEST = 320, 960
"""Longer side of the input, pixels."""
_STEP = 32
"""Sides are multiples of this: the coarsest map has whole places."""


def read_source(source: Path | str) -> Dataset[Boxes]:
    """The pictures and boxes at `source`: COCO, Pascal VOC, YOLO, CSV, dlib, DOTA, or an embedded
    set.
    """
    from striate.data.boxes.read import read_boxes

    return read_boxes(source)


def learn_facts(train: Dataset[Boxes], config: DetectConfig) -> DetectFacts:
    """Classes, method, network and input, from the training records."""
    if not any(_taught(record.target) for record in train):
        raise LabelError(
            f"{train.shown_root()} has no box in its {len(train)} training pictures",
            expected="pictures with objects, besides any number without",
            remedy="see what is wrong with: striate data check",
        )
    oriented = _oriented(train, config)
    sizes_hw, sides = _looks(train)
    size_hw = size_from_text(config.size) if config.size else choose_input(sizes_hw, sides)
    scale = min(size_hw[0] / np.median(sizes_hw[:, 0]), size_hw[1] / np.median(sizes_hw[:, 1]))
    counts = Counter(box.label for record in train for box in _taught(record.target))
    return DetectFacts(
        method=config.chosen_method,
        model=config.chosen_model,
        names=train.names,
        counts=tuple(counts[name] for name in train.names),
        size_hw=size_hw,
        nms=config.nms,
        iou_threshold=config.iou_threshold,
        score_threshold=config.score_threshold,
        max_detections=config.max_detections,
        oriented=oriented,
        classifier=config.classifier,
        looks=config.looks,
        side_quantiles=tuple(float(q * scale) for q in np.quantile(sides, (0, 0.25, 0.5, 0.75, 1))),
        most_boxes=max(len(_taught(record.target)) for record in train),
    )


def _taught(boxes: Boxes) -> Boxes:
    """What a method shall learn: neither crowds nor objects that are too hard to count."""
    return tuple(box for box in boxes if not (box.crowd or box.difficult))


def _oriented(train: Dataset[Boxes], config: DetectConfig) -> bool:
    if config.boxes != "auto":
        return config.boxes == "turned"
    turned = any(box.angle_deg for record in train for box in record.target)
    return turned and config.chosen_method == "fcos"


def _looks(train: Dataset[Boxes]) -> tuple[Array, Array]:
    """Sizes (N, 2) of some pictures, height and width, and the sides (M,) of all boxes, pixels."""
    rows = np.unique(np.linspace(0, len(train) - 1, min(_LOOKED_AT, len(train))).round().astype(int))
    sizes = []
    for row in rows:
        try:
            sizes.append(train.records[row].origin.read().shape[:2])
        except PictureError:
            continue  # reported where all pictures are read
    if not sizes:
        sizes.append((_SHORTEST, _SHORTEST))
    boxes = np.asarray([box.box_xyxy for record in train for box in _taught(record.target)], np.float64)
    sides = np.sqrt(np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1.0))
    return np.asarray(sizes, np.float64), sides


def choose_input(sizes_hw: Array, sides: Array) -> SizeHW:
    """Height and width of the input: as small as the smaller objects allow.

    `sizes_hw` (N, 2): sizes of pictures; `sides` (M,): roots of the objects' areas, pixels.

    >>> choose_input(np.array([[480.0, 640.0]]), np.array([40.0, 100.0, 100.0]))
    (448, 576)
    """
    height, width = np.median(sizes_hw, axis=0)
    longer = max(height, width)
    wanted = longer * _SMALL_OBJECT / float(np.quantile(sides, 0.1))
    side = min(max(wanted, min(longer, _SHORTEST)), _LONGEST)
    scale = side / longer
    return _rounded(height * scale), _rounded(width * scale)


def _rounded(side: float) -> int:
    return max(2, round(side / _STEP)) * _STEP


def align_boxes(dataset: Dataset[Boxes], facts: DetectFacts) -> Dataset[Boxes]:
    """`dataset` with the facts' classes in their order; a `LabelError` names strangers."""
    known = set(facts.names)
    strangers = sorted({box.label for record in dataset for box in record.target} - known)
    if strangers:
        raise LabelError(
            f"{dataset.shown_root()} has boxes of classes that the model does not know: "
            + ", ".join(strangers[:5]),
            expected=", ".join(facts.names),
            remedy="rename or remove those boxes, or train a model on them",
        )
    records = dataset.records
    if not facts.oriented:
        records = tuple(replace(one, target=_upright(one.target)) for one in records)
    return replace(dataset, records=records, names=facts.names)


def _upright(boxes: Boxes) -> Boxes:
    """Turned boxes as the upright ones around them."""
    if not any(box.angle_deg for box in boxes):
        return boxes
    edges = np.asarray([box.box_xyxy for box in boxes], np.float64)
    around = upright_xyxy(edges, np.asarray([box.angle_deg for box in boxes])).tolist()
    return tuple(
        replace(box, box_xyxy=tuple(edge), angle_deg=0.0)
        for box, edge in zip(boxes, around, strict=True)
    )


def arrays_of_boxes(
    targets: Sequence[Boxes], geometry: Array, facts: DetectFacts
) -> tuple[Array, Array, Array]:
    """Truths in input pixels, padded: boxes float32 (N, M, 4), angles float32 (N, M), labels (N, M).

    Labels are int64, −1 where there is no object. What no method shall learn (crowds, objects too hard
    to count) is left out. `geometry` (N, 6): how each picture was prepared.
    """
    number = {name: index for index, name in enumerate(facts.names)}
    taught = [_taught(boxes) for boxes in targets]
    most = max([len(boxes) for boxes in taught], default=0)
    boxes_xyxy = np.zeros((len(targets), max(1, most), 4), np.float32)
    angles = np.zeros((len(targets), max(1, most)), np.float32)
    labels = np.full((len(targets), max(1, most)), -1, np.int64)
    for row, boxes in enumerate(taught):
        if not boxes:
            continue
        scale_y, scale_x, offset_y, offset_x = geometry[row, 2:]
        edges = np.asarray([box.box_xyxy for box in boxes])
        moved = edges * (scale_x, scale_y, scale_x, scale_y) + (offset_x, offset_y, offset_x, offset_y)
        boxes_xyxy[row, : len(boxes)] = moved
        angles[row, : len(boxes)] = [box.angle_deg for box in boxes]
        labels[row, : len(boxes)] = [number[box.label] for box in boxes]
    return boxes_xyxy, angles, labels
