"""CIFAR-10 and CIFAR-100, binary version (https://www.cs.toronto.edu/~kriz/cifar.html).

A row is one label byte (CIFAR-100: coarse, then fine), then 3072 bytes: 32 × 32 red, green, blue.
The Python version is pickle and is not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from striate.data.dataset import Dataset, Record
from striate.data.origins import ArrayOrigin
from striate.errors import LabelError, LayoutError
from striate.types import Array, Split

__all__ = ["find_cifar", "read_cifar"]

SIDE = 32
PIXEL_BYTES = 3 * SIDE * SIDE

BATCHES: dict[int, dict[str, Split]] = {
    10: {**{f"data_batch_{i}.bin": "train" for i in range(1, 6)}, "test_batch.bin": "test"},
    100: {"train.bin": "train", "test.bin": "test"},
}
NAMES = {10: "batches.meta.txt", 100: "fine_label_names.txt"}
LABEL_BYTES = {10: 1, 100: 2}


def find_cifar(files: Iterable[str]) -> int | None:
    """10 or 100 if the names in `files` are those of CIFAR-10 or CIFAR-100 (binary version)."""
    there = set(files)
    return next((k for k in BATCHES if NAMES[k] in there and there & BATCHES[k].keys()), None)


def read_cifar(root: Path, classes: int) -> Dataset[tuple[str, ...]]:
    """The pictures of CIFAR-`classes`, mapped, not loaded; a `LayoutError` if a file is damaged."""
    lines = (root / NAMES[classes]).read_text("utf-8", "replace").splitlines()
    names = tuple(line.strip() for line in lines if line.strip())
    known = [(name,) for name in names]
    records: list[Record[tuple[str, ...]]] = []
    for file, split in BATCHES[classes].items():
        if not (root / file).is_file():
            continue
        labels, pixels = _batch(root / file, LABEL_BYTES[classes])
        if len(labels) and int(labels.max()) >= len(names):
            raise LabelError(
                f"{file} has the label {labels.max()}, but {NAMES[classes]} names {len(names)} classes",
                remedy="unpack the archive again",
            )
        records += [
            Record(
                f"{Path(file).stem}/{i:05d}", ArrayOrigin(pixels, i, f"{file}[{i}]"), known[label], split
            )
            for i, label in enumerate(labels.tolist())
        ]
    return Dataset(tuple(records), names, str(root), f"CIFAR-{classes}, binary version")


def _batch(path: Path, label_bytes: int) -> tuple[Array, Array]:
    """Labels (N,) and pixels (N, 32, 32, 3), views of the mapped file."""
    row = label_bytes + PIXEL_BYTES
    size = path.stat().st_size
    if size == 0 or size % row:
        raise LayoutError(
            f"{path.name} has {size} bytes",
            expected=f"a multiple of {row}, one row a picture",
            remedy="the file is cut off; unpack the archive again",
        )
    table = np.memmap(path, np.uint8, "r").reshape(-1, row)
    strides = (row, SIDE, 1, SIDE * SIDE)
    pixels: Array = np.ndarray(
        (len(table), SIDE, SIDE, 3), np.uint8, buffer=table, offset=label_bytes, strides=strides
    )
    return np.array(table[:, label_bytes - 1]), pixels
