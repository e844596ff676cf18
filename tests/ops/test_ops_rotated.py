"""Turned boxes against OpenCV, against upright boxes, and by what must hold of any."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.features.opencv import cv2_module
from striate.ops.boxes import iou_xyxy, nms
from striate.ops.rotated import (
    corners_to_rotated,
    iou_rotated,
    nms_rotated,
    rotated_to_corners,
    upright_xyxy,
)
from striate.types import Array

SIDES = st.floats(0.5, 60)
PLACES = st.floats(-80, 80)
TURNED = st.tuples(PLACES, PLACES, SIDES, SIDES, st.floats(-400, 400))


def make_turned(n: int, seed: int, extent: float = 100.0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    corner = rng.random((n, 2)) * extent
    boxes = np.concatenate([corner, corner + rng.random((n, 2)) * 50 + 1], axis=1)
    return boxes, rng.random(n) * 720 - 360


def _one(turned: tuple[float, ...]) -> tuple[Array, Array]:
    x, y, width, height, angle = turned
    return np.array([[x, y, x + width, y + height]]), np.array([angle])


def _moved(boxes: Array, angles: Array, turn_deg: float) -> tuple[Array, Array]:
    """The whole plane turned clockwise about its origin."""
    middles, halves = (boxes[:, 2:] + boxes[:, :2]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    cos, sin = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    middles = middles @ np.array([[cos, sin], [-sin, cos]])
    return np.concatenate([middles - halves, middles + halves], axis=1), angles + turn_deg


def test_a_quarter_turn_clockwise_takes_the_left_top_corner_to_the_right_top() -> None:
    corners = rotated_to_corners(np.array([[0, 0, 4, 2]]), np.array([90]))
    assert corners.tolist() == [[[3, -1], [3, 3], [1, 3], [1, -1]]]  # y points down


def test_iou_against_opencv() -> None:
    cv2 = cv2_module()
    (ours, our_angles), (theirs, their_angles) = make_turned(40, 1), make_turned(30, 2)
    found = iou_rotated(ours, our_angles, theirs, their_angles)
    assert 0.1 < (found > 0).mean() < 0.8
    named = [
        [
            ((box[:2] + box[2:]) / 2, box[2:] - box[:2], float(angle))
            for box, angle in zip(*pair, strict=True)
        ]
        for pair in ((ours, our_angles), (theirs, their_angles))
    ]
    for row, one in enumerate(named[0]):
        for column, other in enumerate(named[1]):
            kind, polygon = cv2.rotatedRectangleIntersection(one, other)
            inter = cv2.contourArea(cv2.convexHull(polygon)) if kind else 0.0
            union = one[1].prod() + other[1].prod() - inter
            assert found[row, column] == pytest.approx(inter / union, abs=1e-3)  # theirs is float32


def _clipped_area(subject: Array, window: Array) -> float:
    """Sutherland and Hodgman 1974, one side of the window after the other."""
    points = [tuple(one) for one in subject.tolist()]
    for (ax, ay), (bx, by) in zip(window.tolist(), np.roll(window, -1, axis=0).tolist(), strict=True):
        sides = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for x, y in points]
        kept = []
        for at, (point, side) in enumerate(zip(points, sides, strict=True)):
            before, last = points[at - 1], sides[at - 1]
            if (side >= 0) != (last >= 0):
                share = last / (last - side)
                kept.append(tuple(p + share * (q - p) for p, q in zip(before, point, strict=True)))
            kept += [point] if side >= 0 else []
        points = kept
    x, y = np.array(points).T if points else np.zeros((2, 1))
    return float(np.abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def test_iou_against_clipped_polygons() -> None:
    (ours, our_angles), (theirs, their_angles) = make_turned(30, 11), make_turned(25, 12)
    found = iou_rotated(ours, our_angles, theirs, their_angles)
    areas = [(one[:, 2:] - one[:, :2]).prod(axis=1) for one in (ours, theirs)]
    for row, one in enumerate(rotated_to_corners(ours, our_angles)):
        for column, other in enumerate(rotated_to_corners(theirs, their_angles)):
            inter = _clipped_area(one, other)
            union = areas[0][row] + areas[1][column] - inter
            assert found[row, column] == pytest.approx(inter / union, abs=1e-9)


def test_iou_of_crossed_bars_and_of_an_octagon() -> None:
    bar = np.array([[0.0, 4, 10, 6]])
    crossed = iou_rotated(bar, np.array([0.0]), bar, np.array([90.0]))
    assert crossed[0, 0] == pytest.approx(4 / 36)
    square = np.array([[-1.0, -1, 1, 1]])
    octagon = 8 * (math.sqrt(2) - 1)  # what two unit squares, one turned by 45°, share
    found = iou_rotated(square, np.array([0.0]), square, np.array([45.0]))
    assert found[0, 0] == pytest.approx(octagon / (8 - octagon), rel=1e-12)


@given(TURNED, TURNED, st.floats(-180, 180))
def test_iou_is_symmetric_and_turns_with_the_plane(
    one: tuple[float, ...], other: tuple[float, ...], turn: float
) -> None:
    ours, theirs = _one(one), _one(other)
    found = float(iou_rotated(*ours, *theirs)[0, 0])
    assert 0 <= found <= 1
    assert iou_rotated(*theirs, *ours)[0, 0] == pytest.approx(found, abs=1e-9)
    turned = iou_rotated(*_moved(*ours, turn), *_moved(*theirs, turn))
    assert turned[0, 0] == pytest.approx(found, abs=1e-9)


@given(TURNED, st.sampled_from([0.0, 90.0, 180.0, -180.0, 360.0]))
def test_a_box_is_itself_under_its_other_names(one: tuple[float, ...], turn: float) -> None:
    boxes, angles = _one(one)
    other = boxes
    if turn == 90:  # width and height change places
        middle, half = (boxes[:, 2:] + boxes[:, :2]) / 2, (boxes[:, 2:] - boxes[:, :2])[:, ::-1] / 2
        other = np.concatenate([middle - half, middle + half], axis=1)
    assert iou_rotated(boxes, angles, other, angles + turn)[0, 0] == pytest.approx(1, abs=1e-9)


def test_without_angles_it_is_the_iou_of_upright_boxes() -> None:
    (ours, _), (theirs, _) = make_turned(60, 3), make_turned(50, 4)
    none = np.zeros(60), np.zeros(50)
    found = iou_rotated(ours, none[0], theirs, none[1])
    np.testing.assert_allclose(found, iou_xyxy(ours, theirs), atol=1e-12)


def test_iou_of_none_and_of_flat_boxes() -> None:
    boxes, angles = make_turned(3, 5)
    assert iou_rotated(boxes[:0], angles[:0], boxes, angles).shape == (0, 3)
    flat = np.array([[0.0, 0, 10, 0]])
    assert iou_rotated(flat, np.array([30.0]), flat, np.array([30.0])).tolist() == [[0.0]]


@given(TURNED)
@settings(max_examples=200)
def test_corners_and_back(one: tuple[float, ...]) -> None:
    boxes, angles = _one(one)
    found, turned = corners_to_rotated(rotated_to_corners(boxes, angles))
    np.testing.assert_allclose(found, boxes, atol=1e-9)
    assert -90 <= turned[0] < 90
    apart = (turned[0] - angles[0] + 90) % 180 - 90
    assert apart == pytest.approx(0, abs=1e-7)


def test_other_points_get_the_rectangle_of_least_area() -> None:
    cv2 = cv2_module()
    points = np.random.default_rng(6).random((200, 4, 2)) * 100
    boxes, angles = corners_to_rotated(points)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    least = [math.prod(cv2.minAreaRect(one.astype(np.float32))[1]) for one in points]
    np.testing.assert_allclose(areas, least, rtol=1e-4)
    around, turned = corners_to_rotated(rotated_to_corners(boxes, angles))
    np.testing.assert_allclose(around, boxes, atol=1e-8)
    hulls = rotated_to_corners(boxes, angles)
    for hull, four in zip(hulls, points, strict=True):
        outline = hull.astype(np.float32)[None]
        for point in four.tolist():
            assert cv2.pointPolygonTest(outline, point, measureDist=True) > -1e-3
    assert ((turned >= -90) & (turned < 90)).all()


@pytest.mark.parametrize(
    ("corners", "size", "angle"),
    [
        ([[5, 7]] * 4, (0, 0), 0),
        ([[0, 0], [4, 0], [4, 0], [0, 0]], (4, 0), 0),
        ([[0, 0], [3, 4], [3, 4], [0, 0]], (5, 0), 53.1301),
        ([[0, 0], [0, 0], [3, 4], [3, 4]], (0, 5), -36.8699),
    ],
)
def test_corners_of_lines_and_points(
    corners: list[list[int]], size: tuple[float, float], angle: float
) -> None:
    boxes, angles = corners_to_rotated(np.array([corners]))
    np.testing.assert_allclose(boxes[0, 2:] - boxes[0, :2], size, atol=1e-9)
    assert angles[0] == pytest.approx(angle, abs=1e-3)
    np.testing.assert_allclose((boxes[0, 2:] + boxes[0, :2]) / 2, np.mean(corners, axis=0), atol=1e-9)


def test_boxes_far_from_zero_keep_their_digits() -> None:
    boxes = np.array([[100_000.0, 200_000, 100_012, 200_005]])
    found, angle = corners_to_rotated(rotated_to_corners(boxes, np.array([33.0])))
    np.testing.assert_allclose(found, boxes, atol=1e-8)
    assert angle[0] == pytest.approx(33, abs=1e-7)


def test_upright_boxes_hold_the_corners_and_touch_them() -> None:
    boxes, angles = make_turned(50, 7)
    corners = rotated_to_corners(boxes, angles)
    expected = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    np.testing.assert_allclose(upright_xyxy(boxes, angles), expected, atol=1e-9)
    np.testing.assert_allclose(upright_xyxy(boxes, np.zeros(50)), boxes, atol=1e-12)


def test_nms_of_turned_boxes_against_a_loop() -> None:
    boxes, angles = make_turned(120, 8, extent=60)
    scores = np.round(np.random.default_rng(8).random(120), 1)  # with ties
    overlaps = iou_rotated(boxes, angles, boxes, angles)
    kept: list[int] = []
    for row in sorted(range(120), key=lambda one: (-scores[one], one)):
        if all(overlaps[other, row] <= 0.3 for other in kept):
            kept.append(row)
    found = nms_rotated(boxes, angles, scores, iou_threshold=0.3)
    assert found.tolist() == kept
    assert found.dtype == np.int64
    assert 10 < len(kept) < 110


@pytest.mark.parametrize("count", [0, 1, 700])
def test_nms_without_angles_is_that_of_upright_boxes(count: int) -> None:
    boxes, _ = make_turned(count, 9, extent=400)
    scores = np.random.default_rng(9).random(count)
    found = nms_rotated(boxes, np.zeros(count), scores, iou_threshold=0.4)
    assert found.tolist() == nms(boxes, scores, iou_threshold=0.4).tolist()


def test_a_turn_saves_a_neighbour_that_upright_boxes_would_lose() -> None:
    """Two pens side by side, both at 45°: their upright boxes overlap, they do not."""
    boxes = np.array([[0.0, 45, 100, 55], [10, 35, 110, 45]])
    angles, scores = np.array([45.0, 45.0]), np.array([0.9, 0.8])
    assert len(nms(upright_xyxy(boxes, angles), scores, iou_threshold=0.5)) == 1
    assert len(nms_rotated(boxes, angles, scores, iou_threshold=0.5)) == 2
