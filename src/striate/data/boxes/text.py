"""The text of annotation files: opened safely, decoded, comments taken out, lines counted."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from striate.errors import LabelError
from striate.pictures.sources import shown_name
from striate.types import Problem

__all__ = ["COMMENTS", "LARGEST", "content_lines", "decode", "read_bytes"]

LARGEST = 2**31
COMMENTS = ("#", "//")


def read_bytes(path: str) -> bytes:
    """The content of a regular file; a `LabelError` where it cannot be had."""
    name = shown_name(Path(path).name)
    try:
        status = os.stat(path)  # noqa: PTH116 - called for every picture of a data set
        if not stat.S_ISREG(status.st_mode):
            raise LabelError(f"{name} is a pipe, socket, device or folder, not a file of annotations")
        if status.st_size > LARGEST:
            raise LabelError(f"{name} is larger than 2 GiB", remedy="split it into several files")
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LabelError(f"the annotations in {name} cannot be read: {reason}") from error


def decode(data: bytes, file: str, problems: list[Problem]) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else Windows-1252, which becomes a problem."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        reason = "the file is not UTF-8; it was read as Windows-1252"
        problems.append(Problem("encoding", "warning", file, reason, "save it as UTF-8"))
        return data.decode("cp1252", "replace")


def content_lines(text: str) -> Iterator[tuple[int, str]]:
    """(line number, content) of lines that say something: not blank, and no comment (# or //)."""
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        content = line.strip().lstrip("\ufeff").strip()
        if content and not content.startswith(COMMENTS):
            yield number, content
