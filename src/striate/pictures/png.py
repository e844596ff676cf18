"""PNG as it is meant: no warnings, and a transparent colour in the samples that Pillow gives."""

from __future__ import annotations

import struct
from typing import TypeAlias

from PIL.PngImagePlugin import PngImageFile

from striate.pictures.quiet import quiet

__all__ = ["QuietPng"]

Key: TypeAlias = int | tuple[int, ...]


class QuietPng(PngImageFile):
    """A PNG picture that raises or stays silent."""

    def _open(self) -> None:
        super()._open()
        key = self.info.get("transparency")
        if isinstance(key, (int, tuple)) and self.tile:
            self.info["transparency"] = _key_as_read(key, str(self.tile[0].args))

    def load_read(self, read_bytes: int) -> bytes:
        """More pixels; their end is an error even where `LOAD_TRUNCATED_IMAGES` was set by others."""
        try:
            data = super().load_read(read_bytes)
        except (IndexError, struct.error) as error:  # the file ends within a chunk's head
            raise OSError("image file is truncated") from error
        if not data:
            raise OSError("image file is truncated")
        return data

    def load_end(self) -> None:
        with quiet():  # an animation chunk behind the pixels warns
            super().load_end()


def _key_as_read(key: Key, raw: str) -> Key:
    """The tRNS colour in the samples that Pillow gives (PNG, third edition, section 11.3.1.1).

    Pillow stretches grey of 1, 2 and 4 bits to 8, and keeps the high byte of 16-bit colours, but
    leaves the key as it is in the file.
    """
    if isinstance(key, tuple):
        return tuple(value >> 8 if "16" in raw else value & 255 for value in key)
    bits = {"1": 1, "L;2": 2, "L;4": 4, "L": 8}.get(raw, 16)
    highest = (1 << bits) - 1
    return (key & highest) * 255 // highest if bits < 8 else key & highest
