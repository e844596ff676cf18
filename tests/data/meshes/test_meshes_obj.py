from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data.meshes.mesh import Mesh, face_normals, signed_volume
from striate.data.meshes.obj import parse_obj, read_obj
from striate.data.meshes.polygon import flattened, triangulate
from striate.errors import DataError, StriateError

CUBE = """# a cube of six squares
mtllib paints.mtl
o crate
v -1 -1 -1
v 1 -1 -1
v 1 1 -1
v -1 1 -1
v -1 -1 1
v 1 -1 1
v 1 1 1
v -1 1 1
g lid
usemtl red
f 4 8 7 3
g sides
usemtl blue
f 5 6 7 8
f -8 -5 -6 -7
f 1 5 8 4
f 2 3 7 6
f 1 2 6 5
"""


def area(mesh: Mesh) -> float:
    corners = mesh.vertices[mesh.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(across, axis=1).sum() / 2)


def test_a_cube_with_groups_and_paints(tmp_path: Path) -> None:
    (tmp_path / "paints.mtl").write_text(
        "newmtl red\nKd 1 0 0\nmap_Kd wood.png\nnewmtl blue\nNs 3\nKd 0.2 0.4 1\n"
    )
    (tmp_path / "cube.obj").write_text(CUBE)
    found = read_obj(tmp_path / "cube.obj")
    mesh = found.mesh
    assert len(mesh) == 12
    assert mesh.parts == ("lid", "sides")
    assert np.bincount(mesh.part_index).tolist() == [2, 10]
    assert mesh.colours[0].tolist() == [255, 0, 0]
    assert mesh.colours[-1].tolist() == [51, 102, 255]
    assert not mesh.two_sided
    assert area(mesh) == pytest.approx(24)
    assert signed_volume(mesh.vertices[mesh.faces]) == pytest.approx(8)
    assert found.notes == ("1 × textures: not drawn",)


def test_without_its_paints_it_is_grey_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "cube.obj").write_text(CUBE)
    found = read_obj(tmp_path / "cube.obj")
    assert len(np.unique(found.mesh.colours, axis=0)) == 1
    assert any("were not found" in note for note in found.notes)
    away = parse_obj(CUBE.replace("paints.mtl", "../secret.mtl"), beside=tmp_path)
    assert any("do not lie beside" in note for note in away.notes)


@pytest.mark.parametrize("corner", ["{0}", "{0}/{0}", "{0}//{0}", "{0}/{0}/{0}"])
def test_every_form_of_index(corner: str) -> None:
    head = "v 0 0 0\nv 1 0 0\nv 0 1 0\n" + "vt 0 0\n" * 3 + "vn 0 0 2\n" * 3
    for indices in ((1, 2, 3), (-3, -2, -1)):
        mesh = parse_obj(head + "f " + " ".join(corner.format(one) for one in indices)).mesh
        assert mesh.faces.tolist() == [[0, 1, 2]]
        if corner.count("/") == 2:
            assert mesh.normals is not None
            np.testing.assert_array_equal(mesh.normals[0], [[0, 0, 1]] * 3)
        else:
            assert mesh.normals is None
        assert mesh.two_sided


def test_continued_lines_comments_and_colours_of_points() -> None:
    found = parse_obj("v 0 0 0 1 0 0 # red\nv 1 0 0 1 0 0\nv 0 1 0 1 0 0\nf 1 \\\n2 3\nl 1 2\nxyz\n")
    assert found.mesh.colours.tolist() == [[255, 0, 0]]
    assert found.notes == ("1 × lines: not drawn", "1 × lines that begin with 'xyz': not drawn")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no faces"),
        ("v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\nf 1 1 1\n", r"none of the faces .* \(2\) has an area"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\n", r"no faces \(3 vertices\)"),
        ("v 0 0\n", "line 1"),
        ("v 0 0 nan\n", "line 1"),
        ("v 0 0 1e999\n", "line 1"),
        ("v a b c\n", "line 1: 'a b c' are no numbers"),
        ("v 0 0 0\n\nf 1 2 3\n", "line 3: vertex 2, where there are 1"),
        ("v 0 0 0\nf 0 1 1\n", "line 2: vertex 0"),
        ("v 0 0 0\nf -2 1 1\n", "line 2: vertex -2"),
        ("v 0 0 0\nf 1 1\n", "a face of 2 corners"),
        ("v 0 0 0\nf 1/2/3/4 1 1\n", "is no corner"),
        ("v 0 0 0\nf 1/1 1 1\n", "texture vertex 1"),
        ("v 0 0 0\nf 1//1 1 1\n", "normal 1"),
        ("v 0 0 0\nf x 1 1\n", "'x' is no index"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        parse_obj(text)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.obj", tmp_path):
        with pytest.raises(DataError, match="cannot read"):
            read_obj(path)


def face_by_face(text: str) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray | None]:
    """Vertices of triangles, part names of each, and normals, read as simply as can be."""
    points, normals, corners, parts, smooth, part = [], [], [], [], [], "object"
    for line in text.splitlines():
        kind, *words = line.split("#")[0].split() or [""]
        if kind == "v":
            points.append([float(word) for word in words[:3]])
        elif kind == "vn":
            normals.append([float(word) for word in words])
        elif kind in ("g", "o"):
            part = " ".join(words)
        elif kind == "f":
            fields = [[int(one or 0) for one in f"{word}//".split("/")[:3]] for word in words]
            place = [v - 1 if v > 0 else len(points) + v for v, _, _ in fields]
            upright = [n - 1 if n > 0 else len(normals) + n if n else -1 for _, _, n in fields]
            for triangle in triangulate(flattened(np.array(points)[place])):
                corners.append([place[at] for at in triangle])
                smooth.append([upright[at] for at in triangle])
                parts.append(part)
    index = np.array(smooth)
    found = np.array(normals or [[0, 0, 0]], float)[index]
    length = np.linalg.norm(found, axis=-1, keepdims=True)
    known = (index >= 0).all() and (length > 0).all()
    return np.array(points), np.array(corners), parts, found / length if known else None


@st.composite
def files(draw: st.DrawFn) -> str:
    """Solids in a file of any habit: forms of index, sizes of faces, parts, comments, line ends."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    form = draw(st.sampled_from(["{0}", "{0}/{1}", "{0}//{2}", "{0}/{1}/{2}", "any"]))
    backwards, flat = draw(st.booleans()), draw(st.booleans())
    lines: list[str] = []
    count = 0
    for number in range(draw(st.integers(1, 3))):
        size = draw(st.integers(3, 6))
        places = np.round(rng.normal(size=(size, 3)), draw(st.integers(0, 3)))
        if flat:
            places[:, 2] = 0
        for place in places.tolist():  # as MeshLab does, in turn
            lines += [
                f"vn 0.5 -1 {place[0] or 1:g}",
                "v {:g} {:g} {:g} # a point".format(*place),
            ]
            lines += ["vt 0.5 0.5"]
        count += size
        lines += draw(
            st.sampled_from([[], ["g left wing"], [f"o {number}", "usemtl red"], ["", "# none"]])
        )
        for _ in range(draw(st.integers(1, 3))):
            words = []
            for at in rng.permutation(size)[: rng.integers(3, size + 1)].tolist():
                index = at - size if backwards else count - size + at + 1
                own = "{0}//{2}" if form == "any" and rng.random() < 0.5 else form
                own = "{0}" if own == "any" else own
                words.append(own.format(index, index, index))
            lines.append("f " + " ".join(words))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


@settings(deadline=None, max_examples=40)
@given(files())
def test_files_are_read_as_face_by_face(text: str) -> None:
    points, corners, parts, normals = face_by_face(text)
    if not face_normals(points[corners]).any():
        with pytest.raises(DataError, match="has an area"):
            parse_obj(text)
        return
    mesh = parse_obj(text).mesh
    np.testing.assert_array_equal(mesh.vertices, points)
    np.testing.assert_array_equal(mesh.faces, corners)
    assert [mesh.parts[at] for at in mesh.part_index] == parts
    if normals is None:
        assert mesh.normals is None
    else:
        assert mesh.normals is not None
        np.testing.assert_allclose(mesh.normals, normals)


def test_large_meshes_are_read_fast() -> None:
    side = 110
    at = np.arange(side * side).reshape(side, side)
    lines = [f"v {k % side} {k // side} {np.sin(k):.6f}" for k in range(side * side)]
    quads = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], -1).reshape(-1, 4) + 1
    lines += [f"f {a} {b} {c} {d}" for a, b, c, d in quads.tolist()]
    began = time.process_time()
    mesh = parse_obj("\n".join(lines)).mesh
    assert time.process_time() - began < 1.5  # 0.15 s; face by face 3 s
    assert len(mesh) == 2 * (side - 1) ** 2


def test_colours_of_points_of_both_habits() -> None:
    text = "v 0 0 0 1 0.5 0\nv 1 0 0 0 0.5 0\nv 0 1 0\nv 0 0 1 255 100 0\nf 1 2 3\nf 3 4 3\nf 3 3 3\n"
    assert parse_obj(text).mesh.colours.tolist() == [[128, 128, 0], [255, 100, 0], [184, 188, 196]]


_word = st.sampled_from(
    ["v", "vn", "vt", "f", "o", "g", "usemtl", "mtllib", "0", "1", "-1", "2/1", "1//2", "1e9", "nan",
     "\\", "#", "é", "-", "1/", "/", "99999999999999999999"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.lists(_word, max_size=6).map(" ".join), max_size=20).map("\n".join))
def test_any_text_gives_a_mesh_or_an_error(text: str) -> None:
    try:
        found = parse_obj(text)
    except StriateError:
        return
    assert len(found.mesh) > 0


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=200))
def test_any_bytes_give_an_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "x.obj"
    path.write_bytes(data)
    with pytest.raises(DataError):
        read_obj(path)


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 24), st.integers(0, 10_000), st.booleans())
def test_polygons_keep_their_area(corners: int, seed: int, clockwise: bool) -> None:
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    if np.diff(np.append(turn, turn[0] + 2 * np.pi)).max() > np.pi * 0.98:
        turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)  # keep the middle inside: a star shape
    outline = rng.uniform(0.3, 1, corners)[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    outline = outline[::-1] if clockwise else outline
    faces = triangulate(outline)
    assert faces.shape == (corners - 2, 3)
    a, b, c = outline[faces].transpose(1, 0, 2)
    signed = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    x, y = outline.T
    whole = (np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert signed.sum() == pytest.approx(whole)
    assert np.abs(signed).sum() == pytest.approx(abs(whole))  # none lies outside


def test_a_hollow_polygon_in_space_is_cut_exactly() -> None:
    arrow = np.array([[0.0, 0], [2, 1], [0, 2], [0.6, 1]])
    space = np.stack([arrow[:, 0], arrow[:, 1], arrow @ [0.5, -0.3]], 1)
    faces = triangulate(flattened(space))
    corners = arrow[faces]
    signed = np.cross(np.append(corners[:, 1] - corners[:, 0], [[0], [0]], 1),
                      np.append(corners[:, 2] - corners[:, 0], [[0], [0]], 1))[:, 2]  # fmt: skip
    assert (signed > 0).all()
    assert signed.sum() / 2 == pytest.approx(1.4)
