from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree

from striate.errors import UnknownNameError
from striate.features.ellipses import Regions, overlap
from striate.features.regions import REGION_DETECTORS, find_regions
from striate.types import Array, Picture

Photo = Callable[[str], Picture]


def ellipse(axes: tuple[float, float], degrees: float) -> Array:
    turn = np.radians(degrees)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    found: Array = spin @ np.diag(axes) @ spin.T
    return found


def regions(points: list[tuple[float, float]], shapes: list[Array]) -> Regions:
    return Regions(
        np.array(points, np.float32).reshape(-1, 2),
        np.array(shapes, np.float32).reshape(-1, 2, 2),
        np.ones(len(points), np.float32),
        "mser",
    )


def spot(axes: tuple[float, float], degrees: float) -> Picture:
    """A soft elliptical spot at (160, 120), √2 standard deviations to each half axis."""
    y, x = np.mgrid[:240, :320]
    away = np.stack([x - 160, y - 120]).reshape(2, -1)
    inner = np.linalg.solve(ellipse(axes, degrees), away)
    levels = 60 + 150 * np.exp(-(inner**2).sum(axis=0)).reshape(240, 320)
    return np.repeat(np.rint(levels).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("kind", ["mser", "hessian-affine"])
@pytest.mark.parametrize(("axes", "degrees"), [((24, 10), 30), ((24, 10), 120), ((14, 14), 0)])
def test_a_spot_has_its_own_shape(kind: str, axes: tuple[float, float], degrees: float) -> None:
    picture = spot(axes, degrees)
    if kind == "mser":  # with a sharp border, where any threshold says the same
        picture = np.where(picture > 60 + 150 / np.e, 210, 60).astype(np.uint8)
    found = find_regions(picture, kind, limit=1)
    wanted = regions([(160, 120)], [ellipse(axes, degrees)])
    assert overlap(found, wanted)[0] > 0.93


def tilted(picture: Picture, tilt: float) -> tuple[Picture, Array]:
    """`picture` as seen from the side: squeezed along a slanted axis, without aliasing."""
    matrix = np.column_stack([ellipse((1, 1 / tilt), 35), [0, 0]])
    height, width = picture.shape[:2]
    ends = np.array([(0, 0), (width, 0), (width, height), (0, height)]) @ matrix[:, :2].T
    matrix[:, 2] = -ends.min(axis=0)
    size = np.ceil(ends.max(axis=0) - ends.min(axis=0)).astype(int)
    grid = np.mgrid[-6:7, -6:7][::-1].reshape(2, -1)
    along = np.linalg.solve(ellipse((0.2, 0.5 * np.sqrt(tilt**2 - 1)), 35), grid)
    blur = np.exp(-(along**2).sum(axis=0) / 2).reshape(13, 13)
    smooth = cv2.filter2D(np.ascontiguousarray(picture), -1, blur / blur.sum())
    seen = cv2.warpAffine(smooth, matrix, tuple(size.tolist()), borderMode=cv2.BORDER_REFLECT_101)
    return seen, matrix


def repeated(
    first: Regions, second: Regions, matrix: Array, size: tuple[int, int], least: float
) -> float:
    """The share of the first picture's regions that the second one has, with an overlap of `least`."""
    moved = first.warped(matrix)
    inside = ((moved.points_xy > 8) & (moved.points_xy < np.array(size[::-1]) - 8)).all(axis=1)
    moved = moved.take(inside)
    near = cKDTree(second.points_xy).query_ball_point(
        moved.points_xy, np.maximum(4, moved.axes_px[:, 0])
    )
    rows = np.repeat(np.arange(len(moved)), [len(one) for one in near])
    partners = np.array([one for some in near for one in some])
    best = np.zeros(len(moved))
    shared = overlap(moved.take(rows), second.take(partners), radius_px=30)
    np.maximum.at(best, rows, shared)
    return float((best > least).mean())


@pytest.mark.parametrize(
    ("kind", "tilt", "least_share"),
    [("mser", 2.0, 0.45), ("hessian-affine", 1.5, 0.25), ("harris-affine", 1.5, 0.15)],
)
def test_regions_follow_an_affine_warp(kind: str, tilt: float, least_share: float, photo: Photo) -> None:
    """B4: at an overlap of 80 % many ellipses are found again, and none of the discs of their area."""
    picture = photo("motorcycle_left.png")
    seen, matrix = tilted(picture, tilt)
    first, second = find_regions(picture, kind, limit=120), find_regions(seen, kind)
    size = (seen.shape[0], seen.shape[1])
    assert repeated(first, second, matrix, size, 0.8) > least_share
    assert repeated(discs(first), discs(second), matrix, size, 0.8) < 0.05


def discs(found: Regions) -> Regions:
    round_ones = found.circles().scale_px[:, None, None] * np.eye(2, dtype=np.float32)
    return Regions(found.points_xy, round_ones.astype(np.float32), found.response, found.kind)


def test_overlap_by_hand() -> None:
    one = regions([(0, 0)] * 5, [np.eye(2) * 10] * 5)
    other = regions(
        [(0, 0), (0, 0), (20.5, 0), (10, 0), (0, 0)],
        [np.eye(2) * 10, np.eye(2) * 5, np.eye(2) * 10, np.eye(2) * 10, ellipse((20, 10), 70)],
    )
    lens = 2 * 100 * np.arccos(0.5) - 0.5 * 10 * np.sqrt(400 - 100)  # two discs a radius apart
    wanted = [1, 0.25, 0, lens / (200 * np.pi - lens), 0.5]
    np.testing.assert_allclose(overlap(one, other), wanted, atol=0.012)
    # a factor for both moves nothing but distances
    assert overlap(one, other, radius_px=30)[1] == pytest.approx(0.25, abs=0.01)
    np.testing.assert_allclose(overlap(other, one), overlap(one, other), atol=0.012)


def test_warping_moves_centre_and_shape() -> None:
    turn = np.radians(25)
    spin = np.array([[np.cos(turn), -np.sin(turn), 7], [np.sin(turn), np.cos(turn), -3]])
    moved = regions([(10, 20)], [ellipse((9, 4), 10)]).warped(spin)
    np.testing.assert_allclose(moved.points_xy[0], spin[:, :2] @ (10, 20) + spin[:, 2], rtol=1e-5)
    np.testing.assert_allclose(moved.axes_px[0], [9, 4], rtol=1e-5)
    assert moved.angle_deg[0] == pytest.approx(35, abs=1e-3)
    squeezed = regions([(10, 20)], [np.eye(2) * 6]).warped(np.array([[1, 0, 0], [0, 0.5, 0]]))
    np.testing.assert_allclose(squeezed.shapes[0], np.diag([6, 3]), atol=1e-5)


@pytest.mark.parametrize("kind", REGION_DETECTORS)
def test_degenerate_pictures(kind: str, rng: np.random.Generator) -> None:
    for size in ((1, 1), (1, 40), (3, 3), (4, 9), (8, 8), (30, 40)):
        assert len(find_regions(np.full((*size, 3), 99, np.uint8), kind)) == 0
        find_regions(rng.integers(0, 256, (*size, 3), dtype=np.uint8), kind)


@pytest.mark.parametrize("kind", REGION_DETECTORS)
def test_the_strongest_first(kind: str, photo: Photo) -> None:
    found = find_regions(photo("coffee.png"), kind)
    assert len(found) > 30
    assert (np.diff(found.response) <= 0).all()
    assert len(find_regions(photo("coffee.png"), kind, limit=7)) == 7
    facts = found.to_dict()
    assert facts["count"] == len(found)
    first = np.array(facts["axes_px"])
    assert (first[:, 0] >= first[:, 1]).all()


def test_wrong_arguments(photo: Photo) -> None:
    with pytest.raises(UnknownNameError, match="hessian-affine"):
        find_regions(photo("coffee.png"), "hesse")
    with pytest.raises(ValueError, match="without area"):
        regions([(0, 0)], [np.diag([1, 0])])
    with pytest.raises(ValueError, match="shapes"):
        Regions(
            np.zeros((2, 2), np.float32), np.zeros((1, 2, 2), np.float32), np.zeros(2, np.float32), "x"
        )
    with pytest.raises(ValueError, match="matrix"):
        regions([(0, 0)], [np.eye(2)]).warped(np.eye(2))
    with pytest.raises(ValueError, match="1 regions and 2"):
        overlap(regions([(0, 0)], [np.eye(2)]), regions([(0, 0)] * 2, [np.eye(2)] * 2))
