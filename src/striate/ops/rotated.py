"""Turned boxes: corners and back, overlap, suppression.

A turned box is `boxes_xyxy` (N, 4), as it would stand upright, and `angles_deg` (N,): turned by so much,
clockwise as seen, about its middle. A box of angle a is the same set of pixels at a ± 180; what is made
here has angles from −90 up to, not including, 90. Corners are (N, 4, 2), x and y: of the upright box
left top, right top, right bottom, left bottom, each carried along by the turn.
"""

from __future__ import annotations

import numpy as np

from striate.ops.boxes import area_of_xyxy
from striate.types import Array

__all__ = [
    "corners_to_rotated",
    "iou_rotated",
    "nms_rotated",
    "rotated_to_corners",
    "upright_xyxy",
]

_PAIRS = 1 << 16
"""Pairs of boxes whose overlap is worked out at a time: some megabytes."""

_ROWS = 512
"""Boxes that are compared with all others at a time, to find the pairs that may overlap."""

_NOTHING = 1e-100
"""Lengths below this are none: dividing by them would overflow."""


def rotated_to_corners(boxes_xyxy: Array, angles_deg: Array) -> Array:
    """The corners of turned boxes, float64 (N, 4, 2).

    >>> rotated_to_corners(np.array([[0, 0, 4, 2]]), np.array([90])).round(6).tolist()
    [[[3.0, -1.0], [3.0, 3.0], [1.0, 3.0], [1.0, -1.0]]]
    """
    boxes = np.asarray(boxes_xyxy, np.float64)
    middles, halves = (boxes[:, 2:] + boxes[:, :2]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    own = halves[:, None] * signs  # (N, 4, 2)
    cos, sin = _cos_sin(angles_deg)
    turned = [
        own[..., 0] * cos[:, None] - own[..., 1] * sin[:, None],
        own[..., 0] * sin[:, None] + own[..., 1] * cos[:, None],
    ]
    corners: Array = np.stack(turned, axis=-1) + middles[:, None]
    return corners


def corners_to_rotated(corners: Array) -> tuple[Array, Array]:
    """(boxes_xyxy (N, 4), angles_deg (N,)), float64, of corners (N, 4, 2) in the order around.

    A rectangle is given back as it is; any other four points as the rectangle of least area around
    them. The first two corners are the upper side: the width runs along them, which decides between the
    names that one rectangle has. Angles are in [−90, 90).

    >>> box, angle = corners_to_rotated(np.array([[[3, -1], [3, 3], [1, 3], [1, -1]]]))
    >>> box.round(6).tolist(), angle.round(6).tolist()
    ([[0.0, 0.0, 4.0, 2.0]], [-90.0])
    """
    points = np.asarray(corners, np.float64).reshape(-1, 4, 2)
    origin = points.mean(axis=1, keepdims=True)
    points = points - origin  # far from zero, the squares below would lose digits
    # the rectangle of least area has a side in common with the hull (Freeman & Shapira 1975), and the
    # sides of a hull of four points are among the six lines through two of them
    starts, ends = np.triu_indices(4, 1)
    axes = _unit(points[:, ends] - points[:, starts], np.array([1.0, 0.0]))  # (N, 6, 2)
    sizes = np.stack([_extent(points, axes), _extent(points, _across(axes))], axis=-1)
    best = np.argmin(sizes.prod(axis=-1) + _flat(sizes), axis=1)
    rows = np.arange(len(points))
    axis = _like_first_side(axes[rows, best], points)
    along, down = _span(points, axis), _span(points, _across(axis))
    middle = along.mean(1)[:, None] * axis + down.mean(1)[:, None] * _across(axis) + origin[:, 0]
    half = np.stack([np.ptp(along, axis=1), np.ptp(down, axis=1)], axis=1) / 2
    angles = np.degrees(np.arctan2(axis[:, 1], axis[:, 0]))
    return np.concatenate([middle - half, middle + half], axis=1), _half_turn(angles)


def upright_xyxy(boxes_xyxy: Array, angles_deg: Array) -> Array:
    """The upright boxes around turned ones, float64 (N, 4); at angle 0 the boxes themselves."""
    boxes = np.asarray(boxes_xyxy, np.float64)
    middles, halves = (boxes[:, 2:] + boxes[:, :2]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    cos, sin = np.abs(_cos_sin(angles_deg))
    reach = np.stack(
        [halves[:, 0] * cos + halves[:, 1] * sin, halves[:, 0] * sin + halves[:, 1] * cos], axis=1
    )
    return np.concatenate([middles - reach, middles + reach], axis=1)


def iou_rotated(ours: Array, our_angles_deg: Array, theirs: Array, their_angles_deg: Array) -> Array:
    """Intersection over union of each of N turned boxes with each of M, float64 (N, M), 0..1.

    Exact: areas of polygons, no sampling. Pairs whose upright surroundings are apart cost next to
    nothing. 0 where neither box has an area.
    """
    found = np.zeros((len(ours), len(theirs)))
    for rows, columns, values in _overlaps(ours, our_angles_deg, theirs, their_angles_deg):
        found[rows, columns] = values
    return found


def nms_rotated(boxes_xyxy: Array, angles_deg: Array, scores: Array, *, iou_threshold: float) -> Array:
    """`ops.boxes.nms` for turned boxes: indices of those that stay, best first, int64."""
    order = np.argsort(-scores, kind="stable").astype(np.int64, copy=False)
    boxes, angles = boxes_xyxy[order], angles_deg[order]
    worse: list[list[Array]] = [[] for _ in range(len(order))]
    for rows, columns, values in _overlaps(boxes, angles, boxes, angles, later=True):
        over = values > iou_threshold
        firsts, seconds = rows[over], columns[over]  # rows rise
        ends = np.flatnonzero(np.diff(firsts)) + 1
        for part in np.split(np.arange(len(firsts)), ends) if len(firsts) else []:
            worse[int(firsts[part[0]])].append(seconds[part])
    stay = np.ones(len(order), bool)
    for row, suppressed in enumerate(worse):
        if stay[row]:
            for columns in suppressed:
                stay[columns] = False
    return order[stay]


def _overlaps(
    ours: Array, our_angles: Array, theirs: Array, their_angles: Array, *, later: bool = False
) -> list[tuple[Array, Array, Array]]:
    """(rows, columns, IoU) of the pairs that may overlap. `later`: only columns after their row."""
    near, far = upright_xyxy(ours, our_angles), upright_xyxy(theirs, their_angles)
    found = []
    for start in range(0, len(near), _ROWS):
        some = near[start : start + _ROWS, :, None]
        touch = (some[:, 0] < far[:, 2]) & (far[:, 0] < some[:, 2])
        touch &= (some[:, 1] < far[:, 3]) & (far[:, 1] < some[:, 3])
        rows, columns = np.nonzero(np.triu(touch, start + 1) if later else touch)
        rows += start
        for at in range(0, len(rows), _PAIRS):
            pair = rows[at : at + _PAIRS], columns[at : at + _PAIRS]
            values = _pair_iou(
                ours[pair[0]], our_angles[pair[0]], theirs[pair[1]], their_angles[pair[1]]
            )
            found.append((*pair, values))
    return found


def _pair_iou(ours: Array, our_angles: Array, theirs: Array, their_angles: Array) -> Array:
    """IoU of each turned box with the one in its place, (P,)."""
    inter = _pair_intersection(ours, our_angles, theirs, their_angles)
    areas = area_of_xyxy(ours).astype(np.float64), area_of_xyxy(theirs).astype(np.float64)
    inter = np.minimum(inter, np.minimum(*areas))  # the last digit
    union = areas[0] + areas[1] - inter
    return np.divide(inter, union, out=np.zeros(inter.shape), where=union > 0)


def _pair_intersection(ours: Array, our_angles: Array, theirs: Array, their_angles: Array) -> Array:
    """Area that two turned boxes share, (P,).

    In the frame of our box, which is −W ≤ x ≤ W, −H ≤ y ≤ H, theirs has an upper and a lower outline.
    The area is the integral over −W ≤ x ≤ W of the one less the other, both held within ±H. An
    outline is straight pieces, and the mean of a straight piece held within bounds has a closed form:
    no polygon is ever built, and there are no special cases of edges that coincide.
    """
    half = (np.asarray(ours[:, 2:], np.float64) - ours[:, :2]) / 2
    cos, sin = _cos_sin(our_angles)
    middle = (np.asarray(ours[:, 2:], np.float64) + ours[:, :2]) / 2
    corners = rotated_to_corners(theirs, their_angles) - middle[:, None]
    x = corners[..., 0] * cos[:, None] + corners[..., 1] * sin[:, None]  # (P, 4)
    y = corners[..., 1] * cos[:, None] - corners[..., 0] * sin[:, None]
    width, height = half[:, :1], half[:, 1:]
    next_x, next_y = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    start_x, end_x = np.clip(x, -width, width), np.clip(next_x, -width, width)
    run = next_x - x
    slope = np.divide(next_y - y, run, out=np.zeros_like(run), where=np.abs(run) > _NOTHING)
    start_y, end_y = y + slope * (start_x - x), next_y + slope * (end_x - next_x)
    pieces = (end_x - start_x) * _mean_within(start_y, end_y, height)
    area: Array = np.abs(pieces.sum(axis=1))
    return area


def _mean_within(start: Array, end: Array, bound: Array) -> Array:
    """Mean of a straight piece from `start` to `end`, held within ±`bound`."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    rise = np.maximum(high - low, _NOTHING)
    below = np.clip((-bound - low) / rise, 0, 1)
    above = np.clip((high - bound) / rise, 0, 1)
    inside = (np.clip(low, -bound, bound) + np.clip(high, -bound, bound)) / 2
    mean: Array = (above - below) * bound + (1 - above - below) * inside
    return mean


def _cos_sin(angles_deg: Array) -> Array:
    """Cosines and sines, float64 (2, N): exact at quarter turns, so that upright boxes stay so."""
    angles = np.asarray(angles_deg, np.float64)
    quarters = np.rint(angles / 90)
    left = np.radians(angles - 90 * quarters)
    pair = np.stack([np.cos(left), np.sin(left)])
    turned = np.stack([pair, [-pair[1], pair[0]], -pair, [pair[1], -pair[0]]])  # (4, 2, N)
    chosen: Array = np.take_along_axis(turned, (quarters.astype(np.int64) % 4)[None, None], axis=0)[0]
    return chosen


def _half_turn(angles_deg: Array) -> Array:
    """Angles in [−90, 90), half a turn being nothing to a rectangle."""
    found = (angles_deg + 90) % 180 - 90
    return np.where(found >= 90, -90.0, found)  # a remainder may round up to 180


def _unit(vectors: Array, otherwise: Array) -> Array:
    """Vectors (…, 2) of length 1; those without length become `otherwise`."""
    lengths = np.hypot(vectors[..., 0], vectors[..., 1])[..., None]
    longest = lengths.max(axis=-2, keepdims=True)
    known = lengths > 1e-12 * longest  # two corners in one place, but for rounding, tell no direction
    wide = np.broadcast_to(otherwise, vectors.shape)
    return np.where(known, vectors / np.where(known, lengths, 1), wide)


def _across(axes: Array) -> Array:
    """Unit vectors a quarter turn clockwise."""
    return np.stack([-axes[..., 1], axes[..., 0]], axis=-1)


def _span(points: Array, axis: Array) -> Array:
    """Least and greatest place of points (N, 4, 2) along an axis (N, 2) each: (N, 2)."""
    places = np.einsum("npc,nc->np", points, axis)
    return np.stack([places.min(axis=1), places.max(axis=1)], axis=1)


def _extent(points: Array, axes: Array) -> Array:
    """How long (N, 4, 2) points are along each of K axes (N, K, 2): (N, K)."""
    extent: Array = np.ptp(np.einsum("npc,nkc->npk", points, axes), axis=1)
    return extent


def _flat(sizes: Array) -> Array:
    """A trifle (N, K) that decides between rectangles without area: the one with the shorter outline."""
    outline = sizes.sum(axis=-1)
    trifle: Array = outline * outline.max(axis=1, keepdims=True) * 1e-13
    return trifle


def _like_first_side(axis: Array, points: Array) -> Array:
    """Of a rectangle's four directions, the one that the first side has."""
    down = points[:, 2] - points[:, 1]
    sides = np.stack([points[:, 1] - points[:, 0], np.stack([down[:, 1], -down[:, 0]], axis=1)], axis=1)
    ahead = np.array([1.0, 0.0])
    lengths = np.hypot(sides[..., 0], sides[..., 1])
    known = lengths > 1e-9 * lengths.max(axis=1, keepdims=True)
    first = np.where(known[:, :1], sides[:, 0], np.where(known[:, 1:], sides[:, 1], ahead))
    along, across = (np.einsum("nc,nc->n", first, one) for one in (axis, _across(axis)))
    flip = np.where(np.abs(along) >= np.abs(across), np.sign(along), np.sign(across))[:, None]
    chosen = np.where((np.abs(along) >= np.abs(across))[:, None], axis, _across(axis))
    return chosen * np.where(flip == 0, 1, flip)
