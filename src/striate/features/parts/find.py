"""Find objects in a picture with a part model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.errors import SettingError
from striate.features.parts.boxes import keep_best
from striate.features.parts.model import Detections, PartsModel
from striate.features.parts.search import Fits, fit, levels, scales_of
from striate.types import Array, Picture, check_picture

__all__ = ["detect_parts"]

_MOST_CANDIDATES = 2000


def detect_parts(
    model: PartsModel,
    picture: Picture,
    *,
    least: float = 0.0,
    overlap: float = 0.5,
    interval: int = 6,
    limit: int = 100,
    scales: Sequence[float] | None = None,
) -> Detections:
    """Objects of `model` in `picture`, uint8 (H, W, 3), the best first, at most `limit`.

    `least`: the score from which a window is reported; 0 is where the model says yes, about -0.5 to 0
    finds more and errs more. `overlap`: of two windows that share more (intersection over union), the
    better stays. `interval`: sizes that are searched for each halving of the picture, unless `scales`
    names all sizes, relative to the picture's. Empty for a picture in which no filter fits. A
    `SettingError` for an interval or limit below 1.
    """
    if interval < 1 or limit < 1:
        raise SettingError(f"interval {interval} and limit {limit}", expected="1 or more of each")
    height, width = check_picture(picture).shape[:2]
    if scales is None:
        scales = scales_of((height, width), model.components, model.first_scale, interval)
    found = [_none(model)]
    for level in levels(picture, scales, parts=model.parts > 0):
        for index, component in enumerate(model.components):
            fits = fit(level, component)
            row, column = np.nonzero(fits.total >= least)
            if len(row):
                found.append(_detections(model, fits, index, row, column))
    every = _joined(found)
    every = every.take(np.argsort(-every.scores, kind="stable")[:_MOST_CANDIDATES])
    return every.take(keep_best(every.boxes_xyxy, every.scores, most=overlap)[:limit])


def _detections(model: PartsModel, fits: Fits, index: int, row: Array, column: Array) -> Detections:
    return Detections(
        model.label,
        fits.objects(row, column).astype(np.float32),
        fits.total[row, column],
        fits.part_boxes(row, column).astype(np.float32),
        np.full(len(row), index, np.int64),
        fits.root[row, column],
        fits.parts[:, row, column].T,
        fits.prices(row, column).astype(np.float32),
    )


def _none(model: PartsModel) -> Detections:
    one, parts = np.zeros(0, np.float32), np.zeros((0, model.parts), np.float32)
    boxes = np.zeros((0, 4), np.float32)
    part_boxes = np.zeros((0, model.parts, 4), np.float32)
    return Detections(model.label, boxes, one, part_boxes, np.zeros(0, np.int64), one, parts, parts)


def _joined(parts: list[Detections]) -> Detections:
    def every(name: str) -> Array:
        return np.concatenate([getattr(one, name) for one in parts])

    return Detections(
        parts[0].label,
        every("boxes_xyxy"),
        every("scores"),
        every("part_boxes_xyxy"),
        every("components"),
        every("root_scores"),
        every("part_scores"),
        every("part_prices"),
    )
