"""Places that move, against brute force: filled masks carried by OpenCV."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.ops.moving import (
    move_boxes,
    move_masks,
    move_points,
    move_rotated,
    seen_shares,
    through,
)
from striate.types import Array, Prepared

HW = (90, 140)


def turned(angle_deg: float, scale: float = 1.0) -> Array:
    """About the middle, clockwise as seen, (3, 3)."""
    turn = np.radians(angle_deg)
    x, y = HW[1] / 2, HW[0] / 2
    to, back = np.eye(3), np.eye(3)
    to[:2, 2], back[:2, 2] = (-x, -y), (x, y)
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    matrix[:2, :2] *= scale
    return back @ matrix @ to


TILTED = turned(12) @ np.array([[1, 0.1, 0], [0, 1, 0], [0.0012, 0.0006, 1]])


def by(matrix: Array) -> Callable[[Array], Array]:
    def move(points: Array) -> Array:
        moved = np.c_[points, np.ones(len(points))] @ matrix.T
        found: Array = moved[:, :2] / moved[:, 2:]
        return found

    return move


def carried(mask: Array, matrix: Array) -> Array:
    """The mask as OpenCV warps it, at eight times the size, flags."""
    fine = 8
    large = mask.astype(np.uint8).repeat(fine, axis=0).repeat(fine, axis=1)
    up, half = np.diag([fine, fine, 1.0]), np.eye(3)
    half[:2, 2] = -0.5
    moved = half @ up @ matrix @ np.linalg.inv(up) @ np.linalg.inv(half)
    size = (mask.shape[1] * fine, mask.shape[0] * fine)
    warped = cv2.warpPerspective(large, moved, size, flags=cv2.INTER_NEAREST)
    parts = np.asarray(warped).reshape(mask.shape[0], fine, mask.shape[1], fine)
    found: Array = parts.mean(axis=(1, 3)) >= 0.5
    return found


def bounds(mask: Array) -> Array:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)


@pytest.mark.parametrize("matrix", [turned(0), turned(33), turned(90), turned(-7, 0.6), TILTED])
@pytest.mark.parametrize("box", [(40, 30, 80, 61), (60, 20, 71, 66), (50, 40, 52, 42)])
def test_boxes_are_the_bounds_of_a_filled_mask(matrix: Array, box: tuple[int, ...]) -> None:
    mask = np.zeros(HW, bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    found = move_boxes(np.array([box]), by(matrix))[0]
    # a corner that holds less than half of a pixel is not in the mask
    assert np.abs(found - bounds(carried(mask, matrix))).max() <= 1.0


@pytest.mark.parametrize("matrix", [turned(33), turned(90), turned(-7, 1.7), turned(5, 0.4), TILTED])
def test_masks_are_carried_as_opencv_carries_them(matrix: Array, rng: np.random.Generator) -> None:
    noise = cv2.GaussianBlur(rng.normal(size=HW), (0, 0), 6)
    mask = noise > 0
    found = move_masks(mask, by(matrix))
    wanted = carried(mask, matrix)
    edge = cv2.dilate(wanted.astype(np.uint8), np.ones((3, 3))) != cv2.erode(
        wanted.astype(np.uint8), np.ones((3, 3))
    )
    assert found.dtype == np.bool_
    assert (found == wanted).mean() > 0.985
    assert (found == wanted)[~edge].all()


def test_labels_do_not_mix_and_several_masks_share_a_move() -> None:
    labels = np.zeros((2, *HW), np.uint8)
    labels[0, 20:40, 30:60], labels[0, 40:60, 30:60] = 9, 200
    labels[1] = 3
    found = move_masks(labels, by(turned(20)), outside=77)
    assert set(np.unique(found[0])) == {0, 9, 200, 77}
    assert set(np.unique(found[1])) == {3, 77}
    assert (found[0] == 77).sum() == (found[1] == 77).sum() > 100


def test_a_mask_that_does_not_move_stays_to_the_pixel(rng: np.random.Generator) -> None:
    labels = rng.integers(0, 9, HW)
    assert np.array_equal(move_masks(labels, lambda points: points), labels)
    shifted = move_masks(labels, lambda points: points + np.array([3, -2]), outside=-1)
    assert np.array_equal(shifted[:-2, 3:], labels[2:, :-3])
    assert (shifted[:, :3] == -1).all()
    large = move_masks(labels, lambda points: points * 2, (180, 280))
    assert np.array_equal(large, np.kron(labels, np.ones((2, 2), int)))


def test_points_and_whether_they_are_still_there() -> None:
    points, inside = move_points(np.array([[5, 5], [130, 80]]), lambda p: p + np.array([20, 0]), HW)
    assert points.tolist() == [[25, 5], [150, 80]]
    assert inside.tolist() == [True, False]
    empty, none = move_points(np.empty((0, 2)), lambda p: p + 1, HW)
    assert empty.shape == (0, 2)
    assert none.shape == (0,)


def test_an_ellipse_grows_less_than_its_box() -> None:
    box = np.array([[40.0, 20, 80, 60]])
    whole, round_one = (move_boxes(box, by(turned(45)), outline=how)[0] for how in ("box", "ellipse"))
    assert np.allclose(whole[2:] - whole[:2], 40 * np.sqrt(2), atol=1e-9)
    assert np.allclose(round_one[2:] - round_one[:2], 40, atol=0.2)  # a circle stays one
    for how in ("box", "ellipse"):
        assert np.allclose(move_boxes(box, lambda p: p * (2, 0.5), outline=how), box * (2, 0.5, 2, 0.5))


@settings(max_examples=40, deadline=None)
@given(st.floats(-180, 180), st.floats(-80, 80), st.floats(4, 40), st.floats(4, 40))
def test_turned_boxes_turn(angle: float, by_deg: float, width: float, height: float) -> None:
    box = np.array([[50 - width / 2, 40 - height / 2, 50 + width / 2, 40 + height / 2]])
    found, angles = move_rotated(box, np.array([angle]), by(turned(by_deg)))
    assert np.allclose(found[0, 2:] - found[0, :2], [width, height], atol=1e-6)
    off = (angles[0] - angle - by_deg) % 180
    assert min(off, 180 - off) < 1e-6


def test_shares_that_are_seen() -> None:
    boxes = np.array([[0, 0, 10, 10], [-5, 0, 5, 10], [-10, -10, 0, 0], [3, 3, 3, 9]], float)
    frame = np.array([0.0, 0, 100, 50])
    assert seen_shares(boxes, frame).tolist() == [1, 0.5, 0, 1]
    turned_by = np.array([45.0, 0, 0, 0])
    assert np.allclose(seen_shares(boxes, frame, turned_by)[1:], [0.5, 0, 1])
    corner = np.array([[-10.0, -10, 10, 10]])
    assert seen_shares(corner, frame, np.array([45.0]))[0] == pytest.approx(0.25)


def test_through_a_prepared_picture() -> None:
    prepared = Prepared(np.zeros((8, 8, 3), np.uint8), (40, 80), (0.1, 0.1), (2.0, 0.0))
    # a pixel of the input is ten of the picture
    own = through(prepared, lambda points: points + np.array([1, 0]))
    assert np.allclose(own(np.array([[30.0, 10.0]])), [[40, 10]])
