"""Detection in large pictures: overlapping tiles at full size, then one answer for the whole.

What lies on a seam is seen in part by one tile and, where it is no larger than the overlap, whole by
its neighbour. What is larger is seen whole by the picture scaled down; where that does not find it, its
parts are joined. The idea of slicing is that of Akyon et al. 2022, "Slicing Aided Hyper Inference";
that parts are told from wholes, and joined, is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from striate.errors import PictureError, UsageError
from striate.pictures.read import read
from striate.tasks.detect.types import Detections
from striate.types import Array, Picture, SizeHW
from striate.verbs.model import Answer
from striate.verbs.predict.merge import merge_tiles

if TYPE_CHECKING:
    from striate.verbs.model import Model

__all__ = ["Tiling", "predict_tiled", "tiled_answers", "windows_xyxy"]

LEAST_SIDE = 16
MOST_PIXELS = 1_000_000_000
"""The largest picture that is cut into tiles: 3 GB of memory."""
_TOGETHER = 16
"""Tiles that are asked about in one call."""

Ask = Callable[[Sequence[Picture]], Sequence[Detections]]
"""Answers for pictures, in pixels of each."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """`side`: of a tile, pixels. `overlap`: of neighbours, a share of the side. `whole`: ask about the
    picture as a whole too, for what is larger than the overlap."""

    side: int
    overlap: float = 0.2
    whole: bool = True

    def __post_init__(self) -> None:
        if self.side < LEAST_SIDE:
            raise UsageError(f"--tile was given {self.side}", expected=f"{LEAST_SIDE} pixels or more")
        if not 0 <= self.overlap <= 0.9:
            raise UsageError(
                f"--overlap was given {self.overlap:g}", expected="a share of the tile from 0 to 0.9"
            )


def windows_xyxy(size_hw: SizeHW, tiling: Tiling) -> Array:
    """Tiles that cover a picture, row by row: int64 (T, 4). All are equally large, none leaves the
    picture, neighbours share at least the overlap.

    >>> windows_xyxy((100, 250), Tiling(100, 0.2)).tolist()
    [[0, 0, 100, 100], [75, 0, 175, 100], [150, 0, 250, 100]]
    """
    (tops, high), (lefts, wide) = (_starts(length, tiling) for length in size_hw)
    top, left = (axis.ravel() for axis in np.meshgrid(tops, lefts, indexing="ij"))
    found: Array = np.stack([left, top, left + wide, top + high], axis=1)
    return found


def _starts(length: int, tiling: Tiling) -> tuple[Array, int]:
    """Where tiles begin along a side, evenly apart, and how long they are."""
    side = min(tiling.side, length)
    step = max(1, side - round(side * tiling.overlap))
    count = -(-(length - side) // step) + 1
    return np.linspace(0, length - side, count).round().astype(np.int64), side


def predict_tiled(
    ask: Ask,
    picture: Picture,
    tiling: Tiling,
    *,
    iou_threshold: float,
    agnostic: bool = False,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Detections:
    """What `ask` finds in `picture`, uint8 (H, W, 3), tile by tile; boxes in pixels of `picture`.

    A picture that is no larger than a tile is asked about as it is. `iou_threshold`: boxes of a class
    (of any, if `agnostic`) that overlap by more are the same object. `told` hears how many
    tiles of how many are done.
    """
    size_hw = picture.shape[0], picture.shape[1]
    windows = windows_xyxy(size_hw, tiling)
    if len(windows) == 1:
        return ask([picture])[0]
    found: list[Detections] = []
    for start in range(0, len(windows), _TOGETHER):
        some = windows[start : start + _TOGETHER].tolist()
        found += ask([np.ascontiguousarray(picture[y0:y1, x0:x1]) for x0, y0, x1, y1 in some])
        told(len(found), len(windows))
    whole = _large(ask([picture])[0], windows) if tiling.whole else None
    return merge_tiles(
        found, windows, size_hw, whole=whole, iou_threshold=iou_threshold, agnostic=agnostic
    )


def _large(found: Detections, windows: Array) -> Detections:
    """Those that a tile may not have seen whole: what is smaller, tiles see better."""
    shared = [_least_shared(windows[:, low], windows[:, low + 2]) for low in (0, 1)]
    sides = found.boxes_xyxy[:, 2:] - found.boxes_xyxy[:, :2]
    large: Array = np.any(sides > shared, axis=1)
    return found.take(large)


def _least_shared(lows: Array, highs: Array) -> float:
    """The narrowest overlap of neighbours along an axis, pixels; infinite for a single tile."""
    steps = np.diff(np.unique(lows))
    return float(highs[0] - lows[0] - steps.max()) if len(steps) else np.inf


def tiled_answers(
    model: Model,
    files: Iterable[str],
    tiling: Tiling,
    *,
    iou_threshold: float,
    agnostic: bool = False,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Answer]:
    """What `model`, a detector, finds in each of `files`, tile by tile; a bad file never stops it.

    A picture is decoded once and whole, up to `MOST_PIXELS`.
    """

    def ask(pictures: Sequence[Picture]) -> Sequence[Detections]:
        found = model.predict(list(pictures))
        assert all(isinstance(one, Detections) for one in found), "checked by detector_facts"
        return cast(list[Detections], found)

    for path in files:
        try:
            picture = read(path, max_pixels=MOST_PIXELS)
        except PictureError as error:
            yield Answer(path, None, error)
            continue
        found = predict_tiled(
            ask, picture, tiling, iou_threshold=iou_threshold, agnostic=agnostic, told=told
        )
        yield Answer(path, found, None)
