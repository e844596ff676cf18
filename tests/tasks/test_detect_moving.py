"""Truths of a detector that move with the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from striate.data.boxes.truth import Box
from striate.pictures.resize import fit
from striate.stress.axes.deformation import deformation_axes
from striate.stress.axes.geometry import geometry_axes
from striate.stress.axes.truncation import TRUNCATION
from striate.stress.changes import Axis, Material
from striate.tasks.detect.moving import LEAST_SEEN, moved_boxes
from striate.types import Array

AXES = (*geometry_axes("rim"), *deformation_axes("rim"), *TRUNCATION)


def by(x: float, y: float) -> Callable[[Array], Array]:
    return lambda points: points + np.array([x, y])


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_boxes_hold_the_pixels_that_they_held(axis: Axis) -> None:
    """A filled box is drawn, prepared and changed; its pixels are bounded anew."""
    picture = np.zeros((150, 260, 3), np.uint8)
    picture[60:100, 90:160] = 255
    truth = (Box("a", (90, 60, 160, 100)),)
    prepared = fit(picture, (128, 192), how="pad")
    pictures = np.repeat(prepared.pixels[None], 6, axis=0)
    for level in axis.levels[1::2]:
        changed = axis.change(pictures, level, Material(np.arange(6), pictures[:0]))
        assert changed.moves is not None
        for moved, move in zip(changed.pictures, changed.moves, strict=True):
            found = moved_boxes(truth, prepared, move, oriented=False, outline="box")
            bright = moved[..., 0] > 128 + 64  # above the grey of the padding
            if not found:
                continue
            rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
            seen = np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]], float)
            own = (seen - prepared.offset_yx[::-1]) / prepared.scale_yx[::-1]
            own = np.clip(own, 0, (260, 150))
            # sharp corners fade; a pixel of the input is 1.35 of the picture
            assert np.abs(own.ravel() - found[0].box_xyxy).max() <= 3.5


def test_what_is_left_of_a_box() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    prepared = fit(picture, (100, 200), how="squash")
    truth = (Box("a", (10, 10, 50, 30), extras=(("truncated", "0"),)), Box("b", (150, 10, 190, 30)))
    half, gone = moved_boxes(truth, prepared, by(-30, 0), oriented=False)
    assert half.box_xyxy == (0, 10, 20, 30)
    assert not half.difficult
    assert half.extras == ()
    assert gone.box_xyxy == (120, 10, 160, 30)
    sliver, _ = moved_boxes(truth, prepared, by(-41, 0), oriented=False)
    assert sliver.difficult
    assert LEAST_SEEN > (50 - 41) / 40
    assert [box.label for box in moved_boxes(truth, prepared, by(-60, 0), oriented=False)] == ["b"]
    assert moved_boxes((), prepared, by(5, 0), oriented=False) == ()
    crowd = moved_boxes((Box("a", (0, 0, 9, 9), crowd=True),), prepared, by(3, 0), oriented=False)
    assert crowd[0].crowd


def test_a_round_thing_keeps_a_close_box() -> None:
    """A disc turned by 45° stays one; a crowd may fill its whole box."""
    prepared = fit(np.zeros((100, 100, 3), np.uint8), (100, 100))
    turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    truth = (Box("a", (30, 30, 70, 70)), Box("a", (30, 30, 70, 70), crowd=True))
    disc, crowd = moved_boxes(truth, prepared, lambda points: (points - 50) @ turn + 50, oriented=False)
    assert disc.box_xyxy == pytest.approx((30, 30, 70, 70), abs=0.1)
    reach = 20 * np.sqrt(2)
    assert crowd.box_xyxy == pytest.approx((50 - reach, 50 - reach, 50 + reach, 50 + reach))


def test_padding_is_not_the_picture() -> None:
    prepared = fit(np.zeros((100, 200, 3), np.uint8), (200, 200), how="pad")
    truth = (Box("a", (20, 10, 40, 30)),)
    (box,) = moved_boxes(truth, prepared, by(0, -15), oriented=False)
    assert box.box_xyxy == (20, 0, 40, 15)  # seen on the padding, but answers end at the picture
    assert moved_boxes(truth, prepared, by(0, -40), oriented=False) == ()


def test_a_cropped_input_shows_less() -> None:
    prepared = fit(np.zeros((100, 200, 3), np.uint8), (100, 100), how="crop")
    truth = (Box("a", (60, 10, 100, 30)),)
    (box,) = moved_boxes(truth, prepared, by(-20, 0), oriented=False)
    assert box.box_xyxy == pytest.approx((50, 10, 80, 30))


def test_turned_boxes_stay_turned() -> None:
    prepared = fit(np.zeros((100, 100, 3), np.uint8), (100, 100))
    truth = (Box("a", (30, 40, 70, 60), angle_deg=20),)

    def quarter(points: Array) -> Array:
        found: Array = np.stack([100 - points[:, 1], points[:, 0]], axis=1)  # clockwise
        return found

    (box,) = moved_boxes(truth, prepared, quarter, oriented=True)
    assert box.box_xyxy == pytest.approx((30, 40, 70, 60))
    assert box.angle_deg == pytest.approx(-70)
    (upright,) = moved_boxes(truth, prepared, quarter, oriented=False)
    assert upright.angle_deg == 0
    assert upright.box_xyxy[3] - upright.box_xyxy[1] > 40
    (out,) = moved_boxes(truth, prepared, by(-60, 0), oriented=True)
    assert out.box_xyxy == pytest.approx((-30, 40, 10, 60))  # not cut off: it keeps its form
    assert out.difficult
    assert moved_boxes(truth, prepared, by(-99, 0), oriented=True) == ()
