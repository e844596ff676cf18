from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from striate.features.repeatability.regions import (
    NORMAL_RADIUS_PX,
    circles,
    in_picture,
    local_affine,
    most_apart,
    near_pairs,
    one_to_one,
    overlap_errors,
    overlap_pairs,
    project,
)
from striate.types import Array

TILT = np.array([[0.9, 0.1, 5.0], [-0.2, 1.1, 3.0], [4e-4, -2e-4, 1.0]])


def lens(a: float, b: float, d: float) -> float:
    """The overlap error of circles of radius a and b whose centres are d apart, in closed form."""
    if d >= a + b:
        return 1.0
    if d <= max(abs(a - b), 1e-9):
        return 1.0 - (min(a, b) / max(a, b)) ** 2
    one = a * a * math.acos((d * d + a * a - b * b) / (2 * d * a))
    two = b * b * math.acos((d * d + b * b - a * a) / (2 * d * b))
    kite = 0.5 * math.sqrt((-d + a + b) * (d + a - b) * (d - a + b) * (d + a + b))
    both = one + two - kite
    return 1.0 - both / (math.pi * (a * a + b * b) - both)


def one_error(shape_a: Array, shape_b: Array, offset: tuple[float, float]) -> float:
    return float(overlap_errors(shape_a[None], shape_b[None], np.array([offset]))[0])


def ellipse(long: float, short: float, angle: float) -> Array:
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return turn @ np.diag([long**2, short**2]) @ turn.T


@given(st.floats(0.2, 5), st.floats(0.2, 5), st.floats(0, 8), st.floats(0, 2 * math.pi))
def test_circles_overlap_as_the_lens_formula_says(a: float, b: float, d: float, angle: float) -> None:
    offset = (d * math.cos(angle), d * math.sin(angle))
    found = one_error(a * a * np.eye(2), b * b * np.eye(2), offset)
    assert found == pytest.approx(lens(a, b, d), abs=1e-3)


def test_figures_that_can_be_worked_out_by_hand() -> None:
    disc = np.eye(2)
    assert one_error(disc, disc, (0, 0)) == pytest.approx(0, abs=1e-4)
    assert one_error(disc, 4 * disc, (0, 0)) == pytest.approx(0.75, abs=1e-4)  # a quarter of the area
    assert one_error(disc, disc, (2.0, 0)) == pytest.approx(1, abs=1e-4)  # they touch
    # centres a radius apart: 2π/3 - √3/2 is shared
    shared = 2 * math.pi / 3 - math.sqrt(3) / 2
    assert one_error(disc, disc, (0, 1.0)) == pytest.approx(
        1 - shared / (2 * math.pi - shared), abs=1e-3
    )
    # crossed ellipses 2 × 1: four times ab·atan(b/a) is shared
    crossed = 4 * 2 * math.atan(0.5)
    found = one_error(ellipse(2, 1, 0), ellipse(2, 1, math.pi / 2), (0, 0))
    assert found == pytest.approx(1 - crossed / (4 * math.pi - crossed), abs=1e-3)


def test_ellipses_against_counted_points() -> None:
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(*[np.linspace(-6, 6, 1201)] * 2), axis=-1).reshape(-1, 2)
    for _ in range(8):
        first, second = (ellipse(*rng.uniform(0.8, 3, 2), rng.uniform(0, 3.1)) for _ in range(2))
        offset = rng.uniform(-1.5, 1.5, 2)
        inside = [
            np.einsum("ni,ij,nj->n", grid - at, np.linalg.inv(shape), grid - at) <= 1
            for shape, at in ((first, np.zeros(2)), (second, offset))
        ]
        counted = 1 - (inside[0] & inside[1]).sum() / (inside[0] | inside[1]).sum()
        assert one_error(first, second, tuple(offset)) == pytest.approx(counted, abs=3e-3)


@given(st.floats(0.5, 4), st.floats(0.5, 4), st.floats(0, 3.2), st.floats(-2, 2), st.floats(-2, 2))
def test_overlap_does_not_depend_on_the_frame(
    long: float, short: float, angle: float, x: float, y: float
) -> None:
    first, second = ellipse(long, short, angle), ellipse(1.5, 1.0, 0.4)
    bend = np.array([[1.3, 0.4], [-0.2, 0.8]])
    before = one_error(first, second, (x, y))
    after = one_error(bend @ first @ bend.T, bend @ second @ bend.T, tuple(bend @ [x, y]))
    assert after == pytest.approx(before, abs=3e-3)


def test_local_affine_is_the_derivative() -> None:
    points = np.array([[0.0, 0.0], [30.0, 80.0], [120.5, 7.25]])
    step = 1e-5
    for axis in range(2):
        ahead = points.copy()
        ahead[:, axis] += step
        slope = (project(TILT, ahead) - project(TILT, points)) / step
        np.testing.assert_allclose(local_affine(TILT, points)[:, :, axis], slope, rtol=1e-4, atol=1e-6)


def test_a_homography_and_its_inverse_cancel() -> None:
    points = np.random.default_rng(0).uniform(0, 200, (20, 2))
    np.testing.assert_allclose(project(np.linalg.inv(TILT), project(TILT, points)), points, atol=1e-9)


def test_points_beyond_the_horizon_are_nowhere() -> None:
    far = project(np.array([[1.0, 0, 0], [0, 1, 0], [-0.01, 0, 1]]), np.array([[50.0, 0], [100.0, 0]]))
    assert np.isfinite(far[0]).all()
    assert np.isnan(far[1]).all()
    assert in_picture(far, (200, 200)).tolist() == [True, False]


def test_a_picture_ends_half_a_pixel_beyond_its_last_centres() -> None:
    points = np.array([[-0.5, -0.5], [-0.51, 0], [3.49, 1.49], [3.5, 0], [0, 1.5]])
    assert in_picture(points, (2, 4)).tolist() == [True, False, True, False, False]


def test_near_pairs_against_all_distances(rng: np.random.Generator) -> None:
    a, b = rng.uniform(0, 50, (150, 2)), rng.uniform(0, 50, (70, 2))
    rows, columns, gaps = near_pairs(a, b, 6.0)
    apart = np.linalg.norm(a[:, None] - b[None], axis=2)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == set(
        zip(*(part.tolist() for part in np.nonzero(apart <= 6.0)), strict=True)
    )
    np.testing.assert_allclose(gaps, apart[rows, columns])
    assert len(near_pairs(a[:0], b, 6.0)[0]) == 0


def test_no_pair_is_lost_by_looking_only_nearby(rng: np.random.Generator) -> None:
    """Against every pair's overlap, ellipses six times longer than wide among them."""
    count = 60
    shapes = [
        np.stack(
            [
                ellipse(r * s, r / s, angle)
                for r, s, angle in rng.uniform([3, 1, 0], [9, 2.4, 3], (count, 3))
            ]
        )
        for _ in range(2)
    ]
    points = [rng.uniform(0, 60, (count, 2)) for _ in range(2)]
    for most in (0.2, 0.4, 0.5):
        rows, columns, errors = overlap_pairs(points[0], shapes[0], points[1], shapes[1], most)
        i, j = (part.ravel() for part in np.indices((count, count)))
        scale = NORMAL_RADIUS_PX**2 / np.sqrt(np.linalg.det(shapes[0][i]))
        every = overlap_errors(
            shapes[0][i] * scale[:, None, None],
            shapes[1][j] * scale[:, None, None],
            points[1][j] - points[0][i],
        )
        wanted = {(int(i[k]), int(j[k])) for k in np.flatnonzero(every < most)}
        assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == wanted
        assert (errors < most).all()
        assert wanted


def test_sizes_are_normalised_and_distances_are_not() -> None:
    """12 pixels apart is 0.4 radii of 30, whatever the radius was."""
    for radius in (2.0, 30.0, 80.0):
        shape = circles(np.array([radius]))
        errors = overlap_pairs(np.zeros((1, 2)), shape, np.array([[12.0, 0.0]]), shape, 0.5)[2]
        assert errors == pytest.approx(lens(30, 30, 12), abs=1e-3)
    assert lens(30, 30, 12) == pytest.approx(0.4, abs=0.01)


def test_most_apart_is_a_bound_that_is_nearly_reached() -> None:
    apart = most_apart(0.4)
    assert apart < 0.6
    worst = max(
        d for d in np.linspace(0, 1, 101) for r in np.linspace(0.8, 1.25, 40) if lens(1, r, d) < 0.4
    )
    assert worst <= apart


def test_one_to_one_takes_the_cheapest_first() -> None:
    rows, columns = np.array([0, 0, 1, 2]), np.array([0, 1, 0, 2])
    costs = np.array([0.2, 0.1, 0.3, 0.3])
    kept = one_to_one(rows, columns, costs)
    assert [(rows[k], columns[k]) for k in kept] == [(0, 1), (1, 0), (2, 2)]
    assert len(one_to_one(rows[:0], columns[:0], costs[:0])) == 0


@given(st.integers(0, 10_000))
def test_one_to_one_is_at_least_half_of_the_best_assignment(seed: int) -> None:
    rng = np.random.default_rng(seed)
    linked = rng.random((12, 9)) < 0.2
    rows, columns = np.nonzero(linked)
    kept = one_to_one(rows, columns, rng.random(len(rows)))
    assert len(set(rows[kept].tolist())) == len(set(columns[kept].tolist())) == len(kept)
    best = linked[linear_sum_assignment(linked, maximize=True)].sum()
    assert best / 2 <= len(kept) <= best
