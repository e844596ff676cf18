from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from striate.data.meshes.rotation import (
    angle_between_deg,
    angles_to_matrix,
    axis_angle_to_matrix,
    matrix_to_angles,
    uniform_rotations,
)

NOSE, CROWN, SIDE = np.array([0.0, 0, 1]), np.array([0.0, 1, 0]), np.array([1.0, 0, 0])


@pytest.mark.parametrize(
    ("angles", "nose", "crown"),
    [
        ((0, 0, 0), (0, 0, 1), (0, 1, 0)),
        ((90, 0, 0), (1, 0, 0), (0, 1, 0)),  # yaw: the nose points right
        ((0, 90, 0), (0, 1, 0), (0, 0, -1)),  # pitch: it points up
        ((0, 0, 90), (0, 0, 1), (1, 0, 0)),  # roll: the crown leans right
        ((90, 0, 90), (1, 0, 0), (0, 0, -1)),  # then about the nose, which now points right
        ((180, 0, 0), (0, 0, -1), (0, 1, 0)),
    ],
)
def test_known_points(angles: tuple[int, int, int], nose: object, crown: object) -> None:
    turn = angles_to_matrix(*angles)
    np.testing.assert_allclose(turn @ NOSE, nose, atol=1e-12)
    np.testing.assert_allclose(turn @ CROWN, crown, atol=1e-12)


def test_angles_are_those_of_scipy(rng: np.random.Generator) -> None:
    yaw, pitch, roll = (rng.uniform(-e, e, 200) for e in (180, 90, 180))
    theirs = Rotation.from_euler("YXZ", np.stack([yaw, -pitch, -roll], 1), degrees=True).as_matrix()
    np.testing.assert_allclose(angles_to_matrix(yaw, pitch, roll), theirs, atol=1e-12)
    np.testing.assert_allclose(matrix_to_angles(theirs), np.stack([yaw, pitch, roll], 1), atol=1e-6)


@settings(deadline=None)
@given(st.floats(-180, 180), st.sampled_from([90.0, -90.0]), st.floats(-180, 180))
def test_straight_up_and_down_the_turn_is_kept(yaw: float, pitch: float, roll: float) -> None:
    turn = angles_to_matrix(yaw, pitch, roll)
    angles = matrix_to_angles(turn)
    assert angles[0] == 0
    np.testing.assert_allclose(angles_to_matrix(*angles), turn, atol=1e-6)


def test_rotation_vectors_are_those_of_scipy(rng: np.random.Generator) -> None:
    vectors = np.concatenate([rng.normal(0, 2, (50, 3)), np.zeros((1, 3)), np.full((1, 3), 1e-9)])
    theirs = Rotation.from_rotvec(vectors).as_matrix()
    np.testing.assert_allclose(axis_angle_to_matrix(vectors), theirs, atol=1e-12)


def test_angles_between_are_those_of_scipy(rng: np.random.Generator) -> None:
    one, other = (Rotation.random(100, rng=rng) for _ in range(2))
    theirs = np.rad2deg((one.inv() * other).magnitude())
    np.testing.assert_allclose(angle_between_deg(one.as_matrix(), other.as_matrix()), theirs, atol=1e-5)
    assert angle_between_deg(np.eye(3), np.eye(3)) == 0
    assert angle_between_deg(np.eye(3), angles_to_matrix(180, 0, 0)) == pytest.approx(180)


def test_random_rotations_are_rotations_spread_evenly(rng: np.random.Generator) -> None:
    turns = uniform_rotations(rng.random((4000, 3)))
    np.testing.assert_allclose(turns @ turns.swapaxes(1, 2), np.broadcast_to(np.eye(3), turns.shape),
                               atol=1e-12)  # fmt: skip
    np.testing.assert_allclose(np.linalg.det(turns), 1, atol=1e-12)
    # any axis goes anywhere: mean 0, and each coordinate of a point on a sphere is uniform
    for axis in range(3):
        place = turns[:, :, axis]
        assert np.abs(place.mean(axis=0)).max() < 0.05
        assert np.abs((place**2).mean(axis=0) - 1 / 3).max() < 0.03
    # Haar: the angle from any rotation has density (1 − cos) / π; its mean is π/2 + 2/π
    mean = np.deg2rad(angle_between_deg(np.eye(3), turns)).mean()
    assert mean == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.03)
