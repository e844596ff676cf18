"""How an object is turned. Stated once, here.

**The convention.** Angles are degrees, as they look to who sees the picture of what faces them:

- yaw, −180 to 180: positive turns it to the right of the picture (a nose points right);
- pitch, −90 to 90: positive turns it up (a nose points up);
- roll, −180 to 180: positive turns it clockwise (the top of a head leans right).

Intrinsic, in this order: yaw about the vertical, then pitch about the object's own side axis, then roll
about the axis that it faces along. So yaw and pitch are where it faces,
(sin yaw cos pitch, sin pitch, cos yaw cos pitch), and roll turns it about that. In the axes of `Mesh`
(x right, y up, z towards the camera): R = Ry(yaw) · Rx(−pitch) · Rz(−roll), on column vectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from striate.types import Array

__all__ = [
    "angle_between_deg",
    "angles_to_matrix",
    "axis_angle_to_matrix",
    "matrix_to_angles",
    "uniform_rotations",
]


def angles_to_matrix(yaw_deg: ArrayLike, pitch_deg: ArrayLike, roll_deg: ArrayLike) -> Array:
    """Rotations float64 (…, 3, 3) from angles that broadcast to (…)."""
    yaw, pitch, roll = np.broadcast_arrays(
        *(np.deg2rad(np.asarray(one, np.float64)) for one in (yaw_deg, pitch_deg, roll_deg))
    )
    cy, sy, cp, sp, cr, sr = (f(one) for one in (yaw, pitch, roll) for f in (np.cos, np.sin))
    matrix = np.empty((*yaw.shape, 3, 3))
    # columns are where x, y and z go: z to where it faces, x and y turned by the roll
    side = np.stack([cy, np.zeros_like(cy), -sy], axis=-1)  # x after yaw
    up = np.stack([-sy * sp, cp, -cy * sp], axis=-1)  # y after yaw and pitch
    matrix[..., 0] = side * cr[..., None] - up * sr[..., None]
    matrix[..., 1] = up * cr[..., None] + side * sr[..., None]
    matrix[..., 2] = np.stack([sy * cp, sp, cy * cp], axis=-1)
    return matrix


def matrix_to_angles(matrix: Array) -> Array:
    """Yaw, pitch and roll float64 (…, 3), degrees, of rotations (…, 3, 3).

    Facing straight up or down, yaw and roll are one turn: it is given as roll, with yaw 0.
    """
    m = np.asarray(matrix, np.float64)
    pitch = np.arcsin(np.clip(m[..., 1, 2], -1, 1))
    locked = np.abs(m[..., 1, 2]) > 1 - 1e-12
    yaw = np.where(locked, 0.0, np.arctan2(m[..., 0, 2], m[..., 2, 2]))
    roll = np.arctan2(-m[..., 1, 0], m[..., 1, 1])
    roll = np.where(locked, np.arctan2(m[..., 0, 1], m[..., 0, 0]), roll)
    found: Array = np.rad2deg(np.stack([yaw, pitch, roll], axis=-1))
    return found


def axis_angle_to_matrix(vector: Array) -> Array:
    """Rotations (…, 3, 3) by |vector| radians about `vector` (…, 3), right-handed (Rodrigues)."""
    v = np.asarray(vector, np.float64)
    angle = np.linalg.norm(v, axis=-1)[..., None, None]
    unit = v / np.maximum(angle[..., 0], 1e-300)
    cross = np.zeros((*v.shape[:-1], 3, 3))
    for row, column, index, sign in ((0, 1, 2, -1), (0, 2, 1, 1), (1, 2, 0, -1)):
        cross[..., row, column] = sign * unit[..., index]
        cross[..., column, row] = -sign * unit[..., index]
    found: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return found


def uniform_rotations(uniforms: Array) -> Array:
    """Rotations (N, 3, 3) spread evenly over SO(3), from uniform numbers (N, 3) in [0, 1).

    Shoemake 1992, Uniform random rotations: every orientation is equally likely (Haar measure).
    """
    u, v, w = np.asarray(uniforms, np.float64).T
    a, b, c, d = (
        np.sqrt(1 - u) * np.sin(2 * np.pi * v),
        np.sqrt(1 - u) * np.cos(2 * np.pi * v),
        np.sqrt(u) * np.sin(2 * np.pi * w),
        np.sqrt(u) * np.cos(2 * np.pi * w),
    )
    rows = [
        [1 - 2 * (b * b + c * c), 2 * (a * b - c * d), 2 * (a * c + b * d)],
        [2 * (a * b + c * d), 1 - 2 * (a * a + c * c), 2 * (b * c - a * d)],
        [2 * (a * c - b * d), 2 * (b * c + a * d), 1 - 2 * (a * a + b * b)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def angle_between_deg(one: Array, other: Array) -> Array:
    """The smallest turn that takes rotation `one` to `other` (…, 3, 3), 0 to 180 degrees."""
    between = np.swapaxes(one, -1, -2) @ other
    chord = np.linalg.norm(between - np.eye(3), axis=(-2, -1)) / np.sqrt(8)  # sin(angle / 2)
    found: Array = np.rad2deg(2 * np.arcsin(np.clip(chord, 0, 1)))
    return found
