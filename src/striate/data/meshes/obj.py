"""Wavefront OBJ files and the colours of their MTL files, read strictly."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

from striate.data.meshes.mesh import MOST_FACES, Mesh, face_normals, signed_volume
from striate.data.meshes.polygon import triangles_of
from striate.errors import DataError
from striate.types import Array

__all__ = ["ObjFile", "parse_obj", "read_obj"]

_MOST_BYTES = 256 * 2**20
_MOST_CORNERS = 10_000
_MOST = 1e30
_GREY = (184, 188, 196)
_SILENT = frozenset({"s", "mtllib", "usemtl", "o", "g", "v", "vt", "vn", "f"})
_NOT_DRAWN = {
    "l": "lines",
    "p": "points",
    "curv": "curves",
    "curv2": "curves",
    "surf": "free-form surfaces",
    "map_Kd": "textures",
}


@dataclass(frozen=True, slots=True)
class ObjFile:
    """A mesh, and in sentences what of the file was left out (`notes`)."""

    mesh: Mesh
    notes: tuple[str, ...]


def read_obj(path: str | os.PathLike[str]) -> ObjFile:
    """The mesh in the file `path`, with the colours (Kd) of its MTL files where they lie beside it.

    Polygons are cut into triangles. Parts are groups (g) or else objects (o). The longest unit is taken
    as metres. A `DataError` with the line where the file is wrong, is too large, or has no faces with an
    area.
    """
    file = Path(path)
    text = _text(file)
    return parse_obj(text, name=file.name, beside=file.parent)


def _text(file: Path) -> str:
    try:
        size = file.stat().st_size
        if size > _MOST_BYTES:
            raise DataError(f"{file} has {size} bytes", expected=f"at most {_MOST_BYTES}")
        return file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error


def parse_obj(text: str, *, name: str = "the mesh", beside: Path | None = None) -> ObjFile:
    """The mesh that `text` describes. `beside`: the folder in which MTL files are looked for."""
    reader = _Reader(name, beside)
    pending = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = pending + raw
        if line.endswith("\\"):
            pending = line[:-1] + " "
            continue
        pending = ""
        words = (line.split("#", 1)[0] if "#" in line else line).split()
        if words:
            reader.take(number, words)
    return reader.finish()


@dataclass(slots=True)
class _Reader:
    """What was read so far.

    `corners`: those of all faces, one after another, each a vertex and a normal (−1: none); `sizes`,
    `part_of` and `colour_of` have a row a face, `triangles` are those that faces will be cut into.
    `known`: corners by their words. As nothing that was read goes away, a word that counts from the
    front means the same ever after; most vertices are corners of six triangles.
    """

    name: str
    beside: Path | None
    points: list[tuple[float, ...]] = field(default_factory=list)
    tints: dict[int, tuple[float, ...]] = field(default_factory=dict)
    normals: list[tuple[float, ...]] = field(default_factory=list)
    textures: int = 0
    corners: list[tuple[int, int]] = field(default_factory=list)
    known: dict[str, tuple[int, int]] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    triangles: int = 0
    part_of: list[int] = field(default_factory=list)
    colour_of: list[tuple[int, int, int] | None] = field(default_factory=list)
    parts: dict[str, int] = field(default_factory=dict)
    materials: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    part: str = ""
    material: tuple[int, int, int] | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, number: int, words: list[str]) -> None:
        """One line."""
        kind, rest = words[0], words[1:]
        if kind == "f":
            self._face(number, rest)
        elif kind == "v":
            self._point(number, rest)
        elif kind == "vn":
            self.normals.append(self._floats(number, rest, 3)[:3])
        elif kind == "vt":
            self.textures += 1
        elif kind in ("o", "g"):
            self.part = " ".join(rest)
        elif kind == "usemtl":
            self._use(" ".join(rest))
        elif kind == "mtllib":
            self._library(" ".join(rest))
        elif kind not in _SILENT:
            word = _NOT_DRAWN.get(kind, f"lines that begin with {kind[:20]!r}")
            self.left_out[word] = self.left_out.get(word, 0) + 1

    def _wrong(self, number: int, what: str, expected: str) -> NoReturn:
        raise DataError(f"{self.name}, line {number}: {what}", expected=expected)

    def _floats(self, number: int, words: list[str], least: int) -> tuple[float, ...]:
        try:
            found = tuple(map(float, words))
        except ValueError:
            self._wrong(number, f"{' '.join(words)[:60]!r} are no numbers", f"{least} numbers")
        if len(found) < least or not all([-_MOST <= one <= _MOST for one in found]):  # noqa: C419 - of three numbers a list is faster
            self._wrong(number, f"{' '.join(words)[:60]!r}", f"{least} finite numbers")
        return found

    def _point(self, number: int, words: list[str]) -> None:
        found = self._floats(number, words, 3)
        if len(found) in (6, 7):  # colours after the place: a habit of scanners
            self.tints[len(self.points)] = found[-3:]
        self.points.append(found[:3])

    def _index(self, number: int, word: str, have: int, what: str) -> int:
        try:
            at = int(word)
        except ValueError:
            self._wrong(number, f"{word[:20]!r} is no index", "whole numbers, such as 3/1/2")
        found = at - 1 if at > 0 else have + at
        if at == 0 or not 0 <= found < have:
            self._wrong(number, f"{what} {at}, where there are {have} so far", "1 to that, or −1 back")
        return found

    def _face(self, number: int, words: list[str]) -> None:
        if not 3 <= len(words) <= _MOST_CORNERS:
            self._wrong(number, f"a face of {len(words)} corners", f"3 to {_MOST_CORNERS}")
        known = self.known
        self.corners += [known.get(word) or self._corner(number, word) for word in words]
        self.sizes.append(len(words))
        self.part_of.append(self.parts.setdefault(self.part or "object", len(self.parts)))
        self.colour_of.append(self.material)
        self.triangles += len(words) - 2
        if self.triangles > MOST_FACES:
            self._wrong(number, f"more than {MOST_FACES} triangles", "a smaller mesh")

    def _corner(self, number: int, word: str) -> tuple[int, int]:
        """Its vertex and its normal, or −1."""
        fields = word.split("/")
        if len(fields) > 3:
            self._wrong(number, f"{word[:20]!r} is no corner", "v, v/vt, v//vn or v/vt/vn")
        vertex, normal = self._index(number, fields[0], len(self.points), "vertex"), -1
        if len(fields) > 1 and fields[1]:
            self._index(number, fields[1], self.textures, "texture vertex")
        if len(fields) == 3:
            normal = self._index(number, fields[2], len(self.normals), "normal")
        if "-" not in word:
            self.known[word] = vertex, normal
        return vertex, normal

    # -- colours ------------------------------------------------------------------------------

    def _library(self, name: str) -> None:
        path = Path(name)
        if self.beside is None or path.is_absolute() or ".." in path.parts:
            self.notes.append(f"materials {name!r} do not lie beside the mesh and were not read")
            return
        try:
            text = _text(self.beside / path)
        except DataError:
            self.notes.append(f"materials {name!r} were not found: faces are grey")
            return
        self._materials(text)

    def _materials(self, text: str) -> None:
        current = ""
        for line in text.splitlines():
            words = line.split("#", 1)[0].split()
            if not words:
                continue
            if words[0] == "newmtl":
                current = " ".join(words[1:])
            elif words[0] == "Kd":
                self.materials[current] = _colour(words[1:]) or _GREY
            elif words[0] == "map_Kd":
                self.left_out["textures"] = self.left_out.get("textures", 0) + 1

    def _use(self, name: str) -> None:
        self.material = self.materials.get(name)
        if self.material is None:
            note = f"material {name!r} is not known: its faces are grey"
            if note not in self.notes:
                self.notes.append(note)

    # -- the whole ----------------------------------------------------------------------------

    def finish(self) -> ObjFile:
        """The mesh; a `DataError` where there are no faces."""
        if not self.sizes:
            raise DataError(
                f"{self.name} has no faces ({len(self.points)} vertices)",
                expected="lines such as f 1 2 3",
                remedy="export the object as a triangle or polygon mesh",
            )
        vertices = np.array(self.points, np.float64)
        corners, sizes = np.array(self.corners, np.int64), np.array(self.sizes, np.int64)
        of_corners = triangles_of(vertices[corners[:, 0]], sizes)
        of_faces = np.repeat(np.arange(len(sizes)), sizes - 2)
        faces = corners[of_corners, 0]
        self._count_flat(vertices[faces])
        mesh = Mesh(
            vertices,
            faces,
            self._colours(faces, of_faces),
            tuple(self.parts),
            np.array(self.part_of, np.int64)[of_faces],
            self._corner_normals(corners[of_corners, 1]),
            two_sided=not _is_closed(vertices, faces),
        )
        said = [f"{count} × {what}: not drawn" for what, count in self.left_out.items()]
        return ObjFile(mesh, (*self.notes, *said))

    def _count_flat(self, corners: Array) -> None:
        """Triangles whose corners lie in a line show nothing from any side."""
        flat = int((~face_normals(corners).any(axis=1)).sum())
        if flat == len(corners):
            raise DataError(
                f"none of the faces of {self.name} ({flat}) has an area",
                expected="faces whose corners do not lie in a line",
                remedy="export the object again; coordinates may have been rounded to nothing",
            )
        if flat:
            self.left_out["faces without an area"] = flat

    def _colours(self, faces: Array, of_faces: Array) -> Array:
        """Of triangles (T, 3) that faces were cut into: the material's, else that of the corners."""
        of_parts = np.array([one or (0, 0, 0) for one in self.colour_of], np.uint8)
        plain = np.array([one is None for one in self.colour_of])
        return np.where(plain[of_faces, None], self._tinted(faces), of_parts[of_faces])

    def _tinted(self, faces: Array) -> Array:
        """The mean of the corners' own colours, 0 to 1 or 0 to 255, where they have any; else grey."""
        found = np.full((len(faces), 3), _GREY, np.uint8)
        if not self.tints:
            return found
        tints, has = np.zeros((len(self.points), 3)), np.zeros(len(self.points), bool)
        at = list(self.tints)
        tints[at], has[at] = list(self.tints.values()), True
        count = has[faces].sum(axis=1)
        own = count > 0
        mean = tints[faces[own]].sum(axis=1) / count[own, None]
        mean /= np.where(mean.max(axis=1, keepdims=True) <= 1, 1, 255)
        found[own] = np.rint(255 * mean.clip(0, 1))
        return found

    def _corner_normals(self, index: Array) -> Array | None:
        """Only where every corner has one that is not zero. `index` (T, 3)."""
        if not self.normals or (index < 0).any():
            return None
        found = np.array(self.normals, np.float64)[index]
        length = np.linalg.norm(found, axis=-1, keepdims=True)
        return None if (length == 0).any() else found / length


def _colour(words: list[str]) -> tuple[int, int, int] | None:
    """Shares 0 to 1, as Kd has them, as sRGB 0 to 255; None for what is not that."""
    try:
        values = [min(max(float(word), 0.0), 1.0) for word in words[:3]]
    except ValueError:
        return None
    if len(values) != 3 or not np.isfinite(values).all():
        return None
    red, green, blue = (round(255 * one) for one in values)
    return red, green, blue


def _is_closed(vertices: Array, faces: Array) -> bool:
    """Whether backs can never be seen: each edge has a neighbour that runs the other way, outwards.

    Vertices at the same place count as one, for files that repeat them.
    """
    _, same = np.unique(vertices, axis=0, return_inverse=True)
    joined = same.reshape(-1)[faces]
    starts = joined.reshape(-1)
    ends = np.roll(joined, -1, axis=1).reshape(-1)
    real = starts != ends
    count = np.int64(len(vertices))
    there = np.sort((starts * count + ends)[real])
    back = np.sort((ends * count + starts)[real])
    return bool((there == back).all()) and signed_volume(vertices[faces]) > 0
