from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from striate.data.cifar import find_cifar, read_cifar
from striate.errors import LabelError, LayoutError
from striate.types import Array


def rows(pictures: Array, labels: Array) -> bytes:
    """Pictures (N, 32, 32, 3) as the site describes them: labels, then red, green and blue planes."""
    planes = pictures.transpose(0, 3, 1, 2).reshape(len(pictures), -1)
    return np.concatenate([labels.reshape(len(labels), -1), planes], axis=1).astype(np.uint8).tobytes()


def test_cifar10(tmp_path: Path, rng: np.random.Generator) -> None:
    pictures = rng.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    labels = np.array([1, 0, 1, 1, 0])
    (tmp_path / "batches.meta.txt").write_text("airplane\nautomobile\n\n")
    (tmp_path / "data_batch_2.bin").write_bytes(rows(pictures[:3], labels[:3]))
    (tmp_path / "test_batch.bin").write_bytes(rows(pictures[3:], labels[3:]))
    assert find_cifar(path.name for path in tmp_path.iterdir()) == 10
    found = read_cifar(tmp_path, 10)
    assert found.names == ("airplane", "automobile")
    assert [found.names[label] for label in labels] == [target[0] for target in found.targets]
    assert [r.split for r in found] == ["train"] * 3 + ["test"] * 2
    for record, picture in zip(found, pictures, strict=True):
        np.testing.assert_array_equal(record.origin.read(), picture)
    assert len({r.key for r in found}) == len({r.origin.content_hash() for r in found}) == 5


def test_cifar100_has_two_labels_and_the_fine_one_counts(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    pictures = rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    (tmp_path / "fine_label_names.txt").write_text("apple\nbee\n")
    (tmp_path / "train.bin").write_bytes(rows(pictures, np.array([[7, 1], [9, 0]])))
    assert find_cifar(path.name for path in tmp_path.iterdir()) == 100
    found = read_cifar(tmp_path, 100)
    assert found.targets == [("bee",), ("apple",)]
    np.testing.assert_array_equal(found.records[1].origin.read(), pictures[1])


@pytest.mark.parametrize("size", [0, 100, 3072, 2 * 3073 - 1])
def test_cut_off(tmp_path: Path, size: int) -> None:
    (tmp_path / "batches.meta.txt").write_text("a\n")
    (tmp_path / "test_batch.bin").write_bytes(bytes(size))
    with pytest.raises(LayoutError, match=rf"{size} bytes.*3073"):
        read_cifar(tmp_path, 10)


def test_a_label_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "batches.meta.txt").write_text("a\n")
    (tmp_path / "test_batch.bin").write_bytes(b"\x05" + bytes(3072))
    with pytest.raises(LabelError, match="label 5"):
        read_cifar(tmp_path, 10)


def test_other_folders() -> None:
    assert find_cifar(["train.bin", "batches.meta.txt"]) is None
    assert find_cifar([]) is None
