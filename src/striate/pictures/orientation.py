"""The EXIF orientation: finding it without Pillow's full (slow, warning) EXIF parser; applying it."""

from __future__ import annotations

import re
import struct

from PIL import Image

__all__ = ["exif_orientation", "orientation_of", "turn_upright"]

TAG = 0x0112
TYPES = {1: "B", 3: "H", 4: "I"}
"""The integer types that writers use for the tag: BYTE, SHORT (the standard's), LONG."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture stored with that orientation upright (EXIF 2.32, section 4.6.4)."""

XMP_PATTERN = re.compile(rb"tiff:Orientation(?:=\"|>)([1-8])")


def exif_orientation(exif: bytes) -> int | None:
    """The orientation in an EXIF block; None where it has none. Outside 1-8, or damaged, counts as 1."""
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, length = struct.unpack_from(f"{order}HHI", exif, entry)
            if tag == TAG:
                value = struct.unpack_from(order + TYPES.get(kind, "H"), exif, entry + 8)[0]
                return int(value) if length == 1 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return None


def orientation_of(image: Image.Image) -> int:
    """The orientation (1-8) that the metadata of an opened picture tells; 1 if there is none.

    EXIF first, then the EXIF that older ImageMagick hides in a PNG text chunk, then XMP.
    """
    info = image.info
    exif = info.get("exif")
    if exif is None and "Raw profile type exif" in info:
        exif = _unhex(str(info["Raw profile type exif"]))
    found = exif_orientation(exif) if isinstance(exif, bytes) else None
    if found is None and "xmp" in info:
        xmp = info["xmp"]
        match = XMP_PATTERN.search(xmp if isinstance(xmp, bytes) else str(xmp).encode())
        found = int(match[1]) if match else None
    return found or 1


def _unhex(profile: str) -> bytes | None:
    """The bytes of an ImageMagick raw profile: a line break, a name, a length, then hex lines."""
    try:
        return bytes.fromhex("".join(profile.split("\n")[3:]))
    except ValueError:
        return None


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """`image` as it should be looked at; itself for orientation 1."""
    turn = TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
