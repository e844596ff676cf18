"""A surface made of triangles, with a colour and the name of a part for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from striate.errors import DataError
from striate.types import Array

__all__ = ["MOST_FACES", "Mesh", "face_normals", "join", "signed_volume"]

MOST_FACES = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles in space. x: to the right of who looks the object in the face, y: up, z: where it faces.

    `vertices` float64 (V, 3), metres. `faces` int64 (F, 3), corners counter-clockwise seen from outside.
    `colours` uint8 (F, 3), sRGB. `part_of` int64 (F,): indices into `parts`. `normals` float64 (F, 3, 3)
    or None: a unit vector a corner, where the surface is smooth; without, faces are flat. `two_sided`:
    backs of faces may be seen, as in sheets; else only fronts are drawn. A `DataError` for no faces, a
    coordinate that is not finite, or a corner that is none of the vertices.
    """

    vertices: Array
    faces: Array
    colours: Array
    parts: tuple[str, ...] = ("object",)
    part_of: Array | None = None
    normals: Array | None = None
    two_sided: bool = True

    def __post_init__(self) -> None:
        count = len(self.faces)
        if not count:
            raise DataError("the mesh has no faces", expected="one triangle at least")
        if count > MOST_FACES:
            raise DataError(f"the mesh has {count} faces", expected=f"at most {MOST_FACES}")
        forms: list[tuple[Array, tuple[int, ...]]] = [
            (self.vertices, (len(self.vertices), 3)),
            (self.faces, (count, 3)),
        ]
        forms += [(self.colours, (count, 3)), (self.part_index, (count,))]
        forms += [(self.normals, (count, 3, 3))] if self.normals is not None else []
        for values, shape in forms:
            if values.shape != shape:
                raise ValueError(f"expected an array {shape}, got {values.shape}")
        if self.faces.min() < 0 or self.faces.max() >= len(self.vertices):
            raise DataError(f"a face of the mesh names none of its {len(self.vertices)} vertices")
        if not np.isfinite(self.vertices).all():
            raise DataError("a vertex of the mesh is not finite", expected="three numbers")
        if not 0 <= self.part_index.min() <= self.part_index.max() < len(self.parts):
            raise ValueError(f"part numbers must lie in 0 to {len(self.parts) - 1}")

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def part_index(self) -> Array:
        """For each face the index of its part, int64 (F,)."""
        return np.zeros(len(self.faces), np.int64) if self.part_of is None else self.part_of

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Lowest and highest corner of the box around what the faces use, (3,) each."""
        used = self._used()
        return used.min(axis=0), used.max(axis=0)

    def _used(self) -> Array:
        """The vertices that faces name, (U, 3). Marked, not sorted: every picture asks for them."""
        named = np.zeros(len(self.vertices), bool)
        named[self.faces] = True
        return self.vertices[named]

    @property
    def centre(self) -> Array:
        """The middle of the box around it, (3,)."""
        low, high = self.bounds
        middle: Array = (low + high) / 2
        return middle

    @property
    def radius(self) -> float:
        """That of the sphere about `centre` which holds it; a point has radius 1."""
        found = float(np.linalg.norm(self._used() - self.centre, axis=1).max())
        return found if found > 0 else 1.0

    def painted(self, colours: Mapping[str, Sequence[int]]) -> Mesh:
        """The same with other colours for the parts that `colours` names."""
        found = self.colours.copy()
        for index, part in enumerate(self.parts):
            if part in colours:
                found[self.part_index == index] = colours[part]
        return replace(self, colours=found)

    def moved(self, turn: Array, by: Sequence[float] = (0.0, 0.0, 0.0)) -> Mesh:
        """The same turned by the rotation `turn` (3, 3), then moved by `by`, metres."""
        normals = None if self.normals is None else self.normals @ turn.T
        return replace(self, vertices=self.vertices @ turn.T + np.asarray(by), normals=normals)


def face_normals(corners: Array) -> Array:
    """Unit normals (F, 3) of triangles (F, 3, 3); zeros where a triangle has no area."""
    edges = corners[:, 1:] - corners[:, :1]  # (F, 2, 3)
    ax, ay, az = edges[:, 0].T
    bx, by, bz = edges[:, 1].T
    across = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)
    length = np.sqrt(np.einsum("ij,ij->i", across, across))[:, None]
    found: Array = np.divide(across, length, out=np.zeros_like(across), where=length > 0)
    return found


def signed_volume(corners: Array) -> float:
    """Volume inside triangles (F, 3, 3): positive where a closed surface is wound outwards."""
    centred = corners - corners.reshape(-1, 3).mean(axis=0)
    return float(np.linalg.det(centred).sum() / 6)


def join(meshes: Sequence[Mesh]) -> Mesh:
    """All of them as one; parts of the same name are one part."""
    parts = tuple(dict.fromkeys(part for one in meshes for part in one.parts))
    starts = np.cumsum([0, *(len(one.vertices) for one in meshes)])
    index = [np.array([parts.index(part) for part in one.parts])[one.part_index] for one in meshes]
    smooth = any(one.normals is not None for one in meshes)
    return Mesh(
        vertices=np.concatenate([one.vertices for one in meshes]),
        faces=np.concatenate([one.faces + at for one, at in zip(meshes, starts, strict=False)]),
        colours=np.concatenate([one.colours for one in meshes]),
        parts=parts,
        part_of=np.concatenate(index),
        normals=np.concatenate([_normals(one) for one in meshes]) if smooth else None,
        two_sided=any(one.two_sided for one in meshes),
    )


def _normals(mesh: Mesh) -> Array:
    if mesh.normals is not None:
        return mesh.normals
    return np.repeat(face_normals(mesh.vertices[mesh.faces])[:, None], 3, axis=1)
