"""What a detector said of one pose, drawn: the object's own box and those that the run shows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from striate.features.opencv import cv2_module
from striate.ops.rotated import rotated_to_corners
from striate.pictures.palette import INK, PALETTE, RGB, WHITE
from striate.stress.poses_answers import LEAST_IOU, overlaps_with
from striate.types import Array, Picture

__all__ = ["draw_boxes"]

_RIGHT, _WRONG, _UNFOUND = PALETTE[4], PALETTE[5], PALETTE[6]
_DASH, _GAP = 12.0, 9.0
_SHIFT = 4
"""Lines are drawn to 1/16 pixel."""


def draw_boxes(
    picture: Picture, result: Any, box_xyxy: Array, column: int, show_from: float, by: float
) -> Picture:
    """A copy of `picture`, which is `by` times as large as the one that `result` is about.

    Solid: what is shown, blue where it is right and vermilion else. Dashed: the object's own box
    (4,), white where it is found and yellow else; NaN where there is none. As in the run's report.
    """
    canvas = np.ascontiguousarray(picture).copy()
    shown = result.above(show_from)
    right = (shown.labels == column) & (overlaps_with(shown, box_xyxy) >= LEAST_IOU)
    angles = np.zeros(len(shown)) if shown.angles_deg is None else shown.angles_deg
    outlines = rotated_to_corners(shown.boxes_xyxy, angles) * by
    for outline, good in zip(outlines[::-1], right[::-1].tolist(), strict=True):  # the best on top
        _stroke(canvas, _closed(outline), _RIGHT if good else _WRONG)
    if not np.isnan(box_xyxy).any():
        own = _closed(rotated_to_corners(box_xyxy[None], np.zeros(1))[0] * by)
        tint = WHITE if right.any() else _UNFOUND
        for part in (dash for side in pairwise(own) for dash in _dashes(*side)):
            _stroke(canvas, part, tint)
    return canvas


def _closed(outline: Array) -> Array:
    return np.concatenate([outline, outline[:1]])


def _stroke(canvas: Picture, path: Array, colour: RGB) -> None:
    """A line on a dark edge, so that it is seen on any ground."""
    cv2 = cv2_module()
    points = np.rint(np.clip(path - 0.5, -1e4, 1e4) * 2**_SHIFT).astype(np.int32).reshape(1, -1, 2)
    for tint, thick in ((INK, 4), (colour, 2)):
        cv2.polylines(canvas, points, False, tint, thick, cv2.LINE_AA, _SHIFT)


def _dashes(start: Array, end: Array) -> list[Array]:
    """Parts of a line, (2, 2) each, from one end to the other."""
    length = float(np.hypot(*(end - start)))
    count = max(1, round((length + _GAP) / (_DASH + _GAP)))
    way = (end - start) / max(length, 1e-9)
    each = max((length - (count - 1) * _GAP) / count, 0.0)
    begins = start + np.arange(count)[:, None] * (each + _GAP) * way
    return list(np.stack([begins, begins + each * way], axis=1))
