"""What becomes of points, boxes and masks when the places of a picture move.

A move takes points float64 (N, 2), (x, y) in continuous pixels, to where they lie afterwards. All of
this works on places alone: nothing here knows how a picture was changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from striate.ops.rotated import corners_to_rotated, iou_rotated, rotated_to_corners
from striate.types import Array, Prepared, SizeHW

__all__ = [
    "Move",
    "Outline",
    "move_boxes",
    "move_masks",
    "move_points",
    "move_rotated",
    "outline_of",
    "seen_shares",
    "through",
]

Move: TypeAlias = Callable[[Array], Array]

Outline: TypeAlias = Literal["box", "ellipse"]
"""What a box is taken to hold: all of itself, or the ellipse that touches its four sides."""

_A_SIDE = 9
_MOST_SAMPLES = 16


def through(prepared: Prepared, move: Move) -> Move:
    """A move of the network's input as a move of the original picture."""
    scale = np.array(prepared.scale_yx[::-1])
    offset = np.array(prepared.offset_yx[::-1])

    def moved(points: Array) -> Array:
        found: Array = (move(points * scale + offset) - offset) / scale
        return found

    return moved


def move_points(points_xy: Array, move: Move, size_hw: SizeHW) -> tuple[Array, Array]:
    """Where points (N, 2) lie now, float64 (N, 2), and which lie in the picture, bool (N,)."""
    points = np.asarray(points_xy, np.float64).reshape(-1, 2)
    moved = move(points) if len(points) else points.copy()
    inside: Array = np.all((moved >= 0) & (moved <= (size_hw[1], size_hw[0])), axis=1)
    return moved, inside


def move_boxes(boxes_xyxy: Array, move: Move, *, outline: Outline = "box") -> Array:
    """Upright boxes around where boxes (N, 4) lie now, float64 (N, 4), also outside the picture.

    Of "box", 36 points along the edges are moved: the new box holds whatever the old one could hold.
    Of "ellipse" 36 points of the ellipse within (Kalra et al. 2021): nearer to what is seen of rounded
    things that turn. They agree where nothing is turned or sheared.
    """
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    if not len(boxes):
        return boxes.copy()
    own = outline_of(outline)
    middle, half = (boxes[:, 2:] + boxes[:, :2]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    points = middle[:, None] + half[:, None] * own  # (N, P, 2)
    moved = move(points.reshape(-1, 2)).reshape(points.shape)
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)


def move_rotated(boxes_xyxy: Array, angles_deg: Array, move: Move) -> tuple[Array, Array]:
    """Turned boxes (N, 4), (N,) where their corners lie now: the smallest turned box around the four."""
    corners = rotated_to_corners(boxes_xyxy, angles_deg)
    return corners_to_rotated(move(corners.reshape(-1, 2)).reshape(-1, 4, 2))


def seen_shares(boxes_xyxy: Array, frame_xyxy: Array, angles_deg: Array | None = None) -> Array:
    """Share of the area of each box (N, 4) that lies in one frame (4,), float64 (N,), 0 … 1.

    A box without area counts as seen if its middle is in the frame.
    """
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    frame = np.asarray(frame_xyxy, np.float64)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    if angles_deg is None:
        low, high = np.maximum(boxes[:, :2], frame[:2]), np.minimum(boxes[:, 2:], frame[2:])
        shared = np.maximum(high - low, 0).prod(axis=1)
    else:
        iou = iou_rotated(boxes, angles_deg, frame[None], np.zeros(1))[:, 0]
        shared = iou * (area + (frame[2:] - frame[:2]).prod()) / (1 + iou)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside: Array = np.all((middle >= frame[:2]) & (middle <= frame[2:]), axis=1)
    found: Array = np.divide(shared, area, out=inside.astype(np.float64), where=area > 0)
    return found.clip(0, 1)


def move_masks(
    masks: Array, move: Move, size_hw: SizeHW | None = None, *, outside: int | bool = 0
) -> Array:
    """Masks (…, h, w), flags or labels, after the move, in `size_hw` (their own size by default).

    Each pixel takes the value of the nearest of many places moved from within the mask, so that labels
    never mix; `outside` where nothing came to lie. Masks share one move.
    """
    height, width = masks.shape[-2:]
    out_hw = size_hw or (height, width)
    found = np.full((*masks.shape[:-2], *out_hw), outside, masks.dtype)
    samples = _samples(move, (height, width))
    y = (np.arange(height * samples) + 0.5) / samples
    x = (np.arange(width * samples) + 0.5) / samples
    moved = move(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    with np.errstate(invalid="ignore"):
        pixels = np.floor(np.clip(moved, -1, (out_hw[1], out_hw[0]))).astype(np.int64)
    kept = ((pixels >= 0) & (pixels < (out_hw[1], out_hw[0]))).all(axis=1)
    off = np.square(moved[kept] - pixels[kept] - 0.5).sum(axis=1)
    order = np.argsort(-off, kind="stable")  # the nearest is written last, and stays
    source = np.flatnonzero(kept)[order]
    rows, columns = np.divmod(source, width * samples)
    to = pixels[source]
    found[..., to[:, 1], to[:, 0]] = masks[..., rows // samples, columns // samples]
    return found


def _samples(move: Move, size_hw: SizeHW) -> int:
    """Places a pixel side that leave no pixel empty where the move stretches most."""
    height, width = size_hw
    corners = np.meshgrid(np.arange(width + 1.0), np.arange(height + 1.0))
    moved = move(np.stack(corners, axis=-1).reshape(-1, 2)).reshape(height + 1, width + 1, 2)
    steps = [np.abs(np.diff(moved, axis=axis)).max(initial=0.0) for axis in (0, 1)]
    return int(np.clip(np.ceil(2.0 * max(steps)), 2, _MOST_SAMPLES))


def outline_of(outline: Outline) -> Array:
    """36 points (36, 2) of the box −1 … 1: its corners, or where its ellipse touches, among them."""
    if outline == "ellipse":
        turn = np.arange(4 * _A_SIDE) * (2 * np.pi / (4 * _A_SIDE))
        return np.stack([np.cos(turn), np.sin(turn)], axis=1)
    run = np.linspace(-1, 1, _A_SIDE + 1)[:-1]
    one = np.ones(_A_SIDE)
    sides = [(run, -one), (one, run), (-run, one), (-one, -run)]
    return np.concatenate([np.stack(side, axis=1) for side in sides])
