"""A head that one can tell the pose of: nose, eyes, ears, hair, a neck. Metres; it faces z."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from striate.data.meshes.mesh import Mesh, join
from striate.data.meshes.shapes import RGB, ball, loft, tube
from striate.data.meshes.solids.tints import Tinted, tinted
from striate.data.meshes.solids.walls import lighter
from striate.types import Array

__all__ = ["HAIR", "SKIN", "head", "head_template", "stretched"]

SKIN: tuple[RGB, ...] = (
    (246, 214, 188), (232, 190, 158), (214, 162, 124), (184, 128, 92), (140, 92, 64), (96, 62, 46),
)  # fmt: skip
HAIR: tuple[RGB, ...] = (
    (38, 30, 28), (84, 54, 36), (134, 88, 48), (206, 166, 98), (156, 70, 40), (168, 168, 170),
)  # fmt: skip
_WHITE: RGB = (246, 246, 242)


def head(
    skin: RGB = SKIN[1],
    hair: RGB = HAIR[1],
    *,
    shirt: RGB = (58, 92, 150),
    eyes: RGB = (62, 92, 120),
    shape: tuple[float, float, float] = (1.0, 1.0, 1.0),
    long_hair: float = 0.3,
    nose: float = 1.0,
) -> Mesh:
    """A head, 0.3 m with its neck. `shape`: width, height and depth against the usual.

    `long_hair`: 0 short to 1 over the neck. `nose`: its length against the usual.
    """
    low = lighter(skin, -0.12)
    parts = [
        _skull(skin),
        tube([(0, -0.165, -0.025), (0, -0.06, -0.015)], [0.056, 0.052], low, "neck", sides=12),
        tube([(0, -0.2, -0.03), (0, -0.165, -0.03), (0, -0.14, -0.028)], [0.13, 0.12, 0.07], shirt,
             "shirt", sides=12, flat=(1.0, 0.7)),
        _nose(lighter(skin, 0.06), nose),
        _hair(hair, long_hair),
        ball((0, -0.068, 0.086), (0.026, 0.0075, 0.012), (168, 74, 70), "mouth", rings=4, sides=8),
    ]  # fmt: skip
    for side in (-1.0, 1.0):
        parts += [
            ball((side * 0.036, 0.018, 0.083), (0.0165, 0.0105, 0.012), _WHITE, "eyes", rings=5,
                 sides=10),
            ball((side * 0.036, 0.018, 0.091), (0.0078, 0.0082, 0.006), eyes, "eyes", rings=4, sides=8),
            ball((side * 0.036, 0.018, 0.0955), (0.0042, 0.0045, 0.003), (16, 16, 20), "eyes", rings=3,
                 sides=6),
            tube([(side * 0.058, 0.038, 0.078), (side * 0.038, 0.046, 0.093),
                  (side * 0.016, 0.041, 0.1)],
                 [0.004, 0.0055, 0.005], lighter(hair, -0.3), "brows", sides=5),
            ball((side * 0.083, 0.0, -0.012), (0.011, 0.03, 0.019), low, "ears", rings=5, sides=8),
        ]  # fmt: skip
    return stretched(join(parts), np.asarray(shape, np.float64))


@cache
def head_template(long_hair: float, nose: float) -> Tinted:
    """A head that takes paints for skin, hair, shirt and eyes."""

    def make(skin: RGB, hair: RGB, shirt: RGB, eyes: RGB) -> Mesh:
        return head(skin, hair, shirt=shirt, eyes=eyes, long_hair=long_hair, nose=nose)

    return tinted(make, 4)


def stretched(mesh: Mesh, by: Array) -> Mesh:
    """`mesh` made `by` (3,) times as wide, high and deep."""
    normals = mesh.normals
    if normals is not None:
        normals = normals / by
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    return replace(mesh, vertices=mesh.vertices * by, normals=normals)


# height, half width, how far it reaches forward and back: from the chin to the crown
_SKULL = (
    (-0.122, 0.018, 0.062, 0.02), (-0.116, 0.034, 0.082, 0.012), (-0.1, 0.048, 0.092, -0.012),
    (-0.075, 0.06, 0.094, -0.045), (-0.045, 0.069, 0.095, -0.075), (-0.01, 0.076, 0.093, -0.094),
    (0.03, 0.079, 0.094, -0.103), (0.065, 0.077, 0.09, -0.103), (0.095, 0.066, 0.076, -0.09),
    (0.117, 0.045, 0.05, -0.063), (0.127, 0.016, 0.012, -0.026),
)  # fmt: skip


def _skull(skin: RGB) -> Mesh:
    return loft(_rings(1.0, 18), skin, "face")


def _rings(grow: float, sides: int) -> Array:
    """The skull as rings (R, K, 3), `grow` times as wide; the first point of a ring lies in front."""
    turn = 2 * np.pi * np.arange(sides) / sides
    rings = []
    for y, half, front, back in _SKULL:
        middle, deep = (front + back) / 2, (front - back) / 2
        # flatter in front than an ellipse
        x, z = half * np.sin(turn), deep * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.82
        rings.append(np.stack([grow * x, np.full(sides, y), middle + grow * z], axis=1))
    return np.array(rings)


def _nose(skin: RGB, length: float) -> Mesh:
    """A wedge from between the eyes to a tip, with nostrils' width below."""
    reach = 0.094 + 0.03 * length
    rings = [
        [(0.006, 0.03, 0.088), (0, 0.03, 0.1), (-0.006, 0.03, 0.088), (0, 0.03, 0.08)],
        [
            (0.009, 0.005, 0.088),
            (0, 0.005, 0.096 + 0.012 * length),
            (-0.009, 0.005, 0.088),
            (0, 0.005, 0.08),
        ],
        [(0.017, -0.026, 0.088), (0, -0.024, reach), (-0.017, -0.026, 0.088), (0, -0.026, 0.08)],
        [(0.014, -0.036, 0.088), (0, -0.036, reach - 0.012), (-0.014, -0.036, 0.088), (0, -0.036, 0.08)],
    ]
    return loft(np.array(rings), skin, "nose", smooth=False)


def _hair(hair: RGB, long_hair: float) -> Mesh:
    """A cap over the skull that ends at the forehead, above the ears, and low behind."""
    sides = 18
    rings = _rings(1.1, sides)[4:]
    rings[..., 1] += 0.006 + 0.008 * np.linspace(0, 1, len(rings))[:, None]
    turn = 2 * np.pi * np.arange(sides) / sides
    behind = (1 - np.cos(turn)) / 2  # 0 in front, 1 behind
    edge = 0.082 - (0.11 + 0.13 * long_hair) * behind**1.2
    edge[np.abs(np.cos(turn)) < 0.4] -= 0.012
    for ring in rings:
        low = np.maximum(edge - ring[:, 1], 0)
        ring[:, 1] += low  # what would hang over the face is drawn up to the hairline
        ring[:, 2] -= 0.1 * low
    start = rings[0].copy()
    start[:, 1] = np.minimum(edge, start[:, 1])
    return loft(np.concatenate([start[None], rings]), hair, "hair")
