"""MNIST's own files: `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, …, packed (.gz) or not.

The format is told at http://yann.lecun.com/exdb/mnist: two zero bytes, the kind of number (8 is
uint8), the number of axes, their lengths as big-endian uint32, then the numbers.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from striate.data.dataset import Dataset, Record
from striate.data.naming import ordered
from striate.data.origins import ArrayOrigin
from striate.errors import LabelError, LayoutError
from striate.pictures.sources import shown_name
from striate.types import Array, Split

__all__ = ["find_idx", "read_idx", "read_idx_array"]

NAME = re.compile(r"(?P<set>.*?)-?(?P<kind>images|labels)[-.]idx[1-4]-ubyte(\.gz)?", re.IGNORECASE)
UBYTE = 8
LARGEST = 4 * 2**30
"""Bytes that a header may announce; MNIST has 47 million, all of EMNIST 640 million."""

BLOCK_BYTES = 16 * 2**20

LABEL_LISTS = ("classes.txt", "labels.txt")


def find_idx(files: Iterable[str]) -> dict[str, dict[str, str]]:
    """The IDX files among `files` (names), as {"train": {"images": …, "labels": …}}.

    >>> find_idx(["t10k-images-idx3-ubyte.gz", "t10k-labels.idx1-ubyte", "README.md"])
    {'t10k': {'images': 't10k-images-idx3-ubyte.gz', 'labels': 't10k-labels.idx1-ubyte'}}
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name in sorted(files):
        if match := NAME.fullmatch(name):  # a packed and an unpacked copy: the first, unpacked one
            found[match["set"].lower()].setdefault(match["kind"].lower(), name)
    return dict(found)


def read_idx(root: Path) -> Dataset[tuple[str, ...]]:
    """The pictures and labels of an MNIST-style folder; `t10k` is its test split.

    Classes are the numbers, or the lines of `classes.txt` or `labels.txt` where there is one. A
    `LayoutError` names the file that is missing, cut off or no IDX file.
    """
    sets = find_idx(path.name for path in root.iterdir() if path.is_file())
    names = _label_names(root)
    records: list[Record[tuple[str, ...]]] = []
    splits: dict[Split, str] = {}
    for prefix, pair in sets.items():
        split = _split(prefix)
        if split in splits:
            raise LayoutError(
                f"{root.name} holds several sets of IDX files: {', '.join(map(repr, sets))}",
                expected="one set: train-… and t10k-… or test-…",
                remedy="put each set into a folder of its own",
            )
        splits[split] = prefix
        records += _records(root, prefix, pair, split, names)
    classes = names or ordered(record.target[0] for record in records)
    layout = f"IDX files ({' and '.join(prefix or 'images' for prefix in sets)})"
    return Dataset(tuple(records), tuple(classes), str(root), layout)


def _split(prefix: str) -> Split:
    return "test" if "t10k" in prefix or "test" in prefix else "train"


def _label_names(root: Path) -> tuple[str, ...]:
    for name in LABEL_LISTS:
        if (root / name).is_file():
            lines = (root / name).read_text("utf-8", "replace").splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    return ()


def _records(
    root: Path, prefix: str, pair: Mapping[str, str], split: Split, names: tuple[str, ...]
) -> list[Record[tuple[str, ...]]]:
    for kind in ("images", "labels"):
        if kind not in pair:
            there = ", ".join(pair.values())
            raise LayoutError(
                f"{root.name} has {there} but no {kind} to go with it",
                expected=f"{prefix}-{kind}-idx{3 if kind == 'images' else 1}-ubyte, or the same .gz",
                remedy="download the missing file again",
            )
    images, labels = read_idx_array(root / pair["images"]), read_idx_array(root / pair["labels"])
    if images.ndim not in (3, 4) or 0 in images.shape or labels.ndim != 1 or len(images) != len(labels):
        raise LayoutError(
            f"{pair['images']} has the shape {images.shape}, {pair['labels']} {labels.shape}",
            expected="pictures (N, H, W) and as many labels (N,)",
            remedy="download both files again",
        )
    if names and int(labels.max()) >= len(names):
        raise LabelError(
            f"{pair['labels']} has the label {labels.max()}, but only {len(names)} classes are named",
            remedy="name them all, one a line, or remove classes.txt",
        )
    known = [(name,) for name in names or map(str, range(256))]  # one tuple a class
    name = prefix or "images"
    return [
        Record(f"{name}/{i:05d}", ArrayOrigin(images, i, f"{pair['images']}[{i}]"), known[label], split)
        for i, label in enumerate(labels.tolist())
    ]


def read_idx_array(path: Path) -> Array:
    """The array in an IDX file of uint8, any shape; packed files are unpacked in memory.

    A `LayoutError` for anything else, for a file that is cut off or has more bytes than it announces.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            shape = _shape(stream, path)
            data = _read(stream, math.prod(shape) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(path, f"cannot be read ({error})") from error
    if len(data) != math.prod(shape):
        state = "is cut off" if len(data) < math.prod(shape) else "goes on after its end"
        raise _broken(path, f"{state}: its header announces {shape}, which is {math.prod(shape)} bytes")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read(stream: BinaryIO | gzip.GzipFile, count: int) -> bytes:
    """At most `count` bytes, by blocks: a header that lies must not reserve memory."""
    blocks: list[bytes] = []
    while count and (block := stream.read(min(count, BLOCK_BYTES))):
        blocks.append(block)
        count -= len(block)
    return b"".join(blocks)


def _shape(stream: BinaryIO | gzip.GzipFile, path: Path) -> tuple[int, ...]:
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] != UBYTE or not 1 <= head[3] <= 4:
        raise _broken(path, "is no IDX file of uint8")
    lengths = stream.read(4 * head[3])
    if len(lengths) < 4 * head[3]:
        raise _broken(path, "is cut off in its header")
    shape = struct.unpack(f">{head[3]}I", lengths)
    if math.prod(shape) > LARGEST:
        raise _broken(path, f"announces {shape}, more than {LARGEST // 2**30} GiB")
    return shape


def _broken(path: Path, why: str) -> LayoutError:
    return LayoutError(
        f"{shown_name(path.name)} {why}",
        expected="an IDX file as of MNIST",
        remedy="download the file again",
    )
