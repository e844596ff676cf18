"""A prepared set on disk: what is in its folder, and how one knows that it is whole.

pixels.bin   uint8 (N, h, w, 3), nothing else: mapped, so data larger than memory works
rows.npy     a row a picture: its record, how to undo the preparation, a checksum, the content's hash
about.json   written last: shape, preparation, checksum of rows.npy, records that could not be read
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.types import Array, PictureArray, Prepared, Problem, SizeHW

__all__ = [
    "ABOUT",
    "ROW",
    "PreparedSet",
    "Stored",
    "create_pixels",
    "keep_rows",
    "open_set",
    "prepared_from",
    "write_about",
]

ABOUT, ROWS, PIXELS = "about.json", "rows.npy", "pixels.bin"
VERSION = 2

ROW = np.dtype(
    [("record", "<i8"), ("geometry", "<f8", (6,)), ("crc32", "<u4"), ("content", "u1", (32,))]
)
"""`geometry`: original height and width, scale y and x, offset y and x. `content`: sha256."""

PROBED_ROWS = 64
"""Rows whose checksum is verified whenever a set is opened, evenly spread, the ends included."""


@dataclass(frozen=True, slots=True)
class PreparedSet:
    """The readable records of a data set, prepared.

    `pixels`: uint8 (N, h, w, 3), read-only, from a memory map. `geometry`: float64 (N, 6). `kept`:
    for each row, the index of its record in the data set. `problems`: the records left out, and why.
    """

    pixels: PictureArray
    geometry: Array
    kept: Array
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.kept)

    def none(self) -> PreparedSet:
        """A set like this without pictures."""
        return PreparedSet(self.pixels[:0], self.geometry[:0], self.kept[:0], ())

    def prepared(self, row: int) -> Prepared:
        """Row `row` as `Task.prepare` made it."""
        return prepared_from(self.pixels[row], self.geometry[row])

    def all_prepared(self) -> list[Prepared]:
        """Every row."""
        return [self.prepared(row) for row in range(len(self))]


def prepared_from(pixels: PictureArray, geometry: Array) -> Prepared:
    """A prepared picture from its stored pixels (h, w, 3) and its row of `geometry` (6,)."""
    height, width, scale_y, scale_x, offset_y, offset_x = geometry.tolist()
    return Prepared(
        np.asarray(pixels), (int(height), int(width)), (scale_y, scale_x), (offset_y, offset_x)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What lies in a folder: pixels, rows, and the numbers and reasons of records without a row."""

    pixels: PictureArray
    rows: Array
    unreadable: Mapping[int, tuple[str, str]]
    preparation: str


def create_pixels(folder: Path, count: int, size_hw: SizeHW) -> PictureArray:
    """A mapped array (count, h, w, 3) to be filled; the disk space is taken at once.

    An `OSError` if there is not enough: written later, through the map, that would be a crash.
    """
    shape = (count, *size_hw, 3)
    if not count:
        (folder / PIXELS).touch()
        return np.zeros(shape, np.uint8)
    with (folder / PIXELS).open("wb") as stream:
        if sys.platform == "linux":
            os.posix_fallocate(stream.fileno(), 0, count * size_hw[0] * size_hw[1] * 3)
    return np.memmap(folder / PIXELS, np.uint8, "r+" if sys.platform == "linux" else "w+", shape=shape)


def keep_rows(folder: Path, pixels: PictureArray, good: Array) -> None:
    """Move the rows `good` (ascending) of a created array to the front, and cut off the rest."""
    for row, source in enumerate(good.tolist()):
        if row != source:
            pixels[row] = pixels[source]
    if isinstance(pixels, np.memmap):
        pixels.flush()
    if len(good) < len(pixels):
        os.truncate(folder / PIXELS, len(good) * int(np.prod(pixels.shape[1:])))


def write_about(
    folder: Path,
    rows: Array,
    size_hw: SizeHW,
    unreadable: Mapping[int, tuple[str, str]],
    preparation: str,
) -> None:
    """Write what tells that the set is whole; the pixels are there already."""
    np.save(folder / ROWS, rows, allow_pickle=False)
    about = {
        "version": VERSION,
        "pictures": len(rows),
        "size_hw": list(size_hw),
        "preparation": preparation,
        "rows_sha256": hashlib.sha256((folder / ROWS).read_bytes()).hexdigest(),
        "unreadable": [[record, *words] for record, words in sorted(unreadable.items())],
    }
    (folder / ABOUT).write_text(json.dumps(about), "utf-8")


def open_set(folder: Path) -> Stored | None:
    """What lies in `folder`; None if it is missing, incomplete, damaged, or of another version."""
    try:
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text("utf-8"))
        if about["version"] != VERSION:
            return None
        packed = (folder / ROWS).read_bytes()
        if hashlib.sha256(packed).hexdigest() != about["rows_sha256"]:
            return None
        rows = np.load(folder / ROWS, allow_pickle=False)
        height, width = about["size_hw"]
        shape = (int(about["pictures"]), int(height), int(width), 3)
        if rows.shape != shape[:1] or (folder / PIXELS).stat().st_size != np.prod(shape):
            return None
        pixels: PictureArray = np.zeros(shape, np.uint8)
        if shape[0]:
            pixels = np.memmap(folder / PIXELS, np.uint8, "r", shape=shape)
        unreadable = {int(record): (reason, remedy) for record, reason, remedy in about["unreadable"]}
        stored = Stored(pixels, rows, unreadable, str(about["preparation"]))
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    return stored if rows_agree(stored, _probes(shape[0])) else None


def rows_agree(stored: Stored, rows: Sequence[int]) -> bool:
    """Whether the pixels of `rows` are those that were written."""
    return all(zlib.crc32(stored.pixels[row]) == int(stored.rows["crc32"][row]) for row in rows)


def _probes(count: int) -> Sequence[int]:
    return sorted({int(row) for row in np.linspace(0, count - 1, min(count, PROBED_ROWS))})
