from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.data.origins import ArrayOrigin, FileOrigin
from striate.errors import PictureError

Save = Callable[..., str]


def test_a_file(save: Save, rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (7, 5, 3), dtype=np.uint8)
    path = save("a.png", picture)
    for given in (path, os.fsencode(path), Path(path)):
        origin = FileOrigin(given)
        np.testing.assert_array_equal(origin.read(), picture)
        assert origin.content_hash() == hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_the_hash_follows_the_content(save: Save, tmp_path: Path) -> None:
    origin = FileOrigin(save("a.png"))
    first = origin.content_hash()
    assert origin.content_hash() == first
    save("a.png")  # another picture, the same name
    assert (
        origin.content_hash() == hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest() != first
    )


@pytest.mark.parametrize(
    "name", [b"caf\xe9\xff.png", "猫🐈.png".encode(), b"new\nline.png", b"x" * 251 + b".png"]
)
def test_any_name_that_a_file_can_have(save: Save, name: bytes) -> None:
    origin = FileOrigin(save(name))
    assert origin.read().shape == (9, 12, 3)
    assert len(origin.content_hash()) == 64
    assert os.fsencode(origin.path).endswith(name)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    for name, reason in (("gone.png", "no such file"), ("empty.png", "empty"), ("pipe.png", "pipe")):
        origin = FileOrigin(tmp_path / name)
        for act in (origin.read, origin.content_hash, origin.stored):
            with pytest.raises(PictureError, match=reason):
                act()


def test_rows_of_arrays(rng: np.random.Generator) -> None:
    grey = rng.integers(0, 256, (3, 5, 7), dtype=np.uint8)
    rgb = rng.integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)
    read = ArrayOrigin(grey, 1, "x").read((64, 64))
    np.testing.assert_array_equal(read, np.repeat(grey[1][..., None], 3, axis=2))
    np.testing.assert_array_equal(ArrayOrigin(grey[..., None], 1, "x").read(), read)
    other = ArrayOrigin(rgb, 2, "x").read()
    np.testing.assert_array_equal(other, rgb[2])
    assert other.flags.c_contiguous
    assert other.flags.writeable
    other[:] = 0
    assert rgb[2].any()


def test_the_hash_of_a_row(rng: np.random.Generator) -> None:
    array = rng.integers(0, 256, (3, 4, 6), dtype=np.uint8)
    array[2] = array[0]
    hashes = [ArrayOrigin(array, i, "x").content_hash() for i in range(3)]
    assert hashes[0] == hashes[2] != hashes[1]
    turned = array.reshape(3, 6, 4)
    assert ArrayOrigin(turned, 0, "x").content_hash() != hashes[0]
    columns = np.asfortranarray(array)
    assert ArrayOrigin(columns, 0, "x").content_hash() == hashes[0]


def test_arrays_of_another_form_are_refused() -> None:
    for array in (np.zeros((2, 3, 4)), np.zeros((2, 3), np.uint8), np.zeros((2, 3, 4, 4), np.uint8)):
        with pytest.raises(ValueError, match="expected"):
            ArrayOrigin(array, 0, "x")
    with pytest.raises(IndexError):
        ArrayOrigin(np.zeros((2, 3, 4), np.uint8), 2, "x")
