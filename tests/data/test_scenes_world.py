"""The camera and the silhouettes, against figures worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data.scenes.chance import stream
from striate.data.scenes.light import make_light
from striate.data.scenes.settings import SceneSettings
from striate.data.scenes.sketch import FACE, Drawn, ScreenMark, Sketch, project
from striate.data.scenes.trace import boxes_of_labels, silhouette_of
from striate.data.scenes.world import LANES, Camera, Pose, look_at, view_of

LIGHT = make_light(SceneSettings(), 0)


def camera(yaw_deg: float = 0.0, pitch_deg: float = 0.0) -> Camera:
    return look_at(
        (0.0, 2.0, 0.0),
        distance=10.0,
        yaw_deg=yaw_deg,
        pitch_deg=pitch_deg,
        focal_px=100.0,
        size_hw=(80, 120),
    )


def test_a_level_camera_by_hand() -> None:
    xy, depths = camera().project(np.array([[0.0, 2.0, 0.0], [1.0, 2.0, 0.0], [0.0, 3.0, 10.0]]))
    assert xy.tolist() == [[60.0, 40.0], [70.0, 40.0], [60.0, 35.0]]
    assert depths.tolist() == [10.0, 10.0, 20.0]


@given(yaw=st.floats(-70, 70), pitch=st.floats(0, 50), roll=st.floats(-180, 180))
def test_the_camera_looks_at_its_target_and_its_basis_is_a_rotation(
    yaw: float, pitch: float, roll: float
) -> None:
    found = camera(yaw, pitch).rolled(roll)
    xy, depths = found.project(np.array([[0.0, 2.0, 0.0]]))
    assert xy[0] == pytest.approx([60.0, 40.0], abs=1e-6)
    assert depths[0] == pytest.approx(10.0)
    assert found.basis @ found.basis.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(found.basis) == pytest.approx(1.0)


@given(yaw=st.floats(-60, 60), pitch=st.floats(2, 40), column=st.floats(10, 110))
def test_a_column_leads_back_to_its_ground_point(yaw: float, pitch: float, column: float) -> None:
    found = camera(yaw, pitch)
    x = found.x_at(column, 3.0)
    if x is not None:
        xy, _ = found.project(np.array([[x, 0.0, 3.0]]))
        assert xy[0, 0] == pytest.approx(column, abs=1e-6)


def test_rolling_turns_the_picture_clockwise() -> None:
    point = np.array([[1.0, 2.0, 0.0]])
    assert camera().rolled(90).project(point)[0][0] == pytest.approx([60.0, 50.0])
    assert camera().rolled(180).project(point)[0][0] == pytest.approx([50.0, 40.0])


def test_the_horizon() -> None:
    up_x, up_y, rise = camera(pitch_deg=20).tilt()
    assert (up_x, up_y) == pytest.approx((0.0, -1.0))
    assert rise == pytest.approx(100 * math.tan(math.radians(20)))
    far = camera(pitch_deg=20).project(np.array([[0.0, 0.0, 1e7]]))[0][0]
    assert far[1] == pytest.approx(40 - rise, abs=0.01)


def test_a_pose_turns_its_thing() -> None:
    ahead = np.array([1.0, 0.0, 0.0])
    assert Pose(0, 0, 90).rotation() @ ahead == pytest.approx([0, 0, 1])
    assert Pose(0, 0, 180, 2.0).rotation() @ ahead == pytest.approx([-2, 0, 0])
    # Turned round, a thing shows its other side to the same camera.
    assert view_of(Pose(0, 0, 0), camera(), LIGHT).eye == pytest.approx((0, 2, -10))
    assert view_of(Pose(0, 0, 180), camera(), LIGHT).eye == pytest.approx((0, 2, 10))
    assert list(LANES.values()) == sorted(LANES.values(), reverse=True)


def test_the_light_falls_on_what_faces_it() -> None:
    x, y, z = LIGHT.sun_xyz
    assert math.hypot(x, y, z) == pytest.approx(1.0)
    assert LIGHT.tone((x, y, z)) == pytest.approx(1.0)
    assert LIGHT.tone((-x, -y, -z)) == 0.0


def square(x0: float, y0: float, x1: float, y1: float) -> Drawn:
    points = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    mark = ScreenMark(FACE, 0, 4, 0.0, (9, 9, 9, 255), "pane", False, 0.0)
    return Drawn(points, (mark,), (), (x0, y0, x1, y1))


def test_a_silhouette_covers_the_pixels_that_it_fills() -> None:
    found = silhouette_of(square(3.1, 2.1, 7.9, 5.9), (20, 20), with_parts=True)
    assert found is not None
    rows, columns = np.nonzero(found.whole)
    assert (rows.min() + found.top, rows.max() + found.top) == (2, 5)
    assert (columns.min() + found.left, columns.max() + found.left) == (3, 7)
    assert found.names == ("pane",)
    assert np.array_equal(found.parts[found.whole] > 0, np.ones(20, bool))


def test_half_a_pixel_is_enough() -> None:
    found = silhouette_of(square(4.6, 4.1, 9.4, 8.9), (20, 20), with_parts=False)
    assert found is not None
    columns = np.nonzero(found.whole)[1] + found.left
    assert (columns.min(), columns.max()) == (4, 9)


def test_a_silhouette_reaches_beyond_the_picture() -> None:
    found = silhouette_of(square(-5.9, 4.1, 5.9, 7.9), (20, 20), with_parts=False)
    assert found is not None
    picture, own = found.inside((20, 20))
    assert np.count_nonzero(found.whole) == 48
    assert np.count_nonzero(found.whole[own]) == 24
    assert (picture[0].start, picture[1].start) == (3, 0)
    assert silhouette_of(square(-9.0, 4.0, -2.0, 8.0), (20, 20), with_parts=False) is None


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_boxes_of_labels_against_a_loop(seed: int, count: int) -> None:
    labels = np.random.default_rng(seed).integers(0, count + 1, (7, 9)) * (
        np.random.default_rng(seed + 1).random((7, 9)) < 0.3
    )
    boxes, pixels = boxes_of_labels(labels, count)
    for index in range(count):
        rows, columns = np.nonzero(labels == index + 1)
        assert pixels[index] == len(rows)
        wanted = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else [0] * 4
        assert boxes[index].tolist() == wanted


def test_a_sketch_is_lit_and_placed() -> None:
    sketch = Sketch()
    sketch.face([(-1, 0, 0), (1, 0, 0), (1, 2, 0), (-1, 2, 0)], (100, 100, 100), 1.0)
    sketch.face([(-1, 0, 0), (1, 0, 0), (1, 2, 0), (-1, 2, 0)], (100, 100, 100), 0.0)
    sketch.key("top", (0.0, 2.0, 0.0))
    drawn = project(sketch, Pose(0.0, 0.0), camera(), LIGHT)
    assert drawn.bounds == pytest.approx((50, 40, 70, 60))
    assert drawn.keys == (("top", pytest.approx(60), pytest.approx(40)),)
    lit, shaded = (sum(mark.rgba[:3]) for mark in drawn.marks)
    assert lit > shaded > 0


def test_streams_do_not_touch_each_other() -> None:
    one = stream(3, "a").random()
    stream(3, "b").random()
    assert stream(3, "a").random() == one
    assert stream(3, "b").random() != one != stream(4, "a").random()
