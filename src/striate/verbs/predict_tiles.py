"""Detection in large pictures: overlapping tiles at full size, then one answer for the whole.

What lies on a seam is seen in part by one tile and, where it is no larger than the overlap, whole by
its neighbour. What is larger is seen whole by the picture scaled down; where that does not find it, its
parts are joined. The idea of slicing is that of Akyon et al. 2022, "Slicing Aided Hyper Inference";
that parts are told from wholes, and joined, is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np

from striate.errors import PictureError, UsageError
from striate.ops.boxes import nms_by_class, overlap_share_xyxy
from striate.ops.rotated import nms_rotated, upright_xyxy
from striate.pictures.read import read
from striate.tasks.detect.types import Detections
from striate.types import Array, Picture, SizeHW
from striate.verbs.model import Answer

if TYPE_CHECKING:
    from striate.verbs.model import Model

__all__ = ["Tiling", "merge_tiles", "predict_tiled", "tiled_answers", "windows_xyxy"]

LEAST_SIDE = 16
MOST_PIXELS = 1_000_000_000
"""The largest picture that is cut into tiles: 3 GB of memory."""
_TOGETHER = 16
"""Tiles that are asked about in one call."""
_AT_EDGE = 0.01
"""How near to the edge of its tile a box must end to be held for cut, as a share of the tile."""
_WITHIN = 0.6
"""The share of a part that must lie in a whole for both to be the same object."""
_AS_GOOD = 0.5
"""How good a whole must be, compared with a part, to stand for it."""
_SAME_HEIGHT = 0.5
"""How much two parts must agree along the seam, as intersection over union, to be joined."""
_ROWS = 512

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
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Detections:
    """What `ask` finds in `picture`, uint8 (H, W, 3), tile by tile; boxes in pixels of `picture`.

    A picture that is no larger than a tile is asked about as it is. `iou_threshold`: boxes of a class
    that overlap by more are the same object. `told` hears how many tiles of how many are done.
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
    return merge_tiles(found, windows, size_hw, whole=whole, iou_threshold=iou_threshold)


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


@dataclass(slots=True)
class _Found:
    """Boxes of all tiles in pixels of the picture; N rows each."""

    boxes: Array
    scores: Array
    labels: Array
    angles: Array | None
    cut: Array
    """bool (N, 4): whether the left, top, right, bottom end is where the tile ends."""
    upright: Array = field(init=False)

    def __post_init__(self) -> None:
        self.upright = self.boxes if self.angles is None else upright_xyxy(self.boxes, self.angles)

    def take(self, rows: Array) -> _Found:
        angles = None if self.angles is None else self.angles[rows]
        return _Found(self.boxes[rows], self.scores[rows], self.labels[rows], angles, self.cut[rows])


def merge_tiles(
    found: Sequence[Detections],
    windows: Array,
    size_hw: SizeHW,
    *,
    whole: Detections | None = None,
    iou_threshold: float,
) -> Detections:
    """One answer from those of the tiles at `windows`, int (T, 4), and of the `whole` picture.

    Of an object that several tiles saw, the best answer stays; a part goes where the whole was found,
    and parts that meet at a seam are joined where it was not. Turned boxes are not joined.
    """
    everything = _together(found, windows, size_hw, whole)
    is_part = everything.cut.any(axis=1)
    wholes = _distinct(everything.take(np.flatnonzero(~is_part)), iou_threshold)
    parts = everything.take(np.flatnonzero(is_part))
    parts = parts.take(~_within(parts, wholes))
    if parts.angles is None:
        parts = _joined(parts)
        parts = parts.take(~_within(parts, wholes))
    return _answer(found[0].names, wholes, _distinct(parts, iou_threshold))


def _together(
    found: Sequence[Detections], windows: Array, size_hw: SizeHW, whole: Detections | None
) -> _Found:
    """All boxes in pixels of the picture, and at which ends they are cut."""
    answers = [*found, whole] if whole is not None else list(found)
    counts = [len(one) for one in answers]
    frames = np.concatenate([windows, [[0, 0, size_hw[1], size_hw[0]]]])[: len(answers)]
    frames = np.repeat(frames, counts, axis=0).astype(np.float64)
    boxes = np.concatenate([one.boxes_xyxy for one in answers]).astype(np.float64)
    boxes += frames[:, [0, 1, 0, 1]]
    turned = answers[0].angles_deg is not None
    angles = np.concatenate([_angles(one) for one in answers]) if turned else None
    scores = np.concatenate([one.scores for one in answers])
    labels = np.concatenate([one.labels for one in answers])
    every = _Found(boxes, scores, labels, angles, np.zeros((len(boxes), 4), bool))
    margin = np.maximum(2.0, _AT_EDGE * (frames[:, 2:] - frames[:, :2]))  # (N, 2)
    every.cut[:, :2] = (every.upright[:, :2] < frames[:, :2] + margin) & (frames[:, :2] > 0)
    every.cut[:, 2:] = (every.upright[:, 2:] > frames[:, 2:] - margin) & (
        frames[:, 2:] < [size_hw[1], size_hw[0]]
    )
    return every


def _angles(found: Detections) -> Array:
    return np.zeros(len(found), np.float32) if found.angles_deg is None else found.angles_deg


def _distinct(found: _Found, iou_threshold: float) -> _Found:
    """Of boxes of a class that overlap, the best."""
    if found.angles is None:
        rows = nms_by_class(found.boxes, found.scores, found.labels, iou_threshold=iou_threshold)
        return found.take(rows)
    kept = []
    for label in np.unique(found.labels):
        rows = np.flatnonzero(found.labels == label)
        boxes, angles, scores = found.boxes[rows], found.angles[rows], found.scores[rows]
        kept.append(rows[nms_rotated(boxes, angles, scores, iou_threshold=iou_threshold)])
    return found.take(np.concatenate(kept) if kept else np.empty(0, np.int64))


def _within(parts: _Found, wholes: _Found) -> Array:
    """Which parts belong to an object that was found whole, bool (N,)."""
    found = np.zeros(len(parts.scores), bool)
    for label in np.unique(parts.labels):
        ours, theirs = np.flatnonzero(parts.labels == label), wholes.labels == label
        boxes, scores = wholes.upright[theirs], wholes.scores[theirs]
        for start in range(0, len(ours), _ROWS):
            rows = ours[start : start + _ROWS]
            same = overlap_share_xyxy(parts.upright[rows], boxes) > _WITHIN
            same &= scores >= _AS_GOOD * parts.scores[rows, None]
            found[rows] = same.any(axis=1)
    return found


def _joined(parts: _Found) -> _Found:
    """Parts that continue one another across seams, as one box with the best of their scores."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(parts.scores)
    pairs = [_continued(parts, axis) for axis in (0, 1)]
    firsts, seconds = (np.concatenate([pair[end] for pair in pairs]) for end in (0, 1))
    links = coo_array((np.ones(len(firsts), np.int8), (firsts, seconds)), shape=(count, count))
    groups, group = connected_components(links, directed=False)
    order = np.argsort(-parts.scores, kind="stable")
    best = order[np.unique(group[order], return_index=True)[1]]
    joined = parts.take(best)
    boxes = np.full((groups, 4), np.inf)
    boxes[:, 2:] = -np.inf
    np.minimum.at(boxes[:, :2], group, parts.boxes[:, :2])
    np.maximum.at(boxes[:, 2:], group, parts.boxes[:, 2:])
    return _Found(boxes, joined.scores, joined.labels, None, joined.cut)


def _continued(parts: _Found, axis: int) -> tuple[Array, Array]:
    """Rows of parts, and of those that continue them to the right (axis 0) or downwards (axis 1)."""
    boxes = parts.boxes
    low, high, across = axis, axis + 2, 1 - axis
    firsts, seconds = np.flatnonzero(parts.cut[:, high]), np.flatnonzero(parts.cut[:, low])
    found: tuple[list[Array], list[Array]] = ([], [])
    for start in range(0, len(firsts), _ROWS):
        rows = firsts[start : start + _ROWS]
        ours, theirs = boxes[rows][:, None], boxes[seconds][None]
        same = parts.labels[rows][:, None] == parts.labels[seconds]
        same &= (theirs[..., high] > ours[..., high]) & (theirs[..., low] > ours[..., low])
        same &= theirs[..., low] <= ours[..., high] + 2
        shared = np.minimum(ours[..., across + 2], theirs[..., across + 2])
        shared = shared - np.maximum(ours[..., across], theirs[..., across])
        spanned = np.maximum(ours[..., across + 2], theirs[..., across + 2])
        spanned = spanned - np.minimum(ours[..., across], theirs[..., across])
        first, second = np.nonzero(same & (shared >= _SAME_HEIGHT * spanned))
        found[0].append(rows[first])
        found[1].append(seconds[second])
    empty = np.empty(0, np.int64)
    return np.concatenate([empty, *found[0]]), np.concatenate([empty, *found[1]])


def _answer(names: tuple[str, ...], wholes: _Found, parts: _Found) -> Detections:
    """Both, best first."""
    scores = np.concatenate([wholes.scores, parts.scores])
    order = np.argsort(-scores, kind="stable")
    angles = None
    if wholes.angles is not None and parts.angles is not None:
        angles = np.concatenate([wholes.angles, parts.angles])[order].astype(np.float32)
    return Detections(
        names,
        np.concatenate([wholes.boxes, parts.boxes])[order].astype(np.float32),
        scores[order],
        np.concatenate([wholes.labels, parts.labels])[order],
        angles,
    )


def tiled_answers(
    model: Model,
    files: Iterable[str],
    tiling: Tiling,
    *,
    iou_threshold: float,
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
        found = predict_tiled(ask, picture, tiling, iou_threshold=iou_threshold, told=told)
        yield Answer(path, found, None)
