from __future__ import annotations

import gzip
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from striate.data.idx import find_idx, read_idx, read_idx_array
from striate.errors import LabelError, LayoutError
from striate.types import Array


def packed(array: Array) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def mnist(folder: Path, rng: np.random.Generator, *, zipped: bool = False) -> dict[str, Array]:
    """Small MNIST-like files; non-square pictures."""
    arrays = {}
    for prefix, count in (("train", 7), ("t10k", 3)):
        arrays[f"{prefix}-images"] = rng.integers(0, 256, (count, 5, 4), dtype=np.uint8)
        arrays[f"{prefix}-labels"] = np.arange(count, dtype=np.uint8) + 5
    for name, array in arrays.items():
        data = packed(array)
        file = f"{name}-idx{array.ndim}-ubyte"
        (folder / (file + ".gz" if zipped else file)).write_bytes(
            gzip.compress(data) if zipped else data
        )
    return arrays


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist(tmp_path: Path, rng: np.random.Generator, zipped: bool) -> None:
    arrays = mnist(tmp_path, rng, zipped=zipped)
    found = read_idx(tmp_path)
    assert found.splits == ("train", "test")
    assert found.names == ("5", "6", "7", "8", "9", "10", "11")
    train = found.only("train")
    assert train.targets == [(str(label),) for label in arrays["train-labels"]]
    for record, picture in zip(train, arrays["train-images"], strict=True):
        np.testing.assert_array_equal(record.origin.read()[:, :, 1], picture)
    assert len({record.key for record in found}) == 10


def test_names_of_classes(tmp_path: Path, rng: np.random.Generator) -> None:
    mnist(tmp_path, rng)
    (tmp_path / "classes.txt").write_text("\n".join(f"class {i}" for i in range(12)))
    assert read_idx(tmp_path).records[0].target == ("class 5",)
    (tmp_path / "classes.txt").write_text("only one\n")
    with pytest.raises(LabelError, match=r"label 7, but only 1 classes"):
        read_idx(tmp_path)


def test_other_spellings() -> None:
    names = ["emnist-letters-train-images-idx3-ubyte.gz", "train-labels.idx1-ubyte", "images-idx3-ubyte"]
    assert find_idx([*names, "t10k-images-idx3-ubyte.zip", "x.csv"]) == {
        "": {"images": "images-idx3-ubyte"},
        "emnist-letters-train": {"images": names[0]},
        "train": {"labels": names[1]},
    }


def test_one_set_at_a_time(tmp_path: Path, rng: np.random.Generator) -> None:
    mnist(tmp_path, rng)
    for name in ("images-idx3", "labels-idx1"):
        file = tmp_path / f"train-{name}-ubyte"
        (tmp_path / f"other-{file.name}").write_bytes(file.read_bytes())
    with pytest.raises(LayoutError, match="several sets"):
        read_idx(tmp_path)


def test_a_missing_partner(tmp_path: Path, rng: np.random.Generator) -> None:
    mnist(tmp_path, rng)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(LayoutError, match=r"no labels.*t10k-labels-idx1-ubyte"):
        read_idx(tmp_path)


def test_pictures_and_labels_must_match(tmp_path: Path, rng: np.random.Generator) -> None:
    mnist(tmp_path, rng)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(packed(np.zeros(4, np.uint8)))
    with pytest.raises(LayoutError, match=r"\(3, 5, 4\).*\(4,\)"):
        read_idx(tmp_path)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "no IDX file"),
        (b"\0\0\x0d\x01\0\0\0\1\0\0\0\0", "no IDX file of uint8"),
        (b"\0\0\x08\x03\0\0\0\1", "cut off in its header"),
        (packed(np.zeros((2, 3, 4), np.uint8))[:-1], r"cut off.*24 bytes"),
        (packed(np.zeros((2, 3, 4), np.uint8)) + b"x", "goes on after its end"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "more than 4 GiB"),
        (b"\0\0\x08\x02" + struct.pack(">2I", 2**15, 2**15) + b"x" * 9, "is cut off"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_damaged_files(tmp_path: Path, data: bytes, match: str, zipped: bool) -> None:
    path = tmp_path / ("x.gz" if zipped else "x")
    path.write_bytes(gzip.compress(data) if zipped else data)
    with pytest.raises(LayoutError, match=match):
        read_idx_array(path)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 80), flip=st.integers(0, 79), value=st.integers(0, 255))
def test_mutated_gzip_never_escapes(tmp_path: Path, cut: int, flip: int, value: int) -> None:
    data = bytearray(gzip.compress(packed(np.arange(60, dtype=np.uint8).reshape(3, 5, 4)), mtime=0))
    data[flip % len(data)] = value
    path = tmp_path / "x.gz"
    path.write_bytes(data[: len(data) - cut])
    with suppress(LayoutError):
        assert read_idx_array(path).dtype == np.uint8


@pytest.mark.realdata
def test_fashion_mnist(real_data: Path) -> None:
    found = read_idx(real_data / "fashion_mnist")
    assert [len(found.only(split)) for split in found.splits] == [60_000, 10_000]
    assert found.names == tuple("0123456789")
    # the first pictures of Fashion-MNIST: an ankle boot, a T-shirt (its README)
    assert [record.target for record in found.only("train").records[:2]] == [("9",), ("0",)]
    assert found.records[0].origin.read().shape == (28, 28, 3)
