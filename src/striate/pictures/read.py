"""The one reader: any picture file as uint8 (H, W, 3), upright, in sRGB, or a `PictureError`.

Header first: the format is told by the bytes, the size is checked, and only then is anything
decoded. Of animations and multi-page files the first picture is read.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import asdict, dataclass
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from striate.errors import PictureError
from striate.pictures.formats import FORMATS, HEAD_BYTES, Format, PlainJpeg, foreign, open_header, sniff
from striate.pictures.frames import count_frames
from striate.pictures.modes import to_rgb
from striate.pictures.orientation import orientation_of, turn_upright
from striate.pictures.sources import Source, Stored, fetch
from striate.types import Picture, SizeHW

__all__ = ["MAX_PIXELS", "MAX_SIDE", "PictureInfo", "probe", "read"]

MAX_PIXELS = 100_000_000
MAX_SIDE = 32_767
MAX_SCANS = 100
"""Encoders write about ten. Each layer is a pass over all pixels, for as little as a few bytes."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What the header of a picture file tells.

    `format`: "JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP" or "GIF". `mode`: how pixels are stored, in
    Pillow's words ("L" grey, "P" palette, "I;16" …). `size_hw`: the upright picture, `stored_size_hw`
    as stored, pixels. `orientation`: EXIF, 1-8. `frames`: pictures in an animation or multi-page file
    (counting ends at 10 000). `bytes`: size of the file.
    """

    format: Format
    mode: str
    size_hw: SizeHW
    stored_size_hw: SizeHW
    orientation: int
    frames: int
    bytes: int

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def read(
    source: Source,
    *,
    at_least_hw: SizeHW | None = None,
    background_rgb: tuple[int, int, int] = (255, 255, 255),
    max_pixels: int = MAX_PIXELS,
    name: str | None = None,
) -> Picture:
    """The picture in `source` (a path, the bytes of a file, or a file opened with "rb").

    Returns uint8 (H, W, 3), sRGB, EXIF orientation applied, C-contiguous, writable, the caller's own.
    How each kind of pixel is converted is told in `striate.pictures.modes`.

    `at_least_hw`: a JPEG may then be decoded at 1/2, 1/4 or 1/8 of its size (much faster), but never
    below this height and width of the upright picture. `background_rgb`: what shows through where the
    picture is transparent. `max_pixels`: larger pictures are refused before decoding, as are sides over
    32 767 and JPEG in over 100 layers. `name`: what the source is called in errors.

    A `PictureError` names the file, the reason and a remedy; nothing that a file contains leads to
    another error or to a warning. Pillow refuses TIFF, GIF and WEBP over 178 956 970 pixels by itself.
    """
    stored = fetch(source, name)
    kind: Format | None = None
    try:
        kind = _kind(stored)
        image = _checked_header(stored, kind, max_pixels)
        orientation = orientation_of(image) if kind in ("JPEG", "WEBP", "AVIF") else 0
        if at_least_hw is not None and isinstance(image, PlainJpeg):
            _draft(image, at_least_hw, turned=orientation > 4)
        image.load()
        if kind == "PNG":  # its EXIF chunk may follow the pixels; Pillow turns TIFF by itself
            orientation = orientation_of(image)
        upright = turn_upright(to_rgb(image, background_rgb), orientation)
        return _as_array(upright)
    except PictureError:
        raise
    except Exception as error:  # decoders raise a dozen types, and more with each release
        raise _damaged(stored.name, kind, error) from error
    finally:
        stored.stream.close()


def probe(source: Source, *, name: str | None = None) -> PictureInfo:
    """What the header of a picture tells, without decoding: format, mode, sizes, frames.

    No limit of size applies. An EXIF block that a PNG keeps behind its pixels is not seen. A
    `PictureError` where the header cannot be read; pixels may still be damaged.
    """
    stored = fetch(source, name)
    kind: Format | None = None
    try:
        kind = _kind(stored)
        image = open_header(stored.stream, kind)
        orientation, stored_hw = _as_stored(image, kind)
        return PictureInfo(
            format=kind,
            mode=image.mode,
            size_hw=stored_hw[::-1] if orientation > 4 else stored_hw,
            stored_size_hw=stored_hw,
            orientation=orientation,
            frames=count_frames(image, kind, stored.stream),
            bytes=stored.bytes,
        )
    except PictureError:
        raise
    except Exception as error:
        raise _damaged(stored.name, kind, error) from error
    finally:
        stored.stream.close()


def _as_stored(image: ImageFile, kind: Format) -> tuple[int, SizeHW]:
    """The orientation, and height and width before it is applied."""
    width, height = image.size
    if kind == "TIFF":
        from striate.pictures.tiff import QuietTiff

        assert isinstance(image, QuietTiff)
        if (tagged := image.tagged_orientation) is not None:
            return tagged, (width, height) if tagged > 4 else (height, width)
    return orientation_of(image), (height, width)


def _kind(stored: Stored) -> Format:
    head = stored.stream.read(HEAD_BYTES)
    stored.stream.seek(0)
    kind = sniff(head)
    if kind is None:
        raise PictureError(
            stored.name,
            f"it is {foreign(head)}, not one of {', '.join(FORMATS)}",
            remedy="convert it to PNG or JPEG, or leave it out",
        )
    return kind


def _checked_header(stored: Stored, kind: Format, max_pixels: int) -> ImageFile:
    image = open_header(stored.stream, kind)
    width, height = image.size
    if width * height > max_pixels or width > MAX_SIDE or height > MAX_SIDE:
        raise PictureError(
            stored.name,
            f"its header announces {width} × {height} pixels; the limits are {max_pixels:,} pixels "
            f"and {MAX_SIDE:,} a side",
            remedy="scale it down, or raise max_pixels if you trust the file",
        )
    if image.info.get("progressive") and (scans := _scans(stored)) > MAX_SCANS:
        raise PictureError(
            stored.name,
            f"it is a progressive JPEG in {scans} layers, which would take very long to decode",
            remedy="save it again with a usual program, or leave it out",
        )
    return image


def _scans(stored: Stored) -> int:
    """How many passes over the picture a progressive JPEG holds; 0 for a file streamed from disk."""
    data = stored.stream.getvalue() if isinstance(stored.stream, BytesIO) else b""
    return data.count(b"\xff\xda")  # within pixels, 0xFF is always followed by 0


def _draft(image: PlainJpeg, at_least_hw: SizeHW, *, turned: bool) -> None:
    """Let the JPEG decoder halve the size as often as `at_least_hw` (upright) allows."""
    height, width = at_least_hw[::-1] if turned else at_least_hw
    image.draft(None, (max(width, 1), max(height, 1)))


def _as_array(image: Image.Image) -> Picture:
    flat = np.frombuffer(image.tobytes(), np.uint8)
    return flat.reshape(image.height, image.width, 3).copy()  # (H, W, 3); a copy, to be writable


def _damaged(name: str, kind: Format | None, error: Exception) -> PictureError:
    """What a decoder's complaint means to the person who owns the file."""
    words = str(error).strip().removesuffix(".") or type(error).__name__
    if isinstance(error, MemoryError):
        return PictureError(
            name, "there is not enough memory to decode it", remedy="scale it down, or free memory"
        )
    if isinstance(error, Image.DecompressionBombError):
        return PictureError(name, f"it is too large ({words})", remedy="scale it down")
    cut = "truncated" in words.lower() or isinstance(error, (struct.error, EOFError, zlib.error))
    state = "cut off or damaged" if cut else "damaged, or of a kind that cannot be decoded"
    return PictureError(
        name,
        f"the {kind} data are {state} ({words})",
        remedy="restore the file from its original, or leave it out",
    )
