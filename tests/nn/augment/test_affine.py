from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision import tv_tensors
from torchvision.transforms import v2

from striate.nn.augment.affine import compose_affine, invert_affine, warp_points

SIZE_HW = (20, 31)
CENTRE = np.array([[15.5, 10.0]])


def _compose(**changed: np.ndarray) -> np.ndarray:
    neutral = {
        "centre_xy": CENTRE,
        "angle_deg": np.zeros(1),
        "zoom_xy": np.ones((1, 2)),
        "flip_xy": np.zeros((1, 2), bool),
        "shift_xy": np.zeros((1, 2)),
    }
    return compose_affine(SIZE_HW, **(neutral | changed))


def test_nothing_is_the_identity() -> None:
    np.testing.assert_allclose(_compose()[0], [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_each_change_by_hand() -> None:
    point = np.array([[[4.0, 3.0]]])  # (B, N, 2)
    flip = _compose(flip_xy=np.array([[True, False]]))
    np.testing.assert_allclose(warp_points(point, flip)[0, 0], [31 - 4, 3])
    shift = _compose(shift_xy=np.array([[2.0, -5.0]]))
    np.testing.assert_allclose(warp_points(point, shift)[0, 0], [6, -2])
    zoom = _compose(zoom_xy=np.array([[2.0, 1.0]]))
    np.testing.assert_allclose(warp_points(point, zoom)[0, 0], [15.5 + 2 * (4 - 15.5), 3])
    quarter = _compose(
        angle_deg=np.array([90.0])
    )  # clockwise as seen: right of the centre goes below it
    np.testing.assert_allclose(warp_points([[[20.5, 10.0]]], quarter)[0, 0], [15.5, 15.0], atol=1e-12)
    crop = _compose(centre_xy=np.array([[10.0, 5.0]]))
    np.testing.assert_allclose(warp_points([[[10.0, 5.0]]], crop)[0, 0], CENTRE[0])


@given(
    angle=st.floats(-180, 180),
    zoom=st.tuples(st.floats(0.5, 2), st.floats(0.5, 2)),
    flip=st.booleans(),
    place=st.tuples(st.floats(0, 31), st.floats(-9, 9)),
)
def test_the_way_back_undoes_it(
    angle: float, zoom: tuple[float, float], flip: bool, place: tuple[float, float]
) -> None:
    x, shift = place
    matrix = _compose(
        centre_xy=np.array([[x, 7.0]]),
        angle_deg=np.array([angle]),
        zoom_xy=np.array([zoom]),
        flip_xy=np.array([[flip, not flip]]),
        shift_xy=np.array([[shift, -shift]]),
    )
    points = np.array([[[0.0, 0.0], [31.0, 20.0], [x, 3.0]]])
    there = warp_points(points, matrix)
    np.testing.assert_allclose(warp_points(there, invert_affine(matrix)), points, atol=1e-9)


def test_a_box_follows_as_torchvision_moves_it() -> None:
    """torchvision, too, turns clockwise as seen for positive angles."""
    box = np.array([[3.0, 2.0, 12.0, 9.0]])
    given_box = tv_tensors.BoundingBoxes(torch.from_numpy(box), format="XYXY", canvas_size=SIZE_HW)
    corners = np.array([[[3.0, 2.0], [12.0, 2.0], [12.0, 9.0], [3.0, 9.0]]])
    cases = {
        "mirror": (
            _compose(flip_xy=np.array([[True, False]])),
            v2.functional.horizontal_flip(given_box),
        ),
        "shift": (
            _compose(shift_xy=np.array([[4.0, 2.0]])),
            v2.functional.affine(given_box, angle=0.0, translate=[4, 2], scale=1.0, shear=[0.0, 0.0]),
        ),
        "zoom": (
            _compose(zoom_xy=np.full((1, 2), 1.25)),
            v2.functional.affine(given_box, angle=0.0, translate=[0, 0], scale=1.25, shear=[0.0, 0.0]),
        ),
        "turn": (
            _compose(angle_deg=np.array([30.0])),
            v2.functional.affine(given_box, angle=30.0, translate=[0, 0], scale=1.0, shear=[0.0, 0.0]),
        ),
    }
    for name, (matrix, expected) in cases.items():
        moved = warp_points(corners, matrix)[0]
        hull = np.concatenate([moved.min(axis=0), moved.max(axis=0)])
        hull = np.clip(hull, 0, [31, 20, 31, 20])  # torchvision clips to the canvas
        np.testing.assert_allclose(hull, expected.numpy()[0], atol=1e-3, err_msg=name)
