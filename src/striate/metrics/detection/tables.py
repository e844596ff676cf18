"""Truths and answers of many pictures as flat arrays, and which of them overlap.

Answers are kept in the order COCO counts them: by picture, by class, best first; of equal scores the
earlier one first. At most `MOST` a picture and class are counted, as COCO does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from striate.ops.boxes import area_of_xyxy
from striate.types import Array

__all__ = ["MOST", "Found", "Pairs", "Truth", "overlaps", "sort_found", "sort_truth"]

MOST = 100
"""Answers of one class in one picture that are counted (COCO's maxDets)."""

_CHUNK = 2_000_000
"""Pairs looked at together: some 200 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """G objects, by picture and class.

    `pictures`, `labels`: int64 (G,). `boxes_xyxy`: float64 (G, 4), pixels. `crowd`: bool (G,), regions
    where an answer is neither right nor wrong. `angles_deg`: float64 (G,), or None for upright boxes.
    """

    pictures: Array
    labels: Array
    boxes_xyxy: Array
    crowd: Array
    angles_deg: Array | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def areas(self) -> Array:
        """Square pixels, float64 (G,)."""
        return area_of_xyxy(self.boxes_xyxy)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """D answers, by picture, class and falling score.

    `pictures`, `labels`: int64 (D,). `boxes_xyxy`: float64 (D, 4), pixels. `scores`: float64 (D,).
    `ranks`: int64 (D,), how many better ones of its class its picture has. `angles_deg`: float64 (D,),
    or None for upright boxes.
    """

    pictures: Array
    labels: Array
    boxes_xyxy: Array
    scores: Array
    ranks: Array
    angles_deg: Array | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def areas(self) -> Array:
        """Square pixels, float64 (D,)."""
        return area_of_xyxy(self.boxes_xyxy)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """P answers and objects of one picture that overlap, by answer, then by object.

    `found`, `truth`: int64 (P,), rows of the tables. `iou`: float64 (P,); with a crowd the share of the
    answer that lies in it.
    """

    found: Array
    truth: Array
    iou: Array

    def take(self, rows: Array) -> Pairs:
        """Those at `rows` (indices or flags)."""
        return Pairs(self.found[rows], self.truth[rows], self.iou[rows])


def sort_truth(
    pictures: Array, labels: Array, boxes_xyxy: Array, crowd: Array, angles_deg: Array | None = None
) -> Truth:
    """A table of G objects given in any order; those of one picture and class keep theirs."""
    order = np.lexsort((labels, pictures))
    return Truth(
        np.asarray(pictures, np.int64)[order],
        np.asarray(labels, np.int64)[order],
        np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)[order],
        np.asarray(crowd, bool)[order],
        None if angles_deg is None else np.asarray(angles_deg, np.float64)[order],
    )


def sort_found(
    pictures: Array,
    labels: Array,
    boxes_xyxy: Array,
    scores: Array,
    angles_deg: Array | None = None,
    *,
    most: int = MOST,
) -> Found:
    """A table of answers given in any order; beyond the best `most` a picture and class they are left
    out."""
    scores = np.asarray(scores, np.float64)
    order = np.lexsort((-scores, labels, pictures))
    pictures = np.asarray(pictures, np.int64)[order]
    labels = np.asarray(labels, np.int64)[order]
    ranks = _ranks(pictures, labels)
    keep = ranks < most
    order = order[keep]
    return Found(
        pictures[keep],
        labels[keep],
        np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)[order],
        scores[order],
        ranks[keep],
        None if angles_deg is None else np.asarray(angles_deg, np.float64)[order],
    )


def _ranks(*keys: Array) -> Array:
    """Place within its run of equal keys, int64 (N,); the keys are sorted."""
    count = len(keys[0])
    place = np.arange(count)
    new = np.ones(count, bool)
    if count:
        new[1:] = np.any([np.diff(key) != 0 for key in keys], axis=0)
    found: Array = place - np.maximum.accumulate(np.where(new, place, 0))
    return found


def overlaps(found: Found, truth: Truth, *, floor: float) -> Pairs:
    """All pairs within a picture, of any classes, whose IoU is at least `floor` (above 0)."""
    parts = [_pairs(found, truth, rows, floor) for rows in _chunks(found, truth)]
    if not parts:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return Pairs(
        np.concatenate([part.found for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.iou for part in parts]),
    )


def _chunks(found: Found, truth: Truth) -> Iterator[slice]:
    """Runs of answers with about `_CHUNK` pairs each; turned boxes are compared picture by picture."""
    if not len(found) or not len(truth):
        return
    if found.angles_deg is not None or truth.angles_deg is not None:
        ends = np.append(np.flatnonzero(np.diff(found.pictures)) + 1, len(found))
    else:
        total = np.cumsum(_span(found.pictures, truth.pictures)[1])
        steps = np.arange(_CHUNK, total[-1] + _CHUNK, _CHUNK)
        ends = np.unique(np.append(np.searchsorted(total, steps, "right"), len(found)))
    begin = 0
    for end in ends.tolist():
        yield slice(begin, end)
        begin = end


def _span(keys: Array, among: Array) -> tuple[Array, Array]:
    """Where each of `keys` begins in sorted `among`, and how often it is there."""
    begin = np.searchsorted(among, keys, "left")
    return begin, np.searchsorted(among, keys, "right") - begin


def _pairs(found: Found, truth: Truth, rows: slice, floor: float) -> Pairs:
    begin, count = _span(found.pictures[rows], truth.pictures)
    ours = np.repeat(np.arange(rows.start, rows.start + len(count)), count)
    theirs = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - begin, count)
    if found.angles_deg is not None or truth.angles_deg is not None:
        iou = _turned(found, truth, rows, slice(begin[0], begin[0] + count[0]))
    else:
        iou = _upright(found, truth, ours, theirs)
    pairs = Pairs(ours, theirs, iou)
    return pairs.take(iou >= floor)


def _upright(found: Found, truth: Truth, ours: Array, theirs: Array) -> Array:
    """Overlap of each pair of rows, (P,), to the last bit as pycocotools has it: it counts with left,
    top, width and height."""
    mine = [side[ours] for side in _xywh(found.boxes_xyxy)]
    its = [side[theirs] for side in _xywh(truth.boxes_xyxy)]
    wide = np.minimum(mine[2] + mine[0], its[2] + its[0]) - np.maximum(mine[0], its[0])
    high = np.minimum(mine[3] + mine[1], its[3] + its[1]) - np.maximum(mine[1], its[1])
    inter = np.maximum(wide, 0) * np.maximum(high, 0)
    area = mine[2] * mine[3]
    whole = np.where(truth.crowd[theirs], area, area + its[2] * its[3] - inter)
    share: Array = np.divide(inter, whole, out=np.zeros_like(inter), where=inter > 0)
    return share


def _xywh(boxes_xyxy: Array) -> tuple[Array, Array, Array, Array]:
    left, top, right, bottom = np.ascontiguousarray(boxes_xyxy.T)
    return left, top, right - left, bottom - top


def _turned(found: Found, truth: Truth, rows: slice, objects: slice) -> Array:
    """Overlap of all answers at `rows`, of one picture, with its `objects`, flat."""
    from striate.ops.rotated import iou_rotated

    boxes, others = found.boxes_xyxy[rows], truth.boxes_xyxy[objects]
    iou = iou_rotated(
        boxes, _angles(found.angles_deg, rows, boxes), others, _angles(truth.angles_deg, objects, others)
    )
    area, its = area_of_xyxy(boxes)[:, None], area_of_xyxy(others)[None]
    inter = iou * (area + its) / (1 + iou)
    share = np.divide(inter, area, out=np.zeros_like(inter), where=area > 0)
    flat: Array = np.where(truth.crowd[objects], np.minimum(share, 1), iou).ravel()
    return flat


def _angles(angles_deg: Array | None, rows: slice, boxes: Array) -> Array:
    return np.zeros(len(boxes)) if angles_deg is None else angles_deg[rows]
