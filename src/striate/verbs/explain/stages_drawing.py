"""The stages of a region detector as four pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from striate.features.marks import Sheet, captioned
from striate.features.proposals import Proposals
from striate.features.proposals.drawing import draw_proposals
from striate.pictures.palette import RGB, colour_of
from striate.tasks.detect.types import Detections
from striate.types import Array, Picture

__all__ = ["Way", "draw_adjusted", "draw_judged", "draw_kept", "draw_regions"]

Way: TypeAlias = tuple[int, Sequence[Array], Array]
"""Number of the class, the regions (4,) from the proposal on, and the box (4,) they led to."""

_DASH_PX, _GAP_PX = 9.0, 6.0
"""Of dashed outlines, canvas pixels."""
_ARROW_PX = 8.0
"""A move shorter than this on the canvas has no arrow."""


def draw_regions(picture: Picture, proposals_xyxy: Array, shown: int) -> Picture:
    """The first `shown` of `proposals_xyxy` (P, 4) on the muted picture, coloured by rank."""
    count = len(proposals_xyxy)
    falling = np.arange(count, 0, -1, dtype=np.float32)
    boxes = proposals_xyxy.astype(np.float32)
    return draw_proposals(picture, Proposals(boxes, falling, count), name="1 proposed", shown=shown)


def draw_judged(picture: Picture, judged: Detections, liked: int, show_from: float) -> Picture:
    """Regions that some class likes, unmoved, with label and score."""
    text = f"2 judged: no class likes a region by {show_from:.2f} or more"
    if liked:
        best = f"the best {len(judged)} of {liked}" if liked > len(judged) else f"all {liked}"
        text = f"2 judged: {best} regions that some class likes by {show_from:.2f} or more"
    return captioned(judged.plot(picture), text)


def draw_adjusted(picture: Picture, ways: Sequence[Way]) -> Picture:
    """Each region dashed, the box it led to whole, and an arrow for the way of its middle."""
    sheet = Sheet.of(picture)
    sheet.stroke = max(2, round(max(sheet.canvas.shape) / 360))
    for number, regions, box in reversed(ways):  # the best on top
        tint = colour_of(number)
        for region, target in zip(regions, [*regions[1:], box], strict=True):
            _dashed(sheet, region, tint)
            _arrow(sheet, _middle(region), _middle(target), tint)
        sheet.polygon(_corners(sheet, box), tint)
    if not ways:
        return captioned(sheet.canvas, "3 adjusted: nothing is kept, so there is nothing to follow")
    return captioned(sheet.canvas, "3 adjusted: dashed, the regions; whole, the boxes made of them")


def draw_kept(picture: Picture, kept: Detections, show_from: float) -> Picture:
    """The answer."""
    text = f"4 kept: nothing scores {show_from:.2f} or more"
    if len(kept):
        text = f"4 kept: the best of each heap of overlapping boxes, from a score of {show_from:.2f}"
    return captioned(kept.plot(picture), text)


def _corners(sheet: Sheet, box: Array) -> Array:
    """Corners (4, 2) as `Sheet` places them: edges lie between pixels; drawn just inside the picture."""
    height, width = np.array(sheet.canvas.shape[:2]) / sheet.times
    inset = sheet.stroke / sheet.times / 2
    most = np.array([width - inset, height - inset])
    (left, top), (right, bottom) = (np.clip(one, inset, most) - 0.5 for one in (box[:2], box[2:]))
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _middle(box: Array) -> Array:
    found: Array = (box[:2] + box[2:]) / 2 - 0.5
    return found


def _dashed(sheet: Sheet, box: Array, tint: RGB) -> None:
    corners = _corners(sheet, box)
    starts, ends = [], []
    for one, other in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        long = float(np.linalg.norm(other - one)) * sheet.times
        at = np.arange(0, max(long, 1e-6), _DASH_PX + _GAP_PX)
        shares = np.stack([at, np.minimum(at + _DASH_PX, long)]) / max(long, 1e-6)
        starts.append(one + shares[0][:, None] * (other - one))
        ends.append(one + shares[1][:, None] * (other - one))
    joined = np.concatenate(starts), np.concatenate(ends)
    sheet.lines(*joined, [tint] * len(joined[0]))


def _arrow(sheet: Sheet, start: Array, end: Array, tint: RGB) -> None:
    """From middle to middle; a move too short to be seen as a dot."""
    way = end - start
    long = float(np.linalg.norm(way)) * sheet.times
    if long < _ARROW_PX:
        sheet.dots(end[None], [tint])
        return
    back = -way / np.linalg.norm(way) * min(0.4 * long, 5 * sheet.stroke) / sheet.times
    turned = np.array([-back[1], back[0]]) * 0.6
    starts = np.stack([start, end + back + turned, end + back - turned])
    sheet.lines(starts, np.stack([end] * 3), [tint] * 3)
