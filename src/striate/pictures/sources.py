"""From what a caller names to a stream of bytes: paths, bytes and open files, opened safely."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, TypeAlias

from striate.errors import PictureError

__all__ = ["Source", "Stored", "fetch", "shown_name"]

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the bytes of a picture file, or a file opened for binary reading."""

READ_WHOLE_BYTES = 64 * 2**20
"""Files up to this size are read in one go; larger ones are streamed, so that the header comes first."""

# Non-blocking, so that a pipe put in the place of a file between `stat` and `open` cannot hang us.
OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Stored:
    """The bytes of one picture file, at their start: where from, how many, and the stream."""

    name: str
    stream: BinaryIO
    bytes: int


def shown_name(path: str | os.PathLike[str]) -> str:
    r"""`path` as printable text: bytes that are not UTF-8, and control characters, are escaped.

    >>> shown_name("caf\udce9\n.jpg")
    'caf\\xe9\\n.jpg'
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def fetch(source: Source, name: str | None = None) -> Stored:
    """The bytes behind `source`, ready to read; the caller closes `stream`.

    `name` stands for the source in errors; without it the path is used, or "<bytes>", "<stream>".
    A `PictureError` for what is missing, unreadable, empty, or no regular file (folder, pipe,
    device); a `TypeError` for what is no source at all.
    """
    if isinstance(source, (str, os.PathLike)):
        return _fetch_file(source, name if name is not None else shown_name(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, shown = bytes(source), name or "<bytes>"
    else:
        data, shown = _read_stream(source), name or "<stream>"
    if not data:
        raise _empty(shown)
    return Stored(shown, BytesIO(data), len(data))


def _read_stream(source: BinaryIO) -> bytes:
    read = getattr(source, "read", None)
    data = read() if callable(read) else None
    if not isinstance(data, (bytes, bytearray)):
        raise TypeError(
            f"expected a path, the bytes of a picture or a file opened with 'rb', "
            f"got {type(source).__name__}"
        )
    return bytes(data)


def _fetch_file(path: str | os.PathLike[str], name: str) -> Stored:
    try:
        _check_regular(os.stat(path).st_mode, name)  # noqa: PTH116 - pathlib costs a third of the time
        descriptor = os.open(path, OPEN_FLAGS)
    except (OSError, ValueError) as error:
        raise _cannot_open(name, error) from error
    try:
        status = os.fstat(descriptor)
        _check_regular(status.st_mode, name)
        if status.st_size > READ_WHOLE_BYTES:
            return Stored(name, os.fdopen(os.dup(descriptor), "rb"), status.st_size)
        data = _read_all(descriptor, status.st_size)
    except OSError as error:
        raise _cannot_open(name, error) from error
    finally:
        os.close(descriptor)
    if not data:
        raise _empty(name)
    return Stored(name, BytesIO(data), len(data))


def _read_all(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size)
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data


def _check_regular(mode: int, name: str) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise PictureError(name, "it is a folder", remedy="name one of the pictures in it")
    raise PictureError(
        name,
        "it is a pipe, socket or device, not a file",
        remedy="save its contents to a file, or pass the bytes",
    )


def _empty(name: str) -> PictureError:
    return PictureError(
        name, "it is empty (0 bytes)", remedy="restore it from the original, or leave it out"
    )


def _cannot_open(name: str, error: OSError | ValueError) -> PictureError:
    if isinstance(error, FileNotFoundError):
        if name.startswith(("http://", "https://")):
            return PictureError(
                name,
                "it is a web address, not a file",
                remedy="save the picture first; nothing is fetched",
            )
        return PictureError(
            name, "there is no such file", remedy="check the spelling and the folder it is in"
        )
    if isinstance(error, PermissionError):
        return PictureError(
            name, "permission denied", remedy="give yourself the right to read it (chmod u+r)"
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return PictureError(name, reason.lower(), remedy="check the path and the disk it is on")
