"""Detection for the conformance suite."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from striate.data.boxes.truth import Box, Boxes
from striate.task import Task

NAMES = ("ant", "bee")
COLOURS = {"ant": (250, 40, 30), "bee": (20, 60, 250)}

PICTURE_HW = (48, 64)
COMPARED_OTHERWISE: tuple[str, ...] = ("labels", "regions", "region_scores", "region_boxes")
"""A hair decides which of two equal answers is dropped: detections are paired first."""
MODEL, SIZE = "test_resnet", "64x96"
"""A network with maps at several strides, and an input into which the pictures are padded."""

VARIANTS: dict[str, dict[str, Any]] = {
    "single": {"method": "single"},
    "slots": {"method": "fixed-slots", "nms": "agnostic"},
    "boxes": {"method": "fcos", "score_threshold": 0.05},
    "two-stage": {"method": "faster-rcnn", "nms": "soft"},
}
WRONG_COLUMN: dict[str, Any] = {}
MIXES = False
"""Boxes of blended pictures would lie."""
BATCH, STEPS, LR = 4, 60, 3e-3


def names(variant: str) -> tuple[str, ...]:
    return NAMES


def targets(variant: str, n: int) -> list[Boxes]:
    """`n` truths: one object in each, or none to three, now and then one that is not to be counted."""
    return [_single(row) if variant == "single" else _several(row) for row in range(n)]


def _single(row: int) -> Boxes:
    left, top = 2 + 7 * row % 29, 3 + 5 * row % 17
    return (Box(NAMES[row % 2], (left, top, left + 24 + row % 5, top + 20 + row % 7)),)


def _several(row: int) -> Boxes:
    height = 18 + 3 * (row % 4)
    boxes = [
        Box(NAMES[(row + k) % 2], (1 + 21 * k, 4 + row % 9, 19 + 21 * k, 4 + row % 9 + height))
        for k in range((row + 1) % 4)
    ]
    return tuple(boxes)


def paint(picture: np.ndarray, target: Boxes) -> None:
    """Objects are plain rectangles in the colour of their class."""
    for box in target:
        left, top, right, bottom = (int(edge) for edge in box.box_xyxy)
        picture[top:bottom, left:right] = COLOURS[box.label]


def learnt(before: float) -> float:
    """What one batch, learnt by heart, must score at least."""
    return 0.9


def outputs(task: Task[Any, Any], truths: Sequence[Boxes]) -> dict[str, np.ndarray]:
    """What a graph that is always right would put out: rows that are left over score 0."""
    prepared = task.prepare(np.zeros((*PICTURE_HW, 3), np.uint8))
    (scale_y, scale_x), (offset_y, offset_x) = prepared.scale_yx, prepared.offset_yx
    most = max([1, *(len(boxes) for boxes in truths)])
    boxes = np.zeros((len(truths), most, 4), np.float32)
    scores = np.zeros((len(truths), most), np.float32)
    labels = np.zeros((len(truths), most), np.int64)
    for row, truth in enumerate(truths):
        for column, box in enumerate(truth):
            corners = np.reshape(box.box_xyxy, (2, 2)) * (scale_x, scale_y) + (offset_x, offset_y)
            boxes[row, column] = corners.flatten()
            scores[row, column] = 0.95 - 0.02 * column - 0.001 * row
            labels[row, column] = NAMES.index(box.label)
    return {"boxes": boxes, "scores": scores, "labels": labels}


def is_perfect(metrics: dict[str, Any]) -> bool:
    return all(metrics[name] == 1.0 for name in ("ap50", "ap75", "ap", "precision", "recall", "f1"))


def write_files(variant: str, folder: Path) -> None:
    """A data set on disk: pictures, and a table with a row a box."""
    rng = np.random.default_rng(0)
    with (folder / "boxes.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "xmin", "ymin", "xmax", "ymax", "label"])
        for row, target in enumerate(targets(variant, 12)):
            picture = rng.integers(0, 256, (*PICTURE_HW, 3), dtype=np.uint8)
            paint(picture, target)
            Image.fromarray(picture).save(folder / f"{row}.png")
            for box in target:
                rows.writerow([f"{row}.png", *box.box_xyxy, box.label])
            if not target:
                rows.writerow([f"{row}.png", "", "", "", "", ""])
