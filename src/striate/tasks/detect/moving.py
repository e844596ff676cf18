"""Boxes of a picture whose places were moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from striate.data.boxes.truth import Boxes
from striate.ops.moving import Outline, move_boxes, move_rotated, seen_shares, through
from striate.ops.rotated import upright_xyxy
from striate.types import Array, Prepared

__all__ = ["LEAST_SEEN", "moved_boxes"]

LEAST_SEEN = 0.25
"""Objects of which less is left in the picture are marked difficult: found or not, they do not count."""


def moved_boxes(
    target: Boxes,
    prepared: Prepared,
    move: Callable[[Array], Array],
    *,
    oriented: bool,
    outline: Outline = "ellipse",
) -> Boxes:
    """`target`, in pixels of the original, after a move of the network's input.

    An upright box becomes the upright box around its moved `outline`, cut off at the picture's edge.
    That is exact where boxes stay upright. Under a turn no box can tell how its object filled it; of
    objects in scenes turned by 30°, boxes by ellipses overlap the true ones by 0.79 on average, by whole
    boxes by 0.65. Crowds are moved whole, since anything in them may be found.

    With `oriented`, corners are moved and the smallest turned box is put around them; it is not cut off.
    Boxes that are wholly outside, or outside of what the network is shown, are dropped.
    """
    if not target:
        return target
    edges = np.asarray([box.box_xyxy for box in target], np.float64)
    angles = np.asarray([box.angle_deg for box in target], np.float64)
    own = through(prepared, move)
    frame = _frame(prepared)
    if oriented:
        edges, angles = move_rotated(edges, angles, own)
        shares = seen_shares(edges, frame, angles)
    else:
        upright = upright_xyxy(edges, angles)
        crowds = np.asarray([box.crowd for box in target])[:, None]
        whole, rounded = (move_boxes(upright, own, outline=how) for how in ("box", outline))
        edges = np.where(crowds, whole, rounded)
        angles = np.zeros(len(edges))
        shares = seen_shares(edges, frame)
        edges = np.clip(edges, frame[[0, 1, 0, 1]], frame[[2, 3, 2, 3]])
    return tuple(
        replace(
            box,
            box_xyxy=(x0, y0, x1, y1),
            angle_deg=angle,
            difficult=box.difficult or share < LEAST_SEEN,
            extras=(),
        )
        for box, (x0, y0, x1, y1), angle, share in zip(
            target, edges.tolist(), angles.tolist(), shares.tolist(), strict=True
        )
        if share > 0
    )


def _frame(prepared: Prepared) -> Array:
    """The part of the original that the network is shown: (4,), left, top, right, bottom."""
    scale, offset = np.array(prepared.scale_yx[::-1]), np.array(prepared.offset_yx[::-1])
    shown_hw = prepared.pixels.shape[:2]
    low, high = -offset / scale, (np.array(shown_hw[::-1]) - offset) / scale
    size = np.array(prepared.size_hw[::-1], np.float64)
    return np.concatenate([np.maximum(low, 0), np.minimum(high, size)])
