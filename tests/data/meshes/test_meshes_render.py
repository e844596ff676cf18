from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data.meshes.mesh import Mesh, join
from striate.data.meshes.raster import rasterise
from striate.data.meshes.render import render, render_through
from striate.data.meshes.shapes import ball, block
from striate.data.meshes.view import Camera, Light, View, camera_for
from striate.errors import DataError, SettingError

PLAIN = Light(lamp=0.0, ambient=1 / 0.88)  # a face that looks at the camera shows its own colour


def sheet(
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    z: float,
    colour: Sequence[int] = (200, 40, 30),
    name: str = "a",
) -> Mesh:
    vertices = np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], np.float64)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    return Mesh(vertices, faces, np.array([colour] * 2, np.uint8), (name,))


def camera(size: int = 40, distance: float = 10.0) -> Camera:
    return Camera(focal_px=100.0, centre_xy=(size / 2, size / 2), distance=distance)


def test_a_sheet_covers_exactly_its_pixels() -> None:
    # depth 10, focal 100: ten pixels a metre. x 0.2 to 1.2 is columns 22 to 32
    found = render_through(sheet(0.2, -0.5, 1.2, 1.0, 0.0), camera(), (40, 40), light=PLAIN)
    expected = np.zeros((40, 40), bool)
    expected[10:25, 22:32] = True
    np.testing.assert_array_equal(found.mask, expected)
    np.testing.assert_array_equal(found.cover, expected)
    assert found.box_xyxy == (22, 10, 32, 25)
    assert (found.picture[expected] == (200, 40, 30)).all()
    np.testing.assert_allclose(found.depth[expected], 10.0, rtol=1e-6)
    assert np.isinf(found.depth[~expected]).all()
    assert (found.part[~expected] == -1).all()


def test_edges_are_smooth() -> None:
    found = render_through(sheet(0.2, -0.5, 1.25, 1.0, 0.0), camera(), (40, 40), light=PLAIN,
                           ground=(0, 0, 0))  # fmt: skip
    assert (found.cover[10:25, 32] == 0.5).all()
    assert (found.picture[12, 32] == (100, 20, 15)).all()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_covers_the_farther(order: tuple[int, int]) -> None:
    both = [sheet(-1, -1, 1, 1, 0.0, (10, 20, 200), "far"), sheet(0, 0, 0.48, 0.48, 2.0, name="near")]
    found = render_through(join([both[k] for k in order]), camera(), (40, 40), light=PLAIN)
    # 2 m nearer: 100 / 8 = 12.5 pixels a metre
    near = found.part == found.parts.index("near")
    rows, columns = np.nonzero(near)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (14, 19, 20, 25)
    np.testing.assert_allclose(found.depth[15, 21], 8.0, rtol=1e-6)
    assert found.part_boxes()["far"] == (10, 10, 30, 30)


def test_sheets_that_pierce_each_other_meet_in_a_line() -> None:
    tilted = sheet(-1, -1, 1, 1, 0.0, name="tilted")
    tilted.vertices[[1, 2], 2] = 1.0  # its right side comes forward
    tilted.vertices[[0, 3], 2] = -1.0
    found = render_through(join([sheet(-1, -1, 1, 1, 0.0, name="flat"), tilted]), camera(), (40, 40))
    row = found.part[20]
    assert (row[12:20] == 0).all()
    assert (row[20:28] == 1).all()


def test_depth_of_a_slanted_sheet_is_exact() -> None:
    slanted = sheet(-1, -1, 1, 1, 0.0)
    slanted.vertices[[2, 3], 2] = -3.0
    found = render_through(slanted, camera(), (40, 40), samples=1)
    rows, columns = np.nonzero(found.mask)
    # the ray through a pixel's middle meets the plane z = −1.5 (y + 1)
    up = (20 - (rows + 0.5)) / 100
    expected = (10 + 1.5) / (1 - 1.5 * up)
    np.testing.assert_allclose(found.depth[rows, columns], expected, rtol=1e-5)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_neighbours_share_no_pixel_and_leave_none(seed: int, cells: int) -> None:
    rng = np.random.default_rng(seed)
    # a grid of triangles with shaken inner points fills a square: each pixel exactly once
    grid = np.stack(np.meshgrid(np.linspace(2, 18, cells + 1), np.linspace(3, 17, cells + 1)), -1)
    grid[1:-1, 1:-1] += rng.uniform(-1, 1, grid[1:-1, 1:-1].shape)
    triangles = []
    for r in range(cells):
        for c in range(cells):
            a, b, d, e = grid[r, c], grid[r, c + 1], grid[r + 1, c], grid[r + 1, c + 1]
            triangles += [[a, b, d], [b, e, d]]
    corners = np.array(triangles)
    count = np.zeros(20 * 20, int)
    for one in corners:
        count[rasterise(one[None], np.ones((1, 3)), (20, 20)).pixel] += 1
    expected = np.zeros((20, 20), int)
    expected[3:17, 2:18] = 1
    np.testing.assert_array_equal(count.reshape(20, 20), expected)


def test_a_ball_shows_as_a_disc_of_the_scale_asked_for() -> None:
    round_ = ball((3, -2, 5), (2, 2, 2), (255, 255, 255), "ball", rings=25, sides=40)
    found = render(round_, View.at(20, 30, 40, scale=0.5), (100, 80))
    area = found.cover.sum()
    assert area == pytest.approx(np.pi * 20**2, rel=0.03)
    x0, y0, x1, y1 = found.box_xyxy or (0, 0, 0, 0)
    assert (x0 + x1) / 2 == pytest.approx(40, abs=1)
    assert (y0 + y1) / 2 == pytest.approx(50, abs=1)


def test_places_of_points_follow_the_convention() -> None:
    mesh = block((-1, -1, -1), (1, 1, 1), (9, 9, 9), "cube")

    def at(view: View, point: Sequence[float]) -> np.ndarray:
        cam = camera_for(mesh, view, (100, 100))
        return cam.project(cam.points(np.array([point], np.float64)))[0]

    nose, crown = (0, 0, 1), (0, 1, 0)
    assert at(View.at(30), nose)[0] > 55
    assert at(View.at(0, 30), nose)[1] < 45
    assert at(View.at(0, 0, 30), crown)[0] > 55
    assert at(View.at(elevation_deg=30), nose)[1] > 55  # seen from above, the front lies lower
    np.testing.assert_allclose(at(View.at(shift_xy=(0.1, -0.2)), (0, 0, 0)), (60, 30), atol=1e-9)


def test_the_lamp_lights_the_side_it_stands_on() -> None:
    mesh = ball((0, 0, 0), (1, 1, 1), (200, 200, 200), "ball", rings=15, sides=24)
    view = View.at(light=Light(azimuth_deg=90, height_deg=0, ambient=0.2))
    grey = render(mesh, view, (60, 60)).picture[..., 0].astype(int)
    assert grey[30, 50] > grey[30, 10] + 60
    flat = render(mesh, view, (60, 60), shading="flat").picture
    smooth = render(mesh, view, (60, 60), shading="smooth").picture
    assert len(np.unique(smooth.reshape(-1, 3), axis=0)) > len(np.unique(flat.reshape(-1, 3), axis=0))


def test_backs_of_open_meshes_are_lit_and_of_closed_ones_never_drawn() -> None:
    open_ = sheet(-1, -1, 1, 1, 0.0)
    front, back = (render(open_, View.at(yaw, light=PLAIN)).picture[64, 64] for yaw in (0, 180))
    np.testing.assert_array_equal(front, back)
    closed = Mesh(open_.vertices, open_.faces, open_.colours, two_sided=False)
    assert render(closed, View.at(180)).box_xyxy is None


def test_what_lies_behind_the_camera_or_too_near_is_cut() -> None:
    behind = render_through(sheet(-1, -1, 1, 1, 11.0), camera(), (40, 40))
    assert behind.box_xyxy is None
    through = Mesh(  # a floor from before the camera to behind it
        np.array([[-50.0, -1, -20], [50, -1, -20], [50, -1, 30], [-50, -1, 30]]),
        np.array([[0, 1, 2], [0, 2, 3]]),
        np.full((2, 3), 99, np.uint8),
    )
    found = render_through(through, camera(), (40, 40))
    # the horizon of the far edge: 100 · 1 / 30 below the middle; all below it is floor
    assert found.box_xyxy == (0, 23, 40, 40)
    assert found.mask[24:].all()


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 50), (37, 3)])
def test_any_size(size_hw: tuple[int, int]) -> None:
    found = render(block((-1, -1, -1), (1, 1, 1), (9, 200, 9), "cube"), View.at(30), size_hw)
    assert found.picture.shape == (*size_hw, 3)
    assert found.mask[size_hw[0] // 2, size_hw[1] // 2]


def test_degenerate_triangles_draw_nothing_and_hurt_nothing() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0]])
    for faces in ([[0, 0, 0]], [[0, 1, 2]], [[0, 1, 1]]):
        mesh = Mesh(vertices, np.array(faces), np.zeros((1, 3), np.uint8))
        for shading in ("flat", "smooth"):
            assert not render(mesh, View.at(10, 20, 30), shading=shading).mask.any()  # type: ignore[arg-type]
    one = Mesh(vertices, np.array([[0, 1, 3]]), np.zeros((1, 3), np.uint8))
    assert render(one, View()).mask.any()


def test_wrong_meshes_are_refused() -> None:
    good = sheet(-1, -1, 1, 1, 0.0)
    with pytest.raises(DataError, match="no faces"):
        Mesh(good.vertices, np.zeros((0, 3), np.int64), np.zeros((0, 3), np.uint8))
    with pytest.raises(DataError, match="not finite"):
        Mesh(np.full((4, 3), np.nan), good.faces, good.colours)
    with pytest.raises(DataError, match="names none of its 4"):
        Mesh(good.vertices, good.faces + 2, good.colours)
    with pytest.raises(SettingError, match="background"):
        render(good, View(), (8, 8), ground=np.zeros((9, 8, 3), np.uint8))
    with pytest.raises(SettingError, match="0 × 8"):
        render(good, View(), (0, 8))


def test_a_hundred_thousand_faces_and_faces_over_all_of_the_picture() -> None:
    round_ = ball((0, 0, 0), (1, 1, 1), (9, 9, 9), "ball", rings=200, sides=250)
    assert len(round_) > 99_000
    began = time.process_time()
    assert render(round_, View(), (128, 128)).mask.any()
    pile = join([sheet(-1, -1, 1, 1, z) for z in np.linspace(-0.01, 0.01, 100)])
    assert render(pile, View(scale=3.0), (128, 128)).mask.all()
    assert time.process_time() - began < 6


def test_nothing_is_drawn_twice_as_a_whole() -> None:
    mesh = block((-1, -1, -1), (1, 1, 1), (9, 200, 9), "cube")
    before = mesh.vertices.copy()
    one, other = (render(mesh, View.at(12, 34, 56)) for _ in range(2))
    np.testing.assert_array_equal(one.picture, other.picture)
    np.testing.assert_array_equal(mesh.vertices, before)
