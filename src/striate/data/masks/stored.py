"""The numbers that a mask file stores, as they are: no palette is applied, no level is stretched."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from striate.errors import PictureError
from striate.pictures.formats import open_header, sniff
from striate.pictures.read import MAX_PIXELS
from striate.pictures.sources import fetch
from striate.types import Array

__all__ = ["stored_colours", "stored_ids"]

_HEAD = 64
_STRETCHED = {2: 85, 4: 17}
"""By how much Pillow multiplies the levels of grey PNGs of few bits."""


def stored_ids(path: str) -> Array | None:
    """The levels of a grey or the indices of a paletted mask; None for one in colours.

    A `PictureError` for what cannot be read.
    """
    image, bits = _decoded(path)
    if image.mode == "P":
        return np.asarray(image)
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8)
    if image.mode == "L":
        levels = np.asarray(image)
        return levels // _STRETCHED[bits] if bits in _STRETCHED else levels
    if image.mode in ("I;16", "I;16B", "I"):
        return np.asarray(image).astype(np.int64)
    if image.mode in ("LA", "La"):
        return np.asarray(image.getchannel(0))
    if image.mode not in ("RGB", "RGBA", "RGBX"):
        raise PictureError(
            path,
            f"masks are not stored in mode {image.mode}",
            remedy="save it as a grey or paletted PNG",
        )
    return None


def stored_colours(path: str) -> Array:
    """The colours of a mask, uint8 (H, W, 3)."""
    image, _ = _decoded(path)
    return np.asarray(image.convert("RGB"))


def _decoded(path: str) -> tuple[Image.Image, int]:
    """The picture as stored, and the bits of a PNG's levels (8 for other formats)."""
    stored = fetch(path)
    with stored.stream as stream:
        try:
            return _opened(stream, stored.name)
        except PictureError:
            raise
        except Exception as error:  # Pillow's decoders raise a dozen types
            reason = f"it is damaged ({str(error).strip().removesuffix('.') or type(error).__name__})"
            raise PictureError(stored.name, reason, remedy="restore it from the original") from error


def _opened(stream: BinaryIO, name: str) -> tuple[Image.Image, int]:
    head = stream.read(_HEAD)
    stream.seek(0)
    kind = sniff(head)
    if kind is None:
        raise PictureError(name, "it is no picture", remedy="save the mask as PNG")
    image: ImageFile = open_header(stream, kind)
    if image.width * image.height > MAX_PIXELS:
        raise PictureError(name, f"it has more than {MAX_PIXELS} pixels", remedy="cut it into tiles")
    image.load()
    return image, head[24] if kind == "PNG" else 8
