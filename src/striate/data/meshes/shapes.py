"""What solids are put together from: blocks, tubes, balls, profiles drawn out, and patches on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from striate.data.meshes.mesh import Mesh, face_normals, join, signed_volume
from striate.data.meshes.polygon import triangulate
from striate.types import Array

__all__ = [
    "RGB",
    "Point",
    "ball",
    "block",
    "drawn_out",
    "frustum",
    "loft",
    "patch",
    "patch_on",
    "ring",
    "tube",
    "wheel",
]

RGB = tuple[int, int, int]
Point = tuple[float, float, float]

_LIFT = 0.012
"""Metres that a patch lies before the surface it is on."""


def _solid(vertices: Array, faces: Array, colour: RGB, part: str, normals: Array | None = None) -> Mesh:
    """A closed surface, wound outwards whichever way `faces` go round."""
    if signed_volume(vertices[faces]) < 0:
        faces = faces[:, ::-1]
        normals = None if normals is None else normals[:, ::-1]
    colours = np.broadcast_to(np.array(colour, np.uint8), (len(faces), 3)).copy()
    return Mesh(vertices, np.ascontiguousarray(faces), colours, (part,), None, normals, two_sided=False)


def block(low: Point, high: Point, colour: RGB, part: str) -> Mesh:
    """A box between two corners."""
    return frustum((low[0], low[2]), (high[0], high[2]), (low[0], low[2]), (high[0], high[2]),
                   (low[1], high[1]), colour, part)  # fmt: skip


def frustum(
    low_xz: tuple[float, float],
    high_xz: tuple[float, float],
    top_low_xz: tuple[float, float],
    top_high_xz: tuple[float, float],
    ys: tuple[float, float],
    colour: RGB,
    part: str,
) -> Mesh:
    """A block whose top is another rectangle than its bottom."""
    rings = []
    for (x0, z0), (x1, z1), y in ((low_xz, high_xz, ys[0]), (top_low_xz, top_high_xz, ys[1])):
        rings.append([(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)])
    vertices = np.array(rings, np.float64).reshape(8, 3)
    return _solid(vertices, _loft_faces(2, 4, capped=True), colour, part)


@cache
def _loft_faces(rings: int, around: int, *, capped: bool) -> Array:
    """Two triangles between neighbours of neighbouring rings; fans over first and last ring."""
    at = (np.arange(rings - 1)[:, None] * around + np.arange(around)).ravel()
    beside = (np.arange(rings - 1)[:, None] * around + (np.arange(around) + 1) % around).ravel()
    pairs = [(at, at + around, beside), (beside, at + around, beside + around)]
    faces = np.stack([np.stack(one, axis=1) for one in pairs], axis=1).reshape(-1, 3)
    if capped:
        last, k = (rings - 1) * around, np.arange(1, around - 1)
        zero = np.zeros_like(k)
        ends = [(zero, k, k + 1), (last + zero, last + k + 1, last + k)]
        faces = np.concatenate([faces, *(np.stack(one, axis=1) for one in ends)])
    return faces


def loft(rings: Array, colour: RGB, part: str, *, smooth: bool = True) -> Mesh:
    """A skin over closed rings of points (R, K, 3), its ends closed; smooth along and around."""
    count, around = rings.shape[:2]
    vertices, faces = rings.reshape(-1, 3), _loft_faces(count, around, capped=True)
    if not smooth:
        return _solid(vertices, faces, colour, part)
    flat = face_normals(vertices[faces])
    sides = 2 * (count - 1) * around
    total = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(total, faces[:sides, k], flat[:sides])
    length = np.linalg.norm(total, axis=1, keepdims=True)
    normals = np.repeat(flat[:, None], 3, axis=1)
    normals[:sides] = (total / np.where(length > 0, length, 1))[faces[:sides]]
    if signed_volume(vertices[faces]) < 0:
        normals = -normals
    return _solid(vertices, faces, colour, part, normals)


def tube(
    points: Sequence[Point] | Array,
    radii: Sequence[float] | float,
    colour: RGB,
    part: str,
    *,
    sides: int = 8,
    round_ends: bool = False,
    flat: tuple[float, float] = (1.0, 1.0),
) -> Mesh:
    """A tube along `points` with a radius at each; `flat`: its two widths across, as shares of that.

    The first width lies towards x (towards z, for tubes along x).
    """
    path = np.asarray(points, np.float64)
    wide = np.broadcast_to(np.asarray(radii, np.float64), (len(path),)).copy()
    if round_ends:
        path, wide = _rounded(path, wide)
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    first = np.array([1.0, 0, 0]) if abs(along[:, 0]).mean() < 0.8 else np.array([0, 0, 1.0])
    side = first - (along @ first)[:, None] * along
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12)
    other = np.cross(along, side)
    turn = 2 * np.pi * np.arange(sides) / sides
    rings = path[:, None] + wide[:, None, None] * (
        flat[0] * np.cos(turn)[:, None] * side[:, None]
        + flat[1] * np.sin(turn)[:, None] * other[:, None]
    )
    return loft(rings, colour, part)


def _rounded(path: Array, wide: Array) -> tuple[Array, Array]:
    """Ends drawn in to half-balls."""
    start, end = path[0] - path[1], path[-1] - path[-2]
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    out, narrow = np.array([0.92, 0.6]), np.array([0.35, 0.8])
    before = path[0] + wide[0] * out[:, None] * start
    after = path[-1] + wide[-1] * out[::-1, None] * end
    return (
        np.concatenate([before, path, after]),
        np.concatenate([wide[0] * narrow, wide, wide[-1] * narrow[::-1]]),
    )


def ball(
    centre: Point,
    radii: Point,
    colour: RGB,
    part: str,
    *,
    rings: int = 7,
    sides: int = 12,
) -> Mesh:
    """An ellipsoid with its poles above and below; smooth."""
    unit = _unit_ball(rings, sides)
    size = np.asarray(radii, np.float64)
    normals = unit / size
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    faces = _loft_faces(rings, sides, capped=True)
    return _solid(unit * size + np.asarray(centre), faces, colour, part, normals[faces])


@cache
def _unit_ball(rings: int, sides: int) -> Array:
    height = np.linspace(-np.pi / 2, np.pi / 2, rings + 2)[1:-1]
    height = height * (np.pi / 2) / height[-1] * 0.985
    turn = 2 * np.pi * np.arange(sides) / sides
    level = np.cos(height)[:, None]
    up = np.broadcast_to(np.sin(height)[:, None], (rings, sides))
    return np.stack([level * np.sin(turn), up, level * np.cos(turn)], axis=-1).reshape(-1, 3)


def drawn_out(
    profile_zy: Sequence[tuple[float, float]], xs: tuple[float, float], colour: RGB, part: str
) -> Mesh:
    """A side view (z, y), any simple polygon, drawn out from x to x."""
    outline = np.asarray(profile_zy, np.float64)
    count = len(outline)
    caps = triangulate(outline)
    sides = np.array(
        [f for k in range(count) for f in ((k, (k + 1) % count, k + count),
                                           ((k + 1) % count, (k + 1) % count + count, k + count))]
    )  # fmt: skip
    vertices = np.zeros((2 * count, 3))
    for half, x in enumerate(xs):
        rows = slice(half * count, (half + 1) * count)
        vertices[rows, 0], vertices[rows, 2], vertices[rows, 1] = x, outline[:, 0], outline[:, 1]
    area = np.dot(outline[:, 0], np.roll(outline[:, 1], -1)) - np.dot(
        outline[:, 1], np.roll(outline[:, 0], -1)
    )
    sides = sides if area > 0 else sides[:, ::-1]
    return _solid(vertices, np.concatenate([caps[:, ::-1], caps + count, sides]), colour, part)


def wheel(
    centre: Point, radius: float, half_width: float, part: str = "wheels", *, sides: int = 14
) -> Mesh:
    """A tyre about an axle along x, with a hub on either side."""
    x, y, z = centre
    ends = [(x - half_width, y, z), (x + half_width, y, z)]
    tyre = tube(ends, radius, (38, 40, 46), part, sides=sides)
    hubs = [
        tube(
            [(x + way * half_width, y, z), (x + way * (half_width + 0.03), y, z)],
            [radius * 0.55, radius * 0.5],
            (190, 194, 200),
            part,
            sides=8,
        )
        for way in (-1, 1)
    ]
    return join([tyre, *hubs])


def patch(corners: Sequence[Point] | Array, colour: RGB, part: str, *, lift: float = _LIFT) -> Mesh:
    """A flat polygon, convex, counter-clockwise seen from outside, a little before its own plane."""
    points = np.asarray(corners, np.float64)
    normal = face_normals(points[None, :3])[0]
    faces = np.array([(0, k, k + 1) for k in range(1, len(points) - 1)], np.int64)
    colours = np.broadcast_to(np.array(colour, np.uint8), (len(faces), 3)).copy()
    return Mesh(points + lift * normal, faces, colours, (part,), two_sided=False)


def patch_on(
    quad: Sequence[Point] | Array,
    us: tuple[float, float],
    vs: tuple[float, float],
    colour: RGB,
    part: str,
    *,
    lift: float = _LIFT,
) -> Mesh:
    """A patch on a four-cornered face: from share `us` of its width and `vs` of its height.

    `quad`: lower left, lower right, upper right, upper left, seen from outside.
    """
    a, b, c, d = np.asarray(quad, np.float64)

    def at(u: float, v: float) -> Array:
        low, high = a + u * (b - a), d + u * (c - d)
        found: Array = low + v * (high - low)
        return found

    (u0, u1), (v0, v1) = us, vs
    return patch(np.stack([at(u0, v0), at(u1, v0), at(u1, v1), at(u0, v1)]), colour, part, lift=lift)


def ring(centre: Point, radius: float, thick: float, colour: RGB, part: str, *, sides: int = 22) -> Mesh:
    """A torus about an axis along x; `thick`: radius of the tube."""
    around, small = 2 * np.pi * np.arange(sides) / sides, 2 * np.pi * np.arange(6) / 6
    out = np.stack([np.zeros(sides), np.cos(around), np.sin(around)], axis=1)  # (S, 3)
    axle = np.array([1.0, 0.0, 0.0])
    normal = np.cos(small)[None, :, None] * out[:, None] + np.sin(small)[None, :, None] * axle
    points = (np.asarray(centre) + radius * out[:, None] + thick * normal).reshape(-1, 3)
    faces = _loft_faces(sides, 6, capped=False)
    last, k = (sides - 1) * 6, np.arange(6)
    closing = np.concatenate([
        np.stack([last + k, k, last + (k + 1) % 6], axis=1),
        np.stack([last + (k + 1) % 6, k, (k + 1) % 6], axis=1),
    ])  # fmt: skip
    faces = np.concatenate([faces, closing])
    return _solid(points, faces, colour, part, normal.reshape(-1, 3)[faces])
