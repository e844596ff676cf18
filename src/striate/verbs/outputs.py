"""Where results may be written: never over something of the user's."""

from __future__ import annotations

import os
from pathlib import Path

from striate.errors import DiskError, UsageError

__all__ = ["writable"]


def writable(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """`path`, if a file may be written there; a `UsageError` if one is there already.

    `overwrite` allows to replace a file, never a folder. A `DiskError` where no file can be made: known
    before the work and not after it.
    """
    target = Path(path)
    if target.is_dir():
        raise UsageError(f"{target} is a folder", expected="the name of a file to write")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists already", remedy="choose another name, or add --overwrite")
    there = next((one for one in target.absolute().parents if one.exists()), None)
    if there is not None and there.is_dir() and not os.access(there, os.W_OK | os.X_OK):
        raise DiskError(
            f"cannot write in {there}: permission denied", remedy="choose a folder that you may write to"
        )
    return target
