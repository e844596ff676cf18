"""Proposals of training pictures: each picture's are computed once, and kept for the next training."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from striate.tasks.detect.proposing import MOST_PROPOSALS, proposals_of
from striate.types import Array

__all__ = ["Proposed"]

_VERSION = "selective-search-1"
"""Names what the files hold: a change of the method or its settings gets another."""
_CHUNK = 8


class Proposed:
    """Proposals by the content of a picture: in memory, and below a cache folder once it was filled."""

    def __init__(self) -> None:
        self._known: dict[str, Array] = {}

    def fill(self, pixels: Array, home: Path) -> Iterator[int]:
        """Know those of all of `pixels` uint8 (N, H, W, 3); yields how many are done, if any are new.

        What was found stays in `home`, so stopping loses the work of a few pictures.
        """
        names = _names(pixels)
        for name in set(names) - self._known.keys():
            found = _read(_file(home, name))
            if found is not None:
                self._known[name] = found
        new = [row for row, name in enumerate(names) if name not in self._known]
        before = len(names) - len(new)
        for at in range(0, len(new), _CHUNK):
            rows = new[at : at + _CHUNK]
            self._learn(pixels, names, rows)
            for row in rows:
                with suppress(OSError):  # a full disk costs the next training time, no more
                    _keep(_file(home, names[row]), self._known[names[row]])
            yield before + at + len(rows)

    def of(self, pixels: Array) -> Array:
        """Proposals float32 (N, P, 4) of prepared pictures uint8 (N, H, W, 3)."""
        names = _names(pixels)
        new = [row for row, name in enumerate(names) if name not in self._known]
        if new:
            self._learn(pixels, names, new)
        if not names:
            return np.zeros((0, MOST_PROPOSALS, 4), np.float32)
        return np.stack([self._known[name] for name in names])

    def _learn(self, pixels: Array, names: Sequence[str], rows: Sequence[int]) -> None:
        found = proposals_of(np.asarray(pixels[rows]))
        self._known |= {names[row]: one for row, one in zip(rows, found, strict=True)}


def _names(pixels: Array) -> list[str]:
    return [
        hashlib.sha256(repr(one.shape).encode() + np.ascontiguousarray(one).tobytes()).hexdigest()
        for one in pixels
    ]


def _file(home: Path, name: str) -> Path:
    return home / "proposals" / _VERSION / name[:2] / f"{name}.npy"


def _read(file: Path) -> Array | None:
    """What was kept; None if there is nothing, or nothing whole."""
    try:
        found: Array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = found.shape == (MOST_PROPOSALS, 4) and found.dtype == np.float32
    return found if whole and bool(np.isfinite(found).all()) else None


def _keep(file: Path, proposals: Array) -> None:
    """Written beside and renamed: another process sees all of it or nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=file.parent, prefix=".tmp-")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.save(stream, proposals, allow_pickle=False)
        Path(partial).replace(file)
    except OSError:
        Path(partial).unlink(missing_ok=True)
        raise
