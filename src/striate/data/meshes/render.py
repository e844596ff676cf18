"""Pictures of meshes, on the CPU: perspective, a z-buffer, a lamp, light from around, smooth edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from striate.data.meshes.mesh import Mesh, face_normals
from striate.data.meshes.raster import Hits, rasterise
from striate.data.meshes.view import Camera, Light, View, camera_for
from striate.errors import SettingError
from striate.types import Array, Picture, SizeHW

__all__ = ["Rendered", "Shading", "render", "render_through"]

Shading: TypeAlias = Literal["modelled", "flat", "smooth"]
"""Light as the mesh says (smooth where it has normals), one light a face, or from mean normals."""

Ground: TypeAlias = Picture | tuple[int, int, int]
"""What stands behind: a picture uint8 (H, W, 3) of the same size, or a colour."""

_NEAR = 1e-3
"""Share of the camera's distance that a surface must be away from it to be seen."""
_GREY = (208, 212, 218)


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A picture uint8 (H, W, 3) and what is seen in it.

    `cover` float32 (H, W): share of each pixel that the object covers. `depth` float32 (H, W): metres
    from the camera to the nearest point, infinite beside it. `part` int16 (H, W): index into `parts`, −1
    beside it.
    """

    picture: Picture
    cover: Array
    depth: Array
    part: Array
    parts: tuple[str, ...]

    @property
    def mask(self) -> Array:
        """Pixels of which the object covers a half or more, bool (H, W)."""
        found: Array = self.cover >= 0.5
        return found

    @property
    def box_xyxy(self) -> tuple[float, float, float, float] | None:
        """The box around `mask`, pixels; None where nothing is seen."""
        return _box(self.mask)

    def part_boxes(self) -> dict[str, tuple[float, float, float, float]]:
        """The box around what can be seen of each part, by name; without those that are hidden."""
        found = {name: _box(self.part == index) for index, name in enumerate(self.parts)}
        return {name: box for name, box in found.items() if box is not None}


def render(
    mesh: Mesh,
    view: View,
    size_hw: SizeHW = (128, 128),
    *,
    ground: Ground = _GREY,
    shading: Shading = "modelled",
    samples: int = 2,
) -> Rendered:
    """`mesh` looked at as `view` says. `samples`: points a pixel is judged by, along each side."""
    camera = camera_for(mesh, view, size_hw)
    return render_through(
        mesh, camera, size_hw, light=view.light, ground=ground, shading=shading, samples=samples
    )


def render_through(
    mesh: Mesh,
    camera: Camera,
    size_hw: SizeHW,
    *,
    light: Light | None = None,
    ground: Ground = _GREY,
    shading: Shading = "modelled",
    samples: int = 2,
) -> Rendered:
    """`mesh` seen by `camera`; see `render`. A `SettingError` for a size or a ground of another form."""
    fine = _fine(size_hw, samples)
    seen = _facing(mesh, camera)
    xy = camera.project(seen.corners)  # (F, 3, 2), pixels of the picture
    hits = rasterise(xy * samples, 1 / seen.corners[..., 2], fine)
    whole = np.zeros((fine[0] * fine[1], 3), np.float32)
    whole[hits.pixel] = _lit(mesh, seen, xy * samples, hits, fine, camera, light or Light(), shading)
    depth = np.full(fine[0] * fine[1], np.inf, np.float32)
    depth[hits.pixel] = 1 / hits.nearness
    part = np.full(fine[0] * fine[1], -1, np.int16)
    part[hits.pixel] = mesh.part_index[seen.source[hits.face]]
    hit = np.zeros(fine[0] * fine[1], np.float32)
    hit[hits.pixel] = 1
    cover = _mean(_each(hit, fine, samples))  # (H, W)
    colour = _mean(_each(whole, fine, samples))  # (H, W, 3), 0 beside the object
    picture = np.rint(colour + (1 - cover)[..., None] * _ground(ground, size_hw))
    depths, parts = _nearest(_each(depth, fine, samples), _each(part, fine, samples))
    return Rendered(picture.clip(0, 255).astype(np.uint8), cover, depths, parts, mesh.parts)


def _fine(size_hw: SizeHW, samples: int) -> SizeHW:
    if min(size_hw) < 1 or max(size_hw) > 8192 or not 1 <= samples <= 8:
        raise SettingError(
            f"a picture of {size_hw[0]} × {size_hw[1]} pixels, judged by {samples} points along a side",
            expected="sides of 1 to 8192 pixels, 1 to 8 points",
        )
    return size_hw[0] * samples, size_hw[1] * samples


def _ground(ground: Ground, size_hw: SizeHW) -> Array:
    """Float32 that broadcasts to (H, W, 3)."""
    values = np.asarray(ground, np.float32)
    if values.shape not in ((3,), (*size_hw, 3)):
        raise SettingError(
            f"a background of the form {values.shape}",
            expected=f"a colour (3,) or a picture {(*size_hw, 3)}",
        )
    return values


def _each(values: Array, fine: SizeHW, samples: int) -> Iterator[Array]:
    """Values (h · w, …) of points, (H, W, …) at a time: the same point of every pixel."""
    grid = values.reshape(*fine, *values.shape[1:])
    for row in range(samples):
        for column in range(samples):
            yield grid[row::samples, column::samples]


def _mean(points: Iterator[Array]) -> Array:
    """Of each pixel's points, float32."""
    total, count = next(points).copy(), 1
    for one in points:
        total += one
        count += 1
    found: Array = total / np.float32(count)
    return found


def _nearest(depths: Iterator[Array], parts: Iterator[Array]) -> tuple[Array, Array]:
    """The least depth of each pixel's points, and the part that is there."""
    depth, part = next(depths).copy(), next(parts).copy()
    for other, its_part in zip(depths, parts, strict=True):
        closer = other < depth
        depth[closer], part[closer] = other[closer], its_part[closer]
    return depth, part


# -- what can be seen -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Triangles before the camera: `corners` (T, 3, 3) as x, y, depth; `source` (T,): faces of the mesh;
    `weights` (T, 3, 3) or None: each corner as a mean of the face's own, where it was cut."""

    corners: Array
    source: Array
    weights: Array | None


def _facing(mesh: Mesh, camera: Camera) -> _Seen:
    """Faces that are turned to the camera (both sides, where both may be seen), cut where too near."""
    corners = camera.points(mesh.vertices)[mesh.faces]
    source = np.arange(len(corners))
    if not mesh.two_sided:
        source = np.flatnonzero(_towards(corners) > 0)
        corners = corners[source]
    near = _NEAR * camera.distance
    inside = corners[..., 2] > near
    if inside.all():
        return _Seen(corners, source, None)
    return _cut(corners, source, inside, near)


def _towards(corners: Array) -> Array:
    """Above 0 where the camera sees the front of triangles (T, 3, 3) given as x, y, depth."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    # depth points away from the camera, which turns the sign of the triple product once more
    found: Array = np.einsum("ij,ij->i", a, np.cross(b, c))
    return found


def _cut(corners: Array, source: Array, inside: Array, near: float) -> _Seen:
    """The parts of triangles that lie beyond the near plane: one triangle, or two."""
    count = inside.sum(axis=1)
    eye = np.broadcast_to(np.eye(3), (len(corners), 3, 3))
    whole = count == 3
    pieces = [(corners[whole], source[whole], eye[whole])]
    for number in (1, 2):
        some = np.flatnonzero(count == number)
        if not len(some):
            continue
        odd = (inside[some] if number == 1 else ~inside[some]).argmax(axis=1)
        turn = (odd[:, None] + np.arange(3)) % 3  # the corner that stands alone comes first
        c = np.take_along_axis(corners[some], turn[..., None], axis=1)
        w = np.take_along_axis(eye[some], turn[..., None], axis=1)
        one, other = (_between(c, w, end, near) for end in (1, 2))
        if number == 1:
            fans = [((c[:, 0], w[:, 0]), one, other)]
        else:
            fans = [(one, (c[:, 1], w[:, 1]), (c[:, 2], w[:, 2])), (one, (c[:, 2], w[:, 2]), other)]
        for fan in fans:
            made, weights = (np.stack([corner[k] for corner in fan], axis=1) for k in (0, 1))
            pieces.append((made, source[some], weights))
    joined = [np.concatenate([piece[k] for piece in pieces]) for k in range(3)]
    return _Seen(joined[0], joined[1], joined[2])


def _between(corners: Array, weights: Array, end: int, near: float) -> tuple[Array, Array]:
    """Where the edge from corner 0 to corner `end` passes the near plane; the same for its weights."""
    start, stop = corners[:, 0, 2], corners[:, end, 2]
    share = ((near - start) / (stop - start))[:, None]
    point = corners[:, 0] + share * (corners[:, end] - corners[:, 0])
    point[:, 2] = near * (1 + 1e-9)
    return point, weights[:, 0] + share * (weights[:, end] - weights[:, 0])


# -- light ------------------------------------------------------------------------------------


def _lit(
    mesh: Mesh,
    seen: _Seen,
    xy: Array,
    hits: Hits,
    fine: SizeHW,
    camera: Camera,
    light: Light,
    shading: Shading,
) -> Array:
    """Colours float32 (P, 3) of the points that were hit, 0 to 255."""
    used, place = np.unique(hits.face, return_inverse=True)
    source = seen.source[used]
    flat = face_normals(mesh.vertices[mesh.faces[source]])
    normals = np.repeat(flat[:, None], 3, axis=1)  # (U, 3, 3)
    if shading == "smooth":
        normals = _mean_normals(mesh)[mesh.faces[source]]
    elif shading == "modelled" and mesh.normals is not None:
        normals = mesh.normals[source]
    if mesh.two_sided:  # what is seen from behind is lit from behind
        behind = _towards(seen.corners[used]) < 0
        normals = np.where(behind[:, None, None], -normals, normals)
    if seen.weights is not None:
        normals = np.einsum("uij,ujk->uik", seen.weights[used], normals)
    corner = _brightness(normals @ camera.turn.T, light)  # (U, 3)
    albedo = mesh.colours[source].astype(np.float32)
    if np.ptp(corner, axis=1).max(initial=0.0) == 0:
        plain: Array = np.minimum(albedo * corner[:, :1], 255)[place].astype(np.float32)
        return plain
    shade = _spread(corner, seen.corners[used, :, 2], xy[used], hits, place, fine)
    lit: Array = np.minimum(albedo[place] * shade[:, None].astype(np.float32), 255)
    return lit


def _brightness(normals: Array, light: Light) -> Array:
    """Lambert's cosine of the lamp, and light from around that is a little stronger from above."""
    facing = np.maximum(normals @ light.direction, 0)
    found: Array = light.lamp * facing + light.ambient * (0.88 + 0.12 * normals[..., 1])
    return found


def _spread(values: Array, depths: Array, xy: Array, hits: Hits, place: Array, fine: SizeHW) -> Array:
    """Values (U, 3) at the corners, carried to the points hit (P,), straight in space (perspective)."""
    x, y = (hits.pixel % fine[1] + 0.5), (hits.pixel // fine[1] + 0.5)
    first, second = xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    area = np.where(area == 0, 1.0, area)[place]
    dx, dy = x - xy[place, 0, 0], y - xy[place, 0, 1]
    u = (dx * second[place, 1] - dy * second[place, 0]) / area
    v = (dy * first[place, 0] - dx * first[place, 1]) / area
    near = (1 / depths)[place] * np.stack([1 - u - v, u, v], axis=1)
    found: Array = np.clip((near * values[place]).sum(axis=1) / near.sum(axis=1), 0, 2)
    return found


def _mean_normals(mesh: Mesh) -> Array:
    """Unit normals (V, 3): those of the faces around a vertex, by area."""
    corners = mesh.vertices[mesh.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(mesh.vertices)
    for k in range(3):
        np.add.at(total, mesh.faces[:, k], across)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    found: Array = np.divide(total, length, out=np.zeros_like(total), where=length > 0)
    return found


def _box(mask: Array) -> tuple[float, float, float, float] | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
