"""Picture formats: told by their first bytes, never by name, and opened by exactly one decoder.

Pillow's own `Image.open` is not used: it would try decoders that start other programs (EPS), warn
about large pictures, and consult a process-wide size limit that anybody may have changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import PurePath
from typing import BinaryIO, Literal, TypeAlias, get_args

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from striate.pictures.quiet import quiet

__all__ = ["PICTURE_SUFFIXES", "Format", "foreign", "is_picture_name", "open_header", "sniff"]

Format: TypeAlias = Literal["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF"]
FORMATS: tuple[Format, ...] = get_args(Format)

PICTURE_SUFFIXES: frozenset[str] = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng"}
    | {".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif"}
)
"""File name endings, in lower case, under which pictures that can be read are found."""

HEAD_BYTES = 64
"""How much of a file `sniff` and `foreign` look at."""


def is_picture_name(path: str | os.PathLike[str]) -> bool:
    """Whether a file of this name is to be tried when a folder is scanned, by its ending alone.

    Hidden files are not: `._photo.jpg` is what macOS leaves beside a picture, and is none.

    >>> is_picture_name("a/B.JPG"), is_picture_name("a/._B.jpg"), is_picture_name("a/B.txt")
    (True, False, False)
    """
    name = PurePath(path).name
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES  # noqa: PTH122


MARKS: tuple[tuple[Format, bytes], ...] = (
    ("JPEG", b"\xff\xd8\xff"),
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("GIF", b"GIF87a"),
    ("GIF", b"GIF89a"),
    ("TIFF", b"II*\0"),
    ("TIFF", b"MM\0*"),
    ("TIFF", b"II+\0"),
    ("TIFF", b"MM\0+"),
    ("BMP", b"BM"),
)


def sniff(head: bytes) -> Format | None:
    """The format whose mark the first bytes of a file carry."""
    for kind, mark in MARKS:
        if head.startswith(mark):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    # A HEIC file may list AVIF nowhere; an AVIF sequence ("avis") or still may list it anywhere here.
    brands = head[8:HEAD_BYTES] if head[4:8] == b"ftyp" else b""
    return "AVIF" if b"avif" in brands or b"avis" in brands else None


FOREIGN: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%!PS", "a PostScript (EPS) file"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript (EPS) file"),
    (0, b"%PDF", "a PDF file"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an XML (perhaps SVG) file"),
    (0, b"<", "a web page"),
    (0, b"8BPS", "a Photoshop (PSD) file"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (0, b"\0\0\1\0", "an icon (ICO) file"),
    (4, b"ftyphe", "a HEIC picture"),
    (4, b"ftypmi", "a HEIF picture"),
    (4, b"ftyp", "a video"),
    (0, b"\x93NUMPY", "a NumPy array"),
)


def foreign(head: bytes) -> str:
    """What a file that is none of ours seems to be, as words after "it is"."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for start, mark, words in FOREIGN:
        if head[start:].startswith(mark) or (start == 0 and text.lower().startswith(mark.lower())):
            return words
    return "no picture"


def open_header(stream: BinaryIO, kind: Format) -> ImageFile:
    """Pillow's image for the stream, which is at its start, with only the header read.

    Raises whatever Pillow raises, which may be of any type.
    """
    return OPENERS[kind](stream)


class PlainJpeg(JpegImageFile):
    """A JPEG picture whose EXIF block is kept as bytes."""

    def _read_dpi_from_exif(self) -> None:
        """Do nothing: Pillow parses all of EXIF here for the dpi alone, slowly, and may warn."""

    def load_read(self, read_bytes: int) -> bytes:
        """More of the file; its end is an error even where `LOAD_TRUNCATED_IMAGES` was set by others."""
        assert self.fp is not None
        if not (data := self.fp.read(read_bytes)):
            raise OSError("image file is truncated")
        return data


def _png(stream: BinaryIO) -> ImageFile:
    from striate.pictures.png import QuietPng

    with quiet():  # a wrong animation chunk warns
        return QuietPng(stream)


def _webp(stream: BinaryIO) -> ImageFile:
    from PIL.WebPImagePlugin import WebPImageFile

    return WebPImageFile(stream)


def _avif(stream: BinaryIO) -> ImageFile:
    from PIL.AvifImagePlugin import AvifImageFile

    with quiet():  # damaged EXIF warns
        return AvifImageFile(stream)


def _tiff(stream: BinaryIO) -> ImageFile:
    from striate.pictures.tiff import QuietTiff

    with quiet():  # damaged tags warn
        return QuietTiff(stream)


def _bmp(stream: BinaryIO) -> ImageFile:
    from PIL.BmpImagePlugin import BmpImageFile

    return BmpImageFile(stream)


def _gif(stream: BinaryIO) -> ImageFile:
    from PIL.GifImagePlugin import GifImageFile

    with quiet():  # a frame larger than Pillow's own limit warns; ours is checked afterwards
        return GifImageFile(stream)


OPENERS: dict[Format, Callable[[BinaryIO], ImageFile]] = {
    "JPEG": PlainJpeg,
    "PNG": _png,
    "WEBP": _webp,
    "AVIF": _avif,
    "TIFF": _tiff,
    "BMP": _bmp,
    "GIF": _gif,
}
