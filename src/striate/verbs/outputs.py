"""Where results may be written: never over something of the user's."""

from __future__ import annotations

import os
from pathlib import Path

from striate.errors import UsageError

__all__ = ["writable"]


def writable(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """`path`, if a file may be written there; a `UsageError` if one is there already.

    `overwrite` allows to replace a file, never a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise UsageError(f"{target} is a folder", expected="the name of a file to write")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists already", remedy="choose another name, or add --overwrite")
    return target
