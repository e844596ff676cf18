"""One answer from those of many tiles: duplicates go, parts go to their wholes or are joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from striate.ops.boxes import area_of_xyxy, nms_by_class, overlap_share_xyxy
from striate.ops.rotated import nms_rotated, upright_xyxy
from striate.tasks.detect.types import Detections
from striate.types import Array, SizeHW

__all__ = ["merge_tiles"]

_AT_EDGE = 0.01
"""How near to the edge of its tile a box must end to be held for cut, as a share of the tile."""
_WITHIN = 0.6
"""The share of a part that must lie in a whole for both to be the same object."""
_AS_GOOD = 0.5
"""How good a whole must be, compared with a part, to stand for it; and parts, to be joined."""
_SAME_HEIGHT = 0.5
"""How much two parts must agree along the seam, as intersection over union, to be joined."""
_ROWS = 512


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
    agnostic: bool = False,
) -> Detections:
    """One answer from those of the tiles at `windows`, int (T, 4), and of the `whole` picture.

    Of an object that several tiles saw, the best answer stays; a part goes where the whole was found,
    and parts that meet at a seam are joined where it was not. Turned boxes are not joined.
    """
    everything = _together(found, windows, size_hw, whole)
    is_part = everything.cut.any(axis=1)
    wholes = _distinct(everything.take(np.flatnonzero(~is_part)), iou_threshold, agnostic)
    parts = everything.take(np.flatnonzero(is_part))
    parts = parts.take(~_within(parts, wholes))
    if parts.angles is None:
        parts = _joined(parts)
        parts = parts.take(~_within(parts, wholes))
    return _answer(found[0].names, wholes, _distinct(parts, iou_threshold, agnostic))


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


def _distinct(found: _Found, iou_threshold: float, agnostic: bool) -> _Found:
    """Of boxes of a class (of any, if `agnostic`) that overlap, the best."""
    labels = np.zeros_like(found.labels) if agnostic else found.labels
    if found.angles is None:
        rows = nms_by_class(found.boxes, found.scores, labels, iou_threshold=iou_threshold)
        return found.take(rows)
    kept = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
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
    """Parts that continue one another across seams, as one box; its score is their mean by area, so
    that a good small part does not vouch for a poor large one."""
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
    areas = np.maximum(area_of_xyxy(parts.boxes), 1e-9)
    weighed = np.bincount(group, areas * parts.scores, groups) / np.bincount(group, areas, groups)
    return _Found(boxes, weighed.astype(parts.scores.dtype), joined.labels, None, joined.cut)


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
        scores = parts.scores[rows][:, None], parts.scores[seconds][None]
        same &= np.minimum(*scores) >= _AS_GOOD * np.maximum(*scores)
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
