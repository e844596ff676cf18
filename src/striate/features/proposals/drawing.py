"""Proposals made visible: the best ones on the picture, and how selective search came to them."""

from __future__ import annotations

import numpy as np

from striate.features.marks import Sheet, captioned
from striate.features.proposals.selective_search import first_hierarchy
from striate.features.proposals.types import Proposals
from striate.pictures import contact_sheet
from striate.pictures.palette import RGB
from striate.types import Array, Picture

__all__ = ["SHOWN", "draw_found", "draw_proposals", "draw_stages"]

SHOWN = 30
"""Boxes that can still be told apart on one picture."""

_FIRST_TO_LAST: tuple[RGB, ...] = ((240, 228, 66), (240, 160, 60), (222, 100, 130), (86, 140, 233))
"""Yellow, orange, pink, blue: light enough to be seen on a muted picture, in an order of lightness."""

_FOUND: RGB = (86, 214, 160)
_MISSED: RGB = (255, 110, 64)

_LEFT = (100, 30, 10, 3)
"""Regions that are left at the stages shown."""

_CELL = 480
"""Side of a stage, pixels."""


def draw_proposals(
    picture: Picture, proposals: Proposals, *, name: str = "", shown: int = SHOWN
) -> Picture:
    """The best `shown` boxes on the muted picture, from yellow for the first to blue for the last."""
    best = proposals.best(shown)
    title = f"{name}: " if name else ""
    sheet = Sheet.of(picture)
    _outline(sheet, best.boxes_xyxy[::-1], _ramp(len(best))[::-1])  # the best on top
    if not len(best):
        return captioned(sheet.canvas, f"{title}no box was proposed")
    many = (
        f"the best {len(best)} of {len(proposals)} boxes" if len(proposals) > len(best) else "all boxes"
    )
    return captioned(sheet.canvas, f"{title}{many}, from yellow (the first) to blue")


def draw_found(picture: Picture, truths_xyxy: Array, found: Array) -> Picture:
    """True boxes (M, 4) on the muted picture: green those found, bool (M,), vermilion those missed."""
    sheet = Sheet.of(picture)
    sheet.stroke = max(2, round(max(sheet.canvas.shape) / 160))  # seen on a thumbnail
    order = np.argsort(~found, kind="stable")  # missed ones on top
    _outline(sheet, truths_xyxy[order], [_FOUND if one else _MISSED for one in found[order].tolist()])
    return sheet.canvas


def draw_stages(picture: Picture) -> Picture:
    """How selective search begins: the picture, its first regions in their mean colours, and what is
    left of them after merging, with boxes as soon as they can be told apart. Of its first strategy."""
    small, regions, hierarchy = first_hierarchy(picture)
    count = len(regions)
    panels, titles = [small, _painted(small, regions.labels)], ["the picture", _regions(count)]
    for left in _LEFT:
        if left < count:
            labels = hierarchy.labels_at(regions.labels, left)
            sheet = Sheet.of(_painted(small, labels), at_least=_CELL, mute=False)
            rows = np.unique(labels) if left <= SHOWN else np.empty(0, np.int64)
            _outline(sheet, hierarchy.boxes_xyxy[rows], [_FIRST_TO_LAST[0]] * len(rows))
            panels.append(sheet.canvas)
            titles.append(f"merged until {left} are left")
    return contact_sheet(panels, titles, columns=3, cell=_CELL)


def _painted(picture: Picture, labels: Array) -> Picture:
    """Each region in its mean colour, with a dark line between regions."""
    _, flat = np.unique(labels, return_inverse=True)
    flat = flat.ravel()
    pixels = np.bincount(flat)
    means = np.stack(
        [np.bincount(flat, plane.ravel()) / pixels for plane in np.moveaxis(picture, 2, 0)], 1
    )
    painted: Picture = np.rint(means[flat]).astype(np.uint8).reshape(picture.shape)
    edge = np.zeros(labels.shape, bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    painted[edge] = painted[edge] // 3
    return painted


def _outline(sheet: Sheet, boxes_xyxy: Array, colours: list[RGB]) -> None:
    """Boxes, edges between pixels; drawn just inside, so that those at the border are seen."""
    inset = sheet.stroke / sheet.times / 2
    for box, colour in zip(np.asarray(boxes_xyxy, np.float64), colours, strict=True):
        left, top, right, bottom = (box + np.array([inset, inset, -inset, -inset]) - 0.5).tolist()
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        sheet.polygon(np.array(corners), colour)


def _ramp(count: int) -> list[RGB]:
    """`count` colours from the first to the last."""
    anchors = np.array(_FIRST_TO_LAST, np.float64)
    places = np.linspace(0, len(anchors) - 1, count)
    planes = [np.interp(places, np.arange(len(anchors)), plane) for plane in anchors.T]
    return [(int(r), int(g), int(b)) for r, g, b in np.rint(np.stack(planes, axis=1)).tolist()]


def _regions(count: int) -> str:
    return "1 region" if count == 1 else f"{count} first regions"
