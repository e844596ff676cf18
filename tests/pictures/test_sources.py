"""Where a picture may come from, what is refused, and how names are shown."""

from __future__ import annotations

import io
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from striate.errors import PictureError
from striate.pictures import is_picture_name, probe, read, shown_name
from striate.pictures.formats import PICTURE_SUFFIXES, sniff

PIXELS = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)


@pytest.fixture
def data() -> bytes:
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, "PNG")
    return out.getvalue()


def refusal(source: object) -> PictureError:
    with pytest.raises(PictureError) as caught:
        read(source)  # type: ignore[arg-type]
    error = caught.value
    assert error.name
    assert error.reason
    assert error.remedy
    assert str(error).startswith(f"cannot read picture {error.name}: {error.reason}")
    return error


def test_paths_bytes_and_streams_give_the_same_pixels(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        sources = [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), file]
        for source in sources:
            np.testing.assert_array_equal(read(source), PIXELS)


def test_the_bytes_decide_and_not_the_name(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.JPG"
    path.write_bytes(data)
    np.testing.assert_array_equal(read(path), PIXELS)
    assert probe(path).format == "PNG"


def test_large_files_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.pictures.sources.READ_WHOLE_BYTES", 10)
    for kind in ("PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP", "AVIF"):
        path = tmp_path / kind
        Image.fromarray(PIXELS).save(path, kind)
        np.testing.assert_array_equal(read(path), read(path.read_bytes()))
        assert probe(path).bytes == path.stat().st_size
    path.write_bytes(path.read_bytes()[:-20])
    refusal(path)


def test_what_is_no_file(tmp_path: Path, data: bytes) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.jpg"))
        assert "pipe, socket or device" in refusal(tmp_path / "s.jpg").reason
    assert "pipe" in refusal(tmp_path / "pipe.jpg").reason  # and does not wait for a writer
    assert "device" in refusal("/dev/zero").reason
    assert "folder" in refusal(tmp_path).reason
    assert "no such file" in refusal(tmp_path / "nothing.jpg").reason
    assert "web address" in refusal("https://example.org/cat.jpg").reason
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "symbolic links" in refusal(tmp_path / "loop").reason
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    assert "no such file" in refusal(tmp_path / "link.png").reason
    (tmp_path / "real.png").write_bytes(data)
    np.testing.assert_array_equal(read(tmp_path / "link.png"), PIXELS)
    assert "null" in refusal("a\0b.png").reason
    assert "too long" in refusal("n" * 5000).reason


def test_empty_sources(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    for source in (tmp_path / "empty.jpg", b"", io.BytesIO()):
        assert "empty" in refusal(source).reason


def test_permission_denied(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.png"
    path.write_bytes(data)
    path.chmod(0)
    if os.geteuid() == 0:  # root may read everything: let the system call refuse

        def refuse(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)
    error = refusal(path)
    assert "permission" in error.reason
    assert "chmod" in error.remedy


@pytest.mark.parametrize("wrong", [None, 3, ["a.jpg"], np.zeros((2, 2, 3), np.uint8).tolist()])
def test_what_is_no_source_is_a_type_error(wrong: object) -> None:
    with pytest.raises(TypeError, match="expected a path"):
        read(wrong)  # type: ignore[arg-type]


def test_text_streams_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="'rb'"):
        read(io.StringIO("x"))  # type: ignore[arg-type]


NAMES = [
    b"caf\xe9\xff.jpg",
    "emoji 🦊.jpg".encode(),
    "עברית.jpg".encode(),
    b"new\nline.jpg",
    b"n" * 251 + b".jpg",
    "e\u0301.jpg".encode(),
    "\u00e9.jpg".encode(),
    b"A.JPG",
    b"a.JPG",
]


def test_any_name_of_a_file_works(tmp_path: Path, data: bytes) -> None:
    for name in NAMES:
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(data)
        np.testing.assert_array_equal(read(path), PIXELS)
        path.write_bytes(b"broken")
        error = refusal(path)
        assert error.name.isprintable()
        error.name.encode("utf-8")
        str(error).encode("utf-8")
        assert is_picture_name(path)


def test_names_are_shown_escaped() -> None:
    assert shown_name(os.fsdecode(b"caf\xe9\xff.jpg")) == r"caf\xe9\xff.jpg"
    assert shown_name("a\nb\u202e.jpg") == r"a\nb\u202e.jpg"
    assert shown_name(Path("/a/ü 🦊.jpg")) == "/a/ü 🦊.jpg"


@given(st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name))
def test_shown_names_are_always_printable(name: bytes) -> None:
    shown = shown_name(os.fsdecode(name))
    assert shown.isprintable()
    assert shown.encode("utf-8")


def test_a_given_name_stands_for_the_source(data: bytes) -> None:
    with pytest.raises(PictureError) as caught:
        read(data[:40], name="upload 7")
    assert caught.value.name == "upload 7"
    with pytest.raises(PictureError, match="<bytes>"):
        read(b"junk")


def test_picture_names() -> None:
    assert all(is_picture_name(f"some/photo{suffix.upper()}") for suffix in PICTURE_SUFFIXES)
    for name in ("a.txt", "jpg", ".jpg", "._a.jpg", ".hidden/a", "a.jpg.txt", "a.svg", "a.eps", ""):
        assert not is_picture_name(name)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP", "AVIF"])
def test_sniff_agrees_with_pillow(kind: str) -> None:
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, kind)
    assert sniff(out.getvalue()[:64]) == kind
    assert sniff(b"") is None
    assert probe(out.getvalue()).to_dict()["format"] == kind


@pytest.mark.parametrize("pages", [1, 2, 5])
@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP", "AVIF"])
def test_probe_counts_frames(kind: str, pages: int, tmp_path: Path) -> None:
    first, *rest = [Image.new("RGB", (9, 6), (40 * page, 9, 9)) for page in range(pages)]
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=rest)
    found = probe(out.getvalue())
    assert (found.frames, found.size_hw, found.bytes) == (pages, (6, 9), len(out.getvalue()))
    (tmp_path / "x").write_bytes(out.getvalue())
    assert probe(tmp_path / "x") == found


def test_probe_stops_counting() -> None:
    out = io.BytesIO()
    Image.new("P", (1, 1)).save(out, "GIF")
    data = out.getvalue()
    start = data.index(b",")
    many = data[:-1] + data[start:-1] * 12_000 + b";"
    assert probe(many).frames == 10_000


def test_probe_tells_bigtiff_pages() -> None:
    import tifffile

    out = io.BytesIO()
    tifffile.imwrite(out, np.zeros((3, 4, 5), np.uint8), bigtiff=True, photometric="minisblack")
    assert probe(out.getvalue()).frames == 3
