"""Where answers are written: folders of their own, and names that are still free."""

from __future__ import annotations

import os
from pathlib import Path

from striate.errors import UsageError

__all__ = ["FreeNames", "own_folder", "shown_path"]


def own_folder(folder: Path, flag: str, *, overwrite: bool = False) -> Path:
    """`folder`, if results may be written there: it is new or empty, or files in it may be replaced."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", expected=f"a folder for {flag}")
    if folder.exists() and any(folder.iterdir()) and not overwrite:
        raise UsageError(
            f"{folder} is not empty",
            expected=f"a folder that is new or empty for {flag}",
            remedy="choose another name, or add --overwrite to replace files of the same names",
        )
    return folder


def shown_path(path: str | os.PathLike[str]) -> str:
    """A path as text that any file can hold: bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class FreeNames:
    """File names that are still free: two folders may hold pictures of the same name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, path: str | os.PathLike[str], suffix: str) -> str:
        """The stem of `path` with `suffix`, and a number where that is taken already."""
        stem = Path(os.fsdecode(path)).stem
        name, number = f"{stem}{suffix}", 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        self._taken.add(name.casefold())
        return name
