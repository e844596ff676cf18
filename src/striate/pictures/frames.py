"""How many pictures a file holds, counted by walking its blocks; nothing is decoded."""

from __future__ import annotations

import struct
from typing import BinaryIO

from PIL.ImageFile import ImageFile

from striate.pictures.formats import Format

__all__ = ["MOST_FRAMES", "count_frames"]

MOST_FRAMES = 10_000
"""Counting stops here: a hostile file can hold millions of tiny frames."""


def count_frames(image: ImageFile, kind: Format, stream: BinaryIO) -> int:
    """Frames of an animation or pages of a TIFF, `MOST_FRAMES` at most; 1 for JPEG and BMP.

    `stream`: the file's bytes; its position is moved. A damaged tail ends the count.
    """
    if kind in ("PNG", "WEBP", "AVIF"):
        return min(int(getattr(image, "n_frames", 1)), MOST_FRAMES)
    walk = {"GIF": _gif_frames, "TIFF": _tiff_pages}.get(kind)
    if walk is None:
        return 1
    try:
        return max(1, walk(stream))
    except (IndexError, struct.error, OverflowError):
        return 1


def _gif_frames(stream: BinaryIO) -> int:
    """GIF89a, sections 18-26: screen, then extensions (!) and images (,) made of sub-blocks."""
    stream.seek(0)
    flags = stream.read(13)[10]
    stream.seek(13 + _palette_bytes(flags))
    frames = 0
    while frames < MOST_FRAMES and (mark := stream.read(1)):
        if mark == b",":
            descriptor = stream.read(9)
            if len(descriptor) < 9:
                break
            frames += 1
            stream.seek(_palette_bytes(descriptor[8]) + 1, 1)
        elif mark == b"!":
            stream.seek(1, 1)
        elif mark == b";":
            break
        else:
            continue
        while length := stream.read(1):
            if length == b"\0":
                break
            stream.seek(length[0], 1)
    return frames


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 128 else 0


def _tiff_pages(stream: BinaryIO) -> int:
    """TIFF 6.0, section 2, and BigTIFF: a chain of directories, each with the place of the next."""
    stream.seek(0)
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = 43 in head[2:4]
    count, entry, offset = ("Q", 20, "Q") if big else ("H", 12, "I")
    place = struct.unpack_from(order + offset, head, 8 if big else 4)[0]
    seen: set[int] = set()
    while place and place not in seen and len(seen) < MOST_FRAMES:
        stream.seek(place)
        raw = stream.read(struct.calcsize(count))
        if len(raw) < struct.calcsize(count):
            break
        seen.add(place)
        stream.seek(struct.unpack(order + count, raw)[0] * entry, 1)
        raw = stream.read(struct.calcsize(offset))
        place = struct.unpack(order + offset, raw)[0] if len(raw) == struct.calcsize(offset) else 0
    return len(seen)
