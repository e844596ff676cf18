"""Pictures out: to a file (whole or not at all), to bytes, to a data URI. No metadata goes along."""

from __future__ import annotations

import base64
import errno
import os
import secrets
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias

from PIL import Image

from striate.errors import DiskError, SettingError, UnknownNameError, UsageError
from striate.pictures.sources import shown_name
from striate.types import Picture, check_picture

__all__ = ["WRITABLE_SUFFIXES", "OutFormat", "to_bytes", "to_data_uri", "write"]

OutFormat: TypeAlias = Literal["png", "jpeg", "webp", "avif", "tiff", "bmp"]

WRITABLE_SUFFIXES: dict[str, OutFormat] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".bmp": "bmp",
}
"""File name ending (lower case) → format. PNG, TIFF and BMP are lossless."""

LOSSY = ("jpeg", "webp", "avif")
FINE_QUALITY = 90
"""From this quality on, JPEG keeps the colour of every pixel instead of one for four."""


def to_bytes(picture: Picture, format: OutFormat = "png", *, quality: int = 95) -> bytes:  # noqa: A002
    """The file contents of `picture`, uint8 (H, W, 3), in `format`.

    `quality`: 1-100, for JPEG, WEBP and AVIF. The bytes hold pixels only: no EXIF, place or time.
    """
    if format not in WRITABLE_SUFFIXES.values():
        raise UnknownNameError("picture format", format, set(WRITABLE_SUFFIXES.values()))
    if not 1 <= quality <= 100:
        raise SettingError(f"quality is {quality}", expected="1 to 100")
    options: dict[str, Any] = {"quality": quality} if format in LOSSY else {}
    if format == "jpeg":
        options |= {"subsampling": 0 if quality >= FINE_QUALITY else 2, "optimize": True}
    if format == "tiff":
        options |= {"compression": "tiff_adobe_deflate"}
    image, out = Image.fromarray(check_picture(picture)), BytesIO()
    try:
        image.save(out, format=format.upper(), **options)
    except (OSError, ValueError) as error:  # a side that the format cannot hold
        raise UsageError(
            f"{format.upper()} cannot hold a picture of {image.width} × {image.height} pixels ({error})",
            remedy="write PNG or TIFF",
        ) from error
    return out.getvalue()


def to_data_uri(picture: Picture, format: OutFormat = "png", *, quality: int = 95) -> str:  # noqa: A002
    """`picture` as a `data:` address, to stand inside an HTML page."""
    data = to_bytes(picture, format, quality=quality)
    return f"data:image/{format};base64,{base64.b64encode(data).decode('ascii')}"


def write(
    picture: Picture, path: str | os.PathLike[str], *, quality: int = 95, overwrite: bool = False
) -> Path:
    """Write `picture`, uint8 (H, W, 3), in the format that the ending of `path` names; its path.

    The file appears whole or not at all (written beside, synced, renamed). A `UsageError` where it
    exists and `overwrite` is not set; an `UnknownNameError` for an ending that is not in
    `WRITABLE_SUFFIXES`; a `DiskError` for a disk that is full, read-only or not ours to write on.
    """
    target = Path(path)
    kind = WRITABLE_SUFFIXES.get(target.suffix.lower())
    if kind is None:
        raise UnknownNameError("picture file ending", target.suffix, WRITABLE_SUFFIXES)
    if not overwrite and os.path.lexists(target):
        raise _exists(target)
    data = to_bytes(picture, kind, quality=quality)
    try:
        _write_whole(target, data, overwrite=overwrite)
    except FileExistsError as error:
        raise _exists(target) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _disk_error(target, error) from error
    return target


def _exists(target: Path) -> UsageError:
    return UsageError(
        f"{shown_name(target)} exists already",
        remedy="choose another name, or ask for it to be overwritten (overwrite=True)",
    )


def _write_whole(target: Path, data: bytes, *, overwrite: bool) -> None:
    """Write to a new file beside `target`, sync it, and give it the name in one step."""
    beside = target.parent / f".striate-{secrets.token_hex(8)}.tmp"
    descriptor = os.open(
        beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _take_name(beside, target, overwrite=overwrite)
    finally:
        with suppress(OSError):  # it is gone after a rename
            beside.unlink()
    _sync_folder(target.parent)


def _take_name(beside: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        os.replace(beside, target)  # noqa: PTH105
        return
    try:
        os.link(beside, target)  # fails where the name is taken, unlike a rename
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        os.replace(beside, target)  # noqa: PTH105


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable, where folders can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or ask for a larger quota",
    errno.EFBIG: "free some space, or lift the limit on file size (ulimit -f)",
    errno.EROFS: "write to another disk; this one is mounted read-only",
    errno.EACCES: "write to a folder of your own, or ask for the right to write here",
    errno.EPERM: "write to a folder of your own, or ask for the right to write here",
    errno.ENOENT: "make the folder first",
    errno.ENOTDIR: "name a folder, not a file, before the last /",
    errno.EISDIR: "name a file, not a folder",
}


def _disk_error(target: Path, error: OSError | ValueError) -> DiskError:
    number = error.errno if isinstance(error, OSError) else None
    reason = os.strerror(number).lower() if number else str(error)
    remedy = REMEDIES.get(number or 0, "check the name and the disk")
    return DiskError(f"cannot write {shown_name(target)}: {reason}", remedy=remedy)
