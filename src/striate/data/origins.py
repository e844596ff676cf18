"""Where pictures come from: files, and rows of arrays."""

from __future__ import annotations

import hashlib
import os

import numpy as np

from striate.pictures.read import read
from striate.pictures.sources import fetch
from striate.types import Array, Picture, SizeHW

__all__ = ["ArrayOrigin", "FileOrigin"]

BLOCK_BYTES = 8 * 2**20


class FileOrigin:
    """A picture file. `path` may be bytes or hold bytes that are not UTF-8 (as surrogates)."""

    __slots__ = ("_hash", "_stamp", "path")

    def __init__(self, path: str | bytes | os.PathLike[str]) -> None:
        self.path = os.fsdecode(path)
        self._stamp: tuple[int, int, int] | None = None
        self._hash = ""

    def __repr__(self) -> str:
        return f"FileOrigin({self.path!r})"

    def stored(self) -> bytes:
        """The bytes of the file; a `PictureError` if it is missing, unreadable, empty or no file."""
        with fetch(self.path).stream as stream:
            return stream.read()

    def read(self, at_least_hw: SizeHW | None = None) -> Picture:
        """The picture, uint8 (H, W, 3); may be decoded smaller, never below `at_least_hw`."""
        return read(self.path, at_least_hw=at_least_hw)

    def content_hash(self) -> str:
        """sha256 of the file, hexadecimal; read again only when size, time or inode changed."""
        try:
            status = os.stat(self.path)  # noqa: PTH116 - called 60 000 times in a row
            stamp = (status.st_size, status.st_mtime_ns, status.st_ino)
        except (OSError, ValueError):
            stamp = None  # what is wrong is told by fetch()
        if stamp is None or stamp != self._stamp:
            digest = hashlib.sha256()
            with fetch(self.path).stream as stream:
                while block := stream.read(BLOCK_BYTES):
                    digest.update(block)
            self._hash = digest.hexdigest()
            self._stamp = stamp
        return self._hash


class ArrayOrigin:
    """Row `index` of `array`: uint8 (N, H, W) grey, (N, H, W, 1) grey or (N, H, W, 3) RGB.

    The array is shared, not copied, and may be a memory map. `name` stands for it in errors.
    """

    __slots__ = ("array", "index", "name")

    def __init__(self, array: Array, index: int, name: str) -> None:
        if array.dtype != np.uint8 or array.ndim not in (3, 4) or 0 in array.shape:
            raise ValueError(
                f"{name}: expected uint8 (N, H, W) or (N, H, W, 3), got {array.dtype} {array.shape}"
            )
        if array.ndim == 4 and array.shape[3] not in (1, 3):
            raise ValueError(f"{name}: expected 1 or 3 channels on the last axis, got {array.shape}")
        if not 0 <= index < len(array):
            raise IndexError(f"{name}: row {index} of {len(array)}")
        self.array, self.index, self.name = array, index, name

    def __repr__(self) -> str:
        return f"ArrayOrigin({self.name!r}, {self.index})"

    def read(self, at_least_hw: SizeHW | None = None) -> Picture:
        """The picture, uint8 (H, W, 3), the caller's own; always in full size."""
        row = self.array[self.index]
        if row.ndim == 2:
            row = row[:, :, None]  # (H, W, 1)
        return np.array(np.broadcast_to(row, (*row.shape[:2], 3)), np.uint8, order="C")

    def content_hash(self) -> str:
        """sha256 of the row's shape and bytes, hexadecimal."""
        row = self.array[self.index]
        return hashlib.sha256(repr(row.shape).encode() + row.tobytes()).hexdigest()
