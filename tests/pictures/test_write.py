"""Writing: whole or not at all, no metadata, nothing overwritten unasked, the disk's troubles named."""

from __future__ import annotations

import base64
import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from striate.errors import DiskError, SettingError, UnknownNameError, UsageError
from striate.pictures import WRITABLE_SUFFIXES, probe, read, to_bytes, to_data_uri, write

PICTURE = np.random.default_rng(1).integers(0, 256, (9, 14, 3)).astype(np.uint8)
SMOOTH = np.dstack([np.tile(np.arange(0, 240, 5, dtype=np.uint8), (32, 1))] * 3)


@pytest.mark.parametrize("suffix", [*WRITABLE_SUFFIXES, ".PNG"])
def test_every_suffix_writes_its_format(suffix: str, tmp_path: Path) -> None:
    path = write(SMOOTH, tmp_path / f"a{suffix}")
    assert probe(path).format.lower() == WRITABLE_SUFFIXES[suffix.lower()]
    tolerance = 0 if WRITABLE_SUFFIXES[suffix.lower()] in ("png", "tiff", "bmp") else 8
    np.testing.assert_allclose(read(path).astype(int), SMOOTH, atol=tolerance)
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == [path.name]


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3))))
def test_lossless_round_trip(pixels: np.ndarray) -> None:
    for kind in ("png", "tiff", "bmp"):
        np.testing.assert_array_equal(read(to_bytes(pixels, kind)), pixels)


def test_quality_and_colour_of_jpeg() -> None:
    assert len(to_bytes(PICTURE, "jpeg", quality=30)) < len(to_bytes(PICTURE, "jpeg", quality=95))
    red = np.zeros((16, 16, 3), np.uint8)
    red[:, ::2, 0] = 255
    fine, coarse = (read(to_bytes(red, "jpeg", quality=q)).astype(int) for q in (90, 89))
    assert np.abs(fine - red).mean() < np.abs(coarse - red).mean() / 2


def test_no_metadata_goes_along() -> None:
    for kind in set(WRITABLE_SUFFIXES.values()):
        data = to_bytes(PICTURE, kind)
        assert b"Exif" not in data
        assert b"Pillow" not in data
        assert b"ICC_PROFILE" not in data


def test_data_uri() -> None:
    head, _, body = to_data_uri(PICTURE).partition(",")
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(read(base64.b64decode(body)), PICTURE)


def test_an_existing_file_stays_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(UsageError, match="exists already"):
        write(PICTURE, path)
    assert path.read_bytes() == b"precious"
    write(PICTURE, path, overwrite=True)
    np.testing.assert_array_equal(read(path), PICTURE)
    (tmp_path / "b.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="exists already"):
        write(PICTURE, tmp_path / "b.png")


def test_a_name_taken_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(UsageError, match="exists already"):
        write(PICTURE, path)
    assert path.read_bytes() == b"precious"


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    np.testing.assert_array_equal(read(write(PICTURE, tmp_path / "a.png")), PICTURE)
    with pytest.raises(UsageError):
        write(PICTURE, tmp_path / "a.png")
    assert len(list(tmp_path.glob("*"))) == len(list(tmp_path.glob("a.png")))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "space"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "right"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, "disk"),
    ],
)
@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
def test_disk_troubles_are_named_and_leave_nothing(
    number: int, words: str, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(b"precious")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(DiskError, match=words) as caught:
        write(PICTURE, tmp_path / "a.png", overwrite=True)
    monkeypatch.undo()
    assert "a.png" in str(caught.value)
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"precious"


def test_missing_folder_and_impossible_names(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="make the folder first"):
        write(PICTURE, tmp_path / "no" / "a.png")
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="name a folder"):
        write(PICTURE, tmp_path / "file" / "a.png")
    with pytest.raises(DiskError, match="null"):
        write(PICTURE, tmp_path / "a\0.png")
    (tmp_path / "d.png").mkdir()
    with pytest.raises(DiskError):
        write(PICTURE, tmp_path / "d.png", overwrite=True)


def test_non_utf8_names(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9\xff.png")
    np.testing.assert_array_equal(read(write(PICTURE, path)), PICTURE)
    with pytest.raises(UsageError, match=r"caf\\xe9"):
        write(PICTURE, path)


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = write(PICTURE, tmp_path / "a.png")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_wrong_requests(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"\.png"):
        write(PICTURE, tmp_path / "a.gif")
    with pytest.raises(UnknownNameError):
        to_bytes(PICTURE, "gif")  # type: ignore[arg-type]
    for quality in (0, 101):
        with pytest.raises(SettingError, match="1 to 100"):
            to_bytes(PICTURE, "jpeg", quality=quality)
    with pytest.raises(ValueError, match="uint8"):
        to_bytes(PICTURE.astype(np.float32))
    with pytest.raises(UsageError, match="WEBP cannot hold"):
        to_bytes(np.zeros((1, 16384, 3), np.uint8), "webp")


def test_pillow_reads_it_too(tmp_path: Path) -> None:
    with Image.open(write(PICTURE, tmp_path / "a.png")) as image:
        assert (image.mode, image.size, image.info) == ("RGB", (14, 9), {})
